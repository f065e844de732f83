"""Where the data came from, how they were read, and the methods section written from what was run."""

from __future__ import annotations

from ipt_outcomes import __version__
from ipt_outcomes.instruments import instrument, instrument_name
from ipt_outcomes.mixed import MixedFit
from ipt_outcomes.privacy import audience_rule, describe, hidden_counts
from ipt_outcomes.report.document import Block, Bullets, Note, Paragraph, References, Table
from ipt_outcomes.report.gate import gate_table, may_show
from ipt_outcomes.report.references import cited
from ipt_outcomes.report.sources import named, works_on
from ipt_outcomes.report.trial.change import formula_words
from ipt_outcomes.report.trial.shown import Shown, arm_name
from ipt_outcomes.report.writing import capital
from ipt_outcomes.tables import Column, Content, TableRow, TableSpec
from ipt_outcomes.trial import FEWEST, RULES


def data_blocks(shown: Shown) -> tuple[Block, ...]:
    """Return the source, how it was read, what the gate did, and who is not in the data."""
    analysis = shown.analysis
    items: list[Content] = [(f"One file of patient data, SHA-256 {analysis.source.sha256}.",)]
    if analysis.simulated:
        items.append(("Simulated: no person stands behind these rows.",))
    rule = audience_rule(shown.audience)
    items += [(f"{capital(note)}.",) for note in analysis.reading if may_show(note, rule)]
    if not all(may_show(note, rule) for note in analysis.reading):
        items.append(("Further notes on the reading hold counts, which this audience does not see.",))
    blocks: list[Block] = [Bullets(tuple(items))]
    gate = gate_table(analysis.gate, rule)
    if gate is not None:
        blocks.append(Table(spec=gate, folded=len(gate.rows) > 8))
    people = _people_table(shown)
    if people is not None:
        blocks.append(Table(spec=people))
    return tuple(blocks)


def _people_table(shown: Shown) -> TableSpec | None:
    rows = []
    for row in shown.results:
        if row.analysis == "reading" and row.statistic == "people" and row.value != 0:
            levels = dict(row.groups)
            rows.append(
                TableRow(
                    (
                        (capital(levels["step"]),),
                        (_reason(levels["reason"]),),
                        (shown.value("reading", "people", "integer", **levels),),
                    )
                )
            )
    if not rows:
        return None
    return TableSpec(
        id="reading-table",
        caption="Who is in the data",
        columns=(Column("Step"), Column("Reason"), Column("People", "right")),
        rows=tuple(rows),
    )


def _reason(reason: str) -> str:
    """The reason in words; an instrument by its short name."""
    return instrument(reason).short if instrument_name(reason) is not None else reason or "–"


def methods_paragraphs(shown: Shown) -> tuple[Paragraph, ...]:
    """Return the methods section: outcome, model, effect size, response, areas, missing values."""
    paragraphs = (
        _outcome_words(shown),
        _model_words(shown),
        _effect_words(shown),
        _response_words(shown),
        _area_words(shown),
        _missing_words(shown),
        f"Computed with ipt_outcomes {__version__}. Confidence level {shown.level}.",
    )
    return tuple(Paragraph((words,)) for words in paragraphs if words)


def _outcome_words(shown: Shown) -> str:
    known = shown.instrument
    span = (
        f", {known.minimum:g} to {known.maximum:g}" if known.minimum is not None and known.maximum is not None else ""
    )
    works = works_on(known.name, "range")
    source = f" Its range and direction: {named(works)}." if works else ""
    baseline = "Baseline is the last score at or before week 0."
    plan = {
        "visit": "Visits are those the data name.",
        "session_no": "Visits are the numbers the data give them.",
        "week": "Visits are told apart by the week.",
    }[shown.analysis.visits_by]
    return (
        f"Outcome: {known.title} ({known.short}{span}; {shown.better}) at {shown.end}. {baseline} {plan} The planned "
        f"week of a visit is its median week.{source}"
    )


def _model_words(shown: Shown) -> str:
    model = shown.analysis.model
    if isinstance(model, str):
        return ""
    formula = formula_words(model.formula, shown.outcome)
    if not model.is_mixed:
        words = f"The arms were compared at the end point by analysis of covariance ({formula}), least squares."
    else:
        slopes = "random intercepts and slopes" if "(week |" in model.formula else "random intercepts"
        words = (
            f"Change was modelled by a linear mixed model with {slopes} of people ({formula}), fitted by restricted "
            "maximum likelihood, with degrees of freedom after Satterthwaite. Time is the week of each score; change "
            "is taken as linear from the first visit after baseline to the end point. Scores at or before week 0 are "
            "the covariate and no outcome."
        )
    if model.attempts:
        words += (
            f" Tried first and not used: {'; '.join(formula_words(text, shown.outcome) for text in model.attempts)}."
        )
    if isinstance(model.fit, MixedFit) and model.fit.singular:
        words += f" The fit is singular: {formula_words(model.fit.singular_direction, shown.outcome)}."
    return f"{words} Arms are coded by treatment contrasts; the reference is {arm_name(model.arms[0])}."


def _effect_words(shown: Shown) -> str:
    if not any(item.effects for item in shown.analysis.comparisons):
        return ""
    return (
        "Hedges' g is the model's difference at the end point, turned so that positive favours the arm with IPT, over "
        "the SD of the scores observed at the end point, pooled over the two arms, times the exact small-sample "
        "correction; its variance is J² ((SE/SD)² + d²/(2 df)) with the degrees of freedom of the SD, its interval is "
        "normal. An interval is said to favour an arm only if both the interval of the difference in points and that "
        f"of g lie on one side of no difference. With fewer than {FEWEST} people with a score an arm is not compared."
    )


def _response_words(shown: Shown) -> str:
    rules = "; ".join(
        f"({letter}) {words.replace(';', ',')}" for letter, words in zip("abc", RULES.values(), strict=True)
    )
    return (
        f"Response: {shown.analysis.response.rule}. It is counted three ways: {rules}. Rates have Wilson intervals, "
        "odds and risk ratios log-Wald intervals, risk differences Newcombe's interval; tables with an empty cell have "
        "0.5 added to all four cells."
    )


def _area_words(shown: Shown) -> str:
    return formula_words(shown.analysis.areas.method, shown.outcome)


def _missing_words(shown: Shown) -> str:
    mixed = not isinstance(shown.analysis.model, str) and shown.analysis.model.is_mixed
    how = (
        "The mixed model is valid if scores are missing at random given the baseline, the arm and the scores observed; "
        "that cannot be checked in these data."
        if mixed
        else ""
    )
    return f"No score was imputed, except where the last one carried forward is named. {how}".strip()


def audience_note(shown: Shown) -> Note:
    """Return the sentence on whom the report may be shown to, and how much is hidden."""
    hidden = hidden_counts(shown.results)
    sentence = describe(shown.audience)
    items: list[Content] = [(sentence,)]
    if hidden:
        items.append(("Where a number is hidden, the page says so.",))
    if shown.audience in {"public", "board"}:
        items.append(("Medians, quartiles and who left after which visit are not shown to this audience.",))
    return Note("Whom this report may be shown to", tuple(items))


def references(shown: Shown) -> References:
    """Return the references of the methods that were run."""
    analysis = shown.analysis
    mixed = not isinstance(analysis.model, str) and analysis.model.is_mixed
    effects = any(item.effects for item in analysis.comparisons)
    used = {
        "laird": mixed,
        "satterthwaite": mixed,
        "hedges": effects,
        "feingold": effects,
        "wilson": True,
        "newcombe": True,
        "woolf": True,
        "austin": True,
        "holm": len(analysis.comparisons) > 1 or any(part.test for part in analysis.areas.parts),
        "morris": any(len(part.shrunken) for part in analysis.areas.parts),
    }
    scale = [work.reference for work in works_on(shown.instrument.name, "range")]
    return References((*cited(used).entries, *scale))


__all__ = ["audience_note", "data_blocks", "methods_paragraphs", "references"]
