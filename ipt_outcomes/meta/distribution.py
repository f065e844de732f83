"""The distribution of true effects: how many lie beyond a least important difference; and p-curves."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.meta.clustered import combined_first, study_codes
from ipt_outcomes.meta.dependent import aggregate
from ipt_outcomes.meta.inference import quantile
from ipt_outcomes.meta.inputs import Effects, Rows, require_level, unpack
from ipt_outcomes.meta.pooled import PooledEffect
from ipt_outcomes.results import Provenance, ResultObject, format_interval, format_number, p_in_words, plural


@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionBeyond(ResultObject):
    """Share of true effects beyond a threshold.

    Parameters
    ----------
    percent, ci_low, ci_high : float or None
        Percent of true effects; the limits are None where they rest on nothing (tau2 of 0).
    threshold : float
        In the units of the effects.
    side : {"above", "below"}
    k : int
    level : float
    method : str
    notes : tuple of str
    """

    percent: float
    ci_low: float | None
    ci_high: float | None
    threshold: float
    side: Literal["above", "below"]
    k: int
    level: float
    method: str
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return one row with the numbers, unrounded."""
        names = ("k", "threshold", "side", "percent", "ci_low", "ci_high")
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def summary(self, digits: int = 2) -> str:
        """Return the share in plain text; `digits` of the threshold, 2 or 3."""
        threshold = format_number(self.threshold, "decimal3" if digits == 3 else "decimal2")
        limits = "" if self.ci_low is None else f" ({format_interval(self.ci_low, self.ci_high, 'percent')})"
        line = f"True effects {self.side} {threshold}: {format_number(self.percent, 'percent')}{limits}"
        return "\n".join([line, self.method, *self.notes])


def proportion_beyond(
    pooled: PooledEffect, threshold: float, *, side: Literal["above", "below"] = "above", level: float = 0.95
) -> ProportionBeyond:
    """Share of true effects beyond a threshold, such as a least important difference.

    Parameters
    ----------
    pooled : PooledEffect
        Random effects of two studies or more.
    threshold : float
        In the units of the effects (logarithms for ratios).
    side : {"above", "below"}
    level : float
        Level of the interval.

    Returns
    -------
    ProportionBeyond

    Raises
    ------
    DesignError
        There is only one study.
    OptionError
        A common effect, a threshold that is no number.

    Notes
    -----
    True effects are taken as normal around the pooled effect with variance tau2; the interval is by the delta method
    with the asymptotic standard error of tau2 and is cut at 0 and 100. With fewer than 10 studies it is not reliable.

    References
    ----------
    Mathur, VanderWeele (2019), Stat Med 38(8):1336-1342, doi:10.1002/sim.8057.

    Examples
    --------
    >>> from ipt_outcomes.meta import pool, proportion_beyond
    >>> fit = pool([0.4, 0.9, 0.2, 0.6, 0.1], [0.02, 0.03, 0.02, 0.03, 0.02])
    >>> round(proportion_beyond(fit, 0.24).percent)
    75
    """
    require_choice("side", side, ("above", "below"))
    require_level(level)
    if not isinstance(threshold, int | float | np.number) or not math.isfinite(float(threshold)):
        raise OptionError(f"threshold must be a number in the units of the effects; got {threshold!r}")
    if pooled.tau2_method == "common":
        raise OptionError("a common effect is one number: pool with random effects first")
    if pooled.k < 2:
        raise DesignError("a distribution of true effects needs at least 2 studies; there is 1")
    sign = 1.0 if side == "above" else -1.0
    away, tau2 = sign * (float(threshold) - pooled.estimate), pooled.tau2
    if tau2 == 0:
        share, half = float(away < 0), None
    else:
        share = float(ndtr(-away / math.sqrt(tau2)))
        error = pooled.fit_statistics.tau2_se or 0.0
        density = math.exp(-0.5 * away**2 / tau2) / math.sqrt(2 * math.pi)
        spread = pooled.se**2 / tau2 + error**2 * away**2 / (4 * tau2**3)
        half = quantile(None, level) * density * math.sqrt(spread)
    notes = []
    if tau2 == 0:
        notes.append("tau2 is 0: all true effects are taken as the pooled one, and the share has no interval.")
    if pooled.k < 10:
        notes.append(f"{pooled.k} studies: with fewer than 10 the share and its interval are not reliable.")
    return ProportionBeyond(
        percent=100 * share,
        ci_low=None if half is None else 100 * max(0.0, share - half),
        ci_high=None if half is None else 100 * min(1.0, share + half),
        threshold=float(threshold),
        side=side,
        k=pooled.k,
        level=float(level),
        method=f"Normal true effects, tau2 by {pooled.tau2_method}; delta-method interval, "
        f"{format_number(100 * level, 'number')}% level.",
        notes=tuple(notes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PCurve(ResultObject):
    """The curve of significant p values and what it says.

    Parameters
    ----------
    k, n_significant, n_half : int
        Studies, those with p below 0.05, and those with p below 0.025.
    right_skew_z, right_skew_p, half_z, half_p : float or None
        Test that the significant p values are smaller than chance gives, all of them and those below 0.025.
    flat_z, flat_p : float or None
        Test that the curve is flatter than studies of 33% power give.
    evidence, inadequate : bool or None
        Evidential value: the half curve is right-skewed at 0.05, or both at 0.1. Inadequate evidence: flatter than
        33% power at 0.05. None without significant studies.
    p_values : numpy.ndarray, shape (n_significant,)
    n_dropped : int
    naive : PCurve or None
        With several effects per study: the same with every row taken for a study.
    method : str
    notes : tuple of str
    provenance : Provenance
    """

    k: int
    n_significant: int
    n_half: int
    right_skew_z: float | None
    right_skew_p: float | None
    half_z: float | None
    half_p: float | None
    flat_z: float | None
    flat_p: float | None
    evidence: bool | None
    inadequate: bool | None
    p_values: np.ndarray
    n_dropped: int
    naive: PCurve | None = None
    method: str
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=lambda: Provenance(function="meta.p_curve"))

    def to_frame(self) -> pd.DataFrame:
        """Return one row with the numbers, unrounded."""
        left_out = {"p_values", "naive", "method", "notes", "provenance"}
        return pd.DataFrame([{name: getattr(self, name) for name in self.__dataclass_fields__ if name not in left_out}])

    def summary(self, digits: int = 2) -> str:
        """Return the tests in plain text; `digits` is not used, z values have two decimals."""
        words = plural(self.k, "study", "studies")
        lines = [f"p-curve: {self.n_significant} of {self.k} {words} significant, {self.n_half} below .025"]
        if self.right_skew_p is not None:
            lines.append(
                f"Right-skewed: z = {format_number(self.right_skew_z)}, {p_in_words(self.right_skew_p)}; half curve "
                f"z = {format_number(self.half_z)}, {p_in_words(self.half_p)}; flatter than 33% power: "
                f"z = {format_number(self.flat_z)}, {p_in_words(self.flat_p)}"
            )
        return "\n".join([*lines, self.method, *self.notes])


def p_curve(yi: Effects, vi: ArrayLike | None = None, *, study: Any = None, rho: float = 0.6) -> PCurve:
    """Look at the curve of the significant p values.

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.
    study, rho
        As in `trim_and_fill`.

    Returns
    -------
    PCurve

    Raises
    ------
    DesignError
        No usable row, an impossible variance; rows are named.

    Notes
    -----
    Two-sided p values of the z tests of the studies; Stouffer's method. The curve speaks of the significant studies
    only; with heterogeneous effects it says nothing on the pooled effect. It is meant for the tests of one hypothesis
    each, chosen before they were seen.

    References
    ----------
    Simonsohn, Nelson, Simmons (2014), J Exp Psychol Gen 143(2):534-547, doi:10.1037/a0033242;
    Simonsohn, Simmons, Nelson (2015), J Exp Psychol Gen 144(6):1146-1152, doi:10.1037/xge0000104 (half curve).

    Examples
    --------
    >>> from ipt_outcomes.meta import p_curve
    >>> result = p_curve([0.5, 0.6, 0.7, 0.9, 0.1], [0.02, 0.03, 0.04, 0.05, 0.04])
    >>> result.n_significant, result.evidence
    (4, True)
    """
    rows = unpack(yi, vi)
    plain = _curve(rows)
    if study_codes(study, rows) is None:
        return plain
    combined = aggregate(yi, vi, study=study, rho=rho)
    result = _curve(unpack(combined["yi"], combined["vi"]))
    note = combined_first(int(rows.used.size), len(combined), rho)
    return replace(result, naive=plain, n_dropped=plain.n_dropped, notes=(*result.notes, note))


def _curve(rows: Rows) -> PCurve:
    k = int(rows.used.size)
    if k == 0:
        raise DesignError(f"nothing to look at: none of {rows.yi.size} rows has both an effect and a variance")
    z = np.abs(rows.y) / np.sqrt(rows.v)
    p = 2 * ndtr(-z)
    chosen, half = p < 0.05, p < 0.025
    right, right_p = _stouffer(p[chosen] / 0.05)
    halves, half_p = _stouffer(p[half] / 0.025)
    flat_z = None
    if chosen.any():
        # how unusual so large a p value is among significant ones of studies with 33% power
        flat_z, _ = _stouffer(np.clip(1 - _tail(z[chosen], _NCP_33) / (1 / 3), 1e-15, 1 - 1e-15))
    flat_p = None if flat_z is None else float(ndtr(flat_z))
    evidence = None
    if right_p is not None:
        near = half_p is not None and half_p < 0.1 and right_p < 0.1
        evidence = bool((half_p is not None and half_p < 0.05) or near)
    few = int(chosen.sum()) < 3
    return PCurve(
        k=k,
        n_significant=int(chosen.sum()),
        n_half=int(half.sum()),
        right_skew_z=right,
        right_skew_p=right_p,
        half_z=halves,
        half_p=half_p,
        flat_z=flat_z,
        flat_p=flat_p,
        evidence=evidence,
        inadequate=None if flat_p is None else flat_p < 0.05,
        p_values=p[chosen],
        n_dropped=int(rows.yi.size - k),
        method="Two-sided p values of z tests below .05, Stouffer's method.",
        notes=(
            f"{int(chosen.sum())} significant {plural(int(chosen.sum()), 'study', 'studies')}: too few for a curve.",
        )
        if few
        else (),
    )


def _stouffer(pp: np.ndarray) -> tuple[float | None, float | None]:
    if pp.size == 0:
        return None, None
    value = float(ndtri(np.clip(pp, 1e-300, 1 - 1e-16)).sum()) / math.sqrt(pp.size)
    return value, float(ndtr(value))


def _tail(z: np.ndarray, ncp: float) -> np.ndarray:
    """P(a two-sided z test with this expectation is at least as far out as z)."""
    return np.asarray(ndtr(ncp - z) + ndtr(-ncp - z))


def _expectation(power: float) -> float:
    """Expectation of z at which a two-sided test at 5% has a power, by bisection."""
    low, high, reach = 0.0, 10.0, np.array([-float(ndtri(0.025))])
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if float(_tail(reach, middle)[0]) < power else (low, middle)
    return (low + high) / 2


_NCP_33 = _expectation(1 / 3)
