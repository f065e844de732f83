"""Tables for spreadsheets in which no text can run as a formula.

A cell that begins with ``=``, ``+``, ``-`` or ``@`` is run by a spreadsheet when it opens a CSV file. Text is
therefore stored as text; a number stays a number.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.results import visible
from ipt_outcomes.results.packing import repack
from ipt_outcomes.results.spreadsheet import RUNS, csv_text, frame_rows, plain_value, replace_file, safe_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["csv_text", "replace_file", "safe_text", "workbook", "write_table"]

_LONGEST_CELL = 32_767
_MOST_ROWS = 1_048_576
_SHEET_NAME = 31


def write_table(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write a frame for a spreadsheet; no text in it can run as a formula.

    Parameters
    ----------
    frame : pandas.DataFrame
        The columns are written, the index is not (call ``reset_index()`` first to keep it).
    path : str or Path
        Ends in ``.csv`` (UTF-8; text that a spreadsheet would run gets an apostrophe) or ``.xlsx`` (text is
        stored as text). The file appears only when it is complete.

    Returns
    -------
    Path

    Raises
    ------
    OptionError
        The ending is another one, or the folder does not exist.
    DataError
        The frame does not fit into a sheet.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in {".csv", ".xlsx"}:
        raise OptionError(f"a table is written to a file that ends in .csv or .xlsx; got {path.name!r}")
    if not path.parent.is_dir():
        raise OptionError(f"the folder for {path.name} does not exist", hint="Make it first.")
    header = [str(name) for name in frame.columns]
    rows = list(frame_rows(frame))
    data = csv_text(header, rows).encode() if suffix == ".csv" else workbook({"Table": (header, rows)})
    replace_file(path, data)
    return path


def workbook(sheets: Mapping[str, tuple[Sequence[str], Sequence[Sequence[object]]]]) -> bytes:
    """Write tables as an XLSX file, one sheet each; text is stored as text, equal tables give equal bytes.

    Parameters
    ----------
    sheets : mapping of str to (header, rows)
        Under each sheet's name.

    Returns
    -------
    bytes

    Raises
    ------
    DataError
        A table or a cell is larger than the format allows.
    """
    import openpyxl
    from openpyxl.styles import Font

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, (header, rows) in sheets.items():
        if len(rows) >= _MOST_ROWS:
            raise DataError(f"sheet {name}: {len(rows)} rows do not fit into a sheet", hint="Write .csv instead.")
        sheet = book.create_sheet(_sheet_name(name))
        sheet.freeze_panes = "A2"
        for column, label in enumerate(header, start=1):
            _put(sheet.cell(1, column), label)
            sheet.cell(1, column).font = Font(bold=True)
        for number, row in enumerate(rows, start=2):
            for column, value in enumerate(row, start=1):
                _put(sheet.cell(number, column), value)
    target = io.BytesIO()
    book.save(target)
    return repack(target.getvalue())


def _sheet_name(name: str) -> str:
    kept = "".join("-" if char in r"[]:*?/\'" else char for char in visible(name))
    return kept[:_SHEET_NAME] or "Table"


def _put(cell: Any, value: object) -> None:
    """Store a value; only a finite number becomes anything but text."""
    value = plain_value(value)
    if value is None:
        return
    if isinstance(value, bool) or (isinstance(value, int | float) and math.isfinite(value)):
        cell.value = value
        return
    text = "".join(char if char in "\n\t" else visible(char) for char in str(value))
    if len(text) > _LONGEST_CELL:
        raise DataError(f"row {cell.row}: a text of {len(text)} characters does not fit into a cell")
    # Set after the value: openpyxl reads "=1+1" as a formula as soon as it sees it.
    cell.value = text
    cell.data_type = "s"
    # Keeps the text a text when someone edits the cell and presses enter.
    cell.quotePrefix = text.startswith(RUNS)
