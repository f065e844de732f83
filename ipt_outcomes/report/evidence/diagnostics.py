"""Figures on what moves the pooled effect: the order of the studies, each study's influence, the choices made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ipt_outcomes import figures
from ipt_outcomes.evidence import ROW_RULES
from ipt_outcomes.report.document import Block, Figure, Heading, Paragraph, Table
from ipt_outcomes.report.evidence.drawings import ROWS_PER_PART
from ipt_outcomes.report.evidence.shown import Shown, arms_in_words, level_name
from ipt_outcomes.report.pictures import picture
from ipt_outcomes.report.writing import say
from ipt_outcomes.results import plural
from ipt_outcomes.tables import Column, TableRow, TableSpec

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MAIN = (
    ("rstudent", "Residual, z"),
    ("dffits", "DFFITS"),
    ("cooks_distance", "Cook's distance"),
    ("weight", "Weight, %"),
)


def cumulative_figures(shown: Shown) -> tuple[Figure, ...]:
    """Return the pooled effect as it stood after each study, in as many parts as it needs.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    tuple of Figure
        Empty where the table does not tell the years.
    """
    frame = shown.battery.cumulative
    starts = range(0, len(frame), ROWS_PER_PART)
    return tuple(
        _cumulative(shown, frame.iloc[i : i + ROWS_PER_PART], i // ROWS_PER_PART + 1, len(starts)) for i in starts
    )


def _cumulative(shown: Shown, part: pd.DataFrame, number: int, of: int) -> Figure:
    name = f"{shown.prefix}cumulative-{number}"
    suffix = f" (part {number} of {of})" if of > 1 else ""

    def draw(width: float) -> Axes:
        return figures.cumulative(
            part,
            measure=str(shown.battery.combined.measure),
            event=shown.battery.combined.event,
            level=shown.battery.combined.level,
            favours=arms_in_words(shown.battery),
            width=width,
        )

    rows = tuple(
        TableRow(
            (
                (str(added),),
                (str(year),),
                (shown.value("cumulative", "k", "integer", added=str(added)),),
                shown.effect("cumulative", added=str(added)),
            )
        )
        for added, year in zip(part["added"], part["year"], strict=True)
    )
    data = TableSpec(
        id=f"{name}-data",
        caption="The pooled effect after each study",
        columns=(
            Column("Study added"),
            Column("Year", "right"),
            Column("k", "right"),
            Column(f"{shown.symbol} ({shown.level} CI)", "right"),
        ),
        rows=rows,
    )
    return Figure(
        id=name,
        caption=f"The pooled effect as studies were published{suffix}: each row holds all studies up to it. The "
        "intervals are not corrected for so many looks.",
        alt=f"Cumulative pooled effect by year{suffix}. The numbers are in the table below the figure.",
        picture=picture(draw, id=name),
        data=data,
    )


def influence_figures(shown: Shown) -> tuple[Figure, ...]:
    """Return the deletion diagnostics and Baujat's plot.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    tuple of Figure
        Empty below three studies.
    """
    frame = shown.battery.influence
    drawn: list[Figure] = []
    if not frame.empty:
        drawn.append(_influence(shown, frame))
    if len(shown.battery.baujat) >= 3:
        drawn.append(_baujat(shown))
    return tuple(drawn)


def _influence(shown: Shown, frame: pd.DataFrame) -> Figure:
    name = f"{shown.prefix}influence"
    # Beyond a page's worth of studies the picture shows those that move the result most.
    places = frame["dffits"].abs().sort_values(ascending=False, kind="stable").index[:ROWS_PER_PART]
    most = frame.loc[places].sort_index()
    which = "" if len(most) == len(frame) else f" Shown: the {ROWS_PER_PART} studies with the largest DFFITS."

    def draw(width: float) -> Axes:
        return figures.influence(most, width=width)

    return Figure(
        id=name,
        caption=f"What each study does to the result when it is left out.{which}",
        alt="Deletion diagnostics of each study. The numbers are in the table below the figure.",
        picture=picture(draw, id=name),
        data=_influence_data(shown),
    )


def influence_tables(shown: Shown) -> tuple[Table, ...]:
    """Return the deletion diagnostics as a table, for reports on several comparisons.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    tuple of Table
        Empty below three studies.
    """
    return () if shown.battery.influence.empty else (Table(spec=_influence_data(shown), folded=True),)


def _influence_data(shown: Shown) -> TableSpec:
    frame = shown.battery.influence
    rows = tuple(
        TableRow(
            (
                (str(study),),
                *((shown.value("influence", column, study=str(study)),) for column, _ in _MAIN),
                (("yes" if flagged else "no"),),
            )
        )
        for study, flagged in zip(frame["study"], frame["influential"].fillna(False), strict=True)
    )
    return TableSpec(
        id=f"{shown.prefix}influence-data",
        caption="Influence of each study",
        columns=(Column("Study"), *(Column(words, "right") for _, words in _MAIN), Column("Influential")),
        rows=rows,
    )


def _baujat(shown: Shown) -> Figure:
    name = f"{shown.prefix}baujat"

    def draw(width: float) -> Axes:
        return figures.baujat(shown.battery.baujat, width=width)

    rows = tuple(
        TableRow(
            (
                (str(study),),
                (shown.value("baujat", "x", study=str(study)),),
                (shown.value("baujat", "y", "decimal3", study=str(study)),),
            )
        )
        for study in shown.battery.baujat["study"]
    )
    return Figure(
        id=name,
        caption="Baujat plot: studies on the right differ from the others, studies at the top move the pooled effect.",
        alt="Part of each study in heterogeneity against its influence on the pooled effect. The numbers are in the "
        "table below the figure.",
        picture=picture(draw, id=name),
        data=TableSpec(
            id=f"{name}-data",
            caption="Part in heterogeneity and influence of each study",
            columns=(Column("Study"), Column("Part of Q", "right"), Column("Influence", "right")),
            rows=rows,
        ),
    )


def specification_blocks(shown: Shown, level: int) -> tuple[Block, ...]:
    """Return the specification curve with the range it spans.

    Parameters
    ----------
    shown : Shown
    level : int
        Of the heading, 2 or 3.

    Returns
    -------
    tuple of Block
    """
    grid = shown.battery.specifications
    if grid is None:
        return ()
    ratio = "ratio_" if shown.battery.effects.is_ratio else ""
    words = say(
        "{cells} combinations of reasonable choices were run. The pooled {symbol} lies between {low} and {high}, its "
        "median is {median}; {above} of the estimates are {side}, and {clear} of the intervals exclude no difference.",
        cells=shown.value("specifications", "cells", "integer"),
        symbol=shown.symbol,
        low=shown.value("specifications", f"{ratio}lowest"),
        high=shown.value("specifications", f"{ratio}highest"),
        median=shown.value("specifications", f"{ratio}median"),
        above=shown.value("specifications", "share_above_zero", "percent"),
        side="above 1" if ratio else "above 0",
        clear=shown.value("specifications", "share_significant", "percent"),
    )
    left = len(grid.left_out)
    if left:
        words += (f" {left} {plural(left, 'combination was', 'combinations were')} not possible.",)
    heading = Heading("Other reasonable choices", f"{shown.prefix}specification-section", 2 if level == 2 else 3)
    return (heading, Paragraph(words), _specification(shown))


def _specification(shown: Shown) -> Figure:
    grid = shown.battery.specifications
    assert grid is not None  # noqa: S101  checked by the caller
    battery = shown.battery
    name = f"{shown.prefix}specification"
    comparators = {level: level_name(battery, str(level)) for level in grid.frame["comparator"].unique()}
    names = {
        "comparator": {**comparators, "all": "all"},
        "risk_of_bias": {"all": "all studies", "low": "low risk only"},
        "rows": {"combined": "combined", "lowest": "lowest", "highest": "highest", "first": "first", "all": "all rows"},
    }

    def draw(width: float) -> Axes:
        return figures.specification_curve(
            grid, names=names, main=battery.combined.estimate, favours=arms_in_words(battery), width=width
        )

    used = set(grid.frame["rows"])
    rules = "; ".join(f"{_SHORT[rule]}: {words}" for rule, words in ROW_RULES.items() if rule in used)
    return Figure(
        id=name,
        caption=f"Specification curve: the pooled {shown.measure} under every combination of choices. {rules}.",
        alt="Specification curve. The range and the median are in the text above.",
        picture=picture(draw, id=name),
    )


_SHORT = {"combined": "Combined", "lowest": "Lowest", "highest": "Highest", "first": "First", "all": "All rows"}


def every_effect_figures(shown: Shown) -> tuple[Figure, ...]:
    """Return every effect by size with the pooled effect of a model that knows they depend on one another.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    tuple of Figure
        Empty where each study gives one effect, or the model could not be fitted.
    """
    battery = shown.battery
    model = battery.multilevel.get("che") or battery.multilevel.get("three_level")
    if model is None:
        return ()
    rows = battery.study_effects.rows
    name = f"{shown.prefix}every-effect"
    kind = "correlated and hierarchical effects" if "che" in battery.multilevel else "three levels"

    def draw(width: float) -> Axes:
        return figures.caterpillar(
            battery.study_effects.effects,
            study=[str(study) for study in rows["study"]],
            pooled=model,
            level=battery.combined.level,
            favours=arms_in_words(battery),
            width=width,
        )

    return (
        Figure(
            id=name,
            caption=f"Every effect by size, with the pooled effect of the model of {kind} (standard errors robust by "
            "study).",
            alt="Every effect with its interval, sorted by size. The numbers are in the table of studies.",
            picture=picture(draw, id=name),
        ),
    )
