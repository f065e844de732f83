"""Adaptive Gauss-Hermite quadrature over the random effects of one grouping factor."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.special import logsumexp

from ipt_outcomes.mixed.generalized.laplace import Point
from ipt_outcomes.mixed.generalized.problem import Problem

# Points per group: the work of one evaluation is this times the rows.
MOST_POINTS = 1000


def log_likelihood(problem: Problem, at: Point, points: int) -> float:
    """Return the log-likelihood, without the constant, integrated around the modes.

    Parameters
    ----------
    problem : Problem
        With one grouping factor.
    at : Point
    points : int
        Per random effect of a group; with 1 it is Laplace's approximation.

    Returns
    -------
    float

    References
    ----------
    Pinheiro and Bates (1995), J Comput Graph Stat 4(1):12-35, doi:10.1080/10618600.1995.10474663.
    """
    if not np.isfinite(at.log_likelihood):
        return -np.inf
    q = problem.first.width
    nodes, weights = np.polynomial.hermite.hermgauss(points)
    roots = np.linalg.cholesky(at.inner.a_inv)
    found = []
    for chosen in itertools.product(range(points), repeat=q):
        t = nodes[list(chosen)]
        moved = np.sqrt(2) * roots @ t
        eta = at.eta + (at.first * moved[problem.place]).sum(axis=1)
        effects = at.modes.first + moved
        own = problem.group_sums(problem.family.terms(problem.y, problem.size, eta)) - (effects**2).sum(axis=1) / 2
        found.append(own + t @ t + np.log(weights[list(chosen)]).sum())
    total = logsumexp(np.array(found), axis=0) + np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
    return float(total.sum() - problem.starts.size * q * np.log(np.pi) / 2)
