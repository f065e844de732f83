"""Models of the residuals beside one variance: a correlation over time, a variance of each group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from ipt_outcomes.errors import ConvergenceError
from ipt_outcomes.mixed.design import Design
from ipt_outcomes.mixed.engine.build import build_problem
from ipt_outcomes.mixed.engine.evaluate import evaluate
from ipt_outcomes.mixed.engine.optimise import Optimum, largest_likelihood
from ipt_outcomes.mixed.engine.problem import Problem, Scaling
from ipt_outcomes.mixed.engine.rows import Neighbours, Rows
from ipt_outcomes.mixed.engine.satterthwaite import Satterthwaite, moved_information, satterthwaite
from ipt_outcomes.mixed.engine.slopes import factor_sums
from ipt_outcomes.mixed.engine.structure import Structure

_STEP = 3e-4
# Logit of a correlation, and logarithm of a ratio of variances, within which the optimum is looked for.
_WIDEST = 12.0


@dataclass(frozen=True, slots=True)
class ResidualModel:
    """What the residuals have beside one variance.

    Parameters
    ----------
    prior : numpy.ndarray, shape (n,), or None
        Weights given.
    neighbours : Neighbours or None
        Where residuals of a person are correlated over time.
    group : numpy.ndarray of int, shape (n,), or None
        Where groups of rows have variances of their own.
    names : tuple of str
        Of the groups after the first.
    parameters : tuple of float
        Logit of the correlation, then logarithms of the variances relative to that of the first group.
    """

    prior: np.ndarray | None = None
    neighbours: Neighbours | None = None
    group: np.ndarray | None = None
    names: tuple[str, ...] = ()
    parameters: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        """Number of parameters."""
        return int(self.neighbours is not None) + len(self.names)

    @property
    def correlation(self) -> float:
        """Correlation of residuals one unit of time apart."""
        return 0.0 if self.neighbours is None else float(1 / (1 + np.exp(-self.parameters[0])))

    @property
    def ratios(self) -> np.ndarray:
        """Variances of the groups relative to the first, shape (groups,)."""
        own = self.parameters[int(self.neighbours is not None) :]
        return np.asarray(np.exp(np.array([0.0, *own])))

    @property
    def weights(self) -> np.ndarray | None:
        """What the residual variance of each row is divided by, shape (n,); None where that is 1."""
        if self.group is None:
            return self.prior
        own = 1 / self.ratios[self.group]
        return np.asarray(own if self.prior is None else own * self.prior)

    def rows(self) -> Rows | None:
        """Return the change of the rows after which the residuals are alike; None where they are."""
        weights = self.weights
        if weights is None and self.neighbours is None:
            return None
        return Rows(weights, self.neighbours, self.correlation)

    def at(self, parameters: np.ndarray) -> ResidualModel:
        """Return the model with other parameters."""
        return ResidualModel(self.prior, self.neighbours, self.group, self.names, tuple(float(x) for x in parameters))

    def named(self) -> dict[str, float]:
        """Return the correlation and the relative variances by name."""
        found = {} if self.neighbours is None else {"correlation": self.correlation}
        return {**found, **dict(zip(self.names, self.ratios[1:].tolist(), strict=True))}


@dataclass(frozen=True, slots=True)
class Solution:
    """A fitted model in the engine's units."""

    problem: Problem
    scaling: Scaling
    optimum: Optimum
    residual: ResidualModel
    satterthwaite: Satterthwaite


def solve(
    design: Design,
    structure: Structure,
    residual: ResidualModel,
    *,
    reml: bool,
    built: tuple[Problem, Scaling] | None = None,
    start: np.ndarray | None = None,
) -> Solution:
    """Fit all parameters of the covariance.

    Parameters
    ----------
    design : Design
    structure : Structure
    residual : ResidualModel
    reml : bool
    built : tuple of Problem and Scaling, optional
        Where they are known; only without parameters of the residuals.
    start : numpy.ndarray, shape (t,), optional
        Free entries to start from.

    Returns
    -------
    Solution

    Raises
    ------
    ConvergenceError
        ``.attempts`` says how each start ended.
    """
    if not residual.size:
        problem, scaling = built or build_problem(design, reml=reml, rows=residual.rows())
        optimum = largest_likelihood(problem, structure, start)
        return Solution(problem, scaling, optimum, residual, satterthwaite(structure, optimum))
    search = _Search(design, structure, residual, reml)
    parameters = search.best()
    problem, scaling, optimum = search.fitted(parameters)
    found = residual.at(parameters)
    return Solution(problem, scaling, optimum, found, search.spread(parameters, optimum))


class _Search:
    """The parameters of the residuals, the others at their best for each."""

    def __init__(self, design: Design, structure: Structure, residual: ResidualModel, reml: bool) -> None:
        self.design, self.structure, self.residual, self.reml = design, structure, residual, reml
        self.start: np.ndarray | None = None
        self.like: Scaling | None = None

    def built(self, parameters: np.ndarray) -> tuple[Problem, Scaling]:
        rows = self.residual.at(parameters).rows()
        problem, scaling = build_problem(self.design, reml=self.reml, rows=rows, like=self.like)
        self.like = scaling
        return problem, scaling

    def fitted(self, parameters: np.ndarray) -> tuple[Problem, Scaling, Optimum]:
        problem, scaling = self.built(parameters)
        optimum = largest_likelihood(problem, self.structure, self.start)
        self.start = self.structure.theta(optimum.factors)
        return problem, scaling, optimum

    def profile(self, parameters: np.ndarray) -> tuple[float, np.ndarray]:
        """Deviance with the other parameters at their best, and its gradient: theirs is 0 there."""
        _, _, optimum = self.fitted(parameters)
        slope = _central(lambda own: self.deviance(own, optimum), parameters)
        return optimum.at.deviance, slope

    def deviance(self, parameters: np.ndarray, optimum: Optimum) -> float:
        problem, _ = self.built(parameters)
        return evaluate(problem, optimum.factors).deviance

    def best(self) -> np.ndarray:
        attempts = []
        bounds = [(-_WIDEST, _WIDEST)] * self.residual.size
        for first in (-1.0, 1.0, -4.0):
            start = np.zeros(self.residual.size)
            if self.residual.neighbours is not None:
                start[0] = first
            found = minimize(
                self.profile, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-6}
            )
            _, slope = self.profile(found.x)
            free = np.abs(found.x) < _WIDEST
            if np.abs(slope[free]).max(initial=0.0) < 1e-4:
                return np.asarray(found.x)
            attempts.append(f"residual parameters from {first:g}: {found.message}")
        raise ConvergenceError(
            "the parameters of the residuals did not converge",
            attempts=attempts,
            hint="Leave out residual or residual_by, or use fewer random effects.",
        )

    def spread(self, parameters: np.ndarray, optimum: Optimum) -> Satterthwaite:
        """Satterthwaite's degrees of freedom that know of the parameters of the residuals."""
        t, k = self.structure.size, parameters.size
        hessian = np.zeros((t + k + 1, t + k + 1))
        known = np.append(np.arange(t), t + k)
        hessian[np.ix_(known, known)] = optimum.curvature.whole()
        sigma = float(np.sqrt(optimum.at.variance))

        def slopes(own: np.ndarray) -> np.ndarray:
            """Gradient by the free entries and the logarithm of the residual variance, then the information."""
            problem, _ = self.built(own)
            point = evaluate(problem, optimum.factors, sigma=sigma)
            sums = factor_sums(problem, point)
            by_theta = self.structure.gradient(
                [one.slope(point.variance, reml=self.reml) for one in sums], point.factors
            )
            by_variance = problem.free - point.rss / point.variance
            return np.concatenate([by_theta, [by_variance], np.linalg.inv(point.a_inv).ravel()])

        moved = _central(slopes, parameters)
        hessian[np.ix_(known, np.arange(t, t + k))] = moved[: t + 1]
        hessian[np.ix_(np.arange(t, t + k), known)] = moved[: t + 1].T
        hessian[t : t + k, t : t + k] = self._second(parameters, optimum, sigma)
        p = len(optimum.at.beta)
        information = [*moved_information(self.structure, optimum), *(-moved[t + 1 :].T.reshape(k, p, p))]
        places = zip(self.structure.factor, self.structure.row, strict=True)
        size = np.concatenate([[1 / optimum.sizes[factor][row] for factor, row in places], np.ones(k + 1)])
        scaled = hessian * np.multiply.outer(size, size)
        curvature, directions = np.linalg.eigh(scaled)
        told = curvature > 1e-6
        inverse = (directions[:, told] / curvature[told]) @ directions[:, told].T
        return Satterthwaite(optimum.at.a_inv, np.array(information), 2 * inverse * np.multiply.outer(size, size))

    def _second(self, parameters: np.ndarray, optimum: Optimum, sigma: float) -> np.ndarray:
        def value(own: np.ndarray) -> float:
            problem, _ = self.built(own)
            return evaluate(problem, optimum.factors, sigma=sigma).deviance

        return _central(lambda own: _central(value, own, 10 * _STEP), parameters, 10 * _STEP)


def _central(
    function: Callable[[np.ndarray], float | np.ndarray], at: np.ndarray, step: float = _STEP
) -> np.ndarray:  # fmt: skip
    """Differentiate by central differences; the parameters along the last axis."""
    columns = []
    for place in range(at.size):
        move = np.zeros(at.size)
        move[place] = step
        columns.append((np.asarray(function(at + move)) - np.asarray(function(at - move))) / (2 * step))
    return np.stack(columns, axis=-1)
