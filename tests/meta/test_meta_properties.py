"""What must hold for any data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.meta import aggregate, egger, pool, subgroups
from ipt_outcomes.meta.core import Problem, fit
from ipt_outcomes.meta.inputs import TAU2_METHODS, TESTS
from ipt_outcomes.meta.tau2 import estimate_tau2, log_likelihood

FAST = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def studies(draw, smallest=2, largest=12):
    k = draw(st.integers(smallest, largest))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    v = np.exp(rng.normal(-2.5, draw(st.sampled_from([0.1, 1.0, 2.0])), k))
    tau = draw(st.sampled_from([0.0, 0.2, 1.0]))
    return rng.normal(0.4, np.sqrt(v + tau**2)), v


METHODS = st.sampled_from(TAU2_METHODS)
ALL_TESTS = st.sampled_from(TESTS)


def close(one, other, rel=1e-8, abs_=1e-11):
    assert one == pytest.approx(other, rel=rel, abs=abs_)


@FAST
@given(studies(), METHODS, ALL_TESTS)
def test_sign_flip(data, method, test):
    y, v = data
    one, other = pool(y, v, tau2=method, test=test), pool(-y, v, tau2=method, test=test)
    close((one.estimate, one.ci_low, one.ci_high), (-other.estimate, -other.ci_high, -other.ci_low))
    close((one.tau2, one.se, one.p_value, one.q), (other.tau2, other.se, other.p_value, other.q))


@FAST
@given(studies(), METHODS, ALL_TESTS, st.sampled_from([1e-6, 0.03, 7.0, 1e5]))
def test_scaling(data, method, test, c):
    y, v = data
    one, other = pool(y, v, tau2=method, test=test), pool(c * y, c * c * v, tau2=method, test=test)
    close((c * one.estimate, c * one.se), (other.estimate, other.se), abs_=1e-11 * c)
    close(c * c * one.tau2, other.tau2, rel=1e-7, abs_=1e-12 * c * c)
    close((one.p_value, one.q, one.i2), (other.p_value, other.q, other.i2), rel=1e-7)


@FAST
@given(studies(), METHODS, ALL_TESTS, st.randoms(use_true_random=False))
def test_order_of_rows(data, method, test, random):
    y, v = data
    order = list(range(y.size))
    random.shuffle(order)
    one, other = pool(y, v, tau2=method, test=test), pool(y[order], v[order], tau2=method, test=test)
    close((one.estimate, one.se, one.tau2), (other.estimate, other.se, other.tau2))
    close(one.weight_percent[order], other.weight_percent)


@FAST
@given(studies(), METHODS, ALL_TESTS)
def test_shift(data, method, test):
    y, v = data
    one, other = pool(y, v, tau2=method, test=test), pool(y + 1024.0, v, tau2=method, test=test)
    close(
        (one.estimate + 1024.0, one.se, one.tau2, one.q),
        (other.estimate, other.se, other.tau2, other.q),
        1e-7,
        1e-9,
    )


@FAST
@given(studies(), METHODS)
def test_weights_sum_to_100_and_estimate_lies_among_the_effects(data, method):
    result = pool(*data, tau2=method)
    assert result.weights["weight_percent"].sum() == pytest.approx(100, rel=1e-12)
    assert (result.weight_percent > 0).all()
    assert data[0].min() - 1e-12 <= result.estimate <= data[0].max() + 1e-12
    assert result.tau2 >= 0
    assert 0 <= result.i2 <= 100


@FAST
@given(studies(), st.sampled_from([m for m in TAU2_METHODS if m != "common"]))
def test_ad_hoc_interval_is_never_narrower_than_that_of_z(data, method):
    """Same tau2, factor at least 1, and the t quantile above the normal one: strictly wider at any k."""
    adhoc = pool(*data, tau2=method, test="knapp-hartung-adhoc")
    z = pool(*data, tau2=method, test="z")
    assert adhoc.ci_high - adhoc.ci_low > z.ci_high - z.ci_low
    assert not adhoc.narrower_than_z
    plain = pool(*data, tau2=method)
    assert plain.narrower_than_z == (plain.ci_high - plain.ci_low < z.ci_high - z.ci_low)
    close((plain.z_ci_low, plain.z_ci_high), (z.ci_low, z.ci_high), rel=1e-12)


@FAST
@given(studies())
def test_empirical_bayes_is_paule_mandel(data):
    eb, pm = pool(*data, tau2="EB"), pool(*data, tau2="PM")
    assert eb.tau2 == pm.tau2
    if pm.tau2 > 0:
        w = 1 / (data[1] + pm.tau2)
        assert w @ (data[0] - pm.estimate) ** 2 == pytest.approx(pm.k - 1, rel=1e-9)


@FAST
@given(studies())
def test_q_profile_interval_holds_the_paule_mandel_estimate(data):
    pm = pool(*data, tau2="PM")
    interval = pm.heterogeneity_ci()
    assert interval.empty or interval.tau2_low <= pm.tau2 <= interval.tau2_high


@FAST
@given(studies(smallest=4), st.sampled_from(["REML", "ML"]))
def test_profile_likelihood_limits_lie_on_the_cut(data, method):
    result = pool(*data, tau2=method)
    interval = result.heterogeneity_ci("profile-likelihood")
    problem = Problem(*data, np.ones((data[0].size, 1)))
    values = np.array([result.tau2, interval.tau2_low, interval.tau2_high]) / problem.unit**2
    top, low, high = log_likelihood(problem, values, restricted=method == "REML")
    assert 2 * (top - high) == pytest.approx(3.841458820694124, abs=1e-6)
    assert interval.tau2_low == 0 or 2 * (top - low) == pytest.approx(3.841458820694124, abs=1e-6)


@pytest.mark.parametrize("method", [m for m in TAU2_METHODS if m != "SJ"])
def test_large_shift_and_tiny_variances_change_nothing(method):
    """SJ too is invariant; its start from the spread is checked in the scaling property."""
    y, v = np.array([0.5, 0.25, 1.0, -0.125, 0.75]), np.array([0.04, 0.02, 0.05, 0.03, 0.01])
    base = pool(y, v, tau2=method)
    shifted = pool(y + 2.0**20, v, tau2=method)
    close(
        (shifted.estimate - 2.0**20, shifted.se, shifted.tau2),
        (base.estimate, base.se, base.tau2),
        1e-8,
        1e-9,
    )
    for factor in (1e-8, 1e-150, 1e150):
        tiny = pool(y * np.sqrt(factor), v * factor, tau2=method)
        close(tiny.tau2 / factor, base.tau2)
        close(tiny.p_value, base.p_value)
    # Variances shrink but the effects stay: almost all variance is between studies.
    certain = pool(y, v * 1e-8, tau2=method)
    if method not in {"common"}:
        assert certain.tau2 == pytest.approx(y.var(ddof=0 if method in {"ML", "HS"} else 1), rel=0.6)
        assert np.isfinite(certain.ci_low)


@FAST
@given(studies(smallest=5), st.sampled_from(["REML", "ML", "DL", "PM", "HE", "HS", "common"]))
def test_regression_core_does_not_depend_on_how_the_design_is_written(data, method):
    """Two codings of one model: same tau2, same fit; badly scaled columns too."""
    y, v = data
    x = np.linspace(-1, 1, y.size)
    first = np.column_stack([np.ones(y.size), x])
    second = first @ np.array([[1e6, 3.0], [1e6, -2e-5]])
    fits = []
    for design in (first, second):
        problem = Problem(y, v, design)
        fits.append((design, fit(problem, estimate_tau2(problem, method))))
    (a, one), (b, two) = fits
    close(one.tau2, two.tau2, rel=1e-6, abs_=1e-10)
    close(a @ one.coefficients, b @ two.coefficients, rel=1e-6, abs_=1e-8)
    close(np.diag(a @ one.covariance @ a.T), np.diag(b @ two.covariance @ b.T), rel=1e-6)


def test_regression_core_refuses_a_design_without_full_rank():
    y, v = np.arange(4.0), np.ones(4)
    for design in (np.ones((4, 2)), np.column_stack([np.ones(4), np.zeros(4)])):
        with pytest.raises(DesignError, match="linearly dependent"):
            Problem(y, v, design)
    with pytest.raises(DesignError, match="5 coefficients"):
        Problem(y, v, np.ones((4, 5)))


def test_regression_core_against_metafor(reference):
    """Meta-regression on two moderators, all estimators the reference has."""
    loaded = reference("meta/metareg_bcg")
    data = {name: np.array(values) for name, values in loaded["data"].items()}
    y, v = data["yi"], data["vi"]
    design = np.column_stack([np.ones(y.size), data["ablat"], data["alloc"] == "random", data["alloc"] == "systematic"])
    for key, method in (("REML", "REML"), ("DL", "DL"), ("ML", "ML"), ("PM", "PM"), ("FE", "common")):
        expected = loaded["outputs"][f"{key}_z"]
        problem = Problem(y, v, design.astype(float))
        result = fit(problem, estimate_tau2(problem, method))
        close(result.coefficients, expected["b"], rel=1e-6)
        close(np.sqrt(np.diag(result.covariance)), expected["se"], rel=1e-6)
        close((result.tau2, result.q), (expected["tau2"], expected["QE"]), rel=1e-6)
        if key != "FE":
            scaled = loaded["outputs"][f"{key}_knha"]
            close(np.sqrt(np.diag(result.covariance) * result.scale), scaled["se"], rel=1e-6)


@FAST
@given(studies(smallest=4), st.booleans())
def test_subgroups_do_not_depend_on_row_order(data, common):
    y, v = data
    by = np.array(["a", "b"] * y.size)[: y.size]
    one = subgroups(y, v, by=by, common_tau2=common)
    other = subgroups(y[::-1], v[::-1], by=by[::-1], common_tau2=common)
    close(one.groups["estimate"].to_numpy(), other.groups["estimate"].to_numpy())
    close(one.q_between, other.q_between, rel=1e-6)


@FAST
@given(studies(smallest=3))
def test_one_effect_per_study_is_left_as_it_is(data):
    frame = aggregate(*data, study=np.arange(data[0].size))
    close(frame["yi"].to_numpy(), data[0], rel=1e-13)
    close(frame["vi"].to_numpy(), data[1], rel=1e-13)


@FAST
@given(studies(smallest=3))
def test_egger_of_the_classic_kind_is_a_regression_of_z_on_precision(data):
    """Egger's original form: the intercept of y / se on 1 / se, unweighted."""
    y, v = data
    result = egger(y, v)
    x = np.column_stack([np.ones(y.size), 1 / np.sqrt(v)])
    beta, *_ = np.linalg.lstsq(x, y / np.sqrt(v), rcond=None)
    close((result.slope, result.limit_estimate), beta, rel=1e-6, abs_=1e-8)


def test_plot_draws_a_forest_and_asks_what_plain_arrays_are():
    figures = pytest.importorskip("ipt_outcomes.figures", reason="the figures are not written yet")
    if not callable(getattr(figures, "forest", None)):
        pytest.skip("the figures are not written yet")
    y, v = np.array([0.1, np.nan, 0.4]), np.array([0.1, 0.1, 0.2])
    effects = EffectSizes(yi=y.copy(), vi=v.copy(), measure="OR", convention="x", event="good")
    assert pool(effects, level=0.9).plot().figure is not None
    assert pool(y, v).plot(measure="SMD").figure is not None
    assert pool(y[:1], v[:1]).plot(measure="MD").figure is not None
    with pytest.raises(OptionError, match="plain arrays"):
        pool(y, v).plot()
    with pytest.raises(OptionError, match="the effects are OR"):
        pool(effects).plot(measure="SMD")
