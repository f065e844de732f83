"""Every number of a synthesis as a row of analysis results."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ipt_outcomes.errors import IptError
from ipt_outcomes.evidence.battery import Battery
from ipt_outcomes.evidence.compute import KINDS
from ipt_outcomes.evidence.flow import SearchFlow
from ipt_outcomes.evidence.numbers_context import context_rows, flow_rows
from ipt_outcomes.evidence.numbers_models import model_rows, subgroup_rows
from ipt_outcomes.evidence.reading import outside_studies
from ipt_outcomes.evidence.writer import UNITS, Groups, effect_rows, measure_of, pooled_rows
from ipt_outcomes.meta import PooledEffect
from ipt_outcomes.results import Results, ResultsBuilder

if TYPE_CHECKING:
    from ipt_outcomes.io import Studies


def result_rows(
    batteries: Sequence[Battery],
    given: Mapping[str, pd.DataFrame | None],
    tables: Mapping[str, Studies],
    flow: SearchFlow | None = None,
) -> Results:
    """Return every number of the batteries as a result row.

    Parameters
    ----------
    batteries : sequence of Battery
    given : mapping of str to pandas.DataFrame
        As in `ipt_outcomes.evidence.EvidenceSynthesis`.
    tables : mapping of str to Studies
    flow : SearchFlow, optional
        Figures of the search.

    Returns
    -------
    Results
        Analyses: ``table all_rows combined by_comparator comparator_test comparator_test_normal low_risk_rows
        low_risk``, the keys of `SENSITIVITY`, ``rho_sensitivity leave_one_out leave_one_out_range egger egger_rows
        row_effects study_effects comparator_effects given_check``, and those of `model_rows`, `subgroup_rows`,
        `context_rows` and `flow_rows`.
    """
    builder = ResultsBuilder()
    for battery in batteries:
        _table_counts(builder, battery)
        pooled_rows(builder, "all_rows", battery.all_rows, battery.groups)
        pooled_rows(builder, "combined", battery.combined, battery.groups)
        _heterogeneity_rows(builder, "combined", battery.combined, battery.groups)
        _comparator_rows(builder, battery)
        for name, pooled in {**battery.low_risk, **battery.sensitivity}.items():
            pooled_rows(builder, name, pooled, battery.groups)
        for (rho, level), pooled in battery.rho.items():
            where = {battery.by_key: level} if level else {}
            pooled_rows(builder, "rho_sensitivity", pooled, {**battery.groups, "rho": f"{rho:g}", **where})
        _leave_one_out_rows(builder, battery)
        _egger_rows(builder, battery)
        _study_rows(builder, battery)
        model_rows(builder, battery)
        subgroup_rows(builder, battery)
        context_rows(builder, battery)
    several = len(tables) > 1
    for name, frame in given.items():
        if frame is not None:
            _given_rows(builder, frame, {"comparison": name} if several else {})
    if flow is not None:
        flow_rows(builder, flow)
    return builder.build()


def _table_counts(builder: ResultsBuilder, battery: Battery) -> None:
    effects = battery.study_effects
    counts = {
        "rows": len(battery.rows_chosen.frame) + len(effects.not_computed),
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
    total, told = _people(battery)
    if total is not None:
        builder.add(
            "table",
            "participants",
            total,
            unit="people",
            method="largest number analysed in any row of a study, summed over the studies that tell it",
            groups=battery.groups,
            n=told,
        )


def people_in_all(battery: Battery) -> int | None:
    """Return the number of people behind a battery; None where no study tells it.

    Parameters
    ----------
    battery : Battery

    Returns
    -------
    int or None
        The largest number analysed in any row of a study, summed over the studies that tell it.
    """
    return _people(battery)[0]


def _people(battery: Battery) -> tuple[int | None, int]:
    """People in all, and the studies that tell their number."""
    rows = battery.study_effects.rows
    total = participants(rows).groupby(rows["study"].astype(str)).max()
    told = int(total.notna().sum())
    return (round(float(total.sum())) if told else None), told


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


def _heterogeneity_rows(builder: ResultsBuilder, analysis: str, pooled: PooledEffect, groups: Groups) -> None:
    if pooled.k < 2:
        return
    try:
        interval = pooled.heterogeneity_ci(level=pooled.level)
    except IptError:
        return
    method = "Q-profile (Viechtbauer 2007)"
    for statistic in ("tau2_low", "tau2_high", "i2_low", "i2_high", "h2_low", "h2_high"):
        unit = {"i2": "percent", "h2": "ratio"}.get(statistic[:2], f"({UNITS[measure_of(pooled)]})²")
        value = getattr(interval, statistic)
        builder.add(analysis, statistic, value, unit=unit, method=method, groups=groups, n=pooled.k)


def _comparator_rows(builder: ResultsBuilder, battery: Battery) -> None:
    if battery.comparators is None:
        return
    for level, pooled in battery.comparators.pooled.items():
        pooled_rows(builder, "by_comparator", pooled, {**battery.groups, battery.by_key: str(level)})
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
    method = f"{battery.combined.method}; without the study named"
    for left_out, k, *values in zip(frame["left_out"], frame["k"], *(frame[name] for name in _LEFT_OUT), strict=True):
        groups = {**battery.groups, "left_out": str(left_out)}
        numbers = dict(zip(_LEFT_OUT, values, strict=True))
        effect_rows(builder, battery, "leave_one_out", numbers, groups=groups, method=method, n=k)
    for statistic, value in {"lowest": frame["estimate"].min(), "highest": frame["estimate"].max()}.items():
        method = f"{statistic} pooled effect when each study is left out in turn"
        numbers = {statistic: value}
        effect_rows(
            builder, battery, "leave_one_out_range", numbers, groups=battery.groups, method=method, n=len(frame)
        )


_LEFT_OUT = ("estimate", "ci_low", "ci_high", "p_value", "tau2", "i2")


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
    numbers = {"estimate": yi, "se": math.sqrt(vi), "ci_low": yi - half, "ci_high": yi + half}
    effect_rows(builder, battery, analysis, numbers, groups=groups, method=method, n=n)
    if analysis == "row_effects" and n is not None:
        builder.add(analysis, "participants", n, unit="people", method="people in both arms", groups=groups, n=n)


def _given_rows(builder: ResultsBuilder, frame: pd.DataFrame, groups: Groups) -> None:
    builder.add("given_check", "rows_off", len(frame), unit="rows", groups=groups)
    for _, row in frame.iterrows():
        levels = {**groups, **row_groups(row)}
        for statistic in ("given", "given_se", "computed", "computed_se"):
            builder.add("given_check", statistic, row[statistic], unit="g", method=str(row["reason"]), groups=levels)
