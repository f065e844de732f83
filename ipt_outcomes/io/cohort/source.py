"""A patient file or frame as it stands, with what its format says about labels and missing codes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DataError, IptError, OptionError
from ipt_outcomes.io.cohort.cells import Texts
from ipt_outcomes.io.delimited import require_rows
from ipt_outcomes.io.studies import Source
from ipt_outcomes.io.table import Table, read_table
from ipt_outcomes.privacy.patterns import looks_like
from ipt_outcomes.schemas import Decimal

FRAME = "data frame"
"""Name of a source that is no file."""

CohortSource = str | os.PathLike[str] | pd.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """What was read.

    Parameters
    ----------
    frame : pandas.DataFrame, shape (n, p)
        Cells as they stand; columns are text.
    rows : numpy.ndarray of int, shape (n,)
        Row number of each record in its file (positions from 0, for a frame).
    source : Source
    decimal : {".", ","}
    value_labels : mapping of str to mapping of str to str
        Column to code (as text) and label, where the format has labels.
    column_labels : mapping of str to str
    declared : pandas.DataFrame
        ``record column code reason``: cells missing because the file declares their code as missing.
    free_texts : tuple of str
        Title and notes inside the file; scanned, never copied.
    notes : tuple of str
    read : dict of str to Texts
        Columns read as text so far.
    """

    frame: pd.DataFrame
    rows: np.ndarray
    source: Source
    decimal: Decimal = "."
    value_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    column_labels: Mapping[str, str] = field(default_factory=dict)
    declared: pd.DataFrame
    free_texts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    read: dict[str, Texts] = field(default_factory=dict)

    def texts(self, column: str) -> Texts:
        """Return a column as text, as it stands; each is read once."""
        if column not in self.read:
            self.read[column] = Texts.of(self.frame[column])
        return self.read[column]

    @property
    def columns(self) -> tuple[str, ...]:
        """Headings of the source."""
        return tuple(self.frame.columns)


def read_source(
    source: CohortSource, *, expect_rows: int | None = None, sha256: str | None = None, encoding: str | None = None,
    decimal: Decimal | None = None, sheet: str | int | None = None,
) -> Raw:  # fmt: skip
    """Read a patient file or take a frame.

    Parameters
    ----------
    source : path or DataFrame
    expect_rows : int, optional
        Rows the source must have (L13).
    sha256 : str, optional
        Digest the file must have (L13).
    encoding, decimal, sheet : str, optional
        As in `ipt_outcomes.io.read_table`.

    Returns
    -------
    Raw

    Raises
    ------
    IptError
        The file cannot be read, or is not the one expected.
    """
    if isinstance(source, pd.DataFrame):
        if sheet is not None:
            raise OptionError("sheet belongs to a workbook (.xlsx); a data frame was given")
        raw = _from_frame(source)
        require_rows(len(raw.frame), expect_rows, raw.source.name)
        if sha256 is not None and sha256.strip().lower() != raw.source.sha256:
            raise IptError(f"the data frame is not the one expected: its SHA-256 is {raw.source.sha256}, not {sha256}")
        return raw
    if not isinstance(source, str | os.PathLike):
        raise OptionError(f"a path or a pandas DataFrame was expected; got {type(source).__name__}")
    _require_file(source)
    return read_file(source, expect_rows=expect_rows, sha256=sha256, encoding=encoding, decimal=decimal, sheet=sheet)


def read_file(
    source: str | os.PathLike[str], *, expect_rows: int | None = None, sha256: str | None = None,
    encoding: str | None = None, decimal: Decimal | None = None, sheet: str | int | None = None,
) -> Raw:  # fmt: skip
    """Read one file of patient data; as `read_source`."""
    table = read_table(source, encoding=encoding, decimal=decimal, sheet=sheet, expect_rows=expect_rows, sha256=sha256)
    return raw_of(table)


def raw_of(table: Table) -> Raw:
    """Return a table that was read as a source of patient data."""
    frame = table.frame.reset_index(drop=True)
    frame.columns = [str(column) for column in frame.columns]
    rows = np.asarray(table.rows, dtype=int)
    origin = Source(
        name=table.name, sha256=table.sha256, rows=len(table),
        delimiter=table.delimiter, decimal=table.decimal, encoding=table.encoding,
    )  # fmt: skip
    return Raw(
        frame=frame,
        rows=rows,
        source=origin,
        decimal=table.decimal or ".",
        value_labels={str(c): {_code(k): str(v) for k, v in codes.items()} for c, codes in table.value_labels.items()},
        column_labels=dict(table.column_labels),
        declared=_declared(table.missing, rows),
        free_texts=(table.file_label, *table.notes),
        # A remark on labels may quote one.
        notes=tuple(note for note in table.warnings if looks_like(note) is None),
    )


def _require_file(source: str | os.PathLike[str]) -> None:
    """Say that a file is not there without its folders, whose names may be a person's."""
    given = os.fspath(source)
    if isinstance(given, str) and "\0" not in given and given.strip() and "://" not in given:
        path = Path(given).expanduser()
        try:
            missing = not path.exists()
        except OSError:
            missing = True
        if missing:
            raise IptError(f"there is no file {path.name}", hint="Check the path; it is read from this machine only.")


def _code(value: Any) -> str:
    """A code as text: whole numbers without a point."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _declared(missing: pd.DataFrame | None, rows: np.ndarray) -> pd.DataFrame:
    columns = ["record", "column", "code", "reason"]
    if missing is None or not len(missing):
        return pd.DataFrame({name: pd.Series(dtype=object) for name in columns}).astype({"record": int})
    record = pd.Series(np.arange(len(rows)), index=rows)
    reasons = missing["reason"].astype(object)
    return pd.DataFrame(
        {
            "record": record.reindex(missing["row"].to_numpy()).to_numpy(dtype=int),
            "column": missing["column"].astype(str).to_numpy(),
            "code": [_code(code) for code in missing["code"]],
            "reason": ["" if pd.isna(reason) else str(reason) for reason in reasons],
        }
    )


def _from_frame(source: pd.DataFrame) -> Raw:
    frame = source.reset_index(drop=True)
    frame.columns = [str(column).strip() for column in source.columns]
    double = sorted(set(frame.columns[frame.columns.duplicated()]))
    if double:
        raise DataError(f"the data frame has columns of the same name: {', '.join(double)}", column=double[0])
    if not len(frame):
        raise DataError("the data frame has no rows")
    read: dict[str, Texts] = {}
    origin = Source(name=FRAME, sha256=digest_of(frame, read), rows=len(frame))
    declared = _declared(None, np.arange(0))
    return Raw(frame=frame, rows=np.arange(len(frame)), source=origin, declared=declared, read=read)


def digest_of(frame: pd.DataFrame, read: dict[str, Texts]) -> str:
    """SHA-256 of a frame's headings and cells.

    Parameters
    ----------
    frame : pandas.DataFrame
    read : dict of str to Texts
        Takes the columns that had to be read as text.

    Returns
    -------
    str
        Numbers count by value, everything else by its text; missing cells are all the same.
    """
    digest = hashlib.sha256()
    for name in frame.columns:
        column = frame[name]
        digest.update(f"{name}\x1f{len(column)}\x1f".encode("utf-8", "surrogatepass"))
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column):
            digest.update(np.ascontiguousarray(column.to_numpy(dtype=np.float64, na_value=np.nan)).tobytes())
        else:
            texts = read[name] = Texts.of(column)
            digest.update(np.ascontiguousarray(texts.codes, dtype=np.int64).tobytes())
            digest.update("\x1f".join(texts.values).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
