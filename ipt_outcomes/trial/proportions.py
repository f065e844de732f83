"""Intervals of a proportion and of the difference of two."""

from __future__ import annotations

import math

from scipy.special import ndtri


def wilson(events: int, total: int, level: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion.

    Parameters
    ----------
    events, total : int
        Counts of people.
    level : float

    Returns
    -------
    tuple of float
        Limits between 0 and 1; NaN for a total of 0.

    References
    ----------
    Wilson (1927), J Am Stat Assoc 22(158):209-212, doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> [round(limit, 4) for limit in wilson(5, 13)]
    [0.1771, 0.6448]
    """
    if total == 0:
        return math.nan, math.nan
    z = float(ndtri(0.5 + level / 2))
    centre = events + z**2 / 2
    half = z * math.sqrt(events * (total - events) / total + z**2 / 4)
    # At the ends the two terms cancel, but not to the last digit.
    low = 0.0 if events == 0 else (centre - half) / (total + z**2)
    high = 1.0 if events == total else (centre + half) / (total + z**2)
    return low, high


def newcombe(events1: int, total1: int, events2: int, total2: int, level: float = 0.95) -> tuple[float, float]:
    """Return Newcombe's interval of a risk difference: Wilson limits of the two rates combined.

    Parameters
    ----------
    events1, total1, events2, total2 : int
        Counts of arm 1 and arm 2.
    level : float

    Returns
    -------
    tuple of float
        Limits of rate 1 minus rate 2; NaN where a total is 0.

    Notes
    -----
    Method 10 of the source, without continuity correction.

    References
    ----------
    Newcombe (1998), Stat Med 17(8):873-890,
    doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I.

    Examples
    --------
    >>> [round(limit, 4) for limit in newcombe(56, 70, 48, 80)]
    [0.0524, 0.3339]
    """
    if total1 == 0 or total2 == 0:
        return math.nan, math.nan
    rate1, rate2 = events1 / total1, events2 / total2
    (low1, high1), (low2, high2) = wilson(events1, total1, level), wilson(events2, total2, level)
    difference = rate1 - rate2
    down = math.hypot(rate1 - low1, high2 - rate2)
    up = math.hypot(high1 - rate1, rate2 - low2)
    return difference - down, difference + up
