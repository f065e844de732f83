"""A proposal as the mapping it proposes."""

from __future__ import annotations

from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence
from dataclasses import fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ipt_outcomes.io.cohort.mapping import CohortMapping
from ipt_outcomes.io.cohort.mapping_parts import Dates, TableMapping
from ipt_outcomes.io.propose.lines import CodeLine, Line
from ipt_outcomes.io.propose.visits import Visit

if TYPE_CHECKING:
    from ipt_outcomes.io.propose.proposal import ProposedMapping


def cohort_mapping(proposal: ProposedMapping) -> CohortMapping:
    """Return the mapping of patient data as proposed; what is to be decided stands under ``undecided``.

    Parameters
    ----------
    proposal : ProposedMapping

    Returns
    -------
    CohortMapping
    """
    own = [line for line in proposal.lines if not line.table]
    parts = _parts(own, proposal.visits)
    codes = [code for code in proposal.codes if not code.table]
    instruments = {fact.name: {"raw_order": fact.raw_order} for fact in proposal.facts if fact.raw_order is not None}
    return CohortMapping(
        **parts,
        codes=_coded(codes, "codes"),
        missing=_coded(codes, "missing"),
        exclude=_coded(codes, "exclude"),
        visits=MappingProxyType({v.name: v.week for v in proposal.visits if v.week is not None}),
        unseen=_unseen(own),
        forms=_forms(own),
        dates=_dates(proposal),
        instruments=MappingProxyType({name: MappingProxyType(facts) for name, facts in instruments.items()}),
        first_day=1 if proposal.counts_from_one else 0,
        session_numbers="by_day" if proposal.numbers_sessions else "given",
        sheet=proposal.sheet,
        exclude_rows=tuple(line.column for line in proposal.lines if line.part == "aside"),
        tables=MappingProxyType({table: _table(table, proposal) for table in proposal.files}),
        undecided=proposal.undecided,
    )


def _table(table: str, proposal: ProposedMapping) -> TableMapping:
    own = [line for line in proposal.lines if line.table == table]
    codes = [code for code in proposal.codes if code.table == table]
    more: dict[str, Any] = {"dates": _days(own), "unseen": _unseen(own), "forms": _forms(own)}
    known = {one.name for one in fields(TableMapping)}
    return TableMapping(
        file="" if table in proposal.sheets else proposal.files[table],
        sheet=proposal.sheets.get(table),
        missing=_coded(codes, "missing"),
        **_parts(own, proposal.visits),
        **{name: value for name, value in more.items() if name in known},
    )


def _parts(lines: Sequence[Line], visits: Sequence[Visit]) -> dict[str, Any]:
    return {
        "columns": _named(lines, "columns"),
        "baseline": _named(lines, "baseline"),
        "covariates": _named(lines, "covariates"),
        "wide": _wide(lines, visits),
        "wide_items": _items(lines, visits),
        "left_out": tuple(line.column for line in lines if line.part == "left_out"),
    }


def _named(lines: Sequence[Line], part: str) -> AbstractMapping[str, str]:
    return MappingProxyType({line.name: line.column for line in lines if line.part == part})


def in_visit_order(lines: Sequence[Line], part: str, visits: Sequence[Visit]) -> dict[str, dict[str, list[Line]]]:
    """Return the columns of each instrument by visit, in the order of the weeks and of the items.

    Parameters
    ----------
    lines : sequence of Line
    part : {"wide", "wide_items"}
    visits : sequence of Visit

    Returns
    -------
    dict of str to dict of str to list of Line
    """
    order = {visit.name: place for place, visit in enumerate(visits)}
    found: dict[str, dict[str, list[Line]]] = {}
    mine = (line for line in lines if line.part == part)
    for line in sorted(mine, key=lambda one: (order.get(one.visit, len(order)), one.item)):
        found.setdefault(line.name, {}).setdefault(line.visit, []).append(line)
    return found


def _wide(lines: Sequence[Line], visits: Sequence[Visit]) -> AbstractMapping[str, AbstractMapping[str, str]]:
    found = in_visit_order(lines, "wide", visits)
    return MappingProxyType(
        {name: MappingProxyType({v: forms[0].column for v, forms in own.items()}) for name, own in found.items()}
    )


def _items(lines: Sequence[Line], visits: Sequence[Visit]) -> AbstractMapping[str, Any]:
    found = in_visit_order(lines, "wide_items", visits)
    return MappingProxyType(
        {
            name: MappingProxyType({visit: tuple(line.column for line in form) for visit, form in own.items()})
            for name, own in found.items()
        }
    )


def _coded(codes: Sequence[CodeLine], part: str) -> AbstractMapping[str, AbstractMapping[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for line in codes:
        if line.part == part and line.code is not None:
            found.setdefault(line.name, {})[line.written] = line.code
    return MappingProxyType({name: MappingProxyType(entries) for name, entries in found.items()})


def _unseen(lines: Sequence[Line]) -> AbstractMapping[str, str]:
    return MappingProxyType({line.column: line.form for line in lines if line.form})


def _forms(lines: Sequence[Line]) -> AbstractMapping[str, str]:
    return MappingProxyType(dict([("column", line.column) for line in lines if line.part == "forms"][:1]))


def _days(lines: Sequence[Line]) -> AbstractMapping[str, str]:
    dates = [line for line in lines if line.part == "dates"]
    return MappingProxyType({line.name: line.column for line in dates if line.name != "start"})


def _dates(proposal: ProposedMapping) -> Dates | None:
    start = next((line.column for line in proposal.lines if (line.part, line.name) == ("dates", "start")), None)
    if start is None:
        return None
    return Dates(start=start, order=proposal.order, days=_days([line for line in proposal.lines if not line.table]))
