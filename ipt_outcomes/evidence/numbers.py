"""Every number of a synthesis as a row of analysis results."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ipt_outcomes.errors import IptError
from ipt_outcomes.evidence.battery import Battery, outside_studies
from ipt_outcomes.evidence.compute import KINDS
from ipt_outcomes.meta import PooledEffect
from ipt_outcomes.results import Results, ResultsBuilder

if TYPE_CHECKING:
    from ipt_outcomes.evidence.synthesis import Options
    from ipt_outcomes.io import Studies

Groups = Mapping[str, str]

_UNITS = {"SMD": "g", "OR": "log OR", "RR": "log RR", "RD": "risk difference"}
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


def result_rows(
    batteries: Sequence[Battery],
    given: Mapping[str, pd.DataFrame | None],
    tables: Mapping[str, Studies],
    options: Options,
) -> Results:
    """Return every number of the batteries as a result row.

    Parameters
    ----------
    batteries : sequence of Battery
    given : mapping of str to pandas.DataFrame
        As in `ipt_outcomes.evidence.EvidenceSynthesis`.
    tables : mapping of str to Studies
    options : Options

    Returns
    -------
    Results
        Analyses: ``table all_rows combined by_comparator comparator_test comparator_test_normal low_risk_rows
        low_risk``, the keys of `SENSITIVITY`, ``rho_sensitivity leave_one_out leave_one_out_range egger egger_rows
        row_effects study_effects comparator_effects given_check``.
    """
    builder = ResultsBuilder()
    for battery in batteries:
        _table_counts(builder, battery)
        _pooled_rows(builder, "all_rows", battery.all_rows, battery.groups)
        _pooled_rows(builder, "combined", battery.combined, battery.groups)
        _heterogeneity_rows(builder, "combined", battery.combined, battery.groups)
        _comparator_rows(builder, battery)
        for name, pooled in {**battery.low_risk, **battery.sensitivity}.items():
            _pooled_rows(builder, name, pooled, battery.groups)
        for (rho, level), pooled in battery.rho.items():
            where = {battery.by_key: level} if level else {}
            _pooled_rows(builder, "rho_sensitivity", pooled, {**battery.groups, "rho": f"{rho:g}", **where})
        _leave_one_out_rows(builder, battery)
        _egger_rows(builder, battery)
        _study_rows(builder, battery)
    several = len(tables) > 1
    for name, frame in given.items():
        if frame is not None:
            _given_rows(builder, frame, {"comparison": name} if several else {})
    return builder.build()


def _table_counts(builder: ResultsBuilder, battery: Battery) -> None:
    effects = battery.study_effects
    counts = {
        "rows": len(effects.rows) + len(effects.not_computed),
        "rows_computed": len(effects.rows),
        "rows_not_computed": len(effects.not_computed),
        "studies": len(battery.studies),
    }
    for statistic, value in counts.items():
        builder.add(
            "table",
            statistic,
            value,
            unit="studies" if statistic == "studies" else "rows",
            groups=battery.groups,
        )
    for kind, label in KINDS.items():
        count = int((effects.rows["kind"] == kind).sum())
        if count:
            groups = {**battery.groups, "kind": label}
            builder.add("table", "rows_of_kind", count, unit="rows", method=label, groups=groups)
    for source, count in effects.directions.items():
        builder.add("table", "rows_of_direction", count, unit="rows", groups={**battery.groups, "direction": source})
    builder.add(
        "combined",
        "favours_arm",
        favours(battery.combined),
        unit="arm (0: neither)",
        method="arm that the whole interval favours; the wider one of Knapp-Hartung and normal",
        groups=battery.groups,
        n=battery.combined.k,
    )
    people = participants(effects.rows)
    total = people.groupby(effects.rows["study"].astype(str)).max()
    if total.notna().any():
        builder.add(
            "table",
            "participants",
            round(float(total.sum())),
            unit="people",
            method="largest number analysed in any row of a study, summed over the studies that tell it",
            groups=battery.groups,
            n=int(total.notna().sum()),
        )


def favours(pooled: PooledEffect) -> int:
    """Return which arm the interval of a pooled effect favours: 1, 2, or 0 for neither.

    Parameters
    ----------
    pooled : PooledEffect
        Where its Knapp-Hartung interval is narrower than the normal one, the normal one decides.

    Returns
    -------
    int
    """
    narrow = pooled.narrower_than_z
    low, high = (pooled.z_ci_low, pooled.z_ci_high) if narrow else (pooled.ci_low, pooled.ci_high)
    if low is None or high is None or low <= 0 <= high:
        return 0
    return 1 if (low > 0) == (pooled.event != "bad") else 2


def participants(rows: pd.DataFrame) -> pd.Series:
    """Return the number of people behind each row, by the kind of data used; NaN where the row does not tell.

    Parameters
    ----------
    rows : pandas.DataFrame
        As `StudyEffects.rows`.

    Returns
    -------
    pandas.Series of float
    """
    columns = {
        "means": "n_arm{}",
        "change": "n_change_arm{}",
        "events": "totaln_arm{}",
        "precalc": "n_arm{}",
        "given": "n_arm{}",
    }
    total = pd.Series(np.nan, index=rows.index)
    for kind, pattern in columns.items():
        names = [pattern.format(arm) for arm in (1, 2)]
        if set(names) <= set(rows.columns):
            of_kind = rows["kind"] == kind
            total[of_kind] = rows.loc[of_kind, names].astype(float).sum(axis=1, skipna=False)
    return total


def _pooled_rows(builder: ResultsBuilder, analysis: str, pooled: PooledEffect, groups: Groups) -> None:
    """Every number of a pooled effect; ratios also on their own scale."""
    unit = _UNITS[_measure(pooled)]
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
                add(_ratio_name(statistic), None if value is None else _exp(value), pooled.measure)
    for statistic, of in _OTHER.items():
        add(statistic, getattr(pooled, statistic), of)
    # One study tells nothing of the variance between studies.
    add("tau2", pooled.tau2 if pooled.k > 1 else None, f"({unit})²")
    add("q", pooled.q, "chi-square")
    add("q_df", pooled.q_df, "degrees of freedom")
    add("q_p_value", pooled.q_p_value, "p")


def _measure(pooled: PooledEffect) -> str:
    """The measure; every effect of a synthesis has one."""
    if pooled.measure is None:
        raise IptError("a pooled effect of a synthesis has no measure")
    return pooled.measure


def _ratio_name(statistic: str) -> str:
    return "ratio" if statistic == "estimate" else f"ratio_{statistic}"


def _exp(value: float) -> float | None:
    """The ratio; None where it is too large for a number (a hopeless interval)."""
    return math.exp(value) if value < 700 else None


def _heterogeneity_rows(builder: ResultsBuilder, analysis: str, pooled: PooledEffect, groups: Groups) -> None:
    if pooled.k < 2:
        return
    try:
        interval = pooled.heterogeneity_ci(level=pooled.level)
    except IptError:
        return
    method = "Q-profile (Viechtbauer 2007)"
    for statistic in ("tau2_low", "tau2_high", "i2_low", "i2_high", "h2_low", "h2_high"):
        unit = {"i2": "percent", "h2": "ratio"}.get(statistic[:2], f"({_UNITS[_measure(pooled)]})²")
        value = getattr(interval, statistic)
        builder.add(analysis, statistic, value, unit=unit, method=method, groups=groups, n=pooled.k)


def _comparator_rows(builder: ResultsBuilder, battery: Battery) -> None:
    if battery.comparators is None:
        return
    for level, pooled in battery.comparators.pooled.items():
        _pooled_rows(builder, "by_comparator", pooled, {**battery.groups, battery.by_key: str(level)})
    tests = {"comparator_test": battery.comparators, "comparator_test_normal": battery.comparators_normal}
    units = {"q_between": "chi-square", "q_between_df": "degrees of freedom", "q_between_p_value": "p"}
    for analysis, test in tests.items():
        if test is None or test.q_between is None:
            continue
        errors = "normal standard errors" if analysis.endswith("normal") else "the standard errors shown"
        method = f"Wald test between levels, each with its own tau2, from {errors}"
        for statistic, unit in units.items():
            value = getattr(test, statistic)
            builder.add(analysis, statistic, value, unit=unit, method=method, groups=battery.groups)


def _leave_one_out_rows(builder: ResultsBuilder, battery: Battery) -> None:
    frame = battery.leave_one_out
    if frame.empty:
        return
    unit = _UNITS[_measure(battery.combined)]
    method = f"{battery.combined.method}; without the study named"
    for left_out, k, *values in zip(frame["left_out"], frame["k"], *(frame[name] for name in _LEFT_OUT), strict=True):
        groups = {**battery.groups, "left_out": str(left_out)}
        for statistic, value in zip(_LEFT_OUT, values, strict=True):
            of = {"i2": "percent", "tau2": f"({unit})²", "p_value": "p"}.get(statistic, unit)
            builder.add("leave_one_out", statistic, value, unit=of, method=method, groups=groups, n=k)
            _add_ratio(builder, battery, "leave_one_out", statistic, value, groups=groups, method=method, n=k)
    for statistic, value in {"lowest": frame["estimate"].min(), "highest": frame["estimate"].max()}.items():
        method = f"{statistic} pooled effect when each study is left out in turn"
        builder.add(
            "leave_one_out_range",
            statistic,
            value,
            unit=unit,
            method=method,
            groups=battery.groups,
            n=len(frame),
        )
        if battery.effects.is_ratio:
            builder.add(
                "leave_one_out_range",
                f"ratio_{statistic}",
                _exp(value),
                unit=_measure(battery.combined),
                method=method,
                groups=battery.groups,
                n=len(frame),
            )


_LEFT_OUT = ("estimate", "ci_low", "ci_high", "p_value", "tau2", "i2")


def _add_ratio(
    builder: ResultsBuilder,
    battery: Battery,
    analysis: str,
    statistic: str,
    value: float,
    *,
    groups: Groups,
    method: str,
    n: int | None = None,
) -> None:
    """The same number on the scale of the ratio, where the measure is one."""
    if battery.effects.is_ratio and statistic in {"estimate", "ci_low", "ci_high"}:
        unit = _measure(battery.combined)
        builder.add(analysis, _ratio_name(statistic), _exp(value), unit=unit, method=method, groups=groups, n=n)


def _egger_rows(builder: ResultsBuilder, battery: Battery) -> None:
    for analysis, test in {"egger": battery.egger, "egger_rows": battery.egger_rows}.items():
        if test is None:
            continue
        method = "Egger's regression test, weighted regression on the standard error"
        for statistic, unit in {"statistic": "t", "df": "degrees of freedom", "p_value": "p"}.items():
            builder.add(
                analysis,
                statistic,
                getattr(test, statistic),
                unit=unit,
                method=method,
                groups=battery.groups,
                n=test.k,
            )


def _study_rows(builder: ResultsBuilder, battery: Battery) -> None:
    """Effects of rows, of studies, and of studies within comparators."""
    rows = battery.study_effects.rows
    people = participants(rows)
    for (_, row), n in zip(rows.iterrows(), people, strict=True):
        groups = {**battery.groups, **row_groups(row)}
        count = None if math.isnan(n) else round(n)
        method = KINDS[row["kind"]] + (f"; {row['flag']}" if row["flag"] else "")
        _effect_rows(builder, battery, "row_effects", row["yi"], row["vi"], groups, method, count)
    outside = outside_studies(rows, battery.studies)
    combined = f"combined within the study (correlation {battery.rho_used:g})"
    for analysis, table in {"study_effects": battery.studies, "comparator_effects": battery.comparator_studies}.items():
        for _, row in table.iterrows():
            level = {battery.by_key: str(row["level"])} if "level" in row.index else {}
            groups = {**battery.groups, **level, "study": str(row["study"])}
            method = combined if row["n_effects"] > 1 else "the study's one effect"
            if str(row["study"]) in outside:
                method += "; outside all effects of the study, as one has a negative weight"
            _effect_rows(builder, battery, analysis, row["yi"], row["vi"], groups, method, int(row["n_effects"]))


def row_groups(row: pd.Series) -> dict[str, str]:
    """Return the group levels that name a row of a study table among all rows of its battery.

    Parameters
    ----------
    row : pandas.Series
        A row of `StudyEffects.rows`.

    Returns
    -------
    dict of str to str
    """
    named = {"row": str(row["row"]), "study": str(row["study"])}
    return {"file": str(row["file"]), **named} if "file" in row.index else named


def _effect_rows(
    builder: ResultsBuilder,
    battery: Battery,
    analysis: str,
    yi: float,
    vi: float,
    groups: Groups,
    method: str,
    n: int | None,
) -> None:
    half = ndtri(0.5 + battery.combined.level / 2) * math.sqrt(vi)
    unit = _UNITS[_measure(battery.combined)]
    values = {"estimate": yi, "se": math.sqrt(vi), "ci_low": yi - half, "ci_high": yi + half}
    for statistic, value in values.items():
        builder.add(analysis, statistic, value, unit=unit, method=method, groups=groups, n=n)
        _add_ratio(builder, battery, analysis, statistic, value, groups=groups, method=method, n=n)
    if analysis == "row_effects" and n is not None:
        builder.add(analysis, "participants", n, unit="people", method="people in both arms", groups=groups, n=n)


def _given_rows(builder: ResultsBuilder, frame: pd.DataFrame, groups: Groups) -> None:
    builder.add("given_check", "rows_off", len(frame), unit="rows", groups=groups)
    for _, row in frame.iterrows():
        levels = {**groups, **row_groups(row)}
        for statistic in ("given", "given_se", "computed", "computed_se"):
            builder.add("given_check", statistic, row[statistic], unit="g", method=str(row["reason"]), groups=levels)
