"""Degrees of freedom of contrasts in a mixed model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipt_outcomes.mixed.likelihood import Evaluation, Moments, evaluate
from ipt_outcomes.mixed.optimise import Structure, jacobian

# Directions of the variance parameters that the likelihood does not tell anything about.
_NO_INFORMATION = 1e-8


@dataclass(frozen=True, slots=True)
class Satterthwaite:
    """What Satterthwaite's degrees of freedom need to know of a fit.

    Parameters
    ----------
    at : Evaluation
    structure : Structure
    factor : numpy.ndarray, shape (q, q)
    sigma : float
    covariance : numpy.ndarray, shape (t + 1, t + 1)
        Of the free entries of the factor and the residual SD: twice the inverse Hessian of the deviance.
    """

    at: Evaluation
    structure: Structure
    factor: np.ndarray
    sigma: float
    covariance: np.ndarray

    def df(self, contrast: np.ndarray) -> float:
        """Return the degrees of freedom of one linear combination of the fixed effects.

        Parameters
        ----------
        contrast : numpy.ndarray, shape (p,)

        Returns
        -------
        float
            ``2 v^2 / (g' C g)``, v the variance of the combination, g its gradient by the variance parameters.
        """
        weighted = self.at.a_inv @ contrast
        relative = float(contrast @ weighted)
        if relative <= 0:
            return np.inf
        moved = self.at.k_x @ weighted
        by_covariance = self.sigma**2 * moved.T @ moved
        gradient = np.append(self.structure.gradient(by_covariance, self.factor), 2 * self.sigma * relative)
        variance = self.sigma**2 * relative
        spread = float(gradient @ self.covariance @ gradient)
        return 2 * variance**2 / spread if spread > 0 else np.inf


def satterthwaite(
    moments: Moments, structure: Structure, factor: np.ndarray, at: Evaluation, sigma: float, *, reml: bool
) -> Satterthwaite:
    """Prepare Satterthwaite's degrees of freedom.

    Parameters
    ----------
    moments : Moments
    structure : Structure
    factor : numpy.ndarray, shape (q, q)
    at : Evaluation
        At that factor.
    sigma : float
        Residual SD.
    reml : bool

    Returns
    -------
    Satterthwaite

    References
    ----------
    Satterthwaite (1946), Biometrics Bulletin 2(6):110-114, doi:10.2307/3002019; Kuznetsova et al. (2017),
    J Stat Softw 82(13), doi:10.18637/jss.v082.i13.
    """
    df = moments.n - moments.xx.shape[0] if reml else moments.n
    theta = structure.theta(factor)
    # In units of the entries themselves, so that one step fits all of them.
    size = 1 / np.sqrt(np.einsum("gaa->a", moments.zz) / moments.n)[structure.rows]

    def gradient(scaled: np.ndarray) -> np.ndarray:
        own = structure.factor(scaled * size)
        return np.asarray(structure.gradient(evaluate(moments, own, reml=reml, sigma=sigma).score, own) * size)

    t = theta.size
    hessian = np.empty((t + 1, t + 1))
    hessian[:t, :t] = jacobian(gradient, theta / size)
    by_sigma = structure.gradient(2 * at.k_r.T @ at.k_r / sigma**3, factor) * size
    hessian[:t, t] = hessian[t, :t] = by_sigma * sigma
    hessian[t, t] = -2 * df + 6 * at.rss / sigma**2
    size = np.append(size, sigma)
    curvature, directions = np.linalg.eigh((hessian + hessian.T) / 2)
    told = curvature > _NO_INFORMATION
    inverse = (directions[:, told] / curvature[told]) @ directions[:, told].T
    return Satterthwaite(at, structure, factor, sigma, 2 * inverse * np.multiply.outer(size, size))


def pooled_df(single: np.ndarray) -> float:
    """Return the denominator degrees of freedom of an F test from those of its independent parts.

    Parameters
    ----------
    single : numpy.ndarray, shape (r,)

    Returns
    -------
    float

    References
    ----------
    Fai and Cornelius (1996), J Stat Comput Simul 54(4):363-378, doi:10.1080/00949659608811740.
    """
    r = single.size
    if np.ptp(single) < 1e-8 * single.max():
        return float(single.mean())
    if (single <= 2).any():
        return 2.0
    expected = float((single / (single - 2)).sum())
    return 2 * expected / (expected - r)
