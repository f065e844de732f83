"""Ratios of SDs and of coefficients of variation, arcsine, probit, Yule's Q, phi, ratio of means from pre to post."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.effects import (
    arcsine_difference,
    cv_ratio,
    incidence_rate_difference,
    log_odds_to_smd,
    mean_difference,
    odds_ratio,
    phi_coefficient,
    probit_difference,
    ratio_of_means,
    ratio_of_means_change,
    risk_ratio,
    variability_ratio,
    yules_q,
)
from ipt_outcomes.errors import DesignError, OptionError

RTOL = 1e-10
SIX = ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")
FOUR = ("ai", "n1i", "ci", "n2i")
RULES = {"only0": "add-half", "all": "add-half-all", "if0all": "add-half-if-any", "none": "none"}
DROP = {"keep00": "keep", "drop00": "drop"}


def numbers(values):
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def same(effect, expected):
    np.testing.assert_allclose(effect.yi, numbers(expected["yi"]), rtol=RTOL, atol=1e-14)
    np.testing.assert_allclose(effect.vi, numbers(expected["vi"]), rtol=RTOL, atol=1e-14)


@pytest.mark.parametrize("name", ["meta/es_two_group_normand1999", "meta/es_two_group_tiny_n"])
def test_variability_agrees_with_metafor(reference, name):
    case = reference(name)
    m1, sd1, n1, m2, sd2, n2 = (case["data"][column] for column in SIX)
    same(variability_ratio(sd1, n1, sd2, n2), case["outputs"]["VR"])
    same(cv_ratio(m1, sd1, n1, m2, sd2, n2), case["outputs"]["CVR"])
    same(mean_difference(m1, sd1, n1, m2, sd2, n2, variance="pooled"), case["outputs"]["MD_HO"])


def test_ratio_of_means_from_pre_to_post_agrees_with_metafor(reference):
    case = reference("meta/es_prepost_morris")
    data = case["data"]
    columns = [data[name] for name in ("m_pre", "sd_pre", "m_post", "sd_post", "ni", "ri")]
    effect = ratio_of_means_change(*columns)
    same(effect, case["outputs"]["ROMC"])
    assert effect.is_ratio


def test_square_root_rates_agree_with_metafor(reference):
    case = reference("meta/es_rates")
    columns = [case["data"][name] for name in ("x1i", "t1i", "x2i", "t2i")]
    effect = incidence_rate_difference(*columns, event="bad", scale="square-root")
    same(effect, case["outputs"]["IRSD"])
    assert effect.measure == "IRSD"
    assert effect.flags == ("", "", "")
    with pytest.raises(OptionError, match="square-root"):
        incidence_rate_difference(*columns, event="bad", scale="log")


@pytest.mark.parametrize("drop", DROP)
@pytest.mark.parametrize("to", RULES)
def test_arcsine_agrees_with_metafor(reference, to, drop):
    case = reference("meta/es_2x2_zero_cells")
    effect = arcsine_difference(*(case["data"][name] for name in FOUR), event="good", double_zero=DROP[drop])
    same(effect, case["outputs"][f"AS_{to}_{drop}"])


@pytest.mark.parametrize("function", [odds_ratio, risk_ratio])
@pytest.mark.parametrize("drop", DROP)
def test_ratios_without_a_rule_agree_with_metafor(reference, function, drop):
    case = reference("meta/es_2x2_zero_cells")
    key = {odds_ratio: "OR", risk_ratio: "RR"}[function]
    effect = function(*(case["data"][n] for n in FOUR), event="good", zero_cells="none", double_zero=DROP[drop])
    same(effect, case["outputs"][f"{key}_none_{drop}"])


@pytest.mark.parametrize(("distribution", "key"), [("logistic", "OR2DL"), ("normal", "OR2DN")])
@pytest.mark.parametrize("to", RULES)
@pytest.mark.parametrize("drop", DROP)
def test_odds_to_g_agrees_with_metafor(reference, to, drop, distribution, key):
    case = reference("meta/es_2x2_zero_cells")
    log_or = odds_ratio(
        *(case["data"][name] for name in FOUR), event="good", zero_cells=RULES[to], double_zero=DROP[drop]
    )
    same(log_odds_to_smd(log_or.yi, log_or.vi, distribution=distribution), case["outputs"][f"{key}_{to}_{drop}"])


@pytest.mark.parametrize(("function", "key"), [(probit_difference, "PBIT"), (yules_q, "YUQ"), (phi_coefficient, "PHI")])
def test_association_agrees_with_metafor(reference, function, key):
    case = reference("meta/es_2x2_zero_cells")
    effect = function(*(case["data"][name] for name in FOUR), event="good")
    same(effect, case["outputs"][f"{key}_only0_keep00"])


def test_rows_without_a_measure_say_so_and_keep_their_place():
    effect = phi_coefficient([0, 3], [20, 20], [0, 2], [20, 20], event="bad")
    assert np.isnan(effect.yi).tolist() == [True, False]
    assert "not defined" in effect.flags[0]
    assert effect.flags[1] == ""
    cv = cv_ratio([-1, 5], [2, 2], 20, [3, 4], [2, 2], 20)
    assert np.isnan(cv.yi).tolist() == [True, False]
    assert "differ in sign" in cv.flags[0]
    change = ratio_of_means_change([0, 5], 2, 3, 2, 20, 0.5)
    assert np.isnan(change.yi).tolist() == [True, False]
    missing = variability_ratio([2, np.nan], 20, 3, 20)
    assert np.isnan(missing.yi).tolist() == [False, True]


@pytest.mark.parametrize(
    "call",
    [
        lambda: variability_ratio([2, 0], 20, [-1, 3], 20),
        lambda: variability_ratio(2, [1, 20], 3, [20, 0]),
        lambda: ratio_of_means_change(5, [2, 2], 3, 2, [20, 1], [1.0, 0.5]),
        lambda: yules_q([5, 21], [20, 20], [3, 3], [2, 20], event="good"),
    ],
)
def test_impossible_numbers_are_refused_with_all_rows(call):
    with pytest.raises(DesignError) as caught:
        call()
    assert caught.value.rows == (0, 1)


counts = st.integers(1, 29)


@given(a=counts, c=counts, n=st.integers(30, 60), m=st.integers(30, 60))
def test_turning_arms_round_turns_the_sign(a, c, n, m):
    for function in (arcsine_difference, probit_difference, yules_q, phi_coefficient):
        one, other = function(a, n, c, m, event="good"), function(c, m, a, n, event="good")
        np.testing.assert_allclose(one.yi, -other.yi, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(one.vi, other.vi, rtol=1e-9)
    good, bad = probit_difference(a, n, c, m, event="good"), probit_difference(a, n, c, m, event="bad")
    assert good.yi[0] == -bad.yi[0] + 0.0


@given(sd1=st.floats(0.5, 20), sd2=st.floats(0.5, 20), m1=st.floats(1, 50), m2=st.floats(1, 50), unit=st.floats(0.1, 9))
def test_ratios_do_not_know_the_unit(sd1, sd2, m1, m2, unit):
    arms, other = (m1, sd1, 30, m2, sd2, 40), (m1 * unit, sd1 * unit, 30, m2 * unit, sd2 * unit, 40)
    np.testing.assert_allclose(cv_ratio(*arms).yi, cv_ratio(*other).yi, rtol=1e-9, atol=1e-9)
    plain = variability_ratio(sd1, 30, sd2, 40)
    np.testing.assert_allclose(plain.yi, variability_ratio(sd1 * unit, 30, sd2 * unit, 40).yi, atol=1e-9)
    # SD over mean is the ratio of SDs less that of means
    rom = ratio_of_means(*arms)
    np.testing.assert_allclose(cv_ratio(*arms).yi, plain.yi - rom.yi, rtol=1e-9, atol=1e-9)
