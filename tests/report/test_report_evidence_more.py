"""The evidence report beyond the main result: benefit, bias, risk of bias, the search, published numbers, versions."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.errors import OptionError
from ipt_outcomes.evidence import ANALYSES, EvidenceSynthesis, MetaJob, synthesise
from ipt_outcomes.report import Bullets, Document, Figure, Heading, Note, Paragraph, Table, write_html
from ipt_outcomes.report.evidence import evidence_document
from ipt_outcomes.results import format_number
from ipt_outcomes.tables import Value

FLOW = {
    "identified": 400,
    "removed_before_screening": 100,
    "screened": 300,
    "included_studies": 14,
    "reasons": {"no control group": 9, "<b>odd</b>": 2},
    "last_search": "2024-01-01",
}
JUDGEMENTS = {"risk_of_bias": "serious", "certainty": "low", "explanation": "Most trials could not blind."}


@pytest.fixture(scope="module")
def synthesis() -> EvidenceSynthesis:
    job = MetaJob(flow=FLOW, judgements=JUDGEMENTS, published=True, options={"profile": "metapsytools"})
    return job.run({"studies": ipt.simulate.studies()})


@pytest.fixture(scope="module")
def document(synthesis: EvidenceSynthesis) -> Document:
    return evidence_document(synthesis)


@pytest.fixture(scope="module")
def page(document: Document) -> str:
    return write_html(document)


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes most of the time, and these tests do not look at a figure."""
    from ipt_outcomes.report.document import Picture
    from ipt_outcomes.report.evidence import context, diagnostics, drawings

    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1" viewBox="0 0 1 1"/>'
    drawn = Picture(svg_wide=svg, svg_narrow=svg, png=b"", width_inches=7.2)
    for module in (context, diagnostics, drawings):
        monkeypatch.setattr(module, "picture", lambda draw, id: drawn)


def table_of(document: Document, name: str) -> list[list[str]]:
    """Cells of a table as a reader sees them."""
    (spec,) = [block.spec for block in document.blocks if isinstance(block, Table) and block.spec.id == name]
    return [[words(document, cell) for cell in row.cells] for row in spec.rows]


def words(document: Document, content: tuple[object, ...]) -> str:
    known = document.results.by_id()
    return "".join(
        format_number(known[part.result_id].value, part.style)
        if isinstance(part, Value)
        else getattr(part, "text", part)  # type: ignore[arg-type]
        for part in content
    )


def said(document: Document) -> str:
    contents = [c for b in document.blocks if isinstance(b, Paragraph | Bullets | Note) for c in _contents(b)]
    return "\n".join(words(document, content) for content in contents)


def _contents(block: Paragraph | Bullets | Note) -> tuple[tuple[object, ...], ...]:
    return (block.content,) if isinstance(block, Paragraph) else block.items


def figures_of(document: Document) -> dict[str, Figure]:
    return {block.id: block for block in document.blocks if isinstance(block, Figure)}


def test_every_analysis_of_the_battery_is_in_the_one_table(document: Document, synthesis: EvidenceSynthesis) -> None:
    battery = synthesis.batteries[0]
    names = [row[0] for row in table_of(document, "analyses-table")]
    held = {*battery.pooled(), *battery.multilevel, *battery.bias.adjusted()}
    for name in held:
        assert any(row.startswith(ANALYSES[name]) for row in names), name
    assert len(names) == len(held) + 6  # and a heading over each part


def test_the_table_says_who_was_taken_out_and_how_many_were_filled_in(
    document: Document, synthesis: EvidenceSynthesis
) -> None:
    battery = synthesis.batteries[0]
    names = [row[0] for row in table_of(document, "analyses-table")]
    removed = battery.removal["outliers_removed"].removed
    assert f"Without outliers ({len(removed)} taken out)" in names
    trimmed = battery.bias.trim_and_fill
    assert trimmed is not None
    assert f"Trim and fill ({trimmed.k0} filled in)" in names


def test_numbers_of_each_row_are_those_of_its_analysis(document: Document, synthesis: EvidenceSynthesis) -> None:
    battery = synthesis.batteries[0]
    rows = {row[0]: row for row in table_of(document, "analyses-table")}
    che = rows[ANALYSES["che"]]
    model = battery.multilevel["che"]
    assert che[1] == str(model.k)
    assert che[2].startswith(format_number(model.estimate))
    assert che[4] == format_number(model.tau2_study + model.tau2_effect, "decimal3")
    peese = battery.bias.pet_peese
    assert peese is not None
    assert rows["PEESE"][2].startswith(format_number(peese.peese.estimate))
    assert rows["PEESE"][4] == "–"


def test_the_models_of_the_other_package_stand_beside_ours(document: Document, synthesis: EvidenceSynthesis) -> None:
    profile = synthesis.batteries[0].profile
    assert profile is not None
    rows = table_of(document, "profile-table")
    assert [row[0] for row in rows] == list(profile.frame["label"])
    combined = next(row for row in rows if row[0] == "Combined per study")
    assert combined[2].split()[0] == combined[6].split()[0]


def test_numbers_needed_to_treat_name_their_rate_and_side(document: Document, synthesis: EvidenceSynthesis) -> None:
    rows = {row[0]: row for row in table_of(document, "nnt-table")}
    needed = synthesis.batteries[0].nnt["0.2"]
    assert rows["20% (assumed)"][1].startswith(f"NNTB {format_number(float(needed.nnt[0]), 'decimal1')} (")
    assert "not needed (Kraemer and Kupfer)" in rows


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(
    ("g", "form"),
    [
        ([0.5, 0.6, 0.4], r"NNTB [\d.]+ \([\d.]+ to [\d.]+\)"),
        ([-0.5, -0.6, -0.4], r"NNTH [\d.]+ \([\d.]+ to [\d.]+\)"),
        ([0.4, -0.3, 0.05], r"NNTB [\d.]+ \(NNTB [\d.]+ to ∞ to NNTH [\d.]+\)"),
    ],
)
def test_intervals_of_nnt_read_right_across_zero(g: list[float], form: str) -> None:
    frame = pd.DataFrame(
        {
            "study": ["A", "B", "C"],
            "condition_arm1": ["ipt"] * 3,
            "condition_arm2": ["cau"] * 3,
            "precalc_g": g,
            "precalc_g_se": [0.1, 0.12, 0.1],
        }
    )
    document = evidence_document(synthesise(ipt.load_studies(frame)))
    text = table_of(document, "nnt-table")[0][1]
    assert re.fullmatch(form, text), text
    numbers = [float(number) for number in re.findall(r"[\d.]+", text)]
    if "∞" not in text:
        assert numbers[1] <= numbers[0] <= numbers[2]


def test_judgements_are_those_given_and_the_rest_is_left_open(document: Document) -> None:
    (row,) = table_of(document, "judgements")
    assert row[1:] == ["serious", "to be judged", "to be judged", "to be judged", "to be judged", "low"]
    (finding,) = table_of(document, "summary-of-findings")
    assert finding[-1] == "low"
    assert any(
        "Most trials could not blind." in words(document, note)
        for block in document.blocks
        if isinstance(block, Table) and block.spec.id == "judgements"
        for note in block.spec.notes
    )


@pytest.mark.usefixtures("no_pictures")
def test_without_judgements_nothing_is_judged_and_the_reader_is_told() -> None:
    document = evidence_document(synthesise(ipt.simulate.studies(), grid=False))
    (row,) = table_of(document, "judgements")
    assert set(row[1:]) == {"to be judged"}
    assert "No program judges how certain evidence is." in said(document)


def test_the_search_is_drawn_with_every_number_in_the_results(document: Document, page: str) -> None:
    figure = figures_of(document)["search-flow"]
    assert figure.data is not None
    cells = [[words(document, cell) for cell in row.cells] for row in figure.data.rows]
    assert ["Records identified", "400"] in cells
    assert ["excluded: no control group", "9"] in cells
    assert "Last search: 2024-01-01." in said(document)
    # 300 screened of 300 left is right; what was written as markup stays text.
    assert "&lt;b&gt;odd&lt;/b&gt;" in page
    assert "<b>odd</b>" not in page


@pytest.mark.usefixtures("no_pictures")
def test_search_figures_that_do_not_add_up_are_named() -> None:
    flow = {"identified": 10, "removed_before_screening": 1, "screened": 7}
    document = evidence_document(synthesise(ipt.simulate.studies(), flow=flow, grid=False))
    assert "Identified (10) less removed_before_screening (1) is 9, but screened is 7." in said(document)


@pytest.mark.usefixtures("no_pictures")
def test_a_report_without_search_and_published_has_no_such_sections() -> None:
    anchors = {h.anchor for h in evidence_document(synthesise(ipt.simulate.studies(), grid=False)).headings()}
    assert not {"search-section", "published-section", "versions-section", "specification-section"} & anchors


def test_risk_of_bias_is_drawn_for_every_study(document: Document, synthesis: EvidenceSynthesis) -> None:
    risk = synthesis.batteries[0].risk_of_bias
    assert risk is not None
    figure = figures_of(document)["risk-1"]
    assert figure.data is not None
    assert [words(document, row.cells[0]) for row in figure.data.rows] == list(
        dict.fromkeys([*risk.frame["study"], *risk.counts["study"]])
    )


def test_published_estimates_never_claim_a_reproduction(document: Document, synthesis: EvidenceSynthesis) -> None:
    made = synthesis.regeneration
    assert made is not None
    text = said(document)
    assert "is no reproduction where it cannot be told that the trials are the same" in text
    rows = table_of(document, "published-table")
    assert len(rows) == int(made.frame["estimate"].notna().sum())
    assert all(row[5] == "Not a reproduction: its trials are not listed." for row in rows)
    rest = table_of(document, "published-rest-table")
    assert len(rows) + len(rest) == len(made.frame)


def test_the_specification_curve_says_how_far_the_result_moves(
    document: Document, synthesis: EvidenceSynthesis
) -> None:
    grid = synthesis.batteries[0].specifications
    assert grid is not None
    text = said(document)
    assert f"{len(grid.frame)} combinations of reasonable choices were run." in text
    low, high = format_number(grid.range["lowest"]), format_number(grid.range["highest"])
    assert f"lies between {low} and {high}" in text


def test_methods_for_small_studies_say_the_naive_answer_is_naive(document: Document) -> None:
    lines = [line for line in said(document).splitlines() if "on rows as if independent" in line]
    assert lines
    assert all("(naive: not to be used)" in line for line in lines)


def test_every_number_of_the_page_has_a_row_and_ids_are_unique(document: Document, page: str) -> None:
    known = document.results.by_id()
    shown = re.findall(r'<data value="([^"]*)" data-result-id="([^"]*)"', page)
    assert len(shown) > 800
    for value, result_id in shown:
        assert (float(value) if value else None) == known[result_id].value
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    used = set(re.findall(r'<use[^>]* href="#([^"]+)"', page))
    assert used <= set(ids)


def test_the_page_stays_small(page: str) -> None:
    assert len(page.encode()) < 3_000_000
    assert "<script" not in page


def test_the_document_with_everything_is_the_same_twice(synthesis: EvidenceSynthesis, page: str) -> None:
    assert write_html(evidence_document(synthesis)) == page


def old_table() -> pd.DataFrame:
    frame = ipt.simulate.studies().comparisons.drop(columns=["row"], errors="ignore")
    return frame


@pytest.mark.usefixtures("no_pictures")
def test_what_changed_since_an_earlier_version_is_said(tmp_path: Path) -> None:
    new = old_table()
    old = new.iloc[:-2].copy()
    column = next(name for name in ("mean_arm1", "n_arm1") if name in old)
    first = old[column].first_valid_index()
    old.loc[first, column] = old.loc[first, column] + 1
    for name, frame in (("new.csv", new), ("old.csv", old)):
        frame.to_csv(tmp_path / name, index=False)
    job = MetaJob(older=True, options={"grid": False})
    synthesis = job.run(job.load([tmp_path / "new.csv", tmp_path / "old.csv"]))
    made = synthesis.comparison
    assert made is not None
    assert made.counts["added"] == 2
    assert made.counts["changed"] == 1
    document = evidence_document(synthesis)
    text = said(document)
    assert "1 changed, 2 added, 0 removed" in text
    assert "The main result was " in text
    assert len(table_of(document, "versions-rows-table")) == 3
    assert len(table_of(document, "versions-table")) == len(made.numbers)
    with pytest.raises(OptionError, match="second file"):
        job.load([tmp_path / "new.csv"])


@pytest.mark.usefixtures("no_pictures")
def test_a_report_with_an_earlier_version_can_be_run_again(tmp_path: Path) -> None:
    from ipt_outcomes.report import render, rerun

    new = old_table()
    files = [tmp_path / "new.csv", tmp_path / "old.csv"]
    new.to_csv(files[0], index=False)
    new.iloc[:-1].to_csv(files[1], index=False)
    spec = tmp_path / "spec.toml"
    spec.write_text(
        'job = "meta"\nfiles = ["new.csv", "old.csv"]\nolder = true\npublished = true\n'
        "[options]\ngrid = false\nyears = [1900, inf]\n[flow]\nidentified = 12\n",
        encoding="utf-8",
    )
    render(spec, tmp_path / "out", ("html",))
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert [entry["name"] for entry in manifest["inputs"]] == ["new.csv", "old.csv"]
    assert manifest["analysis"]["options"]["years"] == [1900, None]
    assert rerun(tmp_path / "out", files).empty


@pytest.mark.parametrize(
    ("entry", "match"),
    [
        ('older = "yes"', "older must be true or false"),
        ("published = 1", "published must be true or false"),
        ('flow = "figures.toml"', "flow must be a table"),
        ("[options]\nwindow = [0]", "window must be a list of two numbers"),
        ("[options]\npriority = 3", "priority must be a list of names"),
        ("[options]\ngrid = 1", "grid must be true or false"),
        ('[options]\nprofil = "ours"', "profil"),
    ],
)
def test_a_spec_says_what_is_wrong_with_it(tmp_path: Path, entry: str, match: str) -> None:
    from ipt_outcomes.report.spec import read_spec

    spec = tmp_path / "spec.toml"
    spec.write_text(f'job = "meta"\nfiles = ["a.csv"]\n{entry}\n', encoding="utf-8")
    with pytest.raises(OptionError, match=match):
        read_spec(spec)


@pytest.mark.usefixtures("no_pictures")
def test_several_comparisons_share_one_summary_of_findings() -> None:
    table = ipt.simulate.studies()
    document = evidence_document(synthesise({"One": table, "Two <b>": table}, grid=False))
    assert [row[0] for row in table_of(document, "summary-of-findings")] == ["One", "Two <b>"]
    kinds = [block for block in document.blocks if isinstance(block, Heading)]
    assert len({heading.anchor for heading in kinds}) == len(kinds)
    # Influence is a table for each of several, so that the page stays small.
    assert "c1-influence" not in figures_of(document)
    assert table_of(document, "c2-influence-data")
