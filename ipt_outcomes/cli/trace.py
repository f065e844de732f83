"""The command that says where a number of a report comes from."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ipt_outcomes.cli.options import as_json_text, json_option


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.argument("id", metavar="ID")
@json_option
def trace(folder: Path, id: str, as_json: bool) -> None:
    """Say where the number ID of the report in DIR comes from: data, rows, method, options, versions, places.

    ID is the data-result-id of the HTML and the id of results.json. The data are not needed. Exit code 1 if the
    folder was changed since it was made.
    """
    from ipt_outcomes.report import trace as find

    found = find(folder, id)
    click.echo(as_json_text(found) if as_json else found.summary())
    if not found.ok:
        sys.exit(1)
