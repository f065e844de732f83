"""When a score was taken: weeks from week, day, visit or session number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ipt_outcomes.io.cohort.cells import FloatArray, Texts, nothing
from ipt_outcomes.io.cohort.codes import listed_codes
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.mapping import CohortMapping
from ipt_outcomes.io.cohort.typed import Values
from ipt_outcomes.io.toml_text import quoted
from ipt_outcomes.privacy.gate import GateEntry
from ipt_outcomes.results import plural
from ipt_outcomes.vocabulary.spelling import plain

# The dictionary's own visit names with a week of their own.
_KNOWN_WEEKS = {"baseline": 0.0}
_VISIT_WORDS = re.compile(
    r"(?i)visit|week|month|year|day|sess|base|screen|post|pre|end|final|term|follow|fu|week|woche|monat|tag|jahr|mes|"
    r"seman|maand|start|in_?take|treat|mid|time|exit|discharge|basis|nach|inicio|^[a-z]{0,2}[ _-]?[0-9]{1,3}$"
)
_LONG_AFTER = 520.0


@dataclass(frozen=True, slots=True)
class Times:
    """Times of the records.

    Parameters
    ----------
    week, day, session_no : numpy.ndarray of float, shape (n,)
        NaN where not known.
    visit : Texts
        As written.
    known : bool
        Whether any column tells the time.
    notes : tuple of str
    """

    week: FloatArray
    day: FloatArray
    session_no: FloatArray
    visit: Texts
    known: bool
    notes: tuple[str, ...] = ()


def read_times(values: Values, plan: CohortMapping, source: str | None, faults: Faults) -> Times:
    """Work out the week of every record.

    Parameters
    ----------
    values : Values
    plan : CohortMapping
    source : str or None
        Source column of the visits, for messages.
    faults : Faults
        Takes visits whose week nobody said.

    Returns
    -------
    Times
        The week as given; where there is none, the day divided by 7; then the week of the visit; where nothing
        else tells the time at all, the session number.
    """
    size = len(faults.rows)
    none = np.full(size, np.nan)
    week = values.numbers.get("week", none).copy()
    day = values.numbers.get("day", none)
    session_no = values.numbers.get("session_no", none)
    visit = values.texts.get("visit", nothing(size))
    notes = []
    apart = int((np.abs(week - day / 7) > 1).sum())
    if apart:
        notes.append(
            f"week and day are more than a week apart in {apart} {plural(apart, 'row', 'rows')}; the week counts"
        )
    by_day = np.isnan(week) & ~np.isnan(day)
    if by_day.any():
        week[by_day] = day[by_day] / 7
        notes.append("weeks from days: day divided by 7")
    if len(visit.values):
        by_visit = _visit_weeks(visit, plan.visits)
        filled = np.isnan(week) & ~np.isnan(by_visit)
        week[filled] = by_visit[filled]
        if filled.any():
            notes.append(f"weeks from visits: {_said(visit, plan.visits)}")
        if np.isnan(session_no).all():
            _refuse_unknown_visits(visit, np.isnan(week), by_visit, source or "visit", faults)
    if np.isnan(week).all() and not np.isnan(session_no).all():
        start = 0.0 if np.nanmin(session_no) < 1 else 1.0
        week = session_no - start
        told = "session 0 is week 0" if start == 0 else "session 1 is week 0"
        notes.append(f"no column tells the time: sessions are counted as weeks ({told})")
    if (week > _LONG_AFTER).any():
        notes.append("weeks run to more than ten years: if the column holds days, map it as day")
    known = not (np.isnan(week).all() and np.isnan(session_no).all() and not len(visit.values))
    return Times(week=week, day=day, session_no=session_no, visit=visit, known=known, notes=tuple(notes))


def scores_without_a_time(week: FloatArray, value: FloatArray) -> list[GateEntry]:
    """Warn of scores that no column places in time, where others are placed.

    Parameters
    ----------
    week, value : numpy.ndarray of float, shape (n,)
        Of each score; NaN where not known.

    Returns
    -------
    list of GateEntry
        Empty where every score has a time, or none has.
    """
    lost = int((np.isnan(week) & ~np.isnan(value)).sum())
    if not lost or np.isnan(week).all():
        return []
    detail = (
        f"{lost} {plural(lost, 'score has', 'scores have')} no time (no week, day or visit with a week), and "
        f"{plural(lost, 'is', 'are')} neither a baseline nor a score after it"
    )
    return [GateEntry(rule="L12", action="warned", column="", detail=detail, count=lost)]


def _visit_weeks(visit: Texts, weeks: Mapping[str, float]) -> FloatArray:
    told = {plain(name): week for name, week in weeks.items()}
    known = _KNOWN_WEEKS | told
    by_value = np.array([*(known.get(plain(text), np.nan) for text in visit.values), np.nan], dtype=float)
    return np.asarray(by_value[visit.codes], dtype=np.float64)


def _said(visit: Texts, weeks: Mapping[str, float]) -> str:
    told = _KNOWN_WEEKS | {plain(name): week for name, week in weeks.items()}
    parts = [f"{text} = {told[plain(text)]:g}" for text in visit.values if plain(text) in told]
    return ", ".join(parts[:12]) + (", ..." if len(parts) > 12 else "")


def _is_visit(text: str) -> bool:
    """Whether a text holds a word that visits are named by."""
    return _VISIT_WORDS.search(text) is not None


def _refuse_unknown_visits(
    visit: Texts, no_week: np.ndarray, by_visit: FloatArray, source: str, faults: Faults
) -> None:
    lost = no_week & np.isnan(by_visit) & ~visit.missing
    if not lost.any():
        return
    texts = [visit.values[code] for code in np.unique(visit.codes[lost])]
    counts = dict(zip(visit.values, visit.counts.tolist(), strict=True))
    told = listed_codes(texts, counts, len(visit.values), is_near=_is_visit)
    if told is None:
        faults.add(
            f"{source}: {len(texts)} {plural(len(texts), 'visit', 'different visits')} whose week is not known",
            rule="visit", column=source,
            expected="visits with a week", records=np.flatnonzero(lost),
            hint="Map the column that holds the time: week, day or session_no.",
        )  # fmt: skip
        return
    names = [text for text, _ in told]
    lines = "\n".join(f"{quoted(name)} = ..." for name in sorted(names))
    faults.add(
        f"{source}: the week of these visits is not known: {', '.join(sorted(names))}",
        rule="visit", column=source, expected="visits with a week", records=np.flatnonzero(lost),
        hint=f"Say when they are, in weeks from the start:\n[visits]\n{lines}",
    )  # fmt: skip
