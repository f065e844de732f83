"""How sums per pattern turn into derivatives by the parameters of the covariance matrices.

Two kinds, one interface: matrices that all people of a group share (sum first, then multiply by the derivatives), and
matrices that differ by pattern, for visits at times of one's own (multiply pattern by pattern; few parameters).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ipt_outcomes.mixed.repeated.patterns import Patterns
from ipt_outcomes.mixed.repeated.structures import Structure


class Curve(Protocol):
    """Covariance matrices of all patterns as a function of the parameters of all groups."""

    @property
    def n_parameters(self) -> int:
        """Of all groups."""
        ...

    def sigma(self, theta: np.ndarray) -> np.ndarray:
        """Return a matrix per pattern, shape (m, t, t)."""
        ...

    def at(self, theta: np.ndarray) -> Derivatives:
        """Return the derivatives at a point."""
        ...


class Derivatives(Protocol):
    """Derivatives of the matrices, written S_k for parameter k, contracted with sums per pattern."""

    def slope(self, weights: np.ndarray) -> np.ndarray:
        """Return the sum over patterns of tr(D S_k), shape (k,)."""
        ...

    def bend(self, weights: np.ndarray) -> np.ndarray:
        """Return the sum over patterns of tr(D S_kl), shape (k, k)."""
        ...

    def pairs(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return the sum over patterns of tr(S_k A S_l B), shape (k, k), symmetric."""
        ...

    def moved(self, inverse: np.ndarray) -> np.ndarray:
        """Return, per parameter, the sum over people of W' S S_k S W, shape (k, p + 1, p + 1)."""
        ...

    def between(self, weights: np.ndarray, inverse: np.ndarray) -> np.ndarray:
        """Return, per pattern, the sum over pairs of w_kl S_k S S_l, shape (m, t, t)."""
        ...

    def bent(self, weights: np.ndarray) -> np.ndarray:
        """Return, per pattern, the sum over pairs of w_kl S_kl, shape (m, t, t)."""
        ...


@dataclass(frozen=True, slots=True)
class SharedCurve:
    """One structure, with parameters of its own in each group.

    Parameters
    ----------
    structure : Structure
    patterns : Patterns
    n_groups : int
    """

    structure: Structure
    patterns: Patterns
    n_groups: int

    @property
    def n_parameters(self) -> int:
        """Of all groups."""
        return self.n_groups * self.structure.n_parameters

    def sigma(self, theta: np.ndarray) -> np.ndarray:
        """Return a matrix per pattern."""
        return np.asarray(self.structure.sigma(theta.reshape(self.n_groups, -1))[self.patterns.group])

    def at(self, theta: np.ndarray) -> SharedDerivatives:
        """Return the derivatives at a point."""
        return SharedDerivatives(self, theta.reshape(self.n_groups, -1))


class SharedDerivatives:
    """Derivatives of matrices that all people of a group share."""

    def __init__(self, curve: SharedCurve, theta: np.ndarray) -> None:
        self._curve, self._theta = curve, theta
        self._first = [curve.structure.first(own) for own in theta]
        self._groups = [curve.patterns.group == number for number in range(curve.n_groups)]
        self._k = curve.structure.n_parameters
        self._bends: dict[int, np.ndarray] = {}

    def slope(self, weights: np.ndarray) -> np.ndarray:
        """Return the sum over patterns of tr(D S_k)."""
        totals = [weights[own].sum(axis=0) for own in self._groups]
        return np.concatenate([np.einsum("ab,kab->k", *pair) for pair in zip(totals, self._first, strict=True)])

    def bend(self, weights: np.ndarray) -> np.ndarray:
        """Return the sum over patterns of tr(D S_kl)."""
        totals = [weights[own].sum(axis=0) for own in self._groups]
        return self._blocks(
            [np.einsum("ab,klab->kl", total, self._second(place)) for place, total in enumerate(totals)]
        )

    def pairs(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return the sum over patterns of tr(S_k A S_l B)."""
        blocks = []
        for own, first in zip(self._groups, self._first, strict=True):
            t, k = left.shape[1], self._k
            both = left[own].reshape(-1, t * t).T @ right[own].reshape(-1, t * t)
            inner = both.reshape(t, t, t, t).transpose(3, 0, 1, 2).reshape(t * t, t * t)
            flat = first.reshape(k, t * t)
            block = flat @ inner @ flat.T
            blocks.append((block + block.T) / 2)
        return self._blocks(blocks)

    def moved(self, inverse: np.ndarray) -> np.ndarray:
        """Return, per parameter, the sum over people of W' S S_k S W."""
        found = []
        for number, first in enumerate(self._first):
            spread = self._curve.patterns.spread(inverse, number)
            found.append(np.einsum("kab,ajbi->kji", first, spread, optimize=True))
        return np.concatenate(found)

    def between(self, weights: np.ndarray, inverse: np.ndarray) -> np.ndarray:
        """Return, per pattern, the sum over pairs of w_kl S_k S S_l."""
        found = np.zeros_like(inverse)
        k = self._k
        for number, (own, first) in enumerate(zip(self._groups, self._first, strict=True)):
            block = weights[number * k : (number + 1) * k, number * k : (number + 1) * k]
            t = first.shape[1]
            flat = first.reshape(k, t * t)
            tensor = (flat.T @ block @ flat).reshape(t, t, t, t)
            found[own] = np.einsum("abcd,mbc->mad", tensor, inverse[own], optimize=True)
        return found

    def bent(self, weights: np.ndarray) -> np.ndarray:
        """Return, per pattern, the sum over pairs of w_kl S_kl."""
        k = self._k
        each = [
            np.einsum(
                "kl,klab->ab",
                weights[number * k : (number + 1) * k, number * k : (number + 1) * k],
                self._second(number),
            )
            for number in range(len(self._first))
        ]
        return np.asarray(np.array(each)[self._curve.patterns.group])

    def _second(self, number: int) -> np.ndarray:
        if number not in self._bends:
            self._bends[number] = self._curve.structure.second(self._theta[number])
        return self._bends[number]

    def _blocks(self, blocks: list[np.ndarray]) -> np.ndarray:
        found = np.zeros((self._curve.n_parameters, self._curve.n_parameters))
        for number, block in enumerate(blocks):
            places = slice(number * self._k, (number + 1) * self._k)
            found[places, places] = block
        return found


@dataclass(frozen=True, slots=True)
class OwnCurve:
    """Matrices that differ by pattern.

    Parameters
    ----------
    structure : Structure
        Its `sigma` gives a matrix per kind of visits, shape (..., kinds, t, t).
    patterns : Patterns
    n_groups : int
    kind : numpy.ndarray of int, shape (m,)
        Of each pattern.
    """

    structure: Structure
    patterns: Patterns
    n_groups: int
    kind: np.ndarray

    @property
    def n_parameters(self) -> int:
        """Of all groups."""
        return self.n_groups * self.structure.n_parameters

    def sigma(self, theta: np.ndarray) -> np.ndarray:
        """Return a matrix per pattern."""
        matrices = self.structure.sigma(theta.reshape(self.n_groups, -1))
        return np.asarray(matrices[self.patterns.group, self.kind])

    def at(self, theta: np.ndarray) -> OwnDerivatives:
        """Return the derivatives at a point."""
        return OwnDerivatives(self, theta.reshape(self.n_groups, -1))


class OwnDerivatives:
    """Derivatives of matrices that differ by pattern; 0 by the parameters of other groups."""

    def __init__(self, curve: OwnCurve, theta: np.ndarray) -> None:
        self._curve = curve
        k, m = curve.structure.n_parameters, len(curve.kind)
        self._places = [slice(number * k, (number + 1) * k) for number in range(curve.n_groups)]
        t = curve.patterns.seen.shape[1]
        self._first = np.zeros((curve.n_parameters, m, t, t))
        self._second = np.zeros((curve.n_parameters, curve.n_parameters, m, t, t))
        for number, (own, places) in enumerate(zip(theta, self._places, strict=True)):
            here = curve.patterns.group == number
            self._first[places, here] = curve.structure.first(own)[:, curve.kind[here]]
            self._second[places, places, here] = curve.structure.second(own)[:, :, curve.kind[here]]

    def slope(self, weights: np.ndarray) -> np.ndarray:
        """Return the sum over patterns of tr(D S_k)."""
        return np.asarray(np.einsum("mab,kmab->k", weights, self._first))

    def bend(self, weights: np.ndarray) -> np.ndarray:
        """Return the sum over patterns of tr(D S_kl)."""
        return np.asarray(np.einsum("mab,klmab->kl", weights, self._second))

    def pairs(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return the sum over patterns of tr(S_k A S_l B)."""
        one, other = self._first @ left, self._first @ right
        found = np.einsum("kmab,lmba->kl", one, other)
        return np.asarray((found + found.T) / 2)

    def moved(self, inverse: np.ndarray) -> np.ndarray:
        """Return, per parameter, the sum over people of W' S S_k S W."""
        return np.array([self._curve.patterns.quadratic(inverse @ first @ inverse) for first in self._first])

    def between(self, weights: np.ndarray, inverse: np.ndarray) -> np.ndarray:
        """Return, per pattern, the sum over pairs of w_kl S_k S S_l."""
        return np.asarray(np.einsum("kl,kmab,mbc,lmcd->mad", weights, self._first, inverse, self._first, optimize=True))

    def bent(self, weights: np.ndarray) -> np.ndarray:
        """Return, per pattern, the sum over pairs of w_kl S_kl."""
        return np.asarray(np.einsum("kl,klmab->mab", weights, self._second))
