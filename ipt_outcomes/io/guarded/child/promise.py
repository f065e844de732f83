"""What the header of a file says about its content, and reading numbers from its bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .transport import Layout


@dataclass(frozen=True)
class Whole:
    """A file that holds what its header promises.

    Parameters
    ----------
    rows : int or None
        Rows counted; None where the format does not tell.
    encoding : str or None
        Encoding the file declares.
    assumed : bool
        Whether `encoding` is not declared but what such files are written in as a rule.
    decoded : frozenset of int
        Positions of text columns that the reader hands over decoded.
    remarks : tuple of str
        Keys of what could not be checked.
    layout : Layout or None
        Of a transport file, where its cells stand.
    """

    rows: int | None = None
    encoding: str | None = None
    assumed: bool = False
    decoded: frozenset[int] = field(default_factory=frozenset)
    remarks: tuple[str, ...] = ()
    layout: Layout | None = None


class Bytes:
    """Numbers at places of a file.

    Parameters
    ----------
    content : bytes
    order : {"<", ">"}
        Byte order.
    place : int
        Where to begin.
    """

    def __init__(self, content: bytes, order: str, place: int = 0) -> None:
        self.content = content
        self.order = order
        self.place = place

    def take(self, size: int) -> bytes:
        """Return the next bytes.

        Raises
        ------
        EOFError
            The file ends before.
        """
        end = self.place + size
        if size < 0 or end > len(self.content):
            raise EOFError
        taken = self.content[self.place : end]
        self.place = end
        return taken

    def skip(self, size: int) -> None:
        """Step over bytes, which must be there."""
        if size < 0 or self.place + size > len(self.content):
            raise EOFError
        self.place += size

    def number(self, code: str) -> int:
        """Return the next whole number; `code` as in `struct` (``i``, ``q``, ``H`` ...)."""
        size = struct.calcsize(self.order + code)
        return int(struct.unpack(self.order + code, self.take(size))[0])

    def expect(self, text: bytes) -> None:
        """Step over a text that must stand here.

        Raises
        ------
        ValueError
            Something else stands here.
        """
        if self.take(len(text)) != text:
            raise ValueError
