"""XML walked element by element: no tree, no entities, no document type."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO
from xml.parsers import expat

from .refused import RefusedError

_CHUNK = 1 << 16

Begin = Callable[[str, dict[str, str]], None]
Text = Callable[[str], None]
End = Callable[[str], None]


def walk(source: BinaryIO, begin: Begin, text: Text | None = None, end: End | None = None) -> None:
    """Walk through the elements of an XML document.

    Parameters
    ----------
    source : binary file
        Read to its end, so that its checksum is compared.
    begin : callable
        Takes the name of each element that begins, without its namespace, and its attributes, likewise.
    text : callable, optional
        Takes text.
    end : callable, optional
        Takes the name of each element that ends.

    Raises
    ------
    RefusedError
        ``damaged``: no XML, or XML with a document type, which no office program writes and bombs are made of.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    plain: dict[str, str] = {}

    def local(name: str) -> str:
        found = plain.get(name)
        if found is None:
            found = plain[name] = name.rpartition(" ")[2]
        return found

    def begins(name: str, attributes: dict[str, str]) -> None:
        begin(local(name), {local(key): value for key, value in attributes.items()})

    parser.StartElementHandler = begins
    if text is not None:
        parser.CharacterDataHandler = text
    if end is not None:
        parser.EndElementHandler = lambda name: end(local(name))
    try:
        while chunk := source.read(_CHUNK):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError:
        raise RefusedError("damaged") from None


def _refuse(*_: object) -> None:
    raise RefusedError("damaged")
