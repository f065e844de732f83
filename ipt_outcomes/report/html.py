"""Write a document as one HTML page: no script, no request, everything inside.

The template escapes whatever it is given. The only markup passed through are the drawings, which
`ipt_outcomes.report.pictures` wrote and in which it escaped every text.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

import jinja2
from markupsafe import Markup, escape

from ipt_outcomes.errors import IptError
from ipt_outcomes.report.document import Block, Document, Heading, Picture
from ipt_outcomes.report.export import csv_text
from ipt_outcomes.report.runs import (
    SIMULATED,
    cell_values,
    check,
    column_widths,
    doi_address,
    labels,
    runs,
)
from ipt_outcomes.resources import shipped
from ipt_outcomes.results import ResultRow, visible
from ipt_outcomes.tables import Content, TableRow, TableSpec

# What `pictures` draws with. A drawing with any other element, with a handler or with a link out of itself was
# not made there.
_DRAWN_WITH = frozenset(("svg", "g", "path", "defs", "use", "clipPath", "rect", "title", "text", "tspan"))

# Most characters a row may need in each class of the style sheet, which knows at what width its rows become
# cards.
_CLASSES = ((30, "slim"), (62, "medium"), (96, "wide"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A level-2 heading with the blocks up to the next one."""

    heading: Heading
    blocks: tuple[Block, ...]

    @property
    def subheadings(self) -> tuple[Heading, ...]:
        """Level-3 headings, for the contents."""
        return tuple(block for block in self.blocks if isinstance(block, Heading))


def write_html(document: Document) -> str:
    """Write a document as one self-contained HTML page.

    Parameters
    ----------
    document : Document

    Returns
    -------
    str
        The same document always gives the same text. Each number stands in a ``data`` element with the
        unrounded value and its result id.

    Raises
    ------
    IptError
        An anchor is used twice, a link leads out of the document to anything but a DOI, or a drawing
        holds something active.
    """
    check(document)
    known = document.results.by_id()
    lead, sections = _sections(document.blocks)
    page = _environment().get_template("report.html.j2")
    return page.render(
        document=document,
        simulated=SIMULATED if document.simulated else "",
        css=Markup(_css()),  # noqa: S704 - our own shipped file
        lead=lead,
        sections=sections,
        label=labels(document),
        runs=lambda content: runs(content, known),
        value=_attribute,
        svg=_inline_svg,
        doi=doi_address,
        groups=_row_groups,
        spans=_spans,
        empty=_is_empty,
        fit=lambda spec: _fit(spec, known),
        csv=lambda spec: _csv_link(spec, known),
        kind=lambda block: type(block).__name__,
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(shipped("reports", "templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    return environment


@cache
def _css() -> str:
    return shipped("reports", "templates", "report.css").read_text(encoding="utf-8")


def _sections(blocks: tuple[Block, ...]) -> tuple[tuple[Block, ...], tuple[Section, ...]]:
    """Split the blocks at level-2 headings; what comes before the first is the lead."""
    starts = [i for i, block in enumerate(blocks) if isinstance(block, Heading) and block.level == 2]
    ends = [*starts[1:], len(blocks)]
    lead = blocks[: starts[0]] if starts else blocks
    found = []
    for start, end in zip(starts, ends, strict=bool(starts)):
        heading = blocks[start]
        assert isinstance(heading, Heading)  # noqa: S101 - starts holds headings only
        found.append(Section(heading=heading, blocks=blocks[start + 1 : end]))
    return lead, tuple(found)


def _attribute(number: int | float | None) -> str:
    """Write a number so that reading it gives the same number; nothing where there is none."""
    return "" if number is None else repr(number)


def _is_plain(svg: str) -> bool:
    """Whether a drawing only draws. It is parsed: the name of a study may well read like a handler."""
    try:
        elements = list(ET.fromstring(svg).iter())  # noqa: S314 - our own drawing; entities are not expanded
    except ET.ParseError:
        return False
    for element in elements:
        if element.tag.rpartition("}")[2] not in _DRAWN_WITH:
            return False
        for name, value in element.attrib.items():
            plain = name.rpartition("}")[2].casefold()
            if plain.startswith("on") or (plain in {"href", "src"} and not value.startswith("#")):
                return False
    return True


def _inline_svg(picture: Picture, alt: str, *, wide: bool) -> Markup:
    svg = picture.svg_wide if wide else picture.svg_narrow
    if not svg.startswith("<svg ") or not _is_plain(svg):
        raise IptError("a drawing must be one plain svg element, as report.pictures.picture makes it")
    start = f'<svg role="img" aria-label="{escape(visible(alt))}" '
    return Markup(start + svg.removeprefix("<svg "))  # noqa: S704 - checked above


def _row_groups(spec: TableSpec) -> list[list[TableRow]]:
    """Split the rows at group rows: each group is a table body of its own."""
    found: list[list[TableRow]] = []
    for row in spec.rows:
        if row.kind == "group" or not found:
            found.append([])
        found[-1].append(row)
    return found


def _fit(spec: TableSpec, known: Mapping[str, ResultRow]) -> str:
    """How wide the table is: decides below which width its rows become cards."""
    # Two characters for the space between columns.
    total = sum(width + 2 for width in column_widths(spec, known))
    return next((name for most, name in _CLASSES if total <= most), "widest")


def _csv_link(spec: TableSpec, known: Mapping[str, ResultRow]) -> str:
    header, rows = cell_values(spec, known)
    return "data:text/csv;charset=utf-8," + quote(csv_text(header, rows))


def _is_empty(content: Content) -> bool:
    return all(isinstance(part, str) and not part.strip() for part in content)


def _spans(row: TableRow) -> bool:
    """Whether a group row has nothing but its heading, which then spans the table."""
    return all(_is_empty(cell) for cell in row.cells[1:])
