"""Rates with the interval that stays inside 0 and 1: Wilson's."""

from __future__ import annotations

from numbers import Real
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from ipt_outcomes.errors import DesignError, OptionError


class Wilson(NamedTuple):
    """Limits of a proportion, between 0 and 1."""

    low: np.ndarray
    high: np.ndarray


def wilson(numerator: ArrayLike, denominator: ArrayLike, level: float = 0.95) -> Wilson:
    """Wilson score interval of a proportion, one per pair of counts.

    Parameters
    ----------
    numerator, denominator : array_like, shape (k,)
        Counts of people; scalars give scalars.
    level : float
        Confidence level, between 0 and 1.

    Returns
    -------
    Wilson
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
    return Wilson(np.where(nothing, np.nan, low), np.where(nothing, np.nan, high))


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
