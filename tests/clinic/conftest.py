"""Small cohorts, made without any file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.io import Source
from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.privacy import Gate
from ipt_outcomes.vocabulary import ProblemArea

Course = dict[str, Any]
MakeCohort = Callable[..., Cohort]

_SCORES = ("phq9", "gad7", "hrsd17", "bdi1", "bdi2", "madrs", "who5", "core10", "mood_thermometer", "iip32", "cdrs_r")


def cohort_of(courses: Sequence[Course], *, areas: bool = True, simulated: bool = False) -> Cohort:
    """A cohort of courses.

    A course is a dict: an instrument's name with ``[first, last]`` (or with (week, value) pairs), ``area``,
    ``sessions`` (number attended; None: not recorded), ``ended`` (default True), ``reason``, ``person``, ``site``.
    """
    episodes, sessions, scores = [], [], []
    for number, course in enumerate(courses):
        episode, person = f"e{number}", course.get("person", f"p{number}")
        ended = course.get("ended", True)
        episodes.append(
            {
                "episode_id": episode,
                "patient_id": person,
                "problem_area_primary": course.get("area"),
                "site_id": course.get("site", "north"),
                "end_day": 90.0 if ended else np.nan,
                "end_reason": course.get("reason", "completed") if ended else None,
            }
        )
        for session in range(course.get("sessions") or 0):
            sessions.append(
                {"episode_id": episode, "patient_id": person, "session_no": session + 1, "attended": "attended"}
            )
        for name in _SCORES:
            for place, value in enumerate(course.get(name, ())):
                week, score = value if isinstance(value, tuple) else (12.0 * place, value)
                scores.append((episode, person, name, 0, None, place + 1, 7 * week, week, score, "observed"))
    frame = pd.DataFrame(episodes)
    order = [area.value for area in ProblemArea]
    frame["problem_area_primary"] = pd.Categorical(frame["problem_area_primary"], categories=order, ordered=True)
    columns = ["episode_id", "patient_id", "instrument", "item", "visit", "session_no", "day", "week", "value"]
    assessments = pd.DataFrame(scores, columns=[*columns, "value_status"])
    assessments["value"] = assessments["value"].astype(float)
    return Cohort(
        patients=frame[["patient_id"]].drop_duplicates(ignore_index=True),
        episodes=frame if areas else frame.drop(columns="problem_area_primary"),
        sessions=pd.DataFrame(sessions, columns=["episode_id", "patient_id", "session_no", "attended"]),
        assessments=assessments,
        gate=Gate(),
        flow=pd.DataFrame({"step": ["read"], "reason": [""], "people": [len(courses)], "rows": [len(scores)]}),
        source=Source(name="extract.csv", sha256="0" * 64, rows=len(scores)),
        simulated=simulated,
    )


@pytest.fixture(scope="session")
def make_cohort() -> MakeCohort:
    """The builder of small cohorts."""
    return cohort_of


@pytest.fixture(scope="session")
def clinic_cohort() -> Cohort:
    """Three hundred courses in five areas, seeded: dropouts, open courses, missing scores, people without an area."""
    rng = np.random.default_rng(20)
    areas = [area.value for area in ProblemArea]
    courses: list[Course] = []
    for number in range(300):
        first = rng.integers(4, 25, 2)
        last = np.clip(first - rng.integers(-6, 16, 2), 0, [27, 21])
        course: Course = {
            "area": rng.choice([*areas, None], p=[0.2, 0.28, 0.3, 0.1, 0.06, 0.06]),
            "sessions": int(rng.choice([0, 1, 3, 8, 12, 16], p=[0.04, 0.1, 0.16, 0.2, 0.3, 0.2])),
            "ended": bool(rng.random() > 0.07),
            "reason": str(rng.choice(["completed", "dropout_choice", "referred_on"])),
            "phq9": [int(first[0]), int(last[0])],
            "gad7": [int(min(first[1], 21)), int(last[1])],
            "site": "north" if number % 2 else "south",
        }
        for name in ("phq9", "gad7"):
            if rng.random() < 0.1:
                course[name] = course[name][:1] if rng.random() < 0.7 else []
        courses.append(course)
    return cohort_of(courses)
