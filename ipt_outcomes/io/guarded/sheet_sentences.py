"""What the user is told when a workbook is not read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ipt_outcomes.errors import DataError
from ipt_outcomes.io.delimited import rows_in_words
from ipt_outcomes.io.guarded.words import shown

_SHEETS_NAMED = 10
_WAYS = {
    "error": ("an error instead of a value", "Correct the formulas, or empty the cells where a value is missing."),
    "uncalculated": (
        "a formula whose result is not stored",
        "Open the file in a spreadsheet program and save it there, so that the formulas are calculated.",
    ),
    "no_date": (
        "a number shown as a date that is none",
        "Correct the dates, or give the cells a number format.",
    ),
}


def _cells(name: str, facts: dict[str, Any]) -> DataError:
    """Name all cells that cannot be taken at their word."""
    parts: list[str] = []
    hints: list[str] = []
    rows: list[int] = []
    for key, (words, hint) in _WAYS.items():
        for column in facts[key]:
            at = [int(row) for row in column["rows"]]
            count = int(column["count"])
            title = f" ({shown(str(column['title']))})" if column["title"] else ""
            cells = f"{count} cell{' holds' if count == 1 else 's hold'}"
            parts.append(f"column {column['letters']}{title}: {cells} {words}: {_rows(at, count)}")
            rows += at
        if facts[key]:
            hints.append(hint)
    if facts["merges"]:
        more = facts["merges"] - len(facts["merged"])
        parts.append(f"merged cells: {', '.join(facts['merged'])}" + (f" and {more} more" if more else ""))
        hints.append("Undo the merging of cells, and write each value into its own cell.")
    first = next((column["title"] for key in _WAYS for column in facts[key]), "") or None
    return DataError(f"{name}: {'; '.join(parts)}", rows=rows, column=first, hint=" ".join(hints))


def _rows(at: list[int], count: int) -> str:
    more = count - len(at)
    return rows_in_words(at) + (f" and {more} more" if more else "")


def _sheets(name: str, facts: dict[str, Any]) -> DataError:
    """Say how many sheets there are by their place and size; their names may be persons'."""
    told = [
        f"sheet {place}" + (f": {rows} rows, {columns} columns" if rows else "") + (" (hidden)" if hidden else "")
        for place, rows, columns, hidden in facts["sheets"]
    ]
    more = len(told) - _SHEETS_NAMED
    return DataError(
        f"{name} has {len(told)} sheets that hold something: one table is read at a time ("
        + "; ".join(told[:_SHEETS_NAMED]) + (f" and {more} more)" if more > 0 else ")"),
        hint=f"Say which: sheet={facts['sheets'][0][0]} (--sheet on the command line), or the sheet's name; or "
        "delete the other sheets.",
    )  # fmt: skip


SHEETS: dict[str, Callable[[str, dict[str, Any]], DataError]] = {
    "cells": _cells,
    "sheets": _sheets,
    "no_sheet": lambda name, facts: DataError(
        f"{name} has no such sheet, or several: it has {facts['count']} sheet{'' if facts['count'] == 1 else 's'}",
        hint="Give the sheet's name as it stands on its tab, or its number from 1.",
    ),
    "no_cells": lambda name, facts: DataError(
        f"{name} is empty: a row of column names and rows of data were expected",
        hint="Check that it is the right file, and that the table stands on the sheet asked for.",
    ),
    "no_workbook": lambda name, facts: DataError(
        f"{name} is not an Excel workbook, whatever its name: it is another kind of archive or document",
        hint="Save the table as an Excel workbook (.xlsx) or as CSV.",
    ),
    "password": lambda name, facts: DataError(
        f"{name} is protected by a password", hint="Save a copy without the password, in a safe place."
    ),
}
"""Kind of refusal to the error."""
