"""Options that several commands have, and what is done with them."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

if TYPE_CHECKING:
    from ipt_outcomes.results import ResultObject

Decimal = Literal[".", ","]
Better = Literal["lower", "higher"]
Event = Literal["good", "bad"]

FORMATS = ("html", "pdf", "docx", "xlsx")


class ListOf(click.ParamType):  # type: ignore[type-arg]  # not generic in older releases
    """Values separated by commas, each one of some choices."""

    name = "list"

    def __init__(self, choices: tuple[str, ...]) -> None:
        self.choices = {choice.casefold(): choice for choice in choices}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return the choices named, each once, or fail with the ones there are."""
        if isinstance(value, tuple):
            return value
        words = [word.strip() for word in str(value).split(",") if word.strip()]
        unknown = [word for word in words if word.casefold() not in self.choices]
        if unknown or not words:
            self.fail(
                f"{', '.join(unknown) or 'nothing'} is not among {', '.join(self.choices.values())}",
                param,
                ctx,
            )
        return tuple(dict.fromkeys(self.choices[word.casefold()] for word in words))


class Names(click.ParamType):  # type: ignore[type-arg]  # as above
    """Names separated by commas, in the order given."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return the names, each once, or fail where there is none."""
        if isinstance(value, tuple):
            return value
        parts = next(csv.reader([str(value)], skipinitialspace=True), [])
        names = tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))
        if not names:
            self.fail("expected at least one name, several separated by commas", param, ctx)
        return names


class Span(click.ParamType):  # type: ignore[type-arg]  # as above
    """FROM:TO, of which one side may be left open."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Any, Any]:
        """Return the two limits, None for an open side, or fail with the form expected."""
        if isinstance(value, tuple):
            return value
        low, sign, high = (part.strip() for part in str(value).partition(":"))
        try:
            limits = [float(part) if part else None for part in (low, high)]
        except ValueError:
            limits = [None, None]
        known = [limit for limit in limits if limit is not None]
        if not sign or not known or known != sorted(known) or not all(map(math.isfinite, known)):
            self.fail(f"expected FROM:TO, as 0:24, :24 or 12:; got {value!r}", param, ctx)
        return limits[0], limits[1]


class Condition(click.ParamType):  # type: ignore[type-arg]  # as above
    """COLUMN=VALUE[,VALUE]; a value with a comma in double quotes."""

    name = "condition"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, list[str]]:
        """Return the column and its values, or fail with the form expected."""
        column, sign, values = str(value).partition("=")
        # As in a CSV file: a value that holds a comma stands in quotation marks.
        parts = next(csv.reader([values], skipinitialspace=True), [])
        chosen = [part.strip() for part in parts if part.strip()]
        if not sign or not column.strip() or not chosen:
            self.fail(f"expected COLUMN=VALUE or COLUMN=VALUE,VALUE; got {value!r}", param, ctx)
        return column.strip(), chosen


def output_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--out`` and ``--format``."""
    command = click.option("--out", type=click.Path(path_type=Path), help="New folder for the report.")(command)
    return click.option(
        "--format",
        "formats",
        type=ListOf(FORMATS),
        default="html,pdf,docx",
        show_default=True,
        help="What to write.",
    )(command)


where_option = click.option(
    "--where",
    type=Condition(),
    multiple=True,
    metavar="COLUMN=VALUE[,VALUE]",
    help="Rows to keep; repeatable.",
)
encoding_option = click.option("--encoding", help="Encoding of the file, where it is not to be detected.")
decimal_option = click.option(
    "--decimal", type=click.Choice(get_args(Decimal)), help="Decimal mark of the file, where it cannot be told."
)
mapping_option = click.option(
    "--mapping", metavar="MAP.toml", help="Mapping of the columns to the dictionary: a file or a name."
)
sheet_option = click.option(
    "--sheet", metavar="NAME|NUMBER", help="Sheet of a workbook that has several: its name, or its number from 1."
)
better_option = click.option(
    "--better", type=click.Choice(get_args(Better)), help="Which scores are better, where nothing tells."
)
event_option = click.option(
    "--event", type=click.Choice(get_args(Event)), help="What events mean, where the table does not tell."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")


def sheet_chosen(text: str | None) -> str | int | None:
    """Return the sheet as readers take it: a number where it is one."""
    return int(text) if text is not None and text.isdigit() else text


def with_sheet(mapping: dict[str, Any] | None, text: str | None) -> dict[str, Any] | None:
    """Return the record of a mapping with the sheet that was chosen, so that a report can be made again."""
    return mapping if text is None else {**(mapping or {}), "sheet": sheet_chosen(text)}


def merged_conditions(given: tuple[tuple[str, list[str]], ...]) -> dict[str, list[str]]:
    """Return the values allowed per column, where a column may be named several times."""
    where: dict[str, list[str]] = {}
    for column, values in given:
        where.setdefault(column, []).extend(values)
    return where


def as_json_text(analysis: ResultObject) -> str:
    """Return an analysis as JSON text."""
    return json.dumps(analysis.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)


def new_folder(out: Path | None, name: str) -> Path:
    """The folder asked for, if it is free, or the next free one under ``ipt-reports``."""
    from ipt_outcomes.errors import OptionError

    if out is None:
        parent, number = Path("ipt-reports"), 1
        while (parent / f"{name}-{number:03d}").exists():
            number += 1
        return parent / f"{name}-{number:03d}"
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OptionError(
            f"{out} exists and is not empty: a report is never written over", hint="Choose another --out."
        )
    return out
