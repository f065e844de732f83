"""Estimators of the between-study variance, for any design matrix.

All work on a `core.Problem` in its units. With K the contrasts that X cannot explain, y'Py is the sum of
z_i^2 / (lambda_i + tau2) over the eigenvalues lambda_i of K'VK. Three facts follow and carry the searches:
y'Py falls as tau2 grows, its reciprocal is concave (so Newton's method on it climbs to the root without
overshooting), and no maximum of either likelihood lies above the residual sum of squares.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ipt_outcomes.errors import ConvergenceError
from ipt_outcomes.meta.core import Problem
from ipt_outcomes.meta.inputs import Tau2Method

RELATIVE_TOLERANCE = 1e-11
MAX_STEPS = 100

Slope = Callable[[float], tuple[float, float]]


def estimate_tau2(problem: Problem, method: Tau2Method) -> float:
    """Estimate the between-study variance.

    Parameters
    ----------
    problem : Problem
    method : str
        ``"REML"``, ``"ML"``, ``"DL"``, ``"PM"``, ``"EB"``, ``"SJ"``, ``"HS"``, ``"HE"`` or ``"common"`` (0).

    Returns
    -------
    float
        In the working units of `problem`, never negative; 0 when there are no residual degrees of freedom.

    Raises
    ------
    ConvergenceError
        The iteration of REML, ML, PM or EB did not converge.

    References
    ----------
    Veroniki et al (2016), Res Synth Methods 7(1):55-79, doi:10.1002/jrsm.1164 (all estimators).
    Raudenbush (2009), in The Handbook of Research Synthesis, 2nd ed, chapter 16 (with moderators).
    """
    df = problem.k - problem.p
    if method == "common" or df == 0:
        return 0.0
    if method in {"REML", "ML"}:
        return maximise_likelihood(problem, restricted=method == "REML")
    if method in {"PM", "EB"}:
        # The empirical Bayes equations have the same root as Paule and Mandel's.
        return solve_q(problem, float(df))
    return max(0.0, _closed_form(problem, method, df))


def _closed_form(problem: Problem, method: str, df: int) -> float:
    if method == "SJ":
        # Sidik and Jonkman's two steps, started from the mean square of the effects about their mean.
        if problem.spread == 0:
            return 0.0
        q, _ = problem.q_statistic(problem.spread)
        return float(problem.spread * q / df)
    if method == "HE":
        leverage = (problem.basis * problem.basis).sum(axis=1)
        return float(problem.ols_rss - problem.v @ (1.0 - leverage)) / df
    w = 1.0 / problem.v
    q = float(w @ (problem.y * problem.y))
    if method == "HS":
        return float((q - problem.k) / w.sum())
    _, _, inverse = problem.project(w)
    return float((q - df) / problem.traces(w, inverse)[0])


def solve_q(problem: Problem, target: float) -> float:
    """Return tau2 >= 0 where the generalised Q statistic equals `target`, or 0 where Q is below it already.

    Parameters
    ----------
    problem : Problem
    target : float
        Above 0.

    Returns
    -------
    float

    Raises
    ------
    ConvergenceError
        No convergence within `MAX_STEPS`.
    """
    tau2, smallest = 0.0, float(problem.v.min())
    for _ in range(MAX_STEPS):
        q, slope = problem.q_statistic(tau2)
        if q <= target:
            return tau2
        step = q * (q / target - 1.0) / slope
        tau2 += step
        if step <= RELATIVE_TOLERANCE * tau2 + 1e-15 * smallest:
            return tau2
    raise ConvergenceError(
        f"tau2 did not converge: generalised Q did not reach {target:.6g}",
        attempts=(f"Newton on 1/Q, {MAX_STEPS} steps, last tau2 {tau2 * problem.unit**2:.6g}",),
    )


def log_likelihood(problem: Problem, tau2: np.ndarray, *, restricted: bool) -> np.ndarray:
    """Log-likelihood of tau2, coefficients profiled out, without constants that tau2 does not move.

    Parameters
    ----------
    problem : Problem
    tau2 : numpy.ndarray, shape (m,)
        Values to evaluate, in working units.
    restricted : bool
        Whether the restricted likelihood is meant.

    Returns
    -------
    numpy.ndarray, shape (m,)
    """
    w = 1.0 / (problem.v[:, None] + tau2)
    total = (problem.y * problem.y) @ w
    log_det = np.log(w).sum(axis=0)
    if problem.p == 1:
        information = problem.q2 @ w
        cross = (problem.q * problem.y) @ w
        value = log_det - (total - cross * cross / information)
        return np.asarray(0.5 * (value - np.log(information)) if restricted else 0.5 * value)
    p = problem.p
    squares = (problem.basis[:, :, None] * problem.basis[:, None, :]).reshape(problem.k, p * p)
    matrices = (w.T @ squares).reshape(-1, p, p)
    crosses = w.T @ (problem.basis * problem.y[:, None])
    explained = (crosses * np.linalg.solve(matrices, crosses[:, :, None])[:, :, 0]).sum(axis=1)
    value = log_det - (total - explained)
    return np.asarray(0.5 * (value - np.linalg.slogdet(matrices)[1]) if restricted else 0.5 * value)


def score(problem: Problem, *, restricted: bool) -> Slope:
    """Return the function giving twice the derivative of the log-likelihood, and the derivative of that."""

    def at(tau2: float) -> tuple[float, float]:
        w = 1.0 / (problem.v + tau2)
        _, residuals, inverse = problem.project(w)
        u = w * residuals
        if restricted:
            first, second = problem.traces(w, inverse)
        else:
            first, second = float(w.sum()), float(w @ w)
        return float(u @ u) - first, second - 2.0 * problem.cubic(w, u, inverse)

    return at


def maximise_likelihood(problem: Problem, *, restricted: bool) -> float:
    """Global maximum of the (restricted) likelihood over tau2 >= 0.

    A grid from far below the smallest variance to the bound finds the highest hill (the likelihood can have
    two, one of them at 0); Newton's method within a bracket that always shrinks climbs it.

    Parameters
    ----------
    problem : Problem
    restricted : bool

    Returns
    -------
    float

    Raises
    ------
    ConvergenceError
        The bracket did not close.
    """
    bound = problem.ols_rss
    low = 1e-2 * float(problem.v.min())
    at = score(problem, restricted=restricted)
    if bound <= low:
        # The likelihood cannot rise beyond the bound, and is smooth on this scale: at most one hill.
        points = np.array([0.0, bound, 2.0 * low])
    else:
        count = min(96, 6 + int(6 * math.log10(bound / low)))
        ratio = (1.001 * bound / low) ** (1.0 / (count - 1))
        points = np.concatenate(([0.0], low * ratio ** np.arange(count)))
    best = int(np.argmax(log_likelihood(problem, points, restricted=restricted)))
    if best == 0 and at(0.0)[0] <= 0:
        return 0.0
    left, right = _bracket(at, points, best)
    tau2 = _climb(at, left, right, 1e-15 * float(problem.v.min()), problem.unit**2)
    ends = log_likelihood(problem, np.array([0.0, tau2]), restricted=restricted)
    return tau2 if ends[1] >= ends[0] - 1e-13 * abs(ends[0]) else 0.0


def _bracket(at: Slope, points: np.ndarray, best: int) -> tuple[float, float]:
    """Interval around the best grid point: likelihood rising at its left end, falling at its right."""
    middle = float(points[best])
    if at(middle)[0] > 0:
        candidates = points[best:]
        return middle, next((float(t) for t in candidates[1:] if at(float(t))[0] <= 0), float(points[-1]))
    below = points[:best][::-1]
    return next((float(t) for t in below if at(float(t))[0] > 0), 0.0), middle


def _climb(at: Slope, left: float, right: float, tolerance: float, unit: float) -> float:
    """Newton's method on the score, kept inside a bracket; halves the bracket where Newton would leave it."""
    tau2 = 0.5 * (left + right)
    start = (left, right)
    for _ in range(MAX_STEPS):
        value, slope = at(tau2)
        if value > 0:
            left = tau2
        else:
            right = tau2
        new = tau2 - value / slope if slope < 0 else math.nan
        if not left <= new <= right:
            new = 0.5 * (left + right)
        step = abs(new - tau2)
        tau2 = new
        if step <= RELATIVE_TOLERANCE * tau2 + tolerance:
            return tau2
    raise ConvergenceError(
        "the likelihood of tau2 was not maximised",
        attempts=(
            f"Newton with bisection from {start[0] * unit:.6g} to {start[1] * unit:.6g}, {MAX_STEPS} steps: "
            f"stopped between {left * unit:.6g} and {right * unit:.6g}",
        ),
        hint='tau2="DL" or "PM" needs no likelihood.',
    )
