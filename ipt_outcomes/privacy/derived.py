"""Which numbers have to go with a hidden count: those computed from it, and those of too few people."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ipt_outcomes.privacy.audience import AudienceRule
from ipt_outcomes.privacy.counts import PERCENT, Ledger, family
from ipt_outcomes.results import ResultRow, Results

# Computed from a table of counts: with its margins such a number gives the cells back.
_FROM_COUNTS = frozenset({PERCENT, "OR", "log OR", "RR", "log RR", "RD", "risk difference", "NNT", "percentage points"})


def hidden_rows(results: Results, ledger: Ledger, concealed: AbstractSet[str], rule: AudienceRule) -> set[str]:
    """Return the rows, counts aside, that must be hidden where these counts are.

    Parameters
    ----------
    results : Results
    ledger : Ledger
        Of these results.
    concealed : set of str
        Counts the reader must not get back.
    rule : AudienceRule

    Returns
    -------
    set of str
        Ids.
    """
    others = [row for row in results if row.id not in ledger.counts]
    beside = _Concealed.of(ledger, concealed)
    hidden = {row.id for row in others if _goes(row, ledger, beside, rule)}
    # One hidden share or ratio takes its limits, its test and its standard error along.
    spoiled = {family(row) for row in others if row.id in hidden and row.unit in _FROM_COUNTS}
    hidden |= {
        row.id
        for row in others
        if family(row) in spoiled and row.id not in ledger.declared and row.id not in ledger.shares
    }
    return hidden


@dataclass(frozen=True, slots=True)
class _Concealed:
    """Concealed counts and where they stand: the group levels of their families, by analysis."""

    counts: AbstractSet[str]
    places: Mapping[str, frozenset[frozenset[tuple[str, str]]]]

    @classmethod
    def of(cls, ledger: Ledger, concealed: AbstractSet[str]) -> _Concealed:
        found: dict[str, set[frozenset[tuple[str, str]]]] = {}
        for (analysis, levels), rows in ledger.families.items():
            if any(row.id in concealed for row in rows):
                found.setdefault(analysis, set()).add(levels)
        return cls(concealed, {analysis: frozenset(levels) for analysis, levels in found.items()})

    def is_beside(self, row: ResultRow) -> bool:
        """Whether one stands where a row is computed: its family; of a ratio of two groups, its analysis."""
        places = self.places.get(row.analysis, frozenset())
        if frozenset(row.groups.items()) in places:
            return True
        if row.unit == PERCENT or row.unit not in _FROM_COUNTS:
            return False
        return any(all(row.groups.get(name, level) == level for name, level in levels) for levels in places)


def _goes(row: ResultRow, ledger: Ledger, beside: _Concealed, rule: AudienceRule) -> bool:
    groups = [ledger.counts[name] for name in ledger.modelled.get(row.id, ())]
    if any(rule.is_small(count) or count == 0 for count in groups):
        return True
    if not ledger.rests_on.get(row.id, set()).isdisjoint(beside.counts):
        return True
    numbers = [number for number in (row.n, row.denominator) if number is not None]
    if any(rule.is_small(number) for number in numbers):
        return True
    if row.id in ledger.declared:
        return False
    if not all(tells_nothing_new(row, number, ledger, beside.counts) for number in numbers):
        return True
    if row.id in ledger.shares:
        return False
    return (row.unit in _FROM_COUNTS or not numbers) and beside.is_beside(row)


def tells_nothing_new(row: ResultRow, number: int, ledger: Ledger, concealed: AbstractSet[str]) -> bool:
    """Whether a field of a row may stand: no count it can mean is concealed, or one of them is shown anyway.

    Parameters
    ----------
    row : ResultRow
    number : int
        Its ``n`` or ``denominator``.
    ledger : Ledger
    concealed : set of str

    Returns
    -------
    bool
    """
    meant = ledger.means[row.id].get(number, ())
    return not meant or any(name not in concealed for name in meant)
