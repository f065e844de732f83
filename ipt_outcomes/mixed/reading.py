"""Columns of a file, as a frame: only those that a model needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DataError, OptionError

KINDS = (".parquet", ".csv")
_NA_WORDS = frozenset(("NA", "NaN"))


def frame_of_file(path: str | Path, columns: Sequence[str] | None = None, text: Sequence[str] = ()) -> pd.DataFrame:
    """Read columns of a Parquet or CSV file.

    Parameters
    ----------
    path : str or pathlib.Path
    columns : sequence of str, optional
        Those read; columns the file does not have are left to the caller to refuse. All where not given.
    text : sequence of str
        Columns of ids: in a CSV file they are read as text, so that 007 stays 007.

    Returns
    -------
    pandas.DataFrame
        Text columns as categoricals in sorted order; a Parquet dictionary that was written as a categorical keeps its
        own order.

    Raises
    ------
    OptionError
        No such file, or neither Parquet nor CSV.
    DataError
        The file cannot be read as what its name says.
    """
    place = Path(path)
    if place.suffix.lower() not in KINDS:
        raise OptionError(
            f"data must be a frame, or the path of a {' or '.join(KINDS)} file; got a path with {place.suffix!r}",
            hint="Other formats are read by ipt_outcomes.io.read_table.",
        )
    if not place.is_file():
        raise OptionError(f"there is no file {place.name!r} at that path")
    import pyarrow as pa

    try:
        if place.suffix.lower() == ".parquet":
            return _parquet(place, columns)
        names = None if columns is None else (lambda name: name in set(columns))
        found = pd.read_csv(
            place,
            usecols=names,
            dtype=dict.fromkeys(text, str),
            encoding="utf-8",
            # A site may be called NA: only an empty cell is missing, and NA among numbers.
            keep_default_na=False,
            na_values=[""],
        )
        return found.assign(**{str(name): _numbers_with_na(found[name]) for name in found if name not in text})
    except (pa.ArrowException, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, OSError) as error:
        raise DataError(
            f"{place.name} cannot be read as {place.suffix.lower()[1:]} ({type(error).__name__})",
            hint="Files in other encodings or with oddities are read by ipt_outcomes.io.read_table.",
        ) from None


def _parquet(place: Path, columns: Sequence[str] | None) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pq.read_schema(place)
    names = schema.names if columns is None else [name for name in schema.names if name in set(columns)]
    kinds = {name: schema.field(name).type for name in names}
    plain = [name for name, kind in kinds.items() if pa.types.is_string(kind) or pa.types.is_large_string(kind)]
    found = {}
    # One column at a time, text first since its coding takes the most, so that no two are held as Arrow holds them.
    for name in (*plain, *(name for name in names if name not in plain)):
        column = pq.read_table(place, columns=[name], read_dictionary=plain, use_threads=False).column(name)
        found[name] = _sorted_levels(column) if name in plain else column.to_pandas()
        del column
        # Back to the system, what Arrow keeps for itself and what the C library does: else it adds up over columns.
        pa.default_memory_pool().release_unused()
        pa.system_memory_pool().release_unused()
    return pd.DataFrame({name: found[name] for name in names}, copy=False)


def _sorted_levels(column: object) -> pd.Categorical:
    """Levels in the order of the alphabet, never that of their appearance in the file."""
    import pyarrow.compute as pc

    whole = column.unify_dictionaries().combine_chunks()  # type: ignore[attr-defined]
    whole = whole.chunk(0) if hasattr(whole, "num_chunks") else whole
    order = pc.sort_indices(whole.dictionary).to_numpy()
    rank = np.empty(order.size + 1, dtype=np.int32)
    rank[order], rank[-1] = np.arange(order.size), -1
    codes = rank[whole.indices.fill_null(-1).to_numpy(zero_copy_only=False)]
    # As objects the levels are made once; pandas' own text would be made into objects for every use.
    levels = pd.Index(whole.dictionary.take(order).to_pylist(), dtype=object)
    return pd.Categorical.from_codes(codes, categories=levels)


def _numbers_with_na(column: pd.Series) -> pd.Series:
    """Return a column of numbers among which some are written NA, as R writes them, as numbers; any other as it is."""
    if pd.api.types.is_numeric_dtype(column):
        return column
    numbers = pd.to_numeric(column, errors="coerce")
    other = column[numbers.isna() & column.notna()].unique()
    return numbers if numbers.notna().any() and set(other) <= _NA_WORDS else column
