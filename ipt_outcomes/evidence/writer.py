"""Writing numbers of pooled effects as result rows: units, the scale of ratios, what a method is called."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ipt_outcomes.errors import IptError
from ipt_outcomes.meta import PooledEffect
from ipt_outcomes.results import ResultsBuilder

if TYPE_CHECKING:
    from ipt_outcomes.evidence.battery import Battery

Groups = Mapping[str, str]

UNITS = {"SMD": "g", "OR": "log OR", "RR": "log RR", "RD": "risk difference"}
_ON_SCALE = ("estimate", "se", "ci_low", "ci_high", "prediction_low", "prediction_high")
# Shown beside a Knapp-Hartung interval that is narrower than the normal one.
_Z_LIMITS = ("z_ci_low", "z_ci_high")
_OTHER = {
    "statistic": "test statistic",
    "df": "degrees of freedom",
    "p_value": "p",
    "h2": "ratio",
    "i2": "percent",
}
# Statistics that a ratio also has on its own scale.
_AS_RATIO = frozenset(
    ("estimate", "ci_low", "ci_high", "prediction_low", "prediction_high", "lowest", "median", "highest")
)


def pooled_rows(builder: ResultsBuilder, analysis: str, pooled: PooledEffect, groups: Groups) -> None:
    """Add every number of a pooled effect; ratios also on their own scale.

    Parameters
    ----------
    builder : ResultsBuilder
    analysis : str
    pooled : PooledEffect
    groups : mapping of str to str
    """
    unit = UNITS[measure_of(pooled)]
    method = pooled.method

    def add(statistic: str, value: float | None, unit: str) -> None:
        builder.add(analysis, statistic, value, unit=unit, method=method, groups=groups, n=pooled.k)

    builder.add(analysis, "k", pooled.k, unit="effects", method=method, groups=groups, n=pooled.k)
    on_scale = _ON_SCALE + (_Z_LIMITS if pooled.narrower_than_z else ())
    for statistic in on_scale:
        add(statistic, getattr(pooled, statistic), unit)
    if pooled.measure in {"OR", "RR"}:
        for statistic in on_scale:
            value = getattr(pooled, statistic)
            if statistic != "se":
                add(ratio_name(statistic), None if value is None else exp_or_none(value), pooled.measure)
    for statistic, of in _OTHER.items():
        add(statistic, getattr(pooled, statistic), of)
    # One study tells nothing of the variance between studies.
    add("tau2", pooled.tau2 if pooled.k > 1 else None, f"({unit})²")
    add("q", pooled.q, "chi-square")
    add("q_df", pooled.q_df, "degrees of freedom")
    add("q_p_value", pooled.q_p_value, "p")


def measure_of(pooled: PooledEffect) -> str:
    """Return the measure; every effect of a synthesis has one.

    Parameters
    ----------
    pooled : PooledEffect

    Returns
    -------
    str
    """
    if pooled.measure is None:
        raise IptError("a pooled effect of a synthesis has no measure")
    return pooled.measure


def unit_of(battery: Battery) -> str:
    """Return the unit of the effects of a battery.

    Parameters
    ----------
    battery : Battery

    Returns
    -------
    str
    """
    return UNITS[measure_of(battery.combined)]


def ratio_name(statistic: str) -> str:
    """Return what a statistic is called on the scale of the ratio.

    Parameters
    ----------
    statistic : str

    Returns
    -------
    str
    """
    return "ratio" if statistic == "estimate" else f"ratio_{statistic}"


def exp_or_none(value: float) -> float | None:
    """Return the ratio; None where it is too large for a number (a hopeless interval).

    Parameters
    ----------
    value : float

    Returns
    -------
    float or None
    """
    return math.exp(value) if value < 700 else None


def effect_rows(
    builder: ResultsBuilder,
    battery: Battery,
    analysis: str,
    numbers: Mapping[str, float | None],
    *,
    groups: Groups,
    method: str,
    n: int | None = None,
) -> None:
    """Add numbers on the scale of the effects; where the measure is a ratio, those it has also as one.

    Parameters
    ----------
    builder : ResultsBuilder
    battery : Battery
    analysis : str
    numbers : mapping of str to float
        Statistic to value; ``tau2``, ``i2`` and ``p_value`` get their own units.
    groups : mapping of str to str
    method : str
    n : int, optional
    """
    unit, is_ratio = unit_of(battery), battery.study_effects.effects.is_ratio
    units = {"i2": "percent", "tau2": f"({unit})²", "p_value": "p"}
    for statistic, value in numbers.items():
        of = units.get(statistic, unit)
        builder.add(analysis, statistic, value, unit=of, method=method, groups=groups, n=n)
        if is_ratio and statistic in _AS_RATIO:
            ratio = None if value is None else exp_or_none(value)
            measure = measure_of(battery.combined)
            builder.add(analysis, ratio_name(statistic), ratio, unit=measure, method=method, groups=groups, n=n)
