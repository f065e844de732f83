"""A fitted model for repeated measures."""

from __future__ import annotations

from collections.abc import Iterator
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
from ipt_outcomes.mixed.simulation import check_generator
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
        each = list(self._people())
        people, inverses = [rows for rows, _ in each], [np.linalg.inv(matrix) for _, matrix in each]
        return sandwich(kind, x, residual, inverses, people, inside.spread.vcov)

    def predict(self) -> np.ndarray:
        """Return the mean the model gives every row used, shape (n_obs,)."""
        return fitted(self.design, self.fixed["estimate"].to_numpy(), None)

    def residuals(self, *, standardised: bool = False) -> np.ndarray:
        """Return what the fixed part leaves of each outcome.

        Parameters
        ----------
        standardised : bool
            Divided by its SD and freed of its correlation with the person's earlier visits.

        Returns
        -------
        numpy.ndarray, shape (n_obs,)
        """
        left = np.asarray(self.design.y - self.predict())
        if not standardised:
            return left
        for rows, matrix in self._people():
            left[rows] = np.linalg.solve(np.linalg.cholesky(matrix), left[rows])
        return left

    def simulate(self, rng: np.random.Generator) -> np.ndarray:
        """Draw an outcome for every row used.

        Parameters
        ----------
        rng : numpy.random.Generator

        Returns
        -------
        numpy.ndarray, shape (n_obs,)
        """
        check_generator(rng)
        found = self.predict()
        for rows, matrix in self._people():
            found[rows] += np.linalg.cholesky(matrix) @ rng.standard_normal(len(rows))
        return found

    def _people(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Rows of each person, and their covariance matrix."""
        inside, codes = self._inside, self.design.codes
        order = np.argsort(codes, kind="stable")
        for number, rows in enumerate(np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)):
            kind = 0 if inside.visits.kind is None else inside.visits.kind[number]
            places = inside.visits.of_row[rows]
            yield rows, inside.matrices[inside.group[number], kind][np.ix_(places, places)]

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
