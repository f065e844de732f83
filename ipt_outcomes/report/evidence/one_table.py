"""The one table of a battery: every pooled effect, what was taken out, what was not possible, another package."""

from __future__ import annotations

from collections.abc import Iterable

from ipt_outcomes.evidence import ANALYSES, BIAS
from ipt_outcomes.report.document import Block, Bullets, Note, Paragraph, Table
from ipt_outcomes.report.evidence.findings import Line, narrow_notes, pooled_columns, pooled_row
from ipt_outcomes.report.evidence.shown import Shown
from ipt_outcomes.report.writing import capital, say
from ipt_outcomes.results import listed, plural, visible
from ipt_outcomes.tables import Column, Content, TableRow, TableSpec

# Headings of the table and the analyses under each; what is not named here is a choice of the model.
_ROWS = ("all_rows", "lowest", "highest", "outliers_removed", "outliers_removed_rows", "influence_removed")
_PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Main analysis", ("combined",)),
    ("Other rows or studies", (*_ROWS, "low_risk", "low_risk_rows")),
    ("Several effects per study in one model", ("three_level", "che")),
    ("Other estimators", ("reml_z", "dl_z", "pm_knapp_hartung", "knapp_hartung_adhoc", "common")),
    ("Allowing for small-study effects", tuple(BIAS)),
    ("The same, rows as if independent (naive)", tuple(f"{name}_rows" for name in BIAS)),
)


def analyses_table(shown: Shown) -> Table:
    """Return every pooled effect of a battery.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    Table
    """
    columns = pooled_columns("Analysis", shown.symbol, shown.level)
    rows: list[TableRow] = []
    lines: list[Line] = []
    for title, analyses in _PARTS:
        held = [name for name in analyses if shown.has(name, "k")]
        if not held:
            continue
        rows.append(TableRow(((title,), *[()] * (len(columns) - 1)), "group"))
        for name in held:
            line = Line(_words(shown, name), name, {})
            lines.append(line)
            label = (line.words, *_count(shown, name))
            rows.append(pooled_row(label, shown, name, {}, total=name == "combined"))
    notes: tuple[Content, ...] = (_abbreviations(shown),)
    notes += tuple(_removed_notes(shown)) + narrow_notes(shown, lines)
    return Table(
        spec=TableSpec(
            id=f"{shown.prefix}analyses-table",
            caption="The pooled effect under each analysis",
            columns=columns,
            rows=tuple(rows),
            notes=notes,
        )
    )


def _words(shown: Shown, name: str) -> str:
    if shown.battery.has_dependence:
        return ANALYSES[name]
    return {"combined": "All studies (main analysis)", "low_risk": "Low risk of bias"}.get(name, ANALYSES[name])


def _count(shown: Shown, name: str) -> Content:
    """How many were taken out or filled in, behind the words of an analysis."""
    if shown.has(name, "removed"):
        return say(" ({n} taken out)", n=shown.value(name, "removed", "integer"))
    if shown.has(name, "k0"):
        return say(" ({n} filled in)", n=shown.value(name, "k0", "integer"))
    return ()


def _abbreviations(shown: Shown) -> Content:
    return (
        "k: effects pooled, one per study unless naive or in a model for several. CI: confidence interval. PI: "
        f"prediction interval. τ²: variance between studies{shown.scale}, for models of several effects per study that "
        "between and within studies together. I²: share of the variance that is between studies, "
        "100 τ² / (τ² + typical sampling variance); under one common effect 100 (Q − df) / Q. A dash: the method has "
        "no such number.",
    )


def _removed_notes(shown: Shown) -> Iterable[Content]:
    """Who was taken out, and by which rule."""
    for name, removal in shown.battery.removal.items():
        if removal.removed:
            names = listed([visible(study) for study in removal.removed])
            yield (f"{ANALYSES[name]}: {names}; {removal.rule}.",)
        else:
            yield (f"{ANALYSES[name]}: none was taken out ({removal.rule}).",)


def not_run_blocks(shown: Shown) -> tuple[Block, ...]:
    """Return what was not possible, and why.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    tuple of Block
    """
    battery = shown.battery
    reasons = dict(battery.not_run)
    if battery.profile is not None:
        reasons |= {f"metapsyTools: {name}": why for name, why in battery.profile.not_run.items()}
    if not reasons:
        return ()
    by_reason: dict[str, list[str]] = {}
    for name, why in reasons.items():
        by_reason.setdefault(why, []).append(ANALYSES.get(name, name.replace("_", " ")))
    items: tuple[Content, ...] = tuple((f"{capital('; '.join(names))}: {why}.",) for why, names in by_reason.items())
    return (Note("Not possible with these studies", items),)


def profile_blocks(shown: Shown) -> tuple[Block, ...]:
    """Return the models as another package runs them, beside ours.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    tuple of Block
    """
    profile = shown.battery.profile
    if profile is None or profile.frame.empty:
        return ()
    rows = []
    for record in profile.frame.to_dict("records"):
        where, ours = {"model": str(record["model"])}, str(record["ours"])
        mine: Content = shown.effect(ours) if shown.has(ours, "k") else ("–",)
        cells: tuple[Content, ...] = (
            (str(record["label"]),),
            shown.cell("metapsytools", "k", "integer", **where),
            shown.effect("metapsytools", **where),
            _prediction(shown, where),
            shown.cell("metapsytools", "i2", "percent", **where),
            shown.cell("metapsytools", "nnt", "decimal1", **where),
            mine,
        )
        rows.append(TableRow(cells))
    columns = (
        Column("Model"),
        Column("k", "right"),
        Column(f"{shown.symbol} ({shown.level} CI)", "right"),
        Column(f"{shown.level} PI", "right"),
        Column("I²", "right"),
        Column("NNT", "right"),
        Column("Our analysis", "right"),
    )
    spec = TableSpec(
        id=f"{shown.prefix}profile-table",
        caption="The models of metapsyTools on the same rows, with its choices, and our answer to the same question",
        columns=columns,
        rows=tuple(rows),
        notes=tuple((note,) for note in profile.notes),
    )
    count = len(rows)
    lead = (
        f"{plural(count, 'This model was', 'These models were')} run with the choices that metapsyTools 1.0.14 makes."
    )
    return (Paragraph((lead,)), Table(spec=spec))


def _prediction(shown: Shown, where: dict[str, str]) -> Content:
    if not shown.has("metapsytools", "prediction_low", **where):
        return ("–",)
    return shown.limits("metapsytools", "prediction", **where)


def row_choice_blocks(shown: Shown) -> tuple[Block, ...]:
    """Return the rules by which rows were chosen, and the rows they left out.

    Parameters
    ----------
    shown : Shown

    Returns
    -------
    tuple of Block
    """
    choice = shown.battery.rows_chosen
    if not choice.rules:
        return ()
    lead = Paragraph(
        say(
            "Rows were chosen by these rules: {kept} {are} used, {out} left out.",
            kept=shown.value("row_choice", "kept", "integer"),
            are=plural(int(choice.frame["used"].sum()), "is", "are"),
            out=shown.value("row_choice", "left_out", "integer"),
        )
    )
    blocks: tuple[Block, ...] = (lead, Bullets(tuple((f"{capital(rule)}.",) for rule in choice.rules)))
    left = choice.left_out
    if left.empty:
        return blocks
    rows = tuple(
        TableRow(((str(r["study"]),), (str(r["row"]),), (_text(r.get("instrument")),), (str(r["reason"]),)))
        for r in left.to_dict("records")
    )
    spec = TableSpec(
        id=f"{shown.prefix}rows-left-out",
        caption="Rows with an effect that the rules left out",
        columns=(Column("Study"), Column("Row", "right"), Column("Instrument"), Column("Reason")),
        rows=rows,
    )
    return (*blocks, Table(spec=spec, folded=len(rows) > 12))


def _text(value: object) -> str:
    return str(value) if isinstance(value, str) and value else "–"
