"""Hedges' small-sample correction J."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from ipt_outcomes.effects.inputs import FloatArray, read_rows


def small_sample_correction(df: npt.ArrayLike, exact: bool = True) -> FloatArray:
    """Hedges' small-sample correction J, which makes g from d.

    Parameters
    ----------
    df : array_like
        Degrees of freedom of the pooled SD, n1 + n2 - 2; above 1. NaN gives NaN.
    exact : bool
        The gamma ratio; otherwise the approximation 1 - 3/(4 df - 1).

    Returns
    -------
    numpy.ndarray
        Between 0 and 1, shape (k,); shape () for a single number.

    Raises
    ------
    DesignError
        df is 1 or below: d has no finite mean, so there is nothing to correct.

    References
    ----------
    Hedges (1981), J Educ Stat 6(2):107-128, doi:10.3102/10769986006002107.

    Examples
    --------
    >>> float(small_sample_correction(5).round(4)), float(small_sample_correction(5, exact=False).round(4))
    (0.8407, 0.8421)
    """
    rows = read_rows({"df": df})
    rows.require_at_least("df", 1, strict=True)
    rows.check()
    result = correction(rows["df"], exact=exact)
    return result.reshape(np.shape(df)) if np.ndim(df) == 0 else result


def correction(df: FloatArray, *, exact: bool) -> FloatArray:
    """Return J at degrees of freedom that were checked before; NaN at 1 and below.

    Parameters
    ----------
    df : numpy.ndarray, shape (k,)
    exact : bool
        As in `small_sample_correction`.

    Returns
    -------
    numpy.ndarray, shape (k,)
    """
    if not exact:
        return np.asarray(1 - 3 / (4 * df - 1))
    with np.errstate(all="ignore"):
        x = np.where(df > 1, (df - 1) / 2, np.nan)
        # Gamma(x + 1/2) / Gamma(x): above x = 50 by its expansion, since the difference of two large
        # logarithms loses digits there (relative error 1e-9 at a million); both agree to 1e-14 at the seam
        series = 1 - 1 / (8 * x) + 1 / (128 * x**2) + 5 / (1024 * x**3) - 21 / (32768 * x**4) - 399 / (262144 * x**5)
        return np.where(x > 50, np.sqrt(2 * x / df) * series, np.exp(gammaln(df / 2) - gammaln(x)) / np.sqrt(df / 2))
