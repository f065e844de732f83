"""From a weighted regression to tests and intervals of single numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import chdtrc, fdtrc, ndtr, ndtri, stdtr, stdtrit

from ipt_outcomes.meta.inputs import Test

TEST_NAMES: dict[Test, str] = {
    "z": "z test and normal interval",
    "knapp-hartung": "Knapp-Hartung t test and interval",
    "knapp-hartung-adhoc": "Knapp-Hartung t test and interval, never with a factor below 1",
}


@dataclass(frozen=True, slots=True)
class Inference:
    """One estimate with its test and interval; `df` is None for a normal reference distribution."""

    estimate: float
    se: float
    df: float | None
    statistic: float
    p_value: float
    ci_low: float
    ci_high: float


def infer(estimate: float, se: float, df: float | None, level: float) -> Inference:
    """Test an estimate against 0 and give its interval.

    Parameters
    ----------
    estimate, se : float
    df : float or None
        Degrees of freedom of t; None for the normal distribution.
    level : float

    Returns
    -------
    Inference
    """
    statistic = estimate / se if se > 0 else math.nan
    p = 2.0 * (ndtr(-abs(statistic)) if df is None else stdtr(df, -abs(statistic)))
    half = quantile(df, level) * se
    return Inference(estimate, se, df, statistic, float(p), estimate - half, estimate + half)


def quantile(df: float | None, level: float) -> float:
    """Two-sided quantile of t with `df`, or of the normal distribution."""
    upper = 0.5 + level / 2.0
    return float(ndtri(upper) if df is None else stdtrit(df, upper))


def chi2_p(statistic: float, df: float) -> float:
    """Upper tail of chi-squared."""
    return float(chdtrc(df, statistic))


def f_p(statistic: float, df1: float, df2: float) -> float:
    """Upper tail of F."""
    return float(fdtrc(df1, df2, statistic))


def resolve_test(test: Test, scale: float | None, df: int, *, common: bool) -> tuple[Test, float, str]:
    """Return the test that can be done, the factor on the variance, and why it is not the one asked for.

    Parameters
    ----------
    test : str
        Asked for.
    scale : float or None
        Knapp-Hartung factor of the fit.
    df : int
        Residual degrees of freedom.
    common : bool
        Whether the model has no between-study variance by assumption.

    Returns
    -------
    tuple
        Test, factor (1 for z), reason ("" when nothing was changed).
    """
    if test == "z":
        return "z", 1.0, ""
    if df <= 0:
        return "z", 1.0, "z test: the Knapp-Hartung test needs more studies than coefficients"
    if common:
        return "z", 1.0, "z test: the Knapp-Hartung test is defined for random-effects models only"
    if scale is None:
        return "z", 1.0, "z test: all effects are equal, so Knapp-Hartung's standard error would be 0"
    return test, max(1.0, scale) if test == "knapp-hartung-adhoc" else scale, ""
