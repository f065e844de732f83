"""Pooling of the IPT rows of the depression databank, as metafor does it."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.meta import aggregate, egger, pool, subgroups

pytestmark = pytest.mark.shared

FACTORS = {"by_comparator": "condition_arm2", "by_format": "format", "by_age_group": "age_group"}
FACTORS["by_target_group"] = "target_group"


@pytest.fixture(scope="module")
def expected(shared):
    return json.loads((shared / "reference/meta/metapsy_ipt.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rows(shared):
    path = shared / "data/metapsy-depression-psyctr/data.csv"
    frame = pd.read_csv(path, sep=";", decimal=",", encoding="latin-1", keep_default_na=False, na_values=["NA"])
    return frame[frame["condition_arm1"] == "ipt"].reset_index(drop=True)


def naive(rows, **options):
    return pool(rows[".g"], rows[".g_se"] ** 2, **options)


def combine(rows, rho=0.5):
    return aggregate(rows[".g"], rows[".g_se"] ** 2, study=rows["study"], rho=rho)


def combined(rows, rho=0.5, **options):
    frame = combine(rows, rho)
    return pool(frame["yi"], frame["vi"], **options)


def check(result, wanted, tau2_rel=1e-6):
    found = {
        "k": result.k,
        "g": result.estimate,
        "se": result.se,
        "ci": [result.ci_low, result.ci_high],
        "p": result.p_value,
        "ddf": result.df,
        "tau2": result.tau2,
        "I2": result.i2,
        "Q": result.q,
        "Qp": result.q_p_value,
        "pi": [result.prediction_low, result.prediction_high],
    }
    for name, value in found.items():
        if wanted[name] is None:
            assert value is None, name
            continue
        rel = tau2_rel if name in {"tau2", "I2", "pi"} else 1e-6
        assert value == pytest.approx(wanted[name], rel=rel, abs=1e-9), name
    if "test" in wanted:
        assert result.test == {"knha": "knapp-hartung", "z": "z"}[wanted["test"]]


def test_all_rows(rows, expected):
    check(naive(rows), expected["all_rows_naive"])
    check(naive(rows, test="z"), expected["all_rows_z"])
    check(naive(rows, tau2="DL", test="z"), expected["all_rows_DL_z"])


@pytest.mark.parametrize("rho", ["0.3", "0.5", "0.6", "0.8"])
def test_combined_per_study(rows, expected, rho):
    check(combined(rows, float(rho)), expected["combined_study_rho"][rho])


def test_combined_with_other_methods(rows, expected):
    check(combined(rows, test="z"), expected["combined_rho0.5_z"])
    check(combined(rows, tau2="DL", test="z"), expected["combined_rho0.5_DL_z"])
    # metafor's Paule-Mandel root stopped at a default tolerance; ours solves the equation, it nearly does.
    found, wanted = combined(rows, tau2="PM"), expected["combined_rho0.5_PM"]
    check(found, wanted, tau2_rel=1e-5)
    frame = combine(rows)

    def off(tau2):
        w = 1 / (frame["vi"] + tau2)
        return abs((w * (frame["yi"] - (w * frame["yi"]).sum() / w.sum()) ** 2).sum() - (found.k - 1))

    assert off(found.tau2) < 1e-10 < 1e-5 < off(wanted["tau2"])


@pytest.mark.parametrize(("key", "fit"), [("confint_all", naive), ("confint_combined_rho0.5", combined)])
def test_heterogeneity_intervals(rows, expected, key, fit):
    interval = fit(rows).heterogeneity_ci()
    assert [interval.tau2_low, interval.tau2_high] == pytest.approx(expected[key]["tau2"][1:], rel=1e-6)
    assert [interval.i2_low, interval.i2_high] == pytest.approx(expected[key]["I2"][1:], rel=1e-6)


@pytest.mark.parametrize(("key", "pick"), [("lowest", "idxmin"), ("highest", "idxmax")])
def test_lowest_and_highest_effect_per_study(rows, expected, key, pick):
    chosen = getattr(rows.groupby("study")[".g"], pick)()
    check(naive(rows.loc[chosen]), expected[key])


def test_low_risk_of_bias(rows, expected):
    low = rows[rows["rob"].astype(float) > 2]
    check(naive(low), expected["low_rob_all"]["fit"])
    check(combined(low), expected["low_rob_combined"])
    check(combined(rows[rows["rob"].astype(float) == 4]), expected["rob4_only_combined"])


def test_outliers_removed(rows, expected):
    block = expected["outliers_removed_all"]
    check(naive(rows[~rows[".id"].isin(block["removed"])]), block["fit"])
    block = expected["outliers_removed_combined"]
    check(combined(rows[~rows["study"].isin(block["removed"])]), block["fit"])


@pytest.mark.parametrize("key", FACTORS)
def test_subgroups(rows, expected, key):
    """Effects are combined within study and level, then pooled."""
    column = FACTORS[key]
    parts = [combine(part).assign(level=name) for name, part in rows.groupby(column)]
    frame = pd.concat(parts, ignore_index=True)
    result = subgroups(frame["yi"], frame["vi"], by=frame["level"])
    assert sorted(result.pooled) == sorted(expected[key])
    for name, block in expected[key].items():
        check(result.pooled[name], block["combined"])
        check(naive(rows[rows[column] == name]), block["all_rows"])
    shared_tau2 = subgroups(frame["yi"], frame["vi"], by=frame["level"], common_tau2=True)
    plain = subgroups(frame["yi"], frame["vi"], by=frame["level"], common_tau2=True, test="z")
    tests = expected[f"{key}_test"]
    found = {
        "common_tau2_F": shared_tau2.f_between,
        "common_tau2_F_df": list(shared_tau2.f_between_df),
        "common_tau2_p": shared_tau2.f_between_p_value,
        "common_tau2_chi2": plain.q_between,
        "common_tau2_chi2_p": plain.q_between_p_value,
        "separate_tau2_Q": result.q_between,
        "separate_tau2_df": result.q_between_df,
        "separate_tau2_p": result.q_between_p_value,
    }
    assert set(tests) == set(found)
    for name, value in found.items():
        assert value == pytest.approx(tests[name], rel=1e-6), name
    assert shared_tau2.q_between == pytest.approx(plain.q_between, rel=1e-12)


def test_subgroup_with_a_deceptively_narrow_interval_is_named(rows):
    """Older adults: three alike effects, tau2 0; the separate-tau2 test rests on that interval."""
    frame = combine(rows)
    age = rows.drop_duplicates("study")["age_group"]
    assert "narrower than that of z in old" in subgroups(frame["yi"], frame["vi"], by=age).summary()


@pytest.mark.parametrize(("key", "rho"), [("bias_all_rows", None), ("bias_combined_rho0.5", 0.5)])
def test_egger(rows, expected, key, rho):
    frame = combine(rows, rho) if rho else rows.assign(yi=rows[".g"], vi=rows[".g_se"] ** 2)
    block = expected[key]
    classic = egger(frame["yi"], frame["vi"])
    mixed = egger(frame["yi"], frame["vi"], model="mixed", test="knapp-hartung")
    wanted = (block["egger_lm"]["t"], block["egger_lm"]["p"], block["egger_lm"]["df"])
    assert (classic.statistic, classic.p_value, classic.df) == pytest.approx(wanted, rel=1e-6)
    wanted = (block["egger_mixed"]["t"], block["egger_mixed"]["p"])
    assert (mixed.statistic, mixed.p_value) == pytest.approx(wanted, rel=1e-6)
    pet = block["PET_mixed"]
    assert (mixed.limit_estimate, mixed.ci_low, mixed.ci_high, mixed.tau2) == pytest.approx(
        (pet["b"][0], pet["ci_lb"][0], pet["ci_ub"][0], pet["tau2"]), rel=1e-6
    )
    peese = egger(frame["yi"], frame["vi"], model="mixed", predictor="variance", test="knapp-hartung")
    assert np.array([peese.limit_estimate, peese.slope]) == pytest.approx(np.array(block["PEESE_mixed"]["b"]), rel=1e-6)


@pytest.mark.parametrize("rho", ["0.3", "0.5", "0.6", "0.8"])
def test_correlated_and_hierarchical_effects(rows, expected, rho):
    from ipt_outcomes.meta import che_covariance, multilevel

    g, v, study, wanted = rows[".g"], rows[".g_se"] ** 2, rows["study"], expected["threelevel_che"][rho]
    covariance = che_covariance(v, study=study, rho=float(rho))
    plain, robust = (
        multilevel(g, covariance, study=study, robust=None, test="t"),
        multilevel(g, covariance, study=study),
    )
    assert plain.estimate == pytest.approx(wanted["g"], rel=1e-6)
    assert plain.tau2_study == pytest.approx(wanted["sigma2"][0], rel=1e-6)
    assert plain.tau2_effect == pytest.approx(0, abs=1e-9)
    assert plain.log_likelihood == pytest.approx(wanted["logLik"], rel=1e-8)
    assert [plain.ci_low, plain.ci_high] == pytest.approx(wanted["ci"], rel=1e-6)
    assert robust.se == pytest.approx(wanted["CR2"]["se"], rel=1e-6)
    assert robust.df == pytest.approx(wanted["CR2"]["df"], rel=1e-6)
    assert [robust.prediction_low, robust.prediction_high] == pytest.approx(wanted["CR2"]["pi"], rel=1e-5)


@pytest.mark.parametrize("block", ["bias_all_rows", "bias_combined_rho0.5"])
def test_small_study_methods(rows, expected, block):
    from ipt_outcomes.meta import begg, pet_peese, selection_model, trim_and_fill

    frame = combine(rows) if "combined" in block else pd.DataFrame({"yi": rows[".g"], "vi": rows[".g_se"] ** 2})
    y, v, wanted = frame["yi"], frame["vi"], expected[block]
    rank = begg(y, v)
    assert [rank.tau, rank.p_value] == pytest.approx(wanted["ranktest"], rel=1e-6)
    for model in ("mixed", "wls"):
        fit = pet_peese(y, v, model=model)
        for line, name in ((fit.pet, "PET"), (fit.peese, "PEESE")):
            assert [line.estimate, line.slope] == pytest.approx(wanted[f"{name}_{model}"]["b"], rel=1e-6)
            assert [line.se, line.slope_se] == pytest.approx(wanted[f"{name}_{model}"]["se"], rel=1e-6)
    filled = trim_and_fill(y, v, test="knapp-hartung")
    assert (filled.side, filled.k0) == (wanted["trimfill"]["side_auto"], wanted["trimfill"]["k0"])
    assert filled.estimate == pytest.approx(wanted["trimfill"]["g"], rel=1e-4)
    three = selection_model(y, v)
    assert three.estimate == pytest.approx(wanted["sel_3psm_.025"]["g"], rel=2e-4)
    assert three.se == pytest.approx(wanted["sel_3psm_.025"]["se"], rel=1e-3)
    assert three.lrt == pytest.approx(wanted["sel_3psm_.025"]["LRT"], abs=1e-4)
    beta = selection_model(y, v, kind="beta")
    # their integrals are good to 1e-4 (ours are checked against adaptive quadrature)
    assert beta.lrt >= wanted["sel_beta"]["LRT"] - 5e-4


def test_rob_as_moderator_and_tables(rows, expected):
    from ipt_outcomes.meta import mantel_haenszel, regression

    frame = combine(rows)
    rob = rows.groupby("study")["rob"].mean().reindex(frame["study"]).to_numpy(float)
    fit, wanted = regression(frame["yi"], frame["vi"], {"rob": rob}), expected["metareg_rob_combined"]
    np.testing.assert_allclose(fit.coefficients["estimate"], wanted["b"], rtol=1e-6)
    np.testing.assert_allclose(fit.coefficients["p_value"], wanted["p"], rtol=1e-5)
    assert fit.r2 == pytest.approx(wanted["R2"], rel=1e-5)
    table = pd.DataFrame(expected["binary"]["table"]).drop_duplicates("study")
    four = [table[name] for name in (".event_arm1", ".totaln_arm1", ".event_arm2", ".totaln_arm2")]
    for measure in ("OR", "RR"):
        found, target = mantel_haenszel(*four, measure=measure), expected["binary"][f"MH_{measure}"]
        assert found.estimate == pytest.approx(target["b"], rel=1e-6)
        assert [found.ci_low, found.ci_high] == pytest.approx(target["ci"], rel=1e-6)
