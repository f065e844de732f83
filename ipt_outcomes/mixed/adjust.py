"""Tests and intervals of linear combinations, one by one or adjusted together."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from scipy import optimize, stats

from ipt_outcomes.errors import OptionError
from ipt_outcomes.mixed.grid import Combinations

Adjust = Literal["none", "holm", "tukey", "mvt"]
# Seed of the quasi-random points that integrate a multivariate t: the same fit gives the same numbers.
_SEED = 20220614
_POINTS = 20_000
_JITTER = 1e-6


def adjusted(
    estimate: np.ndarray,
    se: np.ndarray,
    df: np.ndarray,
    covariance: np.ndarray,
    combinations: Combinations,
    level: float,
    adjust: Adjust,
) -> pd.DataFrame:
    """Test combinations and give their intervals.

    Parameters
    ----------
    estimate, se, df : numpy.ndarray, shape (k,)
    covariance : numpy.ndarray, shape (k, k)
        Of the estimates.
    combinations : Combinations
        Which of them are adjusted together.
    level : float
        Of each interval; of the family where adjusted by tukey or mvt.
    adjust : {"none", "holm", "tukey", "mvt"}
        Holm changes p values only. Tukey is for all pairs of means; mvt takes the correlations of the estimates
        into account (at the mean degrees of freedom of the family).

    Returns
    -------
    pandas.DataFrame
        ``estimate se df ci_low ci_high statistic p_value``.

    Raises
    ------
    OptionError
        Tukey for what is not all pairs.

    References
    ----------
    Holm (1979), Scand J Stat 6(2):65-70; Tukey (1949), Biometrics 5(2):99-114, doi:10.2307/3001913; Hothorn et al.
    (2008), Biom J 50(3):346-363, doi:10.1002/bimj.200810425.
    """
    if adjust == "tukey" and not combinations.pairwise:
        raise OptionError("tukey adjusts all pairwise differences: use against='pairwise', or another adjustment")
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / se
    p_value = 2 * stats.t.sf(np.abs(statistic), df)
    critical = stats.t.ppf((1 + level) / 2, df)
    for family in np.unique(combinations.family):
        # What cannot be estimated is no test of the family.
        rows = np.flatnonzero((combinations.family == family) & np.isfinite(estimate))
        if not rows.size:
            continue
        if adjust == "holm":
            p_value[rows] = holm(p_value[rows])
        elif adjust == "tukey":
            spread = stats.studentized_range
            p_value[rows] = spread.sf(np.sqrt(2) * np.abs(statistic[rows]), combinations.n_means, df[rows])
            critical[rows] = spread.ppf(level, combinations.n_means, df[rows]) / np.sqrt(2)
        elif adjust == "mvt" and rows.size > 1:
            correlation = covariance[np.ix_(rows, rows)] / np.multiply.outer(se[rows], se[rows])
            p_value[rows], critical[rows] = _multivariate(statistic[rows], correlation, float(df[rows].mean()), level)
    return pd.DataFrame(
        {
            "estimate": estimate,
            "se": se,
            "df": df,
            "ci_low": estimate - critical * se,
            "ci_high": estimate + critical * se,
            "statistic": statistic,
            "p_value": p_value,
        }
    )


def holm(p_values: np.ndarray) -> np.ndarray:
    """Adjust p values by Holm's method, shape (k,)."""
    order = np.argsort(p_values, kind="stable")
    stepped = np.maximum.accumulate(p_values[order] * np.arange(p_values.size, 0, -1))
    found = np.empty_like(p_values)
    found[order] = np.minimum(stepped, 1.0)
    return found


def _multivariate(statistic: np.ndarray, correlation: np.ndarray, df: float, level: float) -> tuple[np.ndarray, float]:
    """Probability that the largest of correlated t statistics exceeds each, and the level's quantile."""
    k = statistic.size
    zero = np.zeros(k)

    def inside(limit: float) -> float:
        box = np.full(k, limit)
        rng = np.random.default_rng(_SEED)
        # All pairs of means are linearly dependent; a little noise of their own keeps the integral defined.
        shape = (correlation + _JITTER * np.eye(k)) / (1 + _JITTER)
        return float(
            stats.multivariate_t.cdf(
                box, zero, shape, df, lower_limit=-box, random_state=rng, maxpts=_POINTS * k, allow_singular=True
            )
        )

    p_values = np.array([max(0.0, 1 - inside(abs(value))) for value in statistic])
    low, high = stats.t.ppf((1 + level) / 2, df), stats.t.ppf(1 - (1 - level) / (2 * k), df)
    critical = optimize.brentq(lambda limit: inside(limit) - level, low - 0.05, high + 0.05, xtol=1e-5)
    return p_values, float(critical)
