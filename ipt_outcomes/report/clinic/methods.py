"""Where the data came from, how the numbers were made, and the references."""

from __future__ import annotations

import re

from ipt_outcomes import __version__
from ipt_outcomes.clinic import PAIR
from ipt_outcomes.privacy import AudienceRule, GateEntry
from ipt_outcomes.report.clinic.shown import Shown
from ipt_outcomes.report.document import Block, Bullets, Paragraph, Reference, References, Table
from ipt_outcomes.tables import Column, Content, TableRow, TableSpec, Value

# Numbers that the gate tells may count people: words for readers from whom small ones are hidden.
_IN_WORDS = {
    "L1": "columns left out",
    "L2": "columns that tell who somebody is",
    "L3": "values that look like contact data",
    "L6": "ages over 89 became 90",
    "L5": "dates became days",
    "L7": "postcodes were shortened",
    "L8": "ids were replaced by random keys",
    "L9": "few people share these traits, so rows of persons must not be passed on",
    "L10": "labels and notes",
    "L11": "codes that are no scores, or people set aside, as the mapping says",
    "L12": "repeated scores at the same time",
    "L13": "the file has odd rows",
}
# A number as such, not the digits of a name such as phq9.
_NUMBER = re.compile(r"(?<![\w.])\d+(?![\w])")
_SETTLED = re.compile(r"(?P<how>settled by the rule '\w+': [^;\d]+); (?P<rows>\d+) rows fewer")

_REFERENCES: dict[str, Reference] = {
    "wilson": Reference(
        "Wilson (1927). Probable inference, the law of succession, and statistical inference. Journal of the American "
        "Statistical Association, 22(158), 209–212.",
        "10.1080/01621459.1927.10502953",
    ),
    "jacobson": Reference(
        "Jacobson & Truax (1991). Clinical significance: a statistical approach to defining meaningful change in "
        "psychotherapy research. Journal of Consulting and Clinical Psychology, 59(1), 12–19.",
        "10.1037/0022-006X.59.1.12",
    ),
    "clark": Reference(
        "Clark (2018). Realizing the mass public benefit of evidence-based psychological therapies: the IAPT program. "
        "Annual Review of Clinical Psychology, 14, 159–183.",
        "10.1146/annurev-clinpsy-050817-084833",
    ),
    "hiding": Reference(
        "Fischetti & Salazar (2001). Solving the cell suppression problem on tabular data with linear constraints. "
        "Management Science, 47(7), 1008–1027.",
        "10.1287/mnsc.47.7.1008.9805",
    ),
}


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
    items += [(_gate_words(entry, shown.rule),) for entry in review.gate.entries]
    items += [(f"{note}.",) for note in review.source_notes if not shown.hides or not _NUMBER.search(note)]
    return (Bullets(tuple(dict.fromkeys(items))), *_flow_blocks(shown))


def _gate_words(entry: GateEntry, rule: AudienceRule) -> str:
    words = entry.detail
    if rule.hides and _NUMBER.search(words):
        where = f" ({entry.column})" if entry.column else ""
        words = f"{_IN_WORDS.get(entry.rule, 'changed as the mapping says')}{where}{_settled(entry, rule)}"
    return f"{entry.rule}, {entry.action}: {words}."


def _settled(entry: GateEntry, rule: AudienceRule) -> str:
    """How repeats were settled, with the rows that cost, where they are too many to tell of a few people."""
    found = _SETTLED.search(entry.detail)
    if found is None:
        return ""
    rows = int(found["rows"])
    fewer = f"; {rows} rows fewer" if not rule.is_small(rows) else ""
    return f"; {found['how']}{fewer}"


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
        rows.append(TableRow(((words[:1].upper() + words[1:],), (Value(row.id, "integer"),))))
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
    return References(tuple(_REFERENCES[key] for key, use in used.items() if use))
