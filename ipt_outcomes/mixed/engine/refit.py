"""The same model fitted to another outcome on the same rows: for a bootstrap."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ipt_outcomes.errors import DesignError
from ipt_outcomes.mixed.centring import constant_columns
from ipt_outcomes.mixed.effects import variance_table
from ipt_outcomes.mixed.engine.residual import solve

if TYPE_CHECKING:
    from ipt_outcomes.mixed.linear_fit import LinearMixedFit


@dataclass(frozen=True, slots=True)
class Refit:
    """What a refit gives, in the outcome's own unit.

    Parameters
    ----------
    beta : numpy.ndarray, shape (p,)
    vcov : numpy.ndarray, shape (p, p)
        The covariance parameters taken as known.
    theta : numpy.ndarray, shape (t,)
        Entries of the relative roots, for the columns as they are.
    sigma : float
    log_likelihood : float
    singular : bool
    random : numpy.ndarray, shape (t,)
        Variances and covariances, as ``fit.random["variance_or_cov"]``.
    """

    beta: np.ndarray
    vcov: np.ndarray
    theta: np.ndarray
    sigma: float
    log_likelihood: float
    singular: bool
    random: np.ndarray


def refit(fit: LinearMixedFit, y: np.ndarray) -> Refit:
    """Fit the model to another outcome.

    Parameters
    ----------
    fit : LinearMixedFit
    y : numpy.ndarray, shape (n_obs,)
        Outcome of the rows used.

    Returns
    -------
    Refit

    Raises
    ------
    DesignError
        Another number of values than rows, or values that are not finite.
    ConvergenceError
        As `lmm`.
    """
    values = np.asarray(y, dtype=float)
    if values.shape != (fit.n_obs,) or not np.isfinite(values).all():
        raise DesignError(f"a refit needs {fit.n_obs} finite values, one per row used; got shape {values.shape}")
    inside = fit._inside
    design = replace(fit.design, y=values)
    solution = solve(
        design, inside.structure, inside.residual, reml=fit.reml, start=inside.structure.theta(inside.optimum.factors)
    )
    scaling, at, scale = solution.scaling, solution.optimum.at, solution.scaling.scale
    sigma = float(np.sqrt(at.variance)) * scale
    beta = scaling.fixed_back @ at.beta * scale
    if scaling.center:
        beta[constant_columns(design)] += scaling.center
    roots = [back @ root for back, root in zip(scaling.random_back, solution.optimum.factors, strict=True)]
    return Refit(
        beta=beta,
        vcov=scaling.fixed_back @ at.a_inv @ scaling.fixed_back.T * sigma**2,
        theta=inside.structure.rooted([root @ root.T for root in roots]),
        sigma=sigma,
        log_likelihood=-(at.deviance + 2 * solution.problem.free * float(np.log(scale))) / 2,
        singular=solution.optimum.singular,
        random=variance_table(design, roots, sigma)["variance_or_cov"].to_numpy(),
    )
