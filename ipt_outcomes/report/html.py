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
from ipt_outcomes.report.document import Block, Document, Figure, Heading, Picture
from ipt_outcomes.report.export import csv_text
from ipt_outcomes.report.layout import column_needs
from ipt_outcomes.report.letters import Letters
from ipt_outcomes.report.runs import (
    SIMULATED,
    cell_values,
    check,
    doi_address,
    is_empty,
    labels,
    row_groups,
    runs,
    spans,
)
from ipt_outcomes.resources import shipped
from ipt_outcomes.results import ResultRow, visible
from ipt_outcomes.tables import TableSpec

# What `pictures` draws with. A drawing with any other element, with a handler or with a link out of itself was
# not made there.
_DRAWN_WITH = frozenset(("svg", "g", "path", "defs", "use", "clipPath", "rect", "title", "text", "tspan"))

# Widths, in ems of a table, no more than those below which the style sheet turns the rows of each
# class into cards. A slim table fits every screen.
_CLASSES = ((18.0, "slim"), (34.6, "medium"), (46.6, "wide"))
_WIDEST = 55.0
# Fonts of screens are wider than those of paper; space between columns, as the style sheet sets it.
_SCREEN, _SPACE = 1.16, 1.3


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
    pictures = [block.picture for block in document.blocks if isinstance(block, Figure)]
    letters = Letters.of(svg for picture in pictures for svg in (picture.svg_wide, picture.svg_narrow))
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
        svg=lambda picture, alt, wide: _inline_svg(
            picture, alt, letters, f"D{pictures.index(picture):x}{'w' if wide else 'n'}", wide=wide
        ),
        letters=Markup(letters.svg() if pictures else ""),  # noqa: S704 - outlines of letters, out of our own drawings
        doi=doi_address,
        groups=row_groups,
        spans=spans,
        empty=is_empty,
        fit=lambda spec: _fit(spec, known),
        least=lambda spec: _least(spec, known),
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


def _inline_svg(picture: Picture, alt: str, letters: Letters, short: str, *, wide: bool) -> Markup:
    svg = picture.svg_wide if wide else picture.svg_narrow
    if not svg.startswith("<svg ") or not _is_plain(svg):
        raise IptError("a drawing must be one plain svg element, as report.pictures.picture makes it")
    start = f'<svg role="img" aria-label="{escape(visible(alt))}" '
    return Markup(start + letters.without(svg, short).removeprefix("<svg "))  # noqa: S704 - checked above


def _fit(spec: TableSpec, known: Mapping[str, ResultRow]) -> str:
    """How wide the table is: decides below which width its rows become cards."""
    total = sum(_SCREEN * need.least + _SPACE for need in column_needs(spec, known))
    return next((name for most, name in _CLASSES if total <= most), "widest")


def _least(spec: TableSpec, known: Mapping[str, ResultRow]) -> list[str]:
    """Least width of each column, in ems: words stay whole as long as all columns fit where rows are no cards.

    Numbers never break, so where there is too little room for all, the columns of text give way.
    """
    needs = column_needs(spec, known)
    texts = [need for need, column in zip(needs, spec.columns, strict=True) if column.align == "left"]
    fixed = sum(need.word for need, column in zip(needs, spec.columns, strict=True) if column.align == "right")
    room = max((_WIDEST - _SPACE * len(needs)) / _SCREEN - fixed, 0.0)
    words, least = sum(need.word for need in texts), sum(need.least for need in texts)
    share = min(max(room - words, 0.0) / (least - words), 1.0) if least > words else 0.0
    scale = _SCREEN * min(1.0, room / words) if words else 0.0
    widths = [scale * (need.word + share * (need.least - need.word)) for need in needs]
    return [
        f"{width + _SPACE:.3g}em" if column.align == "left" else "0"
        for width, column in zip(widths, spec.columns, strict=True)
    ]


def _csv_link(spec: TableSpec, known: Mapping[str, ResultRow]) -> str:
    header, rows = cell_values(spec, known)
    return "data:text/csv;charset=utf-8," + quote(csv_text(header, rows))
