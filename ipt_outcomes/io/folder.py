"""A folder of tables described by a `datapackage.json`: each is read as it is described, none from outside."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ipt_outcomes.errors import DataError, IptError
from ipt_outcomes.io.descriptor import NAME, Resource, read_descriptor, require_hash
from ipt_outcomes.io.guarded import format_of, reading_session
from ipt_outcomes.io.guarded.labels import missing_frame
from ipt_outcomes.io.table import Table, read_table
from ipt_outcomes.io.text import existing_path
from ipt_outcomes.schemas import Decimal, to_text


class TableFolder(Mapping[str, Table]):
    """The tables of a folder by the names of their resources.

    Parameters
    ----------
    name : str
        Name of the folder, without those above it.
    tables : mapping of str to Table
    schemas : mapping of str to mapping
        Resource to its Table Schema, as it stands in the descriptor; empty where there is none.
    """

    def __init__(self, name: str, tables: Mapping[str, Table], schemas: Mapping[str, Mapping[str, Any]]) -> None:
        self.name = name
        self.schemas = dict(schemas)
        self._tables = dict(tables)

    def __getitem__(self, name: str) -> Table:
        return self._tables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def __repr__(self) -> str:
        told = ", ".join(f"{name}: {len(table)} rows" for name, table in self._tables.items())
        return f"<TableFolder {told}>"


def is_table_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a folder with a `datapackage.json`."""
    try:
        return (Path(path) / NAME).is_file()
    except (OSError, ValueError):
        return False


def read_folder(
    path: str | os.PathLike[str], *, encoding: str | None = None, decimal: Decimal | None = None
) -> TableFolder:
    """Read all tables of a folder with a `datapackage.json` (Frictionless Data Package).

    Paths must stay inside the folder; a declared hash, size, encoding, delimiter and decimal mark is
    kept to; a cell that holds one of the schema's ``missingValues`` is missing, with that code in ``.missing``.

    Parameters
    ----------
    path : str or path-like
        A folder on this machine, or its descriptor.
    encoding, decimal : str, optional
        Of text files of which the descriptor says neither.

    Returns
    -------
    TableFolder
        Resource to `Table`.

    Raises
    ------
    IptError
        No folder, no descriptor, or one whose resources are not tables in files of this folder.
    DataError
        Tables that cannot be read, or are not those expected; all are named.
    """
    folder = existing_path(path)
    if folder.name == NAME and not folder.is_dir():
        folder = folder.parent
    if not folder.is_dir():
        raise IptError(f"{folder.name} is a file: a folder with a {NAME} was expected")
    resources = read_descriptor(folder)
    tables: dict[str, Table] = {}
    refused: list[IptError] = []
    with reading_session():
        for resource in resources:
            try:
                tables[resource.name] = _table(resource, encoding, decimal)
            except IptError as error:
                refused.append(error)
    if len(refused) == 1:
        raise refused[0]
    if refused:
        hints = dict.fromkeys(error.hint for error in refused if error.hint)
        raise DataError("; ".join(error.message for error in refused), hint=" ".join(hints))
    return TableFolder(folder.resolve().name, tables, {resource.name: resource.schema for resource in resources})


def _table(resource: Resource, encoding: str | None, decimal: Decimal | None) -> Table:
    require_hash(resource)
    known = format_of(resource.file)
    # Of a format that says itself how it is written, the descriptor's word is not needed.
    text = known is None
    table = read_table(
        resource.file,
        encoding=(resource.encoding or encoding) if text else None,
        delimiter=resource.delimiter if text else None,
        decimal=resource.decimal or decimal,
        sheet=resource.sheet if known is not None and known.key == "spreadsheet" else None,
        sha256=resource.sha256,
    )
    return _with_missing(table, resource.schema)


def _with_missing(table: Table, schema: Mapping[str, Any]) -> Table:
    """Take the cells out whose text the schema declares missing; the empty cell is missing anyway."""
    fields = {one["name"]: one for one in schema.get("fields", [])}
    frame = table.frame.copy(deep=False)
    found = [table.missing]
    for name in frame.columns:
        codes = _codes(fields.get(name, {}).get("missingValues", schema.get("missingValues")))
        if not codes or pd.api.types.is_datetime64_any_dtype(frame[name].dtype):
            continue
        texts = to_text(frame[name])
        gone = np.asarray(pc.is_in(texts, value_set=pa.array(list(codes), texts.type)).to_numpy(zero_copy_only=False))
        if gone.any():
            held = [text for text, out in zip(texts.to_pylist(), gone, strict=True) if out]
            rows = [int(row) for row in table.rows[gone]]
            found.append(missing_frame(rows, [name] * len(rows), held, [codes[text] or None for text in held]))
            frame[name] = frame[name].mask(gone)
    if len(found) == 1:
        return table
    missing = pd.concat([part for part in found if len(part)], ignore_index=True)
    return dataclasses.replace(table, frame=frame, missing=missing)


def _codes(declared: Any) -> dict[str, str]:
    """Return codes and what they mean; a list of texts, or of objects with `value` and `label`."""
    codes: dict[str, str] = {}
    for one in declared if isinstance(declared, list) else []:
        value, label = (one.get("value"), one.get("label")) if isinstance(one, dict) else (one, "")
        if isinstance(value, str) and value:
            codes[value] = label if isinstance(label, str) else ""
    return codes
