"""The command that proposes a mapping for a file nobody documented."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipt_outcomes.cli.options import Decimal, decimal_option, encoding_option, json_option
from ipt_outcomes.errors import OptionError

if TYPE_CHECKING:
    from ipt_outcomes.io.propose import ProposedMapping
    from ipt_outcomes.io.propose.lines import Line

_COLOURS = {"sure": "green", "likely": "cyan", "guess": "yellow", "to decide": "red", "left out": None}
_WIDEST = 28
# A screen is written to its edge, up to a line that is still easy to read; a file or a pipe gets the usual width.
_NARROWEST, _LONGEST = 60, 110
_FEWEST_BESIDE = 32
_STATE = 9


@click.command("map")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write the proposal: MAP.toml, or MAP.xlsx with drop-downs."
)
@click.option("--leave-out-unknown", is_flag=True, help="Leave out every column that was not recognised.")
@click.option("--sheet", help="Sheet of a workbook, by its name or its number from 1.")
@encoding_option
@decimal_option
@json_option
def map_command(
    file: Path,
    output: Path | None,
    leave_out_unknown: bool,
    sheet: str | None,
    encoding: str | None,
    decimal: Decimal | None,
    as_json: bool,
) -> None:
    """Propose which column of FILE is which: instruments, visits, arms, problem areas, with reasons.

    FILE may be a folder with one file for each table: patients, episodes, sessions, assessments. What is a guess, and
    every column that was not recognised, waits for your decision: nothing is loaded by the proposal before you have
    made it.
    """
    from ipt_outcomes.io.propose import propose_mapping

    if output is not None:
        _check_output(output)
    wanted = int(sheet) if sheet is not None and sheet.isdigit() else sheet
    proposal = propose_mapping(file, sheet=wanted, encoding=encoding, decimal=decimal)
    if leave_out_unknown:
        proposal = proposal.leaving_out_unknown()
    if proposal.needs_none:
        output = None
    if as_json:
        click.echo(_json(proposal))
    else:
        _print(proposal)
    if output is not None:
        _write(proposal, output, is_told=not as_json)
    if not as_json:
        # Never wrapped: it is there to be copied.
        click.echo(f"\nNext: {_next(proposal, file, output)}")


def _json(proposal: ProposedMapping) -> str:
    record = {
        "source": proposal.source,
        "kind": proposal.kind,
        "layout": proposal.layout,
        "decisions": proposal.decisions(),
        "undecided": list(proposal.undecided) if proposal.kind == "cohort" else [],
        "columns": proposal.to_frame().to_dict("records"),
        "notes": list(proposal.hints),
    }
    return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)


def _print(proposal: ProposedMapping) -> None:
    """What has to be decided comes first, then each column with how sure it is and why."""
    from ipt_outcomes.results import plural

    _tell(f"{proposal.source}: {proposal.layout}.")
    if proposal.lines:
        counts = proposal.counts()
        told = {
            "sure": "sure",
            "likely": "likely",
            "guess": "guessed",
            "undecided": "to decide",
            "left_out": "left out",
        }
        said = ", ".join(f"{counts[name]} {word}" for name, word in told.items() if counts[name])
        n = len(proposal.lines)
        _tell(f"{n} {plural(n, 'column', 'columns')}: {said}.")
    decisions = proposal.decisions()
    if decisions:
        _tell("", f"To decide ({len(decisions)}):")
        for number, decision in enumerate(decisions, start=1):
            _tell(decision, before=f"{number:>3}. ")
    for hint in proposal.hints:
        _tell("", f"Note: {hint}")
    tables = list(proposal.files) or [""]
    for table in tables:
        where = f" of {proposal.files[table]} (table {table})" if table else ""
        _tell("", f"Columns{where}:")
        _print_columns([line for line in proposal.lines if line.table == table])


def _width() -> int:
    return min(max(shutil.get_terminal_size((80, 24)).columns, _NARROWEST), _LONGEST) if sys.stdout.isatty() else 80


def _tell(*texts: str, before: str = "") -> None:
    """Print texts, each wrapped under its own beginning."""
    for text in texts:
        shown = textwrap.wrap(text, _width(), initial_indent=before, subsequent_indent=" " * len(before),
                              break_long_words=False, break_on_hyphens=False)  # fmt: skip
        click.echo("\n".join(shown))


def _check_output(output: Path) -> None:
    if output.suffix.lower() not in (".toml", ".xlsx"):
        raise OptionError(f"a mapping is written to a file that ends in .toml or .xlsx; got {output.name}")
    if output.exists():
        raise OptionError(f"{output.name} is there already", hint="Nothing is written over: choose another name.")
    if not output.parent.is_dir():
        raise OptionError(f"the folder for {output.name} does not exist", hint="Make it first.")


def _print_columns(lines: Sequence[Line]) -> None:
    """A row per column; the reason beside it or, on a narrow screen, below; the same reason is told once in a row."""
    rows = []
    for line in lines:
        state = {"undecided": "to decide", "left_out": "left out"}.get(line.part, line.sure)
        rows.append((_cut(line.column), _cut(line.words if state != "to decide" else ""), state, line.why))
    one, two = (max([len(row[place]) for row in rows] + [len(head)]) for place, head in ((0, "column"), (1, "becomes")))
    start = one + two + _STATE + 6
    beside = _width() - start >= _FEWEST_BESIDE
    click.echo(f"{'column':<{one}}  {'becomes':<{two}}  {'how sure':<{_STATE}}{'  why' if beside else ''}".rstrip())
    told = ""
    for column, becomes, state, why in rows:
        row = f"{column:<{one}}  {becomes:<{two}}  {click.style(f'{state:<{_STATE}}', fg=_COLOURS[state])}"
        again, told = why == told, why
        if not beside:
            click.echo(row.rstrip())
            if not again:
                _tell(why, before="    ")
            continue
        shown = ["as above"] if again else textwrap.wrap(why, _width() - start, break_long_words=False)
        for number, text in enumerate(shown):
            click.echo(f"{row}  {text}" if not number else f"{'':<{start}}{text}")


def _cut(text: str) -> str:
    from ipt_outcomes.results import visible

    shown = visible(text)
    return shown if len(shown) <= _WIDEST else shown[: _WIDEST - 3] + "..."


def _write(proposal: ProposedMapping, output: Path, *, is_told: bool) -> None:
    from ipt_outcomes.results.spreadsheet import replace_file

    if output.suffix.lower() == ".xlsx":
        proposal.to_excel(output)
    else:
        replace_file(output, proposal.to_toml().encode())
    if is_told:
        _tell("", f"The proposal is in {output}")


def _next(proposal: ProposedMapping, file: Path, output: Path | None) -> str:
    """The command to run next."""
    name = shlex.quote(str(file))
    if proposal.needs_none:
        return f"ipt-outcomes check {name}"
    if output is None:
        return f"ipt-outcomes map {name} -o MAP.toml   (or MAP.xlsx, with drop-downs)"
    mapping = shlex.quote(str(output))
    first = f"decide in {output.name} what is listed above, then run: " if proposal.decisions() else ""
    return f"{first}ipt-outcomes check {name} --mapping {mapping}"
