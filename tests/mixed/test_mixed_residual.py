"""Residuals that are not alike: prior weights, a variance of each group, correlation over time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from ipt_outcomes.errors import DataError, DesignError, OptionError
from ipt_outcomes.mixed import lmm
from ipt_outcomes.mixed.engine.marginal import marginal_of


def made(seed: int = 7, people: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        week = np.sort(rng.choice(20, 6, replace=False)).astype(float)
        shared = 0.6 ** np.abs(week[:, None] - week[None, :])
        noise = np.linalg.cholesky(shared) @ rng.normal(0, 2, 6) * (1.5 if person % 2 else 1.0)
        start = rng.normal(15, 2)
        rows += [
            {
                "id": f"p{person:02d}",
                "site": f"s{person % 5}",
                "arm": "ab"[person % 2],
                "week": own,
                "y": start - 0.3 * own + left,
            }
            for own, left in zip(week, noise, strict=True)
        ]
    return pd.DataFrame(rows).assign(count=lambda frame: 1 + np.arange(len(frame)) % 4)


FRAME = made()


def deviance(v: np.ndarray, x: np.ndarray, y: np.ndarray, *, reml: bool = True) -> float:
    inverse = np.linalg.inv(v)
    a = x.T @ inverse @ x
    left = y - x @ np.linalg.solve(a, x.T @ inverse @ y)
    free = y.size - x.shape[1] * reml
    extra = np.linalg.slogdet(a)[1] if reml else 0.0
    return float(np.linalg.slogdet(v)[1] + extra + left @ inverse @ left + free * np.log(2 * np.pi))


def test_a_variance_of_each_sex_equals_nlme(reference: Any, read: Any) -> None:
    case = reference("mixed/orthodont_het")
    fit = lmm("distance ~ age * Sex + (1 | Subject)", read(case), residual_by="Sex")
    np.testing.assert_allclose(fit.fixed["estimate"], case["beta"], rtol=1e-6)
    np.testing.assert_allclose(fit.fixed["se"], case["se"], rtol=1e-5)
    assert fit.log_likelihood == pytest.approx(case["loglik"], rel=1e-9)
    assert fit.aic == pytest.approx(case["aic"], rel=1e-8)
    # nlme stops earlier than we do; its standard deviations hold to five digits. Its sigma is the second sex's.
    ratio = fit.residual_parameters["variance of Sex[Male] / Sex[Female]"]
    deviations = sorted([fit.sigma, fit.sigma * np.sqrt(ratio)])
    np.testing.assert_allclose(
        deviations, [case["sigma"], case["sigma"] * case["variance_ratios"]["Male"]], rtol=2e-5
    )  # fmt: skip
    assert fit.random["variance_or_cov"].iloc[0] == pytest.approx(case["random_cov"][0][0], rel=2e-5)
    assert "variance of Sex[Male]" in fit.summary()


def test_a_correlation_below_0_is_no_power_of_time(reference: Any, read: Any) -> None:
    """nlme's AR1 finds -0.04 here; the nearest power of time is none, and the fit that of independent residuals."""
    case = reference("mixed/orthodont_lme_ar1")
    assert case["correlation_parameters"][0] < 0
    formula = "distance ~ age * Sex + (1 | Subject)"
    fit, plain = (lmm(formula, read(case), **more) for more in ({"residual": "car1", "time": "age"}, {}))
    assert fit.residual_parameters["correlation"] == pytest.approx(0, abs=5e-3)
    assert fit.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-3)
    assert fit.log_likelihood <= case["loglik"]


@pytest.mark.parametrize("reml", [True, False])
def test_correlation_over_time_against_the_whole_covariance_matrix(reml: bool) -> None:
    few = made(2, 16)
    fit = lmm("y ~ week * arm + (1 | id)", few, reml=reml, residual="car1", time="week")
    x, y = fit.design.fixed_matrix(), few["y"].to_numpy()
    same = few["id"].to_numpy()[:, None] == few["id"].to_numpy()[None, :]
    gap = np.abs(few["week"].to_numpy()[:, None] - few["week"].to_numpy()[None, :])

    def target(values: np.ndarray) -> float:
        variance, sigma2 = np.exp(values[:2])
        correlation = 1 / (1 + np.exp(-values[2]))
        return deviance(same * (variance + sigma2 * correlation**gap), x, y, reml=reml)

    correlation = fit.residual_parameters["correlation"]
    here = np.array([
        np.log(fit.random["variance_or_cov"].iloc[0]), 2 * np.log(fit.sigma), np.log(correlation / (1 - correlation)),
    ])  # fmt: skip
    assert target(here) == pytest.approx(-2 * fit.log_likelihood, abs=1e-8)
    best = minimize(target, here + 0.2, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10})
    assert best.fun >= -2 * fit.log_likelihood - 1e-7
    np.testing.assert_allclose(here, best.x, atol=2e-4)
    v = np.zeros_like(gap)
    for block in marginal_of(fit).blocks():
        v[np.ix_(block.rows, block.rows)] = block.v
    np.testing.assert_allclose(v, same * (np.exp(here[0]) + np.exp(here[1]) * correlation**gap), rtol=1e-9, atol=1e-10)


def test_correlation_and_variances_together_with_sites() -> None:
    fit = lmm("y ~ week * arm + (1 | id) + (1 | site)", FRAME, residual="car1", time="week", residual_by="arm")
    assert fit.residual_parameters["variance of arm[b] / arm[a]"] == pytest.approx(1.5**2, rel=0.4)
    assert fit.residual_parameters["correlation"] == pytest.approx(0.6, abs=0.15)
    design = fit.design
    v = np.zeros((fit.n_obs, fit.n_obs))
    for block in marginal_of(fit).blocks():
        v[np.ix_(block.rows, block.rows)] = block.v
    assert deviance(v, design.fixed_matrix(), design.y) == pytest.approx(-2 * fit.log_likelihood, abs=1e-8)
    assert fit.n_parameters == 4 + 2 + 1 + 2
    assert fit.fixed["df"].between(3, fit.n_obs).all()


def test_satterthwaite_knows_the_parameters_of_the_residuals() -> None:
    """Residual variances by arm and no other covariance worth a name: Welch's degrees of freedom."""
    rng = np.random.default_rng(3)
    arm = np.repeat(["a", "b"], [40, 60])
    frame = pd.DataFrame({"arm": arm, "id": [f"p{i // 2}" for i in range(100)]})
    pair = np.repeat(rng.normal(0, 1e-3, 50), 2)
    frame["y"] = pair + np.where(arm == "a", 1.0, 3.0) * rng.normal(size=100)
    # Negatively correlated pairs: the variance of persons is 0.
    frame.loc[1::2, "y"] -= 0.9 * frame["y"].to_numpy()[::2]
    fit = lmm("y ~ arm + (1 | id)", frame, residual_by="arm")
    assert fit.singular
    groups = [frame["y"][arm == name] for name in "ab"]
    parts = [own.var(ddof=1) / own.size for own in groups]
    welch = sum(parts) ** 2 / sum(part**2 / (own.size - 1) for part, own in zip(parts, groups, strict=True))
    line = fit.fixed.iloc[1]
    assert line["se"] == pytest.approx(np.sqrt(sum(parts)), rel=1e-6)
    assert line["df"] == pytest.approx(welch, rel=1e-3)


def test_weights_against_the_whole_covariance_matrix() -> None:
    fit = lmm("y ~ week + (week | id) + (1 | site)", FRAME, weights="count")
    design = fit.design
    np.testing.assert_allclose(fit.residual_sd(), fit.sigma / np.sqrt(FRAME["count"]))
    v = np.zeros((fit.n_obs, fit.n_obs))
    for block in marginal_of(fit).blocks():
        v[np.ix_(block.rows, block.rows)] = block.v
    assert deviance(v, design.fixed_matrix(), design.y) == pytest.approx(-2 * fit.log_likelihood, abs=1e-8)
    inverse = np.linalg.inv(v)
    vcov = np.linalg.inv(design.fixed_matrix().T @ inverse @ design.fixed_matrix())
    np.testing.assert_allclose(fit.vcov, vcov, rtol=1e-7)
    np.testing.assert_allclose(fit.fixed["estimate"], vcov @ design.fixed_matrix().T @ inverse @ design.y, rtol=1e-7)


def test_equal_weights_are_none() -> None:
    plain, twice = (lmm("y ~ week + (1 | id)", FRAME.assign(w=w), weights="w") for w in (1.0, 2.0))
    assert plain.log_likelihood == pytest.approx(lmm("y ~ week + (1 | id)", FRAME).log_likelihood, abs=1e-9)
    np.testing.assert_allclose(twice.fixed["se"], plain.fixed["se"], rtol=1e-7)
    assert twice.sigma == pytest.approx(np.sqrt(2) * plain.sigma, rel=1e-7)


def test_refusals() -> None:
    formula = "y ~ week + (1 | id)"
    with pytest.raises(OptionError, match="time="):
        lmm(formula, FRAME, residual="car1")
    with pytest.raises(OptionError, match="car1"):
        lmm(formula, FRAME, residual="ar1", time="week")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="numeric"):
        lmm(formula, FRAME, residual="car1", time="arm")
    with pytest.raises(DesignError, match="same time") as caught:
        lmm(
            formula,
            FRAME.assign(week=FRAME["week"].where(FRAME.index != 1, FRAME["week"].iloc[0])),
            residual="car1",
            time="week",
        )
    assert list(caught.value.rows) == [0, 1]
    with pytest.raises(DataError, match="above 0") as wrong:
        lmm(formula, FRAME.assign(w=np.where(FRAME.index == 3, 0.0, 1.0)), weights="w")
    assert list(wrong.value.rows) == [3]
    with pytest.raises(OptionError, match="numeric"):
        lmm(formula, FRAME, weights="arm")
    with pytest.raises(OptionError, match="no column"):
        lmm(formula, FRAME, weights="wieght")
    with pytest.raises(DesignError, match="one level"):
        lmm(formula, FRAME.assign(arm="a"), residual_by="arm")
    changing = FRAME.assign(helper=np.where(FRAME["week"] > 9, "h1", FRAME["site"]))
    with pytest.raises(DesignError, match="change"):
        lmm("y ~ week + (1 | id) + (1 | helper)", changing, residual="car1", time="week")
