"""Effects that a paper prints with a confidence interval, checked against that interval."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from ipt_outcomes.effects.build import build
from ipt_outcomes.effects.effect_sizes import RATIOS, EffectSizes, Measure
from ipt_outcomes.effects.inputs import FloatArray, Rows, read_rows
from ipt_outcomes.effects.proportions import check_level
from ipt_outcomes.errors import OptionError, require_choice

Scale = Literal["log", "plain"]
_OFF = "the interval is off-centre: one of the three numbers is wrong, or the interval is of another kind"
_OTHER = {
    "log": "the interval lies evenly around the estimate as it stands, not on the log scale: wrong scale?",
    "plain": "the interval lies evenly around the estimate on the log scale, not as it stands: a ratio?",
}
_NOT_POSITIVE = "no effect: a ratio and its limits are above 0; these look like logarithms (scale='plain')"


def from_interval(
    estimate: npt.ArrayLike,
    ci_low: npt.ArrayLike,
    ci_high: npt.ArrayLike,
    *,
    scale: Scale = "log",
    level: float = 0.95,
    measure: Measure | None = None,
    event: Literal["good", "bad"] | None = None,
) -> EffectSizes:
    """Effect and variance from a printed estimate and its normal confidence interval.

    Parameters
    ----------
    estimate, ci_low, ci_high : array_like, shape (k,)
        As printed: ratios as ratios, not as logarithms.
    scale : {"log", "plain"}
        "log": the three numbers are ratios (OR, RR, HR); ``yi`` becomes the logarithm. "plain": differences.
    level : float
        Confidence level of the interval.
    measure : str, optional
        What the effect is, a key of `MEASURE_NAMES`; "RATIO" (log) or "EFFECT" (plain) when left out.
    event : {"good", "bad"}, optional
        For ratios and risk differences: whether more events are good news.

    Returns
    -------
    EffectSizes
        ``vi`` from the width of the interval. ``flags`` names rows whose estimate is not in the middle of its
        interval by more than rounding explains, and those where it is in the middle on the other scale.

    Raises
    ------
    DesignError
        Limits that do not enclose the estimate, or have no width; ``.rows`` lists all rows.
    OptionError
        An option is not one of the choices, or `measure` does not go with `scale`.

    Notes
    -----
    Rounding is judged from the decimals of the numbers as they stand: half a unit of the last decimal each.

    References
    ----------
    Higgins, Li, Deeks (2019), Cochrane Handbook chapter 6, doi:10.1002/9781119536604.ch6.

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.from_interval(1.37, 0.98, 1.91).yi.round(3)
    array([0.315])
    >>> ipt.effects.from_interval(0.60, 0.30, 0.75, scale="plain").flags
    ('the interval is off-centre: one of the three numbers is wrong, or the interval is of another kind',)
    """
    require_choice("scale", scale, ("log", "plain"))
    check_level(level)
    chosen = _measure(measure, scale)
    rows = read_rows({"estimate": estimate, "ci_low": ci_low, "ci_high": ci_high})
    low, high, middle = rows["ci_low"], rows["ci_high"], rows["estimate"]
    gap = np.isnan(low) | np.isnan(high) | np.isnan(middle)
    for name in rows.columns:
        rows.require_finite(name)
    rows.require("ci_high", "must be above ci_low", (high > low) | gap)
    rows.require("estimate", "must lie within its interval", ((low <= middle) & (middle <= high)) | gap)
    rows.check()
    flags = rows.missing_flags()
    impossible = (low <= 0) & ~gap if scale == "log" else np.zeros(rows.k, dtype=bool)
    with np.errstate(all="ignore"):
        yi, ends = (np.log(middle), (np.log(low), np.log(high))) if scale == "log" else (middle, (low, high))
        vi = ((ends[1] - ends[0]) / (2 * ndtri(0.5 + level / 2))) ** 2
    for row in np.flatnonzero(~gap):
        flags[row] = _NOT_POSITIVE if impossible[row] else _off_centre(rows, int(row), scale)
    return build(
        np.where(gap | impossible, np.nan, yi),
        np.where(gap | impossible, np.nan, vi),
        flags,
        measure=chosen,
        convention=f"from the {100 * level:g}% interval",
        function="from_interval",
        event=event,
        options={
            "scale": scale,
            "level": float(level),
            "measure": chosen,
            "event": event,
            "formula": f"SE = width of the interval{' of the logarithms' if scale == 'log' else ''}/(2 z)",
        },
    )


def _measure(measure: Measure | None, scale: Scale) -> Measure:
    if measure is None:
        return "RATIO" if scale == "log" else "EFFECT"
    if (measure in RATIOS) != (scale == "log"):
        raise OptionError(f"scale {scale!r} does not go with measure {measure!r}: ratios are on the log scale")
    return measure


def _off_centre(rows: Rows, row: int, scale: Scale) -> str:
    numbers = np.array([rows[name][row] for name in ("ci_low", "estimate", "ci_high")])
    if _centred(numbers, scale):
        return ""
    other: Scale = "plain" if scale == "log" else "log"
    return _OTHER[scale] if _centred(numbers, other) else _OFF


def _centred(numbers: FloatArray, scale: Scale) -> bool:
    """Whether three numbers that were rounded could have had the second in the middle."""
    half = 0.5 * 10.0 ** -max(_decimals(float(number)) for number in numbers)
    half = max(half, 1e-6 * float(numbers[2] - numbers[0]))  # numbers with all digits: rounding of the machine
    lower, upper = numbers - half, numbers + half
    if scale == "log":
        if upper.min() <= 0:
            return False
        with np.errstate(divide="ignore"):
            lower, upper = np.log(np.maximum(lower, 0.0)), np.log(upper)
    return bool((lower[0] + lower[2]) / 2 <= upper[1] and lower[1] <= (upper[0] + upper[2]) / 2)


def _decimals(number: float) -> int:
    text = repr(number)
    if "e" in text or "." not in text:
        return 12
    return len(text.split(".")[1].rstrip("0"))
