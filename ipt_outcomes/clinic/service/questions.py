"""Questions about each course with one answer out of few: waits, plans, cautions, goals, follow-up, relapse.

An answer is a small whole number, 0 where it is not known or the question does not arise; a rate is a set of answers
out of a set of answers. The report gate needs nothing else to tell what the numbers say about each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.clinic.courses import Courses, sessions_attended
from ipt_outcomes.clinic.measures import Cuts
from ipt_outcomes.clinic.service.followup import depression_remission_or_response
from ipt_outcomes.clinic.service.spells import remission_and_relapse
from ipt_outcomes.clinic.service.waits import EIGHTEEN_WEEKS, LONG_GAPS, SIX_WEEKS
from ipt_outcomes.io.cohort import Cohort

EVERYONE, STARTED, ENDED, FINISHED = "everyone", "started", "ended", "finished"
BASES = (EVERYONE, STARTED, ENDED, FINISHED)
"""Whom a question is asked of: all courses; those that started; of these the ended; of these the finished."""

SEVERE = 20
"""PHQ-9 from which on depression is severe."""

CAUTIONS = ("mania", "psychosis", "substance_dependence")

Answers = frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Question:
    """A question about each course.

    Parameters
    ----------
    name : str
    base : str
        One of `BASES`.
    answers : numpy.ndarray of int, shape (k,)
        Of each course; 0 where it is not known or does not arise.
    n_answers : int
        Answers there can be, with 0.
    counted : mapping of str to frozenset of int
        Answers of those who count: everyone of whom it is known under the question's own name, and parts of them.
    rates : mapping of str to tuple of str and frozenset of int
        Of each rate: who counts, as named in `counted`, and the answers that make the numerator.
    apart : bool
        Whether its counts say nothing about the scores and sessions that other tables count. Those of a question that
        is not apart would, together with those tables, tell of few people: they are for the service itself only.
    """

    name: str
    base: str
    answers: np.ndarray
    n_answers: int
    counted: Mapping[str, Answers]
    rates: Mapping[str, tuple[str, Answers]]
    apart: bool = True


def questions_of(cohort: Cohort, courses: Courses, depression: Cuts | None) -> tuple[Question, ...]:
    """Return the questions that the data can answer.

    Parameters
    ----------
    cohort : Cohort
    courses : Courses
    depression : Cuts or None
        Cut-offs of the PHQ-9, where it was judged.

    Returns
    -------
    tuple of Question
        One is there only if its columns are, and somebody counts.
    """
    found = [
        *_waits(cohort, courses),
        *_plan(cohort, courses),
        *_follow_up(cohort, courses),
        *_relapse(cohort, courses, depression),
        *_cautions(cohort, courses),
        *_goals(cohort, courses),
    ]
    return tuple(
        question for question in found if np.isin(question.answers, list(question.counted[question.name])).any()
    )


def _waits(cohort: Cohort, courses: Courses) -> Iterator[Question]:
    """Waits from referral to the first session, and from the first session attended to the second."""
    first, second = _attended_days(cohort, courses)
    own = _days(cohort, "first_session_day")
    first = np.where(np.isnan(first), own, first)
    wait = first - _days(cohort, "referral_day")
    # A first session before the referral is a fault of the record, not a short wait.
    answers = np.select([~(wait >= 0), wait <= SIX_WEEKS, wait <= EIGHTEEN_WEEKS], [0, 1, 2], 3)
    yield Question(
        name="wait",
        base=FINISHED,
        answers=answers,
        n_answers=4,
        counted={"wait": frozenset((1, 2, 3))},
        rates={"within_6_weeks": ("wait", frozenset((1,))), "within_18_weeks": ("wait", frozenset((1, 2)))},
    )
    gap = second - first
    answers = np.select([~(gap >= 0), gap <= LONG_GAPS[0], gap <= LONG_GAPS[1]], [0, 1, 2], 3)
    yield Question(
        name="gap",
        base=FINISHED,
        answers=answers,
        n_answers=4,
        counted={"gap": frozenset((1, 2, 3))},
        rates={"gap_over_28": ("gap", frozenset((2, 3))), "gap_over_90": ("gap", frozenset((3,)))},
    )


def _plan(cohort: Cohort, courses: Courses) -> Iterator[Question]:
    """Sessions attended out of those planned."""
    planned = _days(cohort, "planned_sessions")
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(planned > 0, courses.attended / planned, np.nan)
    answers = np.select([np.isnan(share), share >= 1, share >= 0.5], [0, 1, 2], 3)
    yield Question(
        name="plan",
        base=ENDED,
        answers=answers,
        n_answers=4,
        counted={"plan": frozenset((1, 2, 3))},
        rates={
            "planned_sessions_attended": ("plan", frozenset((1,))),
            "half_of_planned_attended": ("plan", frozenset((1, 2))),
        },
        apart=False,
    )


def _follow_up(cohort: Cohort, courses: Courses) -> Iterator[Question]:
    """Remission or response of depression 4 to 8 months after an elevated PHQ-9."""
    scores = _scores(cohort, "phq9")
    if scores.empty:
        return
    rows = depression_remission_or_response(scores, id="episode_id").rows.set_index("episode_id")
    rows = rows.reindex(courses.episode_id)
    counts = rows["in_denominator"].fillna(False).to_numpy(dtype=bool)
    seen, well, better = (
        rows[name].fillna(False).to_numpy(dtype=bool) for name in ("followup", "remission", "response")
    )
    answers = np.select([~counts, ~seen, well & better, better, well], [0, 1, 4, 3, 5], 2)
    yield Question(
        name="follow_up",
        base=STARTED,
        answers=answers,
        n_answers=6,
        counted={"follow_up": frozenset((1, 2, 3, 4, 5))},
        rates={
            "followed_up": ("follow_up", frozenset((2, 3, 4, 5))),
            "remission_at_follow_up": ("follow_up", frozenset((4, 5))),
            "response_at_follow_up": ("follow_up", frozenset((3, 4))),
        },
        apart=False,
    )


def _relapse(cohort: Cohort, courses: Courses, cuts: Cuts | None) -> Iterator[Question]:
    """Remission of those who were cases at their first PHQ-9, whether it lasted, and relapse after it."""
    scores = _scores(cohort, "phq9")
    if scores.empty or cuts is None or cuts.remission is None or cuts.caseness is None:
        return
    if not cuts.caseness > cuts.remission:
        # Cut-offs of the user's own that leave no room between remission and relapse.
        return
    spells = remission_and_relapse(
        scores, remission=cuts.remission, relapse=cuts.caseness, better="lower", id="episode_id"
    )
    rows = spells.rows.set_index("episode_id").reindex(courses.episode_id)
    ill = rows["ill_at_start"].fillna(False).to_numpy(dtype=bool)
    well, lasting, again = (rows[name].notna().to_numpy() for name in ("remission_day", "sustained_day", "relapse_day"))
    again = again | rows["recurrence_day"].notna().to_numpy()
    answers = np.select([~ill, ~well, ~lasting & ~again, lasting & ~again, ~lasting & again], [0, 1, 2, 3, 4], 5)
    yield Question(
        name="remission",
        base=STARTED,
        answers=answers,
        n_answers=6,
        counted={"remission": frozenset((1, 2, 3, 4, 5)), "relapse": frozenset((2, 3, 4, 5))},
        rates={
            "remission_at_any_time": ("remission", frozenset((2, 3, 4, 5))),
            "sustained_remission": ("remission", frozenset((3, 5))),
            "relapse": ("relapse", frozenset((4, 5))),
        },
        apart=False,
    )


def _cautions(cohort: Cohort, courses: Courses) -> Iterator[Question]:
    """Caution flags, and severe depression treated with IPT alone."""
    for flag in CAUTIONS:
        yield _yes_or_no(f"caution_{flag}", EVERYONE, _flags(cohort, f"caution_{flag}"))
    scores = _scores(cohort, "phq9")
    medication = _flags(cohort, "medication_concurrent")
    if scores.empty:
        return
    first = scores.sort_values(["episode_id", "day"]).groupby("episode_id", observed=True)["value"].first()
    severe = (first.reindex(courses.episode_id) >= SEVERE).to_numpy(dtype=bool, na_value=False)
    # Of those severely depressed at the start and whose medication is known.
    alone = np.where(severe, np.select([medication == 2, medication == 1], [1, 2], 0), 0)
    yield _yes_or_no("severe_on_ipt_alone", STARTED, alone, apart=False)


def _goals(cohort: Cohort, courses: Courses) -> Iterator[Question]:
    """Whether each goal that was agreed was met."""
    goals = cohort.goals
    if goals.empty or "met" not in goals:
        return
    for name in sorted(goals["goal"].dropna().astype(str).unique()):
        mine = goals[goals["goal"].astype(str) == name].drop_duplicates("episode_id").set_index("episode_id")
        met = mine["met"].astype("string").reindex(courses.episode_id)
        yield _yes_or_no(
            f"goal_{name}", ENDED, np.select([met.eq("yes").fillna(False), met.eq("no").fillna(False)], [1, 2], 0)
        )


def _yes_or_no(name: str, base: str, answers: np.ndarray, *, apart: bool = True) -> Question:
    return Question(
        name=name,
        base=base,
        answers=np.asarray(answers, dtype=int),
        n_answers=3,
        counted={name: frozenset((1, 2))},
        rates={name: (name, frozenset((1,)))},
        apart=apart,
    )


def _flags(cohort: Cohort, column: str) -> np.ndarray:
    """1 for yes, 2 for no, 0 where not known."""
    if column not in cohort.episodes:
        return np.zeros(len(cohort.episodes), dtype=int)
    text = cohort.episodes[column].astype("string").str.lower()
    return np.select([text.isin(["yes", "true"]).fillna(False), text.isin(["no", "false"]).fillna(False)], [1, 2], 0)


def _days(cohort: Cohort, column: str) -> np.ndarray:
    if column not in cohort.episodes:
        return np.full(len(cohort.episodes), np.nan)
    return pd.to_numeric(cohort.episodes[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def _attended_days(cohort: Cohort, courses: Courses) -> tuple[np.ndarray, np.ndarray]:
    """Days of the first and the second session attended."""
    nothing = np.full(len(courses), np.nan)
    sessions = sessions_attended(cohort)
    if sessions.empty or "day" not in sessions:
        return nothing, nothing
    seen = sessions[sessions["day"].notna()]
    days = seen.assign(day=seen["day"].astype(float)).sort_values(["episode_id", "day"], kind="stable")
    grouped = days.groupby("episode_id", observed=True)["day"]
    first, second = (
        pd.Series(part.to_numpy(), index=days.loc[part.index, "episode_id"])
        .reindex(courses.episode_id)
        .to_numpy(dtype=float)
        for part in (grouped.nth(0), grouped.nth(1))
    )
    return first, second


def _scores(cohort: Cohort, name: str) -> pd.DataFrame:
    """Totals of an instrument with a day, the last of several on one day."""
    table = cohort.assessments
    if "day" not in table:
        return table.iloc[:0]
    mine = table[table["instrument"].astype(str).eq(name) & table["item"].eq(0)]
    mine = mine[mine["value"].notna() & mine["day"].notna()]
    mine = mine.assign(day=mine["day"].astype(float), value=mine["value"].astype(float))
    return mine.sort_values(["episode_id", "day", "value"]).drop_duplicates(["episode_id", "day"], keep="last")
