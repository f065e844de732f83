"""The deviance of a fitted model as a function of its parameters, in the outcome's own unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

from ipt_outcomes.errors import ConvergenceError
from ipt_outcomes.mixed.centring import constant_columns
from ipt_outcomes.mixed.design import Design
from ipt_outcomes.mixed.engine.build import build_problem
from ipt_outcomes.mixed.engine.evaluate import Point, evaluate
from ipt_outcomes.mixed.engine.optimise import largest_likelihood
from ipt_outcomes.mixed.engine.problem import Problem, Scaling
from ipt_outcomes.mixed.engine.rows import Rows
from ipt_outcomes.mixed.engine.slopes import factor_sums
from ipt_outcomes.mixed.engine.structure import Structure

if TYPE_CHECKING:
    from ipt_outcomes.mixed.linear_fit import LinearMixedFit


@dataclass(frozen=True, slots=True)
class Part:
    """A block of correlated effects.

    Parameters
    ----------
    group : str
    terms : tuple of str
    places : tuple of tuple of int
        ``places[i][j]`` is the place of entry (i, j) of the root among the parameters; -1 above the diagonal.
    """

    group: str
    terms: tuple[str, ...]
    places: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Best:
    """The smallest deviance."""

    theta: np.ndarray
    sigma: float
    beta: np.ndarray
    deviance: float


@dataclass(frozen=True, slots=True)
class Objective:
    """The deviance over the roots of the relative covariances and the residual SD.

    Parameters
    ----------
    design : Design
    problem : Problem
    scaling : Scaling
    structure : Structure
    theta : numpy.ndarray, shape (t,)
        Entries of the relative roots at the fit, for the columns as they are, as lme4 orders them.
    sigma : float
        Residual SD at the fit.
    rows : Rows or None
    """

    design: Design
    problem: Problem
    scaling: Scaling
    structure: Structure
    theta: np.ndarray
    sigma: float
    rows: Rows | None

    @property
    def parts(self) -> tuple[Part, ...]:
        """Blocks of correlated effects."""
        found = []
        places = {
            (int(f), int(i), int(j)): place
            for place, (f, i, j) in enumerate(
                zip(self.structure.factor, self.structure.row, self.structure.column, strict=True)
            )
        }
        for number, group in enumerate(self.design.factors):
            blocks = [random.block for random in group.columns]
            for block in dict.fromkeys(blocks):
                own = [place for place, of in enumerate(blocks) if of == block]
                grid = tuple(tuple(places.get((number, i, j), -1) for j in own) for i in own)
                found.append(Part(group.name, tuple(group.columns[place].column.name for place in own), grid))
        return tuple(found)

    def _point(self, theta: np.ndarray, sigma: float | None) -> Point:
        roots = self.structure.factors(np.asarray(theta, dtype=float))
        turned = tuple(np.linalg.solve(back, root) for back, root in zip(self.scaling.random_back, roots, strict=True))
        return evaluate(self.problem, turned, sigma=None if sigma is None else sigma / self.scaling.scale)

    def deviance(self, theta: np.ndarray, sigma: float | None = None) -> float:
        """Return minus twice the log-likelihood, coefficients (and the residual SD where not given) at their best."""
        return self._point(theta, sigma).deviance + 2 * self.problem.free * float(np.log(self.scaling.scale))

    def with_gradient(self, theta: np.ndarray, sigma: float | None = None) -> tuple[float, np.ndarray]:
        """Return the deviance and its gradient by `theta`, and by `sigma` as the last where that is given."""
        point = self._point(theta, sigma)
        slopes = []
        for own, back in zip(factor_sums(self.problem, point), self.scaling.random_back, strict=True):
            turned = np.linalg.inv(back)
            slopes.append(turned.T @ own.slope(point.variance, reml=self.problem.reml) @ turned)
        gradient = self.structure.gradient(slopes, self.structure.factors(np.asarray(theta, dtype=float)))
        value = point.deviance + 2 * self.problem.free * float(np.log(self.scaling.scale))
        if sigma is None:
            return value, gradient
        by_sigma = 2 * (self.problem.free - point.rss / point.variance) / sigma
        return value, np.append(gradient, by_sigma)

    def beta(self, theta: np.ndarray) -> np.ndarray:
        """Return the coefficients, shape (p,)."""
        return self._coefficients(self._point(theta, None))

    def _coefficients(self, point: Point) -> np.ndarray:
        found = self.scaling.fixed_back @ point.beta * self.scaling.scale
        if self.scaling.center:
            found[constant_columns(self.design)] += self.scaling.center
        return np.asarray(found)

    def holding(self, column: int, value: float) -> Objective:
        """Return the deviance with one coefficient held.

        Parameters
        ----------
        column : int
            Among the columns in the model.
        value : float

        Returns
        -------
        Objective
        """
        kept = tuple(own for place, own in enumerate(self.design.fixed) if place != column)
        y = self.design.y - value * self.design.row_values(self.design.fixed[column])
        design = replace(self.design, fixed=kept, y=y)
        problem, scaling = build_problem(design, reml=self.problem.reml, rows=self.rows)
        return replace(self, design=design, problem=problem, scaling=scaling)

    def best(self, start: np.ndarray | None = None, fixed: Mapping[int, float] | None = None) -> Best:
        """Minimise the deviance.

        Parameters
        ----------
        start : numpy.ndarray, shape (t,), optional
        fixed : mapping of int to float, optional
            Entries of `theta` that are held.

        Returns
        -------
        Best

        Raises
        ------
        ConvergenceError
        """
        begin = self.theta if start is None else np.asarray(start, dtype=float)
        if not fixed:
            roots = self.structure.factors(begin)
            covariances = [
                np.linalg.solve(back, root) @ np.linalg.solve(back, root).T
                for back, root in zip(self.scaling.random_back, roots, strict=True)
            ]
            optimum = largest_likelihood(self.problem, self.structure, self.structure.rooted(covariances))
            pairs = zip(self.scaling.random_back, optimum.factors, strict=True)
            theta = self.structure.rooted([back @ root @ root.T @ back.T for back, root in pairs])
        else:
            theta = self._held(begin, fixed)
        point = self._point(theta, None)
        value = point.deviance + 2 * self.problem.free * float(np.log(self.scaling.scale))
        sigma = float(np.sqrt(point.variance)) * self.scaling.scale
        return Best(theta, sigma, self._coefficients(point), value)

    def _held(self, begin: np.ndarray, fixed: Mapping[int, float]) -> np.ndarray:
        free = np.array([place for place in range(begin.size) if place not in fixed], dtype=int)
        whole = begin.copy()
        for place, value in fixed.items():
            whole[place] = value
        if not free.size:
            return whole

        def target(values: np.ndarray) -> tuple[float, np.ndarray]:
            own = whole.copy()
            own[free] = values
            value, slope = self.with_gradient(own)
            return value, slope[free]

        bounds = [(0.0 if self.structure.diagonal[place] else None, None) for place in free]
        options = {"ftol": 1e-14, "gtol": 1e-8, "maxiter": 500}
        found = minimize(target, whole[free], jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        if not np.isfinite(found.fun):
            raise ConvergenceError("the deviance has no least value with these parameters held", attempts=[])
        whole[free] = found.x
        return whole


def objective_of(fit: LinearMixedFit, *, reml: bool = False) -> Objective:
    """Return the deviance of a fit as a function.

    Parameters
    ----------
    fit : LinearMixedFit
    reml : bool
        The restricted likelihood.

    Returns
    -------
    Objective
        Parameters of the residuals (a correlation over time, variances of groups) stay as fitted.
    """
    inside = fit._inside
    theta = inside.structure.theta(fit.relative_factors())
    problem = replace(inside.problem, reml=reml)
    return Objective(fit.design, problem, inside.scaling, inside.structure, theta, fit.sigma, inside.residual.rows())
