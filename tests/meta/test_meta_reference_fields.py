"""Fields of the reference files that no other test reads: to the last one."""

from __future__ import annotations

import numpy as np
import pytest

from ipt_outcomes.effects import smd, split_control
from ipt_outcomes.meta import cumulative, multilevel, pool, regression, selection_model, subgroups

CASES = ["bcg_rr", "homogeneous_k4", "normand1999_smd", "raudenbush1985", "slow_reml"]
KINDS = {"beta": "beta", "halfnorm": "halfnormal", "negexp": "negexp", "power": "power"}
TESTS = {"z": "z", "knha": "knapp-hartung"}


def numbers(values):
    return np.array([np.nan if value is None else value for value in values], dtype=float)


@pytest.mark.parametrize("case", CASES)
def test_cumulative_heterogeneity(reference, case):
    loaded = reference(f"meta/sensitivity_{case}")
    frame = cumulative(loaded["data"]["yi"], loaded["data"]["vi"], test="z")
    expected = loaded["outputs"]["cumul"]
    assert frame["k"].tolist() == expected["k"]
    # of one study metafor gives I2 0, H2 1 and p 1; ours has none
    for theirs, ours in {"I2": "i2", "H2": "h2", "Qp": "q_p_value"}.items():
        np.testing.assert_allclose(
            frame[ours].to_numpy(float)[1:], numbers(expected[theirs])[1:], rtol=1e-6, atol=1e-9, err_msg=ours
        )
        assert np.isnan(frame[ours].to_numpy(float)[0])


@pytest.mark.parametrize("data", ["hackshaw1998", "raudenbush1985"])
def test_selection_models_to_the_last_field(reference, data):
    loaded = reference(f"meta/selmodel_{data}")
    y, v = loaded["data"]["yi"], loaded["data"]["vi"]
    for key, expected in loaded["outputs"].items():
        if (data, key) == ("raudenbush1985", "beta"):
            continue  # theirs stops at its boundary: only the likelihood is a target, tested elsewhere
        if key.startswith("stepfun"):
            steps = tuple(float(part) for part in key.split("_")[1:])
            fit = selection_model(y, v, steps=steps)
        else:
            fit = selection_model(y, v, kind=KINDS[key])
        found = {"se": fit.se, "ci_lb": fit.ci_low, "ci_ub": fit.ci_high, "pval": fit.p_value, "LRTp": fit.lrt_p_value}
        for name, value in found.items():
            if expected.get(name) is None or not np.isfinite(expected["se"]):
                continue
            # curves: theirs are differences of rough integrals (ours are checked against adaptive quadrature)
            rel = 2e-3 if key.startswith("stepfun") else 0.05
            assert value == pytest.approx(expected[name], rel=rel, abs=rel / 5), (key, name)
        stored = np.atleast_1d(numbers(np.atleast_1d(expected["se_delta"]).tolist()))
        known = np.isfinite(stored)
        if known.any() and not fit.at_boundary:
            np.testing.assert_allclose(np.array(fit.delta_se)[known], stored[known], rtol=0.02, err_msg=key)


def columns_of(data):
    return [data[name] for name in ("m1i", "sd1i", "n1i", "m2i", "sd2i", "n2i")]


def test_shared_control_to_the_last_field(reference):
    loaded = reference("meta/multiarm_shared_control")
    data, outputs = loaded["data"], loaded["outputs"]
    effects = smd(*columns_of(data), better="higher")
    np.testing.assert_allclose(effects.yi, outputs["yi"], rtol=1e-10)
    np.testing.assert_allclose(effects.vi, outputs["vi"], rtol=1e-10)
    fit = multilevel(effects.yi, np.array(outputs["V"]), study=data["study"], robust=None)
    model = outputs["model"]
    assert fit.k == model["k"]
    found = (fit.statistic, fit.p_value, fit.ci_low, fit.ci_high, fit.q, fit.q_p_value)
    stored = [model[name] for name in ("zval", "pval", "ci_lb", "ci_ub", "QE", "QEp")]
    assert found == pytest.approx(stored, rel=1e-6)
    assert (fit.tau2_study, fit.tau2_effect) == pytest.approx((0, 0), abs=1e-9)
    assert fit.statistic**2 == pytest.approx(model["QM"], rel=1e-6)
    # split control: means and SDs stay, the control group's number is shared out
    shared = split_control(data["n2i"], study=data["study"])
    arms = columns_of(data)
    arms[5] = shared["n_arm2"]
    halves = smd(*arms, better="higher")
    np.testing.assert_allclose(halves.yi, outputs["split_control_yi"], rtol=1e-10)
    np.testing.assert_allclose(halves.vi, outputs["split_control_vi"], rtol=1e-10)
    pooled, expected = pool(halves, test="z"), outputs["split_control_rma"]
    names = {"k": "k", "b": "estimate", "se": "se", "zval": "statistic", "pval": "p_value", "ci_lb": "ci_low",
             "ci_ub": "ci_high", "tau2": "tau2", "I2": "i2", "H2": "h2", "QE": "q", "QEp": "q_p_value",
             "pi_lb": "prediction_low", "pi_ub": "prediction_high"}  # fmt: skip
    for theirs, ours in names.items():
        assert getattr(pooled, ours) == pytest.approx(expected[theirs], rel=1e-6, abs=1e-9), ours
    statistics = pooled.fit_statistics
    found = (statistics.log_likelihood, statistics.aic, statistics.bic, statistics.tau2_se)
    assert found == pytest.approx([expected[name] for name in ("logLik", "AIC", "BIC", "se_tau2")], rel=1e-6)


@pytest.mark.parametrize("level", ["alternate", "random", "systematic"])
def test_levels_to_the_last_field(reference, level):
    loaded = reference("meta/metareg_bcg")
    data, expected = loaded["data"], loaded["outputs"]["subgroup_separate_tau2"][level]
    result = subgroups(data["yi"], data["vi"], by=data["alloc"], test="z").pooled[level]
    if expected["ddf"] not in (None, []):
        result = subgroups(data["yi"], data["vi"], by=data["alloc"]).pooled[level]
        assert result.df == expected["ddf"]
    names = {"zval": "statistic", "H2": "h2", "I2": "i2", "QE": "q", "QEp": "q_p_value", "tau2": "tau2"}
    for theirs, ours in names.items():
        assert getattr(result, ours) == pytest.approx(expected[theirs], rel=1e-6, abs=1e-9), ours
    assert result.statistic**2 == pytest.approx(expected["QM"], rel=1e-6)
    found = result.fit_statistics
    stored = [expected[name] for name in ("logLik", "AIC", "BIC", "se_tau2")]
    assert (found.log_likelihood, found.aic, found.bic, found.tau2_se) == pytest.approx(stored, rel=1e-6)


def test_levels_with_one_variance_to_the_last_field(reference):
    loaded = reference("meta/metareg_bcg")
    data, expected = loaded["data"], loaded["outputs"]["subgroup_common_tau2"]
    fit = regression(data["yi"], data["vi"], {"alloc": data["alloc"]}, test="z")
    # theirs has a coefficient per level and no intercept: the test that all are 0 does not know how they are coded
    b = fit.coefficients["estimate"].to_numpy()
    assert (fit.k, float(b @ np.linalg.solve(fit.vcov, b))) == (expected["k"], pytest.approx(expected["QM"], rel=1e-6))
    assert (fit.i2, fit.h2, fit.qe_p_value) == pytest.approx(
        (expected["I2"], expected["H2"], expected["QEp"]), rel=1e-6
    )
    found = fit.fit_statistics
    stored = [expected[name] for name in ("logLik", "AIC", "BIC", "se_tau2")]
    assert (found.log_likelihood, found.aic, found.bic, found.tau2_se) == pytest.approx(stored, rel=1e-6)
    levels = fit.predict({"alloc": ["alternate", "random", "systematic"]})
    np.testing.assert_allclose(levels["estimate"] / levels["se"], expected["zval"], rtol=1e-6)


@pytest.mark.parametrize("method", ["REML", "DL", "ML", "PM", "FE"])
@pytest.mark.parametrize("test", TESTS)
def test_regression_to_the_last_field(reference, method, test):
    loaded = reference("meta/metareg_bcg")
    key = f"{method}_{test}"
    if key not in loaded["outputs"]:
        assert key == "FE_knha"
        return
    data, expected = loaded["data"], loaded["outputs"][key]
    fit = regression(
        data["yi"],
        data["vi"],
        {"ablat": data["ablat"], "alloc": data["alloc"]},
        tau2="common" if method == "FE" else method,
        test=TESTS[test],
    )
    found = fit.fit_statistics
    names = {"logLik": "log_likelihood", "AIC": "aic", "BIC": "bic", "se_tau2": "tau2_se"}
    for theirs, ours in names.items():
        if expected[theirs] not in (None, []):
            assert getattr(found, ours) == pytest.approx(expected[theirs], rel=1e-6), ours
    if expected["ddf"] not in (None, []):
        assert fit.coefficients["df"].iloc[0] == expected["ddf"]
    else:
        assert fit.coefficients["df"].isna().all()
    assert len(fit.coefficients) == len(expected["coef_names"])
