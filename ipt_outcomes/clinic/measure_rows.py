"""The counts and rates of one measure in one group, as result rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ipt_outcomes.clinic.courses import ALL
from ipt_outcomes.clinic.judging import Measure
from ipt_outcomes.clinic.ledger import Groups, Ledger, Order, RateIds
from ipt_outcomes.clinic.measures import Cuts
from ipt_outcomes.clinic.outcomes import ALL_BASE, CASES, COMPLETERS, LAST, STARTERS, Sets
from ipt_outcomes.privacy import Implied


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

    def add(self, ended: str) -> dict[str, str]:
        """Add all rows; return the ids of the counts."""
        sets, ids, ledger = self.sets, self.ids, self.ledger
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
        ledger.adds(ended, ids["no_first_score"], ids["with_first_score"])
        ledger.adds(ids["with_first_score"], ids["too_few_sessions"], ids["no_last_score"], ids["completers"])
        for base in sorted(set(self.measure.bases.values()) - {ALL_BASE}):
            self._base(base, details)
        for rate, base in self.measure.bases.items():
            self._rate(rate, base)
        self._nested()
        return ids

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
        ids, sets, ledger = self.ids, self.sets, self.ledger
        wholes = {
            COMPLETERS: ("completers", sets.pairs, self._order(Order.MAIN, base)),
            STARTERS: ("with_first_score", sets.with_first, self._order(Order.STARTERS)),
        }
        for rule, (total, whole, order) in wholes.items():
            groups = {**self.own, "base": base, "rule": rule}
            ids[f"{base} {rule}"] = self._count("base", "counted", whole & sets.bases[base], groups, order)
            out = self._count("base", "left_out", whole & ~sets.bases[base], groups, details)
            ledger.adds(ids[total], ids[f"{base} {rule}"], out)
        ledger.inside(ids[f"{base} {STARTERS}"], ids[f"{base} {COMPLETERS}"])

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
        ledger.inside(ids[f"{rate} {LAST}"], ids[f"{rate} {COMPLETERS}"])
        for rule in (COMPLETERS, STARTERS, LAST):
            counts = (
                ids[f"{rate} {LAST if rule == LAST else COMPLETERS}"],
                whole[COMPLETERS if rule == COMPLETERS else STARTERS],
            )
            ledger.inside(counts[1], counts[0])
            values = (
                int((sets.numerator(rate, rule) & self.inside).sum()),
                int((sets.denominator(rate, rule) & self.inside).sum()),
            )
            shares = ledger.share("rate", counts, values, {**self.own, "rate": rate, "rule": rule})
            group = self.own.get(ledger.key, ALL)
            ledger.rates[self.measure.name, rate, rule, group] = RateIds(*counts, *shares)

    def _nested(self) -> None:
        """Say which rates hold which: a reader who sees both sees the difference."""
        ids, ledger, rates = self.ids, self.ledger, set(self.measure.rates)
        inner = [("recovery", "reliable_recovery"), ("reliable_improvement", "reliable_recovery")]
        if len(self.measure.cuts) == 1 and self.measure.bases.get("remission") == CASES:
            inner += _within_remission(self.measure.cuts[0])
        changed = ("reliable_improvement", "reliable_deterioration")
        for rule in (COMPLETERS, LAST):
            for outer, part in inner:
                if {outer, part} <= rates:
                    ledger.inside(ids[f"{outer} {rule}"], ids[f"{part} {rule}"])
            if set(changed) <= rates:
                parts = [ids[f"{rate} {rule}"] for rate in changed]
                whole = ids["with_first_score" if rule == LAST else "completers"]
                ledger.adds(whole, *parts, Implied(f"no reliable change: {parts[0]}"))


def _within_remission(cuts: Cuts) -> list[tuple[str, str]]:
    """Rates that everyone in remission is in, as the cut-offs have it."""
    if cuts.caseness is None or cuts.remission is None:
        return []
    # From the least ill of the cases down to the cut-off for remission.
    fall = cuts.caseness - cuts.remission if cuts.better == "lower" else cuts.remission - cuts.caseness
    if fall <= 0:
        return []
    reliable = cuts.reliable_change is not None and fall >= cuts.reliable_change
    return [("reliable_recovery" if reliable else "recovery", "remission")]
