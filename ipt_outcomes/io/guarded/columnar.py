"""What the child tells of a Parquet file, put together: columns keep their types."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ipt_outcomes.io.guarded.result import Reading, numbers
from ipt_outcomes.io.guarded.words import shown

_COUNTER = re.compile(r"__index_level_\d+__")
_MOST = 2**63 - 1


def assemble_columns(told: dict[str, Any], table: pa.Table, name: str, digest: str) -> Reading:
    """Put a Parquet file together.

    Parameters
    ----------
    told : dict
    table : pyarrow.Table
    name : str
        Of the file.
    digest : str

    Returns
    -------
    Reading
    """
    warnings: list[str] = []
    columns: dict[int, pd.Series] = {}
    titles: list[str] = []
    for place, column in enumerate(told["columns"]):
        title, cells = str(column["name"]), table.column(f"c{place}")
        if _COUNTER.fullmatch(title) and pa.types.is_integer(cells.type):
            warnings.append("a column of row numbers that pandas added: left out")
            continue
        columns[place] = _column(title, cells, warnings)
        titles.append(title)
    if not told["rows"]:
        warnings.append("no rows of data: the file has columns only")
    frame = pd.DataFrame(columns, index=pd.RangeIndex(told["rows"]))
    frame.columns = pd.Index(titles, dtype=object)
    return Reading(frame=frame, rows=np.arange(1, told["rows"] + 1), name=name, sha256=digest, warnings=tuple(warnings))


def _column(title: str, cells: pa.ChunkedArray, warnings: list[str]) -> pd.Series:
    kind = cells.type
    if pa.types.is_null(kind) or pa.types.is_large_string(kind) or pa.types.is_string(kind):
        return pd.Series(pd.array(cells.cast(pa.large_string()).to_numpy(), dtype="string"))
    if pa.types.is_boolean(kind):
        return pd.Series(pd.array(cells.to_pylist(), dtype="boolean"))
    if pa.types.is_integer(kind):
        return _integers(title, cells, warnings)
    if pa.types.is_decimal(kind):
        warnings.append(f"{shown(title)}: stored as {kind}, read as double precision")
    if pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        values = cells.cast(pa.float64(), safe=False).to_numpy()
        return numbers(np.array(values, dtype=np.float64))
    return _times(title, cells, warnings)


def _integers(title: str, cells: pa.ChunkedArray, warnings: list[str]) -> pd.Series:
    if (pc.max(cells).as_py() or 0) > _MOST:
        warnings.append(f"{shown(title)}: numbers beyond 2^63 are read as double precision")
        return pd.Series(np.array(cells.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64))
    missing = np.asarray(pc.is_null(cells).to_numpy(), dtype=bool)
    whole = np.asarray(pc.fill_null(cells.cast(pa.int64()), 0).to_numpy(), dtype=np.int64)
    return pd.Series(pd.arrays.IntegerArray(whole.copy(), missing))


def _times(title: str, cells: pa.ChunkedArray, warnings: list[str]) -> pd.Series:
    """Dates to the second, moments and durations to the microsecond, finer ones as fine as they are."""
    kind = cells.type
    if pa.types.is_date(kind):
        return pd.Series(cells.cast(pa.date32()).cast(pa.timestamp("s")).to_numpy())
    if pa.types.is_time(kind):
        return pd.Series(cells.to_pylist(), dtype=object)
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        warnings.append(f"{shown(title)}: moments are told by the clocks of {kind.tz}")
        cells = pc.local_timestamp(cells)
        kind = cells.type
    target = pa.timestamp("us") if pa.types.is_timestamp(kind) else pa.duration("us")
    try:
        return pd.Series(cells.cast(target).to_numpy())
    except pa.ArrowInvalid:
        # Finer than microseconds, or beyond the years they reach: as it is stored.
        return pd.Series(cells.to_numpy())
