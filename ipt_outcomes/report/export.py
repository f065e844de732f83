"""Tables for spreadsheets in which no text can run as a formula.

A cell that begins with ``=``, ``+``, ``-`` or ``@`` is run by a spreadsheet when it opens a CSV file. Text is
therefore stored as text; a number stays a number.
"""

from __future__ import annotations

import csv
import io
import math
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.report.packing import repack
from ipt_outcomes.results import visible

if TYPE_CHECKING:
    import pandas as pd

# The full-width forms are run by spreadsheets set to Japanese.
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_LONGEST_CELL = 32_767
_MOST_ROWS = 1_048_576
_SHEET_NAME = 31


def safe_text(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would run.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> safe_text("=1+1"), safe_text("Weissman 1979")
    ("'=1+1", 'Weissman 1979')
    """
    return f"'{text}" if text.startswith(_RUNS) else text


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table as CSV text.

    Parameters
    ----------
    header : sequence of str
    rows : iterable of sequence
        Text, numbers (unrounded), dates, None; what is missing becomes an empty cell.

    Returns
    -------
    str
        Comma-separated, lines end with CR LF (RFC 4180).
    """
    target = io.StringIO()
    # Both characters of this line end are quoted inside a cell; a bare CR would start a row that runs.
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow([safe_text(name) for name in header])
    for row in rows:
        writer.writerow([_csv_cell(value) for value in row])
    return target.getvalue()


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
    rows = list(_rows(frame))
    data = csv_text(header, rows).encode() if suffix == ".csv" else workbook({"Table": (header, rows)})
    replace_file(path, data)
    return path


def replace_file(path: Path, data: bytes) -> None:
    """Write a file beside its place and move it there, so that nobody ever reads half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as target:
            target.write(data)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


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
    value = _plain(value)
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
    cell.quotePrefix = text.startswith(_RUNS)


def _rows(frame: pd.DataFrame) -> Iterable[list[object]]:
    columns = [frame.iloc[:, position].tolist() for position in range(frame.shape[1])]
    return (list(row) for row in zip(*columns, strict=True))


def _csv_cell(value: object) -> str:
    value = _plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return repr(value)
    return safe_text(str(value))


def _plain(value: object) -> object:
    """Python's own number for a NumPy one; None for every kind of missing."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return None
    if hasattr(value, "item") and hasattr(value, "dtype"):
        value = value.item()
    if isinstance(value, float) and math.isnan(value):
        return None
    return value
