"""Mean and SD from what papers print of a skewed outcome: median, quartiles, range."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from ipt_outcomes.effects.columns import Columns
from ipt_outcomes.effects.inputs import FloatArray, Rows, read_rows
from ipt_outcomes.errors import OptionError

_ORDER = ("min", "q1", "median", "q3", "max")


class _MeanSd(NamedTuple):
    mean: FloatArray
    sd: FloatArray
    skewed: npt.NDArray[np.bool_]


def mean_sd_from_quantiles(
    *,
    n: npt.ArrayLike,
    min: npt.ArrayLike | None = None,
    q1: npt.ArrayLike | None = None,
    median: npt.ArrayLike | None = None,
    q3: npt.ArrayLike | None = None,
    max: npt.ArrayLike | None = None,
) -> MeanSd:
    """Mean and SD from the median with the range, the quartiles, or both.

    Parameters
    ----------
    n : array_like, shape (k,)
        Participants, 3 or more (5 or more with quartiles).
    min, q1, median, q3, max : array_like, shape (k,), optional
        Minimum, lower quartile, median, upper quartile, maximum, in instrument points. Allowed together:
        min, median, max; q1, median, q3; all five.

    Returns
    -------
    MeanSd
        ``mean``, ``sd`` and ``skewed``, shape (k,).

    Raises
    ------
    OptionError
        Another set of quantiles is given.
    DesignError
        Quantiles out of order, no spread, n too small; ``.rows`` lists all rows.

    Notes
    -----
    The mean is Luo's, the SD Wan's, with all five Shi's. All assume a normal outcome.

    References
    ----------
    Luo, Wan, Liu, Tong (2018), Stat Methods Med Res 27(6):1785-1805, doi:10.1177/0962280216669183;
    Wan, Wang, Liu, Tong (2014), BMC Med Res Methodol 14:135, doi:10.1186/1471-2288-14-135;
    Shi, Luo, Weng et al (2020), Res Synth Methods 11(5):641-654, doi:10.1002/jrsm.1429;
    Shi, Luo, Wan et al (2023), Stat Methods Med Res 32(7):1338-1360, doi:10.1177/09622802231172043 (skewness).

    Examples
    --------
    >>> result = mean_sd_from_quantiles(n=40, q1=8, median=12, q3=17)
    >>> result.mean.round(2), result.sd.round(2), bool(result.skewed[0])
    (array([12.35]), array([6.92]), False)
    """
    values = (min, q1, median, q3, max)
    given = {name: value for name, value in zip(_ORDER, values, strict=True) if value is not None}
    if set(given) not in ({"min", "median", "max"}, {"q1", "median", "q3"}, set(_ORDER)):
        raise OptionError(
            f"expected min, median, max, or q1, median, q3, or all five; got {', '.join(given) or 'none'}"
        )
    rows = read_rows({"n": n, **given})
    rows.require_at_least("n", 5 if "q1" in given else 3)
    names = [name for name in _ORDER if name in given]
    for name in names:
        rows.require_finite(name)
    for lower, upper in pairwise(names):
        gap = np.isnan(rows[lower]) | np.isnan(rows[upper])
        rows.require(upper, f"must not be below {lower}", (rows[upper] >= rows[lower]) | gap)
    wide = [(first, last) for first, last in (("min", "max"), ("q1", "q3")) if first in given]
    for first, last in wide:
        gap = np.isnan(rows[first]) | np.isnan(rows[last])
        rows.require(last, f"must be above {first}", (rows[last] > rows[first]) | gap)
    rows.check()
    missing = np.array([text != "" for text in rows.missing_flags()], dtype=bool)
    with np.errstate(all="ignore"):
        mean, sd, skewed = _estimate(rows, set(given))
    return MeanSd(np.where(missing, np.nan, mean), np.where(missing, np.nan, sd), skewed & ~missing)


def _estimate(rows: Rows, given: set[str]) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    n, middle = rows["n"], rows["median"]
    extreme, quartile = ndtri((n - 0.375) / (n + 0.25)), ndtri((0.75 * n - 0.125) / (n + 0.25))
    if "q1" not in given:
        low, high = rows["min"], rows["max"]
        weight = 4 / (4 + n**0.75)
        skew, limit = _asymmetry(low, middle, high), 1.01 / np.log(n + 9) + 2.43 / (n + 1)
        return weight * (low + high) / 2 + (1 - weight) * middle, (high - low) / (2 * extreme), skew > limit
    low, high = rows["q1"], rows["q3"]
    if "min" not in given:
        weight = 0.7 + 0.39 / n
        skew, limit = _asymmetry(low, middle, high), 2.65 / np.sqrt(n) - 6 / n**2
        return weight * (low + high) / 2 + (1 - weight) * middle, (high - low) / (2 * quartile), skew > limit
    first, last = rows["min"], rows["max"]
    outer, inner = 2.2 / (2.2 + n**0.75), 0.7 - 0.72 / n**0.55
    mean = outer * (first + last) / 2 + inner * (low + high) / 2 + (1 - outer - inner) * middle
    by_range = (last - first) / ((2 + 0.14 * n**0.6) * extreme)
    by_quartiles = (high - low) / ((2 + 2 / (0.07 * n**0.6)) * quartile)
    skew = np.maximum(
        2.65 * np.log(0.6 * n) / np.sqrt(n) * _asymmetry(first, middle, last), _asymmetry(low, middle, high)
    )
    return mean, by_range + by_quartiles, skew > 3 / np.sqrt(n) - 40 / n**3


def _asymmetry(low: FloatArray, middle: FloatArray, high: FloatArray) -> FloatArray:
    return np.asarray(np.abs(low + high - 2 * middle) / (high - low))


class MeanSd(Columns, _MeanSd):
    """Mean and SD estimated from quantiles.

    Parameters
    ----------
    mean, sd : numpy.ndarray, shape (k,)
        In instrument points; NaN where an ingredient was missing.
    skewed : numpy.ndarray of bool, shape (k,)
        The quantiles lie so far from symmetry that the estimate, which assumes a normal outcome, is in doubt
        (test of Shi and others at the 5% level).
    """

    __slots__ = ()
    about = "Means and SDs estimated from quantiles"
