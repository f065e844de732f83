"""Sites and therapists against their case mix, for the internal report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipt_outcomes import figures
from ipt_outcomes.clinic.service.units import MIN_CASELOAD, Units
from ipt_outcomes.clinic.words import RATE_WORDS
from ipt_outcomes.report.clinic.shown import Shown
from ipt_outcomes.report.document import Block, Figure, Heading, Note, Paragraph, Table
from ipt_outcomes.report.pictures import picture
from ipt_outcomes.results import plural
from ipt_outcomes.tables import Column, TableRow, TableSpec, Value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COVARIATES = {"area": "problem area"}


def units_blocks(shown: Shown) -> list[Block]:
    """Return the comparison of sites and therapists; a sentence for audiences from whom small numbers are hidden.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    list of Block
    """
    if not shown.review.units:
        return []
    heading = Heading("Sites and therapists", "units")
    if shown.hides:
        return [heading, Paragraph(("Only in the internal report, since caseloads are small.",))]
    blocks: list[Block] = [
        heading,
        Note(
            "Not a league table",
            (
                (
                    "Units are in the order of their names. A unit within the limits does not differ from the others "
                    "by more than chance gives; one outside is a reason to ask, not a verdict.",
                ),
                ("Expected numbers take into account only what is recorded of people at the start.",),
            ),
            kind="warning",
        ),
    ]
    for units in shown.review.units:
        blocks += [_figure(shown, units), _table(shown, units)]
    return blocks


def _figure(shown: Shown, units: Units) -> Figure:
    words = RATE_WORDS[units.rate].lower()

    def draw(width: float) -> Axes:
        return figures.unit_funnel(
            units.funnel,
            labels=units.shown,
            xlabel="Completers",
            ylabel=f"{RATE_WORDS[units.rate]}, adjusted",
            width=width,
        )

    outside = int((units.funnel.units["outside"] > 0).sum())
    few = f" Not drawn: {units.n_small} with fewer than {MIN_CASELOAD} completers." if units.n_small else ""
    return Figure(
        id=f"units-{units.by}",
        caption=f"Share who {words}, by {units.by} and number of completers, adjusted for {_mix(units)}. Limits (95% "
        "and 99.8%) allow for units that differ by more than chance.",
        alt=f"Funnel plot of {len(units.shown)} {plural(len(units.shown), units.by, f'{units.by}s')}; {outside} "
        f"outside the limits.{few} The numbers are in the next table.",
        picture=picture(draw, id=f"units-{units.by}"),
    )


def _table(shown: Shown, units: Units) -> Table:
    rows = []
    for name in units.shown:
        own = {"by": units.by, "unit": name}
        ids = {
            each: shown.results.find("unit", each, own).id for each in ("n", "observed", "expected", "adjusted_percent")
        }
        outside = shown.rows[shown.results.find("unit", "outside", own).id].value
        rows.append(
            TableRow(
                (
                    (name,),
                    (Value(ids["n"], "integer"),),
                    (Value(ids["observed"], "integer"),),
                    (Value(ids["expected"], "decimal1"),),
                    (Value(ids["adjusted_percent"], "decimal1"), "%"),
                    ("outside" if outside else "within",),
                )
            )
        )
    notes = (
        ((f"Units with fewer than {MIN_CASELOAD} completers are in the model but not shown.",),)
        if units.n_small
        else ()
    )
    return Table(
        spec=TableSpec(
            id=f"units-{units.by}-table",
            caption=f"{RATE_WORDS[units.rate]} by {units.by}: observed, and expected from {_mix(units)}",
            columns=(
                Column(units.by.capitalize()),
                Column("Completers", "right"),
                Column("Observed", "right"),
                Column("Expected", "right"),
                Column("Adjusted share", "right"),
                Column("Limits"),
            ),
            rows=tuple(rows),
            notes=notes,
        ),
        folded=True,
    )


def _mix(units: Units) -> str:
    names = [_COVARIATES.get(name, "first score") for name in units.covariates]
    return " and ".join(dict.fromkeys(names))
