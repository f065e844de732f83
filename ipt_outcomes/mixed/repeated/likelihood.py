"""The profiled likelihood of a model for repeated measures, with score and curvature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipt_outcomes.mixed.repeated.curvature import Curve, Derivatives
from ipt_outcomes.mixed.repeated.patterns import Patterns


@dataclass(frozen=True, slots=True)
class Point:
    """The likelihood at covariance matrices.

    Parameters
    ----------
    theta : numpy.ndarray, shape (k,)
    log_likelihood : float
    beta : numpy.ndarray, shape (p,)
    a_inv : numpy.ndarray, shape (p, p)
        Covariance of the coefficients.
    inverse : numpy.ndarray, shape (m, t, t)
        Inverse of each pattern's covariance matrix, 0 at visits that were not held.
    """

    theta: np.ndarray
    log_likelihood: float
    beta: np.ndarray
    a_inv: np.ndarray
    inverse: np.ndarray


def evaluate(patterns: Patterns, curve: Curve, theta: np.ndarray, *, reml: bool) -> Point | None:
    """Return the likelihood, profiled over the coefficients; None where a matrix is not positive definite.

    Parameters
    ----------
    patterns : Patterns
    curve : Curve
    theta : numpy.ndarray, shape (k,)
    reml : bool

    Returns
    -------
    Point or None
    """
    if not np.isfinite(theta).all():
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        sigma = curve.sigma(theta)
    seen = patterns.seen
    both = seen[:, :, None] & seen[:, None, :]
    # A visit that was not held is alone, with variance 1: it adds nothing to the determinant.
    full = np.where(both, sigma, np.eye(seen.shape[1]))
    if not np.isfinite(full).all():
        return None
    try:
        factor = np.linalg.cholesky(full)
    except np.linalg.LinAlgError:
        return None
    half = np.linalg.inv(factor)
    inverse = np.where(both, np.swapaxes(half, 1, 2) @ half, 0.0)
    log_det = 2 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
    sums = patterns.quadratic(inverse)
    p = len(sums) - 1
    try:
        root = np.linalg.cholesky(sums[:p, :p])
    except np.linalg.LinAlgError:
        return None
    root_inv = np.linalg.inv(root)
    a_inv = root_inv.T @ root_inv
    beta = a_inv @ sums[:p, p]
    rss = sums[p, p] - sums[:p, p] @ beta
    n = patterns.n_rows - p if reml else patterns.n_rows
    deviance = n * np.log(2 * np.pi) + patterns.people @ log_det + rss
    if reml:
        deviance += 2 * np.log(np.diag(root)).sum()
    return Point(theta, float(-deviance / 2), beta, a_inv, inverse)


@dataclass(frozen=True, slots=True)
class Slope:
    """Score and curvature at a point.

    Parameters
    ----------
    score : numpy.ndarray, shape (k,)
        Of the log-likelihood.
    information : numpy.ndarray, shape (k, k)
        Observed, but for the bend of the structure: 0 at the top where the structure leaves every visit free.
    expected : numpy.ndarray, shape (k, k)
        Of known coefficients: positive definite.
    by_parameter : numpy.ndarray, shape (k, p + 1, p + 1)
        Sums over people of W' S S_k S W, the outcome's place taken by the residual.
    weights : numpy.ndarray, shape (m, t, t)
        Derivative of the log-likelihood by each pattern's matrix.
    """

    score: np.ndarray
    information: np.ndarray
    expected: np.ndarray
    by_parameter: np.ndarray
    weights: np.ndarray


def slope(patterns: Patterns, derivatives: Derivatives, at: Point, *, reml: bool) -> Slope:
    """Return score and curvature.

    Parameters
    ----------
    patterns : Patterns
    derivatives : Derivatives
        At the same point.
    at : Point
    reml : bool

    Returns
    -------
    Slope

    References
    ----------
    Jennrich and Schluchter (1986), Biometrics 42(4):805-820, doi:10.2307/2530695; Lindstrom and Bates (1988),
    J Am Stat Assoc 83(404):1014-1022, doi:10.1080/01621459.1988.10478693.
    """
    p = at.beta.size
    residual = np.append(-at.beta, 1.0)
    inner = np.multiply.outer(residual, residual)
    if reml:
        inner[:p, :p] += at.a_inv
    scaled = patterns.people[:, None, None] * at.inverse
    spread = at.inverse @ patterns.products(inner) @ at.inverse
    weights = (spread - scaled) / 2
    expected = derivatives.pairs(scaled, at.inverse) / 2
    turn = np.eye(p + 1)
    turn[:, p] = residual
    by_parameter = turn.T @ derivatives.moved(at.inverse) @ turn
    moved, toward = by_parameter[:, :p, :p], by_parameter[:, :p, p]
    information = derivatives.pairs(spread, at.inverse) - expected - toward @ at.a_inv @ toward.T
    if reml:
        turned = at.a_inv @ moved
        # As one product of matrices: with many visits and columns the plain sum takes a minute.
        flat, crossed = turned.reshape(len(turned), -1), np.swapaxes(turned, 1, 2).reshape(len(turned), -1)
        information -= flat @ crossed.T / 2
    return Slope(derivatives.slope(weights), information, expected, by_parameter, weights)


def observed_information(derivatives: Derivatives, found: Slope) -> np.ndarray:
    """Return minus the Hessian of the log-likelihood, shape (k, k)."""
    return np.asarray(found.information - derivatives.bend(found.weights))
