"""Pooled effects by other columns: disorder, format, population, country, risk of bias."""

from __future__ import annotations

from ipt_outcomes.evidence import column_in_words
from ipt_outcomes.report.document import Block, Heading, Paragraph, Table
from ipt_outcomes.report.evidence.findings import Line, narrow_notes, pooled_columns, pooled_row
from ipt_outcomes.report.evidence.shown import Shown, condition
from ipt_outcomes.report.writing import capital, say
from ipt_outcomes.tables import Content, TableRow, TableSpec

_CONDITIONS = frozenset(("condition_arm1", "condition_arm2"))


def subgroup_blocks(shown: Shown, level: int) -> tuple[Block, ...]:
    """Return the table of pooled effects by every other column, and the test between the levels of each.

    Parameters
    ----------
    shown : Shown
    level : int
        Of the heading, 2 or 3.

    Returns
    -------
    tuple of Block
    """
    groups = shown.battery.subgroups
    if not groups:
        return ()
    columns = pooled_columns("Studies", shown.symbol, shown.level)
    rows: list[TableRow] = []
    lines: list[Line] = []
    notes: list[Content] = []
    for column, analysis in groups.items():
        title = capital(column_in_words(column))
        rows.append(TableRow(((title,), *(("",) for _ in columns[1:])), "group"))
        for name in analysis.levels:
            words = condition(name) if column in _CONDITIONS else name
            line = Line(words, "subgroup", {"variable": column, "level": name})
            rows.append(pooled_row((words,), shown, line.analysis, line.levels))
            lines.append(Line(f"{title}, {words}", line.analysis, line.levels))
        notes += [(f"{title}: {note}",) for note in analysis.notes]
    spec = TableSpec(
        id=f"{shown.prefix}subgroup-table",
        caption=f"The pooled {shown.symbol} by characteristics of the studies (one combined effect per study and level)",
        columns=columns,
        rows=tuple(rows),
        notes=(*notes, *narrow_notes(shown, lines)),
    )
    heading = Heading("By characteristics of the studies", f"{shown.prefix}subgroups-section", 2 if level == 2 else 3)
    return (heading, Table(spec=spec), *_tests(shown))


def _tests(shown: Shown) -> tuple[Block, ...]:
    """One paragraph per column: the levels compared, each with its own τ² and with a common one."""
    blocks: list[Block] = []
    for column in shown.battery.subgroups:
        where = {"variable": column}
        if not shown.has("subgroup_test", "q_between_p_value", **where):
            continue
        words = say(
            "{title}: Q = {q}, df = {df}, {p} (each level with its own τ²)",
            title=capital(column_in_words(column)),
            q=shown.value("subgroup_test", "q_between", **where),
            df=shown.value("subgroup_test", "q_between_df", "integer", **where),
            p=shown.p("subgroup_test", "q_between_p_value", **where),
        )
        if shown.has("subgroup_test_common_tau2", "q_between_p_value", **where):
            p = "q_between_p_value"
            if shown.has("subgroup_test_common_tau2", "f_between_p_value", **where):
                p = "f_between_p_value"
            words += say("; one τ² for all levels: {p}", p=shown.p("subgroup_test_common_tau2", p, **where))
        blocks.append(Paragraph((*words, ".")))
    if len(blocks) > 1:
        blocks.append(
            Paragraph(
                (
                    "These comparisons are of studies, not of people, none was randomised, and several were made: a "
                    "small p is a question, not an answer.",
                )
            )
        )
    return tuple(blocks)
