"""Change by the levels of a column: values of lmerTest, and what kind of comparison it may be called."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.mixed import change_by, lmm

MODEL = {
    "outcome": "phq9",
    "by": "problem_area",
    "week": "week",
    "subject": "patient_id",
    "baseline": "baseline",
    "arm": "arm",
}


@pytest.mark.parametrize("name", ["area_trial_ipt_vs_tau", "area_ipt_trial_ipt_vs_tau", "area_ipt_trial_cbt_vs_tau"])
def test_contrasts_by_level(name: str, reference: Any, read: Any) -> None:
    case = reference(f"trial/{name}")
    arm1, arm2 = case["contrast"].split(" - ")
    found = change_by(read(case), **MODEL, arm1=arm1, arm2=arm2, at=case["last_week"], set_before=True)
    assert found.randomised
    assert found.label == "randomised comparison"
    for quantity, rows in (("slope", case["slopes"]), ("mean", case["means"])):
        own = found.contrasts[found.contrasts["quantity"].eq(quantity)].reset_index(drop=True)
        theirs = pd.DataFrame(rows)
        assert own["problem_area"].tolist() == theirs["problem_area"].tolist()
        for ours, other, rtol in (
            ("estimate", "estimate", 1e-6),
            ("se", "se", 1e-6),
            ("df", "df", 1e-3),
            ("p_adjusted", "p_holm", 1e-3),
        ):
            np.testing.assert_allclose(own[ours], theirs[other], rtol=rtol)
    test = found.test.iloc[0]
    assert test["statistic"] == pytest.approx(case["slopes_equal_over_areas"]["f"], rel=1e-6)
    assert test["den_df"] == pytest.approx(case["slopes_equal_over_areas"]["dendf"], rel=1e-3)
    assert test["p_value"] == pytest.approx(case["slopes_equal_over_areas"]["p_value"], rel=1e-3)
    shrunken, theirs = found.shrunken, case["slopes_two_stage_shrunken"]
    np.testing.assert_allclose(shrunken["mean"], theirs["mean"], rtol=1e-5)
    np.testing.assert_allclose(shrunken["tau"] ** 2, theirs["tau2"], rtol=1e-4, atol=1e-12)
    for column in ("estimate", "se", "ci_low", "ci_high"):
        np.testing.assert_allclose(shrunken[column], [row[column] for row in theirs["shrunken"]], rtol=1e-5)


@pytest.mark.parametrize("name", ["area_trial_three_way", "area_ipt_trial_three_way"])
def test_three_way_interaction(name: str, reference: Any, read: Any) -> None:
    case = reference(f"trial/{name}")
    data = read(case)
    fit = lmm(case["formula"], data)
    assert fit.log_likelihood == pytest.approx(case["loglik_reml"], rel=1e-8)
    row = fit.anova().set_index("term").loc["week:arm:problem_area"]
    assert row["statistic"] == pytest.approx(case["f_satterthwaite"]["f"], rel=1e-5)
    assert row["den_df"] == pytest.approx(case["f_satterthwaite"]["dendf"], rel=1e-3)
    full = lmm(case["formula"], data, reml=False)
    reduced = lmm("phq9 ~ (week + arm + problem_area)^2 + baseline + (week | patient_id)", data, reml=False)
    assert full.compare(reduced)["lrt"].iloc[0] == pytest.approx(case["lrt"]["chisq"], rel=1e-5)


def areas_after(frame: pd.DataFrame) -> pd.DataFrame:
    """Areas set in the IPT arm only, in the third week; two people left before."""
    frame = frame.copy()
    frame["area_set_day"] = 16.0
    other = frame["arm"].ne("IPT")
    early = frame.loc[~other, "patient_id"].unique()[:2]
    frame.loc[other | frame["patient_id"].isin(early), ["problem_area", "area_set_day"]] = np.nan
    return frame


def test_levels_set_after_randomisation_are_described_within_one_arm(trial_frame: pd.DataFrame) -> None:
    data = areas_after(trial_frame)
    found = change_by(data, **MODEL, arm1="IPT", arm2="TAU", set_day="area_set_day")
    assert not found.randomised
    assert found.label == "within IPT: not a randomised comparison"
    assert len(found.contrasts) == 0
    assert "arm" not in found.levels
    ipt = data[data["arm"].eq("IPT") & data["problem_area"].notna()]
    assert found.fit.n_groups == {"patient_id": ipt["patient_id"].nunique()}
    people = found.people.set_index("arm")
    assert people.loc["IPT", "without_level"] == 2
    assert people.loc["TAU", "people"] == people.loc["TAU", "without_level"] == 94
    assert "within IPT" in found.sentence().replace("Within", "within")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.assign(day=0.0).assign(day=lambda x: x["day"].where(x["patient_id"].ne("P0001"), 3.0)), "after"),
        (
            lambda d: d.assign(day=lambda x: np.where(x["patient_id"].eq("P0002"), np.nan, 0.0)),
            "not known for everyone",
        ),
    ],
)
def test_one_late_or_unknown_day_is_enough(change: Any, words: str, trial_frame: pd.DataFrame) -> None:
    found = change_by(change(trial_frame), **MODEL, arm1="IPT", arm2="TAU", set_day="day")
    assert not found.randomised
    assert words in found.reason


def test_without_a_word_on_when_it_was_set_arms_are_not_compared(trial_frame: pd.DataFrame) -> None:
    found = change_by(trial_frame, **MODEL, arm1="IPT", arm2="TAU")
    assert not found.randomised
    assert "not known whether" in found.reason
    assert change_by(trial_frame.assign(day=0.0), **MODEL, arm1="IPT", arm2="TAU", set_day="day").randomised


def test_no_arm_at_all(trial_frame: pd.DataFrame) -> None:
    found = change_by(trial_frame, **{**MODEL, "arm": None})
    assert not found.randomised
    assert set(found.levels["quantity"]) == {"slope", "mean"}
    assert len(found.levels) == 8


def test_what_is_wrong_is_said(trial_frame: pd.DataFrame) -> None:
    with pytest.raises(OptionError, match="TAU"):
        change_by(trial_frame, **MODEL, arm1="ipt")
    with pytest.raises(OptionError, match="problem_area"):
        change_by(trial_frame, **{**MODEL, "by": "problem_areas"})
    with pytest.raises(DesignError, match="nobody"):
        change_by(trial_frame.assign(problem_area=None), **MODEL, arm1="IPT")
    with pytest.raises(OptionError, match="the same"):
        change_by(trial_frame, **MODEL, arm1="IPT", arm2="IPT", set_before=True)
    with pytest.raises(OptionError, match="holds numbers"):
        change_by(trial_frame, **{**MODEL, "by": "visit"})
    with pytest.raises(DesignError, match="240 people"):
        change_by(trial_frame.assign(day=10), **MODEL, arm1="IPT", set_day="day", set_before=True)
    moved = trial_frame.copy()
    moved.loc[moved.index[0], "problem_area"] = "grief" if moved["problem_area"].iloc[0] != "grief" else "role_disputes"
    with pytest.raises(DesignError, match="1 people"):
        change_by(moved, **MODEL, arm1="IPT", set_before=True)
    one = trial_frame[trial_frame["problem_area"].eq("grief")]
    with pytest.raises(DesignError, match="one level"):
        change_by(one, **MODEL, arm1="IPT", set_before=True)


def test_the_straight_line_gives_change_in_points(trial_frame: pd.DataFrame) -> None:
    found = change_by(trial_frame, **MODEL, arm1="IPT", arm2="TAU", set_before=True, since=2, at=10)
    slopes = found.levels[found.levels["quantity"].eq("slope")].reset_index(drop=True)
    merged = found.changes.merge(slopes, on=["problem_area", "arm"], suffixes=("", "_slope"))
    assert len(merged) == len(found.changes) == 12
    np.testing.assert_allclose(merged["estimate"], 8 * merged["estimate_slope"], rtol=1e-8)
    np.testing.assert_allclose(merged["df"], merged["df_slope"], rtol=1e-6)


def test_levels_are_compared_with_each_other(trial_frame: pd.DataFrame) -> None:
    found = change_by(trial_frame, **MODEL, arm1="IPT", arm2="TAU", set_before=True)
    own = found.contrasts[found.contrasts["quantity"].eq("slope")].set_index("problem_area")["estimate"]
    between = found.between.set_index("contrast")
    assert len(between) == 6
    assert set(between["arms"]) == {"IPT - TAU"}
    row = between.loc["role_transitions - grief"]
    assert row["estimate"] == pytest.approx(own["role_transitions"] - own["grief"], rel=1e-9)
    assert (between["p_adjusted"] >= between["p_value"]).all()
    plain = change_by(trial_frame, **{**MODEL, "arm": None})
    slopes = plain.levels[plain.levels["quantity"].eq("slope")].set_index("problem_area")["estimate"]
    row = plain.between.set_index("contrast").loc["role_disputes - grief"]
    assert row["estimate"] == pytest.approx(slopes["role_disputes"] - slopes["grief"], rel=1e-9)


@pytest.mark.parametrize("time", ["log", "spline"])
def test_other_courses(time: Any, trial_frame: pd.DataFrame) -> None:
    """What is reported is what the model for that course says of its means."""
    found = change_by(trial_frame, **{**MODEL, "arm": None}, time=time, since=1, at=12)
    assert set(found.levels["quantity"]) == {"change", "mean"}
    means = found.fit.means("problem_area", at={"week": [1, 12]}, weights="proportional")
    for row in found.changes.to_dict("records"):
        own = means[means["problem_area"].eq(row["problem_area"])].set_index("week")["estimate"]
        assert row["estimate"] == pytest.approx(own[12] - own[1], rel=1e-8)
    assert "changes are not shown to differ" in found.sentence() or "changes differ" in found.sentence()
    assert "Satterthwaite" in found.sentence()
    assert len(found.trajectories(5)) == 4 * 5


def test_a_mean_of_its_own_at_every_visit(trial_frame: pd.DataFrame) -> None:
    data = trial_frame[trial_frame["visit"].isin([1, 4, 8, 12])]
    found = change_by(data, **{**MODEL, "arm": None, "week": "visit"}, time="visit")
    assert found.fit.covariance_structure == "unstructured"  # type: ignore[attr-defined]
    assert found.fit.df_method == "kenward-roger"
    assert (found.since, found.at) == (1, 12)
    assert len(found.trajectories()) == 16
    assert "Kenward and Roger" in found.sentence("grief")
    with pytest.raises(DesignError, match="no visits"):
        change_by(trial_frame, **{**MODEL, "arm": None}, time="visit")


def test_standardised_change_names_its_sd(trial_frame: pd.DataFrame) -> None:
    found = change_by(trial_frame, **MODEL, arm1="IPT", arm2="TAU", set_before=True)
    used = trial_frame.dropna(subset=["phq9"]).drop_duplicates("patient_id")
    sd = used["baseline"].std()
    assert set(found.standardised["sd_of"]) == {f"SD of baseline of the {len(used)} people in the model"}
    change = found.standardised[found.standardised["quantity"].eq("change")]
    np.testing.assert_allclose(change["estimate"], found.changes["estimate"] / sd, rtol=1e-12)
    assert set(found.standardised["quantity"]) == {"change", "difference of changes"}
    assert set(change_by(trial_frame, **{**MODEL, "arm": None}, sd=5.0).standardised["sd_of"]) == {"SD as given"}
    with pytest.raises(OptionError, match="above 0"):
        change_by(trial_frame, **{**MODEL, "arm": None}, sd=0.0)


def test_sentences_name_degrees_of_freedom_and_method(trial_frame: pd.DataFrame) -> None:
    found = change_by(trial_frame, **MODEL, arm1="IPT", arm2="TAU", set_before=True, df="kenward-roger")
    assert "F(3, " in found.sentence()
    assert "restricted maximum likelihood, Kenward and Roger" in found.sentence()
    text = found.sentence("grief")
    row = found.contrasts.set_index(["quantity", "problem_area"]).loc[("slope", "grief")]
    assert f"t({row['df']:.1f})" in text
    assert "IPT - TAU" in text
    with pytest.raises(OptionError, match="grief, "):
        found.sentence("loss")


def test_the_frame_of_a_cohort_is_understood_as_it_is() -> None:
    from ipt_outcomes import simulate

    frame = simulate.trial().outcome("phq9")
    found = change_by(frame, baseline="baseline", arm="arm", arm1="ipt")
    assert found.randomised
    late = frame.assign(area_set_day=14.0)
    assert not change_by(late, baseline="baseline", arm="arm", arm1="ipt").randomised
    with pytest.raises(DesignError, match="declared"):
        change_by(late, arm="arm", arm1="ipt", set_before=True, set_day="area_set_day")


def test_trajectories_are_drawn(trial_frame: pd.DataFrame) -> None:
    found = change_by(trial_frame, **MODEL, arm1="IPT", arm2="TAU", set_before=True)
    first = found.plot()
    assert len(first.get_figure().axes) == 4
    assert first.get_title() == "grief"
    assert len(first.get_lines()) == 3
    assert found.plot(kind="change").get_xlabel() == "Difference in slope (95% CI)"
    assert len(change_by(trial_frame, **{**MODEL, "arm": None}).plot().get_lines()) == 4
