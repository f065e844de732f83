"""A fitted linear mixed model with random effects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

import numpy as np
import pandas as pd

from ipt_outcomes.mixed.answers import LinearAnswers
from ipt_outcomes.mixed.effects import conditional, fitted, random_effects
from ipt_outcomes.mixed.engine.optimise import Optimum
from ipt_outcomes.mixed.engine.problem import Problem, Scaling
from ipt_outcomes.mixed.engine.residual import ResidualModel
from ipt_outcomes.mixed.engine.satterthwaite import Satterthwaite
from ipt_outcomes.mixed.engine.structure import Structure, semidefinite_root
from ipt_outcomes.mixed.fit import MixedFit

DfMethod = Literal[
    "satterthwaite", "kenward-roger", "kenward-roger-linear", "between-within", "residual", "normal"
]  # fmt: skip
"""Degrees of freedom of a linear mixed model."""


class Spread(Protocol):
    """Standard errors and degrees of freedom by another method."""

    @property
    def vcov(self) -> np.ndarray:
        """Covariance of the coefficients, shape (p, p)."""
        ...

    def df(self, weights: np.ndarray) -> float:
        """Return the degrees of freedom of one combination, shape (p,)."""
        ...

    def f_scale(self, weights: np.ndarray) -> tuple[float, float]:
        """Return the scale of an F statistic of several combinations, shape (r, p), and its degrees of freedom."""
        ...


@dataclass(frozen=True, slots=True)
class Inside:
    """What a fit keeps to answer further questions.

    Parameters
    ----------
    problem : Problem
    scaling : Scaling
    structure : Structure
    optimum : Optimum
    satterthwaite : Satterthwaite
    residual : ResidualModel
    vcov : numpy.ndarray, shape (p, p)
        Of the coefficients, the covariance parameters taken as known.
    spread : Spread or None
        Where degrees of freedom are by another method than Satterthwaite's.
    """

    problem: Problem
    scaling: Scaling
    structure: Structure
    optimum: Optimum
    satterthwaite: Satterthwaite
    residual: ResidualModel
    vcov: np.ndarray
    spread: Spread | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearMixedFit(LinearAnswers, MixedFit):
    """A linear mixed model; see `MixedFit` for what it holds.

    Parameters
    ----------
    residual_parameters : dict of str to float
        What the residuals have beside `sigma`: ``"correlation"`` (one unit of time apart), and the variance of each
        group relative to the first.
    """

    title: ClassVar[str] = "Linear mixed model"

    residual_parameters: dict[str, float] = field(default_factory=dict)
    _inside: Inside = field(repr=False, compare=False)

    def df_of(self, weights: np.ndarray) -> float:
        """Return the degrees of freedom of one linear combination, by the method of the fit."""
        if self.df_method == "normal":
            return float("inf")
        if self.df_method == "residual":
            return float(self.n_obs - len(self.fixed))
        if self._inside.spread is not None:
            return self._inside.spread.df(weights)
        return self._inside.satterthwaite.df(weights @ self._inside.scaling.fixed_back)

    def predict(self, *, random: bool = True) -> np.ndarray:
        """Return a fitted value for every row used.

        Parameters
        ----------
        random : bool
            Whether the effects of the levels of all grouping factors are added.

        Returns
        -------
        numpy.ndarray, shape (n_obs,)
        """
        effects = [own for own, _ in self._conditional()] if random else None
        return fitted(self.design, self.fixed["estimate"].to_numpy(), effects)

    def random_effects(self) -> pd.DataFrame:
        """Return the predicted effects of every level of every grouping factor: ``group level term estimate sd``.

        Returns
        -------
        pandas.DataFrame
            ``sd`` is the conditional standard deviation. Levels are as in the data: not for a report.
        """
        return random_effects(self.design, self._conditional())

    def relative_factors(self) -> tuple[np.ndarray, ...]:
        """Return roots of the covariances of the random effects, relative to the residual variance.

        Returns
        -------
        tuple of numpy.ndarray, shape (q, q)
            Lower triangular, one for each of ``design.factors``, for the columns as they are: the covariance is
            ``sigma**2 * root @ root.T``.
        """
        pairs = zip(self._inside.scaling.random_back, self._inside.optimum.factors, strict=True)
        return tuple(semidefinite_root(back @ root @ root.T @ back.T) for back, root in pairs)

    def row_weights(self) -> np.ndarray | None:
        """Return what the residual variance of each row is divided by, shape (n_obs,); None where that is 1."""
        return self._inside.residual.weights

    def residual_sd(self) -> np.ndarray:
        """Return the residual standard deviation of each row, shape (n_obs,)."""
        weights = self.row_weights()
        return np.full(self.n_obs, self.sigma) if weights is None else self.sigma / np.sqrt(weights)

    def _spread_lines(self, digits: int) -> list[str]:
        lines = []
        for row in self.random.to_dict("records"):
            other = f" with {row['term2']}" if row["term2"] else ""
            kind = "correlation" if row["term2"] else "SD"
            lines.append(f"  {row['group']}, {row['term1']}{other}: {kind} {row['sd_or_corr']:.{digits}f}")
        lines.append(f"  residual SD {self.sigma:.{digits}f}")
        return [*lines, *(f"  residual, {name}: {own:.{digits}f}" for name, own in self.residual_parameters.items())]

    def _conditional(self) -> list[tuple[np.ndarray, np.ndarray]]:
        inside = self._inside
        return conditional(
            inside.problem, inside.optimum.at, inside.optimum.factors, inside.scaling, self.sigma
        )  # fmt: skip
