"""One request, one answer: check the file, have it read by its reader, pack the cells."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any

import pyarrow as pa

from .refused import RefusedError
from .whole import check_whole


def read(request: dict[str, Any]) -> tuple[dict[str, Any], memoryview]:
    """Read a file.

    Parameters
    ----------
    request : dict
        ``path``, ``format`` ("spreadsheet", "columnar", "catalog", or a key of ``reading``), ``cells`` (the most
        cells read) and what else the reader of the format takes.

    Returns
    -------
    told : dict
        Plain facts, with the ``sha256`` of what was read; of a catalog ``sets``.
    content : memoryview
        An Arrow stream of the cells; empty for a catalog.

    Raises
    ------
    RefusedError
    """
    warnings.simplefilter("ignore")
    path, kind = request["path"], request["format"]
    if kind == "spreadsheet":
        from .spreadsheet import read_spreadsheet

        told, arrays = _sound(read_spreadsheet, request)
    elif kind == "columnar":
        from .columnar import read_columnar

        told, arrays = read_columnar(request)
    else:
        from .reading import read_catalog, read_statistical

        whole = _sound(check_whole, Path(path), kind, request["cells"])
        if kind == "catalog":
            return {"sets": read_catalog(path, request["encoding"])}, memoryview(b"")
        told, arrays = read_statistical(request, whole)
    return told | {"sha256": _digest(path)}, _stream(arrays)


def _sound(step: Any, *arguments: Any) -> Any:
    """Take a step in which only Python looks at the file: a refusal leaves the process as it was."""
    try:
        return step(*arguments)
    except RefusedError as refused:
        refused.sound = True
        raise


def _stream(arrays: dict[str, pa.Array]) -> memoryview:
    table = pa.table(arrays)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return memoryview(sink.getvalue())


def _digest(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
