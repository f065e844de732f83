"""Several effects of one study: their working covariance and their combination."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.meta.inputs import Effects, as_floats, name_rows, read_labels, require_labels, unpack


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


def shared_control_covariance(vi: ArrayLike, *, study: Any, n_arm1: ArrayLike, n_arm2: ArrayLike) -> np.ndarray:
    """Sampling covariance of comparisons that share a control group.

    Parameters
    ----------
    vi : array_like, shape (n,)
        Sampling variances.
    study : array_like, shape (n,)
        Comparisons with one label share one control group; none may be missing. Where a study has several
        control groups, give labels that tell them apart.
    n_arm1, n_arm2 : array_like, shape (n,)
        Participants of the treatment and of the shared control group.

    Returns
    -------
    numpy.ndarray, shape (n, n)
        Covariance sqrt(v_i v_j) r_ij with r_ij = sqrt(n_i/(n_i + m) n_j/(n_j + m)), m the size of the control
        group.

    Raises
    ------
    DesignError
        A variance or number not above 0, a study name missing, lengths that differ; rows are named.

    References
    ----------
    Gleser, Olkin (2009), in The Handbook of Research Synthesis, 2nd ed, chapter 19, ISBN 978-0871541635;
    Viechtbauer (2010), J Stat Softw 36(3), doi:10.18637/jss.v036.i03 (weights for the correlation).

    Examples
    --------
    >>> shared_control_covariance([0.05, 0.05], study=["A", "A"], n_arm1=[40, 40], n_arm2=[40, 40])
    array([[0.05 , 0.025],
           [0.025, 0.05 ]])
    """
    variances = as_floats("vi", vi)
    unpack(np.zeros_like(variances), variances)
    labels = read_labels("study", study, variances.size)
    require_labels("study", labels)
    sizes = []
    for name, values in (("n_arm1", n_arm1), ("n_arm2", n_arm2)):
        numbers = as_floats(name, values)
        if numbers.shape != variances.shape:
            raise DesignError(f"{name} must have one entry per effect, {variances.size}; got shape {numbers.shape}")
        bad = np.flatnonzero(~(numbers > 0))
        if bad.size:
            raise DesignError(f"{name} must be above 0 in {name_rows(bad)}", rows=bad, column=name)
        sizes.append(numbers)
    codes, _ = pd.factorize(labels)
    share = np.sqrt(variances * sizes[0] / (sizes[0] + sizes[1]))
    covariance = np.where(codes[:, None] == codes, np.multiply.outer(share, share), 0.0)
    np.fill_diagonal(covariance, variances)
    return covariance


def _require_rho(rho: float) -> None:
    if isinstance(rho, bool) or not isinstance(rho, int | float | np.number) or not 0 <= float(rho) < 1:
        raise OptionError(
            f"rho must be at least 0 and below 1; got {rho!r}",
            hint="It is the correlation of two outcomes of one study; at 1 the covariance has no inverse.",
        )
