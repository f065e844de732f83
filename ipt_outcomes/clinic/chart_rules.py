"""Rules of control charts: what makes a point more than common variation."""

from __future__ import annotations

import numpy as np
import pandas as pd

# Points in a row on one side, or rising or falling.
_RUN = 7
# Share of the way from the centre to a limit from which on a point is near it.
_NEAR = 2 / 3

ABOVE, BELOW = "above the upper limit", "below the lower limit"
NEAR_UPPER, NEAR_LOWER = "2 of 3 near the upper limit", "2 of 3 near the lower limit"
RUN_ABOVE, RUN_BELOW = "7 in a row above the centre", "7 in a row below the centre"
RISING, FALLING = "7 in a row rising", "7 in a row falling"


def rules_of(values: np.ndarray, center: float, width: np.ndarray, better: str) -> pd.DataFrame:
    """Judge the points of one segment.

    Parameters
    ----------
    values : numpy.ndarray, shape (k,)
        NaN where missing: the points on both sides of it count as neighbours.
    center : float
    width : numpy.ndarray, shape (k,)
        Distance from the centre to the limits, at each point.
    better : str
        "higher", "lower" or "neither".

    Returns
    -------
    pandas.DataFrame
        ``value special_cause outside_limits rule direction``, one row per point.
    """
    there = ~np.isnan(values)
    away = values[there] - center
    limit = width[there]
    side = np.sign(away)
    outside = np.abs(away) > limit
    near = np.where(np.abs(away) > _NEAR * limit, side, 0.0)
    pairs = _two_of_three(near)
    runs = _runs(side)
    trend = _trends(values[there])
    met = np.select(
        [
            outside & (side > 0),
            outside & (side < 0),
            pairs > 0,
            pairs < 0,
            runs > 0,
            runs < 0,
            trend > 0,
            trend < 0,
        ],
        [ABOVE, BELOW, NEAR_UPPER, NEAR_LOWER, RUN_ABOVE, RUN_BELOW, RISING, FALLING],
        default="",
    )
    rule = np.full(values.size, "", dtype=object)
    rule[there] = met
    beyond = np.zeros(values.size, dtype=bool)
    beyond[there] = outside
    special = rule != ""
    return pd.DataFrame(
        {
            "value": values,
            "special_cause": special,
            "outside_limits": beyond,
            "rule": rule,
            "direction": _directions(rule, better),
        }
    )


def _directions(rule: np.ndarray, better: str) -> np.ndarray:
    high = np.isin(rule, (ABOVE, NEAR_UPPER, RUN_ABOVE, RISING))
    special = rule != ""
    if better == "neither":
        return np.full(rule.size, "", dtype=object)
    good = high if better == "higher" else ~high
    return np.where(special, np.where(good, "improvement", "concern"), "").astype(object)


def _two_of_three(near: np.ndarray) -> np.ndarray:
    """Mark points near a limit that have another near the same one among some three in a row that hold them."""
    marks = np.zeros(near.size)
    for start in range(max(near.size - 2, 0)):
        window = near[start : start + 3]
        for sign in (1.0, -1.0):
            if (window == sign).sum() >= 2:
                marks[start : start + 3][window == sign] = sign
    return marks


def _runs(side: np.ndarray) -> np.ndarray:
    """Mark all points of a run of at least seven on one side; a point on the centre ends a run."""
    marks = np.zeros(side.size)
    for start, end in _stretches(side):
        if side[start] != 0 and end - start >= _RUN:
            marks[start:end] = side[start]
    return marks


def _trends(values: np.ndarray) -> np.ndarray:
    """Mark all points of at least seven in a row of which each is beyond the one before."""
    marks = np.zeros(values.size)
    steps = np.sign(np.diff(values))
    for start, end in _stretches(steps):
        if steps[start] != 0 and end - start + 1 >= _RUN:
            marks[start : end + 1] = steps[start]
    return marks


def _stretches(values: np.ndarray) -> list[tuple[int, int]]:
    if not values.size:
        return []
    edges = np.flatnonzero(np.diff(values)) + 1
    return list(zip(np.r_[0, edges].tolist(), np.r_[edges, values.size].tolist(), strict=True))
