"""Small groups of people whose number follows from counts by adding and subtracting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ipt_outcomes.privacy.kinds import KindTable
from ipt_outcomes.privacy.search import Flags, Integers


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """Groups of people whose number is known.

    Parameters
    ----------
    bits : numpy.ndarray of uint8, shape (g, b)
        Kinds of people in each group.
    values : numpy.ndarray of int, shape (g,)
    proofs : numpy.ndarray of bool, shape (g, n)
        Counts shown from which the number follows.
    """

    bits: NDArray[np.uint8]
    values: Integers
    proofs: Flags

    def take(self, places: Integers) -> _Known:
        return _Known(self.bits[places], self.values[places], self.proofs[places])

    def and_also(self, other: _Known) -> _Known:
        return _Known(
            np.vstack([self.bits, other.bits]),
            np.concatenate([self.values, other.values]),
            np.vstack([self.proofs, other.proofs]),
        )

    def once(self, rank: Integers) -> _Known:
        """Each group once, by the way that was published first."""
        last = np.where(self.proofs, rank, -1).max(axis=1)
        order = np.lexsort((self.proofs.sum(axis=1), last))
        _, first = np.unique(self.bits[order], axis=0, return_index=True)
        return self.take(order[np.sort(first)])


def known_by_subtraction(
    table: KindTable, shown: Flags, named: Flags, rank: Integers, smallest_shown: int
) -> list[tuple[int, frozenset[int]]]:
    """Return small groups whose number follows from counts shown, by what would be published last of these.

    Followed is what is left of one group without another, and what two groups without a common person are together:
    first of counts shown, and of counts that have a name and follow themselves; then what is left of these.

    Parameters
    ----------
    table : KindTable
    shown : numpy.ndarray of bool, shape (n,)
        Counts that are known exactly.
    named : numpy.ndarray of bool, shape (n,)
        Counts that are taken as known where they follow.
    rank : numpy.ndarray of int, shape (n,)
        Place of each count in the order of publishing.
    smallest_shown : int

    Returns
    -------
    list of (int, frozenset of int)
        The last published, and the others, as positions of counts; the first published come first.
    """
    proofs = {int(i): np.arange(len(shown)) == i for i in np.flatnonzero(shown)}
    before = -1
    while before != (before := len(proofs)):
        # What follows in one table of kinds is known in the others that hold it.
        made = [_follow(places, inside, table.counts, named, proofs, rank) for places, inside in table.blocks]
    found: dict[frozenset[int], int] = {}
    for each in made:
        for inner, outer in _small_rests(each, smallest_shown):
            proof = frozenset(np.flatnonzero(each.proofs[inner] | each.proofs[outer]).tolist())
            found.setdefault(proof, max(proof, key=lambda i: int(rank[i])))
    ranked = sorted(found.items(), key=lambda each: (int(rank[each[1]]), sorted(each[0])))
    return [(last, proof - {last}) for proof, last in ranked]


def _follow(
    places: Integers, inside: Flags, counts: Integers, named: Flags, proofs: dict[int, Flags], rank: Integers
) -> _Known:
    """What follows in one table of kinds; counts that follow get their proof."""
    bits = np.packbits(inside[:, inside.any(axis=0)], axis=1)
    there = np.array([i for i, place in enumerate(places.tolist()) if place in proofs], dtype=np.int64)
    own = [proofs[int(place)] for place in places[there]]
    known = _Known(bits[there], counts[places[there]], np.array(own, dtype=bool).reshape(-1, len(counts))).once(rank)
    made = known.and_also(_pairs(known)).once(rank)
    where = {row.tobytes(): i for i, row in enumerate(made.bits)}
    for i in np.flatnonzero(named[places]):
        if int(places[i]) not in proofs and (proof := _proof(bits[i], known, made, where)) is not None:
            proofs[int(places[i])] = proof
    return made


def _proof(group: NDArray[np.uint8], known: _Known, made: _Known, where: dict[bytes, int]) -> Flags | None:
    """Why the number of a group is known: by itself, or with another one by what they hold together."""
    if (place := where.get(group.tobytes())) is not None:
        return np.asarray(made.proofs[place])
    if (parts := _partition(group, known)) is not None:
        return parts
    for i in np.flatnonzero(~(group & ~known.bits).any(axis=1)):
        rest = known.bits[i] & ~group
        place = where.get(rest.tobytes())
        parts = made.proofs[place] if place is not None else _partition(rest, known)
        if parts is not None:
            return np.asarray(known.proofs[i] | parts)
    return None


def _partition(group: NDArray[np.uint8], known: _Known) -> Flags | None:
    """Why the number of a group is known that others, largest first, make up without overlap."""
    inside = np.flatnonzero(~(known.bits & ~group).any(axis=1))
    if np.bitwise_or.reduce(known.bits[inside], axis=0, initial=0).tobytes() != group.tobytes():
        return None
    proof, left = np.zeros(known.proofs.shape[1], dtype=bool), group.copy()
    sizes = np.bitwise_count(known.bits[inside]).sum(axis=1)
    for i in inside[np.argsort(-sizes, kind="stable")]:
        if known.bits[i].any() and not (known.bits[i] & ~left).any():
            left &= ~known.bits[i]
            proof |= known.proofs[i]
    return None if left.any() else proof


def _pairs(known: _Known) -> _Known:
    """What is left of one group without another that is in it, and two groups together that share nobody."""
    sets = np.unpackbits(known.bits, axis=1).astype(np.float32)
    both = sets @ sets.T
    sizes = both.diagonal()
    inner, outer = np.nonzero((both == sizes[:, None]) & (sizes[:, None] < sizes) & (sizes[:, None] > 0))
    one, other = np.nonzero(np.triu(both == 0, 1))
    rests = _Known(
        known.bits[outer] & ~known.bits[inner],
        known.values[outer] - known.values[inner],
        known.proofs[outer] | known.proofs[inner],
    )
    together = _Known(
        known.bits[one] | known.bits[other],
        known.values[one] + known.values[other],
        known.proofs[one] | known.proofs[other],
    )
    return rests.and_also(together)


def _small_rests(made: _Known, smallest_shown: int) -> list[tuple[int, int]]:
    """Pairs of groups, one in the other, that differ by a small number of people."""
    order = np.argsort(made.values, kind="stable")
    bits, values = made.bits[order], made.values[order]
    starts = np.searchsorted(values, values, side="right")
    ends = np.searchsorted(values, values + smallest_shown)
    found: list[tuple[int, int]] = []
    for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
        holds = np.flatnonzero(~(bits[place] & ~bits[start:end]).any(axis=1))
        found += [(int(order[place]), int(order[start + i])) for i in holds]
    # A small group that is known as it is.
    small = np.flatnonzero((made.values > 0) & (made.values < smallest_shown))
    return found + [(int(i), int(i)) for i in small]
