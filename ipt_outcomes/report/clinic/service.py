"""The service's own rates: waits, plan, follow-up, remission and relapse, cautions, goals."""

from __future__ import annotations

from ipt_outcomes.clinic.service import STANDARDS
from ipt_outcomes.clinic.service.questions import Question
from ipt_outcomes.clinic.words import GOAL_HEADING, QUESTION_WORDS, SERVICE_WORDS
from ipt_outcomes.report.clinic.shown import NOBODY, Shown
from ipt_outcomes.report.document import Block, Bullets, Heading, Paragraph, Table
from ipt_outcomes.tables import Column, Content, Strong, TableRow, TableSpec, Value

_TABLES = {
    "waits": ("Waits and sessions", ("wait", "gap", "plan")),
    "follow-up": ("Follow-up, remission and relapse", ("follow_up", "remission")),
}

_KEPT = (
    "Only in the internal report, since their counts would, with those of the tables above, tell of small numbers of "
    "people:"
)


def service_blocks(shown: Shown) -> list[Block]:
    """Return the tables of the service's rates; nothing where the data answer no question.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    list of Block
    """
    everything = shown.review.questions
    if not everything:
        return []
    questions = {question.name: question for question in everything if question.apart or not shown.hides}
    blocks: list[Block] = [Heading("Waits, follow-up and safety", "service")]
    used: set[str] = set()
    for name, (caption, wanted) in _TABLES.items():
        mine = [questions[each] for each in wanted if each in questions]
        used |= {question.name for question in mine}
        if mine:
            blocks.append(_table(shown, f"service-{name}", caption, mine))
    goals = [question for name, question in questions.items() if name.startswith("goal_")]
    rest = [question for name, question in questions.items() if name not in used and question not in goals]
    if rest:
        blocks.append(_table(shown, "service-cautions", "Cautions", rest))
    if goals:
        blocks.append(_table(shown, "service-goals", "Goals of treatment", goals))
    if questions:
        blocks += [*_not_recorded(shown, tuple(questions.values())), Bullets(_definitions(questions))]
    kept = [_short(question.name) for question in everything if question.name not in questions]
    if kept:
        blocks.append(Paragraph((f"{_KEPT} {'; '.join(kept)}.",)))
    return blocks


def _table(shown: Shown, id: str, caption: str, questions: list[Question]) -> Table:
    standard = any(rate in STANDARDS for question in questions for rate in question.rates)
    rows: list[TableRow] = []
    heading = ""
    for question in questions:
        for rate, (whom, _) in question.rates.items():
            words = GOAL_HEADING if whom.startswith("goal_") else QUESTION_WORDS[whom]
            if words != heading:
                rows.append(TableRow(((words,), *[()] * (2 + standard)), "group"))
                heading = words
            cells: list[Content] = [(SERVICE_WORDS[rate],), _counts(shown, rate, whom), _share(shown, rate)]
            if standard:
                cells.append((f"{STANDARDS[rate]:g}%",) if rate in STANDARDS else ("–",))
            rows.append(TableRow(tuple(cells)))
    columns = [Column("Rate"), Column("Number", "right"), Column(f"Share ({shown.level} CI)", "right")]
    if standard:
        columns.append(Column("Standard", "right"))
    notes: tuple[Content, ...] = ()
    if standard:
        notes = (("Standards of NHS Talking Therapies in England since April 2015, of finished courses.",),)
    return Table(spec=TableSpec(id=id, caption=caption, columns=tuple(columns), rows=tuple(rows), notes=notes))


def _counts(shown: Shown, rate: str, whom: str) -> Content:
    numerator = shown.count("service", "numerator", rate=rate)
    counted = shown.count("service", "counted", question=whom)
    for each in (numerator, counted):
        if shown.is_hidden(each.result_id):
            return (each,)
    return (numerator, " of ", counted)


def _share(shown: Shown, rate: str) -> Content:
    ids = [shown.results.find("service", name, {"rate": rate}).id for name in ("percent", "ci_low", "ci_high")]
    if shown.is_hidden(ids[0]):
        return (Value(ids[0], "decimal1"),)
    if shown.rows[ids[0]].value is None:
        return (NOBODY,)
    share, low, high = (Value(each, "decimal1") for each in ids)
    return (share, "% (", low, "% to ", high, "%)")


def _not_recorded(shown: Shown, questions: tuple[Question, ...]) -> list[Block]:
    rows = [
        TableRow(((_short(question.name),), (shown.count("service", "not_recorded", question=question.name),)))
        for question in questions
    ]
    spec = TableSpec(
        id="service-missing",
        caption="Courses that are in no rate of a table above, since it is not recorded or does not arise",
        columns=(Column("Rates"), Column("Courses", "right")),
        rows=tuple(rows),
    )
    return [Table(spec=spec, folded=True)]


def _short(name: str) -> str:
    if name in SERVICE_WORDS:
        return SERVICE_WORDS[name]
    return QUESTION_WORDS[name]


def _definitions(questions: dict[str, Question]) -> tuple[Content, ...]:
    found: list[Content] = []
    if "wait" in questions:
        found.append((Strong("Wait: "), "days from referral to the first session attended, of finished courses."))
    if "follow_up" in questions:
        found.append(
            (
                Strong("4 to 8 months after: "),
                "everyone with a PHQ-9 above 9 counts, from the first such score on; of the scores 120 to 240 days "
                "after it the most recent one decides. Without one, somebody is neither in remission nor a responder "
                "(after HEDIS DRR-E, which also asks for a diagnosis and membership of a plan).",
            )
        )
    if "remission" in questions:
        found.append(
            (
                Strong("Remission and relapse: "),
                "remission is the first score at or below the cut-off for remission; relapse is a later score at or "
                "above that for being a case. People who are measured longer have more time for both.",
            )
        )
    return tuple(found) or (("Shares are of the courses whose record answers the question.",),)
