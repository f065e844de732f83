"""Everything a person has to decide about a proposal, in words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from ipt_outcomes.io.propose.codes import choices
from ipt_outcomes.io.propose.lines import CodeLine
from ipt_outcomes.io.propose.words import GUESS
from ipt_outcomes.results import plural

if TYPE_CHECKING:
    from ipt_outcomes.io.propose.proposal import ProposedMapping

_MOST_NAMED = 16
_MOST_VISITS = 8
_ALONE = ("columns", "baseline", "covariates", "dates")


def undecided(proposal: ProposedMapping) -> tuple[str, ...]:
    """Return what a person has to look at: columns, and tables of the mapping in brackets.

    Parameters
    ----------
    proposal : ProposedMapping

    Returns
    -------
    tuple of str
    """
    waiting: dict[str, None] = {}
    for line in proposal.lines:
        if line.part == "undecided":
            waiting.setdefault(line.key)
        elif line.sure == GUESS and line.part in (*_ALONE, "wide", "wide_items"):
            waiting.setdefault(line.waits_as)
    for code in proposal.codes:
        if code.sure == GUESS:
            waiting.setdefault(code.waits_as)
    for fact in proposal.facts:
        if fact.sure == GUESS:
            waiting.setdefault(fact.waits_as)
    if any(visit.sure == GUESS for visit in proposal.visits):
        waiting.setdefault("[visits]")
    return tuple(waiting)


def decisions(proposal: ProposedMapping) -> list[str]:
    """Return the questions, each with where its answer stands in the mapping.

    Parameters
    ----------
    proposal : ProposedMapping

    Returns
    -------
    list of str
    """
    return [
        *_columns(proposal), *_codes(proposal), *_visits(proposal),
        *(f"{fact.waits_as} raw_order: {fact.why}" for fact in proposal.facts if fact.sure == GUESS),
        *proposal.questions,
    ]  # fmt: skip


def _columns(proposal: ProposedMapping) -> list[str]:
    unknown: dict[tuple[str, str], list[str]] = {}
    for line in proposal.lines:
        if line.part == "undecided":
            unknown.setdefault((line.table, line.why), []).append(line.column)
    found = []
    for (table, why), columns in unknown.items():
        it = "it" if len(columns) == 1 else "them"
        where = f"{table}: " if table else ""
        found.append(f"{where}{_some(columns)}: map {it} or leave {it} out ({why})")
    found += [
        f"{line.key}: is it {line.words}? ({line.why})"
        for line in proposal.lines
        if line.sure == GUESS and line.part in _ALONE
    ]
    wide: dict[str, str] = {}
    for line in proposal.lines:
        if line.sure == GUESS and line.part in ("wide", "wide_items"):
            wide.setdefault(line.waits_as, line.why)
    return [*found, *(f"{name}: {why}" for name, why in wide.items())]


def _codes(proposal: ProposedMapping) -> list[str]:
    """One question for all codes of a field that are asked for the same reason."""
    found = []
    asked = [code for code in proposal.codes if code.sure == GUESS]
    for (where, why, known), group in groupby(asked, key=lambda code: (code.waits_as, code.why, code.code is not None)):
        codes = list(group)
        if known and len({code.code for code in codes}) == 1:
            told = f"{_some([repr(code.written) for code in codes])} = {codes[0].code!r}?"
        elif known:
            told = ", ".join(f"{code.written!r} = {code.code!r}" for code in codes) + "?"
        else:
            written = _some([repr(code.written) for code in codes])
            told = f"what {plural(len(codes), 'does', 'do')} {written} stand for?"
        found.append(f"{where}: {told} ({why}{_offered(codes)})")
    return found


def _offered(codes: Sequence[CodeLine]) -> str:
    """The codes to choose from, where nothing near was found."""
    first = codes[0]
    if first.part != "codes" or first.code is not None or first.name == "instrument" or "near:" in first.why:
        return ""
    known = [code for code in choices(first.name) if code not in first.why]
    return f"; one of {', '.join(known)}" if len(known) == len(choices(first.name)) and known else ""


def _visits(proposal: ProposedMapping) -> list[str]:
    found = []
    guessed = [visit for visit in proposal.visits if visit.sure == GUESS and visit.week is not None]
    for why, group in groupby(guessed, key=lambda visit: visit.why):
        visits = [f"{visit.name} = {visit.week:g}" for visit in group]
        said = visits if len(visits) <= _MOST_VISITS else [*visits[: _MOST_VISITS - 2], "...", visits[-1]]
        are = plural(len(visits), "the week of", "the weeks of")
        found.append(f"[visits]: {are} {', '.join(said)} ({why})")
    asked = [visit.name for visit in proposal.visits if visit.week is None]
    if asked:
        found.append(f"[visits]: in which {plural(len(asked), 'week is', 'weeks are')} {_some(asked)}?")
    return found


def _some(columns: Sequence[str]) -> str:
    """Names of columns, no more than can be read."""
    more = len(columns) - _MOST_NAMED
    return ", ".join(columns) if more <= 0 else f"{', '.join(columns[:_MOST_NAMED])} and {more} more"
