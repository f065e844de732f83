"""Satterthwaite's degrees of freedom of a linear mixed model with any number of grouping factors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipt_outcomes.mixed.engine.optimise import Optimum
from ipt_outcomes.mixed.engine.structure import Structure

# Directions of the covariance parameters that the likelihood does not tell anything about.
_NO_INFORMATION = 1e-8


@dataclass(frozen=True, slots=True)
class Satterthwaite:
    """What Satterthwaite's degrees of freedom need to know of a fit.

    Parameters
    ----------
    a_inv : numpy.ndarray, shape (p, p)
        Covariance of the coefficients relative to the residual variance.
    moved : numpy.ndarray, shape (m, p, p)
        Sums of X' V^-1 V_j V^-1 X, V_j the derivative of V by a covariance parameter.
    covariance : numpy.ndarray, shape (m, m)
        Of the covariance parameters: twice the inverse Hessian of the deviance. The last is the logarithm of the
        residual variance, by which V itself is the derivative.
    """

    a_inv: np.ndarray
    moved: np.ndarray
    covariance: np.ndarray

    def df(self, contrast: np.ndarray) -> float:
        """Return the degrees of freedom of one linear combination of the coefficients.

        Parameters
        ----------
        contrast : numpy.ndarray, shape (p,)

        Returns
        -------
        float
            ``2 v^2 / (g' C g)``, v the variance of the combination, g its gradient by the covariance parameters.
        """
        turned = self.a_inv @ contrast
        variance = float(contrast @ turned)
        if variance <= 0:
            return np.inf
        gradient = np.append(np.einsum("i,jik,k->j", turned, self.moved, turned), variance)
        spread = float(gradient @ self.covariance @ gradient)
        return 2 * variance**2 / spread if spread > 0 else np.inf


def satterthwaite(structure: Structure, optimum: Optimum) -> Satterthwaite:
    """Prepare Satterthwaite's degrees of freedom.

    Parameters
    ----------
    structure : Structure
    optimum : Optimum

    Returns
    -------
    Satterthwaite

    References
    ----------
    Satterthwaite (1946), Biometrics Bulletin 2(6):110-114, doi:10.2307/3002019; Kuznetsova et al. (2017),
    J Stat Softw 82(13), doi:10.18637/jss.v082.i13.
    """
    return Satterthwaite(optimum.at.a_inv, moved_information(structure, optimum), theta_covariance(structure, optimum))


def moved_information(structure: Structure, optimum: Optimum) -> np.ndarray:
    """Return X' V^-1 V_j V^-1 X of each free entry, shape (t, p, p)."""
    found = []
    for factor, direction in zip(structure.factor, structure.directions(optimum.factors), strict=True):
        own = optimum.sums[factor].ff
        assert own is not None  # noqa: S101  the optimum keeps them
        found.append(np.einsum("ab,ajbl->jl", direction, own))
    return np.array(found)


def theta_covariance(structure: Structure, optimum: Optimum) -> np.ndarray:
    """Return the covariance of the free entries and the logarithm of the residual variance, shape (t + 1, t + 1)."""
    places = zip(structure.factor, structure.row, strict=True)
    # In units of the entries themselves, so that one threshold fits all of them.
    size = np.append([1 / optimum.sizes[factor][row] for factor, row in places], 1.0)
    hessian = optimum.curvature.whole() * np.multiply.outer(size, size)
    curvature, directions = np.linalg.eigh(hessian)
    told = curvature > _NO_INFORMATION
    inverse = (directions[:, told] / curvature[told]) @ directions[:, told].T
    return np.asarray(2 * inverse * np.multiply.outer(size, size))
