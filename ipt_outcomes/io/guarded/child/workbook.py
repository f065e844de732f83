"""The parts of a workbook around its cells: which sheets there are, shared texts, formats, the first day."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field

from .markup import walk
from .numberformats import Shown, built_in, shown_by
from .parcel import Parcel, joined
from .refused import RefusedError

_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_TRUE = ("1", "true", "on")
_LETTERS_LIMIT = 1_000_000_000


@dataclass(frozen=True)
class Sheet:
    """A sheet of cells: its name, its member of the archive, whether it is hidden."""

    name: str
    member: str
    hidden: bool


@dataclass
class Workbook:
    """What the sheets of a workbook share.

    Parameters
    ----------
    sheets : list of Sheet
        In the order in which the program shows them; charts are left out.
    from_1904 : bool
        Whether days are counted from 1 January 1904.
    stale : bool
        Whether the results of formulas stored in the file are not those of a calculation: it was written by a
        library, which asks the program to calculate when it opens the file.
    texts : list of str
    styles : list of Shown
    """

    sheets: list[Sheet] = field(default_factory=list)
    from_1904: bool = False
    stale: bool = False
    texts: list[str] = field(default_factory=list)
    styles: list[Shown] = field(default_factory=list)


def read_workbook(parcel: Parcel) -> Workbook:
    """Read everything but the cells.

    Raises
    ------
    RefusedError
        ``no_workbook``: an archive of something else. ``damaged``.
    """
    start = next((to for kind, to in _links(parcel, "").values() if kind == "officeDocument"), None)
    if start is None or not start.endswith(".xml"):
        raise RefusedError("no_workbook")
    book = Workbook()
    links = _links(parcel, start)

    def begin(name: str, attributes: dict[str, str]) -> None:
        if name == "workbookPr":
            book.from_1904 = attributes.get("date1904", "0") in _TRUE
        elif name == "calcPr":
            book.stale = attributes.get("fullCalcOnLoad", "0") in _TRUE
        elif name == "sheet":
            kind, member = links[attributes["id"]]
            if kind == "worksheet":
                hidden = attributes.get("state", "visible") != "visible"
                book.sheets.append(Sheet(attributes["name"], member, hidden))
        elif name in ("document", "presentation"):
            raise RefusedError("no_workbook")

    walk(parcel.open(start), begin)
    for kind, member in links.values():
        if kind == "sharedStrings":
            book.texts = _texts(parcel, member)
        elif kind == "styles":
            book.styles = _styles(parcel, member)
    return book


def _links(parcel: Parcel, member: str) -> dict[str, tuple[str, str]]:
    """Return what a member points to: id to kind and member."""
    folder, name = posixpath.split(member)
    links: dict[str, tuple[str, str]] = {}
    where = posixpath.join(folder, "_rels", f"{name}.rels")
    if where not in parcel:
        raise RefusedError("no_workbook" if not member else "damaged")

    def begin(element: str, attributes: dict[str, str]) -> None:
        if element == "Relationship" and attributes.get("TargetMode") != "External":
            kind = attributes["Type"].rpartition("/")[2]
            links[attributes["Id"]] = (kind, joined(folder, attributes["Target"]))

    walk(parcel.open(where), begin)
    return links


class TextParts:
    """Gathers the text of one cell, which may stand in several runs of letters; readings aloud are left out."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._inside = False
        self._aloud = 0

    def begin(self, name: str) -> None:
        """Take the beginning of an element."""
        if name == "rPh":
            self._aloud += 1
        elif name == "t":
            self._inside = not self._aloud

    def text(self, part: str) -> None:
        """Take text."""
        if self._inside:
            self._parts.append(part)

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name == "rPh":
            self._aloud -= 1
        elif name == "t":
            self._inside = False

    def take(self) -> str:
        """Return the text so far and begin anew."""
        whole = "".join(self._parts)
        self._parts.clear()
        return unescaped(whole)


def unescaped(text: str) -> str:
    """Turn ``_x000D_`` into the character it stands for; control characters stay as written."""
    if "_x" not in text:
        return text

    def character(match: re.Match[str]) -> str:
        code = int(match[1], 16)
        return chr(code) if (code >= 32 and not 0xD800 <= code <= 0xDFFF) or code in (9, 10, 13) else match[0]

    return _ESCAPED.sub(character, text)


def _texts(parcel: Parcel, member: str) -> list[str]:
    texts: list[str] = []
    parts = TextParts()
    letters = 0

    def end(name: str) -> None:
        nonlocal letters
        parts.end(name)
        if name == "si":
            texts.append(parts.take())
            letters += len(texts[-1])
            if letters > _LETTERS_LIMIT:
                raise RefusedError("memory")

    walk(parcel.open(member), lambda name, _: parts.begin(name), parts.text, end)
    return texts


def _styles(parcel: Parcel, member: str) -> list[Shown]:
    codes: dict[int, Shown] = {}
    numbers: list[int] = []
    inside = False

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        if name == "cellXfs":
            inside = True
        elif name == "numFmt" and "numFmtId" in attributes:
            codes[int(attributes["numFmtId"])] = shown_by(attributes.get("formatCode", ""))
        elif name == "xf" and inside:
            numbers.append(int(attributes.get("numFmtId", "0")))

    def end(name: str) -> None:
        nonlocal inside
        if name == "cellXfs":
            inside = False

    walk(parcel.open(member), begin, None, end)
    return [codes.get(number) or built_in(number) for number in numbers]
