"""Units eliminated: their sums weighted by the inverse of their own covariance.

Sums are stored with the units along the last axis, so every operation runs over all units at once; units are taken in
portions that fit the processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipt_outcomes.mixed.engine.problem import Problem

PORTION = 8192


@dataclass(frozen=True, slots=True)
class Weighted:
    """Sums over the units at one relative covariance of their effects.

    Parameters
    ----------
    cross : numpy.ndarray, shape (k (k + 1) / 2, u)
        Basis' V^-1 basis of each unit, V relative to the residual variance and with the unit's own effects only.
    with_y : numpy.ndarray, shape (k, u)
    log_determinant : float
        Of the V of all units.
    a : numpy.ndarray, shape (p, p)
        X' V^-1 X.
    b : numpy.ndarray, shape (p,)
        X' V^-1 y.
    yy : float
        y' V^-1 y.
    """

    cross: np.ndarray
    with_y: np.ndarray
    log_determinant: float
    a: np.ndarray
    b: np.ndarray
    yy: float


def weigh_units(problem: Problem, factor: np.ndarray) -> Weighted:
    """Weight the sums of every unit by its inverse covariance and add up.

    Parameters
    ----------
    problem : Problem
    factor : numpy.ndarray, shape (q, q)
        Lower triangular root of the relative covariance of the units' effects.

    Returns
    -------
    Weighted
    """
    cross, with_y = np.empty_like(problem.cross), np.empty_like(problem.with_y)
    a, b = np.zeros((problem.p, problem.p)), np.zeros(problem.p)
    log_determinant = explained = 0.0
    for start in range(0, problem.n_units, PORTION):
        part = slice(start, start + PORTION)
        own, taken = _weigh(problem, factor, part, cross, with_y)
        log_determinant += own
        explained += taken
        _accumulate(problem, part, cross, with_y, a, b)
    upper = np.triu(a)
    return Weighted(cross, with_y, log_determinant, upper + np.triu(upper, 1).T, b, problem.yy - explained)


def _weigh(
    problem: Problem, factor: np.ndarray, part: slice, cross: np.ndarray, with_y: np.ndarray
) -> tuple[float, float]:
    """Fill the weighted sums of a portion: S - W'W, where W = L^-1 F'Z'B and L L' = I + F'Z'Z F.

    Returns the log determinant of I + F'Z'Z F, and the part of y'y that W takes away.
    """
    sums, outcome = problem.cross[:, part], problem.with_y[:, part]
    loads = [_load(factor[:, c], problem.multipliers, part) for c in range(len(factor)) if factor[:, c].any()]
    index, basis = problem.index, problem.basis
    size = range(index.shape[0])
    rows: list[list[np.ndarray]] = []
    ys: list[np.ndarray] = []
    lower: list[list[np.ndarray]] = []
    product: np.ndarray | None = None
    for c, load in enumerate(loads):
        row = [_mix(load, [sums[index[own, k]] for own in basis]) for k in size]
        y = _mix(load, [outcome[own] for own in basis])
        gram = [_mix(loads[e], [row[own] for own in basis]) for e in range(c + 1)]
        entries: list[np.ndarray] = []
        for e in range(c):
            entry = gram[e]
            for f in range(e):
                entry = entry - entries[f] * lower[e][f]
            entries.append(entry / lower[e][e])
        pivot = gram[c] + 1.0
        for entry in entries:
            pivot -= entry * entry
        product = pivot if product is None else product * pivot
        entries.append(np.sqrt(pivot))
        lower.append(entries)
        for e in range(c):
            row = [value - entries[e] * rows[e][k] for k, value in enumerate(row)]
            y = y - entries[e] * ys[e]
        rows.append([value / entries[c] for value in row])
        ys.append(y / entries[c])
    explained = 0.0
    cross[:, part], with_y[:, part] = sums, outcome
    for row, y in zip(rows, ys, strict=True):
        explained += float(y @ y)
        for k in size:
            with_y[k, part] -= row[k] * y
            for other in range(k, index.shape[0]):
                cross[index[k, other], part] -= row[k] * row[other]
    return 0.0 if product is None else float(np.log(product).sum()), explained


_Load = list[tuple[int, "np.ndarray | float"]]


def _load(column: np.ndarray, multipliers: np.ndarray | None, part: slice) -> _Load:
    """Entries of one column of the factor that are not 0, times what their random columns are multiplied with."""
    places = np.flatnonzero(column)
    if multipliers is None:
        return [(int(place), float(column[place])) for place in places]
    return [(int(place), column[place] * multipliers[place, part]) for place in places]


def _mix(load: _Load, rows: list[np.ndarray]) -> np.ndarray:
    (first, weight), *others = load
    mixed: np.ndarray = weight * rows[first]
    for place, weight in others:
        mixed += weight * rows[place]
    return mixed


def _accumulate(
    problem: Problem, part: slice, cross: np.ndarray, with_y: np.ndarray, a: np.ndarray, b: np.ndarray
) -> None:
    for place, one in enumerate(problem.blocks):
        mine = one.constants[:, part]
        b[one.columns] += mine @ with_y[one.basis, part]
        for other in problem.blocks[place:]:
            found = (mine * cross[problem.index[one.basis, other.basis], part]) @ other.constants[:, part].T
            a[np.ix_(one.columns, other.columns)] += found
            if other is not one:
                a[np.ix_(other.columns, one.columns)] += found.T


def unit_inverse(problem: Problem, factor: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Return ``factor (I + factor' Z'Z factor)^-1 factor'`` of some units, shape (s, q, q)."""
    q = len(factor)
    zz = problem.cross[problem.index[np.ix_(problem.basis, problem.basis)]][:, :, units]
    if problem.multipliers is not None:
        z = problem.multipliers[:, units]
        zz = zz * z[:, None] * z[None]
    inner = np.eye(q) + factor.T @ np.moveaxis(zz, -1, 0) @ factor
    return np.asarray(factor @ np.linalg.inv(inner) @ factor.T)
