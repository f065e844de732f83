"""A table as it stands in its file: every choice of the reader reported, codes never replaced by labels."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.io.decimals import detect_decimal
from ipt_outcomes.io.delimited import DELIMITERS, read_records, require_rows
from ipt_outcomes.io.guarded import Format, Wish, format_of, read_guarded
from ipt_outcomes.io.guarded.labels import no_missing
from ipt_outcomes.io.text import existing_file, read_text
from ipt_outcomes.schemas import Decimal

_TABBED = (".tsv", ".tab")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table read from delimited text, a statistical file, a sheet of a workbook or a Parquet file.

    Parameters
    ----------
    frame : pandas.DataFrame, shape (n, p)
        From text: cells as text exactly as written (leading zeros, blanks and ``NA`` kept); missing only where
        the cell is empty. From a statistical file: codes as they are, never labels; missing where the cell is
        empty (system missing) or holds a code that the file declares missing. Numbers are ``Int64`` where all are
        whole, else ``float64``; text is ``string``, in which an empty text is a value like any other; dates are
        ``datetime64[s]``, moments ``datetime64[us]``, times of day `datetime.time`, durations ``timedelta64[us]``.
    rows : numpy.ndarray of int, shape (n,)
        From text: line of the file on which each record begins (the header is line 1). A spreadsheet shows the
        same number unless cells above it hold line breaks, which `warnings` then says. From a statistical file:
        number of the case, from 1. From a sheet: number of the row there.
    name : str
        Name of the file, without its folder.
    delimiter, decimal : str or None
        As found or given; None for a statistical file. For a sheet, the mark of numbers that stand as text.
    encoding : str or None
        As found or given; None where the format has none.
    sha256 : str
        Digest of the file's bytes.
    warnings : tuple of str
        Each choice the reader made (delimiter, decimal mark, encoding), each thing it left out, and what looks
        wrong in labels and codes.
    value_labels : mapping of str to mapping
        Column to code and label; a Stata or SAS missing letter is the code ``".a"``. Empty for text.
    column_labels : mapping of str to str
        Column to its label, where it has one. Empty for text.
    missing : pandas.DataFrame
        ``row column code reason``: one row per cell that is missing by declaration (SPSS user-missing codes and
        ranges, Stata and SAS missing letters); ``row`` as in `rows`, ``reason`` is the code's label, if any.
    formats : mapping of str to str
        Column to its display format (``F8.2``, ``%td``, ``DATE9``). Empty for text.
    file_label : str
        The file's own title, "" if it has none. Like `notes` it may hold anything: not for reports.
    notes : tuple of str
        Documents and notes in the file.
    sheet : str or None
        The sheet that was read.
    """

    frame: pd.DataFrame
    rows: np.ndarray
    name: str
    delimiter: str | None = None
    decimal: Decimal | None = None
    encoding: str | None
    sha256: str
    warnings: tuple[str, ...] = ()
    value_labels: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)
    column_labels: Mapping[str, str] = field(default_factory=dict)
    missing: pd.DataFrame = field(default_factory=no_missing)
    formats: Mapping[str, str] = field(default_factory=dict)
    file_label: str = ""
    notes: tuple[str, ...] = ()
    sheet: str | None = None

    def __len__(self) -> int:
        return len(self.frame)


def read_table(
    path: str | os.PathLike[str],
    *,
    encoding: str | None = None,
    catalog: str | os.PathLike[str] | None = None,
    delimiter: str | None = None,
    decimal: Decimal | None = None,
    sheet: str | int | None = None,
    expect_rows: int | None = None,
    sha256: str | None = None,
) -> Table:
    r"""Read a table from delimited text (.csv, .tsv, .txt), a statistical file, a workbook or a Parquet file.

    Statistical files are .sav, .zsav, .por (SPSS), .dta (Stata), .sas7bdat and .xpt (SAS, versions 5 and 8). They,
    workbooks (.xlsx) and Parquet files (.parquet) are read in a child process with limits of memory and time,
    because damaged ones crash or hang their readers; whatever happens there becomes one error, and this process
    lives on. Inside
    ``with ipt_outcomes.io.guarded.reading_session():`` several files share one child.

    Nothing is guessed in silence: delimiter, decimal mark and encoding are detected or given, and each
    choice is in ``.warnings``. No cell is changed; codes are not replaced by their labels.

    Parameters
    ----------
    path : str or path-like
        A file on this machine.
    encoding : str, optional
        Coding of the letters. Default: the byte-order mark, else UTF-8, else windows-1252 with a warning; for a
        statistical file the one it declares.
    catalog : path or path-like, optional
        SAS catalog (.sas7bcat) with the value labels of a .sas7bdat.
    delimiter : {";", ",", "\t", "|"}, optional
        The character between cells of text. Default: detected.
    decimal : {".", ","}, optional
        The decimal mark of text. Default: detected from the columns that hold nothing but numbers.
    sheet : str or int, optional
        The sheet of a workbook, by its name or its number from 1. Must be given where several hold something.
    expect_rows : int, optional
        Number of records the file must have.
    sha256 : str, optional
        Digest the file must have.

    Returns
    -------
    Table

    Raises
    ------
    IptError
        The file is missing, empty, too large, no text table, or not the one expected.
    DataError
        Rows of unequal length, columns without a name or with the same name, a column that mixes decimal
        points and commas, no data. A file that is damaged, cut short, contradicts its own header or its declared
        encoding, or cannot be read safely. A workbook with several sheets, merged cells, errors instead of values,
        formulas without a result.
    OptionError
        An option that is not known, or does not belong to this kind of file.
    """
    _check_options(delimiter, decimal, sheet)
    file = existing_file(path)
    known = format_of(file)
    if known is not None:
        if delimiter is not None:
            raise OptionError(f"delimiter belongs to delimited text; {file.name} is {known.words}")
        labels = None if catalog is None else existing_file(catalog)
        wish = Wish(encoding=encoding, catalog=labels, sheet=sheet, decimal=decimal, sha256=sha256)
        return _guarded(file, known, wish, expect_rows)
    if catalog is not None:
        raise OptionError(f"catalog belongs to a SAS data set (.sas7bdat); {file.name} is none")
    if sheet is not None:
        raise OptionError(f"sheet belongs to a workbook (.xlsx); {file.name} is none")
    return _delimited(file, encoding, delimiter, decimal, expect_rows, sha256)


def _check_options(delimiter: str | None, decimal: str | None, sheet: object) -> None:
    if delimiter is not None:
        require_choice("delimiter", delimiter, DELIMITERS)
    if decimal is not None:
        require_choice("decimal", decimal, (".", ","))
        if decimal == delimiter:
            raise OptionError("decimal and delimiter cannot be the same character")
    if sheet is not None and (isinstance(sheet, bool) or not isinstance(sheet, str | int)):
        raise OptionError("sheet must be the name of a sheet or its number from 1")


def _guarded(file: Path, known: Format, wish: Wish, expect_rows: int | None) -> Table:
    reading = read_guarded(file, known, wish)
    require_rows(len(reading.frame), expect_rows, file.name)
    rows = np.asarray(reading.rows, dtype=int)
    rows.setflags(write=False)
    return Table(
        frame=reading.frame,
        rows=rows,
        name=reading.name,
        decimal=reading.decimal,
        encoding=reading.encoding,
        sha256=reading.sha256,
        warnings=reading.warnings,
        value_labels=reading.value_labels,
        column_labels=reading.column_labels,
        missing=reading.missing,
        formats=reading.formats,
        file_label=reading.file_label,
        notes=reading.notes,
        sheet=reading.sheet,
    )


def _delimited(
    path: Path,
    encoding: str | None,
    delimiter: str | None,
    decimal: Decimal | None,
    expect_rows: int | None,
    sha256: str | None,
) -> Table:
    file = read_text(path, encoding=encoding, sha256=sha256)
    if delimiter is None and path.suffix.lower() in _TABBED and "\t" in file.text.partition("\n")[0]:
        # The suffix promises tabs: commas inside the cells are not counted against them.
        delimiter = "\t"
    records = read_records(file.text, file.name, delimiter)
    require_rows(len(records.rows), expect_rows, file.name)
    columns = {
        title: pd.array([cell or None for cell in cells], dtype="string")
        for title, cells in zip(records.names, records.columns, strict=True)
    }
    frame = pd.DataFrame(columns)
    rows = np.array(records.rows, dtype=int)
    mark, notes = detect_decimal(frame, rows, file.name, delimiter=records.delimiter, given=decimal)
    rows.setflags(write=False)
    return Table(
        frame=frame,
        rows=rows,
        name=file.name,
        delimiter=records.delimiter,
        decimal=mark,
        encoding=file.encoding,
        sha256=file.sha256,
        warnings=(*file.warnings, *records.warnings, *notes),
    )
