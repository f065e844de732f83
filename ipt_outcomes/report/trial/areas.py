"""Change by problem area, with the label its design allows in the heading."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ipt_outcomes import figures
from ipt_outcomes.report.document import Block, Figure, Heading, Note, Paragraph, Table
from ipt_outcomes.report.hiding import sentence
from ipt_outcomes.report.pictures import picture
from ipt_outcomes.report.trial.drawings import contrast_row, rows_in_words
from ipt_outcomes.report.trial.shown import Shown, arm_name
from ipt_outcomes.report.writing import capital, say
from ipt_outcomes.tables import Column, Content, TableRow, TableSpec
from ipt_outcomes.trial import BOUNDARY, AreaPart
from ipt_outcomes.vocabulary import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ANCHOR = "areas-section"
AREA = "problem_area"


def area_blocks(shown: Shown) -> tuple[Block, ...]:
    """Return the section on change by problem area."""
    areas = shown.analysis.areas
    if areas.gap:
        return (Heading(f"Change by {areas.name}", ANCHOR), Paragraph((f"Not computed: {areas.gap}.",)))
    blocks: list[Block] = [
        Heading(f"Change by {areas.name} ({areas.label})", ANCHOR),
        Note("How to read this section", tuple(_reading(shown)), "info" if areas.randomised else "warning"),
    ]
    blocks += _figure(shown)
    for number, part in enumerate(areas.parts, start=1):
        blocks += _part_blocks(shown, part, number)
    return tuple(blocks)


def _reading(shown: Shown) -> list[Content]:
    """What the numbers may be taken for, and who is not in them."""
    areas, one = shown.analysis.areas, _level(shown)
    if areas.randomised:
        return [
            (
                f"The arms are compared within each {one}: these are randomised comparisons. Each rests on few people, "
                f"so look at the test of a difference between the {one}s before any single one.",
            ),
            _not_set(shown),
        ]
    return [
        (
            "This is no comparison of arms. It describes how people within an arm with interpersonal psychotherapy "
            f"did, by {areas.name}. They were not randomised to it, and differ in more than it.",
        ),
        _not_set(shown),
    ]


def _not_set(shown: Shown) -> Content:
    """How many people have no level: those who left before it was set are among them."""
    areas = shown.analysis.areas
    people = [
        shown.number("area_people", "not_set", **{**part.where, "arm": arm})
        for part in areas.parts
        for arm in part.arms
    ]
    if people and all(number == 0 for number in people):
        return (f"Everyone has {_article(areas.name)}{areas.name}.",)
    content: Content = (f"Without {_article(areas.name)}{areas.name} (in the flow, not in these numbers): ",)
    arms = list(dict.fromkeys(arm for part in areas.parts for arm in part.arms))
    for number, arm in enumerate(arms):
        part = next(part for part in areas.parts if arm in part.arms)
        value = shown.value("area_people", "not_set", "integer", **{**part.where, "arm": arm})
        content += (f"{', ' if number else ''}{arm_name(arm)} ", value)
    early = "" if areas.randomised else " Those who left before it was set are among them."
    return (*content, f".{early}")


def _level(shown: Shown) -> str:
    """What a level of the column is called: a problem area, or just a level."""
    return shown.analysis.areas.name if shown.analysis.options.by == AREA else "level"


def _article(name: str) -> str:
    return "" if name.endswith("s") else "a "


def _title(part: AreaPart) -> str:
    if len(part.arms) == 2:
        return f"{capital(arm_name(part.arms[0]))} against {arm_name(part.arms[1])}"
    return f"Within {arm_name(part.arms[0])}"


def _over(parts: tuple[AreaPart, ...], part: AreaPart) -> str:
    """Heading over the rows of a comparison in a figure: short where the first arm is the same in all."""
    if len(part.arms) == 2 and len({each.arms[0] for each in parts}) == 1:
        return f"Against {arm_name(part.arms[1])}"
    return _title(part)


def _figure(shown: Shown) -> tuple[Block, ...]:
    areas = shown.analysis.areas
    several = len(areas.parts) > 1
    rows = [
        contrast_row(
            shown,
            capital(label(area)),
            "area",
            _over(areas.parts, part) if several else "",
            **part.where,
            area=area,
            quantity="slope",
        )
        for part in areas.parts
        for area in part.areas
    ]
    if not rows or all(math.isnan(row.estimate) for row in rows):
        return ()
    better = shown.analysis.options.better if areas.randomised else None

    def draw(width: float) -> Axes:
        return figures.contrasts(
            rows,
            measure="MD" if areas.randomised else None,
            header=capital(areas.name),
            name="Points per week",
            better=better,
            favours=_sides(areas.parts),
            level=shown.analysis.options.level,
            xlabel=f"{_what(shown)} ({shown.better})",
            width=width,
        )

    heading = f" ({_title(areas.parts[0])})" if not several else ""
    if several and areas.randomised and len({part.arms[0] for part in areas.parts}) == 1:
        heading = f" ({arm_name(areas.parts[0].arms[0])} against each other arm)"
    return (
        Figure(
            id="areas",
            caption=f"{_what(shown)} by {areas.name}{heading}: {areas.label}",
            alt=f"{_what(shown)} by {areas.name}, {areas.label}. {rows_in_words(rows)}",
            picture=picture(draw, id="areas"),
        ),
    )


def _sides(parts: tuple[AreaPart, ...]) -> tuple[str, str] | None:
    """Whom each side favours: an arm that stands there in every comparison, or the first and the second arm."""
    if len(parts[0].arms) < 2:
        return None
    one, two = ({part.arms[place] for part in parts} for place in (0, 1))
    return (
        arm_name(one.pop()) if len(one) == 1 else "the first arm",
        arm_name(two.pop()) if len(two) == 1 else "the second arm",
    )


def _what(shown: Shown) -> str:
    if shown.analysis.areas.randomised:
        return f"Difference in change, {shown.outcome} points per week"
    return f"Change in {shown.outcome} points per week"


def _part_blocks(shown: Shown, part: AreaPart, number: int) -> list[Block]:
    heading = Heading(f"{_title(part)}: {_KIND[len(part.arms)]}", f"areas-{number}", 3)
    if part.gap:
        return [heading, Paragraph((f"Not computed: {part.gap}.",))]
    return [
        heading,
        Table(spec=_table(shown, part, number)),
        *_test(shown, part),
        *_shrunken_blocks(shown, part, number),
    ]


_KIND = {1: "not a randomised comparison", 2: "randomised comparison"}


def _table(shown: Shown, part: AreaPart, number: int) -> TableSpec:
    two = len(part.arms) == 2
    columns = [Column(capital(shown.analysis.areas.name))]
    columns += [Column(f"n, {arm_name(arm)}" if two else "n", "right") for arm in part.arms]
    columns += [Column("Points per week", "right"), Column("p (Holm)" if two else "p", "right")]
    columns += [Column(f"Points at {shown.analysis.end.name}", "right")]
    what = "First minus second arm" if two else "Model estimates at the mean baseline"
    adjusted = f"adjusted for the number of {_level(shown)}s after Holm" if two else "against no change"
    notes: list[Content] = [
        (f"{what}; {shown.better}. n: people with a baseline and a later score. p is of points per week, {adjusted}.",)
    ]
    notes += [(f"{capital(label(area))}: too few people, not in the model.",) for area in part.too_few]
    notes += [(BOUNDARY,)] if part.singular else []
    return TableSpec(
        id=f"areas-{number}-table",
        caption=f"Change in {shown.outcome} by {shown.analysis.areas.name} ({shown.level} CI): {_KIND[len(part.arms)]}",
        columns=tuple(columns),
        rows=tuple(_row(shown, part, area) for area in part.areas),
        notes=tuple(notes),
    )


def _row(shown: Shown, part: AreaPart, area: str) -> TableRow:
    where = {**part.where, "area": area}
    slope = {**where, "quantity": "slope"}
    p_name = "p_holm" if len(part.arms) == 2 else "p_value"
    cells: list[Content] = [(capital(label(area)),)]
    cells += [(shown.value("area_people", "people", "integer", **{**where, "arm": arm}),) for arm in part.arms]
    cells += [shown.effect("area", **slope), shown.cell("area", p_name, "p", **slope)]
    return TableRow((*cells, shown.effect("area", **{**where, "quantity": "mean"})))


def _shrunken_blocks(shown: Shown, part: AreaPart, number: int) -> tuple[Block, ...]:
    spec = _shrunken(shown, part, number)
    rows = [shown.row("area_shrunken", "estimate", **{**part.where, "area": area}) for area in part.areas]
    made = [row for row in rows if row is not None]
    if not made:
        return ()
    # Without the shrunken column the table would only say again what stands above.
    hidden = all(row.suppressed for row in made)
    return (Paragraph((sentence(spec.caption),)),) if hidden else (Table(spec=spec, folded=True),)


def _shrunken(shown: Shown, part: AreaPart, number: int) -> TableSpec:
    """Points per week drawn towards their mean, beside those of the model."""
    rows = []
    one = _level(shown)
    for area in part.areas:
        where = {**part.where, "area": area}
        plain = shown.effect("area", **{**where, "quantity": "slope"})
        rows.append(TableRow(((capital(label(area)),), plain, shown.effect("area_shrunken", **where))))
    note: Content = (f"An SD of 0 gives every {one} the same estimate; it does not show that the {one}s are alike.",)
    if shown.row("area_shrunken", "tau", **part.where) is not None:
        spread = shown.value("area_shrunken", "tau", **part.where)
        note = (f"SD between {one}s, by which the estimates are drawn together: ", spread, ". ", *note)
    return TableSpec(
        id=f"areas-{number}-shrunken",
        caption=f"Points per week, shrunken towards the mean of the {one}s ({shown.level} CI)",
        columns=(
            Column(capital(shown.analysis.areas.name)),
            Column("Points per week", "right"),
            Column("Shrunken", "right"),
        ),
        rows=tuple(rows),
        notes=(note,),
    )


def _test(shown: Shown, part: AreaPart) -> tuple[Block, ...]:
    if not part.test or not shown.has("area_test", "p_value", **part.where):
        return ()
    p_value = shown.number("area_test", "p_value", **part.where)
    differ = p_value is not None and p_value < 1 - shown.analysis.options.level
    one = _level(shown)
    verdict = f"By this test the {one}s differ." if differ else f"These data do not show that the {one}s differ."
    several = len(shown.analysis.areas.parts)
    if differ and several > 1:
        verdict += f" It is one of {several} such tests, not adjusted for their number."
    sentence = say(
        "Test of a difference between the {levels} in points per week: F = {f}, df = {num} and {den}, {p}. {verdict}",
        levels=f"{one}s",
        f=shown.value("area_test", "statistic", **part.where),
        num=shown.value("area_test", "num_df", "integer", **part.where),
        den=shown.value("area_test", "den_df", "decimal1", **part.where),
        p=shown.p("area_test", **part.where),
        verdict=verdict,
    )
    return (Paragraph(sentence),)
