"""Figures of the search, and judgements for a summary of findings: read, checked, never filled in or corrected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.evidence import JUDGED, SearchFlow, read_flow, read_judgements, synthesise

FIGURES: dict[str, Any] = {
    "sources": {"PubMed": 60, "PsycINFO": 40},
    "removed_before_screening": 20,
    "screened": 80,
    "excluded_at_screening": 60,
    "sought": 20,
    "not_retrieved": 1,
    "assessed": 19,
    "reasons": {"no control group": 6, "no depression scale": 3},
    "included_reports": 10,
    "included_studies": 9,
    "last_search": "2024-01-01",
}


def studies(**columns: Any) -> ipt.io.Studies:
    base: dict[str, Any] = {
        "study": ["A", "B", "C"],
        "condition_arm1": "ipt",
        "condition_arm2": "cau",
        "precalc_g": [0.4, 0.6, 0.2],
        "precalc_g_se": [0.2, 0.25, 0.2],
        "n_arm1": [30, 25, 30],
        "n_arm2": [30, 26, 28],
    }
    return ipt.load_studies(pd.DataFrame(base | columns))


def test_what_the_lists_make_is_filled_in() -> None:
    flow = read_flow(FIGURES)
    assert flow.counts["identified"] == 100
    assert flow.counts["excluded_full_text"] == 9
    assert flow.warnings == ()
    assert list(flow.boxes["stage"])[:3] == ["identified", "removed_before_screening", "screened"]
    assert flow.reasons_frame.to_dict("records")[0] == {"reason": "no control group", "count": 6}
    assert read_flow(flow) is flow
    assert read_flow(flow.to_dict()) == flow


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"identified": 90}, "sources add up to 100, but identified is 90"),
        ({"screened": 81}, "is 80, but screened is 81"),
        ({"included_reports": 11}, "is 10, but included_reports is 11"),
    ],
)
def test_figures_that_do_not_add_up_are_told_and_kept(change: dict[str, int], words: str) -> None:
    flow = read_flow(FIGURES | change)
    assert any(words in warning for warning in flow.warnings)
    assert {name: flow.counts[name] for name in change} == change


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(DataError) as caught:
        read_flow({"screened": -1, "sought": 2.5, "assessed": True, "reasons": {"no control": "six"}, "citation": 3})
    for words in ("screened", "sought", "assessed", "reasons.no control", "citation must be text"):
        assert words in str(caught.value)
    with pytest.raises(OptionError, match="'screend'"):
        read_flow({"screend": 5})


@pytest.mark.parametrize("ending", ["toml", "json"])
def test_a_file_of_figures(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"search.{ending}"
    toml = 'screened = 80\n"last_search" = "2024-01-01"\n[reasons]\n"no control" = 2\n'
    given = {"screened": 80, "last_search": "2024-01-01", "reasons": {"no control": 2}}
    path.write_text(toml if ending == "toml" else json.dumps(given), encoding="utf-8")
    assert read_flow(path) == read_flow(given)


@pytest.mark.parametrize("content", [b"screened = ", b"\xff\xfe\x00", b"[1, 2]"])
def test_a_file_that_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "search.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"search\.json"):
        read_flow(path)
    with pytest.raises(DataError, match="cannot be found"):
        read_flow(tmp_path / "absent.toml")


def test_every_figure_of_the_search_has_a_result_row() -> None:
    results = synthesise(studies(), flow=FIGURES, grid=False).results
    assert results.find("search_flow", "records", {"stage": "identified"}).value == 100
    assert results.find("search_flow", "records", {"source": "PubMed"}).value == 60
    assert results.find("search_flow", "records", {"reason": "no depression scale"}).value == 3
    assert synthesise(studies(), grid=False).flow is None
    assert isinstance(synthesise(studies(), flow=FIGURES, grid=False).flow, SearchFlow)


def test_judgements_are_empty_until_people_make_them() -> None:
    found = synthesise(studies(), grid=False).batteries[0].findings
    assert found is not None
    assert not found.judged
    assert set(found.judgements) == set(JUDGED)
    assert set(found.judgements.values()) == {""}
    assert "to be judged by people" in found.summary()


def test_judgements_are_kept_as_given() -> None:
    given = {"risk_of_bias": "serious", "imprecision": "not serious", "certainty": "moderate", "explanation": "why"}
    one = synthesise(studies(), grid=False, judgements=given).batteries[0].findings
    assert one is not None
    assert {name: word for name, word in one.judgements.items() if word} == given
    assert one.to_frame()["certainty"].tolist() == ["moderate"]
    two = synthesise({"x": studies(), "y": studies()}, grid=False, judgements={"y": given}).batteries
    assert [battery.findings.judged for battery in two if battery.findings is not None] == [False, True]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"certainty": "fairly high"}, "certainty"),
        ({"imprecision": "bad"}, "imprecision"),
        ({"certainity": "high"}, "certainty"),
        ({"z": {"certainty": "high"}}, "'z'"),
        ({"x": {"certainty": 3}}, "table of words"),
    ],
)
def test_judgements_that_are_none(given: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        read_judgements(given, ["x"])


def test_judgements_must_say_which_comparison_they_are_on() -> None:
    with pytest.raises(OptionError, match="x, y"):
        read_judgements({"certainty": "high"}, ["x", "y"])
    assert read_judgements(None, ["x"]) == {}


def test_people_of_a_thousand() -> None:
    synthesis = synthesise(studies(), grid=False, control_rate=0.2)
    row = synthesis.batteries[0].findings
    assert row is not None
    assert row.control_rate_source == "assumed"
    assert row.participants == 169
    assert row.control_per_1000 == 200
    gain = ipt.effects.nnt_from_smd(row.estimate, control_rate=0.2).benefit[0]
    assert row.treatment_per_1000 == pytest.approx(200 + 1000 * gain)
    assert row.difference_per_1000_low <= row.difference_per_1000 <= row.difference_per_1000_high
    for name in ("control_per_1000", "treatment_per_1000", "difference_per_1000_high"):
        assert synthesis.results.find("summary_of_findings", name).value == getattr(row, name)
