"""Ids that differ only by zeros, case or blanks: proven different, declared, or refused."""

from __future__ import annotations

import pandas as pd
import pytest

from ipt_outcomes.errors import DataError
from ipt_outcomes.io import load_cohort


def table(ids, weeks):
    return pd.DataFrame({"patient_id": ids, "week": weeks, "phq9": range(10, 10 + len(ids))})


TAKING_TURNS = table(["0001", "0002", "1", "2", "1", "2", "3"], [0, 0, 8, 8, 16, 16, 0])


def test_ids_that_take_turns_are_refused_with_what_to_say():
    with pytest.raises(DataError) as caught:
        load_cohort(TAKING_TURNS)
    text = str(caught.value)
    assert "4 ids differ only by leading zeros, case or blanks (2 groups) and are never seen at the same time" in text
    assert '[ids] alike = "same"' in text
    assert "0001" not in text
    assert caught.value.rows == (0, 1, 2, 3, 4, 5)
    assert set(caught.value.failures["rule"]) == {"L12"}
    assert set(caught.value.failures["found"]) == {""}


def test_ids_side_by_side_are_different_people_and_warned_of():
    cohort = load_cohort(table(["007", "07", "7", "007", "07"], [0, 0, 0, 8, 8]))
    assert len(cohort.patients) == 3
    assert [(e.action, e.count) for e in cohort.gate.entries if e.rule == "L12"] == [("warned", 3)]


def test_all_of_a_group_must_stand_side_by_side():
    with pytest.raises(DataError, match=r"3 ids differ .* \(1 group\)"):
        load_cohort(table(["007", "07", "007", "7"], [0, 0, 8, 8]))


def test_declared_the_same_they_are_one_person():
    cohort = load_cohort(TAKING_TURNS, {"ids": {"alike": "same"}})
    assert len(cohort.patients) == 3
    assert cohort.outcome("phq9")["baseline"].tolist() == [10.0, 10.0, 11.0, 11.0]
    entry = next(e for e in cohort.gate.entries if e.rule == "L12")
    assert (entry.action, entry.count) == ("changed", 4)
    assert "are 2 people, as the mapping says" in entry.detail
    assert cohort.flow.iloc[0]["people"] == 3


def test_declared_different_they_are_each_a_person():
    cohort = load_cohort(TAKING_TURNS, {"ids": {"alike": "different"}})
    assert len(cohort.patients) == 5
    assert [e.action for e in cohort.gate.entries if e.rule == "L12"] == ["warned"]


def test_one_row_per_person_is_side_by_side():
    assert len(load_cohort(pd.DataFrame({"patient_id": ["A1", "a1", "a01"], "phq9": [1, 2, 3]})).patients) == 3
