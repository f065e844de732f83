"""Cluster-robust covariance of regression coefficients, with Satterthwaite degrees of freedom.

With residuals e = (I - H) y of generalised least squares and the working covariance Omega, the adjusted
residuals of cluster j are A_j e_j. CR1 takes A = sqrt(m/(m - p)); CR2 takes the A that makes the estimator
unbiased when Omega is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ipt_outcomes.errors import DesignError
from ipt_outcomes.meta.inputs import there_are
from ipt_outcomes.meta.multilevel.blocks import Blocks
from ipt_outcomes.meta.multilevel.likelihood import Fitted
from ipt_outcomes.results import plural

RobustMethod = Literal["CR1", "CR2"]


@dataclass(frozen=True, slots=True)
class Robust:
    """A robust covariance.

    Parameters
    ----------
    covariance : numpy.ndarray, shape (p, p)
    method : {"CR1", "CR2"}
    n_clusters : int
    maps : numpy.ndarray, shape (m, p, p)
        Per cluster X_j' W_j A_j Omega_j A_j' W_j X_j.
    shadows : numpy.ndarray, shape (m, p, p)
        Per cluster X_j' A_j' W_j X_j: what ties the clusters through the estimated coefficients.
    bread : numpy.ndarray, shape (p, p)
        (X' W X)^-1.
    """

    covariance: np.ndarray
    method: RobustMethod
    n_clusters: int
    maps: np.ndarray
    shadows: np.ndarray
    bread: np.ndarray

    def df(self, contrast: np.ndarray) -> float:
        """Degrees of freedom of a contrast of the coefficients, shape (p,)."""
        if self.method == "CR1":
            return float(self.n_clusters - self.bread.shape[0])
        return satterthwaite(self, contrast)


def robust_covariance(blocks: Blocks, fitted: Fitted, method: RobustMethod) -> Robust:
    """Return the cluster-robust covariance of the coefficients.

    Parameters
    ----------
    blocks : Blocks
    fitted : Fitted
    method : {"CR1", "CR2"}

    Returns
    -------
    Robust

    Raises
    ------
    DesignError
        There are no more clusters than coefficients.
    """
    m = sum(stack.y.shape[0] for stack in blocks.stacks)
    p = blocks.design.shape[1]
    if m <= p:
        raise DesignError(
            f"robust standard errors need more studies than coefficients; {there_are(m)} "
            f"{plural(m, 'study', 'studies')}, {p} coefficient{'s' if p > 1 else ''}",
            hint="Use robust=None, and read the interval with the assumption it then rests on.",
        )
    bread = fitted.covariance
    meat, maps, shadows = np.zeros((p, p)), [], []
    for stack, w, r in zip(blocks.stacks, fitted.inverses, fitted.residuals, strict=True):
        x = stack.x
        omega = np.linalg.inv(w)
        a = np.sqrt(m / (m - p)) * np.broadcast_to(np.eye(w.shape[1]), w.shape)
        if method == "CR2":
            a = _adjustment(omega, x, bread)
        xwa = np.einsum("msp,mst,mtu->mpu", x, w, a)
        scores = np.einsum("mps,ms->mp", xwa, r)
        meat += scores.T @ scores
        maps.append(np.einsum("mps,mst,mqt->mpq", xwa, omega, xwa))
        shadows.append(np.einsum("msq,mps->mqp", x, xwa))
    covariance = bread @ meat @ bread
    return Robust((covariance + covariance.T) / 2, method, m, np.concatenate(maps), np.concatenate(shadows), bread)


def _adjustment(omega: np.ndarray, x: np.ndarray, bread: np.ndarray) -> np.ndarray:
    """A_j = D' B^(-1/2) D with D the upper Cholesky factor of Omega_j and B = D (Omega_j - X_j M X_j') D'."""
    upper = np.linalg.cholesky(omega).transpose(0, 2, 1)
    inner = omega - x @ bread @ x.transpose(0, 2, 1)
    b = upper @ inner @ upper.transpose(0, 2, 1)
    values, vectors = np.linalg.eigh((b + b.transpose(0, 2, 1)) / 2)
    top = values.max(axis=1, keepdims=True)
    # a cluster that alone carries a coefficient has a null direction: its generalised inverse leaves it out
    root = np.where(values > 1e-10 * np.maximum(top, np.finfo(float).tiny), 1.0, 0.0)
    root = root / np.sqrt(np.where(root > 0, values, 1.0))
    half = vectors @ (root[:, :, None] * vectors.transpose(0, 2, 1))
    return np.asarray(upper.transpose(0, 2, 1) @ half @ upper)


def satterthwaite(robust: Robust, contrast: np.ndarray) -> float:
    """Degrees of freedom of one contrast under the working covariance."""
    c = robust.bread @ contrast
    own = np.einsum("p,mpq,q->m", c, robust.maps, c)
    z = np.einsum("mqp,p->mq", robust.shadows, c)
    tied = robust.bread @ (z.T @ z)
    mean = own.sum() - np.trace(tied)
    square = (own**2).sum() - 2 * (own * np.einsum("mq,qr,mr->m", z, robust.bread, z)).sum()
    square += np.trace(tied @ tied)
    return float(mean**2 / square)


def wald_test(robust: Robust, coefficients: np.ndarray, constraints: np.ndarray) -> tuple[float, int, float]:
    """Test that several contrasts are 0: F with its degrees of freedom (approximate Hotelling's T squared).

    Parameters
    ----------
    robust : Robust
    coefficients : numpy.ndarray, shape (p,)
    constraints : numpy.ndarray, shape (q, p)

    Returns
    -------
    tuple
        F, numerator and denominator degrees of freedom; the latter is 0 or below where the test does not exist.

    References
    ----------
    Tipton, Pustejovsky (2015), J Educ Behav Stat 40(6):604-634, doi:10.3102/1076998615606099.
    """
    q = constraints.shape[0]
    values = constraints @ coefficients
    statistic = float(values @ np.linalg.solve(constraints @ robust.covariance @ constraints.T, values))
    if robust.method == "CR1":
        return statistic / q, q, float(robust.n_clusters - robust.bread.shape[0])
    eigenvalues, vectors = np.linalg.eigh(constraints @ robust.bread @ constraints.T)
    half = vectors @ np.diag(1 / np.sqrt(eigenvalues)) @ vectors.T
    c = half @ constraints @ robust.bread
    own = np.einsum("ap,mpq,bq->mab", c, robust.maps, c)
    z = np.einsum("mqp,ap->maq", robust.shadows, c)
    # theta[i, j] = delta_ij own_i - z_i M z_j', for every pair of contrasts
    theta = -np.einsum("iaq,qr,jbr->ijab", z, robust.bread, z)
    index = np.arange(own.shape[0])
    theta[index, index] += own
    diagonal = np.einsum("ijaa->ija", theta)
    spread = float(np.einsum("ijab,ijba->", theta, theta) + np.einsum("ija,ijb->", diagonal, diagonal))
    eta = q * (q + 1) / spread
    return (eta - q + 1) / (eta * q) * statistic, q, float(eta - q + 1)
