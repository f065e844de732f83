"""The numbers an engine works on: columns centred and scaled where the model allows it, sums per group, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ipt_outcomes.mixed.design import Design, Split
from ipt_outcomes.sums import GroupSums, packed_index, sums_of_products

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Block:
    """Fixed columns that share a basis column.

    Parameters
    ----------
    basis : int
    columns : numpy.ndarray of int, shape (m,)
        Their places among the fixed columns.
    constants : numpy.ndarray, shape (m, g)
        What each multiplies the basis column with in a group.
    """

    basis: int
    columns: np.ndarray
    constants: np.ndarray


@dataclass(frozen=True, slots=True)
class Problem:
    """A mixed model with one grouping factor, in sums per group.

    Parameters
    ----------
    sums : GroupSums
    index : numpy.ndarray of int, shape (k, k)
        Where the sum of two basis columns stands in ``sums.cross``.
    blocks : tuple of Block
    n_fixed : int
    random_basis : numpy.ndarray of int, shape (q,)
        Basis column of each random column.
    random_constants : numpy.ndarray, shape (q, g), or None
        What each random column multiplies it with; None where that is 1 throughout.
    pattern : tuple of (int, int)
        Free entries (row, column) of the lower triangular relative factor.
    reml : bool
    """

    sums: GroupSums
    index: np.ndarray
    blocks: tuple[Block, ...]
    n_fixed: int
    random_basis: np.ndarray
    random_constants: np.ndarray | None
    pattern: tuple[Pair, ...]
    reml: bool

    @property
    def n_random(self) -> int:
        """Random columns."""
        return int(self.random_basis.size)

    @property
    def n_groups(self) -> int:
        """Groups, those of rows without a group included."""
        return int(self.sums.cross.shape[1])

    @property
    def df_residual(self) -> int:
        """What the residual sum of squares is divided by."""
        return self.sums.n_rows - (self.n_fixed if self.reml else 0)

    def subset(self, groups: slice) -> Problem:
        """Return the problem of some of the groups."""
        cross = np.ascontiguousarray(self.sums.cross[:, groups])
        with_y = np.ascontiguousarray(self.sums.with_y[:, groups])
        # The sum of squares is only known in all; its share keeps the scale right, and a start value needs no more.
        share = float(cross[0].sum()) / self.sums.n_rows
        sums = GroupSums(cross, with_y, self.sums.y_squared * share, round(float(cross[0].sum())))
        blocks = tuple(Block(b.basis, b.columns, np.ascontiguousarray(b.constants[:, groups])) for b in self.blocks)
        multipliers = None if self.random_constants is None else self.random_constants[:, groups]
        return Problem(
            sums, self.index, blocks, self.n_fixed, self.random_basis, multipliers, self.pattern, self.reml
        )


@dataclass(frozen=True, slots=True)
class Way:
    """The way back from the engine's coordinates to those of the formula.

    Parameters
    ----------
    fixed : numpy.ndarray, shape (p, p)
        Coefficients are ``y_scale * fixed @ engine's + y_centre * constant``.
    constant : numpy.ndarray, shape (p,)
        Coefficients of the constant 1.
    random : numpy.ndarray, shape (q, q)
        Random effects are ``random @ engine's`` (times `y_scale`).
    log_det : float
        Logarithm of the determinant of `fixed`.
    y_centre, y_scale : float
    """

    fixed: np.ndarray
    constant: np.ndarray
    random: np.ndarray
    log_det: float
    y_centre: float
    y_scale: float


def build_problem(design: Design, split: Split, kept: Sequence[int], *, reml: bool) -> tuple[Problem, Way]:
    """Centre, scale and add up.

    Parameters
    ----------
    design : Design
    split : Split
    kept : sequence of int
        Fixed columns in the model.
    reml : bool

    Returns
    -------
    Problem
    Way

    Notes
    -----
    A basis column is centred only if the model holds the same columns without it (for the fixed part and for every
    block of the random part), a constant only if the model holds the same basis columns without it: then centring
    is a change of coordinates and no change of model. Raw moments of numbers far from 0 would cancel.
    """
    fixed = [split.fixed[place] for place in kept]
    blocks = [random.block for random in design.random]
    centres, scales = _basis_scaling(split, fixed, blocks)
    shifts, spreads = _constant_scaling(split, fixed)
    back, log_det = _fixed_way(fixed, centres, scales, shifts, spreads)
    constant = _constant_coefficients(design, kept)
    y_centre = float(design.y.mean()) if constant.any() else 0.0
    centred_y = design.y - y_centre
    y_scale = float(np.sqrt(np.mean(centred_y**2)))
    basis = [
        None if column is None else (column - centre) / scale
        for column, centre, scale in zip(split.basis, centres, scales, strict=True)
    ]
    sums = sums_of_products(split.groups, basis, centred_y / y_scale)
    pools: dict[int, np.ndarray] = {}
    for _, place in fixed:
        raw = split.constants[place]
        if place not in pools:
            pools[place] = np.ones(split.groups.n_groups) if raw is None else (raw - shifts[place]) / spreads[place]
    problem = Problem(
        sums=sums,
        index=packed_index(len(basis)),
        blocks=_blocks(fixed, pools),
        n_fixed=len(fixed),
        random_basis=np.array([k for k, _ in split.random]),
        random_constants=_multipliers(split),
        pattern=tuple((r, c) for c in range(len(blocks)) for r in range(c, len(blocks)) if blocks[r] == blocks[c]),
        reml=reml,
    )
    random = _random_way(split.random, blocks, centres, scales)
    return problem, Way(back, constant, random, log_det, y_centre, y_scale)


def _basis_scaling(split: Split, fixed: Sequence[Pair], blocks: Sequence[int]) -> tuple[list[float], list[float]]:
    centres, scales = [0.0], [1.0]
    placed = list(zip(split.random, blocks, strict=True))
    for k in range(1, len(split.basis)):
        column = split.basis[k]
        assert column is not None  # only the first is the column of ones
        closed = all((0, a) in fixed for basis, a in fixed if basis == k) and all(
            ((0, v), block) in placed for (basis, v), block in placed if basis == k
        )
        centre = float(column.mean()) if closed else 0.0
        spread = float(np.sqrt(np.mean((column - centre) ** 2)))
        centres.append(centre)
        scales.append(spread if spread > 0 else 1.0)
    return centres, scales


def _constant_scaling(split: Split, fixed: Sequence[Pair]) -> tuple[list[float], list[float]]:
    shifts, spreads = [0.0], [1.0]
    for a in range(1, len(split.constants)):
        values = split.constants[a]
        assert values is not None  # only the first is 1 throughout
        closed = all((k, 0) in fixed for k, constant in fixed if constant == a)
        shift = float(values.mean()) if closed else 0.0
        spread = float(np.sqrt(np.mean((values - shift) ** 2)))
        shifts.append(shift)
        spreads.append(spread if spread > 0 else 1.0)
    return shifts, spreads


def _fixed_way(
    fixed: Sequence[Pair],
    centres: Sequence[float],
    scales: Sequence[float],
    shifts: Sequence[float],
    spreads: Sequence[float],
) -> tuple[np.ndarray, float]:
    """Columns of the engine in those of the formula: ((b - m) / s) ((u - c) / d) multiplied out."""
    where = {pair: place for place, pair in enumerate(fixed)}
    way = np.zeros((len(fixed), len(fixed)))
    log_det = 0.0
    for place, (k, a) in enumerate(fixed):
        size = scales[k] * spreads[a]
        log_det -= float(np.log(size))
        parts = (((k, a), 1.0), ((0, a), -centres[k]), ((k, 0), -shifts[a]), ((0, 0), centres[k] * shifts[a]))
        for pair, factor in parts:
            if factor != 0.0:
                way[where[pair], place] += factor / size
    return way, log_det


def _random_way(
    random: Sequence[Pair], blocks: Sequence[int], centres: Sequence[float], scales: Sequence[float]
) -> np.ndarray:
    where = {(pair, block): place for place, (pair, block) in enumerate(zip(random, blocks, strict=True))}
    way = np.zeros((len(random), len(random)))
    for place, ((k, v), block) in enumerate(zip(random, blocks, strict=True)):
        way[place, place] = 1.0 / scales[k]
        if centres[k] != 0.0:
            way[where[(0, v), block], place] -= centres[k] / scales[k]
    return way


def _constant_coefficients(design: Design, kept: Sequence[int]) -> np.ndarray:
    """Coefficients that make the constant 1: the intercept, or all levels of a factor; zeros if there are none."""
    columns = [design.fixed[place] for place in kept]
    coefficients = np.zeros(len(columns))
    for place, column in enumerate(columns):
        if not column.parts:
            coefficients[place] = 1.0
            return coefficients
    for name, variable in design.variables.items():
        places = [place for place, c in enumerate(columns) if len(c.parts) == 1 and c.parts[0][0] == name]
        if variable.is_factor and len(places) == len(variable.levels):
            coefficients[places] = 1.0
            return coefficients
    return coefficients


def _blocks(fixed: Sequence[Pair], pools: dict[int, np.ndarray]) -> tuple[Block, ...]:
    found = []
    for basis in dict.fromkeys(k for k, _ in fixed):
        places = [place for place, (k, _) in enumerate(fixed) if k == basis]
        found.append(Block(basis, np.array(places), np.stack([pools[fixed[place][1]] for place in places])))
    return tuple(found)


def _multipliers(split: Split) -> np.ndarray | None:
    values = [split.constants[place] for _, place in split.random]
    if all(value is None for value in values):
        return None
    ones = np.ones(split.groups.n_groups)
    return np.stack([ones if value is None else value for value in values])
