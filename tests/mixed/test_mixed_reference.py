"""Fits against lme4, lmerTest and emmeans, term by term."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.mixed import lmm

CASES = (
    "sleep_reml", "sleep_ml", "sleep_int", "ipt_A", "ipt_A_hamd", "ipt_tiny12", "ipt_onerow", "orthodont_slope",
    "oxboys_quad", "ipt_spline", "ipt_B_crossed", "penicillin_crossed", "ipt_singular_ther",
)  # fmt: skip


def our_name(name: str, levels: dict[str, list[str]]) -> str:
    """R writes ``week:armIPT``, we write ``week:arm[IPT]``."""
    parts = []
    for part in plain(name).split(":"):
        factor = next(
            (column for column in levels if part.startswith(column) and part[len(column) :] in levels[column]), None
        )
        parts.append(part if factor is None else f"{factor}[{part[len(factor) :]}]")
    return ":".join(parts)


def plain(name: str) -> str:
    """R names the columns of a spline ``splines::ns(week, knots = c(3, 6))1``, we ``ns(week, knots=c(3,6))[1]``."""
    return re.sub(r"\)(\d)(?=:|$)", r")[\1]", name.replace("splines::", "").replace(" ", ""))


def same_term(ours: str, theirs: str) -> bool:
    return sorted(plain(ours).split(":")) == sorted(plain(theirs).split(":"))


def places(fit: Any, case: dict[str, Any]) -> list[int]:
    """Position of each of R's terms among ours."""
    terms = list(fit.fixed["term"])
    found = [
        next(i for i, term in enumerate(terms) if same_term(term, our_name(name, case.get("factor_levels") or {})))
        for name in case["names"]
    ]
    assert sorted(found) == list(range(len(terms)))
    return found


@pytest.fixture(scope="module", params=CASES)
def fitted(request: pytest.FixtureRequest, reference: Any, read: Any) -> tuple[Any, dict[str, Any]]:
    case = reference(f"mixed/{request.param}")
    return lmm(case["formula"].replace("splines::", ""), read(case), reml=case["reml"]), case


def test_coefficients_standard_errors_and_degrees_of_freedom(fitted: tuple[Any, dict[str, Any]]) -> None:
    fit, case = fitted
    own = fit.fixed.iloc[places(fit, case)]
    np.testing.assert_allclose(own["estimate"], case["beta"], rtol=1e-6)
    np.testing.assert_allclose(own["se"], case["se"], rtol=1e-6)
    np.testing.assert_allclose(own["df"], case["df_satterthwaite"], rtol=1e-4)
    np.testing.assert_allclose(own["statistic"], case["t"], rtol=2e-6)
    np.testing.assert_allclose(own["p_value"], case["p_satterthwaite"], rtol=1e-3)


def test_covariance_of_the_coefficients(fitted: tuple[Any, dict[str, Any]]) -> None:
    fit, case = fitted
    order = places(fit, case)
    size = np.sqrt(np.outer(np.diag(case["vcov"]), np.diag(case["vcov"])))
    np.testing.assert_allclose(fit.vcov[np.ix_(order, order)] / size, np.array(case["vcov"]) / size, atol=2e-6)


def test_likelihood_and_criteria(fitted: tuple[Any, dict[str, Any]]) -> None:
    fit, case = fitted
    for ours, theirs in (("log_likelihood", "loglik"), ("aic", "aic"), ("bic", "bic"), ("sigma", "sigma")):
        assert getattr(fit, ours) == pytest.approx(case[theirs], rel=1e-6)
    assert fit.n_obs == case["nobs"]
    assert list(fit.n_groups.values()) == list(case["ngrps"].values())
    assert fit.converged
    assert not fit.singular


def test_variance_components(fitted: tuple[Any, dict[str, Any]]) -> None:
    fit, case = fitted
    theirs = [row for row in case["varcorr"] if row["grp"] != "Residual"]
    assert len(fit.random) == len(theirs)
    for row in theirs:
        own = fit.random[fit.random["group"].eq(row["grp"])]
        own = own[own["term1"].eq(row["var1"]) & own["term2"].eq(row["var2"] or "")]
        assert len(own) == 1
        assert own["variance_or_cov"].iloc[0] == pytest.approx(row["vcov"], rel=5e-6)
        assert own["sd_or_corr"].iloc[0] == pytest.approx(row["sdcor"], rel=5e-6)


def test_predicted_effects_of_the_first_groups(fitted: tuple[Any, dict[str, Any]]) -> None:
    fit, case = fitted
    effects = fit.random_effects()
    for block in case["blups"]:
        terms = [block["terms"]] if isinstance(block["terms"], str) else block["terms"]
        group = block["group"]
        for level, values, sds in zip(block["levels"], block["values"], block["cond_sd"], strict=False):
            mine = effects["group"].eq(group) & effects["level"].astype(str).eq(level)
            own = effects[mine].set_index("term").loc[terms]
            np.testing.assert_allclose(own["estimate"], values, rtol=2e-5, atol=1e-6)
            if len(sds) == len(terms):
                np.testing.assert_allclose(own["sd"], sds, rtol=1e-5)


def test_fitted_values_of_the_first_rows(fitted: tuple[Any, dict[str, Any]]) -> None:
    fit, case = fitted
    np.testing.assert_allclose(fit.predict()[:5], case["fitted5"], rtol=1e-6)
    np.testing.assert_allclose(fit.predict(random=False)[:5], case["fitted5_population"], rtol=1e-6)


def test_type_three_tests(fitted: tuple[Any, dict[str, Any]]) -> None:
    """Where arms have no main effect, lmerTest tests the slope at the reference arm; ours is the mean over arms."""
    fit, case = fitted
    theirs = case["anova3_satterthwaite"]
    terms = [theirs["term"]] if isinstance(theirs["term"], str) else theirs["term"]
    own = fit.anova()
    compared = 0
    for term, df, den_df, statistic in zip(terms, theirs["numdf"], theirs["dendf"], theirs["F"], strict=True):
        if term == "week" and "arm:week" in case["formula"]:
            continue
        row = own[[same_term(name, term) for name in own["term"]]].iloc[0]
        assert row["num_df"] == df
        # R's gradients and Hessians are numeric; for several degrees of freedom that shows in the fifth digit.
        assert row["den_df"] == pytest.approx(den_df, rel=1e-4)
        assert row["statistic"] == pytest.approx(statistic, rel=2e-5)
        compared += 1
    assert compared or not terms


def test_the_slope_averages_over_areas_at_the_reference_arm_as_lmertest_tests_it(reference: Any, read: Any) -> None:
    case = reference("mixed/ipt_A")
    fit = lmm(case["formula"], read(case))
    terms = list(fit.fixed["term"])
    weights = np.array(
        [1.0 if term == "week" else 0.25 if re.fullmatch(r"week:problem_area.*", term) else 0 for term in terms]
    )
    number = case["anova3_satterthwaite"]["term"].index("week")
    _, df, statistic, _ = fit.f_test(weights[None, :])
    assert statistic == pytest.approx(case["anova3_satterthwaite"]["F"][number], rel=1e-6)
    assert df == pytest.approx(case["anova3_satterthwaite"]["dendf"][number], rel=1e-4)


def _compare(own: pd.DataFrame, theirs: list[dict[str, Any]], keys: list[str], estimate: str) -> None:
    assert len(own) == len(theirs)
    for row in theirs:
        chosen = own
        for key in keys:
            chosen = chosen[chosen[key].eq(row[key])]
        assert len(chosen) == 1, row
        line = chosen.iloc[0]
        assert line["estimate"] == pytest.approx(row[estimate], rel=1e-6, abs=1e-9)
        assert line["se"] == pytest.approx(row["SE"], rel=1e-6)
        assert line["df"] == pytest.approx(row["df"], rel=1e-4)
        assert line["ci_low"] == pytest.approx(row["lower.CL"], rel=1e-5, abs=1e-6)
        assert line["ci_high"] == pytest.approx(row["upper.CL"], rel=1e-5, abs=1e-6)


def test_means_contrasts_and_slopes_equal_emmeans(reference: Any, read: Any) -> None:
    case = reference("mixed/ipt_A")
    fit = lmm(case["formula"], read(case))
    weeks = sorted({row["week"] for row in case["emmeans"]["means"]})
    _compare(fit.means("arm", at={"week": weeks}), case["emmeans"]["means"], ["arm", "week"], "emmean")
    contrasts = fit.contrasts("arm", at={"week": weeks}, against="pairwise")
    theirs = [row for row in case["emmeans"]["contrasts"] if row["contrast"] in set(contrasts["contrast"])]
    own = contrasts[contrasts["contrast"].isin({row["contrast"] for row in theirs})]
    assert len(theirs) >= 2 * len(weeks)
    _compare(own, theirs, ["contrast", "week"], "estimate")
    slopes = fit.trends("week", by="problem_area", against="pairwise")
    theirs = [row for row in case["emmeans"]["trends"] if row["contrast"] in set(slopes["contrast"])]
    assert len(theirs) >= 3
    _compare(slopes[slopes["contrast"].isin({row["contrast"] for row in theirs})], theirs, ["contrast"], "estimate")


def test_likelihood_ratio_test(reference: Any, read: Any) -> None:
    case = reference("mixed/ipt_A")
    data = read(case)
    full = lmm(case["formula"], data, reml=False)
    found = full.compare(lmm(case["lrt"]["null"], data, reml=False)).iloc[0]
    assert found["lrt"] == pytest.approx(case["lrt"]["chisq"][0], rel=1e-6)
    assert found["df"] == case["lrt"]["df"][0]
    assert found["p_value"] == pytest.approx(case["lrt"]["p"][0], rel=1e-4)


@pytest.mark.parametrize("without", [False, True])
def test_a_grouping_factor_whose_variance_is_zero(without: bool, reference: Any, read: Any) -> None:
    """The therapists of this reference have variance 0, so the fit without them is the same fit."""
    case = reference("mixed/ipt_singular_slope")
    assert next(row["vcov"] for row in case["varcorr"] if row["grp"] == "therapist") < 1e-12
    formula = case["formula"].replace(" + (1 | therapist)", "") if without else case["formula"]
    fit = lmm(formula, read(case))
    order = places(fit, case)
    assert fit.log_likelihood == pytest.approx(case["loglik"], rel=1e-9)
    np.testing.assert_allclose(fit.fixed["estimate"].to_numpy()[order], case["beta"], rtol=1e-6)
    np.testing.assert_allclose(fit.fixed["se"].to_numpy()[order], case["se"], rtol=1e-6)
    assert fit.singular
    assert "perfectly correlated" in fit.singular_direction
    correlation = fit.random[fit.random["term2"].ne("")]["sd_or_corr"].iloc[0]
    assert abs(correlation) == pytest.approx(1, abs=1e-6)
    if not without:
        assert "variance of (Intercept) between therapist is 0" in fit.singular_direction
        assert fit.random[fit.random["group"].eq("therapist")]["variance_or_cov"].iloc[0] == pytest.approx(0, abs=1e-9)
        assert fit.aic == pytest.approx(case["aic"], rel=1e-9)
    # lmerTest's numeric Hessian crosses the boundary; where the fit is on it, its degrees of freedom hold to 1%.
    np.testing.assert_allclose(fit.fixed["df"].to_numpy()[order], case["df_satterthwaite"], rtol=1e-2)


def test_pastes_nested_by_slash_or_by_name(read: Any) -> None:
    """Samples are casks within batches; lme4's published REML criterion of the two ways to write it is 246.9907."""
    frame = read({"data": "pastes.csv"})
    slash, named = (
        lmm("strength ~ 1 + (1 | batch/cask)", frame),
        lmm("strength ~ 1 + (1 | batch) + (1 | sample)", frame),
    )
    assert slash.log_likelihood == pytest.approx(named.log_likelihood, abs=1e-9)
    assert -2 * slash.log_likelihood == pytest.approx(246.9907, abs=5e-5)
    assert slash.n_groups == {"batch:cask": 30, "batch": 10}
    np.testing.assert_allclose(slash.random["sd_or_corr"], named.random["sd_or_corr"], rtol=1e-6)


def test_severity_as_moderator(reference: Any, read: Any) -> None:
    case = reference("trial/severity_ipt_trial")
    fit = lmm(case["formula"], read(case))
    own = fit.fixed.set_index("term")
    for row in case["moderation"]:
        line = own.loc[our_name(row["term"], case["factor_levels"])]
        assert line["estimate"] == pytest.approx(row["estimate"], rel=1e-6, abs=1e-9)
        assert line["se"] == pytest.approx(row["se"], rel=1e-6)
        assert line["df"] == pytest.approx(row["df"], rel=1e-3)
    baselines = sorted({row["baseline"] for row in case["slopes_at_baseline"]})
    slopes = fit.trends("week", by="arm", at={"baseline": baselines}, against="reference")
    ends = fit.contrasts("arm", at={"baseline": baselines, "week": 12})
    for own_rows, theirs in ((slopes, case["slopes_at_baseline"]), (ends, case["means_at_week_12"])):
        for row in theirs:
            line = own_rows[own_rows["contrast"].eq(row["contrast"]) & own_rows["baseline"].eq(row["baseline"])].iloc[0]
            assert line["estimate"] == pytest.approx(row["estimate"], rel=1e-6)
            assert line["se"] == pytest.approx(row["se"], rel=1e-6)
            assert line["df"] == pytest.approx(row["df"], rel=1e-3)


@pytest.mark.parametrize("name", ["05-mixed-model-zero-person-variance", "06-mixed-model-missing-visits"])
def test_reported_trouble(name: str, cases: Any) -> None:
    import tomllib

    expected = tomllib.loads((cases / name / "case.toml").read_text())
    frame = pd.read_csv(cases / name / "visits.csv", dtype={"id": str})
    outcome = expected["expected"]["model"].split(" ")[0]
    fit = lmm(f"{outcome} ~ week * arm + (1 | id)", frame)
    own = fit.fixed.set_index("term")
    for kind, column in (("fixed", "estimate"), ("se", "se")):
        for term, value in expected["expected"][kind].items():
            assert own.loc[our_name(term, {"arm": ["IPT"]}), column] == pytest.approx(value, abs=1e-6)
    assert fit.sigma**2 == pytest.approx(expected["expected"]["sigma2"], abs=1e-5)
    assert fit.random["variance_or_cov"].iloc[0] == pytest.approx(expected["expected"]["var_id"], abs=1e-4)
    if "n_left_out" in expected["expected"]:
        assert (fit.n_obs, fit.n_dropped) == (expected["expected"]["n_used"], expected["expected"]["n_left_out"])
        assert fit.n_groups == {"id": expected["expected"]["n_people"]}
        assert "17 rows with a missing value left out" in fit.summary()
        assert not fit.singular
    else:
        assert fit.singular
        assert "variance of (Intercept) between id is 0" in fit.singular_direction
        assert "boundary" in fit.summary()
        assert (own["estimate"] != 0).all()
