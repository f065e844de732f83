"""Units with several cells: people who change therapists, or whatever else is crossed with the levels above."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipt_outcomes.mixed.engine.levels import Below
from ipt_outcomes.mixed.engine.plan import Crossed
from ipt_outcomes.mixed.engine.problem import Cells, Problem, Upper
from ipt_outcomes.mixed.engine.units import Weighted, unit_inverse


@dataclass(frozen=True, slots=True)
class Crossings:
    """What units with several cells leave to the levels above.

    Parameters
    ----------
    inverse : numpy.ndarray, shape (s, q, q)
        ``(G^-1 + Z'Z)^-1`` of each unit with several cells.
    rows : numpy.ndarray, shape (d, k, c)
        D' V^-1 basis of each cell, all rows of its unit in V.
    with_y : numpy.ndarray, shape (d, c)
    dz : numpy.ndarray, shape (d, q, c)
        D'Z of each cell.
    """

    inverse: np.ndarray
    rows: np.ndarray
    with_y: np.ndarray
    dz: np.ndarray


def scaled(values: np.ndarray, *scales: np.ndarray | None) -> np.ndarray:
    """Return values times whatever is given."""
    for own in scales:
        values = values if own is None else values * own
    return values


def _planned(upper: Upper) -> tuple[Cells, Crossed, np.ndarray]:
    cells, stage = upper.cells, upper.stages[0]
    assert cells is not None  # noqa: S101  the callers asked
    assert isinstance(stage, Crossed)  # noqa: S101  several cells are always planned so
    assert stage.place_of_link is not None  # noqa: S101
    return cells, stage, stage.place_of_link


def cross_units(problem: Problem, upper: Upper, units: Weighted, factor: np.ndarray) -> Crossings:
    """Return the products of cells with all rows of their unit.

    Parameters
    ----------
    problem : Problem
    upper : Upper
    units : Weighted
    factor : numpy.ndarray, shape (q, q)
        Root of the relative covariance of the units' effects.

    Returns
    -------
    Crossings
    """
    cells = _planned(upper)[0]
    several, index = cells.several, problem.index
    inverse = unit_inverse(problem, factor, several)
    # What the unit's own effects explain of each basis column and of the outcome: w Z' basis, w Z' y.
    zb, zy = problem.cross[index[problem.basis]][:, :, several], problem.with_y[problem.basis][:, several]
    dz = cells.cross[index[upper.basis[:, None], problem.basis[None, :]]]
    if problem.multipliers is not None:
        zb, zy = zb * problem.multipliers[:, None, several], zy * problem.multipliers[:, several]
        dz = dz * problem.multipliers[:, cells.unit]
    turn = np.moveaxis(inverse, 0, -1)
    explained = (turn[:, :, None] * zb[None]).sum(axis=1)
    explained_y = (turn * zy[None]).sum(axis=1)
    changed = np.flatnonzero(cells.place[cells.unit] >= 0)
    own = cells.place[cells.unit[changed]]
    # The one cell of a unit is the unit.
    rows = np.stack([np.take(units.cross[index[basis]], cells.unit, axis=1) for basis in upper.basis])
    with_y = units.with_y[upper.basis][:, cells.unit]
    for place, basis in enumerate(upper.basis):
        part = dz[place][:, changed]
        rows[place][:, changed] = cells.cross[index[basis]][:, changed] - (part[:, None] * explained[..., own]).sum(
            axis=0
        )
        with_y[place, changed] = cells.with_y[basis, changed] - (part * explained_y[:, own]).sum(axis=0)
    return Crossings(inverse, rows, with_y, dz)


def linked_sums(problem: Problem, upper: Upper, crossings: Crossings, scale: list[np.ndarray | None]) -> np.ndarray:
    """Return D'V^-1 D of each pair of combinations that share units.

    Parameters
    ----------
    problem : Problem
    upper : Upper
    crossings : Crossings
    scale : list of numpy.ndarray, shape (c,), or None
        What each distinct column is multiplied with, of each cell.

    Returns
    -------
    numpy.ndarray, shape (d, d, m)
    """
    cells, stage, place_of_link = _planned(upper)
    one, other, d = cells.one, cells.other, len(upper.basis)
    changed = np.flatnonzero(cells.place[cells.unit[one]] >= 0)
    left, right = one[changed], other[changed]
    inverse = np.moveaxis(crossings.inverse[cells.place[cells.unit[left]]], 0, -1)
    own = left == right
    found = np.empty((d, d, stage.one.size))
    for i in range(d):
        turned = (crossings.dz[i][:, left][:, None] * inverse).sum(axis=0)
        for j in range(d):
            # Of the one cell of a unit, and nothing between different cells but what their unit's effects share.
            values = crossings.rows[i][upper.basis[j]][one]
            shared = -(turned * crossings.dz[j][:, right]).sum(axis=0)
            shared[own] += cells.cross[problem.index[upper.basis[i], upper.basis[j]]][left[own]]
            values[changed] = shared
            first, second = scale[i], scale[j]
            values = scaled(values, None if first is None else first[one], None if second is None else second[other])
            found[i, j] = np.bincount(place_of_link, weights=values, minlength=stage.one.size)
    return found


def top_of_cell(problem: Problem, upper: Upper) -> np.ndarray:
    """Return the combination of levels of each cell, or of each unit where these are the cells."""
    size = problem.n_units if upper.cells is None else upper.cells.unit.size
    return np.repeat(np.arange(upper.starts.size), np.diff(np.append(upper.starts, size)))


def through_cells(
    problem: Problem, upper: Upper, crossings: Crossings, below: Below
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what the factors above take off the units' Z'V^-1 Z, Z'V^-1 X and Z'V^-1 r, units along the last axis."""
    cells, _, place_of_link = _planned(upper)
    top = top_of_cell(problem, upper)[cells.by_unit]
    q, units, unit = problem.sizes[0], problem.n_units, cells.unit
    k, f, h = np.zeros((q, q, units)), np.zeros((q, problem.p, units)), np.zeros((q, units))
    zd = []
    for place in range(len(upper.basis)):
        row = crossings.rows[place][problem.basis]
        if problem.multipliers is not None:
            row = row * problem.multipliers[:, unit]
        constant = upper.constants[place]
        zd.append(row if constant is None else row * constant[unit])
    omega = np.moveaxis(below.omega, 0, -1)[..., place_of_link]
    for i, left in enumerate(zd):
        sorted_left = left[:, cells.by_unit]
        coefficients = np.take(np.ascontiguousarray(below.bx[:, i].T), top, axis=1)
        by = below.by[top, i]
        for a in range(q):
            f[a] += np.add.reduceat(sorted_left[a] * coefficients, cells.first, axis=1)
            h[a] += np.add.reduceat(sorted_left[a] * by, cells.first)
        for j, right in enumerate(zd):
            for a in range(q):
                part = left[a][cells.one] * omega[i, j]
                for b in range(q):
                    k[a, b] += np.add.reduceat(part * right[b][cells.other], cells.first_pair)
    return k, f, h
