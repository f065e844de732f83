"""What must not change a fit, and what must change it in a known way."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.mixed import lmm

FORMULA = "y ~ week * arm + (week | id)"
NUMBERS = ["estimate", "se", "df"]


def made(seed: int = 1, people: int = 24) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        start, slope = rng.normal(16, 3), rng.normal(-0.6, 0.25)
        arm = "ipt" if person % 2 else "usual care"
        weeks = np.arange(6)[rng.random(6) < 0.85]
        rows += [
            {"id": f"p{person:02d}", "arm": arm, "week": float(week), "y": start + slope * week + rng.normal(0, 1.5)}
            for week in weeks
        ]
    return pd.DataFrame(rows)


BASE = made()
FIT = lmm(FORMULA, BASE)


@given(st.permutations(range(len(BASE))))
@settings(max_examples=10, deadline=None)
def test_the_order_of_rows_changes_nothing(order: list[int]) -> None:
    again = lmm(FORMULA, BASE.iloc[order])
    np.testing.assert_allclose(again.fixed[NUMBERS], FIT.fixed[NUMBERS], rtol=1e-7)


@given(st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_the_names_of_people_change_nothing(random: object) -> None:
    names = list(BASE["id"].unique())
    shuffled = names.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again = lmm(FORMULA, BASE.assign(id=BASE["id"].map(dict(zip(names, shuffled, strict=True)))))
    np.testing.assert_allclose(again.fixed[NUMBERS], FIT.fixed[NUMBERS], rtol=1e-7)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3))
@settings(max_examples=25, deadline=None)
def test_shift_and_unit_of_the_outcome(shift: float, unit: float) -> None:
    again = lmm(FORMULA, BASE.assign(y=BASE["y"] * unit + shift))
    expected = FIT.fixed["estimate"].to_numpy() * unit
    expected[0] += shift
    tolerance = 1e-6 * unit + 1e-10 * abs(shift)
    np.testing.assert_allclose(again.fixed["estimate"], expected, rtol=1e-6, atol=tolerance)
    np.testing.assert_allclose(again.fixed["se"], FIT.fixed["se"] * unit, rtol=1e-5)
    np.testing.assert_allclose(again.fixed["df"], FIT.fixed["df"], rtol=1e-4)
    assert again.log_likelihood == pytest.approx(FIT.log_likelihood - (FIT.n_obs - 4) * np.log(unit), abs=1e-4)


def test_a_million_points_more_change_nothing_but_the_intercept() -> None:
    again = lmm(FORMULA, BASE.assign(y=BASE["y"] + 1e6))
    np.testing.assert_allclose(again.fixed["estimate"][1:], FIT.fixed["estimate"][1:], rtol=1e-7)
    assert again.log_likelihood == pytest.approx(FIT.log_likelihood, abs=1e-6)


@pytest.mark.parametrize("formula", [FORMULA, "y ~ 0 + arm + arm:week + (week | id)"])
def test_a_million_points_more_without_an_intercept_too(formula: str) -> None:
    near, far = lmm(formula, BASE), lmm(formula, BASE.assign(y=BASE["y"] + 1e6))
    np.testing.assert_allclose(far.fixed["se"], near.fixed["se"], rtol=1e-6)
    assert far.log_likelihood == pytest.approx(near.log_likelihood, abs=1e-6)


@pytest.mark.parametrize("shift", [1e3, 1e5, 1e6])
def test_the_origin_of_a_covariate_changes_nothing_but_the_intercept(shift: float) -> None:
    start = dict(zip(BASE["id"].unique(), np.random.default_rng(8).normal(18, 4, 24), strict=True))
    frame = BASE.assign(baseline=BASE["id"].map(start))
    formula = "y ~ week * arm + baseline + (week | id)"
    near, far = lmm(formula, frame), lmm(formula, frame.assign(baseline=frame["baseline"] + shift))
    np.testing.assert_allclose(far.fixed["estimate"][1:], near.fixed["estimate"][1:], rtol=1e-5)
    np.testing.assert_allclose(far.fixed["se"][1:], near.fixed["se"][1:], rtol=1e-5)
    assert far.log_likelihood == pytest.approx(near.log_likelihood, abs=1e-6)


def test_numbers_kept_as_objects_are_numbers() -> None:
    again = lmm(FORMULA, BASE.astype({"week": object}))
    assert again.fixed["term"].tolist() == FIT.fixed["term"].tolist()


def test_type_three_does_not_depend_on_how_the_model_is_written() -> None:
    two = lmm("y ~ arm * week + (week | id)", BASE).anova().set_index("term")
    other = lmm("y ~ 0 + arm + week + arm:week + (week | id)", BASE).anova().set_index("term")
    for term in ("week", "arm:week"):
        assert other.loc[term, "statistic"] == pytest.approx(two.loc[term, "statistic"], rel=1e-6)


def test_the_sign_of_the_outcome_turns_every_estimate() -> None:
    again = lmm(FORMULA, BASE.assign(y=-BASE["y"]))
    np.testing.assert_allclose(again.fixed["estimate"], -FIT.fixed["estimate"], rtol=1e-8)
    np.testing.assert_allclose(again.fixed["se"], FIT.fixed["se"], rtol=1e-8)


@pytest.mark.parametrize("shift", [-8.0, 52.0, 1040.0])
def test_the_origin_of_time_changes_no_slope_and_no_likelihood(shift: float) -> None:
    again = lmm(FORMULA, BASE.assign(week=BASE["week"] + shift))
    for term in ("week", "week:arm[usual care]"):
        ours, theirs = (fit.fixed.set_index("term").loc[term, NUMBERS].astype(float) for fit in (again, FIT))
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert again.log_likelihood == pytest.approx(FIT.log_likelihood, abs=1e-5)
    at_end = [
        fit.contrasts("arm", at={"week": week})["estimate"].iloc[0] for fit, week in ((again, 5 + shift), (FIT, 5))
    ]
    assert at_end[0] == pytest.approx(at_end[1], rel=1e-6)


def test_another_reference_is_the_same_model() -> None:
    turned = lmm(FORMULA, BASE.assign(arm=pd.Categorical(BASE["arm"], categories=["usual care", "ipt"])))
    assert turned.log_likelihood == pytest.approx(FIT.log_likelihood, abs=1e-9)
    ours, theirs = (fit.contrasts("arm", at={"week": 4}).iloc[0] for fit in (turned, FIT))
    assert ours["contrast"] == "ipt - usual care"
    assert theirs["contrast"] == "usual care - ipt"
    assert ours["estimate"] == pytest.approx(-theirs["estimate"], rel=1e-8)
    assert ours["p_value"] == pytest.approx(theirs["p_value"], rel=1e-6)


def test_a_time_varying_covariate_and_independent_effects_agree_with_the_dense_likelihood() -> None:
    """The per-person sums against the likelihood written out with the covariance matrix of all rows."""
    rng = np.random.default_rng(3)
    frame = BASE.assign(mood=rng.normal(size=len(BASE)))
    fit = lmm("y ~ week + mood + arm + (week || id)", frame)
    x = np.column_stack([np.ones(len(frame)), frame["week"], frame["mood"], frame["arm"].eq("usual care")])
    same = frame["id"].to_numpy()[:, None] == frame["id"].to_numpy()[None, :]
    week = frame["week"].to_numpy()
    variances = fit.random.set_index("term1")["variance_or_cov"]
    v = fit.sigma**2 * np.eye(len(frame)) + same * (variances["(Intercept)"] + variances["week"] * np.outer(week, week))
    inverse = np.linalg.inv(v)
    vcov = np.linalg.inv(x.T @ inverse @ x)
    beta = vcov @ x.T @ inverse @ frame["y"].to_numpy()
    np.testing.assert_allclose(fit.fixed["estimate"], beta, rtol=1e-8)
    np.testing.assert_allclose(fit.fixed["se"], np.sqrt(np.diag(vcov)), rtol=1e-8)
    residual = frame["y"].to_numpy() - x @ beta
    n, p = x.shape
    log_likelihood = -0.5 * (
        np.linalg.slogdet(v)[1]
        + np.linalg.slogdet(x.T @ inverse @ x)[1]
        + residual @ inverse @ residual
        + (n - p) * np.log(2 * np.pi)
    )
    assert fit.log_likelihood == pytest.approx(log_likelihood, rel=1e-10)
    for term, factor in (("(Intercept)", 1.02), ("week", 0.97)):
        moved = variances.copy()
        moved[term] *= factor
        other = fit.sigma**2 * np.eye(len(frame)) + same * (moved["(Intercept)"] + moved["week"] * np.outer(week, week))
        turned = np.linalg.inv(other)
        again = np.linalg.inv(x.T @ turned @ x) @ x.T @ turned @ frame["y"].to_numpy()
        left = frame["y"].to_numpy() - x @ again
        there = -0.5 * (
            np.linalg.slogdet(other)[1]
            + np.linalg.slogdet(x.T @ turned @ x)[1]
            + left @ turned @ left
            + (n - p) * np.log(2 * np.pi)
        )
        assert there < log_likelihood


def test_adjustments_agree_where_they_must() -> None:
    frame = made(5, 30).assign(arm=lambda d: d["id"].str[1:].astype(int) % 3)
    frame["arm"] = frame["arm"].map({0: "a", 1: "b", 2: "c"})
    fit = lmm("y ~ week * arm + (1 | id)", frame)
    plain = fit.contrasts("arm", at={"week": 4}, against="pairwise")
    tukey, mvt, holm = (
        fit.contrasts("arm", at={"week": 4}, against="pairwise", adjust=name) for name in ("tukey", "mvt", "holm")
    )
    # All pairs of three nearly balanced means: the multivariate t is Tukey's up to imbalance.
    np.testing.assert_allclose(mvt["p_value"], tukey["p_value"], atol=0.01)
    for one in (tukey, mvt, holm):
        assert (one["p_value"] >= plain["p_value"] - 1e-9).all()
    assert (tukey["ci_high"] - tukey["ci_low"] > plain["ci_high"] - plain["ci_low"]).all()
    same = fit.contrasts("arm", at={"week": 4}, against="pairwise", adjust="mvt")
    pd.testing.assert_frame_equal(mvt, same)


def test_degrees_of_freedom_by_name() -> None:
    residual, normal = (lmm(FORMULA, BASE, df=name) for name in ("residual", "normal"))
    assert set(residual.fixed["df"]) == {len(BASE) - 4}
    assert np.isinf(normal.fixed["df"]).all()
    width = normal.fixed["ci_high"] - normal.fixed["ci_low"]
    np.testing.assert_allclose(width, 2 * 1.959963984540054 * normal.fixed["se"], rtol=1e-9)
    assert residual.to_dict()["fixed"][0]["df"] == len(BASE) - 4


def test_predictions_add_up() -> None:
    fixed, whole = FIT.predict(random=False), FIT.predict()
    effects = FIT.random_effects().pivot(index="level", columns="term", values="estimate")
    own = effects.loc[BASE["id"]]
    np.testing.assert_allclose(
        whole - fixed, own["(Intercept)"].to_numpy() + own["week"].to_numpy() * BASE["week"], atol=1e-9
    )
