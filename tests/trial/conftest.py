"""Cohorts for tests of the trial job, built from frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.io import Source
from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.privacy import Gate
from ipt_outcomes.vocabulary import Arm, ProblemArea

HERE = Path(__file__).resolve().parent
TRIAL_CSV = HERE.parent / "reference" / "mixed" / "ipt_trial.csv"

_ARMS = {"TAU": "usual_care", "IPT": "ipt", "CBT": "cbt"}
_AREAS = {"role_disputes": "role_dispute", "role_transitions": "role_transition"}


def make_cohort(
    people: pd.DataFrame,
    scores: pd.DataFrame,
    *,
    instrument: str = "phq9",
    area_set: str = "unknown",
    simulated: bool = False,
) -> Cohort:
    """Build a cohort.

    `people`: patient_id, arm, and further columns of episodes; `scores`: patient_id, week, value, and optionally
    visit, session_no, instrument, value_status.
    """
    people = people.reset_index(drop=True)
    episodes = pd.DataFrame({"episode_id": "e" + people["patient_id"].astype(str)}).join(people)
    if "arm" in episodes:
        used = [arm.value for arm in Arm if arm.value in set(episodes["arm"].dropna())]
        episodes["arm"] = pd.Categorical(episodes["arm"], categories=used)
    if "problem_area_primary" in episodes:
        areas = [area.value for area in ProblemArea]
        episodes["problem_area_primary"] = pd.Categorical(episodes["problem_area_primary"], categories=areas)
    of_person = [name for name in ("sex", "age_band", "age", "employment") if name in episodes]
    patients = episodes[["patient_id", *of_person]].copy()
    episodes = episodes.drop(columns=of_person)
    scores = scores.reset_index(drop=True)
    rows = pd.DataFrame(
        {
            "episode_id": "e" + scores["patient_id"].astype(str),
            "patient_id": scores["patient_id"].astype(str),
            "instrument": scores.get("instrument", instrument),
            "item": 0,
            "visit": scores.get("visit", pd.Series(pd.NA, index=scores.index, dtype="string")),
            "session_no": scores.get("session_no", pd.Series(np.nan, index=scores.index)),
            "day": scores["week"] * 7,
            "week": scores["week"].astype(float),
            "value": scores["value"].astype(float),
            "value_status": scores.get("value_status", pd.Series("observed", index=scores.index)),
        }
    )
    return Cohort(
        patients=patients,
        episodes=episodes,
        sessions=pd.DataFrame({"episode_id": pd.Series(dtype="string")}),
        assessments=rows,
        gate=Gate(),
        flow=pd.DataFrame(columns=["step", "reason", "people", "rows"]),
        source=Source(name="made.csv", sha256="0" * 64, rows=len(scores)),
        area_set=area_set,  # type: ignore[arg-type]
        simulated=simulated,
    )


def reference_trial(area_set: str = "before") -> Cohort:
    """The three-arm reference trial as a cohort: visits as session numbers, baseline at week 0."""
    raw = pd.read_csv(TRIAL_CSV)
    first = raw.drop_duplicates("patient_id")
    people = pd.DataFrame(
        {
            "patient_id": first["patient_id"],
            "arm": first["arm"].map(_ARMS),
            "problem_area_primary": first["problem_area"].replace(_AREAS),
            "site_id": first["site"],
        }
    )
    start = pd.DataFrame({"patient_id": first["patient_id"], "week": 0.0, "value": first["baseline"]})
    later = raw[["patient_id", "week"]].assign(value=raw["phq9"], session_no=raw["visit"])
    return make_cohort(people, pd.concat([start, later]), area_set=area_set)


@pytest.fixture(scope="session")
def trial_cohort() -> Cohort:
    """The three-arm reference trial, areas set before randomisation."""
    return reference_trial()


@pytest.fixture(scope="session")
def cohort_of() -> Callable[..., Cohort]:
    """Return `make_cohort`."""
    return make_cohort
