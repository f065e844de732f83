"""Several effects of one study: their working covariance and their combination."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.errors import OptionError
from ipt_outcomes.meta.inputs import Effects, as_floats, read_labels, require_labels, unpack


def aggregate(yi: Effects, vi: ArrayLike | None = None, *, study: Any, rho: float = 0.6) -> pd.DataFrame:
    """Combine the effects of each study into one.

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.
    study : array_like, shape (n,)
        Study of each effect; none may be missing.
    rho : float
        Correlation of the sampling errors of two effects of one study, 0 <= rho < 1.

    Returns
    -------
    pandas.DataFrame
        ``study yi vi n_effects``, one row per study in the order of first appearance. Rows with a missing
        effect or variance are left out; a study with no other row is left out with them.

    Raises
    ------
    DesignError
        A variance is not above 0, a study name is missing, or lengths differ; rows are named.
    OptionError
        `rho` is outside [0, 1).

    Notes
    -----
    With V the covariance of a study's effects (compound symmetry: rho sqrt(v_i v_j)), the combined effect is
    1'V^-1 y / 1'V^-1 1 with variance 1 / 1'V^-1 1. When the variances within a study differ much and rho is
    large, an effect can get a negative weight, and the combination lie outside the range of the effects.

    References
    ----------
    Borenstein et al (2009), Introduction to Meta-Analysis, chapter 24, doi:10.1002/9780470743386.

    Examples
    --------
    >>> from ipt_outcomes.meta import aggregate
    >>> aggregate([0.2, 0.4, 0.5], [0.04, 0.04, 0.09], study=["A", "A", "B"], rho=0.5)
      study   yi    vi  n_effects
    0     A  0.3  0.03          2
    1     B  0.5  0.09          1
    """
    _require_rho(rho)
    rows = unpack(yi, vi)
    labels = read_labels("study", study, rows.yi.size)
    require_labels("study", labels)
    kept = labels.iloc[rows.used]
    codes, names = pd.factorize(kept)
    y, root = rows.y, 1.0 / np.sqrt(rows.v)
    # V^-1 of compound symmetry in closed form; effects are centred first so that large ones cost no digits.
    n = np.bincount(codes)
    centre = np.bincount(codes, weights=y) / n
    away = y - centre[codes]
    share = rho / (1.0 + (n - 1.0) * rho)
    sum_root = np.bincount(codes, weights=root)
    weight = np.bincount(codes, weights=root * root) - share * sum_root**2
    cross = np.bincount(codes, weights=root * root * away) - (
        share * sum_root * np.bincount(codes, weights=root * away)
    )
    return pd.DataFrame({"study": names, "yi": centre + cross / weight, "vi": (1.0 - rho) / weight, "n_effects": n})


def che_covariance(vi: ArrayLike, *, study: Any, rho: float = 0.6) -> np.ndarray:
    """Working covariance matrix of correlated effects: rho within a study, 0 between studies.

    Parameters
    ----------
    vi : array_like, shape (n,)
        Sampling variances.
    study : array_like, shape (n,)
        Study of each effect; none may be missing.
    rho : float
        Correlation of the sampling errors of two effects of one study, 0 <= rho < 1.

    Returns
    -------
    numpy.ndarray, shape (n, n)
        Positive definite where no variance is missing; a missing variance leaves NaN in its row and column
        within the study.

    Raises
    ------
    DesignError
        A variance is not above 0, a study name is missing, or lengths differ; rows are named.
    OptionError
        `rho` is outside [0, 1).

    References
    ----------
    Pustejovsky and Tipton (2022), Prev Sci 23:425-438, doi:10.1007/s11121-021-01246-3.
    """
    _require_rho(rho)
    variances = as_floats("vi", vi)
    unpack(np.zeros_like(variances), variances)
    labels = read_labels("study", study, variances.size)
    require_labels("study", labels)
    codes, _ = pd.factorize(labels)
    root = np.sqrt(variances)
    covariance = np.where(codes[:, None] == codes, rho * np.multiply.outer(root, root), 0.0)
    np.fill_diagonal(covariance, variances)
    return covariance


def _require_rho(rho: float) -> None:
    if isinstance(rho, bool) or not isinstance(rho, int | float | np.number) or not 0 <= float(rho) < 1:
        raise OptionError(
            f"rho must be at least 0 and below 1; got {rho!r}",
            hint="It is the correlation of two outcomes of one study; at 1 the covariance has no inverse.",
        )
