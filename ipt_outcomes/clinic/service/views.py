"""Every main rate by what is known of people and courses: for the service's own eyes.

Equity (sex, age, ethnicity, deprivation) and the views of IPT (second area, stage of a dispute, phase reached, format,
adaptation, population, indication). Groups so many and so small cannot be published beside the others without giving
people away, so only the internal report has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.clinic.courses import UNKNOWN, Courses, people_of, sessions_attended
from ipt_outcomes.clinic.judging import Judged
from ipt_outcomes.clinic.ledger import Ledger
from ipt_outcomes.clinic.outcomes import COMPLETERS, closed
from ipt_outcomes.io.cohort import Cohort

EQUITY = ("sex", "age_band", "ethnicity_group", "imd_decile", "education", "employment")
IPT_VIEWS = (
    "problem_area_primary",
    "problem_area_secondary",
    "dispute_stage",
    "phase_reached",
    "format",
    "adaptation",
    "population",
    "indication",
    "therapist_training",
)
ATTENDED = "sessions_attended"
VIEWS = (*IPT_VIEWS, ATTENDED, *EQUITY)
"""Columns that rates are given by, where the data have them."""

ANALYSIS = "view"
_MOST = 12
_PHASES = ("initial", "middle", "termination", "maintenance")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """Groups by one column.

    Parameters
    ----------
    name : str
    level : numpy.ndarray of str, shape (k,)
        Of each course; "unknown" where not known.
    levels : tuple of str
        In order, those that occur.
    """

    name: str
    level: np.ndarray
    levels: tuple[str, ...]


def views_of(cohort: Cohort, courses: Courses, edges: Sequence[int]) -> tuple[View, ...]:
    """Return the views that the data allow.

    Parameters
    ----------
    cohort : Cohort
    courses : Courses
    edges : sequence of int
        Where a band of attended sessions begins.

    Returns
    -------
    tuple of View
        Of columns with 2 to 12 known levels; not the column that the review compares by.
    """
    people = people_of(cohort)
    found = []
    for name in VIEWS:
        column = _column(name, cohort, courses, people, edges)
        if column is None or _same(name, courses.by):
            continue
        text = column.astype("string").fillna(UNKNOWN).to_numpy(dtype=object)
        ordered = list(column.cat.categories) if isinstance(column.dtype, pd.CategoricalDtype) else sorted(set(text))
        levels = [str(level) for level in ordered if str(level) != UNKNOWN and (text == str(level)).any()]
        if not 2 <= len(levels) <= _MOST:
            continue
        # Whoever attended no session has not started, and is in no band.
        more = (UNKNOWN,) if name != ATTENDED and (text == UNKNOWN).any() else ()
        found.append(View(name=name, level=text, levels=(*levels, *more)))
    return tuple(found)


def add_views(ledger: Ledger, views: Sequence[View], judged: Judged, courses: Courses) -> None:
    """Add the main rates of the first measure by each view, of completers; for the internal report only.

    Parameters
    ----------
    ledger : Ledger
        Turned to the real courses alone, or beyond: only counts of real ones are added.
    views : sequence of View
    judged : Judged
    courses : Courses
    """
    measure, sets = judged.measures[0], judged.sets[0]
    over = closed(courses)
    for view in views:
        for level in view.levels:
            inside = view.level == level
            own = {"view": view.name, "group": level}
            ledger.unpublished(ANALYSIS, "ended", int((over & inside).sum()), own)
            for rate in measure.headline:
                groups = {**own, "measure": measure.name, "rate": rate}
                top, bottom = (
                    mask & inside for mask in (sets.numerator(rate, COMPLETERS), sets.denominator(rate, COMPLETERS))
                )
                numbers = (int(top.sum()), int(bottom.sum()))
                ids = (
                    ledger.unpublished(ANALYSIS, "numerator", numbers[0], groups),
                    ledger.unpublished(ANALYSIS, "denominator", numbers[1], groups),
                )
                ledger.share_of(ANALYSIS, ids, numbers, groups)


def _same(name: str, by: str | None) -> bool:
    return by is not None and name in (by, f"{by}_primary")


def _column(
    name: str, cohort: Cohort, courses: Courses, people: pd.DataFrame, edges: Sequence[int]
) -> pd.Series | None:
    if name == ATTENDED:
        return _bands(courses, edges)
    if name == "phase_reached":
        return _phase_reached(cohort, courses)
    for each in (name, name.removesuffix("_primary")):
        if each in people:
            return people[each]
    return None


def _bands(courses: Courses, edges: Sequence[int]) -> pd.Series | None:
    if not courses.knows_sessions:
        return None
    lows = list(edges)
    names = [
        f"{low} or more" if above is None else str(low) if above == low + 1 else f"{low} to {above - 1}"
        for low, above in zip(lows, [*lows[1:], None], strict=True)
    ]
    place = np.searchsorted(lows, courses.attended, side="right") - 1
    texts = [None if at < 0 else names[at] for at in place]
    return pd.Series(pd.Categorical(texts, categories=names, ordered=True))


def _phase_reached(cohort: Cohort, courses: Courses) -> pd.Series | None:
    """Furthest phase of a session attended."""
    sessions = cohort.sessions
    if sessions.empty or "phase" not in sessions or sessions["phase"].isna().all():
        return None
    seen = sessions_attended(cohort)
    rank = seen["phase"].astype("string").map({phase: number for number, phase in enumerate(_PHASES)})
    furthest = rank.astype("Float64").groupby(seen["episode_id"].to_numpy()).max().reindex(courses.episode_id)
    texts = [None if pd.isna(number) else _PHASES[int(number)] for number in furthest]
    return pd.Series(pd.Categorical(texts, categories=list(_PHASES), ordered=True))
