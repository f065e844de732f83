"""Models for repeated measures against the R package mmrm (and nlme::gls), then what must hold for any data."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.errors import ConvergenceError, DesignError, OptionError
from ipt_outcomes.mixed import mmrm

HERE = Path(__file__).resolve().parents[1] / "reference" / "mixed"
STRUCTURES = {
    "us": "unstructured", "ar1": "ar1", "ar1h": "ar1-heterogeneous", "csh": "compound-symmetry-heterogeneous",
    "toep": "toeplitz", "toeph": "toeplitz-heterogeneous", "ad": "ante-dependence", "sp_exp": "spatial-exponential",
}  # fmt: skip
SIMULATED = ("ipt_mmrm_us", "ipt_mmrm_ar1", "ipt_mmrm_toeph", "ipt_mmrm_us_area")
SHARED = ("fev_us", "fev_us_grouped", "fev_ar1", "fev_ar1h", "fev_csh", "fev_toep", "fev_ad", "fev_sp_exp")
METHODS = {
    "satterthwaite": "satterthwaite", "kenward-roger": "kenward_roger",
    "kenward-roger-linear": "kenward_roger_linear", "between-within": "between_within",
}  # fmt: skip


def load(folder: Path, name: str) -> tuple[dict[str, Any], pd.DataFrame]:
    case = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    frame = pd.read_csv(folder / case["data"])
    for column, levels in (case.get("factor_levels") or {}).items():
        source = "visit" if column == "visitf" else column
        if source in frame:
            frame[column] = pd.Categorical(frame[source].astype(str), categories=levels)
    return case, frame


def fit_case(case: dict[str, Any], frame: pd.DataFrame, **options: Any) -> Any:
    """Fit mmrm's formula: its last term names structure, visit, group and person."""
    fixed, kind, visit, by = re.fullmatch(r"(.*) \+ (\w+)\((.*) \| (.*)\)", case["formula"]).groups()
    visits = [name.strip() for name in visit.split(",")]
    *group, subject = by.split("/")
    return mmrm(
        fixed, frame, subject=subject, visit=visits[0] if len(visits) == 1 else visits, covariance=STRUCTURES[kind],
        covariance_by=group[0] if group else None, reml=case["reml"], **options,
    )  # fmt: skip


def placed(fit: Any, case: dict[str, Any]) -> list[int]:
    """Where R's coefficients stand among ours."""
    own = [re.sub(r"[\[\]]", "", term) for term in fit.fixed["term"]]
    return [
        next(i for i, term in enumerate(own) if sorted(term.split(":")) == sorted(name.split(":")))
        for name in case["names"]
    ]


def check(case: dict[str, Any], frame: pd.DataFrame) -> None:
    loose = 1e-3 if "sp_exp" in case["id"] else 1e-5
    fit = fit_case(case, frame, df="satterthwaite")
    order = placed(fit, case)
    # mmrm's optimisers stop at a relative change of the deviance; ours may end a little higher.
    assert fit.log_likelihood == pytest.approx(case["loglik"], rel=1e-9 if loose == 1e-5 else 1e-7)
    assert fit.log_likelihood >= case["loglik"] - 1e-7
    np.testing.assert_allclose(fit.fixed["estimate"].iloc[order], case["beta"], rtol=loose, atol=loose * 1e-1)
    scale = np.abs(case["vcov"]).max()
    np.testing.assert_allclose(fit.vcov[np.ix_(order, order)], case["vcov"], rtol=10 * loose, atol=loose * scale)
    if "covariance_by_group" in case:
        matrices = np.concatenate([case["covariance_by_group"][level] for level in ("PBO", "TRT")])
        np.testing.assert_allclose(fit.covariance, matrices, rtol=1e-4, atol=1e-4)
    elif "sp_exp" not in case["id"]:
        np.testing.assert_allclose(fit.covariance, case["covariance"], rtol=1e-4, atol=1e-4)
    assert fit.aic == pytest.approx(case["aic"], rel=1e-7)
    assert fit.bic == pytest.approx(case["bic"], rel=1e-7)
    assert (fit.n_obs, *fit.n_groups.values()) == (case["nobs"], case["n_subjects"])
    for kind, stored in (("CR0", "empirical"), ("CR2", "empirical_bias_reduced"), ("CR3", "empirical_jackknife")):
        if f"se_{stored}" in case:
            se = np.sqrt(np.diag(fit.vcov_robust(kind)))[order]
            np.testing.assert_allclose(se, case[f"se_{stored}"], rtol=loose)
    compared = 0
    for method, stored in METHODS.items():
        if f"df_{stored}" in case:
            own = fit_case(case, frame, df=method).fixed.iloc[order]
            np.testing.assert_allclose(own["se"], case[f"se_{stored}"], rtol=loose)
            np.testing.assert_allclose(own["df"], case[f"df_{stored}"], rtol=10 * loose)
            np.testing.assert_allclose(own["p_value"], case[f"p_{stored}"], rtol=1e-2, atol=1e-6)
            compared += 1
    assert compared >= 1


@pytest.mark.parametrize("name", SIMULATED)
def test_equals_mmrm(name: str) -> None:
    check(*load(HERE, name))


@pytest.mark.shared
@pytest.mark.parametrize("name", SHARED)
def test_equals_mmrm_on_its_own_data(name: str, shared: Path) -> None:
    check(*load(shared / "reference" / "mixed", name))


@pytest.mark.parametrize(("method", "block"), [("satterthwaite", "emmeans"), ("kenward-roger", "emmeans_kr")])
def test_means_and_contrasts_equal_emmeans(method: str, block: str) -> None:
    case, frame = load(HERE, "ipt_mmrm_us")
    fit = fit_case(case, frame, df=method)
    for own, theirs, key, estimate in (
        (fit.means("arm", by="visitf"), case[block]["means"], "arm", "emmean"),
        (fit.contrasts("arm", by="visitf"), case[block]["contrasts"], "contrast", "estimate"),
    ):
        assert len(own) == len(theirs) >= 8
        for row in theirs:
            line = own[own[key].eq(row[key]) & own["visitf"].eq(row["visitf"])].iloc[0]
            assert line["estimate"] == pytest.approx(row[estimate], rel=1e-5, abs=1e-6)
            assert line["se"] == pytest.approx(row["SE"], rel=1e-5)
            assert line["df"] == pytest.approx(row["df"], rel=1e-4)
            assert line["ci_low"] == pytest.approx(row["lower.CL"], rel=1e-4, abs=1e-5)


def test_exponential_correlation_equals_gls(reference: Any) -> None:
    case, frame = load(HERE, "bodyweight_gls_exp")
    fit = mmrm(
        "weight ~ Time * Diet", frame, subject="Rat", visit="Time", covariance="spatial-exponential", df="normal"
    )
    np.testing.assert_allclose(fit.fixed["estimate"], case["beta"], rtol=1e-5)
    np.testing.assert_allclose(fit.fixed["se"], case["se"], rtol=1e-5)
    assert fit.log_likelihood == pytest.approx(case["loglik"], rel=1e-8)
    assert fit.sigma == pytest.approx(case["sigma"], rel=1e-5)
    # gls gives the range: the correlation at distance d is exp(-d / range).
    neighbours = fit.correlation.iloc[0, 1] ** (1 / 7)
    assert -1 / np.log(neighbours) == pytest.approx(case["correlation_parameters"][0], rel=1e-4)


def simulated(n: int = 60, seed: int = 3, leave: float = 0.1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(n), 4)
    visit = np.tile([2, 4, 8, 12], n)
    arm = np.where(person % 2 == 0, "ipt", "usual_care")
    baseline = rng.normal(16, 4, n)[person]
    y = 14 - 0.4 * visit - 0.1 * visit * (arm == "ipt") + 0.3 * baseline
    y = y + rng.normal(0, 3, n)[person] + rng.normal(0, 2, n * 4)
    frame = pd.DataFrame({"id": person, "visit": visit, "arm": arm, "baseline": baseline, "y": y})
    return frame[rng.random(n * 4) > leave].reset_index(drop=True)


FRAME = simulated()
FORMULA = "y ~ arm * factor(visit) + baseline"


def fit_frame(frame: pd.DataFrame = FRAME, formula: str = FORMULA, **options: Any) -> Any:
    return mmrm(formula, frame, subject="id", visit="visit", **options)


@pytest.mark.parametrize("structure", [name for name in STRUCTURES.values() if name != "spatial-exponential"])
@pytest.mark.parametrize("reml", [True, False])
def test_the_top_is_a_top(structure: str, reml: bool) -> None:
    """The score against numeric differences of the likelihood, which a dense computation repeats."""
    fit = fit_frame(covariance=structure, reml=reml, df="satterthwaite")
    covariance = fit.covariance.to_numpy()
    assert dense_likelihood(fit, covariance, reml) == pytest.approx(fit.log_likelihood, rel=1e-10)
    rng = np.random.default_rng(1)
    for _ in range(3):
        # Any other matrix of the same structure lies lower: scale all, which every structure allows.
        other = covariance * np.exp(rng.normal(0, 0.05))
        assert dense_likelihood(fit, other, reml) < fit.log_likelihood


def dense_likelihood(fit: Any, covariance: np.ndarray, reml: bool) -> float:
    frame = FRAME
    places = {visit: place for place, visit in enumerate(fit.covariance.columns)}
    at = frame["visit"].map(places).to_numpy()
    same = np.equal.outer(frame["id"].to_numpy(), frame["id"].to_numpy())
    v = covariance[np.ix_(at, at)] * same
    x = np.column_stack(
        [
            np.ones(len(frame)),
            frame["arm"].eq("usual_care"),
            *[frame["visit"].eq(w) for w in (4, 8, 12)],
            frame["baseline"],
        ]
        + [frame["arm"].eq("usual_care") & frame["visit"].eq(w) for w in (4, 8, 12)]
    ).astype(float)
    inverse = np.linalg.inv(v)
    a = x.T @ inverse @ x
    y = frame["y"].to_numpy()
    residual = y - x @ np.linalg.solve(a, x.T @ inverse @ y)
    n, p = x.shape
    free = n - p if reml else n
    found = free * np.log(2 * np.pi) + np.linalg.slogdet(v)[1] + residual @ inverse @ residual
    return -(found + (np.linalg.slogdet(a)[1] if reml else 0)) / 2


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10_000), shift=st.floats(-1e6, 1e6), scale=st.floats(1e-3, 1e3))
def test_order_names_origin_and_unit_do_not_matter(seed: int, shift: float, scale: float) -> None:
    rng = np.random.default_rng(seed)
    fit = fit_frame(covariance="toeplitz-heterogeneous")
    moved = FRAME.assign(y=shift + scale * FRAME["y"], id=rng.permutation(60)[FRAME["id"]] + 7).sample(
        frac=1, random_state=seed
    )
    other = fit_frame(moved, covariance="toeplitz-heterogeneous")
    expected = scale * fit.fixed["estimate"].to_numpy()
    expected[0] += shift
    np.testing.assert_allclose(other.fixed["estimate"], expected, rtol=1e-6, atol=1e-8 * (abs(shift) + scale))
    np.testing.assert_allclose(other.fixed["se"], scale * fit.fixed["se"], rtol=1e-6)
    np.testing.assert_allclose(other.fixed["df"], fit.fixed["df"], rtol=1e-5)


def test_a_covariate_far_from_zero_changes_nothing_but_the_intercept() -> None:
    fit, other = fit_frame(), fit_frame(FRAME.assign(baseline=FRAME["baseline"] + 1e6))
    np.testing.assert_allclose(other.fixed["estimate"][1:], fit.fixed["estimate"][1:], rtol=1e-6)
    np.testing.assert_allclose(other.fixed["se"][1:], fit.fixed["se"][1:], rtol=1e-6)


def test_a_covariate_that_changes_with_time_gives_what_a_dense_computation_gives() -> None:
    dose = np.random.default_rng(5).normal(10, 2, len(FRAME))
    fit = fit_frame(FRAME.assign(dose=dose), "y ~ arm + dose + arm:dose", covariance="ar1", df="normal")
    x = np.column_stack([np.ones(len(dose)), FRAME["arm"].eq("usual_care"), dose, FRAME["arm"].eq("usual_care") * dose])
    places = {visit: place for place, visit in enumerate(fit.covariance.columns)}
    at = FRAME["visit"].map(places).to_numpy()
    same = np.equal.outer(FRAME["id"].to_numpy(), FRAME["id"].to_numpy())
    inverse = np.linalg.inv(fit.covariance.to_numpy()[np.ix_(at, at)] * same)
    vcov = np.linalg.inv(x.T @ inverse @ x)
    order = [0, 1, 2, 3]
    np.testing.assert_allclose(fit.vcov[np.ix_(order, order)], vcov, rtol=1e-7)
    np.testing.assert_allclose(fit.fixed["estimate"], vcov @ x.T @ inverse @ FRAME["y"], rtol=1e-7)


def test_with_one_matrix_for_two_groups_each_gets_the_matrix_of_its_own_fit() -> None:
    """With everything by arm, two groups are two fits."""
    fit = fit_frame(formula="y ~ arm * (factor(visit) + baseline)", covariance_by="arm", reml=False)
    total = 0.0
    for arm in ("ipt", "usual_care"):
        alone = fit_frame(FRAME[FRAME["arm"].eq(arm)], "y ~ factor(visit) + baseline", reml=False)
        np.testing.assert_allclose(fit.covariance.loc[arm], alone.covariance, rtol=1e-6)
        total += alone.log_likelihood
    assert fit.log_likelihood == pytest.approx(total, rel=1e-10)


def test_kenward_roger_f_of_one_contrast_is_its_t_squared() -> None:
    fit = fit_frame()
    weights = np.eye(len(fit.fixed))[[1]]
    rank, df, statistic, p_value = fit.f_test(weights)
    row = fit.fixed.iloc[1]
    assert (rank, df) == (1, pytest.approx(row["df"], rel=1e-8))
    assert statistic == pytest.approx(row["statistic"] ** 2, rel=1e-8)
    assert p_value == pytest.approx(row["p_value"], rel=1e-8)
    table = fit.anova()
    assert list(table["num_df"]) == [1, 3, 1, 3]


def test_balanced_and_complete_is_the_exact_repeated_measures_analysis() -> None:
    """Compound symmetry, complete data: the arm is tested on the persons' means, with n - 2 degrees of freedom.

    Only the linear form is exact there: second derivatives of the free parameters are no part of the problem.
    """
    full = simulated(leave=0.0)
    fit = mmrm(
        "y ~ arm * factor(visit)", full, subject="id", visit="visit", covariance="compound-symmetry",
        df="kenward-roger-linear",
    )  # fmt: skip
    means = full.groupby("id").agg(y=("y", "mean"), arm=("arm", "first"))
    one, other = (means.loc[means["arm"].eq(arm), "y"] for arm in ("usual_care", "ipt"))
    row = fit.contrasts("arm").iloc[0]
    assert row["estimate"] == pytest.approx(one.mean() - other.mean(), rel=1e-9)
    pooled = np.sqrt((one.var() + other.var()) / 2 * (2 / 30))
    assert row["se"] == pytest.approx(pooled, rel=1e-6)
    assert row["df"] == pytest.approx(58, rel=1e-5)


def test_structures_that_do_not_converge_give_way_to_the_next_and_are_recorded() -> None:
    few = simulated(n=6, seed=1, leave=0.4)
    with pytest.raises(ConvergenceError) as refused:
        mmrm("y ~ factor(visit)", few, subject="id", visit="visit")
    assert refused.value.attempts[0].startswith("unstructured: ")
    fit = mmrm("y ~ factor(visit)", few, subject="id", visit="visit", fallback=["compound-symmetry"])
    assert fit.covariance_structure == "compound-symmetry"
    assert fit.attempts == refused.value.attempts


def test_two_rows_for_one_visit_are_named() -> None:
    twice = pd.concat([FRAME, FRAME.iloc[[5]]], ignore_index=True)
    with pytest.raises(DesignError, match="1 times a person has several rows") as refused:
        fit_frame(twice)
    assert set(refused.value.rows) == {5, len(FRAME)}


@pytest.mark.parametrize(
    ("change", "options", "error", "words"),
    [
        ({}, {"covariance": "unstructred"}, OptionError, "covariance"),
        ({}, {"df": "kr"}, OptionError, "df"),
        ({}, {"formula": "y ~ arm + (1 | id)"}, OptionError, "no random terms"),
        ({}, {"covariance_by": "amr"}, OptionError, "amr"),
        ({}, {"covariance_by": "visit"}, DesignError, "changes within"),
        ({"visit": 2}, {"formula": "y ~ arm"}, DesignError, "one visit only"),
        ({"y": 3.0}, {"formula": "y ~ arm"}, DesignError, "same value"),
        ({"y": np.nan}, {}, DesignError, "none of the"),
        ({}, {"fallback": ["spatial-exponential"]}, OptionError, "cannot be mixed"),
    ],
)
def test_what_cannot_be_fitted_says_why(
    change: dict[str, Any], options: dict[str, Any], error: type, words: str
) -> None:
    given_options = dict(options)
    formula = given_options.pop("formula", FORMULA)
    with pytest.raises(error, match=words):
        fit_frame(FRAME.assign(**change), formula, **given_options)


def test_one_visit_only_is_no_repeated_measure() -> None:
    with pytest.raises(DesignError, match="one visit only"):
        fit_frame(FRAME[FRAME["visit"].eq(2)], "y ~ arm")


def test_the_fit_speaks() -> None:
    fit = fit_frame()
    text = fit.summary()
    assert "Model for repeated measures (REML)" in text
    assert "unstructured" in text
    assert "correlations with earlier visits" in text
    stored = json.loads(json.dumps(fit.to_dict()))
    assert len(stored["covariance"]["rows"]) == 4
    np.testing.assert_allclose(np.diag(fit.correlation), 1.0)
    assert fit.predict().shape == (fit.n_obs,)
