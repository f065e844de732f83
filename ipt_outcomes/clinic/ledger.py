"""Collects the result rows of a review, what its counts add up to, and when each is published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from ipt_outcomes.clinic.courses import Courses
from ipt_outcomes.effects.proportions import wilson
from ipt_outcomes.privacy import Derived, Implied, Link, Sum, part_of
from ipt_outcomes.results import ResultsBuilder

PEOPLE = "people"

Groups = Mapping[str, str]


class Order(IntEnum):
    """When counts are published where small ones are hidden.

    Per measure its main rates, the other rules, the other rates; then who was left out and why; then the groups
    compared, of which only the completers are published.
    """

    MAIN = 0
    STARTERS = 1
    OTHER = 2
    LAST = 3
    PER_MEASURE = 10
    DETAILS = 1000
    COMPLETENESS = 1100
    SESSIONS = 1101
    REASONS = 1102
    GROUPS = 2000


@dataclass(frozen=True, slots=True)
class RateIds:
    """Ids of the rows that make a rate. Rules that count the same people share the row of the count."""

    numerator: str
    denominator: str
    percent: str
    ci_low: str
    ci_high: str


@dataclass(slots=True)
class Ledger:
    """Collects rows, and what their counts add up to."""

    courses: Courses
    level: float
    builder: ResultsBuilder = field(default_factory=ResultsBuilder)
    links: list[Link] = field(default_factory=list)
    rates: dict[tuple[str, str, str, str], RateIds] = field(default_factory=dict)
    order: dict[str, int] = field(default_factory=dict)

    def groups(self) -> Iterator[tuple[dict[str, str], np.ndarray]]:
        """Yield everyone, then each level compared, as groups of rows and mask."""
        yield {}, np.ones(len(self.courses), dtype=bool)
        for level in self.courses.levels:
            yield {self.key: level}, self.courses.level == level

    @property
    def key(self) -> str:
        """Name under which levels stand in the groups of rows."""
        return own_key(self.courses.by or "")

    def count(
        self,
        analysis: str,
        statistic: str,
        mask: np.ndarray,
        groups: Groups,
        *,
        order: int | None = None,
        method: str = "",
    ) -> str:
        """Add a count of people, and when it is published; return its id."""
        name = self.builder.add(analysis, statistic, int(mask.sum()), unit=PEOPLE, groups=groups, method=method)
        if order is not None:
            self.order[name] = order
        return name

    def share(
        self, analysis: str, counts: tuple[str, str], values: tuple[int, int], groups: Groups
    ) -> tuple[str, str, str]:
        """Add percentage and Wilson limits of two counts; return their ids."""
        numerator, denominator = values
        limits = wilson(numerator, denominator, self.level)
        percent = 100 * numerator / denominator if denominator else None
        interval = f"Wilson interval, level {self.level:g}"
        ids = tuple(
            self.builder.add(
                analysis,
                statistic,
                value,
                unit="percent",
                method=method,
                groups=groups,
                n=denominator,
                denominator=denominator,
            )
            for statistic, value, method in (
                ("percent", percent, "share of the denominator"),
                ("ci_low", 100 * float(limits.low), interval),
                ("ci_high", 100 * float(limits.high), interval),
            )
        )
        self.links.append(Derived(ids, counts))
        return ids[0], ids[1], ids[2]

    def inside(self, total: str, part: str) -> None:
        """Say that everyone of a part is in a total."""
        self.links.append(part_of(total, part))

    def adds(self, total: str, *parts: str | Implied) -> None:
        """Say that parts add up to a total."""
        if parts:
            self.links.append(Sum(total, parts))


def own_key(by: str) -> str:
    """Return the name under which levels stand in the groups of rows, apart from the names the rows use themselves."""
    taken = ("measure", "rate", "rule", "base", "sessions", "reason", "kind")
    return f"{by} (column)" if by in taken else by
