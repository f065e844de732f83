"""A ZIP archive whose members are looked at only after their sizes were: small files unfold to more than memory."""

from __future__ import annotations

import posixpath
import struct
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from .refused import RefusedError

_MEMBERS = 10_000
_UNFOLDED = 2_000_000_000
_RATIO, _RATIO_FROM = 300, 50_000_000
"""A text may unfold to 300 times its size; what stays below 50 MB does no harm whatever its ratio."""
_TAIL = 22
_LONGEST_TAIL = _TAIL + 65_535
_KINDS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Parcel:
    """A ZIP archive, checked before anything is unfolded.

    Parameters
    ----------
    path : str

    Raises
    ------
    RefusedError
        ``cut``, ``more``: bytes missing at the end, or too many. ``damaged``: no archive. ``password``:
        encrypted. ``unfolds``: too large, or out of proportion.
    """

    def __init__(self, path: str) -> None:
        _check_end(Path(path))
        try:
            self._archive = zipfile.ZipFile(path)
            members = self._archive.infolist()
        except (zipfile.BadZipFile, zlib.error, struct.error, ValueError, OSError, NotImplementedError):
            raise RefusedError("damaged") from None
        self._members = {member.filename: member for member in members}
        if len(self._members) != len(members):
            raise RefusedError("damaged")
        if any(member.flag_bits & 1 for member in members):
            raise RefusedError("password")
        unfolded = sum(member.file_size for member in members)
        wide = any(m.file_size > max(_RATIO_FROM, _RATIO * m.compress_size) for m in members)
        if unfolded > _UNFOLDED or wide or len(members) > _MEMBERS:
            raise RefusedError("unfolds", bytes=unfolded, folded=Path(path).stat().st_size)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def open(self, name: str) -> BinaryIO:
        """Open a member; the checksum is compared when it is read to its end.

        Raises
        ------
        RefusedError
            ``damaged``: no such member, or one that cannot be unfolded.
        """
        member = self._members.get(name)
        if member is None or member.compress_type not in _KINDS:
            raise RefusedError("damaged")
        try:
            return cast("BinaryIO", _Checked(self._archive.open(member)))
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, struct.error):
            raise RefusedError("damaged") from None


class _Checked:
    """A member that tells damage in our own words."""

    def __init__(self, source: object) -> None:
        self._source = source

    def read(self, size: int) -> bytes:
        try:
            return cast("BinaryIO", self._source).read(size)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError):
            raise RefusedError("damaged") from None


def _check_end(path: Path) -> None:
    """Compare the end of the archive with the end of the file: readers accept bytes after it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _LONGEST_TAIL))
        tail = file.read()
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < _TAIL:
        raise RefusedError("cut")
    comment = struct.unpack_from("<H", tail, place + 20)[0]
    rest = len(tail) - place - _TAIL
    if comment != rest:
        raise RefusedError("cut" if rest < comment else "more")


def joined(base: str, target: str) -> str:
    """Return the name of a member that another one, in the folder `base`, points to."""
    return posixpath.normpath(target.lstrip("/") if target.startswith("/") else posixpath.join(base, target))
