"""Tables of the NHS Talking Therapies data set (England): referrals, care contacts, coded scored assessments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipt_outcomes.io.cohort.cells import same_code
from ipt_outcomes.io.propose.lines import CodeLine, Line
from ipt_outcomes.io.propose.profiles import Profile
from ipt_outcomes.io.propose.words import LIKELY, SURE, folded, lexicon

_FEWEST_MARKS = 2
_WHERE = {"first": "first score of the pathway", "last": "last score of the pathway"}


def is_talking_therapies(profiles: Mapping[str, Profile]) -> bool:
    """Whether at least two columns are fields of the data set.

    Parameters
    ----------
    profiles : mapping of str to Profile

    Returns
    -------
    bool
    """
    return len({folded(column) for column in profiles} & set(_table()["marks"])) >= _FEWEST_MARKS


def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = lexicon()["talking_therapies"]
    return table


def talking_therapies_lines(profiles: Mapping[str, Profile]) -> tuple[list[Line], list[CodeLine]]:
    """Return what becomes of the fields of the data set, and their codes.

    Parameters
    ----------
    profiles : mapping of str to Profile

    Returns
    -------
    lines : list of Line
    codes : list of CodeLine
    """
    columns = {folded(column): column for column in profiles}
    lines = []
    for field, names in _table()["fields"].items():
        # The first name that is there: a person's id before that of a record.
        column = next((columns[name] for name in names if name in columns), None)
        if column is not None and not profiles[column].holds_dates:
            why = "a field of the NHS Talking Therapies data set"
            lines.append(Line(column=column, part="columns", name=field, sure=SURE, why=why))
    for instrument, visits in _table()["wide"].items():
        for visit, name in visits.items():
            if name in columns:
                lines.append(Line(column=columns[name], part="wide", name=instrument, visit=visit, why=_WHERE[visit]))
    if "agereferralrequestreceiveddate" in columns:
        lines = [
            line for line in lines if line.name != "age" or folded(line.column) == "agereferralrequestreceiveddate"
        ]
    return lines, [code for line in lines for code in _codes(line, profiles[line.column])]


def _codes(line: Line, profile: Profile) -> list[CodeLine]:
    """The data set's own codes; leading zeros are written or not."""
    table = _table()["codes"].get(line.name)
    if line.part != "columns" or table is None:
        return []
    known = {same_code(written): code for written, code in table.items()}
    found = []
    for text in profile.levels:
        code = known.get(same_code(text))
        if code is not None:
            found.append(CodeLine(part="codes", name=line.name, written=text, code=code, sure=LIKELY,
                                  why="a code of the NHS data dictionary"))  # fmt: skip
        elif line.name != "instrument" or len(text) > 8:
            found.append(CodeLine(part="codes", name=line.name, written=text, code=None, sure="guess",
                                  why="no code of the data set that is known here"))  # fmt: skip
    return found
