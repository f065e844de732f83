"""Prediction intervals by name, fit statistics of metafor, and what is said about effects that look wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from ipt_outcomes.effects import EffectSizes, odds_ratio
from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.meta import pool, regression, subgroups
from ipt_outcomes.meta.core import Problem
from ipt_outcomes.meta.inputs import TAU2_METHODS
from ipt_outcomes.meta.prediction import confidence_draws, kenward_roger
from ipt_outcomes.meta.quadratic_forms import quadratic_form_cdf

GRIDS = ("bcg_rr", "homogeneous_k4", "k2", "normand1999_smd", "raudenbush1985", "slow_reml")
TESTS = {"z": "z", "knha": "knapp-hartung", "adhoc": "knapp-hartung-adhoc"}
# Thirteen trials of cisapride, Hartung and Knapp 2001, Stat Med 20:3875, doi:10.1002/sim.1009
CISAPRIDE = (
    [15, 12, 29, 42, 14, 44, 14, 29, 10, 17, 38, 19, 21],
    [16, 16, 34, 56, 22, 54, 17, 58, 14, 26, 44, 29, 38],
    [9, 1, 18, 31, 6, 17, 7, 23, 3, 6, 12, 22, 19],
    [16, 16, 34, 56, 22, 55, 15, 58, 15, 27, 45, 30, 38],
)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("method", TAU2_METHODS)
def test_likelihood_criteria_and_standard_error_of_tau2_agree_with_metafor(reference, grid, method):
    case = reference(f"meta/rma_grid_{grid}")
    expected = case["outputs"][f"{'FE' if method == 'common' else method}_z"]
    found = pool(case["data"]["yi"], case["data"]["vi"], tau2=method, test="z").fit_statistics
    names = {"logLik": "log_likelihood", "AIC": "aic", "BIC": "bic", "se_tau2": "tau2_se"}
    for theirs, ours in names.items():
        if expected[theirs] in (None, []):
            assert getattr(found, ours) is None
        else:
            assert getattr(found, ours) == pytest.approx(expected[theirs], rel=1e-6, abs=1e-9), ours


@pytest.mark.parametrize("key", ["REML_z", "REML_knha", "DL_z", "ML_z", "PM_knha", "FE_z"])
def test_fit_statistics_of_a_regression_agree_with_metafor(reference, key):
    loaded = reference("meta/metareg_bcg")
    data, expected = loaded["data"], loaded["outputs"][key]
    method, test = key.split("_")
    fit = regression(
        data["yi"],
        data["vi"],
        {"ablat": data["ablat"], "alloc": data["alloc"]},
        tau2="common" if method == "FE" else method,
        test=TESTS[test],
    )
    found = fit.fit_statistics
    assert found.log_likelihood == pytest.approx(expected["logLik"], rel=1e-6)
    assert found.aic == pytest.approx(expected["AIC"], rel=1e-6)
    assert found.bic == pytest.approx(expected["BIC"], rel=1e-6)
    if expected["se_tau2"] not in (None, []):
        assert found.tau2_se == pytest.approx(expected["se_tau2"], rel=1e-6)


@pytest.fixture
def bcg(reference):
    data = reference("meta/rma_grid_bcg_rr")["data"]
    return np.array(data["yi"]), np.array(data["vi"])


@pytest.mark.parametrize("tau2", ["REML", "DL", "PM"])
@pytest.mark.parametrize("test", ["z", "knapp-hartung"])
def test_formulas_of_the_names(bcg, tau2, test):
    y, v = bcg
    k = y.size
    fit = pool(y, v, tau2=tau2, test=test)
    w = 1 / (v + fit.tau2)
    plain = 1 / np.sqrt(w.sum())
    scaled = np.sqrt(w @ (y - fit.estimate) ** 2 / (k - 1) / w.sum())
    rules = {"S": (plain, np.inf), "V": (plain, k - 1), "HTS": (plain, k - 2), "HK": (scaled, k - 1),
             "HK-PR": (scaled, k - 2)}  # fmt: skip
    for name, (se, df) in rules.items():
        half = stats.t.ppf(0.95, df) * np.sqrt(fit.tau2 + se**2)
        found = fit.prediction_interval(name, level=0.9)
        assert (found.low, found.high) == pytest.approx((fit.estimate - half, fit.estimate + half), rel=1e-10)
        again = pool(y, v, tau2=tau2, test=test, level=0.9, prediction=name)
        assert (again.prediction_low, again.prediction_high) == pytest.approx((found.low, found.high), rel=1e-12)
        assert again.prediction == name
        assert found.words in again.summary()
        assert again.provenance.options["prediction"] == name
        assert (again.estimate, again.ci_low) == (pool(y, v, tau2=tau2, test=test, level=0.9).estimate, again.ci_low)


def test_fit_is_metafors_and_is_named(bcg):
    """metafor's interval is tested with the whole grid; here its words, and that they change with the test."""
    z, t = pool(*bcg, test="z"), pool(*bcg)
    assert z.prediction_interval("fit").high == z.prediction_high
    assert t.prediction_interval("fit").low == t.prediction_low
    assert "normal quantile" in z.summary()
    assert "t with 12 df" in t.summary()


def test_kenward_roger_is_exact_with_equal_variances():
    """All weights equal: variance (v + tau2)/k and k - 1 degrees of freedom, as for a plain mean."""
    y, v = np.array([0.1, 0.9, 0.4, -0.6, 0.7]), np.full(5, 0.05)
    fit = pool(y, v)
    assert fit.tau2 > 0
    found = fit.prediction_interval("KR")
    assert found.df == pytest.approx(4, rel=1e-9)
    half = stats.t.ppf(0.975, 4) * np.sqrt(fit.tau2 + (0.05 + fit.tau2) / 5)
    assert found.high - found.low == pytest.approx(2 * half, rel=1e-9)
    assert fit.prediction_interval("KR-PR").df == pytest.approx(3, rel=1e-9)


def test_kenward_roger_variance_is_the_expansion_of_the_formula(bcg):
    """Kenward and Roger 1997 in matrices: Phi + 2 Phi {W (Q - P Phi P)} Phi, W the inverse of the information."""
    y, v = bcg
    omega = np.diag(v + pool(y, v).tau2)
    inverse = np.linalg.inv(omega)
    x = np.ones((y.size, 1))
    phi = np.linalg.inv(x.T @ inverse @ x)
    p = -x.T @ inverse @ inverse @ x
    q = x.T @ inverse @ inverse @ inverse @ x
    projection = inverse - inverse @ x @ phi @ x.T @ inverse
    variance_of_tau2 = 2 / np.trace(projection @ projection)
    expected = float((phi + 2 * phi @ (variance_of_tau2 * (q - p @ phi @ p)) @ phi).item())
    assert kenward_roger(1 / np.diag(omega))[0] ** 2 == pytest.approx(expected, rel=1e-10)


def test_nagashima_agrees_with_the_published_run():
    """pimeta 1.1.4 prints OR 4.141 (0.533 to 33.692) for these trials from 25,000 draws with tau2 by DL."""
    effects = odds_ratio(*CISAPRIDE, event="good", zero_cells="add-half-all")
    fit = pool(effects, tau2="DL", test="z", prediction="NNF", rng=np.random.default_rng(1))
    assert np.exp(fit.estimate) == pytest.approx(4.141, abs=5e-4)
    assert fit.prediction_low == pytest.approx(np.log(0.533), abs=0.06)
    assert fit.prediction_high == pytest.approx(np.log(33.692), abs=0.06)
    again = pool(effects, tau2="DL", test="z", prediction="NNF", rng=np.random.default_rng(1))
    assert again.prediction_low == fit.prediction_low
    assert "25,000 draws" in fit.summary()
    # what is drawn does not depend on the estimator of tau2
    reml = pool(effects).prediction_interval("NNF", rng=np.random.default_rng(1))
    assert reml.low == pytest.approx(fit.prediction_low, rel=1e-9)


def test_draws_follow_the_distribution_of_q(bcg):
    y, v = bcg
    problem = Problem(y, v, np.ones((y.size, 1)))
    u = np.array([1e-6, 0.2, 0.5, 0.9, 0.999])
    w = 1 / problem.v
    matrix = np.diag(w) - np.outer(w, w) / w.sum()
    q = float(w @ problem.y**2)
    for quantile, tau2 in zip(u, confidence_draws(problem, u), strict=True):
        root = np.sqrt(problem.v + tau2)
        below = quadratic_form_cdf(np.linalg.eigvalsh(root[:, None] * matrix * root)[1:], q)
        if tau2 == 0:
            assert 1 - below >= quantile
        else:
            assert 1 - below == pytest.approx(quantile, rel=1e-6, abs=1e-9)


def test_too_few_studies_have_a_note_not_a_number():
    two = pool([0.1, 0.5], [0.1, 0.1], prediction="HTS")
    assert (two.prediction_low, two.prediction_words) == (None, "")
    assert "needs at least 3 studies; there are 2" in two.summary()
    assert "95% prediction interval:" not in two.summary()
    one = pool([0.1], [0.1], prediction="V")
    assert "there is 1" in one.summary()
    with pytest.raises(DesignError, match="at least 3"):
        pool([0.1, 0.5], [0.1, 0.1]).prediction_interval("HTS")
    with pytest.raises(OptionError, match="common effect has no prediction"):
        pool([0.1, 0.5], [0.1, 0.1], tau2="common").prediction_interval("V")


def test_options_of_prediction(bcg):
    fit = pool(*bcg, tau2="DL")
    for method in ("KR", "KR-PR"):
        with pytest.raises(OptionError, match="needs tau2 by REML"):
            fit.prediction_interval(method)
    with pytest.raises(OptionError, match="generator"):
        fit.prediction_interval("NNF")
    with pytest.raises(OptionError, match="draws"):
        fit.prediction_interval("NNF", rng=np.random.default_rng(1), draws=10)
    with pytest.raises(OptionError, match="method must be one of"):
        fit.prediction_interval("riley")
    with pytest.raises(OptionError, match="prediction must be one of"):
        pool(*bcg, prediction="riley")
    shown = fit.prediction_interval("HTS")
    assert json.loads(json.dumps(shown.to_dict()))["method"] == "HTS"
    assert shown._repr_html_().startswith("<table>")
    assert "95% prediction interval" in shown.summary()


def test_levels_and_moderators_take_the_same_names(bcg):
    y, v = bcg
    by = ["a", "b"] * 6 + ["a"]
    found = subgroups(y, v, by=by, prediction="HTS")
    for name, part in found.pooled.items():
        mine = [i for i, one in enumerate(by) if one == name]
        assert part.prediction_low == pytest.approx(pool(y[mine], v[mine], prediction="HTS").prediction_low, rel=1e-12)
    fit = regression(y, v, {"x": np.arange(13.0)})
    at, w = {"x": [3.0]}, 1 / (v + fit.tau2)
    x = np.column_stack([np.ones(13), np.arange(13.0)])
    plain = np.array([1, 3.0]) @ np.linalg.inv(x.T @ (w[:, None] * x)) @ np.array([1, 3.0])
    for name, df in (("S", np.inf), ("V", 11), ("HTS", 10)):
        frame = fit.predict(at, prediction=name)
        half = stats.t.ppf(0.975, df) * np.sqrt(plain + fit.tau2)
        assert frame["prediction_high"][0] - frame["estimate"][0] == pytest.approx(half, rel=1e-9)
    assert fit.predict(at, prediction="HK")["prediction_low"][0] == pytest.approx(
        fit.predict(at)["prediction_low"][0], rel=1e-12
    )
    with pytest.raises(OptionError, match="prediction must be one of"):
        fit.predict(at, prediction="NNF")
    with pytest.raises(DesignError, match="no degrees of freedom"):
        regression(y[:3], v[:3], {"x": [1.0, 2, 4]}).predict(at, prediction="HTS")


def test_what_looks_wrong_is_said_and_changes_nothing():
    y, v = np.array([0.5, 0.6, 0.45, -0.55, 0.52, 0.48]), np.full(6, 0.01) + np.arange(6) * 1e-4
    assert pool(np.abs(y), v).warnings == ()
    flipped = pool(y, v)
    assert len(flipped.warnings) == 1
    assert "Row 3" in flipped.warnings[0]
    assert "sign" in flipped.summary()
    assert flipped.estimate == pool(y[::-1], v[::-1]).estimate or flipped.estimate == pytest.approx(
        pool(y[::-1], v[::-1]).estimate, rel=1e-12
    )
    twice = pool([0.5, 0.2, 0.5, 0.3], [0.1, 0.1, 0.1, 0.2])
    assert twice.warnings == ("Rows 0, 2 have the same effect and variance: is it one study twice?",)
    assert regression([0.5, 0.2, 0.5, 0.3], [0.1, 0.1, 0.1, 0.2], {"x": [1.0, 2, 3, 5]}).warnings == twice.warnings
    precise = pool([0.5, 0.2, 0.4, 0.3], [0.1, 0.1, 0.0001, 0.2])
    assert "Row 2: more than 100 times as precise" in precise.warnings[0]


def test_large_standardised_effects_are_said_for_standardised_effects_only():
    columns = {"yi": np.array([0.4, 4.2, np.nan, 0.6]), "vi": np.array([0.1, 0.1, 0.1, 0.2]), "convention": "x"}
    smd = pool(EffectSizes(measure="SMD", **columns))
    assert any("Row 1: an effect of 4.20 standard deviations" in text for text in smd.warnings)
    assert "1 of 4 rows had no effect or variance and was left out: row 2 (from 0)" in smd.summary()
    assert not any("standard deviations" in text for text in pool(EffectSizes(measure="MD", **columns)).warnings)
