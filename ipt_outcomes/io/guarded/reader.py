"""Read a file in the child process and put together what it handed back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from ipt_outcomes.errors import DataError, IptError, OptionError
from ipt_outcomes.io.guarded.child.decode import codec_of
from ipt_outcomes.io.guarded.columnar import assemble_columns
from ipt_outcomes.io.guarded.formats import CATALOG, FORMATS, Format, starts_as
from ipt_outcomes.io.guarded.result import Reading
from ipt_outcomes.io.guarded.sentences import LARGER, other_kind, refusal, unsafe
from ipt_outcomes.io.guarded.session import ChildEndedError, Session, reading_session
from ipt_outcomes.io.guarded.spreadsheet import assemble_sheet
from ipt_outcomes.io.guarded.statistical import Assembly
from ipt_outcomes.io.text import kind_by_signature
from ipt_outcomes.schemas import Decimal

Result = TypeVar("Result")

_HEAD = 1024
_DAMAGED = (pa.ArrowException, ValueError, OSError, KeyError, TypeError, IndexError, OverflowError, AttributeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user said about a file.

    Parameters
    ----------
    encoding : str, optional
        Encoding of its letters. Default: the one it declares.
    catalog : Path, optional
        A SAS catalog with its value labels.
    sheet : str or int, optional
        The sheet of a workbook, by its name or its number from 1.
    decimal : {".", ","}, optional
        Decimal mark of numbers that stand as text in a workbook.
    sha256 : str, optional
        Digest the file must have.
    """

    encoding: str | None = None
    catalog: Path | None = None
    sheet: str | int | None = None
    decimal: Decimal | None = None
    sha256: str | None = None


def read_guarded(file: Path, known: Format, wish: Wish) -> Reading:
    """Read a file in the child process.

    Parameters
    ----------
    file : Path
        An existing file.
    known : Format
        By its suffix.
    wish : Wish

    Returns
    -------
    Reading

    Raises
    ------
    DataError
        A file that contradicts itself, holds bytes that are not in its encoding, is too large, or with which the
        reader crashed, hung or ran out of memory; a workbook with several sheets, or cells without a value.
    OptionError
        An encoding that is not known, an option the format does not have.
    """
    return _read(file, known, wish, _assembled)


def read_columns(file: Path, *, sha256: str | None = None) -> pa.Table:
    """Read a Parquet file in the child process, as it stands.

    Parameters
    ----------
    file : Path
        An existing file.
    sha256 : str, optional
        Digest it must have.

    Returns
    -------
    pyarrow.Table
        Its columns by name; text is large text, categories are what they stand for.

    Raises
    ------
    IptError, DataError
        As `read_guarded`.
    """

    def named(told: dict[str, Any], table: pa.Table, *_: Any) -> pa.Table:
        return table.rename_columns([str(column["name"]) for column in told["columns"]])

    return _read(file, FORMATS[".parquet"], Wish(sha256=sha256), named)


def _read(file: Path, known: Format, wish: Wish, assemble: Callable[..., Result]) -> Result:
    codec = _check_options(file, known, wish)
    with reading_session() as session:
        digest = _checked(file, known, session, wish.sha256)
        sets: dict[str, Any] = {}
        if wish.catalog is not None:
            _checked(wish.catalog, CATALOG, session, None)
            sets = _ask(session, wish.catalog, CATALOG, codec)[0].get("sets", {})
        told, content = _ask(session, file, known, codec, wish.sheet)
    if told.get("sha256") != digest:
        raise unsafe(file.name, known, "changed")
    try:
        table = pa.ipc.open_stream(pa.BufferReader(content)).read_all()
        table.validate(full=True)
        return assemble(told, table, known, wish, sets, file.name, digest)
    except IptError:
        raise
    except _DAMAGED:
        # A reader whose memory a file has damaged can answer anything.
        raise unsafe(file.name, known, "reader") from None


def _assembled(
    told: dict[str, Any], table: pa.Table, known: Format, wish: Wish, sets: dict[str, Any], name: str, digest: str
) -> Reading:
    if known.key == "spreadsheet":
        return assemble_sheet(told, table, name, digest, wish.decimal)
    if known.key == "columnar":
        return assemble_columns(told, table, name, digest)
    for column in told["columns"]:
        column["codes"] = sets.get(column["set"], column["codes"])
    return Assembly(told, table, known, wish.encoding).reading(name, digest)


def _check_options(file: Path, known: Format, wish: Wish) -> str | None:
    """Refuse options that do not belong to the format; return Python's codec of the encoding asked for."""
    if wish.catalog is not None and not known.takes_catalog:
        raise OptionError(f"catalog belongs to a SAS data set (.sas7bdat); {file.name} is {known.words}")
    if wish.sheet is not None and known.key != "spreadsheet":
        raise OptionError(f"sheet belongs to a workbook (.xlsx); {file.name} is {known.words}")
    if wish.encoding is None:
        return None
    if not known.takes_encoding:
        raise OptionError(f"{file.name}: the encoding of {known.words} cannot be chosen")
    codec = codec_of(wish.encoding)
    if codec is None:
        raise OptionError(f"encoding {wish.encoding!r} is not known; usual ones are utf-8, windows-1252, latin-1")
    return codec


def _checked(file: Path, known: Format, session: Session, sha256: str | None) -> str:
    """Refuse what is visibly another kind of file; return the digest."""
    size = file.stat().st_size
    if size > session.limits.size:
        raise IptError(
            f"{file.name} has {size:,} bytes: files up to {session.limits.size:,} bytes are read",
            hint=f"Keep only the rows and columns the analysis needs: save a smaller file in {known.program}. {LARGER}",
        )
    try:
        with file.open("rb") as opened:
            head = opened.read(_HEAD)
            opened.seek(0)
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise IptError(f"{file.name} cannot be read: {error.strerror or 'the system refuses'}") from None
    if sha256 is not None and digest != sha256.strip().lower():
        raise IptError(
            f"{file.name} is not the file expected: its SHA-256 is {digest}, not {sha256}",
            hint="The file was changed since the digest was taken, or it is another file.",
        )
    if not head.strip(b"\0 \r\n\t"):
        raise DataError(f"{file.name} is empty: {known.words} was expected", hint="Get a new copy of the file.")
    if not starts_as(head, known):
        raise other_kind(file.name, known, kind_by_signature(head))
    return digest


def _ask(
    session: Session, file: Path, known: Format, codec: str | None, sheet: str | int | None = None
) -> tuple[dict[str, Any], bytes]:
    limits = session.limits
    request = {
        "path": str(file.resolve()), "format": known.key, "encoding": codec, "sheet": sheet,
        "cells": limits.cells, "bytes": limits.memory // 2,
    }  # fmt: skip
    try:
        told, content = session.ask(request)
    except ChildEndedError as ended:
        raise unsafe(file.name, known, ended.how) from None
    if "refused" in told:
        raise refusal(file.name, known, told["refused"], told.get("facts", {}))
    return told, content
