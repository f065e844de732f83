"""Log-likelihood, information criteria and the standard error of tau2 of a weighted regression."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ipt_outcomes.meta.inputs import Tau2Method


class FitStatistics(NamedTuple):
    """How well a model fits.

    Parameters
    ----------
    log_likelihood : float
        With all constants; restricted under REML, of the full likelihood for every other estimator.
    aic, bic : float
        By that likelihood; they compare fits of the same studies by the same likelihood only.
    tau2_se : float or None
        Asymptotic standard error of tau2; None for the common effect and without residual df.
    """

    log_likelihood: float
    aic: float
    bic: float
    tau2_se: float | None


def fit_statistics(y: np.ndarray, v: np.ndarray, design: np.ndarray, tau2: float, method: Tau2Method) -> FitStatistics:
    """Return the statistics of a fit.

    Parameters
    ----------
    y, v : numpy.ndarray, shape (k,)
    design : numpy.ndarray, shape (k, p)
    tau2 : float
        The estimate of `method`, in the units of the effects squared.
    method : str

    Returns
    -------
    FitStatistics

    References
    ----------
    Viechtbauer (2005), J Educ Behav Stat 30(3):261-293, doi:10.3102/10769986030003261 (standard errors of tau2).
    """
    k, p = design.shape
    variance = v + tau2
    w = 1.0 / variance
    wx = design * w[:, None]
    information = design.T @ wx
    residual = y - design @ np.linalg.solve(information, wx.T @ y)
    restricted = method == "REML"
    count = k - p if restricted else k
    value = -0.5 * (count * math.log(2 * math.pi) + float(np.log(variance).sum()) + float(w @ residual**2))
    if restricted:
        crossed = np.linalg.slogdet(design.T @ design)[1]
        value += 0.5 * float(crossed - np.linalg.slogdet(information)[1])
    parameters = p + (method != "common")
    penalty = parameters * (math.log(count) if count > 0 else math.nan)
    return FitStatistics(value, 2 * parameters - 2 * value, penalty - 2 * value, _tau2_se(y, v, design, tau2, method))


def _tau2_se(y: np.ndarray, v: np.ndarray, design: np.ndarray, tau2: float, method: Tau2Method) -> float | None:
    k, p = design.shape
    if method == "common" or k == p:
        return None
    if method == "ML":
        return math.sqrt(2 / float(((v + tau2) ** -2.0).sum()))
    if method == "REML":
        return math.sqrt(2 / float((_projection(v + tau2, design) ** 2).sum()))
    if method in {"DL", "HS"}:
        matrix = _projection(v, design)
        trace = float(np.trace(matrix))
        inner = 2 * (k - p) + 4 * tau2 * trace + 2 * tau2**2 * float((matrix**2).sum())
        return math.sqrt(inner) / (trace if method == "DL" else float((1 / v).sum()))
    weights = v + tau2
    factor: float
    if method == "HE":
        weights, factor = np.ones(k), 1 / (k - p)
    elif method == "SJ":
        start = _sidik_jonkman_start(y)
        weights, factor = v + start, start / (k - p)
    else:
        factor = k / (k - p) / float((1 / (v + tau2)).sum())
    matrix = _projection(weights, design)
    times = matrix * v
    inner = 2 * float((times * times.T).sum()) + 4 * tau2 * float((times * matrix).sum())
    return factor * math.sqrt(inner + 2 * tau2**2 * float((matrix**2).sum()))


def _projection(variance: np.ndarray, design: np.ndarray) -> np.ndarray:
    w = 1.0 / variance
    wx = design * w[:, None]
    return np.asarray(np.diag(w) - wx @ np.linalg.solve(design.T @ wx, wx.T))


def _sidik_jonkman_start(y: np.ndarray) -> float:
    """Where the two steps of SJ start: the mean square of the effects about their mean."""
    return float(np.mean((y - y.mean()) ** 2))
