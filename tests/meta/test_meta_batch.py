"""Poolings of many subsets at once are the poolings one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.effects import odds_ratio
from ipt_outcomes.errors import ConvergenceError
from ipt_outcomes.meta import batch, cumulative, influence, leave_one_out, pool
from ipt_outcomes.meta.inputs import TAU2_METHODS, TESTS
from ipt_outcomes.meta.pooled import COLUMNS

FAST = settings(max_examples=40, deadline=None, derandomize=True)


def data_of(seed, k, spread, tau):
    rng = np.random.default_rng(seed)
    v = np.exp(rng.normal(-2.5, spread, k))
    return rng.normal(0.4, np.sqrt(v + tau**2)), v


def same(row, one):
    for name in COLUMNS:
        value, expected = row[name], getattr(one, name)
        if name == "n_dropped":
            continue
        if expected is None:
            assert value is None or np.isnan(value), name
        elif isinstance(expected, str | bool):
            assert value == expected, name
        else:
            assert value == pytest.approx(expected, rel=1e-8, abs=1e-11), name


@FAST
@given(
    st.integers(0, 10_000),
    st.integers(2, 14),
    st.sampled_from([0.1, 1.0, 2.5]),
    st.sampled_from([0.0, 0.3, 2.0]),
    st.sampled_from(TAU2_METHODS),
    st.sampled_from(TESTS),
    st.sampled_from([0.0, 64.0]),
)
def test_leaving_out_and_adding_up_are_poolings(seed, k, spread, tau, method, test, shift):
    y, v = data_of(seed, k, spread, tau)
    y = y + shift
    frame = leave_one_out(y, v, tau2=method, test=test, level=0.9)
    for i in range(k):
        same(frame.iloc[i], pool(np.delete(y, i), np.delete(v, i), tau2=method, test=test, level=0.9))
    frame = cumulative(y, v, tau2=method, test=test)
    for i in range(k):
        same(frame.iloc[i], pool(y[: i + 1], v[: i + 1], tau2=method, test=test))


def test_the_higher_of_two_hills_wins_in_each_subset():
    y = np.array([0.0, 0.01, -0.01, 0.005, 3.0, 0.002])
    v = np.array([1e-4, 1e-4, 1e-4, 1e-4, 4.0, 1e-4])
    for method in ("REML", "ML"):
        found = leave_one_out(y, v, tau2=method)["tau2"]
        expected = [pool(np.delete(y, i), np.delete(v, i), tau2=method).tau2 for i in range(6)]
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-14)


def test_equal_effects_use_z_in_the_subset_only():
    frame = leave_one_out([0.3, 0.3, 0.3, 0.9], [0.1, 0.1, 0.2, 0.1])
    assert frame["df"].isna().tolist() == [False, False, False, True]
    assert frame["tau2"].iloc[3] == 0


def test_chunks_give_the_same(monkeypatch):
    y, v = data_of(3, 30, 1.0, 0.3)
    whole = leave_one_out(y, v)
    monkeypatch.setattr(batch, "_CELLS", 95)
    parts = leave_one_out(y, v)
    np.testing.assert_allclose(whole["estimate"], parts["estimate"], rtol=1e-12)
    np.testing.assert_allclose(whole["tau2"], parts["tau2"], rtol=1e-9)


def test_ratios_keep_their_name():
    effects = odds_ratio([5, 8, 12], 30, [9, 10, 20], 30, event="bad")
    assert leave_one_out(effects)["measure"].tolist() == ["OR"] * 3
    assert cumulative(effects)["measure"].tolist() == ["OR"] * 3


def test_no_convergence_names_the_fits(monkeypatch):
    monkeypatch.setattr(batch, "MAX_STEPS", 1)
    y, v = [0.1, 0.9, 0.4, -0.6], [0.01, 0.02, 0.05, 0.01]
    for method in ("REML", "ML", "PM"):
        with pytest.raises(ConvergenceError, match="of the fits") as caught:
            leave_one_out(y, v, tau2=method)
        assert "number" in caught.value.attempts[0]


@FAST
@given(st.integers(0, 10_000), st.sampled_from(["REML", "DL", "common"]), st.sampled_from(TESTS))
def test_influence_is_made_of_poolings(seed, method, test):
    y, v = data_of(seed, 8, 1.0, 0.4)
    frame = influence(y, v, tau2=method, test=test)
    whole = pool(y, v, tau2=method, test=test)
    for i in range(8):
        one = pool(np.delete(y, i), np.delete(v, i), tau2=method, test=test)
        assert frame["residual"][i] == pytest.approx(y[i] - one.estimate, rel=1e-9, abs=1e-12)
        assert frame["cov_ratio"][i] == pytest.approx((one.se / whole.se) ** 2, rel=1e-7)
        assert frame["tau2_deleted"][i] == pytest.approx(one.tau2, rel=1e-8, abs=1e-14)
        assert frame["q_deleted"][i] == pytest.approx(one.q, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("test", TESTS)
def test_equal_effects_have_no_influence(test):
    frame = influence([0.0] * 5, [0.1, 0.2, 0.1, 0.3, 0.1], test=test)
    assert (frame["dfbetas"] == 0).all()
    assert np.isfinite(frame.drop(columns="influential").to_numpy(dtype=float)).all()
    shifted = influence([0.7] * 5, [0.1, 0.2, 0.1, 0.3, 0.1], test=test)
    np.testing.assert_allclose(shifted["dfbetas"], 0, atol=1e-12)
