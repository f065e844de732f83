"""Read a statistical file in the child process and put together what it handed back."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from ipt_outcomes.errors import DataError, IptError, OptionError
from ipt_outcomes.io.guarded.child.decode import codec_of
from ipt_outcomes.io.guarded.clock import kind_of, left_as_number, reaches, to_clock
from ipt_outcomes.io.guarded.formats import CATALOG, Format, starts_as
from ipt_outcomes.io.guarded.labels import declared, duplicate_labels, missing_frame, undeclared, value_labels
from ipt_outcomes.io.guarded.sentences import refusal, shown, unsafe
from ipt_outcomes.io.guarded.session import ChildEndedError, Session, current_session
from ipt_outcomes.io.text import SAVE_AS_CSV, kind_by_signature

_HEAD = 1024
_WHOLE = 2.0**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A statistical file as read; the fields are those of `ipt_outcomes.io.Table`."""

    frame: pd.DataFrame
    name: str
    sha256: str
    encoding: str | None
    value_labels: dict[str, dict[Any, str]]
    column_labels: dict[str, str]
    missing: pd.DataFrame
    formats: dict[str, str]
    file_label: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def read_statistical(
    file: Path, known: Format, *, encoding: str | None = None, catalog: Path | None = None, sha256: str | None = None
) -> Reading:
    """Read a statistical file.

    Parameters
    ----------
    file : Path
        An existing file.
    known : Format
        By its suffix.
    encoding : str, optional
        Encoding of its letters. Default: the one it declares.
    catalog : Path, optional
        A SAS catalog with its value labels.
    sha256 : str, optional
        Digest the file must have.

    Returns
    -------
    Reading

    Raises
    ------
    DataError
        A file that contradicts itself, holds bytes that are not in its encoding, is too large, or with which the
        reader crashed, hung or ran out of memory.
    OptionError
        An encoding that is not known, a catalog for a format that has none.
    """
    if catalog is not None and not known.takes_catalog:
        raise OptionError(f"catalog belongs to a SAS data set (.sas7bdat); {file.name} is {known.words}")
    codec = None
    if encoding is not None:
        if known.key == "portable":
            raise OptionError(f"{file.name}: the encoding of an SPSS portable file cannot be chosen")
        codec = codec_of(encoding)
        if codec is None:
            raise OptionError(f"encoding {encoding!r} is not known; usual ones are utf-8, windows-1252, latin-1")
    with current_session() as session:
        digest = _checked(file, known, session, sha256)
        sets: dict[str, Any] = {}
        if catalog is not None:
            _checked(catalog, CATALOG, session, None)
            sets = _ask(session, catalog, CATALOG, codec)[0].get("sets", {})
        told, content = _ask(session, file, known, codec)
    if told.get("sha256") != digest:
        raise unsafe(file.name, known, "changed")
    try:
        table = pa.ipc.open_stream(pa.BufferReader(content)).read_all()
        table.validate(full=True)
        for column in told["columns"]:
            column["codes"] = sets.get(column["set"], column["codes"])
        return _Assembly(told, table, known, encoding).reading(file.name, digest)
    except (pa.ArrowException, ValueError, OSError, KeyError, TypeError, IndexError):
        # A reader whose memory a file has damaged can answer anything.
        raise unsafe(file.name, known, "reader") from None


def _checked(file: Path, known: Format, session: Session, sha256: str | None) -> str:
    """Refuse what is visibly another kind of file; return the digest."""
    size = file.stat().st_size
    if size > session.limits.size:
        raise IptError(
            f"{file.name} has {size:,} bytes: files up to {session.limits.size:,} bytes are read",
            hint=f"Keep only the rows and columns the analysis needs: save a smaller file in {known.program}.",
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
        kind = kind_by_signature(head)
        raise DataError(
            f"{file.name} is not {known.words}, whatever its name: its content looks like {kind}",
            hint=f"Give it the suffix it should have. {SAVE_AS_CSV}",
        )
    return digest


def _ask(session: Session, file: Path, known: Format, codec: str | None) -> tuple[dict[str, Any], bytes]:
    request = {"path": str(file.resolve()), "format": known.key, "encoding": codec, "cells": session.limits.cells}
    try:
        told, content = session.ask(request)
    except ChildEndedError as ended:
        raise unsafe(file.name, known, ended.how) from None
    if "refused" in told:
        raise refusal(file.name, known, told["refused"], told.get("facts", {}))
    return told, content


@dataclass
class _Assembly:
    """One file on its way from the child's answer to a `Reading`."""

    told: dict[str, Any]
    table: pa.Table
    known: Format
    encoding: str | None
    warnings: list[str] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    codes: list[Any] = field(default_factory=list)
    reasons: list[str | None] = field(default_factory=list)

    def reading(self, name: str, digest: str) -> Reading:
        """Put together columns, labels and missing codes."""
        titles = [column["name"] for column in self.told["columns"]]
        labels = {c["name"]: value_labels(c) for c in self.told["columns"] if c["codes"]}
        frame = pd.DataFrame(
            {
                place: self._column(place, column, labels.get(column["name"], {}))
                for place, column in enumerate(self.told["columns"])
            },
            index=pd.RangeIndex(self.told["rows"]),
        )
        frame.columns = pd.Index(titles, dtype=object)
        return Reading(
            frame=frame,
            name=name,
            sha256=digest,
            encoding=self._encoding(),
            value_labels=labels,
            column_labels={c["name"]: c["label"] for c in self.told["columns"] if c["label"]},
            missing=missing_frame(self.rows, self.columns, self.codes, self.reasons),
            formats={c["name"]: c["format"] for c in self.told["columns"] if c["format"]},
            file_label=self.told["file_label"],
            notes=tuple(self.told["notes"]),
            warnings=(*self._said_first(), *self.warnings),
        )

    def _encoding(self) -> str | None:
        """Return the encoding as people write it."""
        used = self.encoding or self.told["declared"] or self.told["encoding"]
        return None if used is None else re.sub("^cp(?=125)", "windows-", used.lower())

    def _column(self, place: int, column: dict[str, Any], labels: dict[Any, str]) -> pd.Series:
        name = column["name"]
        self.warnings += duplicate_labels(name, labels)
        if column["cut"]:
            cells = f"{column['cut']} cell{' ends' if column['cut'] == 1 else 's end'}"
            self.warnings.append(f"{shown(name)}: {cells} in the middle of a letter, which is left out")
        cells = self.table.column(f"c{place}")
        if column["type"] == "text":
            series = pd.Series(pd.array(cells.to_numpy(), dtype="string"))
            values = cells.to_numpy() if column["ranges"] else None
            if values is not None:
                gone = declared(values, column["ranges"], text=True)
                self._note_missing(name, gone, values[gone], labels)
                series = series.mask(gone)
            self.warnings += undeclared(name, labels, _counts(series, labels))
            return series
        values = cells.cast(pa.float64(), safe=False).to_numpy()
        values = np.array(values, dtype=np.float64)
        gone = declared(values, column["ranges"], text=False)
        self._note_missing(name, gone, [_plain(value) for value in values[gone]], labels)
        if f"t{place}" in self.table.column_names:
            tags = self.table.column(f"t{place}").to_numpy()
            tagged = np.array([tag is not None for tag in tags], dtype=bool)
            self._note_missing(name, tagged, [f".{tag}" for tag in tags[tagged]], labels)
        values[gone] = np.nan
        return self._numbers(values, column, labels)

    def _numbers(self, values: npt.NDArray[np.float64], column: dict[str, Any], labels: dict[Any, str]) -> pd.Series:
        name, shown_as = column["name"], column["format"]
        kind, second = kind_of(self.known.key, shown_as)
        if kind is not None and reaches(values, kind, second):
            if shown_as.lstrip("%-").startswith("tC"):
                self.warnings.append(f"{shown(name)}: leap seconds ({shown_as}) are not taken off the times")
            series = to_clock(values, kind, second, self.known.key)
            if kind == "time" and series.dtype != object:
                read = "moments" if series.dtype.kind == "M" else "durations"
                self.warnings.append(f"{shown(name)}: times of more than a day are read as {read}")
            return series
        if kind is not None or left_as_number(self.known.key, shown_as):
            self.warnings.append(f"{shown(name)}: shown as {shown_as} by {self.known.program}, kept as numbers")
        self.warnings += undeclared(name, labels, _counts(pd.Series(values), labels))
        present = values[~np.isnan(values)]
        if len(present) and bool((np.abs(present) < _WHOLE).all()) and bool((present == np.floor(present)).all()):
            missing = np.isnan(values)
            whole = np.where(missing, 0, values).astype(np.int64)
            return pd.Series(pd.arrays.IntegerArray(whole, missing))
        return pd.Series(values)

    def _note_missing(self, name: str, gone: npt.NDArray[np.bool_], codes: Any, labels: dict[Any, str]) -> None:
        places = np.flatnonzero(gone)
        self.rows += [int(place) + 1 for place in places]
        self.columns += [name] * len(places)
        self.codes += list(codes)
        self.reasons += [labels.get(code) or None for code in codes]

    def _said_first(self) -> list[str]:
        told, said = self.told, []
        if not told["rows"]:
            said.append("no rows of data: the file has columns only")
        if self.encoding is not None and told["declared"] and codec_of(told["declared"]) != codec_of(self.encoding):
            said.append(f"encoding: read as {self.encoding}, as asked; the file says {told['declared']}")
        if told["damaged_labels"]:
            said.append(f"{told['damaged_labels']} labels hold bytes that are not {told['encoding']}")
        return said + [_REMARKS[key] for key in told["remarks"] if key in _REMARKS]


_REMARKS = {
    "no_count": "the format does not say how many rows there are: give expect_rows to be sure that none is missing",
    "no_codes": "codes declared missing in a portable file are read as missing, without their reason",
    "old_letters": "the file does not say its encoding: accents are read as windows-1252, or give encoding",
    "guessed": "the file does not say its encoding: read as windows-1252; check names with accents, or give encoding",
    "unchecked": "the file is in an encoding not known here: letters may be lost; give encoding",
    "old_end": "the end of so old a Stata file cannot be checked: give expect_rows to be sure that no row is missing",
}


def _plain(value: float) -> int | float:
    return int(value) if value.is_integer() and abs(value) < _WHOLE else float(value)


def _counts(series: pd.Series, labels: dict[Any, str]) -> dict[Any, int]:
    if not labels:
        return {}
    counts = series.value_counts()
    return {code: int(counts[code]) for code in labels if code in counts.index}
