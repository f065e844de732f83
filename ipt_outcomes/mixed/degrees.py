"""Degrees of freedom of linear mixed models by the methods that do not come with the fit itself."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from ipt_outcomes.errors import OptionError
from ipt_outcomes.mixed.kenward_roger import kenward_roger

if TYPE_CHECKING:
    from ipt_outcomes.mixed.design import Design
    from ipt_outcomes.mixed.linear_fit import LinearMixedFit

Method = Literal["kenward-roger", "kenward-roger-linear", "between-within"]


class Degrees(Protocol):
    """What a fit needs of a method."""

    @property
    def vcov(self) -> np.ndarray:
        """Covariance of the coefficients, shape (p, p)."""

    def df(self, weights: np.ndarray) -> float:
        """Degrees of freedom of one combination of the coefficients, shape (p,)."""

    def f_scale(self, weights: np.ndarray) -> tuple[float, float]:
        """Scale of an F statistic of several combinations, shape (r, p), and its degrees of freedom."""


def spread_of(fit: LinearMixedFit, method: Method) -> Degrees:
    """Return degrees of freedom, and the covariance of the coefficients that goes with them.

    Parameters
    ----------
    fit : LinearMixedFit
    method : {"kenward-roger", "kenward-roger-linear", "between-within"}
        The two forms of Kenward and Roger are the same for a linear mixed model: its covariance is linear in the
        variances.

    Returns
    -------
    Degrees

    Raises
    ------
    OptionError
        Kenward and Roger's method for a fit by maximum likelihood; between-within for crossed grouping factors.
    """
    if method == "between-within":
        return between_within(fit)
    if not fit.reml:
        raise OptionError(
            "Kenward and Roger's method is for restricted maximum likelihood",
            hint="Fit with reml=True, or use df='satterthwaite'.",
        )
    from ipt_outcomes.mixed.engine.marginal import marginal_of

    return kenward_roger(marginal_of(fit).blocks())


@dataclass(frozen=True, slots=True)
class BetweenWithin:
    """Degrees of freedom by the level at which a coefficient's column varies.

    Parameters
    ----------
    vcov : numpy.ndarray, shape (p, p)
    each : numpy.ndarray, shape (p,)
        Degrees of freedom of each coefficient.
    """

    vcov: np.ndarray
    each: np.ndarray

    def df(self, weights: np.ndarray) -> float:
        """Return the fewest degrees of freedom of the coefficients involved."""
        involved = np.abs(weights) > 1e-8 * np.abs(weights).max()
        return float(self.each[involved].min())

    def f_scale(self, weights: np.ndarray) -> tuple[float, float]:
        """Return 1 and the fewest degrees of freedom involved."""
        return 1.0, min(self.df(row) for row in weights)


def between_within(fit: LinearMixedFit) -> BetweenWithin:
    """Divide the degrees of freedom between the levels of nested grouping factors.

    Parameters
    ----------
    fit : LinearMixedFit

    Returns
    -------
    BetweenWithin

    Raises
    ------
    OptionError
        Grouping factors that are not nested in one another.

    Notes
    -----
    A column belongs to the innermost level within whose groups it varies. A level has as many degrees of freedom as
    it has groups, minus those of the level above and minus the columns that belong to it; the intercept counts as the
    one group above all. The intercept itself has those of the innermost level, as in the R package nlme.

    References
    ----------
    Schluchter and Elashoff (1990), J Stat Comput Simul 37(1-2):69-87, doi:10.1080/00949659008811295; Pinheiro and Bates
    (2000), Mixed-Effects Models in S and S-PLUS, section 2.4.2, doi:10.1007/b98882.
    """
    design = fit.design
    levels = _nested(design)
    x = design.fixed_matrix()
    outermost = np.zeros(design.n_rows, dtype=np.int64)
    groupings = [outermost, *levels, np.arange(design.n_rows)]
    counts = np.array([np.unique(codes).size for codes in groupings])
    # The innermost grouping within which a column still varies; constant everywhere: 0, the intercept.
    place = np.zeros(x.shape[1], dtype=int)
    for number, codes in enumerate(groupings[:-1]):
        place[_varies(x, codes)] = number + 1
    intercept = place == 0
    per_level = [
        int(counts[number] - counts[number - 1] - (place == number).sum()) for number in range(1, len(groupings))
    ]
    if not intercept.any():
        per_level[0] += 1
    each = np.array([per_level[-1] if own == 0 else per_level[own - 1] for own in place], dtype=float)
    return BetweenWithin(fit.vcov, np.maximum(each, 1.0))


def _varies(x: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Whether a column has different values within some group, shape (p,)."""
    order = np.argsort(codes, kind="stable")
    starts = np.concatenate(([0], np.flatnonzero(np.diff(codes[order])) + 1))
    low, high = np.minimum.reduceat(x[order], starts), np.maximum.reduceat(x[order], starts)
    return np.asarray((high > low).any(axis=0))


def _nested(design: Design) -> list[np.ndarray]:
    """Codes of the grouping factors, the outermost first; a row without a group is one of its own."""
    found = []
    for factor in reversed(design.factors):
        codes = factor.codes.copy()
        alone = codes < 0
        codes[alone] = len(factor.levels) + np.arange(int(alone.sum()))
        found.append(codes)
    for outer, inner in pairwise(found):
        if _varies(outer[:, None].astype(float), inner).any():
            named = ", ".join(factor.name for factor in design.factors)
            raise OptionError(
                f"between-within degrees of freedom need grouping factors nested in one another, not {named}",
                hint="Use df='satterthwaite' or df='kenward-roger'.",
            )
    return found
