"""The command that shows what is known of instruments."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from ipt_outcomes.cli.options import json_option, mapping_option

_LONGEST_SOURCE = 60


@click.command()
@click.argument("name", required=False)
@mapping_option
@json_option
def instruments(name: str | None, mapping: str | None, as_json: bool) -> None:
    """Print range, direction, cut-offs and their sources of an instrument NAME, or of all.

    What was not confirmed in a source, and with --mapping what you set yourself, is marked.
    """
    from ipt_outcomes.instruments import instrument, instruments_with
    from ipt_outcomes.instruments.listing import as_record, registry_table
    from ipt_outcomes.io.cohort import read_cohort_mapping

    own = instruments_with(read_cohort_mapping(mapping).instruments) if mapping is not None else {}
    if name is not None:
        known = instrument(name)
        known = own.get(known.name, known)
        click.echo(_json(as_record(known)) if as_json else known.describe())
        return
    table = registry_table(own)
    if as_json:
        click.echo(_json([as_record(own.get(one, instrument(one))) for one in table["name"]]))
        return
    _print(table.to_dict("records"))


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)


def _print(rows: Sequence[Mapping[Any, str]]) -> None:
    from ipt_outcomes.instruments.listing import MARKS

    columns = list(rows[0])
    shown = [{**row, "source": _cut(row["source"])} for row in rows]
    widths = {column: max(len(column), *(len(row[column]) for row in shown)) for column in columns}
    for row in [{column: column.replace("_", " ") for column in columns}, *shown]:
        click.echo("  ".join(f"{row[column]:<{widths[column]}}" for column in columns).rstrip())
    said = "; ".join(f"{mark} {words}" for mark, words in MARKS.items())
    click.echo(f"\n{said}. A case from, in remission up to, and a reliable change of at least these points.")
    click.echo("ipt-outcomes instruments NAME prints one of them with its sources in full.")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SOURCE else text[: _LONGEST_SOURCE - 3] + "..."
