"""Confidence intervals of the between-study variance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import chdtri

from ipt_outcomes.errors import ConvergenceError, DesignError, OptionError, require_choice
from ipt_outcomes.meta.core import Problem, fit
from ipt_outcomes.meta.inputs import require_level
from ipt_outcomes.meta.quadratic_forms import quadratic_form_cdf
from ipt_outcomes.meta.tau2 import log_likelihood, solve_q
from ipt_outcomes.results import ResultObject, format_interval, format_number

if TYPE_CHECKING:
    from ipt_outcomes.meta.pooled import PooledEffect

IntervalMethod = Literal["q-profile", "profile-likelihood", "generalised-q"]
METHODS: tuple[IntervalMethod, ...] = ("q-profile", "profile-likelihood", "generalised-q")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeterogeneityInterval(ResultObject):
    """Confidence limits of tau2, and of I2 and H2 by their relation to it.

    Parameters
    ----------
    tau2, tau2_low, tau2_high : float
        Estimate and limits, squared units of the effects.
    i2_low, i2_high : float
        Percent, 100 tau2 / (tau2 + typical sampling variance).
    h2_low, h2_high : float
        tau2 / typical variance + 1.
    empty : bool
        The effects vary less than sampling error alone would make them at this level, so no tau2 >= 0 is
        compatible with them and both limits are set to 0. This is no precise estimate.
    method : str
    level : float
    """

    tau2: float
    tau2_low: float
    tau2_high: float
    i2_low: float
    i2_high: float
    h2_low: float
    h2_high: float
    empty: bool
    method: IntervalMethod
    level: float

    def to_frame(self) -> pd.DataFrame:
        """Return ``statistic low high``, one row for each of tau2, i2 and h2."""
        return pd.DataFrame(
            {
                "statistic": ["tau2", "i2", "h2"],
                "low": [self.tau2_low, self.i2_low, self.h2_low],
                "high": [self.tau2_high, self.i2_high, self.h2_high],
            }
        )

    def summary(self, digits: int = 3) -> str:
        """Return the intervals in plain text.

        Parameters
        ----------
        digits : int
            3 for three decimals of tau2, else two.

        Returns
        -------
        str
        """
        style: Literal["decimal3", "decimal2"] = "decimal3" if digits == 3 else "decimal2"
        text = (
            f"tau2 {format_number(self.tau2, style)} "
            f"({format_number(100 * self.level, 'number')}% CI "
            f"{format_interval(self.tau2_low, self.tau2_high, style)}), "
            f"I2 {format_interval(self.i2_low, self.i2_high, 'percent')}, {self.method}"
        )
        if self.empty:
            text += "\nThe interval is empty: the effects are more alike than sampling error explains."
        return text


def heterogeneity_interval(pooled: PooledEffect, method: str, level: float) -> HeterogeneityInterval:
    """Interval of tau2 of a pooled effect.

    Parameters
    ----------
    pooled : PooledEffect
    method : {"q-profile", "profile-likelihood", "generalised-q"}
    level : float

    Returns
    -------
    HeterogeneityInterval

    Raises
    ------
    DesignError
        There is only one study.
    OptionError
        The method does not go with the estimator of tau2.

    References
    ----------
    Viechtbauer (2007), Stat Med 26(1):37-52, doi:10.1002/sim.2514 (Q-profile).
    Hardy and Thompson (1996), Stat Med 15(6):619-629 (profile likelihood).
    Jackson (2013), Res Synth Methods 4(3):220-229, doi:10.1002/jrsm.1081 (generalised Q).
    """
    require_choice("method", method, METHODS)
    require_level(level)
    if pooled.k < 2:
        raise DesignError("heterogeneity needs at least 2 studies; there is 1")
    v = pooled.vi[pooled.positions]
    problem = Problem(pooled.yi[pooled.positions], v, np.ones((v.size, 1)))
    unit = problem.unit**2
    if method == "q-profile":
        low, high, empty = _q_profile(problem, level)
    elif method == "profile-likelihood":
        if pooled.tau2_method not in {"REML", "ML"}:
            raise OptionError(
                f"profile-likelihood needs tau2 by REML or ML; this fit used {pooled.tau2_method}",
                hint='Pool again with tau2="REML", or use method="q-profile".',
            )
        restricted = pooled.tau2_method == "REML"
        low, high, empty = _profile_likelihood(problem, pooled.tau2 / unit, level, restricted)
    else:
        if pooled.tau2_method != "DL":
            raise OptionError(
                f"generalised-q needs tau2 by DL; this fit used {pooled.tau2_method}",
                hint='Pool again with tau2="DL", or use method="q-profile".',
            )
        low, high, empty = _generalised_q(problem, level)
    typical = fit(problem, 0.0).typical_variance
    assert typical is not None  # noqa: S101 - two studies leave a degree of freedom
    return HeterogeneityInterval(
        tau2=pooled.tau2,
        tau2_low=low * unit,
        tau2_high=high * unit,
        i2_low=100.0 * low * unit / (low * unit + typical),
        i2_high=100.0 * high * unit / (high * unit + typical),
        h2_low=low * unit / typical + 1.0,
        h2_high=high * unit / typical + 1.0,
        empty=empty,
        method=method,  # type: ignore[arg-type]
        level=float(level),
    )


def _q_profile(problem: Problem, level: float) -> tuple[float, float, bool]:
    df, tail = problem.k - problem.p, (1.0 - level) / 2.0
    low_target, high_target = float(chdtri(df, 1.0 - tail)), float(chdtri(df, tail))
    empty = problem.q_statistic(0.0)[0] < low_target
    return solve_q(problem, high_target), solve_q(problem, low_target), empty


def _profile_likelihood(problem: Problem, tau2: float, level: float, restricted: bool) -> tuple[float, float, bool]:
    cut = float(chdtri(1.0, 1.0 - level)) / 2.0

    def height(t: float) -> float:
        return float(log_likelihood(problem, np.array([t]), restricted=restricted)[0])

    floor = height(tau2) - cut

    def above(t: float) -> float:
        return height(t) - floor

    low = 0.0 if tau2 == 0 or above(0.0) >= 0 else _root(above, 0.0, tau2)
    return low, _root(above, tau2, _beyond(above, max(tau2, float(problem.v.min())))), False


def _generalised_q(problem: Problem, level: float) -> tuple[float, float, bool]:
    """Test-inversion with the exact distribution of Cochran's Q at each tau2."""
    tail = (1.0 - level) / 2.0
    w = 1.0 / problem.v
    observed = float(w @ (problem.y * problem.y))
    _, _, inverse = problem.project(w)
    wq = problem.basis * w[:, None]
    matrix = np.diag(w) - wq @ inverse @ wq.T

    def below(t: float) -> float:
        root = np.sqrt(problem.v + t)
        values = np.linalg.eigvalsh(root[:, None] * matrix * root)
        return quadratic_form_cdf(values[problem.p :], observed)

    at_zero = below(0.0)
    if at_zero < tail:
        return 0.0, 0.0, True
    start = float(problem.v.min())

    def high(t: float) -> float:
        return below(t) - tail

    def low(t: float) -> float:
        return below(t) - (1.0 - tail)

    lower = _root(low, 0.0, _beyond(low, start)) if at_zero > 1.0 - tail else 0.0
    return lower, _root(high, lower, _beyond(high, start)), False


def _beyond(function: Callable[[float], float], start: float) -> float:
    """Find, by doubling, a point beyond which a falling function is below 0."""
    t = start
    for _ in range(200):
        if function(t) < 0:
            return t
        t *= 2.0
    raise ConvergenceError("no upper limit of tau2 was found", attempts=(f"doubling up to {t:.3g}",))


def _root(function: Callable[[float], float], left: float, right: float) -> float:
    if function(left) == 0:
        return left
    return float(brentq(function, left, right, xtol=1e-14 * right, rtol=1e-12, maxiter=300))
