"""Intervals by the profile of the likelihood: of standard deviations, correlations, the residual SD, coefficients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import brentq

from ipt_outcomes.errors import ConvergenceError, OptionError
from ipt_outcomes.mixed.descent import Descent
from ipt_outcomes.mixed.progress import counted

if TYPE_CHECKING:
    from ipt_outcomes.mixed.linear_fit import LinearMixedFit

# A correlation this near to 1 or -1 is on its bound.
_LARGEST_CORRELATION = 1 - 1e-7
_MOST_STEPS = 40
_STEP = 1e-6


@dataclass(frozen=True, slots=True)
class Place:
    """One of the parameters that have a profile.

    Parameters
    ----------
    name : str
        As lme4 writes it: ``sd_week|patient_id``, ``cor_week.(Intercept)|patient_id``, ``sigma``.
    part : int
        Block of correlated effects; -1 for the residual SD.
    row, column : int
        Effects of the block; equal for a standard deviation.
    """

    name: str
    part: int
    row: int
    column: int


@dataclass(slots=True)
class Surface:
    """The deviance as a function of SDs, correlations and the residual SD.

    Parameters
    ----------
    objective : Objective
        Of the engine, by maximum likelihood.
    widths : tuple of int
        Effects of each block.
    orders : list of numpy.ndarray of int
        Order in which a block's effects are taken: its first two have their correlation as a parameter of its own.
    """

    objective: Any
    widths: tuple[int, ...]
    orders: list[np.ndarray] = field(default_factory=list)

    def theta(self, values: np.ndarray) -> tuple[np.ndarray, float]:
        """Return the engine's parameters."""
        sigma = float(values[-1])
        found = np.zeros(len(self.objective.theta))
        start = 0
        for part, width, order in zip(self.objective.parts, self.widths, self.orders, strict=True):
            count = width * (width + 1) // 2
            own = values[start : start + count]
            factor = np.empty((width, width))
            factor[order] = own[:width, None] * _correlation_root(own[width:], width)
            lower = _lower(factor) / sigma
            for i in range(width):
                for j in range(i + 1):
                    found[part.places[i][j]] = lower[i, j]
            start += count
        return found, sigma

    def values(self, theta: np.ndarray, sigma: float) -> np.ndarray:
        """Return SDs, partial correlations and the residual SD."""
        found: list[float] = []
        for part, width, order in zip(self.objective.parts, self.widths, self.orders, strict=True):
            lower = np.zeros((width, width))
            for i in range(width):
                for j in range(i + 1):
                    lower[i, j] = theta[part.places[i][j]]
            turned = _lower(sigma * lower[order])
            sds = np.sqrt((turned**2).sum(axis=1))
            found += [*sds, *_partials(turned / np.where(sds > 0, sds, 1.0)[:, None])]
        return np.array([*found, sigma])

    def __call__(self, values: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the deviance and its gradient."""
        theta, sigma = self.theta(values)
        try:
            deviance, slope = self.objective.with_gradient(theta, sigma)
        except np.linalg.LinAlgError:
            return np.inf, np.zeros_like(values)
        found = np.empty_like(values)
        for place in range(values.size):
            move = np.zeros_like(values)
            move[place] = _STEP * max(1.0, abs(values[place]))
            sides = [self.theta(values + sign * move)[0] for sign in (1, -1)]
            found[place] = slope[:-1] @ (sides[0] - sides[1]) / (2 * move[place])
        found[-1] += slope[-1]
        return float(deviance), found

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the least and the largest value of each parameter."""
        low: list[float] = []
        high: list[float] = []
        for width in self.widths:
            pairs = width * (width - 1) // 2
            low += [0.0] * width + [-_LARGEST_CORRELATION] * pairs
            high += [np.inf] * width + [_LARGEST_CORRELATION] * pairs
        return np.array([*low, 1e-8]), np.array([*high, np.inf])


def profile(fit: LinearMixedFit, level: float, *, progress: bool = False) -> pd.DataFrame:
    """Return profile intervals of all parameters.

    Parameters
    ----------
    fit : LinearMixedFit
        By REML or ML: profiles are of the likelihood, not of the restricted one.
    level : float
    progress : bool

    Returns
    -------
    pandas.DataFrame
        ``term ci_low ci_high``: SDs, correlations, ``sigma``, coefficients. A limit on a bound (an SD of 0, a
        correlation of 1 or -1) says that no value short of it is unlikely enough.

    Raises
    ------
    OptionError
        A level that is none.

    References
    ----------
    Venzon and Moolgavkar (1988), Appl Stat 37(1):87-94, doi:10.2307/2347496; Bates et al. (2015), J Stat Softw 67(1),
    section 5.1, doi:10.18637/jss.v067.i01.
    """
    if not 0 < level < 1:
        raise OptionError(f"level must be between 0 and 1; got {level}")
    from ipt_outcomes.mixed.engine.objective import objective_of

    objective = objective_of(fit, reml=False)
    best = objective.best()
    target = float(np.sqrt(stats.chi2.ppf(level, 1)))
    rows = []
    spots = places_of(objective)
    n_fixed = len(fit.fixed)
    for number in counted(len(spots) + n_fixed, "profiles", show=progress):
        if number < len(spots):
            limits = _of_spread(objective, best, spots[number], target)
            rows.append((spots[number].name, *limits))
        else:
            column = number - len(spots)
            size = float(np.sqrt(fit.vcov[column, column]))
            rows.append((fit.fixed["term"].iloc[column], *_of_coefficient(objective, best, column, size, target)))
    return pd.DataFrame(rows, columns=["term", "ci_low", "ci_high"])


def places_of(objective: Any) -> list[Place]:
    """Return the SDs and correlations, block by block and column by column, and the residual SD."""
    found = []
    for number, part in enumerate(objective.parts):
        for j, column in enumerate(part.terms):
            found.append(Place(f"sd_{column}|{part.group}", number, j, j))
            found += [
                Place(f"cor_{row}.{column}|{part.group}", number, j + 1 + i, j)
                for i, row in enumerate(part.terms[j + 1 :])
            ]
    return [*found, Place("sigma", -1, 0, 0)]


def _of_spread(objective: Any, best: Any, place: Place, target: float) -> tuple[float, float]:
    """Limits of an SD, a correlation or the residual SD."""
    widths = tuple(len(part.terms) for part in objective.parts)
    orders = [np.arange(width) for width in widths]
    start = sum(width * (width + 1) // 2 for width in widths[: max(place.part, 0)])
    low, high = 0.0, np.inf
    if place.part < 0:
        held, low = sum(width * (width + 1) // 2 for width in widths), 1e-8
    elif place.row == place.column:
        held = start + place.row
    else:
        pair = [place.column, place.row]
        orders[place.part] = np.array([*pair, *(i for i in range(widths[place.part]) if i not in pair)])
        held, low, high = start + widths[place.part], -_LARGEST_CORRELATION, _LARGEST_CORRELATION
    surface = Surface(objective, widths, orders)
    top = surface.values(best.theta, best.sigma)
    free = np.arange(top.size) != held
    scale = np.where(np.abs(top[free]) > 1e-3, np.abs(top[free]), 1.0)
    lowest, highest = surface.bounds()
    descent = Descent(lowest[free] / scale, highest[free] / scale)
    state = {"at": top[free]}

    def deviance(value: float) -> float:
        def of_others(others: np.ndarray) -> tuple[float, np.ndarray]:
            whole = np.empty(top.size)
            whole[held], whole[free] = value, others * scale
            found, slope = surface(whole)
            return found, slope[free] * scale

        state["at"], found = descent(of_others, state["at"] / scale)
        state["at"] = state["at"] * scale
        return found

    step = 0.2 * float(top[held]) if place.row == place.column else 0.2
    step = step if step > 1e-6 * best.sigma else 0.1 * best.sigma
    found = []
    for sign, bound in ((-1, low), (1, high)):
        state["at"] = top[free]
        limit = crossing(deviance, float(top[held]), best.deviance, sign * step, bound, target)
        if place.row != place.column and abs(limit) >= _LARGEST_CORRELATION:
            limit = float(sign)
        found.append(0.0 if place.part < 0 and limit <= low else limit)
    return found[0], found[1]


def _of_coefficient(objective: Any, best: Any, column: int, size: float, target: float) -> tuple[float, float]:
    state = {"theta": best.theta}

    def deviance(value: float) -> float:
        found = objective.holding(column, value).best(start=state["theta"])
        state["theta"] = found.theta
        return float(found.deviance)

    limits = []
    for sign in (-1, 1):
        state["theta"] = best.theta
        top = float(best.beta[column])
        limits.append(crossing(deviance, top, best.deviance, sign * 2 * size, sign * np.inf, target))
    return limits[0], limits[1]


def crossing(
    deviance: Callable[[float], float], top: float, least: float, step: float, bound: float, target: float
) -> float:
    """Return where the root of the deviance over its least value reaches a target; the bound where it does not.

    Parameters
    ----------
    deviance : callable
        Of the value held.
    top : float
        Where it is least.
    least : float
    step : float
        First step, with the sign of the direction.
    bound : float
        How far the value can go.
    target : float

    Returns
    -------
    float

    Raises
    ------
    ConvergenceError
        The target is not reached.
    """

    def above(value: float) -> float:
        return float(np.sqrt(max(deviance(value) - least, 0.0))) - target

    if top == bound:
        return bound
    near = top
    for _ in range(_MOST_STEPS):
        far = near + step
        if np.isfinite(bound) and (far - bound) * np.sign(step) >= 0:
            far = bound
        height = above(far)
        if height >= 0:
            if far == near or height == 0:
                return far
            return float(brentq(above, near, far, xtol=1e-7 * max(abs(far - near), 1e-6), rtol=1e-8))
        if far == bound:
            return bound
        # The root of the deviance is nearly a straight line: go on as far as that says, and a little more.
        reached = (height + target) / abs(far - top)
        left = -height / reached if reached > 0 else abs(step)
        near, step = far, np.sign(step) * max(1.1 * left, 0.1 * abs(far - top))
    raise ConvergenceError("a profile of the likelihood does not come to an end", attempts=())


def _correlation_root(partial: np.ndarray, width: int) -> np.ndarray:
    """Lower triangular root of a correlation matrix from partial correlations, row by row."""
    root = np.zeros((width, width))
    place = 0
    for i in range(width):
        left = 1.0
        for j in range(i):
            root[i, j] = partial[place] * np.sqrt(left)
            left -= root[i, j] ** 2
            place += 1
        root[i, i] = np.sqrt(max(left, 0.0))
    return root


def _partials(root: np.ndarray) -> list[float]:
    found = []
    for i in range(len(root)):
        left = 1.0
        for j in range(i):
            found.append(float(np.clip(root[i, j] / np.sqrt(left), -1, 1) if left > 1e-14 else 0.0))
            left -= root[i, j] ** 2
    return found


def _lower(factor: np.ndarray) -> np.ndarray:
    """Lower triangular matrix with the same product with its transpose, its diagonal not negative."""
    upper = np.asarray(np.linalg.qr(factor.T, mode="r"))
    signs = np.where(np.diag(upper) < 0, -1.0, 1.0)
    return np.asarray(upper.T * signs)
