"""What a generalized linear mixed model is fitted to: arrays, rows in the order of the groups eliminated first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ipt_outcomes.errors import DesignError
from ipt_outcomes.mixed.generalized.family import Family

# Effects of all grouping factors but the largest: a dense matrix of this size is solved in every step.
MOST_OTHER_EFFECTS = 3000


@dataclass(frozen=True, slots=True)
class Random:
    """The random effects of one grouping factor.

    Parameters
    ----------
    group : str
    levels : tuple
        Groups, in the order of their codes.
    codes : numpy.ndarray of int, shape (n,)
        Group of each row; -1 where a row has none.
    values : numpy.ndarray, shape (n, q)
        Columns; 0 in rows without a group.
    names : tuple of str
        Of the columns.
    blocks : numpy.ndarray of int, shape (q,)
        Columns of one block are correlated.
    """

    group: str
    levels: tuple[object, ...]
    codes: np.ndarray
    values: np.ndarray
    names: tuple[str, ...]
    blocks: np.ndarray

    @property
    def width(self) -> int:
        """Effects of one group."""
        return int(self.values.shape[1])

    @property
    def free(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of the entries of the covariance factor that are free."""
        rows, columns = np.nonzero(np.tril(self.blocks[:, None] == self.blocks[None, :]))
        return rows, columns

    def taken(self, rows: np.ndarray) -> Random:
        """Return the same effects for rows in another order."""
        return Random(self.group, self.levels, self.codes[rows], self.values[rows], self.names, self.blocks)


@dataclass(frozen=True, slots=True)
class Problem:
    """Arrays of a model; see `arrange`.

    Parameters
    ----------
    family : Family
    y, size, offset : numpy.ndarray, shape (n,)
        Events (or counts), trials, what is added to the linear predictor.
    x : numpy.ndarray, shape (n, p)
    first : Random
        The factor with most effects: eliminated group by group.
    others : tuple of Random
    order : numpy.ndarray of int, shape (n,)
        Where each row stands in the data.
    starts : numpy.ndarray of int, shape (g,)
        First row of each group of `first`.
    place : numpy.ndarray of int, shape (n,)
        Which of these groups a row is in; rows without a group share one of their own.
    """

    family: Family
    y: np.ndarray
    size: np.ndarray
    offset: np.ndarray
    x: np.ndarray
    first: Random
    others: tuple[Random, ...]
    order: np.ndarray
    starts: np.ndarray
    place: np.ndarray

    @property
    def randoms(self) -> tuple[Random, ...]:
        """All grouping factors, the first to be eliminated in front."""
        return (self.first, *self.others)

    @property
    def n_other(self) -> int:
        """Effects of the other factors."""
        return sum(len(random.levels) * random.width for random in self.others)

    def group_sums(self, values: np.ndarray) -> np.ndarray:
        """Sum rows by the groups of `first`, shape (g, ...)."""
        return np.asarray(np.add.reduceat(values, self.starts, axis=0))

    def others_matrix(self, factors: Sequence[np.ndarray]) -> sparse.csr_array:
        """Return the columns of the other factors times their covariance factors, shape (n, m)."""
        n = self.y.size
        rows, columns, values = [], [], []
        shift = 0
        for random, factor in zip(self.others, factors, strict=True):
            turned = random.values @ factor
            own = np.maximum(random.codes, 0)
            for place in range(random.width):
                rows.append(np.arange(n))
                columns.append(shift + own * random.width + place)
                values.append(turned[:, place])
            shift += len(random.levels) * random.width
        stacked = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        return sparse.csr_array(stacked, shape=(n, self.n_other))


def arrange(
    family: Family, y: np.ndarray, size: np.ndarray, offset: np.ndarray, x: np.ndarray, randoms: Sequence[Random]
) -> Problem:
    """Put the rows in the order of the factor with most effects.

    Parameters
    ----------
    family : Family
    y, size, offset : numpy.ndarray, shape (n,)
    x : numpy.ndarray, shape (n, p)
    randoms : sequence of Random

    Returns
    -------
    Problem

    Raises
    ------
    DesignError
        The other factors have too many effects.
    """
    ranked = sorted(range(len(randoms)), key=lambda place: -len(randoms[place].levels) * randoms[place].width)
    ordered = [randoms[place] for place in ranked]
    first = ordered[0]
    order = np.argsort(np.where(first.codes < 0, len(first.levels), first.codes), kind="stable")
    codes = first.codes[order]
    starts = np.concatenate(([0], np.flatnonzero(np.diff(codes)) + 1))
    place = np.repeat(np.arange(starts.size), np.diff(np.append(starts, codes.size)))
    problem = Problem(
        family, y[order], size[order], offset[order], np.ascontiguousarray(x[order]),
        first.taken(order), tuple(random.taken(order) for random in ordered[1:]), order, starts, place,
    )  # fmt: skip
    if problem.n_other > MOST_OTHER_EFFECTS:
        named = ", ".join(random.group for random in problem.others)
        raise DesignError(
            f"{named} have {problem.n_other} random effects beside those of {first.group}; at most "
            f"{MOST_OTHER_EFFECTS} are fitted",
            hint="Leave out a grouping factor, or group its levels.",
        )
    return problem
