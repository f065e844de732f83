"""The command that proposes a mapping for a file nobody documented."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipt_outcomes.cli.options import Decimal, decimal_option, encoding_option
from ipt_outcomes.errors import OptionError

if TYPE_CHECKING:
    from ipt_outcomes.io.propose import ProposedMapping

_COLOURS = {"sure": "green", "likely": "cyan", "guess": "yellow", "to decide": "red", "left out": None}
_WIDEST = 34


@click.command("map")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write the proposal: MAP.toml, or MAP.xlsx with drop-downs."
)
@click.option("--leave-out-unknown", is_flag=True, help="Leave out every column that was not recognised.")
@encoding_option
@decimal_option
def map_command(
    file: Path, output: Path | None, leave_out_unknown: bool, encoding: str | None, decimal: Decimal | None
) -> None:
    """Propose which column of FILE is which: instruments, visits, arms, problem areas, with reasons.

    What is a guess, and every column that was not recognised, waits for your decision: nothing is loaded by the
    proposal before you have made it.
    """
    from ipt_outcomes.io.propose import propose_mapping

    if output is not None:
        _check_output(output)
    proposal = propose_mapping(file, encoding=encoding, decimal=decimal)
    if leave_out_unknown:
        proposal = proposal.leaving_out_unknown()
    click.echo(f"{proposal.source}: {proposal.layout}.\n")
    _print_columns(proposal)
    decisions = proposal.decisions() if proposal.kind == "cohort" else []
    if decisions:
        click.echo(f"\nTo decide ({len(decisions)}):")
        for decision in decisions:
            click.echo(f"- {decision}")
    for hint in proposal.hints:
        click.echo(f"\nNote: {hint}")
    if output is not None:
        _write(proposal, output)
    click.echo(f"\nNext: {_next(proposal, file, output)}")


def _check_output(output: Path) -> None:
    if output.suffix.lower() not in (".toml", ".xlsx"):
        raise OptionError(f"a mapping is written to a file that ends in .toml or .xlsx; got {output.name}")
    if output.exists():
        raise OptionError(f"{output.name} is there already", hint="Nothing is written over: choose another name.")
    if not output.parent.is_dir():
        raise OptionError(f"the folder for {output.name} does not exist", hint="Make it first.")


def _print_columns(proposal: ProposedMapping) -> None:
    """One line per column; the confidence in words and, on a terminal, in colour."""
    rows = []
    for line in proposal.lines:
        state = {"undecided": "to decide", "left_out": "left out"}.get(line.part, line.sure)
        rows.append((_cut(line.column), _cut(line.words if state != "to decide" else ""), state, line.why))
    widths = [max(len(row[place]) for row in [*rows, ("column", "becomes", "")]) for place in range(2)]
    click.echo(f"{'column':<{widths[0]}}  {'becomes':<{widths[1]}}  {'how sure':<9}  why")
    for column, becomes, state, why in rows:
        told = click.style(f"{state:<9}", fg=_COLOURS[state])
        click.echo(f"{column:<{widths[0]}}  {becomes:<{widths[1]}}  {told}  {why}")


def _cut(text: str) -> str:
    from ipt_outcomes.results import visible

    shown = visible(text)
    return shown if len(shown) <= _WIDEST else shown[: _WIDEST - 3] + "..."


def _write(proposal: ProposedMapping, output: Path) -> None:
    from ipt_outcomes.results.spreadsheet import replace_file

    if output.suffix.lower() == ".xlsx":
        proposal.to_excel(output)
    else:
        replace_file(output, proposal.to_toml().encode())
    click.echo(f"\nThe proposal is in {output}")


def _next(proposal: ProposedMapping, file: Path, output: Path | None) -> str:
    """The command to run next."""
    name = shlex.quote(str(file))
    if output is None:
        return f"ipt-outcomes map {name} -o MAP.toml   (or MAP.xlsx, with drop-downs)"
    mapping = shlex.quote(str(output))
    first = f"decide in {output.name} what is listed above, then run: " if proposal.decisions() else ""
    return f"{first}ipt-outcomes check {name} --mapping {mapping}"
