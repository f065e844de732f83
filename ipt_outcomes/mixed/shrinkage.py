"""Estimates of several levels drawn towards their mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, stats


@dataclass(frozen=True, slots=True)
class Shrunken:
    """Estimates drawn towards their mean.

    Parameters
    ----------
    estimate, se, ci_low, ci_high : numpy.ndarray, shape (k,)
    mean, mean_se : float
    tau : float
        Standard deviation between levels, by restricted maximum likelihood.
    """

    estimate: np.ndarray
    se: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    mean: float
    mean_se: float
    tau: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row per level: ``estimate se ci_low ci_high mean tau``."""
        numbers = {"estimate": self.estimate, "se": self.se, "ci_low": self.ci_low, "ci_high": self.ci_high}
        return pd.DataFrame({**numbers, "mean": self.mean, "tau": self.tau})


def shrink(estimate: np.ndarray, se: np.ndarray, *, level: float = 0.95) -> Shrunken:
    """Draw estimates towards their mean, by the normal-normal model.

    Parameters
    ----------
    estimate, se : numpy.ndarray, shape (k,)
        Taken as independent, the standard errors as known.
    level : float

    Returns
    -------
    Shrunken

    Notes
    -----
    The standard error holds the uncertainty of the mean, not that of tau: ``sqrt(B v + ...)`` with
    ``B = tau^2 / (tau^2 + v)``. With tau 0 every level gets the mean and its standard error.

    References
    ----------
    Morris (1983), J Am Stat Assoc 78(381):47-55, doi:10.1080/01621459.1983.10477920.
    """
    variances = se**2
    tau2 = _restricted_tau2(estimate, variances)
    weights = 1 / (variances + tau2)
    mean, mean_se = float(weights @ estimate / weights.sum()), float(weights.sum() ** -0.5)
    kept = tau2 / (variances + tau2)
    drawn = mean + kept * (estimate - mean)
    spread = np.sqrt(kept * variances + (1 - kept) ** 2 * mean_se**2)
    z = stats.norm.ppf((1 + level) / 2)
    return Shrunken(drawn, spread, drawn - z * spread, drawn + z * spread, mean, mean_se, float(np.sqrt(tau2)))


def _restricted_tau2(estimate: np.ndarray, variances: np.ndarray) -> float:
    """Variance between levels by restricted maximum likelihood; 0 where more of it is less likely."""

    def score(tau2: float) -> float:
        weights = 1 / (variances + tau2)
        mean = weights @ estimate / weights.sum()
        return float((weights**2 * (estimate - mean) ** 2).sum() - weights.sum() + (weights**2).sum() / weights.sum())

    if score(0.0) <= 0:
        return 0.0
    high = float(np.var(estimate) + variances.max())
    while score(high) > 0:
        high *= 2
    return float(optimize.brentq(score, 0.0, high, xtol=1e-15, rtol=1e-12))
