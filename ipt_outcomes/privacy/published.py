"""Which counts to publish, in the order of their use, so that no small group of people can be worked out.

Readers it defends against
--------------------------
As in `ipt_outcomes.privacy.cells`: every reader knows what each count shown counts. The *plain* reader must not be
able to show that a group holds 1 to `smallest_shown - 1` people: a table must be left in which it holds none, or
enough to be shown. The groups are every small count; both, one, the other and neither of any two counts shown; and
everyone who is in the same counts shown. The *informed* reader knows of every small count that could have been
published that it is small; the values left to him must be `narrowest` apart, or one where that cannot be had.

What is hidden only grows, so that a table found once keeps its groups safe to the end. From a programme that shows a
group to be small follow the counts that show it (the dual); of these the one published last is hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipt_outcomes.privacy.kinds import Found, KindTable, Reader
from ipt_outcomes.privacy.links import Kinds
from ipt_outcomes.privacy.search import Flags, Integers

# How many tables are looked for that keep many groups safe at once, before each group is looked at by itself.
_TOGETHER = 40
# So little of a person is rounding.
_NOBODY = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """What the audience would see of each count, were it shown.

    Parameters
    ----------
    smallest_shown, narrowest : int
    zero_shown : bool
    low, high : mapping of str to int
        What a reader learns of a count that is shown; itself where not given.
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
    search = _Search(KindTable.of(tables), seen)
    search.open(search.groups())
    # Hiding merges classes, and a class that was two may be small again.
    while search.open(search.classes()):
        pass
    search.widen()
    return frozenset(name for name, is_shown in zip(search.table.names, search.shown, strict=True) if not is_shown)


class _Search:
    """What is shown so far, and the reader who sees it."""

    def __init__(self, table: KindTable, seen: Seen) -> None:
        self.table, self.seen = table, seen
        counts = table.counts
        self.small = (counts > 0) & (counts < seen.smallest_shown)
        self.wanted = np.array([place is not None for place in table.order], dtype=bool)
        self.shown = self.wanted & ~self.small & ((counts > 0) | seen.zero_shown)
        ranges = [seen.ranges.get(name, (count, count)) for name, count in zip(table.names, counts, strict=True)]
        self.low, self.high = np.array(ranges, dtype=np.int64).reshape(-1, 2).T
        self.rank = np.argsort(
            np.array(sorted(range(len(counts)), key=lambda i: (table.order[i] or 0, table.names[i])), dtype=np.int64)
        )
        self.plain = self._reader()
        self._tables: list[NDArray[np.float64]] = []

    def groups(self) -> Flags:
        """Return the small groups that two counts shown, and every small count, tell apart, as sets of kinds."""
        found = [self.table.inside[self.small].astype(bool)]
        for places, inside in self.table.blocks:
            found.append(_cells(inside[self.shown[places]], self.table.people, self.seen.smallest_shown))
        return _distinct(np.vstack(found))

    def classes(self) -> Flags:
        """Return everyone who is in the same counts shown, where that is a small group."""
        reader = self.plain
        small = (reader.people > 0) & (reader.people < self.seen.smallest_shown)
        return np.asarray(reader.classes[None, :] == np.flatnonzero(small)[:, None])

    def open(self, groups: Flags) -> bool:
        """Hide more until no group can be shown to be small; return whether anything had to be hidden."""
        before = int(self.shown.sum())
        pending = self._not_open_together(groups)
        while len(pending):
            known = len(self._tables)
            proof = self._why_small(pending[0])
            if proof is None:
                pending = pending[1:]
            else:
                self._hide(proof)
                # Fewer counts shown may leave the group open in a table that was found long ago.
                pending = pending[1:] if self._opened(pending[:1])[0] else pending
            pending = pending[~self._opened(pending, known)]
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
        self.plain = self._reader()
        return True

    def _hide(self, proof: Sequence[int]) -> None:
        # Without a proof no table was found in time: hide the last of all.
        if not self.hide(proof):
            self.hide(np.flatnonzero(self.shown).tolist())

    def _reader(self) -> Reader:
        return Reader(self.table, self.shown, self.low, self.high)

    def _not_open_together(self, groups: Flags) -> Flags:
        """Look for tables that open many groups at once; return the groups that are left."""
        known = 0
        for turn in range(_TOGETHER):
            groups, known = groups[~self._opened(groups, known)], len(self._tables)
            if not len(groups):
                break
            # Turn by turn fewest and most people in the groups, and in fewer and fewer of them.
            some = groups[turn // 4 :: 1 + turn // 4]
            inner, outer = self.plain.parts(some if len(some) else groups)
            goal = inner.sum(axis=0) if turn % 2 == 0 else -outer.sum(axis=0)
            self._keep(self.plain.least(goal.astype(float)))
        return groups[~self._opened(groups, known)]

    def _opened(self, groups: Flags, start: int = 0) -> Flags:
        """Return which groups are empty, or large enough, in a table found before, the first `start` left out.

        What is hidden only grows: a table stays one that the reader cannot rule out.
        """
        if not len(groups):
            return np.zeros(0, dtype=bool)
        inner, outer = self.plain.parts(groups)
        found = np.zeros(len(groups), dtype=bool)
        if self._tables[start:]:
            tables = np.array([self.plain.over_classes(table) for table in self._tables[start:]]).T
            found = ((inner @ tables <= _NOBODY) | (outer @ tables >= self.seen.smallest_shown - _NOBODY)).any(axis=1)
        return found if self.shown.any() else np.ones(len(groups), dtype=bool)

    def _keep(self, found: Found | None) -> None:
        if found is not None:
            self._tables.append(self.plain.spread_over_kinds(found.table))

    def _why_small(self, group: Flags) -> list[int] | None:
        """The counts shown that prove a group small; None where it is open, and a table that opens it is kept."""
        inner, outer = (part[0].astype(float) for part in self.plain.parts(group[None, :]))
        proof: list[int] = []
        for goal, enough in ((inner, 0.0), (-outer, -float(self.seen.smallest_shown))):
            found = self.plain.least(goal)
            if found is None:
                continue
            self._keep(found)
            if found.value <= enough + _NOBODY:
                return None
            proof.extend(found.proof.tolist())
        return proof


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
            both = [reader.least(goal), reader.least(-goal)]
            if not search.hide([i for found in both if found is not None for i in found.proof.tolist()]):
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
        for sign in (1.0, -1.0):
            self._solve(reader, np.array([place]), sign)
            if self._width(place) >= width:
                return True
        return False

    def _width(self, place: int) -> int:
        # Only whole numbers between the bounds are possible.
        return int(np.floor(self.most[place] + _NOBODY) - np.ceil(self.least[place] - _NOBODY))

    def _solve(self, reader: Reader, places: Integers, sign: float) -> None:
        if not len(places):
            return
        _, outer = reader.parts(self._groups)
        goal: NDArray[np.float64] = sign * outer[places].sum(axis=0).astype(float)
        found = reader.least(goal)
        if found is not None:
            values = outer @ found.table
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
