"""What stands before the data of an SPSS file, with everything in it that must agree and can be compared.

The layout is the one that PSPP documents (PSPP Developers' Guide, "System File Format").
"""

from __future__ import annotations

import struct
import sys
from dataclasses import dataclass, field

from .decode import codec_of
from .promise import Bytes

_HEADER = 176
_CODE_PAGES = {
    2: "windows-1252", 3: "windows-1252", 10000: "mac-roman", 20866: "koi8-r", 21866: "koi8-u",
    51932: "euc-jp", 51949: "euc-kr", 54936: "gb18030", 65000: "utf-7", 65001: "utf-8",
}  # fmt: skip
_PLAIN_TEXT = 1
_TEXT_FORMATS = (_PLAIN_TEXT, 2)
# DATE, TIME, DATETIME, ADATE, JDATE, DTIME, WKDAY, MONTH, MOYR, QYR, WKYR, EDATE, SDATE, and the two newest.
_CLOCK_FORMATS = frozenset((*range(20, 31), 38, 39, 40, 41))
_BIAS = struct.pack("<d", 100.0), struct.pack(">d", 100.0)
_EXTREMES = (-sys.float_info.max, sys.float_info.max)
# The kinds of records that are described; newer programs may know more.
_PARTS, _LAST_PART = frozenset((3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, *range(16, 25))), 99
_LONG_NAMES, _LONG_TEXTS = 13, 14
_WIDEST, _WIDEST_LABELLED = 255, 8


@dataclass
class Dictionary:
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
    names: set[bytes] = field(default_factory=set)
    """Names in the old form, eight letters at most."""
    named: set[bytes] = field(default_factory=set)
    """Names in the old form for which later records have a longer form."""
    uneven: bool = False
    """Whether bytes stand where blanks fill up a label."""
    two_widths: bool = False
    """Whether a text is shown in another width than it has."""
    unknown_part: bool = False
    """Whether there is a record of a kind that is not described."""
    two_formats: bool = False
    """Whether a number is shown as a date by one of its two formats only."""

    def declared_encoding(self) -> str | None:
        """Return the encoding of its letters, as the file says."""
        return self.encoding or (None if self.code_page is None else _code_page(self.code_page))

    def remarks(self) -> tuple[str, ...]:
        """Return keys of what may be right and looks damaged."""
        found = {
            "uneven": self.uneven, "two_widths": self.two_widths, "two_formats": self.two_formats,
            "two_encodings": self._names_two_encodings(), "unknown_part": self.unknown_part,
        }  # fmt: skip
        return tuple(key for key, is_so in found.items() if is_so)

    def _names_two_encodings(self) -> bool:
        if self.encoding is None or self.code_page is None:
            return False
        codecs = codec_of(self.encoding), codec_of(_code_page(self.code_page))
        return None not in codecs and codecs[0] != codecs[1]


def read_dictionary(content: bytes) -> Dictionary:
    """Read all records before the data.

    Parameters
    ----------
    content : bytes
        The file.

    Returns
    -------
    Dictionary

    Raises
    ------
    ValueError
        Records that cannot be, or contradict one another.
    EOFError
        The file ends before.
    """
    order = "<" if content[64:68] in (b"\x02\0\0\0", b"\x03\0\0\0") else ">"
    head = Bytes(content, order, 72)
    known = Dictionary(compression=head.number("i"), cases=0)
    head.skip(4)
    known.cases = head.number("i")
    # What is taken off each small number in compressed data. Every writer has 100; another number moves all scores.
    if known.compression and head.take(8) not in _BIAS:
        raise ValueError
    at = Bytes(content, order, _HEADER)
    while True:
        record = at.number("i")
        if record == 2:
            _variable(at, known)
        elif record == 3:
            for _ in range(at.number("i")):
                at.skip(8)
                size = at.take(1)[0]
                _label(at, known, size, (size + 8) // 8 * 8 - 1)
        elif record == 4:
            _labelled(at, known)
        elif record == 6:
            at.skip(80 * at.number("i"))
        elif record == 7:
            _extension(at, known)
        elif record == 999:
            at.skip(4)
            # A changed letter in a name of the one list or the other: the wrong column would be named.
            if known.due or not known.named <= known.names:
                raise ValueError
            known.data = at.place
            return known
        else:
            raise ValueError


def _variable(at: Bytes, known: Dictionary) -> None:
    """Step over a variable, and see that its parts agree: where they do not, readers read numbers as text."""
    kind, labelled, missing, shown, written = (at.number("i") for _ in range(5))
    name = at.take(8).rstrip(b" ")
    if kind == -1:
        known.due -= 1
    elif known.due or not 0 <= kind <= _WIDEST:
        raise ValueError
    else:
        known.due = max(0, (kind + 7) // 8 - 1)
        known.variables += 1
        known.names.add(name)
        format_type = shown >> 16 & 0xFF
        known.two_widths |= format_type == _PLAIN_TEXT and (shown >> 8 & 0xFF) != kind
        known.two_formats |= kind == 0 and (format_type in _CLOCK_FORMATS) != ((written >> 16 & 0xFF) in _CLOCK_FORMATS)
        if format_type and (format_type in _TEXT_FORMATS) != (kind > 0):
            raise ValueError
    if known.due < 0 or labelled not in (0, 1) or not -3 <= missing <= 3:
        raise ValueError
    known.widths.append(kind)
    known.slots += 1
    if labelled:
        size = at.number("i")
        _label(at, known, size, (size + 3) // 4 * 4)
    low_high = at.take(8 * abs(missing))
    if missing < -1 and kind == 0:
        low, high = struct.unpack(f"{at.order}2d", low_high[:16])
        if not low <= high:
            raise ValueError


def _label(at: Bytes, known: Dictionary, size: int, room: int) -> None:
    """Step over a label; where its length is changed, letters stand in the blanks after it."""
    known.uneven |= bool(at.take(room)[size:].strip(b" \0"))


def _labelled(at: Bytes, known: Dictionary) -> None:
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


def _extension(at: Bytes, known: Dictionary) -> None:
    subtype, size, count = at.number("i"), at.number("i"), at.number("i")
    inside = Bytes(at.take(size * count), at.order)
    if not 0 < subtype <= _LAST_PART:
        raise ValueError
    known.unknown_part |= subtype not in _PARTS
    if subtype == 3 and size == 4 and count >= 8:
        inside.skip(28)
        known.code_page = inside.number("i")
    elif subtype == 4 and size == 8 and count >= 2 and inside.take(16) != struct.pack(f"{at.order}2d", *_EXTREMES):
        # What stands for a missing number, and for the largest: with others, missing scores would be numbers.
        raise ValueError
    elif subtype == 16 and size == 8 and count == 2:
        # Written for files of more cases than the header's number can hold.
        inside.skip(8)
        cases = inside.number("q")
        if known.cases == -1 or cases > 2**31 - 1:
            known.cases = cases
    elif subtype in (_LONG_NAMES, _LONG_TEXTS) and size == 1:
        known.named |= {
            entry.partition(b"=")[0].strip(b"\0 ") for entry in inside.content.split(b"\t") if b"=" in entry
        }
    elif subtype == 20:
        known.encoding = inside.content.decode("ascii", "replace").strip("\0 ")


def _code_page(number: int) -> str:
    if 28591 <= number <= 28605:
        return f"iso-8859-{number - 28590}"
    return _CODE_PAGES.get(number, f"windows-{number}")
