"""The profiled likelihood of a mixed model from sums per group, with its exact first and second derivatives.

Small matrices are stored with the groups along the last axis, so every operation runs over all groups at once;
groups are taken in portions that fit the processor's cache.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve

from ipt_outcomes.mixed.problem import Problem

PORTION = 8192


@dataclass(frozen=True, slots=True)
class Point:
    """The likelihood at one relative covariance factor.

    Parameters
    ----------
    factor : numpy.ndarray, shape (q, q)
        Lower triangular; the random effects have covariance ``sigma2 * factor @ factor.T``.
    weighted : numpy.ndarray, shape (k (k + 1) / 2, g)
        Basis' V^-1 basis of each group, V relative to sigma2.
    weighted_y : numpy.ndarray, shape (k, g)
        Basis' V^-1 y of each group.
    information : numpy.ndarray, shape (p, p)
        X' V^-1 X.
    root : tuple
        Its Cholesky factor, as scipy's ``cho_solve`` takes it.
    beta : numpy.ndarray, shape (p,)
    residual : float
        Weighted residual sum of squares.
    sigma2 : float
    deviance : float
        Minus twice the (restricted) log-likelihood without its constants.
    """

    factor: np.ndarray
    weighted: np.ndarray
    weighted_y: np.ndarray
    information: np.ndarray
    root: tuple[np.ndarray, bool]
    beta: np.ndarray
    residual: float
    sigma2: float
    deviance: float

    @property
    def covariance(self) -> np.ndarray:
        """Inverse of `information`."""
        return np.asarray(cho_solve(self.root, np.eye(self.beta.size)))


def factor_of(theta: np.ndarray, problem: Problem) -> np.ndarray:
    """Put the free entries into the lower triangular factor."""
    factor = np.zeros((problem.n_random, problem.n_random))
    for value, (row, column) in zip(theta, problem.pattern, strict=True):
        factor[row, column] = value
    return factor


@dataclass(frozen=True, slots=True)
class Sweep:
    """Sums over all groups at one factor."""

    weighted: np.ndarray
    weighted_y: np.ndarray
    log_det: float
    information: np.ndarray
    score: np.ndarray
    y_squared: float


def sweep(problem: Problem, factor: np.ndarray) -> Sweep:
    """Weight the sums of every group by its inverse covariance and add up.

    Parameters
    ----------
    problem : Problem
    factor : numpy.ndarray, shape (q, q)

    Returns
    -------
    Sweep
    """
    cross, with_y = problem.sums.cross, problem.sums.with_y
    weighted, weighted_y = np.empty_like(cross), np.empty_like(with_y)
    p = problem.n_fixed
    information, score = np.zeros((p, p)), np.zeros(p)
    log_det, explained = 0.0, 0.0
    for start in range(0, problem.n_groups, PORTION):
        part = slice(start, start + PORTION)
        log_det_part, explained_part = _weigh(problem, factor, part, weighted, weighted_y)
        log_det += log_det_part
        explained += explained_part
        _accumulate(problem, part, weighted, weighted_y, information, score)
    upper = np.triu(information)
    information = upper + np.triu(upper, 1).T
    return Sweep(weighted, weighted_y, log_det, information, score, problem.sums.y_squared - explained)


def _weigh(
    problem: Problem, factor: np.ndarray, part: slice, weighted: np.ndarray, weighted_y: np.ndarray
) -> tuple[float, float]:
    """Fill the weighted sums of a portion: T = S - W'W with W = L^-1 F'Z'B and L L' = I + F'Z'Z F."""
    cross, with_y = problem.sums.cross[:, part], problem.sums.with_y[:, part]
    weighted[:, part], weighted_y[:, part] = cross, with_y
    kept = [c for c in range(problem.n_random) if factor[:, c].any()]
    if not kept:
        return 0.0, 0.0
    index, size = problem.index, problem.index.shape[0]
    bases = problem.random_basis
    multipliers = None if problem.random_constants is None else problem.random_constants[:, part]
    loads = [_loads(factor[:, c], multipliers) for c in kept]
    rows = [[_mix(load, cross, index[bases, k]) for k in range(size)] for load in loads]
    outcome = [_mix(load, with_y, bases) for load in loads]
    pivots, product = [], np.ones(cross.shape[1])
    for c, load in enumerate(loads):
        # Row c of the Cholesky factor, then of W, by forward substitution: earlier rows are final.
        lower = []
        for d in range(c + 1):
            entry = _mix_rows(load, rows[c] if d == c else raw_rows[d], bases) + (1.0 if d == c else 0.0)
            lower.append(entry) if d == c else lower.append(entry)
            if d == 0 and c == 0:
                break
        pivots.append(lower)
        break
    raise NotImplementedError
