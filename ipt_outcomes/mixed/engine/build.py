"""From a design to sums: columns centred where the model allows it, in one order whatever that of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ipt_outcomes.errors import DesignError
from ipt_outcomes.mixed.centring import Split, constant_columns, lossless_shifts, split_columns, way_back
from ipt_outcomes.mixed.design import Design
from ipt_outcomes.mixed.engine.order import Order, canonical_order, cells_of
from ipt_outcomes.mixed.engine.plan import plan_stages
from ipt_outcomes.mixed.engine.problem import Block, Cells, Problem, Scaling, Upper
from ipt_outcomes.mixed.engine.rows import Rows
from ipt_outcomes.sums import Groups, GroupSums, packed_index, sums_of_products


def build_problem(
    design: Design, *, reml: bool, rows: Rows | None = None, like: Scaling | None = None
) -> tuple[Problem, Scaling]:
    """Centre, scale and add up.

    Parameters
    ----------
    design : Design
    reml : bool
    rows : Rows, optional
        What makes the residuals alike.
    like : Scaling, optional
        Outcome and order of the units as there: for an outcome of another draw on the same rows.

    Raises
    ------
    DesignError
        People who change levels of a factor above, where residuals are correlated over time; too many crossed levels.

    Returns
    -------
    Problem
        Of the outcome centred and scaled, and of centred columns.
    Scaling
        The way back.

    Notes
    -----
    A column is centred only where the model is the same without that: where every fixed and random column it stands
    in has, beside it, the one with 1 in its place.
    """
    split = split_columns(design)
    keys = [*(column for column in split.basis if column is not None), design.y]
    if rows is not None and rows.weights is not None:
        keys.append(rows.weights)
    split = replace(split, groups=split.groups.in_order(keys))
    center, scale = _outcome_scaling(design, split.groups) if like is None else (like.center, like.scale)
    blocks = [random.block for random in design.random]
    shifts, levels = lossless_shifts(split, blocks)
    basis = [
        column if column is None or not shift else column - shift
        for column, shift in zip(split.basis, shifts, strict=True)
    ]
    constants = tuple(
        values if values is None or not level else values - level
        for values, level in zip(split.constants, levels, strict=True)
    )
    split = replace(split, constants=constants)
    y = (design.y - center) / scale
    log_rows = 0.0
    if rows is not None:
        basis, y = [rows.changed(column, y.size) for column in basis], np.asarray(rows.changed(y, y.size))
        log_rows = rows.log_determinant()
    sums = sums_of_products(split.groups, basis, y)
    upper_codes = [factor.codes for factor in design.factors[1:]]
    cells = cells_of(split.groups, upper_codes, keys)
    if rows is not None and rows.neighbours is not None and cells.groups is not None:
        raise DesignError(
            "residuals that are correlated over time cannot stand beside a grouping factor that people change",
            hint="Give each patient one level of that factor (the first therapist), or leave out residual.",
        )
    cell_sums = None if cells.groups is None else sums_of_products(cells.groups, basis, y)
    order = canonical_order(sums, cell_sums, split.constants, cells) if like is None else like.order
    problem = _assembled(design, split, sums, cell_sums, order, log_rows, reml=reml)
    random = [
        way_back(split.random[first:last], shifts, levels)
        for first, last in _ranges([len(factor.columns) for factor in design.factors])
    ]
    return problem, Scaling(center, scale, way_back(split.fixed, shifts, levels), tuple(random), order)


def _ranges(sizes: Sequence[int]) -> list[tuple[int, int]]:
    ends = np.cumsum(sizes).tolist()
    return [(end - size, end) for end, size in zip(ends, sizes, strict=True)]


def _outcome_scaling(design: Design, groups: Groups) -> tuple[float, float]:
    """Centre and standard deviation of the outcome, whatever the order of the rows; 0 and 1 where there is none."""
    gathered = groups.gather(design.y)
    center = groups.total(gathered) / groups.n_rows if constant_columns(design) else 0.0
    centred = gathered - center
    middle = groups.total(centred) / groups.n_rows
    return center, float(np.sqrt(groups.total((centred - middle) ** 2) / groups.n_rows)) or 1.0


def _assembled(
    design: Design,
    split: Split,
    sums: GroupSums,
    cell_sums: GroupSums | None,
    order: Order,
    log_rows: float,
    *,
    reml: bool,
) -> Problem:
    """Everything in the canonical order."""
    ones = np.ones(split.groups.n_groups)
    values = [None if own is None else own[order.units] for own in split.constants]
    q = len(design.factors[0].columns)
    multipliers = None
    if any(values[constant] is not None for _, constant in split.random[:q]):
        picked = [values[constant] for _, constant in split.random[:q]]
        multipliers = np.stack([ones if own is None else own for own in picked])
    return Problem(
        index=packed_index(len(split.basis)),
        cross=np.ascontiguousarray(sums.cross[:, order.units]),
        with_y=np.ascontiguousarray(sums.with_y[:, order.units]),
        squares=sums.y_squares[order.units],
        yy=sums.y_squared,
        n=sums.n_rows,
        log_rows=log_rows,
        blocks=_blocks(split.fixed, values, ones),
        p=len(split.fixed),
        basis=np.array([basis for basis, _ in split.random[:q]]),
        multipliers=multipliers,
        upper=_upper(design, split.random[q:], values, cell_sums, order) if len(design.factors) > 1 else None,
        sizes=tuple(len(factor.columns) for factor in design.factors),
        reml=reml,
    )


def _blocks(
    fixed: Sequence[tuple[int, int]], values: Sequence[np.ndarray | None], ones: np.ndarray
) -> tuple[Block, ...]:
    found = []
    for basis in dict.fromkeys(basis for basis, _ in fixed):
        places = [place for place, (own, _) in enumerate(fixed) if own == basis]
        picked = [values[fixed[place][1]] for place in places]
        found.append(Block(basis, np.array(places), np.stack([ones if own is None else own for own in picked])))
    return tuple(found)


def _upper(
    design: Design,
    random: Sequence[tuple[int, int]],
    values: Sequence[np.ndarray | None],
    cell_sums: GroupSums | None,
    order: Order,
) -> Upper:
    distinct = {pair: place for place, pair in enumerate(dict.fromkeys(random))}
    sizes = [len(factor.columns) for factor in design.factors[1:]]
    which = tuple(tuple(distinct[pair] for pair in random[first:last]) for first, last in _ranges(sizes))
    cells = None
    if cell_sums is not None:
        cells = _cells(order.unit_of_cell, cell_sums.cross[:, order.cells], cell_sums.with_y[:, order.cells])
    linked = None if cells is None else (order.top_of_cell[cells.one], order.top_of_cell[cells.other])
    return Upper(
        basis=np.array([basis for basis, _ in distinct]),
        constants=tuple(values[constant] for _, constant in distinct),
        starts=order.starts,
        cells=cells,
        stages=plan_stages(order.codes, which, linked),
        codes=order.codes,
        which=which,
    )


def _cells(unit: np.ndarray, cross: np.ndarray, with_y: np.ndarray) -> Cells:
    by_unit = np.argsort(unit, kind="stable")
    counts = np.bincount(unit)
    first = np.cumsum(counts) - counts
    repeats = counts[unit[by_unit]]
    one = np.repeat(by_unit, repeats)
    within = np.arange(one.size) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    other = by_unit[np.repeat(first[unit[by_unit]], repeats) + within]
    several = np.flatnonzero(counts > 1)
    place = np.full(counts.size, -1, dtype=np.int64)
    place[several] = np.arange(several.size)
    first_pair = np.cumsum(counts**2) - counts**2
    return Cells(unit, cross, with_y, one, other, by_unit, first, first_pair, several, place)
