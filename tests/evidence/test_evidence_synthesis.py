"""The battery of analyses: what is settled, what is refused, and what it says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ipt_outcomes as ipt
from ipt_outcomes.errors import DataError, IptError, OptionError
from ipt_outcomes.evidence import MetaJob, check_given, low_risk_rows, study_effects, synthesise


def table(**columns: list[Any]) -> pd.DataFrame:
    """Three studies with means, and the columns given."""
    base: dict[str, list[Any]] = {
        "study": ["Trial A", "Trial B", "Trial C"],
        "condition_arm1": ["ipt"] * 3,
        "condition_arm2": ["cau", "wl", "cau"],
        "instrument": ["hdrs-17", "bdi-2", "phq-9"],
        "mean_arm1": [9.0, 14.0, 8.0],
        "sd_arm1": [6.0, 9.0, 5.0],
        "n_arm1": [30.0, 25.0, 40.0],
        "mean_arm2": [12.0, 19.0, 10.0],
        "sd_arm2": [6.2, 9.5, 5.1],
        "n_arm2": [31.0, 24.0, 38.0],
    }
    return pd.DataFrame(base | columns)


def test_case_12_positive_favours_ipt_whatever_the_order_and_the_scale(cases: Path) -> None:
    names = {
        "study": "study", "condition_arm1": "arm1", "condition_arm2": "arm2",
        "instrument": "measure", "better": "higher_is",
        "mean_arm1": "m1", "sd_arm1": "sd1", "n_arm1": "n1", "mean_arm2": "m2", "sd_arm2": "sd2", "n_arm2": "n2",
    }  # fmt: skip
    studies = ipt.load_studies(cases / "12-sign-follows-column-order" / "studies.csv", mapping=names)
    synthesis = synthesise(studies, convention="metafor")
    expected = [0.5863368677, 0.72723863763, 0.56409479878]
    np.testing.assert_allclose(synthesis.batteries[0].study_effects.effects.yi, expected, atol=1e-5)
    assert synthesis.batteries[0].combined.estimate == pytest.approx(0.62766147191, abs=1e-5)


def test_case_12_without_a_direction_the_sign_is_not_guessed() -> None:
    studies = ipt.load_studies(table(instrument=["hdrs-17", "a scale of ours", "another"]))
    with pytest.raises(DataError, match="a scale of ours, another") as caught:
        study_effects(studies)
    assert caught.value.column == "better"
    assert "--better" in str(caught.value)
    assert len(study_effects(studies, better="lower").rows) == 3


def test_the_most_specific_word_on_direction_wins() -> None:
    studies = ipt.load_studies(table(instrument=["who-5", "hdrs-17", "ours"], better=[None, "higher", None]))
    effects = study_effects(studies, better="lower")
    # WHO-5: the registry says higher is better. Row 2: its own word. Row 3: the argument.
    assert np.sign(effects.effects.yi).tolist() == [-1, -1, 1]
    assert effects.directions == {
        "known for the instrument": 1,
        "stated in the table": 1,
        "stated by the user": 1,
    }
    assert any("who-5" in note for note in effects.notes)


def test_case_11_is_warned_of_computed_as_entered_and_never_changed(cases: Path) -> None:
    names = {
        "mean_arm1": "mt",
        "sd_arm1": "sdt",
        "n_arm1": "nt",
        "mean_arm2": "mc",
        "sd_arm2": "sdc",
        "n_arm2": "nc",
    }
    studies = ipt.load_studies(cases / "11-se-typed-as-sd" / "studies.csv", mapping={"study": "study", **names})
    assert any("Study B" in str(warning) and "standard errors" in str(warning) for warning in studies.warnings)
    battery = synthesise(studies, better="lower", convention="metafor", by=None, towards=None).batteries[0]
    np.testing.assert_allclose(
        battery.study_effects.effects.yi, [0.60251318623, 3.0624901256, 0.46275111112], atol=1e-5
    )
    assert battery.combined.estimate == pytest.approx(1.3573734161, abs=1e-5)


def test_case_04_a_study_without_events_is_left_out_and_listed(cases: Path) -> None:
    names = {
        "event_arm1": "events_ipt",
        "totaln_arm1": "n_ipt",
        "event_arm2": "events_control",
        "totaln_arm2": "n_control",
    }
    studies = ipt.load_studies(cases / "04-or-double-zero-studies" / "studies.csv", mapping={"study": "study", **names})
    battery = synthesise(studies, measures="OR", event="bad", by=None, test="z", towards=None).batteries[0]
    np.testing.assert_allclose(battery.effects.yi, [-1.6911159434, -0.81093021622, -1.3499267169], atol=1e-5)
    assert list(battery.study_effects.not_computed["study"]) == ["S1"]
    assert "no events" in battery.study_effects.not_computed["reason"][0]
    assert battery.combined.k == 3
    assert battery.combined.estimate == pytest.approx(-1.2095916317, abs=1e-5)
    assert battery.combined.se == pytest.approx(0.53877727479, abs=1e-5)


def test_case_15_hostile_names_do_not_change_the_numbers(cases: Path) -> None:
    raw = pd.read_csv(cases / "15-hostile-names" / "studies.csv")
    renamed = raw.assign(precalc_g=raw["g"], precalc_g_se=raw["v"] ** 0.5)[["study", "precalc_g", "precalc_g_se"]]
    battery = synthesise(ipt.load_studies(renamed)).batteries[0]
    plain = ipt.meta.pool(raw["g"].to_numpy(), raw["v"].to_numpy())
    assert battery.combined.estimate == pytest.approx(plain.estimate, rel=1e-12)
    assert sorted(battery.studies["study"]) == sorted(raw["study"])


def test_each_kind_of_data_gives_its_effect_and_is_counted() -> None:
    studies = ipt.simulate.studies()
    effects = study_effects(studies)
    assert set(effects.rows["kind"]) == {"means", "change", "events", "precalc"}
    assert len(effects.rows) + len(effects.not_computed) == len(studies)
    assert list(effects.not_computed["reason"]) == ["sd_arm1, sd_arm2 missing"]
    printed = effects.rows[effects.rows["kind"] == "precalc"].iloc[0]
    assert printed["yi"] == printed["precalc_g"]
    assert np.sqrt(printed["vi"]) == pytest.approx(printed["precalc_g_se"])


def test_a_table_without_sds_says_what_is_missing() -> None:
    studies = ipt.load_studies(table().drop(columns=["sd_arm1", "sd_arm2"]))
    with pytest.raises(DataError, match=r"none of the 3 rows gives an effect.*sd_arm1, sd_arm2 missing") as caught:
        synthesise(studies)
    assert "mapping" in str(caught.value)


def test_one_study_is_shown_and_not_pooled() -> None:
    synthesis = synthesise(ipt.load_studies(table().head(1)))
    battery = synthesis.batteries[0]
    assert battery.combined.k == 1
    assert battery.leave_one_out.empty
    assert battery.egger is None
    assert any("One study" in note for note in battery.notes)


def test_a_moderator_with_one_level_is_said_not_tested() -> None:
    battery = synthesise(ipt.load_studies(table(condition_arm2=["cau"] * 3))).batteries[0]
    assert battery.comparators is not None
    assert battery.comparators.q_between is None
    assert any("nothing to compare" in note for note in battery.notes)


def test_a_column_that_is_not_there_is_an_error_with_the_columns_there_are() -> None:
    with pytest.raises(OptionError, match="no column 'formatt'") as caught:
        synthesise(ipt.load_studies(table()), by="formatt")
    assert "condition_arm2" in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"rho": 1.0},
        {"rho": -0.1},
        {"measures": "d"},
        {"convention": "cohen"},
        {"tau2": "XX"},
        {"test": "t"},
        {"better": "up"},
        {"event": "nice"},
        {"zero_cells": "zz"},
        {"measures": ()},
    ],
)
def test_options_outside_their_set_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        synthesise(ipt.load_studies(table()), **options)


def test_ratios_stand_on_their_own_scale_beside_the_logarithm() -> None:
    studies = ipt.simulate.studies()
    events = studies.comparisons[studies.comparisons["event_arm1"].notna()]
    results = synthesise(ipt.load_studies(events.drop(columns="row")), measures=["OR"]).results
    assert results.find("combined", "ratio").value == pytest.approx(np.exp(results.find("combined", "estimate").value))
    assert results.find("combined", "ratio").unit == "OR"


def test_events_of_opposite_meaning_are_not_pooled_together() -> None:
    events = pd.DataFrame(
        {
            "study": ["A", "B", "C"],
            "outcome_type": ["response", "remission", "relapse"],
            "event_arm1": [12, 14, 3], "totaln_arm1": [30, 31, 30],
            "event_arm2": [6, 8, 9], "totaln_arm2": [30, 29, 31],
        }
    )  # fmt: skip
    effects = study_effects(ipt.load_studies(events), measure="RR")
    assert list(effects.rows["study"]) == ["A", "B"]
    assert "bad news" in effects.not_computed["reason"][0]
    as_g = study_effects(ipt.load_studies(events), measure="g")
    assert (as_g.effects.yi > 0).all()


def test_low_risk_counts_numbers_and_words() -> None:
    assert low_risk_rows(pd.DataFrame({"rob": [4, 2, 3]}), 2).tolist() == [True, False, True]  # type: ignore[union-attr]
    assert low_risk_rows(pd.DataFrame({"rob_rating": ["Low", "high", None]}), 2).tolist() == [True, False, False]  # type: ignore[union-attr]
    assert low_risk_rows(pd.DataFrame({"rob": [np.nan, np.nan]}), 2) is None
    assert low_risk_rows(pd.DataFrame({"study": ["A"]}), 2) is None


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000))
def test_the_order_of_rows_and_of_arms_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = ipt.simulate.studies(8, seed=seed).comparisons.drop(columns=["row"])
    shuffled = frame.iloc[rng.permutation(len(frame))].reset_index(drop=True)
    swapped = shuffled.rename(
        columns=lambda name: name.replace("_arm1", "_armX").replace("_arm2", "_arm1").replace("_armX", "_arm2")
    ).assign(precalc_g=-shuffled["precalc_g"])
    swapped = swapped.rename(columns={"n_sessions_arm2": "n_sessions_arm1"})
    one = synthesise(ipt.load_studies(frame)).batteries[0].combined
    other = synthesise(ipt.load_studies(swapped)).batteries[0].combined
    assert other.estimate == pytest.approx(one.estimate, rel=1e-9, abs=1e-12)
    assert other.tau2 == pytest.approx(one.tau2, rel=1e-6, abs=1e-10)


def test_given_effects_are_checked_against_the_rows_numbers() -> None:
    frame = table()
    g = study_effects(ipt.load_studies(frame)).rows
    given_frame = frame.assign(**{".g": g["yi"], ".g_se": np.sqrt(g["vi"])})
    assert check_given(ipt.load_studies(given_frame)).empty
    given_frame.loc[1, ".g"] *= -1
    listed = check_given(ipt.load_studies(given_frame))
    assert list(listed["study"]) == ["Trial B"]
    assert "opposite" in listed["reason"][0]


def test_a_job_reads_back_and_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    job = MetaJob(where={"condition_arm1": ["ipt"]}, options={"rho": 0.5, "measures": ["g"]}, title="A title")
    assert MetaJob.from_dict(job.to_dict()) == job
    with pytest.raises(OptionError, match="rhoo"):
        MetaJob(options={"rhoo": 0.5})
    with pytest.raises(OptionError, match="wheree"):
        MetaJob.from_dict({"job": "meta", "wheree": {}})
    with pytest.raises(OptionError, match="meta"):
        MetaJob.from_dict({"job": "trial"})


def test_several_tables_keep_their_rows_apart() -> None:
    studies = ipt.load_studies(table())
    synthesis = synthesise({"one": studies, "two": studies})
    first = synthesis.results.find("combined", "estimate", {"comparison": "one"})
    second = synthesis.results.find("combined", "estimate", {"comparison": "two"})
    assert first.value == second.value
    assert first.id != second.id
    assert list(synthesis.to_frame()["comparison"].unique()) == ["one", "two"]


def test_every_error_is_ours() -> None:
    """Whatever is missing from a table, the user meets one of the package's errors or a result."""
    frame = table()
    outcomes = {}
    for column in frame.columns:
        try:
            outcomes[column] = synthesise(ipt.load_studies(frame.drop(columns=column))).batteries[0].combined.k
        except IptError as error:
            outcomes[column] = type(error).__name__
    lost = {"study", "instrument", *(f"{part}_arm{arm}" for part in ("mean", "sd", "n") for arm in (1, 2))}
    assert {column for column, outcome in outcomes.items() if outcome == "DataError"} == lost
    assert all(outcomes[column] == 3 for column in ("condition_arm1", "condition_arm2"))


def test_levels_are_compared_without_blanks_and_numbers_shown_whole() -> None:
    battery = synthesise(ipt.load_studies(table(condition_arm2=["cau", "cau ", " cau"]))).batteries[0]
    assert battery.comparators is not None
    assert list(battery.comparators.pooled) == ["cau"]
    battery = synthesise(ipt.load_studies(table(rob=[4.0, 2.0, None])), by="rob").batteries[0]
    assert battery.comparators is not None
    assert list(battery.comparators.pooled) == ["2", "4"]
    assert any("Rows without a rob are left out" in note for note in battery.notes)


def test_conditions_come_in_the_order_of_the_vocabulary() -> None:
    names = ["other ctr", "wl", "cbt", "something else", "cau"]
    assert ipt.evidence.in_order(pd.Series(names)) == ["wl", "cau", "other ctr", "cbt", "something else"]


@pytest.mark.parametrize(
    "column", ["yi", "vi", "flag", "kind", "level", "n_effects", "left_out", "rho", "comparison", "pooled"]
)
def test_a_column_of_the_table_may_be_called_like_one_of_ours(column: str) -> None:
    plain = synthesise(ipt.load_studies(table()), by="instrument")
    frame = table(**{column: ["x", "y", "x"]})
    tables = {"one": ipt.load_studies(frame), "two": ipt.load_studies(frame)}
    synthesis = synthesise(tables, by=column)
    assert synthesis.batteries[0].combined.estimate == plain.batteries[0].combined.estimate
    assert synthesis.batteries[0].comparator_levels == ("x", "y")


def test_large_numbers_stay_apart_and_numbers_come_by_size() -> None:
    frame = table(trial_number=[1234567, 1234568, 9])
    assert synthesise(ipt.load_studies(frame), by="trial_number").batteries[0].comparator_levels == (
        "9",
        "1234567",
        "1234568",
    )


def test_a_correlation_near_one_of_the_grid_takes_its_place() -> None:
    frame = pd.concat([table(), table(mean_arm1=[8.0, 13.0, 7.5])])
    battery = synthesise(ipt.load_studies(frame), rho=0.60000001).batteries[0]
    assert sorted({rho for rho, _ in battery.rho}) == [0.3, 0.5, 0.60000001, 0.8]


def test_nothing_is_claimed_of_a_check_that_was_not_made() -> None:
    synthesis = synthesise(ipt.load_studies(table()))
    assert list(synthesis.given.values()) == [None]
    assert not [row for row in synthesis.results if row.analysis == "given_check"]


def test_one_study_tells_nothing_of_the_variance_between_studies() -> None:
    results = synthesise(ipt.load_studies(table())).results
    assert results.find("by_comparator", "tau2", {"condition_arm2": "wl"}).value is None
    assert results.find("by_comparator", "tau2", {"condition_arm2": "cau"}).value is not None


def test_the_test_between_levels_is_given_with_both_kinds_of_standard_errors() -> None:
    frame = ipt.simulate.studies().comparisons.drop(columns="row")
    results = synthesise(ipt.load_studies(frame)).results
    levels = ["cau", "wl", "other ctr"]
    for analysis, limits in {"comparator_test": ("ci_low", "ci_high"), "comparator_test_normal": None}.items():
        pooled = [results.find("by_comparator", "estimate", {"condition_arm2": level}).value for level in levels]
        errors = [results.find("by_comparator", "se", {"condition_arm2": level}).value for level in levels]
        if limits is None:
            battery = synthesise(ipt.load_studies(frame), test="z").batteries[0]
            assert battery.comparators is not None
            errors = [battery.comparators.pooled[level].se for level in levels]
        weights = 1 / np.array(errors) ** 2
        mean = np.sum(weights * np.array(pooled)) / weights.sum()
        q = np.sum(weights * (np.array(pooled) - mean) ** 2)
        assert results.find(analysis, "q_between").value == pytest.approx(q, rel=1e-9)


def test_the_simulated_rows_are_possible() -> None:
    """Two formats of one trial share instrument and control, and every effect is one a trial might find."""
    rows = study_effects(ipt.simulate.studies()).rows
    assert rows["yi"].abs().max() < 2
    shared = rows[rows["multi_arm1"].notna()]
    assert shared[["study", "instrument", "mean_arm2", "sd_arm2", "n_arm2"]].drop_duplicates().shape[0] == 1
