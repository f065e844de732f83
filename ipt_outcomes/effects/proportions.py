"""Intervals of a proportion and of the difference of two, which stay inside their range: Wilson's and Newcombe's."""

from __future__ import annotations

from numbers import Real
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from ipt_outcomes.effects.columns import Columns
from ipt_outcomes.errors import DesignError, OptionError


class _Limits(NamedTuple):
    low: np.ndarray
    high: np.ndarray


def wilson(numerator: ArrayLike, denominator: ArrayLike, level: float = 0.95) -> Limits:
    """Wilson score interval of a proportion, one per pair of counts.

    Parameters
    ----------
    numerator, denominator : array_like, shape (k,)
        Counts of people; scalars give scalars.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    Limits
        ``low`` and ``high`` as proportions; NaN where the denominator is 0 or a count is missing.

    Raises
    ------
    DesignError
        A count is negative or no whole number, or a numerator is above its denominator; ``.rows`` lists where.
    OptionError
        `level` is not between 0 and 1.

    Notes
    -----
    With z the normal quantile of ``level``: ``(p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)``. The limits
    are exactly 0 at a numerator of 0 and exactly 1 at a numerator that is the denominator.

    References
    ----------
    Wilson (1927), J Am Stat Assoc 22:209-212, doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> low, high = wilson(5, 13)
    >>> round(float(low), 4), round(float(high), 4)
    (0.1771, 0.6448)
    """
    check_level(level)
    events, total = np.broadcast_arrays(np.asarray(numerator, dtype=float), np.asarray(denominator, dtype=float))
    _check_counts(events, total)
    z2 = float(ndtri((1 + level) / 2)) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = events + z2 / 2
        # Under the root: z² (x (n - x) / n + z² / 4), the textbook form multiplied by n².
        half = np.sqrt(z2 * (events * (total - events) / total + z2 / 4))
        low, high = (centre - half) / (total + z2), (centre + half) / (total + z2)
    # At the ends the two terms cancel, but not to the last digit.
    low = np.where(events == 0, 0.0, low)
    high = np.where(events == total, 1.0, high)
    nothing = ~(total > 0) | np.isnan(events)
    return Limits(np.where(nothing, np.nan, low), np.where(nothing, np.nan, high))


def newcombe(
    event_arm1: ArrayLike,
    totaln_arm1: ArrayLike,
    event_arm2: ArrayLike,
    totaln_arm2: ArrayLike,
    level: float = 0.95,
) -> Limits:
    """Newcombe's interval of a risk difference: the Wilson limits of the two rates combined.

    Parameters
    ----------
    event_arm1, totaln_arm1, event_arm2, totaln_arm2 : array_like, shape (k,)
        Counts of people; scalars give scalars.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    Limits
        Of rate 1 minus rate 2; NaN where a total is 0.

    Raises
    ------
    DesignError, OptionError
        As `wilson`.

    Notes
    -----
    Method 10 of the source, without continuity correction.

    References
    ----------
    Newcombe (1998), Stat Med 17(8):873-890,
    doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I.

    Examples
    --------
    >>> low, high = newcombe(56, 70, 48, 80)
    >>> round(float(low), 4), round(float(high), 4)
    (0.0524, 0.3339)
    """
    (low1, high1), (low2, high2) = wilson(event_arm1, totaln_arm1, level), wilson(event_arm2, totaln_arm2, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate1 = np.asarray(event_arm1, dtype=float) / np.asarray(totaln_arm1, dtype=float)
        rate2 = np.asarray(event_arm2, dtype=float) / np.asarray(totaln_arm2, dtype=float)
    difference = rate1 - rate2
    down = np.hypot(rate1 - low1, high2 - rate2)
    up = np.hypot(high1 - rate1, rate2 - low2)
    return Limits(difference - down, difference + up)


def check_level(level: float) -> None:
    """Raise `OptionError` unless a confidence level lies between 0 and 1."""
    if not is_number(level) or not 0 < level < 1:
        raise OptionError(f"level must be a number between 0 and 1; got {level!r}")


def is_number(value: object) -> bool:
    """Whether a value is a real number (NumPy's count, truth values do not)."""
    return isinstance(value, Real) and not isinstance(value, bool)


def _check_counts(events: np.ndarray, total: np.ndarray) -> None:
    with np.errstate(invalid="ignore"):
        odd = (events < 0) | (total < 0) | (events % 1 > 0) | (total % 1 > 0) | np.isinf(events) | np.isinf(total)
        wrong = odd | (events > total)
    if wrong.any():
        rows = np.flatnonzero(np.atleast_1d(wrong))
        raise DesignError(
            "expected whole counts from 0, no numerator above its denominator; found other counts in "
            f"{len(rows)} of {wrong.size}: positions {', '.join(str(row) for row in rows)}",
            rows=rows,
        )


class Limits(Columns, _Limits):
    """Limits of a proportion (0 to 1), or of a difference of two (-1 to 1)."""

    __slots__ = ()
    about = "Confidence limits"
