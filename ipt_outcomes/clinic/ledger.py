"""Collects the result rows of a review, who is in each of its counts, and when each is published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from ipt_outcomes.clinic.courses import Courses
from ipt_outcomes.clinic.possible import Possible
from ipt_outcomes.effects.proportions import wilson
from ipt_outcomes.privacy import Derived, Kinds, Link
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
    SERVICE = 1200
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
    """Collects rows, and who is in their counts.

    Parameters
    ----------
    possible : Possible
        The courses that are counted now, with those there could be.
    level : float
        Confidence level.
    """

    possible: Possible
    level: float
    builder: ResultsBuilder = field(default_factory=ResultsBuilder)
    links: list[Link] = field(default_factory=list)
    rates: dict[tuple[str, str, str, str], RateIds] = field(default_factory=dict)
    _order: dict[str, int | None] = field(default_factory=dict)
    _about: dict[str, str] = field(default_factory=dict)
    _ids: dict[tuple[str, str, frozenset[tuple[str, str]]], str] = field(default_factory=dict)
    _inside: list[tuple[int, dict[str, np.ndarray]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.turn_to(self.possible)

    def turn_to(self, possible: Possible) -> None:
        """Go on with other courses: counts of the same name are the same count, of which more becomes known."""
        self.possible = possible
        self._inside.append((possible.real, {}))

    @property
    def courses(self) -> Courses:
        """The courses that are counted now."""
        return self.possible.courses

    def groups(self) -> Iterator[tuple[dict[str, str], np.ndarray]]:
        """Yield everyone, then each level compared, as groups of rows and mask."""
        yield {}, np.ones(len(self.courses.level), dtype=bool)
        for level in self.courses.levels:
            yield {self.key: level}, self.courses.level == level

    @property
    def key(self) -> str:
        """Name under which levels stand in the groups of rows."""
        return own_key(self.courses.by or "")

    def count(
        self, analysis: str, statistic: str, mask: np.ndarray, groups: Groups, *, order: int | None = None
    ) -> str:
        """Add a count of people, and when it is published; return its id."""
        real, inside = self._inside[-1]
        key = (analysis, statistic, frozenset(groups.items()))
        if key not in self._ids:
            self._ids[key] = self.builder.add(analysis, statistic, int(mask[:real].sum()), unit=PEOPLE, groups=groups)
            self._order[self._ids[key]] = order
            self._about[self._ids[key]] = groups.get("measure", "")
        inside[self._ids[key]] = mask
        return self._ids[key]

    def unpublished(self, analysis: str, statistic: str, count: int, groups: Groups) -> str:
        """Add a count of people that is not published where small ones are hidden; return its id."""
        name = self.builder.add(analysis, statistic, count, unit=PEOPLE, groups=groups)
        self.links.append(
            Kinds(counts=(name,), inside=np.ones((1, 1), dtype=bool), people=np.array([count]), order=(None,))
        )
        return name

    def id_of(self, analysis: str, statistic: str) -> str:
        """Return the id of a count of everyone."""
        return self._ids[analysis, statistic, frozenset()]

    def share(
        self, analysis: str, counts: tuple[str, str], masks: tuple[np.ndarray, np.ndarray], groups: Groups
    ) -> tuple[str, str, str]:
        """Add percentage and Wilson limits of two counts; return their ids."""
        numerator, denominator = (int(mask[: self.possible.real].sum()) for mask in masks)
        return self.share_of(analysis, counts, (numerator, denominator), groups)

    def share_of(
        self, analysis: str, counts: tuple[str, str], numbers: tuple[int, int], groups: Groups
    ) -> tuple[str, str, str]:
        """Add percentage and Wilson limits of two numbers of people; return their ids."""
        numerator, denominator = numbers
        limits = wilson(numerator, denominator, self.level)
        percent = 100 * numerator / denominator if denominator else None
        interval = f"Wilson interval, level {self.level:g}"
        first, second, third = (
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
        self.links.append(Derived((first, second, third), counts))
        return first, second, third

    def kinds(self) -> list[Kinds]:
        """Return who is in which count, a table for each set of possible courses."""
        return [_kinds(real, inside, self._order, self._about) for real, inside in self._inside if inside]


def _kinds(
    real: int, inside: Mapping[str, np.ndarray], order: Mapping[str, int | None], about: Mapping[str, str]
) -> Kinds:
    masks = np.array(list(inside.values()), dtype=bool)
    marks = np.ascontiguousarray(np.packbits(masks, axis=0).T)
    whole = marks.view([("", marks.dtype)] * marks.shape[1]).ravel()
    _, first, kinds = np.unique(whole, return_index=True, return_inverse=True)
    return Kinds(
        counts=tuple(inside),
        inside=masks[:, first].T,
        people=np.bincount(kinds.reshape(-1)[:real], minlength=len(first)).astype(np.int64),
        order=tuple(order[name] for name in inside),
        about=tuple(about[name] for name in inside),
    )


def own_key(by: str) -> str:
    """Return the name under which levels stand in the groups of rows, apart from the names the rows use themselves."""
    taken = ("measure", "rate", "rule", "base", "sessions", "reason", "kind", "question", "view", "group", "by", "unit")
    return f"{by} (column)" if by in taken else by
