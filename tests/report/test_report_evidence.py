"""The evidence report: what it says, and that every number it says can be traced."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.evidence import EvidenceSynthesis, MetaJob, synthesise
from ipt_outcomes.report import Document, Figure, Note, Paragraph, Table, render, write_docx, write_html, write_pdf
from ipt_outcomes.report.evidence import evidence_document
from ipt_outcomes.report.writing import say
from ipt_outcomes.results import format_number
from ipt_outcomes.tables import Value


@pytest.fixture(scope="module")
def synthesis() -> EvidenceSynthesis:
    return synthesise(ipt.simulate.studies())


@pytest.fixture(scope="module")
def document(synthesis: EvidenceSynthesis) -> Document:
    return evidence_document(synthesis)


def text_of(document: Document, *kinds: type) -> str:
    """Paragraphs and notes as a reader sees them."""
    known = document.results.by_id()
    words = []
    for block in document.blocks:
        if isinstance(block, kinds):
            contents = [block.content] if isinstance(block, Paragraph) else block.items  # type: ignore[attr-defined]
            for content in contents:
                words.append(
                    "".join(
                        format_number(known[part.result_id].value, part.style)
                        if isinstance(part, Value)
                        else getattr(part, "text", part)
                        for part in content
                    )
                )
    return "\n".join(words)


def small_table(**columns: list[object]) -> pd.DataFrame:
    base: dict[str, list[object]] = {
        "study": ["Trial A", "Trial B", "Trial C"],
        "condition_arm1": ["ipt"] * 3,
        "condition_arm2": ["cau", "wl", "cau"],
        "precalc_g": [0.5, 0.6, 0.4],
        "precalc_g_se": [0.2, 0.25, 0.15],
    }
    return pd.DataFrame(base | columns)


def document_of(frame: pd.DataFrame, **options: object) -> Document:
    return evidence_document(synthesise(ipt.load_studies(frame), **options))  # type: ignore[arg-type]


def test_the_main_result_is_said_first_with_its_interval(document: Document, synthesis: EvidenceSynthesis) -> None:
    pooled = synthesis.batteries[0].combined
    said = text_of(document, Paragraph)
    assert said.startswith(f"{pooled.k} studies")
    assert f"g = {format_number(pooled.estimate)}" in said
    assert "The whole interval favours interpersonal psychotherapy." in said


@pytest.mark.parametrize(
    ("g", "words"),
    [
        ([0.5, 0.6, 0.4], "favours interpersonal psychotherapy"),
        ([-0.5, -0.6, -0.4], "favours the comparison"),
        ([0.3, -0.3, 0.1], "do not show that one is better"),
    ],
)
def test_the_verdict_never_goes_beyond_the_interval(g: list[object], words: str) -> None:
    assert words in text_of(document_of(small_table(precalc_g=g)), Paragraph)


def test_more_bad_events_in_arm_1_favour_arm_2() -> None:
    frame = pd.DataFrame(
        {
            "study": ["A", "B", "C"], "condition_arm1": ["ipt"] * 3, "condition_arm2": ["cau"] * 3,
            "outcome_type": ["relapse"] * 3, "event_arm1": [30, 31, 29], "totaln_arm1": [40, 41, 39],
            "event_arm2": [10, 11, 9], "totaln_arm2": [40, 41, 39],
        }
    )  # fmt: skip
    assert "favours usual care" in text_of(document_of(frame, measures=["OR"]), Paragraph)


def test_a_narrower_knapp_hartung_interval_is_shown_beside_the_normal_one() -> None:
    alike = small_table(precalc_g=[0.50, 0.51, 0.49], precalc_g_se=[0.2, 0.2, 0.2])
    said = text_of(document_of(alike), Note)
    assert "narrower than the normal one" in said
    assert "The Knapp-Hartung interval is 0.475 to 0.525, the normal one 0.274 to 0.726." in said


def test_what_looks_wrong_and_what_gave_no_effect_is_in_the_report(document: Document) -> None:
    assert "control group" in text_of(document, Note)
    tables = [block.spec for block in document.blocks if isinstance(block, Table)]
    (left,) = [spec for spec in tables if spec.id == "not-computed-table"]
    assert ("sd_arm1, sd_arm2 missing",) in left.rows[0].cells


def test_every_study_is_named_in_figures_and_tables(document: Document, synthesis: EvidenceSynthesis) -> None:
    names = set(synthesis.batteries[0].studies["study"])
    data = [block.data for block in document.blocks if isinstance(block, Figure) and block.id.startswith("forest")]
    assert {row.cells[0][0] for spec in data if spec for row in spec.rows} == names


def test_methods_say_what_was_run(document: Document) -> None:
    said = text_of(document, Paragraph)
    for words in (
        "restricted maximum likelihood",
        "Knapp-Hartung",
        "correlation of 0.6",
        "Metapsy convention",
        "Q-profile",
    ):
        assert words in said
    other = text_of(document_of(small_table(), tau2="DL", test="z", convention="metafor"), Paragraph)
    assert "DerSimonian-Laird" in other
    assert "Intervals and tests use the normal distribution" in other
    assert "Knapp-Hartung adjustment" not in other


def test_hostile_names_are_shown_as_typed_and_run_nowhere(cases: Path, tmp_path: Path) -> None:
    raw = pd.read_csv(cases / "15-hostile-names" / "studies.csv")
    extra = ["Study $5 vs $6", "$\\frac{1}$", '"><svg onload=x>', "a\x00b", "#let x = 1", "=HYPERLINK(1)"]
    frame = pd.DataFrame(
        {
            "study": [*raw["study"], *extra],
            "precalc_g": [*raw["g"], *[0.3] * len(extra)],
            "precalc_g_se": [*raw["v"] ** 0.5, *[0.2] * len(extra)],
        }
    )
    render(synthesise(ipt.load_studies(frame)), tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")

    class Reader(HTMLParser):
        tags: set[str] = set()  # noqa: RUF012
        shown: list[str] = []  # noqa: RUF012

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.tags.add(tag)
            assert not any(name.startswith("on") for name, _ in attrs)

        def handle_data(self, data: str) -> None:
            self.shown.append(data.strip())

    reader = Reader()
    reader.feed(page)
    assert not {"script", "i"} & reader.tags
    for name in frame["study"]:
        assert name.replace("\x00", "\N{REPLACEMENT CHARACTER}") in reader.shown
    rows = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert {row["groups"]["study"] for row in rows if row["analysis"] == "study_effects"} == set(frame["study"])


def test_every_number_of_the_page_has_a_result_row(document: Document) -> None:
    known = document.results.by_id()
    shown = re.findall(r'<data value="([^"]*)" data-result-id="([^"]*)"', write_html(document))
    assert len(shown) > 300
    for value, result_id in shown:
        stored = known[result_id].value
        assert (float(value) if value else None) == stored


def test_the_same_synthesis_gives_the_same_bytes(synthesis: EvidenceSynthesis) -> None:
    one, two = evidence_document(synthesis), evidence_document(synthesise(ipt.simulate.studies()))
    assert write_html(one) == write_html(two)
    assert write_pdf(one) == write_pdf(two)
    assert write_docx(one) == write_docx(two)
    assert one.results.to_json() == two.results.to_json()


def test_many_studies_are_drawn_in_parts_and_each_once() -> None:
    synthesis = synthesise(ipt.simulate.studies(90))
    document = evidence_document(synthesis)
    forests = [block for block in document.blocks if isinstance(block, Figure) and block.id.startswith("forest")]
    assert len(forests) == 3
    names = [row.cells[0][0] for block in forests if block.data for row in block.data.rows]
    assert sorted(names) == sorted(synthesis.batteries[0].comparator_studies["study"])


def test_several_comparisons_and_measures_have_their_own_anchors() -> None:
    studies = ipt.load_studies(small_table())
    document = evidence_document(synthesise({"One": studies, "Two": studies}))
    anchors = [heading.anchor for heading in document.headings()]
    assert len(anchors) == len(set(anchors))
    assert write_html(document).count("One") > 1
    assert write_pdf(document).startswith(b"%PDF")


def test_a_report_from_memory_cannot_be_run_again_and_says_so(tmp_path: Path) -> None:
    render(synthesise(ipt.load_studies(small_table())), tmp_path / "out", formats=("html",))
    with pytest.raises(ipt.IptError, match="tables in memory"):
        ipt.report.rerun(tmp_path / "out", [tmp_path / "x.csv"])


def test_render_takes_a_spec(tmp_path: Path) -> None:
    small_table().to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "spec.toml").write_text('job = "meta"\nfiles = ["table.csv"]\n', encoding="utf-8")
    render(tmp_path / "spec.toml", tmp_path / "out", formats=("html",))
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert MetaJob.from_dict(manifest["analysis"]).options == {}
    assert manifest["audience"] == "published"


def test_a_sentence_with_a_place_left_empty_is_refused() -> None:
    with pytest.raises(ipt.IptError, match="no part for"):
        say("There are {n} rows.")


def test_a_narrower_interval_of_a_comparator_carries_the_normal_one_too() -> None:
    frame = pd.DataFrame(
        {
            "study": list("ABCDEF"),
            "condition_arm1": ["ipt"] * 6,
            "condition_arm2": ["cau"] * 3 + ["wl"] * 3,
            "precalc_g": [0.50, 0.51, 0.49, 0.1, 0.9, 1.5],
            "precalc_g_se": [0.2] * 6,
        }
    )
    document = document_of(frame)
    (table,) = [
        block.spec for block in document.blocks if isinstance(block, Table) and block.spec.id == "comparator-table"
    ]
    assert len(table.notes) == 1
    assert table.notes[0][0] == "usual care (cau)"
    row = document.results.find("by_comparator", "z_ci_low", {"condition_arm2": "cau"})
    assert row.value == pytest.approx(0.5 - 1.959964 * 0.2 / 3**0.5, abs=1e-6)


def test_the_normal_interval_of_a_ratio_is_on_the_scale_of_the_ratio() -> None:
    frame = pd.DataFrame(
        {
            "study": list("ABC"), "outcome_type": ["response"] * 3,
            "event_arm1": [20, 41, 60], "totaln_arm1": [40, 80, 120],
            "event_arm2": [10, 20, 30], "totaln_arm2": [40, 80, 120],
        }
    )  # fmt: skip
    results = document_of(frame, measures=["OR"]).results
    assert results.find("combined", "z_ci_low").value > 0
    assert results.find("combined", "ratio_z_ci_low").value == pytest.approx(
        math.exp(results.find("combined", "z_ci_low").value)
    )


def test_the_audience_is_printed_and_kept(tmp_path: Path) -> None:
    synthesis = synthesise(ipt.load_studies(small_table()))
    assert "The service's board." in text_of(evidence_document(synthesis, audience="board"), Note)
    render(synthesis, tmp_path / "out", formats=("html",), audience="board")
    assert json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))["audience"] == "board"
    with pytest.raises(ipt.IptError, match="audience must be one of"):
        render(synthesis, tmp_path / "other", audience="everyone")
