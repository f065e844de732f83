"""Our arithmetic on the IPT evidence, row by row against stored recomputations (R, metafor, clubSandwich)."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.effects import log_odds_to_smd, mean_difference, nnt_from_smd, odds_ratio, risk_ratio
from ipt_outcomes.meta import (
    aggregate,
    che_covariance,
    egger,
    leave_one_out,
    multilevel,
    pool,
    selection_model,
    trim_and_fill,
)

pytestmark = pytest.mark.shared

# One row a trial: the first instrument of this list that the trial has, else its first row.
PRIORITY = ["hdrs-17", "hdrs-24", "hdrs", "madrs", "bdi-2", "bdi-1", "ces-d", "epds"]
MODELS = {"FE": ("common", "z"), "DL": ("DL", "z"), "REML": ("REML", "z"), "REML_HK": ("REML", "knapp-hartung")}
HALF = 0.5e-4 * (1 + 1e-6)
# The stored runs' REML stopped at a step of 1e-5 in tau2, so it is off its maximum where it converged slowly;
# test_meta_published_stop.py shows that, ended by that rule, the numbers are the stored ones to half a digit.
STEP, STEPS = 2e-5, {"I2": 0.03, "pi": 2e-4, "ci": 5e-5, "se": 3e-5, "p": 1e-4}


@pytest.fixture(scope="module")
def recomputed(shared):
    path = shared / "reference" / "meta" / "published_ipt.json"
    return json.loads(path.read_text(encoding="utf-8"))["recomputed"]


@pytest.fixture(scope="module")
def evidence(shared):
    """Return a reader of effect tables: metafor's variance for means and changes, the databank's rule for events."""
    found = {}

    def read(name):
        if name not in found:
            studies = ipt.load_studies(shared / "data" / "ipt-evidence" / f"{name}.csv")
            rows = ipt.evidence.study_effects(studies, convention="metafor").rows
            databank = ipt.evidence.study_effects(studies, convention="metapsy").rows
            events = rows["kind"] == "events"
            found[name] = rows.assign(**{c: rows[c].where(~events, databank[c]) for c in ("yi", "vi")})
        return found[name]

    return read


def picked(rows):
    rank = rows["instrument"].map({name: place for place, name in enumerate(PRIORITY)}).fillna(len(PRIORITY))
    return rows.assign(rank=rank).sort_values("rank", kind="stable").drop_duplicates("study").sort_index()


def effects_of(rows):
    return rows["yi"].to_numpy(dtype=float), rows["vi"].to_numpy(dtype=float)


def check(result, block, half=HALF):
    found = {"k": result.k, "est": result.estimate, "ci": [result.ci_low, result.ci_high], "se": result.se,
             "p": result.p_value, "I2": result.i2, "tau2": result.tau2, "Q": result.q,
             "pi": [result.prediction_low, result.prediction_high]}  # fmt: skip
    for name, expected in block.items():
        if name == "pi" and expected == []:
            assert found["pi"] == [None, None]
            continue
        if name == "pi" and result.tau2_method == "common":
            continue
        step = 0.0 if result.tau2_method != "REML" else STEPS.get(name, STEP)
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=half + step, err_msg=name)


def check_block(rows, block):
    assert len(rows) == block["rows"]
    assert rows["study"].nunique() == block["studies"]
    for name, expected in block["one_row_per_study"].items():
        tau2, test = MODELS[name]
        check(pool(*effects_of(picked(rows)), tau2=tau2, test=test), expected)
    for name, expected in block["aggregated_rho0.6"].items():
        tau2, test = MODELS[name]
        combined = aggregate(*effects_of(rows), study=rows["study"], rho=0.6)
        check(pool(combined["yi"], combined["vi"], tau2=tau2, test=test), expected)
    yi, vi = effects_of(rows)
    fit = multilevel(yi, che_covariance(vi, study=rows["study"], rho=0.6), study=rows["study"])
    expected = block["che_rho0.6_CR2"]
    found = [fit.estimate, fit.ci_low, fit.ci_high, fit.tau2_study, fit.tau2_effect]
    stored = [expected["est"], *expected["ci"], expected["sigma2_between"], expected["sigma2_within"]]
    np.testing.assert_allclose(found, stored, rtol=0, atol=HALF + STEP)
    # degrees of freedom move with the last digits of variances near their boundary
    assert fit.df == pytest.approx(expected["df"], rel=1e-3)
    assert fit.k == expected["k"]
    # the stored numbers needed to treat were made from the rounded g
    g = block["one_row_per_study"]["REML_HK"]["est"]
    for method, key in (("kraemer-kupfer", "kraemer_kupfer"), ("furukawa-leucht", "furukawa_leucht_cer0.2")):
        number = nnt_from_smd(g, method=method)
        assert number.nnt[0] == pytest.approx(abs(block["nnt"][key]), abs=HALF)
        assert number.direction[0] == ("benefit" if g > 0 else "harm")


CONTROL = {
    "all_24.0.2": lambda t: t,
    "to2010": lambda t: t[t["year"] <= 2010],
    "to2015": lambda t: t[t["year"] <= 2015],
    "without_Lenze2017": lambda t: t[t["study"] != "Lenze, 2017"],
    "low_rob": lambda t: t[t["rob"].astype(float) > 2],
    "cau": lambda t: t[t["condition_arm2"] == "cau"],
    "wl": lambda t: t[t["condition_arm2"] == "wl"],
    "oth": lambda t: t[~t["condition_arm2"].isin(["cau", "wl"])],
    "mdd": lambda t: t[t["diagnosis"] == "mdd"],
    "ppd": lambda t: t[t["target_group"] == "ppd"],
}


@pytest.mark.parametrize("key", CONTROL)
def test_ipt_against_control(evidence, recomputed, key):
    check_block(CONTROL[key](evidence("ipt_vs_control")), recomputed["ipt_vs_control"][key])


def test_bias_outliers_and_leave_one_out_of_ipt_against_control(evidence, recomputed):
    rows, expected = picked(evidence("ipt_vs_control")), recomputed["ipt_vs_control"]
    yi, vi = effects_of(rows)
    test, bias = egger(yi, vi, model="mixed", test="knapp-hartung"), expected["bias"]
    candidates = [egger(yi, vi), test, egger(yi, vi, model="mixed")]
    assert any(
        (one.statistic, one.p_value) == pytest.approx((bias["egger_t"], bias["egger_p"]), abs=HALF)
        for one in candidates
    )
    filled = trim_and_fill(yi, vi)
    stored = bias["trimfill"]
    assert (filled.k0, filled.side) == (stored["k0"], stored["side"])
    found = (filled.estimate, filled.ci_low, filled.ci_high)
    assert found == pytest.approx((stored["est"], *stored["ci"]), abs=HALF + STEP)
    step = selection_model(yi, vi, steps=(0.025,))
    stored = bias["step_selection_0.025"]
    found = (step.estimate, step.ci_low, step.ci_high, step.delta[1])
    assert found == pytest.approx((stored["est"], *stored["ci"], stored["delta"][1]), abs=2e-4)
    left = leave_one_out(yi, vi)["estimate"]
    assert [left.min(), left.max()] == pytest.approx(expected["leave_one_out_range"], abs=HALF + STEP)
    stored = expected["outliers"]
    check(pool(*effects_of(rows[~rows["study"].isin(stored["removed"])])), stored["pooled"])
    # the rule: the study's own interval does not meet the pooled one
    whole, se = pool(yi, vi), np.sqrt(vi)
    apart = (yi - 1.959964 * se > whole.ci_high) | (yi + 1.959964 * se < whole.ci_low)
    assert sorted(rows["study"][apart]) == sorted(stored["removed"])


MEDICATION = {
    "all": lambda t: t,
    "to2010": lambda t: t[t["year"] <= 2010],
    "to2015": lambda t: t[t["year"] <= 2015],
}


@pytest.mark.parametrize("key", MEDICATION)
def test_ipt_against_medication(evidence, recomputed, key):
    check_block(MEDICATION[key](evidence("ipt_vs_medication")), recomputed["ipt_vs_medication"][key])


def test_leave_one_out_and_each_study_of_ipt_against_medication(evidence, recomputed):
    expected, rows = recomputed["ipt_vs_medication"], evidence("ipt_vs_medication")
    early = picked(rows[rows["year"] <= 2010])
    frame = leave_one_out(*effects_of(early), test="z").set_index(early["study"].to_numpy())
    for block in expected["to2010_leave_one_out"]:
        row = frame.loc[block["left_out"]]
        found = [row["estimate"], row["ci_low"], row["ci_high"]]
        np.testing.assert_allclose(found, [block["est"], block["lo"], block["hi"]], rtol=0, atol=HALF + STEP)
        assert row["i2"] == pytest.approx(block["I2"], abs=STEPS["I2"])
    chosen = picked(rows).set_index("study")
    assert len(expected["per_study"]) == len(chosen)
    for block in expected["per_study"]:
        row = chosen.loc[block["study"]]
        assert row["instrument"] == block["instrument"]
        found = [row["yi"], np.sqrt(row["vi"])]
        np.testing.assert_allclose(found, [block["g"], block["se"]], rtol=0, atol=HALF + 1e-4)


@pytest.mark.parametrize("key", ["all", "to2015"])
def test_combination_against_medication(evidence, recomputed, key):
    rows = evidence("combination_vs_medication")
    check_block(rows if key == "all" else rows[rows["year"] <= 2015], recomputed["combination_vs_medication"][key])


def turned_to_combination(rows):
    """Positive favours the combination: rows with IPT alone as arm 1 change their sign."""
    alone = (rows["condition_arm1"] == "ipt").to_numpy()
    return rows.assign(yi=np.where(alone, -rows["yi"], rows["yi"]))


@pytest.mark.parametrize("key", ["all", "ipt_alone_only"])
def test_combination_against_ipt(evidence, recomputed, key):
    rows = evidence("combination_vs_ipt")
    if key == "ipt_alone_only":
        rows = rows[rows["condition_arm1"] == "ipt"]
    check_block(turned_to_combination(rows), recomputed["combination_vs_ipt"][key])


@pytest.mark.parametrize("key", ["depression", "any_psychotherapy"])
def test_ipt_against_cbt(evidence, recomputed, key):
    rows = evidence("ipt_vs_cbt_and_other_psychotherapy")
    rows = rows[rows["population"].str.contains("depression|dysthymia")]
    if key == "depression":
        rows = rows[rows["condition_arm2"] == "cbt"]
    check_block(rows, recomputed["ipt_vs_cbt"][key])


def differences(rows, tau2="DL"):
    arms = [rows[f"{name}_{arm}"] for arm in ("arm2", "arm1") for name in ("mean", "sd", "n")]
    return pool(mean_difference(*arms), tau2=tau2, test="z")


@pytest.mark.parametrize(("key", "stem"), [("MD_HDRS", "hdrs"), ("MD_BDI", "bdi")])
def test_raw_differences_of_ipt_and_cbt(evidence, recomputed, key, stem):
    """CBT minus IPT in instrument points."""
    block = recomputed["ipt_vs_cbt"][key]
    rows = evidence("ipt_vs_cbt_and_other_psychotherapy")
    rows = rows[(rows["condition_arm2"] == "cbt") & rows["instrument"].str.startswith(stem)]
    rows = rows[rows["study"].isin(block["studies"])]
    check(differences(rows), {name: value for name, value in block.items() if name != "studies"})


RECURRENCE = {
    "maintenance_combination_vs_medication": [
        ("ipt + nortriptyline", "nortriptyline + medication clinic"),
        ("ipt + paroxetine", "paroxetine + clinical management"),
    ],
    "maintenance_ipt_vs_placebo": [
        ("ipt + placebo", "placebo + medication clinic"),
        ("ipt + placebo", "placebo + clinical management"),
    ],
}


@pytest.mark.parametrize("key", RECURRENCE)
def test_recurrence_in_maintenance_trials(recomputed, shared, key):
    table = pd.read_csv(shared / "data" / "ipt-evidence" / "maintenance_recurrence.csv").set_index(["study", "arm"])
    block, counts = recomputed[key], []
    for study, (arm1, arm2) in zip(block["studies"], RECURRENCE[key], strict=True):
        rows = [table.loc[(study, arm)] for arm in (arm1, arm2)]
        counts.append([rows[0]["events_derived"], rows[0]["n"], rows[1]["events_derived"], rows[1]["n"]])
    effects = odds_ratio(*np.array(counts, dtype=float).T, event="bad")
    np.testing.assert_allclose(np.exp(effects.yi), block["each_OR"], rtol=0, atol=HALF)
    pooled = pool(effects, tau2="DL", test="z")
    found = np.exp([pooled.estimate, pooled.ci_low, pooled.ci_high])
    np.testing.assert_allclose(found, block["pooled_DL_OR"], rtol=0, atol=HALF)


def test_raw_differences_in_the_shape_of_a_published_table(evidence, recomputed):
    """IPT minus control in Hamilton points, four trials with a clinician's rating."""
    block = recomputed["jakobsen2011_shape"]
    rows = pd.concat([evidence("ipt_vs_control"), evidence("ipt_vs_control_other_populations")])
    rows = rows[rows["study"].isin(block["studies"]) & rows["instrument"].str.startswith(("hdrs", "ham"))]
    rows = rows[rows["mean_arm1"].notna()].drop_duplicates("study")  # the first row is the end of treatment
    arms = [rows[f"{name}_{arm}"] for arm in ("arm1", "arm2") for name in ("mean", "sd", "n")]
    check(pool(mean_difference(*arms), tau2="DL", test="z"), {k: v for k, v in block.items() if k != "studies"})


def test_one_trial_in_instrument_points(evidence, recomputed):
    block, rows = recomputed["souza2016_BDI"], evidence("combination_vs_medication")
    row = rows[(rows["study"] == "Souza, 2016") & (rows["instrument"] == "bdi")].iloc[0]
    arms = [row[f"{name}_{arm}"] for arm in ("arm1", "arm2") for name in ("mean", "sd", "n")]
    effect = mean_difference(*arms)
    assert effect.yi[0] == pytest.approx(block["databank_MD"], abs=HALF)
    limits = effect.yi[0] + np.array([-1.96, 1.96]) * effect.se[0]  # rounded quantile, as the stored run took it
    np.testing.assert_allclose(limits, block["ci"], rtol=0, atol=HALF)


def test_two_versions_of_the_databank(recomputed, shared):
    table = pd.read_csv(shared / "data" / "ipt-evidence" / "ipt_vs_control_version_drift.csv")
    block = recomputed["version_drift"]
    assert table["change"].value_counts().to_dict() == block["counts"]
    row = table[table["change"] == "changed"].iloc[0]
    for name, value in block["changed"][0].items():
        assert row[name] == value or row[name] == pytest.approx(value, abs=HALF), name
    before = table[table["g_22.0.2"].notna()]
    assert (len(before), before["study"].nunique()) == (block["rows_22"], block["studies_22"])


def test_response_of_the_total_response_table(recomputed, shared):
    table = pd.read_csv(shared / "data" / "ipt-evidence" / "ipt_response.csv")
    expected = recomputed["response"]
    four = [table[name] for name in ("improved.ig", "n.ig", "improved.cg", "n.cg")]
    fit = pool(risk_ratio(*four, event="good"))
    assert fit.k == expected["k"]
    found = np.exp([fit.estimate, fit.ci_low, fit.ci_high])
    np.testing.assert_allclose(found, expected["RR"], rtol=0, atol=HALF + STEP)
    np.testing.assert_allclose(
        np.exp([fit.prediction_low, fit.prediction_high]), expected["RR_PI"], rtol=0, atol=HALF + 20 * STEP
    )
    assert fit.i2 == pytest.approx(expected["I2"], abs=STEPS["I2"])
    own = risk_ratio(*four, event="good")
    gap = float(np.abs(own.yi - table["logrr"]).max())
    assert gap == pytest.approx(expected["max_abs_diff_own_logRR_vs_databank"], abs=HALF)
    every = risk_ratio(*four, event="good", zero_cells="add-half-all")
    gap = float(np.abs(every.yi - table["logrr"]).max())
    assert gap == pytest.approx(expected["max_abs_diff_with_0.5_added_to_every_cell"], abs=HALF)
    databank = pool(table["logrr"], table["se.logrr"] ** 2, tau2="DL", test="z")
    found = np.exp([databank.estimate, databank.ci_low, databank.ci_high])
    np.testing.assert_allclose(found, expected["RR_DL_databank"], rtol=0, atol=HALF)


def test_numbers_needed_to_treat_of_the_2011_review(recomputed):
    for block in recomputed["nnt_2011"]:
        number = nnt_from_smd(block["effect"], method="kraemer-kupfer")
        assert number.nnt[0] == pytest.approx(block["exact"], abs=HALF)
        assert number.direction[0] == ("benefit" if block["effect"] > 0 else "harm")
        # the paper rounded the benefit to three decimals before it divided
        assert 1 / np.floor(1000 * abs(number.benefit[0])) * 1000 == pytest.approx(block["srd_truncated_3dp"], abs=1e-3)
    block = recomputed["nnt_2011_maintenance"]
    d = -log_odds_to_smd(np.log(block["published_OR"]), 0.1).yi[0]
    assert d == pytest.approx(block["OR_to_d"], abs=HALF)
    assert nnt_from_smd(d, method="kraemer-kupfer").nnt[0] == pytest.approx(block["NNT_kraemer_of_that_d"], abs=HALF)


def test_network_rows_of_ipt_against_usual_care(recomputed, shared):
    table = pd.read_csv(shared / "data" / "ipt-evidence" / "linde2016_full.csv")
    expected = recomputed["linde2016"]
    assert len(table) == expected["rows"]
    rows = table[(table["treat1"] == "Face-to-face interpsy") & (table["treat2"] == "UC")]
    check(pool(rows["lnOR"], rows["selnOR"] ** 2, test="z"), expected["ipt_vs_uc_direct"])


@pytest.mark.parametrize(
    "name",
    ["ipt_vs_control", "ipt_vs_control_all_outcomes", "ipt_vs_medication", "combination_vs_medication",
     "combination_vs_ipt"],
)  # fmt: skip
def test_the_databanks_own_effects_follow_from_its_numbers(recomputed, shared, name):
    """Every g and SE of a row with means agrees with the databank's own, to the size the reference found."""
    block = next(one for one in recomputed["databank_g_reproduction"] if one["file"] == name)
    studies = ipt.load_studies(shared / "data" / "ipt-evidence" / f"{name}.csv")
    rows = ipt.evidence.study_effects(studies, convention="metapsy").rows
    compared = rows[rows["kind"].isin(["means", "change", "events"]) & rows[".g"].notna()]
    assert len(compared) == block["rows_compared"]
    assert (compared["yi"].abs() - compared[".g"].abs()).abs().max() <= block["max_abs_diff_g"] + HALF
    means = compared[compared["kind"] == "means"]
    np.testing.assert_allclose(np.sqrt(means["vi"].astype(float)), means[".g_se"], rtol=1e-12)


def test_odds_ratios_of_single_trials(recomputed, shared):
    blocks = {block["what"]: block for block in recomputed["two_by_two"]}
    table = pd.read_csv(shared / "data" / "ipt-evidence" / "ipt_vs_cbt_and_other_psychotherapy.csv")
    agras = table[(table["study"] == "Agras, 2000")]
    for word in ("recovered", "remitted"):
        row = agras[agras["outcome_type"].str.startswith(word)].iloc[0]
        block = blocks[f"Agras 2000 {word} IPT vs CBT"]
        effect = odds_ratio(row["event_arm1"], row["totaln_arm1"], row["event_arm2"], row["totaln_arm2"], event="good")
        low, high = effect.ci()
        found = np.exp([effect.yi[0], low[0], high[0]])
        np.testing.assert_allclose(found, [block["OR"], block["lo"], block["hi"]], rtol=0, atol=HALF)
    mufson = pd.read_csv(shared / "data" / "ipt-evidence" / "ipt_vs_control_other_populations.csv")
    row = mufson[(mufson["study"] == "Mufson, 1999") & mufson["event_arm1"].notna()].iloc[0]
    block = blocks["Mufson 1999 remission IPT-A vs monitoring"]
    effect = odds_ratio(row["event_arm1"], row["totaln_arm1"], row["event_arm2"], row["totaln_arm2"], event="good")
    low, high = effect.ci()
    found = np.exp([effect.yi[0], low[0], high[0]])
    np.testing.assert_allclose(found, [block["OR"], block["lo"], block["hi"]], rtol=0, atol=HALF)
