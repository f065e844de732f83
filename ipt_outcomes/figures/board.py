"""A drawing without axes: one unit is one inch, counted from the upper left corner; title above, notes below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.text import Text

from ipt_outcomes.figures.canvas import MARGIN, Slot
from ipt_outcomes.figures.page import TITLE_LINE, TOP
from ipt_outcomes.figures.style import BODY, INK, MUTED, TITLE
from ipt_outcomes.figures.words import LINE, fit, literal, write


@dataclass(frozen=True, slots=True)
class Board:
    """Where a figure without axes is drawn.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        In inches, y downwards.
    width : float
        Of the whole drawing.
    top : float
        Where the body begins, below the title.
    """

    ax: Axes
    width: float
    top: float

    def words(
        self,
        x: float,
        y: float,
        text: str,
        *,
        align: str = "left",
        size: float = BODY,
        bold: bool = False,
        colour: str = INK,
    ) -> Text:
        """Write one line of literal text whose capitals are centred on `y`."""
        return write(self.ax, x, y, text, self.ax.transData, align=align, size=size, bold=bold, colour=colour)


def open_board(slot: Slot, body: float, *, title: str | None = None, notes: Sequence[str] = ()) -> Board:
    """Make a board with room for a body of given height, and write its title and notes.

    Parameters
    ----------
    slot : Slot
        Where to draw.
    body : float
        Height of the body in inches.
    title : str, optional
    notes : sequence of str
        Lines at the foot, wrapped.

    Returns
    -------
    Board
    """
    inner = slot.width - 2 * MARGIN
    titles = fit(literal(title), inner, size=TITLE, bold=True, lines=3) if title else []
    top = TOP + len(titles) * TITLE_LINE + (0.08 if titles else 0.0)
    feet = [fit(literal(note), inner, lines=4) for note in notes]
    foot = sum(0.04 + len(lines) * LINE for lines in feet) + MARGIN
    height = top + body + foot
    ax, slot = slot.axes(height)
    assert slot.height is not None  # noqa: S101  `axes` has set it
    slot.place(0.0, 0.0, slot.width, slot.height)
    ax.set_xlim(0.0, slot.width)
    ax.set_ylim(height, 0.0)
    # A hidden Axes still counts as drawn; its parts are hidden one by one so that the marks stay.
    ax.xaxis.set_visible(False)
    ax.yaxis.set_visible(False)
    ax.patch.set_visible(False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    board = Board(ax, slot.width, top)
    for i, text in enumerate(titles):
        board.words(MARGIN, TOP + (i + 0.5) * TITLE_LINE, text, size=TITLE, bold=True)
    y = top + body
    for lines in feet:
        y += 0.04
        for text in lines:
            board.words(MARGIN, y + LINE / 2, text, colour=MUTED)
            y += LINE
    return board
