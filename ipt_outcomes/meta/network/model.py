"""The weighted least-squares model of a network, from arms."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ipt_outcomes.meta.multilevel.blocks import Blocks, make_blocks
from ipt_outcomes.meta.multilevel.maximise import maximise
from ipt_outcomes.meta.network.arms import Arms


@dataclass(frozen=True, slots=True)
class NetworkFit:
    """A fit at one between-study variance.

    Parameters
    ----------
    tau2 : float
    effects : numpy.ndarray, shape (n,)
        Treatments, relative to their mean.
    covariance : numpy.ndarray, shape (n, n)
        Pseudo-inverse of the Laplacian.
    q : float
        Weighted sum of squares left over.
    df : int
    trace : float
        How much q grows with tau2.
    """

    tau2: float
    effects: np.ndarray
    covariance: np.ndarray
    q: float
    df: int
    trace: float

    def contrasts(self) -> tuple[np.ndarray, np.ndarray]:
        """Return all differences (row minus column) and their standard errors, shape (n, n)."""
        diagonal = np.diag(self.covariance)
        variance = diagonal[:, None] + diagonal[None, :] - 2 * self.covariance
        return self.effects[:, None] - self.effects[None, :], np.sqrt(np.maximum(variance, 0.0))


def weights_of(arms: Arms, tau2: float) -> np.ndarray:
    """Return the precision matrix of all arms, shape (N, N): differences within a trial carry the information."""
    u = 1.0 / (arms.variance + tau2 / 2)
    total = np.bincount(arms.study, weights=u)[arms.study]
    same = arms.study[:, None] == arms.study[None, :]
    return np.asarray(np.diag(u) - np.where(same, np.multiply.outer(u, u) / total[:, None], 0.0))


def designs_of(arms: Arms) -> np.ndarray:
    """Number the design (set of treatments) of each arm's trial, shape (N,)."""
    sets: dict[tuple[int, ...], int] = {}
    design = np.zeros(arms.study.size, dtype=int)
    for number in range(len(arms.studies)):
        rows = np.flatnonzero(arms.study == number)
        design[rows] = sets.setdefault(tuple(sorted(arms.treatment[rows])), len(sets))
    return design


def fit_within(arms: Arms, tau2: float, design: np.ndarray) -> tuple[float, int, float]:
    """Fit every design by itself: sums of q, df and trace over the designs that several trials share.

    Parameters
    ----------
    arms : Arms
    tau2 : float
    design : numpy.ndarray of int, shape (N,)
        Design of each arm's trial.

    Returns
    -------
    tuple of float, int and float
    """
    found = [fit for _, fit in fit_designs(arms, tau2, design)]
    return sum(fit.q for fit in found), sum(fit.df for fit in found), sum(fit.trace for fit in found)


def fit_designs(arms: Arms, tau2: float, design: np.ndarray) -> list[tuple[int, NetworkFit]]:
    """Fit every design that several trials share, by itself: its number and its fit.

    Parameters
    ----------
    arms : Arms
    tau2 : float
    design : numpy.ndarray of int, shape (N,)

    Returns
    -------
    list of (int, NetworkFit)
    """
    found = []
    for number in range(int(design.max()) + 1):
        rows = np.flatnonzero(design == number)
        names, study = np.unique(arms.study[rows], return_inverse=True)
        if names.size < 2:
            continue
        _, treatment = np.unique(arms.treatment[rows], return_inverse=True)
        part = replace(
            arms,
            study=study,
            treatment=treatment,
            effect=arms.effect[rows],
            variance=arms.variance[rows],
            studies=tuple(names),
        )
        found.append((number, fit_network(part, tau2)))
    return found


def fit_network(arms: Arms, tau2: float) -> NetworkFit:
    """Fit treatment effects at a known tau2.

    Parameters
    ----------
    arms : Arms
    tau2 : float

    Returns
    -------
    NetworkFit
    """
    groups = arms.treatment
    n, k = int(groups.max()) + 1, len(arms.studies)
    u = 1.0 / (arms.variance + tau2 / 2)
    total = np.bincount(arms.study, weights=u, minlength=k)
    # precision of a trial's arms: diag(u) - u u'/sum(u); the matrix of all arms is never formed
    by_study = np.zeros((k, n))
    np.add.at(by_study, (arms.study, groups), u)
    laplacian = np.diag(np.bincount(groups, weights=u, minlength=n)) - by_study.T @ (by_study / total[:, None])
    values, vectors = np.linalg.eigh((laplacian + laplacian.T) / 2)
    kept = values > 1e-10 * values.max()
    inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    centre = np.bincount(arms.study, weights=u * arms.effect, minlength=k) / total
    away = u * (arms.effect - centre[arms.study])
    effects = inverse @ np.bincount(groups, weights=away, minlength=n)
    residual = arms.effect - effects[groups]
    residual -= (np.bincount(arms.study, weights=u * residual, minlength=k) / total)[arms.study]
    weighted = -(u / total[arms.study])[:, None] * by_study[arms.study]
    weighted[np.arange(groups.size), groups] += u
    trace = float(u.sum() - (u**2 / total[arms.study]).sum() - np.sum(weighted * (weighted @ inverse)))
    df = groups.size - k - int(kept.sum())
    return NetworkFit(tau2, effects, inverse, float(u @ residual**2), df, trace / 2)


def moment_tau2(q: float, df: int, trace: float) -> float:
    """DerSimonian and Laird's tau2 from a fit at tau2 = 0."""
    return max(0.0, (q - df) / trace) if df > 0 else 0.0


def reml_tau2(arms: Arms) -> float:
    """Return tau2 of greatest restricted likelihood.

    Parameters
    ----------
    arms : Arms

    Returns
    -------
    float

    Raises
    ------
    ConvergenceError
        The likelihood was not maximised.
    """
    blocks = _contrast_blocks(arms)
    if blocks.y.size <= blocks.design.shape[1]:
        return 0.0
    unit = float(2.0 ** round(0.5 * float(np.log2(blocks.mean_variance))))
    found, _ = maximise(blocks.divided(unit), restricted=True)
    return float(found[0]) * unit**2


def _contrast_blocks(arms: Arms) -> Blocks:
    """Every arm but a trial's first, against that first; tau2 adds 1 on and 1/2 off the diagonal."""
    firsts = np.flatnonzero(np.diff(arms.study, prepend=-1))
    base = firsts[arms.study]
    others = np.flatnonzero(base != np.arange(arms.study.size))
    y = arms.effect[others] - arms.effect[base[others]]
    design = np.zeros((others.size, len(arms.treatments)))
    rows = np.arange(others.size)
    design[rows, arms.treatment[others]] += 1.0
    design[rows, arms.treatment[base[others]]] -= 1.0
    study = arms.study[others]
    same = (study[:, None] == study[None, :]).astype(float)
    sampling = same * arms.variance[base[others]][:, None] + np.diag(arms.variance[others])
    return make_blocks(y, sampling, design[:, 1:], (0.5 * (same + np.eye(others.size)),), study)
