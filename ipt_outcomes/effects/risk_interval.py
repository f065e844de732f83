"""Interval of a risk difference by the name of its method."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from ipt_outcomes.effects.inputs import FloatArray
from ipt_outcomes.effects.proportions import Limits, check_level, newcombe, wilson
from ipt_outcomes.errors import require_choice

RiskMethod = Literal["newcombe", "miettinen-nurminen", "wald"]
RISK_METHODS = ("newcombe", "miettinen-nurminen", "wald")
# Halvings of an interval of at most 2 until its ends are neighbouring numbers
_HALVINGS = 60


def risk_difference_interval(
    event_arm1: npt.ArrayLike,
    totaln_arm1: npt.ArrayLike,
    event_arm2: npt.ArrayLike,
    totaln_arm2: npt.ArrayLike,
    *,
    method: RiskMethod = "newcombe",
    level: float = 0.95,
) -> Limits:
    """Confidence interval of a risk difference, arm 1 minus arm 2.

    Parameters
    ----------
    event_arm1, totaln_arm1, event_arm2, totaln_arm2 : array_like, shape (k,)
        Counts of people; scalars give scalars.
    method : {"newcombe", "miettinen-nurminen", "wald"}
        Newcombe's hybrid of Wilson limits; the score interval with the factor N/(N - 1); or the normal
        interval, which can leave [-1, 1] and has no width where both rates are 0 or 1.
    level : float
        Confidence level.

    Returns
    -------
    Limits
        ``low`` and ``high``, shape (k,); NaN where a total is 0 or a count is missing.

    Raises
    ------
    DesignError
        A count is negative or no whole number, or there are more events than people; ``.rows`` lists where.
    OptionError
        An option is not one of the choices.

    References
    ----------
    Newcombe (1998), Stat Med 17(8):873-890,
    doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I;
    Miettinen, Nurminen (1985), Stat Med 4(2):213-226, doi:10.1002/sim.4780040211.

    Examples
    --------
    >>> low, high = risk_difference_interval(56, 70, 48, 80, method="miettinen-nurminen")
    >>> round(float(low), 4), round(float(high), 4)
    (0.0528, 0.3382)
    """
    require_choice("method", method, RISK_METHODS)
    check_level(level)
    if method == "newcombe":
        return newcombe(event_arm1, totaln_arm1, event_arm2, totaln_arm2, level)
    for event, total in ((event_arm1, totaln_arm1), (event_arm2, totaln_arm2)):
        wilson(event, total, level)  # refuses impossible counts
    given = (np.asarray(value, dtype=float) for value in (event_arm1, totaln_arm1, event_arm2, totaln_arm2))
    x1, n1, x2, n2 = np.broadcast_arrays(*given)
    with np.errstate(all="ignore"):
        n1, n2 = np.where(n1 > 0, n1, np.nan), np.where(n2 > 0, n2, np.nan)
        difference = x1 / n1 - x2 / n2
        z = float(ndtri(0.5 + level / 2))
        if method == "wald":
            p1, p2 = x1 / n1, x2 / n2
            half = z * np.sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)
            return Limits(difference - half, difference + half)
        shape = difference.shape
        flat = tuple(np.atleast_1d(values).ravel() for values in (x1, n1, x2, n2))
        low = _score_limit(flat, np.atleast_1d(difference).ravel(), z, -1.0)
        high = _score_limit(flat, np.atleast_1d(difference).ravel(), z, 1.0)
    return Limits(low.reshape(shape), high.reshape(shape))


def _score_limit(table: tuple[FloatArray, ...], difference: FloatArray, z: float, end: float) -> FloatArray:
    """Bisect between the difference and the end of its range for the point where the score test has |z|."""
    inner, outer = difference.copy(), np.full_like(difference, end)
    for _ in range(_HALVINGS):
        middle = (inner + outer) / 2
        inside = _score(table, difference, middle) <= z
        inner, outer = np.where(inside, middle, inner), np.where(inside, outer, middle)
    limit = (inner + outer) / 2
    # where even the end of the range is not rejected, the end is the limit
    limit = np.where(np.abs(limit - end) < 1e-15, end, limit)
    return np.asarray(np.where(np.isnan(difference), np.nan, limit))


def _score(table: tuple[FloatArray, ...], difference: FloatArray, delta: FloatArray) -> FloatArray:
    """|z| of the score test that the difference is delta."""
    _, n1, _, n2 = table
    p1 = _restricted_rate(table, delta)
    p2 = np.clip(p1 - delta, 0.0, 1.0)
    total = n1 + n2
    variance = (p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2) * total / (total - 1)
    distance = np.abs(difference - delta)
    return np.asarray(np.where(variance > 0, distance / np.sqrt(variance), np.where(distance > 0, np.inf, 0.0)))


def _restricted_rate(table: tuple[FloatArray, ...], delta: FloatArray) -> FloatArray:
    """Rate of arm 1 of greatest likelihood where the difference is delta: a root of a cubic in closed form."""
    x1, n1, x2, n2 = table
    total, events = n1 + n2, x1 + x2
    b = -(total + events + delta * (n2 + 2 * n1)) / total
    c = (n1 * delta**2 + delta * (2 * x1 + total) + events) / total
    d = -(delta * (1 + delta) * x1) / total
    v = b**3 / 27 - b * c / 6 + d / 2
    u = np.where(v >= 0, 1.0, -1.0) * np.sqrt(np.maximum(b**2 / 9 - c / 3, 0.0))
    w = (np.pi + np.arccos(np.clip(np.where(u != 0, v / u**3, 0.0), -1.0, 1.0))) / 3
    root = 2 * u * np.cos(w) - b / 3
    return np.asarray(np.clip(root, np.maximum(0.0, delta), np.minimum(1.0, 1.0 + delta)))
