"""Degrees of freedom that follow from how a variance depends on covariance parameters; F tests of several parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from ipt_outcomes.mixed.fit import MixedFit


@dataclass(frozen=True, slots=True)
class Spread:
    """What degrees of freedom need of a fit.

    Parameters
    ----------
    vcov : numpy.ndarray, shape (p, p)
        Of the coefficients, the covariance matrices taken as known.
    moved : numpy.ndarray, shape (k, p, p)
        Sums over people of X' S S_k S X.
    theta_vcov : numpy.ndarray, shape (k, k)
        Of the covariance parameters: inverse of the observed information.
    """

    vcov: np.ndarray
    moved: np.ndarray
    theta_vcov: np.ndarray

    def df(self, weights: np.ndarray) -> float:
        """Return Satterthwaite's degrees of freedom of one combination, which are Kenward and Roger's as well.

        Parameters
        ----------
        weights : numpy.ndarray, shape (p,)

        Returns
        -------
        float
        """
        turned = self.vcov @ weights
        variance = float(weights @ turned)
        gradient = self.moved @ turned @ turned
        spread = float(gradient @ self.theta_vcov @ gradient)
        return 2 * variance**2 / spread if spread > 0 else np.inf

    def f_scale(self, weights: np.ndarray) -> tuple[float, float]:
        """Return Kenward and Roger's scale of an F statistic and its denominator degrees of freedom.

        Parameters
        ----------
        weights : numpy.ndarray, shape (r, p)

        Returns
        -------
        tuple of float

        References
        ----------
        Kenward and Roger (1997), Biometrics 53(3):983-997, doi:10.2307/2533558.
        """
        r = len(weights)
        theta = weights.T @ np.linalg.solve(weights @ self.vcov @ weights.T, weights)
        turned = theta @ self.vcov @ self.moved @ self.vcov
        trace = np.einsum("kii->k", turned)
        a1 = float(trace @ self.theta_vcov @ trace)
        a2 = float(np.einsum("kl,kij,lji->", self.theta_vcov, turned, turned, optimize=True))
        b = (a1 + 6 * a2) / (2 * r)
        g = ((r + 1) * a1 - (r + 4) * a2) / ((r + 2) * a2)
        d = 3 * r + 2 * (1 - g)
        c1, c2, c3 = g / d, (r - g) / d, (r + 2 - g) / d
        mean = 1 / (1 - a2 / r)
        variance = 2 / r * (1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b))
        rho = variance / (2 * mean**2)
        df = 4 + (r + 2) / (r * rho - 1)
        return df / (mean * (df - 2)), df


def pooled_df(single: np.ndarray) -> float:
    """Return the denominator degrees of freedom of an F test from those of its independent parts.

    Parameters
    ----------
    single : numpy.ndarray, shape (r,)

    Returns
    -------
    float
        Infinity where any of them is infinite: the test is a chi-squared test.

    References
    ----------
    Fai and Cornelius (1996), J Stat Comput Simul 54(4):363-378, doi:10.1080/00949659608811740.
    """
    r = single.size
    if not np.isfinite(single).all():
        return float("inf")
    if np.ptp(single) < 1e-8 * single.max():
        return float(single.mean())
    if (single <= 2).any():
        return 2.0
    expected = float((single / (single - 2)).sum())
    return 2 * expected / (expected - r)


def scaled_f(fit: MixedFit, weights: np.ndarray) -> tuple[int, float, float, float]:
    """Test that several combinations of the coefficients are all 0 by Kenward and Roger's scaled F.

    Parameters
    ----------
    fit : MixedFit
        Its ``vcov`` is the adjusted one.
    weights : numpy.ndarray, shape (r, p)

    Returns
    -------
    tuple
        Numerator and denominator degrees of freedom, F, p value.

    References
    ----------
    Kenward and Roger (1997), Biometrics 53(3):983-997, doi:10.2307/2533558.
    """
    _, lengths, directions = np.linalg.svd(weights, full_matrices=False)
    rows = directions[lengths > 1e-9 * lengths.max(initial=0.0)]
    if not len(rows):
        return 0, float("nan"), float("nan"), float("nan")
    scale, df = fit.f_scale(rows)
    estimate = rows @ fit.fixed["estimate"].to_numpy()
    wald = float(estimate @ np.linalg.solve(rows @ fit.vcov @ rows.T, estimate))
    statistic = scale * wald / len(rows)
    return len(rows), df, statistic, float(stats.f.sf(statistic, len(rows), df))
