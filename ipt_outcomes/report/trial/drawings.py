"""The figures of the trial report: drawn from what the audience may see."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from ipt_outcomes import figures
from ipt_outcomes.report.document import Block, Figure, Paragraph
from ipt_outcomes.report.pictures import picture
from ipt_outcomes.report.trial.shown import Shown, arm_name, visit_words
from ipt_outcomes.report.writing import capital
from ipt_outcomes.results import format_interval, format_number
from ipt_outcomes.tables import Column, TableRow, TableSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MAIN = {"source": "model", "standardiser": "endpoint"}


def trajectory_blocks(shown: Shown) -> tuple[Block, ...]:
    """Return the means by arm over the weeks, as a figure with its numbers."""
    means, observed = _model_means(shown), _observed_means(shown)
    if not observed["mean"].notna().any() and not means["estimate"].notna().any():
        return ()
    names = {arm: arm_name(arm) for arm in shown.analysis.arms}

    def draw(width: float) -> Axes:
        return figures.trajectory(
            means,
            observed,
            names=names,
            better=shown.analysis.options.better,
            level=shown.analysis.options.level,
            ylabel=f"{shown.outcome} total",
            width=width,
        )

    lines = "Lines: means of the model of change, at the mean baseline. " if len(means) else ""
    drawn = "The scores observed at each visit" + (", with the line the model draws through them" if lines else "")
    return (
        Paragraph((f"{drawn}; {shown.better}.",)),
        Figure(
            id="trajectory",
            caption=f"{shown.outcome} over the weeks. {lines}Points: means of the scores observed, n below.",
            alt=f"Means of {shown.outcome} by arm over the weeks. {_alt(shown, means)} The numbers are in the table "
            "below the figure.",
            picture=picture(draw, id="trajectory"),
            data=_trajectory_data(shown, means, observed),
        ),
    )


def _alt(shown: Shown, means: pd.DataFrame) -> str:
    parts = []
    for arm in shown.analysis.arms:
        mine = means[means["arm"].eq(arm) & means["estimate"].notna()]
        if len(mine):
            first, last = mine.iloc[0], mine.iloc[-1]
            parts.append(
                f"{capital(arm_name(arm))}: model mean {format_number(first['estimate'])} in week {first['week']:g}, "
                f"{format_number(last['estimate'])} in week {last['week']:g}."
            )
    return " ".join(parts)


def _model_means(shown: Shown) -> pd.DataFrame:
    rows = []
    for row in shown.results:
        if row.analysis == "means" and row.statistic == "estimate":
            levels = dict(row.groups)
            numbers = [_plain(shown.number("means", name, **levels)) for name in ("estimate", "ci_low", "ci_high")]
            rows.append((levels["arm"], float(levels["week"]), *numbers))
    return pd.DataFrame(rows, columns=["arm", "week", "estimate", "ci_low", "ci_high"])


def _observed_means(shown: Shown) -> pd.DataFrame:
    rows = []
    for row in shown.results:
        if row.analysis == "observed" and row.statistic == "mean":
            levels = dict(row.groups)
            week = _plain(shown.number("observed", "week", **levels))
            n = _plain(shown.number("flow_visit", "observed", **levels))
            rows.append((levels["arm"], levels["visit"], week, n, _plain(row.value)))
    frame = pd.DataFrame(rows, columns=["arm", "visit", "week", "n", "mean"])
    return frame.sort_values(["week"], kind="stable").reset_index(drop=True).pipe(_in_arm_order, shown)


def _in_arm_order(frame: pd.DataFrame, shown: Shown) -> pd.DataFrame:
    order = {arm: number for number, arm in enumerate(shown.analysis.arms)}
    return frame.sort_values(["arm", "week"], key=lambda c: c.map(order) if c.name == "arm" else c, kind="stable")


def _plain(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _trajectory_data(shown: Shown, means: pd.DataFrame, observed: pd.DataFrame) -> TableSpec:
    rows = []
    names = {visit.key: visit_words(visit.name, visit.week) for visit in shown.analysis.visits}
    for arm in shown.analysis.arms:
        rows.append(TableRow(((capital(arm_name(arm)),), *(("",),) * 4), kind="group"))
        for row in observed[observed["arm"].eq(arm)].to_dict(orient="records"):
            seen = {"arm": arm, "visit": str(row["visit"])}
            modelled = {"arm": arm, "week": f"{row['week']:g}"}
            words = "baseline" if row["visit"] == "baseline" else names[str(row["visit"])]
            rows.append(
                TableRow(
                    (
                        (capital(words),),
                        shown.cell("flow_visit", "observed", "integer", **seen),
                        shown.cell("observed", "mean", "decimal1", **seen),
                        shown.cell("observed", "sd", "decimal1", **seen),
                        shown.effect("means", **modelled),
                    )
                )
            )
    return TableSpec(
        id="trajectory-data",
        caption=f"Means of {shown.outcome} by arm and visit",
        columns=(
            Column("Visit"),
            Column("n", "right"),
            Column("Observed mean", "right"),
            Column("SD", "right"),
            Column(f"Model mean ({shown.level} CI)", "right"),
        ),
        rows=tuple(rows),
    )


def comparison_figure(shown: Shown) -> tuple[Block, ...]:
    """Return g of every comparison as a figure; nothing where no g can be shown."""
    rows, table = [], []
    for item in shown.analysis.comparisons:
        where = {"arm1": item.arm1, "arm2": item.arm2, **_MAIN}
        name = f"{capital(arm_name(item.arm1))} against {arm_name(item.arm2)}"
        rows.append(contrast_row(shown, name, "effect_size", **where))
        table.append(TableRow(((name,), shown.effect("effect_size", **where))))
    if all(math.isnan(row.estimate) for row in rows):
        return ()
    favours = _sides(shown)

    def draw(width: float) -> Axes:
        level = shown.analysis.options.level
        return figures.contrasts(rows, measure="SMD", level=level, favours=favours, width=width)

    return (
        Figure(
            id="comparisons",
            caption=f"Hedges' g of each comparison at {shown.end}, with {shown.level} intervals",
            alt=f"Hedges' g of each comparison. {rows_in_words(rows)}",
            picture=picture(draw, id="comparisons"),
            data=TableSpec(
                id="comparisons-data",
                caption="Hedges' g of each comparison",
                columns=(Column("Comparison"), Column(f"g ({shown.level} CI)", "right")),
                rows=tuple(table),
            ),
        ),
    )


def contrast_row(shown: Shown, name: str, analysis: str, group: str = "", /, **levels: str) -> figures.Contrast:
    """Return an estimate of the results as a row of a figure."""
    estimate, low, high = (_plain(shown.number(analysis, part, **levels)) for part in ("estimate", "ci_low", "ci_high"))
    without = "hidden" if shown.hidden(analysis, "estimate", **levels) else "not computed"
    return figures.Contrast(label=name, estimate=estimate, low=low, high=high, group=group, without=without)


def rows_in_words(rows: Sequence[figures.Contrast]) -> str:
    """Return the rows of a figure as sentences, for its text alternative."""
    return " ".join(
        f"{row.label}: {format_number(row.estimate)} ({format_interval(row.low, row.high)})."
        for row in rows
        if not math.isnan(row.estimate)
    )


def _sides(shown: Shown) -> tuple[str, str]:
    """Whom each side favours, where all comparisons have the same arm on it."""
    treated = {item.arm1 for item in shown.analysis.comparisons}
    others = {item.arm2 for item in shown.analysis.comparisons}
    one = arm_name(next(iter(treated))) if len(treated) == 1 else "the first arm"
    two = arm_name(next(iter(others))) if len(others) == 1 else "the second arm"
    return one, two
