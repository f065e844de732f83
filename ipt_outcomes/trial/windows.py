"""The end point of a trial whose visits are on real days: the last time at which enough people have a score nearby."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from ipt_outcomes.errors import OptionError

# Least and most weeks either side that a window is given when nobody asks for one.
_NARROWEST, _WIDEST = 0.5, 4.0


def window_of(scored: pd.DataFrame) -> float:
    """Return how far from a week a score may lie to count for it: half the usual gap between a person's scores.

    Parameters
    ----------
    scored : pandas.DataFrame
        ``patient_id week`` of the scores after baseline.

    Returns
    -------
    float
        In weeks either side, to the half week, at least 0.5 and at most 4.
    """
    ordered = scored.sort_values(["patient_id", "week"])
    gaps = ordered.groupby("patient_id", observed=True)["week"].diff().dropna()
    gaps = gaps[gaps > 0]
    half = float(gaps.median()) / 2 if len(gaps) else _NARROWEST
    return min(max(math.floor(2 * half + 0.5) / 2, _NARROWEST), _WIDEST)


def checked_window(window: object) -> float:
    """Return a window a user names.

    Raises
    ------
    OptionError
        It is no number of weeks from 0.5 on.
    """
    if isinstance(window, bool) or not isinstance(window, int | float) or not 0.5 <= window < math.inf:
        raise OptionError(f"window must be a number of weeks from 0.5 on, either side of the end point; got {window!r}")
    return float(window)


def last_attended(scored: pd.DataFrame, window: float) -> int:
    """Return the week of the end point.

    Parameters
    ----------
    scored : pandas.DataFrame
        ``patient_id week`` of the scores after baseline.
    window : float
        Weeks either side.

    Returns
    -------
    int
        Of the whole weeks around which at least half as many people have a score as around the best attended one,
        the last; within one window before it the week that most people have a score near to, the nearest on average
        where several have as many.
    """
    weeks = scored["week"].to_numpy(dtype=float)
    people = pd.factorize(scored["patient_id"])[0]
    tried = np.arange(max(1, math.floor(weeks.min() + 0.5)), math.floor(weeks.max() + 0.5) + 1)
    counts, off = np.zeros(len(tried)), np.full(len(tried), np.inf)
    for place, week in enumerate(tried):
        near = np.abs(weeks - week) <= window
        if near.any():
            nearest = pd.Series(np.abs(weeks[near] - week)).groupby(people[near]).min()
            counts[place], off[place] = len(nearest), float(np.sort(nearest.to_numpy()).mean())
    last = int(np.flatnonzero(2 * counts >= counts.max())[-1])
    first = max(0, last - math.floor(window))
    best = max(range(first, last + 1), key=lambda place: (counts[place], -off[place], tried[place]))
    return int(tried[best])


def placed(long: pd.DataFrame, end: int, window: float) -> pd.Series:
    """Return the whole week each row counts to; NaN for a row that counts to none.

    Parameters
    ----------
    long : pandas.DataFrame
        ``patient_id week value``.
    end : int
        Week of the end point: each person's score nearest to it within `window` counts to it.
    window : float

    Notes
    -----
    Every other row counts to its nearest whole week, one per person and week: a score before a visit without one, the
    nearer, the earlier.
    """
    week = long["week"].astype(float)
    order = pd.DataFrame({"p": long["patient_id"], "week": week, "none": long["value"].isna()})
    order = order[week.notna()]
    near = order.assign(off=(order["week"] - end).abs())
    near = near[near["off"] <= window].sort_values(["p", "none", "off", "week"], kind="stable")
    at_end = near.index[~near.duplicated("p")]
    rest = order.drop(index=at_end)
    rest = rest.assign(k=np.floor(rest["week"] + 0.5))
    rest = rest[rest["k"] != end].assign(off=lambda rows: (rows["week"] - rows["k"]).abs())
    rest = rest.sort_values(["p", "k", "none", "off", "week"], kind="stable")
    rest = rest[~rest.duplicated(["p", "k"])]
    found = pd.Series(np.nan, index=long.index)
    found[at_end] = float(end)
    found[rest.index] = rest["k"]
    return found
