"""Permutation tests, all subsets, shares of true effects beyond a threshold, p-curves."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from scipy import stats

from ipt_outcomes.effects import odds_ratio
from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.meta import gosh, p_curve, permutation_test, pool, proportion_beyond, regression

Y, V = np.array([0.4, 0.5, 0.2, 0.6, -0.1]), np.array([0.04, 0.05, 0.03, 0.06, 0.04])
X = [1.0, 2, 3, 5, 8]


@pytest.mark.parametrize("test", ["z", "knapp-hartung"])
@pytest.mark.parametrize("tau2", ["REML", "DL"])
def test_all_signs_of_a_pooled_effect(tau2, test):
    fit = pool(Y, V, tau2=tau2, test=test)
    found = [
        abs(pool(Y * np.array(signs), V, tau2=tau2, test=test).statistic)
        for signs in itertools.product([1, -1], repeat=5)
    ]
    result = permutation_test(fit)
    assert (result.exact, result.draws) == (True, 32)
    expected = np.mean(np.array(found) >= abs(fit.statistic) * (1 - 1e-9))
    assert result.coefficients["p_value"][0] == pytest.approx(expected, rel=1e-12)
    assert result.coefficients["p_value_asymptotic"][0] == pytest.approx(fit.p_value, rel=1e-10)
    assert "0.0625" in result.summary()


def test_all_orders_of_moderators():
    fit = regression(Y, V, {"x": X}, test="knapp-hartung")
    own = abs(fit.coefficients["statistic"][1])
    found = [
        abs(regression(Y, V, {"x": list(order)}, test="knapp-hartung").coefficients["statistic"][1])
        for order in itertools.permutations(X)
    ]
    result = permutation_test(fit)
    assert result.draws == 120
    assert result.coefficients["term"].tolist() == ["x"]
    assert result.coefficients["p_value"][0] == pytest.approx(np.mean(np.array(found) >= own * (1 - 1e-9)), rel=1e-12)


def test_drawn_permutations_are_repeatable_and_near_the_exact_ones():
    rng = np.random.default_rng(3)
    y, v = rng.normal(0.25, 0.3, 10), rng.uniform(0.02, 0.1, 10)
    fit = pool(y, v, tau2="DL")
    exact = permutation_test(fit, draws=1024).coefficients["p_value"][0]
    drawn = permutation_test(fit, draws=1000, rng=np.random.default_rng(1))
    assert not drawn.exact
    assert drawn.coefficients["p_value"][0] == pytest.approx(exact, abs=0.04)
    again = permutation_test(fit, draws=1000, rng=np.random.default_rng(1))
    assert again.coefficients.equals(drawn.coefficients)
    with pytest.raises(OptionError, match="give a generator"):
        permutation_test(fit, draws=1000)
    with pytest.raises(OptionError, match="draws"):
        permutation_test(fit, draws=5)
    with pytest.raises(DesignError, match="at least 2 studies"):
        permutation_test(pool([0.1], [0.1]))
    assert json.loads(json.dumps(drawn.to_dict()))
    assert drawn._repr_html_().startswith("<table>")


def test_subsets_are_poolings():
    frame = gosh(Y, V, tau2="REML")
    assert len(frame) == 2**5 - 1 - 5
    columns = [f"row {i}" for i in range(5)]
    for _, row in frame.iterrows():
        chosen = row[columns].to_numpy(dtype=bool)
        one = pool(Y[chosen], V[chosen], test="z")
        assert (row["estimate"], row["tau2"]) == pytest.approx((one.estimate, one.tau2), rel=1e-8, abs=1e-12)
        assert row["k"] == chosen.sum()


def test_subsets_are_drawn_where_there_are_many():
    rng = np.random.default_rng(5)
    y, v = rng.normal(0.3, 0.2, 30), rng.uniform(0.02, 0.1, 30)
    frame = gosh(y, v, tau2="DL", draws=500, smallest=5, rng=np.random.default_rng(1))
    assert len(frame) == 500
    assert frame["k"].min() >= 5
    again = gosh(y, v, tau2="DL", draws=500, smallest=5, rng=np.random.default_rng(1))
    assert again["estimate"].equals(frame["estimate"])
    assert frame["k"].mean() == pytest.approx(15, abs=1)
    with pytest.raises(OptionError, match="give a generator"):
        gosh(y, v, draws=500)
    with pytest.raises(OptionError, match="smallest"):
        gosh(Y, V, smallest=1)
    with pytest.raises(OptionError, match="above the number of studies"):
        gosh(Y, V, smallest=9)
    with pytest.raises(DesignError, match="at least 3 studies"):
        gosh([0.1, 0.2], [0.1, 0.1])
    missing = gosh([0.1, np.nan, 0.3, 0.2], [0.1, 0.1, 0.1, 0.2])
    assert [name for name in missing if name.startswith("row")] == ["row 0", "row 2", "row 3"]
    assert gosh(odds_ratio([5, 8, 12], 30, [9, 10, 20], 30, event="bad"))["measure"].iloc[0] == "OR"


def test_share_of_true_effects_and_its_delta_method():
    fit = pool([0.4, 0.9, 0.2, 0.6, 0.1], [0.02, 0.03, 0.02, 0.03, 0.02])
    result = proportion_beyond(fit, 0.24)
    share = stats.norm.sf(0.24, fit.estimate, np.sqrt(fit.tau2))
    assert result.percent == pytest.approx(100 * share, rel=1e-10)
    assert proportion_beyond(fit, 0.24, side="below").percent == pytest.approx(100 - result.percent, rel=1e-10)
    # numerical derivatives of the share in the mean and in tau2
    step, error = 1e-6, fit.fit_statistics.tau2_se
    by_mean = (stats.norm.sf(0.24, fit.estimate + step, np.sqrt(fit.tau2)) - share) / step
    by_tau2 = (stats.norm.sf(0.24, fit.estimate, np.sqrt(fit.tau2 + step)) - share) / step
    se = np.hypot(by_mean * fit.se, by_tau2 * error)
    assert result.ci_low == pytest.approx(100 * (share - 1.959964 * se), rel=1e-4)
    assert result.ci_high == pytest.approx(min(100.0, 100 * (share + 1.959964 * se)), rel=1e-4)
    assert "5 studies: with fewer than 10" in result.summary()


def test_share_without_heterogeneity_has_no_interval():
    fit = pool([0.3, 0.31, 0.29, 0.3], [0.1, 0.1, 0.2, 0.1])
    result = proportion_beyond(fit, 0.24)
    assert (result.percent, result.ci_low) == (100.0, None)
    assert "tau2 is 0" in result.summary()
    assert proportion_beyond(fit, 0.5).percent == 0
    with pytest.raises(OptionError, match="common effect"):
        proportion_beyond(pool([0.3, 0.4], [0.1, 0.1], tau2="common"), 0.2)
    with pytest.raises(DesignError, match="at least 2 studies"):
        proportion_beyond(pool([0.3], [0.1]), 0.2)
    with pytest.raises(OptionError, match="threshold"):
        proportion_beyond(fit, float("nan"))


def test_p_curve_by_hand():
    z = np.array([2.2, 2.6, 3.5, 4.0, 1.0])
    result = p_curve(z * 0.2, np.full(5, 0.04))
    p = 2 * stats.norm.sf(z[:4])
    assert (result.n_significant, result.n_half) == (4, 3)
    skew = stats.norm.ppf(p / 0.05).sum() / 2
    assert (result.right_skew_z, result.right_skew_p) == pytest.approx((skew, stats.norm.cdf(skew)), rel=1e-9)
    half = stats.norm.ppf(p[p < 0.025] / 0.025).sum() / np.sqrt(3)
    assert result.half_z == pytest.approx(half, rel=1e-9)
    # a two-sided z test with this squared expectation has a power of one third
    from scipy.optimize import brentq

    reach = stats.norm.isf(0.025)
    ncp = brentq(lambda n: stats.ncx2.sf(reach**2, 1, n) - 1 / 3, 0.1, 20)
    conditional = 1 - stats.ncx2.sf(z[:4] ** 2, 1, ncp) / (1 / 3)
    flat = stats.norm.ppf(conditional).sum() / 2
    assert (result.flat_z, result.flat_p) == pytest.approx((flat, stats.norm.cdf(flat)), rel=1e-6)
    assert result.evidence


def test_p_curve_with_barely_significant_studies_is_flat():
    z = np.array([1.97, 1.98, 2.0, 1.99, 2.01, 2.02])
    result = p_curve(z * 0.2, np.full(6, 0.04))
    assert result.inadequate
    assert not result.evidence
    assert p_curve(-z * 0.2, np.full(6, 0.04)).flat_z == pytest.approx(result.flat_z, rel=1e-12)


def test_p_curve_without_significant_studies_and_with_dependent_ones():
    none = p_curve([0.01, 0.02], [0.04, 0.04])
    assert (none.n_significant, none.right_skew_p, none.evidence) == (0, None, None)
    assert "0 significant studies: too few" in none.summary()
    several = p_curve([0.6, 0.7, 0.8, 0.9], [0.04] * 4, study=["A", "A", "B", "C"])
    assert (several.k, several.naive.k) == (3, 4)
    assert "in `naive`" in several.summary()
    assert json.loads(json.dumps(several.to_dict()))
    with pytest.raises(DesignError, match="nothing to look at"):
        p_curve([], [])
