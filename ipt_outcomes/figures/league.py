"""The ranking of the treatments of a network, and the league table as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from ipt_outcomes.errors import require_choice
from ipt_outcomes.figures.board import Board, open_board
from ipt_outcomes.figures.canvas import MARGIN, open_slot
from ipt_outcomes.figures.rows import PAD
from ipt_outcomes.figures.scale import RATIO_NAMES, SHORT_NAMES, effect_text, interval_text, natural
from ipt_outcomes.figures.scatter import need
from ipt_outcomes.figures.style import ACCENT, FAINT, INK, PREDICTION, styled
from ipt_outcomes.figures.tips import tag
from ipt_outcomes.figures.words import LINE, fit, literal, text_width, widest
from ipt_outcomes.results import format_number, visible

if TYPE_CHECKING:
    import pandas as pd

GAP = 0.16
BAR = 0.12
# Row better, row worse: strong where the interval holds no 0, light where it does.
STRONG = {True: ACCENT, False: PREDICTION}
LIGHT = {True: "#cfe3e6", False: "#f0ddd0"}


class RankedNetwork(Protocol):
    """What the league table reads of a network meta-analysis."""

    @property
    def random(self) -> pd.DataFrame:
        """``arm1 arm2 estimate ci_low ci_high`` of all ordered pairs, random effects."""

    @property
    def common(self) -> pd.DataFrame:
        """The same, common effect."""

    def ranking(self, better: Any, model: Any = "random") -> pd.DataFrame:
        """``treatment p_score``, the best first."""


@styled
def ranking(
    frame: pd.DataFrame,
    *,
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw the P-scores of treatments as bars, the best first.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``treatment p_score``, as `ipt_outcomes.meta.NetworkEffect.ranking` gives it.
    title, width, ax
        As in `forest`.

    Returns
    -------
    matplotlib.axes.Axes
        From 0 to 1, whatever the scores.

    Raises
    ------
    DesignError
        The frame has no rows or lacks a column.

    References
    ----------
    Ruecker, Schwarzer (2015), BMC Med Res Methodol 15:58, doi:10.1186/s12874-015-0060-8.
    """
    need(frame, ("treatment", "p_score"))
    names, scores = frame["treatment"].tolist(), frame["p_score"].to_numpy(dtype=float)
    slot = open_slot(ax, width)
    label = min(max(widest([literal(name) for name in names]) + 0.02, 0.8), 0.42 * slot.width)
    lines = [fit(literal(name) or "–", label) for name in names]
    heights = [len(each) * LINE + PAD for each in lines]
    board = open_board(
        slot,
        sum(heights) + 0.32,
        title=title,
        notes=("P-score: mean certainty that the treatment is better than another one.",),
    )
    left, right = MARGIN + label + GAP, board.width - MARGIN - 0.42
    y = board.top
    for name, each, score, height in zip(names, lines, scores, heights, strict=True):
        for n, text in enumerate(each):
            board.words(MARGIN, y + height / 2 + (n - (len(each) - 1) / 2) * LINE, text)
        _bar(board, left, right, y + height / 2, float(score), visible(name))
        y += height
    for share, text in ((0.0, "0"), (0.5, "0.5"), (1.0, "1")):
        x = left + share * (right - left)
        board.ax.plot([x, x], [y, y + 0.04], color=INK, linewidth=0.8, scalex=False, scaley=False)
        board.words(x, y + 0.13, text, align="center")
    board.ax.plot([left, right], [y, y], color=INK, linewidth=0.8, scalex=False, scaley=False)
    return board.ax


def _bar(board: Board, left: float, right: float, y: float, score: float, name: str) -> None:
    text = format_number(score)
    patch = Rectangle((left, y - BAR / 2), max(score * (right - left), 0.005), BAR, facecolor=ACCENT, linewidth=0)
    board.ax.add_patch(patch)
    tag(patch, f"{name}: P-score {text}")
    board.words(board.width - MARGIN, y, text, align="right")


@dataclass(frozen=True, slots=True)
class _Cell:
    """What a cell says, from the most to the least, and how it is coloured."""

    texts: tuple[tuple[str, ...], ...]
    fill: str
    ink: str
    tip: str


@styled
def league(
    result: RankedNetwork,
    *,
    better: Literal["higher", "lower"],
    measure: str | None = None,
    model: Literal["random", "common"] = "random",
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw the league table: every treatment against every other, the best first.

    Parameters
    ----------
    result : RankedNetwork
        As `ipt_outcomes.meta.network` gives it.
    better : {"higher", "lower"}
        Whether a higher estimate is better.
    measure : str, optional
        A key of `ipt_outcomes.effects.MEASURE_NAMES`; ratios are printed as ratios.
    model : {"random", "common"}
    title, width, ax
        As in `forest`. Where cells are too small for the interval they hold the estimate, and where they are too
        small for that, their colour; every cell tells all of it when pointed at.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    OptionError
        An option is none of its choices.
    """
    require_choice("better", better, ("higher", "lower"))
    require_choice("model", model, ("random", "common"))
    if measure is not None:
        require_choice("measure", measure, SHORT_NAMES)
    names = result.ranking(better, model)["treatment"].tolist()
    table = result.random if model == "random" else result.common
    cells = _cells(table, better, ratio=measure in RATIO_NAMES)
    slot = open_slot(ax, width)
    full = [f"{i + 1} {literal(name)}" for i, name in enumerate(names)]
    label = min(max(widest(full, bold=True) + 0.02, 0.8), 0.32 * slot.width)
    side = (slot.width - 2 * MARGIN - label - 0.08) / len(names)
    room = _most_told(list(cells.values()), side)
    lines = [fit(text, label, bold=True) for text in full]
    height = max(0.24, max(map(len, lines)) * LINE + PAD, (room or 1) * LINE + 0.08)
    short = SHORT_NAMES[measure] if measure is not None else "estimate"
    told = {2: f"{short} and interval", 1: short, 0: "colour only"}[room]
    notes = (
        f"Row against column: {told}. Teal: the row is better; rust: the column is. Dark: the interval excludes no "
        "difference.",
    )
    board = open_board(slot, 0.22 + len(names) * height + 0.04, title=title, notes=notes)
    left, top = MARGIN + label + 0.08, board.top + 0.22
    every = next(n for n in (1, 2, 5, 10, len(names)) if n * side >= text_width(str(len(names)), bold=True) + 0.05)
    for i, each in enumerate(lines):
        if every == 1 or (i + 1) % every == 0:
            board.words(left + (i + 0.5) * side, board.top + 0.1, str(i + 1), align="center", bold=True)
        for n, text in enumerate(each):
            y = top + (i + 0.5) * height + (n - (len(each) - 1) / 2) * LINE
            board.words(MARGIN, y, text, bold=True)
    for i, row in enumerate(names):
        for j, column in enumerate(names):
            corner = (left + j * side, top + i * height)
            _draw(board, corner, side, height, cells.get((row, column)), room)
    return board.ax


def _cells(table: pd.DataFrame, better: str, *, ratio: bool) -> dict[tuple[Any, Any], _Cell]:
    cells = {}
    for row in table.to_dict(orient="records"):
        estimate, low, high = (float(row[name]) for name in ("estimate", "ci_low", "ci_high"))
        good = (estimate > 0) == (better == "higher")
        clear = low > 0 or high < 0
        number = format_number(natural(estimate, ratio=ratio))
        tip = f"{visible(row['arm1'])} against {visible(row['arm2'])}: {effect_text(estimate, low, high, ratio=ratio)}"
        cells[row["arm1"], row["arm2"]] = _Cell(
            texts=((), (number,), (number, interval_text(low, high, ratio=ratio))),
            fill=(STRONG if clear else LIGHT)[good],
            ink="white" if clear else INK,
            tip=tip,
        )
    return cells


def _most_told(cells: Sequence[_Cell], side: float) -> Literal[0, 1, 2]:
    """How many lines of text every cell has room for."""
    for lines in (2, 1):
        if max(text_width(text) for cell in cells for text in cell.texts[lines]) + 0.06 <= side:
            return 2 if lines == 2 else 1
    return 0


def _draw(
    board: Board, corner: tuple[float, float], side: float, height: float, cell: _Cell | None, room: Literal[0, 1, 2]
) -> None:
    patch = Rectangle(
        corner,
        side,
        height,
        facecolor=FAINT if cell is None else cell.fill,
        edgecolor="white",
        linewidth=1.0,
        zorder=1,
    )
    board.ax.add_patch(patch)
    if cell is None:
        return
    tag(patch, cell.tip)
    lines = cell.texts[room]
    for n, text in enumerate(lines):
        y = corner[1] + height / 2 + (n - (len(lines) - 1) / 2) * LINE
        board.words(corner[0] + side / 2, y, text, align="center", colour=cell.ink).set_zorder(2)
