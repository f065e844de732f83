"""Effects on events: odds ratio, risk ratio, risk difference, Peto's odds ratio."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from ipt_outcomes.effects.build import build
from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.effects.inputs import FloatArray
from ipt_outcomes.effects.zero_cells import DoubleZero, Tables, ZeroCells, read_tables
from ipt_outcomes.errors import require_choice

Event = Literal["good", "bad"]
EVENTS = ("good", "bad")

_FORMULAS = {
    "OR": "log(ad/(bc)), variance 1/a + 1/b + 1/c + 1/d",
    "RR": "log((a/n1)/(c/n2)), variance 1/a − 1/n1 + 1/c − 1/n2",
    "RD": "a/n1 − c/n2, variance ab/n1³ + cd/n2³",
    "PETO": "(a − n1 m/N)/V, variance 1/V, V = n1 n2 m (N − m)/(N²(N − 1)), m = a + c",
}


def odds_ratio(
    event_arm1: npt.ArrayLike,
    totaln_arm1: npt.ArrayLike,
    event_arm2: npt.ArrayLike,
    totaln_arm2: npt.ArrayLike,
    *,
    event: Event,
    zero_cells: ZeroCells = "add-half",
    double_zero: DoubleZero = "keep",
) -> EffectSizes:
    """Log odds ratio of the event, arm 1 over arm 2, one per study.

    Parameters
    ----------
    event_arm1, event_arm2 : array_like, shape (k,)
        Participants with the event.
    totaln_arm1, totaln_arm2 : array_like, shape (k,)
        All participants of the arm.
    event : {"good", "bad"}
        Whether the event is good news (response) or bad (relapse). It does not change the numbers;
        plots and sentences read from it which side is favourable.
    zero_cells : {"add-half", "add-half-all", "add-half-if-any", "treatment-arm", "none"}
        "add-half": 0.5 to all four cells of a row that has a cell of 0. "add-half-all": to every row.
        "add-half-if-any": to every row as soon as one row has a cell of 0. "treatment-arm": n1/N to
        both cells of arm 1 and n2/N to both cells of arm 2, in rows with a cell of 0. "none": nothing;
        a row whose ratio is then 0 or infinite has no effect.
    double_zero : {"keep", "drop"}
        A row without events in either arm, or with nothing but events in both, says nothing on the odds
        ratio. "drop": no effect, the row stays in place. "keep": as `zero_cells` says, and flagged.

    Returns
    -------
    EffectSizes
        ``yi`` on the log scale, shape (k,); ``flags`` says what was done to each row.

    Raises
    ------
    DesignError
        A total below 1, a negative count, more events than participants, a cell that is no number;
        ``.rows`` lists all rows concerned.
    OptionError
        `event` or another option is not one of the choices.

    References
    ----------
    Woolf (1955), Ann Hum Genet 19(4):251-253, doi:10.1111/j.1469-1809.1955.tb01348.x;
    Gart, Zweifel (1967), Biometrika 54(1/2):181-187, doi:10.1093/biomet/54.1-2.181 (0.5);
    Sweeting, Sutton, Lambert (2004), Stat Med 23(9):1351-1375, doi:10.1002/sim.1761 (treatment arm).

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> effect = ipt.effects.odds_ratio(0, 30, 6, 30, event="bad")
    >>> effect.yi.round(3), effect.flags
    (array([-2.784]), ('0.5 added to all four cells: a cell is 0',))
    """
    require_choice("event", event, EVENTS)
    tables = read_tables(
        event_arm1, totaln_arm1, event_arm2, totaln_arm2, zero_cells=zero_cells, double_zero=double_zero
    )
    yi, vi = log_odds_ratio(tables)
    return _result("OR", yi, vi, tables, event=event, zero_cells=zero_cells, double_zero=double_zero)


def risk_ratio(
    event_arm1: npt.ArrayLike,
    totaln_arm1: npt.ArrayLike,
    event_arm2: npt.ArrayLike,
    totaln_arm2: npt.ArrayLike,
    *,
    event: Event,
    zero_cells: ZeroCells = "add-half",
    double_zero: DoubleZero = "keep",
) -> EffectSizes:
    """Log risk ratio of the event, arm 1 over arm 2, one per study.

    Parameters
    ----------
    event_arm1, totaln_arm1, event_arm2, totaln_arm2, event, zero_cells, double_zero
        As in `odds_ratio`. A correction is added to events and non-events, so an arm's total grows by
        twice the correction.

    Returns
    -------
    EffectSizes
        ``yi`` on the log scale, shape (k,); ``flags`` says what was done to each row.

    Raises
    ------
    DesignError, OptionError
        As in `odds_ratio`.

    References
    ----------
    Katz, Baptista, Azen, Pike (1978), Biometrics 34(3):469-474, doi:10.2307/2530610;
    Sweeting, Sutton, Lambert (2004), Stat Med 23(9):1351-1375, doi:10.1002/sim.1761.

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.risk_ratio(28, 60, 17, 60, event="good").yi.round(3)
    array([0.499])
    """
    require_choice("event", event, EVENTS)
    tables = read_tables(
        event_arm1, totaln_arm1, event_arm2, totaln_arm2, zero_cells=zero_cells, double_zero=double_zero
    )
    a, c, n1, n2 = tables.a, tables.c, tables.a + tables.b, tables.c + tables.d
    with np.errstate(all="ignore"):
        yi = np.log(a / n1) - np.log(c / n2)
        # (1/a)(b/n1) is 1/a - 1/n1 without the difference of two nearly equal numbers
        vi = tables.b / n1 / a + tables.d / n2 / c
    return _result("RR", yi, vi, tables, event=event, zero_cells=zero_cells, double_zero=double_zero)


def risk_difference(
    event_arm1: npt.ArrayLike,
    totaln_arm1: npt.ArrayLike,
    event_arm2: npt.ArrayLike,
    totaln_arm2: npt.ArrayLike,
    *,
    event: Event,
    zero_cells: ZeroCells = "add-half",
    double_zero: DoubleZero = "keep",
) -> EffectSizes:
    """Risk difference of the event, arm 1 minus arm 2, one per study.

    Parameters
    ----------
    event_arm1, totaln_arm1, event_arm2, totaln_arm2, event, zero_cells, double_zero
        As in `odds_ratio`. A difference exists without any correction: `zero_cells="none"` gives it,
        and 0 for a row without events in either arm, but where both arms have only events or none its
        estimated variance is 0, which no weighted mean can use; such rows are flagged.

    Returns
    -------
    EffectSizes
        ``yi`` as a difference of proportions (0.1 is ten points of a hundred), shape (k,).

    Raises
    ------
    DesignError, OptionError
        As in `odds_ratio`.

    References
    ----------
    Deeks, Altman, Bradburn (2001), Systematic Reviews in Health Care, chapter 15,
    doi:10.1002/9780470693926.ch15;
    Sweeting, Sutton, Lambert (2004), Stat Med 23(9):1351-1375, doi:10.1002/sim.1761.

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.risk_difference(28, 60, 17, 60, event="good").yi.round(3)
    array([0.183])
    """
    require_choice("event", event, EVENTS)
    tables = read_tables(
        event_arm1, totaln_arm1, event_arm2, totaln_arm2, zero_cells=zero_cells, double_zero=double_zero
    )
    a, c, n1, n2 = tables.a, tables.c, tables.a + tables.b, tables.c + tables.d
    yi = a / n1 - c / n2
    vi = (a / n1) * (tables.b / n1) / n1 + (c / n2) * (tables.d / n2) / n2
    return _result("RD", yi, vi, tables, event=event, zero_cells=zero_cells, double_zero=double_zero)


def peto(
    event_arm1: npt.ArrayLike,
    totaln_arm1: npt.ArrayLike,
    event_arm2: npt.ArrayLike,
    totaln_arm2: npt.ArrayLike,
    *,
    event: Event,
    zero_cells: ZeroCells = "add-half",
    double_zero: DoubleZero = "keep",
) -> EffectSizes:
    """Log odds ratio of the event by Peto's one-step method, arm 1 over arm 2, one per study.

    Parameters
    ----------
    event_arm1, totaln_arm1, event_arm2, totaln_arm2, event, zero_cells, double_zero
        As in `odds_ratio`. The method needs no correction where only one arm has no event:
        `zero_cells="none"` gives the classic estimate. It is biased for unequal arms and large effects.

    Returns
    -------
    EffectSizes
        ``yi`` on the log scale, shape (k,), ``measure`` "OR"; `meta.peto` pools tables without any correction.

    Raises
    ------
    DesignError, OptionError
        As in `odds_ratio`.

    References
    ----------
    Yusuf, Peto, Lewis, Collins, Sleight (1985), Prog Cardiovasc Dis 27(5):335-371,
    doi:10.1016/S0033-0620(85)80003-7.

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.peto(28, 60, 17, 60, event="good").yi.round(3)
    array([0.776])
    """
    require_choice("event", event, EVENTS)
    tables = read_tables(
        event_arm1, totaln_arm1, event_arm2, totaln_arm2, zero_cells=zero_cells, double_zero=double_zero
    )
    yi, vi = peto_parts(tables)
    return _result("PETO", yi, vi, tables, event=event, zero_cells=zero_cells, double_zero=double_zero)


def peto_parts(tables: Tables) -> tuple[FloatArray, FloatArray]:
    """Return Peto's log odds ratio and its variance; NaN or infinite without events or non-events.

    Parameters
    ----------
    tables : Tables
        After the zero-cell rule.

    Returns
    -------
    tuple of numpy.ndarray, shape (k,)
    """
    n1, n2 = tables.a + tables.b, tables.c + tables.d
    events, total = tables.a + tables.c, n1 + n2
    with np.errstate(all="ignore"):
        v = n1 * n2 * events * (total - events) / (total**2 * (total - 1))
        return np.asarray((tables.a - n1 * events / total) / v), np.asarray(1 / v)


def log_odds_ratio(tables: Tables) -> tuple[FloatArray, FloatArray]:
    """Return the log odds ratio and its variance; infinite or NaN where a cell is 0.

    Parameters
    ----------
    tables : Tables
        After the zero-cell rule.

    Returns
    -------
    tuple of numpy.ndarray, shape (k,)

    References
    ----------
    Woolf (1955), Ann Hum Genet 19(4):251-253, doi:10.1111/j.1469-1809.1955.tb01348.x.
    """
    with np.errstate(all="ignore"):
        yi = np.log(tables.a) - np.log(tables.b) - np.log(tables.c) + np.log(tables.d)
        vi = 1 / tables.a + 1 / tables.b + 1 / tables.c + 1 / tables.d
    return yi, vi


def note_without_information(tables: Tables, yi: FloatArray, vi: FloatArray, *, ratio: str) -> None:
    """Flag the rows whose number rests on the correction alone, or that have none, or no variance.

    Parameters
    ----------
    tables : Tables
        Its flags are added to.
    yi, vi : numpy.ndarray, shape (k,)
        Effects as computed.
    ratio : {"OR", "RR", "RD"}
        Measure: an odds ratio needs events and non-events, a risk ratio only events.
    """
    alone = "the effect rests on the correction alone"
    if ratio in {"OR", "RR"}:
        tables.note(tables.corrected & tables.no_events, f"no events in either arm: {alone}")
    if ratio == "OR":
        tables.note(tables.corrected & tables.all_events, f"nothing but events in both arms: {alone}")
    if ratio == "RD":
        level = tables.corrected & (tables.no_events | tables.all_events)
        tables.note(level, "the difference is 0 before the correction")
    # a row that was left out has NaN cells; here the cells are there and the formula gives no number
    undefined = ~np.isnan(tables.a) & ~(np.isfinite(yi) & np.isfinite(vi))
    tables.note(undefined, "no effect: a cell is 0 and nothing was added")
    tables.note(vi == 0, "the variance is 0 as nothing was added: the row cannot be weighted")


def _result(
    formula: Literal["OR", "RR", "RD", "PETO"],
    yi: FloatArray,
    vi: FloatArray,
    tables: Tables,
    *,
    event: Event,
    zero_cells: str,
    double_zero: str,
) -> EffectSizes:
    measure: Literal["OR", "RR", "RD"] = "OR" if formula == "PETO" else formula
    note_without_information(tables, yi, vi, ratio=measure)
    names = {"OR": "odds_ratio", "RR": "risk_ratio", "RD": "risk_difference", "PETO": "peto"}
    ways = f"zero cells: {zero_cells}, double zero: {double_zero}"
    return build(
        yi,
        vi,
        tables.flags,
        measure=measure,
        convention=f"Peto, {ways}" if formula == "PETO" else ways,
        function=names[formula],
        event=event,
        options={
            "event": event,
            "zero_cells": zero_cells,
            "double_zero": double_zero,
            "formula": _FORMULAS[formula],
        },
    )
