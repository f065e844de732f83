"""From a path to text: what the file is, whether it is whole, how its letters are coded."""

from __future__ import annotations

import codecs
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ipt_outcomes.errors import IptError, OptionError

SIZE_LIMIT = 100_000_000
"""Largest file read, in bytes: text of this size needs ten times as much memory while it is read."""

UNKNOWN_KIND = "something else"
SAVE_AS_CSV = 'Open it in the program it comes from and save it as CSV ("CSV UTF-8" in Excel).'

_SCHEMES = "file|data|https?|s?ftps?|s3[an]?|gs|gcs|azure?|abfss?|adl|hdfs|webhdfs|smb|ssh|scp|git|jar|zip|memory|blob"
_ADDRESS = re.compile(rf"^([a-z][a-z0-9+.-]+:/[/\\]|({_SCHEMES}):)", re.IGNORECASE)
# Two slashes begin a server; but \\?\C:\ begins a long path of this machine.
_NETWORK = re.compile(r"^(//|\\\\|\\/|/\\)(?![?][/\\][a-z]:)", re.IGNORECASE)

_OTHER_FORMATS = {
    ".xls": "an old Excel workbook", ".xlsb": "a binary Excel workbook",
    ".ods": "an OpenDocument spreadsheet", ".numbers": "a Numbers spreadsheet",
    ".sas7bcat": "a SAS catalog of value labels", ".sps": "an SPSS script", ".do": "a Stata script",
    ".feather": "a Feather file", ".arrow": "an Arrow file",
    ".rds": "an R file", ".rda": "an R file", ".rdata": "an R file",
    ".pkl": "a pickle", ".pickle": "a pickle", ".docx": "a Word document", ".pdf": "a PDF",
    ".json": "a JSON file", ".html": "a web page", ".htm": "a web page",
    ".gz": "a compressed file", ".zip": "an archive",
}  # fmt: skip

_SIGNATURES = (
    (b"PK\x03\x04", "a ZIP archive (an .xlsx workbook is one)"), (b"PK\x05\x06", "a ZIP archive"),
    (b"\x89PNG", "a PNG picture"), (b"\xff\xd8\xff", "a JPEG picture"), (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF"), (b"\xd0\xcf\x11\xe0", "an old Office document, or one with a password"),
    (b"{\\rtf", "a rich text document"),
    (b"\0" * 12 + b"\xc2\xea\x81\x60", "a SAS file"),
    (b"\0" * 12 + b"\xc2\xea\x81\x63", "a SAS catalog of value labels"),
    (b"$FL2", "an SPSS file"), (b"$FL3", "an SPSS file"), (b"<stata_dta>", "a Stata file"),
    (b"PAR1", "a Parquet file"), (b"ARROW1", "an Arrow file"), (b"SQLite format 3", "an SQLite database"),
    (b"\x1f\x8b", "a gzip archive"), (b"BZh", "a bzip2 archive"), (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"\xfd7zXZ", "an xz archive"), (b"\x7fELF", "a program"), (b"MZ\x90", "a program"),
    (b"HEADER RECORD*******", "a SAS transport file"),
)  # fmt: skip

_STATISTICAL = {
    "an SPSS file": ".sav", "a Stata file": ".dta", "a SAS file": ".sas7bdat", "a SAS transport file": ".xpt",
}  # fmt: skip

# The four-byte marks first: a UTF-32 mark begins with the UTF-16 one.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileText:
    """The text of a file and how it was come by."""

    name: str
    text: str
    encoding: str
    sha256: str
    warnings: tuple[str, ...]


def read_text(path: str | os.PathLike[str], *, encoding: str | None = None, sha256: str | None = None) -> FileText:
    """Read a text file whole, refusing what is no text.

    Parameters
    ----------
    path : str or path-like
        A file on this machine.
    encoding : str, optional
        Coding of the letters. Default: the byte-order mark, else UTF-8, else windows-1252 with a warning.
    sha256 : str, optional
        Digest the file must have.

    Returns
    -------
    FileText

    Raises
    ------
    IptError
        No such file, a folder, a web address, an empty or too large file, a file that is no text, letters
        that cannot be decoded, or another digest than asked for.
    """
    file = existing_file(path)
    _refuse_other_files(file)
    name = file.name
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise IptError(f"{name} cannot be read: {error.strerror or 'the system refuses'}") from None
    digest = hashlib.sha256(raw).hexdigest()
    if sha256 is not None and digest != sha256.strip().lower():
        raise IptError(
            f"{name} is not the file expected: its SHA-256 is {digest}, not {sha256}",
            hint="The file was changed since the digest was taken, or it is another file.",
        )
    if not raw.strip():
        raise IptError(f"{name} is empty: a row of column names and rows of data were expected")
    text, used, warnings = _decode(raw, name, encoding)
    _refuse_markup(text, name)
    return FileText(name=name, text=text, encoding=used, sha256=digest, warnings=warnings)


def _where_looked(file: Path) -> str:
    folder = file.parent.name
    return f"Looked in the folder {folder}." if folder else "Looked in the folder you are in."


def existing_path(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file or folder on this machine.

    Raises
    ------
    IptError
        Nothing there, a web address, a place on the network, no path at all.
    """
    given = os.fspath(path)
    if not isinstance(given, str) or "\0" in given or not given.strip():
        raise IptError("a path to a file was expected")
    if _ADDRESS.match(given) or _NETWORK.match(given):
        # The address is not repeated: it may hold a password or a key.
        kind = "a place on the network" if _NETWORK.match(given) else "a web address"
        raise IptError(
            f"{kind} was given: files are read from this machine only",
            hint="Download the file, look at it, then give its path.",
        )
    try:
        file = Path(given).expanduser()
        exists = file.exists()
    except (OSError, RuntimeError):
        file, exists = Path(given), False
    if not exists:
        raise IptError(f"there is no file {file.name}", hint=_where_looked(file))
    return file


def existing_file(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file on this machine.

    Raises
    ------
    IptError
        No such file, a folder, a web address, no path at all.
    """
    file = existing_path(path)
    if file.is_dir():
        raise IptError(
            f"{file.name} is a folder: a file was expected",
            hint="A folder with a datapackage.json is read by ipt_outcomes.io.read_folder.",
        )
    if not file.is_file():
        raise IptError(f"{file.name} is not a regular file")
    return file


def kind_by_signature(head: bytes) -> str:
    """Say what the first bytes of a file look like."""
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page or XML"
    try:
        # A letter may be cut in two where the first bytes end.
        text = head[:-3].decode("utf-8") if len(head) > 64 else head.decode("utf-8")
    except UnicodeDecodeError:
        return UNKNOWN_KIND
    return "text (CSV or the like)" if all(c.isprintable() or c.isspace() for c in text) else UNKNOWN_KIND


def _refuse_other_files(file: Path) -> None:
    kind = _OTHER_FORMATS.get(file.suffix.lower())
    if kind is not None:
        raise IptError(
            f"{file.name} is {kind}: tables are read from text (CSV, TSV, TXT), Excel (.xlsx), SPSS, Stata, SAS and "
            "Parquet files",
            hint=SAVE_AS_CSV,
        )
    if file.stat().st_size > SIZE_LIMIT:
        raise IptError(
            f"{file.name} has {file.stat().st_size:,} bytes: files up to {SIZE_LIMIT:,} bytes are read",
            hint="Split the file, or leave out the rows and columns the analysis does not need.",
        )


def _decode(raw: bytes, name: str, encoding: str | None) -> tuple[str, str, tuple[str, ...]]:
    for signature, kind in _SIGNATURES:
        if raw.startswith(signature):
            hint = SAVE_AS_CSV
            if kind in _STATISTICAL:
                hint = f"Give it the suffix it should have ({_STATISTICAL[kind]}). {hint}"
            raise IptError(f"{name} is not a text table: it is {kind}, whatever its name", hint=hint)
    mark = next((codec for start, codec in _MARKS if raw.startswith(start)), None)
    if encoding is not None:
        return _decode_as(raw, name, _known_codec(encoding, mark)), encoding, ()
    if mark is not None:
        label = mark.removesuffix("-sig")
        return _decode_as(raw, name, mark), label, (f"encoding: {label}, by its byte-order mark",)
    if b"\0" in raw:
        raise IptError(
            f"{name} is not a text table: it holds NUL bytes",
            hint='If it is text in UTF-16 without a mark, give encoding="utf-16-le" (--encoding utf-16-le). '
            + SAVE_AS_CSV,
        )
    try:
        return raw.decode("utf-8"), "utf-8", ()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
    try:
        text = raw.decode("windows-1252")
    except UnicodeDecodeError:
        raise IptError(
            f"{name}, line {line}: letters that are neither UTF-8 nor windows-1252",
            rows=(line,),
            hint='Give the encoding, for example encoding="cp850" (--encoding cp850), or save the file as UTF-8.',
        ) from None
    note = f"encoding: not UTF-8 (line {line}), read as windows-1252; check names with accents, or give encoding"
    return text, "windows-1252", (note,)


def _known_codec(encoding: str, mark: str | None) -> str:
    try:
        codec = codecs.lookup(encoding)
    except (LookupError, ValueError):
        codec = None
    if codec is None or not getattr(codec, "_is_text_encoding", True):
        raise OptionError(f"encoding {encoding!r} is not known; usual ones are utf-8, windows-1252, latin-1, utf-16")
    # A mark in front of UTF-8 is no letter of the first column's name.
    return "utf-8-sig" if codec.name == "utf-8" and mark == "utf-8-sig" else encoding


def _decode_as(raw: bytes, name: str, encoding: str) -> str:
    try:
        text = raw.decode(encoding)
        # Some codecs (utf-7) make halves of surrogate pairs, which are no text anywhere else.
        text.encode("utf-8")
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        line = raw.count(b"\n", 0, start) + 1
        raise IptError(
            f"{name}, line {line}: bytes that are not {encoding}",
            rows=(line,),
            hint="Leave encoding out to have it detected, or save the file as UTF-8.",
        ) from None
    if "\0" in text:
        raise IptError(f"{name} is not a text table: it holds NUL characters", hint=SAVE_AS_CSV)
    return text


def _refuse_markup(text: str, name: str) -> None:
    start = text[:200].lstrip("\ufeff \t\r\n").lower()
    if start.startswith(("<!doctype", "<html", "<?xml")):
        raise IptError(f"{name} is a web page or XML, not a text table", hint=SAVE_AS_CSV)
