"""The parts of the battery: what each analysis is, when it is left out and why, and that its numbers have rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ipt_outcomes as ipt
from ipt_outcomes import meta, simulate
from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.evidence import ANALYSES, Battery, EvidenceSynthesis, MetaJob, synthesise
from ipt_outcomes.evidence.removal import outliers
from ipt_outcomes.evidence.risk_of_bias import judgement_of, risk_of_bias
from ipt_outcomes.evidence.rows import instrument_rank

YI = [0.3, 0.5, 0.1, 0.45, 0.2, 0.7, 0.35, 1.9, 0.4, 0.25, 0.6, 0.15]
SE = [0.15, 0.2, 0.12, 0.3, 0.18, 0.25, 0.22, 0.2, 0.28, 0.16, 0.24, 0.19]


def frame(k: int = 12, **columns: list[Any]) -> pd.DataFrame:
    """Studies with a printed effect each; study 8 lies far out."""
    base: dict[str, Any] = {
        "study": [f"Trial {place:02d}" for place in range(1, k + 1)],
        "year": [2000 + (5 * place) % 17 for place in range(k)],
        "condition_arm1": ["ipt"] * k,
        "condition_arm2": [("cau", "wl")[place % 2] for place in range(k)],
        "instrument": [("hdrs-17", "bdi-2", "phq-9")[place % 3] for place in range(k)],
        "precalc_g": YI[:k],
        "precalc_g_se": SE[:k],
    }
    return pd.DataFrame(base | columns)


def run(table: pd.DataFrame, **options: Any) -> EvidenceSynthesis:
    return synthesise(ipt.load_studies(table), **options)


def battery(table: pd.DataFrame, **options: Any) -> Battery:
    return run(table, **options).batteries[0]


@pytest.fixture(scope="module")
def several() -> EvidenceSynthesis:
    """Studies with several rows each, simulated."""
    return synthesise(simulate.studies(), profile="metapsytools")


def test_outliers_are_those_whose_interval_lies_outside() -> None:
    found = battery(frame()).removal["outliers_removed"]
    assert found.removed == ("Trial 08",)
    alone = meta.pool(np.delete(YI, 7), np.delete(np.square(SE), 7))
    assert found.pooled.estimate == pytest.approx(alone.estimate, rel=1e-12)
    assert found.pooled.k == 11


@given(st.lists(st.floats(-2, 2), min_size=3, max_size=12))
@settings(max_examples=40)
def test_the_outlier_rule_does_not_change_with_the_sign(effects: list[float]) -> None:
    table = pd.DataFrame({"yi": effects, "vi": np.square(SE[: len(effects)])})
    turned = table.assign(yi=-table["yi"])
    one, other = (meta.pool(part["yi"], part["vi"]) for part in (table, turned))
    assert (outliers(table, one) == outliers(turned, other)).all()


def test_influential_studies_are_named_and_left_out() -> None:
    found = battery(frame())
    removal, influence = found.removal["influence_removed"], found.influence
    assert removal.removed == ("Trial 08",)
    assert list(influence.loc[influence["influential"].astype(bool), "study"]) == ["Trial 08"]
    assert len(found.baujat) == 12
    assert found.baujat.set_index("study")["x"].idxmax() == "Trial 08"


def test_lowest_is_below_combined_is_below_highest(several: EvidenceSynthesis) -> None:
    one = several.batteries[0]
    assert one.sensitivity["lowest"].estimate <= one.sensitivity["highest"].estimate
    assert set(one.multilevel) == {"three_level", "che"}


def test_one_effect_per_study_makes_the_models_for_several_pointless() -> None:
    one = battery(frame())
    assert one.multilevel == {}
    assert "lowest" not in one.sensitivity
    assert "outliers_removed_rows" not in one.removal
    assert one.bias.egger_robust is None
    assert not [name for name in one.bias.adjusted() if name.endswith("_rows")]


def test_every_bias_method_and_its_naive_twin(several: EvidenceSynthesis) -> None:
    one = several.batteries[0]
    names = set(one.bias.adjusted())
    assert names >= {"trim_and_fill", "limit", "selection", "pet", "peese", "pet_peese", "waap"}
    assert {f"{name}_rows" for name in names if not name.endswith("_rows")} <= names
    taken = one.bias.pet_peese
    assert taken is not None
    line = one.bias.adjusted()["pet_peese"][1]
    assert line is getattr(taken, taken.chosen)
    assert one.bias.trim_and_fill is not None
    assert one.bias.trim_and_fill.k_observed == len(one.studies)


def test_the_one_table_names_every_analysis_in_order(several: EvidenceSynthesis) -> None:
    table = several.to_frame()
    single = table[~table["analysis"].isin(["by_comparator", "subgroup"])]
    assert list(single["analysis"]) == [name for name in ANALYSES if name in set(single["analysis"])]
    assert set(single["analysis"]) >= {"combined", "all_rows", "lowest", "highest", "three_level", "che", "pet_peese"}
    assert (single["label"] == single["analysis"].map(dict(ANALYSES))).all()
    assert table[["k", "estimate", "ci_low", "ci_high"]].notna().all(axis=None)
    assert set(table.loc[table["analysis"] == "subgroup", "variable"]) == set(several.batteries[0].subgroups)


def test_every_number_of_the_one_table_has_a_result_row(several: EvidenceSynthesis) -> None:
    one = several.batteries[0]
    for record in one.to_frame().to_dict("records"):
        groups = {}
        if record["analysis"] == "subgroup":
            groups = {"variable": record["variable"], "level": record["level"]}
        elif record["analysis"] == "by_comparator":
            groups = {one.by_key: record["level"]}
        for name in ("k", "estimate", "ci_low", "ci_high", "p_value"):
            found = several.results.find(record["analysis"], name, groups).value
            assert found == pytest.approx(record[name], rel=1e-14), (record["analysis"], name)


def test_a_synthesis_gives_the_same_bytes_twice() -> None:
    first, second = (synthesise(simulate.studies(), profile="metapsytools").results.to_json() for _ in range(2))
    assert first == second


def test_the_order_of_rows_changes_no_pooled_number() -> None:
    table = simulate.studies().comparisons.drop(columns=["row"])
    one, other = (battery(part) for part in (table, table.iloc[::-1]))
    columns = ["analysis", "variable", "level"]
    numbers = [part.to_frame().set_index(columns)["estimate"].sort_index() for part in (one, other)]
    pd.testing.assert_series_equal(*numbers, rtol=1e-7, atol=1e-9)


def test_turning_every_sign_turns_every_number() -> None:
    one, other = (battery(frame(precalc_g=[sign * value for value in YI])) for sign in (1, -1))
    for name, pooled in one.pooled().items():
        assert other.pooled()[name].estimate == pytest.approx(-pooled.estimate, rel=1e-9), name
        assert other.pooled()[name].ci_low == pytest.approx(-pooled.ci_high, rel=1e-9), name


@pytest.mark.parametrize("k", [1, 2])
def test_very_few_studies_give_what_they_can_and_say_what_they_cannot(k: int) -> None:
    one = battery(frame(k))
    assert one.combined.k == k
    assert one.removal == {}
    assert one.bias.adjusted() == {}
    assert one.cumulative.empty
    assert one.baujat.empty
    assert one.leave_one_out.empty
    assert {"outliers_removed", "influence_removed", "trim_and_fill", "selection"} <= set(one.not_run)
    assert all(reason and "Traceback" not in reason for reason in one.not_run.values())
    assert (one.specifications is None) == (k == 1)
    assert set(one.nnt) == {"0.2", "kraemer-kupfer"}


def test_no_study_is_refused_with_the_reason() -> None:
    with pytest.raises(DataError, match="none of the 2 rows gives an effect"):
        run(frame(2, precalc_g=[None, None]))


def test_rows_without_numbers_are_counted_and_named() -> None:
    one = run(frame(precalc_g=[None, *YI[1:]]))
    left = one.batteries[0].study_effects.not_computed
    assert list(left["study"]) == ["Trial 01"]
    assert one.results.find("table", "rows_not_computed").value == 1
    assert one.results.find("table", "rows").value == 12


def test_studies_that_are_all_alike() -> None:
    """Nothing varies: no method may divide by zero, and none of the numbers may be invented."""
    one = battery(frame(6, precalc_g=[0.4] * 6, precalc_g_se=[0.2] * 6))
    assert one.combined.estimate == pytest.approx(0.4)
    assert one.combined.tau2 == 0
    assert one.egger is None
    assert one.removal["outliers_removed"].removed == ()
    assert {"pet_peese", "begg"} & set(one.not_run), "a line through one precision is no line"
    assert np.isfinite([row.value for row in run(frame(6, precalc_g=[0.4] * 6)).results if row.value is not None]).all()


def test_subgroups_of_what_the_table_tells() -> None:
    table = frame(
        format=["ind", "grp", "ind"] * 4,
        country=["us"] * 12,
        target_group=[None, "adul"] * 6,
        rob=[4, 1, 3] * 4,
        diagnosis=["mdd", "mood"] * 6,
    )
    one = battery(table)
    assert set(one.subgroups) == {"format", "diagnosis", "risk_of_bias"}
    assert one.subgroups["risk_of_bias"].levels == ("low", "not low")
    assert "all rows have the same (us)" in one.not_run["subgroups by country"]
    assert "all rows have the same (adul)" in one.not_run["subgroups by population"]
    by_hand = meta.pool(np.array(YI)[[0, 2, 3, 5, 6, 8, 9, 11]], np.square(SE)[[0, 2, 3, 5, 6, 8, 9, 11]])
    assert one.subgroups["format"].groups.pooled["ind"].estimate == pytest.approx(by_hand.estimate, rel=1e-12)
    chosen = battery(table, subgroups=["country", "format"])
    assert set(chosen.subgroups) == {"format"}
    with pytest.raises(OptionError, match="no column 'continent'"):
        battery(table, subgroups=["continent"])


def test_years_weeks_and_times_choose_rows_and_say_so() -> None:
    table = frame(time_weeks=[4, 8, 12, 16, 52, 60, None, 12, 12, 12, 12, 12], time=["post"] * 10 + ["fu"] * 2)
    one = battery(table, window=(0, 24), times=["Post"], years=(2001, None))
    choice = one.rows_chosen.frame.set_index("study")
    assert not choice.loc[["Trial 05", "Trial 06"], "used"].any()
    assert choice.loc["Trial 07", "reason"] == "week of assessment not told"
    assert choice.loc["Trial 11", "reason"] == "assessed at another time"
    assert choice.loc["Trial 01", "reason"] == "year of publication outside the limits"
    assert one.combined.k == int(choice["used"].sum()) == len(one.study_effects.rows)
    assert len(one.rows_chosen.rules) == 3
    result = run(table, window=(0, 24))
    assert result.results.find("row_choice", "left_out").value == 3
    assert result.results.find("table", "rows").value == 12
    with pytest.raises(DataError, match="no row is left"):
        battery(table, years=(1900, 1950))
    with pytest.raises(DataError, match="does not tell the week of assessment"):
        battery(frame(), window=(0, 24))
    with pytest.raises(OptionError, match="lower limit, 30, is above"):
        battery(table, window=(30, 24))


def test_one_row_per_study_by_instrument() -> None:
    table = frame(
        6, study=["A", "A", "A", "B", "B", "C"], instrument=["phq-9", "bdi-2", "hdrs-17", "epds", "phq-9", "x"]
    )
    one = battery(table, priority=["hdrs", "bdi", "phq9"])
    rows = one.study_effects.rows
    assert list(zip(rows["study"], rows["instrument"], strict=True)) == [("A", "hdrs-17"), ("B", "phq-9"), ("C", "x")]
    reasons = dict(zip(one.rows_chosen.frame["instrument"], one.rows_chosen.frame["reason"], strict=True))
    assert reasons["hdrs-17"] == "priority 1: hdrs"
    assert reasons["bdi-2"] == "one row per study: hdrs-17 was taken"
    assert reasons["epds"] == "one row per study: phq-9 was taken"
    assert reasons["x"] == "no instrument of the priority: first row of the study"
    again = battery(table.iloc[::-1], priority=["hdrs", "bdi", "phq9"])
    assert set(again.study_effects.rows["instrument"]) == {"hdrs-17", "phq-9", "x"}


@pytest.mark.parametrize(
    ("name", "rank"), [("HAM-D17", 0), ("hdrs-24", 1), ("BDI-II", 2), ("bdi10", 3), (None, 3), ("", 3)]
)
def test_rank_of_an_instrument(name: object, rank: int) -> None:
    assert instrument_rank(name, ("hrsd17", "hdrs", "bdi-2")) == rank
    assert instrument_rank("bdi-10", ("bdi-1",)) == 1, "a family ends where its number goes on"


def test_studies_are_added_year_by_year() -> None:
    one = battery(frame())
    assert one.cumulative["year"].is_monotonic_increasing
    assert list(one.cumulative["k"]) == list(range(1, 13))
    last = one.cumulative.iloc[-1]
    assert last["estimate"] == pytest.approx(one.combined.estimate, rel=1e-9)
    without = battery(frame().drop(columns="year"))
    assert without.cumulative.empty
    assert "year" in without.not_run["cumulative"]


def test_several_times_of_assessment_are_warned_of() -> None:
    one = battery(frame(time=["post", "fu1"] * 6))
    assert any("fu1 and post" in note for note in one.notes)
    assert not any("times of assessment" in note for note in battery(frame(time=["post"] * 12)).notes)


def events(**columns: list[Any]) -> pd.DataFrame:
    base: dict[str, Any] = {
        "study": ["A", "B", "C", "D"],
        "condition_arm1": ["ipt"] * 4,
        "condition_arm2": ["cau"] * 4,
        "outcome_type": ["response"] * 4,
        "event_arm1": [30, 22, 41, 18],
        "totaln_arm1": [60, 50, 80, 40],
        "event_arm2": [15, 14, 25, 0],
        "totaln_arm2": [58, 52, 81, 38],
    }
    return pd.DataFrame(base | columns)


@pytest.mark.parametrize("measure", ["OR", "RR", "RD", "g"])
def test_numbers_needed_at_the_pooled_and_the_assumed_rate(measure: Any) -> None:
    one = battery(events(), measures=[measure], control_rate=0.25, grid=False)
    assert one.control_rate is not None
    rate = one.control_rate.rate
    assert {"pooled", "0.25"} <= set(one.nnt)
    assert ("kraemer-kupfer" in one.nnt) == (measure == "g")
    estimate = one.combined.estimate
    ratio = np.exp(estimate)
    expected = {
        "OR": rate * ratio / (1 - rate + rate * ratio) - rate,
        "RR": rate * (ratio - 1),
        "RD": estimate,
        "g": float(ipt.effects.nnt_from_smd(estimate, control_rate=rate).benefit[0]),
    }[measure]
    assert one.nnt["pooled"].benefit[0] == pytest.approx(expected, rel=1e-12)
    assert one.nnt["pooled"].benefit_low[0] <= expected <= one.nnt["pooled"].benefit_high[0]


@pytest.mark.parametrize("measure", ["OR", "RD"])
def test_bad_events_give_the_same_benefit_as_their_counterpart(measure: Any) -> None:
    """Relapse in 30 of 60 is no relapse in 30 of 60: the benefit is of one good outcome more either way."""
    table = events()
    lost = table.assign(outcome_type="relapse")
    for arm in (1, 2):
        lost[f"event_arm{arm}"] = table[f"totaln_arm{arm}"] - table[f"event_arm{arm}"]
    good, bad = (battery(part, measures=[measure], grid=False) for part in (table, lost))
    assert good.control_rate is not None
    assert bad.control_rate is not None
    assert bad.control_rate.rate == pytest.approx(good.control_rate.rate, rel=1e-12)
    for key in ("pooled", "0.2"):
        assert bad.nnt[key].benefit[0] == pytest.approx(good.nnt[key].benefit[0], rel=1e-9)
        assert bad.nnt[key].benefit_low[0] == pytest.approx(good.nnt[key].benefit_low[0], rel=1e-9)


def test_a_risk_ratio_cannot_lift_a_rate_above_one() -> None:
    table = events(event_arm1=[58, 48, 79, 38], event_arm2=[20, 15, 30, 10])
    one = battery(table, measures=["RR"], control_rate=0.9, grid=False)
    assert one.nnt["0.9"].benefit[0] == pytest.approx(0.1)


def test_risk_of_bias_by_domain() -> None:
    table = frame(4, rob2_d1=["Low", "some concerns", "HIGH", "low"], rob2_overall=["low", "some", "high", "Low risk"])
    found = battery(table).risk_of_bias
    assert found is not None
    assert found.source == "RoB 2"
    assert found.domains == ("Randomisation process", "Overall")
    assert found.to_frame()["Overall"].tolist() == ["low", "some", "high", "low"]
    assert battery(table).low_risk["low_risk"].k == 2
    one = run(table)
    groups = {"domain": "Overall", "judgement": "low"}
    assert one.results.find("risk_of_bias", "studies", groups).value == 2


def test_risk_of_bias_by_the_databanks_items_and_count() -> None:
    table = pd.DataFrame({"study": ["A", "A", "B"], "sg": ["1", "0", "1"], "ba": ["sr", "1", "0"], "rob": [3.0, 1, 2]})
    found = risk_of_bias(table)
    assert found is not None
    assert found.frame["judgement"].tolist() == ["high or unclear", "low", "low", "high or unclear"]
    assert found.counts.to_dict("records") == [{"study": "A", "low": 1.0}, {"study": "B", "low": 2.0}]
    assert risk_of_bias(pd.DataFrame({"study": ["A"], "rob": [2.0]})).source == "count of low-risk items"  # type: ignore[union-attr]
    assert risk_of_bias(pd.DataFrame({"study": ["A"]})) is None
    odd = risk_of_bias(pd.DataFrame({"study": ["A", "B"], "rob_rating": ["fine", "low"]}))
    assert odd is not None
    assert odd.notes == ("not read as a judgement: fine",)


@pytest.mark.parametrize(
    ("text", "judgement"), [("Low", "low"), (" some  concerns ", "some"), ("?", "unclear"), ("", None), (None, None)]
)
def test_words_of_a_judgement(text: object, judgement: str | None) -> None:
    assert judgement_of(text) == judgement


def test_the_profile_stands_beside_and_changes_nothing_of_ours(several: EvidenceSynthesis) -> None:
    ours = synthesise(simulate.studies())
    kept = [row for row in several.results if row.analysis != "metapsytools"]
    assert kept == list(ours.results)
    assert ours.batteries[0].profile is None
    beside = several.batteries[0].profile
    assert beside is not None
    for record in beside.frame.to_dict("records"):
        found = several.results.find("metapsytools", "estimate", {"model": record["model"]}).value
        assert found == record["estimate"]


def test_the_profile_corrects_empty_cells_by_arm() -> None:
    """The empty cell of study D: 0.5 in ours, by the size of the other arm in theirs."""
    one = battery(events(), measures=["RR"], profile="metapsytools", grid=False)
    assert one.profile is not None
    theirs = one.profile.frame.set_index("model").loc["overall", "estimate"]
    arms = [events()[name].to_numpy(float) for name in ("event_arm1", "totaln_arm1", "event_arm2", "totaln_arm2")]
    by_arm = meta.pool(ipt.effects.risk_ratio(*arms, event="good", zero_cells="treatment-arm"))
    assert theirs == pytest.approx(by_arm.estimate, rel=1e-12)
    assert one.combined.estimate != pytest.approx(by_arm.estimate, rel=1e-6)


def test_options_that_cannot_be() -> None:
    for wrong, words in (
        ({"profile": "metafor"}, "profile"),
        ({"control_rate": 1.0}, "control_rate"),
        ({"rho": 1.0}, "rho"),
        ({"priority": ["hdrs", ""]}, "priority"),
        ({"window": "0-24"}, "window"),
        ({"years": (2000, "2010")}, "years"),
        ({"measures": []}, "measures"),
    ):
        with pytest.raises(OptionError, match=words):
            run(frame(3), **wrong)


def test_a_job_keeps_every_option_and_runs_again() -> None:
    options = {"priority": ["hdrs"], "window": [0, float("inf")], "grid": False, "profile": "metapsytools"}
    flow, judgements = {"screened": 10}, {"certainty": "low"}
    job = MetaJob(options=options, flow=flow, judgements=judgements)
    again = MetaJob.from_dict(job.to_dict())
    table = ipt.load_studies(frame(time_weeks=[8] * 12))
    one, other = (each.run({"t": table}) for each in (job, again))
    assert one.results.to_json() == other.results.to_json()
    assert one.flow is not None
    assert one.batteries[0].findings is not None
    assert one.batteries[0].findings.judgements["certainty"] == "low"
    for wrong in ({"priority": "hdrs"}, {"window": [1]}, {"grid": "yes"}, {"control_rate": "0.2"}):
        with pytest.raises(OptionError, match=next(iter(wrong))):
            MetaJob(options=wrong)
    with pytest.raises(OptionError, match="flow must be a table"):
        MetaJob(flow="search.toml")  # type: ignore[arg-type]
