"""Scheduled visits: which rows of a person belong to which visit of the plan."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DesignError, OptionError

# How far, in weeks, a week the user names may lie from the visit meant.
_NEAR = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A visit of the plan after baseline.

    Parameters
    ----------
    name : str
        As reports write it: "month 6", "visit 12", "week 12".
    key : str
        As the data name it: "month_6", "12".
    week : float
        Planned week: the one all rows share, else the median to the nearest whole week.
    """

    name: str
    key: str
    week: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The visits of a trial, and each row's visit.

    Parameters
    ----------
    visits : tuple of Visit
        In order of time.
    of_row : pandas.Series of str
        Key of the visit of each row of the outcome; missing where a row cannot be placed.
    by : {"visit", "session_no", "week"}
        What told the visits apart.
    notes : tuple of str
    """

    visits: tuple[Visit, ...]
    of_row: pd.Series
    by: str
    notes: tuple[str, ...] = ()

    def find(self, at: float | str | None) -> Visit:
        """Return the visit a user means.

        Parameters
        ----------
        at : float, str or None
            A week, or the name of a visit; None for the last visit.

        Returns
        -------
        Visit

        Raises
        ------
        OptionError
            No visit is so named or planned so near; the message lists the visits.
        """
        if at is None:
            return self.visits[-1]
        if isinstance(at, str):
            named = [visit for visit in self.visits if at.strip() in {visit.key, visit.name}]
            if named:
                return named[0]
            at = _week_in(at)
        if at is not None and not isinstance(at, bool) and math.isfinite(at):
            near = min(self.visits, key=lambda visit: abs(visit.week - at))
            if abs(near.week - at) <= _NEAR:
                return near
        listed = ", ".join(f"{visit.key} (week {visit.week:g})" for visit in self.visits)
        raise OptionError("at names no visit after baseline", hint=f"The visits are: {listed}.")


def schedule(long: pd.DataFrame) -> Schedule:
    """Find the visits in an outcome's rows after baseline.

    Parameters
    ----------
    long : pandas.DataFrame
        ``patient_id visit session_no week value`` as `Cohort.outcome` gives them.

    Returns
    -------
    Schedule
        By the visits' names if every row has one and nobody has one twice, else by session number under the
        same conditions, else by the week to the nearest whole one.

    Raises
    ------
    DesignError
        No row can be placed: there is neither a visit, nor a session number, nor a week.
    """
    for column in ("visit", "session_no"):
        keys = long.get(column)
        if keys is None or keys.isna().any() or not _has_weeks(long, keys):
            continue
        text = keys.map(_text)
        if not pd.DataFrame({"p": long["patient_id"], "k": text}).duplicated().any():
            return Schedule(visits=_visits(text, long["week"], column), of_row=text, by=column)
    return _by_week(long)


def _has_weeks(long: pd.DataFrame, keys: pd.Series) -> bool:
    return bool(long["week"].groupby(keys.map(_text)).apply(lambda weeks: weeks.notna().any()).all())


def _by_week(long: pd.DataFrame) -> Schedule:
    week = long["week"].astype(float)
    if not week.notna().any():
        raise DesignError(
            "expected a visit, a session number or a week with every score after baseline; found none",
            column="week",
            hint='Map the column that holds the time: week = "...", day = "..." or visit = "...".',
        )
    distinct = week.dropna().unique()
    # A few shared weeks are a plan as they are; many different ones are real days, grouped by the week.
    exact = len(distinct) <= 30 and pd.Series(week).value_counts().min() > 1
    planned = week if exact else pd.Series(np.floor(week.to_numpy() + 0.5), index=week.index)
    notes = [] if exact else ["Visits have no names or numbers: scores count to the nearest whole week."]
    order = pd.DataFrame({"p": long["patient_id"], "k": planned, "off": (week - planned).abs(), "week": week})
    order = order[order["k"].notna()].sort_values(["p", "k", "off", "week"], kind="stable")
    kept = order.index[~order.duplicated(["p", "k"])]
    text = planned[planned.index.isin(kept)].map(_text).reindex(long.index)
    left_out = int(planned.notna().sum() - len(kept))
    if left_out:
        notes.append(f"{left_out} scores are not the nearest to their week and count to no visit.")
    return Schedule(visits=_visits(text, week, "week"), of_row=text, by="week", notes=tuple(notes))


def _visits(keys: pd.Series, week: pd.Series, by: str) -> tuple[Visit, ...]:
    found = []
    for key, weeks in week[keys.notna()].groupby(keys[keys.notna()]):
        known = weeks.dropna()
        middle = float(known.median())
        planned = middle if known.nunique() == 1 else math.floor(middle + 0.5)
        words = str(key).replace("_", " ")
        name = words if by == "visit" and not _is_number(words) else f"{'week' if by == 'week' else 'visit'} {words}"
        found.append((planned, middle, Visit(name=name, key=str(key), week=float(planned))))
    return tuple(visit for _, _, visit in sorted(found, key=lambda item: (item[0], item[1], item[2].key)))


def _text(value: object) -> str | float:
    """A key as text; whole numbers without a point."""
    if value is None or value is pd.NA or value != value:
        return np.nan
    if isinstance(value, int | float | np.number):
        return f"{float(value):g}"
    return str(value).strip()


def _is_number(text: str) -> bool:
    return _week_in(text) is not None


def _week_in(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
