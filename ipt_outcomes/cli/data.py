"""Commands on data: is a table valid, and what may stand in it?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ipt_outcomes.cli.options import (
    Better,
    Decimal,
    Event,
    better_option,
    decimal_option,
    encoding_option,
    event_option,
    json_option,
    mapping_option,
    sheet_chosen,
    sheet_option,
)
from ipt_outcomes.errors import DataError, IptError

if TYPE_CHECKING:
    import pandas as pd

# Nobody reads more on a screen; a file takes all.
_FAILURES_SHOWN = 1000
_PATIENTS = (
    'If this is a file of patients, say which column names the person, in a mapping: table = "cohort", then under '
    '[columns] patient_id = "your column".'
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@mapping_option
@sheet_option
@encoding_option
@decimal_option
@better_option
@event_option
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Also write the failure table (.csv or .xlsx).")
@json_option
def check(
    file: Path,
    mapping: str | None,
    sheet: str | None,
    encoding: str | None,
    decimal: Decimal | None,
    better: Better | None,
    event: Event | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Check a table of studies, or a file or folder of patients: every fault with its row, then what looks wrong.

    Exit code 1 if the data are refused.
    """
    from ipt_outcomes.io.kind import holds_patients

    reading = {"encoding": encoding, "decimal": decimal}
    try:
        if holds_patients(file, mapping, sheet=sheet_chosen(sheet)):
            _check_patients(file, mapping, sheet, reading, as_json=as_json)
        else:
            _check_studies(file, mapping, sheet, reading, better, event, as_json=as_json)
    except DataError as error:
        if error.failures is None:
            raise
        _print_failures(error, output, as_json=as_json)
        if error.column == "study" and "there must be a column 'study'" in error.message:
            click.echo(f"\n{_PATIENTS}", err=True)
        sys.exit(1)


def _check_patients(
    file: Path, mapping: str | None, sheet: str | None, reading: dict[str, Any], *, as_json: bool
) -> None:
    from ipt_outcomes.io import load_cohort

    cohort = load_cohort(file, mapping=mapping, sheet=sheet_chosen(sheet), **reading)
    if as_json:
        record = {"refused": False, "file": cohort.source.name, "sha256": cohort.source.sha256}
        frames = {"contents": cohort.to_frame(), "gate": cohort.gate.to_frame(), "checks": cohort.gate.checks()}
        frames["flow"] = cohort.flow
        frames["measures"] = cohort.gate.measures()
        click.echo(
            _json({**record, **{name: _records(frame) for name, frame in frames.items()}, "notes": cohort.notes})
        )
        return
    click.echo(cohort.summary())
    _print_list("Read as follows:", list(cohort.notes))
    click.echo("\nWho is in, who is not and why:")
    click.echo(_flow_lines(cohort.flow))


def _flow_lines(flow: pd.DataFrame) -> str:
    """The flow as a table in words; steps that concern nobody are left out."""
    from ipt_outcomes.instruments import instrument, instrument_name

    shown = flow[flow["people"].ne(0)].astype(object)
    shown = shown.where(shown.notna(), "")
    named = [instrument(text).short if instrument_name(text) else text for text in shown["reason"]]
    return str(shown.assign(reason=named).to_string(index=False))


def _check_studies(
    file: Path,
    mapping: str | None,
    sheet: str | None,
    reading: dict[str, Any],
    better: Better | None,
    event: Event | None,
    *,
    as_json: bool,
) -> None:
    from ipt_outcomes.evidence import check_given, study_effects
    from ipt_outcomes.io import load_studies
    from ipt_outcomes.results import plural

    studies = load_studies(file, mapping=mapping, sheet=sheet_chosen(sheet), **reading)
    found = studies.check()
    if as_json:
        record = {"refused": False, "file": studies.source.name, "sha256": studies.source.sha256}
        counts = {"rows": len(studies), "studies": studies.n_studies}
        click.echo(_json({**record, **counts, "check": _records(found), "notes": studies.notes}))
        return
    rows, n = plural(len(studies), "row", "rows"), studies.n_studies
    count = f"{len(studies)} {rows} of {n} {plural(n, 'study', 'studies')}"
    click.echo(f"{studies.source.name}: {count}, every cell valid.")
    _print_list("Read as follows:", list(studies.notes))
    _print_findings(found)
    try:
        effects = study_effects(studies, better=better, event=event)
    except IptError as error:
        click.echo(f"\nEffects (g) cannot be computed yet: {error}")
        return
    click.echo(f"\n{effects.summary()}.")
    left = [f"row {row.row}, {row.study}: {row.reason}" for row in effects.not_computed.itertuples()]
    _print_list("Rows that give no effect (g):", left)
    given = check_given(studies, better=better, event=event)
    off = [f"row {row.row}, {row.study}: {row.reason}" for row in given.itertuples()]
    _print_list("Rows whose databank effect does not follow from their numbers:", off)


def _print_findings(found: pd.DataFrame) -> None:
    """What `Studies.check` found: columns of the standard that are not there in one line, all else by finding."""
    absent = found["check"].eq("required_column")
    if absent.any():
        click.echo(f"\nColumns of the Metapsy standard that are not there: {', '.join(found.loc[absent, 'columns'])}")
        click.echo("Results that differ only in them look alike.")
    said = list(dict.fromkeys(found.loc[~absent, "detail"]))
    _print_list("Looks wrong (nothing was changed):", said)
    if found.empty:
        click.echo("\nNothing looks wrong, and every column of the Metapsy standard is there.")


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON values; missing cells are null."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): _plain(cell) for name, cell in row.items()} for row in plain.to_dict("records")]


def _plain(cell: Any) -> Any:
    return cell.item() if hasattr(cell, "item") else cell


def _json(record: dict[str, Any]) -> str:
    return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)


def _print_failures(error: DataError, output: Path | None, *, as_json: bool) -> None:
    """The whole failure table, on stderr and, if wanted, into a file; as JSON on stdout."""
    from ipt_outcomes.report import write_table
    from ipt_outcomes.results import plural
    from ipt_outcomes.schemas import summarise

    failures = error.failures
    assert failures is not None  # noqa: S101  looked at by the caller
    if as_json:
        tables = {"summary": _records(summarise(failures)), "failures": _records(failures)}
        click.echo(_json({"refused": True, "message": error.message, "hint": error.hint, **tables}))
    else:
        click.echo(f"Error: {error}", err=True)
        if len(failures) > 1:
            kinds = summarise(failures)
            click.echo(f"\n{len(failures)} faults of {len(kinds)} {plural(len(kinds), 'kind', 'kinds')}:", err=True)
            click.echo(kinds.to_string(index=False, na_rep=""), err=True)
        _print_rows(failures, output)
    if output is not None:
        write_table(failures, output)
        click.echo(f"\nThe failure table is in {output}", err=True)


def _print_rows(failures: pd.DataFrame, output: Path | None) -> None:
    click.echo("", err=True)
    click.echo(failures.head(_FAILURES_SHOWN).to_string(index=False, na_rep=""), err=True)
    if len(failures) > _FAILURES_SHOWN and output is None:
        more = len(failures) - _FAILURES_SHOWN
        click.echo(f"... and {more} more: write the whole table with -o FILE.csv", err=True)


def _print_list(title: str, lines: list[str]) -> None:
    if lines:
        click.echo(f"\n{title}")
        for line in lines:
            click.echo(f"- {line}")


@click.command()
@click.argument("table", required=False)
def schema(table: str | None) -> None:
    """Print what may stand in each column of a TABLE, or the names of the tables."""
    from ipt_outcomes.schemas import load_schema, schema_names

    if table is None:
        click.echo("Tables: " + ", ".join(schema_names()))
        click.echo("ipt-outcomes schema TABLE prints one of them.")
        return
    click.echo(load_schema(table).describe())
