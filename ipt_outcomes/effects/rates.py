"""Effects on incidence: events per person-time."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from ipt_outcomes.effects.binary import EVENTS, Event
from ipt_outcomes.effects.build import build
from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.effects.inputs import FloatArray, read_rows
from ipt_outcomes.errors import require_choice

RateRule = Literal["add-half", "none"]
RateScale = Literal["plain", "square-root"]

_FUNCTIONS = {"IRR": "incidence_rate_ratio", "IRD": "incidence_rate_difference", "IRSD": "incidence_rate_difference"}
_FORMULAS = {
    "IRR": "log((x1/t1)/(x2/t2)), variance 1/x1 + 1/x2",
    "IRD": "x1/t1 − x2/t2, variance x1/t1² + x2/t2²",
    "IRSD": "√(x1/t1) − √(x2/t2), variance 1/(4 t1) + 1/(4 t2)",
}


def incidence_rate_ratio(
    event_arm1: npt.ArrayLike,
    time_arm1: npt.ArrayLike,
    event_arm2: npt.ArrayLike,
    time_arm2: npt.ArrayLike,
    *,
    event: Event,
    zero_cells: RateRule = "add-half",
) -> EffectSizes:
    """Log incidence rate ratio, arm 1 over arm 2, one per study.

    Parameters
    ----------
    event_arm1, event_arm2 : array_like, shape (k,)
        Number of events (recurrences), 0 or more.
    time_arm1, time_arm2 : array_like, shape (k,)
        Person-time at risk, in any unit that both arms share, above 0.
    event : {"good", "bad"}
        Whether the event is good news.
    zero_cells : {"add-half", "none"}
        "add-half": 0.5 to both counts of a row with a count of 0; "none": such a row has no effect.

    Returns
    -------
    EffectSizes
        ``yi`` on the log scale, variance 1/x1 + 1/x2, shape (k,).

    Raises
    ------
    DesignError
        A negative count, no person-time; ``.rows`` lists all rows.
    OptionError
        An option is not one of the choices.

    References
    ----------
    Rothman, Greenland, Lash (2008), Modern Epidemiology, 3rd ed, chapter 14, ISBN 978-0781755641.

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.incidence_rate_ratio(5, 100, 9, 110, event="bad").yi.round(3)
    array([-0.492])
    """
    x1, t1, x2, t2, flags = _read(event_arm1, time_arm1, event_arm2, time_arm2, event, zero_cells)
    with np.errstate(all="ignore"):
        yi, vi = np.log(x1 / t1) - np.log(x2 / t2), 1 / x1 + 1 / x2
    for row in np.flatnonzero((x1 == 0) | (x2 == 0)):
        flags[row] = "no effect: a count is 0 and nothing was added"
    return _result("IRR", yi, vi, flags, event, zero_cells)


def incidence_rate_difference(
    event_arm1: npt.ArrayLike,
    time_arm1: npt.ArrayLike,
    event_arm2: npt.ArrayLike,
    time_arm2: npt.ArrayLike,
    *,
    event: Event,
    zero_cells: RateRule | None = None,
    scale: RateScale = "plain",
) -> EffectSizes:
    """Incidence rate difference, arm 1 minus arm 2, one per study.

    Parameters
    ----------
    event_arm1, time_arm1, event_arm2, time_arm2, event
        As in `incidence_rate_ratio`.
    zero_cells : {"add-half", "none"}, optional
        As in `incidence_rate_ratio`; "add-half" when left out, and "none" on the square-root scale, whose
        variance does not rest on the counts.
    scale : {"plain", "square-root"}
        "square-root": difference of the square roots of the rates, whose variance is stable where events are
        rare.

    Returns
    -------
    EffectSizes
        ``yi`` in events per unit of person-time (or the root of that), shape (k,); variance x1/t1^2 + x2/t2^2, or
        1/(4 t1) + 1/(4 t2).

    Raises
    ------
    DesignError, OptionError
        As in `incidence_rate_ratio`.

    References
    ----------
    Rothman, Greenland, Lash (2008), Modern Epidemiology, 3rd ed, chapter 14, ISBN 978-0781755641.

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.incidence_rate_difference(5, 100, 9, 110, event="bad").yi.round(4)
    array([-0.0318])
    """
    require_choice("scale", scale, ("plain", "square-root"))
    rule: RateRule = zero_cells or ("add-half" if scale == "plain" else "none")
    x1, t1, x2, t2, flags = _read(event_arm1, time_arm1, event_arm2, time_arm2, event, rule)
    if scale == "square-root":
        yi = np.sqrt(x1 / t1) - np.sqrt(x2 / t2)
        return _result("IRSD", yi, 0.25 / t1 + 0.25 / t2 + 0 * yi, flags, event, rule)
    vi = x1 / t1**2 + x2 / t2**2
    for row in np.flatnonzero(vi == 0):
        flags[row] = "the variance is 0 as nothing was added: the row cannot be weighted"
    return _result("IRD", x1 / t1 - x2 / t2, vi, flags, event, rule)


def _read(
    event_arm1: npt.ArrayLike,
    time_arm1: npt.ArrayLike,
    event_arm2: npt.ArrayLike,
    time_arm2: npt.ArrayLike,
    event: str,
    zero_cells: str,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, list[str]]:
    require_choice("event", event, EVENTS)
    require_choice("zero_cells", zero_cells, ("add-half", "none"))
    rows = read_rows(
        {"event_arm1": event_arm1, "time_arm1": time_arm1, "event_arm2": event_arm2, "time_arm2": time_arm2}
    )
    for arm in ("arm1", "arm2"):
        rows.require_at_least(f"event_{arm}", 0)
        rows.require_at_least(f"time_{arm}", 0, strict=True)
    rows.check()
    flags = rows.missing_flags()
    gap = np.array([text != "" for text in flags], dtype=bool)
    x1, x2 = np.where(gap, np.nan, rows["event_arm1"]), np.where(gap, np.nan, rows["event_arm2"])
    if zero_cells == "add-half":
        zero = (x1 == 0) | (x2 == 0)
        x1, x2 = x1 + 0.5 * zero, x2 + 0.5 * zero
        for row in np.flatnonzero(zero):
            flags[row] = "0.5 added to both counts: a count is 0"
    return x1, rows["time_arm1"], x2, rows["time_arm2"], flags


def _result(
    measure: Literal["IRR", "IRD", "IRSD"], yi: FloatArray, vi: FloatArray, flags: list[str], event: Event, rule: str
) -> EffectSizes:
    return build(
        yi,
        vi,
        flags,
        measure=measure,
        convention=f"zero cells: {rule}",
        function=_FUNCTIONS[measure],
        event=event,
        options={"event": event, "zero_cells": rule, "formula": _FORMULAS[measure]},
    )
