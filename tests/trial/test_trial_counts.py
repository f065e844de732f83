"""Flow and response against reference counts, rates and intervals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.effects import newcombe, wilson
from ipt_outcomes.errors import DataError, DesignError, OptionError
from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.trial import Flow, Response, flow, response
from ipt_outcomes.trial.response import count_responses

ARMS = {"TAU": "usual_care", "IPT": "ipt", "CBT": "cbt"}


@pytest.fixture(scope="module")
def counted(trial_cohort: Cohort) -> Flow:
    return flow(trial_cohort, "phq9")


@pytest.mark.parametrize("arm", ["all", "TAU", "IPT", "CBT"])
def test_flow_counts(counted: Flow, reference: Any, arm: str) -> None:
    stored = reference("trial/flow_ipt_trial")
    expected = stored["all"] if arm == "all" else stored["by_arm"][arm]
    name = ARMS.get(arm, "all")
    row = counted.arms.set_index("arm").loc[name]
    for count in set(expected) - {"last_attended_visit", "observed_by_visit"}:
        assert row[count] == expected[count], count
    visits = counted.visits[counted.visits["arm"].eq(name)].set_index("visit")
    for visit, n in expected["observed_by_visit"].items():
        assert visits.loc[visit, "observed"] == n
    for visit, n in expected["last_attended_visit"].items():
        assert visits.loc[visit, "last_attended"] == n
    assert visits["last_attended"].sum() == expected["randomised"]


def test_an_earlier_end_point_moves_only_the_counts_of_the_end_point(trial_cohort: Cohort, counted: Flow) -> None:
    early = flow(trial_cohort, "phq9", at=6)
    assert early.last_visit.key == "6"
    pd.testing.assert_frame_equal(early.visits, counted.visits)
    assert early.arms["observed_at_last_visit"].tolist() == [
        counted.visits.query("visit == '6' and arm == @arm")["observed"].item() for arm in early.arms["arm"]
    ]


def test_flow_in_one_frame(counted: Flow) -> None:
    frame = counted.to_frame()
    assert set(frame["statistic"]) >= {"randomised", "observed", "last_attended"}
    assert "randomised" in counted.summary()


@pytest.mark.parametrize("other", ["ipt", "cbt"])
@pytest.mark.parametrize("rule", ["completer", "non_responder", "locf"])
def test_response_against_reference(trial_cohort: Cohort, reference: Any, other: str, rule: str) -> None:
    stored = reference(f"trial/response_trial_{other}_vs_tau")[rule]
    if other == "cbt":
        # Only arms with IPT are compared by `response`; the counts and formulas are the same for any pair.
        from ipt_outcomes.trial.data import trial_data
        from ipt_outcomes.trial.response import response_of

        data = trial_data(trial_cohort, "phq9")
        made = response_of(data, data.visits[-1], threshold=0.5, better="lower", level=0.95)
        rates = made.rates[made.rates["rule"].eq(rule)].set_index("arm")
        frame = pd.DataFrame(
            [("cbt", b, v, v) for b, v in [(10.0, 4.0)] * int(rates.loc["cbt", "responders"])]
            + [("cbt", 10.0, 9.0, 9.0)] * int(rates.loc["cbt", "denominator"] - rates.loc["cbt", "responders"])
            + [("usual_care", 10.0, 4.0, 4.0)] * int(rates.loc["usual_care", "responders"])
            + [("usual_care", 10.0, 9.0, 9.0)]
            * int(rates.loc["usual_care", "denominator"] - rates.loc["usual_care", "responders"]),
            columns=["arm", "baseline", "value", "last"],
        )
        made_pair = count_responses(frame, arms=["usual_care", "cbt"], pairs=[("cbt", "usual_care")], better="lower")
        rows = made_pair.comparisons[made_pair.comparisons["rule"].eq("non_responder")]
    else:
        made = response(trial_cohort, "phq9", threshold=0.5)
        rates = made.rates[made.rates["rule"].eq(rule)].set_index("arm")
        rows = made.comparisons[made.comparisons["rule"].eq(rule) & made.comparisons["arm2"].eq("usual_care")]
    check_rates(rates, stored, other, "usual_care")
    check_comparison(rows.set_index("measure"), stored)


def check_rates(rates: pd.DataFrame, stored: dict[str, Any], arm1: str, arm2: str) -> None:
    for number, arm in ((1, arm1), (2, arm2)):
        row = rates.loc[arm]
        assert row["responders"] == stored[f"event_arm{number}"]
        assert row["denominator"] == stored[f"totaln_arm{number}"]
        assert row["rate"] == pytest.approx(stored[f"rate_arm{number}"], rel=1e-9)
        assert [row["ci_low"], row["ci_high"]] == pytest.approx(stored[f"rate_arm{number}_wilson"], rel=1e-9)


def check_comparison(rows: pd.DataFrame, stored: dict[str, Any]) -> None:
    for measure, name in (("OR", "odds_ratio"), ("RR", "risk_ratio")):
        for field, key in (("estimate", "estimate"), ("se", "se_log"), ("ci_low", "ci_low"), ("ci_high", "ci_high")):
            assert rows.loc[measure, field] == pytest.approx(stored[name][key], rel=1e-9)
        assert rows.loc[measure, "p_value"] == pytest.approx(stored[name]["p_value"], rel=1e-9)
    difference = stored["risk_difference"]
    row = rows.loc["RD"]
    assert row["estimate"] == pytest.approx(difference["estimate"], rel=1e-9)
    assert [row["ci_low"], row["ci_high"]] == pytest.approx(difference["newcombe"], rel=1e-9)
    assert [row["wald_low"], row["wald_high"]] == pytest.approx(difference["wald"], rel=1e-9)


@pytest.mark.shared
@pytest.mark.parametrize("rule", ["completer", "non_responder", "locf"])
def test_response_in_beat_the_blues(shared: Path, rule: str) -> None:
    import json

    stored = json.loads((shared / "reference/trial/response_beat_the_blues_2m.json").read_text(encoding="utf-8"))
    raw = pd.read_csv(shared / "data/clinic/beat_the_blues.csv")
    frame = pd.DataFrame(
        {"arm": raw["treatment"], "baseline": raw["bdi.pre"], "value": raw["bdi.2m"], "last": raw["bdi.2m"]}
    )
    made = count_responses(frame, arms=["TAU", "BtheB"], pairs=[("BtheB", "TAU")], better="lower")
    check_rates(made.rates[made.rates["rule"].eq(rule)].set_index("arm"), stored[rule], "BtheB", "TAU")
    check_comparison(made.comparisons[made.comparisons["rule"].eq(rule)].set_index("measure"), stored[rule])
    assert made.rates.set_index("arm").loc["TAU", "missing"].tolist() == [3, 3, 3]


@pytest.mark.shared
def test_attrition_and_response_in_browne(shared: Path, cohort_of: Callable[..., Cohort]) -> None:
    import json

    stored = json.loads((shared / "reference/clinic/attrition_browne_madrs.json").read_text(encoding="utf-8"))
    cohort = browne(shared, cohort_of)
    counted = flow(cohort, "madrs", at="month_6")
    rates = response(cohort, "madrs", at="month_6").rates
    names = {"med": "medication", "ipt+med": "ipt_medication", "ipt": "ipt"}
    for row in stored["rows"]:
        arm = names[row["arm"]]
        visits = counted.visits[counted.visits["arm"].eq(arm)].set_index("visit")["observed"]
        assert visits.loc[["baseline", "month_6", "year_1", "year_2"]].tolist() == [
            row["base"],
            row["m6"],
            row["y1"],
            row["y2"],
        ]
        mine = rates[rates["arm"].eq(arm)].set_index("rule")
        assert mine.loc["completer", "responders"] == row["resp6_oc"]
        assert 100 * mine.loc["non_responder", "rate"] == pytest.approx(row["resp6_nri_pct"], rel=1e-9)
        assert mine.loc["non_responder", "missing"] == row["n"] - row["m6"]


def browne(shared: Path, cohort_of: Callable[..., Cohort]) -> Cohort:
    raw = pd.read_csv(shared / "data/clinic/browne_simulated_missing_data.csv")
    raw["patient_id"] = raw["id"].astype(str)
    people = raw[["patient_id"]].assign(arm=raw["group"].map({1: "medication", 2: "ipt_medication", 3: "ipt"}))
    visits = {
        "madrsv1": ("baseline", 0),
        "madrst2": ("month_6", 26),
        "madrst3": ("year_1", 52),
        "madrst4": ("year_2", 104),
    }
    scores = pd.concat(
        [
            raw[["patient_id"]].assign(value=raw[column], visit=name, week=float(week))
            for column, (name, week) in visits.items()
        ]
    )
    return cohort_of(people, scores.dropna(subset="value"), instrument="madrs")


def small(cohort_of: Callable[..., Cohort], **changes: Any) -> Cohort:
    """Twelve people in two arms, a baseline and two visits."""
    ids = [f"p{n:02d}" for n in range(12)]
    people = pd.DataFrame({"patient_id": ids, "arm": ["ipt", "usual_care"] * 6})
    scores = pd.DataFrame(
        [(p, week, 20.0 - week - n % 5) for n, p in enumerate(ids) for week in (0.0, 4.0, 8.0)],
        columns=["patient_id", "week", "value"],
    )
    people = people.assign(**changes.pop("people", {}))
    return cohort_of(people, changes.pop("scores", lambda frame: frame)(scores), **changes)


def test_refusals_say_what_was_found_and_how_to_go_on(cohort_of: Callable[..., Cohort]) -> None:
    with pytest.raises(DesignError, match="at least two arms to compare; found interpersonal psychotherapy") as caught:
        flow(small(cohort_of, people={"arm": "ipt"}), "phq9")
    assert "[columns]" in str(caught.value)
    with pytest.raises(DesignError, match="expected an arm with interpersonal psychotherapy; found usual care and cog"):
        flow(small(cohort_of, people={"arm": ["cbt", "usual_care"] * 6}), "phq9")
    with pytest.raises(DesignError, match="without interpersonal psychotherapy to compare with"):
        flow(small(cohort_of, people={"arm": ["ipt", "ipt_medication"] * 6}), "phq9")
    with pytest.raises(DesignError, match="found none"):
        flow(small(cohort_of, people={"arm": None}), "phq9")
    with pytest.raises(DesignError, match="scores of phq9 after baseline; found none"):
        flow(small(cohort_of, scores=lambda frame: frame[frame["week"].eq(0)]), "phq9")
    with pytest.raises(DesignError, match="expected a baseline of phq9"):
        flow(small(cohort_of, scores=lambda frame: frame[frame["week"] > 0]), "phq9")
    with pytest.raises(OptionError, match="has no scores of 'gad7'"):
        flow(small(cohort_of), "gad7")
    with pytest.raises(OptionError, match="at names no visit") as caught_option:
        flow(small(cohort_of), "phq9", at=6)
    assert "4 (week 4), 8 (week 8)" in str(caught_option.value)
    with pytest.raises(OptionError, match="share above 0"):
        response(small(cohort_of), "phq9", threshold=50)


def test_two_episodes_of_one_person_are_refused(cohort_of: Callable[..., Cohort]) -> None:
    from dataclasses import replace

    cohort = small(cohort_of)
    double = pd.concat([cohort.episodes, cohort.episodes.head(1).assign(episode_id="again")], ignore_index=True)
    with pytest.raises(DataError, match="one episode per person"):
        flow(replace(cohort, episodes=double), "phq9")


def test_people_without_scores_or_arm_are_counted(cohort_of: Callable[..., Cohort]) -> None:
    cohort = small(cohort_of, scores=lambda frame: frame[~frame["patient_id"].isin(["p00", "p01"])])
    counts = flow(cohort, "phq9").arms.set_index("arm")
    assert counts.loc["all", ["randomised", "with_baseline", "without_outcome"]].tolist() == [12, 10, 2]
    rates = response(cohort, "phq9").rates
    assert set(rates.loc[rates["arm"].eq("ipt") & rates["rule"].eq("non_responder"), "denominator"]) == {5}


@pytest.mark.parametrize(
    ("better", "value", "responded"),
    [("lower", 5.0, True), ("lower", 5.0001, False), ("higher", 15.0, True), ("higher", 14.9999, False)],
)
def test_the_boundary_of_response_is_inclusive(better: str, value: float, responded: bool) -> None:
    frame = pd.DataFrame({"arm": ["a", "b"], "baseline": 10.0, "value": value, "last": value})
    # From 10, half the way to the good end: 0, or 20.
    made = count_responses(frame, arms=["a", "b"], pairs=[("a", "b")], better=better, maximum=20)  # type: ignore[arg-type]
    assert made.rates["responders"].eq(int(responded)).all()
    assert "exactly 50% counts" in made.rule


@pytest.mark.parametrize("threshold", [0.1, 0.2, 0.3, 0.7, 0.9])
def test_a_share_of_a_decimal_counts_exactly(threshold: float) -> None:
    baseline = 10.0
    frame = pd.DataFrame({"arm": ["a", "b"], "baseline": baseline, "value": round(baseline * (1 - threshold), 10)})
    made = count_responses(
        frame.assign(last=frame["value"]), arms=["a", "b"], pairs=[], threshold=threshold, better="lower"
    )
    assert made.rates["responders"].eq(1).all()


def test_a_baseline_of_zero_is_no_response() -> None:
    frame = pd.DataFrame({"arm": ["a", "a", "b"], "baseline": [0.0, 10.0, 0.0], "value": [0.0, 5.0, 5.0]})
    made = count_responses(frame.assign(last=frame["value"]), arms=["a", "b"], pairs=[], better="lower")
    assert made.rates.query("rule == 'completer'")["responders"].tolist() == [1, 0]
    assert made.zero_baselines == 2


def test_an_empty_cell_is_corrected_and_said() -> None:
    frame = pd.DataFrame({"arm": ["a"] * 6 + ["b"] * 6, "baseline": 10.0, "value": [4.0] * 2 + [9.0] * 10})
    made: Response = count_responses(
        frame.assign(last=frame["value"]), arms=["a", "b"], pairs=[("a", "b")], better="lower"
    )
    row = made.comparisons.query("measure == 'OR' and rule == 'completer'").iloc[0]
    assert "0.5 added" in row["flag"]
    assert np.isfinite(row["estimate"])


@given(st.integers(0, 60), st.integers(1, 60), st.integers(0, 60), st.integers(1, 60))
def test_intervals_hold_their_estimate_and_turn_round(a: int, n1: int, c: int, n2: int) -> None:
    a, c = min(a, n1), min(c, n2)
    low, high = wilson(a, n1)
    assert 0 <= low <= a / n1 <= high <= 1
    low, high = newcombe(a, n1, c, n2)
    assert -1 <= low <= a / n1 - c / n2 <= high <= 1
    back_low, back_high = newcombe(c, n2, a, n1)
    assert (back_low, back_high) == pytest.approx((-high, -low), abs=1e-12)


def test_an_arm_hardly_anybody_of_was_seen_in_is_not_compared() -> None:
    """With nobody seen, the odds ratio would show the rule for missing scores and nothing else."""
    value = [4.0] * 8 + [np.nan] * 12
    frame = pd.DataFrame({"arm": ["a"] * 8 + ["b"] * 12, "baseline": 10.0, "value": value})
    made = count_responses(frame.assign(last=frame["value"]), arms=["a", "b"], pairs=[("a", "b")], better="lower")
    assert made.comparisons.empty
    assert made.rates.query("arm == 'b' and rule == 'non_responder'")["denominator"].tolist() == [12]
