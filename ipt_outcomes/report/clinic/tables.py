"""The tables of a clinic report: rates, who was left out, groups, completeness, sessions."""

from __future__ import annotations

from ipt_outcomes.clinic import ALL, COMPLETERS, RULES, STARTERS, Measure
from ipt_outcomes.clinic.outcomes import ABOVE, ALL_BASE, CASES, DEFINED
from ipt_outcomes.clinic.words import RATE_WORDS, RULE_WORDS
from ipt_outcomes.report.clinic.shown import Shown
from ipt_outcomes.report.document import Block, Paragraph, Table
from ipt_outcomes.report.writing import capital
from ipt_outcomes.results import plural
from ipt_outcomes.tables import Column, Content, TableRow, TableSpec, Value
from ipt_outcomes.vocabulary import label

COUNTED = "Counted"
_BASE_WORDS = {
    ALL_BASE: "everyone",
    CASES: "cases at the start",
    ABOVE: "those not in remission at the start",
    DEFINED: "those with symptoms at the start",
}


def rates_table(shown: Shown, measure: Measure, *, folded: bool) -> Table:
    """Return every rate of a measure for everyone, under the three rules."""
    rows: list[TableRow] = []
    for rate in measure.rates:
        base = _BASE_WORDS[measure.bases[rate]]
        rows.append(TableRow(((f"{RATE_WORDS[rate]}, of {base}",), (), ()), "group"))
        for rule in RULES:
            ids = shown.ids(measure.name, rate, rule)
            rows.append(TableRow(((RULE_WORDS[rule],), shown.counts(ids), shown.share(ids))))
    return Table(
        spec=TableSpec(
            id=f"rates-{anchor(measure)}",
            caption=f"{measure.label}: every rate under three rules of counting",
            columns=(Column("Who is counted"), Column("Number", "right"), Column(f"Share ({shown.level} CI)", "right")),
            rows=tuple(rows),
            notes=(
                (
                    "Under all starters, whoever has no last score also counts as not worse: that rate of getting "
                    "worse is a lower bound.",
                ),
            )
            if "reliable_deterioration" in measure.rates
            else (),
        ),
        folded=folded,
    )


def left_out_table(shown: Shown, measure: Measure) -> Table:
    """Return who is in each denominator and who was left out, by the first reason that applies."""
    columns, steps = [], []
    for base in dict.fromkeys(measure.bases.values()):
        for rule, words in ((COMPLETERS, "Completers"), (STARTERS, "All starters")):
            columns.append(Column(f"{words}: {_BASE_WORDS[base]}", "right"))
            steps.append(dict(_steps(shown, measure, base, rule)))
    # In the order of the table every step stands before those that follow it in each column; counted comes last.
    names = sorted(dict.fromkeys(name for each in steps for name in each), key=lambda name: name == COUNTED)
    return Table(
        spec=TableSpec(
            id=f"left-out-{anchor(measure)}",
            caption=f"{measure.label}: who is counted, and who was left out and why (people)",
            columns=(Column("Step"), *columns),
            rows=tuple(
                TableRow(
                    ((name,), *((each[name],) if name in each else ("–",) for each in steps)),
                    "total" if name == COUNTED else "body",
                )
                for name in names
            ),
            notes=(
                (
                    "Each is counted once, with the first reason that applies, in the order of the table. All "
                    "starters: the same people under both rules.",
                ),
            ),
        ),
        folded=True,
    )


def _steps(shown: Shown, measure: Measure, base: str, rule: str) -> list[tuple[str, Value]]:
    courses = shown.review.courses
    own = {"measure": measure.name}
    steps = [("In the data", shown.count("courses", "courses"))]
    if courses.knows_sessions:
        steps.append(("Left out: no session attended", shown.count("courses", "not_started")))
    if courses.knows_end:
        steps.append(("Left out: still in treatment", shown.count("courses", "still_in_treatment")))
    steps.append(("Left out: no first score", shown.count("scores", "no_first_score", **own)))
    if rule == COMPLETERS:
        if courses.knows_sessions:
            least = shown.review.options.min_sessions
            few = f"Left out: fewer than {least} {plural(least, 'session', 'sessions')} attended"
            steps.append((few, shown.count("scores", "too_few_sessions", **own)))
        steps.append(("Left out: no last score", shown.count("scores", "no_last_score", **own)))
    if base == ALL_BASE:
        counted = "completers" if rule == COMPLETERS else "with_first_score"
        return [*steps, (COUNTED, shown.count("scores", counted, **own))]
    out = {
        CASES: "Left out: not a case at the start",
        ABOVE: "Left out: in remission at the start",
        DEFINED: "Left out: no symptoms at the start",
    }[base]
    here = {**own, "base": base, "rule": rule}
    return [*steps, (out, shown.count("base", "left_out", **here)), (COUNTED, shown.count("base", "counted", **here))]


def groups_table(shown: Shown, measure: Measure) -> Table:
    """Return every rate of a measure in each group: under the three rules, or what of them is published."""
    rules = tuple(rule for rule in RULES if rule == COMPLETERS or not shown.hides)
    rows: list[TableRow] = []
    for rate in measure.rates:
        heading = f"{RATE_WORDS[rate]}, of {_BASE_WORDS[measure.bases[rate]]}"
        rows.append(TableRow(((heading,), *[()] * len(rules)), "group"))
        for group in (ALL, *shown.levels):
            cells = [_counts_and_share(shown, measure.name, rate, rule, group) for rule in rules]
            rows.append(TableRow(((shown.group_name(group),), *cells), "total" if group == ALL else "body"))
    less = "By group, only completers are published where small numbers are hidden: more would give many of them away."
    return Table(
        spec=TableSpec(
            id=f"groups-{anchor(measure)}",
            caption=f"{measure.label} by {shown.by_words}: number, share and {shown.level} CI",
            columns=(
                Column(shown.by_words.capitalize()),
                *(Column(RULE_WORDS[rule], "right" if len(rules) == 1 else "left") for rule in rules),
            ),
            rows=tuple(rows),
            notes=((less,),) if shown.hides else (),
        ),
        folded=True,
    )


def _counts_and_share(shown: Shown, measure: str, rate: str, rule: str, group: str) -> Content:
    ids = shown.ids(measure, rate, rule, group)
    share = shown.share(ids)
    if shown.nobody(ids) or shown.is_hidden(ids.percent):
        return share
    return (*shown.counts(ids), ": ", *share)


def completeness_blocks(shown: Shown) -> tuple[Block, ...]:
    """Return how complete the measurement is, and how many sessions were attended."""
    rows = []
    for measure in shown.review.measures:
        if len(measure.cuts) > 1:
            continue
        cells = [_complete(shown, measure.name, kind) for kind in ("first", "first_and_last")]
        rows.append(TableRow(((measure.label,), *cells)))
    complete = Table(
        spec=TableSpec(
            id="completeness-table",
            caption="Ended courses with a first score, and with a first and a last score",
            columns=(Column("Instrument"), Column("First score", "right"), Column("First and last", "right")),
            rows=tuple(rows),
            notes=(("Of all courses that started and have ended, whatever the number of sessions.",),),
        )
    )
    return (complete, *_sessions_blocks(shown), *_reasons_blocks(shown))


def _complete(shown: Shown, measure: str, kind: str) -> Content:
    groups = {"measure": measure, "kind": kind}
    count = shown.count("completeness", "people", **groups)
    share = Value(shown.results.find("completeness", "percent", groups).id, "decimal1")
    if shown.is_hidden(count.result_id, share.result_id):
        return (share,)
    if shown.rows[share.result_id].value is None:
        return ("no course has ended",)
    return (count, " of ", shown.count("courses", "ended"), " (", share, "%)")


def _sessions_blocks(shown: Shown) -> tuple[Block, ...]:
    found = [row for row in shown.results if row.analysis == "sessions" and row.statistic == "people"]
    if not shown.review.courses.knows_sessions:
        return (Paragraph(("Sessions attended are not recorded in these data.",)),)
    if not found:
        return (Paragraph(("No course has ended yet, so there are no sessions to count.",)),)
    rows = [TableRow(((row.groups["sessions"],), (Value(row.id, "integer"),))) for row in found]
    mean = shown.results.find("sessions", "mean")
    rows.append(TableRow((("Mean",), (Value(mean.id, "decimal1"),)), "total"))
    spec = TableSpec(
        id="sessions-table",
        caption="Sessions attended in courses that have ended",
        columns=(Column("Sessions"), Column("People", "right")),
        rows=tuple(rows),
    )
    return (Table(spec=spec),)


def _reasons_blocks(shown: Shown) -> tuple[Block, ...]:
    found = [row for row in shown.results if row.analysis == "end_reason"]
    if not found:
        return ()
    rows = [TableRow(((capital(label(row.groups["reason"])),), (Value(row.id, "integer"),))) for row in found]
    spec = TableSpec(
        id="reasons-table",
        caption="Why courses ended",
        columns=(Column("Reason"), Column("People", "right")),
        rows=tuple(rows),
    )
    return (Table(spec=spec, folded=True),)


def anchor(measure: Measure) -> str:
    """Return a measure's name as part of an anchor."""
    return "".join(char if char.isascii() and char.isalnum() else "-" for char in measure.name.lower())
