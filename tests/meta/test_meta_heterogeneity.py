"""Intervals of tau2, I2 and H2."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.meta import pool
from ipt_outcomes.meta.quadratic_forms import quadratic_form_cdf

CASES = ("bcg_rr", "homogeneous_k4", "normand1999_smd", "raudenbush1985", "slow_reml")
METHODS = {"QP": "q-profile", "PL": "profile-likelihood", "GENQ": "generalised-q"}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("key", ["DL_QP", "REML_QP", "DL_GENQ", "REML_PL", "ML_PL"])
def test_against_metafor(reference, case, key):
    loaded = reference(f"meta/confint_{case}")
    expected = loaded["outputs"][key]
    estimator, kind = key.split("_")
    pooled = pool(loaded["data"]["yi"], loaded["data"]["vi"], tau2=estimator)
    interval = pooled.heterogeneity_ci(METHODS[kind])
    assert interval.tau2 == pytest.approx(expected["tau2"][0], rel=1e-6, abs=1e-12)
    # The stored GENQ limits stop at R's default root tolerance in tau2, eps^0.25 = 1.2e-4: they are off by up
    # to 2.8e-5. The next test holds our limits to their definition.
    loose = 1.3e-4 if kind == "GENQ" else 0.0
    for field, scale in (("tau2", 1.0), ("I2", 100.0), ("H2", 1.0)):
        found = [getattr(interval, f"{field.lower()}_{end}") for end in ("low", "high")]
        slope = 1.0 if field == "tau2" else scale / typical_variance(loaded["data"]["vi"])
        assert found == pytest.approx(expected[field][1:], rel=1e-6, abs=1e-9 + loose * slope), field


@pytest.mark.parametrize("case", ["bcg_rr", "normand1999_smd", "raudenbush1985", "slow_reml"])
def test_generalised_q_limits_have_the_tail_they_promise(reference, case):
    """Tail of Cochran's Q at the limits by Imhof's integral, a method that shares nothing with ours."""
    data = reference(f"meta/confint_{case}")["data"]
    y, v = np.array(data["yi"]), np.array(data["vi"])
    interval = pool(y, v, tau2="DL").heterogeneity_ci("generalised-q")
    w = 1 / v
    matrix = np.diag(w) - np.outer(w, w) / w.sum()
    for limit, tail in ((interval.tau2_low, 0.025), (interval.tau2_high, 0.975)):
        if limit > 0:
            root = np.sqrt(v + limit)
            eigenvalues = np.linalg.eigvalsh(root[:, None] * matrix * root)[1:]
            assert imhof_upper_tail(eigenvalues, y @ matrix @ y) == pytest.approx(tail, abs=1e-9)


def imhof_upper_tail(weights, x):
    """Imhof (1961), Biometrika 48:419-426, eq 3.2, by Gauss-Legendre pieces narrower than its waves."""
    nodes, gauss = np.polynomial.legendre.leggauss(20)
    edges = np.concatenate(([0.0], np.geomspace(1e-4, 50, 200), np.arange(52.0, 40000.0, 2.0))) / x
    half, middle = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
    u = middle[:, None] + half[:, None] * nodes
    scaled = u[:, :, None] * weights
    angle = 0.5 * np.arctan(scaled).sum(axis=2) - 0.5 * x * u
    size = np.exp(0.25 * np.log1p(scaled**2).sum(axis=2))
    return 0.5 + (half[:, None] * gauss * np.sin(angle) / (u * size)).sum() / np.pi


def typical_variance(vi):
    w = 1 / np.array(vi)
    return (w.size - 1) / (w.sum() - (w @ w) / w.sum())


def test_all_confint_outputs_are_tested(reference):
    for case in CASES:
        assert set(reference(f"meta/confint_{case}")["outputs"]) == {
            "DL_QP",
            "REML_QP",
            "DL_GENQ",
            "REML_PL",
            "ML_PL",
        }


def test_empty_interval_is_named(reference):
    data = reference("meta/confint_homogeneous_k4")["data"]
    interval = pool(data["yi"], data["vi"]).heterogeneity_ci()
    assert interval.empty
    assert "empty" in interval.summary()
    assert not pool([0.1, 0.9, 0.4], [0.1, 0.1, 0.1]).heterogeneity_ci().empty


@pytest.mark.parametrize("method", ["q-profile", "generalised-q"])
def test_equal_variances_have_a_closed_form(method):
    """With equal variances both intervals follow from chi-squared: (v + tau2) = SS / quantile."""
    y, v = np.array([0.1, 1.4, 0.4, -0.9, 2.0]), 0.05
    interval = pool(y, [v] * 5, tau2="DL").heterogeneity_ci(method, level=0.9)
    ss = ((y - y.mean()) ** 2).sum()
    assert interval.tau2_low == pytest.approx(ss / stats.chi2.isf(0.05, 4) - v, rel=1e-9)
    assert interval.tau2_high == pytest.approx(ss / stats.chi2.ppf(0.05, 4) - v, rel=1e-9)


def test_quadratic_form_has_known_special_cases():
    for x in (0.01, 0.5, 3.0, 20.0, 80.0):
        assert quadratic_form_cdf(np.full(7, 2.5), x) == pytest.approx(stats.chi2.cdf(x / 2.5, 7), abs=1e-11)
        # Two pairs of equal weights: a sum of two exponentials.
        a, b = 2 * 0.01, 2 * 5.0
        exact = 1 - (b * np.exp(-x / b) - a * np.exp(-x / a)) / (b - a)
        assert quadratic_form_cdf(np.array([0.01, 0.01, 5.0, 5.0]), x) == pytest.approx(exact, abs=1e-11)


def test_methods_that_do_not_go_together():
    dl, reml = (pool([0.1, 0.9, 0.4], [0.1, 0.1, 0.2], tau2=m) for m in ("DL", "REML"))
    with pytest.raises(OptionError, match="REML or ML"):
        dl.heterogeneity_ci("profile-likelihood")
    with pytest.raises(OptionError, match="by DL"):
        reml.heterogeneity_ci("generalised-q")
    with pytest.raises(OptionError, match="method must be one of"):
        reml.heterogeneity_ci("bootstrap")
    with pytest.raises(OptionError, match="level"):
        reml.heterogeneity_ci(level=95)
    with pytest.raises(DesignError, match="at least 2"):
        pool([0.1], [0.1]).heterogeneity_ci()


def test_frame_holds_the_limits():
    interval = pool([0.1, 0.9, 0.4], [0.1, 0.1, 0.2]).heterogeneity_ci()
    frame = interval.to_frame().set_index("statistic")
    assert frame.loc["i2", "high"] == interval.i2_high
    assert frame.loc["tau2", "low"] == interval.tau2_low
