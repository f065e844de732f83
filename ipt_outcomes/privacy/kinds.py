"""What a reader can say of groups of people from the counts shown, every kind of person being known.

A table that the reader cannot rule out says how many people there are of each kind: whole numbers, not negative, that
give every count shown. Kinds that are in the same counts shown are one to the reader, which keeps the programmes small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array, hstack, vstack

from ipt_outcomes.errors import IptError
from ipt_outcomes.privacy.links import Kinds
from ipt_outcomes.privacy.search import Flags, Integers, in_whole_numbers

# What a solver calls 0.
_TINY = 1e-7
# Ways to look for a table in whole numbers: at every so many-th class, from where on, and with how many programmes.
_WAYS = ((4, 0, 6), (4, 1, 6), (4, 2, 6), (1, 0, 60))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KindTable:
    """Several tables of kinds as one.

    Parameters
    ----------
    names : tuple of str
        Of the n counts.
    counts : numpy.ndarray of int, shape (n,)
    order : tuple of int or None
    people : numpy.ndarray of int, shape (k,)
        True number of people of each kind of each table.
    inside : numpy.ndarray of int8, shape (n, k)
        Kinds that make up each count, in the first table that holds it.
    ties : numpy.ndarray of int8, shape (t, k)
        Sums that are 0, since a count is the same in every table that holds it.
    blocks : tuple of (numpy.ndarray of int, numpy.ndarray of bool)
        Of each table: the places of its counts among the n, and the kinds that make up each.
    """

    names: tuple[str, ...]
    counts: Integers
    order: tuple[int | None, ...]
    people: Integers
    inside: NDArray[np.int8]
    ties: NDArray[np.int8]
    blocks: tuple[tuple[Integers, Flags], ...]

    @classmethod
    def of(cls, tables: Sequence[Kinds]) -> KindTable:
        """Join tables of kinds.

        Raises
        ------
        IptError
            Two tables contradict each other.
        """
        total = sum(len(table.people) for table in tables)
        rows: dict[str, NDArray[np.int8]] = {}
        order: dict[str, int | None] = {}
        ties: list[NDArray[np.int8]] = []
        blocks, start = [], 0
        for table in tables:
            end = start + len(table.people)
            own = np.zeros((len(table.counts), total), dtype=np.int8)
            own[:, start:end] = table.inside.T
            for name, place, row in zip(table.counts, table.order, own, strict=True):
                if name in rows:
                    ties.append(rows[name] - row)
                rows.setdefault(name, row)
                order.setdefault(name, place)
            blocks.append((table.counts, own.astype(bool)))
            start = end
        people = np.concatenate([np.asarray(table.people, dtype=np.int64) for table in tables])
        tied = np.array(ties, dtype=np.int8).reshape(-1, total)
        if (tied.astype(np.int64) @ people).any():
            raise IptError("tables of kinds give a count two values")
        inside = np.array(list(rows.values()), dtype=np.int8).reshape(-1, total)
        places = {name: place for place, name in enumerate(rows)}
        return cls(
            names=tuple(rows),
            counts=inside.astype(np.int64) @ people,
            order=tuple(order.values()),
            people=people,
            inside=inside,
            ties=tied,
            blocks=tuple((np.array([places[name] for name in names], dtype=np.int64), own) for names, own in blocks),
        )


class Reader:
    """Somebody who sees some counts, exactly or within bounds, and knows what each of them counts.

    Parameters
    ----------
    table : KindTable
    known : numpy.ndarray of bool, shape (n,)
        Counts of which something is known.
    low, high : numpy.ndarray of int, shape (n,)
        What is known of them.
    """

    def __init__(self, table: KindTable, known: Flags, low: Integers, high: Integers) -> None:
        self.known = np.flatnonzero(known)
        rows = np.vstack([table.inside[self.known], table.ties])
        first, self.classes = _merged(rows)
        self._first = first
        self.sizes = np.bincount(self.classes, minlength=len(first))
        self._members = csr_array(
            (np.ones(len(self.classes)), (np.arange(len(self.classes)), self.classes)),
            shape=(len(self.classes), len(first)),
        )
        self.people = np.bincount(self.classes, weights=table.people, minlength=len(first)).astype(np.int64)
        self._rows = csr_array(rows[:, first].astype(float))
        none = np.zeros(len(table.ties), dtype=np.int64)
        self._low = np.concatenate([low[self.known], none]).astype(float)
        self._high = np.concatenate([high[self.known], none]).astype(float)
        # No table needs more people of one kind; a bound keeps the programmes bounded.
        self.far = int(table.people.sum()) + 100

    def parts(self, groups: Flags) -> tuple[Flags, Flags]:
        """Return, for groups of kinds (one per row), the classes that are wholly and those that are partly inside."""
        hits = (self._members.T @ groups.T.astype(float)).T
        outer = hits > 0
        return outer & (hits == self.sizes), outer

    def least(self, goal: NDArray[np.float64], *, every: int = 1) -> NDArray[np.float64] | None:
        """Return a table, in fractions of people, with the least value of a goal.

        Parameters
        ----------
        goal : numpy.ndarray of float, shape (c,)
            Weight of each class of kinds.
        every : int
            Look at the classes of the true table and at every so many-th: sooner done, and mostly as good.

        Returns
        -------
        numpy.ndarray of float, shape (c,), or None
            None where no table was found in time.
        """
        used = self._used(every)
        found = milp(
            goal[used],
            constraints=LinearConstraint(self._rows[:, used], self._low, self._high),
            bounds=Bounds(0, self.far),
            options={"presolve": False},
        )
        if found.x is None:
            return None
        table = np.zeros(len(self.people))
        table[used] = np.maximum(found.x, 0.0)
        return table

    def proof(self, goal: NDArray[np.float64]) -> list[int]:
        """Return the positions of the known counts from which the least value of a goal follows."""
        exact = self._low == self._high
        ranged = self._rows[~exact]
        found = linprog(
            goal,
            A_eq=self._rows[exact],
            b_eq=self._low[exact],
            A_ub=csr_array(vstack([ranged, -ranged])),
            b_ub=np.concatenate([self._high[~exact], -self._low[~exact]]),
            bounds=(0, self.far),
            # Looking for simplifications first costs three times what it saves here.
            options={"presolve": False},
        )
        if found.x is None:
            return []
        weights = np.zeros(len(exact))
        weights[exact] = found.eqlin.marginals
        weights[~exact] = np.abs(found.ineqlin.marginals).reshape(2, -1).sum(axis=0)
        used = np.flatnonzero(np.abs(weights) > _TINY)
        return [int(i) for i in self.known[used[used < len(self.known)]]]

    def _used(self, every: int, start: int = 0) -> Integers:
        return np.flatnonzero((self.people > 0) | (np.arange(len(self.people)) % every == start))

    def nearest(self, group: Flags, *, least: int = 0, most: int | None = None) -> Integers | None:
        """Return the table nearest to the true one in which a group of classes has so many people.

        Near tables differ by a few people who change places, and mostly come out in whole numbers by themselves.

        Parameters
        ----------
        group : numpy.ndarray of bool, shape (c,)
        least, most : int
            Number of people in the group.

        Returns
        -------
        numpy.ndarray of int, shape (c,), or None
            None where there is none, or none was found in time.
        """
        bounds = (least, self.far if most is None else most)
        for every, start, most_branches in _WAYS:
            coming = self._used(every, start)
            table = self._near(group, bounds, coming[~group[coming]] if most == 0 else coming, most_branches)
            if table is not None:
                return table
        return None

    def _near(self, group: Flags, bounds: tuple[int, int], coming: Integers, most_branches: int) -> Integers | None:
        leaving = np.flatnonzero(self.people > 0)
        rows = csr_array(vstack([self._rows, csr_array(group.astype(float)[None, :])]))
        sums = rows @ self.people
        low, high = np.append(self._low, bounds[0]), np.append(self._high, bounds[1])
        found = in_whole_numbers(
            np.ones(len(coming) + len(leaving)),
            csr_array(hstack([rows[:, coming], -rows[:, leaving]])),
            np.zeros(len(coming) + len(leaving), dtype=np.int64),
            np.append(np.full(len(coming), self.far, dtype=np.int64), self.people[leaving]),
            within=(low - sums, high - sums),
            simplify=False,
            most_branches=most_branches,
        )
        if found is None:
            return None
        table = self.people.copy()
        table[coming] += found[: len(coming)].astype(np.int64)
        table[leaving] -= found[len(coming) :].astype(np.int64)
        sums = rows @ table
        agrees = (table >= 0).all() and (low <= sums).all() and (sums <= high).all()
        return table if agrees else None

    def spread_over_kinds(self, table: NDArray[Any]) -> NDArray[np.float64]:
        """Return a table of classes as one of kinds, shape (k,): all people of a class are of its first kind."""
        kinds = np.zeros(len(self.classes))
        kinds[self._first] = table
        return kinds

    def over_classes(self, kinds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a table of kinds as one of classes, shape (c,)."""
        return np.asarray(np.bincount(self.classes, weights=kinds, minlength=len(self._first)))


def _merged(rows: NDArray[np.int8]) -> tuple[Integers, Integers]:
    """Number the columns that are equal: the first of each number, and the number of each."""
    weights = np.random.default_rng(0).integers(2**62, size=len(rows))
    marks = (rows.T.astype(np.int64) * weights).sum(axis=1) if len(rows) else np.zeros(rows.shape[1], dtype=np.int64)
    _, first, numbers = np.unique(marks, return_index=True, return_inverse=True)
    if (rows[:, first][:, numbers] != rows).any():
        _, first, numbers = np.unique(rows, axis=1, return_index=True, return_inverse=True)
    return first, numbers.reshape(-1)
