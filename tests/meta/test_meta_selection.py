"""Selection models against metafor, whose optimiser stops near the maximum; ours must be at least as high."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.meta import aggregate, pool, selection_model

KEYS = ["stepfun_.025", "stepfun_.025_.5", "stepfun_.05", "beta", "halfnorm", "negexp", "power"]


def options(key):
    if key.startswith("step"):
        return {"kind": "step", "steps": tuple(float(part) for part in key.split("_")[1:])}
    return {"kind": "halfnormal" if key == "halfnorm" else key}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("case", ["hackshaw1998", "raudenbush1985"])
def test_agrees_with_metafor(reference, case, key):
    loaded = reference(f"meta/selmodel_{case}")
    expected = loaded["outputs"][key]
    result = selection_model(loaded["data"]["yi"], loaded["data"]["vi"], **options(key))
    # 1e-6: their integrals and optimum are that rough
    assert result.log_likelihood >= expected["logLik"] - 1e-6
    assert result.log_likelihood == pytest.approx(expected["logLik"], abs=4e-3)
    assert result.lrt == pytest.approx(expected["LRT"], abs=6e-3)
    if (case, key) == ("raudenbush1985", "beta"):
        # the maximum is at the limit of delta 1, which metafor does not reach (LRT 9.9086, b -0.4089 there)
        assert result.at_boundary == ("parameter a",)
        assert result.lrt >= 9.9077
        assert result.estimate == pytest.approx(-0.4089, abs=5e-4)
        return
    # where tau2 goes to 0 theirs stops at 2e-6; elsewhere at a relative 1e-3 to 3e-3 of delta
    assert result.estimate == pytest.approx(expected["b"], abs=4e-4)
    assert result.tau2 == pytest.approx(expected["tau2"], abs=1e-4)
    np.testing.assert_allclose(result.delta, np.atleast_1d(expected["delta"]), rtol=5e-3, atol=4e-3)
    assert result.se == pytest.approx(expected["se"], rel=0.02)  # theirs by differences of rough integrals


@pytest.mark.parametrize("key", ["stepfun_.025", "stepfun_.025_.5", "stepfun_.05", "negexp"])
def test_well_determined_models_agree_closely(reference, key):
    loaded = reference("meta/selmodel_hackshaw1998")
    expected = loaded["outputs"][key]
    result = selection_model(loaded["data"]["yi"], loaded["data"]["vi"], **options(key))
    for theirs, ours in {"b": "estimate", "se": "se", "ci_ub": "ci_high", "pval": "p_value", "tau2": "tau2"}.items():
        assert getattr(result, ours) == pytest.approx(expected[theirs], rel=1e-4, abs=1e-5), ours
    np.testing.assert_allclose(result.delta, np.atleast_1d(expected["delta"]), rtol=1e-4)


@pytest.mark.parametrize("kind", ["halfnormal", "negexp", "power", "beta"])
def test_likelihood_is_that_of_the_formula(reference, kind):
    """Every integral by adaptive quadrature of the formula as written, sharing no code."""
    data = reference("meta/selmodel_hackshaw1998")["data"]
    y, v = np.array(data["yi"][:12]), np.array(data["vi"][:12])
    result = selection_model(y, v, kind=kind)
    a, b = (*result.delta, 0.0)[:2]

    def weight(p):
        if kind == "beta":
            p = min(max(p, 1e-5), 1 - 1e-5)
            return p ** (a - 1) * (1 - p) ** (b - 1)
        return {"halfnormal": np.exp(-a * p**2), "negexp": np.exp(-a * p), "power": (1 - p) ** a}[kind]

    total = 0.0
    for yi, vi in zip(y, v, strict=True):
        s = np.sqrt(vi + result.tau2)
        edges = sorted({*(np.sqrt(vi) * norm.isf([1e-5, 1 - 1e-5])), result.estimate})

        def seen(x, s=s, vi=vi):
            return weight(norm.sf(x / np.sqrt(vi))) * norm.pdf(x, result.estimate, s)

        mass = quad(seen, result.estimate - 12 * s, result.estimate + 12 * s, points=edges, limit=400)[0]
        total += np.log(seen(yi) / mass)
    assert result.log_likelihood == pytest.approx(total, abs=1e-6)


def test_less_is_the_mirror_image(reference):
    data = reference("meta/selmodel_hackshaw1998")["data"]
    y, v = np.array(data["yi"]), np.array(data["vi"])
    one, other = selection_model(y, v), selection_model(-y, v, alternative="less")
    assert other.estimate == pytest.approx(-one.estimate, rel=1e-8)
    assert other.ci_low == pytest.approx(-one.ci_high, rel=1e-8)
    scaled = selection_model(3 * y, 9 * v)
    assert scaled.estimate == pytest.approx(3 * one.estimate, rel=1e-5)
    assert scaled.lrt == pytest.approx(one.lrt, abs=1e-7)
    assert scaled.log_likelihood == pytest.approx(one.log_likelihood - y.size * np.log(3), rel=1e-9)


def test_no_selection_is_maximum_likelihood(reference):
    data = reference("meta/selmodel_hackshaw1998")["data"]
    plain, result = pool(data["yi"], data["vi"], tau2="ML", test="z"), selection_model(data["yi"], data["vi"])
    w = np.array(data["vi"]) + plain.tau2
    away = np.array(data["yi"]) - plain.estimate
    expected = -0.5 * (np.log(2 * np.pi * w) + away**2 / w).sum()
    assert result.log_likelihood_unselected == pytest.approx(expected, rel=1e-10)


def test_several_effects_per_study_are_combined_first(reference):
    data = reference("meta/selmodel_hackshaw1998")["data"]
    y, v = data["yi"], data["vi"]
    study = np.arange(len(y)) // 2
    result = selection_model(y, v, study=study)
    combined = aggregate(y, v, study=study, rho=0.6)
    assert result.estimate == pytest.approx(selection_model(combined["yi"], combined["vi"]).estimate, rel=1e-9)
    assert result.naive.estimate == pytest.approx(selection_model(y, v).estimate, rel=1e-12)
    assert result.weights["k"].sum() == len(combined)


def test_refusals():
    y, v = [0.5, 0.6, 0.7, 0.8], [0.01, 0.01, 0.02, 0.02]
    with pytest.raises(DesignError, match=r"0.025 to 1"):
        selection_model(y, v)
    with pytest.raises(DesignError, match="only 2 studies"):
        selection_model(y[:2], v[:2])
    for steps in ((0.5, 0.025), (0, 0.5), (1.2,), ()):
        with pytest.raises(OptionError, match="steps"):
            selection_model(y, v, steps=steps)
    with pytest.raises(OptionError):
        selection_model(y, v, kind="logistic")
