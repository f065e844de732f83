"""Every block of the reference on IPT in the databank, found in the battery (metafor 3.8-1, REML, Knapp-Hartung)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.evidence import Battery, EvidenceSynthesis
from ipt_outcomes.meta import PooledEffect

pytestmark = pytest.mark.shared

RTOL = 1e-6


@pytest.fixture(scope="module")
def expected(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "reference" / "meta" / "metapsy_ipt.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def studies(shared: Path) -> ipt.io.Studies:
    table = ipt.load_studies(shared / "data" / "metapsy-depression-psyctr" / "data.csv")
    return table.where(condition_arm1="ipt")


@pytest.fixture(scope="module")
def synthesis(studies: ipt.io.Studies) -> EvidenceSynthesis:
    """With the correlation most blocks of the reference assume, and the other package's choices beside."""
    subgroups = ["format", "age_group", "target_group"]
    return ipt.evidence.synthesise(studies, rho=0.5, subgroups=subgroups, profile="metapsytools")


@pytest.fixture(scope="module")
def battery(synthesis: EvidenceSynthesis) -> Battery:
    return synthesis.batteries[0]


def agrees(pooled: PooledEffect, block: dict[str, Any]) -> None:
    """Every number of a block of the reference."""
    found = [pooled.estimate, pooled.se, pooled.ci_low, pooled.ci_high, pooled.tau2, pooled.i2, pooled.q]
    stored = [block["g"], block["se"], *block["ci"], block["tau2"], block["I2"], block["Q"]]
    assert pooled.k == block["k"]
    np.testing.assert_allclose(found, stored, rtol=RTOL, atol=1e-12)
    np.testing.assert_allclose([pooled.p_value, pooled.q_p_value], [block["p"], block["Qp"]], rtol=1e-5)
    np.testing.assert_allclose([pooled.prediction_low, pooled.prediction_high], block["pi"], rtol=RTOL)


def test_outliers_by_the_rule_of_the_field(battery: Battery, expected: dict[str, Any]) -> None:
    combined, rows = battery.removal["outliers_removed"], battery.removal["outliers_removed_rows"]
    assert list(combined.removed) == expected["outliers_removed_combined"]["removed"]
    agrees(combined.pooled, expected["outliers_removed_combined"]["fit"])
    assert len(rows.removed) == len(expected["outliers_removed_all"]["removed"])
    agrees(rows.pooled, expected["outliers_removed_all"]["fit"])


def test_three_level_model(battery: Battery, expected: dict[str, Any]) -> None:
    model, block = battery.multilevel["three_level"], expected["threelevel"]
    np.testing.assert_allclose(model.estimate, block["g"], rtol=RTOL)
    np.testing.assert_allclose([model.se, model.df], [block["CR2_se"], block["CR2_df"]], rtol=RTOL)
    np.testing.assert_allclose([model.ci_low, model.ci_high], block["CR2_ci"], rtol=RTOL)
    np.testing.assert_allclose([model.tau2_study, model.tau2_effect], block["sigma2"], rtol=RTOL, atol=1e-9)


@pytest.mark.parametrize("rho", ["0.3", "0.5", "0.6"])
def test_correlated_and_hierarchical_effects(studies: ipt.io.Studies, expected: dict[str, Any], rho: str) -> None:
    one = ipt.evidence.synthesise(studies, rho=float(rho), grid=False, subgroups=[])
    model, block = one.batteries[0].multilevel["che"], expected["threelevel_che"][rho]
    robust = block["CR2"]
    np.testing.assert_allclose(model.estimate, block["g"], rtol=RTOL)
    np.testing.assert_allclose([model.se, model.df], [robust["se"], robust["df"]], rtol=RTOL)
    np.testing.assert_allclose([model.ci_low, model.ci_high], robust["ci"], rtol=RTOL)
    np.testing.assert_allclose([model.prediction_low, model.prediction_high], robust["pi"], rtol=RTOL)
    np.testing.assert_allclose([model.i2_study, model.i2_effect], block["I2"], rtol=RTOL, atol=1e-6)
    assert one.results.find("che", "estimate").value == model.estimate
    assert one.results.find("che", "i2").value == pytest.approx(sum(block["I2"]), rel=RTOL)


@pytest.mark.parametrize("column", ["format", "age_group", "target_group"])
def test_other_subgroups(battery: Battery, synthesis: EvidenceSynthesis, expected: dict[str, Any], column: str) -> None:
    analysis, test = battery.subgroups[column], expected[f"by_{column}_test"]
    for level, block in expected[f"by_{column}"].items():
        agrees(analysis.groups.pooled[level], block["combined"])
        found = synthesis.results.find("subgroup", "estimate", {"variable": column, "level": level}).value
        assert found == analysis.groups.pooled[level].estimate
    np.testing.assert_allclose(analysis.groups.q_between, test["separate_tau2_Q"], rtol=RTOL)
    np.testing.assert_allclose(analysis.groups.q_between_p_value, test["separate_tau2_p"], rtol=1e-5)
    common = analysis.common_tau2
    assert common is not None
    np.testing.assert_allclose(common.f_between, test["common_tau2_F"], rtol=RTOL)
    np.testing.assert_allclose(common.f_between_p_value, test["common_tau2_p"], rtol=RTOL)
    np.testing.assert_allclose(common.q_between, test["common_tau2_chi2"], rtol=RTOL)
    assert list(common.f_between_df or ()) == test["common_tau2_F_df"]
    where = {"variable": column}
    assert synthesis.results.find("subgroup_test_common_tau2", "f_between", where).value == common.f_between


def test_the_test_between_comparators_with_one_tau2(synthesis: EvidenceSynthesis, expected: dict[str, Any]) -> None:
    test = expected["by_comparator_test"]
    found = synthesis.results.find("comparator_test_common_tau2", "f_between").value
    np.testing.assert_allclose(found, test["common_tau2_F"], rtol=RTOL)


def test_only_the_studies_with_four_items_at_low_risk(studies: ipt.io.Studies, expected: dict[str, Any]) -> None:
    one = ipt.evidence.synthesise(studies, rho=0.5, low_risk_above=3, grid=False, subgroups=[])
    agrees(one.batteries[0].low_risk["low_risk"], expected["rob4_only_combined"])


def test_small_study_effects_on_studies(
    battery: Battery, synthesis: EvidenceSynthesis, expected: dict[str, Any]
) -> None:
    block, bias = expected["bias_combined_rho0.5"], battery.bias
    begg, filled, selection = bias.begg, bias.trim_and_fill, bias.selection
    assert begg is not None
    assert filled is not None
    assert selection is not None
    np.testing.assert_allclose([begg.tau, begg.p_value], block["ranktest"], rtol=RTOL)
    assert filled.k0 == block["trimfill"]["k0"] == synthesis.results.find("trim_and_fill", "k0").value
    assert filled.side == block["trimfill"]["side_auto"]
    np.testing.assert_allclose([filled.estimate, filled.tau2], [block["trimfill"][n] for n in ("g", "tau2")], rtol=1e-5)
    step = block["sel_3psm_.025"]
    np.testing.assert_allclose(selection.estimate, step["g"], rtol=1e-4)
    np.testing.assert_allclose([selection.ci_low, selection.ci_high], step["ci"], rtol=1e-3)
    np.testing.assert_allclose(selection.lrt_p_value, step["LRTp"], rtol=1e-3)


def test_small_study_effects_on_rows_are_the_naive_twins(battery: Battery, expected: dict[str, Any]) -> None:
    block, adjusted = expected["bias_all_rows"], battery.bias.adjusted()
    for name, stored in {"pet_rows": "PET_mixed", "peese_rows": "PEESE_mixed"}.items():
        line, values = adjusted[name][1], block[stored]
        found = [line.estimate, line.se, line.p_value, line.ci_low, line.ci_high, line.slope, line.slope_se]
        wanted = [values[part][0] for part in ("b", "se", "p", "ci_lb", "ci_ub")] + [values["b"][1], values["se"][1]]
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
    assert adjusted["trim_and_fill_rows"][1].k0 == block["trimfill"]["k0"]
    np.testing.assert_allclose(adjusted["trim_and_fill_rows"][1].estimate, block["trimfill"]["g"], rtol=1e-5)
    np.testing.assert_allclose(adjusted["selection_rows"][1].estimate, block["sel_3psm_.025"]["g"], rtol=1e-4)


def test_the_other_package_beside_ours(battery: Battery, expected: dict[str, Any]) -> None:
    """Its tables, where its run is in the reference: estimates and intervals, I2 from Q, its CHE."""
    assert battery.profile is not None
    lines = battery.profile.frame.set_index("model")
    same = {
        "overall": expected["all_rows_naive"],
        "lowest": expected["lowest"],
        "highest": expected["highest"],
        "outliers": expected["outliers_removed_all"]["fit"],
        "rob": expected["low_rob_all"]["fit"],
        "combined": expected["combined_study_rho"]["0.5"],
    }
    for model, block in same.items():
        found = lines.loc[model, ["k", "estimate", "ci_low", "ci_high"]].to_numpy(float)
        np.testing.assert_allclose(found, [block["k"], block["g"], *block["ci"]], rtol=RTOL)
        i2 = 100 * (block["Q"] - block["k"] + 1) / block["Q"]
        np.testing.assert_allclose(lines.loc[model, "i2"], i2, rtol=RTOL)
    smoothed = expected["threelevel_che_rho0.5_smoothed_vi"]
    che = lines.loc["threelevel_che", ["estimate", "ci_low", "ci_high"]].to_numpy(float)
    np.testing.assert_allclose(che, [smoothed["g"], *smoothed["CR2"]["ci"]], rtol=RTOL)
    # As that package prints them: prediction interval and I2 of "combined", I2 of the rows, limit meta-analysis.
    printed = lines.loc["combined", ["prediction_low", "prediction_high"]].to_numpy(float)
    np.testing.assert_allclose(printed, [-0.352, 1.316], atol=0.0005)
    assert lines.loc["combined", "i2"] == pytest.approx(79.0, abs=0.06)
    limit = lines.loc["limit", ["estimate", "ci_low", "ci_high"]].to_numpy(float)
    np.testing.assert_allclose(limit, [0.325, 0.065, 0.584], atol=0.0005)
    assert lines.loc["overall", "i2"] == pytest.approx(72.5, abs=0.05)


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
def test_events_of_the_databank(expected: dict[str, Any], measure: Any) -> None:
    table = expected["binary"]["table"]
    named = {name.removeprefix("."): values for name, values in table.items() if not name.startswith(".log")}
    frame = pd.DataFrame(named | {"condition_arm1": "ipt", "condition_arm2": "cau"})
    events = ipt.load_studies(frame)
    one = ipt.evidence.synthesise(events, measures=[measure], event="good", rho=0.5, grid=False)
    agrees(one.batteries[0].combined, expected["binary"][f"{measure}_combined_rho.5"])


def test_pooled_rates_of_the_response_trials(shared: Path) -> None:
    path = shared / "data" / "ipt-evidence" / "ipt_response.csv"
    studies = ipt.load_studies(path, mapping="metapsy-total-response")
    battery = ipt.evidence.synthesise(studies, measures=["RR"], by=None).batteries[0]
    block = json.loads((shared / "reference" / "meta" / "metapsy_ipt_response.json").read_text(encoding="utf-8"))
    rates = battery.control_rate
    assert rates is not None
    assert rates.k == 19

    def turned_back(values: list[float]) -> np.ndarray:
        return 1 / (1 + np.exp(-np.array(values)))

    for name, found in (
        ("rate_ipt_pooled_logit", [rates.treated, rates.treated_ci_low, rates.treated_ci_high]),
        ("rate_ctr_pooled_logit", [rates.rate, rates.ci_low, rates.ci_high]),
    ):
        np.testing.assert_allclose(found, turned_back([block[name]["b"], *block[name]["ci"]]), rtol=RTOL)
    # The stored NNT was made of the rates rounded to four decimals.
    assert 1 / (round(rates.treated, 4) - round(rates.rate, 4)) == pytest.approx(5.6593, abs=0.5e-4)
    ratio = block["RR"]["exp_b"]
    assert battery.nnt["pooled"].benefit[0] == pytest.approx(rates.rate * (ratio - 1), rel=RTOL)
