"""The databank's IPT rows against the reference values (metafor 3.8-1, REML, Knapp-Hartung)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ipt_outcomes as ipt
from ipt_outcomes.evidence import EvidenceSynthesis
from ipt_outcomes.results import Results

pytestmark = pytest.mark.shared

# Fits in the reference were run to 1e-13; they and what follows from them must agree to this.
RTOL = 1e-6


@pytest.fixture(scope="module")
def expected(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "reference" / "meta" / "metapsy_ipt.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def databank(shared: Path) -> ipt.io.Studies:
    return ipt.load_studies(shared / "data" / "metapsy-depression-psyctr" / "data.csv")


@pytest.fixture(scope="module")
def synthesis(databank: ipt.io.Studies) -> EvidenceSynthesis:
    return ipt.evidence.synthesise(databank.where(condition_arm1="ipt"), by="condition_arm2")


@pytest.fixture(scope="module")
def at_half(databank: ipt.io.Studies) -> EvidenceSynthesis:
    """The same with the correlation the comparator blocks of the reference assume."""
    return ipt.evidence.synthesise(databank.where(condition_arm1="ipt"), by="condition_arm2", rho=0.5)


def agrees(results: Results, analysis: str, block: dict[str, Any], groups: dict[str, str] | None = None) -> None:
    """Every number of a reference block, found in the results."""

    def value(statistic: str) -> float:
        number = results.find(analysis, statistic, groups).value
        assert number is not None
        return number

    assert value("k") == block["k"]
    for statistic, name in {"estimate": "g", "se": "se", "tau2": "tau2", "i2": "I2", "q": "Q"}.items():
        np.testing.assert_allclose(value(statistic), block[name], rtol=RTOL, atol=1e-12, err_msg=statistic)
    np.testing.assert_allclose(value("p_value"), block["p"], rtol=1e-5, err_msg="p")
    for name, pair in {"ci": ("ci_low", "ci_high"), "pi": ("prediction_low", "prediction_high")}.items():
        np.testing.assert_allclose([value(end) for end in pair], block[name], rtol=RTOL, err_msg=name)


def test_all_rows(synthesis: EvidenceSynthesis, expected: dict[str, Any]) -> None:
    agrees(synthesis.results, "all_rows", expected["all_rows_naive"])


def test_combined_per_study(synthesis: EvidenceSynthesis, expected: dict[str, Any]) -> None:
    agrees(synthesis.results, "combined", expected["combined_study_rho"]["0.6"])


@pytest.mark.parametrize("rho", ["0.3", "0.5", "0.6", "0.8"])
def test_other_correlations(synthesis: EvidenceSynthesis, expected: dict[str, Any], rho: str) -> None:
    agrees(synthesis.results, "rho_sensitivity", expected["combined_study_rho"][rho], {"rho": rho})


@pytest.mark.parametrize("level", ["cau", "other ctr", "wl"])
def test_by_comparator(
    synthesis: EvidenceSynthesis, at_half: EvidenceSynthesis, expected: dict[str, Any], level: str
) -> None:
    block = expected["by_comparator"][level]["combined"]
    agrees(at_half.results, "by_comparator", block, {"condition_arm2": level})
    agrees(synthesis.results, "rho_sensitivity", block, {"rho": "0.5", "condition_arm2": level})


def test_the_test_between_comparators(at_half: EvidenceSynthesis, expected: dict[str, Any]) -> None:
    block = expected["by_comparator_test"]
    found = {
        name: at_half.results.find("comparator_test", name).value
        for name in ("q_between", "q_between_df", "q_between_p_value")
    }
    np.testing.assert_allclose(found["q_between"], block["separate_tau2_Q"], rtol=RTOL)
    assert found["q_between_df"] == block["separate_tau2_df"]
    np.testing.assert_allclose(found["q_between_p_value"], block["separate_tau2_p"], rtol=1e-5)


def test_low_risk_of_bias(at_half: EvidenceSynthesis, expected: dict[str, Any]) -> None:
    agrees(at_half.results, "low_risk_rows", expected["low_rob_all"]["fit"])
    agrees(at_half.results, "low_risk", expected["low_rob_combined"])


@pytest.mark.parametrize(
    ("analysis", "block"),
    [
        ("reml_z", "combined_rho0.5_z"),
        ("dl_z", "combined_rho0.5_DL_z"),
        ("lowest", "lowest"),
        ("highest", "highest"),
    ],
)
def test_sensitivity(at_half: EvidenceSynthesis, expected: dict[str, Any], analysis: str, block: str) -> None:
    agrees(at_half.results, analysis, expected[block])


def test_paule_mandel_solves_its_own_equation(at_half: EvidenceSynthesis, expected: dict[str, Any]) -> None:
    """The stored tau2 is 8e-6 off the root of Q(tau2) = k - 1; ours must be the root, and near the stored one."""
    battery = at_half.batteries[0]
    tau2 = battery.sensitivity["pm_knapp_hartung"].tau2
    yi, vi = battery.effects.yi, battery.effects.vi
    weights = 1 / (vi + tau2)
    q = np.sum(weights * (yi - np.sum(weights * yi) / weights.sum()) ** 2)
    np.testing.assert_allclose(q, len(yi) - 1, rtol=1e-9)
    np.testing.assert_allclose(tau2, expected["combined_rho0.5_PM"]["tau2"], rtol=2e-5)


def test_heterogeneity_intervals(at_half: EvidenceSynthesis, expected: dict[str, Any]) -> None:
    block = expected["confint_combined_rho0.5"]
    for statistic, name in {"tau2": "tau2", "i2": "I2"}.items():
        found = [at_half.results.find("combined", f"{statistic}_{end}").value for end in ("low", "high")]
        np.testing.assert_allclose(found, block[name][1:], rtol=RTOL)


def test_egger_on_studies_and_on_rows(at_half: EvidenceSynthesis, expected: dict[str, Any]) -> None:
    for analysis, block in {"egger": "bias_combined_rho0.5", "egger_rows": "bias_all_rows"}.items():
        test = expected[block]["egger_lm"]
        np.testing.assert_allclose(at_half.results.find(analysis, "statistic").value, test["t"], rtol=RTOL)
        np.testing.assert_allclose(at_half.results.find(analysis, "p_value").value, test["p"], rtol=RTOL)


def test_leave_one_out_of_lenze_is_what_the_other_studies_give(at_half: EvidenceSynthesis) -> None:
    battery = at_half.batteries[0]
    others = battery.studies[battery.studies["study"] != "Lenze, 2017"]
    alone = ipt.meta.pool(others["yi"].to_numpy(), others["vi"].to_numpy())
    found = at_half.results.find("leave_one_out", "estimate", {"left_out": "Lenze, 2017"}).value
    np.testing.assert_allclose(found, alone.estimate, rtol=1e-10)
    assert len(battery.leave_one_out) == 31


def test_every_row_of_the_file_gives_the_databanks_effect_or_is_listed_with_a_reason(
    databank: ipt.io.Studies,
) -> None:
    """Mean/SD rows under convention "metapsy"; the nine rows the data README counts, and those it does not."""
    effects = ipt.evidence.study_effects(databank).rows
    rows = effects[effects["kind"] == "means"]
    listed = ipt.evidence.check_given(databank)
    assert len(rows) == 810
    off = (rows["yi"] - rows[".g"]).abs().gt(1e-6) | (np.sqrt(rows["vi"]) - rows[".g_se"]).abs().gt(1e-6)
    assert set(rows.loc[off, "row"]) == set(listed["row"]) - set(effects.loc[effects["kind"] == "events", "row"])
    reasons = {(row.study, row.instrument): row.reason for row in listed.itertuples()}
    expected = {
        ("Arjadi, 2018", "phq-9"): "n as randomised",
        ("Baker, 2010", "bdi-2"): "control group shared out",
        ("Eseadi, 2018", "bdi-2"): "rounding",
        ("Eseadi, 2022", "bdi-2"): "rounding",
        ("Forsell, 2017", "epds"): "n of 18 and 21",
        ("Kivi, 2014", None): "sign is the opposite",
        ("Mueller-Weinitschke, 2023", "qids-c"): "other means or SDs",
        ("Newby, 2013", "phq-9"): "small-sample correction",
        ("Rohde, 2014b", "k-sads"): "sign is the opposite",
        ("Victor-Aigbodion, 2023", "zung"): "rounding",
        ("Victor-Aigbodion, 2023", "bdi-2"): "look like standard errors",
    }
    assert {study for study, _ in reasons} == {study for study, _ in expected}
    for (study, instrument), words in expected.items():
        found = [reason for (name, scale), reason in reasons.items() if name == study and instrument in (None, scale)]
        assert found, study
        assert all(words in reason for reason in found), study


def test_two_more_comparisons_in_one_report(shared: Path) -> None:
    folder = shared / "data" / "ipt-evidence"
    tables = {
        "IPT against medication": ipt.load_studies(folder / "ipt_vs_medication.csv"),
        "IPT against CBT and other psychotherapy": ipt.load_studies(folder / "ipt_vs_cbt_and_other_psychotherapy.csv"),
    }
    results = ipt.evidence.synthesise(tables).results
    studies = {name: results.find("table", "studies", {"comparison": name}).value for name in tables}
    assert studies == {"IPT against medication": 14, "IPT against CBT and other psychotherapy": 8}
    rows = {name: results.find("table", "rows_computed", {"comparison": name}).value for name in tables}
    assert rows == {"IPT against medication": 21, "IPT against CBT and other psychotherapy": 18}


def test_medication_with_the_formulas_the_reference_used(shared: Path) -> None:
    """The stored run took metafor's variance for means and changes, and the databank's rule for events."""
    studies = ipt.load_studies(shared / "data" / "ipt-evidence" / "ipt_vs_medication.csv")
    rows = ipt.evidence.study_effects(studies, convention="metafor").rows
    databank = ipt.evidence.study_effects(studies, convention="metapsy").rows
    events = rows["kind"] == "events"
    yi, vi = (rows[name].where(~events, databank[name]).to_numpy() for name in ("yi", "vi"))
    combined = ipt.meta.aggregate(yi, vi, study=rows["study"], rho=0.6)
    pooled = ipt.meta.pool(combined["yi"].to_numpy(), combined["vi"].to_numpy())
    published = json.loads((shared / "reference" / "meta" / "published_ipt.json").read_text(encoding="utf-8"))
    block = published["recomputed"]["ipt_vs_medication"]["all"]["aggregated_rho0.6"]["REML_HK"]
    found = [
        pooled.estimate,
        pooled.ci_low,
        pooled.ci_high,
        pooled.tau2,
        pooled.prediction_low,
        pooled.prediction_high,
    ]
    stored = [block["est"], *block["ci"], block["tau2"], *block["pi"]]
    np.testing.assert_allclose(found, stored, rtol=0, atol=0.5e-4)


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
@pytest.mark.parametrize("file", ["metapsy-total-response/data.csv", "ipt-evidence/ipt_response.csv"])
def test_response_of_the_ipt_trials(shared: Path, measure: str, file: str) -> None:
    studies = ipt.load_studies(shared / "data" / file, mapping="metapsy-total-response").where(condition_arm1="ipt")
    results = ipt.evidence.synthesise(studies, measures=[measure], by=None).results  # type: ignore[list-item]
    block = json.loads((shared / "reference" / "meta" / "metapsy_ipt_response.json").read_text(encoding="utf-8"))[
        measure
    ]
    values = {
        name: results.find("combined", name).value for name in ("k", "estimate", "ci_low", "ci_high", "tau2", "i2")
    }
    assert values["k"] == block["k"] == 19
    np.testing.assert_allclose(values["estimate"], block["b"], rtol=RTOL)
    np.testing.assert_allclose([values["ci_low"], values["ci_high"]], block["ci"], rtol=RTOL)
    np.testing.assert_allclose([values["tau2"], values["i2"]], [block["tau2"], block["I2"]], rtol=RTOL)
    if measure != "RD":
        np.testing.assert_allclose(results.find("combined", "ratio").value, np.exp(block["b"]), rtol=RTOL)
