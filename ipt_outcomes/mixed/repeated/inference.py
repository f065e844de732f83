"""Standard errors and degrees of freedom that know the covariance matrices were estimated."""

from __future__ import annotations

import numpy as np

from ipt_outcomes.mixed.repeated.optimise import Top
from ipt_outcomes.mixed.repeated.patterns import Patterns
from ipt_outcomes.mixed.spread import Spread


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
