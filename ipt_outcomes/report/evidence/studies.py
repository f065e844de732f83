"""The studies behind the numbers: their effects, the rows that gave none, and what looks wrong."""

from __future__ import annotations

import pandas as pd

from ipt_outcomes.evidence import KINDS, EvidenceSynthesis, row_groups
from ipt_outcomes.instruments import instrument, instrument_name
from ipt_outcomes.report.document import Block, Heading, Note, Paragraph, Table
from ipt_outcomes.report.evidence.shown import Shown, condition
from ipt_outcomes.report.writing import say
from ipt_outcomes.results import plural
from ipt_outcomes.tables import Column, Content, TableRow, TableSpec, Value


def study_table(shown: Shown) -> Table:
    """Return every effect used, with the data it came from."""
    rows = shown.battery.study_effects.rows
    one_treatment = "condition_arm1" in rows and rows["condition_arm1"].nunique(dropna=False) == 1
    similar = _studies_with_similar_arms(rows)
    return Table(
        spec=TableSpec(
            id=f"{shown.prefix}study-table",
            caption="Every effect used, in the order of the file",
            columns=(
                Column("Study"),
                Column("Row", "right"),
                Column("Compared with" if one_treatment else "Comparison"),
                Column("Outcome"),
                Column("Computed from"),
                Column("Participants", "right"),
                Column(f"{shown.symbol} ({shown.level} CI)", "right"),
            ),
            rows=tuple(
                _study_row(shown, row, _comparison(row, one_treatment=one_treatment, similar=row["study"] in similar))
                for _, row in rows.iterrows()
            ),
            notes=(("Row: line of the file.",),),
        ),
        folded=True,
    )


def _studies_with_similar_arms(rows: pd.DataFrame) -> set[object]:
    """Studies that compare several arms of one kind, which the table tells apart."""
    if "multi_arm1" not in rows:
        return set()
    kinds = rows.groupby("study")["multi_arm1"].nunique()
    return set(kinds.index[kinds > 1])


def _study_row(shown: Shown, row: pd.Series, comparison: str) -> TableRow:
    groups = row_groups(row)
    people: Content = ("not told",)
    if shown.has("row_effects", "participants", **groups):
        people = (shown.value("row_effects", "participants", "integer", **groups),)
    how = KINDS[row["kind"]]
    if row["flag"] and row["flag"] != how:
        how = f"{how}; {row['flag']}"
    return TableRow(
        (
            (str(row["study"]),),
            (str(row["row"]),),
            (comparison,),
            (_outcome(row),),
            (how,),
            people,
            shown.effect("row_effects", **groups),
        )
    )


def _outcome(row: pd.Series) -> str:
    """The instrument by its short name where it is known, else as the table writes it."""
    text = _text(row, "instrument")
    return instrument(text).short if instrument_name(text) else text or _text(row, "outcome_type") or "not told"


def _comparison(row: pd.Series, *, one_treatment: bool, similar: bool) -> str:
    """The two arms in words: the treatment where rows differ in it, and which of several similar arms it is."""
    arm1, arm2 = (_text(row, name) for name in ("condition_arm1", "condition_arm2"))
    if not arm1 and not arm2:
        return "not told"
    words = [condition(arm, code=False) if arm else "not told" for arm in (arm1, arm2)]
    comparison = words[1] if one_treatment else f"{words[0]} against {words[1]}"
    which = f"; arm 1: {_text(row, 'multi_arm1') or 'not told'}" if similar else ""
    turned = "; arms turned round" if bool(row.get("turned", False)) else ""
    return f"{comparison}{which}{turned}"


def _text(row: pd.Series, column: str) -> str:
    value = row.get(column)
    return "" if value is None or pd.isna(value) else str(value)


def not_computed_blocks(shown: Shown) -> tuple[Block, ...]:
    """Return the rows that gave no effect, and why."""
    left = shown.battery.study_effects.not_computed
    anchor = f"{shown.prefix}not-computed"
    heading = Heading("Rows that gave no effect", anchor, 3)
    if left.empty:
        return (heading, Paragraph(("Every row gave an effect.",)))
    table = TableSpec(
        id=f"{anchor}-table",
        caption="Rows without an effect, and what each lacks",
        columns=(Column("Study"), Column("Row", "right"), Column("Reason")),
        rows=tuple(TableRow(((str(r.study),), (str(r.row),), (str(r.reason),))) for r in left.itertuples()),
    )
    sentence = say(
        "{n} of {all} {rows} gave no effect and {are} in no analysis.",
        rows=plural(len(shown.battery.study_effects.rows) + len(left), "row", "rows"),
        are=plural(len(left), "is", "are"),
        n=shown.value("table", "rows_not_computed", "integer"),
        all=shown.value("table", "rows", "integer"),
    )
    return (heading, Paragraph(sentence), Table(spec=table, folded=len(left) > 20))


def suspicions_note(synthesis: EvidenceSynthesis) -> tuple[Block, ...]:
    """Return what looks wrong in the tables as entered; nothing was changed."""
    several = len(synthesis.sources) > 1
    items: list[Content] = []
    for name, studies in synthesis.sources.items():
        for warning in studies.warnings:
            items.append((f"{name}: {warning.in_full()}" if several else warning.in_full(),))
    if not items:
        return ()
    title = "Entries that look wrong: check them against the papers (nothing was changed)"
    return (Note(title, tuple(items), "warning"),)


def excluded_blocks(synthesis: EvidenceSynthesis) -> tuple[Block, ...]:
    """Return the rows set aside at loading because a cell was not valid."""
    items: list[Content] = []
    for name, studies in synthesis.sources.items():
        for row, part in studies.excluded.groupby("row", sort=True) if len(studies.excluded) else ():
            faults = "; ".join(f"{fault.column}: expected {fault.expected}" for fault in part.itertuples())
            items.append((f"{name}, row {row}: {faults}",))
    return (Note("Rows set aside because a cell is not valid", tuple(items), "warning"),) if items else ()


def given_blocks(synthesis: EvidenceSynthesis) -> tuple[Block, ...]:
    """Return the rows whose databank effect does not follow from their numbers."""
    several = len(synthesis.sources) > 1
    rows: list[TableRow] = []
    for name, frame in synthesis.given.items():
        if frame is None:
            continue
        base = {"comparison": name} if several else {}
        for _, row in frame.iterrows():
            groups = {**base, **row_groups(row)}
            cells = [_pair(synthesis, which, groups) for which in ("given", "computed")]
            rows.append(TableRow(((str(row["study"]),), (str(row["row"]),), *cells, (str(row["reason"]),))))
    if not rows:
        return ()
    spec = TableSpec(
        id="given-table",
        caption="Rows whose databank effect does not follow from the numbers in the row",
        columns=(
            Column("Study"),
            Column("Row", "right"),
            Column("g (SE) as given", "right"),
            Column("g (SE) computed", "right"),
            Column("What would explain it"),
        ),
        rows=tuple(rows),
        notes=(("The computed effect is the one used.",),),
    )
    return (Heading("Databank effects checked", "given-check", 3), Table(spec=spec, folded=len(rows) > 20))


def _pair(synthesis: EvidenceSynthesis, which: str, groups: dict[str, str]) -> Content:
    find = synthesis.results.find
    estimate = find("given_check", which, groups).id
    error = find("given_check", f"{which}_se", groups).id
    return (Value(estimate, "decimal3"), " (", Value(error, "decimal3"), ")")
