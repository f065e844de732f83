"""Other measures of a two-by-two table: arcsine and probit differences, Yule's Q, phi."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from ipt_outcomes.effects.binary import EVENTS, Event
from ipt_outcomes.effects.build import build
from ipt_outcomes.effects.effect_sizes import EffectSizes, Measure
from ipt_outcomes.effects.inputs import FloatArray
from ipt_outcomes.effects.zero_cells import DoubleZero, Tables, ZeroCells, read_tables
from ipt_outcomes.errors import require_choice

_FORMULAS = {
    "ASD": "asin √(a/n1) − asin √(c/n2), variance 1/(4 n1) + 1/(4 n2)",
    "SMD": "Φ⁻¹(a/n1) − Φ⁻¹(c/n2), variance the sum of 2π p(1 − p) exp(z²)/n",
    "YUQ": "(OR − 1)/(OR + 1), variance (1 − Q²)²/4 × (1/a + 1/b + 1/c + 1/d)",
    "PHI": "(ad − bc)/√(n1 n2 m (N − m)), variance with the margins taken as they are",
}


def arcsine_difference(
    event_arm1: npt.ArrayLike,
    totaln_arm1: npt.ArrayLike,
    event_arm2: npt.ArrayLike,
    totaln_arm2: npt.ArrayLike,
    *,
    event: Event,
    double_zero: DoubleZero = "keep",
) -> EffectSizes:
    """Difference of the arcsine-transformed risks, arm 1 minus arm 2, one per study.

    Parameters
    ----------
    event_arm1, totaln_arm1, event_arm2, totaln_arm2, event, double_zero
        As in `odds_ratio`. The measure exists and has a variance above 0 whatever the cells, so nothing is added
        to them.

    Returns
    -------
    EffectSizes
        ``yi`` in radians, shape (k,).

    Raises
    ------
    DesignError, OptionError
        As in `odds_ratio`.

    References
    ----------
    Ruecker, Schwarzer, Carpenter, Olkin (2009), Stat Med 28(5):721-738, doi:10.1002/sim.3511.

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.arcsine_difference(0, 30, 6, 30, event="bad").yi.round(3)
    array([-0.464])
    """
    tables = _read((event_arm1, totaln_arm1, event_arm2, totaln_arm2), event, "none", double_zero)
    n1, n2 = tables.a + tables.b, tables.c + tables.d
    yi = np.arcsin(np.sqrt(tables.a / n1)) - np.arcsin(np.sqrt(tables.c / n2))
    return _result("ASD", yi, 0.25 / n1 + 0.25 / n2, tables, "arcsine_difference", event, "none", double_zero)


def probit_difference(
    event_arm1: npt.ArrayLike,
    totaln_arm1: npt.ArrayLike,
    event_arm2: npt.ArrayLike,
    totaln_arm2: npt.ArrayLike,
    *,
    event: Event,
    zero_cells: ZeroCells = "add-half",
    double_zero: DoubleZero = "keep",
) -> EffectSizes:
    """Standardised mean difference of the normal outcome behind events, by the probit of the risks.

    Parameters
    ----------
    event_arm1, totaln_arm1, event_arm2, totaln_arm2, event, zero_cells, double_zero
        As in `odds_ratio`.

    Returns
    -------
    EffectSizes
        ``yi`` in SDs of an outcome that is normal in both arms with one SD, shape (k,): positive favours arm 1.

    Raises
    ------
    DesignError, OptionError
        As in `odds_ratio`.

    References
    ----------
    Sanchez-Meca, Marin-Martinez, Chacon-Moscoso (2003), Psychol Methods 8(4):448-467,
    doi:10.1037/1082-989X.8.4.448.

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.probit_difference(28, 60, 17, 60, event="good").yi.round(3)
    array([0.489])
    """
    tables = _read((event_arm1, totaln_arm1, event_arm2, totaln_arm2), event, zero_cells, double_zero)
    n1, n2 = tables.a + tables.b, tables.c + tables.d
    with np.errstate(all="ignore"):
        parts = [_probit(tables.a / n1, n1), _probit(tables.c / n2, n2)]
    sign = 1.0 if event == "good" else -1.0
    yi = sign * (parts[0][0] - parts[1][0])
    return _result("SMD", yi, parts[0][1] + parts[1][1], tables, "probit_difference", event, zero_cells, double_zero)


def yules_q(
    event_arm1: npt.ArrayLike,
    totaln_arm1: npt.ArrayLike,
    event_arm2: npt.ArrayLike,
    totaln_arm2: npt.ArrayLike,
    *,
    event: Event,
    zero_cells: ZeroCells = "add-half",
    double_zero: DoubleZero = "keep",
) -> EffectSizes:
    """Yule's Q of the two-by-two table, (OR - 1)/(OR + 1), one per study.

    Parameters
    ----------
    event_arm1, totaln_arm1, event_arm2, totaln_arm2, event, zero_cells, double_zero
        As in `odds_ratio`.

    Returns
    -------
    EffectSizes
        ``yi`` between -1 and 1, shape (k,), with the sign of the log odds ratio.

    Raises
    ------
    DesignError, OptionError
        As in `odds_ratio`.

    References
    ----------
    Yule (1912), J R Stat Soc 75(6):579-652, doi:10.2307/2340126.

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.yules_q(28, 60, 17, 60, event="good").yi.round(3)
    array([0.378])
    """
    tables = _read((event_arm1, totaln_arm1, event_arm2, totaln_arm2), event, zero_cells, double_zero)
    with np.errstate(all="ignore"):
        yi = (tables.a * tables.d - tables.b * tables.c) / (tables.a * tables.d + tables.b * tables.c)
        vi = 0.25 * (1 - yi**2) ** 2 * (1 / tables.a + 1 / tables.b + 1 / tables.c + 1 / tables.d)
    return _result("YUQ", yi, vi, tables, "yules_q", event, zero_cells, double_zero)


def phi_coefficient(
    event_arm1: npt.ArrayLike,
    totaln_arm1: npt.ArrayLike,
    event_arm2: npt.ArrayLike,
    totaln_arm2: npt.ArrayLike,
    *,
    event: Event,
    zero_cells: ZeroCells = "none",
    double_zero: DoubleZero = "keep",
) -> EffectSizes:
    """Correlation of arm and event in the two-by-two table (phi), one per study.

    Parameters
    ----------
    event_arm1, totaln_arm1, event_arm2, totaln_arm2, event, zero_cells, double_zero
        As in `odds_ratio`; no correction is needed but where there are only events or none at all: such a row
        has no correlation.

    Returns
    -------
    EffectSizes
        ``yi`` between -1 and 1, shape (k,): positive where arm 1 has more events.

    Raises
    ------
    DesignError, OptionError
        As in `odds_ratio`.

    References
    ----------
    Bishop, Fienberg, Holland (1975), Discrete Multivariate Analysis, section 11.3, ISBN 978-0262021135.

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.phi_coefficient(28, 60, 17, 60, event="good").yi.round(3)
    array([0.189])
    """
    tables = _read((event_arm1, totaln_arm1, event_arm2, totaln_arm2), event, zero_cells, double_zero)
    total = tables.a + tables.b + tables.c + tables.d
    arm1, arm2 = (tables.a + tables.b) / total, (tables.c + tables.d) / total
    yes, no = (tables.a + tables.c) / total, (tables.b + tables.d) / total
    with np.errstate(all="ignore"):
        root = np.sqrt(arm1 * arm2 * yes * no)
        yi = (tables.a / total * tables.d / total - tables.b / total * tables.c / total) / root
        skew = yi * (1 + 0.5 * yi**2) * (arm1 - arm2) * (yes - no) / root
        spread = (arm1 - arm2) ** 2 / (arm1 * arm2) + (yes - no) ** 2 / (yes * no)
        vi = np.maximum(0.0, 1 - yi**2 + skew - 0.75 * yi**2 * spread) / total
    return _result("PHI", yi, vi, tables, "phi_coefficient", event, zero_cells, double_zero)


def _read(four: tuple[npt.ArrayLike, ...], event: str, zero_cells: str, double_zero: str) -> Tables:
    require_choice("event", event, EVENTS)
    return read_tables(*four, zero_cells=zero_cells, double_zero=double_zero)


def _probit(p: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray]:
    z = ndtri(p)
    return z, np.asarray(2 * np.pi * p * (1 - p) * np.exp(z**2) / n)


def _result(
    measure: Measure,
    yi: FloatArray,
    vi: FloatArray,
    tables: Tables,
    function: str,
    event: Event,
    zero_cells: str,
    double_zero: str,
) -> EffectSizes:
    undefined = ~np.isnan(tables.a) & ~(np.isfinite(yi) & np.isfinite(vi))
    tables.note(undefined, "no effect: the measure is not defined for these cells")
    tables.note(vi == 0, "the variance is 0: the row cannot be weighted")
    ways = f"zero cells: {zero_cells}, double zero: {double_zero}"
    return build(
        yi,
        vi,
        tables.flags,
        measure=measure,
        convention=f"probit, {ways}" if measure == "SMD" else ways,
        function=function,
        event=None if measure == "SMD" else event,
        options={
            "event": event,
            "zero_cells": zero_cells,
            "double_zero": double_zero,
            "formula": _FORMULAS[measure],
        },
    )
