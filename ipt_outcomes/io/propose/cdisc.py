"""CDISC questionnaire records: every row is one answer or a total, named by a code (QSTESTCD)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ipt_outcomes.instruments import instrument
from ipt_outcomes.io.cohort.dictionary import items_on_form
from ipt_outcomes.io.propose.headings import take_apart
from ipt_outcomes.io.propose.lines import CodeLine, Line
from ipt_outcomes.io.propose.profiles import Profile
from ipt_outcomes.io.propose.words import GUESS, LIKELY, SURE, Sure, folded

# Days of CDISC count the start as day 1 and know no day 0.
_DAYS = frozenset(("qsdy", "ady", "visitdy", "reldy", "astdy"))
_NUMBER = re.compile(r".*?[A-Za-z0-9]*?(\d{2})")
_TOTAL = re.compile(r"\btotal\b", re.IGNORECASE)
_SHOWN_TESTS = 120


def is_questionnaire(profiles: Mapping[str, Profile]) -> bool:
    """Whether the columns are those of CDISC's questionnaire records.

    Parameters
    ----------
    profiles : mapping of str to Profile

    Returns
    -------
    bool
    """
    return "qstestcd" in {folded(column) for column in profiles}


def questionnaire_lines(profiles: Mapping[str, Profile]) -> tuple[list[Line], list[CodeLine]]:
    """Return what becomes of the code of each row's test, and of what only repeats it.

    Parameters
    ----------
    profiles : mapping of str to Profile

    Returns
    -------
    lines : list of Line
    codes : list of CodeLine
    """
    columns = {folded(column): column for column in profiles}
    code = columns["qstestcd"]
    lines = [Line(column=code, part="columns", name="instrument", why="CDISC's code of the test: instrument and item")]
    for name, why in (
        ("qstest", "the words of QSTESTCD"), ("qscat", "the instrument, which QSTESTCD says, too"),
        ("qsscat", "a part of the instrument"), ("qsseq", "a running number"), ("qsorres", "the words of QSSTRESN"),
        ("qsstresc", "QSSTRESN as text"), ("domain", "the same in every row"), ("studyid", "the study"),
    ):  # fmt: skip
        if name in columns and (name not in ("qsorres", "qsstresc") or "qsstresn" in columns):
            lines.append(Line(column=columns[name], part="left_out", why=why))
    if "visitnum" in columns and "visit" in columns:
        lines.append(Line(column=columns["visitnum"], part="left_out", why="the number of VISIT"))
    return lines, _tests(profiles, columns)


def _tests(profiles: Mapping[str, Profile], columns: Mapping[str, str]) -> list[CodeLine]:
    """What each code of a test is: the item or the total of an instrument."""
    code = profiles[columns["qstestcd"]]
    beside = {name: profiles[columns[name]].texts.to_array() for name in ("qscat", "qstest") if name in columns}
    written = code.texts.to_array()
    first: dict[str, int] = {}
    for place, text in enumerate(written):
        if isinstance(text, str):
            first.setdefault(text, place)
    found = []
    for text in code.levels[:_SHOWN_TESTS]:
        told = {name: str(cells[first[text]] or "") for name, cells in beside.items()}
        found.append(_test(text, told.get("qscat", ""), told.get("qstest", "")))
    return found


def _test(code: str, category: str, test: str) -> CodeLine:
    named, sure = _instrument(category or code)
    match = _NUMBER.fullmatch(code.strip())
    number = int(match.group(1)) if match else 0
    if named is None:
        why = f"a test of {category!r}, no instrument of the registry: set aside?" if category else "which test is it?"
        reason = "no instrument of the registry"
        return CodeLine(part="exclude", name="instrument", written=code, code=reason, sure=GUESS, why=why)
    short = instrument(named).short
    if _TOTAL.search(test):
        return CodeLine(part="codes", name="instrument", written=code, code=named, sure=sure, why=f"total of {short}")
    if 1 <= number <= items_on_form(named):
        item = f"{named}_{number}"
        return CodeLine(part="codes", name="instrument", written=code, code=item, sure=sure,
                        why=f"item {number} of {short}, by its code")  # fmt: skip
    why = f"a test of {short} that is none of its items by its code: which is it?"
    return CodeLine(part="codes", name="instrument", written=code, code=None, sure=GUESS, why=why)


def _instrument(category: str) -> tuple[str | None, Sure]:
    """The instrument a category ("GAD-7 V2") names, and how sure that is."""
    # A version of the form is no number of a visit.
    named = take_apart(re.sub(r"\bV\d+\b", " ", category)).named
    if named is None:
        return None, GUESS
    if not named.family:
        return named.options[0], SURE
    return named.options[0], LIKELY if len(named.options) == 1 else GUESS


def counts_from_one(column: str, profile: Profile) -> bool:
    """Whether days count the start as day 1, as CDISC's do.

    Parameters
    ----------
    column : str
        Heading.
    profile : Profile

    Returns
    -------
    bool
        False where a day is 0, whatever the heading: CDISC has no day 0.
    """
    return folded(column) in _DAYS and profile.is_numeric and not (profile.known == 0).any()
