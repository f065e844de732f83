"""What writers share: how wide columns must be and, on paper, sizes of type and what stays together.

No writer can measure text before it is set, so widths are estimated in ems from classes of letters; the
estimate is a little wider than the fonts used on paper.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from ipt_outcomes.report.document import Block, Bullets, Document, Figure, Heading, Paragraph, Table
from ipt_outcomes.report.runs import plain
from ipt_outcomes.results import ResultRow
from ipt_outcomes.tables import Column, TableSpec

TEXT_WIDTH = 482.0
"""Width of the text on an A4 page, in points."""

# Height of the text on a page and of what may share it with a figure, in points; a paragraph per line.
_TEXT_HEIGHT = 705.0
_HEADING, _PARAGRAPH_LINE, _CAPTION_LINE, _GAPS = 46.0, 18.0, 16.0, 40.0

FLOATS = 0.3 * _TEXT_HEIGHT
"""A figure higher than this, in points, need not stand where the text names it."""
WHOLE = 0.45 * _TEXT_HEIGHT
"""A table up to this height, in points, is not torn over two pages."""

# Sizes of type of a table, in points, the one of every table that fits first.
_SIZES = (9.0, 8.0, 7.0, 6.5)
_GAP = 7.2
"""Margins of a cell, left and right together, in points."""
_ROW_MARGINS = 6.8
"""Margins of a row, above and below together, in points."""

# Ems; a text column wraps into no less than a short name and year need.
_UNWRAPPED, _LONGEST_WORD, _WIDEST = 7.5, 9.5, 22.0
_NARROW = frozenset(" .,:;!'|()[]/iljI-")
_SLIM = frozenset("frt")
_WIDE = frozenset("mwMW%@\N{EM DASH}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How a table fits a page.

    Parameters
    ----------
    size : float
        Size of type, in points.
    widths : tuple of float
        Of each column, margins left out, in points; all fit the page.
    full : bool
        Whether the table takes the whole width, so that its text has to wrap.
    """

    size: float
    widths: tuple[float, ...]
    full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Widths of a column in ems, margins left out.

    Parameters
    ----------
    word : float
        Its longest word; of numbers the longest number, which never breaks.
    least : float
        As much as keeps short cells, such as a name and a year, on one line.
    wanted : float
        As much as keeps nearly all cells on one line.
    """

    word: float
    least: float
    wanted: float


def paper_blocks(document: Document) -> Iterator[tuple[Block, Block | None]]:
    """Yield each block of a document with the one after it.

    Parameters
    ----------
    document : Document

    Yields
    ------
    block : Block
    after : Block or None
        The numbers of the figures come last, as tables: on paper nothing folds.
    """
    numbers = [Table(spec=block.data) for block in document.blocks if isinstance(block, Figure) and block.data]
    title = [Heading("Numbers in the figures", "ipt-numbers")] if numbers else []
    blocks: list[Block] = [*document.blocks, *title, *numbers]
    yield from zip_longest(blocks, blocks[1:])


def introduces(block: Block, after: Block | None) -> bool:
    """Whether a paragraph leads to a figure, a table or a list, and stays on the page with it."""
    return isinstance(block, Paragraph) and isinstance(after, Figure | Table | Bullets)


def text_width(text: str, *, bold: bool = False) -> float:
    """Estimate the width of a text.

    Parameters
    ----------
    text : str
    bold : bool

    Returns
    -------
    float
        In ems: multiplied by the size of type it is a width.

    Examples
    --------
    >>> round(text_width("0.41"), 2)
    1.83
    """
    return sum(map(_letter_width, text)) * (1.06 if bold else 1.0)


def _letter_width(letter: str) -> float:
    if letter in _NARROW:
        return 0.3
    if letter in _SLIM:
        return 0.4
    if letter in _WIDE:
        return 0.9
    if ord(letter) >= 0x1100 and not 0x2000 <= ord(letter) < 0x2300:
        # East Asian letters and pictures fill their square.
        return 1.0
    return 0.65 if letter.isupper() else 0.51


def fit_table(spec: TableSpec, known: Mapping[str, ResultRow]) -> Fit:
    """Choose size of type and widths: the same size for every table whose words then fit the page.

    Parameters
    ----------
    spec : TableSpec
    known : mapping of str to ResultRow
        The rows of the document's results, by id.

    Returns
    -------
    Fit
        A column of numbers gets what its longest number needs, text columns share what is left.
    """
    room = TEXT_WIDTH - _GAP * len(spec.columns)
    needs = column_needs(spec, known)
    least, wanted = sum(need.least for need in needs), sum(need.wanted for need in needs)
    size = next((size for size in _SIZES if least * size <= room), _SIZES[-1])
    if wanted * size <= room:
        return Fit(size=size, widths=tuple(need.wanted * size for need in needs), full=False)
    # Between what each column needs at least and what it would like, all give way alike.
    share = max(room / size - least, 0.0) / (wanted - least) if wanted > least else 0.0
    widths = [size * (need.least + share * (need.wanted - need.least)) for need in needs]
    scale = min(1.0, room / sum(widths))
    return Fit(size=size, widths=tuple(scale * width for width in widths), full=True)


def column_needs(spec: TableSpec, known: Mapping[str, ResultRow]) -> list[Need]:
    """Widths each column of a table needs.

    Parameters
    ----------
    spec : TableSpec
    known : mapping of str to ResultRow

    Returns
    -------
    list of Need
    """
    return [_needs(spec, column, position, known) for position, column in enumerate(spec.columns)]


def _needs(spec: TableSpec, column: Column, position: int, known: Mapping[str, ResultRow]) -> Need:
    words = [text_width(word, bold=True) for word in column.label.split()]
    cells = [(plain(row.cells[position], known), row.kind == "total") for row in spec.rows if row.kind != "group"]
    longest = max((text_width(text, bold=bold) for text, bold in cells), default=0.0)
    head = max(words, default=1.0)
    if column.align == "right":
        return Need(word=max(head, longest), least=max(head, longest), wanted=max(head, longest))
    wanted = max(head, min(longest, _WIDEST))
    words = [text_width(word, bold=bold) for text, bold in cells for word in text.split()]
    word = max(head, min(max(words, default=0.0), _LONGEST_WORD))
    return Need(word=word, least=max(word, min(wanted, _UNWRAPPED)), wanted=max(word, wanted))


def table_height(spec: TableSpec, fit: Fit, known: Mapping[str, ResultRow]) -> float:
    """Estimate the height of a table with its caption and notes.

    Parameters
    ----------
    spec : TableSpec
    fit : Fit
        Of the table.
    known : mapping of str to ResultRow

    Returns
    -------
    float
        In points.
    """
    heads = [_lines(column.label, fit.size, width) for column, width in zip(spec.columns, fit.widths, strict=True)]
    rows = [
        1
        if row.kind == "group"
        else max(_lines(plain(cell, known), fit.size, width) for cell, width in zip(row.cells, fit.widths, strict=True))
        for row in spec.rows
    ]
    lines = max(heads, default=1) + sum(rows)
    notes = sum(0.6 + _lines(plain(note, known), 8.5) for note in spec.notes)
    # A line of a cell takes 1.16 times its size, the first only 0.66: no space stands above it.
    body = fit.size * (1.16 * lines - 0.5 * (len(rows) + 1)) + _ROW_MARGINS * (len(rows) + 1)
    return body + 11.0 * notes + _CAPTION_LINE * _lines(spec.caption, 9.5) + _GAPS / 2


def figure_height(caption: str, lead: tuple[Block, ...], known: Mapping[str, ResultRow]) -> float:
    """Most height a figure may take so that caption, heading and introduction stay on its page.

    Parameters
    ----------
    caption : str
    lead : tuple of Block
        The blocks before the figure that stay with it, as `leads` gives them.
    known : mapping of str to ResultRow

    Returns
    -------
    float
        In points.
    """
    room = _TEXT_HEIGHT - _GAPS - _CAPTION_LINE * _lines(caption, 9.5)
    for block in lead:
        if isinstance(block, Heading):
            room -= _HEADING
        elif isinstance(block, Paragraph):
            room -= _PARAGRAPH_LINE * (0.5 + _lines(plain(block.content, known), 10.5))
    return max(room, _TEXT_HEIGHT / 2)


def leads(document: Document) -> dict[str, tuple[Block, ...]]:
    """Give for each figure the headings and the introduction right before it.

    Parameters
    ----------
    document : Document

    Returns
    -------
    dict of str to tuple of Block
        Under the figure's id.
    """
    found: dict[str, tuple[Block, ...]] = {}
    lead: tuple[Block, ...] = ()
    for block, after in paper_blocks(document):
        if isinstance(block, Figure):
            found[block.id] = lead
        keeps = isinstance(block, Heading) or introduces(block, after)
        lead = (*lead, block) if keeps else ()
    return found


def _lines(text: str, size: float, width: float = 0.95 * TEXT_WIDTH) -> int:
    # A line is never filled to its end.
    return int(text_width(text) * size / max(width, size)) + 1
