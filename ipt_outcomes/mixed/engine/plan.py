"""How the levels above the units are eliminated: factor by factor where they are nested, together where they cross."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ipt_outcomes.errors import DesignError

# Levels that hang together through shared units, in one dense matrix: 8,000 take half a gigabyte.
MOST_CROSSED = 8_000


@dataclass(frozen=True, slots=True)
class Nested:
    """A factor each level of which lies in one combination of the factors above it.

    Parameters
    ----------
    factor : int
        Place among the factors above the units.
    which : numpy.ndarray of int, shape (q,)
        Its random columns among the distinct ones.
    real : numpy.ndarray of bool, shape (v,)
        Combinations that have a level of it.
    levels : numpy.ndarray of int, shape (v,)
        That level; -1 where none.
    starts : numpy.ndarray of int, shape (w,)
        First combination of each combination of the factors above, which are next.
    """

    factor: int
    which: np.ndarray
    real: np.ndarray
    levels: np.ndarray
    starts: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """How many combinations each next one holds, shape (w,)."""
        return np.diff(np.append(self.starts, self.real.size))


@dataclass(frozen=True, slots=True)
class Component:
    """Sets of levels of equal size that no unit links to others.

    Parameters
    ----------
    nodes : numpy.ndarray of int, shape (b, m)
        Level effects, numbered over all factors; -1 fills up.
    """

    nodes: np.ndarray


@dataclass(frozen=True, slots=True)
class Crossed:
    """The factors that are not nested, eliminated together.

    Parameters
    ----------
    factors : tuple of int
        Places among the factors above the units.
    columns : tuple of (int, int, int)
        Of each random column: place of its factor in `factors`, place in the factor, place among the distinct columns.
    node : numpy.ndarray of int, shape (v, columns)
        Level effect of each combination; -1 where it has none.
    one, other : numpy.ndarray of int, shape (m,)
        Pairs of combinations that share units, each in both orders, or the combinations with themselves.
    place_of_link : numpy.ndarray of int, shape (l,), or None
        Which of them each pair of cells belongs to; None where no unit has several cells.
    components : tuple of Component
    slot : numpy.ndarray of int, shape (nodes, 3)
        Component, row in it and place of each level effect.
    offsets : tuple of int
        First level effect of each factor.
    width : int
        Distinct random columns of all factors above the units.
    """

    factors: tuple[int, ...]
    columns: tuple[tuple[int, int, int], ...]
    node: np.ndarray
    one: np.ndarray
    other: np.ndarray
    place_of_link: np.ndarray | None
    components: tuple[Component, ...]
    slot: np.ndarray
    offsets: tuple[int, ...]
    width: int


Stage = Nested | Crossed


def plan_stages(
    codes: np.ndarray, which: Sequence[Sequence[int]], linked: tuple[np.ndarray, np.ndarray] | None
) -> tuple[Stage, ...]:
    """Plan the elimination.

    Parameters
    ----------
    codes : numpy.ndarray of int, shape (v, f)
        Levels of each combination, sorted, the last factor first; -1 is none.
    which : sequence of sequence of int
        Random columns of each factor, as places among the distinct ones.
    linked : tuple of numpy.ndarray of int, shape (l,), or None
        Combinations of the two cells of each pair that shares a unit; None where units are cells.

    Returns
    -------
    tuple of Stage

    Raises
    ------
    DesignError
        Too many levels hang together.
    """
    stages: list[Stage] = []
    if linked is not None:
        return (_crossed(codes, which, 0, linked),)
    for place in range(codes.shape[1]):
        own = codes[:, 0]
        if np.bincount(own + 1)[1:].max(initial=0) > 1:
            return (*stages, _crossed(codes, which, place, None))
        new = np.ones(len(codes), dtype=bool)
        rest = codes[:, 1:]
        new[1:] = (rest[1:] != rest[:-1]).any(axis=1)
        starts = np.flatnonzero(new)
        stages.append(Nested(place, np.array(which[place]), own >= 0, own, starts))
        codes = rest[starts]
    return tuple(stages)


def _crossed(
    codes: np.ndarray, which: Sequence[Sequence[int]], first: int, linked: tuple[np.ndarray, np.ndarray] | None
) -> Crossed:
    factors = tuple(range(first, first + codes.shape[1]))
    columns = tuple(
        (place, own, distinct) for place, factor in enumerate(factors) for own, distinct in enumerate(which[factor])
    )
    counts = codes.max(axis=0) + 1
    sizes = [int(count) * len(which[factor]) for count, factor in zip(counts, factors, strict=True)]
    offsets = tuple(int(end - size) for end, size in zip(np.cumsum(sizes), sizes, strict=True))
    node = np.column_stack([
        np.where(codes[:, place] < 0, -1, offsets[place] + codes[:, place] * len(which[factors[place]]) + own)
        for place, own, _ in columns
    ])  # fmt: skip
    if linked is None:
        one = other = np.arange(len(codes))
        place_of_link = None
    else:
        pairs, place_of_link = np.unique(linked[0] * len(codes) + linked[1], return_inverse=True)
        one, other = pairs // len(codes), pairs % len(codes)
    components, slot = _components(node, one, other, sum(sizes))
    width = 1 + max(column for own in which for column in own)
    return Crossed(factors, columns, node, one, other, place_of_link, components, slot, offsets, width)


def _components(
    node: np.ndarray, one: np.ndarray, other: np.ndarray, n_nodes: int
) -> tuple[tuple[Component, ...], np.ndarray]:
    """Level effects that hang together, put into batches of about the same size."""
    rows, columns = [], []
    for left in range(node.shape[1]):
        for right in range(node.shape[1]):
            a, b = node[one, left], node[other, right]
            both = (a >= 0) & (b >= 0)
            rows.append(a[both])
            columns.append(b[both])
    row, column = np.concatenate(rows), np.concatenate(columns)
    links = coo_array((np.ones(row.size), (row, column)), shape=(n_nodes, n_nodes))
    count, label = connected_components(links, directed=False)
    size = np.bincount(label, minlength=count)
    if size.max(initial=0) > MOST_CROSSED:
        raise DesignError(
            f"{size.max()} levels of crossed grouping factors hang together; at most {MOST_CROSSED} can be fitted",
            hint="Leave out a grouping factor, or combine levels that share patients.",
        )
    # Sizes within a factor of about 1.4 share a batch; the smaller are filled up.
    batch = np.ceil(2 * np.log2(np.maximum(size, 1))).astype(int)
    slot = np.empty((n_nodes, 3), dtype=np.int64)
    by_label = np.argsort(label, kind="stable")
    first = np.cumsum(size) - size
    components = []
    for number, kind in enumerate(np.unique(batch)):
        members = np.flatnonzero(batch == kind)
        nodes = np.full((members.size, size[members].max()), -1, dtype=np.int64)
        for row_number, member in enumerate(members):
            own = by_label[first[member] : first[member] + size[member]]
            nodes[row_number, : own.size] = own
            slot[own, 0], slot[own, 1], slot[own, 2] = number, row_number, np.arange(own.size)
        components.append(Component(nodes))
    return tuple(components), slot
