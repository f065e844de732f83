"""Scheduled visits: which rows of a person belong to which visit of the plan."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.results import listed
from ipt_outcomes.trial.windows import checked_window, last_attended, placed, window_of

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
        Those that took place, in order of time.
    of_row : pandas.Series of str
        Key of the visit of each row of the outcome; missing where a row cannot be placed.
    by : {"visit", "session_no", "week"}
        What told the visits apart.
    end : Visit
        The end point.
    unseen : tuple of Visit
        Planned visits at which nobody has a score, and none of the rows took place.
    window : float or None
        Weeks either side of the end point within which a score counts to it, where visits are on real days.
    notes : tuple of str
    """

    visits: tuple[Visit, ...]
    of_row: pd.Series
    by: str
    end: Visit
    unseen: tuple[Visit, ...] = ()
    window: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def planned(self) -> tuple[Visit, ...]:
        """Every visit, with those at which nobody was seen, in order of time."""
        return tuple(sorted((*self.visits, *self.unseen), key=lambda visit: visit.week))


def schedule(
    long: pd.DataFrame,
    planned: pd.DataFrame | None = None,
    *,
    at: float | str | None = None,
    window: float | None = None,
) -> Schedule:
    """Find the visits in an outcome's rows after baseline, and the end point among them.

    Parameters
    ----------
    long : pandas.DataFrame
        ``patient_id visit session_no week value`` as `Cohort.outcome` gives them.
    planned : pandas.DataFrame, optional
        The same of visits that were planned and did not take place.
    at : float or str, optional
        The end point: a week, or the name of a visit. If None the last visit with a score; where visits are on real
        days, the last week around which enough people have one (`windows.last_attended`).
    window : float, optional
        Weeks either side of the end point, where visits are on real days.

    Returns
    -------
    Schedule
        By the visits' names if every row has one and nobody has one twice, else by session number under the
        same conditions, else by the week to the nearest whole one.

    Raises
    ------
    DesignError
        No row can be placed: there is neither a visit, nor a session number, nor a week.
    OptionError
        `at` names no visit, or one at which nobody has a score; or a window where visits are not on real days.
    """
    width = None if window is None else checked_window(window)
    for column in ("visit", "session_no"):
        keys = long.get(column)
        if keys is None or keys.isna().any() or not _has_weeks(long, keys):
            continue
        text = keys.map(_text)
        if not pd.DataFrame({"p": long["patient_id"], "k": text}).duplicated().any():
            return _by_plan(long, text, column, planned, at, width)
    week = long["week"].astype(float)
    if not week.notna().any():
        raise DesignError(
            "expected a visit, a session number or a week with every score after baseline; found none",
            column="week",
            hint='Map the column that holds the time: week = "...", day = "..." or visit = "...".',
        )
    distinct = week.dropna().unique()
    # A few shared weeks are a plan as they are; many different ones are real days, grouped by the week.
    if len(distinct) <= 30 and week.value_counts().min() > 1:
        return _by_shared_weeks(long, week, planned, at, width)
    return _by_days(long, week, at, width)


def _by_plan(
    long: pd.DataFrame,
    text: pd.Series,
    by: str,
    planned: pd.DataFrame | None,
    at: float | str | None,
    window: float | None,
    notes: tuple[str, ...] = (),
) -> Schedule:
    """Visits that are told apart by a name, a number or a week many people share."""
    if window is not None:
        raise OptionError(
            "window is for scores on real days; these visits are told apart by "
            f"{'their weeks' if by == 'week' else 'their names or numbers'}"
        )
    visits = _visits(text, long["week"], by)
    unseen = _unseen(planned, visits, by)
    scored = set(text[long["value"].notna()].dropna())
    with_scores = tuple(visit for visit in visits if visit.key in scored)
    empty = tuple(visit for visit in (*visits, *unseen) if visit.key not in scored)
    end = with_scores[-1] if at is None else _named(at, visits, empty)
    told = _empty(empty)
    last = max((*visits, *unseen), key=lambda visit: visit.week)
    if at is None and last.week > end.week:
        told += (
            f"The last planned visit, {_with_week(last)}, cannot be the end point, since nobody has a score there: the "
            f"end point is the last visit with scores, {_with_week(end)}.",
        )
    return Schedule(visits=visits, of_row=text, by=by, end=end, unseen=unseen, notes=(*notes, *told))


def _by_shared_weeks(
    long: pd.DataFrame, week: pd.Series, planned: pd.DataFrame | None, at: float | str | None, window: float | None
) -> Schedule:
    kept = long.index[~pd.DataFrame({"p": long["patient_id"], "k": week}).duplicated() & week.notna()]
    text = week[week.index.isin(kept)].map(_text).reindex(long.index)
    left_out = int(week.notna().sum() - len(kept))
    notes = (f"{left_out} scores are further ones of a person in the same week and count to no visit.",)
    return _by_plan(long, text, "week", planned, at, window, notes if left_out else ())


def _by_days(long: pd.DataFrame, week: pd.Series, at: float | str | None, window: float | None) -> Schedule:
    """Visits on real days: whole weeks, and around the end point a window."""
    scored = long.loc[long["value"].notna() & week.notna(), ["patient_id", "week"]].astype({"week": float})
    if scored.empty:
        raise DesignError("expected scores with a week after baseline; found none", column="week")
    width = window_of(scored) if window is None else window
    asked = at if at is None or not isinstance(at, str) else _week_in(at.strip().removeprefix("week").strip())
    if at is None:
        middle = last_attended(scored, width)
    elif asked is not None and not isinstance(asked, bool) and math.isfinite(asked):
        middle = math.floor(asked + 0.5)
    else:
        raise OptionError("at names no visit after baseline", hint="The visits are on real days: name a week, at=12.")
    if not ((scored["week"] - middle).abs() <= width).any():
        low, high = scored["week"].min(), scored["week"].max()
        raise OptionError(
            f"at names no visit after baseline: nobody has a score within {width:g} weeks of week {middle}",
            hint=f"The scores lie between week {low:.0f} and week {high:.0f}; at names a week, window how far from it.",
        )
    planned = placed(long, middle, width)
    text = planned.map(_text)
    left_out = int(week.notna().sum() - planned.notna().sum())
    around = f"week {middle}, with each person's score nearest to it within {width:g} weeks"
    chosen = (
        "the last week around which at least half as many people have a score as around the best attended one"
        if at is None
        else "as asked for"
    )
    notes = [
        "Visits have no names or numbers: scores count to the nearest whole week.",
        f"The end point is {around}: {chosen}. How many people have such a score stands in the flow; at and window "
        "choose another.",
    ]
    if left_out:
        notes.append(f"{left_out} scores are not the nearest to their week and count to no visit.")
    visits = tuple(
        Visit(name=f"week {key}", key=key, week=float(key))
        for key in sorted({str(key) for key in text.dropna()}, key=float)
    )
    end = next(visit for visit in visits if visit.week == middle)
    return Schedule(visits=visits, of_row=text, by="week", end=end, window=width, notes=tuple(notes))


def _named(at: float | str, visits: tuple[Visit, ...], empty: tuple[Visit, ...]) -> Visit:
    """The visit a user means."""
    known = (*visits, *(visit for visit in empty if visit not in visits))
    found: Visit | None = None
    number = at if not isinstance(at, str) else None
    if isinstance(at, str):
        named = [visit for visit in known if at.strip() in {visit.key, visit.name}]
        found = named[0] if named else None
        number = _week_in(at)
    if found is None and number is not None and not isinstance(number, bool) and math.isfinite(number):
        near = min(known, key=lambda visit: abs(visit.week - number))
        found = near if abs(near.week - number) <= _NEAR else None
    choices = ", ".join(f"{visit.key} (week {visit.week:g})" for visit in known if visit not in empty)
    if found is None:
        raise OptionError("at names no visit after baseline", hint=f"The visits are: {choices}.")
    if found in empty:
        raise OptionError(
            f"nobody has a score at {_with_week(found)}: it cannot be the end point",
            hint=f"The visits with scores are: {choices}.",
        )
    return found


def _unseen(planned: pd.DataFrame | None, visits: tuple[Visit, ...], by: str) -> tuple[Visit, ...]:
    if planned is None or planned.empty:
        return ()
    keys = planned[by].map(_text)
    fresh = keys.notna() & ~keys.isin([visit.key for visit in visits]) & planned["week"].notna()
    return _visits(keys[fresh], planned.loc[fresh, "week"].astype(float), by) if fresh.any() else ()


def _empty(visits: tuple[Visit, ...]) -> tuple[str, ...]:
    ordered = sorted(visits, key=lambda visit: visit.week)
    if not ordered:
        return ()
    names = listed([_with_week(visit) for visit in ordered])
    return (f"Planned, but nobody has a score there: {names}.",)


def _with_week(visit: Visit) -> str:
    return visit.name if visit.name == f"week {visit.week:g}" else f"{visit.name} (week {visit.week:g})"


def _has_weeks(long: pd.DataFrame, keys: pd.Series) -> bool:
    return bool(long["week"].groupby(keys.map(_text)).apply(lambda weeks: weeks.notna().any()).all())


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
