"""The largest likelihood over the relative covariances of the random effects, with a certificate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from ipt_outcomes.errors import ConvergenceError, DesignError
from ipt_outcomes.mixed.engine.evaluate import Factors, Point
from ipt_outcomes.mixed.engine.problem import Problem
from ipt_outcomes.mixed.engine.slopes import FactorSums, factor_sums
from ipt_outcomes.mixed.engine.structure import Structure
from ipt_outcomes.mixed.engine.target import Curvature, Target, column_sizes

# Scaled so that a variance of 1 is as large as the residual variance.
SINGULAR = 1e-7
_FLAT = 1e-5
_STARTS = (1.0, 0.1, 10.0, 0.01)
_MOST_STEPS = 25
# Nearer to 0 than this, a diagonal entry of the factor is on the boundary.
_NEAR_BOUND = 1e-6
_SHORTEST = 1e-6
# Gain in deviance below which the search leaves the rest to Newton steps; most steps of the search.
_NEAR_GAIN = 1e-9
_MOST_SEARCH = 60
# Relative to the residual standard deviation.
_SMALL_DEVIATION = 5e-3
# Above so many units a start is looked for in a part of them.
_MANY_UNITS = 4_000
_START_UNITS = 2_000
# Curvature found this near, relative to the entries, is that of the point.
_SAME_PLACE = 1e-5


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where the likelihood is largest.

    Parameters
    ----------
    factors : tuple of numpy.ndarray
        Roots of the relative covariances.
    at : Point
    sums : tuple of FactorSums
        With those for second derivatives.
    curvature : Curvature
        By the entries as they are.
    sizes : tuple of numpy.ndarray
        Root mean square of each random column.
    nulls : tuple of numpy.ndarray or None
        Of each factor the combination of effects that does not vary; None where all do.
    attempts : tuple of str
        What did not converge, before the one that did.
    """

    factors: Factors
    at: Point
    sums: tuple[FactorSums, ...]
    curvature: Curvature
    sizes: tuple[np.ndarray, ...]
    nulls: tuple[np.ndarray | None, ...]
    attempts: tuple[str, ...]

    @property
    def singular(self) -> bool:
        """Whether the fit is on the boundary."""
        return any(null is not None for null in self.nulls)


@dataclass(frozen=True, slots=True)
class _Place:
    """A point of the search, with what is known there."""

    theta: np.ndarray
    point: Point
    sums: tuple[FactorSums, ...]
    gradient: np.ndarray
    curvature: Curvature | None
    steps: int


def largest_likelihood(problem: Problem, structure: Structure, start: np.ndarray | None = None) -> Optimum:
    """Find the optimum.

    Parameters
    ----------
    problem : Problem
    structure : Structure
    start : numpy.ndarray, shape (t,), optional
        Free entries to start from, as of `structure`; further starts follow where it does not lead to the optimum.

    Returns
    -------
    Optimum

    Raises
    ------
    ConvergenceError
        No start converged; ``.attempts`` says how each ended.
    DesignError
        There is no residual variation.

    Notes
    -----
    A quasi-Newton search on the analytic score, from the expected curvature on, finds the neighbourhood (of a large
    data set, first in a part of its units); where it fails, L-BFGS-B. Newton steps finish; with one grouping factor
    their curvature is exact, otherwise it comes from differences of the score. At the end the score must be 0, and on
    the boundary no variance may be worth growing.
    """
    target = Target.of_problem(problem, structure)
    attempts: list[str] = []
    starts = [np.where(structure.diagonal, own, 0.0) for own in _STARTS]
    if start is not None:
        starts.insert(0, start * target.scale)
    elif problem.n_units > _MANY_UNITS and (problem.upper is None or problem.upper.cells is None):
        near = _start_of_part(problem, structure)
        if near is not None:
            # A part may lack variation that all units have.
            begin = near * target.scale
            starts.insert(0, np.where(structure.diagonal, np.maximum(begin, 10 * _SMALL_DEVIATION), begin))
    for number, theta in enumerate(starts):
        given = number < len(starts) - len(_STARTS)
        name = "the first start" if given else f"start {_STARTS[number - len(starts) + len(_STARTS)]:g}"
        for again in range(3):
            try:
                place = _descend(target, theta, near=given and not again, again=again > 0)
            except np.linalg.LinAlgError:
                attempts.append(f"{name}: the numbers overflow")
                break
            fault, better = _fault(target, place)
            if fault is None:
                return _optimum(target, place, tuple(attempts))
            attempts.append(f"{name}: {fault} after {place.steps} steps")
            if better is None:
                break
            theta = better
    raise ConvergenceError(
        "the mixed model did not converge",
        attempts=attempts,
        hint="Use a simpler random part, for example (1 | group), or look for groups with hardly any rows.",
    )


def _start_of_part(problem: Problem, structure: Structure) -> np.ndarray | None:
    part = Target.of_problem(problem.some(max(2, problem.n_units // _START_UNITS)), structure)
    try:
        found = _neighbourhood(part, np.where(structure.diagonal, 1.0, 0.0))[0]
    except (np.linalg.LinAlgError, DesignError):
        # A part may lack what all units have; then the usual starts serve.
        return None
    return np.asarray(found / part.scale)


def _neighbourhood(target: Target, theta: np.ndarray, *, again: bool = False) -> tuple[np.ndarray, int]:
    """Go near the optimum, by a quasi-Newton method that starts from the expected curvature, or by L-BFGS-B."""
    if not again:
        return _quasi_newton(target, theta)
    bounds = [(0.0 if low else None, None) for low in target.structure.diagonal]
    options = {"ftol": 1e-10, "gtol": 1e-6, "maxiter": 500}
    found = minimize(target.both, theta, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return np.asarray(found.x), int(found.nit)


def _quasi_newton(target: Target, theta: np.ndarray) -> tuple[np.ndarray, int]:
    place = _placed(target, theta, target.at(theta), 0, second=False)
    hessian = target.expected(place.point, place.sums)
    for steps in range(_MOST_SEARCH):
        step = _newton_step(target.structure, place, hessian)
        # No entry changes by more than its own size, or that of the residual: far away the curvature is another.
        step = step / max(1.0, float((np.abs(step) / (np.abs(place.theta) + 0.5)).max(initial=0.0)))
        if -place.gradient @ step < _NEAR_GAIN:
            return place.theta, steps
        # A deviation falls to a tenth at most in one step: at 0 the score says nothing, and the search would end there.
        floor = np.where(place.theta > _SMALL_DEVIATION, 0.1 * place.theta, 0.0)
        moved = _along(target, place, step, floor)
        if moved is None:
            return place.theta, steps
        new = _placed(target, *moved, steps, second=False)
        hessian = _updated(hessian, new.theta - place.theta, new.gradient - place.gradient)
        place = new
    return place.theta, _MOST_SEARCH


def _updated(hessian: np.ndarray, step: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Curvature after a step: the BFGS update, damped so that it stays positive (Powell 1978)."""
    turned = hessian @ step
    old = float(step @ turned)
    if old <= 0:
        return hessian
    gained = float(step @ change)
    share = 1.0 if gained >= 0.2 * old else 0.8 * old / (old - gained)
    change = share * change + (1 - share) * turned
    return np.asarray(hessian - np.outer(turned, turned) / old + np.outer(change, change) / (step @ change))


def _placed(target: Target, theta: np.ndarray, point: Point, steps: int, *, second: bool) -> _Place:
    sums = factor_sums(target.problem, point, second=second)
    curvature = target.curvature(theta, point, sums) if second else None
    return _Place(theta, point, sums, target.gradient(point, sums), curvature, steps)


def _descend(target: Target, theta: np.ndarray, *, near: bool, again: bool) -> _Place:
    """Go to the neighbourhood and finish by Newton steps."""
    steps = 0
    # With one factor the curvature is exact and cheap: Newton steps serve from a start that is near.
    if not near or len(target.problem.sizes) > 1:
        theta, steps = _neighbourhood(target, theta, again=again)
    place = _placed(target, theta, target.at(theta), steps, second=True)
    curvature, found_at = place.curvature, place.theta
    for _ in range(_MOST_STEPS):
        assert curvature is not None  # noqa: S101  found with the place
        step = _newton_step(target.structure, place, curvature.profiled)
        gain = float(-place.gradient @ step)
        if gain < 1e-13 + 1e-15 * abs(place.point.deviance):
            break
        moved = _along(target, place, step, np.zeros(step.size))
        if moved is None:
            break
        # Near the optimum one more step hardly turns the curvature.
        second = _distance(moved[0], found_at) > _SAME_PLACE
        place = _placed(target, *moved, place.steps + 1, second=second and _worth(target, gain))
        if place.curvature is not None:
            curvature, found_at = place.curvature, place.theta
    if place.curvature is None and _distance(place.theta, found_at) > _SAME_PLACE:
        return _placed(target, place.theta, place.point, place.steps, second=True)
    full = place.sums if place.sums[0].ff is not None else factor_sums(target.problem, place.point, second=True)
    return _Place(place.theta, place.point, full, place.gradient, curvature, place.steps)


def _worth(target: Target, gain: float) -> bool:
    """Whether a new curvature is worth its price: by differences it costs two evaluations per entry."""
    return len(target.problem.sizes) == 1 or gain > 1e-2


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    return float((np.abs(one - other) / np.maximum(np.abs(one), 1e-2)).max(initial=0.0))


def _newton_step(structure: Structure, place: _Place, hessian: np.ndarray) -> np.ndarray:
    """Step within the bounds: an entry on its bound stays there if the score pushes it outwards."""
    held = structure.diagonal & (place.theta <= _NEAR_BOUND) & (place.gradient >= -_FLAT)
    inside = ~held
    step = np.zeros_like(place.theta)
    if inside.any():
        curvature, directions = np.linalg.eigh(hessian[np.ix_(inside, inside)])
        curvature = np.maximum(np.abs(curvature), 1e-8)
        step[inside] = -directions @ (directions.T @ place.gradient[inside] / curvature)
    return step


def _along(
    target: Target, place: _Place, step: np.ndarray, floor: np.ndarray
) -> tuple[np.ndarray, Point] | None:  # fmt: skip
    """The longest part of a step, halved again and again, that does not raise the deviance; None where none is.

    Entries on the diagonal do not fall below `floor`.
    """
    length = 1.0
    while length > _SHORTEST:
        theta = place.theta + length * step
        theta = np.where(target.structure.diagonal, np.maximum(theta, floor), theta)
        point = target.at(theta)
        if point.deviance <= place.point.deviance + 1e-12 * abs(place.point.deviance):
            return theta, point
        length /= 2
    return None


def _fault(target: Target, place: _Place) -> tuple[str | None, np.ndarray | None]:
    """Why a point is not the optimum, with a better point to go on from; None where it is."""
    if not np.isfinite(place.point.deviance):
        return "the likelihood is not finite", None
    structure, sizes = target.structure, column_sizes(target.problem)
    covariances = []
    worst, growing = 0.0, False
    for number, (own, factor) in enumerate(zip(place.sums, place.point.factors, strict=True)):
        size = sizes[number]
        scaled = own.slope(place.point.variance, reml=target.problem.reml) / np.multiply.outer(size, size)
        score = np.where(structure.together(number), scaled, 0.0)
        root = factor * size[:, None]
        covariance = root @ root.T
        levels = max(own.levels, 1)
        worst = max(worst, float(np.abs(score @ covariance).max()) / levels)
        curvature, directions = np.linalg.eigh(score)
        if curvature[0] < -_FLAT * levels:
            # The likelihood grows with more variance in this direction: go on from there.
            covariance = covariance + 0.01 * np.outer(directions[:, 0], directions[:, 0])
            covariance = np.where(structure.together(number), covariance, 0.0) + 1e-10 * np.eye(len(factor))
            growing = True
        covariances.append(covariance)
    if growing:
        return "stopped on the boundary, where more variance is likelier", structure.rooted(covariances)
    if worst > _FLAT:
        return "the score is not 0", place.theta
    return None, None


def _optimum(target: Target, place: _Place, attempts: tuple[str, ...]) -> Optimum:
    assert place.curvature is not None  # noqa: S101  found at the end of the descent
    outer = np.multiply.outer(target.scale, target.scale)
    raw = Curvature(
        place.curvature.theta * outer, place.curvature.with_variance * target.scale, place.curvature.variance
    )
    sizes = column_sizes(target.problem)
    nulls = tuple(
        _null_direction(factor * size[:, None], size) for factor, size in zip(place.point.factors, sizes, strict=True)
    )
    return Optimum(place.point.factors, place.point, place.sums, raw, sizes, nulls, attempts)


def _null_direction(root: np.ndarray, size: np.ndarray) -> np.ndarray | None:
    variances, directions = np.linalg.eigh(root @ root.T)
    return directions[:, 0] * size if variances[0] < SINGULAR else None
