"""Which entries of the covariance of the random effects are free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ipt_outcomes.mixed.design import Design


@dataclass(frozen=True, slots=True)
class Structure:
    """The free entries of the roots of the relative covariances: a lower triangle for each block of correlated effects.

    Parameters
    ----------
    factor, row, column : numpy.ndarray of int, shape (t,)
        Grouping factor and place of each; column by column of each block, as lme4 orders them.
    sizes : tuple of int
        Random columns of each factor.
    """

    factor: np.ndarray
    row: np.ndarray
    column: np.ndarray
    sizes: tuple[int, ...]

    @classmethod
    def of_design(cls, design: Design) -> Structure:
        """Build from the blocks of a design."""
        found: list[tuple[int, int, int]] = []
        for number, factor in enumerate(design.factors):
            blocks = [random.block for random in factor.columns]
            for block in dict.fromkeys(blocks):
                places = [place for place, own in enumerate(blocks) if own == block]
                found += [(number, row, column) for column in places for row in places if row >= column]
        factor_of, row, column = (np.array(own, dtype=int) for own in zip(*found, strict=True))
        return cls(factor_of, row, column, tuple(len(factor.columns) for factor in design.factors))

    @property
    def size(self) -> int:
        """Free entries."""
        return int(self.row.size)

    @property
    def diagonal(self) -> np.ndarray:
        """Which entries stand on a diagonal, shape (t,)."""
        return np.asarray(self.row == self.column)

    def factors(self, theta: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return the roots, each of shape (q, q)."""
        found = tuple(np.zeros((size, size)) for size in self.sizes)
        for value, factor, row, column in zip(theta, self.factor, self.row, self.column, strict=True):
            found[factor][row, column] = value
        return found

    def theta(self, factors: Sequence[np.ndarray]) -> np.ndarray:
        """Return the free entries, shape (t,)."""
        places = zip(self.factor, self.row, self.column, strict=True)
        return np.array([factors[factor][row, column] for factor, row, column in places])

    def gradient(self, by_covariance: Sequence[np.ndarray], factors: Sequence[np.ndarray]) -> np.ndarray:
        """Turn derivatives by the covariances into those by the free entries, shape (t,)."""
        return self.theta([2 * slope @ factor for slope, factor in zip(by_covariance, factors, strict=True)])

    def directions(self, factors: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the derivative of its factor's covariance by each free entry."""
        found = []
        for factor, row, column in zip(self.factor, self.row, self.column, strict=True):
            one = np.zeros((self.sizes[factor],) * 2)
            one[row] = factors[factor][:, column]
            found.append(one + one.T)
        return found

    def together(self, factor: int) -> np.ndarray:
        """Which pairs of effects of a factor are correlated, shape (q, q)."""
        own = self.factor == factor
        found = np.zeros((self.sizes[factor],) * 2, dtype=bool)
        found[self.row[own], self.column[own]] = True
        return found | found.T

    def rooted(self, covariances: Sequence[np.ndarray]) -> np.ndarray:
        """Return the free entries of covariances that may be singular, shape (t,)."""
        return self.theta([semidefinite_root(own) for own in covariances])


def semidefinite_root(matrix: np.ndarray) -> np.ndarray:
    """Return the lower triangular root of a matrix that may be singular.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (q, q)

    Returns
    -------
    numpy.ndarray, shape (q, q)
    """
    size = len(matrix)
    root = np.zeros((size, size))
    limit = 1e-14 * max(float(np.diagonal(matrix).max(initial=0.0)), 0.0)
    for c in range(size):
        pivot = matrix[c, c] - root[c, :c] @ root[c, :c]
        if pivot > limit:
            root[c, c] = np.sqrt(pivot)
            root[c + 1 :, c] = (matrix[c + 1 :, c] - root[c + 1 :, :c] @ root[c, :c]) / root[c, c]
    return root
