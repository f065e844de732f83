"""Likelihood of effects that were selected by their p values, with its gradient.

A study with one-sided p value p is seen with a probability proportional to w(p). Its effect then has the density
w(p) phi(y; mu, v + tau2)/A with A the integral of the numerator. Parameters are (mu, tau2, delta ...).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import ndtr, ndtri

# The beta weight is infinite at p = 0 or 1; between these p values it is as written, beyond them level.
BETA_EDGE = 1e-5
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(80)
_REACH = 9.0  # standard errors; beyond, a p value is 0 or 1 for every purpose

Value = tuple[float, np.ndarray]


class Model(Protocol):
    """A selection model: value and gradient of the log-likelihood."""

    n_delta: int
    bounds: tuple[tuple[float, float], ...]
    neutral: tuple[float, ...]

    def value(self, parameters: np.ndarray) -> Value:
        """Return the log-likelihood and its gradient at (mu, tau2, delta ...)."""
        ...


class StepModel:
    """Weights that are constant between steps of the p value; that of the first interval is 1.

    Parameters
    ----------
    y, v : numpy.ndarray, shape (k,)
    steps : tuple of float
        Inner ends of the intervals.
    """

    def __init__(self, y: np.ndarray, v: np.ndarray, steps: tuple[float, ...]) -> None:
        self.y, self.v = y, v
        p = ndtr(-y / np.sqrt(v))
        self.interval = np.searchsorted(np.array(steps), p, side="left")
        self.n_delta = len(steps)
        self.counts = np.bincount(self.interval, minlength=len(steps) + 1)
        self.bounds = ((0.0, 100.0),) * len(steps)
        self.neutral = (1.0,) * len(steps)
        # effects at which the p value passes a step, from the largest down
        inner = np.multiply.outer(np.sqrt(v), -ndtri(np.array(steps)))
        big = np.full((y.size, 1), np.inf)
        self.ends = np.concatenate([big, inner, -big], axis=1)

    def value(self, parameters: np.ndarray) -> Value:
        """Return the log-likelihood and its gradient."""
        mu, tau2 = parameters[:2]
        delta = np.concatenate([[1.0], parameters[2:]])
        variance = self.v + tau2
        s = np.sqrt(variance)
        u = (self.ends - mu) / s[:, None]
        density = np.where(np.isinf(u), 0.0, np.exp(-0.5 * np.where(np.isinf(u), 0.0, u) ** 2) / np.sqrt(2 * np.pi))
        shares = _between(u)
        seen = shares @ delta
        by_mu = (-density[:, :-1] + density[:, 1:]) / s[:, None]
        product = np.where(np.isinf(u), 0.0, density * np.where(np.isinf(u), 0.0, u))
        by_tau2 = (-product[:, :-1] + product[:, 1:]) / (2 * variance[:, None])
        away = self.y - mu
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.where(self.counts > 0, np.log(delta), 0.0)
            rates = np.where(self.counts > 0, self.counts / delta, 0.0)
        total = float(self.counts @ logs) - _normal(away, variance) - float(np.log(seen).sum())
        gradient = np.empty(parameters.size)
        gradient[0] = (away / variance).sum() - (by_mu @ delta / seen).sum()
        gradient[1] = 0.5 * ((away / variance) ** 2 - 1 / variance).sum() - (by_tau2 @ delta / seen).sum()
        gradient[2:] = (rates - (shares / seen[:, None]).sum(axis=0))[1:]
        return total, gradient


def _between(u: np.ndarray) -> np.ndarray:
    """Probability between neighbouring ends (falling), taken in the tail where it keeps its digits."""
    upper, lower = u[:, :-1], u[:, 1:]
    return np.asarray(np.where(lower > 0, ndtr(-lower) - ndtr(-upper), ndtr(upper) - ndtr(lower)))


def _normal(away: np.ndarray, variance: np.ndarray) -> float:
    return float(0.5 * (np.log(2 * np.pi * variance) + away**2 / variance).sum())


@dataclass(frozen=True, slots=True)
class Curve:
    """A weight that changes smoothly with the p value.

    Parameters
    ----------
    log_weight : callable
        From p, 1 - p and delta to log w and its derivatives, shape (n_delta, len(p)).
    bounds, neutral : tuple
        Limits of each delta, and the values at which nothing is selected.
    edge : float
        p values are taken as at least this, and at most 1 minus this.
    """

    log_weight: Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    bounds: tuple[tuple[float, float], ...]
    neutral: tuple[float, ...]
    edge: float = 0.0


def _beta(p: np.ndarray, q: np.ndarray, delta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lp, lq = np.log(p), np.log(q)
    return (delta[0] - 1) * lp + (delta[1] - 1) * lq, np.stack([lp, lq])


def _halfnormal(p: np.ndarray, q: np.ndarray, delta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return -delta[0] * p**2, -(p**2)[None]


def _negexp(p: np.ndarray, q: np.ndarray, delta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return -delta[0] * p, -p[None]


def _power(p: np.ndarray, q: np.ndarray, delta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    lq = np.log(np.maximum(q, 1e-300))
    return delta[0] * lq, lq[None]


CURVES: dict[str, Curve] = {
    "beta": Curve(_beta, ((BETA_EDGE, 100.0),) * 2, (1.0, 1.0), BETA_EDGE),
    "halfnormal": Curve(_halfnormal, ((0.0, 100.0),), (0.0,)),
    "negexp": Curve(_negexp, ((0.0, 100.0),), (0.0,)),
    "power": Curve(_power, ((0.0, 100.0),), (0.0,)),
}


class CurveModel:
    """Weights that follow a curve of the p value.

    Parameters
    ----------
    y, v : numpy.ndarray, shape (k,)
    curve : Curve
    """

    def __init__(self, y: np.ndarray, v: np.ndarray, curve: Curve) -> None:
        self.y, self.v, self.curve = y, v, curve
        self.n_delta = len(curve.bounds)
        self.bounds, self.neutral = curve.bounds, curve.neutral
        # the p value depends on the effect in standard errors only: one set of nodes for all studies
        reach = float(-ndtri(curve.edge)) if curve.edge > 0 else _REACH
        self.nodes, self.node_weights = reach * _NODES, reach * _NODE_WEIGHTS
        self.root = np.sqrt(v)
        self.reach = reach
        ends = np.array([-reach, reach])
        self.p_nodes = self._clipped(np.concatenate([self.nodes, ends]))
        self.p_own = self._clipped(y / self.root)

    def _clipped(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        edge = self.curve.edge
        return np.clip(ndtr(-z), edge, 1 - edge), np.clip(ndtr(z), edge, 1 - edge)

    def value(self, parameters: np.ndarray) -> Value:
        """Return the log-likelihood and its gradient."""
        mu, tau2, delta = parameters[0], parameters[1], parameters[2:]
        variance = self.v + tau2
        s = np.sqrt(variance)
        log_w, slope = self.curve.log_weight(*self.p_nodes, delta)
        w = np.exp(log_w)
        ends = np.array([-self.reach, self.reach])
        points = np.concatenate([self.nodes, ends])
        z = (np.multiply.outer(self.root, points) - mu) / s[:, None]
        density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
        inside = density[:, :-2] * (self.node_weights * (self.root / s)[:, None])
        # beyond the reach the weight is level, and the rest of the normal distribution in closed form
        mass = np.concatenate([inside, np.stack([ndtr(z[:, -2]), ndtr(-z[:, -1])], axis=1)], axis=1)
        sign = np.array([-1.0, 1.0])
        by_mu = np.concatenate([inside * z[:, :-2], sign * density[:, -2:]], axis=1) / s[:, None]
        by_tau2 = np.concatenate([inside * (z[:, :-2] ** 2 - 1), sign * density[:, -2:] * z[:, -2:]], axis=1)
        by_tau2 /= 2 * variance[:, None]
        seen = mass @ w
        own, own_slope = self.curve.log_weight(*self.p_own, delta)
        away = self.y - mu
        total = float(own.sum()) - _normal(away, variance) - float(np.log(seen).sum())
        gradient = np.empty(parameters.size)
        gradient[0] = (away / variance).sum() - (by_mu @ w / seen).sum()
        gradient[1] = 0.5 * ((away / variance) ** 2 - 1 / variance).sum() - (by_tau2 @ w / seen).sum()
        gradient[2:] = own_slope.sum(axis=1) - (mass @ (w * slope).T / seen[:, None]).sum(axis=0)
        return total, gradient
