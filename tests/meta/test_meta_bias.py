"""Begg, trim and fill, PET-PEESE, influence, Baujat, cumulative, limit, WAAP: against metafor or by identity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.meta import (
    aggregate,
    baujat,
    begg,
    cumulative,
    egger,
    influence,
    limit_meta_analysis,
    multilevel,
    pet_peese,
    pool,
    trim_and_fill,
    waap_wls,
)

CASES = ["bcg_rr", "homogeneous_k4", "normand1999_smd", "raudenbush1985", "slow_reml"]


@pytest.fixture(params=CASES)
def smallstudy(request, reference):
    loaded = reference(f"meta/smallstudy_{request.param}")
    return loaded["data"]["yi"], loaded["data"]["vi"], loaded["outputs"]


@pytest.fixture(params=CASES)
def sensitivity(request, reference):
    loaded = reference(f"meta/sensitivity_{request.param}")
    return loaded["data"]["yi"], loaded["data"]["vi"], loaded["outputs"]


def numbers(values):
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def test_begg(smallstudy):
    y, v, outputs = smallstudy
    result = begg(y, v)
    assert result.tau == pytest.approx(outputs["ranktest"]["tau"], rel=1e-10)
    assert result.p_value == pytest.approx(outputs["ranktest"]["pval"], rel=1e-8)


def test_pet_and_peese(smallstudy):
    y, v, outputs = smallstudy
    result = pet_peese(y, v)
    for name in ("pet", "peese"):
        line, expected = getattr(result, name), outputs[name]
        np.testing.assert_allclose([line.estimate, line.slope], expected["b"], rtol=1e-6)
        np.testing.assert_allclose([line.se, line.slope_se], expected["se"], rtol=1e-6)
        np.testing.assert_allclose([line.p_value, line.slope_p_value], expected["pval"], rtol=1e-6)
        assert line.ci_low == pytest.approx(expected["ci_lb"][0], rel=1e-6)
        assert line.df == expected["ddf"]
        assert line.tau2 == pytest.approx(expected["tau2"], rel=1e-6, abs=1e-10)
    assert result.chosen == ("peese" if result.pet.statistic > 0 and result.pet.p_value < 0.1 else "pet")


def test_trim_and_fill(smallstudy):
    y, v, outputs = smallstudy
    keys = [key for key in outputs if key.startswith("trimfill")]
    assert len(keys) == 6
    for key in keys:
        _, method, estimator, side = key.split("_")
        tau2 = "common" if method == "FE" else method
        result, expected = trim_and_fill(y, v, tau2=tau2, estimator=estimator, side=side), outputs[key]
        assert (result.k0, result.side) == (expected["k0"], expected["side"]), key
        assert result.k0_se == pytest.approx(expected["se_k0"], rel=1e-9)
        # trimfill() of metafor fits REML with its default threshold, 1e-5 in tau2
        rel = 5e-4 if method == "REML" else 1e-9
        for theirs, ours in {"b": "estimate", "se": "se", "ci_lb": "ci_low", "pval": "p_value", "tau2": "tau2"}.items():
            assert getattr(result, ours) == pytest.approx(expected[theirs], rel=rel, abs=1e-10), (key, ours)
        assert result.k == len(y) + result.k0
        assert f"{result.k0} stud" in result.summary()


def test_influence(sensitivity):
    y, v, outputs = sensitivity
    frame, expected = influence(y, v), outputs["influence"]
    names = {"rstudent": "rstudent", "dffits": "dffits", "cooks_distance": "cook_d", "cov_ratio": "cov_r",
             "tau2_deleted": "tau2_del", "q_deleted": "QE_del", "hat": "hat", "weight": "weight",
             "dfbetas": "dfbs", "influential": "is_infl"}  # fmt: skip
    for ours, theirs in names.items():
        target = numbers(expected[theirs])
        known = ~np.isnan(target)
        assert known.sum() >= len(y) - 1
        np.testing.assert_allclose(frame[ours].to_numpy(float)[known], target[known], rtol=1e-6, atol=1e-9)
    target = numbers(outputs["rstudent"]["resid"])
    known = ~np.isnan(target)
    np.testing.assert_allclose(frame["residual"].to_numpy()[known], target[known], rtol=1e-6)
    np.testing.assert_allclose(
        frame["residual_se"].to_numpy()[known], numbers(outputs["rstudent"]["se"])[known], rtol=1e-6
    )


def test_baujat(sensitivity):
    y, v, outputs = sensitivity
    frame = baujat(y, v)
    for name in ("x", "y"):
        np.testing.assert_allclose(frame[name], outputs["baujat_EE"][name], rtol=1e-8, atol=1e-12)


def test_cumulative(sensitivity):
    y, v, outputs = sensitivity
    frame, expected = cumulative(y, v, test="z"), outputs["cumul"]
    names = {"estimate": "estimate", "se": "se", "zval": "statistic", "pval": "p_value", "ci_lb": "ci_low",
             "ci_ub": "ci_high", "Q": "q", "tau2": "tau2"}  # fmt: skip
    for theirs, ours in names.items():
        np.testing.assert_allclose(frame[ours].to_numpy(float), numbers(expected[theirs]), rtol=1e-6, atol=1e-9)
    assert frame["k"].tolist() == list(range(1, len(y) + 1))


def test_cumulative_follows_the_order_given():
    y, v = [0.9, 0.5, 0.4, np.nan], [0.1, 0.05, 0.02, 0.1]
    frame = cumulative(y, v, order=[2012, 1989, 2000, 1990])
    assert frame["added"].tolist() == [1, 2, 0]
    assert frame["estimate"].iloc[-1] == pytest.approx(pool(y, v).estimate, rel=1e-12)
    with pytest.raises(DesignError, match="order is missing"):
        cumulative(y, v, order=[2012, None, 2000, 1990])


def clustered(seed=5):
    rng = np.random.default_rng(seed)
    study = np.repeat(np.arange(14), rng.integers(1, 4, 14))
    v = rng.uniform(0.02, 0.3, study.size)
    return rng.normal(0.4 + 0.5 * np.sqrt(v), np.sqrt(v)), v, study


def test_several_effects_per_study_show_the_naive_answer_beside():
    y, v, study = clustered()
    for model in ("lm", "mixed"):
        plain, robust = egger(y, v, model=model), egger(y, v, model=model, study=study)
        assert robust.naive.p_value == plain.p_value
        assert robust.slope == pytest.approx(plain.slope, rel=1e-9)
        assert robust.slope_se != pytest.approx(plain.slope_se, rel=1e-3)
        assert "naive" in " ".join(robust.notes)
        assert egger(y, v, model=model, study=np.arange(y.size)).naive is None
    fit = pet_peese(y, v, study=study)
    assert fit.naive.pet.estimate == pytest.approx(fit.pet.estimate, rel=1e-9)
    combined = aggregate(y, v, study=study, rho=0.6)
    for function in (trim_and_fill, limit_meta_analysis, waap_wls):
        result = function(y, v, study=study)
        assert result.estimate == pytest.approx(function(combined["yi"], combined["vi"]).estimate, rel=1e-12)
        assert result.naive.estimate == pytest.approx(function(y, v).estimate, rel=1e-12)


def test_clustered_egger_is_the_multilevel_regression_without_variance_components():
    y, v, study = clustered()
    slope = egger(y, v, study=study)
    # the same weights and clusters, through the public multilevel model where its variances are 0
    quiet = 0.2 + 0.3 * np.sqrt(v) + 0.01 * (y - y.mean())
    reference = multilevel(quiet, v, study=study, moderators={"se": np.sqrt(v)})
    assert (reference.tau2_study, reference.tau2_effect) == (0, 0)
    line = egger(quiet, v, study=study)
    assert line.slope == pytest.approx(reference.coefficients["estimate"][1], rel=1e-9)
    assert line.slope_se == pytest.approx(reference.coefficients["se"][1], rel=1e-9)
    assert line.df == pytest.approx(reference.coefficients["df"][1], rel=1e-9)
    assert slope.df > 1


def test_wls_pet_is_eggers_line(smallstudy):
    y, v, _ = smallstudy
    line, test = pet_peese(y, v, model="wls").pet, egger(y, v, model="lm")
    assert line.slope == pytest.approx(test.slope, rel=1e-10)
    assert line.slope_p_value == pytest.approx(test.p_value, rel=1e-10)
    assert line.estimate == pytest.approx(test.limit_estimate, rel=1e-10)


def test_limit_meta_analysis_by_hand():
    """The radial regression by numpy's least squares; Q splits into the part of Egger's line and the rest."""
    y, v = np.array([0.1, 0.2, 0.25, 0.5, 0.8, 1.1]), np.array([0.01, 0.02, 0.02, 0.08, 0.15, 0.2])
    result, plain = limit_meta_analysis(y, v), pool(y, v, test="z")
    s = np.sqrt(v + plain.tau2)
    alpha, beta = np.linalg.lstsq(np.column_stack([np.ones(6), 1 / s]), y / s, rcond=None)[0]
    assert result.slope == pytest.approx(alpha, rel=1e-9)
    assert result.estimate == pytest.approx(beta + np.sqrt(plain.tau2) * alpha, rel=1e-9)
    assert result.q_small_study + result.q_residual == pytest.approx(plain.q, rel=1e-10)
    assert result.unadjusted == plain.estimate


def test_waap_takes_all_where_no_study_has_power():
    weak = waap_wls([0.1, 0.2, -0.1], [0.2, 0.3, 0.2])
    assert (weak.kind, weak.k_adequate) == ("wls", 0)
    assert weak.estimate == pytest.approx(pool([0.1, 0.2, -0.1], [0.2, 0.3, 0.2], tau2="common").estimate)
    assert "Fewer than two" in weak.summary()


@pytest.mark.parametrize("function", [begg, egger, trim_and_fill, pet_peese, limit_meta_analysis, influence])
def test_too_few_or_bad_studies_are_refused(function):
    with pytest.raises(DesignError):
        function([0.1, 0.2], [0.1, 0.2])
    with pytest.raises(DesignError):
        function([], [])
    with pytest.raises(DesignError) as caught:
        function([0.1, 0.2, 0.3, 0.4], [0.1, 0.0, -0.2, 0.1])
    assert caught.value.rows == (1, 2)


@pytest.mark.parametrize("function", [begg, egger, pet_peese, limit_meta_analysis])
def test_equal_precision_has_no_asymmetry(function):
    with pytest.raises(DesignError):
        function([0.1, 0.2, 0.3, 0.5], [0.1] * 4)


def test_identical_studies():
    y, v = [0.3] * 4, [0.1] * 4
    assert trim_and_fill(y, v).k0 == 0
    assert not influence(y, v)["influential"].any()
    with pytest.raises(OptionError):
        trim_and_fill(y, v, side="both")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 20))
def test_mirror_and_scale(seed, scale):
    rng = np.random.default_rng(seed)
    v = rng.uniform(0.02, 0.3, 10)
    y = rng.normal(0.4, np.sqrt(v + 0.05))
    for side, mirrored in (("left", "right"), ("right", "left")):
        one = trim_and_fill(y, v, tau2="DL", side=side)
        other = trim_and_fill(-scale * y, scale**2 * v, tau2="DL", side=mirrored)
        assert one.k0 == other.k0
        assert other.estimate == pytest.approx(-scale * one.estimate, rel=1e-7, abs=1e-9)
    assert begg(scale * y, scale**2 * v).tau == pytest.approx(begg(y, v).tau, abs=1e-12)
    limit, scaled = limit_meta_analysis(y, v, tau2="DL"), limit_meta_analysis(scale * y, scale**2 * v, tau2="DL")
    assert scaled.estimate == pytest.approx(scale * limit.estimate, rel=1e-7, abs=1e-9)
