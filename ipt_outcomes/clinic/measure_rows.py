"""The counts and rates of one measure in one group, as result rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ipt_outcomes.clinic.courses import ALL
from ipt_outcomes.clinic.judging import Measure
from ipt_outcomes.clinic.ledger import Groups, Ledger, Order, RateIds
from ipt_outcomes.clinic.outcomes import ALL_BASE, COMPLETERS, LAST, STARTERS, Sets


@dataclass(slots=True)
class Rows:
    """Adds the counts and rates of one measure in one group."""

    ledger: Ledger
    measure: Measure
    sets: Sets
    own: Groups
    inside: np.ndarray
    place: int
    ids: dict[str, str] = field(default_factory=dict)

    def add(self) -> None:
        """Add all rows."""
        sets, ids = self.sets, self.ids
        details = None if self._in_group else Order.DETAILS + self.place
        flow = {
            "with_first_score": (sets.with_first, self._order(Order.STARTERS)),
            "no_first_score": (sets.no_first, details),
            "too_few_sessions": (sets.few_sessions, details),
            "no_last_score": (sets.no_last, details),
            "completers": (sets.pairs, self._order(Order.MAIN)),
        }
        for name, (mask, order) in flow.items():
            ids[name] = self._count("scores", name, mask, self.own, order)
        for base in sorted(set(self.measure.bases.values()) - {ALL_BASE}):
            self._base(base, details)
        for rate, base in self.measure.bases.items():
            self._rate(rate, base)

    @property
    def _in_group(self) -> bool:
        return self.ledger.key in self.own

    def _order(self, kind: int, base: str = ALL_BASE) -> int | None:
        """When a count is published: groups come last, and only their completers, recovery before improvement."""
        if self._in_group:
            first = Order.GROUPS + 1 + 2 * self.place
            return first + (base == ALL_BASE) if kind in (Order.MAIN, Order.OTHER) else None
        return Order.PER_MEASURE * self.place + kind

    def _count(self, analysis: str, statistic: str, mask: np.ndarray, groups: Groups, order: int | None) -> str:
        return self.ledger.count(analysis, statistic, mask & self.inside, groups, order=order)

    def _base(self, base: str, details: int | None) -> None:
        """Add who counts in rates that are not about everyone, and who does not."""
        sets = self.sets
        wholes = {
            COMPLETERS: (sets.pairs, self._order(Order.MAIN, base)),
            STARTERS: (sets.with_first, self._order(Order.STARTERS)),
        }
        for rule, (whole, order) in wholes.items():
            groups = {**self.own, "base": base, "rule": rule}
            self.ids[f"{base} {rule}"] = self._count("base", "counted", whole & sets.bases[base], groups, order)
            self._count("base", "left_out", whole & ~sets.bases[base], groups, details)

    def _rate(self, rate: str, base: str) -> None:
        """Add one rate under the three rules.

        Whoever is no completer counts as not improved under the rule of all starters, so its numerator is that of
        the completers; its denominator is also that of the last observation.
        """
        ids, sets, ledger = self.ids, self.sets, self.ledger
        whole = {COMPLETERS: ids["completers"], STARTERS: ids["with_first_score"]}
        if base != ALL_BASE:
            whole = {rule: ids[f"{base} {rule}"] for rule in whole}
        kinds = {COMPLETERS: Order.MAIN if rate in self.measure.headline else Order.OTHER, LAST: Order.LAST}
        for rule, kind in kinds.items():
            groups = {**self.own, "rate": rate, "rule": rule}
            ids[f"{rate} {rule}"] = self._count(
                "rate", "numerator", sets.numerator(rate, rule), groups, self._order(kind, base)
            )
        for rule in (COMPLETERS, STARTERS, LAST):
            counts = (
                ids[f"{rate} {LAST if rule == LAST else COMPLETERS}"],
                whole[COMPLETERS if rule == COMPLETERS else STARTERS],
            )
            masks = (sets.numerator(rate, rule) & self.inside, sets.denominator(rate, rule) & self.inside)
            shares = ledger.share("rate", counts, masks, {**self.own, "rate": rate, "rule": rule})
            group = self.own.get(ledger.key, ALL)
            ledger.rates[self.measure.name, rate, rule, group] = RateIds(*counts, *shares)
