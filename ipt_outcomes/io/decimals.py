"""Which decimal mark a file uses, by columns that hold nothing but numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ipt_outcomes.errors import DataError
from ipt_outcomes.io.delimited import rows_in_words
from ipt_outcomes.schemas.numbers import Decimal, grouped_pattern, number_pattern

_WORDS: dict[str, str] = {".": "point", ",": "comma"}
_ESCAPED: dict[str, str] = {".": r"\.", ",": ","}


@dataclass(frozen=True, slots=True)
class _Marks:
    """What the cells of one column of numbers say about the decimal mark."""

    point: np.ndarray
    comma: np.ndarray
    either: np.ndarray
    cells: pa.Array


def detect_decimal(
    frame: pd.DataFrame, rows: np.ndarray, name: str, *, delimiter: str, given: Decimal | None
) -> tuple[Decimal, tuple[str, ...]]:
    """Find the decimal mark.

    Only columns that hold nothing but numbers and missing cells are looked at. ``7,25`` and ``1.019,00`` can
    only have a decimal comma, ``7.25`` and ``0.125`` only a point; ``1,234`` can be either, and is read with
    the mark the rest of the file shows.

    Parameters
    ----------
    frame : pandas.DataFrame of text
        The file.
    rows : numpy.ndarray of int
        Row numbers of the file.
    name : str
        Name of the file, for messages.
    delimiter : str
        With no other evidence, a comma is the decimal mark where it is not the delimiter but could be.
    given : {".", ","} or None
        The mark the user gave.

    Returns
    -------
    decimal : {".", ","}
    warnings : tuple of str
        The choice where there was one, and the columns in which thousands marks were read.

    Raises
    ------
    DataError
        A column mixes both marks; or the only evidence is cells such as ``1,234``, which can be either.
    """
    marks = {str(column): found for column in frame.columns if (found := _marks(frame[column])) is not None}
    mixed = [column for column, found in marks.items() if _mixes(found)]
    if mixed:
        _refuse_mixed(mixed, marks, rows, name)
    points = sum(bool(found.point.any()) for found in marks.values())
    commas = sum(bool(found.comma.any()) for found in marks.values())
    unsure = [column for column, found in marks.items() if found.either.any()]
    if given is not None:
        decimal: Decimal = given
    elif points or commas:
        decimal = "," if commas > points else "."
    elif unsure:
        decimal = _from_ambiguous(unsure, marks, rows, name, delimiter)
    else:
        return ".", ()
    warnings = [f"decimal mark: {_WORDS[decimal]}"]
    grouped = [column for column, found in marks.items() if _has_groups(found.cells, decimal)]
    if grouped:
        other = "comma" if decimal == "." else "point"
        warnings.append(f"thousands: a {other} or a blank between groups of three digits in {', '.join(grouped)}")
    return decimal, tuple(warnings)


def _marks(column: pd.Series) -> _Marks | None:
    cells = pc.utf8_trim_whitespace(pa.array(column, type=pa.large_string(), from_pandas=True))
    if isinstance(cells, pa.ChunkedArray):
        cells = cells.combine_chunks()
    cells = pc.replace_substring(cells, "\N{MINUS SIGN}", "-")
    missing = pc.is_in(cells, value_set=pa.array(["", "NA"], type=cells.type))
    cells = pc.if_else(missing, pa.scalar(None, type=cells.type), cells)
    with_point, with_comma = _match(cells, number_pattern(".")), _match(cells, number_pattern(","))
    known = np.asarray(pc.is_valid(cells).to_numpy(zero_copy_only=False))
    if not known.any() or not (with_point | with_comma)[known].all():
        return None
    return _Marks(
        point=with_point & ~with_comma,
        comma=with_comma & ~with_point,
        either=with_point & with_comma & _match(cells, r"[.,]"),
        cells=cells,
    )


def _mixes(found: _Marks) -> bool:
    """Whether both marks stand for decimals: 7,25 beside 7.25, or beside 1.234 with no 1.019,00 near."""
    if found.point.any() and found.comma.any():
        return True
    for decimal, other, sure in ((".", ",", found.point), (",", ".", found.comma)):
        doubtful = found.either & _match(found.cells, _ESCAPED[other])
        if sure.any() and doubtful.any() and not _has_groups(found.cells, decimal, with_decimals=True):  # type: ignore[arg-type]
            return True
    return False


def _match(cells: pa.Array, pattern: str) -> np.ndarray:
    return np.asarray(pc.fill_null(pc.match_substring_regex(cells, pattern), False).to_numpy(zero_copy_only=False))


def _has_groups(cells: pa.Array, decimal: Decimal, *, with_decimals: bool = False) -> bool:
    other = _ESCAPED["," if decimal == "." else "."]
    rest = rf"{_ESCAPED[decimal]}\d+"
    tail = rest if with_decimals else rf"({rest})?"
    return bool(_match(cells, rf"^[+-]?{grouped_pattern(other)}{tail}$").any())


def _refuse_mixed(mixed: list[str], marks: dict[str, _Marks], rows: np.ndarray, name: str) -> None:
    parts = []
    at: list[int] = []
    for column in mixed:
        doubtful, has_comma = marks[column].either, _match(marks[column].cells, ",")
        points = rows[marks[column].point | (doubtful & ~has_comma)]
        commas = rows[marks[column].comma | (doubtful & has_comma)]
        fewer = commas if len(commas) <= len(points) else points
        at += fewer.tolist()
        words = "comma" if fewer is commas else "point"
        parts.append(f"{column} (decimal {words} in {rows_in_words(fewer.tolist())})")
    raise DataError(
        f"{name}: decimal points and decimal commas in one column: {'; '.join(parts)}",
        rows=at,
        column=mixed[0],
        hint="Write all numbers of the file with one decimal mark.",
    )


def _from_ambiguous(
    unsure: list[str], marks: dict[str, _Marks], rows: np.ndarray, name: str, delimiter: str
) -> Decimal:
    """Cells such as 1.234 and nothing else: a point is decimal, a comma is decimal only beside semicolons."""
    commas = [column for column in unsure if _match(marks[column].cells, ",").any()]
    points = [column for column in unsure if _match(marks[column].cells, r"\.").any()]
    if points and not commas and delimiter == ",":
        return "."
    if commas and not points and delimiter == ";":
        return ","
    column = unsure[0]
    row = int(rows[np.flatnonzero(marks[column].either)[0]])
    cell = marks[column].cells[int(np.flatnonzero(marks[column].either)[0])].as_py()
    raise DataError(
        f"{name}, {column}, row {row}: {cell} can hold a thousands mark or a decimal mark, "
        "and nothing else in the file tells which",
        rows=(row,),
        column=column,
        hint='Give the decimal mark: decimal="." or decimal="," (--decimal . or --decimal , on the command line).',
    )
