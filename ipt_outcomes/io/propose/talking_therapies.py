"""Tables of the NHS Talking Therapies data set (England): referrals, care contacts, coded scored assessments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipt_outcomes.io.cohort.cells import same_code
from ipt_outcomes.io.propose.lines import CodeLine, Line
from ipt_outcomes.io.propose.profiles import Profile
from ipt_outcomes.io.propose.words import GUESS, LIKELY, SURE, Sure, folded, lexicon

_FEWEST_MARKS = 2
_WHERE = {"first": "first score of the pathway", "last": "last score of the pathway"}
_FIELD = "a field of the NHS Talking Therapies data set"
_LEVELS: tuple[tuple[str, Sure], ...] = (("confirmed", SURE), ("likely", LIKELY), ("guess", GUESS))


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
        there = [columns[name] for name in names if name in columns and not profiles[columns[name]].holds_dates]
        for place, column in enumerate(there):
            lines.append(_field(field, column) if place == 0 else _second(field, column, there[0]))
    for instrument, visits in _table()["wide"].items():
        for visit, name in visits.items():
            if name in columns:
                lines.append(Line(column=columns[name], part="wide", name=instrument, visit=visit, why=_WHERE[visit]))
    codes = [code for line in lines for code in _codes(line, profiles[line.column])]
    kinds = columns.get(_table()["treatment"]["column"])
    if kinds is not None:
        line, aside = _kinds_of_contact(kinds, profiles[kinds])
        lines.append(line)
        codes += aside
    return lines, codes


def _field(field: str, column: str) -> Line:
    doubt = _table()["doubts"].get(folded(column))
    return Line(column=column, part="columns", name=field, sure=GUESS if doubt else SURE, why=doubt or _FIELD)


def _second(field: str, column: str, first: str) -> Line:
    why = f"{_FIELD}; {field} is taken from {first}"
    return Line(column=column, part="left_out", sure=LIKELY, why=why)


def _codes(line: Line, profile: Profile) -> list[CodeLine]:
    """The data set's own codes; leading zeros are written or not."""
    heading = folded(line.column)
    table = _table()["codes"].get(heading)
    if line.part != "columns" or table is None:
        return []
    known = {same_code(w): (code, sure) for level, sure in _LEVELS for w, code in table.get(level, {}).items()}
    words = {same_code(written): told for written, told in _table()["words"].get(heading, {}).items()}
    found = []
    for text in profile.levels:
        code, sure = known.get(_code(text), (None, GUESS))
        told = words.get(_code(text))
        if code is None and line.name == "instrument" and len(text) <= _LONGEST_NAME:
            # A name, no SNOMED CT code: it is looked at as in any other file.
            continue
        why = told or ("a code of the NHS data set" if code else "no code of the data set that is known here")
        found.append(CodeLine(part="codes", name=line.name, written=text, code=code, sure=sure, why=why))
    return found


_LONGEST_NAME = 8


def _code(text: str) -> str:
    """A code as it is compared: "05" and "5" are the same."""
    code = same_code(text)
    return code.lstrip("0") or code if code.isdigit() else code


def _kinds_of_contact(column: str, profile: Profile) -> tuple[Line, list[CodeLine]]:
    """Contacts that are no treatment would count as sessions: their rows are set aside, if a person says so."""
    types = {_code(text) for text in _table()["treatment"]["types"]}
    others = [text for text in profile.levels if _code(text) not in types]
    told = f"{', '.join(sorted(f'0{text}' for text in types))} are contacts of treatment"
    if not others:
        return Line(column=column, part="left_out", sure=LIKELY, why=f"{told}, and no others are here"), []
    line = Line(column=column, part="aside", why="tells contacts of treatment from assessments, reviews and follow-up")
    why = f"{told}; all else would count as a session of treatment: only these rows are set aside"
    reason = "no contact of treatment"
    return line, [
        CodeLine(part="exclude", name=column, written=text, code=reason, sure=GUESS, why=why) for text in others
    ]
