"""Waiting times: from referral to the first session, and from the first to the second."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.clinic.service.rates import rate_rows
from ipt_outcomes.effects.proportions import is_number
from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.results import Provenance, ResultObject, plural

SIX_WEEKS, EIGHTEEN_WEEKS = 42, 126
LONG_GAPS = (28, 90)
STANDARDS = {"within_6_weeks": 75.0, "within_18_weeks": 95.0}
"""National standards of NHS Talking Therapies in percent of finished courses, in force since April 2015."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTimes(ResultObject):
    """Waits of courses and the rates of them.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row per course, in the order given: ``wait`` (days), ``finished``, ``within_6_weeks within_18_weeks``,
        ``gap`` (days from the first to the second session), ``gap_over_28 gap_over_90``; missing where a day is.
    rates : pandas.DataFrame
        ``rate numerator denominator percent ci_low ci_high standard``: of finished courses with a known wait (gap).
    excluded : pandas.DataFrame
        ``rate reason courses``: why courses are in no denominator.
    median_wait : float
        Days, of finished courses; NaN where there is none.
    level : float
    provenance : Provenance
    """

    rows: pd.DataFrame
    rates: pd.DataFrame
    excluded: pd.DataFrame
    median_wait: float
    level: float
    provenance: Provenance

    def to_frame(self) -> pd.DataFrame:
        """Return the rates."""
        return self.rates.copy()

    def summary(self, digits: int = 1) -> str:
        """Return the rates beside the standards."""
        lines = []
        for row in self.rates.to_dict("records"):
            standard = f" (standard {row['standard']:g}%)" if not np.isnan(row["standard"]) else ""
            name = str(row["rate"]).replace("_", " ")
            lines.append(f"{name}: {row['numerator']} of {row['denominator']}, {row['percent']:.{digits}f}%{standard}")
        return "\n".join(lines)


def waiting_times(
    data: pd.DataFrame,
    *,
    referral: str = "referral_day",
    first: str = "first_day",
    second: str = "second_day",
    attended: str = "n_attended",
    min_sessions: int = 2,
    level: float = 0.95,
) -> WaitingTimes:
    """Waits from referral to treatment, and within it.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per course.
    referral, first, second : str
        Columns of the day (a number, or a date) of referral and of the first and second session attended.
    attended : str
        Column with the number of sessions attended.
    min_sessions : int
        Sessions from which on a course counts as finished: rates are of these.
    level : float
        Confidence level of the Wilson intervals.

    Returns
    -------
    WaitingTimes

    Raises
    ------
    DesignError
        A column is missing or no day; a first session before the referral, or a second before the first. All
        faults at once, with their rows.
    OptionError
        An option is out of its range.

    Notes
    -----
    Within 6 weeks is a wait of at most 42 days, within 18 weeks of at most 126; long gaps are of more than 28 and
    more than 90 days. Standards: 75% and 95%.

    References
    ----------
    NHS England, guidance to support the introduction of access and waiting time standards for mental health services in
    2015/16 (standards); NHS England, Talking Therapies data set, measures of waits.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.DataFrame({"referral_day": [0, 0], "first_day": [42, 43], "second_day": [49, 80]})
    >>> days["n_attended"] = [8, 3]
    >>> waiting_times(days).rates[["rate", "numerator", "denominator"]].values.tolist()[0]
    ['within_6_weeks', 1, 2]
    """
    if not is_number(min_sessions) or int(min_sessions) != min_sessions or min_sessions < 1:
        raise OptionError(f"min_sessions must be a whole number of at least 1; got {min_sessions!r}")
    lacking = [name for name in (referral, first, second, attended) if name not in data.columns]
    if lacking:
        raise DesignError(f"expected columns of days and of sessions; not there: {', '.join(lacking)}")
    days = {name: _days(data[name]) for name in (referral, first, second)}
    count = pd.to_numeric(data[attended], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wait, gap = days[first] - days[referral], days[second] - days[first]
    _refuse_backwards({f"{first} before {referral}": wait < 0, f"{second} before {first}": gap < 0})
    finished = count >= min_sessions
    known, told = ~np.isnan(wait), ~np.isnan(gap)
    answers = {
        "within_6_weeks": (wait <= SIX_WEEKS, known),
        "within_18_weeks": (wait <= EIGHTEEN_WEEKS, known),
        **{f"gap_over_{days_}": (gap > days_, told) for days_ in LONG_GAPS},
    }
    rates = rate_rows(((name, has, finished & there) for name, (has, there) in answers.items()), level)
    rows = {"wait": wait, "finished": finished, "gap": gap}
    rows |= {name: pd.arrays.BooleanArray(has & there, ~there) for name, (has, there) in answers.items()}
    excluded = [
        (name, reason, int(mask.sum()))
        for name, (_, there) in answers.items()
        for reason, mask in (("course not finished", ~finished), ("day not recorded", finished & ~there))
    ]
    waits = wait[finished & known]
    options = {"min_sessions": int(min_sessions), "level": level}
    return WaitingTimes(
        rows=pd.DataFrame(rows)[["wait", "finished", *STANDARDS, "gap", "gap_over_28", "gap_over_90"]],
        rates=rates.assign(standard=rates["rate"].map(STANDARDS).astype(float)),
        excluded=pd.DataFrame(excluded, columns=["rate", "reason", "courses"]),
        median_wait=float(np.median(waits)) if waits.size else np.nan,
        level=level,
        provenance=Provenance(function="clinic.waiting_times", options=options),
    )


def _days(column: pd.Series) -> np.ndarray:
    """Return days as numbers; of dates, from a day that cancels in every difference."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=float, na_value=np.nan)
    dates = pd.to_datetime(column, errors="coerce", format="ISO8601")
    bad = np.flatnonzero((dates.isna() & column.notna()).to_numpy())
    if bad.size:
        raise DesignError(
            f"{bad.size} of {len(column)} values in {column.name} are neither days nor dates such as 2025-01-31",
            rows=bad,
            column=str(column.name),
        )
    days = (dates - pd.Timestamp(2000, 1, 1)) / pd.Timedelta(days=1)
    return np.asarray(days.to_numpy(dtype=float, na_value=np.nan))


def _refuse_backwards(faults: dict[str, np.ndarray]) -> None:
    found = {name: np.flatnonzero(mask) for name, mask in faults.items() if mask.any()}
    if found:
        words = "; ".join(
            f"{name} in {rows.size} {plural(rows.size, 'course', 'courses')}" for name, rows in found.items()
        )
        raise DesignError(
            f"days run backwards: {words}",
            rows=sorted({int(row) for rows in found.values() for row in rows}),
            hint="Correct the days, or empty those that are not known: such a course is then left out and counted.",
        )
