"""Where the data came from, how they were read, and the methods section written from what was run."""

from __future__ import annotations

from ipt_outcomes import __version__
from ipt_outcomes.instruments import instrument, instrument_name
from ipt_outcomes.privacy import GateEntry, describe, hidden_counts
from ipt_outcomes.report.document import Block, Bullets, Note, Paragraph, Reference, References, Table
from ipt_outcomes.report.trial.change import formula_words
from ipt_outcomes.report.trial.shown import Shown, arm_name
from ipt_outcomes.tables import Column, Content, TableRow, TableSpec
from ipt_outcomes.trial import FEWEST, RULES


def data_blocks(shown: Shown) -> tuple[Block, ...]:
    """Return the source, how it was read, what the gate did, and who is not in the data."""
    analysis = shown.analysis
    items: list[Content] = [(f"One file of patient data, SHA-256 {analysis.source.sha256}",)]
    if analysis.simulated:
        items.append(("simulated: no person stands behind these rows",))
    items += [(note,) for note in analysis.reading if shown.may_count(note)]
    if not all(shown.may_count(note) for note in analysis.reading):
        items.append(("Further notes on the reading hold counts, which this audience does not see.",))
    blocks: list[Block] = [Bullets(tuple(items))]
    gate = _gate_table(shown)
    if gate is not None:
        blocks.append(Table(spec=gate, folded=len(gate.rows) > 8))
    people = _people_table(shown)
    if people is not None:
        blocks.append(Table(spec=people))
    return tuple(blocks)


def _gate_table(shown: Shown) -> TableSpec | None:
    entries = shown.analysis.gate.entries
    if not entries:
        return None
    return TableSpec(
        id="gate-table",
        caption="What was left out, changed or warned of when the data were read",
        columns=(Column("Column"), Column("What was done"), Column("Detail"), Column("Rule")),
        rows=tuple(
            TableRow(((entry.column or "all",), (entry.action,), (_detail(shown, entry),), (entry.rule,)))
            for entry in entries
        ),
    )


def _detail(shown: Shown, entry: GateEntry) -> str:
    """What was done, in words; without its counts for an audience that may not see small ones."""
    return entry.detail if shown.may_count(entry.detail) else RULE_WORDS.get(entry.rule, "counts are not shown")


RULE_WORDS = {
    "L1": "columns outside the data dictionary",
    "L2": "columns named like an identifier",
    "L3": "values that look like an identifier",
    "L4": "free text",
    "L5": "dates are kept as days from the person's own start",
    "L6": "ages of 90 and over are kept as 90",
    "L7": "places are kept as regions",
    "L8": "ids were replaced by random keys; no list of them is kept",
    "L9": "people who can be told apart by a few characteristics: rows of persons must not be passed on",
    "L10": "labels of the file",
    "L11": "scores outside the instrument's range",
    "L12": "visits or ids that stand twice, or people whose site or therapist changes",
    "L13": "number of rows",
    "L14": "the file could not be read safely",
}


def _people_table(shown: Shown) -> TableSpec | None:
    rows = []
    for row in shown.results:
        if row.analysis == "reading" and row.statistic == "people":
            levels = dict(row.groups)
            rows.append(
                TableRow(
                    (
                        (levels["step"],),
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
    source = f" Source of its range and direction: {'; '.join(known.sources)}." if known.sources else ""
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
    rules = "; ".join(RULES.values())
    return (
        f"Response: {shown.analysis.response.rule}. It is counted three ways: {rules}. Rates have Wilson intervals, "
        "odds and risk ratios log-Wald intervals, risk differences Newcombe's interval; tables with an empty cell have "
        "0.5 added to all four cells."
    )


def _area_words(shown: Shown) -> str:
    return shown.analysis.areas.method


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
    sentence = describe(shown.audience)  # type: ignore[arg-type]
    items: list[Content] = [(sentence,)]
    if hidden:
        items.append(("Where a number is hidden, the page says so.",))
    if shown.audience in {"public", "board"}:
        items.append(("Medians, quartiles and who left after which visit are not shown to this audience.",))
    return Note("Whom this report may be shown to", tuple(items))


_REFERENCES: dict[str, Reference] = {
    "laird": Reference(
        "Laird & Ware (1982). Random-effects models for longitudinal data. Biometrics, 38(4), 963–974.",
        "10.2307/2529876",
    ),
    "satterthwaite": Reference(
        "Satterthwaite (1946). An approximate distribution of estimates of variance components. Biometrics Bulletin, "
        "2(6), 110–114.",
        "10.2307/3002019",
    ),
    "hedges": Reference(
        "Hedges (1981). Distribution theory for Glass's estimator of effect size and related estimators. "
        "Journal of Educational Statistics, 6(2), 107–128.",
        "10.3102/10769986006002107",
    ),
    "feingold": Reference(
        "Feingold (2009). Effect sizes for growth-modeling analysis for controlled clinical trials in the same metric "
        "as for classical analysis. Psychological Methods, 14(1), 43–53.",
        "10.1037/a0014699",
    ),
    "wilson": Reference(
        "Wilson (1927). Probable inference, the law of succession, and statistical inference. Journal of the American "
        "Statistical Association, 22(158), 209–212.",
        "10.1080/01621459.1927.10502953",
    ),
    "newcombe": Reference(
        "Newcombe (1998). Interval estimation for the difference between independent proportions: comparison of eleven "
        "methods. Statistics in Medicine, 17(8), 873–890.",
        "10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I",
    ),
    "woolf": Reference(
        "Woolf (1955). On estimating the relation between blood group and disease. Annals of Human Genetics, 19(4), "
        "251–253.",
        "10.1111/j.1469-1809.1955.tb01348.x",
    ),
    "austin": Reference(
        "Austin (2009). Balance diagnostics for comparing the distribution of baseline covariates between treatment "
        "groups in propensity-score matched samples. Statistics in Medicine, 28(25), 3083–3107.",
        "10.1002/sim.3697",
    ),
    "holm": Reference(
        "Holm (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics, "
        "6(2), 65–70.",
    ),
    "morris": Reference(
        "Morris (1983). Parametric empirical Bayes inference: theory and applications. Journal of the American "
        "Statistical Association, 78(381), 47–55.",
        "10.1080/01621459.1983.10477920",
    ),
}


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
    return References(tuple(_REFERENCES[key] for key, use in used.items() if use))


__all__ = ["audience_note", "data_blocks", "methods_paragraphs", "references"]
