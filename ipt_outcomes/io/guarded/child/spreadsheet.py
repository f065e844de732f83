"""Read one sheet of a workbook: which one, whether all its cells can be taken at their word, and hand them back."""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa

from .days import milliseconds
from .numberformats import DATE, MOMENT, TEXT
from .parcel import Parcel
from .refused import RefusedError
from .sheet import Cells, Reader, letters, place_of
from .workbook import Sheet, Workbook, read_workbook

_ROWS_NAMED = 10
_COLUMNS_NAMED = 20
_LONGEST_TITLE = 200
_DIMENSION = re.compile(r"[A-Z]+[0-9]+(:[A-Z]+[0-9]+)?")


def read_spreadsheet(request: dict[str, Any]) -> tuple[dict[str, Any], dict[str, pa.Array]]:
    """Read a sheet.

    Parameters
    ----------
    request : dict
        ``path``, ``cells`` (the most taken), ``sheet`` (name, number from 1, or None where only one holds cells).

    Returns
    -------
    told : dict
        ``rows`` (numbers of the rows that hold something, the first of them the titles), ``columns`` (letters,
        formulas, padded, hidden), ``sheet``, ``place``, ``hidden_sheet``, ``sheets`` (how many there are),
        ``from_1904``, ``hidden_rows``.
    arrays : dict of str to pyarrow.Array
        Of column 0: ``k0`` what each cell holds, ``n0`` its number (dates as milliseconds from 1970), ``s0`` its
        text.

    Raises
    ------
    RefusedError
    """
    try:
        parcel = Parcel(request["path"])
        book = read_workbook(parcel)
        chosen = _choose(parcel, book, request)
        found = Reader(book, request["cells"]).read(parcel.open(chosen.member))
        _refuse_cells(found, book)
        if not found.rows:
            raise RefusedError("no_cells")
        arrays = _arrays(found, book)
    except (ValueError, IndexError, KeyError, OverflowError):
        raise RefusedError("header") from None
    return _told(found, book, chosen), arrays


def _choose(parcel: Parcel, book: Workbook, request: dict[str, Any]) -> Sheet:
    """Return the sheet to read: the one asked for, or the only one that holds cells."""
    if not book.sheets:
        raise RefusedError("no_cells")
    asked = request.get("sheet")
    if asked is not None:
        return _asked(book, asked)
    held = [sheet for sheet in book.sheets if _holds_cells(parcel, book, sheet)] if len(book.sheets) > 1 else []
    if len(held) > 1:
        sheets = [[_number(book, sheet), *_extent(parcel, sheet), sheet.hidden] for sheet in held]
        raise RefusedError("sheets", sheets=sheets)
    return (held or book.sheets)[0]


def _number(book: Workbook, sheet: Sheet) -> int:
    """Return the number of a sheet from 1; two sheets may be told in the same words."""
    return next(number for number, one in enumerate(book.sheets, start=1) if one is sheet)


def _asked(book: Workbook, asked: str | int) -> Sheet:
    if isinstance(asked, int):
        found = book.sheets[asked - 1 : asked] if asked > 0 else []
    else:
        found = [sheet for sheet in book.sheets if sheet.name.casefold() == asked.casefold()]
    if len(found) != 1:
        raise RefusedError("no_sheet", count=len(book.sheets))
    return found[0]


class _Enough(Exception):  # noqa: N818  it ends a reading that went well
    """A first cell was found: the rest need not be looked at."""


def _holds_cells(parcel: Parcel, book: Workbook, sheet: Sheet) -> bool:
    class First(Reader):
        def _end_cell(self) -> None:
            super()._end_cell()
            if self.found.rows or self.found.errors or self.found.uncalculated:
                raise _Enough

    try:
        First(book, 1 << 30).read(parcel.open(sheet.member))
    except _Enough:
        return True
    return False


def _extent(parcel: Parcel, sheet: Sheet) -> tuple[int, int]:
    """Return rows and columns as the sheet's own first lines tell them, 0 and 0 where they do not."""
    head = parcel.open(sheet.member).read(4096).decode("utf-8", "replace")
    match = re.search(r'<(?:\w+:)?dimension ref="([^"]+)"', head)
    if match is None or not _DIMENSION.fullmatch(match[1]):
        return 0, 0
    first, _, last = match[1].partition(":")
    (left, top), (right, bottom) = place_of(first), place_of(last or first)
    return bottom - top + 1, right - left + 1


def _refuse_cells(found: Cells, book: Workbook) -> None:
    """Refuse, all at once, the cells that hold no value or not theirs."""
    for place, column in found.columns.items():
        for at, kind, number in zip(column.places, column.kinds, column.numbers, strict=True):
            if kind in (DATE, MOMENT) and milliseconds(number, from_1904=book.from_1904) is None:
                found.no_dates.append((place, found.rows[at]))
    faults = {
        "error": _by_column(found, found.errors),
        "uncalculated": _by_column(found, found.uncalculated),
        "no_date": _by_column(found, found.no_dates),
    }
    merged = [reference for reference in found.merged if _touches(reference, found)]
    if any(faults.values()) or merged:
        raise RefusedError("cells", **faults, merged=merged[:_ROWS_NAMED], merges=len(merged))


def _by_column(found: Cells, cells: list[tuple[int, int]]) -> list[dict[str, Any]]:
    rows: dict[int, list[int]] = {}
    for column, row in cells:
        rows.setdefault(column, []).append(row)
    return [
        {"letters": letters(column), "title": _title(found, column), "count": len(at), "rows": at[:_ROWS_NAMED]}
        for column, at in sorted(rows.items())[:_COLUMNS_NAMED]
    ]


def _title(found: Cells, place: int) -> str:
    """Return the first text of a column where it stands in the first row; nothing else of a cell may be told."""
    column = found.columns.get(place)
    if column is None or column.places[0] != 0 or column.kinds[0] != TEXT:
        return ""
    return (column.texts[0] or "")[:_LONGEST_TITLE]


def _touches(reference: str, found: Cells) -> bool:
    """Whether merged cells reach into the rows and columns that hold something."""
    first, _, last = reference.partition(":")
    (left, top), (right, bottom) = place_of(first), place_of(last or first)
    used = found.columns
    if not used:
        return False
    return bottom >= found.rows[0] and top <= found.rows[-1] and right >= min(used) and left <= max(used)


def _arrays(found: Cells, book: Workbook) -> dict[str, pa.Array]:
    arrays: dict[str, pa.Array] = {}
    size = len(found.rows)
    for position, place in enumerate(sorted(found.columns)):
        column = found.columns[place]
        kinds, numbers = bytearray(size), [0.0] * size
        texts: list[str | None] = [None] * size
        for at, kind, number, text in zip(column.places, column.kinds, column.numbers, column.texts, strict=True):
            kinds[at] = kind
            texts[at] = text
            whole = milliseconds(number, from_1904=book.from_1904) if kind in (DATE, MOMENT) else number
            numbers[at] = float(whole or 0)
        arrays[f"k{position}"] = pa.array(memoryview(kinds), pa.uint8())
        arrays[f"n{position}"] = pa.array(numbers, pa.float64())
        arrays[f"s{position}"] = pa.array(texts, pa.large_string())
    return arrays


def _told(found: Cells, book: Workbook, chosen: Sheet) -> dict[str, Any]:
    return {
        "rows": found.rows,
        "columns": [
            {
                "letters": letters(place),
                "formulas": column.formulas,
                "padded": column.padded,
                "hidden": place in found.hidden_columns,
            }
            for place, column in sorted(found.columns.items())
        ],
        "sheet": chosen.name,
        "hidden_sheet": chosen.hidden,
        "place": _number(book, chosen),
        "sheets": len(book.sheets),
        "from_1904": book.from_1904,
        "hidden_rows": len(found.hidden_rows.intersection(found.rows)),
    }
