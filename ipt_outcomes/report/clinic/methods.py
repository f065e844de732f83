"""Where the data came from, how the numbers were made, and the references."""

from __future__ import annotations

from ipt_outcomes import __version__
from ipt_outcomes.clinic import PAIR
from ipt_outcomes.report.clinic.definitions import cited_for, cuts_used
from ipt_outcomes.report.clinic.shown import Shown
from ipt_outcomes.report.document import Block, Bullets, Paragraph, References, Table
from ipt_outcomes.report.gate import gate_table, may_show
from ipt_outcomes.report.references import cited
from ipt_outcomes.report.writing import capital
from ipt_outcomes.tables import Column, Content, TableRow, TableSpec, Value


def methods_paragraphs(shown: Shown) -> tuple[Paragraph, ...]:
    """Return the methods section.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    tuple of Paragraph
    """
    review = shown.review
    words = [
        f"Shares are percentages of the people counted, with Wilson score intervals at the {shown.level} level. They "
        "describe this clinic's own courses: they are no comparison with people who had no treatment, and say nothing "
        "of what would have happened without it."
    ]
    if any(measure.name == PAIR for measure in review.measures):
        words.append(
            "The rates of PHQ-9 and GAD-7 together follow NHS Talking Therapies. That both measures decide on "
            "improvement and deterioration is the commonly stated rule."
        )
    if shown.levels:
        words.append(
            f"Rates by {shown.by_words} are not adjusted for how ill people were, and groups were not made by chance."
        )
    return (*[Paragraph((each,)) for each in words], Paragraph((f"Computed with ipt_outcomes {__version__}.",)))


def data_blocks(shown: Shown) -> tuple[Block, ...]:
    """Return where the data came from, what the gate did, who was set aside.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    tuple of Block
        Where small numbers are hidden, without what counts people.
    """
    review = shown.review
    items: list[Content] = [(f"One extract of patient data, SHA-256 {review.source.sha256}.",)]
    if review.simulated:
        items.append(("Simulated: nobody stands behind these rows.",))
    items += [(f"{capital(note)}.",) for note in review.source_notes if may_show(note, shown.rule)]
    gate = gate_table(review.gate, shown.rule)
    table = () if gate is None else (Table(spec=gate, folded=len(gate.rows) > 8),)
    return (Bullets(tuple(dict.fromkeys(items))), *table, *_flow_blocks(shown))


def _flow_blocks(shown: Shown) -> tuple[Block, ...]:
    lines = [row for row in shown.results if row.analysis == "flow"]
    aside = [row.groups["reason"] for row in lines if row.groups["step"] == "set aside"]
    if shown.hides:
        return (Paragraph((f"Set aside before the review: {'; '.join(aside)}.",)),) if aside else ()
    if not lines:
        return ()
    rows = []
    for row in lines:
        reason = row.groups["reason"]
        words = f"{row.groups['step']}: {reason}" if reason else row.groups["step"]
        rows.append(TableRow(((capital(words),), (Value(row.id, "integer"),))))
    spec = TableSpec(
        id="flow-table",
        caption="People who came in with the data, and who was set aside",
        columns=(Column("Step"), Column("People", "right")),
        rows=tuple(rows),
    )
    return (Table(spec=spec, folded=True),)


def references(shown: Shown) -> References:
    """Return the references of what was done.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    ipt_outcomes.report.document.References
    """
    measures = shown.review.measures
    used = {
        "wilson": True,
        "jacobson": any("reliable_improvement" in measure.rates for measure in measures),
        "clark": any(measure.name == PAIR for measure in measures),
        "hiding": shown.anything_hidden,
    }
    defined = [work.reference for cuts in cuts_used(shown) for work in cited_for(cuts)]
    return References((*cited(used).entries, *dict.fromkeys(defined)))
