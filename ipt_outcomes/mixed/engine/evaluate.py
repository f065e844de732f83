"""The profiled likelihood of a linear mixed model at one relative covariance of its random effects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipt_outcomes.errors import DesignError
from ipt_outcomes.mixed.engine.crossings import Crossings, cross_units, linked_sums, scaled
from ipt_outcomes.mixed.engine.levels import (
    CrossedPass,
    NestedPass,
    Sums,
    Totals,
    eliminate_crossed,
    eliminate_nested,
)
from ipt_outcomes.mixed.engine.plan import Nested
from ipt_outcomes.mixed.engine.problem import Problem, Upper
from ipt_outcomes.mixed.engine.units import Weighted, weigh_units

# Residual sum of squares, as a share of that of the outcome, which is rounding and nothing else.
_EXACT = 1e-10

Factors = tuple[np.ndarray, ...]
"""Lower triangular roots of the relative covariances of the random effects, of each grouping factor."""


@dataclass(frozen=True, slots=True)
class Point:
    """The likelihood at one relative covariance.

    Parameters
    ----------
    factors : tuple of numpy.ndarray
    units : Weighted
    crossings : Crossings or None
    passes : tuple of NestedPass or CrossedPass
    a_inv : numpy.ndarray, shape (p, p)
        Covariance of the coefficients, relative to the residual variance.
    beta : numpy.ndarray, shape (p,)
    rss : float
        Weighted residual sum of squares.
    variance : float
        Residual variance: the one given, or the likeliest.
    deviance : float
        Minus twice the log-likelihood (restricted where the problem is), outcome centred and scaled.
    """

    factors: Factors
    units: Weighted
    crossings: Crossings | None
    passes: tuple[NestedPass | CrossedPass, ...]
    a_inv: np.ndarray
    beta: np.ndarray
    rss: float
    variance: float
    deviance: float


def evaluate(problem: Problem, factors: Factors, *, sigma: float | None = None) -> Point:
    """Evaluate the likelihood.

    Parameters
    ----------
    problem : Problem
    factors : tuple of numpy.ndarray, shape (q, q)
        The covariance of a factor's effects is ``sigma**2 * factor @ factor.T``.
    sigma : float, optional
        Residual standard deviation; profiled out where not given.

    Returns
    -------
    Point

    Raises
    ------
    DesignError
        Nothing is left to vary.

    Notes
    -----
    ``log|V|`` and ``X'V^-1 X`` come from eliminating one factor after another: with ``M = I + factor' Z'Z factor`` of
    a level, ``log|V| = log|M|`` and ``V^-1 = I - Z factor M^-1 factor' Z'``, and the levels of the next factor see
    the sums weighted so.

    References
    ----------
    Bates et al. (2015), J Stat Softw 67(1), doi:10.18637/jss.v067.i01.
    """
    units = weigh_units(problem, factors[0])
    totals = Totals(units.a.copy(), units.b.copy(), units.yy, units.log_determinant)
    crossings: Crossings | None = None
    passes: list[NestedPass | CrossedPass] = []
    if problem.upper is not None:
        if problem.upper.cells is not None:
            crossings = cross_units(problem, problem.upper, units, factors[0])
        sums = _unit_sums(problem, problem.upper, units, crossings)
        for stage in problem.upper.stages:
            if isinstance(stage, Nested):
                passed, sums = eliminate_nested(stage, sums, factors[1 + stage.factor], totals)
                passes.append(passed)
            else:
                own = [factors[1 + factor] for factor in stage.factors]
                passes.append(eliminate_crossed(stage, sums, own, totals))
    a = (totals.a + totals.a.T) / 2
    root = np.linalg.cholesky(a)
    a_inv = np.linalg.inv(a)
    beta = np.linalg.solve(a, totals.b)
    rss = float(totals.yy - totals.b @ beta)
    if rss <= _EXACT * problem.yy:
        raise DesignError(
            "the model gives every outcome exactly: there is no residual variation to estimate",
            hint="Data as regular as this are made up or copied; a mixed model describes nothing in them.",
        )
    variance = rss / problem.free if sigma is None else sigma**2
    deviance = totals.log_determinant + problem.log_rows + problem.free * np.log(2 * np.pi * variance)
    deviance += rss / variance + (2 * np.log(np.diag(root)).sum() if problem.reml else 0.0)
    return Point(factors, units, crossings, tuple(passes), a_inv, beta, rss, variance, float(deviance))


def _unit_sums(problem: Problem, upper: Upper, units: Weighted, crossings: Crossings | None) -> Sums:
    """Sums of products with the random columns of the levels above, of each combination of levels."""
    d, index, cells = len(upper.basis), problem.index, upper.cells
    scale = list(upper.constants)
    if cells is not None:
        scale = [None if own is None else own[cells.unit] for own in scale]
    dx = np.empty((d, problem.p, upper.starts.size))
    dy = np.empty((d, upper.starts.size))
    for place, basis in enumerate(upper.basis):
        own = scale[place]
        rows = units.cross[index[basis]] if crossings is None else crossings.rows[place]
        y = units.with_y[basis] if crossings is None else crossings.with_y[place]
        dy[place] = np.add.reduceat(scaled(y, own), upper.starts)
        for block in problem.blocks:
            constants = block.constants if cells is None else np.take(block.constants, cells.unit, axis=1)
            dx[place, block.columns] = np.add.reduceat(
                constants * scaled(rows[block.basis], own), upper.starts, axis=1
            )  # fmt: skip
    if cells is not None and crossings is not None:
        dd = linked_sums(problem, upper, crossings, scale)
    else:
        own_sums = np.empty((d, d, problem.n_units))
        for i in range(d):
            for j in range(d):
                own_sums[i, j] = scaled(units.cross[index[upper.basis[i], upper.basis[j]]], scale[i], scale[j])
        dd = np.add.reduceat(own_sums, upper.starts, axis=2)
    return Sums(np.moveaxis(dd, 2, 0), np.moveaxis(dx, 2, 0), dy.T)
