"""The worklist: who is on it and why, at the boundaries; nobody named where it is shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.clinic import worklist
from ipt_outcomes.clinic.worklist import REASONS
from ipt_outcomes.errors import OptionError
from ipt_outcomes.simulate import clinic as simulated


def open_course(*scores, sessions=3, **more):
    return {
        "phq9": [(float(week), value) for week, value in enumerate(scores)],
        "sessions": sessions,
        "ended": False,
        **more,
    }


def reasons(found):
    by = found.rows.set_index("episode_id")
    return {episode: [name for name in REASONS if by.loc[episode, name]] for episode in by.index}


def test_each_reason_at_its_boundary(make_cohort):
    cohort = make_cohort(
        [
            open_course(10, 16),  # e0: worse by exactly the reliable change
            open_course(10, 15),  # e1: not yet
            open_course(18, 13, sessions=4),  # e2: no reliable change by session 4
            open_course(18, 12, sessions=4),  # e3: improved
            open_course(18, 13, sessions=3),  # e4: too early to say
            open_course(15, 4, 11),  # e5: a case again
            open_course(sessions=2),  # e6: no score
            {"phq9": [10, 25], "sessions": 3},  # e7: ended
        ]
    )
    found = worklist(cohort, expected=False)
    assert reasons(found) == {
        "e0": ["deteriorated"],
        "e5": ["relapse_signs"],
        "e2": ["no_change"],
        "e6": ["never_measured"],
    }
    assert found.rows["reasons"].tolist()[2] == "no reliable change by session 4"
    assert found.n_open == 7


def test_sudden_losses_answers_about_harm_and_overdue_measures(make_cohort):
    cohort = make_cohort(
        [open_course(8, 8, 8, 18, 18, 18, sessions=6), open_course(12, 11, sessions=5), open_course(12, 11)]
    )
    items = pd.DataFrame(
        {
            "episode_id": ["e2", "e2"],
            "patient_id": ["p2", "p2"],
            "instrument": "phq9",
            "item": [9, 9],
            "week": [0.0, 1.0],
            "value": [0.0, 1.0],
            "risk": pd.array([False, True], dtype="boolean"),
        }
    )
    cohort = replace(cohort, assessments=pd.concat([cohort.assessments, items], ignore_index=True))
    found = reasons(worklist(cohort, expected=False))
    assert found["e0"][:2] == ["deteriorated", "sudden_loss"]
    assert "overdue" in found["e1"]
    assert found["e2"] == ["risk_answer"]
    assert next(iter(found)) == "e2"


def test_who_is_off_track_is_above_the_interval_of_the_model():
    cohort = simulated(300, seed=4)
    found = worklist(cohort)
    rows = found.rows
    assert (rows.loc[rows["off_track"], "last"] > rows.loc[rows["off_track"], "expected_high"]).all()
    inside = rows[~rows["off_track"] & rows["expected"].notna()]
    assert (inside["last"] <= inside["expected_high"]).all()
    assert (rows["expected_low"].dropna() < rows["expected"].dropna()).all()
    quiet = worklist(cohort, expected=False).rows
    assert not quiet["off_track"].any()
    assert quiet["expected"].isna().all()


def test_about_a_tenth_of_finished_courses_would_be_above_the_interval():
    cohort = simulated(400, seed=8)
    # All courses opened again: the interval is the central 80% of people.
    opened = replace(cohort, episodes=cohort.episodes.assign(end_day=np.nan, end_reason=None))
    rows = worklist(replace(opened, episodes=opened.episodes.assign(end_day=pd.array([pd.NA] * 399 + [1], "Int64"))))
    off = rows.rows["off_track"].sum() / rows.n_open
    assert 0.04 < off < 0.18


def test_a_notebook_shows_counts_and_no_keys():
    found = worklist(simulated(200, seed=4), expected=False)
    shown = found._repr_html_() + found.summary()
    assert len(found.rows)
    for key in [*found.rows["patient_id"], *found.rows["episode_id"]]:
        assert key not in shown


def test_bad_options_are_refused(make_cohort):
    cohort = make_cohort([open_course(10, 16)])
    with pytest.raises(OptionError, match="no scores of gad7"):
        worklist(cohort, instrument="gad7")
    with pytest.raises(OptionError, match="at least 1"):
        worklist(cohort, overdue_after=0)
