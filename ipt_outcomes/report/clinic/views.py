"""Rates by what is known of people and courses, for the internal report."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_outcomes.clinic import UNKNOWN
from ipt_outcomes.clinic.service.views import ATTENDED, EQUITY, View
from ipt_outcomes.clinic.words import RATE_WORDS
from ipt_outcomes.report.clinic.shown import NOBODY, Shown
from ipt_outcomes.report.document import Block, Heading, Note, Paragraph, Table
from ipt_outcomes.report.writing import capital
from ipt_outcomes.tables import Column, Content, TableRow, TableSpec, Value
from ipt_outcomes.vocabulary import label

_NAMES = {
    "problem_area_primary": "problem area",
    "problem_area_secondary": "second problem area",
    "dispute_stage": "stage of the dispute",
    "phase_reached": "phase reached",
    "therapist_training": "training of the therapist",
    ATTENDED: "sessions attended",
    "age_band": "age",
    "ethnicity_group": "ethnicity",
    "imd_decile": "decile of deprivation (1: most deprived)",
}


def views_blocks(shown: Shown) -> list[Block]:
    """Return the section of views: tables for the internal report, a sentence for the others.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    list of Block
    """
    views = shown.review.views
    if not views:
        return []
    heading = Heading("Who does well: further views", "views")
    names = [_name(view.name) for view in views]
    if shown.hides:
        words = f"Only in the internal report, since groups are many and small: rates by {'; by '.join(names)}."
        return [heading, Paragraph((words,))]
    blocks: list[Block] = [
        heading,
        Note(
            "Read with care",
            (
                ("Each table looks at the same people in another way; some differences of this size come by chance.",),
                (
                    "People are not in these groups by chance, and they began differently ill: a difference is a "
                    "question to the service, not its answer.",
                ),
            ),
            kind="warning",
        ),
    ]
    for title, mine in _sections(views):
        if mine:
            blocks += [Heading(title, f"views-{mine[0].name.replace('_', '-')}", 3), *[_table(shown, v) for v in mine]]
    return blocks


def _sections(views: Sequence[View]) -> list[tuple[str, list[View]]]:
    equity = [view for view in views if view.name in EQUITY]
    dose = [view for view in views if view.name == ATTENDED]
    rest = [view for view in views if view not in equity and view not in dose]
    return [("Treatment", rest), ("Number of sessions", dose), ("Equity", equity)]


def _table(shown: Shown, view: View) -> Table:
    measure = shown.review.measures[0]
    rows = []
    for level in view.levels:
        own = {"view": view.name, "group": level}
        cells: list[Content] = [(_level(view, level),), (shown.count("view", "ended", **own),)]
        for rate in measure.headline:
            cells.append(_rate(shown, {**own, "measure": measure.name, "rate": rate}))
        rows.append(TableRow(tuple(cells)))
    notes: tuple[Content, ...] = ()
    if view.name == ATTENDED:
        notes = (
            (
                "Whoever gets well may stop early, and whoever gets worse may leave: that more sessions go with better "
                "or worse outcomes does not say that they make them (survivor bias).",
            ),
        )
    return Table(
        spec=TableSpec(
            id=f"view-{view.name.replace('_', '-')}",
            caption=f"{measure.label} by {_name(view.name)}, completers: number, share and {shown.level} CI",
            columns=(
                Column(capital(_name(view.name))),
                Column("Ended courses", "right"),
                *(Column(RATE_WORDS[rate], "left") for rate in measure.headline),
            ),
            rows=tuple(rows),
            notes=notes,
        ),
        folded=True,
    )


def _rate(shown: Shown, groups: dict[str, str]) -> Content:
    ids = [shown.results.find("view", name, groups).id for name in ("percent", "ci_low", "ci_high")]
    if shown.rows[ids[0]].value is None:
        return (NOBODY,)
    share, low, high = (Value(each, "decimal1") for each in ids)
    counts = (shown.count("view", "numerator", **groups), " of ", shown.count("view", "denominator", **groups))
    return (*counts, ": ", share, "% (", low, "% to ", high, "%)")


def _name(name: str) -> str:
    return _NAMES.get(name, name.replace("_", " "))


def _level(view: View, level: str) -> str:
    if level == UNKNOWN:
        return "Not recorded"
    return capital(level if view.name == ATTENDED else label(level))
