"""Funnel plots of proportions: which units lie outside what chance alone gives, for their number of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtri
from scipy.stats import binom, chi2

from ipt_outcomes.effects.proportions import check_level, is_number
from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.results import Provenance, ResultObject, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FunnelLimits = Literal["exact", "exact-interpolated", "arcsine", "over-dispersed"]

# Share of units at each end whose z is pulled in before the spread is worked out.
_WINSORISED = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel(ResultObject):
    """Units of a funnel plot and the limits around the target.

    Parameters
    ----------
    units : pandas.DataFrame
        One row per unit, in the order given: ``event n rate z`` (arcsine scale), ``outside`` (the widest level, in
        percent, whose limits it is beyond: 0, 95, 99.8) and ``direction`` ("above", "below", "").
    limits : pandas.DataFrame
        One row per number of people that occurs: ``n low_95 high_95 low_998 high_998`` (proportions; named by level).
    target : float
        Proportion in the middle.
    phi, tau2 : float
        Over-dispersion: mean of the winsorised z squared (1 if chance alone is at work), and the variance between
        units on the arcsine scale.
    kind : str
        How the limits were made.
    provenance : Provenance
    """

    units: pd.DataFrame
    limits: pd.DataFrame
    target: float
    phi: float
    tau2: float
    kind: str
    provenance: Provenance

    def to_frame(self) -> pd.DataFrame:
        """Return `units`."""
        return self.units.copy()

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the funnel; options as in `ipt_outcomes.figures.unit_funnel`."""
        from ipt_outcomes.figures.service import unit_funnel

        return unit_funnel(self, ax=ax, **options)

    def summary(self, digits: int = 1) -> str:
        """Return how many units are outside, without a ranking."""
        outside = int((self.units["outside"] > 0).sum())
        return (
            f"{len(self.units)} {plural(len(self.units), 'unit', 'units')} around {100 * self.target:.{digits}f}% "
            f"({self.kind} limits): {outside} outside the inner limits; over-dispersion {self.phi:.2f}."
        )


def funnel(
    event: ArrayLike,
    totaln: ArrayLike,
    *,
    target: float | None = None,
    limits: FunnelLimits = "exact",
    levels: Sequence[float] = (0.95, 0.998),
) -> Funnel:
    """Limits of a funnel plot of proportions.

    Parameters
    ----------
    event, totaln : array_like, shape (k,)
        People with the outcome, and people, of each unit.
    target : float, optional
        Proportion to compare with; that of all units together if None.
    limits : {"exact", "exact-interpolated", "arcsine", "over-dispersed"}
        Exact binomial quantiles; the same made smooth between whole people; normal on the arcsine scale; that with
        the variance between units added, so that fewer units of a spread-out service stand out.
    levels : sequence of float
        Levels of the limits, increasing.

    Returns
    -------
    Funnel

    Raises
    ------
    DesignError
        Counts are not whole numbers with events from 0 to the total; a unit without people; no unit. Rows listed.
    OptionError
        `target` is not strictly between 0 and 1; a level is out of its range.

    Notes
    -----
    Exact limits are ``q(p)/n`` with q the binomial quantile at (1 ± level)/2; interpolated ones ``(q - a)/n`` with
    ``a = (F(q) - p)/(F(q) - F(q - 1))``, which can pass 0 or 1 for few people. A unit is outside exact limits when it
    is strictly beyond the quantile. Over-dispersion: ``z = 2 sqrt(n) (asin sqrt(x/n) - asin sqrt(target))``, the tenth
    at each end pulled in; ``phi`` their mean square; ``tau2 = max(0, (k phi - (k - 1)) / (sum w - sum w²/sum w))`` with
    ``w = 4n``.

    References
    ----------
    Spiegelhalter (2005), Stat Med 24:1185-1202, doi:10.1002/sim.1970.
    Spiegelhalter et al. (2012), J R Stat Soc A 175:1-47, doi:10.1111/j.1467-985X.2011.01010.x.

    Examples
    --------
    >>> funnel([5, 20, 9], [10, 40, 40], target=0.5).units["outside"].tolist()
    [0.0, 0.0, 99.8]
    """
    require_choice("limits", limits, ("exact", "exact-interpolated", "arcsine", "over-dispersed"))
    levels = _levels(levels)
    x, n = _counts(event, totaln)
    if target is None:
        target = float(x.sum() / n.sum())
    if not is_number(target) or not 0 < target < 1:
        raise OptionError(
            f"target must be strictly between 0 and 1; {target!r} leaves nothing to compare "
            "(all or none have the outcome)"
        )
    z = 2 * np.sqrt(n) * (np.arcsin(np.sqrt(x / n)) - np.arcsin(np.sqrt(target)))
    phi, tau2 = _over_dispersion(z, 4 * n)
    sizes = np.unique(n)
    frame = {"n": sizes.astype(int)}
    outside, direction = np.zeros(n.size), np.full(n.size, "", dtype=object)
    for level in levels:
        low, high = _limits(limits, sizes, target, level, tau2 if limits == "over-dispersed" else 0.0)
        name = f"{100 * level:g}".replace(".", "")
        frame |= {f"low_{name}": low, f"high_{name}": high}
        place = np.searchsorted(sizes, n)
        below, above = x / n < low[place], x / n > high[place]
        outside[below | above] = round(100 * level, 10)
        direction[below], direction[above] = "below", "above"
    units = {"event": x.astype(int), "n": n.astype(int), "rate": x / n, "z": z}
    return Funnel(
        units=pd.DataFrame({**units, "outside": outside, "direction": direction}),
        limits=pd.DataFrame(frame),
        target=float(target),
        phi=phi,
        tau2=tau2,
        kind=limits,
        provenance=Provenance(
            function="clinic.funnel", options={"target": target, "limits": limits, "levels": list(levels)}
        ),
    )


def ratio_limits(expected: ArrayLike, *, level: float = 0.95) -> pd.DataFrame:
    """Limits of observed over expected around 1, where the observed number is Poisson.

    Parameters
    ----------
    expected : array_like, shape (k,)
        Expected numbers, above 0; as `case_mix` gives them, for outcomes that are rare.
    level : float
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        ``expected low high``, one row per number.

    Raises
    ------
    DesignError
        A number is not above 0. Rows listed.
    OptionError
        `level` is not between 0 and 1.

    Notes
    -----
    With E the expected number: ``chi2(a/2; 2E) / (2E)`` and ``chi2(1 - a/2; 2(E + 1)) / (2E)``.

    References
    ----------
    Spiegelhalter (2005), Stat Med 24:1185-1202, doi:10.1002/sim.1970.

    Examples
    --------
    >>> ratio_limits([10.2]).round(3).values.tolist()
    [[10.2, 0.484, 1.828]]
    """
    check_level(level)
    numbers = np.ravel(np.asarray(expected, dtype=np.float64))
    bad = np.flatnonzero(~((numbers > 0) & np.isfinite(numbers)))
    if bad.size:
        raise DesignError(f"expected numbers above 0; {bad.size} of {numbers.size} are not", rows=bad)
    low = chi2.ppf((1 - level) / 2, 2 * numbers) / (2 * numbers)
    high = chi2.ppf((1 + level) / 2, 2 * (numbers + 1)) / (2 * numbers)
    return pd.DataFrame({"expected": numbers, "low": low, "high": high})


def _limits(kind: str, n: np.ndarray, target: float, level: float, tau2: float) -> tuple[np.ndarray, np.ndarray]:
    tails = ((1 - level) / 2, (1 + level) / 2)
    if kind in ("arcsine", "over-dispersed"):
        centre = np.arcsin(np.sqrt(target))
        half = float(ndtri(tails[1])) * np.sqrt(1 / (4 * n) + tau2)
        # Beyond a quarter turn the sine comes back: the limit is the end of the scale.
        low, high = np.maximum(centre - half, 0.0), np.minimum(centre + half, np.pi / 2)
        return np.sin(low) ** 2, np.sin(high) ** 2
    sides = []
    for tail in tails:
        quantile = binom.ppf(tail, n, target)
        if kind == "exact":
            sides.append(quantile / n)
            continue
        reached, before = binom.cdf(quantile, n, target), binom.cdf(quantile - 1, n, target)
        sides.append((quantile - (reached - tail) / (reached - before)) / n)
    return sides[0], sides[1]


def _over_dispersion(z: np.ndarray, w: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(z, [_WINSORISED, 1 - _WINSORISED])
    phi = float(np.mean(np.clip(z, low, high) ** 2))
    spread = w.sum() - (w**2).sum() / w.sum()
    if not spread > 0:
        return phi, 0.0
    return phi, float(max(0.0, (z.size * phi - (z.size - 1)) / spread))


def _counts(event: ArrayLike, totaln: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    try:
        x, n = (np.ravel(np.asarray(values, dtype=np.float64)) for values in (event, totaln))
    except (TypeError, ValueError):
        raise DesignError("expected counts of people as numbers") from None
    if x.shape != n.shape or not x.size:
        raise DesignError(f"expected one count and one total per unit, of at least 1 unit; got {x.size} and {n.size}")
    whole = (x == np.floor(x)) & (n == np.floor(n)) & np.isfinite(x) & np.isfinite(n)
    bad = np.flatnonzero(~(whole & (x >= 0) & (x <= n) & (n > 0)))
    if bad.size:
        raise DesignError(
            f"{bad.size} of {x.size} units have no whole counts with 0 <= event <= totaln and at least 1 person",
            rows=bad,
        )
    return x, n


def _levels(levels: Sequence[float]) -> tuple[float, ...]:
    chosen = tuple(levels)
    for level in chosen:
        check_level(level)
    if not chosen or list(chosen) != sorted(set(chosen)):
        raise OptionError("levels must be one or more numbers between 0 and 1, increasing")
    return chosen
