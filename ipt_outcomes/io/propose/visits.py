"""Measurement times: the name a mapping gives them, and the week they are likely to be at."""

from __future__ import annotations

from dataclasses import dataclass

from ipt_outcomes.io.propose.headings import When
from ipt_outcomes.io.propose.words import GUESS, LIKELY, SURE, Sure

_DAYS_A_WEEK = 7
_WEEKS_A_YEAR = 52
_MONTHS_A_YEAR = 12
_NAMES = {"post": "post", "followup": "followup", "screening": "screening", "mid": "mid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One measurement time of a file.

    Parameters
    ----------
    name : str
        As the mapping names it.
    week : float or None
        Weeks from the person's own start; None where nothing tells it.
    sure : {"sure", "likely", "guess"}
    why : str
    """

    name: str
    week: float | None
    sure: Sure
    why: str


def visit_name(when: When) -> str:
    """Return the name of a measurement time.

    Examples
    --------
    >>> visit_name(When("week", 8.0)), visit_name(When("followup_month", 6.0)), visit_name(When("baseline"))
    ('week_8', 'followup_month_6', 'baseline')
    """
    if when.kind == "baseline":
        return "baseline"
    kind = "visit" if when.kind in ("point", "number") else _NAMES.get(when.kind, when.kind)
    return kind if when.number is None else f"{kind}_{when.number:g}"


def weeks_of(times: dict[str, When]) -> list[Visit]:
    """Say in which week each measurement time is likely to be.

    Parameters
    ----------
    times : dict of str to When
        Name in the mapping and what the file says.

    Returns
    -------
    list of Visit
        In the order of the weeks; times whose week nobody can tell come last.
    """
    sessions = [when.number for when in times.values() if when.kind == "session" and when.number is not None]
    points = [when.number for when in times.values() if when.kind in ("point", "number") and when.number is not None]
    has_baseline = any(when.kind == "baseline" for when in times.values())
    found = [
        _visit(name, when, first_session=min(sessions, default=1.0), first_point=min(points, default=0.0),
               has_baseline=has_baseline)
        for name, when in times.items()
    ]  # fmt: skip
    return sorted(found, key=lambda visit: float("inf") if visit.week is None else visit.week)


def _visit(name: str, when: When, *, first_session: float, first_point: float, has_baseline: bool) -> Visit:
    number = when.number
    if when.kind == "baseline":
        return Visit(name=name, week=0.0, sure=SURE, why="the baseline is week 0")
    if number is not None and when.kind in ("week", "day", "month", "year"):
        return _measured(name, when.kind, number)
    if number is not None and when.kind.startswith(("followup_", "post_")):
        unit = when.kind.split("_", 1)[1]
        week = _measured(name, unit, number).week
        why = (
            f"{number:g} {unit}s: counted from the start here; if they count from the end of treatment, add its length"
        )
        return Visit(name=name, week=week, sure=GUESS, why=why)
    if number is not None and when.kind == "session":
        if not has_baseline and number == first_session:
            return Visit(name=name, week=0.0, sure=LIKELY, why="the first session, taken for the start")
        week = number - (0.0 if first_session < 1 or has_baseline else first_session)
        return Visit(name=name, week=week, sure=GUESS, why="a session a week is assumed")
    if number is not None and when.kind in ("point", "number"):
        if number == first_point and not has_baseline:
            return Visit(name=name, week=0.0, sure=LIKELY, why="the first time of measurement, taken for the start")
        return Visit(name=name, week=None, sure=GUESS, why="a number of a measurement: its week has to be said")
    if when.kind == "screening":
        return Visit(name=name, week=-1.0, sure=GUESS, why="before the start: a week earlier is assumed")
    return Visit(name=name, week=None, sure=GUESS, why="its week has to be said")


def _measured(name: str, unit: str, number: float) -> Visit:
    if unit == "week":
        return Visit(name=name, week=number, sure=SURE, why="the name says the week")
    if unit == "day":
        return Visit(name=name, week=round(number / _DAYS_A_WEEK, 4), sure=SURE, why="the name says the day")
    if unit == "month":
        week = float(round(number * _WEEKS_A_YEAR / _MONTHS_A_YEAR))
        return Visit(name=name, week=week, sure=LIKELY, why="months of 52/12 weeks, rounded")
    return Visit(name=name, week=number * _WEEKS_A_YEAR, sure=LIKELY, why="years of 52 weeks")
