"""Weighted regression with between-study variance: y = X beta + u + e, u ~ N(0, tau2), e ~ N(0, v).

The one engine behind pooling, subgroups and regression tests. A `Problem` holds the data scaled and centred;
`tau2.py` estimates the variance on it; `fit` returns the coefficients in the user's units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ipt_outcomes.errors import DesignError
from ipt_outcomes.results import plural

EPS = float(np.finfo(float).eps)


class Problem:
    """Data of a fit in working units.

    Three changes keep the arithmetic exact: effects are divided by a power of two near the typical standard
    error (exact, and no product under- or overflows), the columns of X are made orthonormal (badly scaled
    moderators), and the common-effect fit is subtracted (no cancellation when all effects are large).

    Parameters
    ----------
    y, v : numpy.ndarray, shape (k,)
        Effects and sampling variances (above 0).
    design : numpy.ndarray, shape (k, p)
        Design matrix of full column rank, p <= k.

    Raises
    ------
    DesignError
        The columns of the design are linearly dependent, or there are more of them than studies.
    """

    __slots__ = ("basis", "k", "offset", "p", "q", "q2", "spread", "triangle", "unit", "v", "y", "y_size")

    def __init__(self, y: np.ndarray, v: np.ndarray, design: np.ndarray) -> None:
        self.k, self.p = design.shape
        self.unit = 2.0 ** round(0.5 * math.log2(float(np.median(v))))
        self.v = v / self.unit**2
        scaled = y / self.unit
        self.y_size = float(np.abs(scaled).max())
        self.spread = float(np.mean((scaled - scaled.mean()) ** 2))
        self.basis, self.triangle = _orthonormal(design)
        self.q = self.basis[:, 0]
        self.q2 = self.q * self.q
        self.y = scaled
        self.offset, residuals, _ = self.project(1.0 / self.v)
        self.y = residuals

    def project(self, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weighted least squares: coefficients (p,) in the basis, residuals (k,), inverse of Q'WQ (p, p)."""
        if self.p == 1:
            wq = w * self.q
            inverse = 1.0 / (wq @ self.q)
            coefficient = (wq @ self.y) * inverse
            return np.array([coefficient]), self.y - coefficient * self.q, np.array([[inverse]])
        wq = self.basis * w[:, None]
        inverse = np.linalg.inv(self.basis.T @ wq)
        coefficients = inverse @ (wq.T @ self.y)
        return coefficients, self.y - self.basis @ coefficients, inverse

    def traces(self, w: np.ndarray, inverse: np.ndarray) -> tuple[float, float]:
        """Return tr(P) and tr(PP) of P = W - WQ (Q'WQ)^-1 Q'W, without forming the k by k matrix."""
        w2 = w * w
        if self.p == 1:
            share = float(inverse[0, 0])
            first = (w2 @ self.q2) * share
            third = ((w2 * w) @ self.q2) * share
            return float(w.sum() - first), float(w2.sum() - 2.0 * third + first * first)
        one = inverse @ (self.basis.T @ (self.basis * w2[:, None]))
        two = inverse @ (self.basis.T @ (self.basis * (w2 * w)[:, None]))
        trace_p = w.sum() - np.trace(one)
        return float(trace_p), float(w2.sum() - 2.0 * np.trace(two) + np.sum(one * one.T))

    def cubic(self, w: np.ndarray, u: np.ndarray, inverse: np.ndarray) -> float:
        """Return u'Pu for u = Py, which is y'PPPy."""
        wu = w * u
        if self.p == 1:
            return float(u @ wu - (self.q @ wu) ** 2 * float(inverse[0, 0]))
        cross = self.basis.T @ wu
        return float(u @ wu - cross @ inverse @ cross)

    def q_statistic(self, tau2: float) -> tuple[float, float]:
        """Return the generalised Q = y'Py at `tau2` and minus its derivative, y'PPy."""
        w = 1.0 / (self.v + tau2)
        _, residuals, _ = self.project(w)
        u = w * residuals
        return float(u @ residuals), float(u @ u)

    @property
    def ols_rss(self) -> float:
        """Residual sum of squares with equal weights: an upper bound of every maximum (see `tau2.py`)."""
        residuals = self.y - self.basis @ (self.basis.T @ self.y)
        return float(residuals @ residuals)


def _orthonormal(design: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reduce the design to Q R; a rank fault is an error, never a silently dropped column."""
    k, p = design.shape
    if p > k:
        only = f"there {plural(k, 'is', 'are')} only {k} {plural(k, 'study', 'studies')}"
        raise DesignError(f"the model has {p} {plural(p, 'coefficient', 'coefficients')} but {only}")
    if p == 1:
        length = math.sqrt(float(design[:, 0] @ design[:, 0]))
        return design / length, np.array([[length]])
    sizes = np.sqrt((design * design).sum(axis=0))
    basis, triangle = np.linalg.qr(design / np.where(sizes > 0, sizes, 1.0))
    if not sizes.all() or np.abs(np.diag(triangle)).min() < 1e-10:
        raise DesignError(
            "the columns of the model are linearly dependent",
            hint="A moderator is the same in every study, or follows from the others.",
        )
    return basis, triangle * sizes


@dataclass(frozen=True, slots=True)
class RegressionFit:
    """A fitted model in the user's units.

    Parameters
    ----------
    coefficients : numpy.ndarray, shape (p,)
    covariance : numpy.ndarray, shape (p, p)
        (X'WX)^-1, before any Knapp-Hartung factor.
    tau2 : float
    scale : float or None
        Knapp-Hartung factor, the weighted mean square of the residuals; None with no residual df, or when
        all residuals are 0 to rounding and the factor says nothing.
    weights : numpy.ndarray, shape (k,)
        1 / (v + tau2).
    q : float
        Residual heterogeneity statistic at tau2 = 0.
    df : int
        Residual degrees of freedom k - p.
    typical_variance : float or None
        (k - p) / tr(P) at tau2 = 0 (Higgins and Thompson 2002, eq 9, for any design); None with no df.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    tau2: float
    scale: float | None
    weights: np.ndarray
    q: float
    df: int
    typical_variance: float | None


def fit(problem: Problem, tau2: float) -> RegressionFit:
    """Weighted regression at a known between-study variance.

    Parameters
    ----------
    problem : Problem
    tau2 : float
        In working units, as the estimators of `tau2.py` return it.

    Returns
    -------
    RegressionFit
    """
    w0 = 1.0 / problem.v
    df = problem.k - problem.p
    # The common-effect fit was subtracted, so problem.y holds its residuals.
    q = float(w0 @ (problem.y * problem.y))
    w = w0 if tau2 == 0 else 1.0 / (problem.v + tau2)
    gamma, residuals, inverse = problem.project(w)
    scale = None
    if df > 0 and float(np.abs(residuals).max()) > 16 * EPS * problem.y_size:
        scale = float(w @ (residuals * residuals)) / df
    typical = None
    if df > 0:
        _, _, inverse0 = problem.project(w0)
        typical = df / problem.traces(w0, inverse0)[0] * problem.unit**2
    coefficients, covariance = _back(problem, gamma + problem.offset, inverse)
    return RegressionFit(
        coefficients=coefficients,
        covariance=covariance,
        tau2=tau2 * problem.unit**2,
        scale=scale,
        weights=w / problem.unit**2,
        q=q if df > 0 else 0.0,
        df=df,
        typical_variance=typical,
    )


def _back(problem: Problem, gamma: np.ndarray, inverse: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn coefficients of the orthonormal basis into those of the design, in the user's units."""
    if problem.p == 1:
        length = float(problem.triangle[0, 0])
        return gamma * (problem.unit / length), inverse * (problem.unit / length) ** 2
    coefficients = np.linalg.solve(problem.triangle, gamma) * problem.unit
    half = np.linalg.solve(problem.triangle, inverse)
    covariance = np.linalg.solve(problem.triangle, half.T) * problem.unit**2
    return coefficients, (covariance + covariance.T) / 2
