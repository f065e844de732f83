"""The marks of a forest-like figure: squares, diamonds, prediction bars, arrowheads, reference lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle

from ipt_outcomes.figures.rows import LANE, Placed
from ipt_outcomes.figures.scale import Scale
from ipt_outcomes.figures.style import ACCENT, BAND, INK, POOLED, PREDICTION
from ipt_outcomes.figures.tips import tag

SQUARE = 9.0
SMALLEST_SQUARE = 2.8
HALF_DIAMOND = 0.065
HALF_BAR = 0.028


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A value, or a band of values, marked through all rows.

    Parameters
    ----------
    value : float
        On the scale of the analysis.
    low, high : float
        Limits of the band; NaN for a line alone.
    style : {"null", "pooled"}
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    style: Literal["null", "pooled"] = "null"


def draw_references(
    ax: Axes,
    references: Sequence[Reference],
    placed: Sequence[Placed],
    scale: Scale,
    *,
    narrow: bool,
    body: float,
) -> None:
    """Draw the lines of no effect and of the pooled effect behind the rows.

    On a phone the words stand above the marks, so the lines are drawn only beside the marks.
    """
    lanes = [(item.lane_y - LANE / 2, item.lane_y + LANE / 2) for item in placed if item.row.mark != "none"]
    spans = [*lanes, (body - 0.05, body)] if narrow else [(0.0, body)]
    for reference in references:
        pooled = reference.style == "pooled"
        if math.isfinite(reference.low) and math.isfinite(reference.high):
            left, right = scale.x(scale.clip(reference.low)), scale.x(scale.clip(reference.high))
            for top, bottom in spans:
                ax.add_patch(
                    Rectangle((left, top), right - left, bottom - top, facecolor=BAND, edgecolor="none", zorder=0.4)
                )
        if not scale.holds(reference.value):
            continue
        ax.vlines(
            [scale.x(reference.value)] * len(spans),
            [top for top, _ in spans],
            [bottom for _, bottom in spans],
            colors=POOLED if pooled else INK,
            linestyles=(0, (3, 2.5)) if pooled else "solid",
            linewidth=0.8,
            zorder=0.6 if pooled else 0.5,
        )


def draw_marks(ax: Axes, placed: Sequence[Placed], scale: Scale) -> None:
    """Draw the mark of each row and an arrowhead wherever an interval goes beyond the axis."""
    # Where each arrowhead stands, whether at the highest value, and its colour.
    beyond: list[tuple[float, float, bool, str]] = []
    for item in placed:
        row = item.row
        if row.mark == "none":
            continue
        colour = {"square": ACCENT, "bar": PREDICTION}.get(row.mark, POOLED)
        if row.mark == "square":
            _interval(ax, item, scale, marker="s", size=max(SQUARE * math.sqrt(row.size), SMALLEST_SQUARE))
        elif row.mark == "diamond":
            _diamond(ax, item, scale)
        elif row.mark == "bar":
            tag(_bar(ax, row.low, row.high, item.lane_y, scale), row.tip)
        else:
            if math.isfinite(row.outer_low) and math.isfinite(row.outer_high):
                _thin_line(ax, row.outer_low, row.outer_high, item.lane_y, scale)
                beyond += _ends(row.outer_low, row.outer_high, item.lane_y, scale, PREDICTION)
            _interval(ax, item, scale, marker="D", size=6.5)
        beyond += _ends(row.low, row.high, item.lane_y, scale, colour)
    for high in (False, True):
        for colour in (ACCENT, PREDICTION, POOLED):
            heads = [(x, y) for x, y, end, own in beyond if end is high and own == colour]
            if heads:
                _arrows(ax, heads, right=high is not scale.falling, colour=colour)


def _interval(ax: Axes, item: Placed, scale: Scale, *, marker: str, size: float) -> None:
    """Draw interval and point as one artist, so that pointing at either shows the tip."""
    row = item.row
    inside = scale.holds(row.estimate)
    xs = [scale.x(scale.clip(value)) for value in (row.low, row.estimate, row.high)]
    point: dict[str, Any] = {"marker": marker, "markersize": size, "markevery": [1]} if inside else {}
    if not inside:
        # The point itself is off the axis: only the arrowhead at the edge is left, so it carries the tip.
        high = row.estimate > scale.high
        point = {
            "marker": ">" if high is not scale.falling else "<",
            "markersize": 6,
            "markevery": [2 if high else 0],
            "clip_on": False,
        }
    (line,) = ax.plot(
        xs,
        [item.lane_y] * 3,
        color=ACCENT if row.mark == "square" else POOLED,
        linewidth=1.1 if row.mark == "square" else 2.8,
        solid_capstyle="butt",
        markeredgewidth=0,
        zorder=3,
        scalex=False,
        scaley=False,
        **point,
    )
    tag(line, row.tip)


def _diamond(ax: Axes, item: Placed, scale: Scale) -> None:
    row, y = item.row, item.lane_y
    # An endless interval still needs finite corners; ten axis lengths away looks the same.
    far = 10 * (scale.high - scale.low)
    low, estimate, high = (
        scale.x(min(max(value, scale.low - far), scale.high + far)) for value in (row.low, row.estimate, row.high)
    )
    corners = [(low, y), (estimate, y - HALF_DIAMOND), (high, y), (estimate, y + HALF_DIAMOND)]
    patch = Polygon(corners, closed=True, facecolor=POOLED, edgecolor=POOLED, linewidth=0.6, zorder=3)
    ax.add_patch(patch)
    tag(patch, row.tip)


def _bar(ax: Axes, low: float, high: float, y: float, scale: Scale) -> Rectangle:
    left, right = scale.x(scale.clip(low)), scale.x(scale.clip(high))
    patch = Rectangle(
        (left, y - HALF_BAR), right - left, 2 * HALF_BAR, facecolor=PREDICTION, edgecolor="none", zorder=2
    )
    ax.add_patch(patch)
    return patch


def _thin_line(ax: Axes, low: float, high: float, y: float, scale: Scale) -> None:
    """Draw the prediction interval behind a confidence interval."""
    ax.plot(
        [scale.x(scale.clip(low)), scale.x(scale.clip(high))],
        [y, y],
        color=PREDICTION,
        linewidth=1.2,
        solid_capstyle="butt",
        zorder=2,
        scalex=False,
        scaley=False,
    )


def _ends(low: float, high: float, y: float, scale: Scale, colour: str) -> list[tuple[float, float, bool, str]]:
    ends = []
    if low < scale.low:
        ends.append((scale.x(scale.low), y, False, colour))
    if high > scale.high:
        ends.append((scale.x(scale.high), y, True, colour))
    return ends


def _arrows(ax: Axes, heads: Sequence[tuple[float, float]], *, right: bool, colour: str) -> None:
    ax.plot(
        [x for x, _ in heads],
        [y for _, y in heads],
        linestyle="none",
        marker=">" if right else "<",
        markersize=5.5,
        markeredgewidth=0,
        color=colour,
        zorder=4,
        clip_on=False,
        scalex=False,
        scaley=False,
    )


def any_beyond(rows: Sequence[Any], scale: Scale) -> bool:
    """Whether some row's interval goes beyond the axis."""
    ends = [(row.low, row.high) for row in rows if row.mark != "none"]
    ends += [(row.outer_low, row.outer_high) for row in rows if row.mark == "summary"]
    return any(low < scale.low or high > scale.high for low, high in ends)
