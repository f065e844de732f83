"""Public clinic files from the proposal to the cohort: as many scores, with the same sums, as the file itself holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.io import propose_mapping

pytestmark = pytest.mark.shared

TWO_FOLLOW_UPS = {"visits": {"followup_1": 38, "followup_2": 64}}


def columns(*starts: str) -> Callable[[pd.DataFrame], pd.Series]:
    """Every cell of the columns with these beginnings."""
    return lambda table: table[[c for c in table if c.startswith(starts)]].stack().dropna()


# File: what a person decides, and per instrument where its scores stand in the file.
FILES: dict[str, tuple[dict[str, Any], dict[str, Callable[[pd.DataFrame], pd.Series]]]] = {
    "antidepressant_rbmi.csv": (
        {"codes": {"arm": {"DRUG": "medication", "PLACEBO": "placebo"}}},
        {"hrsd17": lambda t: pd.concat([t["HAMDTL17"], t.drop_duplicates("PATIENT")["BASVAL"]])},
    ),
    "beat_the_blues.csv": ({"codes": {"arm": {"BtheB": "cbt"}}}, {"bdi2": columns("bdi.")}),
    "claus_2020.csv": (
        {"codes": {"arm": {"PA": "attention_control"}}, "visits": {"2": 4, "3": 8, "4": 12}},
        {"bdi2": columns("bdi"), "hrsd17": columns("hamd"), "who5": columns("who")},
    ),
    "riesby.csv": ({"constants": {"arm": "medication"}}, {"hrsd17": lambda t: t.loc[t["hamd"] >= 0, "hamd"]}),
    "sgdata.csv": (TWO_FOLLOW_UPS, {"bdi2": columns("bdi_")}),
    "sgdata_bad.csv": (TWO_FOLLOW_UPS, {"bdi2": lambda t: t.iloc[:, 1:16].stack().dropna()}),
    "browne_simulated_missing_data.csv": (
        {"codes": {"arm": {"1": "medication", "2": "ipt_medication", "3": "ipt"}}, "left_out": ["sex", "age"],
         "visits": {"visit_2": 26, "visit_3": 52, "visit_4": 104}},
        {"madrs": columns("madrs"), "cesd": columns("cesd")},
    ),
    "cdisc_example_qs.csv": (
        {"constants": {"arm": "ipt"},
         "visits": {"UNSCHEDULED 2.01": 1, "VISIT 2": 2, "VISIT 3": 3, "VISIT 4": 4, "UNSCHEDULED VISIT 5.01": 5,
                    "VISIT 6": 6, "VISIT 12": 12}},
        {"gad7": lambda t: t.loc[t["QSTESTCD"] == "GAD0208", "QSSTRESN"]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(FILES))
def test_the_cohort_holds_the_scores_of_the_file(shared, name):
    file = shared / "data" / "clinic" / name
    decisions, wanted = FILES[name]
    plan = propose_mapping(file).leaving_out_unknown().decided(accept="all", **decisions)
    cohort = ipt.load_cohort(file, plan)
    scores = cohort.assessments[(cohort.assessments["item"] == 0) & cohort.assessments["value"].notna()]
    table = pd.read_csv(file)
    for instrument, where in wanted.items():
        found = scores.loc[scores["instrument"] == instrument, "value"].astype(float)
        assert sorted(found) == pytest.approx(sorted(where(table).astype(float)))
    if name != "cdisc_example_qs.csv":
        assert set(scores["instrument"]) == set(wanted)


def test_what_is_no_instrument_of_the_registry_is_never_taken_for_one(shared):
    for name in ("antidepressants.csv", "anxiety.csv", "hechler_2014.csv", "jacobson_1989.csv", "lung_survival.csv"):
        proposal = propose_mapping(shared / "data" / "clinic" / name)
        assert any("No scores were recognised" in told for told in proposal.decisions()), name
