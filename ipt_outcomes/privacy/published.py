"""Which counts to publish, in the order of their use, so that no small group of people can be worked out.

Readers it defends against
--------------------------
As in `ipt_outcomes.privacy.cells`: every reader knows what each count shown counts. The *plain* reader must not be
able to show that a group holds 1 to `smallest_shown - 1` people: a table must be left in which it holds none, or
enough to be shown. The groups are every small count; both, one, the other and neither of any two counts that could be
published; and everyone who is in the same counts shown. The *informed* reader knows of every small count that could
have been published that it is small; the values left to him must be `narrowest` apart, or one where that cannot be had.

First goes what follows by adding and subtracting: of the counts that give a small number the one published last. For
every count that could have been published and is small, a table in whole numbers is looked for that keeps it open; for
the other groups a table in fractions of people does. Where there is none, the counts that show a group to be small
follow from a programme (its dual): again the one published last is hidden. What is hidden only grows, so that a table
found once keeps its groups open to the end.

Last come chains: any number of counts, each added or taken away once, that leave a small number of people, each
counted once. An integer programme finds one or shows that there is none; of each the count published last is hidden.
Not looked for: chains that take a count twice. Among the counts of several measures together the search is cut short.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipt_outcomes.privacy.chains import small_chain
from ipt_outcomes.privacy.kinds import KindTable, Reader
from ipt_outcomes.privacy.links import Kinds
from ipt_outcomes.privacy.search import Flags, Integers
from ipt_outcomes.privacy.subtracting import known_by_subtraction

# How many tables are looked for that open many groups at once, before each group is looked at by itself.
_EXTREME = 24
# Of many kinds of people a part will mostly do.
_FOURTH = 4
# So little of a person is rounding.
_NOBODY = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """What the audience would see of each count, were it shown.

    Parameters
    ----------
    smallest_shown, narrowest : int
    zero_shown : bool
    ranges : mapping of str to (int, int)
        What a reader learns of a count that is shown: least and greatest value; itself where not given.
    """

    smallest_shown: int
    narrowest: int
    zero_shown: bool
    ranges: dict[str, tuple[int, int]] = field(default_factory=dict)


def counts_not_published(tables: Sequence[Kinds], seen: Seen) -> frozenset[str]:
    """Choose the counts to hide, the last in order first.

    Parameters
    ----------
    tables : sequence of Kinds
    seen : Seen

    Returns
    -------
    frozenset of str
        Same tables, same set.
    """
    search = _Search(tables, seen)
    search.subtract()
    search.open(search.table.inside[search.small & search.wanted].astype(bool), in_whole_numbers=True)
    search.open(search.groups(), in_whole_numbers=False)
    # Hiding merges classes, and a class that was two may be small again.
    while search.break_chains() or search.open(search.classes(), in_whole_numbers=False):
        pass
    search.widen()
    return frozenset(name for name, is_shown in zip(search.table.names, search.shown, strict=True) if not is_shown)


class _Search:
    """What is shown so far, and the reader who sees it."""

    def __init__(self, tables: Sequence[Kinds], seen: Seen) -> None:
        self.tables, self.table, self.seen = tables, KindTable.of(tables), seen
        table = self.table
        counts = table.counts
        self.small = (counts > 0) & (counts < seen.smallest_shown)
        self.wanted = np.array([place is not None for place in table.order], dtype=bool)
        self.shown = self.wanted & ~self.small & ((counts > 0) | seen.zero_shown)
        ranges = [seen.ranges.get(name, (count, count)) for name, count in zip(table.names, counts, strict=True)]
        self.low, self.high = np.array(ranges, dtype=np.int64).reshape(-1, 2).T
        self.rank = np.argsort(
            np.array(sorted(range(len(counts)), key=lambda i: (table.order[i] or 0, table.names[i])), dtype=np.int64)
        )
        self._look()
        self._whole: list[NDArray[np.float64]] = []
        self._found: list[NDArray[np.float64]] = []

    def _look(self) -> None:
        self.plain = Reader(self.table, self.shown, self.low, self.high)

    def subtract(self) -> None:
        """Hide the last published of counts that give a small number by adding and subtracting."""
        before = -1
        while before != (before := int(self.shown.sum())):
            exact = self.shown & (self.low == self.high)
            found = known_by_subtraction(self.table, exact, self.wanted, self.rank, self.seen.smallest_shown)
            for last, others in found:
                if self.shown[[last, *others]].all():
                    self.shown[last] = False
        self._look()

    def break_chains(self) -> bool:
        """Hide the last published of counts that, added and taken away, leave a small group; return whether one did."""
        before = int(self.shown.sum())
        while chain := small_chain(self.tables, self._exactly_known(), self.seen.smallest_shown):
            self.hide([self.table.names.index(name) for name in chain])
        return int(self.shown.sum()) < before

    def _exactly_known(self) -> dict[str, int]:
        exact = self.shown & (self.low == self.high)
        return {self.table.names[i]: int(self.table.counts[i]) for i in np.flatnonzero(exact)}

    def groups(self) -> Flags:
        """Return every small count, and the small groups that two counts tell apart, as sets of kinds.

        Of the counts that could be published: what is hidden for others' sake may follow from those others.
        """
        found = [self.table.inside[self.small].astype(bool)]
        for places, inside in self.table.blocks:
            found.append(_cells(inside[self.wanted[places]], self.table.people, self.seen.smallest_shown))
        return _distinct(np.vstack(found))

    def classes(self) -> Flags:
        """Return everyone who is in the same counts shown, where that is a small group."""
        reader = self.plain
        small = (reader.people > 0) & (reader.people < self.seen.smallest_shown)
        return np.asarray(reader.classes[None, :] == np.flatnonzero(small)[:, None])

    def open(self, groups: Flags, *, in_whole_numbers: bool) -> bool:
        """Hide more until no group can be shown to be small; return whether anything had to be hidden."""
        before = int(self.shown.sum())
        tables = self._whole if in_whole_numbers else self._found
        pending = _Pending(self.plain, groups, self.seen.smallest_shown)
        pending.look_at(tables)
        if not in_whole_numbers:
            for turn in range(_EXTREME):
                if len(pending.groups):
                    self._found += (extreme := pending.extreme(turn))
                    pending.look_at(extreme)
        while len(pending.groups) and self.shown.any():
            table = pending.opening()
            if table is None:
                self._hide(self._why_small(pending.groups[0]))
                # Fewer counts shown may leave a group open in a table that was found long ago.
                pending = _Pending(self.plain, pending.groups, self.seen.smallest_shown)
                pending.look_at(tables)
            else:
                self._found.append(table)
                self._whole.append(table)
                pending.look_at([table])
        return int(self.shown.sum()) < before

    def widen(self) -> None:
        """Hide more until the informed reader is left with enough values of every small count."""
        wanted = np.flatnonzero(self.small & self.wanted)
        spread = _Spread(self, wanted)
        spread.explore()
        for place in range(len(wanted)):
            for width in sorted({self.seen.narrowest, 1}, reverse=True):
                if spread.reaches(place, width):
                    break

    def informed(self, shown: Flags) -> Reader:
        """Return the reader who knows which counts are small."""
        small = self.small & self.wanted
        low = np.where(small, 1 if self.seen.zero_shown else 0, self.low)
        high = np.where(small, self.seen.smallest_shown - 1, self.high)
        return Reader(self.table, shown | small, low, high)

    def hide(self, proof: Sequence[int]) -> bool:
        """Hide the last published of some counts; return whether one of them was shown."""
        candidates = [int(i) for i in proof if self.shown[i]]
        if not candidates:
            return False
        self.shown[max(candidates, key=lambda i: self.rank[i])] = False
        self._look()
        return True

    def _hide(self, proof: Sequence[int]) -> None:
        # Without a proof no table was found in time: hide the last of all.
        if not self.hide(proof):
            self.hide(np.flatnonzero(self.shown).tolist())

    def _why_small(self, group: Flags) -> list[int]:
        """The counts shown from which a group's least and greatest number follow."""
        inner, outer = (part[0].astype(float) for part in self.plain.parts(group[None, :]))
        return [*self.plain.proof(inner), *self.plain.proof(-outer)]


class _Pending:
    """Groups that no table is known to open: in which they are empty, or have enough people to be shown."""

    def __init__(self, reader: Reader, groups: Flags, enough: int) -> None:
        self.reader, self.groups, self.enough = reader, groups, enough
        self._inner, self._outer = reader.parts(groups)

    def look_at(self, tables: Sequence[NDArray[np.float64]]) -> None:
        """Drop the groups that are open in one of some tables of kinds."""
        if not len(self.groups) or not len(tables):
            return
        found = np.array([self.reader.over_classes(table) for table in tables]).T
        left = ~((self._inner @ found <= _NOBODY) | (self._outer @ found >= self.enough - _NOBODY)).any(axis=1)
        self.groups, self._inner, self._outer = self.groups[left], self._inner[left], self._outer[left]

    def extreme(self, turn: int) -> list[NDArray[np.float64]]:
        """Return a table, in fractions, with few or many people in the groups: turn by turn in fewer of them."""
        some = slice(turn // 4, None, 1 + turn // 4)
        goal = self._inner[some].sum(axis=0) if turn % 2 == 0 else -self._outer[some].sum(axis=0)
        found = self.reader.least(goal.astype(float), every=_FOURTH)
        return [] if found is None else [self.reader.spread_over_kinds(found)]

    def opening(self) -> NDArray[np.float64] | None:
        """Return a table of kinds, in whole numbers, in which the first group is empty or has enough people."""
        found = self.reader.nearest(self._inner[0], most=0)
        if found is None:
            found = self.reader.nearest(self._outer[0], least=self.enough)
        return None if found is None else self.reader.spread_over_kinds(found)


class _Spread:
    """The values the informed reader cannot rule out, as far as they were found."""

    def __init__(self, search: _Search, wanted: Integers) -> None:
        self.search, self.wanted = search, wanted
        self.least = search.table.counts[wanted].astype(float)
        self.most = self.least.copy()
        self._groups = search.table.inside[wanted].astype(bool)

    def explore(self) -> None:
        """Look for tables in which many counts are small, and large."""
        reader = self.search.informed(self.search.shown)
        for every in (1, 2, 3):
            for start in range(every):
                for sign in (1.0, -1.0):
                    self._solve(reader, np.arange(start, len(self.wanted), every), sign)

    def reaches(self, place: int, width: int) -> bool:
        """Whether values `width` apart are left, after hiding what stands against it, if hiding can help at all."""
        search = self.search
        if self._width(place) >= width:
            return True
        reader = search.informed(search.shown)
        while not self._finds(reader, place, width):
            if not self._can(place, width):
                return False
            goal = reader.parts(self._groups[place][None, :])[1][0].astype(float)
            if not search.hide([*reader.proof(goal), *reader.proof(-goal)]):
                return False
            reader = search.informed(search.shown)
        return True

    def _can(self, place: int, width: int) -> bool:
        """Whether the distance would be there, were everything hidden."""
        least, most = self.least.copy(), self.most.copy()
        possible = self._finds(self.search.informed(np.zeros_like(self.search.shown)), place, width)
        self.least, self.most = least, most
        return possible

    def _finds(self, reader: Reader, place: int, width: int) -> bool:
        for every in (_FOURTH, 1):
            for sign in (1.0, -1.0):
                self._solve(reader, np.array([place]), sign, every=every)
                if self._width(place) >= width:
                    return True
        return False

    def _width(self, place: int) -> int:
        # Only whole numbers between the bounds are possible.
        return int(np.floor(self.most[place] + _NOBODY) - np.ceil(self.least[place] - _NOBODY))

    def _solve(self, reader: Reader, places: Integers, sign: float, *, every: int = _FOURTH) -> None:
        if not len(places):
            return
        _, outer = reader.parts(self._groups)
        goal: NDArray[np.float64] = sign * outer[places].sum(axis=0).astype(float)
        found = reader.least(goal, every=every)
        if found is not None:
            values = outer @ found
            self.least, self.most = np.minimum(self.least, values), np.maximum(self.most, values)


def _cells(sets: Flags, people: Integers, smallest_shown: int) -> Flags:
    """Both, one, the other, and neither of any two counts, as far as these are few people."""
    both = (sets * people.astype(np.float64)) @ sets.T.astype(np.float64)
    counts = both.diagonal()
    kinds = sets.astype(np.float64) @ sets.T.astype(np.float64)
    within = kinds == kinds.diagonal()[:, None]

    def few(number: NDArray[Any]) -> Flags:
        return np.asarray((number > 0) & (number < smallest_shown))

    first, second = np.nonzero(np.triu(few(both), 1))
    found = [sets[first] & sets[second]]
    first, second = np.nonzero(few(counts[:, None] - both))
    found.append(sets[first] & ~sets[second])
    # Neither, of everyone in a third count that holds the two.
    for whole in range(len(sets)):
        parts = np.flatnonzero(within[:, whole])
        rest = counts[whole] - counts[parts][:, None] - counts[parts] + both[np.ix_(parts, parts)]
        first, second = np.nonzero(np.triu(few(rest), 1))
        found.append(_distinct(sets[whole] & ~sets[parts[first]] & ~sets[parts[second]]))
    return _distinct(np.vstack(found))


def _distinct(groups: Flags) -> Flags:
    """Each set of kinds once, in the order found."""
    marks = {row.tobytes(): place for place, row in reversed(list(enumerate(np.packbits(groups, axis=1))))}
    return groups[sorted(marks.values())]
