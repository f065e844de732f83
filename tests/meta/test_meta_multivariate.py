"""Several outcomes per study: against the published example, and identities."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.meta import che_covariance, multivariate, pool

# Five trials of periodontal surgery: probing depth and attachment level, Berkey and others 1998, table I
BERKEY = [0.47, -0.32, 0.20, -0.60, 0.40, -0.12, 0.26, -0.31, 0.56, -0.39]
BLOCKS = [(0.0075, 0.0030, 0.0077), (0.0057, 0.0009, 0.0008), (0.0021, 0.0007, 0.0014), (0.0029, 0.0009, 0.0015),
          (0.0148, 0.0072, 0.0304)]  # fmt: skip
STUDY, OUTCOME = np.repeat(np.arange(5), 2), ["PD", "AL"] * 5


def covariance():
    v = np.zeros((10, 10))
    for i, (one, both, other) in enumerate(BLOCKS):
        v[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = [[one, both], [both, other]]
    return v


def test_berkeys_trials_as_printed():
    """Maximum likelihood, as the article and metafor's documentation of dat.berkey1998 print it to four decimals."""
    fit = multivariate(BERKEY, covariance(), study=STUDY, outcome=OUTCOME, method="ML")
    rows = fit.outcomes.set_index("outcome")
    assert rows.loc["AL", ["estimate", "se"]].tolist() == pytest.approx([-0.3379, 0.0798], abs=6e-5)
    assert rows.loc["PD", ["estimate", "se"]].tolist() == pytest.approx([0.3448, 0.0495], abs=6e-5)
    assert rows["tau2"].tolist() == pytest.approx([0.0261, 0.0070], abs=6e-5)
    assert fit.correlation[0, 1] == pytest.approx(0.6992, abs=6e-5)
    assert fit.q == pytest.approx(128.2267, abs=6e-5)
    assert fit.log_likelihood == pytest.approx(5.8407, abs=6e-5)


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_no_direct_search_finds_more(method):
    v, y, x = covariance(), np.array(BERKEY), np.eye(2)[[1, 0] * 5]
    same = STUDY[:, None] == STUDY[None, :]

    def height(theta):
        root = np.array([[theta[0], 0], [theta[1], theta[2]]])
        omega = v + np.where(same, x @ root @ root.T @ x.T, 0.0)
        w = np.linalg.inv(omega)
        info = x.T @ w @ x
        r = y - x @ np.linalg.solve(info, x.T @ w @ y)
        value = -0.5 * (10 * np.log(2 * np.pi) + np.linalg.slogdet(omega)[1] + r @ w @ r)
        if method == "REML":
            value += np.log(2 * np.pi) + 0.5 * np.linalg.slogdet(x.T @ x)[1] - 0.5 * np.linalg.slogdet(info)[1]
        return value

    fit = multivariate(y, v, study=STUDY, outcome=OUTCOME, method=method)
    found = minimize(lambda t: -height(t), [0.2, 0.1, 0.1], method="Nelder-Mead",
                     options={"xatol": 1e-10, "fatol": 1e-13, "maxiter": 5000})  # fmt: skip
    assert fit.log_likelihood == pytest.approx(-found.fun, abs=1e-9)
    assert fit.log_likelihood >= -found.fun - 1e-10


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 9999))
def test_one_outcome_is_a_plain_meta_analysis(seed):
    rng = np.random.default_rng(seed)
    v = rng.uniform(0.02, 0.3, 9)
    y = rng.normal(0.4, np.sqrt(v + 0.1))
    fit, plain = multivariate(y, np.diag(v), study=range(9), outcome=["x"] * 9), pool(y, v, test="z")
    row = fit.outcomes.iloc[0]
    assert (row["estimate"], row["se"]) == pytest.approx((plain.estimate, plain.se), rel=1e-5)
    assert row["tau2"] == pytest.approx(plain.tau2, rel=1e-4, abs=1e-7)
    assert (row["prediction_low"], fit.q) == pytest.approx((plain.prediction_low, plain.q), rel=1e-4, abs=1e-6)
    assert fit.equal is None


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 9999))
def test_without_correlations_outcomes_are_pooled_apart(seed):
    rng = np.random.default_rng(seed)
    v = rng.uniform(0.02, 0.3, 16)
    y = rng.normal(0.4, np.sqrt(v + 0.1))
    outcome = np.array(["a", "b"] * 8)
    fit = multivariate(y, np.diag(v), study=np.repeat(np.arange(8), 2), outcome=outcome, structure="diagonal")
    for name in ("a", "b"):
        plain = pool(y[outcome == name], v[outcome == name], test="z")
        row = fit.outcomes.set_index("outcome").loc[name]
        assert (row["estimate"], row["se"]) == pytest.approx((plain.estimate, plain.se), rel=1e-4)
        assert row["tau2"] == pytest.approx(plain.tau2, rel=1e-3, abs=1e-6)


def test_scale_sign_and_order():
    v = covariance()
    one = multivariate(BERKEY, v, study=STUDY, outcome=OUTCOME)
    other = multivariate(-7 * np.array(BERKEY), 49 * v, study=STUDY, outcome=OUTCOME)
    np.testing.assert_allclose(other.outcomes["estimate"], -7 * one.outcomes["estimate"], rtol=1e-6)
    np.testing.assert_allclose(other.between, 49 * one.between, rtol=1e-4)
    order = np.random.default_rng(2).permutation(10)
    mixed = multivariate(np.array(BERKEY)[order], v[np.ix_(order, order)], study=STUDY[order],
                         outcome=np.array(OUTCOME)[order])  # fmt: skip
    np.testing.assert_allclose(mixed.outcomes["estimate"], one.outcomes["estimate"], rtol=1e-6)


def test_t_and_missing_rows_and_views():
    y = np.array(BERKEY)
    y[3] = np.nan
    fit = multivariate(y, covariance(), study=STUDY, outcome=OUTCOME, test="t")
    assert (fit.k, fit.n_dropped, fit.n_studies) == (9, 1, 5)
    assert fit.outcomes["df"].tolist() == [7.0, 7.0]
    assert fit.outcomes["k"].tolist() == [4, 5]
    assert "1 row without an effect or variance was left out" in fit.summary()
    assert "estimated poorly" in fit.summary(3)
    assert json.loads(json.dumps(fit.to_dict()))["structure"] == "unstructured"
    assert fit._repr_html_().startswith("<table>")


def test_identical_effects_have_no_variance_and_say_so():
    fit = multivariate([0.3, 0.5] * 4, np.eye(8) * 0.1, study=np.repeat(range(4), 2), outcome=["a", "b"] * 4)
    np.testing.assert_allclose(fit.between, 0, atol=1e-6)
    assert "singular" in fit.summary()


def test_refusals():
    v = covariance()
    with pytest.raises(DesignError, match="square matrix"):
        multivariate(BERKEY, np.diag(v), study=STUDY, outcome=OUTCOME)
    with pytest.raises(DesignError, match="more than once: rows 0, 1"):
        multivariate(BERKEY, v, study=STUDY, outcome=["PD", "PD", *OUTCOME[2:]])
    with pytest.raises(DesignError, match="outcome is missing in row 1"):
        multivariate(BERKEY, v, study=STUDY, outcome=["PD", None, *OUTCOME[2:]])
    with pytest.raises(DesignError, match="no covariance matrix"):
        multivariate([0.1, 0.2], [[0.1, 0.2], [0.2, 0.1]], study=[1, 1], outcome=["a", "b"])
    with pytest.raises(DesignError, match="nothing to pool"):
        multivariate([np.nan], [[0.1]], study=[1], outcome=["a"])
    with pytest.raises(OptionError, match="structure must be one of"):
        multivariate(BERKEY, v, study=STUDY, outcome=OUTCOME, structure="ar1")
    one = multivariate([0.1, 0.2], che_covariance([0.1, 0.1], study=[1, 1]), study=[1, 1], outcome=["a", "b"])
    assert one.outcomes["estimate"].tolist() == pytest.approx([0.1, 0.2])
    assert one.q_p_value is None
