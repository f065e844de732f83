"""A fitted model for repeated measures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from ipt_outcomes.errors import require_choice
from ipt_outcomes.mixed.design import Design
from ipt_outcomes.mixed.effects import fitted
from ipt_outcomes.mixed.fit import MixedFit
from ipt_outcomes.mixed.repeated.layout import Visits
from ipt_outcomes.mixed.repeated.structures import Covariance
from ipt_outcomes.mixed.sandwich import Sandwich, sandwich
from ipt_outcomes.mixed.spread import Spread

RepeatedDf = Literal["kenward-roger", "kenward-roger-linear", "satterthwaite", "between-within", "residual", "normal"]


@dataclass(frozen=True, slots=True)
class Inside:
    """What a fit keeps to answer further questions, in the outcome's own unit.

    Parameters
    ----------
    spread : Spread
    visits : Visits
    group : numpy.ndarray of int, shape (g,)
        Covariance matrix of each person.
    matrices : numpy.ndarray, shape (groups, kinds, t, t)
    between : numpy.ndarray of bool, shape (p,)
        Columns that do not change within any person.
    """

    spread: Spread
    visits: Visits
    group: np.ndarray
    matrices: np.ndarray
    between: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedFit(MixedFit):
    """A model for repeated measures (MMRM); see `MixedFit` for what it shares with other mixed models.

    Parameters
    ----------
    covariance_structure : str
        The structure that was fitted: of a sequence of structures the first that converged.
    covariance : pandas.DataFrame, shape (t, t)
        Of the residuals, visits in level order; with one matrix per group, the rows have a second level, the group,
        in front. For a spatial structure: at the times of the person with most visits.
    n_visits : int

    Notes
    -----
    ``vcov`` is Kenward and Roger's where `df_method` is. By REML, ``aic`` and ``bic`` count the covariance parameters
    and ``bic`` the people, as the R package mmrm does; they compare structures under the same fixed part.
    """

    title: ClassVar[str] = "Model for repeated measures"

    covariance_structure: Covariance
    covariance: pd.DataFrame
    n_visits: int
    _inside: Inside = field(repr=False, compare=False)

    @property
    def correlation(self) -> pd.DataFrame:
        """Correlations of the residuals, in the layout of `covariance`."""
        t = len(self.covariance.columns)
        found = self.covariance.copy()
        for start in range(0, len(found), t):
            block = found.iloc[start : start + t].to_numpy()
            sd = np.sqrt(np.diag(block))
            found.iloc[start : start + t] = block / np.multiply.outer(sd, sd)
        return found

    def df_of(self, weights: np.ndarray) -> float:
        """Return the degrees of freedom of one combination of the coefficients in the model, shape (p,)."""
        if self.df_method == "normal":
            return float("inf")
        if self.df_method == "residual":
            return float(self.n_obs - len(self.fixed))
        if self.df_method == "between-within":
            return self._between_within(weights)
        return self._inside.spread.df(weights)

    def f_scale(self, weights: np.ndarray) -> tuple[float, float]:
        """Return Kenward and Roger's scale of an F statistic and its degrees of freedom; weights of shape (r, p)."""
        return self._inside.spread.f_scale(weights)

    def vcov_robust(self, kind: Sandwich = "CR2") -> np.ndarray:
        """Return the sandwich covariance of the coefficients, people as clusters.

        Parameters
        ----------
        kind : {"CR0", "CR2", "CR3"}
            Plain, bias-reduced, or jackknife.

        Returns
        -------
        numpy.ndarray, shape (p, p)
        """
        require_choice("kind", kind, ("CR0", "CR2", "CR3"))
        inside, design = self._inside, self.design
        parts = {name: variable.values for name, variable in design.variables.items()}
        x = np.column_stack([column.evaluate(design.variables, parts, design.n_rows) for column in design.fixed])
        residual = design.y - x @ self.fixed["estimate"].to_numpy()
        order = np.argsort(design.codes, kind="stable")
        people = np.split(order, np.flatnonzero(np.diff(design.codes[order])) + 1)
        inverses = []
        for number, rows in enumerate(people):
            kind_of = 0 if inside.visits.kind is None else inside.visits.kind[number]
            own = inside.matrices[inside.group[number], kind_of]
            inverses.append(np.linalg.inv(own[np.ix_(inside.visits.of_row[rows], inside.visits.of_row[rows])]))
        return sandwich(kind, x, residual, inverses, people, inside.spread.vcov)

    def predict(self) -> np.ndarray:
        """Return the mean the model gives every row used, shape (n_obs,)."""
        return fitted(self.design, self.fixed["estimate"].to_numpy(), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the fit as JSON values, without the data."""
        matrix = self.covariance.to_numpy().tolist()
        return {
            **MixedFit.to_dict(self),
            "covariance_structure": self.covariance_structure,
            "covariance": {"visits": [str(name) for name in self.covariance.columns], "rows": matrix},
        }

    def _between_within(self, weights: np.ndarray) -> float:
        """The smallest of what the coefficients involved have: people minus what differs between them, or rows left."""
        inside = self._inside
        people, between = sum(self.n_groups.values()), int(inside.between.sum())
        intercept = int("(Intercept)" in set(self.fixed["term"]))
        involved = np.abs(weights) > 1e-8 * np.abs(weights).max()
        within = self.n_obs - people - (len(self.fixed) - between - intercept)
        return float(min(people - intercept - between, within) if (involved & inside.between).any() else within)

    def _spread_lines(self, digits: int) -> list[str]:
        lines = [f"  Covariance of the residuals: {self.covariance_structure}"]
        correlation = self.correlation
        for place, (name, row) in enumerate(self.covariance.iterrows()):
            label = " ".join(str(part) for part in name) if isinstance(name, tuple) else str(name)
            t = len(self.covariance.columns)
            sd = float(np.sqrt(row.iloc[place % t]))
            earlier = ", ".join(f"{value:.{digits}f}" for value in correlation.iloc[place, : place % t])
            beside = f", correlations with earlier visits {earlier}" if earlier else ""
            lines.append(f"  {label}: SD {sd:.{digits}f}{beside}")
        return lines


def between_columns(design: Design, constants: np.ndarray) -> np.ndarray:
    """Return which columns do not change within any person, the intercept aside, shape (p,)."""
    return np.array([bool(own) and column.parts != () for own, column in zip(constants, design.fixed, strict=True)])
