"""Tests of whole terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from ipt_outcomes.mixed.coding import ModelColumn
from ipt_outcomes.mixed.design import Design

_SEED = 20211017
# Made-up rows per column: enough for every combination of levels.
_ROWS = 50


def type_three(design: Design) -> Iterator[tuple[str, np.ndarray]]:
    """Yield every term of the fixed part with the hypothesis of its type III test.

    Parameters
    ----------
    design : Design

    Yields
    ------
    tuple of str and numpy.ndarray, shape (r, p_all)
        Name of the term; combinations of the coefficients that are 0 under the hypothesis.

    Notes
    -----
    A term is tested as if every factor in the model were coded by contrasts that sum to 0. Those coefficients are
    linear in the ones fitted: both codings give the same fitted values. A term that no other contains is tested by
    its own coefficients. Where a factor has no main effect, a slope is averaged over its levels all the same; lmerTest
    tests it at the reference level there.
    """
    values, n = _values(design)
    columns = design.everything
    treatment = np.column_stack([column.evaluate(design.variables, values, n) for column in columns])
    summing = np.column_stack([_summing(design, column, values, n) for column in columns])
    turned, _, rank, _ = np.linalg.lstsq(summing, treatment, rcond=None)
    if rank < len(columns):
        # Numbers that give one another: which of them a slope belongs to is nobody's to say.
        turned = np.full_like(turned, np.nan)
    terms = [column.term for column in columns]
    for number, term in enumerate(design.formula.terms):
        if not term:
            continue
        own = [place for place, of in enumerate(terms) if of == number]
        inside = any(set(term) < set(other) for other in design.formula.terms)
        yield ":".join(term), turned[own] if inside else np.eye(len(terms))[own]


def type_two(design: Design) -> Iterator[tuple[str, np.ndarray]]:
    """Yield every term of the fixed part with the hypothesis of its type II test.

    Parameters
    ----------
    design : Design

    Yields
    ------
    tuple of str and numpy.ndarray, shape (r, p_all)
        Name of the term; combinations of the coefficients that are 0 under the hypothesis.

    Notes
    -----
    Each term after all terms that do not contain it, those that contain it left out of account: its columns are taken
    orthogonal to theirs over the rows used, each row with the same weight, as lmerTest does.
    """
    kept = design.estimable.kept
    columns = [design.everything[place] for place in kept]
    x = design.fixed_matrix()
    for number, term in enumerate(design.formula.terms):
        if not term:
            continue
        over = {
            place for place, other in enumerate(design.formula.terms) if place != number and set(term) <= set(other)
        }
        own = [place for place, column in enumerate(columns) if column.term == number]
        above = [place for place, column in enumerate(columns) if column.term in over]
        below = [place for place in range(len(columns)) if place not in {*own, *above}]
        weights = np.zeros((len(own), len(design.everything)))
        if own:
            left = x[:, own] - x[:, below] @ np.linalg.lstsq(x[:, below], x[:, own], rcond=None)[0]
            share = np.linalg.lstsq(left, x[:, above], rcond=None)[0] if above else np.empty((len(own), 0))
            weights[:, kept[own]] = np.eye(len(own))
            weights[:, kept[above]] = share
        yield ":".join(term), weights


def _values(design: Design) -> tuple[dict[str, np.ndarray], int]:
    """Values of the variables: of the rows used or, where no row has some combination of levels, of made-up rows."""
    values = {name: variable.values for name, variable in design.variables.items()}
    if not design.dropped:
        return values, design.n_rows
    rng = np.random.default_rng(_SEED)
    n = max(design.n_rows, _ROWS * len(design.everything))
    drawn = np.arange(n) % design.n_rows
    made = {
        name: rng.integers(len(variable.levels), size=n) if variable.is_factor else variable.values[drawn]
        for name, variable in design.variables.items()
    }
    return made, n


def _summing(design: Design, column: ModelColumn, values: Mapping[str, np.ndarray], n: int) -> np.ndarray:
    product = np.ones(n)
    # A factor that a term codes by all its levels keeps them.
    full = {
        name for other in design.everything if other.term == column.term for name, place in other.parts if place == 0
    }
    for name, place in column.parts:
        variable = design.variables[name]
        own = variable.column_values(place, values[name])
        if variable.is_factor and name not in full:
            own = own - variable.column_values(0, values[name])
        product = product * own
    return product
