"""Covariance in blocks: studies of one size are stacked, so that each size is one batched computation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ipt_outcomes.errors import DesignError

# Cells of padded covariance up to which one batch is cheaper than several
_ONE_BATCH = 200_000


@dataclass(frozen=True, slots=True)
class Stack:
    """Blocks brought to one size, m of them with s rows each; rows beyond a block's own are padding.

    Padding has effect and moderators 0, variance 1 and no part in any variance component, so that it adds
    nothing to any sum.

    Parameters
    ----------
    y : numpy.ndarray, shape (m, s)
    x : numpy.ndarray, shape (m, s, p)
    sampling : numpy.ndarray, shape (m, s, s)
        Sampling covariance V.
    parts : tuple of numpy.ndarray, each of shape (m, s, s)
        What multiplies each variance component.
    real : numpy.ndarray of bool, shape (m, s)
        Which rows are no padding.
    """

    y: np.ndarray
    x: np.ndarray
    sampling: np.ndarray
    parts: tuple[np.ndarray, ...]
    real: np.ndarray


@dataclass(frozen=True, slots=True)
class Blocks:
    """Data of a multilevel model.

    Parameters
    ----------
    y : numpy.ndarray, shape (k,)
    design : numpy.ndarray, shape (k, p)
    stacks : tuple of Stack
    """

    y: np.ndarray
    design: np.ndarray
    stacks: tuple[Stack, ...]

    @property
    def n_parts(self) -> int:
        """Number of variance components."""
        return len(self.stacks[0].parts)

    @property
    def mean_variance(self) -> float:
        """Mean sampling variance."""
        total = sum(float(np.einsum("mss->ms", stack.sampling)[stack.real].sum()) for stack in self.stacks)
        return total / self.y.size

    def divided(self, unit: float) -> Blocks:
        """Return the same data with effects in other units (a power of two is exact)."""
        stacks = tuple(
            Stack(
                stack.y / unit,
                stack.x,
                np.where(_padding(stack.real), stack.sampling, stack.sampling / unit**2),
                stack.parts,
                stack.real,
            )
            for stack in self.stacks
        )
        return Blocks(self.y / unit, self.design, stacks)


def _padding(real: np.ndarray) -> np.ndarray:
    return np.asarray(~(real[:, :, None] & real[:, None, :]))


def make_blocks(
    y: np.ndarray, sampling: np.ndarray, design: np.ndarray, levels: tuple[np.ndarray, ...], study: np.ndarray
) -> Blocks:
    """Sort the rows into independent blocks.

    Parameters
    ----------
    y : numpy.ndarray, shape (k,)
    sampling : numpy.ndarray, shape (k,) or (k, k)
        Variances, or their covariance.
    design : numpy.ndarray, shape (k, p)
    levels : tuple of numpy.ndarray
        For each variance component the group of every row, shape (k,), or the matrix that multiplies it,
        shape (k, k).
    study : numpy.ndarray of int, shape (k,)
        Clusters; those that V ties together become one block.

    Returns
    -------
    Blocks
    """
    cluster = study if sampling.ndim == 1 else _tied(sampling, study)
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    members = np.split(order, starts[1:])
    sizes = np.array([rows.size for rows in members])
    largest = int(sizes.max())
    if len(members) * largest**2 <= _ONE_BATCH:
        padded = np.full(sizes.size, largest)
    else:
        padded = 2 ** np.ceil(np.log2(sizes)).astype(int)
    stacks = []
    for size in np.unique(padded):
        rows = np.full((int((padded == size).sum()), int(size)), -1)
        for i, chosen in enumerate(np.flatnonzero(padded == size)):
            rows[i, : sizes[chosen]] = members[chosen]
        stacks.append(_stack(rows, y, sampling, design, levels))
    return Blocks(y, design, tuple(stacks))


def _stack(
    rows: np.ndarray, y: np.ndarray, sampling: np.ndarray, design: np.ndarray, levels: tuple[np.ndarray, ...]
) -> Stack:
    real = rows >= 0
    padding, eye = _padding(real), np.eye(rows.shape[1])
    diagonal = sampling.ndim == 1
    block = sampling[rows][:, :, None] * eye if diagonal else sampling[rows[:, :, None], rows[:, None, :]]
    parts = tuple(np.where(padding, 0.0, _part(level, rows)) for level in levels)
    return Stack(
        np.where(real, y[rows], 0.0),
        np.where(real[:, :, None], design[rows], 0.0),
        np.where(padding, eye, block),
        parts,
        real,
    )


def _part(level: np.ndarray, rows: np.ndarray) -> np.ndarray:
    if level.ndim == 2:
        return np.asarray(level[rows[:, :, None], rows[:, None, :]])
    return np.asarray((level[rows][:, :, None] == level[rows][:, None, :]).astype(float))


def _tied(sampling: np.ndarray, study: np.ndarray) -> np.ndarray:
    """Merge studies whose effects have a covariance."""
    left, right = np.nonzero(sampling)
    count = int(study.max()) + 1
    ties = coo_matrix((np.ones(left.size), (study[left], study[right])), shape=(count, count))
    _, merged = connected_components(ties, directed=False)
    return np.asarray(merged[study])


def require_covariance(sampling: np.ndarray) -> None:
    """Raise `DesignError` unless a matrix is symmetric and positive definite.

    Parameters
    ----------
    sampling : numpy.ndarray, shape (k, k)
    """
    scale = np.sqrt(np.multiply.outer(np.diag(sampling), np.diag(sampling)))
    uneven = np.argwhere(np.abs(sampling - sampling.T) > 1e-8 * scale)
    if uneven.size:
        rows = sorted({int(row) for pair in uneven for row in pair})
        raise DesignError(f"V must be symmetric; rows {_listed(rows)} differ from their columns", rows=rows)
    try:
        np.linalg.cholesky(sampling)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(sampling / scale)
        rows = [int(row) for row in np.flatnonzero(np.abs(vectors[:, int(np.argmin(values))]) > 1e-6)]
        raise DesignError(
            f"V is no covariance matrix: a combination of rows {_listed(rows)} would have no positive variance",
            rows=rows,
            hint="A correlation of 1 or beyond, or covariances typed in by hand that contradict each other.",
        ) from None


def _listed(rows: list[int]) -> str:
    return ", ".join(str(row) for row in rows[:20]) + (" and more" if len(rows) > 20 else "")
