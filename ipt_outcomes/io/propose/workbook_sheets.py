"""The sheets of a workbook of a mapping as they stand, each cell with its place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from ipt_outcomes.errors import IptError, OptionError
from ipt_outcomes.io.guarded import reading_session
from ipt_outcomes.io.propose.workbook_words import HEADERS, TABLE, WITH_TABLE
from ipt_outcomes.io.table import read_table

_MOST_BYTES = 5_000_000
_NO_ROWS = ("no rows", "no data", "empty")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a sheet.

    Parameters
    ----------
    sheet : str
    number : int
    letters : dict of str to str
        Letter of the column of each heading.
    cells : dict of str to str
        By heading; "" for an empty cell.
    """

    sheet: str
    number: int
    letters: dict[str, str]
    cells: dict[str, str]

    def __getitem__(self, label: str) -> str:
        return self.cells.get(label, "")

    def at(self, label: str) -> str:
        """Return where a cell stands: ``codes!D7``."""
        return f"{self.sheet}!{self.letters.get(label, '')}{self.number}"


@dataclass(slots=True)
class Sheets:
    """The sheets, and what is wrong in their cells.

    Parameters
    ----------
    rows : dict of str to list of Row
        By sheet.
    faults : list of str
        Each with its cell.
    """

    rows: dict[str, list[Row]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def fault(self, row: Row, label: str, told: str) -> None:
        """Say what is wrong in a cell."""
        self.faults.append(f"{row.at(label)}: {told}")

    def one_of(self, row: Row, label: str, known: Sequence[str]) -> bool:
        """Whether a cell holds one of the words it may; a fault if it does not."""
        if row[label] in known:
            return True
        self.fault(row, label, f"{row[label]!r} is none of {', '.join(known)}{near(row[label], known)}")
        return False


def near(text: str, known: Iterable[str]) -> str:
    """Return the nearest known words, as the end of a sentence; "" for none."""
    found = difflib.get_close_matches(text.casefold(), list(known), n=3, cutoff=0.7)
    return f"; near: {', '.join(found)}" if found else ""


def read_sheets(path: Path) -> Sheets:
    """Read the sheets of a workbook.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Sheets

    Raises
    ------
    OptionError
        No such file, too large, or no workbook of a mapping.
    """
    if not path.is_file():
        raise OptionError(f"there is no mapping file {path.name}")
    if path.stat().st_size > _MOST_BYTES:
        raise OptionError(f"{path.name} is too large for a mapping: more than {_MOST_BYTES // 1_000_000} MB")
    found = Sheets()
    with reading_session():
        for name in HEADERS:
            found.rows[name] = _rows(path, name)
    return found


def _rows(path: Path, sheet: str) -> list[Row]:
    """Rows of a sheet as texts; empty ones are skipped."""
    from openpyxl.utils import get_column_letter

    try:
        table = read_table(path, sheet=sheet)
    except IptError as error:
        if sheet != "columns" and any(word in error.message for word in _NO_ROWS):
            return []
        raise OptionError(f"{path.name} is no mapping: its sheet {sheet!r} cannot be read ({error.message})") from None
    labels = [str(column).strip().casefold() for column in table.frame.columns]
    absent = [name for name in HEADERS[sheet][:3] if name not in labels]
    if absent:
        raise OptionError(f"{path.name} is no mapping: sheet {sheet!r} has no column {' and no column '.join(absent)}")
    known = (TABLE, *HEADERS[sheet]) if sheet in WITH_TABLE else HEADERS[sheet]
    letters = {label: get_column_letter(place) for place, label in enumerate(labels, start=1) if label in known}
    found = []
    for number, cells in zip(table.rows.tolist(), table.frame.itertuples(index=False, name=None), strict=True):
        texts = {label: _text(cell) for label, cell in zip(labels, cells, strict=True) if label in known}
        if any(text for label, text in texts.items() if label not in ("why", "examples")):
            found.append(Row(sheet, number, letters, texts))
    return found


def _text(cell: Any) -> str:
    if cell is None or (not isinstance(cell, str) and pd.isna(cell)):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
