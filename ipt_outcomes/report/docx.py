"""Write a document as a Word file with real header rows, alternative texts, bookmarks and fixed bytes."""

from __future__ import annotations

import datetime
import io
import struct
from collections.abc import Iterable
from typing import Any

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Inches, Pt, RGBColor

from ipt_outcomes.report.document import (
    Block,
    Bullets,
    Document,
    Figure,
    Heading,
    Note,
    Paragraph,
    References,
    Table,
)
from ipt_outcomes.report.layout import (
    TEXT_WIDTH,
    WHOLE,
    Fit,
    figure_height,
    fit_table,
    introduces,
    leads,
    paper_blocks,
    table_height,
)
from ipt_outcomes.report.runs import SIMULATED, Run, check, doi_address, labels, runs, spans
from ipt_outcomes.results import visible
from ipt_outcomes.results.packing import repack
from ipt_outcomes.tables import Content, TableRow, TableSpec

_ACCENT = RGBColor(0x0B, 0x5A, 0x66)
_WARN = RGBColor(0x8A, 0x3B, 0x00)
_CELL_MARGIN = 3.6
"""On each side, in points."""
_DATE = datetime.datetime(1980, 1, 1)


def write_docx(document: Document) -> bytes:
    """Write a document as a Word file.

    Parameters
    ----------
    document : Document

    Returns
    -------
    bytes
        The same document always gives the same bytes.

    Raises
    ------
    IptError
        The document breaks a rule of `ipt_outcomes.report.runs.check`.
    """
    check(document)
    return _Writer(document).write()


class _Writer:
    """Draws one document; holds the Word file while it grows."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.known = document.results.by_id()
        self.labels = labels(document)
        self.leads = leads(document)
        self.file: Any = docx.Document()
        self.bookmarks = 0

    def write(self) -> bytes:
        self._set_up()
        self.file.add_paragraph(visible(self.document.title), style="Title")
        self.file.add_paragraph(visible(self.document.subtitle), style="Subtitle")
        for block, after in paper_blocks(self.document):
            self._block(block)
            if introduces(block, after):
                self.file.paragraphs[-1].paragraph_format.keep_with_next = True
        target = io.BytesIO()
        self.file.save(target)
        return repack(target.getvalue())

    def _set_up(self) -> None:
        core = self.file.core_properties
        core.title, core.subject = visible(self.document.title)[:255], visible(self.document.subtitle)[:255]
        core.author, core.last_modified_by, core.comments, core.keywords = (
            "ipt-outcomes",
            "ipt-outcomes",
            "",
            "",
        )
        core.created = core.modified = _DATE
        core.revision, core.language = 1, self.document.language
        section = self.file.sections[0]
        section.page_width, section.page_height = Inches(8.27), Inches(11.69)
        section.left_margin = section.right_margin = Inches(0.78)
        section.top_margin = section.bottom_margin = Inches(0.9)
        if self.document.simulated:
            head = section.header.paragraphs[0]
            head.alignment = WD_ALIGN_PARAGRAPH.CENTER
            mark = head.add_run(SIMULATED)
            mark.bold, mark.font.color.rgb = True, _WARN
        _page_number(section.footer.paragraphs[0])
        _set_styles(self.file.styles, self.document.language)

    def _block(self, block: Block) -> None:
        match block:
            case Heading(text=text, anchor=anchor, level=level):
                paragraph = self.file.add_heading(visible(text), level=level - 1)
                self._bookmark(paragraph, anchor)
            case Paragraph(content=content):
                self._fill(self.file.add_paragraph(), content)
            case Bullets(items=items):
                self._points(items)
            case Note():
                self._note(block)
            case Table(spec=spec):
                self._table(spec)
            case Figure():
                self._figure(block)
            case References(entries=entries):
                for entry in entries:
                    paragraph = self.file.add_paragraph(style="List Number")
                    paragraph.add_run(visible(entry.text))
                    if entry.doi:
                        paragraph.add_run(" ")
                        self._link(paragraph, f"doi:{visible(entry.doi)}", doi_address(entry.doi))

    def _points(self, items: Iterable[Content]) -> None:
        for item in items:
            self._fill(self.file.add_paragraph(style="List Bullet"), item)

    def _note(self, note: Note) -> None:
        title = self.file.add_paragraph()
        title.paragraph_format.keep_with_next = True
        words = title.add_run(visible(note.title))
        words.bold, words.font.color.rgb = True, _WARN if note.kind == "warning" else _ACCENT
        title.paragraph_format.space_after = Pt(3)
        _left_bar(title, "8A3B00" if note.kind == "warning" else "0B5A66")
        for item in note.items:
            paragraph = self.file.add_paragraph()
            paragraph.paragraph_format.space_after = Pt(3)
            self._fill(paragraph, item)
            _left_bar(paragraph, "8A3B00" if note.kind == "warning" else "0B5A66")

    def _figure(self, figure: Figure) -> None:
        picture = figure.picture
        pixels_wide, pixels_high = struct.unpack(">II", picture.png[16:24])
        highest = figure_height(figure.caption, self.leads[figure.id], self.known)
        width = min(picture.width_inches * 72, TEXT_WIDTH, highest * pixels_wide / pixels_high)
        paragraph = self.file.add_paragraph()
        paragraph.paragraph_format.keep_with_next = True
        shape = paragraph.add_run().add_picture(io.BytesIO(picture.png), width=Pt(width))
        properties = shape._inline.docPr
        properties.set("descr", visible(figure.alt))
        properties.set("title", visible(figure.caption))
        properties.set("name", figure.id)
        caption = self._caption(self.labels[figure.id], figure.caption)
        self._bookmark(caption, figure.id)

    def _caption(self, label: str, text: str) -> Any:
        paragraph = self.file.add_paragraph(style="Caption")
        paragraph.add_run(f"{label}. ").bold = True
        paragraph.add_run(visible(text)).bold = False
        return paragraph

    def _table(self, spec: TableSpec) -> None:
        caption = self._caption(self.labels[spec.id], spec.caption)
        caption.paragraph_format.keep_with_next = True
        self._bookmark(caption, spec.id)
        table = self.file.add_table(rows=1, cols=len(spec.columns))
        fit = fit_table(spec, self.known)
        _set_table(table, spec, fit)
        size = Pt(fit.size)
        for cell, column in zip(table.rows[0].cells, spec.columns, strict=True):
            words = cell.paragraphs[0].add_run(visible(column.label))
            words.bold, words.font.size = True, size
            _set_cell(cell, column.align == "right")
        _repeat(table.rows[0])
        for row in spec.rows:
            self._row(table, row, spec, size)
        # A table that takes little of a page is not torn. Of a long one the header is not left without a row, nor a
        # note without the row above it.
        whole = table_height(spec, fit, self.known) <= WHOLE
        kept = list(table.rows)[:-1] if whole else [table.rows[0]]
        for row in [*kept, *([table.rows[-1]] if spec.notes else [])]:
            _keep_with_next(row)
        for number, note in enumerate(spec.notes):
            paragraph = self.file.add_paragraph()
            paragraph.paragraph_format.space_before = Pt(0 if number else 4)
            paragraph.paragraph_format.space_after = Pt(3 if number + 1 < len(spec.notes) else 12)
            self._fill(paragraph, note, size=Pt(8.5))
        if not spec.notes:
            # Word joins tables with no paragraph between, and a table has no space of its own.
            space = self.file.add_paragraph().paragraph_format
            space.space_before, space.space_after, space.line_spacing = Pt(0), Pt(4), Pt(8)

    def _row(self, table: Any, row: TableRow, spec: TableSpec, size: Pt) -> None:
        drawn = table.add_row()
        _keep_whole(drawn)
        cells = drawn.cells
        contents = row.cells
        if spans(row):
            _keep_with_next(drawn)
            cells, contents = [cells[0].merge(cells[-1])], contents[:1]
        for cell, content, column in zip(cells, contents, spec.columns, strict=False):
            self._fill(cell.paragraphs[0], content, size=size, bold=row.kind != "body")
            _set_cell(cell, column.align == "right")

    def _fill(self, paragraph: Any, content: Content, *, size: Pt | None = None, bold: bool = False) -> None:
        for part in runs(content, self.known):
            if part.kind == "link":
                self._link(paragraph, part.text, part.target, size)
            else:
                _write(paragraph, part, size, bold)

    def _link(self, paragraph: Any, text: str, target: str, size: Pt | None = None) -> None:
        element = OxmlElement("w:hyperlink")
        if target.startswith("#"):
            element.set(qn("w:anchor"), _bookmark_name(target[1:]))
        else:
            element.set(qn("r:id"), paragraph.part.relate_to(target, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
        words = paragraph.add_run(text)
        words.font.underline, words.font.color.rgb, words.font.size = True, _ACCENT, size
        element.append(words._r)
        paragraph._p.append(element)

    def _bookmark(self, paragraph: Any, anchor: str) -> None:
        self.bookmarks += 1
        for tag in ("w:bookmarkStart", "w:bookmarkEnd"):
            mark = OxmlElement(tag)
            mark.set(qn("w:id"), str(self.bookmarks))
            if tag == "w:bookmarkStart":
                mark.set(qn("w:name"), _bookmark_name(anchor))
            paragraph._p.append(mark)


def _write(paragraph: Any, part: Run, size: Pt | None, bold: bool) -> None:
    words = paragraph.add_run(part.text)
    words.bold = True if bold or part.kind == "strong" else None
    words.font.size = size


def _bookmark_name(anchor: str) -> str:
    # Word allows letters, digits and underscores, 40 of them.
    return anchor.replace("-", "_")[:40]


def _set_styles(styles: Any, language: str) -> None:
    for name, size in (("Normal", 10.5), ("Caption", 9.5), ("Subtitle", 12), ("Title", 22)):
        styles[name].font.size = Pt(size)
    styles["Normal"].font.name = "Calibri"
    for name in ("Title", "Subtitle", "Caption", "Heading 1", "Heading 2"):
        styles[name].font.color.rgb = RGBColor(0x1B, 0x24, 0x26) if name != "Heading 1" else _ACCENT
    for name in ("Subtitle", "Caption"):
        styles[name].font.bold = styles[name].font.italic = False
    for element in styles.element.iter(qn("w:lang")):
        element.set(qn("w:val"), language)


def _page_number(paragraph: Any) -> None:
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    run = paragraph.add_run("1")
    field.append(run._r)
    paragraph._p.append(field)


def _left_bar(paragraph: Any, colour: str) -> None:
    borders = OxmlElement("w:pBdr")
    borders.append(_border("w:left", 18, colour, space=8))
    paragraph._p.get_or_add_pPr().insert_element_before(
        borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:jc", "w:rPr"
    )


def _border(tag: str, size: int, colour: str, *, space: int = 0) -> Any:
    line = OxmlElement(tag)
    values = {"w:val": "single", "w:sz": str(size), "w:space": str(space), "w:color": colour}
    for name, value in values.items():
        line.set(qn(name), value)
    return line


def _set_table(table: Any, spec: TableSpec, fit: Fit) -> None:
    """Give a table its lines, its widths and its description."""
    table.autofit = False
    for column, width in zip(table.columns, fit.widths, strict=True):
        column.width = Pt(width + 2 * _CELL_MARGIN)
    properties = table._tbl.tblPr
    borders = OxmlElement("w:tblBorders")
    for tag, size, colour in (("w:top", 8, "1B2426"), ("w:bottom", 8, "1B2426"), ("w:insideH", 4, "C9D2D2")):
        borders.append(_border(tag, size, colour))
    properties.insert_element_before(borders, "w:shd", "w:tblLayout", "w:tblCellMar", "w:tblLook")
    margins = OxmlElement("w:tblCellMar")
    for tag in ("w:left", "w:right"):
        margin = OxmlElement(tag)
        margin.set(qn("w:w"), str(round(20 * _CELL_MARGIN)))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    properties.insert_element_before(margins, "w:tblLook")
    words = OxmlElement("w:tblCaption")
    words.set(qn("w:val"), visible(spec.caption))
    properties.append(words)


def _repeat(row: Any) -> None:
    """Mark a header row: it is repeated on each page and read out with the cells below."""
    mark = OxmlElement("w:tblHeader")
    row._tr.get_or_add_trPr().append(mark)


def _keep_with_next(row: Any) -> None:
    for paragraph in row._tr.iter(qn("w:p")):
        properties = paragraph.get_or_add_pPr()
        properties.get_or_add_keepNext()


def _keep_whole(row: Any) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _set_cell(cell: Any, right: bool) -> None:
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_after = Pt(1)
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
