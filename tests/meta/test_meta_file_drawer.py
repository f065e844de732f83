"""Fail-safe numbers, excess significance, and the row-level answer beside Begg's."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.meta import aggregate, begg, excess_significance, fail_safe_n, pool

CASES = ["bcg_rr", "homogeneous_k4", "normand1999_smd", "raudenbush1985", "slow_reml"]


@pytest.fixture(params=CASES)
def smallstudy(request, reference):
    loaded = reference(f"meta/smallstudy_{request.param}")
    return loaded["data"]["yi"], loaded["data"]["vi"], loaded["outputs"]


@pytest.mark.parametrize("method", ["rosenthal", "orwin", "rosenberg"])
def test_fail_safe_n_agrees_with_metafor(smallstudy, method):
    y, v, outputs = smallstudy
    result, expected = fail_safe_n(y, v, method=method), outputs[f"fsn_{method}"]
    assert result.n == expected["fsnum"]
    if expected.get("pval") is not None:
        assert result.p_value == pytest.approx(expected["pval"], rel=1e-9)
    assert f"{expected['fsnum']:,}" in result.summary()


def test_excess_significance_agrees_with_metafor(smallstudy):
    y, v, outputs = smallstudy
    result, expected = excess_significance(y, v), outputs["tes"]
    assert result.observed == expected["O"]
    assert result.expected == pytest.approx(expected["E"], rel=1e-9)
    assert result.effect == pytest.approx(expected["theta"], rel=1e-9)
    assert result.p_value == pytest.approx(expected["pval"], rel=1e-8)


def test_exact_test_counts_all_sets_of_studies():
    y, v = np.array([0.5, 0.9, 0.1, 0.8, -0.2]), np.array([0.04, 0.09, 0.05, 0.06, 0.08])
    result = excess_significance(y, v)
    total = 0.0
    for hits in itertools.product([0, 1], repeat=5):
        if sum(hits) >= result.observed:
            total += math.prod(p if hit else 1 - p for p, hit in zip(result.power, hits, strict=True))
    assert result.p_value == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_power_is_that_of_a_varying_true_effect(alternative):
    y, v = np.array([0.5, 0.9, 0.1]), np.array([0.04, 0.09, 0.05])
    result = excess_significance(y, v, tau2=0.03, effect=0.4, alternative=alternative)
    for i in range(3):
        se = math.sqrt(v[i])

        def chance(theta, se=se):
            z = stats.norm(theta / se, 1)
            level = stats.norm.ppf(1 - (0.025 if alternative == "two-sided" else 0.05))
            up, down = z.sf(level), z.cdf(-level)
            found = {"two-sided": up + down, "greater": up, "less": down}[alternative]
            return found * stats.norm.pdf(theta, 0.4, math.sqrt(0.03))

        assert result.power[i] == pytest.approx(integrate.quad(chance, -2, 3)[0], rel=1e-6)


def test_chi_squared_is_that_of_the_proportion():
    y, v = np.array([0.5, 0.9, 0.8, 0.8, -0.2]), np.array([0.04, 0.09, 0.05, 0.06, 0.08])
    result = excess_significance(y, v, test="chi2")
    share = result.expected / 5
    z = (result.observed / 5 - share) / math.sqrt(share * (1 - share) / 5)
    assert result.p_value == pytest.approx(stats.norm.sf(z), rel=1e-9)


def test_orwin_has_a_target_and_no_number_reaches_zero():
    y, v = [0.4, 0.5, 0.6, 0.3], [0.04, 0.05, 0.04, 0.03]
    assert fail_safe_n(y, v, method="orwin", target=0.15).n == math.ceil(4 * (0.45 - 0.15) / 0.15 - 1e-9)
    assert math.isinf(fail_safe_n(y, v, method="orwin", target=0.0).n)
    assert math.isinf(fail_safe_n(y, v, method="orwin", target=-0.1).n)
    assert fail_safe_n(y, v, method="orwin", target=0.9).n == 0
    assert "∞" in fail_safe_n(y, v, method="orwin", target=0.0).summary()


def test_rosenberg_adds_studies_until_the_test_is_lost():
    """With n studies of effect 0 and of the mean weight the common effect is at the edge of significance."""
    y, v = np.array([0.4, 0.5, 0.6, 0.3]), np.array([0.04, 0.05, 0.04, 0.03])
    n = int(fail_safe_n(y, v, method="rosenberg").n)
    mean_weight = (1 / v).mean()
    p = [pool(np.append(y, [0.0] * m), np.append(v, [1 / mean_weight] * m), tau2="common").p_value for m in (n - 1, n)]
    assert p[0] < 0.05 <= p[1]


def clustered():
    rng = np.random.default_rng(8)
    study = np.repeat(np.arange(12), rng.integers(1, 4, 12))
    v = rng.uniform(0.02, 0.3, study.size)
    return rng.normal(0.4, np.sqrt(v)), v, study


@pytest.mark.parametrize("function", [begg, fail_safe_n, excess_significance])
def test_several_effects_per_study_are_combined_and_the_naive_answer_stands_beside(function):
    y, v, study = clustered()
    result, plain = function(y, v, study=study), function(y, v)
    combined = aggregate(y, v, study=study, rho=0.6)
    assert result.to_dict()["naive"]["k"] == y.size
    assert result.naive.to_frame().equals(plain.to_frame())
    expected = function(combined["yi"], combined["vi"])
    assert result.to_frame().equals(expected.to_frame())
    assert "in `naive`" in result.summary()
    assert function(y, v, study=np.arange(y.size)).naive is None
    with pytest.raises(DesignError, match="study is missing"):
        function(y, v, study=[None, *study[1:]])


@pytest.mark.parametrize("function", [fail_safe_n, excess_significance])
def test_refusals_and_views(function):
    with pytest.raises(DesignError, match="none of 0 rows"):
        function([], [])
    with pytest.raises(DesignError) as caught:
        function([0.1, 0.2, 0.3], [0.1, 0.0, -1.0])
    assert caught.value.rows == (1, 2)
    with pytest.raises(OptionError, match="level"):
        function([0.1], [0.1], alpha=0)
    result = function([0.1, np.nan], [0.1, 0.1])
    assert (result.k, result.n_dropped) == (1, 1)
    assert "1 study" in result.summary()
    assert json.loads(json.dumps(result.to_dict()))
    assert result._repr_html_().startswith("<table>")


def test_options():
    with pytest.raises(OptionError, match="orwin"):
        fail_safe_n([0.1], [0.1], target=0.1)
    with pytest.raises(OptionError, match="method must be one of"):
        fail_safe_n([0.1], [0.1], method="fisher")
    with pytest.raises(OptionError, match="tau2"):
        excess_significance([0.1], [0.1], tau2=-1)
    with pytest.raises(OptionError, match="test must be one of"):
        excess_significance([0.1], [0.1], test="binom")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 9999), st.floats(0.01, 100))
def test_sign_scale_and_order(seed, scale):
    rng = np.random.default_rng(seed)
    v = rng.uniform(0.02, 0.3, 8)
    y = rng.normal(0.4, np.sqrt(v))
    for other in ((-y, v), (scale * y, scale**2 * v), (y[::-1], v[::-1])):
        assert excess_significance(*other).p_value == pytest.approx(excess_significance(y, v).p_value, rel=1e-7)
        for method in ("rosenthal", "rosenberg"):
            assert fail_safe_n(*other, method=method).n == pytest.approx(fail_safe_n(y, v, method=method).n, abs=1)
