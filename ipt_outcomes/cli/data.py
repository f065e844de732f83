"""Commands on data: is a table valid, and what may stand in it?"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ipt_outcomes.errors import DataError, IptError

_FAILURES_SHOWN = 20
_PATIENTS = (
    'If this is a file of patients, say which column names the person, in a mapping: table = "cohort", then under '
    '[columns] patient_id = "your column".'
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--mapping", metavar="MAP.toml", help="Mapping of the file's columns to the dictionary: a file or a name."
)
@click.option("--encoding", help="Encoding of the file, where it is not to be detected.")
@click.option("--decimal", type=click.Choice([".", ","]), help="Decimal mark of the file, where it cannot be told.")
@click.option("--better", type=click.Choice(["lower", "higher"]), help="Which scores are better, where nothing tells.")
@click.option("--event", type=click.Choice(["good", "bad"]), help="What events mean, where the table does not tell.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Also write the failure table (.csv or .xlsx).")
def check(
    file: Path,
    mapping: str | None,
    encoding: str | None,
    decimal: str | None,
    better: str | None,
    event: str | None,
    output: Path | None,
) -> None:
    """Check a table of studies or a file of patients: every fault with its row, then what looks wrong.

    Exit code 1 if the file is refused.
    """
    from ipt_outcomes.io.kind import holds_patients

    try:
        if holds_patients(file, mapping):
            _check_patients(file, mapping, encoding, decimal)
        else:
            _check_studies(file, mapping, encoding, decimal, better, event)
    except DataError as error:
        if error.failures is None:
            raise
        _print_failures(error, output)
        if error.column == "study" and "there must be a column 'study'" in error.message:
            click.echo(f"\n{_PATIENTS}", err=True)
        sys.exit(1)


def _check_patients(file: Path, mapping: str | None, encoding: str | None, decimal: str | None) -> None:
    from ipt_outcomes.io import load_cohort

    cohort = load_cohort(file, mapping=mapping, encoding=encoding, decimal=decimal)  # type: ignore[arg-type]
    click.echo(cohort.summary())
    _print_list("Read as follows:", list(cohort.notes))
    click.echo("\nWho is in, who is not and why:")
    click.echo(cohort.flow.astype(object).where(cohort.flow.notna(), "").to_string(index=False))


def _check_studies(
    file: Path,
    mapping: str | None,
    encoding: str | None,
    decimal: str | None,
    better: str | None,
    event: str | None,
) -> None:
    from ipt_outcomes.evidence import check_given, study_effects
    from ipt_outcomes.io import load_studies

    studies = load_studies(file, mapping=mapping, encoding=encoding, decimal=decimal)  # type: ignore[arg-type]
    click.echo(f"{studies.source.name}: {len(studies)} rows of {studies.n_studies} studies, every cell valid.")
    _print_list("Read as follows:", list(studies.notes))
    _print_list("Looks wrong (nothing was changed):", [warning.in_full() for warning in studies.warnings])
    try:
        effects = study_effects(studies, better=better, event=event)  # type: ignore[arg-type]
    except IptError as error:
        click.echo(f"\nEffects (g) cannot be computed yet: {error}")
        return
    click.echo(f"\n{effects.summary()}.")
    left = [f"row {row.row}, {row.study}: {row.reason}" for row in effects.not_computed.itertuples()]
    _print_list("Rows that give no effect (g):", left)
    given = check_given(studies, better=better, event=event)  # type: ignore[arg-type]
    off = [f"row {row.row}, {row.study}: {row.reason}" for row in given.itertuples()]
    _print_list("Rows whose databank effect does not follow from their numbers:", off)


def _print_failures(error: DataError, output: Path | None) -> None:
    """The whole failure table, on stderr and, if wanted, into a file."""
    from ipt_outcomes.report import write_table

    failures = error.failures
    assert failures is not None  # noqa: S101  looked at by the caller
    click.echo(f"Error: {error}", err=True)
    click.echo("", err=True)
    click.echo(failures.head(_FAILURES_SHOWN).to_string(index=False, na_rep=""), err=True)
    if len(failures) > _FAILURES_SHOWN and output is None:
        more = len(failures) - _FAILURES_SHOWN
        click.echo(f"... and {more} more: write the whole table with -o FILE.csv", err=True)
    if output is not None:
        write_table(failures, output)
        click.echo(f"\nThe failure table is in {output}", err=True)


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


@click.command()
@click.argument("name", required=False)
def instruments(name: str | None) -> None:
    """Print range, direction, cut-offs and their sources of an instrument NAME, or the names of all."""
    from ipt_outcomes.instruments import instrument
    from ipt_outcomes.instruments import instruments as known

    if name is None:
        click.echo("Instruments: " + ", ".join(known()))
        click.echo("ipt-outcomes instruments NAME prints one of them.")
        return
    click.echo(instrument(name).describe())
