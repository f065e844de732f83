"""The deviance as a function of the free entries, with gradient and curvature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipt_outcomes.mixed.engine.evaluate import Point, evaluate
from ipt_outcomes.mixed.engine.problem import Problem
from ipt_outcomes.mixed.engine.slopes import FactorSums, factor_sums
from ipt_outcomes.mixed.engine.structure import Structure

# Step of finite differences of the gradient, entries scaled so that 1 is as large as the residual standard deviation.
_STEP = 1e-4


@dataclass(frozen=True, slots=True)
class Curvature:
    """Second derivatives of the deviance at a point.

    Parameters
    ----------
    theta : numpy.ndarray, shape (t, t)
        By the free entries, the residual variance held.
    with_variance : numpy.ndarray, shape (t,)
        By the free entries and the logarithm of the residual variance.
    variance : float
        By the logarithm of the residual variance, twice.
    """

    theta: np.ndarray
    with_variance: np.ndarray
    variance: float

    @property
    def profiled(self) -> np.ndarray:
        """By the free entries, with the likeliest residual variance at each, shape (t, t)."""
        return np.asarray(self.theta - np.outer(self.with_variance, self.with_variance) / self.variance)

    def whole(self) -> np.ndarray:
        """By the free entries and the logarithm of the residual variance, shape (t + 1, t + 1)."""
        t = self.with_variance.size
        found = np.empty((t + 1, t + 1))
        found[:t, :t], found[:t, t], found[t, :t] = self.theta, self.with_variance, self.with_variance
        found[t, t] = self.variance
        return found


@dataclass(frozen=True, slots=True)
class Target:
    """What is minimised: the profiled deviance over the scaled free entries.

    Parameters
    ----------
    problem : Problem
    structure : Structure
    scale : numpy.ndarray, shape (t,)
        Root mean square of the random column of each entry's row: an entry is divided by it.
    """

    problem: Problem
    structure: Structure
    scale: np.ndarray

    @classmethod
    def of_problem(cls, problem: Problem, structure: Structure) -> Target:
        """Build with the scale of the problem's columns."""
        sizes = column_sizes(problem)
        places = zip(structure.factor, structure.row, strict=True)
        return cls(problem, structure, np.array([sizes[factor][row] for factor, row in places]))

    def at(self, theta: np.ndarray) -> Point:
        """Evaluate at scaled free entries."""
        return evaluate(self.problem, self.structure.factors(theta / self.scale))

    def gradient(self, point: Point, sums: tuple[FactorSums, ...] | None = None) -> np.ndarray:
        """Return the derivative of the deviance, shape (t,)."""
        found = factor_sums(self.problem, point) if sums is None else sums
        slopes = [own.slope(point.variance, reml=self.problem.reml) for own in found]
        return np.asarray(self.structure.gradient(slopes, point.factors) / self.scale)

    def both(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        """Return value and gradient."""
        point = self.at(theta)
        return point.deviance, self.gradient(point)

    def expected(self, point: Point, sums: tuple[FactorSums, ...]) -> np.ndarray:
        """Return about what the curvature is on average: never negative, effects of different factors taken apart."""
        directions = self.structure.directions(point.factors)
        factor = self.structure.factor
        trace = np.array([(one * sums[own].k).sum() for one, own in zip(directions, factor, strict=True)])
        found = -np.outer(trace, trace) / self.problem.free
        for number, own in enumerate(sums):
            places = np.flatnonzero(factor == number)
            stack = np.array([directions[place] for place in places])
            found[np.ix_(places, places)] += np.einsum("xbc,yda,abcd->xy", stack, stack, own.kk, optimize=True)
        return np.asarray(found / np.multiply.outer(self.scale, self.scale))

    def curvature(self, theta: np.ndarray, point: Point, sums: tuple[FactorSums, ...]) -> Curvature:
        """Return second derivatives; `sums` with those for second derivatives."""
        with_variance = self.structure.gradient([own.hh for own in sums], point.factors) / point.variance / self.scale
        held = point.rss / point.variance
        if len(sums) == 1:
            exact = _curvature(self.structure, point, sums[0], reml=self.problem.reml)
            return Curvature(exact / np.multiply.outer(self.scale, self.scale), with_variance, held)
        columns = []
        for place in range(theta.size):
            move = np.zeros(theta.size)
            move[place] = _STEP
            columns.append((self.both(theta + move)[1] - self.both(theta - move)[1]) / (2 * _STEP))
        profiled = np.column_stack(columns)
        profiled = (profiled + profiled.T) / 2
        return Curvature(profiled + np.outer(with_variance, with_variance) / held, with_variance, held)


def column_sizes(problem: Problem) -> tuple[np.ndarray, ...]:
    """Return the root mean square of each random column, of each factor."""
    squares = problem.cross[problem.index[problem.basis, problem.basis]]
    if problem.multipliers is not None:
        squares = squares * problem.multipliers**2
    found = [np.sqrt(squares.sum(axis=1) / problem.n)]
    if problem.upper is not None:
        own = []
        for basis, constant in zip(problem.upper.basis, problem.upper.constants, strict=True):
            values = problem.cross[problem.index[basis, basis]]
            own.append((values if constant is None else values * constant**2).sum() / problem.n)
        found += [np.sqrt(np.array([own[place] for place in which])) for which in problem.upper.which]
    return tuple(np.where(size > 0, size, 1.0) for size in found)


def _curvature(structure: Structure, point: Point, sums: FactorSums, *, reml: bool) -> np.ndarray:
    """Second derivatives by the free entries of one factor, the residual variance held.

    With P = V^-1 - V^-1 X C X'V^-1 and V_a the derivative of V, the restricted deviance has the curvature
    -tr(P V_a P V_b) + 2 y'P V_a P V_b P y / variance; the likelihood has V^-1 for P in the trace (Lindstrom and Bates
    1988, J Am Stat Assoc 83(404):1014-1022, doi:10.1080/01621459.1988.10478693). V is linear in the covariance; its own
    second derivatives by the free entries are added.
    """
    assert sums.ff is not None  # noqa: S101  taken with second=True
    assert sums.hf is not None  # noqa: S101
    assert sums.hkh is not None  # noqa: S101
    assert sums.kr is not None  # noqa: S101
    stack = np.array(structure.directions(point.factors))
    traces = np.einsum("xbc,yda,abcd->xy", stack, stack, sums.kk, optimize=True)
    if reml:
        between = np.einsum("xbc,yda,abcd->xy", stack, stack, sums.kr, optimize=True)
        turned = np.einsum("xab,ajbl->xjl", stack, sums.ff) @ point.a_inv
        traces = traces - between - between.T + np.einsum("xij,yji->xy", turned, turned)
    quadratic = np.einsum("xab,ycd,abcd->xy", stack, stack, sums.hkh, optimize=True)
    moved = np.einsum("xab,abj->xj", stack, sums.hf)
    quadratic = quadratic - moved @ point.a_inv @ moved.T
    found = 2.0 * quadratic / point.variance - traces
    slope = sums.slope(point.variance, reml=reml)
    same = structure.column[:, None] == structure.column[None, :]
    found += np.where(same, 2.0 * slope[np.ix_(structure.row, structure.row)], 0.0)
    return np.asarray((found + found.T) / 2)
