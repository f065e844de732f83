"""Linear combinations of coefficients that answer questions: means, their differences, slopes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.mixed.columns import Factor
from ipt_outcomes.mixed.design import Design
from ipt_outcomes.sums import steady_sum

Against = Literal["reference", "pairwise"]
Weights = Literal["equal", "proportional"]
At = Mapping[str, float | Sequence[float]]

_MOST_POINTS = 20_000
# Half the step of a slope, as a share of the column's range.
_HALF_STEP = 5e-4


@dataclass(frozen=True, slots=True)
class Combinations:
    """Linear combinations of the fixed effects.

    Parameters
    ----------
    labels : pandas.DataFrame, shape (k, ...)
        What each one is.
    weights : numpy.ndarray, shape (k, p_all)
        Of all columns the formula stands for, those left out of the model among them.
    family : numpy.ndarray of int, shape (k,)
        Which of them are adjusted together.
    n_means : int
        Means compared in one family; 0 where they are no differences.
    pairwise : bool
        Whether a family holds all pairs of them.
    """

    labels: pd.DataFrame
    weights: np.ndarray
    family: np.ndarray
    n_means: int = 0
    pairwise: bool = False


def means(
    design: Design, factor: str, *, by: str | None = None, at: At | None = None, weights: Weights = "equal"
) -> Combinations:
    """Return the estimated means of a factor's levels.

    Parameters
    ----------
    design : Design
    factor : str
    by : str, optional
    at : mapping, optional
    weights : {"equal", "proportional"}
        Of the levels of other factors.

    Returns
    -------
    Combinations
        A family for each level of `by` and each point of `at`.
    """
    require_choice("weights", weights, ("equal", "proportional"))
    grid = _Grid(design, weights)
    levels = grid.levels(factor)
    labels, rows, family = [], [], []
    for number, point in enumerate(grid.points(by, at)):
        for level in levels:
            labels.append({factor: level, **point})
            rows.append(grid.row({factor: level, **point}))
            family.append(number)
    return Combinations(pd.DataFrame(labels), np.array(rows), np.array(family))


def contrasts(
    design: Design, factor: str, *, by: str | None = None, at: At | None = None, against: Against = "reference"
) -> Combinations:
    """Return the differences between the estimated means of a factor's levels."""
    return _differences(means(design, factor, by=by, at=at), factor, against)


def trends(
    design: Design, variable: str, *, by: str | None = None, at: At | None = None, against: Against | None = None
) -> Combinations:
    """Return slopes by a numeric column, per level of a factor, or their differences."""
    grid = _Grid(design)
    values = grid.numbers(variable)
    half = _HALF_STEP * (float(np.ptp(values)) or 1.0)
    levels: tuple[Any, ...] = grid.levels(by) if by is not None else (None,)
    if by is None and against is not None:
        raise OptionError("against compares slopes between the levels of a factor: give by, too")
    labels, weights, family = [], [], []
    for number, point in enumerate(grid.points(None, at)):
        middle = point.get(variable, grid.mean(variable))
        for level in levels:
            here = point if by is None else {by: level, **point}
            ahead, behind = (grid.row({**here, variable: middle + step}) for step in (half, -half))
            labels.append(here or {"variable": variable})
            weights.append((ahead - behind) / (2 * half))
            family.append(number)
    found = Combinations(pd.DataFrame(labels), np.array(weights), np.array(family))
    return found if against is None or by is None else _differences(found, by, against)


def _differences(of: Combinations, factor: str, against: Against) -> Combinations:
    require_choice("against", against, ("reference", "pairwise"))
    labels, weights, family = [], [], []
    n_levels = 0
    for number in np.unique(of.family):
        rows = np.flatnonzero(of.family == number)
        n_levels = rows.size
        pairs = itertools.combinations(rows, 2) if against == "pairwise" else ((rows[0], other) for other in rows[1:])
        for first, second in pairs:
            names = of.labels[factor]
            rest = of.labels.loc[second].drop(factor).to_dict()
            labels.append({"contrast": f"{names[second]} - {names[first]}", **rest})
            weights.append(of.weights[second] - of.weights[first])
            family.append(number)
    if not labels:
        raise OptionError(f"{factor} has one level only: nothing can be compared")
    return Combinations(
        pd.DataFrame(labels), np.array(weights), np.array(family), n_means=n_levels, pairwise=against == "pairwise"
    )


class _Grid:
    """Points at which the fixed part is evaluated: over the levels of other factors, other numbers at their mean."""

    def __init__(self, design: Design, weights: Weights = "equal") -> None:
        self.design = design
        self.weights = weights
        self._means: dict[str, float] = {}
        used = {name for column in design.everything for name, _ in column.parts}
        self.variables = {name: variable for name, variable in design.variables.items() if name in used}
        self.factors: dict[str, tuple[Any, ...]] = {}
        for variable in self.variables.values():
            if variable.is_factor:
                self.factors.setdefault(variable.column, variable.levels)
        self.numeric = {
            name: values
            for name, values in design.columns.items()
            if not isinstance(values, Factor) and name not in self.factors
        }

    def levels(self, name: str) -> tuple[Any, ...]:
        """Levels of a factor of the fixed part."""
        if name not in self.factors:
            known = ", ".join(self.factors) or "none"
            raise OptionError(f"{name!r} is no factor of the fixed part; its factors: {known}")
        return self.factors[name]

    def numbers(self, name: str) -> np.ndarray:
        """Values of a numeric column on the rows used."""
        if name not in self.numeric:
            known = ", ".join(self.numeric) or "none"
            raise OptionError(f"{name!r} is no numeric column of the model; its numeric columns: {known}")
        return self.numeric[name]

    def mean(self, name: str) -> float:
        """Mean of a numeric column on the rows used, the same in whatever order they come."""
        if name not in self._means:
            values = self.numbers(name)
            self._means[name] = steady_sum(values) / values.size
        return self._means[name]

    def _shares(self, names: list[str], combinations: list[tuple[Any, ...]]) -> np.ndarray:
        """Weights of combinations of levels of factors, shape (n,)."""
        if self.weights == "equal" or not names:
            return np.full(len(combinations), 1 / len(combinations))
        places = [_codes(self.design, name) for name in names]
        sizes = tuple(len(self.factors[name]) for name in names)
        counts = np.bincount(np.ravel_multi_index(tuple(places), sizes), minlength=int(np.prod(sizes)))
        # In the order of the combinations: the last factor varies fastest.
        return np.asarray(counts / counts.sum())

    def points(self, by: str | None, at: At | None) -> list[dict[str, Any]]:
        """Every combination of the levels of `by` and the values of `at`."""
        asked: dict[str, list[Any]] = {}
        if by is not None and by in self.factors:
            asked[by] = list(self.levels(by))
        elif by is not None and by not in (at or {}):
            asked[by] = [self.mean(by)]
        for name, values in (at or {}).items():
            given = list(values) if isinstance(values, list | tuple | range | np.ndarray) else [values]
            asked[name] = self._checked(name, given)
        return [dict(zip(asked, values, strict=True)) for values in itertools.product(*asked.values())]

    def _checked(self, name: str, given: list[Any]) -> list[Any]:
        if name in self.factors:
            unknown = [value for value in given if value not in self.factors[name]]
            if unknown:
                raise OptionError(f"{name} has no level {unknown[0]!r}; its levels: {self.factors[name]}")
            return given
        self.numbers(name)
        try:
            return [float(value) for value in given]
        except (TypeError, ValueError):
            raise OptionError(f"at: the values of {name} must be numbers") from None

    def row(self, point: Mapping[str, Any]) -> np.ndarray:
        """Weights of the coefficients in the mean at a point, shape (p,)."""
        rest = [[(name, level) for level in levels] for name, levels in self.factors.items() if name not in point]
        combinations = list(itertools.islice(itertools.product(*rest), _MOST_POINTS + 1))
        n = len(combinations)
        if n > _MOST_POINTS:
            raise OptionError("the other factors have too many combinations of levels to average over: name them in at")
        values: dict[str, list[Any]] = {name: [value] * n for name, value in point.items()}
        for place, options in enumerate(rest):
            values[options[0][0]] = [combination[place][1] for combination in combinations]
        columns = {
            name: np.array(values[name], dtype=float) if name in values else np.full(n, self.mean(name))
            for name in self.numeric
        }
        parts = {}
        for name, variable in self.variables.items():
            if variable.recipe is None:
                places = {level: place for place, level in enumerate(variable.levels)}
                parts[name] = np.array([places[level] for level in values[variable.column]])
            else:
                parts[name] = variable.recipe.evaluate(columns)
        shares = self._shares([options[0][0] for options in rest], combinations)
        return np.array([column.evaluate(self.variables, parts, n) @ shares for column in self.design.everything])


def factor_values(design: Design, name: str) -> np.ndarray:
    """Return the values of a column on the rows used: numbers, or levels of a factor made of numbers."""
    own = design.columns[name]
    return np.asarray(own.levels, dtype=float)[own.codes] if isinstance(own, Factor) else own


def _codes(design: Design, name: str) -> np.ndarray:
    """Level of each row used."""
    return next(variable.values for variable in design.variables.values() if variable.column == name)
