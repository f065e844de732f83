"""Which columns of the fixed part the data can tell apart, and which combinations of coefficients they tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Share of a column's squared length that the columns before it leave over, below which it is given by them.
_NOTHING_LEFT = 1e-10
# Coefficients of such a relation that are rounding and nothing else, in columns of unit length.
_ROUNDING = 1e-7
# How far, relative to its parts, a sum may be from 0 and still be it.
_ZERO = 1e-8


@dataclass(frozen=True, slots=True)
class Estimable:
    """What the data tell of the coefficients of all columns that a formula stands for.

    Parameters
    ----------
    kept : numpy.ndarray of int, shape (p,)
        Places of the columns in the model, among all.
    null : numpy.ndarray, shape (p_all, d)
        Relations between all columns: each sums to 0 in every row used. No columns where all are kept.
    """

    kept: np.ndarray
    null: np.ndarray

    @property
    def dropped(self) -> list[int]:
        """Places of the columns that are not in the model."""
        return [place for place in range(len(self.null)) if place not in set(self.kept.tolist())]

    def tells(self, weights: np.ndarray) -> np.ndarray:
        """Return which combinations of the coefficients are the same however the dropped ones are chosen.

        Parameters
        ----------
        weights : numpy.ndarray, shape (k, p_all)

        Returns
        -------
        numpy.ndarray of bool, shape (k,)

        References
        ----------
        Searle (1971), Linear Models, Wiley, section 5.4.
        """
        off = np.abs(weights @ self.null)
        return np.asarray((off <= _ZERO * (np.abs(weights) @ np.abs(self.null))).all(axis=1))

    def told_part(self, weights: np.ndarray) -> np.ndarray:
        """Return combinations that span what the data tell of the given ones, shape (r, p_all)."""
        if not self.null.shape[1]:
            return weights
        size = np.abs(weights).max(axis=1, keepdims=True)
        scaled = weights / np.where(size > 0, size, 1.0)
        off = scaled @ (self.null / np.abs(self.null).max(axis=0))
        directions, lengths, _ = np.linalg.svd(off)
        none = np.append(lengths, np.zeros(len(scaled) - lengths.size)) <= _ZERO * max(1.0, lengths.max(initial=0.0))
        return np.asarray(directions[:, none].T @ scaled)


def estimable(xx: np.ndarray, back: np.ndarray) -> Estimable:
    """Find the columns that those before them give.

    Parameters
    ----------
    xx : numpy.ndarray, shape (p_all, p_all)
        Sums of products of all columns, centred.
    back : numpy.ndarray, shape (p_all, p_all)
        From coefficients of the centred columns to those of the columns as they are.

    Returns
    -------
    Estimable

    Notes
    -----
    The later of the columns that give one another is dropped, as R does.
    """
    p = len(xx)
    size = np.sqrt(np.diag(xx))
    unit = np.where(size > 0, size, 1.0)
    correlation = xx / np.multiply.outer(unit, unit)
    kept: list[int] = []
    relations: list[np.ndarray] = []
    for place in range(p):
        own = np.zeros(p)
        own[place] = 1.0
        if size[place] > 0:
            with_kept = correlation[kept, place]
            share = np.linalg.lstsq(correlation[np.ix_(kept, kept)], with_kept, rcond=None)[0] if kept else np.zeros(0)
            if 1 - with_kept @ share >= _NOTHING_LEFT:
                kept.append(place)
                continue
            own[kept] = -np.where(np.abs(share) > _ROUNDING, share, 0.0)
        # Back to the columns as they are; a sum of parts that cancel is 0.
        parts = back * (own / unit)
        total = parts.sum(axis=1)
        relations.append(np.where(np.abs(total) > _ZERO * np.abs(parts).sum(axis=1), total, 0.0))
    null = np.column_stack(relations) if relations else np.empty((p, 0))
    return Estimable(np.array(kept, dtype=int), null)
