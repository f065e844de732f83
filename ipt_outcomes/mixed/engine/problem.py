"""The numbers the engine works on: sums per unit, and the levels above the units.

A unit is a level of the grouping factor with the most levels (a patient). A cell is a set of rows of one unit that
belong to the same levels of every factor above (a patient's weeks with one therapist); where nobody changes, cells are
units.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ipt_outcomes.mixed.engine.order import Order
from ipt_outcomes.mixed.engine.plan import Stage, plan_stages


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
