"""Whatever stands in a mapping: it is read, or refused in words; never a traceback of something else."""

import contextlib

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.errors import DataError, IptError, OptionError
from ipt_outcomes.io import load_cohort, read_cohort_mapping
from ipt_outcomes.io.cohort.mapping_faults import KEYS

WORDS = [
    "patient_id",
    "phq9",
    "gad7",
    "week",
    "day",
    "arm",
    "start",
    "order",
    "rule",
    "file",
    "sheet",
    "columns",
    "w0",
    "x",
    "",
]
LEAVES = st.one_of(
    st.sampled_from(WORDS), st.integers(-3, 40), st.floats(allow_nan=True), st.booleans(), st.none(),
    st.lists(st.one_of(st.sampled_from(WORDS), st.integers(0, 3)), max_size=3),
)  # fmt: skip
ANYTHING = st.recursive(LEAVES, lambda inner: st.dictionaries(st.sampled_from(WORDS), inner, max_size=3), max_leaves=8)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*KEYS, "colums"]), ANYTHING, max_size=4))
def test_any_mapping_is_read_or_refused(raw):
    try:
        plan = read_cohort_mapping(raw)
    except OptionError:
        return
    assert read_cohort_mapping(plan.to_dict()) == plan


TABLE = pd.DataFrame({"x": ["a", "a"], "w0": [3, 4], "week": [0, 8], "phq9": [9, 4], "start": ["2024-01-01"] * 2})


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from([key for key in KEYS if key != "tables"]), ANYTHING, max_size=3))
def test_any_mapping_loads_or_is_refused(raw):
    with contextlib.suppress(IptError):
        load_cohort(TABLE, {"columns": {"patient_id": "x"}, "left_out": ["w0", "start"]} | raw)


def test_dates_in_a_table_of_their_own_are_a_fault_of_the_mapping():
    with pytest.raises(OptionError, match=r"\[dates\] days must be a column name"):
        read_cohort_mapping({"dates": {"start": "s", "days": {"day": "d"}, "order": "ymd"}})


def test_a_score_without_its_instrument_is_refused():
    table = pd.DataFrame(
        {
            "patient_id": list("aabb"),
            "week": [0, 8, 0, 8],
            "instrument": ["phq9", None, "phq9", "phq9"],
            "value": [1, 2, 3, 4],
        }
    )
    with pytest.raises(DataError, match=r"a score without its instrument in 1 of 4 rows \(row 1\)"):
        load_cohort(table)
    assert len(load_cohort(table.assign(value=[1, None, 3, 4])).assessments) == 3


def test_scores_without_a_time_are_warned_of():
    table = pd.DataFrame({"patient_id": list("aabb"), "week": [0, None, 0, 8], "phq9": [1, 2, 3, 4]})
    entry = next(entry for entry in load_cohort(table).gate.entries if "no time" in entry.detail)
    assert (entry.rule, entry.action, entry.count) == ("L12", "warned", 1)
    assert not [e for e in load_cohort(table.fillna({"week": 8})).gate.entries if "no time" in e.detail]


def test_rows_are_set_aside_where_the_mapping_says_rows():
    table = pd.DataFrame({"patient_id": list("aab"), "week": [0, 8, 0], "phq9": [1, 2, 3], "kind": ["1", "2", "1"]})
    people = load_cohort(table, {"exclude": {"kind": {"2": "no treatment"}}})
    assert (len(people.patients), len(people.assessments)) == (1, 1)
    rows = load_cohort(table, {"exclude": {"kind": {"2": "no treatment"}}, "exclude_rows": ["kind"]})
    assert (len(rows.patients), len(rows.assessments)) == (2, 2)
    with pytest.raises(OptionError, match=r"there is no \[exclude\.kind\]"):
        read_cohort_mapping({"exclude_rows": ["kind"]})
