"""SPSS files: the cases in the data are counted, because readers believe the header and stop there.

The layout is the one that PSPP documents (PSPP Developers' Guide, "System File Format").
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from .promise import Bytes, Whole
from .refused import RefusedError
from .spss_dictionary import Dictionary, read_dictionary

_END_OF_DATA, _IN_FULL = b"\xfc", b"\xfd"
_MOST_PER_CELL = 8
"""A cell of text takes one slot of eight bytes for every eight characters."""


def check_spss(content: bytes, cells: int) -> Whole:
    """Count the cases of a .sav or .zsav and compare with the header.

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
        ``cases``: another number of cases than the header says. ``cut``: the file ends inside a case.
        ``damaged``: compressed data that do not unfold. ``columns``: no variables. ``size``: too many cells.
    """
    known = read_dictionary(content)
    if not known.slots:
        raise RefusedError("columns")
    most = max(cells, 1) * _MOST_PER_CELL
    _refuse_many(content, known, cells)
    if known.compression == 0:
        slots, rest = divmod(len(content) - known.data, 8)
        if rest:
            raise RefusedError("cut")
    elif known.compression == 1:
        slots = _count(iter((content[known.data :],)), most, known)
    elif known.compression == 2:
        slots = _count(_unfolded(content, known.data), most, known)
    else:
        raise ValueError
    found, rest = divmod(slots, known.slots)
    if known.cases >= 0 and found != known.cases:
        raise RefusedError("cases", header=known.cases, found=found)
    if rest:
        raise RefusedError("cut")
    return Whole(rows=found, encoding=known.declared_encoding(), remarks=known.remarks())


def _refuse_many(content: bytes, known: Dictionary, cells: int) -> None:
    """Refuse too many cells before they are unfolded, where the header can be true: every slot takes a byte."""
    if known.cases * known.variables <= cells:
        return
    room = len(content) - known.data
    if known.compression == 2:
        room = sum(unfolded for _, unfolded, _ in _blocks(content, known.data))
    if known.cases * known.slots <= room:
        raise RefusedError("size", rows=known.cases, columns=known.variables, cells=cells)


def _count(parts: Iterator[bytes], most: int, known: Dictionary) -> int:
    """Count the slots of compressed data: eight codes, then eight bytes for each code that asks for them."""
    slots, rest, ended = 0, b"", False
    for part in parts:
        data, place = rest + part, 0
        if ended:
            _refuse_more(data)
            continue
        size, full_at, end_at = len(data), -1, -1
        while place + 8 <= size:
            full_at, end_at = _next(data, _IN_FULL, place, full_at), _next(data, _END_OF_DATA, place, end_at)
            plain = (min(full_at, end_at) - place) // 8 * 8
            if plain:
                slots += plain - data.count(0, place, place + plain)
                place += plain
                continue
            codes = data[place : place + 8]
            if _END_OF_DATA in codes:
                codes, ended = codes[: codes.index(_END_OF_DATA)], True
            end = place + 8 + 8 * codes.count(_IN_FULL)
            if end > size:
                ended = False
                break
            slots += len(codes) - codes.count(0)
            place = end
            if ended:
                _refuse_more(data[place:])
                break
        if slots > most:
            raise RefusedError("size", rows=slots // known.slots, columns=known.variables, cells=most // _MOST_PER_CELL)
        rest = b"" if ended else data[place:]
    if rest:
        raise RefusedError("cut")
    return slots


def _next(data: bytes, code: bytes, place: int, known: int) -> int:
    """Return where a code stands next; the end of the data where it does not."""
    if known >= place:
        return known
    found = data.find(code, place)
    return len(data) if found < 0 else found


def _refuse_more(data: bytes) -> None:
    if data.strip(b"\0"):
        raise RefusedError("more")


def _unfolded(content: bytes, place: int) -> Iterator[bytes]:
    """Unfold the blocks that the trailer of a .zsav lists, each exactly as long as it says."""
    for start, unfolded, folded in _blocks(content, place):
        source = Bytes(content, "<", start)
        machine = zlib.decompressobj()
        try:
            block = machine.decompress(source.take(folded), max(unfolded, 0) + 1)
        except zlib.error:
            raise RefusedError("damaged") from None
        if len(block) != unfolded or not machine.eof:
            raise RefusedError("damaged")
        yield block


def _blocks(content: bytes, place: int) -> list[tuple[int, int, int]]:
    """Return start, unfolded size and size of each block that the trailer lists."""
    at = Bytes(content, "<", place)
    if at.number("q") != place:
        raise ValueError
    trailer, size = at.number("q"), at.number("q")
    if trailer + size != len(content):
        raise RefusedError("cut")
    at.place = trailer
    at.skip(20)
    blocks = at.number("i")
    if size != 24 + 24 * blocks:
        raise ValueError
    found = []
    for _ in range(blocks):
        at.skip(8)
        found.append((at.number("q"), at.number("i"), at.number("i")))
    return found
