"""Maximum of a selection model's likelihood within its bounds, and the information there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipt_outcomes.errors import ConvergenceError
from ipt_outcomes.meta.selection.likelihood import Model

_NEWTON = 60
_CLIMB = 80


@dataclass(frozen=True, slots=True)
class Maximum:
    """The best parameters found.

    Parameters
    ----------
    parameters : numpy.ndarray
        (mu, tau2, delta ...).
    log_likelihood : float
    covariance : numpy.ndarray or None
        Inverse of the observed information of the parameters inside their bounds, NaN for those at a bound;
        None where it is no covariance.
    at_bound : numpy.ndarray of bool
    """

    parameters: np.ndarray
    log_likelihood: float
    covariance: np.ndarray | None
    at_bound: np.ndarray


def maximise(model: Model, start: tuple[float, float], scale: float) -> Maximum:
    """Maximise from several starts and polish the best.

    Parameters
    ----------
    model : Model
    start : tuple of float
        mu and tau2 without selection.
    scale : float
        Typical sampling variance, the unit of steps.

    Returns
    -------
    Maximum

    Raises
    ------
    ConvergenceError
        No start led to a finite likelihood.
    """
    low = np.array([-np.inf, 0.0, *(bound[0] for bound in model.bounds)])
    high = np.array([np.inf, np.inf, *(bound[1] for bound in model.bounds)])
    best, height = None, -np.inf
    units = np.array([np.sqrt(scale), scale, *np.ones(model.n_delta)])
    for point in _starts(model, start, scale):
        found, value = _climb(model, np.clip(point, low, high), low, high, units)
        if value > height:
            best, height = found, value
    if best is None:
        raise ConvergenceError("the selection model has no finite likelihood", attempts=("climbs from five starts",))
    parameters = _polish(model, best, low, high, scale)
    value, gradient = model.value(parameters)
    margin = np.where(np.isfinite(high - low), 1e-9 * np.where(np.isfinite(high), high, 1.0), 1e-9 * scale)
    at_low = (parameters <= low + margin) & (gradient <= 0)
    at_high = (parameters >= high - margin) & (gradient >= 0)
    at_bound = at_low | at_high
    return Maximum(parameters, value, _covariance(model, parameters, at_bound, low, scale), at_bound)


def _finite(model: Model, x: np.ndarray) -> tuple[float, np.ndarray]:
    with np.errstate(all="ignore"):
        value, gradient = model.value(x)
    if not (np.isfinite(value) and np.isfinite(gradient).all()):
        return -np.inf, np.zeros_like(x)
    return value, gradient


def _climb(
    model: Model, x: np.ndarray, low: np.ndarray, high: np.ndarray, units: np.ndarray
) -> tuple[np.ndarray, float]:
    """Quasi-Newton (BFGS) ascent within bounds, in parameters divided by their units."""
    value, gradient = _finite(model, x)
    inverse, stuck = np.eye(x.size), np.zeros(x.size, dtype=bool)
    for _ in range(_CLIMB):
        slope = gradient * units
        now = ((x <= low) & (gradient <= 0)) | ((x >= high) & (gradient >= 0))
        if (now != stuck).any():
            inverse, stuck = np.eye(x.size), now
        free = ~stuck
        if not free.any() or np.abs(slope[free]).max() < 1e-7:
            break
        direction = np.zeros(x.size)
        direction[free] = inverse[np.ix_(free, free)] @ slope[free]
        length = float(np.abs(direction).max())
        direction *= min(1.0, 2.0 / length)
        new, new_value, new_gradient = x, value, gradient
        for halving in range(30):
            trial = np.clip(x + 0.5**halving * direction * units, low, high)
            height, rise = _finite(model, trial)
            if height > value + 1e-4 * float(gradient @ (trial - x)):
                new, new_value, new_gradient = trial, height, rise
                break
        if new is x:
            break
        inverse = _update(inverse, (new - x) / units, (gradient - new_gradient) * units)
        gained = new_value - value
        x, value, gradient = new, new_value, new_gradient
        if gained < 1e-10 * max(1.0, abs(value)):
            break
    return x, value


def _update(inverse: np.ndarray, step: np.ndarray, change: np.ndarray) -> np.ndarray:
    curvature = float(step @ change)
    if curvature <= 1e-12 * float(step @ step):
        return inverse
    turn = np.eye(step.size) - np.outer(step, change) / curvature
    return np.asarray(turn @ inverse @ turn.T + np.outer(step, step) / curvature)


def _starts(model: Model, start: tuple[float, float], scale: float) -> list[np.ndarray]:
    mu, tau2 = start
    neutral = np.array(model.neutral)
    few = neutral * 0.3 if neutral.any() else neutral + 1.0
    many = neutral * 2.0 if neutral.any() else neutral + 4.0
    points = [
        (mu, max(tau2, 0.05 * scale), neutral if neutral.any() else neutral + 0.1),
        (0.5 * mu, max(tau2, 0.05 * scale), few),
        (0.0, 0.01 * scale, few),
        (mu, max(2 * tau2, scale), many),
        (1.5 * mu, tau2 + 0.5 * scale, few),
    ]
    if neutral.size == 2:
        points.append((0.5 * mu, 0.1 * scale, np.array([0.05, 2.0])))
    return [np.array([a, b, *c]) for a, b, c in points]


def _steps(parameters: np.ndarray, scale: float) -> np.ndarray:
    return 1e-5 * np.array([np.sqrt(scale), scale, *np.maximum(np.abs(parameters[2:]), 0.05)])


def _hessian(model: Model, parameters: np.ndarray, free: np.ndarray, low: np.ndarray, scale: float) -> np.ndarray:
    """Second derivatives from differences of the gradient, one-sided beside a bound."""
    steps = _steps(parameters, scale)
    rows = []
    for i in np.flatnonzero(free):
        up, down = parameters.copy(), parameters.copy()
        up[i] += steps[i]
        down[i] = max(parameters[i] - steps[i], low[i])
        with np.errstate(all="ignore"):
            rows.append((model.value(up)[1] - model.value(down)[1])[free] / (up[i] - down[i]))
    hessian = np.array(rows)
    return np.asarray((hessian + hessian.T) / 2)


def _polish(model: Model, x: np.ndarray, low: np.ndarray, high: np.ndarray, scale: float) -> np.ndarray:
    """Newton's method on the parameters inside their bounds, never downhill."""
    for _ in range(_NEWTON):
        value, gradient = model.value(x)
        free = ~(((x <= low) & (gradient <= 0)) | ((x >= high) & (gradient >= 0)))
        if not free.any():
            return x
        curvature = -_hessian(model, x, free, low, scale)
        try:
            np.linalg.cholesky(curvature)
            step = np.linalg.solve(curvature, gradient[free])
        except np.linalg.LinAlgError:
            return x
        new = x
        for halving in range(30):
            trial = x.copy()
            trial[free] = np.clip(x[free] + 0.5**halving * step, low[free], high[free])
            with np.errstate(all="ignore"):
                height = model.value(trial)[0]
            if np.isfinite(height) and height >= value:
                new = trial
                break
        moved = np.abs(new - x)
        x = new
        if np.all(moved <= 1e-3 * _steps(x, scale)):
            return x
    return x


def _covariance(
    model: Model, parameters: np.ndarray, at_bound: np.ndarray, low: np.ndarray, scale: float
) -> np.ndarray | None:
    free = ~at_bound
    covariance = np.full((parameters.size, parameters.size), np.nan)
    information = -_hessian(model, parameters, free, low, scale)
    sizes = np.sqrt(np.abs(np.diag(information)))
    if not np.isfinite(information).all() or not sizes.all():
        return None
    scaled = information / np.multiply.outer(sizes, sizes)
    values = np.linalg.eigvalsh(scaled)
    if values.min() <= 1e-8:
        return None
    covariance[np.ix_(free, free)] = np.linalg.inv(scaled) / np.multiply.outer(sizes, sizes)
    return covariance
