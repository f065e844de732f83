"""Maximum of the likelihood over variance components that may be 0."""

from __future__ import annotations

from itertools import product

import numpy as np

from ipt_outcomes.errors import ConvergenceError
from ipt_outcomes.meta.multilevel.blocks import Blocks
from ipt_outcomes.meta.multilevel.likelihood import Fitted, derivatives, gls

MAX_STEPS = 200
TOLERANCE = 1e-11


def maximise(blocks: Blocks, *, restricted: bool, fixed: dict[int, float] | None = None) -> tuple[np.ndarray, Fitted]:
    """Find the variance components of greatest (restricted) likelihood.

    A coarse grid finds the hill; Newton's method on the components above 0 climbs it, with Fisher's
    information where the surface is not concave, and a component leaves the boundary when its score is positive.

    Parameters
    ----------
    blocks : Blocks
    restricted : bool
    fixed : dict of int to float, optional
        Components held at a value (for profiles).

    Returns
    -------
    tuple
        Components, shape (c,), and the fit there.

    Raises
    ------
    ConvergenceError
        No convergence within `MAX_STEPS`.
    """
    held = fixed or {}
    free = np.array([i for i in range(blocks.n_parts) if i not in held], dtype=int)
    theta = _start(blocks, restricted, held, free)
    fitted = gls(blocks, theta, restricted=restricted)
    if free.size == 0:
        return theta, fitted
    scale = blocks.mean_variance
    for _ in range(MAX_STEPS):
        slopes = derivatives(blocks, fitted, restricted=restricted)
        active = free[(theta[free] > 0) | (slopes.score[free] > 0)]
        if active.size == 0:
            return theta, fitted
        step = _direction(slopes.score[active], slopes.observed, slopes.expected, active)
        new, refit = _search(blocks, theta, fitted, active, step, restricted)
        change = np.abs(new - theta)
        theta, fitted = new, refit
        if np.all(change <= TOLERANCE * (theta + 1e-4 * scale)):
            return theta, fitted
    raise ConvergenceError(
        "the variance components did not converge",
        attempts=(f"Newton from the best of a grid, {MAX_STEPS} steps, last step {change.max():.3g}",),
    )


def _start(blocks: Blocks, restricted: bool, held: dict[int, float], free: np.ndarray) -> np.ndarray:
    theta = np.zeros(blocks.n_parts)
    for index, value in held.items():
        theta[index] = value
    spread = max(float(np.var(blocks.y)), 1e-12)
    values = spread * np.array([0.0, 0.01, 0.1, 0.4, 1.0])
    best, height = theta, -np.inf
    for point in product(values, repeat=free.size):
        trial = theta.copy()
        trial[free] = point
        found = gls(blocks, trial, restricted=restricted).log_likelihood
        if found > height:
            best, height = trial, found
    return best


def _direction(score: np.ndarray, observed: np.ndarray, expected: np.ndarray, active: np.ndarray) -> np.ndarray:
    chosen = np.ix_(active, active)
    try:
        np.linalg.cholesky(observed[chosen])
        return np.asarray(np.linalg.solve(observed[chosen], score))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(expected[chosen], score, rcond=None)[0])


def _search(
    blocks: Blocks, theta: np.ndarray, fitted: Fitted, active: np.ndarray, step: np.ndarray, restricted: bool
) -> tuple[np.ndarray, Fitted]:
    """Halve the step until the likelihood does not fall (to rounding)."""
    slack = 1e-13 * max(1.0, abs(fitted.log_likelihood))
    for halving in range(40):
        trial = theta.copy()
        trial[active] = np.maximum(0.0, theta[active] + 0.5**halving * step)
        refit = gls(blocks, trial, restricted=restricted)
        if refit.log_likelihood >= fitted.log_likelihood - slack:
            return trial, refit
    return theta, fitted
