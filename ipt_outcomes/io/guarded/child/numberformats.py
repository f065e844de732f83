"""What a spreadsheet shows a number as: a date is a number with a format, and nothing else tells them apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

EMPTY, TEXT, NUMBER, DATE, MOMENT, TIME, SPAN = range(7)
"""What a cell holds."""

_LITERALS = re.compile(r'"[^"]*"|\\.|_.|\*.')
_ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_BRACKETS = re.compile(r"\[[^\]]*\]")
_HALVES = re.compile(r"am/pm|a/p|上午/下午", re.IGNORECASE)
_FRACTION = re.compile(r"s+[.,]0+", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"e[+-]", re.IGNORECASE)
_DATES = (*range(14, 18), *range(27, 32), 36, *range(50, 55), 57, 58)
_TIMES = (*range(18, 22), *range(32, 36), 45, 47, 55, 56)
_BUILT_IN = {
    **dict.fromkeys(_DATES, "date"), **dict.fromkeys(_TIMES, "time"), 22: "moment", 46: "span",
}  # fmt: skip
_MOST_ZEROS = 30


@dataclass(frozen=True)
class Shown:
    """How the numbers of a style are shown.

    Parameters
    ----------
    kind : {"number", "date", "moment", "time", "span"}
    zeros : int
        Width to which zeros are put in front of a whole number, 0 for none.
    """

    kind: str = "number"
    zeros: int = 0


def built_in(number: int) -> Shown:
    """Return what one of the formats that stand in no file shows."""
    return Shown(_BUILT_IN.get(number, "number"))


def shown_by(code: str) -> Shown:
    """Read the code of a format.

    Parameters
    ----------
    code : str
        As in the file, for example ``dd/mm/yyyy`` or ``000``.

    Returns
    -------
    Shown

    Examples
    --------
    >>> shown_by('dd.mm.yyyy "o clock"').kind, shown_by("[h]:mm").kind, shown_by("0000").zeros, shown_by("0.0E+00").kind
    ('date', 'span', 4, 'number')
    """
    first = _LITERALS.sub("", code).split(";")[0]
    if _ELAPSED.search(first):
        return Shown("span")
    core = _BRACKETS.sub("", first).strip()
    if re.fullmatch(r"0{2,}", core) and len(core) <= _MOST_ZEROS and not _LITERALS.search(code.split(";")[0]):
        return Shown(zeros=len(core))
    core, halves = _HALVES.subn("", core)
    core = _FRACTION.sub("s", core).lower()
    if "general" in core or _SCIENTIFIC.search(core) or re.search(r"[0#?@]", core):
        return Shown()
    clock = bool(halves) or bool(re.search(r"[hs]", core))
    # A lone m is a month, beside hours or seconds it is minutes.
    day = bool(re.search(r"[ydge]|bb", core)) or ("m" in core and not clock)
    if day:
        return Shown("moment" if clock else "date")
    return Shown("time") if clock else Shown()
