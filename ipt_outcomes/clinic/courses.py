"""Courses of treatment: which started, which have ended, how many sessions were attended, first and last score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.errors import OptionError
from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.io.cohort.levels import MOST_LEVELS, levels_of

UNKNOWN = "unknown"
ALL = "all"

# A course whose data end with the study goes on: it is no finished course.
_OPEN = frozenset(("study_end",))
_ENDED_BY = ("end_day", "end_reason", "censor_reason")
_NO_GROUPS = frozenset(("patient_id", "episode_id", "therapist", "therapist_id", "therapist_training"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Courses:
    """What is known of each course, one place per row of the cohort's episodes.

    Parameters
    ----------
    episode_id : pandas.Index
    attended : numpy.ndarray of float, shape (k,)
        Sessions attended; NaN where sessions are not recorded at all.
    ended : numpy.ndarray of bool, shape (k,)
        Whether the course has ended; all True where that is not recorded.
    end_reason : numpy.ndarray of str, shape (k,)
        Code, "unknown" where there is none.
    level : numpy.ndarray of str, shape (k,)
        Level of the column compared by; "unknown" where missing.
    levels : tuple of str
        Those that occur, in order; empty where nothing is compared.
    by : str or None
    knows_sessions, knows_end, knows_reason : bool
    people : int
        Persons behind the courses.
    notes : tuple of str
    """

    episode_id: pd.Index
    attended: np.ndarray
    ended: np.ndarray
    end_reason: np.ndarray
    level: np.ndarray
    levels: tuple[str, ...]
    by: str | None
    knows_sessions: bool
    knows_end: bool
    knows_reason: bool
    people: int
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.episode_id)


def courses_of(cohort: Cohort, *, by: str | None, by_default: bool) -> Courses:
    """Return the courses of a cohort.

    Parameters
    ----------
    cohort : Cohort
    by : str or None
        Column to compare by: ``"problem_area"``, ``"site"``, or any other of the person or the episode with few
        levels.
    by_default : bool
        Whether the user did not ask for `by`: then a column that is not there is no fault.

    Returns
    -------
    Courses

    Raises
    ------
    OptionError
        There is no such column, or it has too many levels.
    """
    episodes = cohort.episodes
    notes: list[str] = []
    attended, knows_sessions = _attended(cohort, notes)
    told = [name for name in _ENDED_BY if name in episodes]
    reason = next((episodes[name] for name in ("end_reason", "censor_reason") if name in told), None)
    codes = np.full(len(episodes), UNKNOWN, dtype=object)
    if reason is not None:
        codes = reason.astype("string").fillna(UNKNOWN).to_numpy(dtype=object)
    ended = np.ones(len(episodes), dtype=bool)
    if told:
        ended = np.logical_or.reduce([episodes[name].notna().to_numpy() for name in told])
        ended &= ~np.isin(codes.astype(str), sorted(_OPEN))
        if not ended.any():
            notes.append("The data name no course that has ended: every course counts as still in treatment.")
    else:
        notes.append("The data do not say whether a course has ended: every course is taken to have ended.")
    level, levels, column = _levels(cohort, by, by_default, notes)
    people = int(episodes["patient_id"].nunique())
    if people < len(episodes):
        notes.append(
            "Some people have more than one course of treatment: each course counts, so a person can count twice."
        )
    return Courses(
        episode_id=pd.Index(episodes["episode_id"]),
        attended=attended,
        ended=ended,
        end_reason=codes,
        level=level,
        levels=levels,
        by=column,
        knows_sessions=knows_sessions,
        knows_end=bool(told),
        knows_reason=reason is not None,
        people=people,
        notes=tuple(notes),
    )


def _attended(cohort: Cohort, notes: list[str]) -> tuple[np.ndarray, bool]:
    sessions = cohort.sessions
    if sessions.empty:
        notes.append(
            "The data have no record of sessions: who did not start, and who attended too few, cannot be told; every "
            "course is taken to have started and to be long enough."
        )
        return np.full(len(cohort.episodes), np.nan), False
    if not _says_who_attended(sessions):
        notes.append("The record of sessions does not say who attended: every session recorded counts as attended.")
    counts = sessions_attended(cohort).groupby("episode_id", observed=True).size()
    return counts.reindex(cohort.episodes["episode_id"]).fillna(0).to_numpy(dtype=float), True


def sessions_attended(cohort: Cohort) -> pd.DataFrame:
    """Return the sessions that were attended; all of them where the record does not say.

    Parameters
    ----------
    cohort : Cohort

    Returns
    -------
    pandas.DataFrame
        Rows of the cohort's sessions.
    """
    sessions = cohort.sessions
    if not _says_who_attended(sessions):
        return sessions
    return sessions[sessions["attended"].astype("string").eq("attended").fillna(False)]


def _says_who_attended(sessions: pd.DataFrame) -> bool:
    return "attended" in sessions and bool(sessions["attended"].notna().any())


def _levels(
    cohort: Cohort, by: str | None, by_default: bool, notes: list[str]
) -> tuple[np.ndarray, tuple[str, ...], str | None]:
    """Return each course's level, the levels in order, and the column compared by."""
    none = np.full(len(cohort.episodes), ALL, dtype=object)
    if by is None:
        return none, (), None
    people = people_of(cohort)
    if by in _NO_GROUPS:
        raise OptionError(f"by={by!r} would single out people; a review compares groups such as problem areas or sites")
    if by not in people or (by_default and people[by].isna().all()):
        if by_default:
            notes.append("The data have no problem areas: no rates by area.")
            return none, (), None
        known = ", ".join(sorted(str(name) for name in people.columns if name not in _NO_GROUPS))
        raise OptionError(f"there is no column {by!r} to compare by", column=by, hint=f"The columns are: {known}")
    # One more for those whose level is not known.
    held = levels_of(people[by], by, none_set=True, most=MOST_LEVELS - int(people[by].isna().any()))
    level = held.astype(object).fillna(UNKNOWN).to_numpy(dtype=object)
    ordered = [str(each) for each in held.cat.categories if each != UNKNOWN]
    return level, (*ordered, UNKNOWN) if (level == UNKNOWN).any() else tuple(ordered), by


def people_of(cohort: Cohort) -> pd.DataFrame:
    """Return what is known of person and episode under the short names, one row per episode.

    Parameters
    ----------
    cohort : Cohort

    Returns
    -------
    pandas.DataFrame
        In the order of the episodes; the episode's own column counts before the person's.
    """
    own = [name for name in cohort.patients if name in cohort.episodes and name != "patient_id"]
    people = cohort.episodes.merge(cohort.patients.drop(columns=own), on="patient_id", how="left")
    return people.rename(
        columns={"problem_area_primary": "problem_area", "site_id": "site", "therapist_id": "therapist"}
    )
