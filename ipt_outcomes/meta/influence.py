"""What single studies do to the pooled effect: deletion diagnostics and Baujat's plot."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtr

from ipt_outcomes.errors import DesignError
from ipt_outcomes.meta.batch import fit_subsets
from ipt_outcomes.meta.core import EPS
from ipt_outcomes.meta.inputs import Effects, Tau2Method, Test, there_are, unpack
from ipt_outcomes.meta.pool import check_options


def influence(yi: Effects, vi: ArrayLike | None = None, *, tau2: Tau2Method = "REML", test: Test = "z") -> pd.DataFrame:
    """Deletion diagnostics of every study.

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects, one per study.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.
    tau2 : str
        As in `pool`, estimated again without each study.
    test : {"z", "knapp-hartung", "knapp-hartung-adhoc"}
        Which standard error of the pooled effect the diagnostics are scaled by.

    Returns
    -------
    pandas.DataFrame
        One row per study used, with ``position`` (row of the input), ``rstudent dffits cooks_distance
        cov_ratio tau2_deleted q_deleted hat weight dfbetas residual residual_se influential``; `weight` in
        percent, `residual` the effect minus the effect pooled without it.

    Raises
    ------
    DesignError
        Fewer than 3 studies, an impossible variance; rows are named.
    OptionError
        An option is not one of the choices.
    ConvergenceError
        tau2 could not be estimated without one of the studies.

    Notes
    -----
    Influential: the size of DFFITS above 3 sqrt(1/(k - 1)), or a Cook's distance beyond the median of chi-squared with
    1 df, or a hat value above 3/k, or the size of DFBETAS above 1.

    References
    ----------
    Viechtbauer, Cheung (2010), Res Synth Methods 1(2):112-125, doi:10.1002/jrsm.11.

    Examples
    --------
    >>> from ipt_outcomes.meta import influence
    >>> influence([0.1, 0.2, 0.3, 1.9], [0.02, 0.03, 0.02, 0.04]).influential.tolist()
    [False, False, False, True]
    """
    check_options(tau2, test, 0.95)
    rows = unpack(yi, vi)
    k, y, v = int(rows.used.size), rows.y, rows.v
    if k < 3:
        raise DesignError(f"deletion diagnostics need at least 3 studies; {there_are(k)}")
    whole = fit_subsets(y, v, np.ones((1, k), dtype=bool), tau2)
    w = 1.0 / (v + whole.tau2[0])
    hat = w / w.sum()
    deleted = fit_subsets(y, v, ~np.eye(k, dtype=bool), tau2)
    whole_variance = float((whole.variance * _factors(whole.scale, tau2, test))[0])
    estimate, tau2_deleted = deleted.estimate, deleted.tau2
    variance = deleted.variance * _factors(deleted.scale, tau2, test)
    residual = y - estimate
    residual_se = np.sqrt(v + tau2_deleted + variance)
    shift = whole.estimate[0] - estimate
    # the weight a study has when the others' tau2 is used for all
    dffits = shift / np.sqrt(hat * (v + tau2_deleted))
    cooks = shift**2 / whole_variance
    # standard error of the pooled effect at the tau2 found without the study
    at_deleted = _variance_at(y, v, tau2_deleted, test)
    dfbetas = shift / np.sqrt(at_deleted)
    influential = (np.abs(dffits) > 3 * np.sqrt(1 / (k - 1))) | (chdtr(1.0, cooks) > 0.5)
    influential |= (hat > 3 / k) | (np.abs(dfbetas) > 1)
    return pd.DataFrame(
        {
            "position": rows.used,
            "rstudent": residual / residual_se,
            "dffits": dffits,
            "cooks_distance": cooks,
            "cov_ratio": variance / whole_variance,
            "tau2_deleted": tau2_deleted,
            "q_deleted": deleted.q,
            "hat": hat,
            "weight": 100 * hat,
            "dfbetas": dfbetas,
            "residual": residual,
            "residual_se": residual_se,
            "influential": influential,
        }
    )


def _factors(scale: np.ndarray, tau2: Tau2Method, test: Test) -> np.ndarray:
    if test == "z" or tau2 == "common":
        return np.ones_like(scale)
    known = np.where(np.isnan(scale), 1.0, scale)
    return np.maximum(1.0, known) if test == "knapp-hartung-adhoc" else known


def _variance_at(y: np.ndarray, v: np.ndarray, tau2: np.ndarray, test: Test) -> np.ndarray:
    """Variance of the effect pooled over all studies at each of several tau2."""
    w = 1.0 / (v + tau2[:, None])
    total = w.sum(axis=1)
    away = y - ((w @ y) / total)[:, None]
    scale = np.einsum("mk,mk,mk->m", w, away, away) / (y.size - 1)
    # equal effects: the factor would be 0 or rounding, and says nothing
    scale[np.abs(away).max(axis=1) <= 16 * EPS * np.abs(y).max()] = np.nan
    return np.asarray(_factors(scale, "REML", test) / total)


def baujat(yi: Effects, vi: ArrayLike | None = None) -> pd.DataFrame:
    """Contribution of each study to heterogeneity and its influence on the pooled effect.

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects, one per study.
    vi : array_like, shape (n,), optional
        Sampling variances, for plain arrays.

    Returns
    -------
    pandas.DataFrame
        ``position x y``: x is the study's part of Cochran's Q, y the squared standardised shift of the
        common-effect estimate when it is left out.

    Raises
    ------
    DesignError
        Fewer than 2 studies, an impossible variance; rows are named.

    References
    ----------
    Baujat, Mahe, Pignon, Hill (2002), Stat Med 21(18):2641-2652, doi:10.1002/sim.1221.

    Examples
    --------
    >>> from ipt_outcomes.meta import baujat
    >>> baujat([0.1, 0.2, 1.0], [0.02, 0.02, 0.02]).x.round(2).tolist()
    [5.56, 2.72, 16.06]
    """
    rows = unpack(yi, vi)
    if rows.used.size < 2:
        raise DesignError(f"a Baujat plot needs at least 2 studies; there {'is' if rows.used.size else 'are'} "
                          f"{rows.used.size}")  # fmt: skip
    w = 1.0 / rows.v
    estimate = (w @ rows.y) / w.sum()
    x = w * (rows.y - estimate) ** 2
    rest = w.sum() - w
    without = estimate - w * (rows.y - estimate) / rest
    return pd.DataFrame({"position": rows.used, "x": x, "y": (without - estimate) ** 2 * rest})
