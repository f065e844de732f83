"""Frames as Parquet bytes with a Table Schema beside them, and exactly the same frames back."""

from __future__ import annotations

import hashlib
import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ipt_outcomes.errors import DataError
from ipt_outcomes.resources import shipped
from ipt_outcomes.schemas import schema_names

DTYPE = "ipt:dtype"
LEVELS = "ipt:levels"
ORDERED = "ipt:ordered"
ROWS = "ipt:rows"
_PLAIN = ("str", "string", "object", "bool", "boolean", "int64", "Int64", "float64", "Float64", "int32", "float32")


def to_parquet(frame: pd.DataFrame) -> bytes:
    """Write a frame as Parquet; equal frames give equal bytes.

    Parameters
    ----------
    frame : pandas.DataFrame

    Returns
    -------
    bytes
    """
    columns = {}
    for name in frame:
        cells = frame[name]
        if isinstance(cells.dtype, pd.CategoricalDtype):
            cells = cells.astype(object)
        columns[str(name)] = pa.array(cells, from_pandas=True)
        if pa.types.is_null(columns[str(name)].type):
            columns[str(name)] = columns[str(name)].cast(pa.string())
    target = io.BytesIO()
    # No remarks of pandas inside: what the columns are stands in datapackage.json, for every reader.
    plain = pa.table(columns).replace_schema_metadata(None)
    # Sums in every page: a changed byte of a single file is found without datapackage.json, too.
    pq.write_table(plain, target, compression="zstd", store_schema=False, write_page_checksum=True)
    return target.getvalue()


def from_parquet(table: pa.Table, schema: dict[str, Any], name: str) -> pd.DataFrame:
    """Make a frame again as it was.

    Parameters
    ----------
    table : pyarrow.Table
        As `ipt_outcomes.io.guarded.read_columns` read it.
    schema : dict
        As `table_schema` made it.
    name : str
        Name of the table, for messages.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataError
        The table is not what its schema says.
    """
    wanted = [entry["name"] for entry in schema["fields"]]
    if table.column_names != wanted:
        raise DataError(f"{name}: columns differ from those that datapackage.json lists")
    try:
        columns = {entry["name"]: _restored(table.column(entry["name"]), entry) for entry in schema["fields"]}
    except (pa.ArrowException, ValueError, TypeError, KeyError):
        raise DataError(f"{name}: values do not fit the types that datapackage.json lists") from None
    return pd.DataFrame(columns, index=pd.RangeIndex(schema.get(ROWS, table.num_rows)))


def _restored(column: pa.ChunkedArray, entry: dict[str, Any]) -> pd.Series:
    dtype = entry[DTYPE]
    if dtype == "category":
        levels = pd.Index(entry[LEVELS], dtype=entry["ipt:level_dtype"])
        cells = pd.Series(column.to_pylist(), dtype=object)
        outside = set(cells.dropna()) - set(levels)
        if outside:
            raise ValueError("a level that is not listed")
        return pd.Series(pd.Categorical(cells, categories=levels, ordered=entry[ORDERED]))
    if dtype not in _PLAIN:
        raise ValueError(f"dtype {dtype}")
    if dtype in {"float64", "float32"}:
        restored: pd.Series = pd.Series(column.to_numpy(), dtype=dtype)
        return restored
    return pd.Series(column.to_pylist(), dtype=object).astype(dtype)


def table_schema(table: str, frame: pd.DataFrame) -> dict[str, Any]:
    """Describe a frame as a Frictionless Table Schema, from the data dictionary where it has the columns.

    Parameters
    ----------
    table : str
        ``"patients"`` ...; a table the dictionary does not have is described by its columns alone.
    frame : pandas.DataFrame

    Returns
    -------
    dict

    Raises
    ------
    DataError
        A column holds something that is neither text, number nor truth value.
    """
    known = _dictionary(table)
    listed = {entry["name"]: entry for entry in known.get("fields", ())}
    fields = [_field(str(name), frame[name], listed.get(str(name), {})) for name in frame]
    names = {entry["name"] for entry in fields}
    schema: dict[str, Any] = {"$schema": "https://datapackage.org/profiles/2.0/tableschema.json", "fields": fields}
    # A table without columns has rows, too, and a Parquet file forgets them.
    schema[ROWS] = len(frame)
    schema |= {key: known[key] for key in ("title", "description") if key in known}
    if set(known.get("primaryKey", ("",))) <= names:
        schema["primaryKey"] = known["primaryKey"]
    keys = [key for key in known.get("foreignKeys", ()) if set(key["fields"]) <= names]
    return schema | ({"foreignKeys": keys} if keys else {})


def _field(name: str, cells: pd.Series, known: dict[str, Any]) -> dict[str, Any]:
    dtype = "category" if isinstance(cells.dtype, pd.CategoricalDtype) else str(cells.dtype)
    if dtype != "category" and dtype not in _PLAIN:
        raise DataError(f"column {name} is of type {dtype}, which is not saved", column=name)
    if dtype == "object" and not cells.dropna().map(lambda cell: isinstance(cell, str)).all():
        raise DataError(f"column {name} mixes texts with other values, which is not saved", column=name)
    entry: dict[str, Any] = {"name": name, "type": _type(dtype)}
    entry |= {key: known[key] for key in ("title", "description") if key in known}
    entry[DTYPE] = dtype
    if dtype == "category":
        levels = cells.cat.categories
        entry |= {LEVELS: levels.tolist(), "ipt:level_dtype": str(levels.dtype), ORDERED: bool(cells.cat.ordered)}
        entry["type"] = "string" if all(isinstance(level, str) for level in levels) else "number"
    return entry


def _type(dtype: str) -> str:
    """Type of the Table Schema; a float column is a number even where the dictionary has whole numbers."""
    if dtype.casefold().startswith("int"):
        return "integer"
    if dtype.casefold().startswith("float"):
        return "number"
    return "boolean" if dtype.startswith("bool") else "string"


@cache
def _dictionary(table: str) -> dict[str, Any]:
    if table not in schema_names():
        return {}
    loaded: dict[str, Any] = json.loads(shipped("data_schemas", f"{table}.json").read_text(encoding="utf-8"))
    return loaded


def digest(data: bytes) -> str:
    """Return the SHA-256 of bytes as the Data Package standard writes it: ``"sha256:..."``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file, written as by `digest`."""
    with file.open("rb") as opened:
        return f"sha256:{hashlib.file_digest(opened, 'sha256').hexdigest()}"
