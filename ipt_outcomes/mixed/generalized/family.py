"""Distributions of the outcome: binomial with the logit link, Poisson with the log link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, gammaln

FamilyName = Literal["binomial", "poisson"]

# Beyond this a linear predictor is a probability of 0 or 1 (or a count no machine can hold) for every purpose.
_LARGEST = 500.0


@dataclass(frozen=True, slots=True)
class Family:
    """A distribution with its canonical link.

    Parameters
    ----------
    name : {"binomial", "poisson"}

    References
    ----------
    McCullagh and Nelder (1989), Generalized Linear Models, 2nd ed., doi:10.1007/978-1-4899-3242-6.
    """

    name: FamilyName

    @property
    def link(self) -> str:
        """Name of the link."""
        return "logit" if self.name == "binomial" else "log"

    def mean(self, eta: np.ndarray) -> np.ndarray:
        """Return the mean of one trial (a probability), or of a count."""
        return np.asarray(expit(eta)) if self.name == "binomial" else np.exp(np.minimum(eta, _LARGEST))

    def spread(self, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the variance of one trial or count, and its derivative by the linear predictor."""
        if self.name == "binomial":
            variance = mean * (1 - mean)
            return variance, variance * (1 - 2 * mean)
        return mean, mean

    def terms(self, y: np.ndarray, size: np.ndarray, eta: np.ndarray) -> np.ndarray:
        """Return the log-likelihood of rows, without what does not depend on the linear predictor."""
        if self.name == "binomial":
            return np.asarray(y * eta - size * np.logaddexp(0.0, eta))
        return np.asarray(y * eta - np.exp(np.minimum(eta, _LARGEST)))

    def constant(self, y: np.ndarray, size: np.ndarray) -> float:
        """Return what `terms` leaves out, summed."""
        if self.name == "binomial":
            return float((gammaln(size + 1) - gammaln(y + 1) - gammaln(size - y + 1)).sum())
        return float(-gammaln(y + 1).sum())
