"""The figures of a clinic report, drawn from what the audience may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipt_outcomes import figures
from ipt_outcomes.clinic import ALL, COMPLETERS, RULES, Measure
from ipt_outcomes.clinic.words import RATE_WORDS, RULE_WORDS
from ipt_outcomes.report.clinic.shown import Shown, frame_of
from ipt_outcomes.report.document import Figure, Picture
from ipt_outcomes.report.pictures import picture
from ipt_outcomes.results import format_number
from ipt_outcomes.tables import Column, TableRow, TableSpec

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def rules_figure(shown: Shown, measure: Measure) -> Figure:
    """Return the main rates of everyone under the three rules."""
    rows = [
        {"group": RATE_WORDS[rate], "label": RULE_WORDS[rule], **shown.drawn(measure.name, rate, rule, ALL)}
        for rate in measure.rates
        for rule in RULES
    ]
    return Figure(
        id="rules",
        caption=f"{measure.label}: each rate under three rules of counting. Squares: the share; lines: {shown.level} "
        "confidence intervals. Getting worse is the only rate of which less is better.",
        alt=f"Rates of {measure.label} with intervals. {_alt(shown, measure)} The numbers are in the next table.",
        picture=_picture(shown, frame_of(rows), "rules", "Rule"),
    )


def groups_figure(shown: Shown, measure: Measure) -> Figure:
    """Return the first-screen rates in each group, completers."""
    rates = measure.headline
    rows = [
        {
            "group": RATE_WORDS[rate],
            "label": shown.group_name(group),
            "bold": group == ALL,
            **shown.drawn(measure.name, rate, COMPLETERS, group),
        }
        for rate in rates
        for group in (ALL, *shown.levels)
    ]
    return Figure(
        id="groups",
        caption=f"{measure.label} by {shown.by_words}, completers. Squares: the share; lines: {shown.level} confidence "
        "intervals. Where lines overlap, the data do not tell the groups apart.",
        alt=f"Rates of {measure.label} by {shown.by_words}, with intervals. {_alt(shown, measure)} The numbers are in "
        "the table below the figure.",
        picture=_picture(shown, frame_of(rows), "groups", shown.by_words.capitalize()),
        data=_groups_data(shown, measure, rates),
    )


def _picture(shown: Shown, frame: pd.DataFrame, name: str, header: str) -> Picture:
    def draw(width: float) -> Axes:
        return figures.rates(
            frame,
            label_header=header,
            level=shown.review.options.level,
            xlabel="Percent of people",
            width=width,
        )

    return picture(draw, id=name)


def _groups_data(shown: Shown, measure: Measure, rates: tuple[str, ...]) -> TableSpec:
    rows = []
    for rate in rates:
        rows.append(TableRow(((RATE_WORDS[rate],), (), ()), "group"))
        for group in (ALL, *shown.levels):
            ids = shown.ids(measure.name, rate, COMPLETERS, group)
            rows.append(TableRow(((shown.group_name(group),), shown.counts(ids), shown.share(ids))))
    return TableSpec(
        id="groups-data",
        caption="The rates drawn in the figure",
        columns=(
            Column(shown.by_words.capitalize()),
            Column("Number", "right"),
            Column(f"Share ({shown.level} CI)", "right"),
        ),
        rows=tuple(rows),
    )


def _alt(shown: Shown, measure: Measure) -> str:
    parts = []
    for rate in measure.headline:
        row = shown.rows[shown.ids(measure.name, rate, COMPLETERS).percent]
        share = "hidden" if row.suppressed else f"{format_number(row.value, 'decimal1')}%"
        parts.append(f"{RATE_WORDS[rate]}: {share} of completers.")
    return " ".join(parts)
