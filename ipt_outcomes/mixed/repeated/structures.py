"""Covariance structures over visits: each a smooth function of free parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

Covariance = Literal[
    "unstructured",
    "compound-symmetry",
    "compound-symmetry-heterogeneous",
    "ar1",
    "ar1-heterogeneous",
    "toeplitz",
    "toeplitz-heterogeneous",
    "ante-dependence",
    "ante-dependence-heterogeneous",
    "spatial-exponential",
]
SPATIAL = "spatial-exponential"

_Map = Callable[[np.ndarray], np.ndarray]

_STEP = 1e-100
_SECOND_STEP = 1e-5
_LARGEST_CORRELATION = 0.95


@dataclass(frozen=True, slots=True)
class Structure:
    """A covariance matrix of the visits as a function of free parameters.

    Parameters
    ----------
    name : str
    n_parameters : int
    sigma : callable
        From parameters of shape (..., k), also complex, to matrices of shape (..., t, t).
    start : callable
        From standard deviations (t,) and correlations (t, t) to parameters (k,).

    Notes
    -----
    Parameters are free: logarithms of standard deviations, and correlations through x / sqrt(1 + x^2) (for compound
    symmetry a logistic curve); the unstructured matrix is D L L' D with L unit lower triangular. They are those of the
    R package mmrm. Kenward and Roger's adjustment with second
    derivatives depends on this choice; the linear form does not.
    """

    name: str
    n_parameters: int
    sigma: Callable[[np.ndarray], np.ndarray]
    start: Callable[[np.ndarray, np.ndarray], np.ndarray]

    def first(self, theta: np.ndarray) -> np.ndarray:
        """Return the derivative by each parameter, shape (k, t, t): a complex step has no rounding error."""
        moved = theta + 1j * _STEP * np.eye(self.n_parameters)
        return np.asarray(self.sigma(moved).imag / _STEP)

    def second(self, theta: np.ndarray) -> np.ndarray:
        """Return the second derivatives, shape (k, k, t, t): central differences of complex steps."""
        k = self.n_parameters
        along = 1j * _STEP * np.eye(k)[None, :, :]
        across = _SECOND_STEP * np.eye(k)[:, None, :]
        change = self.sigma(theta + across + along).imag - self.sigma(theta - across + along).imag
        found = change / (2 * _SECOND_STEP * _STEP)
        return np.asarray((found + np.swapaxes(found, 0, 1)) / 2)


def structure_of(name: str, n_visits: int, distances: np.ndarray | None = None) -> Structure:
    """Return a structure by name.

    Parameters
    ----------
    name : str
        As in `Covariance`.
    n_visits : int
    distances : numpy.ndarray, shape (..., t, t), optional
        Between visits, for the spatial structure; one matrix for all, or one per pattern of visits.

    Returns
    -------
    Structure
    """
    t = n_visits
    if name == "unstructured":
        return _unstructured(t)
    if name == SPATIAL:
        assert distances is not None  # noqa: S101  the caller has them
        return _spatial(distances)
    kind = name.removesuffix("-heterogeneous")
    heterogeneous = name != kind
    n_sd = t if heterogeneous else 1
    lag = np.abs(np.subtract.outer(np.arange(t), np.arange(t)))
    free_of: _Map = _free
    correlation_of: _Map = _correlation
    if kind == "compound-symmetry":
        n_cor, correlation = 1, _by_lag(np.minimum(lag, 1))
        free_of, correlation_of = _exchangeable(t)
    elif kind == "ar1":
        n_cor, correlation = 1, lambda rho: rho[..., 0, None, None] ** lag
    elif kind == "toeplitz":
        n_cor, correlation = t - 1, _by_lag(lag)
    else:
        n_cor, correlation = t - 1, _ante(t)

    def sigma(theta: np.ndarray) -> np.ndarray:
        sd = np.exp(theta[..., :n_sd]) * np.ones(t)
        rho = correlation_of(theta[..., n_sd:])
        return np.asarray(sd[..., :, None] * sd[..., None, :] * correlation(rho))

    def start(sd: np.ndarray, found: np.ndarray) -> np.ndarray:
        first = np.log(sd) if heterogeneous else np.log([np.sqrt(np.mean(sd**2))])
        return np.concatenate([first, free_of(_start_correlations(kind, found, n_cor))])

    return Structure(name, n_sd + n_cor, sigma, start)


def _correlation(free: np.ndarray) -> np.ndarray:
    return np.asarray(free / np.sqrt(1 + free**2))


def _free(correlation: np.ndarray) -> np.ndarray:
    kept = np.clip(correlation, -_LARGEST_CORRELATION, _LARGEST_CORRELATION)
    return np.asarray(kept / np.sqrt(1 - kept**2))


def _exchangeable(t: int) -> tuple[_Map, _Map]:
    """The correlation of compound symmetry, kept above -1 / (t - 1): below, matrices are not positive definite."""
    least = 1 / max(t - 1, 1)

    def free(correlation: np.ndarray) -> np.ndarray:
        share = (np.clip(correlation, -0.9 * least, _LARGEST_CORRELATION) + least) / (1 + least)
        return np.asarray(np.log(share / (1 - share)))

    def correlation(free: np.ndarray) -> np.ndarray:
        return np.asarray((1 + least) / (1 + np.exp(-free)) - least)

    return free, correlation


def _by_lag(lag: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Correlations that depend on the lag alone."""

    def matrix(rho: np.ndarray) -> np.ndarray:
        ones = np.ones((*rho.shape[:-1], 1), dtype=rho.dtype)
        return np.asarray(np.concatenate([ones, rho], axis=-1)[..., lag])

    return matrix


def _ante(t: int) -> Callable[[np.ndarray], np.ndarray]:
    """Correlations that are products of those between neighbours."""
    neighbours = np.arange(t - 1)
    rows, columns = np.meshgrid(np.arange(t), np.arange(t), indexing="ij")
    low, high = np.minimum(rows, columns), np.maximum(rows, columns)
    between = (neighbours >= low[..., None]) & (neighbours < high[..., None])

    def matrix(rho: np.ndarray) -> np.ndarray:
        return np.asarray(np.where(between, rho[..., None, None, :], 1.0).prod(axis=-1))

    return matrix


def _start_correlations(kind: str, found: np.ndarray, n_cor: int) -> np.ndarray:
    t = len(found)
    by_lag = np.array([np.diagonal(found, lag).mean() for lag in range(1, t)])
    if kind == "compound-symmetry":
        return np.array([max(found[~np.eye(t, dtype=bool)].mean(), -0.5 / max(t - 1, 1))])
    if kind == "ar1":
        return by_lag[:1]
    if kind == "toeplitz":
        # Lags that fade as powers of the first give a positive definite matrix.
        return np.asarray(np.sign(by_lag[0]) * abs(by_lag[0])) ** np.arange(1, n_cor + 1)
    return np.asarray(np.diagonal(found, 1))


def _unstructured(t: int) -> Structure:
    rows, columns = np.tril_indices(t, -1)

    def sigma(theta: np.ndarray) -> np.ndarray:
        lower = np.zeros((*theta.shape[:-1], t, t), dtype=theta.dtype)
        lower[..., np.arange(t), np.arange(t)] = 1.0
        lower[..., rows, columns] = theta[..., t:]
        lower = np.exp(theta[..., :t])[..., :, None] * lower
        return np.asarray(lower @ np.swapaxes(lower, -1, -2))

    def start(sd: np.ndarray, found: np.ndarray) -> np.ndarray:
        lower = np.linalg.cholesky(found * np.multiply.outer(sd, sd))
        scale = np.diag(lower)
        return np.concatenate([np.log(scale), (lower / scale[:, None])[rows, columns]])

    return Structure("unstructured", t + rows.size, sigma, start)


def _spatial(distances: np.ndarray) -> Structure:
    """Correlation rho to the power of the distance, rho between 0 and 1."""

    def sigma(theta: np.ndarray) -> np.ndarray:
        lead = theta.shape[:-1]
        variance = np.exp(theta[..., 0]).reshape(*lead, *[1] * distances.ndim)
        log_rho = -np.log1p(np.exp(-theta[..., 1])).reshape(*lead, *[1] * distances.ndim)
        return np.asarray(variance * np.exp(log_rho * distances))

    def start(sd: np.ndarray, found: np.ndarray) -> np.ndarray:
        # Half of the correlation is left at the middle distance.
        apart = distances[distances > 0]
        rho = 0.5 ** (1 / np.median(apart)) if apart.size else 0.5
        rho = float(np.clip(rho, 0.02, 0.98))
        return np.array([np.log(np.mean(sd**2)), np.log(rho / (1 - rho))])

    return Structure(SPATIAL, 2, sigma, start)
