"""What a reader of a mixed model must know before using its numbers, found in the fit and its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ipt_outcomes.mixed.columns import Factor

if TYPE_CHECKING:
    from ipt_outcomes.mixed.design import Design
    from ipt_outcomes.mixed.fit import MixedFit

FEW_PEOPLE = 10
FEW_GROUPS = 5


def cautions(fit: MixedFit) -> tuple[str, ...]:
    """Return sentences, the gravest first; levels of random grouping factors (people, therapists) are never named.

    Parameters
    ----------
    fit : MixedFit

    Returns
    -------
    tuple of str
    """
    design = fit.design
    found: list[str] = []
    separated = getattr(fit, "separated", ())
    if separated:
        found.append(
            f"The outcome is nearly decided by {', '.join(separated)}: coefficients, standard errors and tests there "
            "cannot be relied on."
        )
    if fit.singular:
        found.append(
            f"The fit is on the boundary: {fit.singular_direction}. Degrees of freedom and likelihood-ratio tests of "
            "variances hold only roughly there."
        )
    if fit.dropped_terms:
        found.append(f"Not in the model, since the columns before give them: {', '.join(fit.dropped_terms)}.")
    found += _origin(design)
    found += _varying(design)
    found += _small_levels(design)
    found += _small_groups(design)
    return tuple(found)


def _origin(design: Design) -> list[str]:
    """Products of a number and a factor without the factor: what they say depends on where the number is 0."""
    terms = {frozenset(term) for term in design.formula.terms}
    found = []
    for term in design.formula.terms:
        numbers = [name for name in term if not design.variables[name].is_factor]
        factors = frozenset(name for name in term if design.variables[name].is_factor)
        if not numbers or not factors or factors in terms:
            continue
        names, product = ":".join(sorted(factors, key=term.index)), ":".join(term)
        shared = " and ".join(numbers)
        found.append(
            f"{product} stands without {names}: all levels of {names} are held equal where {shared} is 0, so the "
            f"result depends on the origin of {shared}. That is right where 0 is a baseline before treatment."
        )
    return found


def _varying(design: Design) -> list[str]:
    """Covariates that nearly every person has constant, but some not."""
    if not design.factors:
        return []
    codes = design.codes
    known = codes >= 0
    order = np.argsort(codes[known], kind="stable")
    starts = np.concatenate(([0], np.flatnonzero(np.diff(codes[known][order])) + 1))
    sizes = np.diff(np.append(starts, order.size))
    several = int((sizes > 1).sum())
    found = []
    for name, values in design.columns.items():
        if name in _outcome_columns(design):
            continue
        own = (values.codes if isinstance(values, Factor) else values)[known][order]
        low, high = np.minimum.reduceat(own, starts), np.maximum.reduceat(own, starts)
        changing = int((high > low).sum())
        # One that changes in many groups is meant to; one that changes in a few is a slip in the data.
        if 0 < changing <= max(1, several // 10):
            found.append(
                f"{name} is constant within all but {changing} of {several} levels of {design.group}: look whether "
                "that is right."
            )
    return found


def _outcome_columns(design: Design) -> set[str]:
    from ipt_outcomes.mixed.formula import columns_of

    return set(columns_of(design.formula.response))


def _small_levels(design: Design) -> list[str]:
    """Levels of factors of the fixed part that few people have."""
    found = []
    seen: set[str] = set()
    codes = design.codes
    for variable in design.variables.values():
        if not variable.is_factor or variable.column in seen:
            continue
        seen.add(variable.column)
        pairs = np.unique(np.column_stack([variable.values, codes])[codes >= 0], axis=0)
        people = np.bincount(pairs[:, 0], minlength=len(variable.levels))
        few = [f"{level} ({count})" for level, count in zip(variable.levels, people, strict=True) if count < FEW_PEOPLE]
        if few:
            found.append(
                f"Fewer than {FEW_PEOPLE} levels of {design.group} are behind these levels of {variable.column}: "
                f"{', '.join(few)}."
            )
    return found


def _small_groups(design: Design) -> list[str]:
    """Grouping factors with few levels, and levels of upper ones with few people."""
    found = []
    for number, factor in enumerate(design.factors):
        count = len(factor.levels)
        if count < FEW_GROUPS:
            found.append(f"{factor.name} has {count} levels: a variance between so few is hardly known.")
        if number == 0:
            continue
        both = (factor.codes >= 0) & (design.codes >= 0)
        pairs = np.unique(np.column_stack([factor.codes, design.codes])[both], axis=0)
        few = int((np.bincount(pairs[:, 0], minlength=count) < FEW_GROUPS).sum())
        if few:
            found.append(f"{few} of {count} levels of {factor.name} have fewer than {FEW_GROUPS} {design.group}.")
    return found
