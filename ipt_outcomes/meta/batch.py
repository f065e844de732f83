"""Many poolings of subsets of the same studies at once: the arithmetic of `core` and `tau2`, a row per subset.

Leaving every study out in turn, pooling the first, the first two and so on, and deletion diagnostics ask for as many
fits as there are studies. Here a subset is a row of zeros and ones, and each step of an iteration is one operation on
all rows that have not converged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtr, ndtri, stdtr, stdtrit

from ipt_outcomes.errors import ConvergenceError
from ipt_outcomes.meta.core import EPS
from ipt_outcomes.meta.inputs import Tau2Method, Test
from ipt_outcomes.meta.pooled import COLUMNS
from ipt_outcomes.meta.tau2 import MAX_STEPS, RELATIVE_TOLERANCE

# Subsets handled together: their weights are an array of this many cells at most.
_CELLS = 2_000_000


@dataclass(frozen=True, slots=True)
class Subsets:
    """Fits of subsets, arrays of shape (m,); NaN where a number does not exist.

    Parameters
    ----------
    k : numpy.ndarray of int
    estimate, variance, tau2, q, scale, typical : numpy.ndarray
        Pooled effect, its variance before any Knapp-Hartung factor, between-study variance, Cochran's Q, that
        factor (NaN where all effects of the subset are equal or there is one), and the typical sampling variance.
    """

    k: np.ndarray
    estimate: np.ndarray
    variance: np.ndarray
    tau2: np.ndarray
    q: np.ndarray
    scale: np.ndarray
    typical: np.ndarray


def fit_subsets(y: np.ndarray, v: np.ndarray, members: np.ndarray, method: Tau2Method) -> Subsets:
    """Pool subsets of studies, an intercept alone.

    Parameters
    ----------
    y, v : numpy.ndarray, shape (k,)
    members : numpy.ndarray of bool, shape (m, k)
        Which studies each subset has; at least one each.
    method : str
        Estimator of tau2, as in `pool`.

    Returns
    -------
    Subsets

    Raises
    ------
    ConvergenceError
        tau2 of a subset could not be estimated.
    """
    size = max(1, _CELLS // max(1, y.size))
    parts = [_fit(y, v, members[at : at + size], method, at) for at in range(0, members.shape[0], size)]
    names = Subsets.__dataclass_fields__
    return Subsets(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _fit(y: np.ndarray, v: np.ndarray, members: np.ndarray, method: Tau2Method, first: int) -> Subsets:
    unit = 2.0 ** round(0.5 * math.log2(float(np.median(v))))
    v, scaled = v / unit**2, y / unit
    centre = float((scaled / v).sum() / (1 / v).sum())
    y_size, y = float(np.abs(scaled).max()), scaled - centre
    mask = members.astype(float)
    k = members.sum(axis=1)
    tau2 = _estimate(y, v, mask, k, method, unit**2, first)
    w = mask / (v + tau2[:, None])
    total = w.sum(axis=1)
    mean = (w @ y) / total
    away = np.where(members, y - mean[:, None], 0.0)
    df = k - 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.einsum("mk,mk,mk->m", w, away, away) / df
        scale[(df == 0) | (np.abs(away).max(axis=1) <= 16 * EPS * y_size)] = np.nan
        w0 = mask / v
        total0 = w0.sum(axis=1)
        away0 = np.where(members, y - ((w0 @ y) / total0)[:, None], 0.0)
        q = np.where(df > 0, np.einsum("mk,mk,mk->m", w0, away0, away0), 0.0)
        typical = df / (total0 - np.einsum("mk,mk->m", w0, w0) / total0)
    return Subsets(
        k=k,
        estimate=(mean + centre) * unit,
        variance=unit**2 / total,
        tau2=tau2 * unit**2,
        q=q,
        scale=scale,
        typical=np.where(df > 0, typical, np.nan) * unit**2,
    )


def _estimate(
    y: np.ndarray, v: np.ndarray, mask: np.ndarray, k: np.ndarray, method: Tau2Method, unit: float, first: int
) -> np.ndarray:
    tau2 = np.zeros(k.size)
    rows = np.flatnonzero(k > 1)
    if method == "common" or rows.size == 0:
        return tau2
    mask, k = mask[rows], k[rows].astype(float)
    if method in {"REML", "ML"}:
        tau2[rows] = _likelihood(y, v, mask, method == "REML", unit, first + rows)
    elif method in {"PM", "EB"}:
        tau2[rows] = _solve(y, v, mask, k - 1, unit, first + rows)
    else:
        tau2[rows] = np.maximum(0.0, _closed(y, v, mask, k, method))
    return tau2


def _moments(y: np.ndarray, v: np.ndarray, mask: np.ndarray, tau2: np.ndarray) -> tuple[np.ndarray, ...]:
    """Weights, their sums, weighted residuals u = w (y - mean) and the generalised Q."""
    w = mask / (v + tau2[:, None])
    total = w.sum(axis=1)
    away = y - ((w @ y) / total)[:, None]
    u = w * away
    return w, total, u, np.einsum("mk,mk->m", u, away)


def _closed(y: np.ndarray, v: np.ndarray, mask: np.ndarray, k: np.ndarray, method: str) -> np.ndarray:
    df = k - 1
    mean = (mask @ y) / k
    squares = np.einsum("mk,mk->m", mask, (y - mean[:, None]) ** 2)
    if method == "SJ":
        start = squares / k
        return np.asarray(start * _moments(y, v, mask, start)[3] / df)
    if method == "HE":
        return np.asarray(squares / df - (mask @ v) / k)
    w, total, _, q = _moments(y, v, mask, np.zeros(k.size))
    if method == "HS":
        return np.asarray((q - k) / total)
    return np.asarray((q - df) / (total - np.einsum("mk,mk->m", w, w) / total))


def _solve(
    y: np.ndarray, v: np.ndarray, mask: np.ndarray, target: np.ndarray, unit: float, names: np.ndarray
) -> np.ndarray:
    """Newton's method on 1/Q, as in `tau2.solve_q`."""
    tau2, smallest = np.zeros(target.size), float(v.min())
    active = np.arange(target.size)
    for _ in range(MAX_STEPS):
        _, _, u, q = _moments(y, v, mask[active], tau2[active])
        slope = np.einsum("mk,mk->m", u, u)
        short = q > target[active]
        step = np.where(short, q * (q / target[active] - 1.0) / np.where(short, slope, 1.0), 0.0)
        tau2[active] += step
        active = active[short & (step > RELATIVE_TOLERANCE * tau2[active] + 1e-15 * smallest)]
        if active.size == 0:
            return tau2
    raise _unconverged(names[active], "generalised Q", tau2[active] * unit)


def _likelihood(
    y: np.ndarray, v: np.ndarray, mask: np.ndarray, restricted: bool, unit: float, names: np.ndarray
) -> np.ndarray:
    """Global maximum of each subset's likelihood: a grid finds the hill, Newton in a bracket climbs it."""
    mean = (mask @ y) / mask.sum(axis=1)
    bound = float(np.einsum("mk,mk->m", mask, (y - mean[:, None]) ** 2).max())
    low = 1e-2 * float(v.min())
    count = 3 if bound <= 2 * low else min(96, 6 + int(6 * math.log10(bound / low)))
    points = np.concatenate(([0.0], np.geomspace(low, max(1.001 * bound, 2 * low), count)))
    heights = _heights(y, v, mask, points, restricted)
    best = heights.argmax(axis=1)
    left, right = points[np.maximum(best - 1, 0)], points[np.minimum(best + 1, points.size - 1)]
    tau2 = 0.5 * (left + right)
    falling = _score(y, v, mask, np.zeros(best.size), restricted)[0] <= 0
    done = (best == 0) & falling
    tau2[done] = 0.0
    _climb(y, v, mask, tau2, (left, right), np.flatnonzero(~done), restricted, unit, names)
    flat = _height_at(y, v, mask, np.zeros(best.size), restricted)
    top = _height_at(y, v, mask, tau2, restricted)
    return np.where(top >= flat - 1e-13 * np.abs(flat), tau2, 0.0)


def _climb(
    y: np.ndarray,
    v: np.ndarray,
    mask: np.ndarray,
    tau2: np.ndarray,
    bracket: tuple[np.ndarray, np.ndarray],
    active: np.ndarray,
    restricted: bool,
    unit: float,
    names: np.ndarray,
) -> None:
    """Newton's method on the score within a bracket that always shrinks; `tau2` is changed in place."""
    left, right = bracket
    tolerance = 1e-15 * float(v.min())
    for _ in range(MAX_STEPS):
        if active.size == 0:
            return
        now = tau2[active]
        value, slope = _score(y, v, mask[active], now, restricted)
        left[active] = np.where(value > 0, now, left[active])
        right[active] = np.where(value > 0, right[active], now)
        new = now - value / np.where(slope < 0, slope, -1.0)
        inside = (slope < 0) & (new >= left[active]) & (new <= right[active])
        new = np.where(inside, new, 0.5 * (left[active] + right[active]))
        tau2[active] = new
        active = active[np.abs(new - now) > RELATIVE_TOLERANCE * new + tolerance]
    if active.size:
        raise _unconverged(names[active], "the likelihood", tau2[active] * unit)


def _score(
    y: np.ndarray, v: np.ndarray, mask: np.ndarray, tau2: np.ndarray, restricted: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Twice the derivative of the log-likelihood, and the derivative of that, as in `tau2.score`."""
    w, total, u, _ = _moments(y, v, mask, tau2)
    w2 = w * w
    first, second = total, w2.sum(axis=1)
    wu = w * u
    cubic = np.einsum("mk,mk->m", u, wu) - wu.sum(axis=1) ** 2 / total
    if restricted:
        share = second / total
        third = np.einsum("mk,mk->m", w2, w) / total
        first, second = total - share, second - 2 * third + share**2
    return np.einsum("mk,mk->m", u, u) - first, second - 2.0 * cubic


def _heights(y: np.ndarray, v: np.ndarray, mask: np.ndarray, points: np.ndarray, restricted: bool) -> np.ndarray:
    """Log-likelihood at all points of a grid, shape (m, points): sums over members by matrix products."""
    w = 1.0 / (v[:, None] + points)
    total, cross = mask @ w, mask @ (w * y[:, None])
    value = mask @ np.log(w) - (mask @ (w * (y * y)[:, None]) - cross * cross / total)
    return np.asarray(0.5 * (value - np.log(total)) if restricted else 0.5 * value)


def _height_at(y: np.ndarray, v: np.ndarray, mask: np.ndarray, tau2: np.ndarray, restricted: bool) -> np.ndarray:
    w, total, _, q = _moments(y, v, mask, tau2)
    logs = np.log(np.where(w > 0, w, 1.0)).sum(axis=1)
    value = logs - q
    return np.asarray(0.5 * (value - np.log(total)) if restricted else 0.5 * value)


def _unconverged(names: np.ndarray, what: str, last: np.ndarray) -> ConvergenceError:
    listed = ", ".join(f"number {int(name)}: last tau2 {value:.6g}" for name, value in zip(names, last, strict=True))
    return ConvergenceError(
        f"tau2 did not converge in {names.size} of the fits ({what})",
        attempts=(f"Newton in all fits at once, {MAX_STEPS} steps; {listed}",),
        hint='tau2="DL" or "PM" needs no likelihood.',
    )


def subset_frame(fits: Subsets, tau2: Tau2Method, test: Test, level: float, measure: str | None) -> pd.DataFrame:
    """Return the numbers of `PooledEffect.row` for every subset, in the order of `COLUMNS`.

    Parameters
    ----------
    fits : Subsets
    tau2, test, level
        As in `pool`.
    measure : str or None

    Returns
    -------
    pandas.DataFrame
    """
    df, common = fits.k - 1.0, tau2 == "common"
    several = df > 0
    plain_se = np.sqrt(fits.variance)
    student = np.zeros(df.size, dtype=bool) if test == "z" or common else several & ~np.isnan(fits.scale)
    factor = np.where(student, fits.scale, 1.0)
    if test == "knapp-hartung-adhoc":
        factor = np.where(student, np.maximum(1.0, factor), 1.0)
    se = plain_se * np.sqrt(factor)
    free = np.where(student, df, np.nan)
    safe = np.where(student, df, 1.0)
    z_reach = float(ndtri(0.5 + level / 2))
    reach = np.where(student, stdtrit(safe, 0.5 + level / 2), z_reach)
    statistic = fits.estimate / se
    tail = np.where(student, stdtr(safe, -np.abs(statistic)), ndtr(-np.abs(statistic)))
    prediction = np.where(several & (not common), reach * np.sqrt(fits.tau2 + se**2), np.nan)
    i2, h2 = _shares(fits, common)
    columns: dict[str, Any] = {
        "measure": [measure] * df.size,
        "k": fits.k.astype(int),
        "estimate": fits.estimate,
        "se": se,
        "ci_low": fits.estimate - reach * se,
        "ci_high": fits.estimate + reach * se,
        "df": free,
        "statistic": statistic,
        "p_value": 2.0 * tail,
        "tau2": fits.tau2,
        "i2": i2,
        "h2": h2,
        "q": fits.q,
        "q_df": df.astype(int),
        "q_p_value": np.where(several, chdtrc(np.where(several, df, 1.0), fits.q), np.nan),
        "prediction_low": fits.estimate - prediction,
        "prediction_high": fits.estimate + prediction,
        "z_ci_low": fits.estimate - z_reach * plain_se,
        "z_ci_high": fits.estimate + z_reach * plain_se,
        "narrower_than_z": student & (reach * se < z_reach * plain_se),
        "n_dropped": 0,
    }
    # a column without any value holds None, as it does for a single result
    return pd.DataFrame({name: _or_none(values) for name, values in columns.items()}, columns=list(COLUMNS))


def _or_none(values: Any) -> Any:
    empty = isinstance(values, np.ndarray) and values.dtype.kind == "f" and bool(np.isnan(values).all())
    return np.full(values.size, None, dtype=object) if empty else values


def _shares(fits: Subsets, common: bool) -> tuple[np.ndarray, np.ndarray]:
    df = fits.k - 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        if common:
            i2 = np.where(fits.q <= df, 0.0, 100.0 * (fits.q - df) / fits.q)
            return np.where(df > 0, i2, np.nan), np.where(df > 0, fits.q / df, np.nan)
        return 100.0 * fits.tau2 / (fits.tau2 + fits.typical), fits.tau2 / fits.typical + 1.0
