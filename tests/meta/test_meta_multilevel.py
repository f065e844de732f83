"""Multilevel models against metafor and clubSandwich; identities; refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.effects import smd, split_control
from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.meta import aggregate, che_covariance, multilevel, pool, shared_control_covariance

RTOL = 1e-6


@pytest.fixture
def schools(reference):
    loaded = reference("meta/threelevel_konstantopoulos2011")
    data = loaded["data"]
    return np.array(data["yi"]), np.array(data["vi"]), data["district"], data, loaded["outputs"]


def same(result, expected):
    # the two variances of CHE at rho 0.5 stop at a relative 9e-7 in the reference
    names = {"b": "estimate", "se": "se", "zval": "statistic", "pval": "p_value", "ci_lb": "ci_low",
             "ci_ub": "ci_high", "QE": "q", "logLik": "log_likelihood", "pi_lb": "prediction_low",
             "pi_ub": "prediction_high"}  # fmt: skip
    for theirs, ours in names.items():
        if theirs in expected:
            # (ours has the higher likelihood), which moves its p value and lower limit by 2e-6
            rel = 3e-6 if theirs in {"pval", "ci_lb"} else RTOL
            assert getattr(result, ours) == pytest.approx(expected[theirs], rel=rel, abs=1e-8), ours
    found = [result.tau2_study, result.tau2_effect]
    np.testing.assert_allclose(found, expected["sigma2"], rtol=2e-6, atol=1e-10)


@pytest.mark.parametrize(
    ("key", "options"),
    [("reml", {}), ("ml", {"method": "ML"}), ("reml_t_contain", {"test": "t", "df": "contain"})],
)
def test_three_level_model_agrees_with_metafor(schools, key, options):
    y, v, district, _, outputs = schools
    same(multilevel(y, v, study=district, robust=None, **options), outputs[key])


def test_robust_standard_errors_agree(schools):
    y, v, district, _, outputs = schools
    for name, key in (("CR1", "robust_CR1"), ("CR2", "robust_CR2_clubSandwich")):
        result, expected = multilevel(y, v, study=district, robust=name), outputs[key]
        assert result.se == pytest.approx(expected["se"], rel=RTOL)
        assert result.df == pytest.approx(expected["dfs"], rel=1e-6)
        assert result.p_value == pytest.approx(expected["pval"], rel=RTOL)
        assert result.ci_low == pytest.approx(expected["ci_lb"], rel=1e-5)


def test_i2_per_level(schools):
    y, v, district, _, outputs = schools
    result = multilevel(y, v, study=district)
    np.testing.assert_allclose([result.i2_study, result.i2_effect], outputs["I2_levels"], rtol=RTOL)


@pytest.mark.parametrize("rho", ["0.3", "0.5", "0.6", "0.8"])
def test_correlated_and_hierarchical_effects(schools, rho):
    y, v, district, _, outputs = schools
    expected = outputs[f"CHE_rho{rho}"]
    covariance = che_covariance(v, study=district, rho=float(rho))
    same(multilevel(y, covariance, study=district, robust=None), expected)
    robust = multilevel(y, covariance, study=district)
    assert robust.se == pytest.approx(expected["CR2"]["se"], rel=RTOL)
    assert robust.df == pytest.approx(expected["CR2"]["dfs"], rel=1e-6)
    assert robust.p_value == pytest.approx(expected["CR2"]["pval"], rel=RTOL)


def test_moderators(schools):
    y, v, district, data, outputs = schools
    year = np.array(data["year"]) - np.mean(data["year"])
    expected = outputs["mods"]
    plain = multilevel(y, v, study=district, robust=None, moderators={"year": year})
    np.testing.assert_allclose(plain.coefficients["estimate"], expected["b"], rtol=RTOL)
    np.testing.assert_allclose(plain.coefficients["se"], expected["se"], rtol=RTOL)
    np.testing.assert_allclose([plain.tau2_study, plain.tau2_effect], expected["sigma2"], rtol=RTOL)
    assert plain.qm == pytest.approx(expected["QM"], rel=RTOL)
    assert plain.qm_p_value == pytest.approx(expected["QMp"], rel=RTOL)
    robust = multilevel(y, v, study=district, moderators={"year": year})
    for theirs, ours in (("se", "se"), ("dfs", "df"), ("pval", "p_value"), ("ci_lb", "ci_low")):
        np.testing.assert_allclose(robust.coefficients[ours], expected["CR2"][theirs], rtol=1e-5)
    f, df1, df2, p = robust.wald["year"]
    wald = expected["wald_CR2"]
    np.testing.assert_allclose(
        [f, df1, df2, p], [wald["Fstat"], wald["df_num"], wald["df_denom"], wald["p"]], rtol=1e-5
    )


def test_profile_limits_lie_where_the_likelihood_has_fallen(schools):
    """The reference limits come from a search that stops at 1e-4; ours are checked by the likelihood itself."""
    y, v, district, _, outputs = schools
    result = multilevel(y, v, study=district)
    frame = result.profile()
    np.testing.assert_allclose(frame.iloc[0, 1:].astype(float), outputs["confint_sigma2"]["1"], atol=1e-4)
    assert frame["low"][1] == pytest.approx(outputs["confint_sigma2"]["2"][1], abs=1e-4)
    from ipt_outcomes.meta.multilevel.maximise import maximise

    for index in (0, 1):
        for side in ("low", "high"):
            _, fitted = maximise(result.blocks, restricted=True, fixed={index: float(frame[side][index])})
            drop = 2 * (result.log_likelihood - fitted.log_likelihood)
            assert drop == pytest.approx(3.841458820694124, rel=1e-6)


def test_shared_control_group(reference):
    case = reference("meta/multiarm_shared_control")
    d, expected = case["data"], case["outputs"]
    effects = smd(d["m1i"], d["sd1i"], d["n1i"], d["m2i"], d["sd2i"], d["n2i"], better="higher")
    covariance = shared_control_covariance(effects.vi, study=d["study"], n_arm1=d["n1i"], n_arm2=d["n2i"])
    np.testing.assert_allclose(covariance, expected["V"], rtol=1e-10, atol=1e-15)
    fitted, model = multilevel(effects, covariance, study=d["study"], robust=None), expected["model"]
    for theirs, ours in (
        ("b", "estimate"),
        ("se", "se"),
        ("ci_lb", "ci_low"),
        ("QE", "q"),
        ("logLik", "log_likelihood"),
    ):
        assert getattr(fitted, ours) == pytest.approx(model[theirs], rel=RTOL), ours
    shared = split_control(d["n2i"], study=d["study"])["n_arm2"]
    halved = smd(d["m1i"], d["sd1i"], d["n1i"], d["m2i"], d["sd2i"], shared, better="higher")
    assert pool(halved, test="z").estimate == pytest.approx(expected["split_control_rma"]["b"], rel=RTOL)


def test_the_aggregate_pools_as_in_metafor(schools):
    y, v, district, _, outputs = schools
    frame = aggregate(y, v, study=district, rho=0.5)
    result, expected = pool(frame["yi"], frame["vi"], test="z"), outputs["aggregate_rho.5"]["pooled"]
    assert result.estimate == pytest.approx(expected["b"], rel=RTOL)
    assert result.tau2 == pytest.approx(expected["tau2"], rel=RTOL)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 12))
def test_one_effect_per_study_is_the_plain_model(seed, k):
    rng = np.random.default_rng(seed)
    v = rng.uniform(0.02, 0.3, k)
    y = rng.normal(0.4, np.sqrt(v + rng.choice([0.0, 0.2])))
    plain = pool(y, v, test="z")
    names = [f"s{i}" for i in range(k)]
    result = multilevel(y, che_covariance(v, study=names, rho=0.0), study=names, robust=None)
    assert result.estimate == pytest.approx(plain.estimate, rel=1e-8, abs=1e-10)
    assert result.tau2_study == pytest.approx(plain.tau2, rel=1e-6, abs=1e-10)
    assert result.tau2_effect == 0
    assert "cannot be told" in " ".join(result.notes)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 20))
def test_sign_scale_and_order(seed, scale):
    rng = np.random.default_rng(seed)
    study = rng.integers(0, 6, 14)
    study[:6] = range(6)
    v = rng.uniform(0.02, 0.3, 14)
    y = rng.normal(0.4, 0.5, 14)
    one = multilevel(y, v, study=study)
    order = rng.permutation(14)
    other = multilevel(-scale * y[order], scale**2 * v[order], study=study[order])
    assert other.estimate == pytest.approx(-scale * one.estimate, rel=1e-6, abs=1e-8)
    assert other.se == pytest.approx(scale * one.se, rel=1e-6)
    assert other.df == pytest.approx(one.df, rel=1e-5)
    assert other.tau2_study == pytest.approx(scale**2 * one.tau2_study, rel=1e-5, abs=1e-8 * scale**2)


def test_refusals():
    y, v, study = [0.1, 0.2, 0.3], [0.1, 0.1, 0.1], ["A", "A", "B"]
    with pytest.raises(DesignError, match="more studies than coefficients"):
        multilevel(y, v, study=["A", "B", "C"], moderators={"x": [1, 2, 4], "z": [1, 0, 0]})
    with pytest.raises(DesignError, match="one study"):
        multilevel(y, v, study=["A"] * 3, robust=None)
    wrong = np.array([[0.1, 0.2, 0], [0.2, 0.1, 0], [0, 0, 0.1]])
    with pytest.raises(DesignError, match="no covariance") as caught:
        multilevel(y, wrong, study=study)
    assert caught.value.rows == (0, 1)
    uneven = np.diag(v).astype(float)
    uneven[0, 1] = 0.05
    with pytest.raises(DesignError, match="symmetric"):
        multilevel(y, uneven, study=study)
    with pytest.raises(DesignError, match="linearly dependent"):
        multilevel(y, v, study=["A", "B", "C"], moderators={"x": [1.0, 1.0, 1.0]}, robust=None)
    with pytest.raises(DesignError, match="study is missing"):
        multilevel(y, v, study=["A", None, "B"])
    with pytest.raises(OptionError):
        multilevel(y, v, study=study, robust="CR3")


def test_rows_with_gaps_are_left_out_and_counted():
    y = [0.1, np.nan, 0.3, 0.5, 0.2]
    covariance = che_covariance([0.1, 0.1, 0.2, 0.1, 0.1], study=["A", "A", "B", "C", "C"])
    result = multilevel(y, covariance, study=["A", "A", "B", "C", "C"])
    assert (result.k, result.n_studies, result.n_dropped) == (4, 3, 1)
    assert "left out" in result.summary()
    assert result.to_dict()["k"] == 4
