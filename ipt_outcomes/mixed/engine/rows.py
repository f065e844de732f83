"""Residuals that are not alike in every row: prior weights, a variance of each group, correlation over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipt_outcomes.errors import DesignError


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The row before each row, of the same person.

    Parameters
    ----------
    before : numpy.ndarray of int, shape (n,)
        -1 for a person's first row.
    gap : numpy.ndarray, shape (n,)
        Time between them; 0 for a first row.
    """

    before: np.ndarray
    gap: np.ndarray


@dataclass(frozen=True, slots=True)
class Rows:
    """A change of the rows after which the residuals are alike and independent.

    Parameters
    ----------
    weights : numpy.ndarray, shape (n,), or None
        The residual variance of a row is divided by its weight.
    neighbours : Neighbours or None
    correlation : float
        Of residuals of one person one unit of time apart.

    References
    ----------
    Jones and Boadi-Boateng (1991), Biometrics 47(1):161-175, doi:10.2307/2532504 (continuous time).
    """

    weights: np.ndarray | None = None
    neighbours: Neighbours | None = None
    correlation: float = 0.0

    def changed(self, column: np.ndarray | None, n: int) -> np.ndarray | None:
        """Return a column of the rows as changed; None is the column of ones."""
        if self.weights is not None:
            root = np.sqrt(self.weights)
            column = root if column is None else column * root
        if self.neighbours is None:
            return column
        values = np.ones(n) if column is None else column
        shared = self.shared()
        before = np.where(self.neighbours.before >= 0, values[self.neighbours.before], 0.0)
        return np.asarray((values - shared * before) / np.sqrt(1 - shared**2))

    def log_determinant(self) -> float:
        """Return that of the covariance of the residuals, relative to the residual variance, in any order of rows."""
        found = 0.0
        if self.weights is not None:
            found -= float(np.sort(np.log(self.weights)).sum())
        if self.neighbours is not None:
            found += float(np.sort(np.log1p(-(self.shared() ** 2))).sum())
        return found

    def shared(self) -> np.ndarray:
        """Return the correlation with the row before, shape (n,); 0 for a first row."""
        assert self.neighbours is not None  # noqa: S101  the callers asked
        first = self.neighbours.before < 0
        return np.where(first, 0.0, self.correlation ** np.where(first, 1.0, self.neighbours.gap))


def neighbours_of(codes: np.ndarray, time: np.ndarray, name: str, positions: np.ndarray) -> Neighbours:
    """Find the row before each row in time.

    Parameters
    ----------
    codes : numpy.ndarray of int, shape (n,)
        Person of each row; -1 is nobody, and such a row has no row before it.
    time : numpy.ndarray, shape (n,)
    name : str
        Column of the times, for messages.
    positions : numpy.ndarray of int, shape (n,)
        Of the rows in the data, for messages.

    Returns
    -------
    Neighbours

    Raises
    ------
    DesignError
        Two rows of one person at one time; ``.rows`` names them.
    """
    order = np.lexsort((time, codes))
    same = (codes[order][1:] == codes[order][:-1]) & (codes[order][1:] >= 0)
    gap = np.where(same, np.diff(time[order]), 1.0)
    if (gap <= 0).any():
        twice = np.flatnonzero(gap <= 0)
        rows = np.unique(order[np.concatenate([twice, twice + 1])])
        raise DesignError(
            f"{name}: {rows.size} rows of one person stand at the same time",
            rows=positions[rows][:1000].tolist(),
            column=name,
            hint="A correlation over time needs one row per person and time.",
        )
    before = np.full(codes.size, -1, dtype=np.int64)
    between = np.zeros(codes.size)
    before[order[1:][same]] = order[:-1][same]
    between[order[1:][same]] = gap[same]
    return Neighbours(before, between)
