"""Stata files: the length that header and map promise, against the length there is.

Layouts: Stata's `help dta` for releases 117 to 119 and 113 to 115; older ones as ReadStat reads them.
"""

from __future__ import annotations

from .promise import Bytes, Whole
from .refused import RefusedError

_START, _END = b"<stata_dta>", b"</stata_dta>"
_SECTIONS = (
    b"map", b"variable_types", b"varnames", b"sortlist", b"formats", b"value_label_names", b"variable_labels",
    b"characteristics", b"data", b"strls", b"value_labels",
)  # fmt: skip
_FIXED = {65526: 8, 65527: 4, 65528: 4, 65529: 2, 65530: 1, 32768: 8}
_LONG_TEXT = 32768
_OLD_ENCODING = "windows-1252"
_OLD_FIXED = {251: 1, 252: 2, 253: 4, 254: 4, 255: 8}
_OLDEST_FIXED = {ord("b"): 1, ord("i"): 2, ord("l"): 4, ord("f"): 4, ord("d"): 8}


def check_stata(content: bytes, cells: int) -> Whole:
    """Check that a .dta has the length it promises.

    Parameters
    ----------
    content : bytes
    cells : int
        Not used: a .dta is not compressed.

    Returns
    -------
    Whole

    Raises
    ------
    RefusedError
        ``cut`` or ``more``: shorter or longer than the header says. ``columns``: no variables.
    """
    return _tagged(content) if content.startswith(_START) else _plain(content)


def _tagged(content: bytes) -> Whole:
    at = Bytes(content, "<", len(_START))
    at.expect(b"<header><release>")
    release = int(at.take(3))
    at.expect(b"</release><byteorder>")
    at.order = ">" if at.take(3) == b"MSF" else "<"
    at.expect(b"</byteorder><K>")
    columns = at.number("I" if release >= 119 else "H")
    at.expect(b"</K><N>")
    rows = at.number("Q" if release >= 118 else "I")
    at.expect(b"</N><label>")
    at.skip(at.number("H" if release >= 118 else "B"))
    at.expect(b"</label><timestamp>")
    at.skip(at.number("B"))
    at.expect(b"</timestamp></header><map>")
    places = [at.number("Q") for _ in range(14)]
    if not columns:
        raise RefusedError("columns")
    if content[places[13] :].strip(b"\r\n"):
        raise RefusedError("more")
    # A line end that an editor or a program of versions puts after everything.
    content = content[: places[13]]
    if places[13] != len(content) or not content.endswith(_END):
        raise RefusedError("cut")
    _check_sections(content, places)
    at.place = places[2] + len(b"<variable_types>")
    kinds = [at.number("H") for _ in range(columns)]
    width = sum(_FIXED.get(kind, kind) for kind in kinds)
    promised = places[9] + len(b"<data>") + rows * width + len(b"</data>")
    if promised != places[10]:
        held = (places[10] - places[9] - len(b"<data></data>")) // max(width, 1)
        raise RefusedError("cases", header=rows, found=held)
    _check_formats(content[places[5] + len(b"<formats>") :], columns, 57 if release >= 118 else 49)
    _check_labels(Bytes(content[: places[12]], at.order, places[11] + len(b"<value_labels>")), release)
    decoded = frozenset(place for place, kind in enumerate(kinds) if kind == _LONG_TEXT)
    if release >= 118:
        return Whole(rows=rows, encoding="utf-8", decoded=decoded)
    return Whole(rows=rows, encoding=_OLD_ENCODING, assumed=True, decoded=decoded)


def _check_sections(content: bytes, places: list[int]) -> None:
    """See that each section stands where the map says, and ends where the next one begins."""
    # The first release of Stata 13 leaves this entry empty.
    places[7] = places[7] or max(content.find(b"<variable_labels>", places[6]), 0)
    for name, begins, ends in zip(_SECTIONS, places[1:], places[2:], strict=False):
        if not content.startswith(b"<%s>" % name, begins) or not content.endswith(b"</%s>" % name, begins, ends):
            raise ValueError
    if places[0] != 0 or places[12] != len(content) - len(_END):
        raise ValueError


def _check_formats(formats: bytes, columns: int, width: int) -> None:
    if any(formats[place : place + 1] != b"%" for place in range(0, columns * width, width)):
        raise ValueError


def _check_labels(at: Bytes, release: int) -> None:
    """See that every list of value labels has the length it says, and every label begins after the end of another."""
    while at.content.startswith(b"<lbl>", at.place):
        at.skip(5)
        size = at.number("i")
        at.skip((129 if release >= 118 else 33) + 3)
        inside = Bytes(at.take(size), at.order)
        count, length = inside.number("i"), inside.number("i")
        starts = [inside.number("i") for _ in range(count)]
        inside.skip(4 * count)
        texts = inside.take(length)
        if inside.place != size or any(not 0 <= start < length for start in starts):
            raise ValueError
        if any(start and texts[start - 1] for start in starts) or (count and texts[-1]):
            raise ValueError
        at.expect(b"</lbl>")
    at.expect(b"</value_labels>")


def _plain(content: bytes) -> Whole:
    release = content[0]
    at = Bytes(content, ">" if content[1] == 1 else "<", 4)
    columns, rows = at.number("H"), at.number("i")
    if not columns:
        raise RefusedError("columns")
    label = 32 if release < 108 else 81
    name = 9 if release < 110 else 33
    at.skip(label + (18 if release > 104 else 0))
    fixed = _OLD_FIXED if release >= 111 else _OLDEST_FIXED
    kinds = list(at.take(columns))
    width = sum(fixed.get(kind, kind if release >= 111 else kind - 127) for kind in kinds)
    shown = 49 if release >= 114 else 12 if release >= 105 else 7
    at.skip(columns * (name + shown + name + label) + 2 * (columns + 1))
    if release >= 105:
        _skip_characteristics(at, "i" if release >= 110 else "h")
    held = (len(content) - at.place) // max(width, 1)
    if held < rows:
        raise RefusedError("cases", header=rows, found=held)
    at.skip(rows * width)
    if release < 110:
        return Whole(rows=rows, encoding=_OLD_ENCODING, assumed=True, remarks=("old_end",))
    while at.place < len(content):
        try:
            size = at.number("i")
            at.skip(33 + 3 + size)
        except EOFError:
            # Either value labels that are cut, or rows beyond those the header counts.
            raise RefusedError("end", header=rows) from None
    return Whole(rows=rows, encoding=_OLD_ENCODING, assumed=True)


def _skip_characteristics(at: Bytes, code: str) -> None:
    while True:
        kind, size = at.take(1)[0], at.number(code)
        if kind == 0 and size == 0:
            return
        at.skip(size)
