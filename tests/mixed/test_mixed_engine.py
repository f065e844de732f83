"""The engine against the likelihood written out with the covariance matrix of all rows, for every kind of design."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.mixed import LinearMixedFit, lmm
from ipt_outcomes.mixed.engine.marginal import marginal_of
from ipt_outcomes.mixed.engine.objective import objective_of
from ipt_outcomes.mixed.engine.refit import refit

FORMULAS = {
    "one factor": "y ~ week * arm + base + (week | patient)",
    "independent effects": "y ~ week * arm + (week || patient)",
    "slope alone": "y ~ week + (0 + week | patient)",
    "time-varying covariate": "y ~ week + mood + arm + (week | patient)",
    "nested": "y ~ week * arm + (week | patient) + (1 | therapist) + (1 | site)",
    "nested by slash": "y ~ week + (1 | site/therapist/patient)",
    "slope of therapists": "y ~ week + base + (1 | patient) + (week | therapist)",
    "slope of sites only": "y ~ week + (1 | patient) + (0 + week | site)",
    "arm by therapist": "y ~ arm * week + (1 | patient) + (arm | therapist)",
    "group therapy in one arm": "y ~ arm * week + (week | patient) + (0 + ipt | group)",
    "changing therapists": "y ~ week * arm + (week | patient) + (1 | helper)",
    "changing therapists with slopes, sites": "y ~ week + (1 | patient) + (week | helper) + (1 | site)",
    "crossed": "y ~ arm + (1 | patient) + (1 | visit)",
    "crossed, three factors": "y ~ week + (week || patient) + (1 | visit) + (1 | helper)",
    "patient missing in some rows": "y ~ week * arm + (week | holed) + (1 | therapist)",
    "factors that cross above the patients": "y ~ week + (1 | patient) + (week | therapist) + (1 | method)",
    "nested in levels that cross": "y ~ week + arm + (1 | patient) + (1 | therapist) + (1 | site) + (1 | school)",
    "spline in the fixed part": "y ~ ns(week, df = 3) + (week | patient) + (1 | site)",
}


def made(seed: int = 3, patients: int = 36) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    visits = rng.integers(2, 7, patients)
    patient = np.repeat(np.arange(patients), visits)
    therapist, site = patient // 4, patient // 12
    visit = np.concatenate([np.arange(count) for count in visits])
    week = visit * 2 + rng.integers(0, 3, patient.size) / 2
    arm = np.array(["cbt", "ipt", "usual"])[patient % 3]
    ipt = (arm == "ipt").astype(float)
    helper = np.where((patient % 5 == 0) & (week > 4), (therapist + 1) % 9, therapist)
    y = 14 - 0.5 * week + rng.normal(0, 3, patients)[patient] + rng.normal(0, 0.3, patients)[patient] * week
    y = y + rng.normal(0, 1.5, 9)[helper] + rng.normal(0, 1.0, 3)[site] + rng.normal(0, 0.8, 7)[visit]
    y = y + rng.normal(0, 1.5, 4)[patient % 4] * ipt + rng.normal(0, 1.5, patient.size)
    frame = pd.DataFrame({"y": y, "week": week, "arm": arm, "ipt": ipt, "mood": rng.normal(size=patient.size)})
    frame["base"] = rng.integers(10, 25, patients)[patient].astype(float)
    for name, codes in (("patient", patient), ("therapist", therapist), ("site", site), ("helper", helper)):
        frame[name] = [f"{name[0]}{code:03d}" for code in codes]
    frame["method"] = [f"m{code}" for code in patient % 4]
    frame["school"] = [f"s{code}" for code in therapist % 2]
    frame["visit"] = [f"v{code}" for code in visit]
    frame["group"] = np.where(ipt > 0, [f"g{code}" for code in patient % 4], None)
    frame["holed"] = frame["patient"].where(rng.random(patient.size) < 0.9)
    return frame


FRAME = made()


def dense(fit: LinearMixedFit) -> dict[str, Any]:
    """Likelihood, coefficients and their covariance with V of all rows."""
    design, n = fit.design, fit.n_obs
    v = np.diag(fit.residual_sd() ** 2)
    for number, (group, root) in enumerate(zip(design.factors, fit.relative_factors(), strict=True)):
        z = design.random_matrix(number)
        same = (group.codes[:, None] == group.codes[None, :]) & (group.codes[:, None] >= 0)
        v = v + fit.sigma**2 * (z @ root @ root.T @ z.T) * same
    x, inverse = design.fixed_matrix(), np.linalg.inv(v)
    vcov = np.linalg.inv(x.T @ inverse @ x)
    beta = vcov @ x.T @ inverse @ design.y
    left = design.y - x @ beta
    free = n - x.shape[1] if fit.reml else n
    deviance = np.linalg.slogdet(v)[1] + left @ inverse @ left + free * np.log(2 * np.pi)
    if fit.reml:
        deviance -= np.linalg.slogdet(vcov)[1]
    return {
        "beta": beta,
        "vcov": vcov,
        "log_likelihood": -deviance / 2,
        "v": v,
        "inverse": inverse,
        "weighted": inverse @ left,
    }


@pytest.fixture(scope="module", params=[(name, reml) for name in FORMULAS for reml in (True, False)], ids=str)
def fitted(request: pytest.FixtureRequest) -> LinearMixedFit:
    name, reml = request.param
    return lmm(FORMULAS[name], FRAME, reml=reml)


def test_likelihood_and_coefficients_are_those_of_the_whole_covariance_matrix(fitted: LinearMixedFit) -> None:
    there = dense(fitted)
    assert fitted.n_obs == len(FRAME)
    assert fitted.log_likelihood == pytest.approx(there["log_likelihood"], abs=1e-8)
    np.testing.assert_allclose(fitted.fixed["estimate"], there["beta"], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(fitted.vcov, there["vcov"], rtol=1e-6, atol=1e-9)


def test_no_other_covariance_is_likelier(fitted: LinearMixedFit) -> None:
    objective = objective_of(fitted, reml=fitted.reml)
    least = objective.deviance(objective.theta)
    assert least == pytest.approx(-2 * fitted.log_likelihood, abs=1e-8)
    rng = np.random.default_rng(1)
    for size in (1e-3, 1e-2, 0.1):
        for _ in range(5):
            moved = objective.theta + rng.normal(0, size, objective.theta.size)
            assert objective.deviance(moved) > least - 1e-9


def test_the_score_is_the_slope_of_the_deviance(fitted: LinearMixedFit) -> None:
    objective = objective_of(fitted, reml=fitted.reml)
    theta, sigma = objective.theta * 0.9 + 0.05, objective.sigma * 1.1
    _, slope = objective.with_gradient(theta, sigma)
    for place in range(theta.size + 1):
        move = np.zeros(theta.size + 1)
        move[place] = 1e-5
        high = objective.deviance(theta + move[:-1], sigma + move[-1])
        low = objective.deviance(theta - move[:-1], sigma - move[-1])
        assert slope[place] == pytest.approx((high - low) / 2e-5, rel=1e-5, abs=1e-5)


def test_predicted_effects_solve_the_mixed_model_equations(fitted: LinearMixedFit) -> None:
    there, design = dense(fitted), fitted.design
    effects = fitted.random_effects()
    for number, (group, root) in enumerate(zip(design.factors, fitted.relative_factors(), strict=True)):
        z, covariance = design.random_matrix(number), fitted.sigma**2 * root @ root.T
        own = effects[effects["group"].eq(group.name)]
        table = own["estimate"].to_numpy().reshape(len(group.levels), -1)
        spread = own["sd"].to_numpy().reshape(len(group.levels), -1)
        for level in range(len(group.levels)):
            rows = group.codes == level
            zl = z * rows[:, None]
            np.testing.assert_allclose(table[level], covariance @ zl.T @ there["weighted"], rtol=1e-6, atol=1e-7)
            known = covariance - covariance @ zl.T @ there["inverse"] @ zl @ covariance
            np.testing.assert_allclose(spread[level] ** 2, np.diag(known), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(
        fitted.predict(), design.y - fitted.residual_sd() ** 2 * there["weighted"], rtol=1e-6, atol=1e-6
    )


def test_blocks_of_rows_give_the_whole_covariance_matrix(fitted: LinearMixedFit) -> None:
    found = marginal_of(fitted)
    v, seen = np.zeros((fitted.n_obs, fitted.n_obs)), 0
    for block in found.blocks():
        v[np.ix_(block.rows, block.rows)] = block.v
        seen += block.rows.size
        np.testing.assert_allclose(np.tensordot(found.values, block.derivatives, axes=1), block.v, atol=1e-12)
    assert seen == fitted.n_obs
    np.testing.assert_allclose(v, dense(fitted)["v"], rtol=1e-9, atol=1e-9)
    assert len(found.names) == len(fitted.random) + 1


def test_satterthwaite_knows_all_the_factors() -> None:
    """Against numerical derivatives of the variance of a coefficient, all parameters at once."""
    fit = lmm(FORMULAS["changing therapists with slopes, sites"], FRAME)
    objective = objective_of(fit, reml=True)
    begin = np.append(objective.theta, objective.sigma)

    def variances(values: np.ndarray) -> np.ndarray:
        point = objective._point(values[:-1], float(values[-1]))
        back = objective.scaling.fixed_back
        return np.diag(back @ point.a_inv @ back.T) * values[-1] ** 2

    def slope(values: np.ndarray) -> np.ndarray:
        return objective.with_gradient(values[:-1], float(values[-1]))[1]

    step = 1e-4
    moves = np.eye(begin.size) * step
    hessian = np.array([(slope(begin + move) - slope(begin - move)) / (2 * step) for move in moves])
    gradient = np.array([(variances(begin + move) - variances(begin - move)) / (2 * step) for move in moves])
    spread = np.einsum("kp,kl,lp->p", gradient, 2 * np.linalg.inv((hessian + hessian.T) / 2), gradient)
    np.testing.assert_allclose(fit.fixed["df"], 2 * variances(begin) ** 2 / spread, rtol=1e-4)


@pytest.mark.parametrize("name", ["one factor", "nested", "changing therapists", "crossed, three factors"])
def test_a_refit_is_the_fit_of_another_outcome(name: str) -> None:
    fit = lmm(FORMULAS[name], FRAME)
    again = FRAME.assign(y=FRAME["y"] + np.random.default_rng(9).normal(0, 1, len(FRAME)))
    whole, quick = lmm(FORMULAS[name], again), refit(fit, again["y"].to_numpy())
    assert quick.log_likelihood == pytest.approx(whole.log_likelihood, abs=1e-8)
    np.testing.assert_allclose(quick.beta, whole.fixed["estimate"], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(quick.random, whole.random["variance_or_cov"], rtol=1e-4, atol=1e-5)
    assert quick.sigma == pytest.approx(whole.sigma, rel=1e-5)


def test_a_coefficient_held_at_its_estimate_costs_nothing() -> None:
    fit = lmm(FORMULAS["nested"], FRAME, reml=False)
    objective = objective_of(fit)
    best = objective.best()
    assert best.deviance == pytest.approx(-2 * fit.log_likelihood, abs=1e-8)
    for column in range(len(fit.fixed)):
        held = objective.holding(column, float(best.beta[column])).best()
        assert held.deviance == pytest.approx(best.deviance, abs=1e-7)
        further = objective.holding(column, float(best.beta[column]) + fit.fixed["se"].iloc[column]).best()
        # One standard error away the deviance is higher by about 1.
        assert further.deviance - best.deviance == pytest.approx(1, abs=0.2)
