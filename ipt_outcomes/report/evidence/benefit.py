"""What the pooled effect means for people: rates, numbers needed to treat, the summary of findings."""

from __future__ import annotations

import math

from ipt_outcomes.evidence import EvidenceSynthesis
from ipt_outcomes.report.document import Block, Heading, Note, Paragraph, Table
from ipt_outcomes.report.evidence.shown import Shown, arms_in_words, title_of
from ipt_outcomes.report.writing import say
from ipt_outcomes.results import format_number, plural
from ipt_outcomes.tables import Column, Content, Link, TableRow, TableSpec

TO_BE_JUDGED = "to be judged"
_DOMAINS = {
    "risk_of_bias": "Risk of bias",
    "inconsistency": "Inconsistency",
    "indirectness": "Indirectness",
    "imprecision": "Imprecision",
    "publication_bias": "Publication bias",
    "certainty": "Certainty",
}
_KRAEMER = "kraemer-kupfer"


def benefit_blocks(shown: Shown) -> tuple[Block, ...]:
    """Return the numbers needed to treat of the main analysis.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    tuple of Block
    """
    battery = shown.battery
    if not battery.nnt:
        return ()
    blocks: list[Block] = []
    if battery.control_rate is not None:
        arm1, arm2 = arms_in_words(battery)
        k = battery.control_rate.k
        sentence = say(
            "In the {k} {studies} people with the good outcome, its pooled rate is {rate} with {arm2} and "
            "{treated} with {arm1} (a proportion of 1 is everyone).",
            k=format_number(k, "integer"),
            studies=plural(k, "study that counts", "studies that count"),
            rate=shown.value("control_rate", "rate"),
            treated=shown.value("treatment_rate", "rate"),
            arm1=arm1,
            arm2=arm2,
        )
        blocks.append(Paragraph(sentence))
    rows = tuple(TableRow(((_basis(shown, key),), _needed(shown, key), _gain(shown, key))) for key in battery.nnt)
    spec = TableSpec(
        id=f"{shown.prefix}nnt-table",
        caption="Number needed to treat for one more good outcome, from the main analysis",
        columns=(
            Column("Good outcomes without the treatment"),
            Column(f"Number needed to treat ({shown.level} CI)", "right"),
            Column(f"Difference of the rates ({shown.level} CI)", "right"),
        ),
        rows=rows,
        notes=(
            (
                "NNTB: to benefit; NNTH: to harm. An interval of the difference that holds zero goes from an NNTB "
                "through infinity (∞: no difference) to an NNTH.",
            ),
        ),
    )
    return (*blocks, Table(spec=spec))


def _basis(shown: Shown, key: str) -> str:
    if key == _KRAEMER:
        return "not needed (Kraemer and Kupfer)"
    if key == "pooled":
        return "the pooled rate of these studies"
    return f"{format_number(100 * float(key), 'number')}% (assumed)"


def _needed(shown: Shown, key: str) -> Content:
    """An NNT as "NNTB 3.8 (2.7 to 6.4)", or through infinity where the interval of the difference holds zero."""
    where = {"control_rate": key}
    benefit, low, high = (shown.number("nnt", name, **where) for name in ("benefit", "benefit_low", "benefit_high"))
    if benefit is None or math.isnan(benefit):
        return ("–",)
    if benefit == 0:
        return ("∞",)
    parts = say("{lead} {n}", lead="NNTB" if benefit > 0 else "NNTH", n=shown.value("nnt", "nnt", "decimal1", **where))
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return parts
    near, far = (shown.value("nnt", f"nnt_{end}", "decimal1", **where) for end in ("near", "far"))
    if low < 0 < high:
        return parts + say(" (NNTB {near} to ∞ to NNTH {far})", near=near, far=far)
    # The nearer limit is the one at the larger difference, whichever side it lies on.
    return parts + (say(" ({a} to {b})", a=near, b=far) if high > 0 else say(" ({a} to {b})", a=far, b=near))


def _gain(shown: Shown, key: str) -> Content:
    where = {"control_rate": key}
    if not shown.has("nnt", "benefit", **where):
        return ("–",)
    low, high = (shown.value("nnt", f"benefit_{end}", **where) for end in ("low", "high"))
    return (shown.value("nnt", "benefit", **where), " (", low, " to ", high, ")")


def findings_blocks(synthesis: EvidenceSynthesis, batteries: tuple[Shown, ...]) -> tuple[Block, ...]:
    """Return the summary of findings: numbers from the analyses, judgements from people or left open.

    Parameters
    ----------
    synthesis : EvidenceSynthesis
    batteries : tuple of Shown

    Returns
    -------
    tuple of Block
    """
    held = [shown for shown in batteries if shown.battery.findings is not None]
    if not held:
        return ()
    table = TableSpec(
        id="summary-of-findings",
        caption="Summary of findings: people with the good outcome of 1,000",
        columns=(
            Column("Comparison"),
            Column("Studies (participants)", "right"),
            Column(f"Effect ({held[0].level} CI)", "right"),
            Column("Without the treatment", "right"),
            Column(f"With it ({held[0].level} CI)", "right"),
            Column("Difference", "right"),
            Column("Certainty"),
        ),
        rows=tuple(_findings_row(synthesis, shown) for shown in held),
        notes=tuple(_rate_notes(held)),
    )
    judged = TableSpec(
        id="judgements",
        caption="What the certainty rests on",
        columns=(Column("Comparison"), *(Column(words) for words in _DOMAINS.values())),
        rows=tuple(_judgement_row(synthesis, shown) for shown in held),
        notes=tuple(
            (f"{title_of(shown.battery, synthesis)}: {shown.battery.findings.judgements['explanation']}",)
            for shown in held
            if shown.battery.findings is not None and shown.battery.findings.judgements.get("explanation")
        ),
    )
    open_ones = [shown for shown in held if shown.battery.findings is not None and not shown.battery.findings.judged]
    note: tuple[Block, ...] = ()
    if open_ones:
        words = (
            "No program judges how certain evidence is. The judgements are made by people who know the studies, and "
            "are given to this report in a file (judgements).",
        )
        note = (Note("Judgements are left to you", (words,)),)
    return (Heading("Summary of findings", "findings-section"), Table(spec=table), Table(spec=judged), *note)


def _findings_row(synthesis: EvidenceSynthesis, shown: Shown) -> TableRow:
    findings = shown.battery.findings
    assert findings is not None  # noqa: S101  chosen by the caller
    people: Content = ()
    if shown.has("summary_of_findings", "participants"):
        people = say(" ({n})", n=shown.value("summary_of_findings", "participants", "integer"))
    what = "summary_of_findings"
    treated = _limits(shown, "treatment_per_1000")
    difference = _limits(shown, "difference_per_1000")
    return TableRow(
        (
            (Link(title_of(shown.battery, synthesis), f"#{shown.prefix}finding"),),
            (shown.value(what, "studies", "integer"), *people),
            (f"{shown.symbol} ", *shown.effect("combined")),
            (shown.value(what, "control_per_1000", "integer"),),
            treated,
            difference,
            (findings.judgements.get("certainty") or TO_BE_JUDGED,),
        )
    )


def _limits(shown: Shown, name: str) -> Content:
    what = "summary_of_findings"
    value, low, high = (shown.value(what, f"{name}{end}", "integer") for end in ("", "_low", "_high"))
    return (value, " (", low, " to ", high, ")")


def _judgement_row(synthesis: EvidenceSynthesis, shown: Shown) -> TableRow:
    findings = shown.battery.findings
    given = {} if findings is None else findings.judgements
    name: Content = (title_of(shown.battery, synthesis),)
    return TableRow((name, *((given.get(domain) or TO_BE_JUDGED,) for domain in _DOMAINS)))


def _rate_notes(held: list[Shown]) -> list[Content]:
    """Where the rates without the treatment come from; said once for all that share it."""
    sources = {shown.battery.findings.control_rate_source for shown in held if shown.battery.findings is not None}
    notes: list[Content] = []
    if "pooled" in sources:
        notes.append(("Rates without the treatment are pooled from the studies where these count people.",))
    if "assumed" in sources:
        rate = 100 * held[0].battery.options.control_rate
        some = " where no study counts people" if "pooled" in sources else ""
        notes.append(
            (f"The rate without the treatment is assumed, {rate:g}%{some}: choose the one of your own people.",)
        )
    if any(shown.symbol == "g" for shown in held):
        notes.append(("g becomes a difference of rates by the method of Furukawa and Leucht (2011).",))
    return notes
