"""Text that no spreadsheet runs as a formula, CSV made of it, and files that appear only when complete."""

from __future__ import annotations

import csv
import io
import math
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# The full-width forms are run by spreadsheets set to Japanese.
RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


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
    return f"'{text}" if text.startswith(RUNS) else text


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


def frame_rows(frame: pd.DataFrame) -> Iterable[list[object]]:
    """Yield the rows of a frame as lists.

    Parameters
    ----------
    frame : pandas.DataFrame
    """
    columns = [frame.iloc[:, position].tolist() for position in range(frame.shape[1])]
    return (list(row) for row in zip(*columns, strict=True))


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


def _csv_cell(value: object) -> str:
    value = plain_value(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float):
        return repr(value)
    return safe_text(str(value))


def plain_value(value: object) -> object:
    """Python's own number for a NumPy one; None for every kind of missing."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return None
    if hasattr(value, "item") and hasattr(value, "dtype"):
        value = value.item()
    if isinstance(value, float) and math.isnan(value):
        return None
    return value
