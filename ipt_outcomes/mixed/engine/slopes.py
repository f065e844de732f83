"""Derivatives of the likelihood by the relative covariances of the random effects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ipt_outcomes.mixed.engine.crossings import through_cells, top_of_cell
from ipt_outcomes.mixed.engine.evaluate import Point
from ipt_outcomes.mixed.engine.levels import (
    Below,
    CrossedPass,
    NestedPass,
    full_crossed,
    full_nested,
    pull_crossed,
    pull_nested,
)
from ipt_outcomes.mixed.engine.plan import Nested
from ipt_outcomes.mixed.engine.problem import Problem, Upper
from ipt_outcomes.mixed.engine.units import PORTION


@dataclass(slots=True)
class FactorSums:
    """Sums over the levels of a factor of products of K = Z'V^-1 Z, F = Z'V^-1 X and h = Z'V^-1 r.

    Parameters
    ----------
    levels : int
    k, hh, fcf : numpy.ndarray, shape (q, q)
        Of K, of h h' and of F C F', where C is the covariance of the coefficients.
    ff : numpy.ndarray, shape (q, p, q, p), or None
        Of F and F.
    hf : numpy.ndarray, shape (q, q, p), or None
        Of h and F.
    kk : numpy.ndarray, shape (q, q, q, q)
        Of K and K.
    kr, hkh : numpy.ndarray, shape (q, q, q, q), or None
        Of K and F C F', of h h' and K (stored a, b, c, d for h_a K_bc h_d); only of the units.
    """

    levels: int
    k: np.ndarray
    hh: np.ndarray
    fcf: np.ndarray
    kk: np.ndarray
    ff: np.ndarray | None = None
    hf: np.ndarray | None = None
    kr: np.ndarray | None = None
    hkh: np.ndarray | None = None

    def slope(self, variance: float, *, reml: bool) -> np.ndarray:
        """Return the derivative of the deviance by the relative covariance, the residual variance held."""
        found = self.k - self.hh / variance
        return found - self.fcf if reml else found


def factor_sums(problem: Problem, point: Point, *, second: bool = False) -> tuple[FactorSums, ...]:
    """Return the sums of every factor.

    Parameters
    ----------
    problem : Problem
    point : Point
    second : bool
        Whether the sums for second derivatives and for the covariance of the coefficients are taken, too.

    Returns
    -------
    tuple of FactorSums
    """
    found: list[FactorSums | None] = [None] * len(problem.sizes)
    below: Below | None = None
    for factor, _, full, own_below in _downwards(problem, point):
        found[1 + factor] = _of_levels(point, *full, second)
        below = own_below
    found[0] = _of_units(problem, point, below, second=second)
    return tuple(own for own in found if own is not None)


_Full = tuple[np.ndarray, np.ndarray, np.ndarray]


def _downwards(problem: Problem, point: Point) -> Iterator[tuple[int, np.ndarray, _Full, Below]]:
    """Yield each factor above the units, from the top: its levels, their products, what those below it need."""
    below: Below | None = None
    stages = () if problem.upper is None else problem.upper.stages
    for stage, passed in zip(reversed(stages), reversed(point.passes), strict=True):
        if isinstance(stage, Nested):
            assert isinstance(passed, NestedPass)  # noqa: S101  planned together
            full = full_nested(stage, passed, point.beta, below)
            below = pull_nested(stage, passed, point.beta, below)
            yield stage.factor, stage.levels[stage.real], full, below
            continue
        assert isinstance(passed, CrossedPass)  # noqa: S101  planned together
        below = pull_crossed(stage, passed, point.beta)
        for place, factor in enumerate(stage.factors):
            q = problem.sizes[1 + factor]
            end = stage.offsets[place + 1] if place + 1 < len(stage.offsets) else len(stage.slot)
            n_levels = (end - stage.offsets[place]) // q
            full = full_crossed(stage, passed, point.beta, factor, q, n_levels)
            yield factor, np.arange(n_levels), full, below


def level_products(problem: Problem, point: Point) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return Z'V^-1 Z and Z'V^-1 r of every level, all factors in V.

    Parameters
    ----------
    problem : Problem
    point : Point

    Returns
    -------
    list of tuple of numpy.ndarray, shapes (l, q, q) and (l, q)
        Of each factor, levels in the order of the sums.
    """
    upper: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    below: Below | None = None
    for factor, levels, (k, _, h), own_below in _downwards(problem, point):
        back = np.argsort(levels)
        upper[factor] = (k[back], h[back])
        below = own_below
    parts = list(_unit_parts(problem, point, below))
    k = np.concatenate([own for own, _, _ in parts], axis=-1)
    h = np.concatenate([own for _, _, own in parts], axis=-1)
    return [(np.moveaxis(k, -1, 0), h.T), *(upper[factor] for factor in sorted(upper))]


def _of_levels(point: Point, k: np.ndarray, f: np.ndarray, h: np.ndarray, second: bool) -> FactorSums:
    """Sums over the levels of a factor above the units; k (l, q, q), f (l, q, p), h (l, q)."""
    q, p = f.shape[1:]
    flat, square = f.reshape(len(f), q * p), k.reshape(len(k), q * q)
    return FactorSums(
        levels=len(k),
        k=k.sum(axis=0),
        kk=(square.T @ square).reshape(q, q, q, q),
        hh=h.T @ h,
        fcf=np.tensordot(f @ point.a_inv, f, axes=([0, 2], [0, 2])),
        ff=(flat.T @ flat).reshape(q, p, q, p) if second else None,
        hf=(h.T @ flat).reshape(q, q, p) if second else None,
    )


@dataclass(slots=True)
class _Running:
    """Sums over portions of the units, flat."""

    k: np.ndarray
    hh: np.ndarray
    fcf: np.ndarray
    ff: np.ndarray
    hf: np.ndarray
    kk: np.ndarray
    kr: np.ndarray
    hkh: np.ndarray


def _of_units(problem: Problem, point: Point, below: Below | None, *, second: bool) -> FactorSums:
    q, p = problem.sizes[0], problem.p
    total = _Running(
        np.zeros(q * q), np.zeros((q, q)), np.zeros((q, q)), np.zeros((q * p, q * p)), np.zeros((q, q * p)),
        *(np.zeros((q * q, q * q)) for _ in range(3)),
    )  # fmt: skip
    for k, f, h in _unit_parts(problem, point, below):
        _add(total, k, f, h, point.a_inv, second=second, reml=problem.reml)
    four = (q, q, q, q)
    return FactorSums(
        levels=problem.n_units,
        k=total.k.reshape(q, q),
        hh=total.hh,
        fcf=total.fcf,
        ff=total.ff.reshape(q, p, q, p) if second else None,
        hf=total.hf.reshape(q, q, p) if second else None,
        kk=total.kk.reshape(four),
        kr=total.kr.reshape(four) if second else None,
        hkh=total.hkh.reshape(four).transpose(0, 2, 3, 1) if second else None,
    )


def _unit_parts(problem: Problem, point: Point, below: Below | None) -> Iterator[_Full]:
    """Yield Z'V^-1 Z, Z'V^-1 X and Z'V^-1 r of the units, portion by portion, all factors in V."""
    upper = problem.upper
    top = None if upper is None else top_of_cell(problem, upper)
    crossed = None
    if upper is not None and below is not None and point.crossings is not None:
        crossed = through_cells(problem, upper, point.crossings, below)
    # Combinations along the last axis, so that a portion's are read in one go.
    turned = (
        None if below is None else Below(*(np.moveaxis(own, 0, -1).copy() for own in (below.bx, below.by, below.omega)))
    )
    for start in range(0, problem.n_units, PORTION):
        part = slice(start, start + PORTION)
        k, f, h = unit_products(problem, point, part)
        if crossed is not None:
            k, f, h = (own - other[..., part] for own, other in zip((k, f, h), crossed, strict=True))
        elif upper is not None and turned is not None and top is not None:
            k, f, h = _less_levels(problem, upper, point, (k, f, h), turned, part, top)
        yield k, f, h


def _add(
    total: _Running, k: np.ndarray, f: np.ndarray, h: np.ndarray, a_inv: np.ndarray, *, second: bool, reml: bool
) -> None:
    q, p, size = f.shape
    flat = k.reshape(q * q, size)
    total.k += flat.sum(axis=1)
    total.hh += h @ h.T
    total.kk += flat @ flat.T
    r = np.empty((q, q, size))
    if reml:
        for b in range(q):
            solved = a_inv @ f[b]
            for a in range(b + 1):
                r[a, b] = r[b, a] = np.einsum("ju,ju->u", f[a], solved)
        total.fcf += r.sum(axis=2)
    if not second:
        return
    long = f.reshape(q * p, size)
    total.ff += long @ long.T
    total.hf += h @ long.T
    if reml:
        total.kr += flat @ r.reshape(q * q, size).T
    total.hkh += (h[:, None] * h[None]).reshape(q * q, size) @ flat.T


def unit_products(problem: Problem, point: Point, part: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Z'V^-1 Z, Z'V^-1 X and Z'V^-1 r of units, the factors above not in V; units along the last axis."""
    index, basis = problem.index, problem.basis
    cross, multipliers = point.units.cross, problem.multipliers
    k = cross[index[np.ix_(basis, basis)], part]
    h = point.units.with_y[basis, part]
    f = np.empty((basis.size, problem.p, k.shape[2]))
    for a, own in enumerate(basis):
        for block in problem.blocks:
            weight = cross[index[own, block.basis], part]
            if multipliers is not None:
                weight = weight * multipliers[a, part]
            f[a, block.columns] = block.constants[:, part] * weight
    if multipliers is not None:
        z = multipliers[:, part]
        k, h = k * z[:, None] * z[None], h * z
    return k, f, h - np.einsum("j,aju->au", point.beta, f)


def _less_levels(
    problem: Problem,
    upper: Upper,
    point: Point,
    products: tuple[np.ndarray, np.ndarray, np.ndarray],
    below: Below,
    part: slice,
    top: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Put the factors above into V; `below` with the combinations along the last axis."""
    k, f, h = products
    own = top[part]
    zd = []
    for place, basis in enumerate(upper.basis):
        row = point.units.cross[problem.index[problem.basis, basis], part]
        if problem.multipliers is not None:
            row = row * problem.multipliers[:, part]
        constant = upper.constants[place]
        zd.append(row if constant is None else row * constant[part])
    for i, left in enumerate(zd):
        coefficients = np.take(below.bx[i], own, axis=1)
        for a in range(f.shape[0]):
            f[a] -= left[a] * coefficients
        h = h - left * below.by[i, own]
        for j, right in enumerate(zd):
            k = k - left[:, None] * right[None] * below.omega[i, j, own]
    return k, f, h
