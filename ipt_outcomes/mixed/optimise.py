"""The largest likelihood over the relative covariance of the random effects, with a certificate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from ipt_outcomes.errors import ConvergenceError
from ipt_outcomes.mixed.likelihood import Evaluation, Moments, evaluate

# Scaled so that a variance of 1 is as large as the residual variance.
SINGULAR = 1e-7
_FLAT = 1e-5
_STARTS = (1.0, 0.1, 10.0, 0.01)
_MOST_STEPS = 25
# Nearer to 0 than this, a diagonal entry of the factor is on the boundary.
_NEAR_BOUND = 1e-6
# Gain in deviance that is no longer worth a step.
_SMALL_GAIN = 1e-13
_SHORTEST = 1e-6


@dataclass(frozen=True, slots=True)
class Structure:
    """Which entries of the factor are free: the lower triangle of each block of correlated effects.

    Parameters
    ----------
    rows, columns : numpy.ndarray of int, shape (t,)
    size : int
    """

    rows: np.ndarray
    columns: np.ndarray
    size: int

    @classmethod
    def of_blocks(cls, blocks: np.ndarray) -> Structure:
        """Build from the block of each random effect."""
        free = np.tril(blocks[:, None] == blocks[None, :])
        rows, columns = np.nonzero(free)
        return cls(rows, columns, len(blocks))

    def factor(self, theta: np.ndarray) -> np.ndarray:
        """Return the factor, shape (q, q)."""
        found = np.zeros((self.size, self.size))
        found[self.rows, self.columns] = theta
        return found

    def theta(self, factor: np.ndarray) -> np.ndarray:
        """Return the free entries, shape (t,)."""
        return np.asarray(factor[self.rows, self.columns])

    def gradient(self, by_covariance: np.ndarray, factor: np.ndarray) -> np.ndarray:
        """Turn a derivative by the covariance into one by the free entries, shape (t,)."""
        return np.asarray((2 * by_covariance @ factor)[self.rows, self.columns])

    def together(self) -> np.ndarray:
        """Which pairs of effects are correlated, shape (q, q)."""
        found = np.zeros((self.size, self.size), dtype=bool)
        found[self.rows, self.columns] = True
        return found | found.T


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where the likelihood is largest.

    Parameters
    ----------
    factor : numpy.ndarray, shape (q, q)
    at : Evaluation
    scale : numpy.ndarray, shape (q,)
        Typical size of each random column: times it, a variance compares with the residual variance.
    null : numpy.ndarray, shape (q,), or None
        Direction in which the random effects do not vary; None inside the boundary.
    attempts : tuple of str
        What was tried before.
    """

    factor: np.ndarray
    at: Evaluation
    scale: np.ndarray
    null: np.ndarray | None
    attempts: tuple[str, ...]


def largest_likelihood(moments: Moments, structure: Structure, *, reml: bool) -> Optimum:
    """Find the largest likelihood.

    Parameters
    ----------
    moments : Moments
    structure : Structure
    reml : bool

    Returns
    -------
    Optimum

    Raises
    ------
    ConvergenceError
        No start led to a point that is provably stationary; ``.attempts`` says how each ended.

    Notes
    -----
    Stationary means: the derivative by the covariance D times D is 0, and it is positive semidefinite where D is
    singular (a derivative by the factor alone is 0 on the whole boundary and proves nothing there).
    """
    scale = np.sqrt(np.einsum("gaa->a", moments.zz) / moments.n)
    scale = np.where(scale > 0, scale, 1.0)
    unit = Moments(
        moments.zz / np.multiply.outer(scale, scale), moments.zx / scale[:, None], moments.zy / scale,
        moments.xx, moments.xy, moments.yy, moments.n,
    )  # fmt: skip
    attempts: list[str] = []
    for start in _STARTS:
        theta = structure.theta(start * np.eye(structure.size))
        for _ in range(3):
            theta, steps = _descend(unit, structure, theta, reml)
            fault, theta_again = _fault(unit, structure, theta, reml)
            if fault is None:
                factor = structure.factor(theta)
                null = _null_direction(factor)
                factor = factor / scale[:, None]
                at = evaluate(moments, factor, reml=reml)
                return Optimum(factor, at, scale, None if null is None else null * scale, tuple(attempts))
            attempts.append(f"start {start:g}: {fault} after {steps} steps")
            if theta_again is None:
                break
            theta = theta_again
    raise ConvergenceError(
        "the mixed model did not converge",
        attempts=attempts,
        hint="Use a simpler random part, for example (1 | group), or look for groups with hardly any rows.",
    )


def _descend(moments: Moments, structure: Structure, theta: np.ndarray, reml: bool) -> tuple[np.ndarray, int]:
    """L-BFGS-B to the neighbourhood, then Newton steps on the analytic score, with the curvature found there."""

    def deviance(values: np.ndarray) -> tuple[float, np.ndarray]:
        factor = structure.factor(values)
        at = evaluate(moments, factor, reml=reml)
        return at.deviance, structure.gradient(at.score, factor)

    bounds = [(0.0 if i == j else None, None) for i, j in zip(structure.rows, structure.columns, strict=True)]
    options = {"ftol": 1e-10, "gtol": 1e-6, "maxiter": 500}
    found = minimize(deviance, theta, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    theta, steps = np.asarray(found.x), int(found.nit)
    inside = np.array([low is None or x > _NEAR_BOUND for x, (low, _) in zip(theta, bounds, strict=True)])
    if not inside.any():
        return theta, steps
    value, gradient = deviance(theta)
    hessian = jacobian(lambda values: deviance(values)[1], theta)[np.ix_(inside, inside)]
    curvature, directions = np.linalg.eigh((hessian + hessian.T) / 2)
    curvature = np.maximum(np.abs(curvature), 1e-8)
    for _ in range(_MOST_STEPS):
        step = np.zeros_like(theta)
        step[inside] = -directions @ (directions.T @ gradient[inside] / curvature)
        if -gradient @ step < _SMALL_GAIN:
            break
        length = 1.0
        while length > _SHORTEST:
            trial = theta + length * step
            if (trial[structure.rows == structure.columns] >= 0).all():
                new_value, new_gradient = deviance(trial)
                if new_value <= value + 1e-12 * abs(value):
                    break
            length /= 2
        else:
            break
        theta, value, gradient, steps = trial, new_value, new_gradient, steps + 1
    return theta, steps


def _fault(
    moments: Moments, structure: Structure, theta: np.ndarray, reml: bool
) -> tuple[str | None, np.ndarray | None]:
    """Why a point is not the optimum, with a better point to go on from; None where it is."""
    factor = structure.factor(theta)
    at = evaluate(moments, factor, reml=reml)
    if not np.isfinite(at.deviance):
        return "the likelihood is not finite", None
    score = np.where(structure.together(), at.score, 0.0)
    covariance = factor @ factor.T
    groups = max(len(moments.zz), 1)
    slack = float(np.abs(score @ covariance).max()) / groups
    curvature, directions = np.linalg.eigh(score)
    if curvature[0] < -_FLAT * groups:
        # The likelihood grows with more variance in this direction: go on from there.
        better = covariance + 0.01 * np.outer(directions[:, 0], directions[:, 0])
        better = np.where(structure.together(), better, 0.0) + 1e-10 * np.eye(structure.size)
        return "stopped on the boundary, where more variance is likelier", structure.theta(np.linalg.cholesky(better))
    if slack > _FLAT:
        return "the score is not 0", theta
    return None, None


def _null_direction(factor: np.ndarray) -> np.ndarray | None:
    variances, directions = np.linalg.eigh(factor @ factor.T)
    return directions[:, 0] if variances[0] < SINGULAR else None


def jacobian(function: object, at: np.ndarray, step: float = 1e-4) -> np.ndarray:
    """Differentiate a vector function by central differences, shape (m, t).

    Parameters
    ----------
    function : callable
        Takes an array of shape (t,), returns one of shape (m,).
    at : numpy.ndarray, shape (t,)
    step : float
        Relative to 1, or to the entry where that is larger.

    Returns
    -------
    numpy.ndarray
    """
    columns = []
    for i in range(at.size):
        h = np.zeros_like(at)
        h[i] = step * max(1.0, abs(at[i]))
        columns.append((function(at + h) - function(at - h)) / (2 * h[i]))  # type: ignore[operator]
    return np.stack(columns, axis=-1)
