"""What the design of a trial asks of the analysis: strata, the end point on real days, planned visits, baselines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes.errors import ConvergenceError, OptionError
from ipt_outcomes.instruments import responded
from ipt_outcomes.io import load_cohort
from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.trial import TrialAnalysis, TrialJob, analyse, flow
from ipt_outcomes.trial import model as trial_model

Make = Callable[..., Cohort]
WEEKS = (4.0, 8.0, 12.0)


def made(n: int = 80, seed: int = 5, weeks: tuple[float, ...] = WEEKS) -> tuple[pd.DataFrame, pd.DataFrame]:
    """People of two arms in three strata of which scores depend, and scores."""
    rng = np.random.default_rng(seed)
    people = pd.DataFrame({"patient_id": [f"p{k:03d}" for k in range(n)], "arm": ["ipt", "usual_care"] * (n // 2)})
    people["stratum"] = np.array(["mild", "mild", "moderate", "moderate", "moderate", "severe"])[np.arange(n) % 6]
    own = people["stratum"].map({"mild": 0.0, "moderate": 3.0, "severe": 7.0}).to_numpy() + rng.normal(0, 1.5, n)
    start = np.clip(np.round(12 + rng.normal(0, 2, n)), 1, 27)
    rows = [pd.DataFrame({"patient_id": people["patient_id"], "week": 0.0, "value": start})]
    for week in weeks:
        fall = week * np.where(people["arm"].eq("ipt"), 0.6, 0.3)
        value = np.clip(np.round(10 + own - fall + rng.normal(0, 2, n)), 0, 27)
        rows.append(pd.DataFrame({"patient_id": people["patient_id"], "week": week, "value": value}))
    return people, pd.concat(rows, ignore_index=True)


@pytest.fixture(scope="module")
def stratified(cohort_of: Make) -> TrialAnalysis:
    return analyse(cohort_of(*made()))


def test_strata_are_in_the_mixed_model_as_another_program_has_them(stratified: TrialAnalysis) -> None:
    sm = pytest.importorskip("statsmodels.formula.api")
    people, scores = made()
    first = scores[scores["week"].eq(0)].set_index("patient_id")["value"].rename("baseline")
    frame = scores[scores["week"] > 0].merge(people, on="patient_id").join(first, on="patient_id")
    frame["ipt"] = frame["arm"].eq("ipt").astype(float)
    frame["left"] = frame["week"] - 12
    formula = "value ~ left*ipt + baseline + C(stratum)"
    other = sm.mixedlm(formula, frame, groups=frame["patient_id"], re_formula="~week").fit(reml=True, method="lbfgs")
    item = stratified.comparisons[0]
    assert item.difference["estimate"] == pytest.approx(other.fe_params["ipt"], rel=1e-3)
    assert item.difference["se"] == pytest.approx(other.bse_fe["ipt"], rel=1e-2)
    assert not isinstance(stratified.model, str)
    assert "+ baseline + stratum" in stratified.model.formula
    assert stratified.options.strata == "stratum"
    assert any("Strata" in note for note in stratified.notes)


def test_strata_are_in_the_analysis_of_covariance(stratified: TrialAnalysis, cohort_of: Make) -> None:
    smf = pytest.importorskip("statsmodels.formula.api")
    people, scores = made()
    wide = scores.pivot(index="patient_id", columns="week", values="value").rename(columns={0.0: "b", 12.0: "y"})
    frame = people.set_index("patient_id").join(wide)
    frame["ipt"] = frame["arm"].eq("ipt").astype(float)
    other = smf.ols("y ~ ipt + b + C(stratum)", frame).fit()
    effect = stratified.comparisons[0].effects["ancova", "endpoint"]
    assert effect.difference == pytest.approx(other.params["ipt"], rel=1e-10)
    assert effect.difference_se == pytest.approx(other.bse["ipt"], rel=1e-10)
    one = analyse(cohort_of(people, scores[scores["week"].isin([0.0, 12.0])]))
    assert one.comparisons[0].difference["estimate"] == pytest.approx(other.params["ipt"], rel=1e-10)
    # Means stand at the mean of every covariate: that of an arm's fitted values over everybody.
    as_ipt = other.predict(frame.assign(ipt=1.0)).mean()
    mean = one.model.means([12.0]).set_index("arm").loc["ipt", "estimate"]  # type: ignore[union-attr]
    assert mean == pytest.approx(as_ipt, rel=1e-10)


def test_strata_are_in_the_models_by_area_unless_they_are_the_same_division(cohort_of: Make) -> None:
    people, scores = made(n=120)
    people["problem_area_primary"] = np.where(np.arange(120) // 2 % 2, "grief", "role_dispute")
    people["sex"] = np.where(people["stratum"].eq("mild"), "f", "m")
    found = analyse(cohort_of(people, scores, area_set="before"))
    assert found.areas.randomised
    assert "+ baseline + stratum" in found.areas.parts[0].formula
    within = analyse(cohort_of(people, scores))
    assert "+ baseline + stratum" in within.areas.parts[0].formula
    same = analyse(cohort_of(people, scores), by="stratum")
    assert "+ stratum" not in same.areas.parts[0].formula.replace("value ~ week*arm*area", "")
    assert "same division" in same.areas.method
    # Strata within the sexes: a difference of arms can be told, and holds them.
    split = analyse(cohort_of(people, scores), by="sex")
    assert split.areas.randomised
    assert split.areas.parts[0].lines["estimate"].notna().all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda people: people.assign(stratum=people["stratum"].where(people.index > 1, "rare")), "fewer than 5"),
        (lambda people: people.assign(stratum=people["stratum"].where(people.index % 9 > 0)), "not known"),
        (
            lambda people: people.assign(stratum=people["stratum"].mask(people["arm"].eq("ipt"), "only ipt")),
            "links the arms",
        ),
        (lambda people: people.assign(stratum="all"), "Only one stratum"),
        (
            lambda people: people.assign(
                stratum=people["stratum"].mask(people["arm"].eq("ipt") & people["stratum"].eq("mild"), "moderate")
            ),
            "Strata of the randomisation are",
        ),
    ],
)
def test_odd_strata_stop_nothing_and_lose_nobody(
    cohort_of: Make, change: Callable[[pd.DataFrame], pd.DataFrame], words: str
) -> None:
    people, scores = made()
    found = analyse(cohort_of(change(people), scores))
    assert any(words in note for note in found.notes), found.notes
    assert not isinstance(found.model, str)
    assert sum(found.model.people.values()) == 80
    assert found.model.fit.n_obs == 240
    assert np.isfinite(found.comparisons[0].difference["estimate"])


def test_strata_can_be_named_and_are_kept_in_the_job(cohort_of: Make) -> None:
    people, scores = made()
    people = people.rename(columns={"stratum": "site_id"})
    cohort = cohort_of(people, scores)
    assert analyse(cohort).options.strata == ""
    named = analyse(cohort, strata="site")
    assert named.options.strata == "site"
    again = TrialJob(options=named.options.to_dict()).run(cohort)
    assert [row.to_dict() for row in again.results] == [row.to_dict() for row in named.results]
    with pytest.raises(OptionError, match="no column 'region'"):
        analyse(cohort, strata="region")
    without = analyse(cohort_of(*made()), strata="")
    assert any("no model holds them" in note for note in without.notes)


def on_days(late: bool = True) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Visits about weeks 4, 8 and 12, a week off either way; two people come once more, at weeks 20 and 31."""
    people, scores = made(n=60, weeks=WEEKS)
    rng = np.random.default_rng(1)
    later = scores["week"] > 0
    scores.loc[later, "week"] += np.round(rng.uniform(-7, 7, int(later.sum()))) / 7
    if late:
        more = pd.DataFrame({"patient_id": ["p000", "p001"], "week": [20.3, 31.1], "value": [5.0, 8.0]})
        scores = pd.concat([scores, more], ignore_index=True)
    return people.drop(columns="stratum"), scores


def test_stragglers_do_not_set_the_end_point(cohort_of: Make) -> None:
    found = analyse(cohort_of(*on_days()))
    assert (found.end.key, found.options.window) == ("12", 2.0)
    assert found.flow.arms["observed_at_last_visit"].tolist() == [30, 30, 60]
    assert any("at least half" in note and "within 2 weeks" in note for note in found.notes)
    assert "60 of 60 randomised observed there" in found.summary()
    # The score of each person is the one nearest to week 12.
    people, scores = on_days()
    near = scores.assign(off=(scores["week"] - 12).abs()).query("off <= 2").sort_values("off")
    nearest = near.drop_duplicates("patient_id").set_index("patient_id")["value"]
    observed = found.trajectory.observed.query("visit == '12'").set_index("arm")
    for arm in ("ipt", "usual_care"):
        mine = nearest[people.loc[people["arm"].eq(arm), "patient_id"]]
        assert observed.loc[arm, "mean"] == pytest.approx(mine.mean(), rel=1e-12)


def test_the_end_point_and_its_window_can_be_chosen(cohort_of: Make) -> None:
    cohort = cohort_of(*on_days())
    early = analyse(cohort, at=8, window=1)
    assert (early.end.key, early.options.window) == ("8", 1.0)
    assert analyse(cohort, at="week 31").flow.arms["observed_at_last_visit"].iloc[-1] == 1
    job = TrialJob(options=early.options.to_dict())
    assert not job.option_faults()
    assert job.run(cohort).options == early.options
    with pytest.raises(OptionError, match="nobody has a score within 1 weeks of week 26"):
        flow(cohort, "phq9", at=26, window=1)
    with pytest.raises(OptionError, match=r"from 0\.5 on"):
        analyse(cohort, window=0)
    with pytest.raises(OptionError, match="window is for scores on real days"):
        analyse(cohort_of(*made()), window=2)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), late=st.integers(0, 5))
def test_the_end_point_on_real_days_is_attended(seed: int, late: int) -> None:
    from ipt_outcomes.trial.windows import last_attended, placed, window_of

    rng = np.random.default_rng(seed)
    plan = np.concatenate([np.full(40, week) + np.round(rng.normal(0, 4, 40)) / 7 for week in (6, 12, 18)])
    frame = pd.DataFrame({"patient_id": np.tile(np.arange(40), 3), "week": plan})
    more = pd.DataFrame({"patient_id": np.arange(late), "week": 30.0 + rng.uniform(0, 60, late)})
    scored = pd.concat([frame, more], ignore_index=True)
    width = window_of(scored)
    end = last_attended(scored, width)
    assert abs(end - 18) <= 1
    rows = placed(scored.assign(value=1.0), end, width)
    assert rows.eq(end).sum() == scored[(scored["week"] - end).abs() <= width]["patient_id"].nunique()
    assert not scored.assign(k=rows).dropna().duplicated(["patient_id", "k"]).any()
    mixed = scored.sample(frac=1, random_state=seed)
    assert last_attended(mixed, width) == end


def planned_rows(cohort_of: Make) -> Cohort:
    people, scores = made()
    scores["visit"] = scores["week"].map({0.0: "start", 4.0: "week_4", 8.0: "end_of_treatment", 12.0: "follow_up"})
    scores["value_status"] = np.where(scores["week"].eq(12), "not_done", "observed")
    scores.loc[scores["week"].eq(12), "value"] = np.nan
    return cohort_of(people, scores)


def test_a_planned_visit_without_scores_is_seen(cohort_of: Make) -> None:
    found = analyse(planned_rows(cohort_of))
    assert found.end.key == "end_of_treatment"
    assert any("follow up (week 12), cannot be the end point" in note and "end of treatment (week 8)" in note
               for note in found.notes)  # fmt: skip
    counts = found.flow.visits.query("visit == 'follow_up'")
    assert counts[["attended", "observed"]].to_numpy().sum() == 0
    assert len(counts) == 3
    assert [visit.key for visit in found.visits] == ["week_4", "end_of_treatment", "follow_up"]
    assert found.results.find("flow_visit", "observed", {"arm": "ipt", "visit": "follow_up"}).value == 0
    assert found.flow.arms["complete_at_all_visits"].iloc[-1] == 80
    with pytest.raises(OptionError, match="nobody has a score at follow up"):
        analyse(planned_rows(cohort_of), at="follow_up")
    named = analyse(planned_rows(cohort_of), at="week_4")
    assert any("Planned, but nobody has a score there: follow up" in note for note in named.notes)


@pytest.mark.parametrize("long", [True, False])
def test_a_planned_visit_without_scores_is_seen_from_a_file(long: bool) -> None:
    people, scores = made()
    names = {0.0: "baseline", 4.0: "week_4", 8.0: "week_8", 12.0: "month_6"}
    scores["visit"] = scores["week"].map(names)
    scores.loc[scores["week"].eq(12), "value"] = np.nan
    mapping: dict[str, Any] = {"visits": {"baseline": 0, "week_4": 4, "week_8": 8, "month_6": 26}}
    if long:
        table = scores.merge(people, on="patient_id").rename(columns={"value": "phq9"}).drop(columns="week")
    else:
        wide = scores.pivot(index="patient_id", columns="visit", values="value").add_prefix("phq9_")
        table = people.merge(wide.reset_index(), on="patient_id")
        mapping["wide"] = {"phq9": {name: f"phq9_{name}" for name in names.values()}}
    found = analyse(load_cohort(table, mapping))
    assert any("month 6 (week 26), cannot be the end point" in note for note in found.notes), found.notes
    assert found.end.week == 8
    assert found.flow.visits.query("visit == 'month_6'")["observed"].sum() == 0


def test_people_without_an_arm_are_counted(cohort_of: Make) -> None:
    people, scores = made()
    people.loc[[3, 7, 8], "arm"] = None
    found = analyse(cohort_of(people, scores))
    assert found.flow.without_arm == 3
    assert found.results.find("flow", "without_arm").value == 3
    assert found.results.find("flow", "people").value == 80
    assert found.results.find("flow", "randomised").value == 77
    assert any("arm is not known" in note for note in found.notes)
    assert not any(ch.isdigit() for note in found.notes if "arm is not known" in note for ch in note)
    seen = found.protected("public")
    shown = [seen.find("flow", name).value for name in ("without_arm", "people", "randomised")]
    assert shown[0] is None
    assert shown[1:].count(None) >= 1


def test_a_baseline_that_is_the_same_for_everybody_is_no_covariate(cohort_of: Make) -> None:
    people, scores = made()
    scores.loc[scores["week"].eq(0), "value"] = 20.0
    found = analyse(cohort_of(people, scores))
    assert not isinstance(found.model, str)
    assert "baseline" not in found.model.formula
    assert any("baseline is the same for everybody" in note for note in found.notes)
    assert found.comparisons[0].effect is not None
    assert found.comparisons[0].gap == ""
    one = analyse(cohort_of(people, scores[scores["week"].isin([0.0, 8.0])]))
    assert one.model.formula == "value ~ arm + stratum"  # type: ignore[union-attr]
    assert one.comparisons[0].effect is not None


def test_a_report_goes_on_without_a_model(cohort_of: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise ConvergenceError("nothing converged", attempts=["start 1: lost", "start 2: lost"])

    monkeypatch.setattr(trial_model, "lmm", fails)
    monkeypatch.setattr(trial_model, "ancova_with_strata", lambda *_, **__: "value ~ arm: too few people")
    found = analyse(cohort_of(*made()))
    assert isinstance(found.model, str)
    for words in ("start 2: lost", "value ~ arm: too few people", "(week | patient_id)", "(1 | patient_id)"):
        assert words in found.model
    assert found.comparisons[0].difference == {}
    assert len(found.response.rates) == 6


@pytest.mark.parametrize(("lacking", "randomised"), [(4, True), (5, False)])
def test_areas_that_a_tenth_of_an_arm_lacks_are_compared_and_no_more(
    cohort_of: Make, lacking: int, randomised: bool
) -> None:
    people, scores = made()
    area = pd.Series(np.where(np.arange(80) // 2 % 2, "grief", "role_dispute"), dtype=object)
    mine = people.index[people["arm"].eq("usual_care")][:lacking]
    area[mine] = None
    found = analyse(cohort_of(people.assign(problem_area_primary=area), scores, area_set="before"))
    assert found.areas.randomised is randomised


@pytest.mark.parametrize(("lacking", "expected"), [(4, "before"), (5, "unknown")])
def test_a_declaration_that_many_lack_an_area_against_is_not_taken(lacking: int, expected: str) -> None:
    people, scores = made()
    area = pd.Series(np.where(np.arange(80) // 2 % 2, "grief", "role_dispute"), dtype=object)
    area[people.index[people["arm"].eq("usual_care")][:lacking]] = None
    table = scores.merge(people.assign(problem_area=area), on="patient_id").rename(columns={"value": "phq9"})
    cohort = load_cohort(table, {"areas": {"set": "before"}})
    assert cohort.area_set == expected
    told = [note for note in cohort.notes if "usual care" in note and "tenth" in note]
    assert len(told) == (expected == "unknown")


def test_neither_the_order_of_rows_nor_keys_change_a_bit_of_any_result(cohort_of: Make) -> None:
    people, scores = made()
    people["problem_area_primary"] = np.where(np.arange(80) // 2 % 2, "grief", "role_dispute")
    first = analyse(cohort_of(people, scores, area_set="before"))
    names = dict(zip(people["patient_id"], np.random.default_rng(2).permutation(people["patient_id"]), strict=True))
    mixed = [frame.sample(frac=1, random_state=3).assign(patient_id=lambda rows: rows["patient_id"].map(names))
             for frame in (people, scores)]  # fmt: skip
    second = analyse(cohort_of(*mixed, area_set="before"))
    one, two = ({row.id: row.value for row in found.results} for found in (first, second))
    assert one.keys() == two.keys()
    differing = [name for name in one if one[name] != two[name] and not (pd.isna(one[name]) and pd.isna(two[name]))]
    assert differing == []


@settings(max_examples=50, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=20),
    share=st.sampled_from([0.2, 0.3, 0.5, 0.7, 1.0]),
    low=st.sampled_from([0, 10, 17]),
)
def test_a_scale_moved_or_turned_round_has_the_same_responders(
    pairs: list[tuple[int, int]], share: float, low: int
) -> None:
    before, after = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    plain = responded(before, after, better="lower", minimum=0, share=share)
    moved = responded(before + low, after + low, better="lower", minimum=low, share=share)
    turned = responded(100 - before, 100 - after, better="higher", maximum=100, share=share)
    by_hand = [bool(b > 0 and 10 * a <= round(10 * (1 - share)) * b) for b, a in pairs]
    assert plain.tolist() == moved.tolist() == turned.tolist() == by_hand


def test_response_is_measured_from_the_end_of_the_scale(cohort_of: Make) -> None:
    people, scores = made()
    raised = scores.assign(value=scores["value"] + 17)
    found = analyse(cohort_of(people, raised, instrument="cdrs_r"))
    plain = analyse(cohort_of(people, scores))
    assert found.response.rates["responders"].tolist() == plain.response.rates["responders"].tolist()
    assert "lowest score of the scale, 17" in found.response.rule
    unknown = analyse(cohort_of(people, scores, instrument="iip32"))
    assert unknown.response.rates.empty
    assert "not known" in unknown.response.rule
    assert "not known" in unknown.summary()
    assert unknown.response.gap
