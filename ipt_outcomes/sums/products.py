"""Sums of products per group, from NumPy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ipt_outcomes.sums.groups import Groups, steady_sum


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

    def __call__(self, groups: Groups, basis: Sequence[np.ndarray | None], y: np.ndarray) -> GroupSums:
        """Return the sums of products per group."""
        ...


def sums_of_products(groups: Groups, basis: Sequence[np.ndarray | None], y: np.ndarray) -> GroupSums:
    """Return the sums of products of basis columns and outcome per group.

    Parameters
    ----------
    groups : Groups
    basis : sequence of numpy.ndarray, shape (n,), or None
        Columns; None is the column of ones.
    y : numpy.ndarray, shape (n,)
        Outcome. Centre it (and the basis) first: raw moments of numbers far from 0 cancel.

    Returns
    -------
    GroupSums
    """
    outcome = groups.gather(y)
    columns = [None if column is None else groups.gather(column) for column in basis]
    size = len(columns)
    cross = np.empty((size * (size + 1) // 2, groups.n_groups))
    with_y = np.empty((size, groups.n_groups))
    place = 0
    for k, one in enumerate(columns):
        with_y[k] = groups.sums(outcome if one is None else one * outcome)
        for other in columns[k:]:
            cross[place] = _sum_of_product(groups, one, other)
            place += 1
    return GroupSums(cross, with_y, groups.sums(outcome * outcome), groups.n_rows)


def _sum_of_product(groups: Groups, one: np.ndarray | None, other: np.ndarray | None) -> np.ndarray:
    if one is None and other is None:
        return groups.counts.astype(float)
    if one is None or other is None:
        return groups.sums(other if one is None else one)  # type: ignore[arg-type]
    return groups.sums(one * other)
