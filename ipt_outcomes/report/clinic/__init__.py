"""The clinic report: a `ClinicReview` as a document for people who run a service."""

from __future__ import annotations

from ipt_outcomes.clinic import ClinicReview, Measure
from ipt_outcomes.privacy import Audience, audience_rule
from ipt_outcomes.report.clinic import drawings, methods, tables
from ipt_outcomes.report.clinic.definitions import definitions_blocks
from ipt_outcomes.report.clinic.findings import finding
from ipt_outcomes.report.clinic.service import service_blocks
from ipt_outcomes.report.clinic.shown import Shown, shown_to
from ipt_outcomes.report.clinic.units import units_blocks
from ipt_outcomes.report.clinic.views import views_blocks
from ipt_outcomes.report.document import Block, Document, Heading, Note, Paragraph
from ipt_outcomes.report.hiding import without_hidden
from ipt_outcomes.results import listed

__all__ = ["clinic_document"]


def clinic_document(review: ClinicReview, *, title: str | None = None, audience: Audience = "public") -> Document:
    """Write a review as a document.

    Parameters
    ----------
    review : ClinicReview
    title : str, optional
        Title of the report.
    audience : {"internal", "board", "public", "publication"}
        Whom the report is for: decides which small numbers are hidden; printed.

    Returns
    -------
    Document
        Every number is a row of `ClinicReview.protected`, and figures are drawn from it.

    Raises
    ------
    OptionError
        There is no such audience.
    """
    audience_rule(audience)
    shown = shown_to(review, audience)
    first = review.measures[0]
    blocks: list[Block] = [
        Heading("What was found", "finding"),
        *finding(shown, audience),
        Heading("The rates", "rates"),
        drawings.rules_figure(shown, first),
    ]
    for measure in review.measures:
        blocks += [
            tables.rates_table(shown, measure, folded=measure is not first),
            tables.left_out_table(shown, measure),
        ]
    blocks += [
        *_group_blocks(shown, first),
        Heading("Completeness and sessions", "completeness"),
        *tables.completeness_blocks(shown),
        *service_blocks(shown),
        *views_blocks(shown),
        *units_blocks(shown),
        Heading("What the words mean", "definitions"),
        *definitions_blocks(shown),
        Heading("Data and methods", "methods"),
        Heading("Data", "data", 3),
        *methods.data_blocks(shown),
        Heading("Methods", "methods-text", 3),
        *methods.methods_paragraphs(shown),
        Heading("References", "references"),
        methods.references(shown),
    ]
    return Document(
        title=title or "Interpersonal psychotherapy: clinic quality review",
        subtitle=f"Outcomes of treatment by {listed([measure.label for measure in review.measures])}",
        blocks=without_hidden(blocks, shown.results),
        results=shown.results,
        simulated=review.simulated,
    )


def _group_blocks(shown: Shown, first: Measure) -> list[Block]:
    heading = Heading(f"By {shown.by_words}", "groups-section")
    if not shown.levels:
        why = f"The data have no {shown.by_words}, so rates are given for everyone only."
        return [heading, Paragraph((why,))]
    warning = Note(
        "Do not rank these groups",
        (
            (
                "Shares of few people move a lot by chance: look at the intervals. Where they overlap, the data do not "
                "show that one group does better than another.",
            ),
            (
                "Groups differ in how ill people were at the start and in much else; nobody was put into them by "
                "chance.",
            ),
        ),
        kind="warning",
    )
    return [
        heading,
        warning,
        drawings.groups_figure(shown, first),
        *[tables.groups_table(shown, measure) for measure in shown.review.measures],
    ]
