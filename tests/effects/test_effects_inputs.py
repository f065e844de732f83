"""What users hand over: columns of any kind, gaps, text, impossible numbers, lengths that differ."""

import datetime
import itertools

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.effects import mean_difference, smd, smd_change
from ipt_outcomes.errors import DesignError, IptError

FUNCTIONS = [
    lambda *arms: smd(*arms, better="lower"),
    lambda *arms: smd_change(*arms, better="lower"),
    mean_difference,
]
GOOD = [[10.0, 11.0, 12.0], [2.0, 3.0, 4.0], [20, 30, 40], [13.0, 12.0, 14.0], [2.5, 3.5, 4.5], [21, 31, 41]]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("gap", range(6))
@pytest.mark.parametrize("nothing", [np.nan, None, pd.NA], ids=["nan", "None", "NA"])
def test_a_missing_ingredient_gives_nan_in_place(function, gap, nothing):
    full = function(*GOOD)
    rows = [list(column) for column in GOOD]
    rows[gap][1] = nothing
    effect = function(*rows)
    assert np.isnan(effect.yi).tolist() == np.isnan(effect.vi).tolist() == [False, True, False]
    np.testing.assert_array_equal(effect.yi[[0, 2]], full.yi[[0, 2]])
    assert [flag != "" for flag in effect.flags] == [False, True, False]
    assert "missing" in effect.flags[1]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_all_faults_are_reported_at_once(function):
    with pytest.raises(DesignError) as caught:
        function(
            [1, np.inf, 3, 4, 5, "12,5"],
            [0, 1, -1, 1, 1, 1],
            [20, 20, 20, 1, 20, 20],
            [1, 2, 3, 4, 5, 6],
            [1, 1, 1, 1, np.inf, 1],
            [20, 20, 20, 20, 20, 1.99],
        )
    assert caught.value.rows == (0, 1, 2, 3, 4, 5)
    message = str(caught.value)
    for part in (
        "6 of 6 rows",
        "arm1, row 5: must be a number",
        "arm1, row 1: must be finite",
        "arm1, rows 0, 2: must be above 0",
        "arm1, row 3: must be 2 or more",
        "arm2, row 4: must be above 0 and finite",
        "arm2, row 5: must be 2 or more",
        "counted from 0",
    ):
        assert part in message


def test_a_fault_beside_a_gap_is_still_a_fault():
    with pytest.raises(DesignError, match="sd_arm1, row 0"):
        smd(np.nan, -1, 20, 1, 1, 20, better="lower")


def test_the_column_is_named_where_only_one_is_at_fault():
    with pytest.raises(DesignError) as caught:
        smd(10, [2, 0], 20, 13, 2, 20, better="lower")
    assert caught.value.column == "sd_arm1"
    assert caught.value.rows == (1,)


@pytest.mark.parametrize(
    "cell",
    ["12,5", "12.5", "", "n/a", b"1", True, 1 + 2j, datetime.date(2020, 1, 1), {"a": 1}],
    ids=str,
)
def test_a_cell_that_is_no_number_is_refused_where_it_stands(cell):
    with pytest.raises(DesignError, match=r"mean_arm1, row 1: must be a number") as caught:
        smd([10, cell, 11], 2, 20, 13, 2, 20, better="lower")
    assert caught.value.rows == (1,)


@pytest.mark.parametrize(
    "column",
    [
        np.array(["1", "2"]),
        np.array([1 + 2j, 2]),
        np.array(["2020-01-01", "2020-01-02"], dtype="M8[D]"),
        np.array([True, False]),
        pd.Series(["1,5", "2,5"]),
    ],
    ids=["text", "complex", "dates", "truth", "series of text"],
)
def test_a_column_that_holds_no_numbers_is_refused(column):
    with pytest.raises(DesignError, match="mean_arm1, rows 0, 1: must be a number"):
        smd(column, 2, 20, 13, 2, 20, better="lower")


def test_a_single_text_for_all_rows_is_refused_in_every_row():
    with pytest.raises(DesignError) as caught:
        smd("ten", 2, [20, 30], 13, 2, 20, better="lower")
    assert caught.value.rows == (0, 1)


@pytest.mark.parametrize(
    "kind",
    [
        list,
        tuple,
        np.array,
        pd.Series,
        lambda x: pd.Series(x, index=[9, 4, 1]),
        lambda x: pd.array(x, dtype="Float64"),
        lambda x: np.ma.masked_array(x, mask=False),
        lambda x: np.array(x, dtype=object),
    ],
)
def test_any_kind_of_column_gives_the_same_numbers(kind):
    expected = smd(*GOOD, better="lower")
    found = smd(*(kind(column) for column in GOOD), better=kind(["lower"] * 3) if kind in (list, tuple) else "lower")
    np.testing.assert_array_equal(found.yi, expected.yi)
    np.testing.assert_array_equal(found.vi, expected.vi)


@pytest.mark.parametrize("kind", [np.array, pd.Series, lambda x: pd.Series(x, dtype="category")])
def test_directions_in_any_kind_of_column(kind):
    words = ["lower", "higher", "lower"]
    np.testing.assert_array_equal(smd(*GOOD, better=kind(words)).yi, smd(*GOOD, better=words).yi)


def test_masked_numbers_stay_missing():
    means = np.ma.masked_array([10.0, 999.0, 12.0], mask=[False, True, False])
    assert np.isnan(smd(means, *GOOD[1:], better="lower").yi).tolist() == [False, True, False]


def test_nullable_integers_keep_their_gaps():
    n = pd.array([20, None, 40], dtype="Int64")
    effect = smd(GOOD[0], GOOD[1], n, *GOOD[3:], better="lower")
    assert np.isnan(effect.yi).tolist() == [False, True, False]
    assert effect.flags[1] == "no effect: n_arm1 missing"


def test_single_numbers_are_repeated_and_lengths_must_agree():
    assert len(smd(10, 2, [20, 30], 13, 2, 20, better="lower")) == 2
    assert len(smd(10, 2, 20, 13, 2, 20, better=["lower", "higher"])) == 2
    assert len(smd(10, 2, 20, 13, 2, 20, better="lower")) == 1
    with pytest.raises(DesignError, match="n_arm1 has 3, n_arm2 has 2"):
        smd(10, 2, [20, 30, 40], 13, 2, [20, 30], better="lower")
    with pytest.raises(DesignError, match="n_arm1 has 3, better has 2"):
        smd(10, 2, [20, 30, 40], 13, 2, 20, better=["lower", "higher"])


@pytest.mark.parametrize("shape", [(2, 1), (1, 2), (2, 2)])
def test_a_table_in_place_of_a_column_is_refused(shape):
    with pytest.raises(DesignError, match="mean_arm1 must be a number or one column"):
        smd(np.ones(shape), 2, 20, 13, 2, 20, better="lower")


@pytest.mark.parametrize(
    "column",
    [[[1, 2], [3]], [[1, 2], 3], [np.array([1, 2]), 3], [[], 1], iter([1, 2]), {1: 2}, [None, [1]]],
    ids=range(7),
)
def test_ragged_columns_are_refused_without_a_foreign_traceback(column):
    with pytest.raises(DesignError):
        smd(column, 2, 20, 13, 2, 20, better="lower")


def test_no_rows_give_no_effects():
    for function in FUNCTIONS:
        assert len(function([], [], [], [], [], [])) == 0


@pytest.mark.parametrize("variance", ["LS", "LS2", "UB", "AV", "H0"])
def test_numbers_beyond_floating_point_give_no_effect_and_a_flag(variance):
    effect = smd([1e308, 10], [1e-200, 2], 20, [-1e308, 13], [1e-200, 2], 20, better="lower", variance=variance)
    assert np.isnan(effect.yi).tolist() == [True, False]
    assert "too large or too small" in effect.flags[0]


def test_inputs_are_left_as_they_were():
    columns = [np.array(column, dtype=float) for column in GOOD]
    before = [column.copy() for column in columns]
    smd(*columns, better="lower")
    for column, old in itertools.zip_longest(columns, before):
        np.testing.assert_array_equal(column, old)
        assert column.flags.writeable


def test_every_error_is_one_of_ours():
    for bad in ("x", None, [], {}, object(), [[1]], b"1", float("inf"), -1):
        for place in range(6):
            arms = [10, 2, 20, 13, 2, 20]
            arms[place] = bad
            try:
                effect = smd(*arms, better="lower")
            except IptError:
                continue
            assert not np.isinf(effect.yi).any()
