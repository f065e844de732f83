"""Sums over people who were seen at the same visits: all that a fit needs of the rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of a model and the outcome, each as visit times person where that can be.

    Parameters
    ----------
    basis : numpy.ndarray, shape (t, c)
        What each of the first kind of columns is at a visit.
    constant : numpy.ndarray of int, shape (c,)
        Which of the persons' constants multiplies it.
    split : numpy.ndarray of int, shape (c,)
        Places of these columns among the p columns and the outcome.
    varying : numpy.ndarray of int, shape (v,)
        Places of the others; the outcome, at place p, is the last of them.
    """

    basis: np.ndarray
    constant: np.ndarray
    split: np.ndarray
    varying: np.ndarray

    @property
    def n_columns(self) -> int:
        """Columns and the outcome, p + 1."""
        return int(self.split.size + self.varying.size)


@dataclass(frozen=True, slots=True)
class Patterns:
    """Sums of products per pattern of visits.

    Parameters
    ----------
    columns : Columns
    seen : numpy.ndarray of bool, shape (m, t)
        Visits of each pattern.
    people : numpy.ndarray, shape (m,)
        People of each pattern.
    group : numpy.ndarray of int, shape (m,)
        Which covariance matrix is theirs.
    cc : numpy.ndarray, shape (m, c, c)
    cv : numpy.ndarray, shape (m, c, v, t)
    vv : numpy.ndarray, shape (m, v, t, v, t)
        Sums over people of products of their constants and of their values at visits.
    """

    columns: Columns
    seen: np.ndarray
    people: np.ndarray
    group: np.ndarray
    cc: np.ndarray
    cv: np.ndarray
    vv: np.ndarray

    @property
    def n_rows(self) -> int:
        """Rows of the data behind the sums."""
        return int((self.people * self.seen.sum(axis=1)).sum())

    def quadratic(self, weights: np.ndarray) -> np.ndarray:
        """Return the sum over people of W' S W, W the columns and the outcome at the person's visits.

        Parameters
        ----------
        weights : numpy.ndarray, shape (m, t, t)
            S of each pattern, symmetric, 0 at visits that were not held.

        Returns
        -------
        numpy.ndarray, shape (p + 1, p + 1)
        """
        of, basis = self.columns, self.columns.basis
        weighted = np.einsum("tc,mts->mcs", basis, weights)
        found = np.empty((of.n_columns, of.n_columns))
        found[np.ix_(of.split, of.split)] = np.einsum("mcs,sd,mcd->cd", weighted, basis, self.cc, optimize=True)
        across = np.einsum("mcs,mcvs->cv", weighted, self.cv)
        found[np.ix_(of.split, of.varying)] = across
        found[np.ix_(of.varying, of.split)] = across.T
        found[np.ix_(of.varying, of.varying)] = np.einsum("mst,mvswt->vw", weights, self.vv, optimize=True)
        return found

    def products(self, weights: np.ndarray) -> np.ndarray:
        """Return, per pattern, the sum over people of W M W'.

        Parameters
        ----------
        weights : numpy.ndarray, shape (p + 1, p + 1)
            M, symmetric.

        Returns
        -------
        numpy.ndarray, shape (m, t, t)
        """
        of, basis = self.columns, self.columns.basis
        inner = weights[np.ix_(of.split, of.split)] * self.cc
        found = basis @ inner @ basis.T
        across = np.einsum("sc,cv,mcvt->mst", basis, weights[np.ix_(of.split, of.varying)], self.cv, optimize=True)
        found += across + np.swapaxes(across, 1, 2)
        found += np.einsum("vw,mvswt->mst", weights[np.ix_(of.varying, of.varying)], self.vv, optimize=True)
        return np.asarray(found)

    def spread(self, weights: np.ndarray, group: int) -> np.ndarray:
        """Return the sum over people of the outer product of S W with itself.

        Parameters
        ----------
        weights : numpy.ndarray, shape (m, t, t)
        group : int
            People of which covariance matrix.

        Returns
        -------
        numpy.ndarray, shape (t, p + 1, t, p + 1)
        """
        of, t = self.columns, self.seen.shape[1]
        own = self.group == group
        s, basis = weights[own], self.columns.basis
        found = np.empty((t, of.n_columns, t, of.n_columns))
        weighted = np.einsum("tc,mts->mcs", basis, s)
        every = np.arange(t)
        for place, column in enumerate(of.split):
            own_sums = self.cc[own, place, :, None] * weighted
            found[np.ix_(every, [column], every, of.split)] = np.tensordot(
                weighted[:, place], own_sums, axes=(0, 0)
            ).transpose(0, 2, 1)[:, None]
        moved = self.cv[own] @ s[:, None]
        across = np.einsum("mcs,mcvt->sctv", weighted, moved, optimize=True)
        found[np.ix_(every, of.split, every, of.varying)] = across
        found[np.ix_(every, of.varying, every, of.split)] = across.transpose(2, 3, 0, 1)
        both = np.einsum("msa,mvawb,mbt->svtw", s, self.vv[own], s, optimize=True)
        found[np.ix_(every, of.varying, every, of.varying)] = both
        return found


def sum_patterns(
    columns: Columns,
    constants: np.ndarray,
    values: np.ndarray,
    seen: np.ndarray,
    group: np.ndarray,
    kind: np.ndarray | None = None,
) -> tuple[Patterns, np.ndarray]:
    """Sum over the people of each pattern.

    Parameters
    ----------
    columns : Columns
    constants : numpy.ndarray, shape (g, u)
        Of each person.
    values : numpy.ndarray, shape (g, v, t)
        What varies, by visit, the outcome last; anything at visits that were not held.
    seen : numpy.ndarray of bool, shape (g, t)
    group : numpy.ndarray of int, shape (g,)
        Which covariance matrix is theirs.
    kind : numpy.ndarray of int, shape (g,), optional
        Times of each person, where these are one's own; people of one kind have the same number of visits.

    Returns
    -------
    Patterns
        Ordered by group and visits, so that they do not depend on the order of the people.
    numpy.ndarray of int, shape (g,)
        Pattern of each person.
    """
    # Visits as the bits of a number: sorting whole numbers is far faster than sorting rows of a table.
    held = kind if kind is not None else ~seen @ (1 << np.arange(seen.shape[1] - 1, -1, -1, dtype=np.int64))
    _, held = np.unique(held, return_inverse=True)
    _, first, which = np.unique(group * len(seen) + held, return_index=True, return_inverse=True)
    values = np.where(seen[:, None, :], values, 0.0)
    own = constants[:, columns.constant]
    m, c, (v, t) = len(first), columns.constant.size, values.shape[1:]
    cc, cv, vv = np.empty((m, c, c)), np.empty((m, c, v * t)), np.empty((m, v * t, v * t))
    order = np.argsort(which, kind="stable")
    bounds = np.searchsorted(which[order], np.arange(m + 1))
    own, flat = own[order], values.reshape(len(values), v * t)[order]
    for place in range(m):
        people = slice(bounds[place], bounds[place + 1])
        cc[place] = own[people].T @ own[people]
        cv[place] = own[people].T @ flat[people]
        vv[place] = flat[people].T @ flat[people]
    patterns = Patterns(
        columns,
        seen[first],
        np.diff(bounds).astype(float),
        group[first],
        cc,
        cv.reshape(m, c, v, t),
        vv.reshape(m, v, t, v, t),
    )
    return patterns, which
