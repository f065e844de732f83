"""Sums of products per group, from NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ipt_outcomes.sums.groups import PORTION, Groups, steady_sum


def packed_index(size: int) -> np.ndarray:
    """Return where entry (k, l) of a symmetric matrix stands when its upper triangle is stored row by row.

    Parameters
    ----------
    size : int

    Returns
    -------
    numpy.ndarray of int, shape (size, size)
        Symmetric.

    Examples
    --------
    >>> packed_index(2).tolist()
    [[0, 1], [1, 2]]
    """
    index = np.zeros((size, size), dtype=int)
    rows, columns = np.triu_indices(size)
    index[rows, columns] = index[columns, rows] = np.arange(rows.size)
    return index


@dataclass(frozen=True, slots=True)
class GroupSums:
    """Sums over the rows of each group.

    Parameters
    ----------
    cross : numpy.ndarray, shape (k (k + 1) / 2, g)
        Sums of products of two basis columns, stored as `packed_index` says.
    with_y : numpy.ndarray, shape (k, g)
        Sums of products of a basis column and the outcome.
    y_squares : numpy.ndarray, shape (g,)
        Sums of squares of the outcome.
    n_rows : int
    """

    cross: np.ndarray
    with_y: np.ndarray
    y_squares: np.ndarray
    n_rows: int

    @property
    def y_squared(self) -> float:
        """Sum of squares of the outcome over all rows, whatever the order of the groups."""
        return steady_sum(self.y_squares)


class SumsProvider(Protocol):
    """What can give the sums: rows in memory, or a database that groups and adds."""

    def __call__(
        self, groups: Groups, basis: Sequence[np.ndarray | Shifted | None], y: np.ndarray | Shifted
    ) -> GroupSums:
        """Return the sums of products per group."""
        ...


@dataclass(frozen=True, slots=True)
class Shifted:
    """A column less a number, divided by another, computed for the rows asked for and never as a whole.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
    shift : float
    scale : float
    """

    values: np.ndarray
    shift: float
    scale: float = 1.0

    def of(self, rows: slice | np.ndarray) -> np.ndarray:
        """Return the values of some rows."""
        shifted = self.values[rows] - self.shift
        return np.asarray(shifted if self.scale == 1 else shifted / self.scale)


def sums_of_products(
    groups: Groups, basis: Sequence[np.ndarray | Shifted | None], y: np.ndarray | Shifted
) -> GroupSums:
    """Return the sums of products of basis columns and outcome per group.

    Parameters
    ----------
    groups : Groups
    basis : sequence of numpy.ndarray or Shifted, shape (n,), or None
        Columns; None is the column of ones.
    y : numpy.ndarray or Shifted, shape (n,)
        Outcome. Centre it (and the basis) first: raw moments of numbers far from 0 cancel.

    Returns
    -------
    GroupSums

    Notes
    -----
    Rows are taken in portions of whole groups, so products of columns are never held for all rows. A sum is that of its
    group's rows alone, so the portions do not change its last bit.
    """
    size = len(basis)
    cross = np.empty((size * (size + 1) // 2, groups.n_groups))
    with_y = np.empty((size, groups.n_groups))
    y_squares = np.empty(groups.n_groups)
    counts = groups.counts
    for own, rows, starts in groups.portions(PORTION):
        outcome = _taken(y, rows)
        columns = [None if column is None else _taken(column, rows) for column in basis]
        y_squares[own] = np.add.reduceat(outcome * outcome, starts)
        place = 0
        for k, one in enumerate(columns):
            with_y[k, own] = np.add.reduceat(outcome if one is None else one * outcome, starts)
            for other in columns[k:]:
                cross[place, own] = _sum_of_product(counts[own], starts, one, other)
                place += 1
    return GroupSums(cross, with_y, y_squares, groups.n_rows)


def _taken(column: np.ndarray | Shifted, rows: slice | np.ndarray) -> np.ndarray:
    return column.of(rows) if isinstance(column, Shifted) else column[rows]


def _sum_of_product(
    counts: np.ndarray, starts: np.ndarray, one: np.ndarray | None, other: np.ndarray | None
) -> np.ndarray:
    if one is None:
        return counts.astype(float) if other is None else np.asarray(np.add.reduceat(other, starts))
    return np.asarray(np.add.reduceat(one if other is None else one * other, starts))
