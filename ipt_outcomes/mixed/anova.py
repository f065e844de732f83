"""Tests of whole terms."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ipt_outcomes.mixed.coding import ModelColumn
from ipt_outcomes.mixed.design import Design


def type_three(design: Design) -> Iterator[tuple[str, np.ndarray]]:
    """Yield every term of the fixed part with the hypothesis of its type III test.

    Parameters
    ----------
    design : Design

    Yields
    ------
    tuple of str and numpy.ndarray, shape (r, p)
        Name of the term; combinations of the coefficients that are 0 under the hypothesis.

    Notes
    -----
    A term is tested as if every factor in the model were coded by contrasts that sum to 0. Those coefficients are
    linear in the ones fitted: both codings give the same fitted values. A term that no other contains is tested by
    its own coefficients. Where a factor has no main effect, a slope is averaged over its levels all the same; lmerTest
    tests it at the reference level there.
    """
    values = {name: variable.values for name, variable in design.variables.items()}
    n = design.n_rows
    treatment = np.column_stack([column.evaluate(design.variables, values, n) for column in design.fixed])
    summing = np.column_stack([_summing(design, column, n) for column in design.fixed])
    turned = np.linalg.lstsq(summing, treatment, rcond=None)[0]
    terms = [column.term for column in design.fixed]
    for number, term in enumerate(design.formula.terms):
        if not term:
            continue
        own = [place for place, of in enumerate(terms) if of == number]
        inside = any(set(term) < set(other) for other in design.formula.terms)
        yield ":".join(term), turned[own] if inside else np.eye(len(terms))[own]


def _summing(design: Design, column: ModelColumn, n: int) -> np.ndarray:
    product = np.ones(n)
    # A factor that a term codes by all its levels keeps them.
    full = {name for other in design.fixed if other.term == column.term for name, place in other.parts if place == 0}
    for name, place in column.parts:
        variable = design.variables[name]
        own = variable.column_values(place)
        if variable.is_factor and name not in full:
            own = own - variable.column_values(0)
        product = product * own
    return product
