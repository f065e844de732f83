"""SPSS files: the cases in the data are counted, because readers believe the header and stop there.

The layout is the one that PSPP documents (PSPP Developers' Guide, "System File Format").
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from .promise import Bytes, Whole
from .refused import RefusedError

_HEADER = 176
_END_OF_DATA, _IN_FULL = b"\xfc", b"\xfd"
_CODE_PAGES = {
    2: "windows-1252", 3: "windows-1252", 10000: "mac-roman", 20866: "koi8-r", 21866: "koi8-u",
    51932: "euc-jp", 51949: "euc-kr", 54936: "gb18030", 65000: "utf-7", 65001: "utf-8",
}  # fmt: skip
_TEXT_FORMATS = (1, 2)
_WIDEST, _WIDEST_LABELLED = 255, 8
_MOST_PER_CELL = 8
"""A cell of text takes one slot of eight bytes for every eight characters."""


@dataclass
class _Dictionary:
    """What stands before the data."""

    compression: int
    cases: int
    slots: int = 0
    variables: int = 0
    widths: list[int] = field(default_factory=list)
    """Width of the variable that begins in each slot: 0 a number, -1 none begins here."""
    due: int = 0
    """Slots that the last text variable still takes."""
    data: int = 0
    encoding: str | None = None
    code_page: int | None = None


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
    known = _dictionary(content)
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
    encoding = known.encoding
    if encoding is None and known.code_page is not None:
        encoding = _code_page(known.code_page)
    return Whole(rows=found, encoding=encoding)


def _refuse_many(content: bytes, known: _Dictionary, cells: int) -> None:
    """Refuse too many cells before they are unfolded, where the header can be true: every slot takes a byte."""
    if known.cases * known.variables <= cells:
        return
    room = len(content) - known.data
    if known.compression == 2:
        room = sum(unfolded for _, unfolded, _ in _blocks(content, known.data))
    if known.cases * known.slots <= room:
        raise RefusedError("size", rows=known.cases, columns=known.variables, cells=cells)


def check_portable(content: bytes, cells: int) -> Whole:
    """Check that a .por ends as it must; it does not say how many cases it has.

    Raises
    ------
    RefusedError
        ``cut``.
    """
    if not content.rstrip(b"\r\n \x1a\x00").endswith(b"Z"):
        raise RefusedError("cut")
    return Whole(remarks=("no_count", "no_codes"))


def _dictionary(content: bytes) -> _Dictionary:
    order = "<" if content[64:68] in (b"\x02\0\0\0", b"\x03\0\0\0") else ">"
    head = Bytes(content, order, 72)
    known = _Dictionary(compression=head.number("i"), cases=0)
    head.skip(4)
    known.cases = head.number("i")
    at = Bytes(content, order, _HEADER)
    while True:
        record = at.number("i")
        if record == 2:
            _variable(at, known)
        elif record == 3:
            for _ in range(at.number("i")):
                at.skip(8)
                size = at.take(1)[0]
                at.skip((size + 8) // 8 * 8 - 1)
        elif record == 4:
            _labelled(at, known)
        elif record == 6:
            at.skip(80 * at.number("i"))
        elif record == 7:
            _extension(at, known)
        elif record == 999:
            at.skip(4)
            if known.due:
                raise ValueError
            known.data = at.place
            return known
        else:
            raise ValueError


def _variable(at: Bytes, known: _Dictionary) -> None:
    """Step over a variable, and see that its parts agree: where they do not, readers read numbers as text."""
    kind, labelled, missing, shown, _ = (at.number("i") for _ in range(5))
    at.skip(8)
    if kind == -1:
        known.due -= 1
    elif known.due or not 0 <= kind <= _WIDEST:
        raise ValueError
    else:
        known.due = max(0, (kind + 7) // 8 - 1)
        known.variables += 1
        format_type = shown >> 16 & 0xFF
        if format_type and (format_type in _TEXT_FORMATS) != (kind > 0):
            raise ValueError
    if known.due < 0 or labelled not in (0, 1) or not -3 <= missing <= 3:
        raise ValueError
    known.widths.append(kind)
    known.slots += 1
    if labelled:
        size = at.number("i")
        at.skip((size + 3) // 4 * 4)
    at.skip(8 * abs(missing))


def _labelled(at: Bytes, known: _Dictionary) -> None:
    """Step over the list of variables that share labels: all numbers, or all short texts."""
    count = at.number("i")
    if not 0 < count <= known.slots:
        raise ValueError
    places = [at.number("i") for _ in range(count)]
    if not all(0 < place <= known.slots for place in places):
        raise ValueError
    widths = [known.widths[place - 1] for place in places]
    if not (all(width == 0 for width in widths) or all(0 < width <= _WIDEST_LABELLED for width in widths)):
        raise ValueError


def _extension(at: Bytes, known: _Dictionary) -> None:
    subtype, size, count = at.number("i"), at.number("i"), at.number("i")
    inside = Bytes(at.take(size * count), at.order)
    if subtype == 3 and size == 4 and count >= 8:
        inside.skip(28)
        known.code_page = inside.number("i")
    elif subtype == 16 and size == 8 and count == 2:
        # Written for files of more cases than the header's number can hold.
        inside.skip(8)
        cases = inside.number("q")
        if known.cases == -1 or cases > 2**31 - 1:
            known.cases = cases
    elif subtype == 20:
        known.encoding = inside.content.decode("ascii", "replace").strip("\0 ")


def _code_page(number: int) -> str:
    if 28591 <= number <= 28605:
        return f"iso-8859-{number - 28590}"
    return _CODE_PAGES.get(number, f"windows-{number}")


def _count(parts: Iterator[bytes], most: int, known: _Dictionary) -> int:
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
