"""SAS transport files: where each cell stands, how many rows there are, which letter a missing number is.

Layouts: SAS technical note TS-140 (version 5) and its successor for version 8. Readers hand over a missing letter
(.A to .Z, ._) as plain missing; here it is taken from its byte.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from .promise import Whole
from .refused import RefusedError

_RECORD = 80
_START = b"HEADER RECORD*******"
_NAMES, _CELLS = (b"NAMESTR", b"NAMSTV8"), (b"OBS ", b"OBSV8")
_MEMBERS = (b"MEMBER ", b"MEMBV8 ")
_SIZES = (136, 140)
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
_NUMBER, _TEXT = 1, 2


@dataclass(frozen=True)
class Layout:
    """Where the cells of a transport file stand.

    Parameters
    ----------
    content : bytes
        The file.
    start : int
        Where its rows begin.
    width : int
        Bytes of a row.
    numbers : dict of int to int
        Position of a column of numbers to the place of its cells in a row.
    """

    content: bytes
    start: int
    width: int
    numbers: dict[int, int]

    def letters(self, column: int, cells: Sequence[object]) -> list[str | None] | None:
        """Return the letter of each missing number of a column; None where none has one."""
        place = self.numbers.get(column)
        if place is None:
            return None
        first = self.content[self.start + place :: self.width]
        found: list[str | None] = [None] * len(cells)
        tagged = False
        for row, (cell, byte) in enumerate(zip(cells, first, strict=False)):
            # A missing number is the one that is not equal to itself.
            if (cell is None or cell != cell) and byte in _LETTERS:
                found[row] = chr(byte)
                tagged = True
        return found if tagged else None


def check_transport(content: bytes, cells: int) -> Whole:
    """Count the rows of a .xpt; a version 8 file says itself how many it has.

    Parameters
    ----------
    content : bytes
    cells : int
        The most cells that will be read.

    Returns
    -------
    Whole

    Raises
    ------
    RefusedError
        ``cut``: the last row is not whole. ``cases``: another number of rows than the header says. ``several``: more
        than one table. ``columns``, ``size``.
    ValueError
        No such file.
    """
    if len(content) % _RECORD:
        raise RefusedError("cut")
    names = _header(content, 0, _NAMES)
    size = int(content[_header(content, 0, _MEMBERS) + 74 :][:4])
    count = int(content[names + 53 : names + 58])
    if not count:
        raise RefusedError("columns")
    if size not in _SIZES:
        raise ValueError
    after = names + _RECORD + -(-count * size // _RECORD) * _RECORD
    rows_at = _header(content, after, _CELLS)
    layout = _layout(content, names + _RECORD, size, count, rows_at + _RECORD)
    data = content[layout.start :]
    if _next_table(content, layout.start) is not None:
        raise RefusedError("several")
    # The last record is filled up with blanks; rows of blanks at the end are no rows.
    rows = -(-len(data.rstrip(b" ")) // layout.width)
    if rows * layout.width > len(data):
        raise RefusedError("cut")
    told = content[rows_at + 48 : rows_at + 80].split()
    if rows * count > cells:
        raise RefusedError("size", rows=rows, columns=count, cells=cells)
    if content[rows_at + 20 : rows_at + 25] != _CELLS[1] or not told or int(told[0]) == 0:
        return Whole(remarks=("no_count",), rows=rows, layout=layout)
    if int(told[0]) != rows:
        raise RefusedError("cases", header=int(told[0]), found=rows)
    return Whole(rows=rows, layout=layout)


def _header(content: bytes, place: int, names: tuple[bytes, ...]) -> int:
    """Return where the header record of one of some names stands, at or after a place."""
    for at in range(place, len(content), _RECORD):
        if content.startswith(_START, at) and content.startswith(names, at + len(_START)):
            return at
    raise EOFError


def _next_table(content: bytes, place: int) -> int | None:
    try:
        return _header(content, place, _MEMBERS)
    except EOFError:
        return None


def _layout(content: bytes, place: int, size: int, count: int, start: int) -> Layout:
    """Add up the lengths of the columns; the places written beside them are wrong in files of some programs."""
    numbers: dict[int, int] = {}
    width = 0
    long_names = content.startswith(_NAMES[1], place - _RECORD + len(_START))
    for column in range(count):
        kind, _, length = struct.unpack_from(">hhh", content, place + column * size)
        if kind not in (_NUMBER, _TEXT) or length <= 0 or (kind == _NUMBER and not 2 <= length <= 8):
            raise ValueError
        if long_names:
            _compare_names(content[place + column * size :])
        if kind == _NUMBER:
            numbers[column] = width
        width += length
    return Layout(content, start, width, numbers)


def _compare_names(entry: bytes) -> None:
    """See that a name stands the same in its two places; the first one holds eight letters."""
    short, long = entry[8:16].rstrip(b" \0"), entry[88:120].rstrip(b" \0")
    # Longer names are shortened by programs in ways of their own.
    if min(len(short), len(long)) < 8 and long and short.upper() != long.upper():
        raise ValueError
