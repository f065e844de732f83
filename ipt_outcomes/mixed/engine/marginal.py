"""The covariance of the outcome, block by block of rows that share no random effect, in the outcome's own unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from ipt_outcomes.mixed.design import Design

if TYPE_CHECKING:
    from ipt_outcomes.mixed.linear_fit import LinearMixedFit


@dataclass(frozen=True, slots=True)
class RowBlock:
    """Rows that share no random effect with others.

    Parameters
    ----------
    rows : numpy.ndarray of int, shape (m,)
        Places among the rows used.
    x : numpy.ndarray, shape (m, p)
    y : numpy.ndarray, shape (m,)
    v : numpy.ndarray, shape (m, m)
    derivatives : numpy.ndarray, shape (t + 1, m, m)
        Of `v`, by each variance and covariance.
    """

    rows: np.ndarray
    x: np.ndarray
    y: np.ndarray
    v: np.ndarray
    derivatives: np.ndarray


@dataclass(frozen=True, slots=True)
class Marginal:
    """Covariance of the outcome: linear in variances and covariances of random effects and the residual variance.

    Parameters
    ----------
    names : tuple of tuple of str
        ``(group, term1, term2)`` as in ``fit.random``, then ``("residual", "", "")``.
    values : numpy.ndarray, shape (t + 1,)
    covariance : numpy.ndarray, shape (t + 1, t + 1)
        Of `values`: twice the inverse Hessian of the deviance, parameters of the residuals among them.
    """

    names: tuple[tuple[str, str, str], ...]
    values: np.ndarray
    covariance: np.ndarray
    _fit: LinearMixedFit

    def blocks(self) -> Iterator[RowBlock]:
        """Yield the blocks, largest sets of rows linked by a level of any factor."""
        fit, design = self._fit, self._fit.design
        x = design.fixed_matrix()
        z = [design.random_matrix(number) for number in range(len(design.factors))]
        residual = _residual_parts(fit)
        entries = _entries(design)
        for rows in linked_rows(design):
            size = rows.size
            derivatives = np.empty((len(entries) + 1, size, size))
            same = [_same(group.codes[rows]) for group in design.factors]
            for place, (factor, i, j) in enumerate(entries):
                left, right = z[factor][rows, i], z[factor][rows, j]
                own = np.multiply.outer(left, right)
                derivatives[place] = (own if i == j else own + own.T) * same[factor]
            derivatives[-1] = residual(rows)
            v = np.tensordot(self.values, derivatives, axes=1)
            yield RowBlock(rows, x[rows], design.y[rows], v, derivatives)


def marginal_of(fit: LinearMixedFit) -> Marginal:
    """Return the covariance of the outcome of a fit.

    Parameters
    ----------
    fit : LinearMixedFit

    Returns
    -------
    Marginal
    """
    design, inside = fit.design, fit._inside
    entries, structure = _entries(design), inside.structure
    sigma2 = fit.sigma**2
    backs, factors = inside.scaling.random_back, inside.optimum.factors
    covariances = [
        sigma2 * back @ root @ root.T @ back.T for back, root in zip(backs, factors, strict=True)
    ]  # fmt: skip
    values = np.array([*(covariances[f][i, j] for f, i, j in entries), sigma2])
    covariance = inside.satterthwaite.covariance
    # Columns: free entries, parameters of the residuals, logarithm of the residual variance.
    turn = np.zeros((values.size, len(covariance)))
    directions = zip(structure.factor, structure.directions(factors), strict=True)
    for column, (factor, direction) in enumerate(directions):
        moved = sigma2 * backs[factor] @ direction @ backs[factor].T
        turn[:-1, column] = [moved[i, j] if f == factor else 0.0 for f, i, j in entries]
    turn[:, -1] = values
    names = [
        (design.factors[f].name, _name(design, f, i), "" if i == j else _name(design, f, j)) for f, i, j in entries
    ]
    return Marginal((*names, ("residual", "", "")), values, turn @ covariance @ turn.T, fit)


def linked_rows(design: Design) -> Iterator[np.ndarray]:
    """Yield sets of rows that no level of any grouping factor links to others, shape (m,)."""
    n = design.n_rows
    nodes, start = [], n
    for group in design.factors:
        nodes.append(np.where(group.codes < 0, np.arange(n), start + group.codes))
        start += len(group.levels)
    ends = np.concatenate(nodes)
    rows = np.tile(np.arange(n), len(nodes))
    graph = csr_array((np.ones(rows.size), (rows, ends)), shape=(start, start))
    label = connected_components(graph, directed=False)[1][:n]
    order = np.argsort(label, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(label[order])) + 1)


def _entries(design: Design) -> list[tuple[int, int, int]]:
    """Variances, then covariances of each factor, as in the table of random effects."""
    found = []
    for number, group in enumerate(design.factors):
        q = len(group.columns)
        found += [(number, i, i) for i in range(q)]
        found += [
            (number, i, j)
            for i in range(q)
            for j in range(i + 1, q)
            if group.columns[i].block == group.columns[j].block
        ]
    return found


def _name(design: Design, factor: int, place: int) -> str:
    return design.factors[factor].columns[place].column.name


def _same(codes: np.ndarray) -> np.ndarray:
    return np.asarray((codes[:, None] == codes[None, :]) & (codes[:, None] >= 0))


class _residual_parts:  # noqa: N801  a function with a memory
    """Covariance of the residuals of rows, relative to the residual variance."""

    def __init__(self, fit: LinearMixedFit) -> None:
        model = fit._inside.residual
        self.weights, self.rows = model.weights, model.rows()

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        found = np.eye(rows.size)
        if self.rows is not None and self.rows.neighbours is not None:
            # Solving the change of the rows backwards gives the root of the correlation.
            place = {int(row): number for number, row in enumerate(rows)}
            change = np.zeros_like(found)
            shared = self.rows.shared()
            for number, row in enumerate(rows):
                before = int(self.rows.neighbours.before[row])
                size = np.sqrt(1 - shared[row] ** 2)
                change[number, number] = 1 / size
                if before >= 0:
                    change[number, place[before]] = -shared[row] / size
            root = np.linalg.inv(change)
            found = root @ root.T
        if self.weights is not None:
            size = 1 / np.sqrt(self.weights[rows])
            found = found * np.multiply.outer(size, size)
        return found
