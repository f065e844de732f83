"""From terms to columns: treatment coding, and full coding where a margin is missing, as R decides it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ipt_outcomes.errors import DesignError
from ipt_outcomes.mixed.formula import Term
from ipt_outcomes.mixed.transforms import Recipe

INTERCEPT = "(Intercept)"
MOST_COLUMNS = 2000


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the formula with its values on the rows used.

    Parameters
    ----------
    name : str
    recipe : Recipe or None
        How a numeric variable is computed; None for a factor.
    column : str
        The data column behind a factor; empty for a numeric variable.
    levels : tuple
        Levels of a factor.
    values : numpy.ndarray
        Shape (n, width) for numbers, codes of shape (n,) for a factor.
    """

    name: str
    recipe: Recipe | None
    column: str
    levels: tuple[Any, ...]
    values: np.ndarray

    @property
    def is_factor(self) -> bool:
        """Whether it has levels."""
        return self.recipe is None

    @property
    def labels(self) -> tuple[str, ...]:
        """Name of each column or level."""
        if self.recipe is not None:
            return self.recipe.labels
        return tuple(f"{self.name}[{level}]" for level in self.levels)

    def column_values(self, place: int, values: np.ndarray | None = None) -> np.ndarray:
        """Return one column, or the dummy of one level, as floats."""
        found = self.values if values is None else values
        return (found == place).astype(float) if self.is_factor else found[:, place]


Part = tuple[str, int]
"""A variable's name, and the place of one of its columns or levels."""


@dataclass(frozen=True, slots=True)
class ModelColumn:
    """One column of a model matrix: a product.

    Parameters
    ----------
    name : str
        For example ``week:arm[ipt]``.
    parts : tuple of (variable, place)
        Empty for the intercept.
    term : int
        Which term it belongs to.
    """

    name: str
    parts: tuple[Part, ...]
    term: int

    def evaluate(self, variables: Mapping[str, Variable], values: Mapping[str, np.ndarray], n: int) -> np.ndarray:
        """Return the column for other values of the variables, shape (n,)."""
        product = np.ones(n)
        for name, place in self.parts:
            product = product * variables[name].column_values(place, values[name])
        return product


def code_terms(terms: Sequence[Term], variables: Mapping[str, Variable]) -> tuple[ModelColumn, ...]:
    """Return the columns of terms.

    Parameters
    ----------
    terms : sequence of Term
        The empty term first where there is an intercept; ordered by degree.
    variables : mapping of str to Variable

    Returns
    -------
    tuple of ModelColumn
        Within a term the first variable varies fastest.

    Raises
    ------
    DesignError
        A factor that needs a reference level has one level only.

    Notes
    -----
    A factor in a term is coded against its first level if the rest of the term stands in the model (as, or inside,
    an earlier term, or as the intercept), otherwise by a column for every level. Without an intercept the first
    factor that stands alone has a column for every level.
    """
    has_intercept = bool(terms) and terms[0] == ()
    full_spent = has_intercept
    columns: list[ModelColumn] = []
    for number, term in enumerate(terms):
        choices: list[list[Part]] = []
        for name in term:
            variable = variables[name]
            first = 0
            if variable.is_factor:
                rest = set(term) - {name}
                earlier = any(rest <= set(other) for other in terms[:number] if other)
                against_first = earlier if rest else full_spent
                full_spent = full_spent or not rest
                first = 1 if against_first else 0
                _check_levels(variable, needed=1 + first)
            choices.append([(name, place) for place in range(first, len(variable.labels))])
        for picked in itertools.product(*reversed(choices)):
            parts = tuple(reversed(picked))
            columns.append(ModelColumn(_name(parts, variables), parts, number))
        if len(columns) > MOST_COLUMNS:
            raise DesignError(f"the formula stands for more than {MOST_COLUMNS} columns")
    return tuple(columns)


def _check_levels(variable: Variable, needed: int) -> None:
    if len(variable.levels) < needed:
        shown = ", ".join(str(level) for level in variable.levels) or "none"
        raise DesignError(
            f"{variable.name} has one level only in the rows used ({shown}), so nothing can be compared",
            column=variable.column,
        )


def _name(parts: tuple[Part, ...], variables: Mapping[str, Variable]) -> str:
    return ":".join(variables[name].labels[place] for name, place in parts) or INTERCEPT
