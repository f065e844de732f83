"""What linear mixed models answer beyond tables: against pbkrtest, clubSandwich, profiles of lme4, and by theory."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.mixed import lmm, mmrm
from ipt_outcomes.mixed.adjust import holm

KR = ("sleep_reml", "sleep_int", "ipt_tiny12", "ipt_onerow", "orthodont_slope", "penicillin_crossed")
SANDWICH = ("sleep_reml", "sleep_int", "ipt_tiny12", "ipt_A")
PROFILES = ("sleep_reml", "sleep_ml", "sleep_int", "ipt_tiny12", "penicillin_crossed")


def key(term: str) -> str:
    return ":".join(sorted(re.sub(r"[\[\] ]", "", term).split(":")))


def places(fit: Any, case: dict[str, Any]) -> list[int]:
    own = [key(term) for term in fit.fixed["term"]]
    return [own.index(key(name)) for name in case["names"]]


@pytest.mark.parametrize("name", KR)
@pytest.mark.parametrize("method", ["kenward-roger", "kenward-roger-linear"])
def test_kenward_roger_as_pbkrtest(name: str, method: Any, reference: Any, read: Any) -> None:
    case = reference(f"mixed/{name}")
    if "df_kr" not in case:
        pytest.skip(f"{name} has no values of pbkrtest")
    fit = lmm(case["formula"], read(case), df=method)
    own = fit.fixed.iloc[places(fit, case)]
    np.testing.assert_allclose(own["se"], case["se_kr"], rtol=1e-6)
    np.testing.assert_allclose(own["df"], case["df_kr"], rtol=1e-6)
    np.testing.assert_allclose(own["p_value"], case["p_kr"], rtol=1e-4)
    theirs = case["anova3_kr"]
    terms = [theirs["term"]] if isinstance(theirs["term"], str) else theirs["term"]
    found = fit.anova().set_index("term")
    assert len(found) == len(terms)
    for term, df, statistic in zip(terms, theirs["dendf"], theirs["F"], strict=True):
        row = found.iloc[[key(one) for one in found.index].index(key(term))]
        assert row["den_df"] == pytest.approx(df, rel=1e-6)
        assert row["statistic"] == pytest.approx(statistic, rel=1e-5)


def test_kenward_roger_is_for_reml(reference: Any, read: Any) -> None:
    case = reference("mixed/sleep_ml")
    with pytest.raises(OptionError, match="restricted"):
        lmm(case["formula"], read(case), reml=False, df="kenward-roger")


def test_between_within_and_residual_degrees_of_freedom(trial_frame: pd.DataFrame) -> None:
    formula = "phq9 ~ week*arm + baseline + (week | patient_id)"
    rows, people, p = len(trial_frame["phq9"].dropna()), trial_frame.dropna(subset=["phq9"])["patient_id"].nunique(), 7
    found = lmm(formula, trial_frame, df="between-within").fixed.set_index("term")["df"]
    between, within = people - 1 - 3, rows - people - 3
    assert found["baseline"] == found["arm[IPT]"] == between
    assert found["week"] == found["week:arm[CBT]"] == within
    assert set(lmm(formula, trial_frame, df="residual").fixed["df"]) == {rows - p}
    with pytest.raises(OptionError, match="nested"):
        lmm("phq9 ~ week + (1 | patient_id) + (1 | therapist)", trial_frame, df="between-within")


@pytest.mark.parametrize("name", SANDWICH)
def test_sandwich_as_clubsandwich(name: str, reference: Any, read: Any) -> None:
    case = reference(f"mixed/{name}")
    fit = lmm(case["formula"], read(case))
    order = places(fit, case)
    for kind in ("CR0", "CR2"):
        found = np.sqrt(np.diag(fit.vcov_robust(kind)))[order]  # type: ignore[arg-type]
        np.testing.assert_allclose(found, case[f"se_{kind}"], rtol=1e-6)
    with pytest.raises(OptionError, match="kind"):
        fit.vcov_robust("HC3")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PROFILES)
def test_profiles_as_lme4(name: str, reference: Any, read: Any) -> None:
    case = reference(f"mixed/{name}")
    found = lmm(case["formula"], read(case), reml=case["reml"]).profile()
    theirs = case["profile_ci"]
    assert [key(term) for term in found["term"]] == [key(term) for term in theirs["names"]]
    np.testing.assert_allclose(found["ci_low"], theirs["lower"], rtol=1e-4)
    np.testing.assert_allclose(found["ci_high"], theirs["upper"], rtol=1e-4)


def clustered(groups: int = 30, size: int = 5, sd: float = 1.0, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), size)
    t = np.tile(np.arange(size, dtype=float), groups)
    return pd.DataFrame({"g": g, "t": t, "y": 2 + 0.5 * t + sd * rng.normal(size=groups)[g] + rng.normal(size=g.size)})


def test_a_profile_on_the_boundary_ends_at_zero() -> None:
    data = clustered(sd=0.0, seed=11)
    fit = lmm("y ~ t + (1 | g)", data)
    found = fit.profile().set_index("term")
    assert found.loc["sd_(Intercept)|g", "ci_low"] == 0
    assert found.loc["sd_(Intercept)|g", "ci_high"] > 0.1


def test_three_correlated_effects_have_profiles() -> None:
    rng = np.random.default_rng(9)
    g, t = np.repeat(np.arange(40), 8), np.tile(np.linspace(-1, 1, 8), 40)
    effects = rng.normal(size=(40, 3)) @ np.array([[1, 0.4, 0.2], [0, 0.9, 0.3], [0, 0, 0.8]])
    y = effects[g, 0] + effects[g, 1] * t + effects[g, 2] * t**2 + rng.normal(0, 0.5, g.size)
    fit = lmm("y ~ t + I(t^2) + (t + I(t^2) | g)", pd.DataFrame({"g": g, "t": t, "y": y}))
    found = fit.profile().set_index("term")
    assert len(found) == 6 + 1 + 3
    for row in fit.random.to_dict("records"):
        name = f"cor_{row['term2']}.{row['term1']}|g" if row["term2"] else f"sd_{row['term1']}|g"
        assert found.loc[name, "ci_low"] < row["sd_or_corr"] < found.loc[name, "ci_high"]


def test_bootstrap_is_seeded_and_near_the_profile() -> None:
    fit = lmm("y ~ t + (1 | g)", clustered())
    one = fit.bootstrap(np.random.default_rng(1), draws=300)
    pd.testing.assert_frame_equal(one, fit.bootstrap(np.random.default_rng(1), draws=300))
    profile = fit.profile()
    assert one["term"].tolist() == profile["term"].tolist()
    width = profile["ci_high"] - profile["ci_low"]
    np.testing.assert_allclose(one["ci_low"], profile["ci_low"], atol=0.25 * width.max())
    np.testing.assert_allclose(one["ci_high"] - one["ci_low"], width, rtol=0.25)
    with pytest.raises(OptionError, match="draws"):
        fit.bootstrap(np.random.default_rng(1), draws=5)
    with pytest.raises(OptionError, match="rng"):
        fit.bootstrap(1)  # type: ignore[arg-type]


def test_simulated_outcomes_have_the_covariance_of_the_fit() -> None:
    fit = lmm("y ~ t + (t | g)", clustered(groups=12, size=4))
    rng = np.random.default_rng(4)
    drawn = np.array([fit.simulate(rng) for _ in range(4000)])
    np.testing.assert_allclose(drawn.mean(axis=0), fit.predict(random=False), atol=0.15)
    z = np.column_stack([np.ones(4), np.arange(4)])
    root = fit.sigma * fit.relative_factors()[0]
    expected = z @ root @ root.T @ z.T + fit.sigma**2 * np.eye(4)
    np.testing.assert_allclose(np.cov(drawn[:, :4].T), expected, rtol=0.2, atol=0.2)


def test_shares_of_variance() -> None:
    fit = lmm("y ~ t + (1 | g)", clustered())
    variance = fit.random["variance_or_cov"].iloc[0]
    share = fit.icc().set_index("group")["icc"]
    assert share["g"] == pytest.approx(variance / (variance + fit.sigma**2), rel=1e-12)
    assert share.sum() == pytest.approx(1)
    fixed = np.var(fit.predict(random=False), ddof=1)
    total = fixed + variance + fit.sigma**2
    row = fit.r2().iloc[0]
    assert row["marginal"] == pytest.approx(100 * fixed / total, rel=1e-10)
    assert row["conditional"] == pytest.approx(100 * (fixed + variance) / total, rel=1e-10)


def test_a_variance_is_tested_on_the_boundary() -> None:
    data = clustered(sd=0.25, seed=21).assign(h=lambda d: d["t"].astype(int).astype(str) + "x")
    small, large = lmm("y ~ t + (1 | g)", data), lmm("y ~ t + (t | g)", data)
    row = large.compare(small).iloc[0]
    assert row["df"] == 2
    lrt = row["lrt"]
    assert row["p_value"] == pytest.approx(0.5 * stats.chi2.sf(lrt, 1) + 0.5 * stats.chi2.sf(lrt, 2))
    assert row["p_value_chi2"] == pytest.approx(stats.chi2.sf(lrt, 2))
    assert row["distribution"] == "mixture: 0.5 chi-squared(1) + 0.5 chi-squared(2)"
    independent = lmm("y ~ t + (1 | g) + (0 + t | g)", data).compare(small).iloc[0]
    assert independent["distribution"] == "mixture: 0.5 chi-squared(0) + 0.5 chi-squared(1)"
    assert small.compare(large)["p_value"].iloc[0] == row["p_value"]


def test_what_cannot_be_compared_is_refused() -> None:
    data = clustered()
    fit = lmm("y ~ t + (1 | g)", data)
    with pytest.raises(DesignError, match="reml=False"):
        fit.compare(lmm("y ~ 1 + (1 | g)", data))
    with pytest.raises(DesignError, match="same rows"):
        fit.compare(lmm("y ~ t + (1 | g)", data.iloc[1:]))
    other = data.assign(y=data["y"] + np.arange(len(data)) / 100)
    with pytest.raises(DesignError, match="same rows and outcome"):
        fit.compare(lmm("y ~ t + (1 | g)", other))


def test_type_two_tests_compare_sums_of_squares() -> None:
    """With no random variance a type II F is the drop in the residual sum of squares, term by term."""
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"g": np.repeat(np.arange(60), 3), "x": rng.normal(size=180)})
    data["arm"] = np.where(rng.random(180) < 0.35, "a", "b")
    data["y"] = data["x"] + (data["arm"] == "b") * (0.4 + 0.3 * data["x"]) + rng.normal(size=180)
    data["y"] -= data.groupby("g")["y"].transform("mean") - data["y"].mean()
    fit = lmm("y ~ x * arm + (1 | g)", data)
    assert fit.singular

    def left(*columns: np.ndarray) -> float:
        x = np.column_stack([np.ones(180), *columns])
        return float(((data["y"] - x @ np.linalg.lstsq(x, data["y"], rcond=None)[0]) ** 2).sum())

    x, arm = data["x"].to_numpy(), (data["arm"] == "b").to_numpy(dtype=float)
    variance = left(x, arm, x * arm) / 176
    found = fit.anova(kind=2).set_index("term")["statistic"]
    assert found["x"] == pytest.approx((left(arm) - left(x, arm)) / variance, rel=1e-6)
    assert found["arm"] == pytest.approx((left(x) - left(x, arm)) / variance, rel=1e-6)
    assert found["x:arm"] == pytest.approx((left(x, arm) - left(x, arm, x * arm)) / variance, rel=1e-6)
    assert found["x:arm"] == pytest.approx(fit.anova().set_index("term")["statistic"]["x:arm"], rel=1e-8)
    with pytest.raises(OptionError, match="kind"):
        fit.anova(kind=1)  # type: ignore[arg-type]


def test_warnings_that_matter(trial_frame: pd.DataFrame) -> None:
    without = lmm("phq9 ~ week + arm:week + baseline + (week | patient_id)", trial_frame)
    assert any(
        "arm:week stands without arm" in sentence and "origin of week" in sentence for sentence in without.warnings
    )
    assert not lmm("phq9 ~ week*arm + baseline + (week | patient_id)", trial_frame).warnings
    slipped = trial_frame.copy()
    slipped.loc[slipped.index[3], "baseline"] += 1
    found = lmm("phq9 ~ week*arm + baseline + (week | patient_id)", slipped).warnings
    assert any("baseline is constant within all but 1 of" in sentence for sentence in found)
    few = trial_frame.assign(
        problem_area=trial_frame["problem_area"].where(trial_frame["patient_id"].ne("P0001"), "new")
    )
    found = lmm("phq9 ~ week*problem_area + (1 | patient_id) + (1 | therapist)", few).warnings
    assert any("new (1)" in sentence for sentence in found)
    assert not any("T0" in sentence for sentence in found)


def test_figures_are_drawn(trial_frame: pd.DataFrame) -> None:
    fit = lmm("phq9 ~ week*arm + baseline + (week | patient_id)", trial_frame)
    labels = {kind: fit.plot(kind=kind).get_xlabel() for kind in ("coefficients", "residuals", "residual-quantiles")}  # type: ignore[arg-type]
    assert labels == {
        "coefficients": "Estimate (95% CI)",
        "residuals": "Fitted value",
        "residual-quantiles": "Normal quantile",
    }
    assert fit.plot(kind="random-quantiles").get_ylabel() == "Random effect, in its SDs"
    assert np.std(fit.residuals(standardised=True)) == pytest.approx(0.95, abs=0.1)
    with pytest.raises(OptionError, match="kind"):
        fit.plot(kind="pie")  # type: ignore[arg-type]
    repeated = mmrm("phq9 ~ arm + week", trial_frame.assign(v=trial_frame["week"].round()).drop_duplicates(
        ["patient_id", "v"]), subject="patient_id", visit="v", covariance="ar1")  # fmt: skip
    assert repeated.plot(kind="residual-quantiles").get_ylabel() == "Residual, in its SDs"
    with pytest.raises(OptionError, match="random effects"):
        repeated.plot(kind="random-quantiles")


def test_holm() -> None:
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, 0.03])), [0.03, 0.06, 0.06])


def test_multivariate_t_and_tukey_agree_where_they_must() -> None:
    """Equal groups and correlations: the largest of all differences has the studentised range."""
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"id": np.repeat(np.arange(36), 4), "t": np.tile(np.arange(4.0), 36)})
    data["arm"] = np.array(["a", "b", "c"])[data["id"] % 3]
    data["y"] = rng.normal(size=36)[data["id"]] + rng.normal(size=144) + 0.4 * (data["arm"] == "c")
    fit = lmm("y ~ arm + t + (1 | id)", data)
    tukey = fit.contrasts("arm", against="pairwise", adjust="tukey")
    mvt = fit.contrasts("arm", against="pairwise", adjust="mvt")
    np.testing.assert_allclose(mvt["p_value"], tukey["p_value"], atol=2e-3)
    np.testing.assert_allclose(mvt["ci_low"], tukey["ci_low"], atol=5e-3)
    plain = fit.contrasts("arm", against="pairwise")
    assert (tukey["p_value"] >= plain["p_value"]).all()


def test_rows_left_out_are_counted_by_reason_and_level(trial_frame: pd.DataFrame) -> None:
    data = trial_frame.copy()
    data.loc[data.index[:3], "baseline"] = np.nan
    text = lmm("phq9 ~ week*arm + baseline + (week | patient_id)", data).summary()
    assert "(missing: phq9 66, baseline 3)" in text
    assert "by arm: " in text


@pytest.mark.parametrize("name", ["ipt_A", "ipt_B_crossed"])
def test_estimated_means_at_chosen_weeks_as_emmeans(name: str, reference: Any, read: Any) -> None:
    """Of the model with crossed factors, too; emmeans takes Satterthwaite's degrees of freedom from lmerTest."""
    case = reference(f"mixed/{name}")
    theirs = pd.DataFrame(case["emmeans"]["means"])
    fit = lmm(case["formula"], read(case))
    own = fit.means("arm", at={"week": sorted(theirs["week"].unique())})
    both = own.assign(arm=own["arm"].astype(str)).merge(theirs, on=["arm", "week"], suffixes=("", "_r"))
    assert len(both) == len(theirs) > 3
    np.testing.assert_allclose(both["estimate"], both["emmean"], rtol=1e-6)
    np.testing.assert_allclose(both["se"], both["SE"], rtol=1e-6)
    np.testing.assert_allclose(both["df"], both["df_r"], rtol=1e-3)
