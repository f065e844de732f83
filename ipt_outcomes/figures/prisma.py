"""The flow of a literature search: records found, screened, read and included (PRISMA 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Rectangle

from ipt_outcomes.errors import DesignError
from ipt_outcomes.figures.board import Board, open_board
from ipt_outcomes.figures.canvas import MARGIN, open_slot
from ipt_outcomes.figures.style import ACCENT, BAND, INK, MUTED, styled
from ipt_outcomes.figures.tips import tag
from ipt_outcomes.figures.words import LINE, fit, literal
from ipt_outcomes.results import format_number, visible

PAD = 0.09
BETWEEN = 0.24
ARROW = 0.26
# The box on the main line, the box beside it, and the list that belongs to the box beside.
_STEPS = (
    ("identified", "removed_before_screening", ""),
    ("screened", "excluded_at_screening", ""),
    ("sought", "not_retrieved", ""),
    ("assessed", "excluded_full_text", "reasons"),
    ("included_reports", "", ""),
    ("included_studies", "", ""),
)


class FlowLike(Protocol):
    """What the diagram reads of a search: numbers per stage, and lists of sources and reasons."""

    @property
    def counts(self) -> Mapping[str, int]:
        """Numbers by stage; a stage that is not told is left out."""

    @property
    def sources(self) -> Mapping[str, int]:
        """Records per database."""

    @property
    def reasons(self) -> Mapping[str, int]:
        """Full texts excluded per reason."""


@dataclass(frozen=True, slots=True)
class _Box:
    """Lines of a box: the first ones bold, then those of its list."""

    lines: tuple[tuple[str, bool], ...]
    tip: str

    @property
    def height(self) -> float:
        return len(self.lines) * LINE + 2 * PAD


@styled
def prisma(
    flow: FlowLike,
    *,
    words: Mapping[str, str],
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw the flow diagram of a search.

    Parameters
    ----------
    flow : FlowLike
        As `ipt_outcomes.evidence.read_flow` gives it; stages that are not told are left out.
    words : mapping of str to str
        What each stage is called.
    title, width, ax
        As in `forest`; in the phone layout what was excluded stands below its step.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DesignError
        No stage is told.

    References
    ----------
    Page et al (2021), BMJ 372:n71, doi:10.1136/bmj.n71.
    """
    slot = open_slot(ax, width)
    inner = slot.width - 2 * MARGIN
    main = inner if slot.narrow else 0.46 * inner
    aside = inner - 0.3 if slot.narrow else inner - main - ARROW
    steps = []
    for stage, beside, listed in _STEPS:
        lists = flow.sources if stage == "identified" else {}
        one = _box(flow.counts, stage, words, main, lists)
        two = _box(flow.counts, beside, words, aside, flow.reasons if listed else {})
        if one is not None or two is not None:
            steps.append((one, two))
    if not steps:
        raise DesignError("no stage of the search is told: there is nothing to draw")
    body = sum(_height(*step, narrow=slot.narrow) for step in steps) + BETWEEN * (len(steps) - 1) + 0.04
    board = open_board(slot, body, title=title)
    y = board.top + 0.02
    last: tuple[float, float] | None = None
    for one, two in steps:
        height = _height(one, two, narrow=slot.narrow)
        below = _step(board, y, one, two, main, aside, narrow=slot.narrow, height=height)
        if last is not None and one is not None:
            _arrow(board, last, (last[0], below - one.height))
        if one is not None:
            last = (MARGIN + (0.15 if slot.narrow else main / 2), below)
        y += height + BETWEEN
    return board.ax


def _height(one: _Box | None, two: _Box | None, *, narrow: bool) -> float:
    heights = [box.height for box in (one, two) if box is not None]
    return sum(heights) + (len(heights) - 1) * 0.1 if narrow else max(heights)


def _box(
    counts: Mapping[str, int], stage: str, words: Mapping[str, str], width: float, listed: Mapping[str, int]
) -> _Box | None:
    if stage not in counts:
        return None
    text = f"{literal(words.get(stage, stage))} {_count(counts[stage])}"
    lines = [(line, True) for line in fit(text, width - 2 * PAD, lines=4, bold=True)]
    for name, count in listed.items():
        each = f"{literal(name)} {_count(count)}"
        lines += [(line, False) for line in fit(each, width - 2 * PAD, lines=3)]
    parts = [text, *(f"{visible(name)}: {format_number(count, 'integer')}" for name, count in listed.items())]
    return _Box(tuple(lines), "; ".join(parts))


def _count(count: int) -> str:
    """The number in brackets, with blanks that no line breaks at."""
    return f"(n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{format_number(count, 'integer')})"


def _step(
    board: Board,
    y: float,
    one: _Box | None,
    two: _Box | None,
    main: float,
    aside: float,
    *,
    narrow: bool,
    height: float,
) -> float:
    """Draw the boxes of one step; return where the arrow to the next step begins."""
    if one is not None:
        top = y if narrow else y + (height - one.height) / 2
        _draw(board, MARGIN, top, main, one, filled=True)
    if two is not None:
        if narrow:
            top = y + (0.0 if one is None else one.height + 0.1)
            _draw(board, board.width - MARGIN - aside, top, aside, two, filled=False)
        else:
            top = y + (height - two.height) / 2
            _draw(board, board.width - MARGIN - aside, top, aside, two, filled=False)
            if one is not None:
                middle = y + height / 2
                _arrow(board, (MARGIN + main, middle), (board.width - MARGIN - aside, middle))
    if one is None:
        return y
    return y + one.height if narrow else y + (height + one.height) / 2


def _draw(board: Board, x: float, y: float, width: float, box: _Box, *, filled: bool) -> None:
    patch = Rectangle(
        (x, y),
        width,
        box.height,
        facecolor=BAND if filled else "white",
        edgecolor=ACCENT if filled else MUTED,
        linewidth=0.9,
        zorder=1,
    )
    board.ax.add_patch(patch)
    tag(patch, box.tip)
    for i, (text, bold) in enumerate(box.lines):
        board.words(x + PAD, y + PAD + (i + 0.5) * LINE, text, bold=bold and filled, colour=INK).set_zorder(2)


def _arrow(board: Board, start: tuple[float, float], end: tuple[float, float]) -> None:
    board.ax.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=8,
            shrinkA=0,
            shrinkB=0,
            color=INK,
            linewidth=0.9,
            zorder=0.5,
        )
    )
