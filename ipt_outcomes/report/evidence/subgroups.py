"""Pooled effects by other columns: disorder, format, population, country, risk of bias."""

from __future__ import annotations

from ipt_outcomes.evidence import column_in_words
from ipt_outcomes.report.document import Block, Bullets, Heading, Paragraph, Table
from ipt_outcomes.report.evidence.findings import Line, narrow_notes, pooled_columns, pooled_row
from ipt_outcomes.report.evidence.shown import Shown, condition
from ipt_outcomes.report.writing import capital, say
from ipt_outcomes.tables import Content, TableRow, TableSpec

_CONDITIONS = frozenset(("condition_arm1", "condition_arm2"))
# Codes of the databank.
_CODES: dict[str, dict[str, str]] = {
    "format": {
        "ind": "individual",
        "grp": "group",
        "tel": "telephone",
        "gsh": "guided self-help",
        "cpl": "couple",
        "oth": "other or mixed",
    },
    "diagnosis": {
        "mdd": "major depression",
        "mood": "mood disorder",
        "cut": "above a cut-off",
        "sub": "subclinical",
        "chr": "chronic depression",
    },
    "target_group": {
        "adul": "adults",
        "old": "older adults",
        "stud": "students",
        "ppd": "perinatal",
        "med": "people with a medical condition",
        "oth": "other",
    },
    "age_group": {"adul": "adults", "yadul": "young adults", "old": "older adults", "yng": "young people"},
    "country": {"us": "United States", "uk": "United Kingdom", "eu": "Europe", "can": "Canada", "au": "Australia",
                "as": "Asia", "oth": "other"},
}  # fmt: skip
_CODES["population"] = _CODES["target_group"]


def code_in_words(column: str, code: str) -> str:
    """Return a level in words with the code it was written as: "individual (ind)".

    Parameters
    ----------
    column, code : str

    Returns
    -------
    str
        The code itself where it is none of the databank.
    """
    words = _CODES.get(column, {}).get(code)
    return code if words is None else f"{words} ({code})"


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
        rows.append(TableRow(((title,), *[()] * (len(columns) - 1)), "group"))
        for name in analysis.levels:
            words = condition(name) if column in _CONDITIONS else code_in_words(column, name)
            line = Line(words, "subgroup", {"variable": column, "level": name})
            rows.append(pooled_row((words,), shown, line.analysis, line.levels))
            lines.append(Line(f"{title}, {words}", line.analysis, line.levels))
        notes += [(f"{title}: {note}",) for note in analysis.notes]
    spec = TableSpec(
        id=f"{shown.prefix}subgroup-table",
        caption=f"The pooled {shown.symbol} by characteristics of the studies (one effect per study and level)",
        columns=columns,
        rows=tuple(rows),
        notes=(*notes, *narrow_notes(shown, lines)),
    )
    heading = Heading("By characteristics of the studies", f"{shown.prefix}subgroups-section", 2 if level == 2 else 3)
    return (heading, Table(spec=spec), *_tests(shown))


def _tests(shown: Shown) -> tuple[Block, ...]:
    """One point per column: the levels compared, each with its own τ² and with a common one."""
    items: list[Content] = []
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
        common = "subgroup_test_common_tau2"
        if shown.has(common, "q_between_p_value", **where):
            f_test = shown.has(common, "f_between_p_value", **where)
            p = shown.p(common, "f_between_p_value" if f_test else "q_between_p_value", **where)
            words += say("; with one τ² for all levels {p}", p=p)
        items.append((*words, "."))
    if not items:
        return ()
    lead = "Tests for a difference between the levels:"
    caution = (
        "These comparisons are of studies, not of people, and none was randomised: a small p is a question, not an "
        "answer."
    )
    return (Paragraph((lead,)), Bullets(tuple(items)), Paragraph((caution,)))
