"""A text table as it stands in its file: every cell text, every choice of the reader reported."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.io.decimals import detect_decimal
from ipt_outcomes.io.delimited import DELIMITERS, read_records, require_rows
from ipt_outcomes.io.text import read_text
from ipt_outcomes.schemas import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table read from a file of delimited text.

    Parameters
    ----------
    frame : pandas.DataFrame, shape (n, p)
        Cells as text exactly as written (leading zeros, blanks and ``NA`` kept); missing only where the cell
        is empty.
    rows : numpy.ndarray of int, shape (n,)
        Line of the file on which each record begins (the header is line 1). A spreadsheet shows the same
        number unless cells above it hold line breaks, which `warnings` then says.
    name : str
        Name of the file, without its folder.
    delimiter, decimal, encoding : str
        As found or given.
    sha256 : str
        Digest of the file's bytes.
    warnings : tuple of str
        Each choice the reader made (delimiter, decimal mark, encoding) and each thing it left out.
    """

    frame: pd.DataFrame
    rows: np.ndarray
    name: str
    delimiter: str
    decimal: Decimal
    encoding: str
    sha256: str
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)


def read_table(
    path: str | os.PathLike[str],
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: Decimal | None = None,
    expect_rows: int | None = None,
    sha256: str | None = None,
) -> Table:
    r"""Read a table from delimited text (.csv, .tsv, .txt).

    Nothing is guessed in silence: delimiter, decimal mark and encoding are detected or given, and each
    choice is in ``.warnings``. No cell is changed.

    Parameters
    ----------
    path : str or path-like
        A file on this machine.
    encoding : str, optional
        Coding of the letters. Default: the byte-order mark, else UTF-8, else windows-1252 with a warning.
    delimiter : {";", ",", "\t", "|"}, optional
        The character between cells. Default: detected.
    decimal : {".", ","}, optional
        The decimal mark. Default: detected from the columns that hold nothing but numbers.
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
        points and commas, no data.
    OptionError
        An option that is not known.
    """
    if delimiter is not None:
        require_choice("delimiter", delimiter, DELIMITERS)
    if decimal is not None:
        require_choice("decimal", decimal, (".", ","))
        if decimal == delimiter:
            raise OptionError("decimal and delimiter cannot be the same character")
    file = read_text(path, encoding=encoding, sha256=sha256)
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
