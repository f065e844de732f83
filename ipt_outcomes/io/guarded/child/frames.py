"""Frames on a pipe: a length of eight bytes, then as many bytes; JSON and Arrow only, never pickle."""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

_LENGTH = struct.Struct(">Q")
_CHUNK = 1 << 20


class BrokenFrameError(Exception):
    """The other end stopped in the middle, or sent more than is taken."""


def write_frame(pipe: BinaryIO, content: bytes | memoryview) -> None:
    """Write one frame.

    Parameters
    ----------
    pipe : binary file
    content : bytes
    """
    pipe.write(_LENGTH.pack(len(content)))
    pipe.write(content)
    pipe.flush()


def read_frame(pipe: BinaryIO, limit: int) -> bytes | None:
    """Read one frame.

    Parameters
    ----------
    pipe : binary file
    limit : int
        Largest frame taken, in bytes.

    Returns
    -------
    bytes or None
        None where the other end closed the pipe between two frames.

    Raises
    ------
    BrokenFrameError
        The pipe ended inside a frame, or the frame is larger than `limit`.
    """
    head = _read_exactly(pipe, _LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size:
        raise BrokenFrameError
    (size,) = _LENGTH.unpack(head)
    if size > limit:
        raise BrokenFrameError
    content = _read_exactly(pipe, size)
    if len(content) < size:
        raise BrokenFrameError
    return bytes(content)


def write_json(pipe: BinaryIO, content: dict[str, Any]) -> None:
    """Write a dict of plain values as one frame of JSON."""
    write_frame(pipe, json.dumps(content).encode("ascii"))


def parse_json(frame: bytes) -> dict[str, Any]:
    """Read a frame of JSON that holds an object.

    Raises
    ------
    BrokenFrameError
        The frame is not a JSON object.
    """
    try:
        content = json.loads(frame)
    except (ValueError, RecursionError):
        raise BrokenFrameError from None
    if not isinstance(content, dict):
        raise BrokenFrameError
    return content


def _read_exactly(pipe: BinaryIO, size: int) -> bytearray:
    content = bytearray()
    while len(content) < size:
        part = pipe.read(min(size - len(content), _CHUNK))
        if not part:
            break
        content += part
    return content
