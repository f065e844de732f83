"""Columns as a product of what changes within a group and what does not; how they are centred without loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipt_outcomes.mixed.coding import ModelColumn, Part
from ipt_outcomes.mixed.design import Design, product_of_parts
from ipt_outcomes.sums import Groups, steady_sum


@dataclass(frozen=True, slots=True)
class Split:
    """Columns written as (what changes within groups) times (what is constant in a group).

    Parameters
    ----------
    groups : Groups
    basis : tuple of numpy.ndarray, shape (n,), or None
        Columns of rows; None is the column of ones, which stands first.
    constants : tuple of numpy.ndarray, shape (g,), or None
        Values of groups; None is 1 in every group and stands first.
    fixed, random : tuple of (int, int)
        Place of each column's basis column and constant.
    """

    groups: Groups
    basis: tuple[np.ndarray | None, ...]
    constants: tuple[np.ndarray | None, ...]
    fixed: tuple[tuple[int, int], ...]
    random: tuple[tuple[int, int], ...]


def split_columns(design: Design) -> Split:
    """Write every column as basis column times constant.

    Notes
    -----
    The groups are those of the factor with the most levels. A row without one is a group of its own, whose random
    columns are 0: it has no random effect of that factor and is not dropped.
    """
    known, codes = len(design.group_levels), design.codes
    alone = np.flatnonzero(codes < 0)
    if alone.size:
        codes = codes.copy()
        codes[alone] = known + np.arange(alone.size)
    groups = Groups.from_codes(codes, known + alone.size)
    constant = {name: _is_constant(groups, variable.values) for name, variable in design.variables.items()}
    basis: dict[tuple[Part, ...], int] = {(): 0}
    constants: dict[tuple[Part, ...], int] = {(): 0}

    def place(column: ModelColumn) -> tuple[int, int]:
        varying = tuple(sorted(part for part in column.parts if not constant[part[0]]))
        fixed = tuple(sorted(part for part in column.parts if constant[part[0]]))
        return basis.setdefault(varying, len(basis)), constants.setdefault(fixed, len(constants))

    fixed = tuple(place(column) for column in design.fixed)
    random = [place(random.column) for random in design.random]
    values: list[np.ndarray | None] = [_group_values(design, groups, parts) for parts in constants]
    if alone.size:
        own = len(design.factors[0].columns)
        random[:own], values = _without_effect(random[:own], values, groups.n_groups, known)
    columns = tuple(product_of_parts(design, parts) for parts in basis)
    return Split(groups, columns, tuple(values), fixed, tuple(random))


def _without_effect(
    random: list[tuple[int, int]], values: list[np.ndarray | None], n_groups: int, known: int
) -> tuple[list[tuple[int, int]], list[np.ndarray | None]]:
    """Give random columns constants that are 0 from group `known` on."""
    has_group = (np.arange(n_groups) < known).astype(float)
    places: dict[int, int] = {}
    for _, constant in random:
        if constant not in places:
            own = values[constant]
            places[constant] = len(values)
            values.append(has_group if own is None else own * has_group)
    return [(basis, places[constant]) for basis, constant in random], values


def _is_constant(groups: Groups, values: np.ndarray) -> bool:
    if values.ndim == 1:
        return groups.is_constant(values)
    return all(groups.is_constant(values[:, place]) for place in range(values.shape[1]))


def _group_values(design: Design, groups: Groups, parts: tuple[Part, ...]) -> np.ndarray | None:
    product: np.ndarray | None = None
    for name, place in parts:
        variable = design.variables[name]
        values = variable.column_values(place, groups.first(variable.values))
        product = values if product is None else product * values
    return product


def constant_columns(design: Design) -> list[int]:
    """Return the fixed columns that add up to 1 in every row: the intercept, or all levels of a factor; or none."""
    for place, column in enumerate(design.fixed):
        if column.parts == ():
            return [place]
    for name, variable in design.variables.items():
        places = [i for i, column in enumerate(design.fixed) if len(column.parts) == 1 and column.parts[0][0] == name]
        if variable.is_factor and len(places) == len(variable.levels):
            return places
    return []


def lossless_shifts(split: Split, blocks: list[int]) -> tuple[list[float], list[float]]:
    """Return what to take off each basis column and each constant: 0 where the model would be another one then.

    Parameters
    ----------
    split : Split
    blocks : list of int
        Block of each random column.

    Returns
    -------
    tuple of list of float
    """
    columns = [(-1, column) for column in split.fixed]
    columns += list(zip(blocks, split.random, strict=True))
    known = set(columns)

    def lossless(part: int, place: int) -> bool:
        others = [
            (of, tuple(0 if i == part else c for i, c in enumerate(column)))
            for of, column in columns
            if column[part] == place
        ]
        return all(other in known for other in others)

    groups = split.groups
    means: list[list[float]] = []
    for part, values in enumerate((split.basis, split.constants)):
        totals = [
            0.0 if own is None or not lossless(part, place) else _total(groups, own) / own.size
            for place, own in enumerate(values)
        ]
        means.append(totals)
    return means[0], means[1]


def _total(groups: Groups, values: np.ndarray) -> float:
    """Sum of values of rows, or of one value per group."""
    return groups.total(groups.gather(values)) if values.size == groups.n_rows else steady_sum(values)


def way_back(columns: tuple[tuple[int, int], ...], shifts: list[float], levels: list[float]) -> np.ndarray:
    """Return the matrix from coefficients of the centred columns to those of the columns as they are."""
    there = np.eye(len(columns))
    for j, (basis, constant) in enumerate(columns):
        shift, level = shifts[basis], levels[constant]
        for share, part in ((shift, (0, constant)), (level, (basis, 0)), (shift * level, (0, 0))):
            if share:
                there[columns.index(part), j] += share
    return np.linalg.inv(there)
