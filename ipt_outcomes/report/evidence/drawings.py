"""The figures of the evidence report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ipt_outcomes import figures
from ipt_outcomes.effects import EffectSizes
from ipt_outcomes.evidence import Battery, column_in_words
from ipt_outcomes.meta import PooledEffect
from ipt_outcomes.report.document import Figure
from ipt_outcomes.report.evidence.shown import Shown, arms_in_words, level_name
from ipt_outcomes.report.pictures import picture
from ipt_outcomes.results import format_interval, format_number
from ipt_outcomes.tables import Column, TableRow, TableSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A forest plot taller than a page cannot be read: it is drawn in parts.
ROWS_PER_PART = 36


@dataclass(frozen=True, slots=True)
class _Part:
    """Studies drawn in one picture, with the pooled results that end in it."""

    effects: EffectSizes
    labels: list[str]
    groups: pd.Categorical[str] | None
    subtotals: dict[str, PooledEffect]
    pooled: PooledEffect | None
    weights: np.ndarray | None


def forest_figures(shown: Shown) -> tuple[Figure, ...]:
    """Return the forest plot by comparator, in as many parts as it needs."""
    parts = list(_parts(shown))
    return tuple(_forest_figure(shown, part, number, len(parts)) for number, part in enumerate(parts, start=1))


def _forest_figure(shown: Shown, part: _Part, number: int, of: int) -> Figure:
    battery = shown.battery
    arms = arms_in_words(battery)
    suffix = f" (part {number} of {of})" if of > 1 else ""
    combined = "combined " if battery.has_dependence else ""
    pooled = " Diamonds: pooled effects. Bar: prediction interval." if battery.combined.k > 1 else ""
    by = f" by {column_in_words(battery.by)}" if part.groups is not None and battery.by else ""

    def draw(width: float) -> Axes:
        return figures.forest(
            part.effects,
            labels=part.labels,
            groups=part.groups,
            subtotals=part.subtotals or None,
            pooled=part.pooled,
            weights=part.weights,
            level=battery.combined.level,
            favours=arms,
            width=width,
        )

    return Figure(
        id=f"{shown.prefix}forest-{number}",
        caption=f"Forest plot{by}{suffix}: {shown.measure}, one {combined}effect per study. Squares: studies, "
        f"sized by weight.{pooled}",
        alt=f"Forest plot{by}{suffix}. {_alt_pooled(shown)} The numbers are in the table below the figure.",
        picture=picture(draw, id=f"{shown.prefix}forest-{number}"),
        data=_forest_data(shown, part, number),
    )


def _parts(shown: Shown) -> Iterator[_Part]:
    battery = shown.battery
    table = battery.comparator_studies
    grouped = len(battery.comparator_levels) > 1
    if not grouped:
        table = battery.studies.assign(level="")
    effects = battery.comparator_effects() if grouped else battery.effects
    names = {level: level_name(battery, str(level)) for level in table["level"].unique()}
    # A study in several blocks has no one weight; alone, a study has all of it.
    weights = battery.combined.weight_percent if not grouped and battery.combined.k > 1 else None
    for start in range(0, len(table), ROWS_PER_PART):
        rows = table.iloc[start : start + ROWS_PER_PART]
        last = start + ROWS_PER_PART >= len(table)
        following = set() if last else {table["level"].iloc[start + ROWS_PER_PART]}
        ended = [level for level in rows["level"].unique() if level not in following]
        pooled = battery.comparators.pooled if battery.comparators is not None and grouped else {}
        yield _Part(
            effects=_take(effects, start, start + ROWS_PER_PART),
            labels=[str(study) for study in rows["study"]],
            groups=pd.Categorical(
                [names[level] for level in rows["level"]], categories=list(names.values())
            ).remove_unused_categories()
            if grouped
            else None,
            subtotals={names[level]: pooled[level] for level in ended} if len(pooled) > 1 else {},
            pooled=battery.combined if last and battery.combined.k > 1 else None,
            weights=None if weights is None else weights[start : start + ROWS_PER_PART],
        )


def _take(effects: EffectSizes, start: int, stop: int) -> EffectSizes:
    return replace(
        effects,
        yi=effects.yi[start:stop].copy(),
        vi=effects.vi[start:stop].copy(),
        flags=effects.flags[start:stop],
    )


def _forest_data(shown: Shown, part: _Part, number: int) -> TableSpec:
    battery = shown.battery
    start = (number - 1) * ROWS_PER_PART
    table = battery.comparator_studies if part.groups is not None else battery.studies
    rows = []
    for row in table.iloc[start : start + ROWS_PER_PART].itertuples():
        analysis, groups = "study_effects", {"study": str(row.study)}
        if part.groups is not None:
            analysis, groups = (
                "comparator_effects",
                {battery.by_key: str(row.level), "study": str(row.study)},
            )
        level = level_name(battery, str(row.level)) if part.groups is not None else "all"
        cells = (
            (str(row.study),),
            (level,),
            (shown.value(analysis, "se", "decimal3", **groups),),
            shown.effect(analysis, **groups),
        )
        rows.append(TableRow(cells))
    return TableSpec(
        id=f"{shown.prefix}forest-{number}-data",
        caption="The effects drawn in the forest plot",
        columns=(
            Column("Study"),
            Column(column_in_words(battery.by).capitalize() if battery.by else "Studies"),
            Column(f"Standard error{shown.scale}", "right"),
            Column(f"{shown.symbol} ({shown.level} CI)", "right"),
        ),
        rows=tuple(rows),
    )


def funnel_figure(shown: Shown) -> Figure:
    """Return the contour-enhanced funnel plot of the combined effects."""
    battery = shown.battery
    labels = [str(study) for study in battery.studies["study"]]
    filled = _filled_in(battery)

    def draw(width: float) -> Axes:
        return figures.funnel(
            battery.effects,
            pooled=battery.combined,
            labels=labels,
            filled=filled,
            egger=battery.egger,
            level=battery.combined.level,
            favours=arms_in_words(battery),
            width=width,
        )

    more = " Hollow: studies that trim and fill adds." if filled is not None else ""
    return Figure(
        id=f"{shown.prefix}funnel",
        caption=f"Contour funnel plot: {shown.measure} of each study against its standard error{shown.scale}. Shading: "
        f"the p value a study alone would have. If small studies lie on one side only, some may be missing.{more}",
        alt=f"Funnel plot of the combined effect of each study. {_alt_pooled(shown)}",
        picture=picture(draw, id=f"{shown.prefix}funnel"),
    )


def _filled_in(battery: Battery) -> EffectSizes | None:
    """The studies that trim and fill adds, None where it adds none."""
    result = battery.bias.trim_and_fill
    if result is None or not result.k0:
        return None
    new = slice(result.k_observed, None)
    return replace(battery.effects, yi=result.yi[new].copy(), vi=result.vi[new].copy(), flags=("",) * result.k0)


def analyses_figure(shown: Shown) -> Figure:
    """Return the main analyses side by side."""
    battery = shown.battery
    rows: list[tuple[str, Any]] = [("All studies (main analysis)", battery.combined)]
    if battery.has_dependence:
        rows.append(("All rows (naive)", battery.all_rows))
    if battery.comparators is not None and len(battery.comparator_levels) > 1:
        rows += [(level_name(battery, str(level)), pooled) for level, pooled in battery.comparators.pooled.items()]
    if "low_risk" in battery.low_risk:
        rows.append(("Low risk of bias", battery.low_risk["low_risk"]))
    if "outliers_removed" in battery.removal:
        rows.append(("Without outliers", battery.removal["outliers_removed"].pooled))
    if "che" in battery.multilevel:
        rows.append(("Correlated and hierarchical effects", battery.multilevel["che"]))

    def draw(width: float) -> Axes:
        return figures.analyses(rows, level=battery.combined.level, favours=arms_in_words(battery), width=width)

    return Figure(
        id=f"{shown.prefix}analyses",
        caption=f"The main analyses side by side: pooled {shown.measure}, {shown.level} confidence interval and, "
        "thinner, prediction interval.",
        alt=f"Pooled effects of the main analyses side by side. {_alt_pooled(shown)} The numbers are in the table of "
        "analyses.",
        picture=picture(draw, id=f"{shown.prefix}analyses"),
    )


def leave_one_out_figure(shown: Shown) -> Figure:
    """Return the pooled effect without each study in turn."""
    battery = shown.battery
    frame = battery.leave_one_out
    rows = [
        TableRow(
            (
                (str(left_out),),
                shown.effect("leave_one_out", left_out=str(left_out)),
                (shown.value("leave_one_out", "tau2", "decimal3", left_out=str(left_out)),),
                (shown.value("leave_one_out", "p_value", "p", left_out=str(left_out)),),
            )
        )
        for left_out in frame["left_out"]
    ]
    data = TableSpec(
        id=f"{shown.prefix}leave-one-out-data",
        caption="The pooled effect without each study",
        columns=(
            Column("Study left out"),
            Column(f"{shown.symbol} ({shown.level} CI)", "right"),
            Column(f"τ²{shown.scale}", "right"),
            Column("p", "right"),
        ),
        rows=tuple(rows),
    )
    # Beyond a page's worth of studies the picture shows those that move the result most.
    most = _most_influential(frame, battery.combined)
    which = "" if len(most) == len(frame) else f" Shown: the {ROWS_PER_PART} studies that move it most."

    def draw(width: float) -> Axes:
        return figures.leave_one_out(
            most,
            pooled=battery.combined,
            level=battery.combined.level,
            favours=arms_in_words(battery),
            width=width,
        )

    return Figure(
        id=f"{shown.prefix}leave-one-out",
        caption=f"The pooled effect when each study is left out in turn; the band is the main analysis.{which}",
        alt=f"Pooled effect without each study. {_alt_pooled(shown)} The numbers are in the table below the figure.",
        picture=picture(draw, id=f"{shown.prefix}leave-one-out"),
        data=data,
    )


def _most_influential(frame: pd.DataFrame, pooled: PooledEffect) -> pd.DataFrame:
    if len(frame) <= ROWS_PER_PART:
        return frame
    moved = (frame["estimate"] - pooled.estimate).abs()
    return frame.loc[moved.sort_values(ascending=False, kind="stable").index[:ROWS_PER_PART]].sort_index()


def _alt_pooled(shown: Shown) -> str:
    statistic = "ratio" if shown.battery.effects.is_ratio else "estimate"
    names = (statistic, "ratio_ci_low", "ratio_ci_high") if statistic == "ratio" else (statistic, "ci_low", "ci_high")
    estimate, low, high = (shown.number("combined", name) for name in names)
    return f"Pooled {shown.symbol} {format_number(estimate)}, {shown.level} interval {format_interval(low, high)}."
