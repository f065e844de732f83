"""Text to numbers: whole columns at once, with the decimal mark of the file, correctly rounded."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Decimal = Literal[".", ","]

# A narrow no-break space and a no-break space group thousands in French and Swiss exports.
_BLANKS = " \u00a0\u202f"
_EXPONENT = r"([eE][+-]?\d+)?"
_OTHER_MARK: dict[str, str] = {".": ",", ",": r"\."}
_MARK: dict[str, str] = {".": r"\.", ",": ","}


def number_pattern(decimal: Decimal) -> str:
    """Regular expression (RE2) of a number written with this decimal mark, thousands marks allowed."""
    mark, other = _MARK[decimal], _OTHER_MARK[decimal]
    plain = rf"(\d+({mark}\d*)?|{mark}\d+){_EXPONENT}"
    return rf"^[+-]?({plain}|{grouped_pattern(other)}({mark}\d+)?)$"


def grouped_pattern(mark: str) -> str:
    """Regular expression of the whole part of a number with thousands in groups of three."""
    return rf"[1-9]\d{{0,2}}(({mark}\d{{3}})+|([{_BLANKS}'’]\d{{3}})+)"


def to_text(values: pd.Series) -> pa.Array:
    """Return a column as Arrow text, cell by cell as written; missing cells null.

    Parameters
    ----------
    values : pandas.Series, shape (n,)
        Text; other values are written as Python writes them, whole numbers without ".0" (a code read as 3.0
        because its column has missing cells is the text "3").

    Returns
    -------
    pyarrow.Array of string, shape (n,)
    """
    if pd.api.types.is_numeric_dtype(values):
        return pa.array([_written(value) for value in values], type=pa.large_string())
    try:
        text = pa.array(values, type=pa.large_string(), from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, UnicodeEncodeError):
        text = pa.array([_written(value) for value in values], type=pa.large_string())
    return text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text


def _written(value: object) -> str | None:
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return None
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    # A lone surrogate is no character; it becomes a question mark, as in any encoder.
    return str(value).encode("utf-8", "replace").decode("utf-8")


def parse_numbers(text: pa.Array, decimal: Decimal = ".") -> tuple[np.ndarray, np.ndarray]:
    """Read a column of text as numbers.

    Parameters
    ----------
    text : pyarrow.Array of string, shape (n,)
        Cells without blanks around them; null where missing.
    decimal : {".", ","}
        Decimal mark; the other mark, blanks and apostrophes may stand between groups of three digits.

    Returns
    -------
    numbers : numpy.ndarray of float, shape (n,)
        NaN where the cell is missing or no number.
    bad : numpy.ndarray of bool, shape (n,)
        True where a cell holds something that is not a finite number ("inf" and "nan" are words here).

    Examples
    --------
    >>> parse_numbers(pa.array(["7,25", "1.019,00", "7.25", None]), ",")[0].tolist()
    [7.25, 1019.0, nan, nan]
    """
    text = pc.replace_substring(text, "\N{MINUS SIGN}", "-")
    fits = pc.match_substring_regex(text, number_pattern(decimal))
    known = pc.if_else(fits, text, pa.scalar(None, type=text.type))
    if decimal == ",":
        known = pc.replace_substring(pc.replace_substring(known, ".", ""), ",", ".")
    else:
        known = pc.replace_substring(known, ",", "")
    known = pc.replace_substring_regex(known, rf"[{_BLANKS}'’+]", "")
    numbers = _cast(known)
    bad = pc.fill_null(pc.invert(fits), False).to_numpy(zero_copy_only=False)
    overflow = np.isinf(numbers)
    return np.where(overflow, np.nan, numbers), np.asarray(bad | overflow)


def _cast(text: pa.Array) -> np.ndarray:
    """Arrow's own reader rounds correctly; its rare refusals (a bare "5.") are read by Python's."""
    try:
        numbers = pc.cast(text, pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        numbers = np.array([np.nan if cell is None else float(cell) for cell in text.to_pylist()])
    return np.asarray(numbers, dtype=float)


def plain_text(text: pa.Array) -> pd.Series:
    """Return Arrow text as a text column of pandas in which NaN is missing.

    Parameters
    ----------
    text : pyarrow.Array of string, shape (n,)
        Null where missing.

    Returns
    -------
    pandas.Series, shape (n,)
    """
    if pd.__version__.startswith("2."):
        cells = pd.Series(text.to_pylist(), dtype=object)
        return cells.where(cells.notna(), np.nan)
    dtype: Any = pd.StringDtype("pyarrow", na_value=np.nan)
    return pd.Series(dtype.__from_arrow__(text))
