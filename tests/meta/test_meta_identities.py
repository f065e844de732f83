"""What must be equal, how every result shows itself, and what every function does with little or bad data."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes import meta
from ipt_outcomes.effects import EffectSizes
from ipt_outcomes.errors import IptError
from ipt_outcomes.meta.inputs import TAU2_METHODS, TESTS

FAST = settings(max_examples=30, deadline=None, derandomize=True)
seeds = st.integers(0, 9999)


def data_of(seed, k=8, tau=0.3):
    rng = np.random.default_rng(seed)
    v = rng.uniform(0.02, 0.3, k)
    return rng.normal(0.4, np.sqrt(v + tau**2)), v


def close(one, other, rel=1e-8, atol=1e-10):
    np.testing.assert_allclose(np.array(one, dtype=float), np.array(other, dtype=float), rtol=rel, atol=atol)


@FAST
@given(seeds, st.sampled_from([m for m in TAU2_METHODS if m != "common"]))
def test_no_heterogeneity_is_the_common_effect(seed, method):
    y, v = data_of(seed, tau=0.0)
    y = 0.4 + (y - 0.4) * 0.05  # more alike than sampling error makes them
    random, common = meta.pool(y, v, tau2=method, test="z"), meta.pool(y, v, tau2="common")
    if random.tau2 == 0:
        close(
            (random.estimate, random.se, random.ci_low, random.q), (common.estimate, common.se, common.ci_low, common.q)
        )
        close(random.weight_percent, common.weight_percent)
    else:
        assert method == "SJ"  # the one estimator that is never 0


@FAST
@given(seeds)
def test_weights_are_shares(seed):
    y, v = data_of(seed)
    for method in TAU2_METHODS:
        fit = meta.pool(y, v, tau2=method)
        assert fit.weights["weight_percent"].sum() / 100 == pytest.approx(1, rel=1e-12)
        assert fit.weights["weight_percent"].to_numpy() @ y / 100 == pytest.approx(fit.estimate, rel=1e-9, abs=1e-12)


@FAST
@given(seeds)
def test_one_effect_per_study_and_rho_zero_is_pooling(seed):
    y, v = data_of(seed)
    study = [f"s{i}" for i in range(8)]
    working = meta.che_covariance(v, study=study, rho=0.0)
    close(working, np.diag(v))
    fit, plain = meta.multilevel(y, working, study=study, robust=None), meta.pool(y, v, test="z")
    close((fit.estimate, fit.se, fit.q), (plain.estimate, plain.se, plain.q), rel=1e-6, atol=1e-8)
    assert fit.tau2_study == pytest.approx(plain.tau2, rel=1e-6, abs=1e-9)
    assert fit.tau2_effect == 0
    # a correlation says nothing where there is nothing to correlate
    close(meta.che_covariance(v, study=study, rho=0.8), working)


@FAST
@given(seeds)
def test_a_network_of_two_treatments_is_pooling(seed):
    y, v = data_of(seed)
    net = meta.network(y, np.sqrt(v), study=range(8), arm1=["ipt"] * 8, arm2=["tau"] * 8, reference="tau", tau2="REML")
    plain = meta.pool(y, v, test="z")
    row = net.random[net.random["arm1"] == "ipt"].iloc[0]
    close((row["estimate"], row["se"], net.q), (plain.estimate, plain.se, plain.q), rel=1e-6, atol=1e-8)


@FAST
@given(seeds)
def test_one_level_one_column_and_the_last_step_are_pooling(seed):
    y, v = data_of(seed)
    plain = meta.pool(y, v)
    level = meta.subgroups(y, v, by=["x"] * 8).groups.iloc[0]
    last = meta.cumulative(y, v).iloc[-1]
    for row in (level, last):
        close((row["estimate"], row["se"], row["tau2"]), (plain.estimate, plain.se, plain.tau2))
    x = np.arange(8) - 3.5
    at_zero = meta.regression(y, v, {"x": x}).predict({"x": [0.0]}).iloc[0]
    assert at_zero["estimate"] == pytest.approx(meta.regression(y, v, {"x": x}).coefficients["estimate"][0], rel=1e-12)


@FAST
@given(seeds)
def test_nothing_filled_in_is_pooling(seed):
    y, v = data_of(seed)
    filled = meta.trim_and_fill(y, v, tau2="DL")
    if filled.k0 == 0:
        plain = meta.pool(y, v, tau2="DL", test="z")
        close((filled.estimate, filled.se), (plain.estimate, plain.se))


@FAST
@given(seeds)
def test_one_table_is_its_own_effect(seed):
    rng = np.random.default_rng(seed)
    a, c = int(rng.integers(2, 28)), int(rng.integers(2, 28))
    four = ([a], [30], [c], [31])
    odds = np.log(a * (31 - c) / ((30 - a) * c))
    assert meta.mantel_haenszel(*four).estimate == pytest.approx(odds, rel=1e-9, abs=1e-12)
    assert meta.mantel_haenszel(*four, measure="RR").estimate == pytest.approx(np.log(a / 30 / (c / 31)), abs=1e-12)
    assert meta.mantel_haenszel(*four, measure="RD").estimate == pytest.approx(a / 30 - c / 31, abs=1e-12)


Y, V = data_of(4, 12)
STUDY = [f"s{i // 2}" for i in range(12)]
A, C = np.array([5, 8, 12, 20]), np.array([9, 10, 20, 24])
TABLES = (A, [30, 40, 50, 61], C, [30, 38, 52, 60])
RNG = {"rng": np.random.default_rng(1)}
RESULTS = {
    "pool": lambda: meta.pool(Y, V),
    "heterogeneity": lambda: meta.pool(Y, V).heterogeneity_ci(),
    "prediction": lambda: meta.pool(Y, V).prediction_interval(),
    "subgroups": lambda: meta.subgroups(Y, V, by=["a", "b"] * 6),
    "regression": lambda: meta.regression(Y, V, {"x": np.arange(12.0)}),
    "multilevel": lambda: meta.multilevel(Y, V, study=STUDY),
    "multivariate": lambda: meta.multivariate(Y, np.diag(V), study=STUDY, outcome=["a", "b"] * 6),
    "network": lambda: meta.network([0.5, 0.2], [0.2, 0.3], study=[1, 2], arm1=["i", "c"], arm2=["t", "t"],
                                    reference="t"),
    "mantel_haenszel": lambda: meta.mantel_haenszel(*TABLES),
    "peto": lambda: meta.peto(*TABLES),
    "event_model": lambda: meta.event_model(*TABLES),
    "egger": lambda: meta.egger(Y, V, study=STUDY),
    "egger_events": lambda: meta.egger_events(*TABLES),
    "begg": lambda: meta.begg(Y, V, study=STUDY),
    "trim_and_fill": lambda: meta.trim_and_fill(Y, V, study=STUDY),
    "pet_peese": lambda: meta.pet_peese(Y, V, study=STUDY),
    "pet": lambda: meta.pet_peese(Y, V).pet,
    "selection_model": lambda: meta.selection_model(Y, V, steps=(0.3,)),
    "limit": lambda: meta.limit_meta_analysis(Y, V, study=STUDY),
    "waap": lambda: meta.waap_wls(Y, V, study=STUDY),
    "fail_safe_n": lambda: meta.fail_safe_n(Y, V),
    "excess": lambda: meta.excess_significance(Y, V),
    "p_curve": lambda: meta.p_curve(Y, V),
    "permutation": lambda: meta.permutation_test(meta.pool(Y[:5], V[:5])),
    "proportion": lambda: meta.proportion_beyond(meta.pool(Y, V), 0.24),
}  # fmt: skip


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_shows_itself(name):
    result = RESULTS[name]()
    frame = result.to_frame()
    assert len(frame) >= 1
    assert json.dumps(result.to_dict(), default=str)
    for digits in (2, 3):
        text = result.summary(digits)
        assert "nan" not in text.lower().split()
        assert "1 studies" not in text
    html = result._repr_html_()
    assert html.startswith("<table>")
    assert "<script" not in html
    # the same call gives the same numbers
    assert RESULTS[name]().to_frame().equals(frame)


FUNCTIONS = {
    "pool": meta.pool,
    "regression": lambda y, v: meta.regression(y, v, {"x": np.arange(len(y), dtype=float)}),
    "subgroups": lambda y, v: meta.subgroups(y, v, by=["a"] * len(y)),
    "multilevel": lambda y, v: meta.multilevel(y, v, study=[f"s{i}" for i in range(len(y))]),
    "egger": meta.egger,
    "begg": meta.begg,
    "trim_and_fill": meta.trim_and_fill,
    "pet_peese": meta.pet_peese,
    "selection_model": meta.selection_model,
    "limit": meta.limit_meta_analysis,
    "waap": meta.waap_wls,
    "fail_safe_n": meta.fail_safe_n,
    "excess": meta.excess_significance,
    "p_curve": meta.p_curve,
    "leave_one_out": meta.leave_one_out,
    "cumulative": meta.cumulative,
    "influence": meta.influence,
    "baujat": meta.baujat,
    "gosh": meta.gosh,
}
LITTLE = {
    "none": ([], []),
    "one": ([0.3], [0.1]),
    "two": ([0.3, 0.5], [0.1, 0.2]),
    "two alike": ([0.3, 0.3], [0.1, 0.1]),
    "identical": ([0.3] * 5, [0.1] * 5),
    "all zero": ([0.0] * 5, [0.1, 0.2, 0.1, 0.3, 0.1]),
    "all missing": ([np.nan] * 4, [0.1] * 4),
    "one left": ([np.nan, 0.2, np.nan], [0.1, 0.1, 0.1]),
    "some missing": ([0.1, np.nan, 0.3, 0.2, 0.6], [0.1, 0.1, np.nan, 0.05, 0.2]),
    "far apart": ([0.1, 5e5, 0.3, 0.2], [0.1, 0.1, 0.2, 0.05]),
    "tiny variances": ([0.1, 0.2, 0.3, 0.25], [1e-12, 2e-12, 1e-12, 3e-12]),
    "huge": ([1e150, 2e150, 1.5e150, 1e150], [1e300, 1e300, 2e300, 3e300]),
}


def words_of(function, y, v):
    """Return what a user reads: the summary, or the reason why there is none."""
    try:
        result = function(y, v)
    except IptError as error:
        return str(error)
    return result.summary() if hasattr(result, "summary") else str(result)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("case", LITTLE)
def test_little_and_odd_data_give_a_result_or_a_reason(name, case):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        text = words_of(FUNCTIONS[name], *LITTLE[case])
    assert text
    assert "1 studies" not in text
    assert "there are 1" not in text


@pytest.mark.parametrize("name", FUNCTIONS)
def test_impossible_rows_are_all_named(name):
    with pytest.raises(IptError) as caught:
        FUNCTIONS[name]([0.1, 0.2, 0.3, np.inf, 0.2, 0.5], [0.1, 0.0, -0.2, 0.1, 0.1, 0.2])
    assert caught.value.rows == (1, 2, 3)


@pytest.mark.parametrize("test", TESTS)
def test_missing_rows_are_named_and_the_rest_is_pooled(test):
    effects = EffectSizes(yi=[0.1, np.nan, 0.3, 0.2], vi=[0.1, 0.1, 0.1, np.nan], measure="SMD", convention="x")
    fit = meta.pool(effects, test=test)
    assert (fit.k, fit.n_dropped) == (2, 2)
    assert fit.estimate == meta.pool([0.1, 0.3], [0.1, 0.1], test=test).estimate
    assert "2 of 4 rows had no effect or variance and were left out: rows 1, 3 (from 0)" in fit.summary()
