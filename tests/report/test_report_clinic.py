"""The clinic report: what it says, that every number can be traced, and that no small number leaks."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from pypdf import PdfReader

import ipt_outcomes as ipt
from ipt_outcomes.clinic import ClinicReview, review
from ipt_outcomes.io import load_cohort
from ipt_outcomes.report import (
    Bullets,
    Document,
    Figure,
    Note,
    Paragraph,
    Table,
    write_docx,
    write_html,
    write_pdf,
)
from ipt_outcomes.report.clinic import clinic_document
from ipt_outcomes.results import format_number
from ipt_outcomes.tables import Value

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AUDIENCES = ("internal", "board", "public", "publication")
ENRICHD = {
    "table": "cohort",
    "left_out": ["med", "med.time"],
    "columns": {"patient_id": "ID", "day": "time", "bdi1": "BDI"},
    "duplicates": {"rule": "mean"},
}


@pytest.fixture(scope="module")
def found() -> ClinicReview:
    return review(ipt.simulate.clinic(n=260, seed=3))


@pytest.fixture(scope="module")
def documents(found: ClinicReview) -> dict[str, Document]:
    return {audience: clinic_document(found, audience=audience) for audience in AUDIENCES}  # type: ignore[arg-type]


def text_of(document: Document, *kinds: type) -> str:
    """Running text and tables as a reader sees them."""
    known = document.results.by_id()
    words = []
    for block in document.blocks:
        contents: list[Any] = []
        if isinstance(block, Paragraph):
            contents = [block.content]
        elif isinstance(block, Bullets | Note):
            contents = list(block.items)
        elif isinstance(block, Table):
            contents = [cell for row in block.spec.rows for cell in row.cells] + list(block.spec.notes)
        if not kinds or isinstance(block, kinds):
            words += ["".join(_word(part, known) for part in content) for content in contents]
    return "\n".join(words)


def _word(part: Any, known: Any) -> str:
    if isinstance(part, Value):
        row = known[part.result_id]
        return "hidden" if row.suppressed else format_number(row.value, part.style)
    return str(getattr(part, "text", part))


def test_the_first_screen_says_who_recovered_improved_and_got_worse(
    documents: dict[str, Document], found: ClinicReview
) -> None:
    said = text_of(documents["internal"], Paragraph, Bullets)
    first = found.to_frame().set_index(["measure", "rate", "rule", "problem_area"])
    for rate, words in (
        ("recovery", "Recovered: "),
        ("reliable_improvement", "Improved reliably: "),
        ("reliable_deterioration", "Got reliably worse: "),
    ):
        row = first.loc[(found.measures[0].name, rate, "completers", "all")]
        share = f"{row['percent']:.1f}% ({row['ci_low']:.1f}% to {row['ci_high']:.1f}%)"
        assert f"{words}{share}, {row['numerator']:.0f} of {row['denominator']:.0f} people" in said
    assert said.index("Got reliably worse") < said.index("95% confidence intervals")


def test_a_hidden_rate_is_said_to_be_hidden() -> None:
    rows = [{"phq9": 20, "week": 0}, {"phq9": 5, "week": 12}]
    frame = pd.DataFrame(
        [{"patient_id": f"{name}{person}", **row} for person in range(7) for name in "x" for row in rows]
    )
    document = clinic_document(review(load_cohort(frame)), audience="public")
    said = text_of(document)
    assert "Recovered: hidden, of the people who were cases at the start" in said
    assert "100.0%" not in said


def test_the_audience_and_what_is_hidden_are_printed(documents: dict[str, Document]) -> None:
    assert "For the public: counts of 1 to 10 people are hidden" in text_of(documents["public"], Note)
    assert "nearest 5" in text_of(documents["board"], Note)
    assert "Nothing had to be hidden here." in text_of(documents["internal"], Note)
    with pytest.raises(ipt.IptError, match="audience must be one of"):
        clinic_document(review(ipt.simulate.clinic(n=30)), audience="everyone")  # type: ignore[arg-type]


def test_groups_come_with_a_warning_not_to_rank(documents: dict[str, Document]) -> None:
    warnings = [block for block in documents["public"].blocks if isinstance(block, Note) and block.kind == "warning"]
    assert [note.title for note in warnings] == ["Do not rank these groups"]


def test_definitions_name_boundary_and_standing(documents: dict[str, Document]) -> None:
    said = text_of(documents["public"], Table)
    for words in (
        "a score of 10 or more",
        "a change of 6 points or more",
        "a score of 4 or less",
        "manual of NHS Talking Therapies",
        "10 counts",
        "Kroenke et al., 2001",
        "below both cut-offs (strictly)",
        "fell by 50% or more (inclusive)",
        "not known: no such rate",
    ):
        assert words in said


def test_an_unconfirmed_cut_off_is_named_as_a_default() -> None:
    frame = pd.DataFrame({"patient_id": ["a", "a", "b", "b"], "week": [0, 8, 0, 8], "core10": [20, 5, 18, 17]})
    said = text_of(clinic_document(review(load_cohort(frame)), audience="internal"), Table)
    assert said.count("a default, not confirmed in a source") == 2


def test_left_out_and_counted_add_up(documents: dict[str, Document]) -> None:
    known = documents["internal"].results.by_id()
    tables = [b.spec for b in documents["internal"].blocks if isinstance(b, Table) and b.spec.id.startswith("left-out")]
    assert len(tables) == 3
    for spec in tables:
        assert spec.rows[-1].cells[0] == ("Counted",)
        for position in range(1, len(spec.columns)):
            ids = [row.cells[position][0] for row in spec.rows]
            first, *others = [known[part.result_id].value for part in ids if isinstance(part, Value)]
            assert len(others) > 1
            assert first == sum(others)  # type: ignore[arg-type]


@pytest.mark.parametrize("audience", AUDIENCES)
def test_every_number_of_the_page_has_a_result_row(documents: dict[str, Document], audience: str) -> None:
    known = documents[audience].results.by_id()
    shown = re.findall(r'<data value="([^"]*)" data-result-id="([^"]*)"', write_html(documents[audience]))
    assert len(shown) > 200
    for value, result_id in shown:
        assert (float(value) if value else None) == known[result_id].value


def small_ids(found: ClinicReview, least: int) -> set[str]:
    return {row.id for row in found.results if row.unit == "people" and 0 < (row.value or 0) < least}


def figure_texts(document: Document) -> str:
    """Tips, captions and text alternatives of the figures."""
    words = []
    for block in document.blocks:
        if isinstance(block, Figure):
            words += [block.alt, block.caption]
            for svg in (block.picture.svg_wide, block.picture.svg_narrow):
                words += [html.unescape(title) for title in re.findall(r"<title>(.*?)</title>", svg)]
    return "\n".join(words)


@pytest.mark.parametrize(("audience", "least"), [("public", 11), ("board", 5)])
def test_no_small_number_is_anywhere_in_the_page(
    documents: dict[str, Document], found: ClinicReview, audience: str, least: int
) -> None:
    document = documents[audience]
    page = write_html(document)
    small = small_ids(found, least)
    assert small
    for value, result_id in re.findall(r'<data value="([^"]*)" data-result-id="([^"]*)"', page):
        assert result_id not in small or value == ""
    # Whatever is written as "n of N" or "n/N": in tables, in sentences, in tips of figures.
    pairs = re.findall(r"(\d+)(?: of |/)(\d+)", text_of(document) + figure_texts(document))
    assert len(pairs) > 20
    for pair in pairs:
        assert all(int(number) == 0 or int(number) >= least for number in pair)
    for row in document.results:
        for number in (row.n, row.denominator, row.value if row.unit == "people" else None):
            assert number is None or number == 0 or number >= least


def test_the_downloads_of_the_page_hold_no_small_number(documents: dict[str, Document]) -> None:
    page = write_html(documents["public"])
    links = re.findall(r'href="data:text/csv[^,"]*,([^"]*)"', page)
    assert len(links) > 10
    for link in links:
        text = unquote(html.unescape(link))
        for pair in re.findall(r"(\d+) of (\d+)", text):
            assert all(int(number) == 0 or int(number) >= 11 for number in pair)
        header, *rows = list(csv.reader(io.StringIO(text)))
        if header[-1] == "People":
            for row in rows:
                assert not row[-1].isdigit() or int(row[-1]) == 0 or int(row[-1]) >= 11


def test_files_of_the_report_hold_no_small_number(
    documents: dict[str, Document], found: ClinicReview, tmp_path: Path
) -> None:
    from ipt_outcomes.report import render

    render(found, tmp_path / "out", formats=("html", "pdf", "docx", "xlsx"), audience="public")
    rows = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    small = small_ids(found, 11)
    assert len(rows) == len(found.results)
    for row in rows:
        if row["id"] in small:
            assert row["suppressed"]
            assert row["value"] is row["n"] is row["denominator"] is None
    pdf = "\n".join(page.extract_text() for page in PdfReader(tmp_path / "out" / "report.pdf").pages)
    with zipfile.ZipFile(tmp_path / "out" / "report.docx") as archive:
        docx = re.sub(r"<[^>]+>", " ", archive.read("word/document.xml").decode("utf-8"))
    with zipfile.ZipFile(io.BytesIO((tmp_path / "out" / "report.xlsx").read_bytes())) as archive:
        xlsx = " ".join(archive.read(name).decode("utf-8") for name in archive.namelist() if name.endswith(".xml"))
    for text in (pdf, docx):
        for pair in re.findall(r"(\d+) of (\d+)", text):
            assert all(int(number) == 0 or int(number) >= 11 for number in pair)
    assert "hidden" in xlsx


def test_no_person_key_is_in_the_report(documents: dict[str, Document], found: ClinicReview) -> None:
    page = write_html(documents["internal"]) + documents["internal"].results.to_json()
    assert not any(key in page for key in found.courses.episode_id)


@pytest.mark.parametrize("audience", ["public", "internal"])
def test_the_same_review_gives_the_same_bytes(documents: dict[str, Document], audience: str) -> None:
    again = clinic_document(review(ipt.simulate.clinic(n=260, seed=3)), audience=audience)  # type: ignore[arg-type]
    assert write_html(again) == write_html(documents[audience])
    assert write_pdf(again) == write_pdf(documents[audience])
    assert write_docx(again) == write_docx(documents[audience])
    assert again.results.to_json() == documents[audience].results.to_json()


def test_simulated_data_are_marked(documents: dict[str, Document], found: ClinicReview) -> None:
    assert documents["public"].simulated
    assert "Simulated data" in write_html(documents["public"])
    real = clinic_document(replace(found, simulated=False), audience="internal")
    assert "not evidence about any treatment" in write_html(documents["public"])
    assert "not evidence about any treatment" not in write_html(real)


def test_what_the_gate_counted_is_no_way_round(found: ClinicReview) -> None:
    noted = replace(found, source_notes=("3 of 260 people kept: site = S1", "weeks from days"))
    public = text_of(clinic_document(noted, audience="public"))
    assert "3 of 260" not in public
    assert "Weeks from days." in public
    assert "3 of 260 people kept" in text_of(clinic_document(noted, audience="internal"))
    for entry in found.gate.entries:
        if entry.rule in {"L8", "L9"}:
            assert entry.detail not in public


@pytest.mark.shared
def test_enrichd_says_what_it_cannot_give(shared: Path) -> None:
    cohort = load_cohort(shared / "data" / "clinic" / "enrichd_bdi.csv", mapping=ENRICHD)
    found = review(cohort)
    raw = pd.read_csv(shared / "data" / "clinic" / "enrichd_bdi.csv").groupby(["ID", "time"])["BDI"].mean()
    ends = raw.groupby("ID").agg(["first", "last", "size"])
    counted = ends[(ends["size"] > 1) & (ends["first"] > 0)]
    row = found.to_frame().iloc[0]
    assert (row["rate"], row["denominator"]) == ("response", len(counted))
    assert row["numerator"] == int((counted["last"] <= 0.5 * counted["first"]).sum())
    said = text_of(clinic_document(found))
    for gap in (
        "no rate of recovery", "no rate of reliable improvement", "no rate of remission", "no record of sessions",
        "no problem area", "settled by the rule 'mean'", "153 rows fewer",
    ):  # fmt: skip
        assert gap in said


def test_nobody_to_count_is_said_and_no_figure_fails() -> None:
    frame = pd.DataFrame({"patient_id": ["a", "a"], "week": [0, 8], "phq9": [5, 4]})
    document = clinic_document(review(load_cohort(frame)), audience="internal")
    said = text_of(document)
    assert "no rate, since there are no people who were cases" in said
    assert "nobody to count" in said
    assert write_pdf(document).startswith(b"%PDF")


def test_a_hostile_group_name_is_shown_as_typed() -> None:
    name = "<img src=x onerror=alert(1)> $x^2$"
    frame = pd.DataFrame(
        {"patient_id": np.repeat([f"p{i}" for i in range(6)], 2), "week": [0, 8] * 6, "phq9": [20, 5] * 6}
    )
    cohort = load_cohort(frame)
    found = review(replace(cohort, episodes=cohort.episodes.assign(site_id=name)), by="site")
    page = write_html(clinic_document(found, audience="internal"))
    assert "<img" not in page
    assert html.escape(name, quote=False) in page or html.escape(name) in page


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--headless", "--disable-gpu"]
        )
        yield launched
        launched.close()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH")
@pytest.mark.parametrize("width", [1280, 375])
@pytest.mark.parametrize("audience", ["public", "internal"])
def test_the_page_fits_and_everybody_can_read_it(
    documents: dict[str, Document], browser: Any, tmp_path: Path, audience: str, width: int
) -> None:
    path = tmp_path / "report.html"
    path.write_text(write_html(documents[audience]), encoding="utf-8")
    page = browser.new_context(viewport={"width": width, "height": 900}, offline=True).new_page()
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    axe = pytest.importorskip("axe_playwright_python", reason="axe-core (axe-playwright-python) is not installed")
    page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    assert [violation["id"] for violation in page.evaluate("axe.run()")["violations"]] == []
