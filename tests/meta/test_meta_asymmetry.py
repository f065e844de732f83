"""Egger's relatives: participants as predictor, modified standard errors, tests for events."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.effects import arcsine_difference, odds_ratio, peto, smd
from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.meta import egger, egger_events

COUNTS = ([5, 8, 12, 3, 20, 0], [30, 40, 50, 12, 61, 22], [9, 10, 20, 8, 24, 3], [30, 38, 52, 13, 60, 20])
N1, N2 = np.array([30, 42, 18, 55, 71]), np.array([28, 40, 20, 50, 74])
EFFECTS = smd([10, 11, 9, 12, 10.5], 6.0, N1, [13, 12.2, 14, 13.1, 12], 6.4, N2, better="lower")


def check(result, line):
    slope, limit = line.params[1], line.params[0]
    assert (result.slope, result.limit_estimate) == pytest.approx((slope, limit), rel=1e-8)
    assert (result.slope_se, result.p_value) == pytest.approx((line.bse[1], line.pvalues[1]), rel=1e-8)
    low, high = line.conf_int()[0]
    assert (result.ci_low, result.ci_high) == pytest.approx((low, high), rel=1e-8)


@pytest.mark.parametrize("predictor", ["n", "inverse-n", "modified-se"])
def test_predictors_are_weighted_regressions(predictor):
    result = egger(EFFECTS, predictor=predictor, n_arm1=N1, n_arm2=N2)
    total = N1 + N2
    variance = 1 / N1 + 1 / N2 if predictor == "modified-se" else EFFECTS.vi
    x = {"n": total, "inverse-n": 1 / total, "modified-se": np.sqrt(variance)}[predictor]
    check(result, sm.WLS(EFFECTS.yi, sm.add_constant(x), weights=1 / variance).fit())
    assert result.predictor == predictor
    assert {"n": "number of participants", "inverse-n": "reciprocal", "modified-se": "1/n1"}[predictor] in result.method


def test_the_modified_standard_error_does_not_follow_the_effect():
    """Equal arms: larger effects have larger standard errors, not larger modified ones."""
    effects = smd([10.0] * 4, 6.0, 30, [10, 13, 16, 19], 6.0, 30, better="lower")
    assert np.ptp(effects.se) > 0
    with pytest.raises(DesignError, match="all are the same"):
        egger(effects, predictor="modified-se", n_arm1=[30] * 4, n_arm2=[30] * 4)


def test_rows_without_participants_are_left_out_and_bad_ones_refused():
    sizes = N1.astype(float)
    sizes[1] = np.nan
    result = egger(EFFECTS, predictor="n", n_arm1=sizes, n_arm2=N2)
    assert (result.k, result.n_dropped) == (4, 1)
    with pytest.raises(DesignError, match="above 0 in row 2") as caught:
        egger(EFFECTS, predictor="n", n_arm1=[30, 42, 0, 55, 71], n_arm2=N2)
    assert caught.value.column == "n_arm1"
    with pytest.raises(OptionError, match="needs n_arm2"):
        egger(EFFECTS, predictor="n", n_arm1=N1)
    with pytest.raises(DesignError, match="one entry per effect"):
        egger(EFFECTS, predictor="n", n_arm1=N1[:2], n_arm2=N2)


def test_several_effects_per_study_stay_robust_with_other_predictors():
    study = ["A", "A", "B", "C", "D"]
    result = egger(EFFECTS, predictor="inverse-n", n_arm1=N1, n_arm2=N2, study=study)
    plain = egger(EFFECTS, predictor="inverse-n", n_arm1=N1, n_arm2=N2)
    assert result.naive.p_value == plain.p_value
    assert result.slope == pytest.approx(plain.slope, rel=1e-9)
    assert "in `naive`" in result.summary()


def test_harbord_is_eggers_test_of_the_score():
    result = egger_events(*COUNTS)
    score = peto(*COUNTS, event="bad", zero_cells="none")
    expected = egger(score)
    assert (result.statistic, result.p_value) == pytest.approx((expected.statistic, expected.p_value), rel=1e-12)
    # as Harbord writes it: Z/sqrt(V) on sqrt(V), unweighted; the test is that of the intercept
    line = sm.OLS(score.yi / score.se, sm.add_constant(1 / score.se)).fit()
    assert result.statistic == pytest.approx(line.tvalues[0], rel=1e-8)


def test_peters_is_a_regression_on_1_over_n():
    result = egger_events(*COUNTS, method="peters")
    a, n1, c, n2 = (np.array(x, dtype=float) for x in COUNTS)
    effects = odds_ratio(*COUNTS, event="bad")
    weight = (a + c) * (n1 + n2 - a - c) / (n1 + n2)
    check(result, sm.WLS(effects.yi, sm.add_constant(1 / (n1 + n2)), weights=weight).fit())
    assert "Peters" in result.summary()


def test_arcsine_is_eggers_test_of_the_arcsine_difference():
    result = egger_events(*COUNTS, method="arcsine")
    expected = egger(arcsine_difference(*COUNTS, event="bad"))
    assert result.p_value == pytest.approx(expected.p_value, rel=1e-12)


def test_studies_without_information_and_refusals():
    counts = [[*column, extra] for column, extra in zip(COUNTS, (0, 20, 0, 25), strict=True)]
    for method, k in (("harbord", 6), ("peters", 6), ("arcsine", 7)):
        result = egger_events(*counts, method=method)
        assert (result.k, result.n_dropped) == (k, 7 - k)
    with pytest.raises(DesignError, match="at least 3 studies"):
        egger_events([5, 6], [30, 30], [4, 3], [30, 31])
    with pytest.raises(DesignError) as caught:
        egger_events([5, 31, 4], [30, 30, 20], [4, 3, 2], [30, 31, 20])
    assert caught.value.rows == (1,)
    with pytest.raises(OptionError, match="method must be one of"):
        egger_events(*COUNTS, method="deeks")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 9999), st.sampled_from(["harbord", "peters", "arcsine"]))
def test_turning_arms_round_turns_the_sign(seed, method):
    rng = np.random.default_rng(seed)
    n1, n2 = rng.integers(20, 90, 7), rng.integers(20, 90, 7)
    a, c = rng.binomial(n1, 0.4), rng.binomial(n2, 0.3)
    one, other = egger_events(a, n1, c, n2, method=method), egger_events(c, n2, a, n1, method=method)
    assert other.statistic == pytest.approx(-one.statistic, rel=1e-7, abs=1e-9)
    order = rng.permutation(7)
    mixed = egger_events(a[order], n1[order], c[order], n2[order], method=method)
    assert mixed.p_value == pytest.approx(one.p_value, rel=1e-8)
