"""Facts of instruments that the mapping sets: in scoring, in the cohort, in every place that uses a cut-off."""

import json

import pandas as pd
import pytest

from ipt_outcomes import clinic, trial
from ipt_outcomes.errors import DataError
from ipt_outcomes.io import load_cohort
from ipt_outcomes.io.exchange import read_saved, save_cohort

PHQ = [f"phq9_{n}" for n in range(1, 10)]
SOURCE = "validation study of the region"


def courses(n=12):
    rows = []
    for k in range(n):
        rows += [
            {"patient_id": f"p{k}", "week": 0, "session_no": 1, "attended": "attended", "phq9": 11 + k % 8},
            {"patient_id": f"p{k}", "week": 8, "session_no": 8, "attended": "attended", "phq9": 10 if k % 2 else 5},
        ]
    return pd.DataFrame(rows)


def test_an_own_rule_for_unanswered_items_is_used_and_said():
    table = pd.DataFrame([[1] * 9], columns=PHQ).assign(patient_id="a", week=0)
    table[["phq9_1", "phq9_2", "phq9_3"]] = None
    plain = load_cohort(table)
    assert plain.assessments.loc[plain.assessments["item"] == 0, "value_status"].tolist() == ["incomplete"]
    own = load_cohort(table, {"instruments": {"phq9": {"max_missing": 3, "source": SOURCE}}})
    assert own.assessments.loc[own.assessments["item"] == 0, "value"].tolist() == [9.0]
    assert f"PHQ-9: max missing 3 (set by the user: {SOURCE})" in own.notes
    assert any(f"(the instrument's rule (set by the user: {SOURCE}))" in note for note in own.notes)


def test_an_own_range_is_what_scores_are_held_against():
    table = pd.DataFrame({"patient_id": ["a"], "week": [0], "phq9": [30]})
    with pytest.raises(DataError, match="outside 0-27"):
        load_cohort(table)
    own = {"instruments": {"phq9": {"maximum": 36, "source": SOURCE}}}
    assert load_cohort(table, own).assessments["value"].tolist() == [30.0]
    with pytest.raises(DataError, match="outside 0-36"):
        load_cohort(table.assign(phq9=40), own)
    rows = pd.DataFrame({"patient_id": ["a"], "week": [0], "instrument": ["phq9"], "value": [30]})
    assert load_cohort(rows, own).assessments["value"].tolist() == [30.0]


def test_the_cohort_carries_its_instruments_through_where_and_saving(tmp_path):
    own = {"instruments": {"PHQ-9": {"cutoff": 12, "source": SOURCE}}}
    cohort = load_cohort(courses().assign(site="N"), own)
    told = f"PHQ-9: a total of 12 or more (set by the user: {SOURCE})"
    assert cohort.instrument("phq9").rule("caseness_min") == told
    assert told in cohort.notes
    assert cohort.instrument("gad7").rule("caseness_min") == "GAD-7: a total of 8 or more"
    assert cohort.where(site="N").instrument("PHQ-9").rule("caseness_min") == told
    saved = read_saved(save_cohort(cohort, tmp_path / "saved", rows_for="own_team"))
    assert saved.instrument("phq9") == cohort.instrument("phq9")
    assert saved.own_facts == cohort.own_facts


def test_a_review_judges_by_the_own_cut_and_says_whose_it_is():
    own = {"instruments": {"phq9": {"cutoff": 12, "remission": 4, "source": SOURCE}}}
    plain, changed = (clinic.review(load_cohort(courses(), mapping)) for mapping in (None, own))
    one, other = (next(m for m in review.measures if m.name == "phq9").cuts[0] for review in (plain, changed))
    assert (one.caseness, other.caseness) == (10.0, 12.0)
    assert other.sources["caseness"] == f"set by the user: {SOURCE}"
    assert other.is_own("caseness")
    assert not other.is_own("reliable_change")
    assert other.sources["reliable_change"] == one.sources["reliable_change"]


def test_a_cut_that_contradicts_remission_is_refused():
    from ipt_outcomes.errors import OptionError

    with pytest.raises(OptionError, match=r"in remission \(4\) would still be a case \(4\)"):
        load_cohort(courses(), {"instruments": {"phq9": {"cutoff": 4, "source": SOURCE}}})


def test_a_trial_takes_its_direction_and_range_from_the_cohort():
    rows = []
    for k in range(12):
        for week, value in ((0, 20), (8, 20 + k)):
            rows.append({"patient_id": f"p{k}", "arm": ("ipt", "tau")[k % 2], "week": week, "who5": value})
    own = {"who5": {"better": "lower", "source": SOURCE}}
    for mapping, better in (({}, "higher"), ({"instruments": own}, "lower")):
        data = trial.data.trial_data(load_cohort(pd.DataFrame(rows), mapping), "who5")
        assert data.instrument.better == better


def test_own_facts_are_json_in_the_saved_folder(tmp_path):
    own = {"instruments": {"phq9": {"risk_items": [{"item": 9, "flag_min": 2}], "source": SOURCE}}}
    folder = save_cohort(load_cohort(courses(), own), tmp_path / "saved", rows_for="own_team")
    record = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))["ipt:cohort"]
    assert record["own_facts"] == own["instruments"]
