"""The specification curve: the pooled effect under every combination of choices, and what was chosen in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path

from ipt_outcomes.errors import DesignError
from ipt_outcomes.figures.bubble import effect_name, effect_ticks
from ipt_outcomes.figures.canvas import MARGIN, open_slot
from ipt_outcomes.figures.checks import percent
from ipt_outcomes.figures.framed import BESIDE, Framed, Key, Plot, draw_frame
from ipt_outcomes.figures.scale import RATIO_NAMES, Scale, effect_text, robust_scale, sides
from ipt_outcomes.figures.scatter import need
from ipt_outcomes.figures.style import ACCENT, BAND, FAINT, INK, MUTED, POOLED, PREDICTION, styled
from ipt_outcomes.figures.tips import tag
from ipt_outcomes.figures.words import fit, literal, widest, write
from ipt_outcomes.results import format_number, plural, visible

LEVEL_LINE = 0.165
HEADING_GAP = 0.1
TIPS = 60
"""The most specifications that each carry a tip of their own."""


class SpecificationsLike(Protocol):
    """What the curve reads of a grid of specifications; ratios on the log scale."""

    @property
    def frame(self) -> pd.DataFrame:
        """One row per specification: choices, then ``k estimate ci_low ci_high``."""

    @property
    def measure(self) -> str | None:
        """A key of `ipt_outcomes.effects.MEASURE_NAMES`."""

    @property
    def event(self) -> Literal["good", "bad"] | None:
        """Whether more events are good news."""

    @property
    def level(self) -> float:
        """Level of the intervals."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the lower part: a heading, or a value of a choice with the places where it was chosen."""

    text: str
    y: float
    heading: bool
    places: np.ndarray


@styled
def specification_curve(
    specifications: SpecificationsLike,
    *,
    choices: Mapping[str, str] | None = None,
    names: Mapping[str, Mapping[Any, str]] | None = None,
    main: float | None = None,
    favours: tuple[str, str] | None = None,
    better: Literal["lower", "higher"] | None = None,
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw the pooled effect of every specification, sorted by size, above what was chosen in each.

    Parameters
    ----------
    specifications : SpecificationsLike
        As `ipt_outcomes.evidence.specification_grid` gives it.
    choices : mapping of str to str, optional
        Columns that hold a choice and what to call them; by default the ones with more than one value among
        ``tau2 rho comparator risk_of_bias rows``.
    names : mapping of str to mapping, optional
        Per column, what to call its values.
    main : float, optional
        The effect of the main analysis, marked by a line.
    favours, better, title, width, ax
        As in `forest`.

    Returns
    -------
    matplotlib.axes.Axes
        One column of the plot per specification.

    Raises
    ------
    DesignError
        The frame has no rows or lacks a column.

    Notes
    -----
    Grey: the interval holds no difference. The specifications are neither independent nor equally sensible: the
    curve is no test.

    References
    ----------
    Simonsohn, Simmons, Nelson (2020), Nat Hum Behav 4:1208-1214, doi:10.1038/s41562-020-0912-z.
    """
    given = specifications.frame
    columns = dict(_CHOICES if choices is None else choices)
    need(given, ("estimate", "ci_low", "ci_high", *(columns if choices is not None else ())))
    frame = given.sort_values("estimate", kind="stable").reset_index(drop=True)
    frame = frame[np.isfinite(frame[["estimate", "ci_low", "ci_high"]].to_numpy(dtype=float)).all(axis=1)]
    if frame.empty:
        raise DesignError("no specification has an estimate with an interval: there is nothing to draw")
    ratio = specifications.measure in RATIO_NAMES
    words = sides(specifications.measure, specifications.event, better, favours)
    slot = open_slot(ax, width)
    lines, depth = _lines(
        frame,
        {name: (title, _ordered(given[name].tolist())) for name, title in columns.items() if name in given},
        names or {},
    )
    up = _scale(frame, main, ratio)
    height = 2.3
    label = min(max((widest([line.text]) for line in lines), default=0.0) + 0.12, 0.34 * slot.width)
    ticks = effect_ticks(up, height)
    beside = max(MARGIN + label, BESIDE + widest(ticks[1]))
    count = f"{format_number(len(frame), 'integer')} {plural(len(frame), 'specification', 'specifications')}"
    frame_of = Framed(
        below=f"{count}, by size of the effect",
        beside=effect_name(specifications.measure, height),
        limits=(up.low, up.high),
        ticks=ticks,
        keys=_keys(percent(specifications.level), main is not None),
        notes=_notes(words, frame, up),
        title=title,
        height=height,
        extra=depth - 0.1,
    )
    plot = draw_frame(slot, frame_of, beside=beside)
    plot.ax.set_xlim(-0.5, len(frame) - 0.5)
    plot.ax.set_xticks([])
    _curve(plot, frame, up, main)
    _tips(plot.ax, frame, up, columns, ratio)
    _choices(plot, lines, len(frame), beside - MARGIN)
    return plot.ax


_CHOICES: Mapping[str, str] = {
    "tau2": "Estimator of τ²",
    "rho": "Correlation in a study",
    "comparator": "Compared with",
    "risk_of_bias": "Risk of bias",
    "rows": "Effects of a study",
}


def _lines(
    frame: pd.DataFrame, columns: Mapping[str, tuple[str, list[Any]]], names: Mapping[str, Mapping[Any, str]]
) -> tuple[list[_Line], float]:
    """Return the lines of the lower part with their depths below the plot, and the depth of the last."""
    lines: list[_Line] = []
    y = 0.05
    for column, (title, levels) in columns.items():
        if len(levels) < 2:
            continue
        values = frame[column].tolist()
        y += HEADING_GAP + LEVEL_LINE
        lines.append(_Line(literal(title), y, True, np.array([])))
        for level in levels:
            y += LEVEL_LINE
            own = np.array([i for i, value in enumerate(values) if _same(value, level)], dtype=float)
            lines.append(_Line(_name(level, names.get(column, {})), y, False, own))
    return lines, y + 0.12


def _ordered(values: Sequence[Any]) -> list[Any]:
    """The values that occur: numbers by size, words in the order given, missing last."""
    present = list(dict.fromkeys(value for value in values if not _missing(value)))
    levels = sorted(present) if all(isinstance(value, int | float) for value in present) else present
    return [*levels, None] if any(_missing(value) for value in values) else levels


def _missing(value: Any) -> bool:
    return value is None or value != value


def _same(value: Any, level: Any) -> bool:
    return _missing(value) if level is None else bool(value == level)


def _name(level: Any, names: Mapping[Any, str]) -> str:
    if level in names:
        return literal(names[level])
    if level is None:
        return "does not apply"
    return f"{level:g}" if isinstance(level, float) else literal(level)


def _scale(frame: pd.DataFrame, main: float | None, ratio: bool) -> Scale:
    estimate, low, high = (frame[name].to_numpy(dtype=float) for name in ("estimate", "ci_low", "ci_high"))
    drawn = robust_scale(estimate, low, high, ratio=False, also=[main, estimate.min(), estimate.max()])
    return Scale(low=drawn.low, high=drawn.high, ratio=ratio)


def _keys(interval: str, main: bool) -> list[Key]:
    point: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 4.5, "markeredgewidth": 0}
    keys: list[Key] = [
        (Line2D([], [], color=ACCENT, **point), "Interval excludes no difference"),
        (Line2D([], [], color=MUTED, **point), "Interval includes no difference"),
        (Patch(facecolor=BAND, edgecolor="none"), f"{interval} confidence interval"),
    ]
    if main:
        keys.append((Line2D([], [], color=PREDICTION, linewidth=1.2, linestyle=(0, (4, 2.5))), "Main analysis"))
    return keys


def _notes(words: tuple[str, str] | None, frame: pd.DataFrame, up: Scale) -> list[str]:
    notes = [f"Upwards: {words[1][0].lower()}{words[1][1:]}."] if words is not None else []
    if (frame["ci_low"] < up.low).any() or (frame["ci_high"] > up.high).any():
        notes.append("Intervals that end at the edge go beyond the axis.")
    return notes


def _curve(plot: Plot, frame: pd.DataFrame, up: Scale, main: float | None) -> None:
    """Intervals as one band with steps, so that a thousand of them stay a small drawing."""
    places = np.arange(len(frame), dtype=float)
    estimate, low, high = (frame[name].to_numpy(dtype=float) for name in ("estimate", "ci_low", "ci_high"))
    edges = np.repeat(places, 2) + np.tile([-0.5, 0.5], len(frame))
    bottom, top = (np.repeat(np.clip(values, up.low, up.high), 2) for values in (low, high))
    plot.ax.fill_between(edges, bottom, top, color=BAND, linewidth=0, zorder=0.5)
    plot.ax.axhline(0.0, color=INK, linewidth=0.8, zorder=1)
    if main is not None:
        plot.ax.axhline(up.clip(main), color=PREDICTION, linewidth=1.2, linestyle=(0, (4, 2.5)), zorder=1.5)
    clear = (low > 0) | (high < 0)
    size = float(np.clip(plot.width * 72 / len(frame) * 0.8, 1.6, 5.0))
    for chosen, colour in ((~clear, MUTED), (clear, ACCENT)):
        # Dots as lines without length: one path for all of one colour.
        dots = [(x, y) for x, y in zip(places[chosen], estimate[chosen], strict=True) for _ in range(2)]
        path = _strokes(dots)
        patch = PathPatch(path, edgecolor=colour, facecolor="none", linewidth=size, capstyle="round", zorder=3)
        plot.ax.add_artist(patch)


def _strokes(ends: Sequence[tuple[float, float]]) -> Path:
    """Strokes between pairs of points as one path, each kept as it is (a stroke without length is a dot)."""
    if not ends:
        return Path([(0.0, 0.0)])
    path = Path(ends, [Path.MOVETO, Path.LINETO] * (len(ends) // 2))
    # Matplotlib would drop strokes without length from long paths.
    path.should_simplify = False
    return path


def _tips(ax: Axes, frame: pd.DataFrame, up: Scale, columns: Mapping[str, str], ratio: bool) -> None:
    """A tip per specification, or of the two ends and the median where there are too many."""
    count = len(frame)
    chosen = range(count) if count <= TIPS else sorted({0, count // 2, count - 1})
    half = 0.5 if count <= TIPS else count / 100
    for i in chosen:
        row = frame.iloc[i]
        told = [f"{title}: {visible(row[name])}" for name, title in columns.items() if name in frame]
        effect = effect_text(row["estimate"], row["ci_low"], row["ci_high"], ratio=ratio)
        # Nothing is drawn over the point: the tip needs a place to be pointed at.
        (place,) = ax.fill([i - half, i + half, i + half, i - half], [up.low] * 2 + [up.high] * 2, alpha=0.0, zorder=4)
        tag(place, f"{effect}. {'; '.join(told)}")


def _choices(plot: Plot, lines: Sequence[_Line], count: int, room: float) -> None:
    """Write the choices below the curve and mark where each was made."""
    inches = plot.ax.figure.dpi_scale_trans
    step = plot.width / count
    half = max(step / 2, 0.006)
    ends: list[tuple[float, float]] = []
    for line in lines:
        y = plot.bottom - line.y
        left = plot.left - 0.08
        text = fit(line.text, room - 0.06, lines=1, bold=line.heading)[0]
        if line.heading:
            # A heading may run on over the plot's part of the line, which is empty.
            write(
                plot.ax,
                plot.left - room,
                y,
                fit(line.text, room + plot.width, lines=1, bold=True)[0],
                inches,
                bold=True,
            )
            continue
        artist = write(plot.ax, left, y, text, inches, align="right")
        if text != line.text:
            tag(artist, line.text)
        plot.ax.plot(
            [plot.left, plot.left + plot.width],
            [y, y],
            transform=inches,
            color=FAINT,
            linewidth=0.6,
            clip_on=False,
            scalex=False,
            scaley=False,
        )
        for first, last in _runs(line.places):
            x0, x1 = plot.left + (first + 0.5) * step - half, plot.left + (last + 0.5) * step + half
            ends += [(x0, y), (x1, y)]
    # One path for all marks: a thousand paths of their own would make a large file.
    marks = PathPatch(_strokes(ends), edgecolor=POOLED, facecolor="none", linewidth=4.0, capstyle="butt", clip_on=False)
    marks.set_transform(inches)
    marks.set_zorder(3)
    plot.ax.add_artist(marks)


def _runs(places: np.ndarray) -> list[tuple[float, float]]:
    """Neighbouring places as one run."""
    if not places.size:
        return []
    breaks = np.flatnonzero(np.diff(places) > 1)
    starts, ends = np.r_[0, breaks + 1], np.r_[breaks, places.size - 1]
    return [(float(places[a]), float(places[b])) for a, b in zip(starts, ends, strict=True)]
