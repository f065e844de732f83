"""SPSS portable files: their lines, their table of characters, their end.

The layout is the one that PSPP documents (PSPP Developers' Guide, "Portable File Format").
"""

from __future__ import annotations

from .promise import Whole
from .refused import RefusedError

_LINE = 80
_TABLE, _FIRST = 200, 64
"""Where the table of 256 characters stands, and the place of "0" in it."""
_LETTERS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz .<(+"
_DAMAGED = 20
"""With so few characters other than ASCII's the table is a damaged one; with more, it is that of another machine."""


def check_portable(content: bytes, cells: int) -> Whole:
    """Check that a .por ends as it must, in lines as they must be; it does not say how many cases it has.

    Parameters
    ----------
    content : bytes
    cells : int
        Not used: a .por is not compressed.

    Returns
    -------
    Whole

    Raises
    ------
    RefusedError
        ``cut``: no end. ``lines``: lines of another length, bytes that were put in or taken out.
    ValueError
        A table of characters that cannot be.
    """
    if not content.rstrip(b"\r\n \x1a\x00").endswith(b"Z"):
        raise RefusedError("cut")
    lines = content.split(b"\r\n" if b"\r\n" in content else b"\n")
    if len(lines) > 1 and (any(len(line) != _LINE for line in lines[:-1]) or len(lines[-1]) > _LINE):
        raise RefusedError("lines")
    _check_table(b"".join(lines))
    return Whole(remarks=("no_count", "no_codes"))


def _check_table(text: bytes) -> None:
    """See that different letters are told apart: one changed entry turns a letter of all cells into another."""
    table = text[_TABLE + _FIRST : _TABLE + _FIRST + len(_LETTERS)]
    other = sum(a != b for a, b in zip(table, _LETTERS, strict=False))
    if 0 < other < _DAMAGED or len(set(table)) < len(table):
        raise ValueError
