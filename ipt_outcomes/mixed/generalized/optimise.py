"""The largest likelihood of a generalized linear mixed model, and the curvature there."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize

from ipt_outcomes.errors import ConvergenceError
from ipt_outcomes.mixed.generalized import quadrature
from ipt_outcomes.mixed.generalized.laplace import Modes, Point, gradient, point, start_modes
from ipt_outcomes.mixed.generalized.problem import Problem

_STARTS = (1.0, 0.3, 3.0)
_MOST_STEPS = 50
# Where the Newton decrement is below this, the likelihood cannot grow by more.
_SMALL = 1e-10
# Scaled like the columns, a factor's diagonal entry this small is a variance of 0.
_NEAR_BOUND = 1e-4
_STEP = 1e-4
# An SD of log odds or log counts beyond which everybody's outcome is decided by the group: the likelihood has no top.
_LARGEST_SD = 12.0


@dataclass(slots=True)
class Objective:
    """Minus the log-likelihood as a function of all parameters, in scaled units.

    Parameters
    ----------
    problem : Problem
    center : numpy.ndarray, shape (p,)
        Coefficients of the model without random effects.
    turn : numpy.ndarray, shape (p, p)
        From scaled coefficients to steps from `center`.
    sizes : list of numpy.ndarray, shape (q,)
        Typical size of the columns of each grouping factor.
    points : int
        Of quadrature; 1 is Laplace's approximation.
    """

    problem: Problem
    center: np.ndarray
    turn: np.ndarray
    sizes: list[np.ndarray]
    points: int = 1
    _modes: Modes | None = field(default=None, repr=False)

    @property
    def diagonal(self) -> np.ndarray:
        """Which parameters are diagonal entries of a factor: they are not negative, shape (p + t,)."""
        parts = [np.zeros(self.center.size, dtype=bool)]
        for random in self.problem.randoms:
            rows, columns = random.free
            parts.append(rows == columns)
        return np.concatenate(parts)

    def split(self, values: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return the coefficients and the covariance factors, in the columns' own units."""
        p = self.center.size
        factors, place = [], p
        for random, size in zip(self.problem.randoms, self.sizes, strict=True):
            rows, columns = random.free
            factor = np.zeros((random.width, random.width))
            factor[rows, columns] = values[place : place + rows.size] / size[rows]
            factors.append(factor)
            place += rows.size
        return self.center + self.turn @ values[:p], factors

    def joined(self, factors: list[np.ndarray]) -> np.ndarray:
        """Return the parameters of `center` and some covariance factors."""
        parts = [np.zeros(self.center.size)]
        for random, size, factor in zip(self.problem.randoms, self.sizes, factors, strict=True):
            rows, columns = random.free
            parts.append(factor[rows, columns] * size[rows])
        return np.concatenate(parts)

    def point(self, values: np.ndarray) -> Point:
        """Return the modes at some parameters; they are kept as the start of the next search."""
        found = point(self.problem, *self.split(values), self._modes or start_modes(self.problem))
        if not np.isfinite(found.log_likelihood):
            found = point(self.problem, *self.split(values), start_modes(self.problem))
        if np.isfinite(found.log_likelihood):
            self._modes = found.modes
        return found

    def __call__(self, values: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the value and its gradient."""
        at = self.point(values)
        if not np.isfinite(at.log_likelihood):
            return np.inf, np.zeros_like(values)
        if self.points == 1:
            return -at.log_likelihood, -self.gradient(at)
        return -quadrature.log_likelihood(self.problem, at, self.points), self._differences(values)

    def gradient(self, at: Point) -> np.ndarray:
        """Return the gradient of Laplace's log-likelihood by the scaled parameters."""
        by_beta, by_factor = gradient(self.problem, at)
        parts = [self.turn.T @ by_beta]
        for random, size, own in zip(self.problem.randoms, self.sizes, by_factor, strict=True):
            rows, columns = random.free
            parts.append(own[rows, columns] / size[rows])
        return np.concatenate(parts)

    def _differences(self, values: np.ndarray) -> np.ndarray:
        found = np.empty_like(values)
        for place in range(values.size):
            move = np.zeros_like(values)
            move[place] = _STEP
            found[place] = (self._value(values + move) - self._value(values - move)) / (2 * _STEP)
        return found

    def _value(self, values: np.ndarray) -> float:
        return -quadrature.log_likelihood(self.problem, self.point(values), self.points)

    def hessian(self, values: np.ndarray, places: np.ndarray, step: float = _STEP) -> np.ndarray:
        """Return second derivatives by central differences of the gradient, for some of the parameters."""
        columns = []
        for place in np.flatnonzero(places):
            move = np.zeros_like(values)
            move[place] = step
            columns.append((self(values + move)[1] - self(values - move)[1])[places] / (2 * step))
        found = np.array(columns).reshape(len(columns), -1)
        return np.asarray((found + found.T) / 2)


@dataclass(frozen=True, slots=True)
class Peak:
    """Where the likelihood is largest.

    Parameters
    ----------
    beta : numpy.ndarray, shape (p,)
    factors : list of numpy.ndarray
    at : Point
    log_likelihood : float
        Without the constant.
    covariance : numpy.ndarray, shape (p + t, p + t)
        Of coefficients and free entries of the factors, in their own units; 0 for entries on the boundary.
    inside : numpy.ndarray of bool, shape (p + t,)
        Parameters that are not on the boundary.
    attempts : tuple of str
    """

    beta: np.ndarray
    factors: list[np.ndarray]
    at: Point
    log_likelihood: float
    covariance: np.ndarray
    inside: np.ndarray
    attempts: tuple[str, ...]


def largest_likelihood(objective: Objective) -> Peak:
    """Find the largest likelihood: first Laplace's, then, from there, that of the quadrature.

    Parameters
    ----------
    objective : Objective

    Returns
    -------
    Peak

    Raises
    ------
    ConvergenceError
        No start converged; ``.attempts`` says how each ended.
    """
    points = objective.points
    attempts: list[str] = []
    for start in _STARTS:
        objective.points = 1
        begin = objective.joined([np.diag(start / size) for size in objective.sizes])
        values, fault = _climbed(objective, _descended(objective, begin))
        if not fault and points > 1:
            objective.points = points
            values, fault = _climbed(objective, values)
        if not fault and np.abs(values[objective.center.size :]).max() > _LARGEST_SD:
            fault = "a variance grows without end: in nearly every group all outcomes are the same"
        if not fault:
            return _peak(objective, values, tuple(attempts))
        attempts.append(f"start {start:g}: {fault}")
    raise ConvergenceError(
        "the generalized mixed model did not converge",
        attempts=attempts,
        hint="Use a simpler random part, for example (1 | group), or quadrature=15; look for levels, or people, in "
        "which every outcome is the same.",
    )


def _descended(objective: Objective, values: np.ndarray) -> np.ndarray:
    bounds = [(0.0 if low else None, None) for low in objective.diagonal]
    options = {"ftol": 1e-11, "gtol": 1e-6, "maxiter": 500}
    found = minimize(objective, values, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return np.asarray(found.x)


def _climbed(objective: Objective, values: np.ndarray) -> tuple[np.ndarray, str]:
    """Newton steps with one curvature; what is wrong with where they end, or nothing."""
    inside = ~objective.diagonal | (values > _NEAR_BOUND)
    values = np.where(inside, values, 0.0)
    value, slope = objective(values)
    if not np.isfinite(value):
        return values, "the likelihood is not finite"
    # Laplace's curvature leads to the top of the quadrature as well, for a fraction of the work.
    points, objective.points = objective.points, 1
    curvature, directions = np.linalg.eigh(objective.hessian(values, inside))
    objective.points = points
    if curvature[0] <= 1e-8 * curvature[-1]:
        return values, "the likelihood is flat in some direction"
    for _ in range(_MOST_STEPS):
        step = np.zeros_like(values)
        step[inside] = -directions @ (directions.T @ slope[inside] / curvature)
        if -slope @ step < _SMALL:
            return values, _bound_fault(objective, values, value, inside)
        length = 1.0
        while length > 1e-4:
            new_value, new_slope = objective(values + length * step)
            if new_value <= value + 1e-10 * abs(value):
                break
            length /= 2
        else:
            return values, "no step made the likelihood larger"
        values, value, slope = values + length * step, new_value, new_slope
    return values, f"not at the top after {_MOST_STEPS} steps"


def _bound_fault(objective: Objective, values: np.ndarray, value: float, inside: np.ndarray) -> str:
    """By a variance the slope is 0 at 0 whatever the likelihood does: look whether it grows from there."""
    for place in np.flatnonzero(~inside):
        moved = values.copy()
        moved[place] = 0.05
        if objective(moved)[0] < value - 1e-7:
            return "stopped on the boundary, where more variance is likelier"
    return ""


def _peak(objective: Objective, values: np.ndarray, attempts: tuple[str, ...]) -> Peak:
    inside = ~objective.diagonal | (values > _NEAR_BOUND)
    # A factor's column without variance has no other entries to estimate.
    for number, (rows, columns, start) in enumerate(_places(objective)):
        own = objective.split(values)[1][number]
        empty = np.diag(own) == 0
        inside[start : start + rows.size] &= ~empty[columns]
    value = objective(values)[0]
    inverse = np.linalg.inv(objective.hessian(values, inside))
    covariance = np.zeros((values.size, values.size))
    covariance[np.ix_(inside, inside)] = inverse
    beta, factors = objective.split(values)
    back = np.zeros_like(covariance)
    p = beta.size
    back[:p, :p] = objective.turn
    for (rows, _, start), size in zip(_places(objective), objective.sizes, strict=True):
        own = np.arange(start, start + rows.size)
        back[own, own] = 1 / size[rows]
    covariance = back @ covariance @ back.T
    return Peak(beta, factors, objective.point(values), -value, covariance, inside, attempts)


def _places(objective: Objective) -> list[tuple[np.ndarray, np.ndarray, int]]:
    """Rows, columns and first place of the free entries of each factor."""
    found, place = [], objective.center.size
    for random in objective.problem.randoms:
        rows, columns = random.free
        found.append((rows, columns, place))
        place += rows.size
    return found
