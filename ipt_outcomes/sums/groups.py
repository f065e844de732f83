"""Which rows belong together, and sums over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

# Rows that are added up at once: some columns of them fit the processor's cache.
PORTION = 65_536


@dataclass(frozen=True, slots=True)
class Groups:
    """Rows by group.

    Parameters
    ----------
    order : numpy.ndarray of int, shape (n,), or None
        Positions that bring the rows of a group together; None where they stand together already.
    starts : numpy.ndarray of int, shape (g,)
        First place of each group in that order.
    n_rows : int
    """

    order: np.ndarray | None
    starts: np.ndarray
    n_rows: int

    @classmethod
    def from_codes(cls, codes: np.ndarray, n_groups: int) -> Groups:
        """Build from one code per row.

        Parameters
        ----------
        codes : numpy.ndarray of int, shape (n,)
            From 0 to ``n_groups - 1``, each at least once.
        n_groups : int

        Returns
        -------
        Groups
            Group i holds the rows of code i.
        """
        n = codes.size
        if n and (codes[1:] < codes[:-1]).any():
            # A stable sort keeps the rows of a group in their order, so sums do not depend on the sorting method.
            order = np.argsort(codes, kind="stable")
            counts = np.bincount(codes, minlength=n_groups)
            return cls(order, np.concatenate(([0], np.cumsum(counts)[:-1])), n)
        changes = np.flatnonzero(codes[1:] != codes[:-1]) + 1
        return cls(None, np.concatenate(([0], changes)), n)

    def in_order(self, keys: Sequence[np.ndarray]) -> Groups:
        """Return the same groups, the rows of each in the order of keys: sums do not depend on the rows' own order.

        Parameters
        ----------
        keys : sequence of numpy.ndarray, shape (n,)
            The first counts most.
        """
        first = self.gather(keys[0])
        rises = first[1:] > first[:-1]
        if rises.size:
            rises[self.starts[1:] - 1] = True
        if rises.all():
            return self
        codes = np.repeat(np.arange(self.n_groups), self.counts)
        order = np.lexsort((*(self.gather(key) for key in reversed(keys)), codes))
        return Groups(order if self.order is None else self.order[order], self.starts, self.n_rows)

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.starts.size)

    @property
    def counts(self) -> np.ndarray:
        """Rows of each group, shape (g,)."""
        return np.diff(np.append(self.starts, self.n_rows))

    def portions(self, most: int) -> Iterator[tuple[slice, slice | np.ndarray, np.ndarray]]:
        """Yield portions of whole groups: the groups, where their rows stand, and the first place of each among them.

        Parameters
        ----------
        most : int
            Rows of a portion; a larger group is a portion of its own.

        Yields
        ------
        tuple of slice, slice or numpy.ndarray of int, and numpy.ndarray of int
        """
        ends = np.append(self.starts, self.n_rows)
        first = 0
        while first < self.n_groups:
            begin = int(ends[first])
            last = max(int(np.searchsorted(ends, begin + most, side="right")) - 1, first + 1)
            places = slice(begin, int(ends[last]))
            yield slice(first, last), places if self.order is None else self.order[places], ends[first:last] - begin
            first = last

    def gather(self, values: np.ndarray) -> np.ndarray:
        """Return values of rows in the order of the groups, shape (n,)."""
        return values if self.order is None else values[self.order]

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Return one value per row from one per group, in the rows' own order, shape (n,)."""
        repeated = np.repeat(values, self.counts)
        if self.order is None:
            return repeated
        back = np.empty_like(repeated)
        back[self.order] = repeated
        return back

    def sums(self, gathered: np.ndarray) -> np.ndarray:
        """Return the sum of each group of values that `gather` put in order, shape (g,)."""
        return np.asarray(np.add.reduceat(gathered, self.starts), dtype=float)

    def total(self, gathered: np.ndarray) -> float:
        """Return the sum over all rows, whatever the order of the groups."""
        return steady_sum(self.sums(gathered))

    def total_of(self, values: Callable[[slice | np.ndarray], np.ndarray]) -> float:
        """Return the total of what is computed for portions of rows, never for all at once; the bits are `total`'s."""
        found = np.empty(self.n_groups)
        for own, rows, starts in self.portions(PORTION):
            found[own] = np.add.reduceat(values(rows), starts)
        return steady_sum(found)

    def first(self, values: np.ndarray) -> np.ndarray:
        """Return the value of each group's first row, shape (g,)."""
        places = self.starts if self.order is None else self.order[self.starts]
        return np.asarray(values[places])

    def is_constant(self, values: np.ndarray) -> bool:
        """Return whether values of rows are the same within every group."""
        gathered = self.gather(values)
        changed = gathered[1:] != gathered[:-1]
        if changed.size:
            changed[self.starts[1:] - 1] = False
        return not changed.any()


def steady_sum(values: np.ndarray) -> float:
    """Return a sum that is the same to the last bit in whatever order the values come.

    Examples
    --------
    >>> steady_sum(np.array([0.1, 0.7, 0.2])) == steady_sum(np.array([0.7, 0.2, 0.1]))
    True
    """
    return float(np.sort(values).sum())
