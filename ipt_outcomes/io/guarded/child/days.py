"""Days as spreadsheets count them: from 1900, with a 29 February that was none, or from 1904."""

from __future__ import annotations

import datetime
import re

from .numberformats import DATE, MOMENT, TIME

_EPOCH_1900 = datetime.datetime(1899, 12, 30)
_EPOCH_1904 = datetime.datetime(1904, 1, 1)
_DAY_MS = 86_400_000
_NO_DAY = 60
"""Spreadsheets that count from 1900 take this for 29 February 1900."""
_AFTER_LAST = 2_958_466
"""The first day after the year 9999, counted from 1900."""
_FOUR_YEARS = 1_462


def milliseconds(serial: float, *, from_1904: bool) -> int | None:
    """Return the milliseconds from 1 January 1970 of a day number, or None where it is no day.

    Parameters
    ----------
    serial : float
        Days, with the time of day as their fraction.
    from_1904 : bool
    """
    if serial < (0 if from_1904 else 1):
        return None
    if from_1904:
        serial += _FOUR_YEARS
    elif serial < _NO_DAY:
        # Before the day that was none, counting began a day later.
        serial += 1
    elif serial < _NO_DAY + 1:
        return None
    if serial >= _AFTER_LAST:
        return None
    return round(serial * _DAY_MS) - 25_569 * _DAY_MS


def iso_serial(text: str, *, from_1904: bool) -> tuple[int, float]:
    """Return kind and day number of a date that is stored as text (ISO 8601).

    Raises
    ------
    ValueError
        No such date.
    """
    if re.match(r"T?\d\d:", text):
        time = datetime.time.fromisoformat(text.removeprefix("T"))
        seconds = time.hour * 3600 + time.minute * 60 + time.second + time.microsecond / 1e6
        return TIME, seconds / 86_400
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        raise ValueError
    epoch = _EPOCH_1904 if from_1904 else _EPOCH_1900
    serial = (moment - epoch) / datetime.timedelta(days=1)
    if not from_1904 and serial < _NO_DAY + 1:
        serial -= 1
    return (DATE if len(text) <= 10 else MOMENT), serial
