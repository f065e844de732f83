"""The whole analysis: model and effect sizes against reference values, what is protected, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.io import load_cohort
from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.privacy import hidden_counts
from ipt_outcomes.trial import TrialAnalysis, TrialJob, analyse
from ipt_outcomes.trial.model import INTERCEPTS, SLOPES

HERE = Path(__file__).resolve().parent
TRIAL_CSV = HERE.parent / "reference" / "mixed" / "ipt_trial.csv"


@pytest.fixture(scope="module")
def loaded() -> Cohort:
    return load_cohort(TRIAL_CSV, mapping="ipt-trial")


@pytest.fixture(scope="module")
def analysis(loaded: Cohort) -> TrialAnalysis:
    return analyse(loaded, "phq9")


def test_model_and_effect_sizes_against_reference(analysis: TrialAnalysis, reference: Any) -> None:
    stored = reference("trial/effect_trial_ipt_vs_tau")["lmm"]
    (item,) = [item for item in analysis.comparisons if item.arm2 == "usual_care"]
    assert not isinstance(analysis.model, str)
    assert analysis.model.formula == SLOPES
    line = item.difference
    assert line["estimate"] == pytest.approx(stored["difference"], rel=1e-6)
    assert line["se"] == pytest.approx(stored["se"], rel=1e-6)
    assert line["df"] == pytest.approx(stored["df"], rel=1e-4)
    assert line["p_value"] == pytest.approx(stored["p_value"], rel=1e-4)
    assert [line["ci_low"], line["ci_high"]] == pytest.approx([stored["ci_low"], stored["ci_high"]], rel=1e-6)
    for effect in stored["effects"]:
        made = item.effects["model", effect["standardiser"]]
        assert made.sd == pytest.approx(effect["sd"], rel=1e-9)
        assert made.g == pytest.approx(-effect["g"], rel=1e-6)
        assert made.se == pytest.approx(effect["se_g"], rel=1e-6)
        assert [made.ci_low, made.ci_high] == pytest.approx([-effect["ci_high"], -effect["ci_low"]], rel=1e-6)
    assert item.favours == "ipt"


def test_other_pairs_follow_from_the_reference_pairs(analysis: TrialAnalysis, reference: Any) -> None:
    ipt, cbt = (reference(f"trial/effect_trial_{arm}_vs_tau")["lmm"]["difference"] for arm in ("ipt", "cbt"))
    (item,) = [item for item in analysis.comparisons if item.arm2 == "cbt"]
    assert item.difference["estimate"] == pytest.approx(ipt - cbt, rel=1e-6)
    assert item.favours is None
    assert item.p_holm == pytest.approx(item.difference["p_value"])


def test_both_ways_of_loading_give_the_same_numbers(analysis: TrialAnalysis, trial_cohort: Cohort) -> None:
    other = analyse(trial_cohort, "phq9")
    for one, two in zip(analysis.comparisons, other.comparisons, strict=True):
        assert one.difference == pytest.approx(two.difference, rel=1e-7)
    assert analysis.model.n_dropped == other.model.n_dropped  # type: ignore[union-attr]


def test_the_order_of_rows_does_not_matter(analysis: TrialAnalysis, loaded: Cohort) -> None:
    shuffled = replace(
        loaded,
        assessments=loaded.assessments.sample(frac=1, random_state=1).reset_index(drop=True),
        episodes=loaded.episodes.sample(frac=1, random_state=2).reset_index(drop=True),
    )
    again = analyse(shuffled, "phq9")
    assert [row.id for row in again.results] == [row.id for row in analysis.results]
    values = [(one.value, two.value) for one, two in zip(analysis.results, again.results, strict=True)]
    left, right = (
        np.array([np.nan if v is None else v for v in side], dtype=float) for side in zip(*values, strict=True)
    )
    assert left == pytest.approx(right, rel=1e-5, abs=1e-9, nan_ok=True)


def test_results_hold_what_the_objects_hold(analysis: TrialAnalysis) -> None:
    pair = {"arm1": "ipt", "arm2": "usual_care"}
    item = next(item for item in analysis.comparisons if item.arm2 == "usual_care")
    where = {**pair, "source": "model", "standardiser": "endpoint"}
    assert item.effect is not None
    assert analysis.results.find("effect_size", "estimate", where).value == item.effect.g
    assert analysis.results.find("comparison", "estimate", pair).value == item.difference["estimate"]
    assert analysis.results.find("flow", "randomised").value == 240
    everyone = analysis.results.find("response", "percent", {"arm": "ipt", "rule": "non_responder"})
    assert (everyone.value, everyone.denominator) == (pytest.approx(100 * 20 / 61), 61)
    assert all(row.unit for row in analysis.results)
    assert not any(row.suppressed for row in analysis.results)


@pytest.mark.parametrize("audience", ["public", "board"])
def test_small_counts_are_hidden_and_not_given_back(analysis: TrialAnalysis, audience: str) -> None:
    seen = analysis.protected(audience)  # type: ignore[arg-type]
    smallest = 11 if audience == "public" else 5
    counts = [row.value for row in seen if row.unit == "people" and row.value is not None]
    assert all(count == 0 or count >= smallest for count in counts)
    assert hidden_counts(seen) > 0
    main = {"arm1": "ipt", "arm2": "usual_care", "source": "model", "standardiser": "endpoint"}
    assert seen.find("effect_size", "estimate", main).value is not None
    full = analysis.results.by_id()
    if audience == "public":
        shown = [(row, full[row.id]) for row in seen if not row.suppressed]
        rounded = [(row, whole) for row, whole in shown if row.value != whole.value]
        # Means, SDs and estimates lose the digits from which the number of people could be worked out.
        assert all(row.value in {round(whole.value, digits) for digits in (1, 2, 3)} for row, whole in rounded)
        effect = {name: seen.find("effect_size", name, main).value for name in ("estimate", "se")}
        pair = {"arm1": "ipt", "arm2": "usual_care"}
        points = {name: seen.find("comparison", name, pair).value for name in ("estimate", "se")}

        def df(g: float, se: float) -> float:
            left = se**2 - (g / points["estimate"] * points["se"]) ** 2
            return g**2 / (2 * left) if left > 0 else float("inf")

        around = [df(effect["estimate"] + i, effect["se"] + j) for i in (-0.005, 0.005) for j in (-0.005, 0.005)]
        assert max(around) - min(around) > 10


@pytest.mark.parametrize("audience", ["internal", "publication"])
def test_all_counts_are_shown_to_those_who_may_see_them(analysis: TrialAnalysis, audience: str) -> None:
    assert analysis.protected(audience) == analysis.results  # type: ignore[arg-type]


def test_an_unknown_audience_is_refused(analysis: TrialAnalysis) -> None:
    with pytest.raises(OptionError, match="audience must be one of"):
        analysis.protected("press")  # type: ignore[arg-type]


def test_fewer_visits_simplify_the_model_and_say_so(loaded: Cohort) -> None:
    rows = loaded.assessments
    two = analyse(replace(loaded, assessments=rows[rows["visit"].isin(["baseline", "6", "12"])]), "phq9")
    assert two.model.formula == INTERCEPTS  # type: ignore[union-attr]
    assert two.model.attempts == (f"{SLOPES}: needs 3 visits after baseline, there are 2",)  # type: ignore[union-attr]
    assert any("slope of its own" in note for note in two.notes)


def test_an_earlier_end_point_leaves_later_visits_out(loaded: Cohort, analysis: TrialAnalysis) -> None:
    early = analyse(loaded, "phq9", at=6)
    assert early.end.key == "6"
    assert early.model.fit.n_obs < analysis.model.fit.n_obs  # type: ignore[union-attr]
    assert any("Visits after the end point" in note for note in early.notes)
    assert set(early.trajectory.means["week"]) == {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}
    assert early.flow.visits["visit"].nunique() == 13


def test_level_and_direction_reach_every_number(loaded: Cohort, analysis: TrialAnalysis) -> None:
    wide = analyse(loaded, "phq9", level=0.99)
    for one, two in zip(analysis.comparisons, wide.comparisons, strict=True):
        assert two.difference["estimate"] == pytest.approx(one.difference["estimate"])
        assert two.difference["ci_low"] < one.difference["ci_low"]
    higher = analyse(loaded, "phq9", better="higher")
    for one, two in zip(analysis.comparisons, higher.comparisons, strict=True):
        assert two.effect is not None
        assert one.effect is not None
        assert two.effect.g == pytest.approx(-one.effect.g)
    assert {item.arm2: item.favours for item in higher.comparisons} == {"usual_care": "usual_care", "cbt": None}
    assert "rise" in higher.response.rule


def test_the_default_outcome_has_the_most_scores(loaded: Cohort) -> None:
    assert analyse(loaded).options.outcome == "phq9"


def test_an_instrument_without_a_baseline_is_refused(loaded: Cohort) -> None:
    with pytest.raises(DesignError, match="expected a baseline of hrsd17"):
        analyse(loaded, "hamd17")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"level": 95}, "level must lie"),
        ({"response": 50}, "share above 0"),
        ({"better": "down"}, "better must be one of"),
        ({"at": "month 6"}, "at names no visit"),
        ({"at": 40}, "at names no visit"),
        ({"by": "colour"}, "no column 'colour'"),
        ({"outcome": "gad7"}, "no scores of 'gad7'"),
    ],
)
def test_options_are_checked(loaded: Cohort, options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        analyse(loaded, **options)


def test_nobody_after_baseline_is_refused_without_a_number_of_a_person(
    cohort_of: Callable[..., Cohort],
) -> None:
    people = pd.DataFrame({"patient_id": list("abcdefghijkl"), "arm": ["ipt", "usual_care"] * 6})
    scores = pd.DataFrame({"patient_id": list("abcdefghijkl"), "week": 0.0, "value": 17.0})
    with pytest.raises(DesignError, match="after baseline; found none") as caught:
        analyse(cohort_of(people, scores))
    assert "17" not in str(caught.value)


def test_too_few_people_everywhere_is_a_stated_gap(cohort_of: Callable[..., Cohort]) -> None:
    people = pd.DataFrame({"patient_id": list("abcdef"), "arm": ["ipt", "usual_care"] * 3})
    scores = pd.DataFrame([(p, w, 15.0 - w + i) for i, p in enumerate("abcdef") for w in (0.0, 4.0)])
    made = analyse(cohort_of(people, scores.set_axis(["patient_id", "week", "value"], axis=1)))
    assert isinstance(made.model, str)
    assert made.comparisons[0].difference == {}
    assert made.comparisons[0].effect is None
    assert "too few people" in made.summary()
    assert made.response.rates["denominator"].max() == 3


@pytest.mark.shared
def test_three_arms_of_a_statistical_file_at_six_months(shared: Path) -> None:
    cohort = load_cohort(shared / "data/clinic/browne_simulated_missing_data.sav", mapping="browne-dysthymia")
    made = analyse(cohort, "madrs", at="month_6")
    assert [(item.arm1, item.arm2) for item in made.comparisons] == [
        ("ipt_medication", "medication"),
        ("ipt", "medication"),
    ]
    stored = json.loads((shared / "reference/clinic/attrition_browne_madrs.json").read_text(encoding="utf-8"))
    main = made.response.rates[made.response.rates["rule"].eq("non_responder")].set_index("arm")
    names = {"med": "medication", "ipt+med": "ipt_medication", "ipt": "ipt"}
    for row in stored["rows"]:
        assert 100 * main.loc[names[row["arm"]], "rate"] == pytest.approx(row["resp6_nri_pct"], rel=1e-9)
    assert not made.model.is_mixed  # type: ignore[union-attr]


def test_a_job_is_kept_and_run_again(analysis: TrialAnalysis) -> None:
    from ipt_outcomes.io.cohort import read_cohort_mapping

    mapping = read_cohort_mapping("ipt-trial").to_dict()
    job = TrialJob(mapping=mapping, options={"outcome": "phq9"}, title="A trial")
    again = TrialJob.from_dict(json.loads(json.dumps(job.to_dict())))
    assert again == job
    assert again.run(again.load([TRIAL_CSV])).results.to_json() == analysis.results.to_json()


def test_a_job_keeps_rows_by_column(analysis: TrialAnalysis) -> None:
    from ipt_outcomes.io.cohort import read_cohort_mapping

    mapping = read_cohort_mapping("ipt-trial").to_dict()
    job = TrialJob(mapping=mapping, where={"arm": ["ipt", "usual_care"]})
    assert job.run(job.load([TRIAL_CSV])).arms == ("usual_care", "ipt")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"job": "clinic"}, "kind 'trial'"),
        ({"job": "trial", "colour": 1}, "no entry 'colour'"),
        ({"job": "trial", "options": {"colour": 1}}, "no option 'colour'"),
        ({"job": "trial", "options": {"level": "95"}}, "level must be a number"),
        ({"job": "trial", "options": {"at": [1]}}, "at must be a week"),
        ({"job": "trial", "title": 3, "where": {"arm": "ipt"}}, "title must be text; where must be a table"),
    ],
)
def test_faults_of_a_job_are_named(raw: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        TrialJob.from_dict(raw)
    with pytest.raises(OptionError, match="one file"):
        TrialJob().load(["a.csv", "b.csv"])
