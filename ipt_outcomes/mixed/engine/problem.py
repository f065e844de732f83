"""The numbers the engine works on: centred and scaled columns, sums per unit, and the levels above the units.

A unit is a level of the grouping factor with the most levels (a patient). A cell is a set of rows of one unit that
belong to the same levels of every factor above (a patient's weeks with one therapist); where nobody changes, cells are
units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ipt_outcomes.errors import DesignError
from ipt_outcomes.mixed.centring import Split, constant_columns, lossless_shifts, split_columns, way_back
from ipt_outcomes.mixed.design import Design
from ipt_outcomes.mixed.engine.order import Order, canonical_order, cells_of
from ipt_outcomes.mixed.engine.plan import Stage, plan_stages
from ipt_outcomes.mixed.engine.rows import Rows
from ipt_outcomes.sums import Groups, GroupSums, packed_index, sums_of_products


@dataclass(frozen=True, slots=True)
class Block:
    """Fixed columns that share a basis column.

    Parameters
    ----------
    basis : int
    columns : numpy.ndarray of int, shape (m,)
        Their places among the fixed columns.
    constants : numpy.ndarray, shape (m, u)
        What each multiplies the basis column with, of each unit.
    """

    basis: int
    columns: np.ndarray
    constants: np.ndarray


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of units that belong to several levels of a factor above.

    Parameters
    ----------
    unit : numpy.ndarray of int, shape (c,)
    cross : numpy.ndarray, shape (k (k + 1) / 2, c)
    with_y : numpy.ndarray, shape (k, c)
    one, other : numpy.ndarray of int, shape (m,)
        All ordered pairs of cells of one unit, those of a cell with itself included, by unit.
    by_unit : numpy.ndarray of int, shape (c,)
        The cells by unit.
    first, first_pair : numpy.ndarray of int, shape (u,)
        Where each unit begins in `by_unit`, and in `one`.
    several : numpy.ndarray of int, shape (s,)
        Units with several cells.
    place : numpy.ndarray of int, shape (u,)
        Place of each unit among them; -1 for those with one cell.
    """

    unit: np.ndarray
    cross: np.ndarray
    with_y: np.ndarray
    one: np.ndarray
    other: np.ndarray
    by_unit: np.ndarray
    first: np.ndarray
    first_pair: np.ndarray
    several: np.ndarray
    place: np.ndarray


@dataclass(frozen=True, slots=True)
class Upper:
    """What is above the units.

    Parameters
    ----------
    basis : numpy.ndarray of int, shape (d,)
        Basis column of each distinct random column of the factors above.
    constants : tuple of numpy.ndarray, shape (u,), or None
        What it is multiplied with; None is 1.
    starts : numpy.ndarray of int, shape (v,)
        First cell of each combination of levels; the cells stand in their order.
    cells : Cells or None
        None where every unit is one cell.
    stages : tuple of Stage
        How the levels are eliminated.
    codes : numpy.ndarray of int, shape (v, f)
        Levels of each combination.
    which : tuple of tuple of int
        Random columns of each factor among the distinct ones.
    """

    basis: np.ndarray
    constants: tuple[np.ndarray | None, ...]
    starts: np.ndarray
    cells: Cells | None
    stages: tuple[Stage, ...]
    codes: np.ndarray
    which: tuple[tuple[int, ...], ...]

    def some(self, kept: np.ndarray) -> Upper:
        """Return what is above some of the units, each of one cell."""
        top = np.searchsorted(self.starts, kept, side="right") - 1
        starts = np.flatnonzero(np.append(True, top[1:] != top[:-1]))
        codes = self.codes[top[starts]]
        constants = tuple(None if own is None else own[kept] for own in self.constants)
        return replace(
            self, starts=starts, codes=codes, constants=constants, stages=plan_stages(codes, self.which, None)
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """A mixed model in sums per unit.

    Parameters
    ----------
    index : numpy.ndarray of int, shape (k, k)
        Where the sum of two basis columns stands in `cross`.
    cross : numpy.ndarray, shape (k (k + 1) / 2, u)
    with_y : numpy.ndarray, shape (k, u)
    squares : numpy.ndarray, shape (u,)
        Sums of squares of the outcome.
    yy : float
        Sum of them.
    n : int
        Rows.
    log_rows : float
        Log determinant of the covariance of the residuals, relative to the residual variance.
    blocks : tuple of Block
    p : int
        Fixed columns.
    basis : numpy.ndarray of int, shape (q,)
        Basis column of each random column of the units.
    multipliers : numpy.ndarray, shape (q, u), or None
        What it is multiplied with; None where that is 1 throughout.
    upper : Upper or None
    sizes : tuple of int
        Random columns of each factor.
    reml : bool
    """

    index: np.ndarray
    cross: np.ndarray
    with_y: np.ndarray
    squares: np.ndarray
    yy: float
    n: int
    log_rows: float
    blocks: tuple[Block, ...]
    p: int
    basis: np.ndarray
    multipliers: np.ndarray | None
    upper: Upper | None
    sizes: tuple[int, ...]
    reml: bool

    @property
    def free(self) -> int:
        """What the residual sum of squares is divided by."""
        return self.n - self.p if self.reml else self.n

    @property
    def n_units(self) -> int:
        """Units."""
        return int(self.cross.shape[1])

    def some(self, step: int) -> Problem:
        """Return the problem of every so-manieth unit, for a start; units have one cell each."""
        kept = slice(0, None, step)
        blocks = tuple(
            Block(block.basis, block.columns, np.ascontiguousarray(block.constants[:, kept])) for block in self.blocks
        )
        upper = None
        if self.upper is not None:
            upper = self.upper.some(np.arange(self.n_units)[kept])
        cross = np.ascontiguousarray(self.cross[:, kept])
        rows = max(round(self.n * cross.shape[1] / self.n_units), self.p + 1)
        return replace(
            self,
            cross=cross,
            with_y=np.ascontiguousarray(self.with_y[:, kept]),
            squares=self.squares[kept],
            yy=float(self.squares[kept].sum()),
            n=rows,
            log_rows=0.0,
            blocks=blocks,
            multipliers=None if self.multipliers is None else np.ascontiguousarray(self.multipliers[:, kept]),
            upper=upper,
        )

    def gram(self) -> np.ndarray:
        """Return sums of products of the fixed columns over all rows, shape (p, p)."""
        found = np.zeros((self.p, self.p))
        for place, one in enumerate(self.blocks):
            for other in self.blocks[place:]:
                product = (one.constants * self.cross[self.index[one.basis, other.basis]]) @ other.constants.T
                found[np.ix_(one.columns, other.columns)] = product
                found[np.ix_(other.columns, one.columns)] = product.T
        return found


@dataclass(frozen=True, slots=True)
class Scaling:
    """How outcome and columns were centred and scaled before their sums were taken.

    Raw moments of numbers far from 0 cancel: with 1e6 added to every outcome the log-likelihood would be off by 0.3.

    Parameters
    ----------
    center : float
        Of the outcome; 0 where the fixed part has no intercept that could take it up.
    scale : float
    fixed_back : numpy.ndarray, shape (p, p)
        From coefficients of the centred columns to those of the columns as they are.
    random_back : tuple of numpy.ndarray, shape (q, q)
        The same for the random effects of each factor.
    order : Order
        Where units and levels stand in the sums.
    """

    center: float
    scale: float
    fixed_back: np.ndarray
    random_back: tuple[np.ndarray, ...]
    order: Order


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
    cells = cells_of(split.groups, upper_codes)
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
        multipliers = np.stack([ones if values[c] is None else values[c] for _, c in split.random[:q]])
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
