"""Dates as whole days: how they are written must be said, and what cannot be a date by it is refused."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ipt_outcomes.errors import DataError, OptionError, require_choice
from ipt_outcomes.io.delimited import rows_in_words
from ipt_outcomes.results import plural
from ipt_outcomes.schemas import parse_numbers, to_text

FloatArray = npt.NDArray[np.float64]

_ORDERS = ("iso", "dmy", "mdy")
# Days from 1970-01-01 to the day a program counts from, and how many of its units make a day.
_COUNTED: dict[str, tuple[str, float]] = {
    "spss": ("1582-10-14", 86_400.0),
    "excel": ("1899-12-30", 1.0),
    "excel1904": ("1904-01-01", 1.0),
    "sas": ("1960-01-01", 1.0),
    "sas_datetime": ("1960-01-01", 86_400.0),
    "stata": ("1960-01-01", 1.0),
    "stata_datetime": ("1960-01-01", 86_400_000.0),
}
ORIGINS = (*_ORDERS, *_COUNTED)
"""Ways in which dates are written or counted."""

# Spreadsheets hold 29 February 1900, a day that never was: serial numbers up to it mean other days in other programs.
_FIRST_EXCEL = 61.0
_FIRST, _LAST = (float(np.datetime64(f"{year}-01-01").astype(int)) for year in (1900, 2101))
_LIKELY = tuple(float(np.datetime64(f"{year}-01-01").astype(int)) for year in (1960, 2060))
_SEPARATED = r"^(?P<a>\d{1,4})(?P<s>[-/. ])(?P<b>\d{1,2})[-/. ](?P<c>\d{1,4})(?P<t>[T ,].*)?$"
_HINT = (
    'Say how dates are written: origin="iso" (2019-03-31), "dmy" (31/03/2019), "mdy" (03/31/2019), or what numbers '
    f"count from: {', '.join(_COUNTED)}. In a mapping: [dates] order = ..."
)


def to_days(values: Any, *, origin: str | None) -> FloatArray:
    """Turn dates into whole days from 1 January 1970, so that days from a person's start are a difference.

    Parameters
    ----------
    values : array_like, shape (n,)
        Dates, moments, texts or numbers; missing cells stay missing. The time of day is cut off.
    origin : {"iso", "dmy", "mdy", "spss", "excel", "excel1904", "sas", "stata" ...} or None
        How texts are written or what numbers count from: seconds from 14 October 1582 (SPSS), days from 30 December
        1899 or 1 January 1904 (Excel), days or seconds from 1 January 1960 (SAS), days or milliseconds from then
        (Stata). None only where the values are dates by their type.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        Whole days; NaN where missing.

    Raises
    ------
    OptionError
        No origin for values that are no dates by their type, or one that is not known.
    DataError
        Cells that are no date by this origin, two-digit years, or days outside 1900 to 2100; ``.rows`` holds their
        positions. The message never holds a date.

    Examples
    --------
    >>> start, end = to_days(["28/02/2020", "01/03/2020"], origin="dmy")
    >>> float(end - start)
    2.0
    >>> to_days([43890], origin="excel") == to_days(["2020-02-29"], origin="iso")
    array([ True])
    """
    series = values.reset_index(drop=True) if isinstance(values, pd.Series) else pd.Series(values, dtype=_dtype(values))
    days, bad = read_days(series, origin=origin)
    if bad.any():
        rows = np.flatnonzero(bad)
        raise DataError(
            f"{rows.size} of {len(series)} cells {plural(rows.size, 'is', 'are')} no {_words(origin)} "
            f"({rows_in_words(rows.tolist())})",
            rows=rows.tolist(), hint=_would_fit(series, origin),
        )  # fmt: skip
    return days


def _dtype(values: Any) -> Any:
    return None if isinstance(values, np.ndarray | pd.Index | pd.api.extensions.ExtensionArray) else object


def read_days(series: pd.Series, *, origin: str | None) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Read a column of dates as whole days, with where it holds none.

    Parameters
    ----------
    series : pandas.Series, shape (n,)
    origin : str or None
        As in `to_days`.

    Returns
    -------
    days : numpy.ndarray of float, shape (n,)
        From 1 January 1970; NaN where missing or no date.
    bad : numpy.ndarray of bool, shape (n,)

    Raises
    ------
    OptionError
        As in `to_days`.
    """
    typed = _typed_dates(series)
    if typed is not None:
        days = typed
    elif origin is None:
        raise OptionError("dates need the way they are written: no origin was given", hint=_HINT)
    else:
        require_choice("origin", origin, ORIGINS)
        days = _written_dates(series, origin) if origin in _ORDERS else _counted_dates(series, origin)
    days = np.where((days >= _FIRST) & (days < _LAST), days, np.nan)
    missing = np.asarray(pc.is_null(_trimmed(series)).to_numpy(zero_copy_only=False), dtype=bool)
    return days, np.isnan(days) & ~missing


def _trimmed(series: pd.Series) -> pa.Array:
    text = pc.utf8_trim_whitespace(to_text(series))
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, type=text.type), text)


def _typed_dates(series: pd.Series) -> FloatArray | None:
    """Days of a column that holds dates by its type; None of any other column."""
    if pd.api.types.is_datetime64_any_dtype(series):
        return _since_1970(series)
    known = series.dropna()
    if not len(known) or not all(isinstance(cell, datetime.date) for cell in known):
        return None
    days = np.full(len(series), np.nan)
    days[series.notna().to_numpy()] = [cell.toordinal() - _EPOCH for cell in known]
    return days


_EPOCH = datetime.date(1970, 1, 1).toordinal()


def _since_1970(series: pd.Series) -> FloatArray:
    plain = series.dt.tz_localize(None) if getattr(series.dt, "tz", None) is not None else series
    days = plain.to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), np.nan, days.astype(np.int64).astype(np.float64))


# Where year, month and day stand in a written date, by its order.
_PLACES = {"iso": ("a", "b", "c"), "dmy": ("c", "b", "a"), "mdy": ("c", "a", "b")}


def _written_dates(series: pd.Series, order: str) -> FloatArray:
    """Days of texts; each different text is read once."""
    codes, texts = pd.factorize(np.asarray(_trimmed(series).to_pylist(), dtype=object))
    parts = pd.Series(texts, dtype="str").str.extract(_SEPARATED)
    year, month, day = (parts[name] for name in _PLACES[order])
    # Two-digit years do not say the century, and a day of four digits is no day.
    whole = year.str.len().eq(4) & month.str.len().le(2) & day.str.len().le(2)
    iso = year + "-" + month.str.zfill(2) + "-" + day.str.zfill(2)
    moments = pd.to_datetime(iso.where(whole), format="%Y-%m-%d", errors="coerce")
    return np.append(_since_1970(moments), np.nan)[codes]


def _counted_dates(series: pd.Series, origin: str) -> FloatArray:
    numbers, _ = parse_numbers(_trimmed(series), ".")
    begin, units = _COUNTED[origin]
    if origin == "excel":
        numbers = np.where(numbers < _FIRST_EXCEL, np.nan, numbers)
    return np.floor(numbers / units) + float(np.datetime64(begin).astype(int))


def _words(origin: str | None) -> str:
    if origin is None:
        return "date from 1900 to 2100"
    written = {"iso": "date year-month-day", "dmy": "date day-month-year", "mdy": "date month-day-year"}
    return (
        written.get(origin, f"number that {origin} would count as a day") + " from 1900 to 2100, years of four digits"
    )


def _likely(days: FloatArray, bad: npt.NDArray[np.bool_]) -> bool:
    """Whether every cell is a date on which somebody may have been treated."""
    return not (bad | (days < _LIKELY[0]) | (days >= _LIKELY[1])).any()


def _would_fit(series: pd.Series, origin: str | None) -> str:
    """The other ways of writing by which every cell would be a date."""
    missing = series.isna().to_numpy()
    fit = [other for other in ORIGINS if other != origin and _likely(*read_days(series, origin=other))]
    if not fit or missing.all() or _typed_dates(series) is not None:
        return _HINT
    return f"Every cell is a date by {' and by '.join(fit)}. Take the one the file's program used. {_HINT}"
