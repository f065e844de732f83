"""A rate with its numerator, denominator and Wilson interval, as every table of a service gives it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from ipt_outcomes.effects.proportions import check_level, wilson

COLUMNS = ("rate", "numerator", "denominator", "percent", "ci_low", "ci_high")


def rate_rows(counted: Iterable[tuple[str, np.ndarray, np.ndarray]], level: float) -> pd.DataFrame:
    """Count who is in numerators and denominators.

    Parameters
    ----------
    counted : iterable of tuple of str, numpy.ndarray of bool, numpy.ndarray of bool
        Name of each rate, who has the outcome, who counts; whoever does not count is in no numerator.
    level : float
        Confidence level of the Wilson intervals.

    Returns
    -------
    pandas.DataFrame
        ``rate numerator denominator percent ci_low ci_high``, percentages 0-100, empty where nobody counts.

    Raises
    ------
    OptionError
        `level` is not between 0 and 1.
    """
    check_level(level)
    rows = []
    for name, has, counts in counted:
        numerator, denominator = int((has & counts).sum()), int(counts.sum())
        low, high = wilson(numerator, denominator, level)
        percent = 100 * numerator / denominator if denominator else np.nan
        rows.append((name, numerator, denominator, percent, 100 * float(low), 100 * float(high)))
    return pd.DataFrame(rows, columns=list(COLUMNS))
