"""One order of units, cells and levels, by what they hold: neither names nor the order of rows decide the last bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ipt_outcomes.sums import Groups, GroupSums


@dataclass(frozen=True, slots=True)
class CellRows:
    """Which rows are which cell.

    Parameters
    ----------
    groups : Groups or None
        Rows by cell; None where cells are units.
    unit : numpy.ndarray of int, shape (c,)
        Unit of each cell, as numbered in the data.
    codes : numpy.ndarray of int, shape (c, f)
        Level of each factor above; -1 is none.
    """

    groups: Groups | None
    unit: np.ndarray
    codes: np.ndarray


@dataclass(frozen=True, slots=True)
class Order:
    """Places of units, cells and levels.

    Parameters
    ----------
    units : numpy.ndarray of int, shape (u,)
        Units, as numbered in the data, in the order of the sums.
    places : numpy.ndarray of int, shape (u,)
        Where each unit stands there.
    cells : numpy.ndarray of int, shape (c,)
    unit_of_cell : numpy.ndarray of int, shape (c,)
        In the order of the sums.
    top_of_cell : numpy.ndarray of int, shape (c,)
        Combination of levels of each cell.
    starts : numpy.ndarray of int, shape (v,)
        First cell of each combination.
    codes : numpy.ndarray of int, shape (v, f)
        Levels of each combination, numbered in the order of what they hold; -1 is none.
    levels : tuple of numpy.ndarray of int
        Where each level of each factor above stands in that numbering.
    """

    units: np.ndarray
    places: np.ndarray
    cells: np.ndarray
    unit_of_cell: np.ndarray
    top_of_cell: np.ndarray
    starts: np.ndarray
    codes: np.ndarray
    levels: tuple[np.ndarray, ...]


def cells_of(groups: Groups, codes: Sequence[np.ndarray], keys: Sequence[np.ndarray]) -> CellRows:
    """Find the cells.

    Parameters
    ----------
    groups : Groups
        Rows by unit.
    codes : sequence of numpy.ndarray of int, shape (n,)
        Level of each row, of each factor above the units.
    keys : sequence of numpy.ndarray, shape (n,)
        What orders the rows of a cell.

    Returns
    -------
    CellRows
    """
    units = np.arange(groups.n_groups)
    if not codes:
        return CellRows(None, units, np.empty((units.size, 0), dtype=np.int64))
    if all(groups.is_constant(own) for own in codes):
        return CellRows(None, units, np.column_stack([groups.first(own) for own in codes]))
    key = groups.spread(units)
    for own in codes:
        # Numbered anew each time, so that the product of many levels does not overflow.
        key = np.unique(key * (int(own.max()) + 2) + own + 1, return_inverse=True)[1]
    rows = Groups.from_codes(key, int(key.max()) + 1).in_order(keys)
    found = np.column_stack([rows.first(own) for own in codes])
    return CellRows(rows, rows.first(groups.spread(units)), found)


def canonical_order(
    sums: GroupSums, cell_sums: GroupSums | None, constants: Sequence[np.ndarray | None], cells: CellRows
) -> Order:
    """Order units, cells and levels by their sums.

    Parameters
    ----------
    sums : GroupSums
        Of the units.
    cell_sums : GroupSums or None
        Of the cells, where these are not the units.
    constants : sequence of numpy.ndarray, shape (u,), or None
        What is constant in units.
    cells : CellRows

    Returns
    -------
    Order
    """
    extra = [own for own in constants if own is not None]
    unit_mark = _mark([*sums.with_y, *sums.cross, *extra])
    if cell_sums is None:
        mark = unit_mark
    else:
        mark = _mark([*cell_sums.with_y, *cell_sums.cross, *(own[cells.unit] for own in extra)])
    codes, levels = _levels(mark, cells.codes)
    unit_rank = np.empty(unit_mark.size, dtype=np.int64)
    unit_rank[np.argsort(unit_mark, kind="stable")] = np.arange(unit_mark.size)
    # The factor with the fewest levels counts most: levels of a nested factor stand together.
    order = np.lexsort((mark, unit_rank[cells.unit], *codes.T))
    top, starts, combined = _tops(codes[order])
    units = order if cell_sums is None else np.argsort(unit_rank)
    places = np.empty_like(units)
    places[units] = np.arange(units.size)
    return Order(units, places, order, places[cells.unit[order]], top, starts, combined, levels)


def _mark(parts: Sequence[np.ndarray]) -> np.ndarray:
    """One number for everything that a unit or cell holds."""
    found = np.zeros(parts[0].size)
    for number, values in enumerate(parts, start=2):
        found += np.sqrt(number) * values
    return found


def _levels(mark: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Number the levels of each factor in the order of what their cells hold."""
    sorted_places = np.argsort(mark, kind="stable")
    renumbered, levels = np.empty_like(codes), []
    for column in range(codes.shape[1]):
        own = codes[sorted_places, column]
        # Added in the order of the marks, so that the sum is the same in any order of the cells.
        total = np.bincount(own + 1, weights=mark[sorted_places])[1:]
        rank = np.empty(total.size, dtype=np.int64)
        rank[np.argsort(total, kind="stable")] = np.arange(total.size)
        renumbered[:, column] = np.append(rank, -1)[codes[:, column]]
        levels.append(rank)
    return renumbered, tuple(levels)


def _tops(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Combinations of levels of sorted cells: number of each cell's, first cell and levels of each."""
    new = np.ones(len(codes), dtype=bool)
    new[1:] = (codes[1:] != codes[:-1]).any(axis=1)
    starts = np.flatnonzero(new)
    return np.cumsum(new) - 1, starts, codes[starts]
