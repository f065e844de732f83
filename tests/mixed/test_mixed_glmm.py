"""Generalized linear mixed models: against glmer and another engine, refusals, what the population gets."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ipt_outcomes.errors import ConvergenceError, DataError, DesignError, OptionError
from ipt_outcomes.mixed import change_by, glmm, lmm, mmrm
from ipt_outcomes.mixed.generalized.fitting import objective_of

CASES = ("cbpp_agq1", "cbpp_agq15", "ipt_response_agq1", "ipt_response_agq15")
RESPONSE = "response ~ week*arm + (1 | patient_id)"


@pytest.fixture(scope="module", params=CASES)
def fitted(request: pytest.FixtureRequest, reference: Any, read: Any) -> tuple[Any, dict[str, Any]]:
    case = reference(f"mixed/{request.param}")
    return glmm(case["formula"], read(case), quadrature=case["nAGQ"]), case


def test_coefficients_and_standard_errors(fitted: tuple[Any, dict[str, Any]]) -> None:
    """Terms stand in R's order; glmer itself stops up to 1.7e-4 standard errors short."""
    fit, case = fitted
    plain = [term.replace("[", "").replace("]", "") for term in fit.fixed["term"]]
    assert plain == case["names"]
    off = np.abs(fit.fixed["estimate"] - case["beta"]) / case["se"]
    assert off.max() < 2e-4
    np.testing.assert_allclose(fit.fixed["se"], case["se"], rtol=1e-3)
    np.testing.assert_allclose(fit.fixed["statistic"], case["z"], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(fit.fixed["p_value"], case["p"], rtol=2e-2)
    assert fit.fixed["df"].isna().all()


def test_variance_and_likelihood(fitted: tuple[Any, dict[str, Any]]) -> None:
    """With several points glmer leaves out the likelihood of the saturated model."""
    fit, case = fitted
    assert fit.random["sd_or_corr"].iloc[0] == pytest.approx(case["varcorr"][0]["sdcor"], rel=2e-5)
    left_out = 0.0
    if case["nAGQ"] > 1:
        problem = fit._inside.objective.problem
        share = problem.y / problem.size
        left_out = float(stats.binom.logpmf(problem.y, problem.size, share).sum())
    assert fit.log_likelihood - left_out == pytest.approx(case["loglik"], rel=1e-7)
    assert fit.log_likelihood - left_out >= case["loglik"] - 1e-6
    assert fit.aic + 2 * left_out == pytest.approx(case["aic"], rel=1e-6)
    assert fit.bic + 2 * left_out == pytest.approx(case["bic"], rel=1e-6)
    assert (fit.n_obs, list(fit.n_groups.values())) == (case["nobs"], list(case["ngrps"].values()))
    assert fit.converged
    assert not fit.singular


def test_effects_and_fitted_values(fitted: tuple[Any, dict[str, Any]]) -> None:
    fit, case = fitted
    modes = [row[0] for row in case["blups5"]]
    # At the modes glmer reports, parameters differ by what it stopped short: 1e-3 of them.
    np.testing.assert_allclose(fit.random_effects()["estimate"].head(5), modes, rtol=1e-3)
    np.testing.assert_allclose(fit.predict()[:5], case["fitted5"], rtol=1e-3)


@pytest.mark.parametrize(
    "formula",
    ["response ~ week*arm + (1 | patient_id) + (1 | therapist)", "response ~ week*arm + (week | patient_id)"],
)
def test_several_random_effects_as_another_engine_fits_them(formula: str, trial_frame: pd.DataFrame) -> None:
    import glmm as other

    data = trial_frame.dropna(subset=["response"]).assign(arm=lambda d: d["arm"].astype(str))
    ours = glmm(formula, data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = other.fit(data, formula, family="binomial")
    assert ours.aic == pytest.approx(float(theirs.aic), abs=1e-3)


def test_crossed_factors_by_the_gradient(trial_frame: pd.DataFrame) -> None:
    """The analytic gradient of the fit with three factors, two of them crossed, is that of differences."""
    data = trial_frame.dropna(subset=["response"])
    data = data[data["patient_id"].isin(data["patient_id"].unique()[:60])]
    fit = glmm("response ~ week + (1 | patient_id) + (1 | therapist) + (1 | site)", data)
    objective = objective_of(fit._inside.objective.problem, 1)
    values = objective.joined([np.array([[1.5]]), np.array([[0.7]]), np.array([[0.4]])])
    _, slope = objective(values)
    step = 1e-5 * np.eye(values.size)
    differences = [(objective(values + move)[0] - objective(values - move)[0]) / 2e-5 for move in step]
    np.testing.assert_allclose(slope, differences, rtol=2e-5, atol=1e-6)


def counts(seed: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(40), 8)
    x = rng.normal(size=group.size)
    at_risk = rng.uniform(0.5, 3, group.size)
    mean = at_risk * np.exp(0.4 + 0.3 * x + rng.normal(0, 0.5, 40)[group])
    return pd.DataFrame({"g": group, "x": x, "time": at_risk, "y": rng.poisson(mean)})


def test_counts_with_time_at_risk() -> None:
    """An integral over the random intercept by brute force gives the same likelihood."""
    data = counts()
    fit = glmm("y ~ x + (1 | g)", data, family="poisson", quadrature=25, exposure="time")
    beta, sd = fit.fixed["estimate"].to_numpy(), fit.random["sd_or_corr"].iloc[0]
    grid = np.linspace(-8, 8, 4001)
    total = 0.0
    for _, own in data.groupby("g"):
        eta = np.log(own["time"].to_numpy()) + beta[0] + beta[1] * own["x"].to_numpy()
        logs = stats.poisson.logpmf(own["y"].to_numpy()[:, None], np.exp(eta[:, None] + sd * grid)).sum(axis=0)
        total += np.log(np.trapezoid(np.exp(logs) * stats.norm.pdf(grid), grid))
    assert fit.log_likelihood == pytest.approx(total, abs=1e-8)
    assert fit.fixed.set_index("term").loc["x", "estimate"] == pytest.approx(0.3, abs=0.15)


def grouped_counts() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    site = np.repeat(np.arange(15), 2)
    arm = np.tile(["a", "b"], 15)
    total = rng.integers(5, 30, site.size)
    chance = 1 / (1 + np.exp(0.5 - 0.8 * (arm == "b") - rng.normal(0, 0.6, 15)[site]))
    return pd.DataFrame({"site": site, "arm": arm, "total": total, "events": rng.binomial(total, chance)})


def test_grouped_and_single_outcomes_are_the_same_model() -> None:
    grouped = grouped_counts()
    one = grouped.loc[grouped.index.repeat(grouped["total"])].copy()
    one["event"] = one.groupby(level=0).cumcount() < one["events"]
    by_count = glmm("cbind(events, total - events) ~ arm + (1 | site)", grouped)
    by_row = glmm("event ~ arm + (1 | site)", one)
    np.testing.assert_allclose(by_count.fixed["estimate"], by_row.fixed["estimate"], rtol=1e-5)
    np.testing.assert_allclose(by_count.fixed["se"], by_row.fixed["se"], rtol=1e-4)
    np.testing.assert_allclose(by_count.marginal("arm")["estimate"], by_row.marginal("arm")["estimate"], rtol=1e-5)


def test_order_of_rows_changes_nothing(trial_frame: pd.DataFrame) -> None:
    data = trial_frame[trial_frame["patient_id"].isin(trial_frame["patient_id"].unique()[:80])]
    one = glmm("response ~ week + (1 | patient_id)", data)
    other = glmm("response ~ week + (1 | patient_id)", data.sample(frac=1, random_state=3))
    np.testing.assert_allclose(one.fixed["estimate"], other.fixed["estimate"], rtol=1e-6)
    back = np.argsort(data.sample(frac=1, random_state=3).index[other.design.rows])
    np.testing.assert_allclose(other.predict()[back], one.predict(), rtol=1e-6)


def test_risks_of_the_population(trial_frame: pd.DataFrame) -> None:
    """A simulation of the fit has the risks that standardisation gives, and they are nearer to each other than odds."""
    fit = glmm(RESPONSE, trial_frame)
    table = fit.marginal("arm", at={"week": 12})
    risks = table[table["measure"].eq("risk")].set_index("arm")["estimate"]
    coefficients = fit.fixed.set_index("term")["estimate"]
    sd = fit.random["sd_or_corr"].iloc[0]
    u = np.random.default_rng(1).normal(0, sd, 400_000)
    for arm in ("TAU", "IPT"):
        eta = coefficients["(Intercept)"] + 12 * coefficients["week"]
        if arm != "TAU":
            eta += coefficients[f"arm[{arm}]"] + 12 * coefficients[f"week:arm[{arm}]"]
        assert risks[arm] == pytest.approx(float((1 / (1 + np.exp(-eta - u))).mean()), abs=3e-3)
    row = table[table["measure"].eq("risk_difference") & table["contrast"].eq("IPT - TAU")].iloc[0]
    assert row["estimate"] == pytest.approx(risks["IPT"] - risks["TAU"], abs=1e-12)
    assert row["ci_low"] < row["estimate"] < row["ci_high"]
    assert table[table["measure"].eq("risk")]["ci_low"].between(0, 1).all()


def test_bootstrap_and_delta_method_agree() -> None:
    fit = glmm("cbind(events, total - events) ~ arm + (1 | site)", grouped_counts())
    drawn = fit.marginal("arm", interval="bootstrap", draws=100, rng=np.random.default_rng(5))
    again = fit.marginal("arm", interval="bootstrap", draws=100, rng=np.random.default_rng(5))
    pd.testing.assert_frame_equal(drawn, again)
    delta = fit.marginal("arm")
    np.testing.assert_allclose(drawn["estimate"], delta["estimate"], rtol=1e-12)
    np.testing.assert_allclose(drawn["se"], delta["se"], rtol=0.25)
    with pytest.raises(OptionError, match="rng"):
        fit.marginal("arm", interval="bootstrap")


def test_people_whose_outcomes_never_change_have_no_finite_variance() -> None:
    """A fit of it would have an SD of 50 log odds, and the narrowest of intervals."""
    rng = np.random.default_rng(1)
    answers = np.repeat(rng.integers(0, 2, 60), 3)
    data = pd.DataFrame({"id": np.repeat(np.arange(60), 3), "x": rng.normal(size=180), "y": answers})
    with pytest.raises(ConvergenceError) as caught:
        glmm("y ~ x + (1 | id)", data)
    assert any("without end" in attempt or "flat" in attempt for attempt in caught.value.attempts)


def test_boundary_is_said(trial_frame: pd.DataFrame) -> None:
    fit = glmm("response ~ week*arm + (1 | patient_id) + (1 | therapist) + (1 | site)", trial_frame)
    assert fit.singular
    assert "between site is 0" in fit.singular_direction
    assert any("boundary" in sentence for sentence in fit.warnings)
    assert "Laplace" in fit.summary()


def small() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"id": np.repeat(np.arange(30), 4), "week": np.tile([0.0, 1, 2, 3], 30)})
    frame["arm"] = np.where(frame["id"] % 2 == 0, "a", "b")
    frame["y"] = rng.integers(0, 2, len(frame))
    return frame


def test_a_level_without_an_event_is_refused_by_name() -> None:
    data = small()
    data.loc[data["arm"].eq("b"), "y"] = 0
    with pytest.raises(DesignError, match=r"none of the 60 rows with arm\[b\]"):
        glmm("y ~ arm + (1 | id)", data)


@pytest.mark.parametrize(
    ("change", "formula", "options", "kind", "words"),
    [
        (lambda d: d.assign(y=d["y"] + 1), "y ~ week + (1 | id)", {}, DataError, "0 or 1"),
        (lambda d: d.assign(y="yes"), "y ~ week + (1 | id)", {}, DataError, "0 and 1"),
        (lambda d: d.assign(n=1.0), "cbind(y, n - 2 * y) ~ week + (1 | id)", {}, DataError, "failures"),
        (lambda d: d.assign(y=d["y"] - 1), "y ~ week + (1 | id)", {"family": "poisson"}, DataError, "counts"),
        (lambda d: d, "cbind(y) ~ week + (1 | id)", {}, OptionError, "events and failures"),
        (lambda d: d, "y ~ cbind(y, week) + (1 | id)", {}, OptionError, "left"),
        (lambda d: d, "y ~ week + (1 | id)", {"family": "gamma"}, OptionError, "family"),
        (lambda d: d, "y ~ week + (1 | id)", {"quadrature": 0}, OptionError, "quadrature"),
        (lambda d: d, "y ~ week + (1 | id)", {"exposure": "week"}, OptionError, "counts"),
        (lambda d: d, "y ~ week + (1 | id) + (1 | arm)", {"quadrature": 5}, OptionError, "one grouping factor"),
        (lambda d: d.assign(y=1), "y ~ week + (1 | id)", {}, DesignError, "same value"),
    ],
)
def test_refusals(change: Any, formula: str, options: dict[str, Any], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        glmm(formula, change(small()), **options)


def test_events_and_failures_are_no_outcome_of_a_linear_model() -> None:
    with pytest.raises(OptionError, match="glmm"):
        lmm("cbind(y, week) ~ arm + (1 | id)", small())


def test_simulated_outcomes_stand_in_the_rows_of_the_data() -> None:
    rng = np.random.default_rng(6)
    data = counts().sample(frac=1, random_state=1)
    fit = glmm("y ~ x + (1 | g)", data, family="poisson", exposure="time")
    drawn = np.mean([fit.simulate(rng) for _ in range(300)], axis=0)
    expected = fit.predict(random=False) * np.exp(fit.random["variance_or_cov"].iloc[0] / 2)
    assert np.corrcoef(drawn, expected)[0, 1] > 0.97
    assert 0 < fit.icc()["icc"].iloc[0] < 1
    assert 0 < fit.r2()["marginal"].iloc[0] < fit.r2()["conditional"].iloc[0] < 100


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_files_are_read_as_frames_are(kind: str, tmp_path: Any, trial_frame: pd.DataFrame) -> None:
    data = trial_frame[trial_frame["patient_id"].isin(trial_frame["patient_id"].unique()[:60])]
    data = data.assign(arm=data["arm"].astype(str))
    path = tmp_path / f"visits.{kind}"
    getattr(data, f"to_{kind}")(path, index=False)
    of_file, of_frame = (glmm("response ~ week + (1 | patient_id)", own) for own in (path, data))
    np.testing.assert_allclose(of_file.fixed["estimate"], of_frame.fixed["estimate"], rtol=1e-9)
    visits = mmrm("phq9 ~ week", path, subject="patient_id", visit="visit", covariance="ar1")
    assert visits.n_groups == {"patient_id": 60}
    changes = change_by(str(path), outcome="phq9", baseline="baseline")
    assert len(changes.levels) == 8
