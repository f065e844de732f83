"""Odds ratio, risk ratio and risk difference against R's metafor, the cases and hand arithmetic."""

import csv
import math
import tomllib

import numpy as np
import pytest

from ipt_outcomes.effects import odds_ratio, risk_difference, risk_ratio, smd_from_events
from ipt_outcomes.errors import DesignError, OptionError

RTOL = 1e-10
MEASURES = {"OR": odds_ratio, "RR": risk_ratio, "RD": risk_difference}
TO = {"only0": "add-half", "all": "add-half-all", "if0all": "add-half-if-any", "none": "none"}
DROP = {"keep00": "keep", "drop00": "drop"}


def four(data):
    return [data[name] for name in ("ai", "n1i", "ci", "n2i")]


def numbers(values):
    return np.array([np.nan if value is None else value for value in values], dtype=float)


@pytest.mark.parametrize("drop", DROP)
@pytest.mark.parametrize("to", TO)
@pytest.mark.parametrize("measure", MEASURES)
def test_every_zero_cell_rule_agrees_with_metafor(reference, measure, to, drop):
    case = reference("meta/es_2x2_zero_cells")
    expected = case["outputs"][f"{measure}_{to}_{drop}"]
    effect = MEASURES[measure](*four(case["data"]), event="good", zero_cells=TO[to], double_zero=DROP[drop])
    np.testing.assert_allclose(effect.yi, numbers(expected["yi"]), rtol=RTOL, atol=1e-15)
    np.testing.assert_allclose(effect.vi, numbers(expected["vi"]), rtol=RTOL, atol=1e-15)
    assert effect.measure == measure


@pytest.mark.parametrize("drop", DROP)
@pytest.mark.parametrize("to", TO)
def test_smd_from_events_agrees_with_metafor(reference, to, drop):
    case = reference("meta/es_2x2_zero_cells")
    expected = case["outputs"][f"OR2DL_{to}_{drop}"]
    effect = smd_from_events(
        *four(case["data"]), event="good", convention="metafor", zero_cells=TO[to], double_zero=DROP[drop]
    )
    np.testing.assert_allclose(effect.yi, numbers(expected["yi"]), rtol=RTOL)
    np.testing.assert_allclose(effect.vi, numbers(expected["vi"]), rtol=RTOL)


def test_case_03_one_empty_cell(cases):
    folder = cases / "03-or-one-zero-cell"
    case = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    with (folder / "table.csv").open(encoding="utf-8", newline="") as file:
        arms = {row["arm"]: (int(row["events"]), int(row["n"])) for row in csv.DictReader(file)}
    effect = odds_ratio(*arms["IPT"], *arms["Control"], event="bad")
    low, high = effect.ci()
    found = [effect.yi[0], effect.se[0], math.exp(effect.yi[0]), math.exp(low[0]), math.exp(high[0])]
    expected = [case["expected"][name] for name in ("log_or", "se", "or", "ci_low", "ci_high")]
    np.testing.assert_allclose(found, expected, atol=case["tolerance"], rtol=0)
    assert effect.flags == ("0.5 added to all four cells: a cell is 0",)


def test_case_04_double_zero_study_is_left_out_in_place(cases):
    folder = cases / "04-or-double-zero-studies"
    case = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    with (folder / "studies.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = [[int(row[name]) for row in rows] for name in ("events_ipt", "n_ipt", "events_control", "n_control")]
    effect = odds_ratio(*columns, event="bad", double_zero="drop")
    assert np.isnan(effect.yi).tolist() == [True, False, False, False]
    assert np.isnan(effect.vi).tolist() == [True, False, False, False]
    np.testing.assert_allclose(effect.yi[1:], case["expected"]["log_or"], atol=case["tolerance"], rtol=0)
    np.testing.assert_allclose(effect.vi[1:], case["expected"]["var"], atol=case["tolerance"], rtol=0)
    assert effect.flags == (
        "no events in either arm: left out",
        "0.5 added to all four cells: a cell is 0",
        "",
        "",
    )


def test_treatment_arm_correction_is_the_reciprocal_of_the_opposite_arm():
    effect = odds_ratio([0, 3], [10, 10], [5, 4], [30, 30], event="bad", zero_cells="treatment-arm")
    # proportional to 1/30 and 1/10, adding up to 1: 0.25 and 0.75
    a, b, c, d = 0.25, 10.25, 5.75, 25.75
    assert effect.yi[0] == pytest.approx(math.log(a * d / (b * c)), rel=1e-12)
    assert effect.vi[0] == pytest.approx(1 / a + 1 / b + 1 / c + 1 / d, rel=1e-12)
    assert effect.yi[1] == pytest.approx(math.log(3 * 26 / (7 * 4)), rel=1e-12)
    assert effect.flags[0].startswith("n1/N added to both cells of arm 1")
    assert effect.flags[1] == ""


@pytest.mark.parametrize("function", MEASURES.values())
def test_treatment_arm_correction_is_a_half_where_arms_are_equal(function):
    table = ([0, 4], [20, 20], [3, 5], [20, 20])
    by_arm = function(*table, event="bad", zero_cells="treatment-arm")
    half = function(*table, event="bad", zero_cells="add-half")
    np.testing.assert_allclose(by_arm.yi, half.yi, rtol=1e-12)
    np.testing.assert_allclose(by_arm.vi, half.vi, rtol=1e-12)


def test_treatment_arm_correction_leaves_a_double_zero_row_at_no_effect():
    # the point of the rule: with 0.5 in unequal arms a row without events shows an effect
    for function in MEASURES.values():
        by_arm = function(0, 10, 0, 30, event="bad", zero_cells="treatment-arm")
        half = function(0, 10, 0, 30, event="bad", zero_cells="add-half")
        assert abs(by_arm.yi[0]) < abs(half.yi[0])
    assert risk_ratio(0, 10, 0, 30, event="bad", zero_cells="treatment-arm").yi[0] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("function", "zero_cells", "double_zero", "expected"),
    [
        (odds_ratio, "add-half", "keep", "rests on the correction alone"),
        (odds_ratio, "treatment-arm", "keep", "rests on the correction alone"),
        (odds_ratio, "none", "keep", "no effect: a cell is 0 and nothing was added"),
        (odds_ratio, "add-half", "drop", "no events in either arm: left out"),
        (odds_ratio, "none", "drop", "no events in either arm: left out"),
        (risk_ratio, "add-half", "keep", "rests on the correction alone"),
        (risk_ratio, "none", "keep", "no effect: a cell is 0 and nothing was added"),
        (risk_difference, "add-half", "keep", "the difference is 0 before the correction"),
        (risk_difference, "none", "keep", "the variance is 0"),
        (risk_difference, "none", "drop", "no events in either arm: left out"),
    ],
)
def test_a_row_without_events_is_flagged_whatever_the_rule(function, zero_cells, double_zero, expected):
    effect = function([0, 4], 20, [0, 6], 25, event="bad", zero_cells=zero_cells, double_zero=double_zero)
    assert expected in effect.flags[0]
    assert effect.flags[1] == ""


@pytest.mark.parametrize(
    ("function", "expected"),
    [(odds_ratio, "rests on the correction alone"), (risk_difference, "is 0 before the correction")],
)
def test_a_row_with_nothing_but_events_is_flagged(function, expected):
    assert expected in function(20, 20, 25, 25, event="good").flags[0]
    dropped = function(20, 20, 25, 25, event="good", double_zero="drop")
    assert np.isnan(dropped.yi[0])
    assert dropped.flags == ("nothing but events in both arms: left out",)


def test_risk_difference_of_a_double_zero_row_is_a_real_zero():
    effect = risk_difference([0, 4], 20, [0, 6], 25, event="bad", zero_cells="none")
    assert effect.yi[0] == 0
    assert effect.yi[1] == pytest.approx(4 / 20 - 6 / 25, rel=1e-13)


def test_if_any_says_why_a_row_without_zero_was_changed():
    effect = odds_ratio([0, 4], 20, [3, 6], 25, event="bad", zero_cells="add-half-if-any")
    assert effect.flags == (
        "0.5 added to all four cells: a cell is 0",
        "0.5 added to all four cells: another row has a cell of 0",
    )
    untouched = odds_ratio([2, 4], 20, [3, 6], 25, event="bad", zero_cells="add-half-if-any")
    assert untouched.flags == ("", "")


def test_if_any_counts_neither_dropped_nor_incomplete_rows():
    table = ([0, 0, 4], [20, 20, 20], [0, np.nan, 6], [25, 25, 25])
    effect = odds_ratio(*table, event="bad", zero_cells="add-half-if-any", double_zero="drop")
    assert effect.flags == ("no events in either arm: left out", "no effect: event_arm2 missing", "")
    assert effect.yi[2] == pytest.approx(math.log(4 * 19 / (16 * 6)), rel=1e-13)


@pytest.mark.parametrize("function", [*MEASURES.values(), smd_from_events])
def test_event_has_no_default_and_two_values(function):
    with pytest.raises(TypeError, match="event"):
        function(4, 20, 6, 25)
    with pytest.raises(OptionError, match="event must be one of 'good', 'bad'; got 'neutral'"):
        function(4, 20, 6, 25, event="neutral")


@pytest.mark.parametrize("function", MEASURES.values())
def test_event_is_recorded_and_changes_no_number(function):
    good, bad = (function(4, 20, 6, 25, event=event) for event in ("good", "bad"))
    assert (good.event, bad.event) == ("good", "bad")
    assert good.yi[0] == bad.yi[0] < 0


@pytest.mark.parametrize("function", [*MEASURES.values(), smd_from_events])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"zero_cells": "half"},
            ["'add-half'", "'add-half-all'", "'add-half-if-any'", "'treatment-arm'", "'none'"],
        ),
        ({"double_zero": "omit"}, ["'keep'", "'drop'"]),
    ],
)
def test_unknown_options_list_the_choices(function, options, words):
    with pytest.raises(OptionError) as caught:
        function(4, 20, 6, 25, event="good", **options)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("function", [*MEASURES.values(), smd_from_events])
def test_impossible_tables_are_all_listed(function):
    with pytest.raises(DesignError) as caught:
        function([21, 4, -1, 4, 4], [20, 20, 20, 0, 20], [6, 6, 6, 0, np.inf], [25, 25, 25, 25, 25], event="good")
    message = str(caught.value)
    assert caught.value.rows == (0, 2, 3, 4)
    assert "event_arm1, rows 0, 3: must not be above totaln_arm1" in message
    assert "event_arm1, row 2: must be 0 or more" in message
    assert "totaln_arm1, row 3: must be 1 or more" in message
    assert "event_arm2, row 4" in message


@pytest.mark.parametrize("function", [*MEASURES.values(), smd_from_events])
@pytest.mark.parametrize("gap", range(4))
def test_a_missing_ingredient_gives_nan_in_place(function, gap):
    table = [[4.0, 5.0, 6.0], [20.0] * 3, [6.0, 7.0, 8.0], [25.0] * 3]
    full = function(*table, event="good")
    table[gap][1] = np.nan
    effect = function(*table, event="good")
    assert np.isnan(effect.yi).tolist() == np.isnan(effect.vi).tolist() == [False, True, False]
    np.testing.assert_array_equal(effect.yi[[0, 2]], full.yi[[0, 2]])
    assert "missing" in effect.flags[1]
