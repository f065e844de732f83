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
from ipt_outcomes.sums import Groups, GroupSums, Shifted, packed_index, sums_of_products


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
    constants = tuple(
        values if values is None or not level else values - level
        for values, level in zip(split.constants, levels, strict=True)
    )
    split = replace(split, constants=constants)
    columns = _columns(design, split, shifts, (center, scale), rows)
    log_rows = 0.0 if rows is None else rows.log_determinant()
    sums = sums_of_products(split.groups, *columns)
    upper_codes = [factor.codes for factor in design.factors[1:]]
    cells = cells_of(split.groups, upper_codes, keys)
    if rows is not None and rows.neighbours is not None and cells.groups is not None:
        raise DesignError(
            "residuals that are correlated over time cannot stand beside a grouping factor that people change",
            hint="Give each patient one level of that factor (the first therapist), or leave out residual.",
        )
    cell_sums = None if cells.groups is None else sums_of_products(cells.groups, *columns)
    order = canonical_order(sums, cell_sums, split.constants, cells) if like is None else like.order
    del cells
    problem = _assembled(design, split, sums, cell_sums, order, log_rows, reml=reml)
    random = [
        way_back(split.random[first:last], shifts, levels)
        for first, last in _ranges([len(factor.columns) for factor in design.factors])
    ]
    return problem, Scaling(center, scale, way_back(split.fixed, shifts, levels), tuple(random), order)


def _columns(
    design: Design, split: Split, shifts: Sequence[float], outcome: tuple[float, float], rows: Rows | None
) -> tuple[list[np.ndarray | Shifted | None], np.ndarray | Shifted]:
    """Basis and outcome, centred and scaled; while they are added up, unless residuals must be made alike first."""
    basis: list[np.ndarray | Shifted | None] = [
        column if column is None or not shift else Shifted(column, shift)
        for column, shift in zip(split.basis, shifts, strict=True)
    ]
    y = Shifted(design.y, *outcome)
    if rows is None:
        return basis, y
    whole = [column.of(slice(None)) if isinstance(column, Shifted) else column for column in basis]
    size = design.y.size
    return [rows.changed(column, size) for column in whole], np.asarray(rows.changed(y.of(slice(None)), size))


def _ranges(sizes: Sequence[int]) -> list[tuple[int, int]]:
    ends = np.cumsum(sizes).tolist()
    return [(end - size, end) for end, size in zip(ends, sizes, strict=True)]


def _outcome_scaling(design: Design, groups: Groups) -> tuple[float, float]:
    """Centre and standard deviation of the outcome, whatever the order of the rows; 0 and 1 where there is none."""
    y, n = design.y, groups.n_rows
    center = groups.total_of(lambda rows: y[rows]) / n if constant_columns(design) else 0.0
    middle = groups.total_of(lambda rows: y[rows] - center) / n
    spread = groups.total_of(lambda rows: (y[rows] - center - middle) ** 2) / n
    return center, float(np.sqrt(spread)) or 1.0


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
    q = len(design.factors[0].columns)
    multipliers = None
    picked = [split.constants[constant] for _, constant in split.random[:q]]
    if any(own is not None for own in picked):
        multipliers = np.stack([np.ones(order.units.size) if own is None else own[order.units] for own in picked])
    return Problem(
        index=packed_index(len(split.basis)),
        cross=_reordered(sums.cross, order.units),
        with_y=_reordered(sums.with_y, order.units),
        squares=sums.y_squares[order.units],
        yy=sums.y_squared,
        n=sums.n_rows,
        log_rows=log_rows,
        blocks=_blocks(split.fixed, split.constants, order.units),
        p=len(split.fixed),
        basis=np.array([basis for basis, _ in split.random[:q]]),
        multipliers=multipliers,
        upper=_upper(design, split, cell_sums, order) if len(design.factors) > 1 else None,
        sizes=tuple(len(factor.columns) for factor in design.factors),
        reml=reml,
    )


def _reordered(sums: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Put sums that nobody else has into another order, in place."""
    for row in sums:
        row[:] = row[units]
    return sums


def _blocks(
    fixed: Sequence[tuple[int, int]], constants: Sequence[np.ndarray | None], units: np.ndarray
) -> tuple[Block, ...]:
    found = []
    for basis in dict.fromkeys(basis for basis, _ in fixed):
        places = [place for place, (own, _) in enumerate(fixed) if own == basis]
        picked = np.ones((len(places), units.size))
        for row, place in zip(picked, places, strict=True):
            values = constants[fixed[place][1]]
            if values is not None:
                row[:] = values[units]
        found.append(Block(basis, np.array(places), picked))
    return tuple(found)


def _upper(
    design: Design,
    split: Split,
    cell_sums: GroupSums | None,
    order: Order,
) -> Upper:
    random = split.random[len(design.factors[0].columns) :]
    constants = {
        place: None if own is None else own[order.units]
        for place, own in enumerate(split.constants)
        if place in {constant for _, constant in random}
    }
    distinct = {pair: place for place, pair in enumerate(dict.fromkeys(random))}
    sizes = [len(factor.columns) for factor in design.factors[1:]]
    which = tuple(tuple(distinct[pair] for pair in random[first:last]) for first, last in _ranges(sizes))
    cells = None
    if cell_sums is not None:
        cells = _cells(order.unit_of_cell, cell_sums.cross[:, order.cells], cell_sums.with_y[:, order.cells])
    linked = None if cells is None else (order.top_of_cell[cells.one], order.top_of_cell[cells.other])
    return Upper(
        basis=np.array([basis for basis, _ in distinct]),
        constants=tuple(constants[constant] for _, constant in distinct),
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
