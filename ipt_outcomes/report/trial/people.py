"""Who was in the trial: the flow by arm and visit, and the baseline table."""

from __future__ import annotations

from ipt_outcomes.instruments import instrument, instrument_name
from ipt_outcomes.report.document import Block, Table
from ipt_outcomes.report.trial.shown import Shown, arm_name, visit_words
from ipt_outcomes.report.writing import capital
from ipt_outcomes.tables import Column, Content, TableRow, TableSpec
from ipt_outcomes.trial import COUNTS
from ipt_outcomes.vocabulary import label

_COLUMN_WORDS = {
    "problem_area": "Problem area",
    "imd_decile": "Deprivation decile",
    "medication_concurrent": "Medication beside the treatment",
    "ethnicity_group": "Ethnic group",
    "age_band": "Age band",
}


def flow_tables(shown: Shown) -> tuple[Block, ...]:
    """Return the flow by arm, and the people observed by visit."""
    arms = list(shown.analysis.arms)
    columns = (Column("People"), *(Column(capital(arm_name(arm)), "right") for arm in arms), Column("All", "right"))
    counts = [name for name in COUNTS if shown.row("flow", name) is not None]
    rows = tuple(
        TableRow(
            (
                (capital(COUNTS[name]),),
                *((shown.value("flow", name, "integer", arm=arm),) for arm in arms),
                (shown.value("flow", name, "integer"),),
            )
        )
        for name in counts
    )
    by_arm = TableSpec(
        id="flow-table",
        caption=f"Flow of people; the end point is {shown.end}",
        columns=columns,
        rows=rows,
        notes=_flow_notes(shown, fine="reached_last_visit" in counts),
    )
    return (Table(spec=by_arm), Table(spec=_by_visit(shown, arms)))


def _flow_notes(shown: Shown, *, fine: bool) -> tuple[Content, ...]:
    notes: list[Content] = [("A visit took place where the data have a row for it.",)] if fine else []
    if shown.row("flow", "without_arm") is not None:
        without, everyone = (shown.value("flow", name, "integer") for name in ("without_arm", "people"))
        notes.append(("Arm not known, in no count above: ", without, " of ", everyone, " people."))
    return tuple(notes)


def _by_visit(shown: Shown, arms: list[str]) -> TableSpec:
    fine = shown.row("flow_visit", "last_attended", visit="baseline") is not None
    told = [shown.row("flow_visit", "observed", visit=visit.key, arm=arms[0]) for visit in shown.analysis.visits]
    named = arms if all(row is not None for row in told) else []
    visits = [("baseline", "Baseline (week 0)")]
    visits += [(visit.key, capital(visit_words(visit.name, visit.week))) for visit in shown.analysis.visits]
    rows = []
    for key, words in visits:
        cells: list[Content] = [(words,)]
        for arm in [*named, None]:
            levels = {"visit": key} | ({} if arm is None else {"arm": arm})
            cell: Content = (shown.value("flow_visit", "observed", "integer", **levels),)
            if fine:
                cell += (" (", shown.value("flow_visit", "last_attended", "integer", **levels), ")")
            cells.append(cell)
        rows.append(TableRow(tuple(cells)))
    note = "In brackets: people who came to this visit, with or without a score, and to none later." if fine else ""
    if not named:
        note = "For this audience the arms are not told apart here; the flow above has them at baseline and at the end."
    return TableSpec(
        id="visits-table",
        caption=f"People with a score of {shown.outcome} at each visit",
        columns=(
            Column("Visit"),
            *(Column(capital(arm_name(arm)), "right") for arm in named),
            Column("All" if named else "People", "right"),
        ),
        rows=tuple(rows),
        notes=((note,),) if note else (),
    )


def baseline_blocks(shown: Shown) -> tuple[Block, ...]:
    """Return the baseline table."""
    table = shown.analysis.baseline
    arms = list(shown.analysis.arms)
    rows: list[TableRow] = []
    for variable in table.continuous["variable"].drop_duplicates():
        rows += _continuous(shown, str(variable), arms)
    for variable in table.categorical["variable"].drop_duplicates():
        rows += _categorical(shown, str(variable), arms)
    spec = TableSpec(
        id="baseline-table",
        caption="The arms at baseline",
        columns=(
            Column("Characteristic"),
            *(Column(capital(arm_name(arm)), "right") for arm in arms),
            Column("All", "right"),
            Column("Largest difference (SD)", "right"),
        ),
        rows=tuple(rows),
        notes=(
            (
                "Numbers: mean (SD). Levels: people/known values (percent of known values). Largest difference: the "
                "largest absolute standardised difference between two arms that are compared; in a randomised trial "
                "differences at baseline are due to chance, and no tests are made of them.",
            ),
        ),
    )
    return (Table(spec=spec),)


def _continuous(shown: Shown, variable: str, arms: list[str]) -> list[TableRow]:
    cells: list[Content] = [(f"{variable_words(shown, variable)}, mean (SD)",)]
    for levels in _levels(arms, variable):
        mean = shown.value("baseline", "mean", "decimal1", **levels)
        if not shown.has("baseline", "mean", **levels):
            cells.append((mean,))
            continue
        cells.append((mean, " (", shown.value("baseline", "sd", "decimal1", **levels), ")"))
    rows = [TableRow((*cells, _difference(shown, variable)))]
    if shown.row("baseline", "median", variable=variable) is not None:
        medians: list[Content] = [("– median",)]
        quartiles: list[Content] = [("– quartiles",)]
        for levels in _levels(arms, variable):
            middle, low, high = (shown.value("baseline", name, "decimal1", **levels) for name in ("median", "q1", "q3"))
            medians.append((middle,))
            quartiles.append((low, " to ", high))
        rows += [TableRow((*medians, ("",))), TableRow((*quartiles, ("",)))]
    return [*rows, *_missing(shown, variable, arms)]


def _categorical(shown: Shown, variable: str, arms: list[str]) -> list[TableRow]:
    table = shown.analysis.baseline.categorical
    levels = [str(level) for level in table.loc[table["variable"].eq(variable), "level"].drop_duplicates()]
    blanks: tuple[Content, ...] = tuple(("",) for _ in [*arms, None])
    rows = [TableRow(((variable_words(shown, variable),), *blanks, _difference(shown, variable)), kind="group")]
    for level in levels:
        if level == "missing":
            continue
        cells: list[Content] = [(capital(label(level)),)]
        for where in _levels(arms, variable):
            cells.append(_share(shown, where, level))
        rows.append(TableRow((*cells, ("",))))
    return [*rows, *_missing(shown, variable, arms)]


def _share(shown: Shown, where: dict[str, str], level: str) -> Content:
    count = (shown.value("baseline", "count", "integer", **where, level=level),)
    if not shown.has("baseline", "count", **where, level=level):
        return count
    known = shown.value("baseline", "known", "integer", **where)
    content: Content = (*count, "/", known)
    if shown.has("baseline", "percent", **where, level=level):
        content += (" (", shown.value("baseline", "percent", "percent", **where, level=level), ")")
    return content


def _missing(shown: Shown, variable: str, arms: list[str]) -> list[TableRow]:
    """The row of missing values, where anything is missing (or hidden)."""
    if shown.number("baseline", "missing", variable=variable) == 0:
        return []
    cells = [(shown.value("baseline", "missing", "integer", **where),) for where in _levels(arms, variable)]
    return [TableRow((("Missing",), *cells, ("",)))]


def _difference(shown: Shown, variable: str) -> Content:
    return shown.cell("baseline", "smd_largest", "decimal2", variable=variable)


def _levels(arms: list[str], variable: str) -> list[dict[str, str]]:
    return [{"arm": arm, "variable": variable} for arm in arms] + [{"variable": variable}]


def variable_words(shown: Shown, variable: str) -> str:
    """Return a characteristic in words: instruments by their short names."""
    if variable == "baseline":
        return f"{shown.outcome} at baseline"
    stem = variable.removesuffix("_baseline")
    if stem != variable and instrument_name(stem) is not None:
        return f"{instrument(stem).short} at baseline"
    return _COLUMN_WORDS.get(variable, capital(variable.replace("_", " ")))
