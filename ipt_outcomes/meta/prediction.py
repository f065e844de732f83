"""Intervals for the true effect of a new study, by name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy.interpolate import PchipInterpolator

from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.meta.core import Problem, fit
from ipt_outcomes.meta.inference import quantile
from ipt_outcomes.meta.inputs import require_level
from ipt_outcomes.meta.quadratic_forms import quadratic_form_cdf
from ipt_outcomes.results import ResultObject, format_interval, format_number

if TYPE_CHECKING:
    from ipt_outcomes.meta.pooled import PooledEffect

PredictionMethod = Literal["fit", "S", "V", "HTS", "HK", "HK-PR", "KR", "KR-PR", "NNF"]
PREDICTION_METHODS: tuple[PredictionMethod, ...] = ("fit", "S", "V", "HTS", "HK", "HK-PR", "KR", "KR-PR", "NNF")
DRAWS = 25_000

_WORDS: dict[str, str] = {
    "S": "normal quantile, plain standard error (Skipka)",
    "V": "t with {df} df, plain standard error (Veroniki and others)",
    "HTS": "t with {df} df, plain standard error (Higgins, Thompson and Spiegelhalter)",
    "HK": "t with {df} df, Knapp-Hartung standard error",
    "HK-PR": "t with {df} df, Knapp-Hartung standard error (Partlett and Riley)",
    "KR": "t with {df} df, Kenward-Roger standard error",
    "KR-PR": "t with {df} df, Kenward-Roger standard error (Partlett and Riley)",
    "NNF": "{draws} draws from the confidence distribution of tau2 (Nagashima, Noma and Furukawa)",
}
# points of the confidence distribution between which it is interpolated; each costs k cubed
_POINTS, _FEWER_POINTS, _MANY_STUDIES = 300, 100, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionInterval(ResultObject):
    """Limits of the true effect of a new study.

    Parameters
    ----------
    low, high : float
        Limits, in the units of the effects.
    df : float or None
        Degrees of freedom of t; None for the normal distribution and for draws.
    method : str
        As in `PooledEffect.prediction_interval`.
    level : float
    words : str
        The method in words.
    """

    low: float
    high: float
    df: float | None
    method: PredictionMethod
    level: float
    words: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row ``method low high df level``."""
        names = ("method", "low", "high", "df", "level")
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def summary(self, digits: int = 2) -> str:
        """Return the interval and its method in plain text; `digits` 2 or 3."""
        limits = format_interval(self.low, self.high, "decimal3" if digits == 3 else "decimal2")
        return f"{format_number(100 * self.level, 'number')}% prediction interval: {limits}; {self.words}"


def prediction_interval(
    pooled: PooledEffect,
    method: PredictionMethod,
    level: float,
    draws: int = DRAWS,
    rng: np.random.Generator | None = None,
) -> PredictionInterval:
    """Return the interval of a new study's true effect; options as in `PooledEffect.prediction_interval`.

    Parameters
    ----------
    pooled : PooledEffect
    method : str
    level : float
    draws : int
    rng : numpy.random.Generator, optional

    Returns
    -------
    PredictionInterval

    Raises
    ------
    DesignError
        There are too few studies for the method.
    OptionError
        The method does not go with the fit, or "NNF" lacks its generator.

    References
    ----------
    Higgins, Thompson, Spiegelhalter (2009), JRSS A 172(1):137-159, doi:10.1111/j.1467-985X.2008.00552.x (HTS);
    Veroniki, Jackson, Bender et al (2019), Res Synth Methods 10(1):23-43, doi:10.1002/jrsm.1319 (V);
    Partlett, Riley (2017), Stat Med 36(2):301-317, doi:10.1002/sim.7140 (HK, KR);
    Skipka (2006), Z Evid Fortbild Qual Gesundheitswes (S, by the normal distribution);
    Nagashima, Noma, Furukawa (2019), Stat Methods Med Res 28(6):1689-1702, doi:10.1177/0962280218773520 (NNF).
    """
    require_choice("method", method, PREDICTION_METHODS)
    require_level(level)
    if pooled.tau2_method == "common":
        raise OptionError("a common effect has no prediction interval: it assumes that a new study has the same effect")
    least = 3 if method in {"HTS", "HK-PR", "NNF"} else 2
    if pooled.k < least:
        raise DesignError(f"a prediction interval ({method}) needs at least {least} studies; there "
                          f"{'is' if pooled.k == 1 else 'are'} {pooled.k}")  # fmt: skip
    if method == "NNF":
        return _by_draws(pooled, level, draws, rng)
    se, df, words = _error_and_df(pooled, method)
    half = quantile(df, level) * math.sqrt(pooled.tau2 + se**2)
    written = "" if df is None else format_number(df, "integer" if float(df).is_integer() else "decimal1")
    return PredictionInterval(
        low=pooled.estimate - half,
        high=pooled.estimate + half,
        df=df,
        method=method,
        level=float(level),
        words=words.format(df=written),
    )


def _error_and_df(pooled: PooledEffect, method: PredictionMethod) -> tuple[float, float | None, str]:
    if method == "fit":
        if pooled.df is None:
            return pooled.se, None, "normal quantile and standard error of the pooled effect"
        return pooled.se, pooled.df, "t with {df} df and standard error of the pooled effect"
    w = 1.0 / (pooled.vi[pooled.positions] + pooled.tau2)
    total = float(w.sum())
    words, k = _WORDS[method], pooled.k
    if method == "S":
        return 1 / math.sqrt(total), None, words
    if method in {"V", "HTS"}:
        return 1 / math.sqrt(total), float(k - 1 if method == "V" else k - 2), words
    if method in {"HK", "HK-PR"}:
        scale = float(w @ (pooled.yi[pooled.positions] - pooled.estimate) ** 2) / (k - 1)
        return math.sqrt(scale / total), float(k - 1 if method == "HK" else k - 2), words
    if pooled.tau2_method != "REML":
        raise OptionError(f"method {method!r} needs tau2 by REML; this fit used {pooled.tau2_method}")
    se, df = kenward_roger(w)
    if method == "KR-PR":
        df -= 1
    if df <= 0:
        raise DesignError(
            f"method {method!r} leaves no degrees of freedom", hint='Use prediction="HTS" or more studies.'
        )
    return se, df, words


def kenward_roger(w: np.ndarray) -> tuple[float, float]:
    """Kenward and Roger's standard error and degrees of freedom of a pooled effect by REML.

    Parameters
    ----------
    w : numpy.ndarray, shape (k,)
        Weights 1/(v + tau2) at the REML estimate.

    Returns
    -------
    tuple of float

    References
    ----------
    Partlett, Riley (2017), Stat Med 36(2):301-317, doi:10.1002/sim.7140 (appendix).
    """
    # in units of the largest weight: no power of it leaves the range of a float
    unit = float(w.max())
    scaled = w / unit
    one, two, three = float(scaled.sum()), float((scaled**2).sum()), float((scaled**3).sum())
    information = 0.5 * two - three / one + 0.5 * (two / one) ** 2
    variance = (1 + 2 * (three / one - (two / one) ** 2) / information) / one
    return math.sqrt(variance / unit), 2 * information / (variance * two) ** 2


def _by_draws(pooled: PooledEffect, level: float, draws: int, rng: np.random.Generator | None) -> PredictionInterval:
    if not isinstance(rng, np.random.Generator):
        raise OptionError(
            "the bootstrap (NNF) draws numbers: give it a generator",
            hint="rng=numpy.random.default_rng(1) gives the same interval each time.",
        )
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 1000:
        raise OptionError(f"draws must be a whole number, 1000 or more; got {draws!r}")
    y, v = pooled.yi[pooled.positions], pooled.vi[pooled.positions]
    problem = Problem(y, v, np.ones((y.size, 1)))
    tau2 = confidence_draws(problem, rng.uniform(size=draws))
    z, t = rng.standard_normal(draws), rng.standard_t(y.size - 1, size=draws)
    # effects and variances in the working units of the problem
    w = 1.0 / (problem.v + tau2[:, None])
    total = w.sum(axis=1)
    mean = (w @ problem.y) / total
    spread = (w * (problem.y - mean[:, None]) ** 2).sum(axis=1) / (y.size - 1)
    new = mean + z * np.sqrt(tau2) - t * np.sqrt(spread / total)
    centre = float(fit(problem, 0.0).coefficients[0])
    low, high = np.quantile(new, [0.5 - level / 2, 0.5 + level / 2]) * problem.unit + centre
    return PredictionInterval(
        low=float(low),
        high=float(high),
        df=None,
        method="NNF",
        level=float(level),
        words=_WORDS["NNF"].format(draws=format_number(draws, "integer")),
    )


def confidence_draws(problem: Problem, u: np.ndarray) -> np.ndarray:
    """Values of tau2 at quantiles of its confidence distribution, 1 - P(Q <= q seen; tau2).

    Parameters
    ----------
    problem : Problem
        One column, the intercept.
    u : numpy.ndarray, shape (b,)
        Quantiles between 0 and 1.

    Returns
    -------
    numpy.ndarray, shape (b,)
        In working units; 0 below the distribution's mass at 0.
    """
    w = 1.0 / problem.v
    observed = float(w @ (problem.y * problem.y))
    _, _, inverse = problem.project(w)
    wq = problem.basis * w[:, None]
    matrix = np.diag(w) - wq @ inverse @ wq.T

    def below(t: float) -> float:
        root = np.sqrt(problem.v + t)
        return quadratic_form_cdf(np.linalg.eigvalsh(root[:, None] * matrix * root)[1:], observed)

    start, least = 0.01 * float(problem.v.min()), max(1e-10, float((1 - u.max()) / 4))
    far = start
    while below(far) > least:
        far *= 4.0
    points = _POINTS if problem.k <= _MANY_STUDIES else _FEWER_POINTS
    grid = np.concatenate([[0.0], np.geomspace(start, far, points)])
    # -log of the upper tail rises with tau2 and is nearly straight far out, so it interpolates well
    heights = -np.log(np.maximum([below(float(t)) for t in grid], 1e-300))
    heights, kept = np.unique(np.maximum.accumulate(heights), return_index=True)
    curve = PchipInterpolator(heights, np.log1p(grid[kept] / start))
    wanted = np.clip(-np.log1p(-u), heights[0], heights[-1])
    return np.asarray(np.maximum(0.0, start * np.expm1(curve(wanted))))
