"""The HTML page: nothing runs, nothing is fetched, every number can be traced."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from ipt_outcomes.errors import IptError
from ipt_outcomes.report import (
    Document,
    Figure,
    Heading,
    Paragraph,
    Picture,
    Reference,
    References,
    Table,
    write_html,
)
from ipt_outcomes.report.runs import cell_values
from ipt_outcomes.results import ResultRow, Results, format_number, visible
from ipt_outcomes.tables import Column, Link, TableRow, TableSpec, Value

STYLES = ("number", "integer", "decimal1", "decimal2", "decimal3", "percent", "p")


class Page(HTMLParser):
    """Collects elements with their attributes, and the text inside each kind."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.text.setdefault(tag, []).append("")
        self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            continue

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self.text[tag][-1] += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture(scope="module")
def html(document: Document) -> str:
    return write_html(document)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_same_document_gives_same_bytes(document: Document, html: str) -> None:
    assert write_html(document) == html


@pytest.mark.parametrize("tag", ["script", "i", "b", "label", "iframe", "object", "embed", "form", "img", "base"])
def test_no_element_comes_from_data(page: Page, tag: str) -> None:
    assert page.named(tag) == []


def test_no_attribute_runs_or_fetches(page: Page) -> None:
    for tag, attrs in page.elements:
        assert not any(name.startswith("on") for name in attrs), (tag, attrs)
        for name in ("src", "srcset", "xlink:href", "style", "background", "poster"):
            assert not (attrs.get(name) or "").startswith(("http", "//")), (tag, attrs)
        href = attrs.get("href") or ""
        assert href == "" or href.startswith(("#", "data:text/csv", "data:,", "https://doi.org/")), (
            tag,
            href,
        )


def test_head_says_language_title_viewport_and_policy(page: Page) -> None:
    assert page.named("html")[0]["lang"] == "en"
    assert page.text["title"][0].startswith("IPT against controls <b>2026</b>")
    metas = page.named("meta")
    assert any(meta.get("name") == "viewport" for meta in metas)
    (policy,) = [meta["content"] for meta in metas if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


def test_names_are_shown_as_typed(page: Page, hostile: tuple[str, ...]) -> None:
    headers = [text.strip() for text in page.text["th"]]
    assert len(hostile) == 10
    for name in hostile:
        assert visible(name) in headers


def test_tips_are_svg_titles(page: Page, hostile: tuple[str, ...]) -> None:
    titles = page.text["title"][1:]
    # Two drawings, one tip per study in each.
    assert titles == [visible(name) for name in hostile] * 2


def test_every_number_is_traceable_and_shown_rounded_from_its_value(html: str, document: Document) -> None:
    known = document.results.by_id()
    page = Page(html)
    elements, texts = page.named("data"), page.text["data"]
    assert len(elements) == len(list(document.values()))
    for attrs, text in zip(elements, texts, strict=True):
        row = known[attrs["data-result-id"] or ""]
        assert (float(attrs["value"]) if attrs["value"] else None) == row.value
        assert text in {format_number(row.value, style) for style in STYLES}  # type: ignore[arg-type]


def test_numbers_appear_in_the_style_asked_for(document: Document, html: str) -> None:
    known = document.results.by_id()
    asked = sorted((v.result_id, format_number(known[v.result_id].value, v.style)) for v in document.values())
    page = Page(html)
    pairs = zip(page.named("data"), page.text["data"], strict=True)
    assert sorted((str(attrs["data-result-id"]), text) for attrs, text in pairs) == asked


def test_number_without_result_row_is_refused() -> None:
    with pytest.raises(IptError, match="without a result row: nowhere"):
        Document(title="T", subtitle="", blocks=(Paragraph((Value("nowhere"),)),), results=Results(()))


def test_hidden_number_says_so() -> None:
    row = ResultRow(id="n", analysis="a", statistic="n", value=None, unit="people", suppressed=True)
    document = Document(title="T", subtitle="", blocks=(Paragraph((Value("n"),)),), results=Results((row,)))
    assert '<data value="" data-result-id="n">hidden</data>' in write_html(document)


def test_tables_have_captions_scopes_and_roles(page: Page, document: Document) -> None:
    assert len(page.text["caption"]) == len(page.named("table")) == 4
    assert all(text.strip() for text in page.text["caption"])
    assert {attrs["scope"] for attrs in page.named("th")} == {"col", "row", "rowgroup"}
    assert all(attrs["role"] == "cell" for attrs in page.named("td"))


def test_cells_carry_their_column_for_phones(page: Page) -> None:
    labels = {attrs.get("data-label") for attrs in page.named("td")}
    assert {"g", "95% CI", "p", "Control <i>arm</i>"} <= labels


def test_download_holds_unrounded_numbers_and_no_formula(page: Page, hostile: tuple[str, ...]) -> None:
    (link,) = [attrs["href"] for attrs in page.named("a") if attrs.get("download") == "studies.csv"]
    assert link is not None
    rows = list(csv.reader(io.StringIO(unquote(link.split(",", 1)[1]))))
    assert rows[0] == [
        "Study",
        "n IPT",
        "n control",
        "Control <i>arm</i>",
        "g",
        "95% CI (low)",
        "95% CI (high)",
        "p",
    ]
    assert rows[2] == [
        "'=1+1",
        "1040",
        "38",
        "waiting list",
        "0.4907",
        repr(0.4907 - 0.391234567),
        repr(0.4907 + 0.391234567),
        "0.0",
    ]
    for row in rows:
        for cell in row:
            assert not cell.startswith(("=", "+", "@")), cell
            assert not cell.startswith("-") or float(cell) < 0
    assert [row[0].removeprefix("'") for row in rows[2:-1]] == [visible(name) for name in hostile]


def test_figures_have_alternatives(page: Page) -> None:
    drawings = [drawing for drawing in page.named("svg") if drawing.get("aria-hidden") != "true"]
    assert len(drawings) == 2
    assert {d["role"] for d in drawings} == {"img"}
    assert {d["aria-label"] for d in drawings} == {"Forest: <script>document.title='x'</script>"}


def test_ids_are_unique_and_links_lead_somewhere(page: Page) -> None:
    ids = [attrs["id"] for _, attrs in page.elements if attrs.get("id")]
    assert len(ids) == len(set(ids))
    targets = {(attrs.get("href") or "")[1:] for attrs in page.named("a") if (attrs.get("href") or "").startswith("#")}
    assert targets <= set(ids)


def test_simulated_is_said_on_top_at_tables_at_figures_and_at_the_end(html: str, document: Document) -> None:
    assert html.count("Simulated data") >= 8
    real = write_html(replace(document, simulated=False))
    assert "imulated data" not in real.split("</style>")[1]


def test_references_link_to_their_doi(page: Page) -> None:
    assert "https://doi.org/10.3102/10769986006002107" in [attrs.get("href") for attrs in page.named("a")]


def _with(*blocks: object) -> Document:
    return Document(title="T", subtitle="", blocks=blocks, results=Results(()))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "http://doi.org/x",
        "https://example.org",
        "#missing",
        "data:text/html,x",
        "https://doi.org/\n",
    ],
)
def test_links_that_lead_out_are_refused(target: str) -> None:
    with pytest.raises(IptError, match="neither an anchor"):
        write_html(_with(Paragraph((Link("x", target),))))


@pytest.mark.parametrize("anchor", ["<b>", "A", "1a", "", "ipt-main", 'a" onclick="x'])
def test_anchors_that_could_be_markup_are_refused(anchor: str) -> None:
    with pytest.raises(IptError, match="anchor"):
        write_html(_with(Heading("x", anchor)))


def test_an_anchor_used_twice_is_refused() -> None:
    spec = TableSpec(id="one", caption="c", columns=(Column("a"),), rows=(TableRow((("x",),)),))
    with pytest.raises(IptError, match="'one' is used 2 times"):
        write_html(_with(Heading("x", "one"), Table(spec=spec)))


@pytest.mark.parametrize(
    "svg",
    [
        '<svg viewBox="0 0 1 1"><script>x</script></svg>',
        '<svg viewBox="0 0 1 1" onload="x"></svg>',
        '<svg viewBox="0 0 1 1"><foreignObject/></svg>',
        '<div><svg viewBox="0 0 1 1"></svg></div>',
        '<svg viewBox="0 0 1 1"><a href="javascript:x"/></svg>',
    ],
)
def test_drawings_that_run_something_are_refused(svg: str, document: Document, image: Picture) -> None:
    bad = replace(image, svg_narrow=svg)
    blocks = tuple(replace(b, picture=bad) if hasattr(b, "picture") else b for b in document.blocks)
    with pytest.raises(IptError, match="plain svg"):
        write_html(replace(document, blocks=blocks))


def test_a_page_without_sections_has_no_contents() -> None:
    page = Page(write_html(_with(References((Reference("A & B"),)))))
    assert page.named("nav") == []
    assert "A & B" in page.text["main"][0]


def test_spreadsheet_columns_of_intervals_and_of_words() -> None:
    rows = tuple(
        ResultRow(id=n, analysis=n, statistic="s", value=v, unit="g") for n, v in (("e", 1.5), ("l", -0.25), ("h", 2.0))
    )
    e, low, high = (Value(row.id) for row in rows)
    cells = ((e, " (", low, " to ", high, ")"), (low, " to ", high), (e, " points"), (e,))
    columns = tuple(Column(name) for name in ("g (CI)", "CI", "words", "plain"))
    body = (TableRow(cells), TableRow((("x",), ("",), ("",), ("",))))
    spec = TableSpec(id="t", caption="c", columns=columns, rows=body)
    header, found = cell_values(spec, Results(rows).by_id())
    assert header == [
        "g (CI) (estimate)",
        "g (CI) (low)",
        "g (CI) (high)",
        "CI (low)",
        "CI (high)",
        "words",
        "plain",
    ]
    assert found == [
        [1.5, -0.25, 2.0, -0.25, 2.0, "1.5 points", 1.5],
        ["x", None, None, None, None, None, None],
    ]


@pytest.mark.parametrize(
    "inside",
    [
        "<script>x</script>",
        '<image href="x.png"/>',
        '<g onload="x"/>',
        '<use href="other.svg#a"/>',
        "<foreignObject/>",
        "<unclosed>",
    ],
)
def test_a_drawing_that_does_more_than_draw_is_refused(document: Document, inside: str) -> None:
    figure = next(block for block in document.blocks if isinstance(block, Figure))
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">{inside}</svg>'
    bad = replace(figure, picture=replace(figure.picture, svg_wide=svg))
    with pytest.raises(IptError, match="plain svg"):
        write_html(replace(document, blocks=tuple(bad if block is figure else block for block in document.blocks)))
