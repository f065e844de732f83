"""What each study does to the result: deletion diagnostics side by side, a column each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes

from ipt_outcomes.figures.board import Board, open_board
from ipt_outcomes.figures.canvas import MARGIN, open_slot
from ipt_outcomes.figures.checks import one_each, study_names
from ipt_outcomes.figures.rows import LANE, PAD
from ipt_outcomes.figures.scale import Scale
from ipt_outcomes.figures.scatter import need
from ipt_outcomes.figures.style import ACCENT, FAINT, INK, PREDICTION, RULE, styled
from ipt_outcomes.figures.tips import tag
from ipt_outcomes.figures.words import LINE, fit, widest
from ipt_outcomes.results import format_number, visible

if TYPE_CHECKING:
    import pandas as pd

GAP = 0.16
# Room at the right edge, in inches.
RIGHT = 0.2
NOTE = "Rust: influential by at least one criterion. Dashed: where a value counts as large."
# Median of chi-squared with 1 degree of freedom.
_COOK = 0.45493642311957283


@dataclass(frozen=True, slots=True)
class _Diagnostic:
    """A column: its name in the frame, its heading, and what it is measured from."""

    column: str
    words: str
    start: float


# The first ones are those a phone has room for.
_DIAGNOSTICS = (
    _Diagnostic("rstudent", "Residual, z", 0.0),
    _Diagnostic("dffits", "DFFITS", 0.0),
    _Diagnostic("cooks_distance", "Cook's distance", 0.0),
    _Diagnostic("weight", "Weight, %", 0.0),
    _Diagnostic("cov_ratio", "Variance ratio", 1.0),
    _Diagnostic("tau2_deleted", "τ² without it", math.nan),
)
_ON_PHONE = 4


@styled
def influence(
    frame: pd.DataFrame,
    *,
    labels: Iterable[Any] | None = None,
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw deletion diagnostics: a row per study, a column per diagnostic.

    Parameters
    ----------
    frame : pandas.DataFrame
        As `ipt_outcomes.meta.influence` gives it, one row per study; with a column ``study`` its names are used.
    labels : iterable of str, shape (k,), optional
        Names of the rows, drawn literally.
    title, width, ax
        As in `forest`; in the phone layout the columns are residual, DFFITS, Cook's distance and weight.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DesignError
        The frame has no rows or lacks a column; `labels` has not one name per row.

    References
    ----------
    Viechtbauer, Cheung (2010), Res Synth Methods 1(2):112-125, doi:10.1002/jrsm.11.
    """
    need(frame, (*(one.column for one in _DIAGNOSTICS), "influential"))
    given = frame["study"].tolist() if labels is None and "study" in frame else labels
    names = study_names(given, len(frame))
    full = names if given is None else [visible(name) for name in one_each("labels", given, len(frame)) or ()]
    slot = open_slot(ax, width)
    columns = _DIAGNOSTICS[:_ON_PHONE] if slot.narrow else _DIAGNOSTICS
    strong = frame["influential"].to_numpy(dtype=bool)
    left, step = _columns(slot.width, names, len(columns), narrow=slot.narrow)
    heads = [fit(one.words, step - GAP / 2, lines=3, bold=True) for one in columns]
    head = max(map(len, heads)) * LINE + 0.08
    room = slot.width - 2 * MARGIN if slot.narrow else left - MARGIN - GAP
    lines = [fit(name, room, bold=bool(mark)) for name, mark in zip(names, strong, strict=True)]
    heights = [len(each) * LINE + PAD + (LANE if slot.narrow else 0.0) for each in lines]
    board = open_board(slot, head + sum(heights) + 0.3, title=title, notes=(NOTE,))
    lanes = _names(board, head, lines, heights, full, names, strong, narrow=slot.narrow)
    bottom = board.top + head + sum(heights)
    # On a phone the names stand above the marks, so the lines are drawn only beside the marks.
    spans = [(y - LANE / 2, y + LANE / 2) for y in lanes] if slot.narrow else [(board.top + head, bottom)]
    for i, one in enumerate(columns):
        x = left + i * step
        _heading(board, x, step - GAP, heads[i], head)
        _column(board, (x, step - GAP), bottom, spans, one, frame, lanes, full)
    return board.ax


def _columns(width: float, names: Sequence[str], count: int, *, narrow: bool) -> tuple[float, float]:
    """Where the first column begins, and how far apart they stand."""
    if narrow:
        return MARGIN, (width - 2 * MARGIN + GAP) / count
    label = min(max(widest(names, bold=True) + 0.02, 0.8), 0.32 * width)
    left = MARGIN + label + GAP
    # The last tick label reaches half its width beyond its column.
    return left, (width - RIGHT - left + GAP) / count


def _names(
    board: Board,
    head: float,
    lines: Sequence[Sequence[str]],
    heights: Sequence[float],
    full: Sequence[str],
    names: Sequence[str],
    strong: np.ndarray,
    *,
    narrow: bool,
) -> list[float]:
    """Write the names and return the height of each row's marks."""
    y = board.top + head
    lanes = []
    for i, (each, height) in enumerate(zip(lines, heights, strict=True)):
        lane = LANE if narrow else 0.0
        first = y + (height - lane - len(each) * LINE) / 2 + LINE / 2
        for n, text in enumerate(each):
            artist = board.words(MARGIN, first + n * LINE, text, bold=bool(strong[i]))
            if "".join(each).replace(" ", "") != names[i].replace(" ", ""):
                tag(artist, full[i])
        lanes.append(y + height - LANE / 2 - PAD / 2 if narrow else y + height / 2)
        y += height
    return lanes


def _heading(board: Board, x: float, width: float, lines: Sequence[str], head: float) -> None:
    for n, text in enumerate(lines):
        y = board.top + head - 0.08 - (len(lines) - n - 0.5) * LINE
        board.words(x + width / 2, y, text, align="center", bold=True)


def _limits(one: _Diagnostic, frame: pd.DataFrame) -> tuple[float, ...]:
    """Where a value counts as large."""
    k = len(frame)
    if one.column == "rstudent":
        return (-1.96, 1.96)
    if one.column == "dffits":
        return (-3 * math.sqrt(1 / max(k - 1, 1)), 3 * math.sqrt(1 / max(k - 1, 1)))
    if one.column == "cooks_distance":
        return (_COOK,)
    return (300 / k,) if one.column == "weight" else ()


def _ticks(scale: Scale, width: float) -> list[tuple[float, str]]:
    """Ticks of a narrow axis: one in the middle where two do not fit."""
    ticks = [(value, text) for value, text in zip(*scale.ticks(width), strict=True) if scale.holds(value)]
    if ticks:
        return ticks
    middle = (scale.low + scale.high) / 2
    return [(middle, format_number(middle, "decimal3" if abs(middle) < 1 else "decimal1"))]


def _column(
    board: Board,
    across: tuple[float, float],
    down: float,
    spans: Sequence[tuple[float, float]],
    one: _Diagnostic,
    frame: pd.DataFrame,
    lanes: Sequence[float],
    full: Sequence[str],
) -> None:
    values = frame[one.column].to_numpy(dtype=float)
    limits = _limits(one, frame)
    start = one.start if math.isfinite(one.start) else float(np.nanmin(values)) if len(values) else 0.0
    known = [*values[np.isfinite(values)].tolist(), start]
    # A limit far from every value would squeeze them: it is drawn where it is near.
    spread = max(max(known) - min(known), 1e-12)
    near = [limit for limit in limits if min(known) - spread <= limit <= max(known) + spread]
    low, high = min(*known, *near, start), max(*known, *near, start)
    pad = 0.08 * (high - low) or 0.5
    scale = Scale(low=low - pad, high=high + pad, ratio=False)
    left, width = across

    def x(value: float) -> float:
        return left + (value - scale.low) / (scale.high - scale.low) * width

    line: dict[str, Any] = {"scalex": False, "scaley": False, "solid_capstyle": "butt", "clip_on": False}
    # Broken lines of one path each: a path per row would make a large drawing.
    ends = [y for span in spans for y in (*span, math.nan)]
    board.ax.plot([x(start)] * len(ends), ends, color=RULE, linewidth=0.8, zorder=1, **line)
    for limit in near:
        look: dict[str, Any] = {"linewidth": 0.8, "linestyle": (0, (3, 2.5)), "zorder": 1}
        board.ax.plot([x(limit)] * len(ends), ends, color=INK, **look, **line)
    known_at = [(value, lane) for value, lane in zip(values, lanes, strict=True) if math.isfinite(value)]
    across_at = [place for value, _ in known_at for place in (x(start), x(value), math.nan)]
    down_at = [y for _, lane in known_at for y in (lane, lane, math.nan)]
    board.ax.plot(across_at, down_at, color=FAINT, linewidth=1.4, zorder=1.5, **line)
    board.ax.plot([left, left + width], [down] * 2, color=INK, linewidth=0.8, zorder=1, **line)
    for value, text in _ticks(scale, width):
        board.ax.plot([x(value)] * 2, [down, down + 0.04], color=INK, linewidth=0.8, **line)
        board.words(x(value), down + 0.13, text, align="center")
    strong = frame["influential"].to_numpy(dtype=bool)
    for value, lane, mark, name in zip(values, lanes, strong, full, strict=True):
        if not math.isfinite(value):
            continue
        colour = PREDICTION if mark else ACCENT
        (point,) = board.ax.plot(
            [x(value)],
            [lane],
            linestyle="none",
            marker="D" if mark else "o",
            markersize=5.0,
            color=colour,
            markeredgewidth=0,
            zorder=3,
            clip_on=False,
            scalex=False,
            scaley=False,
        )
        tag(point, f"{name}: {one.words} {format_number(value)}")
