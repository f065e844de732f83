"""Find the largest likelihood over the parameters of the covariance matrices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipt_outcomes.mixed.repeated.curvature import Curve, Derivatives
from ipt_outcomes.mixed.repeated.likelihood import Point, Slope, evaluate, observed_information, slope
from ipt_outcomes.mixed.repeated.patterns import Patterns

_MOST_STEPS = 200
_MOST_HALVINGS = 40
# Twice the gain that a further Newton step promises, in units of the log-likelihood.
_STOP = 1e-11
# A step that gains less than rounding lets the likelihood tell is the last one.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Top:
    """The largest likelihood, with its surroundings.

    Parameters
    ----------
    at : Point
    derivatives : Derivatives
        Of the covariance matrices there.
    slope : Slope
    information : numpy.ndarray, shape (k, k)
        Minus the Hessian of the log-likelihood.
    """

    at: Point
    derivatives: Derivatives
    slope: Slope
    information: np.ndarray


@dataclass(frozen=True, slots=True)
class Ascent:
    """How a search ended.

    Parameters
    ----------
    top : Top or None
        The largest likelihood; None where the search failed.
    n_steps : int
    reason : str
        Why it failed; empty where it did not.
    """

    top: Top | None
    n_steps: int
    reason: str = ""


def climb(patterns: Patterns, curve: Curve, start: np.ndarray, *, reml: bool) -> Ascent:
    """Search from a start by Newton's method, by scoring where the curvature is not positive definite.

    Parameters
    ----------
    patterns : Patterns
    curve : Curve
    start : numpy.ndarray, shape (k,)
    reml : bool

    Returns
    -------
    Ascent
    """
    at = evaluate(patterns, curve, start, reml=reml)
    if at is None:
        return Ascent(None, 0, "the starting values give no positive definite covariance matrix")
    for step in range(1, _MOST_STEPS + 1):
        derivatives = curve.at(at.theta)
        found = slope(patterns, derivatives, at, reml=reml)
        direction = _direction(found.information, found.score)
        if direction is None:
            direction = _direction(found.expected, found.score)
        if direction is None:
            return Ascent(None, step, "the likelihood is flat in some covariance parameters")
        promised = float(found.score @ direction)
        further = _along(patterns, curve, at, direction, promised, reml=reml)
        if further is None:
            if promised < 1e-6:
                break
            return Ascent(None, step, f"no step from iteration {step} raised the likelihood")
        gained = further.log_likelihood - at.log_likelihood
        at = further
        if promised < _STOP or (promised < 1e-7 and gained <= _ROUNDING * abs(at.log_likelihood)):
            break
    else:
        return Ascent(None, _MOST_STEPS, f"no convergence in {_MOST_STEPS} iterations")
    derivatives = curve.at(at.theta)
    found = slope(patterns, derivatives, at, reml=reml)
    information = observed_information(derivatives, found)
    curvature = np.linalg.eigvalsh(_scaled(information))
    if curvature.min() <= 1e-9 * max(curvature.max(), 1e-300):
        return Ascent(None, step, "the likelihood has no peak there: too few people share the visits")
    return Ascent(Top(at, derivatives, found, information), step)


def _direction(information: np.ndarray, score: np.ndarray) -> np.ndarray | None:
    size = np.sqrt(np.abs(np.diag(information)))
    if not np.isfinite(information).all() or (size <= 0).any():
        return None
    try:
        root = np.linalg.cholesky(information / np.multiply.outer(size, size))
    except np.linalg.LinAlgError:
        return None
    if np.diag(root).min() < 1e-7:
        return None
    return np.asarray(np.linalg.solve(root.T, np.linalg.solve(root, score / size)) / size)


def _scaled(information: np.ndarray) -> np.ndarray:
    size = np.sqrt(np.maximum(np.abs(np.diag(information)), 1e-300))
    scaled = information / np.multiply.outer(size, size)
    return np.asarray((scaled + scaled.T) / 2)


def _along(
    patterns: Patterns, curve: Curve, at: Point, direction: np.ndarray, promised: float, *, reml: bool
) -> Point | None:
    """The first point of a halving search that raises the likelihood by a part of what was promised."""
    slack = _ROUNDING * abs(at.log_likelihood)
    share = min(1.0, 3.0 / max(float(np.abs(direction).max()), 1e-300))
    for _ in range(_MOST_HALVINGS):
        point = evaluate(patterns, curve, at.theta + share * direction, reml=reml)
        if point is not None and point.log_likelihood >= at.log_likelihood + 1e-4 * share * promised - slack:
            return point
        share /= 2
    return None
