"""The document model: what a report says, independent of HTML, PDF or DOCX.

A job's report is a `Document`: blocks in reading order over one table of results. Writers format; they never
compute and never decide what is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ipt_outcomes.errors import IptError
from ipt_outcomes.results import Results
from ipt_outcomes.tables import Content, TableSpec, Value


@dataclass(frozen=True, slots=True)
class Heading:
    """A section (level 2) or subsection (level 3); level 1 is the document's title."""

    text: str
    anchor: str
    level: Literal[2, 3] = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    content: Content


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of points."""

    items: tuple[Content, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A box the reader must not miss: a warning, or something to know before reading on."""

    title: str
    items: tuple[Content, ...]
    kind: Literal["info", "warning"] = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table; `folded` tables start closed where a page can fold."""

    spec: TableSpec
    folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure drawn once for every kind of page.

    Parameters
    ----------
    svg_wide, svg_narrow : str
        SVG elements: for a page or a large screen, and for a phone.
    png : bytes
        The wide drawing as pixels, for writers that take no SVG.
    width_inches : float
        Natural width of the wide drawing.
    """

    svg_wide: str
    svg_narrow: str
    png: bytes
    width_inches: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture with its caption, its text alternative, and the numbers it draws as a table.

    Parameters
    ----------
    id : str
        Anchor, unique in the document.
    caption : str
    alt : str
        What the picture shows, in words, for a reader who cannot see it.
    picture : Picture
    data : TableSpec or None
        The numbers drawn; shown folded below the picture.
    """

    id: str
    caption: str
    alt: str
    picture: Picture
    data: TableSpec | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """An entry of the reference list."""

    text: str
    doi: str | None = None


@dataclass(frozen=True, slots=True)
class References:
    """The reference list."""

    entries: tuple[Reference, ...]


Block = Heading | Paragraph | Bullets | Note | Table | Figure | References


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A report.

    Parameters
    ----------
    title : str
    subtitle : str
        What data and which comparison, in one line.
    blocks : tuple of Block
        In reading order.
    results : Results
        Every number the blocks show.
    simulated : bool
        True marks every page "simulated data".
    language : str
        BCP 47 code.
    """

    title: str
    subtitle: str
    blocks: tuple[Block, ...]
    results: Results
    simulated: bool = False
    language: str = "en"

    def __post_init__(self) -> None:
        known = self.results.by_id()
        unknown = sorted({value.result_id for value in self.values()} - known.keys())
        if unknown:
            raise IptError(f"the document shows numbers without a result row: {', '.join(unknown)}")

    def contents(self) -> Iterator[Content]:
        """Yield every piece of running text, in reading order."""
        for block in self.blocks:
            yield from _contents(block)

    def values(self) -> Iterator[Value]:
        """Yield every number shown, in reading order."""
        for content in self.contents():
            yield from (part for part in content if isinstance(part, Value))

    def headings(self) -> tuple[Heading, ...]:
        """Return the headings, in reading order."""
        return tuple(block for block in self.blocks if isinstance(block, Heading))


def _contents(block: Block) -> Iterator[Content]:
    match block:
        case Paragraph(content=content):
            yield content
        case Bullets(items=items) | Note(items=items):
            yield from items
        case Table(spec=spec):
            yield from _table_contents(spec)
        case Figure(data=TableSpec() as spec):
            yield from _table_contents(spec)
        case _:
            return


def _table_contents(spec: TableSpec) -> Iterator[Content]:
    for row in spec.rows:
        yield from row.cells
    yield from spec.notes
