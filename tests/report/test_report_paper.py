"""PDF and Word: tagged, titled, hostile names as typed, bytes equal twice."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace

import docx
import pypdf
import pytest
from docx.oxml.ns import qn

from ipt_outcomes.errors import IptError
from ipt_outcomes.report import Document, Heading, Paragraph, write_docx, write_pdf
from ipt_outcomes.report.document import Block, Figure, Picture, Table
from ipt_outcomes.report.layout import TEXT_WIDTH, fit_table, text_width
from ipt_outcomes.results import Results, format_number, visible
from ipt_outcomes.tables import Column, TableRow, TableSpec


@pytest.fixture(scope="module")
def pdf(document: Document) -> bytes:
    return write_pdf(document)


@pytest.fixture(scope="module")
def reader(pdf: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf))


@pytest.fixture(scope="module")
def word(document: Document) -> bytes:
    return write_docx(document)


@pytest.fixture(scope="module")
def opened(word: bytes) -> docx.document.Document:
    return docx.Document(io.BytesIO(word))


def squeeze(text: str) -> str:
    """Without blanks: line breaks inside a cell are not part of a name."""
    return re.sub(r"[\s\u200b\u00ad]", "", text)


def test_pdf_bytes_are_equal_twice(document: Document, pdf: bytes) -> None:
    assert write_pdf(document) == pdf


def test_pdf_is_tagged_with_title_and_language(reader: pypdf.PdfReader, document: Document) -> None:
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] == True  # noqa: E712 - a PDF boolean, not Python's
    assert "/StructTreeRoot" in root
    assert root["/Lang"] == "en"
    assert reader.metadata is not None
    assert reader.metadata.title == document.title
    assert b"pdfuaid" in root["/Metadata"].get_data()


def _structure(node: object) -> list[dict[str, object]]:
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        return [item for child in node for item in _structure(child)]
    if not isinstance(node, dict) or ("/S" not in node and "/K" not in node):
        return []
    return [node, *_structure(node.get("/K", []))]


def test_pdf_figure_has_alternative_and_tables_have_headers(reader: pypdf.PdfReader) -> None:
    tags = _structure(reader.trailer["/Root"]["/StructTreeRoot"])
    kinds = [tag.get("/S") for tag in tags]
    assert [tag["/Alt"] for tag in tags if tag.get("/S") == "/Figure" and "/Alt" in tag] == [
        "Forest: <script>document.title='x'</script>"
    ]
    assert kinds.count("/Table") == 4
    assert kinds.count("/TH") >= 23


def test_pdf_shows_names_as_typed_and_numbers_rounded(
    reader: pypdf.PdfReader, document: Document, hostile: tuple[str, ...]
) -> None:
    text = squeeze(" ".join(page.extract_text() for page in reader.pages))
    for name in hostile:
        if name.isascii():
            assert squeeze(visible(name)) in text
    known = document.results.by_id()
    for value in document.values():
        assert squeeze(format_number(known[value.result_id].value, value.style)) in text


def test_pdf_says_simulated_on_each_page(reader: pypdf.PdfReader) -> None:
    assert len(reader.pages) > 1
    assert all("Simulated data" in page.extract_text() for page in reader.pages)


def test_pdf_has_bookmarks(reader: pypdf.PdfReader) -> None:
    titles = [item.title for item in reader.outline if not isinstance(item, list)]
    assert titles == ["Main result <script>", "Studies", "References", "Numbers in the figures"]


def test_pdf_refuses_what_would_break_its_tags() -> None:
    document = Document(title="T", subtitle="", blocks=(Heading("Too deep", "deep", 3),), results=Results(()))
    with pytest.raises(IptError, match="PDF could not be written"):
        write_pdf(document)


def test_pdf_text_cannot_become_markup() -> None:
    code = '#panic("ran") $sum_1$ #import "x" \\ `raw` <l> @l = h'
    document = Document(title=code, subtitle=code, blocks=(Paragraph((code,)),), results=Results(()))
    reader = pypdf.PdfReader(io.BytesIO(write_pdf(document)))
    assert squeeze(reader.pages[0].extract_text()).count(squeeze(code)) == 4


def test_word_bytes_are_equal_twice(document: Document, word: bytes) -> None:
    assert write_docx(document) == word


def test_word_holds_no_date_of_today(word: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(word)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    assert re.findall(r">(\d{4})-\d\d-\d\dT", core) == ["1980", "1980"]


def test_word_has_title_language_and_headings(opened: docx.document.Document, document: Document) -> None:
    assert opened.core_properties.title == document.title
    assert opened.core_properties.language == "en"
    languages = {element.get(qn("w:val")) for element in opened.styles.element.iter(qn("w:lang"))}
    assert languages == {"en"}
    styles = {p.text: p.style.name for p in opened.paragraphs if p.style is not None}
    assert styles["Main result <script>"] == "Heading 1"
    assert styles["Heterogeneity"] == "Heading 2"


def test_word_tables_repeat_their_header(opened: docx.document.Document) -> None:
    assert len(opened.tables) == 4
    for table in opened.tables:
        marks = [row._tr.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None for row in table.rows]
        assert marks[0]
        assert not any(marks[1:])


def test_word_picture_has_an_alternative(opened: docx.document.Document) -> None:
    (shape,) = opened.inline_shapes
    assert shape._inline.docPr.get("descr") == "Forest: <script>document.title='x'</script>"


def test_word_shows_names_as_typed(opened: docx.document.Document, hostile: tuple[str, ...]) -> None:
    names = [row.cells[0].text for row in opened.tables[1].rows]
    assert names[2:-1] == [visible(name) for name in hostile]


def test_word_says_simulated_in_the_header_of_each_page(opened: docx.document.Document, document: Document) -> None:
    assert all(section.header.paragraphs[0].text == "Simulated data" for section in opened.sections)
    real = docx.Document(io.BytesIO(write_docx(replace(document, simulated=False))))
    assert real.sections[0].header.paragraphs[0].text == ""


def test_word_links_go_to_dois_only(word: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(word)) as archive:
        relations = archive.read("word/_rels/document.xml.rels").decode()
    external = re.findall(r'Target="([^"]*)" TargetMode="External"', relations)
    assert set(external) == {"https://doi.org/10.3102/10769986006002107"}


def test_word_tables_fit_the_page(opened: docx.document.Document) -> None:
    section = opened.sections[0]
    room = section.page_width - section.left_margin - section.right_margin
    for table in opened.tables:
        assert 0 < sum(column.width for column in table.columns) <= room


def test_word_keeps_lead_figure_and_caption_together(document: Document) -> None:
    lead = Paragraph(("What the figure shows.",))
    position = next(i for i, block in enumerate(document.blocks) if isinstance(block, Figure))
    blocks = (*document.blocks[:position], lead, *document.blocks[position:])
    paragraphs = docx.Document(io.BytesIO(write_docx(replace(document, blocks=blocks)))).paragraphs
    place = [p.text for p in paragraphs].index("What the figure shows.")
    assert paragraphs[place].paragraph_format.keep_with_next
    assert paragraphs[place + 1].paragraph_format.keep_with_next
    assert paragraphs[place + 2].text.startswith("Figure 1.")
    others = [p for p in paragraphs if p.text.startswith("Response:")]
    assert others
    assert not any(p.paragraph_format.keep_with_next for p in others)


def test_pdf_keeps_heading_lead_figure_and_caption_on_one_page(document: Document) -> None:
    figure = next(block for block in document.blocks if isinstance(block, Figure))
    for lines in range(0, 48, 6):
        filler = tuple(Paragraph((f"Filler {n}",)) for n in range(lines))
        blocks = (Heading("First", "first"), *filler, Heading("Drawn", "drawn"), Paragraph(("The lead.",)), figure)
        pages = pypdf.PdfReader(io.BytesIO(write_pdf(replace(document, blocks=blocks)))).pages
        (page,) = [page for page in pages if "The lead." in page.extract_text()]
        assert "Drawn" in page.extract_text()
        assert "Figure 1." in page.extract_text()


def _table(*cells: str, align: str = "right") -> TableSpec:
    columns = (Column("Study"), *(Column("g", align) for _ in cells))  # type: ignore[arg-type]
    rows = (TableRow((("Blom, 2007",), *((cell,) for cell in cells))),)
    return TableSpec(id="t", caption="T", columns=columns, rows=rows)


@pytest.mark.parametrize(("count", "size"), [(1, 9.0), (4, 9.0), (5, 8.0), (6, 7.0), (9, 6.5)])
def test_type_gets_smaller_only_where_a_table_does_not_fit(count: int, size: float) -> None:
    fit = fit_table(_table(*["−0.61 (−1.11 to −0.11)"] * count), {})
    assert fit.size == size
    assert sum(fit.widths) + 7.2 * (count + 1) <= TEXT_WIDTH + 1e-9


def test_numbers_keep_their_width_and_text_shares_the_rest() -> None:
    number, words = "0.61 (0.11 to 1.11)", "interpersonal psychotherapy against medication and more of it"
    wide = fit_table(_table(*[words] * 4, align="left"), {})
    assert wide.full
    assert wide.size == 9.0
    assert sum(wide.widths) + 7.2 * 5 == pytest.approx(TEXT_WIDTH)
    alone = fit_table(_table(number), {})
    assert not alone.full
    assert alone.widths[1] == pytest.approx(9 * text_width(number))


def _pages(*blocks: Block) -> list[str]:
    document = Document(title="T", subtitle="", blocks=blocks, results=Results(()))
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(write_pdf(document))).pages]


def _filler(lines: int) -> tuple[Paragraph, ...]:
    return tuple(Paragraph((f"Line {number}.",)) for number in range(lines))


def _long_table(rows: int, *, groups: int = 1) -> Table:
    each = []
    for number in range(rows):
        if groups > 1 and number % (rows // groups) == 0:
            each.append(TableRow(((f"Group {number}",), ()), kind="group"))
        each.append(TableRow(((f"Row {number}.",), ("1",))))
    columns = (Column("Head of rows"), Column("Count", "right"))
    return Table(spec=TableSpec(id="t", caption="A table", columns=columns, rows=tuple(each), notes=(("The note.",),)))


@pytest.mark.parametrize("lines", [20, 26, 29, 32, 34])
def test_a_short_table_stands_on_one_page_with_its_caption_and_note(lines: int) -> None:
    pages = [text for text in _pages(*_filler(lines), _long_table(12)) if "Row 0." in text]
    assert len(pages) == 1
    assert all(word in pages[0] for word in ("A table", "Row 11.", "The note."))


def test_a_long_table_goes_on_with_its_heading_and_no_group_heading_stands_alone() -> None:
    for lines in range(20, 34, 3):
        pages = [text for text in _pages(*_filler(lines), _long_table(60, groups=12)) if "Row" in text]
        assert len(pages) > 1
        assert all("Head of rows" in text for text in pages)
        for text in pages:
            rows = [line for line in text.splitlines() if line.startswith(("Group", "Row"))]
            assert not rows[-1].startswith("Group")


def test_no_page_stays_half_empty_before_a_high_figure(image: Picture) -> None:
    high = Figure(id="high", caption="A high figure", alt="High", picture=image)
    first, second = _pages(*_filler(24), high, *_filler(9))[:2]
    assert "A high figure" not in first
    assert "See Figure 1." in first
    assert "Line 8." in first.split("See Figure 1.")[1]
    assert "A high figure" in second


def test_word_keeps_a_short_table_on_one_page_and_lets_a_long_one_go_on() -> None:
    for rows, kept in ((12, True), (60, False)):
        document = Document(title="T", subtitle="", blocks=(_long_table(rows),), results=Results(()))
        (table,) = docx.Document(io.BytesIO(write_docx(document))).tables
        middle = table.rows[5].cells[0].paragraphs[0].paragraph_format.keep_with_next
        assert bool(middle) is kept
        assert table.rows[0].cells[0].paragraphs[0].paragraph_format.keep_with_next
