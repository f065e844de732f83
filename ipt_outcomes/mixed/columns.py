"""Columns of the data as the model reads them: numbers, or levels in an order; which rows have them all."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DataError, OptionError

MOST_LEVELS = 300


@dataclass(frozen=True, slots=True)
class Factor:
    """A column of levels.

    Parameters
    ----------
    codes : numpy.ndarray of int, shape (n,)
        Places in `levels`; -1 is missing.
    levels : tuple
        A categorical's own order; otherwise sorted.
    """

    codes: np.ndarray
    levels: tuple[Any, ...]


def as_frame(data: object, columns: Sequence[str] | None = None, text: Sequence[str] = ()) -> pd.DataFrame:
    """Return the data as a pandas frame.

    Parameters
    ----------
    data : pandas.DataFrame, any frame with ``to_pandas`` (polars, pyarrow) or ``df`` (DuckDB), or a path
    columns : sequence of str, optional
        Those needed: of a file no others are read.
    text : sequence of str
        Columns of ids, text in a CSV file.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    OptionError
        It is none of these.
    """
    if isinstance(data, str | Path):
        from ipt_outcomes.mixed.reading import frame_of_file

        return frame_of_file(data, columns, text)
    if isinstance(data, pd.DataFrame):
        return data
    if columns is not None and callable(getattr(data, "project", None)):
        # A DuckDB relation: only what is needed leaves the database.
        known = [name for name in data.columns if name in set(columns)]  # type: ignore[attr-defined]
        quoted = ['"' + name.replace('"', '""') + '"' for name in known]
        data = data.project(", ".join(quoted)) if quoted else data  # type: ignore[attr-defined]
    for name in ("to_pandas", "df"):
        convert = getattr(data, name, None)
        if callable(convert):
            frame = convert()
            if isinstance(frame, pd.DataFrame):
                return frame
    raise OptionError(
        "data must be a frame (pandas, polars, Arrow or a DuckDB relation) or the path of a Parquet or CSV file; "
        f"got {type(data).__name__}",
    )


def require_columns(frame: pd.DataFrame, names: Iterable[str]) -> None:
    """Raise `OptionError` unless the frame has every column once; near names are offered."""
    known = [str(name) for name in frame.columns]
    unknown = [name for name in dict.fromkeys(names) if name not in known]
    if unknown:
        near = [match for name in unknown for match in difflib.get_close_matches(name, known, n=2)]
        hint = f"Near: {', '.join(near)}." if near else f"Columns: {', '.join(known[:30])}."
        raise OptionError(f"the data have no column {', '.join(map(repr, unknown))}", column=unknown[0], hint=hint)
    twice = [name for name in dict.fromkeys(names) if known.count(name) > 1]
    if twice:
        raise OptionError(f"the data have several columns named {', '.join(map(repr, twice))}", column=twice[0])


def is_numeric(series: pd.Series) -> bool:
    """Return whether a column holds numbers (true/false is two levels, not numbers)."""
    if series.dtype == object:
        # A frame put together by hand often keeps numbers as objects; as levels they would give a column each.
        return pd.api.types.infer_dtype(series, skipna=True) in {
            "integer",
            "floating",
            "mixed-integer-float",
            "decimal",
        }
    return pd.api.types.is_numeric_dtype(series.dtype) and not pd.api.types.is_bool_dtype(series.dtype)


def numbers(series: pd.Series) -> np.ndarray:
    """Return a numeric column as float64, missing as NaN.

    Raises
    ------
    DataError
        The column holds complex or infinite values.
    """
    if pd.api.types.is_complex_dtype(series.dtype):
        raise DataError(f"{series.name}: complex numbers cannot be modelled", column=str(series.name))
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(values).any():
        rows = np.flatnonzero(np.isinf(values))
        raise DataError(
            f"{series.name}: {rows.size} of {values.size} rows hold an infinite value",
            rows=rows[:1000].tolist(),
            column=str(series.name),
        )
    return values


def factor(series: pd.Series) -> Factor:
    """Return a column of levels.

    Parameters
    ----------
    series : pandas.Series
        Categorical (its own order counts), true/false, text or numbers (sorted).

    Returns
    -------
    Factor

    Raises
    ------
    DataError
        The column holds dates or values that cannot be ordered.
    """
    if isinstance(series.dtype, pd.CategoricalDtype):
        return Factor(series.cat.codes.to_numpy(), tuple(series.cat.categories))
    if pd.api.types.is_datetime64_any_dtype(series.dtype) or pd.api.types.is_timedelta64_dtype(series.dtype):
        raise DataError(
            f"{series.name}: dates are neither numbers nor levels", column=str(series.name), hint="Use days or weeks."
        )
    codes, found = pd.factorize(series, use_na_sentinel=True)
    ordered = _sorted_places(found, series)
    levels = found.take(ordered).tolist()
    if (ordered[1:] > ordered[:-1]).all():
        return Factor(codes, tuple(levels))
    places = np.full(len(levels) + 1, -1, dtype=np.int64)
    places[ordered] = np.arange(len(levels))
    return Factor(places[codes], tuple(levels))


def _sorted_places(found: pd.Index, series: pd.Series) -> np.ndarray:
    try:
        if found.dtype == object:
            levels = found.tolist()
            return np.array(sorted(range(len(levels)), key=levels.__getitem__), dtype=np.int64)
        return np.asarray(found.array.argsort(), dtype=np.int64)
    except TypeError:
        raise DataError(
            f"{series.name}: values of different kinds (text and numbers) have no order",
            column=str(series.name),
            hint="Make the column all text, all numbers or a categorical.",
        ) from None


def used_levels(column: Factor) -> Factor:
    """Return the factor without the levels that no row has."""
    present = np.zeros(len(column.levels) + 1, dtype=bool)
    present[column.codes] = True
    present = present[:-1]
    if present.all():
        return column
    places = np.append(np.cumsum(present) - 1, -1).astype(column.codes.dtype)
    levels = tuple(level for level, kept in zip(column.levels, present, strict=True) if kept)
    return Factor(places[column.codes], levels)


def combined(columns: Sequence[Factor]) -> Factor:
    """Return the combinations of several factors that occur, as one factor with levels such as ``a:b``."""
    if len(columns) == 1:
        return used_levels(columns[0])
    # Pair by pair, of the pairs that occur: all pairs of two long lists of ids would not fit into memory.
    found = used_levels(columns[0])
    for column in columns[1:]:
        other = used_levels(column)
        width = max(len(other.levels), 1)
        missing = (found.codes < 0) | (other.codes < 0)
        pairs = np.where(missing, -1, np.asarray(found.codes, dtype=np.int64) * width + other.codes)
        seen, codes = np.unique(pairs, return_inverse=True)
        gap = int(bool(seen.size) and seen[0] < 0)
        names = tuple(f"{found.levels[pair // width]}:{other.levels[pair % width]}" for pair in seen[gap:].tolist())
        found = Factor(codes - gap, names)
    return found
