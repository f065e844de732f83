"""The cells of a sheet, as they are stored: numbers as numbers, texts as texts, with what each is shown as."""

from __future__ import annotations

import math
import re
from array import array
from dataclasses import dataclass, field
from typing import BinaryIO

from .days import iso_serial
from .markup import walk
from .numberformats import DATE, MOMENT, NUMBER, SPAN, TEXT, TIME, Shown
from .refused import RefusedError
from .workbook import TextParts, Workbook, unescaped

_KIND = {"number": NUMBER, "date": DATE, "moment": MOMENT, "time": TIME, "span": SPAN}
_PLACE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_ROWS, _COLUMNS = 1_048_576, 16_384
_PLAIN = Shown()
_TRUTH = {"0": "FALSE", "1": "TRUE", "false": "FALSE", "true": "TRUE"}
_VALUES = frozenset("snbe") | {"str", "inlineStr", "d"}


@dataclass
class Column:
    """The cells of a column that hold something.

    Parameters
    ----------
    places : array of int
        Position in the rows that hold something.
    kinds : bytearray
    numbers : array of float
        0 for texts.
    texts : list of str or None
        None for numbers.
    formulas, padded : int
        Cells that are calculated; numbers shown with zeros in front.
    """

    places: array[int] = field(default_factory=lambda: array("q"))
    kinds: bytearray = field(default_factory=bytearray)
    numbers: array[float] = field(default_factory=lambda: array("d"))
    texts: list[str | None] = field(default_factory=list)
    formulas: int = 0
    padded: int = 0


@dataclass
class Cells:
    """What was found in a sheet.

    Parameters
    ----------
    columns : dict of int to Column
        By position in the sheet, from 0.
    rows : list of int
        Row numbers that hold something, as the program shows them.
    errors, uncalculated, no_dates : list of (int, int)
        Column and row of cells that hold an error, a formula without its result, a date that is none.
    merged : list of str
        Ranges of cells that are merged.
    hidden_rows, hidden_columns : set of int
    """

    columns: dict[int, Column] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    errors: list[tuple[int, int]] = field(default_factory=list)
    uncalculated: list[tuple[int, int]] = field(default_factory=list)
    no_dates: list[tuple[int, int]] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)


def letters(column: int) -> str:
    """Return a column's letters.

    Examples
    --------
    >>> letters(0), letters(27)
    ('A', 'AB')
    """
    told = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        told = chr(65 + rest) + told
    return told


def place_of(reference: str) -> tuple[int, int]:
    """Return column (from 0) and row (from 1) of a reference such as ``AB12``.

    Raises
    ------
    ValueError
        No such place in a sheet.
    """
    match = _PLACE.fullmatch(reference)
    if match is None:
        raise ValueError
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    row = int(match[2])
    if column > _COLUMNS or row > _ROWS:
        raise ValueError
    return column - 1, row


class Reader:
    """Reads one sheet.

    Parameters
    ----------
    book : Workbook
    cells : int
        The most cells that are taken: rows that hold something, times columns that do.
    """

    def __init__(self, book: Workbook, cells: int) -> None:
        self.found = Cells()
        self._book = book
        self._limit = cells
        self._parts = TextParts()
        self._row, self._column = 0, -1
        self._kind, self._style = "n", ""
        self._value: list[str] = []
        self._in_value = self._in_cell = False
        self._has_value = self._formula = False

    def read(self, source: BinaryIO) -> Cells:
        """Read the cells.

        Raises
        ------
        RefusedError
            ``size``: too many. ``damaged``.
        ValueError, IndexError, KeyError
            What is written there cannot be.
        """
        walk(source, self._begin, self._text, self._end)
        return self.found

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            self._begin_cell(attributes)
        elif name == "v":
            self._in_value = self._has_value = True
        elif name == "f":
            self._formula = True
        elif name == "row":
            self._begin_row(attributes)
        elif name == "mergeCell":
            self.found.merged.append(attributes["ref"])
        elif name == "col" and attributes.get("hidden") in ("1", "true"):
            first, last = int(attributes["min"]), int(attributes["max"])
            if not 1 <= first <= last <= _COLUMNS:
                raise ValueError
            self.found.hidden_columns.update(range(first - 1, last))
        elif self._in_cell:
            self._parts.begin(name)

    def _begin_row(self, attributes: dict[str, str]) -> None:
        row = int(attributes["r"]) if "r" in attributes else self._row + 1
        # Rows that go back or stand twice would let one cell hide another.
        if not self._row < row <= _ROWS:
            raise ValueError
        self._row, self._column = row, -1
        if attributes.get("hidden") in ("1", "true"):
            self.found.hidden_rows.add(row)

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        if "r" in attributes:
            column, row = place_of(attributes["r"])
            if row != self._row or column <= self._column:
                raise ValueError
        else:
            column = self._column + 1
        self._column = column
        self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
        self._in_cell, self._has_value, self._formula = True, False, False
        if self._kind not in _VALUES:
            raise ValueError

    def _text(self, part: str) -> None:
        if self._in_value:
            self._value.append(part)
        elif self._in_cell:
            self._parts.text(part)

    def _end(self, name: str) -> None:
        if name == "v":
            self._in_value = False
        elif name == "c":
            self._end_cell()
        elif self._in_cell:
            self._parts.end(name)

    def _end_cell(self) -> None:
        value, inline = "".join(self._value), self._parts.take()
        self._value.clear()
        self._in_cell = False
        kind = self._kind
        if kind == "e":
            self.found.errors.append((self._column, self._row))
        elif kind == "inlineStr":
            self._keep_text(inline)
        elif kind == "str":
            if self._formula and (self._book.stale or not self._has_value):
                self.found.uncalculated.append((self._column, self._row))
            else:
                self._keep_text(unescaped(value))
        elif self._formula and (self._book.stale or not value.strip()):
            self.found.uncalculated.append((self._column, self._row))
        elif not value.strip():
            return
        elif kind == "s":
            place = int(value)
            if place < 0:
                raise ValueError
            self._keep_text(self._book.texts[place])
        elif kind == "b":
            self._keep_text(_TRUTH[value.strip()])
        elif kind == "d":
            self._keep(*iso_serial(value.strip(), from_1904=self._book.from_1904))
        else:
            self._keep_number(value)

    def _keep_text(self, text: str) -> None:
        if text.strip():
            self._keep(TEXT, 0.0, text)

    def _keep_number(self, value: str) -> None:
        number = float(value)
        # Python takes 1_000 for a number; a spreadsheet writes none.
        if not math.isfinite(number) or "_" in value:
            raise ValueError
        shown = self._shown()
        if shown.zeros and number >= 0 and number.is_integer():
            self._keep(TEXT, 0.0, str(int(number)).zfill(shown.zeros))
            self.found.columns[self._column].padded += 1
        else:
            self._keep(_KIND[shown.kind], number)

    def _shown(self) -> Shown:
        if not self._style:
            return _PLAIN
        place = int(self._style)
        if place < 0:
            raise ValueError
        if not self._book.styles and place == 0:
            return _PLAIN
        return self._book.styles[place]

    def _keep(self, kind: int, number: float, text: str | None = None) -> None:
        found = self.found
        if not found.rows or found.rows[-1] != self._row:
            found.rows.append(self._row)
        column = found.columns.setdefault(self._column, Column())
        column.places.append(len(found.rows) - 1)
        column.kinds.append(kind)
        column.numbers.append(number)
        column.texts.append(text)
        column.formulas += self._formula
        if len(found.rows) * len(found.columns) > self._limit:
            raise RefusedError("size", rows=len(found.rows), columns=len(found.columns), cells=self._limit)
