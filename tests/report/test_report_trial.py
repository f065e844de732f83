"""The trial report: what it says, whom it shows what, and that every number it says can be traced."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ipt_outcomes import simulate
from ipt_outcomes.io import load_cohort
from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.report import Document, Figure, Heading, Note, Paragraph, Table, write_docx, write_html, write_pdf
from ipt_outcomes.report.runs import plain
from ipt_outcomes.report.trial import trial_document
from ipt_outcomes.results import format_number
from ipt_outcomes.trial import TrialAnalysis, analyse

HERE = Path(__file__).resolve().parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AUDIENCES = ("internal", "board", "public", "publication")


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return load_cohort(HERE.parent / "reference" / "mixed" / "ipt_trial.csv", mapping="ipt-trial")


@pytest.fixture(scope="module")
def analysis(cohort: Cohort) -> TrialAnalysis:
    return analyse(cohort, "phq9")


@pytest.fixture(scope="module")
def document(analysis: TrialAnalysis) -> Document:
    return trial_document(analysis, audience="publication")


@pytest.fixture(scope="module", params=["baseline", "after"])
def simulated(request: pytest.FixtureRequest) -> TrialAnalysis:
    """Both variants of the simulated trial."""
    return analyse(simulate.trial(areas=request.param))


def said(document: Document) -> str:
    """All running text and tables, as a reader sees them."""
    known = document.results.by_id()
    return "\n".join(plain(content, known).replace("\N{NO-BREAK SPACE}", " ") for content in document.contents())


def section(document: Document, anchor: str) -> list[Any]:
    """Blocks from a heading to the next of its level."""
    blocks = list(document.blocks)
    start = next(i for i, block in enumerate(blocks) if isinstance(block, Heading) and block.anchor == anchor)
    level = blocks[start].level  # type: ignore[union-attr]
    end = next(
        (
            i
            for i, block in enumerate(blocks[start + 1 :], start + 1)
            if isinstance(block, Heading) and block.level <= level
        ),
        len(blocks),
    )
    return blocks[start:end]


def test_the_finding_comes_first(document: Document, reference: Any) -> None:
    stored = reference("trial/effect_trial_ipt_vs_tau")["lmm"]
    (endpoint,) = [effect for effect in stored["effects"] if effect["standardiser"] == "endpoint"]
    known = document.results.by_id()
    first = next(block for block in document.blocks if isinstance(block, Paragraph))
    text = plain(first.content, known)
    assert text.startswith("Interpersonal psychotherapy against usual care: g = ")
    assert f"g = {format_number(-endpoint['g'])}" in text
    assert "The whole interval favours interpersonal psychotherapy." in text
    words = said(document)
    assert f"{format_number(stored['difference'])} points" in words
    assert "interpersonal psychotherapy minus usual care; lower is better, so the estimate favours inter" in words
    assert "interpersonal psychotherapy 20/61 (33%) (28 with no score) against usual care 19/94 (20%) (50 with" in words
    assert "Odds ratio 1.93 (95% CI 0.92 to 4.01; p = .080). The interval includes no difference." in words
    assert "these data do not show that one is better than the other" in words


def test_what_the_numbers_rest_on_stands_beside_them(document: Document) -> None:
    words = said(document)
    assert "usual care 44 of 94, cognitive behaviour therapy 40 of 85, interpersonal psychotherapy 33 of 61" in words
    assert "missing at random" in words
    assert "There are 2 comparisons. Their p values are not adjusted" in words


def test_methods_are_those_that_were_run(document: Document) -> None:
    words = said(document)
    for part in (
        "PHQ-9 ~ week*arm + baseline + (week | person)",
        "restricted maximum likelihood",
        "Satterthwaite",
        "pooled over the two arms",
        "exactly 50% counts",
        "Wilson",
        "Newcombe",
    ):
        assert part in words
    assert "analysis of covariance (PHQ-9" not in words


def test_one_visit_is_an_analysis_of_covariance(cohort: Cohort) -> None:
    rows = cohort.assessments
    kept = rows[rows["visit"].isin(["baseline", "12"])].reset_index(drop=True)
    words = said(trial_document(analyse(replace(cohort, assessments=kept), "phq9"), audience="internal"))
    assert "by analysis of covariance (PHQ-9 ~ arm + baseline)" in words
    assert "needs 3 visits after baseline, there are 1" in words
    assert "Satterthwaite" not in words


@pytest.mark.parametrize("audience", AUDIENCES)
def test_every_number_of_the_page_has_a_result_row(analysis: TrialAnalysis, audience: str) -> None:
    document = trial_document(analysis, audience=audience)
    known = analysis.protected(audience).by_id()  # type: ignore[arg-type]
    shown = re.findall(r'<data value="([^"]*)" data-result-id="([^"]*)"', write_html(document))
    assert len(shown) > 250
    for value, result_id in shown:
        assert (float(value) if value else None) == known[result_id].value


def test_the_public_sees_no_small_count(simulated: TrialAnalysis) -> None:
    document = trial_document(simulated)
    for row in document.results:
        if row.unit == "people" and row.value is not None:
            assert row.value == 0 or row.value > 10, row.id
    names = {(row.analysis, row.statistic) for row in document.results}
    assert not {("baseline", "median"), ("baseline", "q1"), ("flow_visit", "last_attended")} & names
    words = said(document)
    assert "hidden" in words
    assert "For the public: counts of 1 to 10 people are hidden" in words
    assert "people share" not in words


def test_no_value_of_one_person_is_in_any_result(analysis: TrialAnalysis) -> None:
    assert not {row.statistic for row in analysis.results} & {"min", "max", "minimum", "maximum"}


def test_the_publication_shows_its_flow(document: Document, reference: Any) -> None:
    stored = reference("trial/flow_ipt_trial")
    (table,) = [block.spec for block in document.blocks if isinstance(block, Table) and block.spec.id == "visits-table"]
    known = document.results.by_id()
    rows = [[plain(cell, known) for cell in row.cells] for row in table.rows]
    assert len(rows) == 13
    last = rows[-1]
    assert last[0] == "Visit 12 (week 12)"
    assert last[1] == f"{stored['by_arm']['TAU']['observed_by_visit']['12']} (45)"
    assert not any(row.suppressed for row in document.results)


@pytest.mark.parametrize("audience", AUDIENCES)
@pytest.mark.parametrize("at", [1, 6])
def test_an_end_point_before_the_last_visit(cohort: Cohort, audience: str, at: int) -> None:
    document = trial_document(analyse(cohort, "phq9", at=at), audience=audience)
    (table,) = [block.spec for block in document.blocks if isinstance(block, Table) and block.spec.id == "visits-table"]
    assert len(table.rows) == 13
    assert "used in no estimate" in said(document)


def test_areas_are_labelled_by_their_design(simulated: TrialAnalysis) -> None:
    document = trial_document(simulated, audience="internal")
    headings = [heading.text for heading in document.headings() if heading.anchor.startswith("areas")]
    words = said(document)
    if simulated.area_set == "before":
        assert headings[0] == "Change by problem area (randomised comparison)"
        assert "Interpersonal psychotherapy against usual care: randomised comparison" in headings
        assert "not a randomised comparison" not in " ".join(headings)
        assert "these are randomised comparisons" in words
    else:
        assert headings[0] == "Change by problem area (within IPT: not a randomised comparison)"
        assert not any("against" in heading for heading in headings)
        assert "This is no comparison of arms." in words
        assert "Those who left before it was set are among them." in words
        tables = [block.spec for block in section(document, "areas-section") if isinstance(block, Table)]
        assert not any("p (Holm)" in column.label for spec in tables for column in spec.columns)
    figures = [block for block in section(document, "areas-section") if isinstance(block, Figure)]
    assert all("andomised comparison" in figure.caption for figure in figures)
    assert len(figures) == 1


def test_data_without_areas_say_so(cohort: Cohort) -> None:
    episodes = cohort.episodes.drop(columns="problem_area_primary")
    words = said(trial_document(analyse(replace(cohort, episodes=episodes), "phq9")))
    assert "Not computed: the data name no problem area." in words


def test_how_the_data_were_read_is_in_the_report(document: Document, analysis: TrialAnalysis) -> None:
    words = said(document)
    assert analysis.source.sha256 in words
    for entry in analysis.gate.entries:
        assert entry.detail in words


def test_simulated_data_are_marked(simulated: TrialAnalysis) -> None:
    document = trial_document(simulated)
    assert document.simulated
    assert "Simulated data" in write_html(document)
    assert "(simulated data)" in simulated.summary()


@pytest.mark.parametrize("audience", ["public", "publication"])
def test_the_same_trial_gives_the_same_bytes(cohort: Cohort, analysis: TrialAnalysis, audience: str) -> None:
    one, two = trial_document(analysis, audience=audience), trial_document(analyse(cohort, "phq9"), audience=audience)
    assert write_html(one) == write_html(two)
    assert write_pdf(one) == write_pdf(two)
    assert write_docx(one) == write_docx(two)
    assert one.results.to_json() == two.results.to_json()


def test_an_arm_with_too_few_people_is_a_stated_gap(cohort: Cohort) -> None:
    arm = cohort.episodes["arm"].astype(str)
    people = cohort.episodes.loc[arm.eq("cbt"), "episode_id"].tolist()
    gone = set(people[3:])
    few = replace(
        cohort,
        episodes=cohort.episodes[~cohort.episodes["episode_id"].isin(gone)].reset_index(drop=True),
        assessments=cohort.assessments[~cohort.assessments["episode_id"].isin(gone)].reset_index(drop=True),
    )
    made = analyse(few, "phq9")
    by_arm = {item.arm2: item for item in made.comparisons}
    assert by_arm["cbt"].difference == {}
    assert by_arm["usual_care"].effect is not None
    words = said(trial_document(made, audience="internal"))
    assert "Interpersonal psychotherapy against cognitive behaviour therapy: not computed" in words
    assert "too few people" in words


def test_hostile_texts_are_shown_as_they_are(cohort: Cohort) -> None:
    episodes = cohort.episodes.copy()
    names = {site: f"<b>{site}</b> $x$" for site in episodes["site_id"].dropna().unique()}
    episodes["site_id"] = episodes["site_id"].map(names)
    rows = cohort.assessments.drop(columns=["site_id"], errors="ignore")
    made = analyse(replace(cohort, episodes=episodes, assessments=rows), "phq9")
    page = write_html(trial_document(made, audience="internal", title="<script>alert(1)</script>"))
    assert "<script" not in page
    assert "&lt;b&gt;S01&lt;/b&gt; $x$" in page


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no chromium on the PATH")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--headless", "--disable-gpu"]
        )
        yield launched
        launched.close()


@pytest.mark.browser
@pytest.mark.parametrize(("audience", "width"), [("public", 375), ("internal", 1280)])
def test_the_page_in_a_browser(
    browser: Any, simulated: TrialAnalysis, tmp_path: Path, audience: str, width: int
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    path = tmp_path / "report.html"
    path.write_text(write_html(trial_document(simulated, audience=audience)), encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
    page = context.new_page()
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    violations = axe.Axe().run(page).response["violations"]
    assert [(item["id"], item["nodes"][0]["html"]) for item in violations] == []
    context.close()


def test_notes_never_count_people_for_those_who_may_not_see_it(simulated: TrialAnalysis) -> None:
    document = trial_document(simulated, audience="public")
    notes = [block for block in document.blocks if isinstance(block, Note)]
    assert {"Before you use these numbers", "Whom this report may be shown to"} <= {note.title for note in notes}
    texts = [part for note in notes for content in note.items for part in content if isinstance(part, str)]
    counts = [text for text in texts if re.search(r"\b\d+ (people|persons)\b", text)]
    assert all("1 to 10 people" in text for text in counts)


def test_tables_are_frames_too(analysis: TrialAnalysis) -> None:
    frame = analysis.to_frame()
    assert set(frame["standardiser"]) == {"endpoint", "baseline", "residual"}
    assert isinstance(analysis.areas.to_frame(), pd.DataFrame)
    assert analysis.to_dict()["options"]["outcome"] == "phq9"


def test_words_on_formulas_change_formulas_only() -> None:
    from ipt_outcomes.report.trial.change import formula_words

    words = formula_words("Model: value ~ week + (week | patient_id); p values are given.", "PHQ-9")
    assert words == "Model: PHQ-9 ~ week + (week | person); p values are given."
    said = formula_words("0.09 x (Intercept) + -1 x week does not vary", "PHQ-9")
    assert said == "0.09 × intercept − 1 × week does not vary"
