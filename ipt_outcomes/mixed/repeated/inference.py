"""Standard errors and degrees of freedom that know the covariance matrices were estimated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipt_outcomes.mixed.repeated.optimise import Top
from ipt_outcomes.mixed.repeated.patterns import Patterns


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
        gradient = np.einsum("i,kij,j->k", turned, self.moved, turned)
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


def spread_of(top: Top) -> Spread:
    """Return what degrees of freedom need of a fit."""
    p = top.at.beta.size
    information = (top.information + top.information.T) / 2
    return Spread(top.at.a_inv, top.slope.by_parameter[:, :p, :p], np.linalg.inv(information))


def kenward_roger(patterns: Patterns, top: Top, spread: Spread, *, linear: bool) -> np.ndarray:
    """Return Kenward and Roger's covariance of the coefficients.

    Parameters
    ----------
    patterns : Patterns
    top : Top
    spread : Spread
    linear : bool
        Without the second derivatives of the covariance matrices (as SAS "Kenward-Roger-Linear").

    Returns
    -------
    numpy.ndarray, shape (p, p)

    References
    ----------
    Kenward and Roger (1997), doi:10.2307/2533558; Kackar and Harville (1984), J Am Stat Assoc 79(388):853-862,
    doi:10.1080/01621459.1984.10477102.
    """
    at, derivatives, p = top.at, top.derivatives, top.at.beta.size
    w, phi = spread.theta_vcov, spread.vcov
    inner = derivatives.between(w, at.inverse)
    if not linear:
        inner = inner - derivatives.bent(w) / 4
    inner = at.inverse @ ((inner + np.swapaxes(inner, 1, 2)) / 2) @ at.inverse
    lost = np.einsum("kl,kij,jh,lhg->ig", w, spread.moved, phi, spread.moved, optimize=True)
    found = phi + 2 * phi @ (patterns.quadratic(inner)[:p, :p] - lost) @ phi
    return np.asarray((found + found.T) / 2)
