"""From one effect size to another: events to Hedges' g, log odds to SMD and back, SE to SD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ipt_outcomes.effects.binary import Event, log_odds_ratio, note_without_information
from ipt_outcomes.effects.build import build
from ipt_outcomes.effects.columns import Columns
from ipt_outcomes.effects.correction import small_sample_correction
from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.effects.inputs import FloatArray, read_rows, read_signs
from ipt_outcomes.effects.smd import SmdConvention
from ipt_outcomes.effects.zero_cells import DoubleZero, ZeroCells, read_tables
from ipt_outcomes.errors import require_choice

Distribution = Literal["logistic", "normal"]

# SD of the standard logistic distribution; 1.65 is the ratio Cox and Snell give for the normal one
_LOG_ODDS_PER_SD: Mapping[str, float] = {"logistic": float(np.pi / np.sqrt(3)), "normal": 1.65}
_EVENT_SIGNS = {"good": 1.0, "bad": -1.0}


class _Converted(NamedTuple):
    yi: FloatArray
    vi: FloatArray

    @property
    def se(self) -> FloatArray:
        """Standard errors, shape (k,)."""
        return np.asarray(np.sqrt(self.vi))


def log_odds_to_smd(log_or: npt.ArrayLike, v: npt.ArrayLike, *, distribution: Distribution = "logistic") -> Converted:
    """Turn log odds ratios into standardised mean differences.

    Parameters
    ----------
    log_or, v : array_like, shape (k,)
        Log odds ratio and its sampling variance.
    distribution : {"logistic", "normal"}
        Distribution of the outcome behind the events. "logistic": d = log OR * sqrt(3)/pi.
        "normal": d = log OR / 1.65.

    Returns
    -------
    Converted
        ``yi, vi`` in SD units, shape (k,), sign unchanged: positive favours arm 1 only if the log
        odds ratio is that of a good event. `smd_from_events` takes care of the sign.

    Raises
    ------
    DesignError
        A variance that is negative, a cell that is no number; ``.rows`` lists all rows.
    OptionError
        `distribution` is not one of the choices.

    References
    ----------
    Hasselblad, Hedges (1995), Psychol Bull 117(1):167-178, doi:10.1037/0033-2909.117.1.167 (logistic);
    Sanchez-Meca, Marin-Martinez, Chacon-Moscoso (2003), Psychol Methods 8(4):448-467,
    doi:10.1037/1082-989X.8.4.448 (both).

    Examples
    --------
    >>> log_odds_to_smd(0.9, 0.16).yi.round(3)
    array([0.496])
    """
    require_choice("distribution", distribution, _LOG_ODDS_PER_SD)
    return _rescaled({"log_or": log_or, "v": v}, 1 / _LOG_ODDS_PER_SD[distribution])


def smd_to_log_odds(d: npt.ArrayLike, v: npt.ArrayLike, *, distribution: Distribution = "logistic") -> Converted:
    """Turn standardised mean differences into log odds ratios.

    Parameters
    ----------
    d, v : array_like, shape (k,)
        Standardised mean difference and its sampling variance.
    distribution : {"logistic", "normal"}
        As in `log_odds_to_smd`.

    Returns
    -------
    Converted
        ``yi, vi`` on the log scale, shape (k,), sign unchanged: where positive d favours arm 1, the
        result is the log odds ratio of a good event.

    Raises
    ------
    DesignError, OptionError
        As in `log_odds_to_smd`.

    References
    ----------
    Hasselblad, Hedges (1995), Psychol Bull 117(1):167-178, doi:10.1037/0033-2909.117.1.167.

    Examples
    --------
    >>> smd_to_log_odds(0.5, 0.05).yi.round(3)
    array([0.907])
    """
    require_choice("distribution", distribution, _LOG_ODDS_PER_SD)
    return _rescaled({"d": d, "v": v}, _LOG_ODDS_PER_SD[distribution])


def smd_from_events(
    event_arm1: npt.ArrayLike,
    totaln_arm1: npt.ArrayLike,
    event_arm2: npt.ArrayLike,
    totaln_arm2: npt.ArrayLike,
    *,
    event: Event | Sequence[str] | npt.NDArray[np.str_],
    convention: SmdConvention = "metapsy",
    zero_cells: ZeroCells = "add-half",
    double_zero: DoubleZero = "keep",
) -> EffectSizes:
    """Standardised mean difference from events, by way of the log odds ratio, one per study.

    Parameters
    ----------
    event_arm1, totaln_arm1, event_arm2, totaln_arm2 : array_like, shape (k,)
        Participants with the event and all participants of each arm.
    event : {"good", "bad"} or sequence of these, shape (k,)
        Whether the event is good news, for all rows or row by row. g > 0 always favours arm 1.
    convention : {"metapsy", "metafor"}
        "metapsy": log OR * sqrt(3)/pi * J with J = 1 - 3/(4 df - 1), df = n1 + n2 - 2; the SE without J.
        "metafor": log OR * sqrt(3)/pi, no small-sample correction.
    zero_cells, double_zero
        As in `odds_ratio`.

    Returns
    -------
    EffectSizes
        ``yi`` in SD units, shape (k,); ``flags`` says what was done to each row.

    Raises
    ------
    DesignError
        As in `odds_ratio`; with convention "metapsy" also fewer than 4 participants in both arms
        together.
    OptionError
        `event` is missing or unknown in a row, or another option is not one of the choices.

    References
    ----------
    Hasselblad, Hedges (1995), Psychol Bull 117(1):167-178, doi:10.1037/0033-2909.117.1.167;
    Metapsy project, doi:10.5281/zenodo.7254845 (convention "metapsy").

    Examples
    --------
    >>> import ipt_outcomes as ipt
    >>> ipt.effects.smd_from_events(15, 70, 2, 62, event="good").yi.round(3)
    array([1.152])
    """
    require_choice("convention", convention, ("metapsy", "metafor"))
    signs = read_signs("event", event, _EVENT_SIGNS)
    tables = read_tables(
        event_arm1,
        totaln_arm1,
        event_arm2,
        totaln_arm2,
        zero_cells=zero_cells,
        double_zero=double_zero,
        lengths=signs.lengths,
    )
    log_or, v = log_odds_ratio(tables)
    note_without_information(tables, log_or, v, ratio="OR")
    scale = 1 / _LOG_ODDS_PER_SD["logistic"]
    j: FloatArray | float = 1.0
    if convention == "metapsy":
        j = _metapsy_correction(tables.n1 + tables.n2)
    return build(
        signs.values * log_or * scale * j,
        v * scale**2,
        tables.flags,
        measure="SMD",
        convention=convention,
        function="smd_from_events",
        options={
            "event": signs.words,
            "convention": convention,
            "zero_cells": zero_cells,
            "double_zero": double_zero,
            "formula": "log OR √3/π × J; variance of log OR × 3/π²"
            if convention == "metapsy"
            else "log OR √3/π; variance of log OR × 3/π²",
        },
    )


def sd_from_se(se: npt.ArrayLike, n: npt.ArrayLike) -> FloatArray:
    """Turn the standard error of a mean into the standard deviation, se * sqrt(n).

    Parameters
    ----------
    se : array_like, shape (k,)
        Standard error of an arm's mean, in instrument points.
    n : array_like, shape (k,)
        Participants behind that mean.

    Returns
    -------
    numpy.ndarray, shape (k,)
        NaN where an ingredient is missing.

    Raises
    ------
    DesignError
        n below 2, a standard error that is not above 0, a cell that is no number; ``.rows`` lists all.

    References
    ----------
    Higgins, Li, Deeks (2019), Cochrane Handbook chapter 6, doi:10.1002/9781119536604.ch6.

    Examples
    --------
    >>> sd_from_se([0.98, 1.02], 32).round(2)
    array([5.54, 5.77])
    """
    rows = read_rows({"se": se, "n": n})
    rows.require_at_least("se", 0, strict=True)
    rows.require_at_least("n", 2)
    rows.check()
    return np.asarray(rows["se"] * np.sqrt(rows["n"]))


def _rescaled(columns: Mapping[str, npt.ArrayLike], factor: float) -> Converted:
    rows = read_rows(columns)
    effect, variance = columns
    rows.require_finite(effect)
    rows.require_at_least(variance, 0)
    rows.check()
    gap = np.isnan(rows[effect]) | np.isnan(rows[variance])
    return Converted(
        yi=np.where(gap, np.nan, rows[effect] * factor), vi=np.where(gap, np.nan, rows[variance] * factor**2)
    )


def _metapsy_correction(total: FloatArray) -> FloatArray:
    rows = read_rows({"totaln_arm1 + totaln_arm2": total})
    rows.require_at_least("totaln_arm1 + totaln_arm2", 4)
    rows.check()
    return small_sample_correction(total - 2, exact=False)


class Converted(Columns, _Converted):
    """An effect on another scale and its variance; the sign is that of the effect converted.

    Parameters
    ----------
    yi, vi : numpy.ndarray, shape (k,)
        Effect and sampling variance; NaN where an ingredient was missing.
    """

    __slots__ = ()
    about = "Effects on another scale"
