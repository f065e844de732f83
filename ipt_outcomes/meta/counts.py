"""Pooling of two-by-two tables without effects per study: Mantel-Haenszel and Peto."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.effects.binary import EVENTS, odds_ratio, peto_parts, risk_difference, risk_ratio
from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.effects.zero_cells import DOUBLE_ZERO, DoubleZero, Tables, read_tables
from ipt_outcomes.errors import DesignError, require_choice
from ipt_outcomes.meta.inference import chi2_p, infer
from ipt_outcomes.meta.inputs import require_level
from ipt_outcomes.meta.pooled import COLUMNS, PooledEffect
from ipt_outcomes.results import Provenance, format_number

CountMeasure = Literal["OR", "RR", "RD"]
_FUNCTIONS = {"OR": odds_ratio, "RR": risk_ratio, "RD": risk_difference}
EXTRA = (
    "cmh",
    "cmh_p_value",
    "breslow_day",
    "breslow_day_p_value",
    "tarone",
    "tarone_p_value",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledTables(PooledEffect):
    """A common effect pooled from two-by-two tables.

    Parameters
    ----------
    cmh, cmh_p_value : float or None
        Cochran-Mantel-Haenszel test with continuity correction; for the odds ratio by Mantel and Haenszel.
    breslow_day, breslow_day_p_value, tarone, tarone_p_value : float or None
        Tests that the odds ratio is the same in all studies, without and with Tarone's correction.
    tables_df : int or None
        Degrees of freedom of these two.

    Notes
    -----
    The other fields are those of `PooledEffect`. `q` compares the studies' own effects (0.5 added where a cell
    is 0; Peto's without any correction) with the pooled one.
    """

    cmh: float | None = None
    cmh_p_value: float | None = None
    breslow_day: float | None = None
    breslow_day_p_value: float | None = None
    tarone: float | None = None
    tarone_p_value: float | None = None
    tables_df: int | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return one row with the numbers, unrounded."""
        record = self.row() | {name: getattr(self, name) for name in EXTRA}
        return pd.DataFrame([record], columns=[*COLUMNS, *EXTRA])


def mantel_haenszel(
    event_arm1: ArrayLike,
    totaln_arm1: ArrayLike,
    event_arm2: ArrayLike,
    totaln_arm2: ArrayLike,
    *,
    measure: CountMeasure = "OR",
    double_zero: DoubleZero = "keep",
    event: Literal["good", "bad"] | None = None,
    level: float = 0.95,
) -> PooledTables:
    """Pool two-by-two tables by the method of Mantel and Haenszel.

    Parameters
    ----------
    event_arm1, totaln_arm1, event_arm2, totaln_arm2 : array_like, shape (k,)
        Participants with the event and all participants of each arm.
    measure : {"OR", "RR", "RD"}
        What is pooled; ratios on the log scale.
    double_zero : {"keep", "drop"}
        Whether a study without events (or with nothing but events) in both arms counts in Q and, for RD, in
        the weights of its own effect. It never changes a pooled OR.
    event : {"good", "bad"}, optional
        Whether the event is good news, for plots and sentences.
    level : float
        Level of the interval.

    Returns
    -------
    PooledTables

    Raises
    ------
    DesignError
        Impossible counts, no study with information; ``.rows`` lists all rows.
    OptionError
        An option is not one of the choices.

    Notes
    -----
    No correction enters the estimate. The model is a common effect: with heterogeneity its interval is too
    narrow.

    References
    ----------
    Mantel, Haenszel (1959), J Natl Cancer Inst 22(4):719-748, doi:10.1093/jnci/22.4.719;
    Robins, Breslow, Greenland (1986), Biometrics 42(2):311-323, doi:10.2307/2531052 (variance, OR);
    Greenland, Robins (1985), Biometrics 41(1):55-68, doi:10.2307/2530643 (RR);
    Sato, Greenland, Robins (1989), Biometrics 45(4):1323-1324, JSTOR 2531784 (RD);
    Breslow, Day (1980), Statistical Methods in Cancer Research, vol 1, ISBN 978-9283201328;
    Tarone (1985), Biometrika 72(1):91-95, doi:10.1093/biomet/72.1.91.

    Examples
    --------
    >>> from ipt_outcomes.meta import mantel_haenszel
    >>> result = mantel_haenszel([28, 15], [60, 40], [17, 9], [60, 41], measure="OR")
    >>> round(result.estimate, 3), round(result.cmh_p_value, 3)
    (0.781, 0.016)
    """
    require_choice("measure", measure, ("OR", "RR", "RD"))
    require_choice("double_zero", double_zero, DOUBLE_ZERO)
    four = (event_arm1, totaln_arm1, event_arm2, totaln_arm2)
    tables = _tables(four, event, level)
    effects = _FUNCTIONS[measure](*four, event=event or "good", zero_cells="add-half", double_zero=double_zero)
    used = np.flatnonzero(~np.isnan(tables.a))
    a, b, c, d = (cells[used] for cells in (tables.a, tables.b, tables.c, tables.d))
    _require_information(measure, a, b, c, d, used)
    estimate, se, weights = {"OR": _odds, "RR": _risks, "RD": _differences}[measure](a, b, c, d)
    extra = _tests(a, b, c, d, math.exp(estimate)) if measure == "OR" else {}
    options = {"measure": measure, "double_zero": double_zero, "event": event, "level": float(level)}
    method = f"Common effect, method of Mantel and Haenszel; z test, {format_number(100 * level, 'number')}% level."
    provenance = Provenance(function="meta.mantel_haenszel", options=options)
    return _assemble(effects, used, (estimate, se), weights, method, provenance, extra)


def peto(
    event_arm1: ArrayLike,
    totaln_arm1: ArrayLike,
    event_arm2: ArrayLike,
    totaln_arm2: ArrayLike,
    *,
    event: Literal["good", "bad"] | None = None,
    level: float = 0.95,
) -> PooledTables:
    """Pool two-by-two tables by Peto's one-step method: log odds ratio.

    Parameters
    ----------
    event_arm1, totaln_arm1, event_arm2, totaln_arm2, event, level
        As in `mantel_haenszel`. Studies without events, or with nothing but events, have weight 0.

    Returns
    -------
    PooledTables

    Raises
    ------
    DesignError, OptionError
        As in `mantel_haenszel`.

    Notes
    -----
    Good for rare events, arms of like size and small effects; biased otherwise.

    References
    ----------
    Yusuf, Peto, Lewis, Collins, Sleight (1985), Prog Cardiovasc Dis 27(5):335-371,
    doi:10.1016/S0033-0620(85)80003-7.

    Examples
    --------
    >>> from ipt_outcomes.meta import peto
    >>> round(peto([28, 15], [60, 40], [17, 9], [60, 41]).estimate, 3)
    0.761
    """
    tables = _tables((event_arm1, totaln_arm1, event_arm2, totaln_arm2), event, level)
    yi, vi = peto_parts(tables)
    empty = tables.no_events | tables.all_events
    flags = [text or ("no events, or nothing but events: no weight" if no else "") for text, no in
             zip(tables.flags, empty, strict=True)]  # fmt: skip
    known = np.isfinite(yi) & np.isfinite(vi)
    effects = EffectSizes(
        yi=np.where(known, yi, np.nan),
        vi=np.where(known, vi, np.nan),
        measure="OR",
        convention="Peto",
        event=event,
        flags=tuple(flags),
    )
    used = np.flatnonzero(~np.isnan(tables.a))
    if not known.any():
        raise DesignError("no study has both events and non-events", rows=used)
    weights = np.where(known, 1 / np.where(known, vi, 1.0), 0.0)[used]
    estimate = float(weights @ np.where(known, yi, 0.0)[used] / weights.sum())
    options = {"event": event, "level": float(level)}
    method = f"Common effect, Peto's one-step method; z test, {format_number(100 * level, 'number')}% level."
    provenance = Provenance(function="meta.peto", options=options)
    return _assemble(effects, used, (estimate, float(1 / math.sqrt(weights.sum()))), weights, method, provenance, {})


def _tables(four: tuple[ArrayLike, ...], event: object, level: float) -> Tables:
    require_level(level)
    if event is not None:
        require_choice("event", event, EVENTS)
    tables = read_tables(*four, zero_cells="none", double_zero="keep")
    if not (~np.isnan(tables.a)).any():
        raise DesignError("nothing to pool: no row has all four numbers", rows=range(tables.a.size))
    return tables


def _require_information(
    measure: str, a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray, used: np.ndarray
) -> None:
    total = a + b + c + d
    sums = {
        "OR": ((a * d / total).sum(), (b * c / total).sum()),
        "RR": ((a * (c + d) / total).sum(), (c * (a + b) / total).sum()),
        "RD": (1.0, 1.0),
    }[measure]
    if min(sums) == 0:
        raise DesignError(
            f"the pooled {measure} is 0 or infinite: all the studies together lack a kind of cell",
            rows=used,
            hint='Pool odds_ratio(..., zero_cells="add-half") instead, or use measure="RD".',
        )


def _odds(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> tuple[float, float, np.ndarray]:
    n = a + b + c + d
    r, s, p, q = a * d / n, b * c / n, (a + d) / n, (b + c) / n
    sr, ss = r.sum(), s.sum()
    variance = 0.5 * ((p @ r) / sr**2 + (p @ s + q @ r) / (sr * ss) + (q @ s) / ss**2)
    return math.log(sr / ss), math.sqrt(variance), s


def _risks(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> tuple[float, float, np.ndarray]:
    n1, n2 = a + b, c + d
    n = n1 + n2
    r, s = a * n2 / n, c * n1 / n
    variance = (((n1 / n) * (n2 / n) * (a + c) - a * c / n).sum()) / (r.sum() * s.sum())
    return math.log(r.sum() / s.sum()), math.sqrt(variance), s


def _differences(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> tuple[float, float, np.ndarray]:
    n1, n2 = a + b, c + d
    f1, f2 = n1 / (n1 + n2), n2 / (n1 + n2)
    weights = n1 * f2
    estimate = float((a * f2 - c * f1).sum() / weights.sum())
    first = (c * f1**2 - a * f2**2 + f1 * f2 * (n2 - n1) / 2).sum()
    second = ((a * d + c * b) / (n1 + n2)).sum() / 2
    return estimate, math.sqrt(max(0.0, float(estimate * first + second))) / float(weights.sum()), weights


def _tests(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray, ratio: float) -> dict[str, Any]:
    """Cochran-Mantel-Haenszel, Breslow-Day and Tarone; tables without one kind of outcome say nothing."""
    informative = ((a + c) > 0) & ((b + d) > 0)
    a, b, c, d = (cells[informative] for cells in (a, b, c, d))
    n1, n2, m = a + b, c + d, a + c
    n = n1 + n2
    spread = (n1 * n2 / n * m / n * (n - m) / (n - 1)).sum()
    cmh = float(max(0.0, abs(float((a - n1 * m / n).sum())) - 0.5) ** 2 / spread)
    expected = _expected(n1, n2, m, ratio)
    variance = 1 / (1 / expected + 1 / (n1 - expected) + 1 / (m - expected) + 1 / (n2 - m + expected))
    breslow = float(((a - expected) ** 2 / variance).sum())
    tarone = breslow - float((a - expected).sum() ** 2 / variance.sum())
    df = int(informative.sum()) - 1
    return {
        "cmh": cmh,
        "cmh_p_value": chi2_p(cmh, 1),
        "breslow_day": breslow,
        "breslow_day_p_value": chi2_p(breslow, df) if df > 0 else None,
        "tarone": tarone,
        "tarone_p_value": chi2_p(tarone, df) if df > 0 else None,
        "tables_df": df,
    }


def _expected(n1: np.ndarray, n2: np.ndarray, m: np.ndarray, ratio: float) -> np.ndarray:
    """Events of arm 1 that give a table with its margins the pooled odds ratio: the root of a quadratic."""
    square, linear, constant = 1 - ratio, n2 - m + ratio * (n1 + m), -ratio * n1 * m
    # the form without a difference of nearly equal numbers, which also holds at a ratio of 1
    root = np.sqrt(linear**2 - 4 * square * constant)
    return np.asarray(2 * -constant / (linear + root))


def _assemble(
    effects: EffectSizes,
    used: np.ndarray,
    main: tuple[float, float],
    weights: np.ndarray,
    method: str,
    provenance: Provenance,
    extra: dict[str, Any],
) -> PooledTables:
    level = float(provenance.options["level"])
    line = infer(main[0], main[1], None, level)
    own = np.flatnonzero(~np.isnan(effects.yi) & (effects.vi > 0))
    own = own[np.isin(own, used)]
    q = float(((effects.yi[own] - line.estimate) ** 2 / effects.vi[own]).sum())
    df = max(0, own.size - 1)
    event = provenance.options["event"]
    return PooledTables(
        measure=effects.measure,
        convention=effects.convention,
        event=event,
        estimate=line.estimate,
        se=line.se,
        ci_low=line.ci_low,
        ci_high=line.ci_high,
        df=None,
        statistic=line.statistic,
        p_value=line.p_value,
        k=int(used.size),
        tau2=0.0,
        i2=(100.0 * max(0.0, (q - df) / q) if q > 0 else 0.0) if df > 0 else None,
        h2=q / df if df > 0 else None,
        q=q,
        q_df=df,
        q_p_value=chi2_p(q, df) if df > 0 else None,
        prediction_low=None,
        prediction_high=None,
        z_ci_low=line.ci_low,
        z_ci_high=line.ci_high,
        narrower_than_z=False,
        level=level,
        tau2_method="common",
        test="z",
        method=method + " I2 is 100 (Q - df) / Q.",
        n_dropped=int(len(effects) - used.size),
        yi=effects.yi,
        vi=effects.vi,
        positions=used,
        weight_percent=100.0 * weights / weights.sum(),
        effects=effects,
        provenance=provenance,
        **extra,
    )
