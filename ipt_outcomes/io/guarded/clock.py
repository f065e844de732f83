"""Numbers that a statistical file shows as dates and times, as dates and times without loss.

SPSS counts seconds from 14 October 1582, Stata days or milliseconds from 1 January 1960, SAS days or seconds from
the same day. A clock time is a time of day, not a moment in 1960.
"""

from __future__ import annotations

import datetime
import re
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

Kind = Literal["date", "moment", "time", "duration"]

_DAY = 86_400
_EPOCH_SPSS = -141_428 * _DAY
_EPOCH_1960 = -3_653 * _DAY
_MICRO = 1_000_000
_MOST_MICROSECONDS = 9.2e18
_MOST_SECONDS = 9e18

_SPSS = {
    **dict.fromkeys(("DATE", "ADATE", "EDATE", "JDATE", "SDATE"), "date"),
    **dict.fromkeys(("DATETIME", "YMDHMS"), "moment"),
    "TIME": "time",
    "DTIME": "duration",
}
_SAS_DATES = (
    "DATE DDMMYY DDMMYYB DDMMYYC DDMMYYD DDMMYYN DDMMYYP DDMMYYS MMDDYY MMDDYYB MMDDYYC MMDDYYD MMDDYYN MMDDYYP "
    "MMDDYYS YYMMDD YYMMDDB YYMMDDC YYMMDDD YYMMDDN YYMMDDP YYMMDDS WEEKDATE WEEKDATX WORDDATE WORDDATX DTDATE "
    "IS8601DA E8601DA B8601DA"
)
_SAS_MOMENTS = "DATETIME DATEAMPM MDYAMPM IS8601DT E8601DT B8601DT B8601DN"
_SAS_TIMES = "TIME HHMM TOD TIMEAMPM IS8601TM E8601TM B8601TM"
_SAS = {
    **dict.fromkeys(_SAS_DATES.split(), "date"),
    **dict.fromkeys(_SAS_MOMENTS.split(), "moment"),
    **dict.fromkeys(_SAS_TIMES.split(), "time"),
}
# Hours, minutes, seconds and nothing of a day.
_STATA_TIME = re.compile(r"%-?tc(?:(?:HH|Hh|hH|hh|MM|mm|SS|ss|\.s+|[ap]m|[AP]M|[ap]\.m\.|[AP]\.M\.|:|_|!.|\.)+)")
_UNUSUAL_SPSS = frozenset(("QYR", "MOYR", "WKYR", "MONTH", "WKDAY"))
_SAS_PARTS = (
    "MONYY MMYY YYMM YYMON YYQ YYQR JULIAN JULDAY MONTH MONNAME QTR QTRR WEEKDAY DOWNAME DAY YEAR HOUR MMSS "
    "DTMONYY DTYEAR DTWKDATX DTYYQC NLDATE NLDATM NLTIME WEEKU WEEKV WEEKW"
)
_UNUSUAL_SAS = frozenset(_SAS_PARTS.split())


def kind_of(program: str, shown_as: str) -> tuple[Kind | None, float]:
    """Say what a display format makes of a number.

    Parameters
    ----------
    program : {"spss", "portable", "stata", "sas", "transport"}
    shown_as : str
        The format, for example ``DATE11``, ``%td``, ``MMDDYY10``.

    Returns
    -------
    kind : {"date", "moment", "time", "duration"} or None
        None for a plain number.
    second : float
        How many units of the number make a second.

    Examples
    --------
    >>> kind_of("spss", "DATE11"), kind_of("stata", "%tcHH:MM:SS")
    (('date', 1.0), ('time', 1000.0))
    """
    if program == "stata":
        return _of_stata(shown_as)
    name = re.sub(r"[0-9.]+$", "", shown_as.upper())
    known = _SPSS if program in ("spss", "portable") else _SAS
    kind: Kind | None = known.get(name)  # type: ignore[assignment]
    in_days = kind == "date" and known is _SAS and name != "DTDATE"
    return kind, 1 / _DAY if in_days else 1.0


def _of_stata(shown_as: str) -> tuple[Kind | None, float]:
    plain = shown_as.replace("%-", "%")
    if plain.startswith(("%td", "%d")):
        return "date", 1 / _DAY
    if plain.startswith(("%tc", "%tC")):
        return ("time" if _STATA_TIME.fullmatch(shown_as) else "moment"), 1000.0
    return None, 1.0


def left_as_number(program: str, shown_as: str) -> bool:
    """Whether a format shows weeks, months or quarters, which stay the numbers they are."""
    if program == "stata":
        return bool(re.match(r"%-?t[wmqhyb]", shown_as))
    name = re.sub(r"[0-9.]+$", "", shown_as.upper())
    return name in (_UNUSUAL_SPSS if program in ("spss", "portable") else _UNUSUAL_SAS)


def reaches(values: npt.NDArray[np.float64], kind: Kind, second: float) -> bool:
    """Whether all numbers can be told as dates or times without overflow."""
    seconds = np.abs(values[np.isfinite(values)]).max(initial=0.0) / second
    return bool(seconds < (_MOST_SECONDS if kind in ("date", "moment") else _MOST_MICROSECONDS / _MICRO))


def to_clock(values: npt.NDArray[np.float64], kind: Kind, second: float, program: str) -> pd.Series:
    """Turn numbers into dates or times.

    Parameters
    ----------
    values : numpy.ndarray of float, shape (n,)
        NaN where missing.
    kind : {"date", "moment", "time", "duration"}
    second : float
        Units that make a second.
    program : str
        Which program's first day counts.

    Returns
    -------
    pandas.Series, shape (n,)
        Dates are ``datetime64[s]`` at midnight, moments ``datetime64[us]`` (``datetime64[s]`` where microseconds
        do not reach), times of day are `datetime.time` objects, durations ``timedelta64[us]``; a column of times
        that leaves the day is one of durations (of moments in Stata, where it counts from 1960).
    """
    missing = ~np.isfinite(values)
    filled = np.where(missing, 0.0, values)
    within = bool(((filled >= 0) & (filled < _DAY * second)).all())
    if kind == "duration" or (kind == "time" and (within or program != "stata")):
        micro = _microseconds(filled, second)
        if kind == "time" and within:
            # The last half microsecond of a day would be rounded into the next.
            micro = np.minimum(micro, _DAY * _MICRO - 1)
            return pd.Series(
                [None if gone else _time(int(m)) for m, gone in zip(micro, missing, strict=True)], dtype=object
            )
        micro[missing] = np.iinfo(np.int64).min
        return pd.Series(micro.view("timedelta64[us]"))
    epoch = _EPOCH_SPSS if program in ("spss", "portable") else _EPOCH_1960
    if kind == "date":
        days = np.floor(filled if second < 1 else filled / second / _DAY).astype(np.int64) + epoch // _DAY
        return _moments(days * _DAY, missing, "s")
    seconds = np.floor(filled / second)
    if np.abs(seconds + epoch).max(initial=0.0) * _MICRO > _MOST_MICROSECONDS:
        return _moments(seconds.astype(np.int64) + epoch, missing, "s")
    return _moments(_microseconds(filled, second) + epoch * _MICRO, missing, "us")


def _microseconds(values: npt.NDArray[np.float64], second: float) -> npt.NDArray[np.int64]:
    whole = np.floor(values / second)
    part = np.round((values - whole * second) / second * _MICRO)
    return whole.astype(np.int64) * _MICRO + part.astype(np.int64)


def _moments(counts: npt.NDArray[np.int64], missing: npt.NDArray[np.bool_], unit: str) -> pd.Series:
    counts = counts.copy()
    counts[missing] = np.iinfo(np.int64).min
    return pd.Series(counts.view(f"datetime64[{unit}]"))


def _time(micro: int) -> datetime.time:
    seconds, micro = divmod(micro, _MICRO)
    return datetime.time(seconds // 3600, seconds // 60 % 60, seconds % 60, micro)
