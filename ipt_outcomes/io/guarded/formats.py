"""The files that are read in a child process: a format is a suffix, its first bytes and a reader."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A kind of file.

    Parameters
    ----------
    key : str
        Its name in the child.
    words : str
        Its name for people, with the article.
    starts : tuple of (int, bytes)
        Place and bytes, one of which every such file has.
    program : str
        Who writes and opens it.
    takes_catalog : bool
        Whether labels may stand in a file of their own.
    takes_encoding : bool
        Whether the encoding of its letters can be chosen.
    """

    key: str
    words: str
    starts: tuple[tuple[int, bytes], ...]
    program: str
    takes_catalog: bool = False
    takes_encoding: bool = True


_SPSS = Format(key="spss", words="an SPSS file", starts=((0, b"$FL2"), (0, b"$FL3")), program="SPSS")
_EXCEL = Format(
    key="spreadsheet", words="an Excel workbook", starts=((0, b"PK\x03\x04"),), program="Excel", takes_encoding=False
)
_PARQUET = Format(
    key="columnar", words="a Parquet file", starts=((0, b"PAR1"),), program="the program it comes from",
    takes_encoding=False,
)  # fmt: skip
_SAS_REST = b"\xb3\x14\x11\xcf\xbd\x92\x08\0\x09\xc7\x31\x8c\x18\x1f\x10\x11"
_SAS_DATA = ((0, b"\0" * 12 + b"\xc2\xea\x81\x60" + _SAS_REST),)
_SAS_LABELS = ((0, b"\0" * 12 + b"\xc2\xea\x81\x63" + _SAS_REST),)

FORMATS: dict[str, Format] = {
    ".sav": _SPSS,
    ".zsav": _SPSS,
    ".por": Format(
        key="portable",
        words="an SPSS portable file",
        starts=((456, b"SPSSPORT"),),
        program="SPSS",
        takes_encoding=False,
    ),
    ".dta": Format(
        key="stata",
        words="a Stata file",
        starts=(
            (0, b"<stata_dta>"),
            *((0, bytes((release, order))) for release in range(104, 116) for order in (1, 2)),
        ),
        program="Stata",
    ),
    ".sas7bdat": Format(key="sas", words="a SAS data set", starts=_SAS_DATA, program="SAS", takes_catalog=True),
    ".xpt": Format(
        key="transport",
        words="a SAS transport file",
        starts=((0, b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"), (0, b"HEADER RECORD*******LIBV8   HEADER")),
        program="SAS",
    ),
    ".xlsx": _EXCEL,
    ".xlsm": _EXCEL,
    ".parquet": _PARQUET,
}
"""Suffix (small letters) to format; a further kind of file is a line here and a reader in the child."""

CATALOG = Format(key="catalog", words="a SAS catalog", starts=_SAS_LABELS, program="SAS")


def format_of(path: Path) -> Format | None:
    """Return the format a file's suffix names, or None."""
    return FORMATS.get(path.suffix.lower())


def starts_as(head: bytes, known: Format) -> bool:
    """Whether the first bytes of a file are those of a format."""
    # In a portable file every line may end with one character or two.
    plain = head.replace(b"\r", b"").replace(b"\n", b"") if known.key == "portable" else head
    return any(plain[place : place + len(start)] == start for place, start in known.starts)
