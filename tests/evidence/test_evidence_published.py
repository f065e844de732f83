"""The recomputed block of the published IPT estimates, row by row through the battery and the regeneration."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import ipt_outcomes as ipt
from ipt_outcomes import effects, meta
from ipt_outcomes.errors import OptionError
from ipt_outcomes.evidence import Battery, compare_versions, published, regenerate, study_effects, synthesise
from ipt_outcomes.evidence.benefit import at_control_rate
from ipt_outcomes.evidence.regeneration import CANNOT_TELL
from ipt_outcomes.meta import PooledEffect

SHARED = pytest.mark.shared
# The reference stores four decimals.
HALF = 0.5e-4
HAMILTON_FIRST = ("hdrs", "hrsd", "hamd", "madrs", "bdi")


@pytest.fixture(scope="module")
def recomputed(shared: Path) -> dict[str, Any]:
    text = (shared / "reference" / "meta" / "published_ipt.json").read_text(encoding="utf-8")
    return json.loads(text)["recomputed"]


def as_stored(folder: Path, name: str, towards: str = "ipt") -> pd.DataFrame:
    """The table with the effects the reference used: metafor's variance of means, the databank's rule for events."""
    table = ipt.load_studies(folder / f"{name}.csv").orient(towards)
    metafor, databank = (
        study_effects(table, convention=convention, towards=towards).rows  # type: ignore[arg-type]
        for convention in ("metafor", "metapsy")
    )
    events = metafor["kind"] == "events"
    kept = [
        column
        for column in ("study", "year", "condition_arm1", "condition_arm2", "multi_arm1", "instrument", "population",
                       "diagnosis", "target_group", "rob", "outcome_type", "time")
        if column in metafor
    ]  # fmt: skip
    frame = metafor[kept].copy()
    frame["precalc_g"] = metafor["yi"].where(~events, databank["yi"])
    frame["precalc_g_se"] = np.sqrt(metafor["vi"].where(~events, databank["vi"]))
    return frame


def battery_of(frame: pd.DataFrame, **options: Any) -> Battery:
    defaults: dict[str, Any] = {"grid": False, "subgroups": [], "by": None}
    return synthesise(ipt.load_studies(frame), **(defaults | options)).batteries[0]


def near(pooled: Any, block: dict[str, Any]) -> None:
    """Every number of a stored fit, to half a unit of its last digit.

    The reference's REML stopped at steps of 1e-5 (metafor's default), which moves its I2 by up to 0.03 and its
    limits by up to one in the last digit; ours is run to 1e-10. Closed forms have no such excuse.
    """
    slack = 2.0 if pooled.tau2_method == "REML" else 1.01
    assert pooled.k == block["k"]
    found = [pooled.estimate, pooled.ci_low, pooled.ci_high, pooled.se, pooled.tau2, pooled.q]
    stored = [block["est"], *block["ci"], block["se"], block["tau2"], block["Q"]]
    np.testing.assert_allclose(found, stored, atol=slack * HALF, rtol=0)
    i2 = 0.03 if pooled.tau2_method == "REML" else 1.01 * HALF
    np.testing.assert_allclose(pooled.i2, block["I2"], atol=i2, rtol=0)
    if block["pi"]:
        found = [pooled.prediction_low, pooled.prediction_high]
        # A step of 1e-5 in tau2 moves these limits by up to 2e-4 where it is near 0.
        limits = 2.5e-4 if pooled.tau2_method == "REML" else 1.01 * HALF
        np.testing.assert_allclose(found, block["pi"], atol=limits, rtol=0)


BLOCKS = {
    ("ipt_vs_control", "all_24.0.2"): lambda t: t,
    ("ipt_vs_control", "to2010"): lambda t: t[t["year"] <= 2010],
    ("ipt_vs_control", "to2015"): lambda t: t[t["year"] <= 2015],
    ("ipt_vs_control", "without_Lenze2017"): lambda t: t[t["study"] != "Lenze, 2017"],
    ("ipt_vs_control", "low_rob"): lambda t: t[t["rob"] > 2],
    ("ipt_vs_control", "cau"): lambda t: t[t["condition_arm2"] == "cau"],
    ("ipt_vs_control", "wl"): lambda t: t[t["condition_arm2"] == "wl"],
    ("ipt_vs_control", "oth"): lambda t: t[t["condition_arm2"] == "other ctr"],
    ("ipt_vs_control", "mdd"): lambda t: t[t["diagnosis"] == "mdd"],
    ("ipt_vs_control", "ppd"): lambda t: t[t["target_group"] == "ppd"],
    ("ipt_vs_medication", "all"): lambda t: t,
    ("ipt_vs_medication", "to2010"): lambda t: t[t["year"] <= 2010],
    ("ipt_vs_medication", "to2015"): lambda t: t[t["year"] <= 2015],
    ("combination_vs_medication", "all"): lambda t: t,
    ("combination_vs_medication", "to2015"): lambda t: t[t["year"] <= 2015],
    ("combination_vs_ipt", "all"): lambda t: t,
    ("combination_vs_ipt", "ipt_alone_only"): lambda t: t[t["condition_arm2"] == "ipt"],
    ("ipt_vs_cbt", "depression"): lambda t: t[(t["condition_arm2"] == "cbt") & t["population"].str.contains("depress")],
    ("ipt_vs_cbt", "any_psychotherapy"): lambda t: t[t["population"].str.contains("depress|dysthym")],
}
FILES = {"ipt_vs_cbt": "ipt_vs_cbt_and_other_psychotherapy"}


@SHARED
@pytest.mark.parametrize(("comparison", "block"), list(BLOCKS))
def test_every_block_through_the_battery(shared: Path, recomputed: dict[str, Any], comparison: str, block: str) -> None:
    towards = "combination" if comparison.startswith("combination") else "ipt"
    frame = as_stored(shared / "data" / "ipt-evidence", FILES.get(comparison, comparison), towards)
    frame = BLOCKS[comparison, block](frame)
    stored = recomputed[comparison][block]
    assert (len(frame), frame["study"].nunique()) == (stored["rows"], stored["studies"])
    one_row = battery_of(frame, towards=towards, priority=HAMILTON_FIRST)
    for method, pooled in {
        "FE": one_row.sensitivity["common"],
        "DL": one_row.sensitivity["dl_z"],
        "REML": one_row.sensitivity["reml_z"],
        "REML_HK": one_row.combined,
    }.items():
        near(pooled, stored["one_row_per_study"][method])
    several = battery_of(frame, towards=towards)
    near(several.sensitivity["dl_z"], stored["aggregated_rho0.6"]["DL"])
    near(several.combined, stored["aggregated_rho0.6"]["REML_HK"])
    che, model = stored["che_rho0.6_CR2"], several.multilevel["che"]
    np.testing.assert_allclose(
        [model.estimate, model.ci_low, model.ci_high], [che["est"], *che["ci"]], atol=1.01 * HALF, rtol=0
    )
    np.testing.assert_allclose(model.df, che["df"], atol=1.01 * HALF, rtol=0)
    np.testing.assert_allclose(
        [model.tau2_study, model.tau2_effect], [che["sigma2_between"], che["sigma2_within"]], atol=1.01 * HALF, rtol=0
    )
    # NNTs stored with a sign, below 0 where arm 2 does better; 1 over them moves less than the effect itself.
    for key, name in {"kraemer-kupfer": "kraemer_kupfer", "0.2": "furukawa_leucht_cer0.2"}.items():
        np.testing.assert_allclose(one_row.nnt[key].benefit[0], 1 / stored["nnt"][name], atol=1.5 * HALF, rtol=0)


@SHARED
def test_sensitivity_of_the_control_comparison(shared: Path, recomputed: dict[str, Any]) -> None:
    frame = as_stored(shared / "data" / "ipt-evidence", "ipt_vs_control")
    battery, stored = battery_of(frame, priority=HAMILTON_FIRST), recomputed["ipt_vs_control"]
    assert sorted(battery.removal["outliers_removed"].removed) == stored["outliers"]["removed"]
    near(battery.removal["outliers_removed"].pooled, stored["outliers"]["pooled"])
    bias, selection = stored["bias"], battery.bias.selection
    assert battery.egger is not None
    assert selection is not None
    np.testing.assert_allclose(
        [battery.egger.statistic, battery.egger.p_value], [bias["egger_t"], bias["egger_p"]], atol=1.01 * HALF
    )
    np.testing.assert_allclose(selection.estimate, bias["step_selection_0.025"]["est"], atol=2e-4)
    filled = battery_of(frame, priority=HAMILTON_FIRST, test="z").bias.trim_and_fill
    assert filled is not None
    assert (filled.k0, filled.side) == (bias["trimfill"]["k0"], bias["trimfill"]["side"])
    np.testing.assert_allclose(filled.estimate, bias["trimfill"]["est"], atol=1.01 * HALF)
    spread = battery.leave_one_out["estimate"]
    np.testing.assert_allclose([spread.min(), spread.max()], stored["leave_one_out_range"], atol=1.01 * HALF)


@SHARED
def test_medication_leaving_each_trial_out(shared: Path, recomputed: dict[str, Any]) -> None:
    frame = as_stored(shared / "data" / "ipt-evidence", "ipt_vs_medication")
    battery = battery_of(frame, priority=HAMILTON_FIRST, years=(None, 2010), test="z")
    assert "published from" not in " ".join(battery.rows_chosen.rules)
    stored = {line["left_out"]: line for line in recomputed["ipt_vs_medication"]["to2010_leave_one_out"]}
    found = battery.leave_one_out.set_index("left_out")
    assert set(found.index) == set(stored)
    for study, line in stored.items():
        numbers = found.loc[study, ["estimate", "ci_low", "ci_high", "i2"]].to_numpy(float)
        np.testing.assert_allclose(numbers[:3], [line["est"], line["lo"], line["hi"]], atol=1.5 * HALF, rtol=0)
        np.testing.assert_allclose(numbers[3], line["I2"], atol=0.03, rtol=0)


@SHARED
def test_the_row_of_each_trial_is_the_one_the_reference_took(shared: Path, recomputed: dict[str, Any]) -> None:
    frame = as_stored(shared / "data" / "ipt-evidence", "ipt_vs_medication")
    battery = battery_of(frame, priority=HAMILTON_FIRST)
    stored = recomputed["ipt_vs_medication"]["per_study"]
    rows = battery.study_effects.rows
    assert dict(zip(rows["study"], rows["instrument"], strict=True)) == {s["study"]: s["instrument"] for s in stored}
    effect = {line["study"]: line["g"] for line in stored}
    np.testing.assert_allclose(rows["yi"], [effect[study] for study in rows["study"]], atol=1.01 * HALF)
    choice = battery.rows_chosen
    assert len(choice.left_out) == len(choice.frame) - len(stored)
    assert choice.left_out["reason"].str.startswith("one row per study").all()


def maintenance(folder: Path, first: str, second: str) -> ipt.io.Studies:
    """Two arms of the maintenance trials, paired; events derived from the printed rates."""
    arms = pd.read_csv(folder / "maintenance_recurrence.csv")
    arms = arms[arms["study"].isin(["Reynolds, 1999", "Reynolds, 2006"])]
    with_ipt, with_placebo = arms["arm"].str.startswith("ipt"), arms["arm"].str.contains("placebo")
    kinds = {
        "combination": with_ipt & ~with_placebo,
        "medication": ~with_ipt & ~with_placebo,
        "ipt + placebo": with_ipt & with_placebo,
        "placebo": ~with_ipt & with_placebo,
    }
    lines = []
    for study, part in arms.groupby("study"):
        one, other = (part[kinds[name].loc[part.index]].iloc[0] for name in (first, second))
        line = {"study": study, "year": int(str(study)[-4:]), "condition_arm1": "ipt + tca", "condition_arm2": "tca"}
        if first != "combination":
            line |= {"condition_arm1": first, "condition_arm2": second}
        line |= {"event_arm1": one["events_derived"], "totaln_arm1": one["n"], "event_arm2": other["events_derived"]}
        lines.append({**line, "totaln_arm2": other["n"], "outcome_type": "recurrence"})
    return ipt.load_studies(pd.DataFrame(lines))


@SHARED
@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        ("combination", "medication", "maintenance_combination_vs_medication"),
        ("ipt + placebo", "placebo", "maintenance_ipt_vs_placebo"),
    ],
)
def test_maintenance_trials(shared: Path, recomputed: dict[str, Any], first: str, second: str, name: str) -> None:
    studies = maintenance(shared / "data" / "ipt-evidence", first, second)
    battery = synthesise(studies, measures="OR", towards=None, grid=False).batteries[0]
    stored = recomputed[name]
    np.testing.assert_allclose(np.exp(battery.study_effects.effects.yi), stored["each_OR"], atol=1.01 * HALF)
    pooled = battery.sensitivity["dl_z"]
    found = np.exp([pooled.estimate, pooled.ci_low, pooled.ci_high])
    np.testing.assert_allclose(found, stored["pooled_DL_OR"], atol=3e-4)
    assert pooled.event == "bad"


@SHARED
def test_single_trials_by_their_events(shared: Path, recomputed: dict[str, Any]) -> None:
    folder = shared / "data" / "ipt-evidence"
    other = ipt.load_studies(folder / "ipt_vs_cbt_and_other_psychotherapy.csv").where(study="Agras, 2000")
    young = ipt.load_studies(folder / "ipt_vs_control_other_populations.csv").where(study="Mufson, 1999")
    stored = {line["what"].split(" IPT")[0]: line for line in recomputed["two_by_two"]}
    for table, kinds in ((other, ("recovered", "remitted")), (young, ("remission",))):
        found = study_effects(table, measure="OR", event="good")
        low, high = found.effects.ci(0.95)
        for place, outcome in enumerate(found.rows["outcome_type"]):
            kind = next((kind for kind in kinds if str(outcome).startswith(kind)), None)
            line = next((line for what, line in stored.items() if kind and what.endswith(kind)), None)
            if line is None:
                continue
            numbers = np.exp([found.effects.yi[place], low[place], high[place]])
            np.testing.assert_allclose(numbers, [line["OR"], line["lo"], line["hi"]], atol=1.01 * HALF)
            stored = {what: kept for what, kept in stored.items() if kept is not line}
    assert not stored, "every stored table was found"


@SHARED
def test_ipt_against_usual_care_in_the_network_data(shared: Path, recomputed: dict[str, Any]) -> None:
    rows = pd.read_csv(shared / "data" / "ipt-evidence" / "linde2016_ipt.csv")
    direct = rows[rows["treat2"] == "UC"]
    near(
        meta.pool(direct["lnOR"], direct["selnOR"] ** 2, tau2="DL", test="z"),
        recomputed["linde2016"]["ipt_vs_uc_direct"],
    )


@SHARED
def test_the_trial_of_which_two_sources_disagree(shared: Path, recomputed: dict[str, Any]) -> None:
    rows = pd.read_csv(shared / "data" / "ipt-evidence" / "combination_vs_medication.csv")
    one = rows[(rows["study"] == "Souza, 2016") & (rows["instrument"] == "bdi")].iloc[0]
    found = effects.mean_difference(*(one[f"{part}_arm{arm}"] for arm in (1, 2) for part in ("mean", "sd", "n")))
    low, high = found.ci(0.95)
    stored = recomputed["souza2016_BDI"]
    # The stored limits were made with 1.96 in place of the normal quantile.
    np.testing.assert_allclose([found.yi[0], low[0], high[0]], [stored["databank_MD"], *stored["ci"]], atol=2e-4)


def test_the_printed_numbers_needed_to_treat() -> None:
    """Exact once the difference of rates is cut to three decimals, as the paper did."""
    table = regenerate(small_table()).nnt.set_index("id")
    stored = {"c2011-ctr": (2.9068, 2.907), "c2011-psy": (44.3173, 45.4545), "c2011-pha": (9.3568, 9.434)}
    for name, values in stored.items():
        np.testing.assert_allclose(table.loc[name, ["exact", "truncated"]].to_numpy(float), values, atol=1.01 * HALF)
        assert round(table.loc[name, "truncated"], 2) == pytest.approx(table.loc[name, "printed"], abs=0.0051)


@pytest.mark.parametrize("relapse", [0.2312, 0.8999])
def test_the_odds_ratio_gives_the_printed_number_at_two_control_rates(relapse: float) -> None:
    pooled = meta.pool(effects.odds_ratio([20], [40], [22], [40], event="bad"), test="z")
    printed: PooledEffect = ipt_replace(pooled, math.log(0.37))
    assert at_control_rate(printed, 1 - relapse).nnt[0] == pytest.approx(7.63, abs=0.005)


def ipt_replace(pooled: PooledEffect, estimate: float) -> PooledEffect:
    from dataclasses import replace

    return replace(pooled, estimate=estimate, ci_low=estimate - 0.1, ci_high=estimate + 0.1)


def small_table(**columns: list[Any]) -> ipt.io.Studies:
    base: dict[str, list[Any]] = {
        "study": ["Trial A", "Trial B", "Trial C"],
        "year": [1990, 2005, 2014],
        "condition_arm1": ["ipt"] * 3,
        "condition_arm2": ["cau", "wl", "cau"],
        "instrument": ["hdrs-17", "bdi-2", "phq-9"],
        "precalc_g": [0.5, 0.7, 0.2],
        "precalc_g_se": [0.2, 0.25, 0.15],
    }
    return ipt.load_studies(pd.DataFrame(base | columns))


@SHARED
def test_the_shipped_estimates_are_those_of_the_shared_list(shared: Path) -> None:
    """Typed-in numbers against the list they were typed from."""
    listed = pd.read_csv(shared / "data" / "ipt-evidence" / "published_pooled.csv").set_index("id")
    ours = published().set_index("id")
    assert list(ours.index) == list(listed.index)
    for name in ("estimate", "ci_low", "ci_high", "k", "n", "nnt", "i2", "year"):
        np.testing.assert_array_equal(ours[name].astype(float), listed[name].astype(float), err_msg=name)
    for name in ("comparison", "measure"):
        assert list(ours[name]) == list(listed[name])
    assert all(paper.split(",")[0] in source for paper, source in zip(ours["paper"], listed["paper"], strict=True))


@SHARED
def test_regeneration_gives_what_the_reference_gives_and_claims_nothing(
    shared: Path, recomputed: dict[str, Any]
) -> None:
    folder = shared / "data" / "ipt-evidence"
    tables = {
        "control": ipt.load_studies(as_stored(folder, "ipt_vs_control")),
        "psychotherapy": ipt.load_studies(as_stored(folder, "ipt_vs_cbt_and_other_psychotherapy")),
        "medication": ipt.load_studies(as_stored(folder, "ipt_vs_medication")),
        "combination": ipt.load_studies(as_stored(folder, "combination_vs_ipt", "combination")),
        "points": ipt.load_studies(folder / "ipt_vs_cbt_and_other_psychotherapy.csv"),
        "maintenance": maintenance(folder, "combination", "medication"),
    }
    result = regenerate(tables)
    frame = result.frame.set_index(["id", "table"])
    stored = {
        ("c2011-ctr", "control"): recomputed["ipt_vs_control"]["to2010"]["one_row_per_study"]["DL"],
        ("c2016-ctr", "control"): recomputed["ipt_vs_control"]["to2015"]["one_row_per_study"]["REML"],
        ("c2011-pha", "medication"): recomputed["ipt_vs_medication"]["to2010"]["one_row_per_study"]["DL"],
        ("c2016-pha", "medication"): recomputed["ipt_vs_medication"]["to2015"]["one_row_per_study"]["REML"],
        ("c2016-psy", "psychotherapy"): recomputed["ipt_vs_cbt"]["any_psychotherapy"]["one_row_per_study"]["REML"],
        ("c2016-comb", "combination"): recomputed["combination_vs_ipt"]["all"]["one_row_per_study"]["REML"],
        ("z2017-hrsd", "points"): recomputed["ipt_vs_cbt"]["MD_HDRS"],
        ("z2017-bdi", "points"): recomputed["ipt_vs_cbt"]["MD_BDI"],
    }
    for key, block in stored.items():
        found = frame.loc[key]
        numbers = found[["k", "estimate", "ci_low", "ci_high"]].to_numpy(float)
        np.testing.assert_allclose(numbers, [block["k"], block["est"], *block["ci"]], atol=1.5 * HALF, err_msg=str(key))
        assert found["difference"] == pytest.approx(block["est"] - found["printed"], abs=1.01 * HALF)
    individual = frame.loc["coh2024-dep", "medication"]
    assert individual["estimate"] == pytest.approx(0.0341, abs=1.01 * HALF), "turned to the printed sign"
    relapse = frame.loc["c2011-maint", "maintenance"]
    assert relapse["estimate"] == pytest.approx(0.5918, abs=3e-4)
    assert (result.frame["trials"] == CANNOT_TELL).sum() >= 30
    assert not result.frame["verdict"].str.contains("the printed number").any()
    assert result.frame.loc[result.frame["estimate"].isna(), "verdict"].str.startswith("not computed: ").all()


@SHARED
def test_a_number_that_agrees_by_chance_is_not_called_a_reproduction(shared: Path) -> None:
    """One common effect of the trials to 2015 is 0.600: the printed number, of another model and other trials."""
    table = ipt.load_studies(as_stored(shared / "data" / "ipt-evidence", "ipt_vs_control"))
    common = synthesise(table, years=(None, 2015), priority=HAMILTON_FIRST, tau2="common", grid=False)
    assert round(common.batteries[0].combined.estimate, 2) == 0.60
    for name in ("c2011-ctr", "c2016-ctr"):
        line = regenerate(table, only=[name]).frame.iloc[0]
        assert line["verdict"].startswith("beside it, not a reproduction")
        assert round(line["estimate"], 2) != line["printed"]


def test_trials_the_user_names_are_compared_by_name() -> None:
    table = small_table()
    told = regenerate(table, only=["c2011-ctr"], trials={"c2011-ctr": ["trial a", "Trial B"]}).frame.iloc[0]
    assert told["trials"] == "the same trials"
    assert told["verdict"] == "the same trials, another number than printed"
    assert told["k"] == 2
    part = regenerate(table, only=["c2011-ctr"], trials={"c2011-ctr": ["Trial A", "Trial X"]}).frame.iloc[0]
    assert part["trials"] == "1 of 2 trials are in the table; not in it: Trial X"
    assert part["verdict"].startswith("not comparable")


def test_the_same_trials_and_the_printed_number() -> None:
    table = small_table(precalc_g=[0.63, 0.63, 0.2])
    line = regenerate(table, only=["c2011-ctr"], trials={"c2011-ctr": ["Trial A", "Trial B"]}).frame.iloc[0]
    assert line["verdict"] == "the same trials, the printed number"


def test_follow_up_years_and_other_populations_are_not_what_the_papers_pooled() -> None:
    one = regenerate(small_table(), only=["c2016-ctr"]).frame.iloc[0]
    assert one["k"] == 3
    later = regenerate(small_table(time=["post", "fu1", None]), only=["c2016-ctr"]).frame.iloc[0]
    assert later["k"] == 2
    newer = regenerate(small_table(year=[1990, 2005, 2019]), only=["c2016-ctr"]).frame.iloc[0]
    assert newer["k"] == 2
    other = regenerate(small_table(population=["adults, depression", "PTSD", None]), only=["c2016-ctr"]).frame.iloc[0]
    assert other["k"] == 2
    assert "after treatment" in one["rule"]


def test_regeneration_without_rows_for_anything() -> None:
    table = small_table(condition_arm1=["cbt"] * 3)
    result = regenerate(table)
    assert result.frame["estimate"].isna().all()
    assert len(result.frame) == len(published())
    assert "37 published estimates; 0 lines computed" in result.summary()
    with pytest.raises(OptionError, match="c2011"):
        regenerate(table, only=["c2011-control"])
    with pytest.raises(OptionError, match="empty"):
        regenerate({})


def test_every_number_of_a_regeneration_has_a_result_row() -> None:
    result = regenerate(small_table())
    line = result.frame[result.frame["id"] == "c2011-ctr"].iloc[0]
    groups = {"id": "c2011-ctr", "table": "the table"}
    for name in ("printed", "estimate", "ci_low", "ci_high", "k", "difference"):
        assert result.results.find("regeneration", name, groups).value == line[name]
    assert result.results.to_json() == regenerate(small_table()).results.to_json()


@SHARED
def test_the_drift_of_the_databank_between_two_versions(shared: Path, recomputed: dict[str, Any]) -> None:
    rows = pd.read_csv(shared / "data" / "ipt-evidence" / "ipt_vs_control_version_drift.csv")

    def version(name: str) -> ipt.io.Studies:
        part = rows[rows[f"g_{name}"].notna()]
        columns = {"condition_arm2": "ctr", "outcome_type": "type", "precalc_g": "g", "precalc_g_se": "se"}
        table = {ours: part[f"{theirs}_{name}"] for ours, theirs in columns.items()}
        frame = pd.DataFrame(
            {"study": part["study"], "condition_arm1": "ipt", "instrument": part["instrument"], **table}
        )
        return ipt.load_studies(frame)

    found = compare_versions(version("22.0.2"), version("24.0.2"))
    stored = recomputed["version_drift"]
    assert found.counts["added"] == stored["counts"]["added"]
    assert found.counts["removed"] == stored["counts"]["removed"]
    # The reference compares effects only; three more rows have their comparator coded anew.
    changed = found.rows[found.rows["change"] == "changed"]
    of_effect = changed[changed["columns"].str.contains("precalc_g")]
    assert list(of_effect["study"]) == [line["study"] for line in stored["changed"]]
    assert found.counts["same"] + found.counts["changed"] == stored["counts"]["same"] + stored["counts"]["changed"]
    assert set(changed.loc[~changed.index.isin(of_effect.index), "columns"]) == {"condition_arm2"}
    main = found.numbers.set_index("analysis").loc["combined"]
    assert (main["old_k"], main["new_k"]) == (stored["studies_22"], 31)
    assert main["difference"] == pytest.approx(main["new_estimate"] - main["old_estimate"])
