"""Proposals for the public data sets: how many columns are rightly recognised, and cohorts equal to those by hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.io import propose_mapping
from ipt_outcomes.io.propose import ProposedMapping

pytestmark = pytest.mark.shared

SESSIONS = [f"bdi2@session_{n}" for n in range(1, 13)]
# Headings in order and what each is, as a person who knows the data would say; "" is nothing the dictionary has.
# An instrument whose version the file does not tell (bdi, hamd, phq) counts as right under its first version (a guess).
TRUTH = {
    "clinic/sgdata_bad.csv": [
        "patient_id", "bdi2@baseline", *SESSIONS, "bdi2@followup_1", "bdi2@followup_2", *[""] * 15,
    ],
    "clinic/sgdata.csv": [
        "patient_id", "bdi2@session_0", *SESSIONS, "bdi2@followup_1", "bdi2@followup_2", *[""] * 15,
    ],
    "clinic/browne_simulated_missing_data.sav": [
        "patient_id", "arm", "sex", "age", "", "", "",
        *[cell for n in (1, 2, 3, 4) for cell in (f"madrs@visit_{n}", "", "", f"cesd@visit_{n}", "")],
    ],
    "clinic/enrichd_bdi.csv": ["patient_id", "day", "bdi2", "", ""],
    "clinic/claus_2020.csv": ["patient_id", "age", "sex", "arm", "visit", "bdi2", "", "who5", "hrsd17"],
    "clinic/riesby.csv": ["patient_id", "hrsd17", "", "week", "", ""],
    "clinic/antidepressant_rbmi.csv": [
        "patient_id", "", "", "day", "visit", "arm", "sex", "site_id", "hrsd17:baseline", "hrsd17", "",
    ],
    "clinic/beat_the_blues.csv": [
        "patient_id", "medication_concurrent", "", "arm", "bdi2@baseline", *[f"bdi2@month_{n}" for n in (2, 3, 5, 8)],
    ],
    "clinic/antidepressants.csv": ["patient_id", "arm", "visit", ""],
    "clinic/anxiety.csv": ["patient_id", "arm", "visit", ""],
    "clinic/hechler_2014.csv": ["patient_id", "visit", ""],
    "clinic/jacobson_1989.csv": ["patient_id", "visit", "", ""],
    "clinic/made_time_to_response.csv": ["patient_id", "arm", "", "", "censor_reason"],
    "clinic/made_therapists.csv": ["therapist_id", "phq9@visit_0", "wsas@visit_0", "", "phq9@visit_1", "", "site_id"],
    "clinic/cdisc_example_qs.csv": ["", "patient_id", "", "instrument", "", "visit", "", "", "", "", "value"],
    "statfiles/made/trial_usermissing.sav": [
        "patient_id", "arm", "phq9@baseline", "phq9@week_16", "hrsd17@baseline", "problem_area_primary", "site_id",
        "", "",
    ],
    "statfiles/made/trial_extmissing.dta": [
        "patient_id", "arm", "phq9@baseline", "phq9@week_16", "hrsd17@baseline", "problem_area_primary", "",
    ],
    "statfiles/made/small.por": ["patient_id", "phq9"],
    "statfiles/made/duplicate_labels.sav": ["patient_id", "arm"],
    "statfiles/haven/hadley.sas7bdat": ["patient_id", "", "sex", "", "", "", ""],
}  # fmt: skip


def told(proposal: ProposedMapping) -> list[tuple[str, str]]:
    """What each column becomes, in the words of TRUTH, and how sure that is."""
    found = []
    for line in proposal.lines:
        name = {"wide": f"{line.name}@{line.visit}", "baseline": f"{line.name}:baseline"}.get(line.part, line.name)
        found.append((name, line.sure))
    return found


@pytest.mark.parametrize("name", list(TRUTH))
def test_nothing_is_taken_for_what_it_is_not(shared, name):
    for (found, sure), right in zip(told(propose_mapping(shared / "data" / name)), TRUTH[name], strict=True):
        assert found in (right, "") or sure == "guess", (found, right)


def test_share_of_columns_rightly_recognised(shared):
    pairs = [
        (found, right)
        for name, truth in TRUTH.items()
        for (found, _), right in zip(told(propose_mapping(shared / "data" / name)), truth, strict=True)
    ]
    right = sum(found == truth for found, truth in pairs)
    named = [(found, truth) for found, truth in pairs if truth]
    hit = sum(found == truth for found, truth in named)
    # 193 of 194 columns, 114 of the 115 that are anything; what is missed waits for a decision.
    assert right >= 0.99 * len(pairs), [pair for pair in pairs if pair[0] != pair[1]]
    assert hit >= 0.99 * len(named)


def same_scores(cohort: ipt.io.Cohort, by_hand: ipt.io.Cohort) -> None:
    keys = ["patient_id", "instrument", "week"]
    columns = [*keys, "value", "value_status"]
    one, other = (c.assessments[columns].sort_values(keys, ignore_index=True) for c in (cohort, by_hand))
    pd.testing.assert_frame_equal(one, other)
    pd.testing.assert_frame_equal(cohort.episodes, by_hand.episodes)


def test_browne_by_proposal_and_decisions_equals_browne_by_hand(shared):
    file = shared / "data" / "clinic" / "browne_simulated_missing_data.csv"
    proposal = propose_mapping(file)
    assert proposal.hints == ("a mapping for this file comes with the package: --mapping browne-dysthymia",)
    plan = proposal.leaving_out_unknown().decided(
        left_out=["sex", "age"],
        codes={"arm": {"1": "medication", "2": "ipt_medication", "3": "ipt"}},
        visits={"visit_2": 26, "visit_3": 52, "visit_4": 104},
    )
    same_scores(ipt.load_cohort(file, plan), ipt.load_cohort(file, "browne-dysthymia"))


def test_enrichd_by_proposal_and_decisions_equals_enrichd_by_hand(shared):
    file = shared / "data" / "clinic" / "enrichd_bdi.csv"
    plan = (
        propose_mapping(file)
        .leaving_out_unknown()
        .decided(accept=["time"], columns={"bdi1": "BDI"}, constants={"arm": "cbt"}, duplicates={"rule": "mean"})
    )
    same_scores(ipt.load_cohort(file, plan), ipt.load_cohort(file, "enrichd-bdi"))


def test_the_hard_names_load_as_the_easy_ones(shared):
    # sgdata_bad.csv is sgdata.csv with other names (its second column is session 0).
    plans = {}
    for name, first in (("sgdata.csv", "session_0"), ("sgdata_bad.csv", "baseline")):
        file = shared / "data" / "clinic" / name
        decided = propose_mapping(file).leaving_out_unknown().decided(
            accept="all", visits={"followup_1": 38, "followup_2": 64}
        )  # fmt: skip
        assert decided.visits[first] == 0
        plans[name] = ipt.load_cohort(file, decided)
    columns = ["instrument", "week", "value"]
    easy, hard = (c.assessments[columns].sort_values(columns, ignore_index=True) for c in plans.values())
    pd.testing.assert_frame_equal(easy, hard)


def test_labels_of_an_spss_file_are_used(shared):
    file = shared / "data" / "statfiles" / "made" / "trial_undeclared999.sav"
    proposal = propose_mapping(file)
    missing = {(code.name, code.written): code.code for code in proposal.codes if code.part == "missing"}
    assert missing["phq_base", "999"] == "Missing"
    assert missing["phq_w16", "997"] == "Refused"
    codes = {code.written: code.code for code in proposal.codes if code.name == "arm"}
    assert codes == {"1": "ipt", "2": "other_control", "9": None}


def test_every_readable_file_gets_a_proposal(shared):
    from ipt_outcomes.errors import IptError
    from ipt_outcomes.io.guarded import reading_session

    done = 0
    with reading_session():
        for file in sorted((shared / "data" / "statfiles").rglob("*")):
            if file.is_file() and file.suffix != ".md":
                try:
                    proposal = propose_mapping(file)
                except IptError:
                    continue
                done += 1
                assert proposal.to_toml().startswith("# A proposed mapping of")
                assert len(proposal.to_frame()) == len(proposal.lines)
    assert done > 40


@pytest.mark.parametrize(
    "name", ["metapsy-depression-psyctr", "metapsy-depression-inpatients", "metapsy-total-response"]
)
def test_tables_of_studies_are_told_from_patients(shared, name):
    assert propose_mapping(Path(shared) / "data" / name / "data.csv").kind == "comparisons"
