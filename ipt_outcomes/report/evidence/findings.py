"""What was found: the first screen of the report, and the tables of analyses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipt_outcomes.evidence import KINDS, EvidenceSynthesis, column_in_words, favours, in_order
from ipt_outcomes.report.document import Block, Bullets, Note, Paragraph, Table
from ipt_outcomes.report.evidence.shown import Shown, arms_in_words, condition, level_name, title_of
from ipt_outcomes.report.runs import plain
from ipt_outcomes.report.writing import say
from ipt_outcomes.results import listed, plural
from ipt_outcomes.tables import Column, Content, Link, Strong, TableRow, TableSpec


def finding(shown: Shown) -> tuple[Block, ...]:
    """Return the main result of a battery in sentences, with what a reader must know before using it."""
    battery = shown.battery
    blocks: list[Block] = [Paragraph(_main_sentence(shown)), Paragraph(_spread_sentence(shown))]
    notes: list[Content] = [(note,) for note in (*battery.notes, *battery.study_effects.notes)]
    if battery.combined.narrower_than_z:
        notes.append(
            say(
                "The Knapp-Hartung interval is {limits}, the normal one {normal}.",
                limits=shown.limits("combined", "ci", "decimal3"),
                normal=shown.limits("combined", "z_ci", "decimal3"),
            )
        )
    if notes:
        blocks.append(Note("Before you use these numbers", tuple(notes)))
    return tuple(blocks)


def _comparators(shown: Shown) -> str:
    """The conditions compared with, if they are few enough to name."""
    rows = shown.battery.study_effects.rows
    if "condition_arm2" not in rows:
        return ""
    names = list(dict.fromkeys(condition(text, code=False) for text in in_order(rows["condition_arm2"].dropna())))
    return listed(names, "or") if 1 <= len(names) <= 4 else ""


def _main_sentence(shown: Shown) -> Content:
    battery = shown.battery
    arm1, arm2 = arms_in_words(battery)
    k = battery.combined.k
    people: Content = ()
    if shown.has("table", "participants"):
        told = shown.results.find("table", "participants", battery.groups)
        some = "" if told.n == len(battery.studies) else " in the studies that tell"
        people = (", ", shown.value("table", "participants", "integer"), f" participants{some}")
    return say(
        "{k} {studies} ({rows} {effects}{people}) compared {arm1} with {arm2}. {pooled}: {symbol} = {estimate} "
        "({level} CI {limits}; {p}). {verdict}",
        k=shown.value("combined", "k", "integer"),
        studies=plural(k, "study", "studies"),
        rows=shown.value("table", "rows_computed", "integer"),
        effects=plural(len(battery.study_effects.rows), "effect", "effects"),
        people=people,
        arm1=arm1,
        arm2=_comparators(shown) or arm2,
        pooled="Pooled effect" if k > 1 else "Its effect",
        symbol=shown.symbol,
        estimate=shown.estimate("combined"),
        level=shown.level,
        limits=shown.limits("combined"),
        p=shown.p("combined"),
        verdict=Strong(verdict(shown)),
    )


def verdict(shown: Shown) -> str:
    """Say which arm the interval favours, and never more than it does."""
    arms = arms_in_words(shown.battery)
    arm = favours(shown.battery.combined)
    if arm:
        return f"The whole interval favours {arms[arm - 1]}."
    narrow = shown.battery.combined.narrower_than_z
    which = "The normal interval, the wider one here," if narrow else "The interval"
    return f"{which} includes no difference: these data do not show that one is better than the other."


def _spread_sentence(shown: Shown) -> Content:
    battery = shown.battery
    if battery.combined.k < 2:
        return ("With one study there is no between-study variance to estimate.",)
    if battery.combined.tau2_method == "common":
        return say(
            "One common effect was assumed: no variance between studies. I² = {i2}: this share of the variance is more "
            "than chance.",
            i2=shown.value("combined", "i2", "percent"),
        )
    parts = say(
        "Between studies: τ²{scale} = {tau2}, I² = {i2}",
        scale=shown.scale,
        tau2=shown.value("combined", "tau2", "decimal3"),
        i2=shown.value("combined", "i2", "percent"),
    )
    if shown.has("combined", "i2_low"):
        parts += say(
            " ({level} CI {low} to {high})",
            level=shown.level,
            low=shown.value("combined", "i2_low", "percent"),
            high=shown.value("combined", "i2_high", "percent"),
        )
    if battery.combined.prediction_low is None:
        return (*parts, ".")
    return parts + say(
        ". The true effect of a new study of this kind is expected between {low} and {high} ({level} "
        "prediction interval){null}.",
        low=shown.limits("combined", "prediction")[0],
        high=shown.limits("combined", "prediction")[-1],
        level=shown.level,
        null=_prediction_words(shown),
    )


def _prediction_words(shown: Shown) -> str:
    low, high = shown.battery.combined.prediction_low, shown.battery.combined.prediction_high
    if low is None or high is None or not low < 0 < high:
        return ""
    return ", so in some settings there may be no difference, or one in the other direction"


def comparisons_table(synthesis: EvidenceSynthesis, batteries: tuple[Shown, ...]) -> Table:
    """Return the main result of every battery side by side."""
    rows: list[TableRow] = []
    notes: list[Content] = []
    for shown in batteries:
        name = title_of(shown.battery, synthesis)
        rows.append(pooled_row((Link(name, f"#{shown.prefix}finding"),), shown, "combined", None))
        notes += narrow_notes(shown, [Line(name, "combined", {})])
    return Table(
        spec=TableSpec(
            id="comparisons",
            caption="The main result of each comparison (one effect per study)",
            columns=pooled_columns("Comparison", "Effect", batteries[0].level),
            rows=tuple(rows),
            notes=tuple(notes),
        )
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table of pooled effects: its words, and where its numbers are."""

    words: str
    analysis: str
    levels: dict[str, str]


def narrow_notes(shown: Shown, lines: Sequence[Line]) -> tuple[Content, ...]:
    """Say for each row whose Knapp-Hartung interval is narrower than the normal one what the normal one is."""
    narrow = [line for line in lines if shown.has(line.analysis, "z_ci_low", **line.levels)]
    return tuple(_narrow_note(shown, line) for line in narrow)


def _narrow_note(shown: Shown, line: Line) -> Content:
    limits, normal = (shown.limits(line.analysis, kind, "decimal3", **line.levels) for kind in ("ci", "z_ci"))
    known = shown.results.by_id()
    little = plain(limits, known) == plain(normal, known)
    return say(
        "{words}: the Knapp-Hartung interval, {limits}, is narrower than the normal one, {normal}{little}; the wider "
        "is the safer.",
        words=line.words,
        limits=limits,
        normal=normal,
        little=", by less than is printed here" if little else "",
    )


def comparator_table(shown: Shown) -> tuple[Block, ...]:
    """Return the pooled effect in each level of the column compared by, and the test between them."""
    battery = shown.battery
    if battery.comparators is None or battery.by is None or len(battery.comparator_levels) < 2:
        return ()
    lines = [
        Line(level_name(battery, str(level)), "by_comparator", {battery.by_key: str(level)})
        for level in battery.comparators.pooled
    ]
    table = Table(
        spec=TableSpec(
            id=f"{shown.prefix}comparator-table",
            caption=f"The pooled effect by {column_in_words(battery.by)} (one combined effect per study)",
            columns=pooled_columns(column_in_words(battery.by).capitalize(), shown.symbol, shown.level),
            rows=tuple(pooled_row((line.words,), shown, line.analysis, line.levels) for line in lines),
            notes=narrow_notes(shown, lines),
        )
    )
    if not shown.has("comparator_test", "q_between_p_value"):
        return (table,)
    sentence = say(
        "Test for a difference between the levels (each with its own τ², with the standard errors of the table): "
        "Q = {q}, df = {df}, {p}.",
        q=shown.value("comparator_test", "q_between"),
        df=shown.value("comparator_test", "q_between_df", "integer"),
        p=shown.p("comparator_test", "q_between_p_value"),
    )
    if battery.combined.test != "z":
        sentence += say(
            " With normal standard errors: Q = {q}, {p}.",
            q=shown.value("comparator_test_normal", "q_between"),
            p=shown.p("comparator_test_normal", "q_between_p_value"),
        )
    return (table, Paragraph(sentence))


def rho_table(shown: Shown) -> tuple[Block, ...]:
    """Return the main results under other assumed correlations of the effects of one study."""
    battery = shown.battery
    if not battery.rho:
        return ()
    rhos = sorted({rho for rho, _ in battery.rho})
    levels = list(dict.fromkeys(level for _, level in battery.rho))
    rows, lines = [], []
    for level in levels:
        where = {battery.by_key: level} if level else {}
        words = level_name(battery, level) if level else "All studies"
        cells = [shown.effect("rho_sensitivity", **{"rho": f"{rho:g}", **where}) for rho in rhos]
        rows.append(TableRow(((words,), *cells)))
        lines += [
            Line(f"{words}, correlation {rho:g}", "rho_sensitivity", {"rho": f"{rho:g}", **where}) for rho in rhos
        ]
    spec = TableSpec(
        id=f"{shown.prefix}rho-table",
        caption=f"Pooled {shown.symbol} ({shown.level} CI) by the correlation assumed between effects of one study",
        columns=(Column("Studies"), *(Column(f"Correlation {rho:g}", "right") for rho in rhos)),
        rows=tuple(rows),
        notes=narrow_notes(shown, lines),
    )
    return (Table(spec=spec),)


def sources_note(shown: Shown) -> Bullets:
    """Return which data gave how many effects."""
    battery = shown.battery
    kinds = battery.study_effects.rows["kind"].unique()
    items = [
        say("{n} from {kind}", n=shown.value("table", "rows_of_kind", "integer", kind=words), kind=words)
        for kind, words in KINDS.items()
        if kind in kinds
    ]
    for source, count in battery.study_effects.directions.items():
        n = shown.value("table", "rows_of_direction", "integer", direction=source)
        rows = plural(count, "row", "rows")
        items.append(say("direction of the scale {source}: {n} {rows}", source=source, n=n, rows=rows))
    return Bullets(tuple(items))


def pooled_columns(first: str, symbol: str, level: str) -> tuple[Column, ...]:
    """Return the columns of a table of pooled effects."""
    return (
        Column(first),
        Column("k", "right"),
        Column(f"{symbol} ({level} CI)", "right"),
        Column(f"{level} PI", "right"),
        Column("τ²", "right"),
        Column("I²", "right"),
        Column("p", "right"),
    )


def pooled_row(
    name: Content, shown: Shown, analysis: str, levels: dict[str, str] | None, *, total: bool = False
) -> TableRow:
    """Return the row of a pooled effect; a dash where the analysis has no such number."""
    where = levels or {}
    cells: tuple[Content, ...] = (
        name,
        (shown.value(analysis, "k", "integer", **where),),
        shown.effect(analysis, **where),
        shown.limits(analysis, "prediction", **where) if shown.has(analysis, "prediction_low", **where) else ("–",),
        shown.cell(analysis, "tau2", "decimal3", **where),
        shown.cell(analysis, "i2", "percent", **where),
        shown.cell(analysis, "p_value", "p", **where),
    )
    return TableRow(cells, "total" if total else "body")
