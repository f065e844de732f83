"""Change by problem area: values of the reference model, and the label that the design allows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes import simulate
from ipt_outcomes.errors import OptionError
from ipt_outcomes.io import load_cohort
from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.trial import TrialAnalysis, analyse

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def loaded() -> Cohort:
    return load_cohort(HERE.parent / "reference" / "mixed" / "ipt_trial.csv", mapping="ipt-trial")


@pytest.fixture(scope="module")
def analysis(loaded: Cohort) -> TrialAnalysis:
    return analyse(loaded, "phq9")


@pytest.fixture(scope="module")
def after() -> TrialAnalysis:
    return analyse(simulate.trial(areas="after"), "phq9")


def singular(name: str) -> str:
    return {"role_disputes": "role_dispute", "role_transitions": "role_transition"}.get(name, name)


@pytest.mark.parametrize(("quantity", "key"), [("slope", "slopes"), ("mean", "means")])
def test_differences_in_each_area(analysis: TrialAnalysis, reference: Any, quantity: str, key: str) -> None:
    stored = reference("trial/area_ipt_trial_ipt_vs_tau")
    (part,) = [part for part in analysis.areas.parts if part.arms == ("ipt", "usual_care")]
    lines = part.lines[part.lines["quantity"].eq(quantity)].set_index("area")
    assert list(lines.index) == [singular(row["problem_area"]) for row in stored[key]]
    for row in stored[key]:
        mine = lines.loc[singular(row["problem_area"])]
        for name in ("estimate", "se", "ci_low", "ci_high"):
            assert mine[name] == pytest.approx(row[name], rel=1e-5), (row["problem_area"], name)
        for name, other in (("df", "df"), ("p_value", "p_value"), ("p_holm", "p_holm")):
            assert mine[name] == pytest.approx(row[other], rel=1e-3)


def test_the_test_of_equality_and_the_shrunken_slopes(analysis: TrialAnalysis, reference: Any) -> None:
    stored = reference("trial/area_ipt_trial_ipt_vs_tau")
    (part,) = [part for part in analysis.areas.parts if part.arms == ("ipt", "usual_care")]
    equal = stored["slopes_equal_over_areas"]
    assert part.test["statistic"] == pytest.approx(equal["f"], rel=1e-5)
    assert part.test["num_df"] == equal["numdf"]
    assert part.test["den_df"] == pytest.approx(equal["dendf"], rel=1e-3)
    assert part.test["p_value"] == pytest.approx(equal["p_value"], rel=1e-3)
    shrunken = stored["slopes_two_stage_shrunken"]
    assert part.tau == pytest.approx(np.sqrt(shrunken["tau2"]), abs=1e-6)
    for row, mine in zip(shrunken["shrunken"], part.shrunken.to_dict(orient="records"), strict=True):
        assert mine["estimate"] == pytest.approx(row["estimate"], rel=1e-5)
        assert mine["se"] == pytest.approx(row["se"], rel=1e-5)


def test_areas_set_before_are_compared_between_arms(analysis: TrialAnalysis) -> None:
    assert analysis.areas.randomised
    assert [part.arms for part in analysis.areas.parts] == [("ipt", "usual_care"), ("ipt", "cbt")]
    assert {part.label for part in analysis.areas.parts} == {"randomised comparison"}


def test_areas_set_after_are_described_within_ipt_only(after: TrialAnalysis) -> None:
    assert not after.areas.randomised
    (part,) = after.areas.parts
    assert part.arms == ("ipt",)
    assert part.label == "within ipt: not a randomised comparison"
    assert not any(row.analysis == "area" and "arm1" in row.groups for row in after.results)
    assert set(part.people["arm"]) == {"ipt"}
    randomised = after.flow.arms.set_index("arm")["randomised"]
    assert after.areas.not_set["usual_care"] == randomised["usual_care"]
    assert 0 < after.areas.not_set["ipt"] < randomised["ipt"]
    row = after.results.find("area_people", "not_set", {"arm": "ipt"})
    assert row.value == after.areas.not_set["ipt"]


@pytest.mark.parametrize("when", ["after", "unknown"])
def test_areas_of_every_arm_are_not_compared_unless_set_before(loaded: Cohort, when: str) -> None:
    made = analyse(replace(loaded, area_set=when), "phq9")  # type: ignore[arg-type]
    assert not made.areas.randomised
    assert [part.arms for part in made.areas.parts] == [("ipt",)]
    assert "problem_area" not in set(made.baseline.categorical["variable"])


def test_other_arms_lose_nobody_for_want_of_an_area(after: TrialAnalysis) -> None:
    plain = analyse(simulate.trial(areas="baseline"), "phq9")
    for one, two in zip(after.comparisons, plain.comparisons, strict=True):
        assert one.difference == pytest.approx(two.difference)


def test_an_area_with_too_few_people_is_named_and_left_out(loaded: Cohort) -> None:
    episodes = loaded.episodes.copy()
    arm, area = episodes["arm"].astype(str), episodes["problem_area_primary"].astype(str)
    mine = episodes.index[arm.eq("ipt") & area.eq("grief")]
    episodes.loc[mine[3:], "problem_area_primary"] = "role_dispute"
    made = analyse(replace(loaded, episodes=episodes), "phq9")
    for part in made.areas.parts:
        assert part.too_few == ("grief",)
        assert part.areas == ("role_dispute", "role_transition", "interpersonal_deficits")
    seen = made.protected("public").find(
        "area_people", "people", {"arm1": "ipt", "arm2": "cbt", "arm": "ipt", "area": "grief"}
    )
    assert seen.suppressed


def test_two_visits_are_a_stated_gap(loaded: Cohort) -> None:
    rows = loaded.assessments
    made = analyse(replace(loaded, assessments=rows[rows["visit"].isin(["baseline", "6", "12"])]), "phq9")
    assert all("needs 3 visits" in part.gap for part in made.areas.parts)
    assert "needs 3 visits" in made.summary()


def test_other_columns_have_the_label_of_their_kind(loaded: Cohort) -> None:
    rng = np.random.default_rng(4)
    sex = np.where(rng.random(len(loaded.patients)) < 0.5, "female", "male")
    clinic = rng.integers(0, 2, len(loaded.patients)).astype(float)
    cohort = replace(loaded, patients=loaded.patients.assign(sex=pd.array(sex, dtype="string"), clinic=clinic))
    assert analyse(cohort, "phq9", by="sex").areas.label == "randomised comparison"
    unknown = analyse(cohort, "phq9", by="clinic").areas
    assert unknown.label == "within IPT: not a randomised comparison"
    assert unknown.parts[0].areas == ("0", "1")
    with pytest.raises(OptionError, match="no column 'arm' to compare by"):
        analyse(cohort, "phq9", by="arm")
    spread = replace(loaded, patients=loaded.patients.assign(age=np.arange(len(loaded.patients), dtype=float)))
    with pytest.raises(OptionError, match="age has more than 12 levels"):
        analyse(spread, "phq9", by="age")
