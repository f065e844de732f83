"""The model of change and what follows from it: coefficients, comparisons, response."""

from __future__ import annotations

import re

from ipt_outcomes.report.document import Block, Paragraph, Table
from ipt_outcomes.report.levels import RESPONSE_RULES
from ipt_outcomes.report.trial.shown import PRIVATE, Shown, arm_name
from ipt_outcomes.report.writing import capital, say
from ipt_outcomes.results.format import MINUS
from ipt_outcomes.tables import Column, Content, TableRow, TableSpec
from ipt_outcomes.trial import MEASURES, RULES, STANDARDISERS
from ipt_outcomes.vocabulary import label

_ARM_TERM = re.compile(r"arm\[?([a-z_]+)\]?")
_SOURCES = {"model": "model of change", "ancova": "analysis of covariance at the end point"}


def model_blocks(shown: Shown) -> tuple[Block, ...]:
    """Return the coefficients and the variance components of the model of change."""
    model = shown.analysis.model
    if isinstance(model, str):
        return (Paragraph((f"No model of change was fitted: {model}.",)),)
    reference = model.arms[0]
    words = say(
        "{formula}, fitted to {n_obs} scores{people}. Scores are in points of the {outcome}; the reference "
        "arm is {reference}. {dropped}",
        formula=f"Model: {formula_words(model.formula, shown.outcome)}",
        n_obs=shown.value("model", "n_obs", "integer"),
        people=_people(shown),
        outcome=shown.outcome,
        reference=arm_name(reference),
        dropped=_dropped(shown),
    )
    terms = [str(term) for term in model.fit.fixed["term"]]
    rows = tuple(
        TableRow(
            (
                (term_words(term),),
                shown.effect("model", term=term),
                (shown.value("model", "se", term=term),),
                (shown.value("model", "df", "decimal1", term=term),),
                (shown.value("model", "statistic", term=term),),
                (shown.value("model", "p_value", "p", term=term),),
            )
        )
        for term in terms
    )
    spec = TableSpec(
        id="model-table",
        caption="Fixed effects of the model of change",
        columns=(
            Column("Term"),
            Column(f"Estimate ({shown.level} CI)", "right"),
            Column("SE", "right"),
            Column("df", "right"),
            Column("t", "right"),
            Column("p", "right"),
        ),
        rows=rows,
    )
    return (Paragraph(words), Table(spec=spec), *_variances(shown))


def _people(shown: Shown) -> Content:
    if not shown.has("model", "people"):
        return ()
    return (" of ", shown.value("model", "people", "integer"), " people")


def _dropped(shown: Shown) -> Content:
    if shown.row("model", "n_dropped") is None:
        return ("People without a score at the end point or without a baseline are not in it.",)
    if shown.number("model", "n_dropped") == 0:
        return ("No score was left out.",)
    return (
        shown.value("model", "n_dropped", "integer"),
        " visits without a score, or of people without a baseline, are not in it.",
    )


def _variances(shown: Shown) -> tuple[Block, ...]:
    model = shown.analysis.model
    if isinstance(model, str) or not model.is_mixed:
        sentence = say("Residual standard deviation: {sd} points.", sd=shown.value("model", "sigma"))
        return (Paragraph(sentence),)
    rows = []
    for row in shown.results:
        if row.analysis != "random" or row.statistic != "variance_or_cov":
            continue
        levels = dict(row.groups)
        name = levels["term"].replace("(Intercept)", "intercept").replace("week", "week (slope)")
        kind = "Correlation" if " with " in levels["term"] else "SD"
        rows.append(
            TableRow(
                (
                    (f"Person: {name}",),
                    (shown.value("random", "variance_or_cov", **levels),),
                    (f"{kind} ", shown.value("random", "sd_or_corr", **levels)),
                )
            )
        )
    rows.append(TableRow((("Residual",), ("",), ("SD ", shown.value("model", "sigma")))))
    spec = TableSpec(
        id="variances-table",
        caption="Variance components: how people differ from their arm's mean",
        columns=(Column("Component"), Column("Variance or covariance", "right"), Column("SD or correlation", "right")),
        rows=tuple(rows),
        notes=(("Log-likelihood (REML): ", shown.value("model", "log_likelihood")),),
    )
    return (Table(spec=spec),)


def comparison_tables(shown: Shown) -> tuple[Block, ...]:
    """Return the comparisons at the end point, and g on other standardisers."""
    several = len(shown.analysis.comparisons) > 1
    rows, notes = [], []
    for item in shown.analysis.comparisons:
        pair = {"arm1": item.arm1, "arm2": item.arm2}
        name = f"{capital(arm_name(item.arm1))} against {arm_name(item.arm2)}"
        main = {**pair, "source": "model", "standardiser": "endpoint"}
        cells: list[Content] = [
            (name,),
            shown.effect("effect_size", **main),
            shown.effect("comparison", **pair),
            shown.cell("comparison", "se", **pair),
            shown.cell("comparison", "df", "decimal1", **pair),
            shown.cell("comparison", "p_value", "p", **pair),
        ]
        cells += [shown.cell("comparison", "p_holm", "p", **pair)] if several else []
        cells.append((_favours(shown, item.arm1, item.arm2),))
        rows.append(TableRow(tuple(cells)))
        if item.gap:
            notes.append((f"{name}: {item.gap}.",))
    columns = [
        Column("Comparison"),
        Column(f"g ({shown.level} CI)", "right"),
        Column(f"Points ({shown.level} CI)", "right"),
        Column("SE", "right"),
        Column("df", "right"),
        Column("p", "right"),
    ]
    columns += [Column("p (Holm)", "right")] if several else []
    columns.append(Column("Interval favours"))
    how = (
        f"g: positive favours the first arm named. Points: first minus second arm; {shown.better}. SE, df and p are of "
        "the difference in points."
    )
    main_table = TableSpec(
        id="comparisons-table",
        caption=f"Comparisons at {shown.end}",
        columns=tuple(columns),
        rows=tuple(rows),
        notes=((how,), *notes),
    )
    return (Table(spec=main_table), *_other_standardisers(shown))


def _favours(shown: Shown, arm1: str, arm2: str) -> str:
    if shown.hidden("comparison", "estimate", arm1=arm1, arm2=arm2):
        return "hidden"
    whom = shown.number("comparison", "favours_arm", arm1=arm1, arm2=arm2)
    if whom is None:
        return "not computed"
    return {1.0: "the first arm", 2.0: "the second arm"}.get(float(whom), "neither")


def _other_standardisers(shown: Shown) -> tuple[Block, ...]:
    rows = []
    for item in shown.analysis.comparisons:
        for source, standardiser in item.effects:
            where = {"arm1": item.arm1, "arm2": item.arm2, "source": source, "standardiser": standardiser}
            main = " (main)" if (source, standardiser) == ("model", "endpoint") else ""
            rows.append(
                TableRow(
                    (
                        (f"{capital(arm_name(item.arm1))} against {arm_name(item.arm2)}",),
                        (_SOURCES[source],),
                        (f"{STANDARDISERS[standardiser]}{main}",),
                        shown.cell("effect_size", "sd", "decimal1", **where),
                        shown.effect("effect_size", **where),
                    )
                )
            )
    if not rows:
        return ()
    spec = TableSpec(
        id="standardisers-table",
        caption="g by where the difference comes from and what it is divided by",
        columns=(
            Column("Comparison"),
            Column("Difference from"),
            Column("Divided by"),
            Column("SD", "right"),
            Column(f"g ({shown.level} CI)", "right"),
        ),
        rows=tuple(rows),
        notes=(
            (
                "Only g on the pooled end-point SD is to be pooled with other trials, as the databanks do; the others "
                "stand here to be compared with papers that print them.",
            ),
        ),
    )
    return (Table(spec=spec, folded=True),)


def response_blocks(shown: Shown) -> tuple[Block, ...]:
    """Return the responders by arm and rule, and the comparisons of arms."""
    rule = Paragraph((f"Response is {shown.analysis.response.rule}.",))
    if shown.analysis.response.gap:
        return (rule,)
    return (rule, Table(spec=_rates(shown)), Table(spec=_ratios(shown)))


def _rates(shown: Shown) -> TableSpec:
    rows = []
    for name, words in RESPONSE_RULES.items():
        rows.append(TableRow(((words,), ("",), ("",), ("",)), kind="group"))
        for arm in shown.analysis.arms:
            where = {"arm": arm, "rule": name}
            rows.append(
                TableRow(
                    (
                        (capital(arm_name(arm)),),
                        shown.share(
                            ("response", "responders"), ("response", "denominator"), ("response", "percent"), **where
                        ),
                        _limits(shown, where),
                        (shown.value("response", "missing", "integer", arm=arm),),
                    )
                )
            )
    notes = tuple((f"{RESPONSE_RULES[name]}: {words}.",) for name, words in RULES.items())
    return TableSpec(
        id="response-table",
        caption=f"Responders at {shown.end}, by how missing scores are treated",
        columns=(
            Column("Arm"),
            Column("Responders", "right"),
            Column(f"{shown.level} CI", "right"),
            Column("Score missing", "right"),
        ),
        rows=tuple(rows),
        notes=notes,
    )


def _limits(shown: Shown, where: dict[str, str]) -> Content:
    if not shown.has("response", "ci_low", **where):
        return ("–",)
    low, high = (shown.value("response", name, "percent", **where) for name in ("ci_low", "ci_high"))
    return (low, " to ", high)


def _ratios(shown: Shown) -> TableSpec:
    rows = []
    flags: list[Content] = []
    made = shown.analysis.response.comparisons
    for item in shown.analysis.comparisons:
        name = f"{capital(arm_name(item.arm1))} against {arm_name(item.arm2)}"
        rows.append(TableRow(((name,), *(("",),) * 4), kind="group"))
        for rule, words in RESPONSE_RULES.items():
            where = {"arm1": item.arm1, "arm2": item.arm2, "rule": rule}
            cells = [shown.effect("response_comparison", **where, measure=measure) for measure in MEASURES]
            rows.append(
                TableRow(((words,), *cells, shown.cell("response_comparison", "p_value", "p", **where, measure="OR")))
            )
            mine = made["arm1"].eq(item.arm1) & made["arm2"].eq(item.arm2) & made["rule"].eq(rule)
            if (
                mine.any()
                and any(made.loc[mine, "flag"])
                and shown.has("response_comparison", "estimate", **where, measure="OR")
            ):
                flag = next(text for text in made.loc[mine, "flag"] if text)
                flags.append((f"{name}, {words.lower()}: {flag}.",))
    return TableSpec(
        id="response-comparisons-table",
        caption=f"Response at {shown.end}: comparisons of arms",
        columns=(
            Column("How missing scores are treated"),
            Column(f"OR ({shown.level} CI)", "right"),
            Column(f"RR ({shown.level} CI)", "right"),
            Column(f"RD ({shown.level} CI)", "right"),
            Column("p (OR)", "right"),
        ),
        rows=tuple(rows),
        notes=(
            (
                "OR: odds ratio, RR: risk ratio, RD: risk difference; first arm over (RD: minus) second. An OR or RR "
                "above 1, or an RD above 0, favours the first arm. OR and RR: log-Wald intervals; RD: Newcombe's.",
            ),
            *flags,
        ),
    )


def term_words(term: str) -> str:
    """Return a coefficient in words: "week × interpersonal psychotherapy"."""
    parts = []
    for part in term.split(":"):
        arm = _ARM_TERM.fullmatch(part)
        words = label(arm.group(1)) if arm else {"(Intercept)": "intercept"}.get(part, part)
        parts.append(words)
    return capital(" × ".join(parts))


def formula_words(formula: str, outcome: str) -> str:
    """Return a formula, or a statement on its terms, as a methods section prints it."""
    words = (
        formula.replace("value ~", f"{outcome} ~").replace("patient_id", "person").replace("(Intercept)", "intercept")
    )
    return words.replace(" + -", f" {MINUS} ").replace(" x ", " × ").replace("between person", "between people")


__all__ = ["PRIVATE", "comparison_tables", "formula_words", "model_blocks", "response_blocks", "term_words"]
