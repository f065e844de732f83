"""Kenward and Roger's standard errors and degrees of freedom of linear mixed models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ipt_outcomes.errors import DesignError
from ipt_outcomes.mixed.spread import Spread

# Rows that depend on one another, beyond which matrices of their covariance no longer fit.
MOST_DEPENDENT_ROWS = 6000
# Numbers in the derivatives of blocks that are worked on together.
_TOGETHER = 2_000_000


class Block(Protocol):
    """Rows that depend on no others: their columns, covariance and its derivatives."""

    @property
    def x(self) -> np.ndarray:
        """Fixed columns, shape (n, p)."""
        ...

    @property
    def v(self) -> np.ndarray:
        """Covariance, shape (n, n)."""
        ...

    @property
    def derivatives(self) -> np.ndarray:
        """Of the covariance by its parameters, shape (k, n, n)."""
        ...


@dataclass(frozen=True, slots=True)
class Stack:
    """Blocks of the same size.

    Parameters
    ----------
    x : numpy.ndarray, shape (c, n, p)
    v : numpy.ndarray, shape (c, n, n)
    derivatives : numpy.ndarray, shape (c, k, n, n)
    """

    x: np.ndarray
    v: np.ndarray
    derivatives: np.ndarray


def stacked(blocks: Iterable[Block]) -> Iterator[Stack]:
    """Put blocks of the same size together, so that their matrices are multiplied at once.

    Raises
    ------
    DesignError
        A block has more rows than fit.
    """
    waiting: dict[int, list[Block]] = {}
    for block in blocks:
        n = len(block.x)
        if n > MOST_DEPENDENT_ROWS:
            raise DesignError(
                f"{n} rows depend on one another through the random effects; Kenward and Roger's adjustment is "
                f"computed for at most {MOST_DEPENDENT_ROWS}",
                hint="With this many rows df='satterthwaite' gives the same.",
            )
        own = waiting.setdefault(n, [])
        own.append(block)
        if len(own) * block.derivatives.size > _TOGETHER:
            yield _stack(waiting.pop(n))
    for size in sorted(waiting):
        yield _stack(waiting[size])


def _stack(blocks: list[Block]) -> Stack:
    return Stack(
        np.array([block.x for block in blocks]),
        np.array([block.v for block in blocks]),
        np.array([block.derivatives for block in blocks]),
    )


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Covariance of the coefficients and degrees of freedom by Kenward and Roger.

    Parameters
    ----------
    vcov : numpy.ndarray, shape (p, p)
        Adjusted.
    spread : Spread
    """

    vcov: np.ndarray
    spread: Spread

    def df(self, weights: np.ndarray) -> float:
        """Return the degrees of freedom of one combination of the coefficients, shape (p,)."""
        return self.spread.df(weights)

    def f_scale(self, weights: np.ndarray) -> tuple[float, float]:
        """Return the scale of an F statistic and its denominator degrees of freedom; weights of shape (r, p)."""
        return self.spread.f_scale(weights)


def kenward_roger(blocks: Iterable[Block]) -> Adjusted:
    """Adjust for the covariance parameters having been estimated by REML.

    Parameters
    ----------
    blocks : iterable of Block
        At the estimates.

    Returns
    -------
    Adjusted

    Raises
    ------
    DesignError
        The rows tell nothing of the covariance parameters, or too many depend on one another.

    Notes
    -----
    The covariance of the outcome is linear in the variances and covariances of the random effects and the residual
    variance, so its second derivatives are 0: the form with second derivatives and the linear form are the same. The
    information is the expected one, as in the R package pbkrtest.

    References
    ----------
    Kackar and Harville (1984), J Am Stat Assoc 79(388):853-862, doi:10.1080/01621459.1984.10477102; Kenward and Roger
    (1997), Biometrics 53(3):983-997, doi:10.2307/2533558; Halekoh and Hojsgaard (2014), J Stat Softw 59(9),
    doi:10.18637/jss.v059.i09.
    """
    a = slope = bend = trace = None
    for stack in stacked(blocks):
        inverse = np.linalg.inv(stack.v)
        weighted = inverse @ stack.x
        moved = stack.derivatives @ weighted[:, None]
        turned = stack.derivatives @ inverse[:, None]
        parts = (
            np.einsum("cni,cnj->ij", stack.x, weighted),
            np.einsum("cni,cknj->kij", weighted, moved, optimize=True),
            np.einsum("ckni,cnm,clmj->klij", moved, inverse, moved, optimize=True),
            np.einsum("cknm,clmn->kl", turned, turned, optimize=True),
        )
        if a is None:
            a, slope, bend, trace = parts
        else:
            a, slope, bend, trace = (old + new for old, new in zip((a, slope, bend, trace), parts, strict=True))
    if a is None or slope is None or bend is None or trace is None:
        raise DesignError("there are no rows to adjust for")
    phi = np.linalg.inv(a)
    # slope is minus the derivative of the information about the coefficients; signs cancel in every use.
    turned_slope = phi @ slope
    lost = np.einsum("kij,ljh->klih", slope, turned_slope)
    information = (
        trace - 2 * np.einsum("ij,klji->kl", phi, bend) + np.einsum("kij,lji->kl", turned_slope, turned_slope)
    ) / 2
    w = _inverse((information + information.T) / 2)
    inner = np.einsum("kl,klij->ij", w, bend - lost)
    vcov = phi + 2 * phi @ ((inner + inner.T) / 2) @ phi
    return Adjusted((vcov + vcov.T) / 2, Spread(phi, slope, w))


def _inverse(information: np.ndarray) -> np.ndarray:
    """Inverse of the information, after its parameters are put on one scale."""
    size = np.sqrt(np.diag(information))
    if not (size > 0).all():
        raise DesignError(
            "the rows tell nothing of some variance, so Kenward and Roger's adjustment cannot be computed",
            hint="Use a simpler random part, or df='satterthwaite'.",
        )
    scaled = information / np.multiply.outer(size, size)
    values, directions = np.linalg.eigh(scaled)
    if values[0] < 1e-12:
        raise DesignError(
            "the rows cannot tell some variances apart, so Kenward and Roger's adjustment cannot be computed",
            hint="Use a simpler random part, or df='satterthwaite'.",
        )
    return np.asarray((directions / values) @ directions.T / np.multiply.outer(size, size))
