"""Events, response rates, averaged variances and selection models of the databank's IPT rows, as metafor does them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.effects import odds_ratio, risk_difference, risk_ratio
from ipt_outcomes.meta import (
    aggregate,
    che_covariance,
    mantel_haenszel,
    multilevel,
    pet_peese,
    peto,
    pool,
    selection_model,
    trim_and_fill,
)

pytestmark = pytest.mark.shared

MEASURES = {"OR": odds_ratio, "RR": risk_ratio, "RD": risk_difference}


@pytest.fixture(scope="module")
def expected(shared):
    return json.loads((shared / "reference/meta/metapsy_ipt.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def response(shared):
    return json.loads((shared / "reference/meta/metapsy_ipt_response.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def rows(shared):
    path = shared / "data/metapsy-depression-psyctr/data.csv"
    frame = pd.read_csv(path, sep=";", decimal=",", encoding="latin-1", keep_default_na=False, na_values=["NA"])
    return frame[frame["condition_arm1"] == "ipt"].reset_index(drop=True)


def check(result, wanted, estimate="g"):
    found = {estimate: result.estimate, "k": result.k, "se": result.se, "ci": [result.ci_low, result.ci_high],
             "p": result.p_value, "ddf": result.df, "tau2": result.tau2, "I2": result.i2, "Q": result.q,
             "Qp": result.q_p_value, "pi": [result.prediction_low, result.prediction_high]}  # fmt: skip
    for name, value in wanted.items():
        if name in found:
            np.testing.assert_allclose(found[name], value, rtol=1e-6, atol=1e-9, err_msg=name)


def four(table, names):
    return [table[name] for name in names]


CELLS = (".event_arm1", ".totaln_arm1", ".event_arm2", ".totaln_arm2")
IMPROVED = ("improved.ig", "n.ig", "improved.cg", "n.cg")


@pytest.mark.parametrize("measure", MEASURES)
def test_events_of_the_depression_table(expected, measure):
    block = expected["binary"]
    table = pd.DataFrame(block["table"])
    assert (len(table), table["study"].nunique()) == (block["rows"], block["studies"])
    first = table.drop_duplicates("study")
    check(pool(MEASURES[measure](*four(first, CELLS), event="good")), block[f"{measure}_one_row_per_study"])
    effects = MEASURES[measure](*four(table, CELLS), event="good")
    combined = aggregate(effects, study=table["study"], rho=0.5)
    check(pool(combined["yi"], combined["vi"]), block[f"{measure}_combined_rho.5"])


@pytest.mark.parametrize("measure", MEASURES)
def test_responders_row_by_row(response, measure):
    table = pd.DataFrame(response["table"])
    assert (len(table), table["study"].nunique()) == (response["rows"], response["studies"])
    assert table["disorder"].value_counts().to_dict() == response["by_disorder_rows"]
    fit = pool(MEASURES[measure](*four(table, IMPROVED), event="good"))
    check(fit, response[measure], "b")
    if measure != "RD":
        assert np.exp(fit.estimate) == pytest.approx(response[measure]["exp_b"], rel=1e-6)
        limits = np.exp([fit.ci_low, fit.ci_high])
        np.testing.assert_allclose(limits, response[measure]["exp_ci"], rtol=1e-6)
        depression = table[table["disorder"] == "Depression"]
        part = pool(MEASURES[measure](*four(depression, IMPROVED), event="good"))
        check(part, response["depression"][measure], "b")


def test_responders_without_effects_per_study(response):
    table = pd.DataFrame(response["table"])
    for function, key in ((mantel_haenszel, "MH_OR"), (peto, "PETO")):
        fit = function(*four(table, IMPROVED))
        assert fit.estimate == pytest.approx(response[key]["b"], rel=1e-8)
        assert [fit.ci_low, fit.ci_high] == pytest.approx(response[key]["ci"], rel=1e-8)


def test_printed_ratios_and_rates(response, shared):
    path = shared / "data/metapsy-total-response/data.csv"
    frame = pd.read_csv(path, sep=";", decimal=",", encoding="latin-1", keep_default_na=False, na_values=["NA"])
    frame = frame[frame["study"].isin(response["table"]["study"]) & (frame["therapy"] == "Interpersonal Therapy")]
    check(pool(frame["logrr"], frame["se.logrr"] ** 2), response["given_logrr"], "b")
    table = pd.DataFrame(response["table"])
    for arm, key in (("ig", "rate_ipt_pooled_logit"), ("cg", "rate_ctr_pooled_logit")):
        x, n = table[f"improved.{arm}"].astype(float), table[f"n.{arm}"].astype(float)
        none = (x == 0) | (x == n)
        x, n = x + 0.5 * none, n + none  # half a person to both cells where one is empty
        check(pool(np.log(x / (n - x)), 1 / x + 1 / (n - x)), response[key], "b")


def test_averaged_variances_give_the_other_answer(rows, expected):
    """The R package averages the sampling variances within a study before it builds V."""
    wanted = expected["threelevel_che_rho0.5_smoothed_vi"]
    vi = (rows[".g_se"] ** 2).groupby(rows["study"]).transform("mean")
    covariance = che_covariance(vi, study=rows["study"], rho=0.5)
    fit = multilevel(rows[".g"], covariance, study=rows["study"])
    assert fit.estimate == pytest.approx(wanted["g"], rel=1e-6)
    assert fit.tau2_study == pytest.approx(wanted["sigma2"][0], rel=1e-6)
    assert fit.tau2_effect == pytest.approx(0, abs=1e-9)
    assert fit.log_likelihood == pytest.approx(wanted["logLik"], rel=1e-8)
    assert fit.i2_study == pytest.approx(wanted["I2"][0], rel=1e-6)
    robust = wanted["CR2"]
    assert (fit.se, fit.df, fit.p_value) == pytest.approx((robust["se"], robust["df"], robust["p"]), rel=1e-5)
    assert [fit.ci_low, fit.ci_high] == pytest.approx(robust["ci"], rel=1e-6)
    assert [fit.prediction_low, fit.prediction_high] == pytest.approx(robust["pi"], rel=1e-5)


def test_three_levels(rows, expected):
    wanted = expected["threelevel"]
    vi = rows[".g_se"] ** 2
    fit, plain = (
        multilevel(rows[".g"], vi, study=rows["study"]),
        multilevel(rows[".g"], vi, study=rows["study"], robust=None, test="t"),
    )
    assert fit.estimate == pytest.approx(wanted["g"], rel=1e-6)
    assert (plain.se, plain.ci_low, plain.ci_high) == pytest.approx((wanted["se"], *wanted["ci"]), rel=1e-6)
    assert (fit.se, fit.df) == pytest.approx((wanted["CR2_se"], wanted["CR2_df"]), rel=1e-5)
    assert [fit.ci_low, fit.ci_high] == pytest.approx(wanted["CR2_ci"], rel=1e-6)


@pytest.mark.parametrize("key", ["bias_all_rows", "bias_combined_rho0.5"])
def test_bias_methods_to_the_last_field(rows, expected, key):
    frame = pd.DataFrame({"yi": rows[".g"], "vi": rows[".g_se"] ** 2})
    if "combined" in key:
        frame = aggregate(frame["yi"], frame["vi"], study=rows["study"], rho=0.5)
    y, v, wanted = frame["yi"], frame["vi"], expected[key]
    assert len(frame) == wanted["k"]
    plain = pool(y, v, tau2="ML", test="z")
    assert (plain.estimate, plain.tau2) == pytest.approx((wanted["ml"]["g"], wanted["ml"]["tau2"]), rel=1e-5)
    for model in ("mixed", "wls"):
        fit = pet_peese(y, v, model=model)
        for line, name in ((fit.pet, "PET"), (fit.peese, "PEESE")):
            block = wanted[f"{name}_{model}"]
            assert [line.p_value, line.slope_p_value] == pytest.approx(block["p"], rel=1e-5)
            if "ci_lb" in block:
                assert (line.ci_low, line.ci_high) == pytest.approx((block["ci_lb"][0], block["ci_ub"][0]), rel=1e-5)
                assert line.tau2 == pytest.approx(block["tau2"], rel=1e-5)
    for side, name in (("auto", "trimfill"), ("left", "trimfill_left")):
        filled, block = trim_and_fill(y, v, side=side), wanted[name]
        assert filled.k0 == block["k0"]
        found = [filled.estimate, filled.ci_low, filled.ci_high, filled.tau2]
        assert found == pytest.approx([block["g"], *block["ci"], block["tau2"]], rel=5e-4)
    for steps, name in (((0.025,), "sel_3psm_.025"), ((0.025, 0.05), "sel_step_.025_.05")):
        fit, block = selection_model(y, v, steps=steps), wanted[name]
        found = [fit.estimate, fit.se, fit.ci_low, fit.ci_high, fit.tau2, fit.lrt, fit.lrt_p_value]
        stored = [block["g"], block["se"], *block["ci"], block["tau2"], block["LRT"], block["LRTp"]]
        assert found == pytest.approx(stored, rel=2e-3, abs=2e-4), name
        assert fit.delta == pytest.approx(block["delta"], rel=2e-3)
        assert fit.p_value == pytest.approx(block["p"], rel=2e-2)
