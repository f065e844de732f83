"""A model's difference between two arms in units of a standard deviation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from ipt_outcomes.effects import EffectSizes, small_sample_correction
from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.instruments import Better
from ipt_outcomes.results import Provenance, ResultObject, format_interval, format_number

Standardiser = Literal["endpoint", "baseline", "residual"]

STANDARDISERS: dict[str, str] = {
    "endpoint": "pooled end-point SD",
    "baseline": "pooled baseline SD",
    "residual": "residual SD of the model",
}
"""Standardisers with their names; only effects on the same one may be pooled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEffect(ResultObject):
    """Hedges' g of a model's difference between arm 1 and arm 2.

    Parameters
    ----------
    g, se, ci_low, ci_high : float
        In SD units; positive favours arm 1, whichever way the scale runs.
    p_value : float
        Of g against 0, normal distribution.
    d : float
        Before the small-sample correction, same sign.
    j : float
        Hedges' exact correction.
    difference, difference_se : float
        The model's difference, arm 1 minus arm 2, in points of the scale.
    sd, df_sd : float
        The standardiser and its degrees of freedom.
    standardiser : {"endpoint", "baseline", "residual"}
    level : float
    """

    g: float
    se: float
    ci_low: float
    ci_high: float
    p_value: float
    d: float
    j: float
    difference: float
    difference_se: float
    sd: float
    df_sd: float
    standardiser: Standardiser
    better: Better
    level: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row with every field."""
        return pd.DataFrame([self.to_dict()])

    def to_effect_sizes(self) -> EffectSizes:
        """Return the effect as `meta.pool` takes it; refused unless the standardiser is the end-point SD.

        Raises
        ------
        DesignError
            The standardiser is another: such effects are never pooled with those of the databanks.
        """
        if self.standardiser != "endpoint":
            raise DesignError(
                f"only effects on the end-point SD are pooled with other trials; this one is on the "
                f"{STANDARDISERS[self.standardiser]}"
            )
        options: dict[str, Any] = {"standardiser": self.standardiser, "better": self.better}
        return EffectSizes(
            yi=np.array([self.g]),
            vi=np.array([self.se**2]),
            measure="SMD",
            convention="model difference over the pooled end-point SD, exact J",
            provenance=Provenance(function="trial.effect_size", options=options),
        )

    def summary(self, digits: int = 2) -> str:
        """Return one line: g, its interval, the standardiser."""
        limits = format_interval(self.ci_low, self.ci_high)
        name = STANDARDISERS[self.standardiser]
        return f"g = {format_number(self.g)} ({100 * self.level:g}% CI {limits}), {name} {format_number(self.sd)}"


def effect_size(
    difference: float,
    se: float,
    *,
    sd: float,
    df_sd: float,
    better: Better,
    standardiser: Standardiser = "endpoint",
    level: float = 0.95,
) -> ModelEffect:
    """Standardise a model's difference between two arms.

    Parameters
    ----------
    difference, se : float
        Arm 1 minus arm 2 in points of the scale, and its standard error.
    sd, df_sd : float
        The standardiser and its degrees of freedom (n1 + n2 − 2 for an SD pooled over two arms).
    better : {"lower", "higher"}
        Which end of the scale is the good one; g is positive when it favours arm 1.
    standardiser : {"endpoint", "baseline", "residual"}
        What `sd` is. The end-point SD is what the databanks use, so only such effects are pooled with others.
    level : float
        Confidence level.

    Returns
    -------
    ModelEffect

    Raises
    ------
    DesignError
        An SD or a standard error that is not above 0, or df of 1 or below.
    OptionError
        An option is none of its choices.

    Notes
    -----
    d = difference / SD; var(d) = (se / SD)² + d² / (2 df) by the delta method, the second part for the SD being
    an estimate; g = J d and se(g) = J se(d) with Hedges' exact J on the SD's df; normal interval.

    References
    ----------
    Hedges (1981), J Educ Stat 6(2):107-128, doi:10.3102/10769986006002107.
    Feingold (2009), Psychol Methods 14(1):43-53, doi:10.1037/a0014699.

    Examples
    --------
    >>> effect_size(-2.5, 1.0, sd=5.0, df_sd=75, better="lower").g.__round__(3)
    0.495
    """
    require_choice("better", better, ("lower", "higher"))
    require_choice("standardiser", standardiser, STANDARDISERS)
    if not 0 < level < 1:
        raise OptionError(f"level must lie between 0 and 1, for example 0.95; got {level!r}")
    if not (math.isfinite(difference) and se > 0 and sd > 0 and df_sd > 1):
        raise DesignError(
            "an effect size needs a difference, a standard error above 0, an SD above 0 and more than 1 degree of "
            f"freedom; found se {se:g}, SD {sd:g}, df {df_sd:g}"
        )
    sign = -1.0 if better == "lower" else 1.0
    d = sign * difference / sd
    j = float(small_sample_correction(df_sd))
    g, error = j * d, j * math.sqrt((se / sd) ** 2 + d**2 / (2 * df_sd))
    half = float(ndtri(0.5 + level / 2)) * error
    return ModelEffect(
        g=g,
        se=error,
        ci_low=g - half,
        ci_high=g + half,
        p_value=2 * float(ndtr(-abs(g / error))),
        d=d,
        j=j,
        difference=float(difference),
        difference_se=float(se),
        sd=float(sd),
        df_sd=float(df_sd),
        standardiser=standardiser,
        better=better,
        level=level,
    )


def pooled_sd(values1: ArrayLike, values2: ArrayLike) -> tuple[float, int]:
    """Return the pooled SD of two arms and its degrees of freedom, from the values observed.

    Parameters
    ----------
    values1, values2 : array_like
        Missing values are left out.

    Returns
    -------
    sd : float
        NaN where an arm has fewer than two values.
    df : int
        n1 + n2 − 2.
    """
    arms = [np.asarray(values, dtype=float) for values in (values1, values2)]
    # Sorted, so that the order of people changes no bit.
    arms = [np.sort(values[~np.isnan(values)]) for values in arms]
    df = sum(len(values) for values in arms) - 2
    if min(len(values) for values in arms) < 2:
        return math.nan, df
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in arms)
    return math.sqrt(squares / df), df
