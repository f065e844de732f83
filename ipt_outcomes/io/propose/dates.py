"""Columns of dates: the person's own start, the days counted from it, and how dates are written."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from ipt_outcomes.io.cohort.cells import Texts
from ipt_outcomes.io.propose.lines import Line
from ipt_outcomes.io.propose.profiles import Profile
from ipt_outcomes.io.propose.words import GUESS, folded, lexicon

_PARTS = re.compile(r"(\d{1,4})[-/. ](\d{1,2})[-/. ](\d{1,4})(?:[T ,].*)?")
_MONTHS = 12


def date_lines(
    profiles: Mapping[str, Profile], units: Texts | None, taken: set[str], *, starts_elsewhere: bool = False
) -> list[Line]:
    """Return what may become of the columns of dates; a person has to say so.

    Parameters
    ----------
    profiles : mapping of str to Profile
    units : Texts or None
        Episode (or person) of each record.
    taken : set of str
    starts_elsewhere : bool
        Whether another file of the folder has the start.

    Returns
    -------
    list of Line
        Empty unless a column of the person's own start was found: days are counted from it.
    """
    dates = {column: profile for column, profile in profiles.items() if column not in taken and profile.holds_dates}
    names = {word: name for name, words in lexicon()["dates"].items() for word in words}
    told = {column: names[folded(column)] for column in dates if folded(column) in names}
    if units is None or not told:
        return []
    starts = [c for c, name in told.items() if name == "start" and dates[c].is_constant_within(units)]
    if not starts and not starts_elsewhere:
        return []
    lines = [Line(column=column, part="dates", name="start", sure=GUESS,
                  why="days are counted from it, and it is not kept; is it the start?")
             for column in starts[:1]]  # fmt: skip
    used = {"start"}
    for column, name in told.items():
        if name not in used:
            used.add(name)
            why = "becomes whole days from the person's own start; the date is not kept"
            lines.append(Line(column=column, part="dates", name=name, sure=GUESS, why=why))
    return lines


def written_order(profiles: list[Profile]) -> str | None:
    """Return how dates are written: ``iso``, ``dmy`` or ``mdy``; None where the type says it, or nothing tells.

    Parameters
    ----------
    profiles : list of Profile
        Columns of dates.

    Returns
    -------
    str or None
    """
    parts = []
    for profile in profiles:
        if not pd.api.types.is_datetime64_any_dtype(profile.raw.frame[profile.column]):
            parts += [match.groups() for text in profile.texts.values if (match := _PARTS.fullmatch(text.strip()))]
    if not parts:
        return None
    if all(len(first) == 4 for first, _, _ in parts):
        return "iso"
    first = max(int(a) for a, _, _ in parts)
    second = max(int(b) for _, b, _ in parts)
    if first > _MONTHS and second <= _MONTHS:
        return "dmy"
    return "mdy" if second > _MONTHS and first <= _MONTHS else None


def needs_order(profiles: list[Profile]) -> bool:
    """Whether any of the columns holds dates as text, so that their order has to be said."""
    return any(not pd.api.types.is_datetime64_any_dtype(p.raw.frame[p.column]) for p in profiles)
