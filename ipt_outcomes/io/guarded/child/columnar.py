"""Read a Parquet file: its footer first, then the columns, all of which must be of a plain type."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .refused import RefusedError
from .summaries import wrong_summaries

_MAGIC = b"PAR1"
_COLUMNS_LIMIT = 32_767
_NAMED = 20


def read_columnar(request: dict[str, Any]) -> tuple[dict[str, Any], dict[str, pa.Array]]:
    """Read a Parquet file.

    Parameters
    ----------
    request : dict
        ``path``, ``cells`` (the most taken), ``bytes`` (the most the columns may unfold to).

    Returns
    -------
    told : dict
        ``rows``, ``columns`` (name), ``index`` (name of a column that only counted rows, or None).
    arrays : dict of str to pyarrow.Array
        ``c0``, ``c1`` ...

    Raises
    ------
    RefusedError
        ``cut``, ``size``, ``unfolds``, ``types``, ``double``, ``columns``, ``rows``, ``summaries``.
    """
    path = request["path"]
    _check_ends(path)
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        meta, schema = file.metadata, file.schema_arrow
        _check_promises(meta, schema, request)
        table = file.read(use_threads=False)
        wrong = wrong_summaries(table, meta)
    if table.num_rows != meta.num_rows:
        raise RefusedError("rows", header=meta.num_rows, found=table.num_rows)
    table.validate(full=True)
    if wrong:
        raise RefusedError("summaries", columns=wrong[:_NAMED])
    arrays = {f"c{place}": _plain(table.column(place)) for place in range(table.num_columns)}
    return {"rows": table.num_rows, "columns": [{"name": name} for name in table.column_names]}, arrays


def _check_ends(path: str) -> None:
    with open(path, "rb") as file:  # noqa: PTH123  the child is given a plain name
        file.seek(0, 2)
        size = file.tell()
        file.seek(max(0, size - 8))
        tail = file.read()
    if not tail.endswith(_MAGIC):
        raise RefusedError("cut")
    if size < 12 or int.from_bytes(tail[:4], "little") > size - 12:
        raise RefusedError("header")


def _check_promises(meta: Any, schema: pa.Schema, request: dict[str, Any]) -> None:
    names = schema.names
    rows, width, cells = meta.num_rows, len(names), request["cells"]
    if not width:
        raise RefusedError("columns")
    if rows < 0:
        raise RefusedError("header")
    if width > _COLUMNS_LIMIT or rows * width > cells:
        raise RefusedError("size", rows=rows, columns=width, cells=cells)
    if len(set(names)) != width:
        raise RefusedError("double")
    groups = [meta.row_group(place) for place in range(meta.num_row_groups)]
    if sum(group.num_rows for group in groups) != rows:
        raise RefusedError("cases", header=rows, found=sum(group.num_rows for group in groups))
    paths = [meta.schema.column(place).path for place in range(len(meta.schema))]
    if any([group.column(place).path_in_schema for place in range(group.num_columns)] != paths for group in groups):
        # Every group names its columns once more.
        raise RefusedError("header")
    # The groups say beforehand how large they are.
    unfolded = sum(group.total_byte_size for group in groups)
    if unfolded > request["bytes"]:
        raise RefusedError("unfolds", bytes=unfolded)
    other = [[name, str(kind)] for name, kind in zip(names, schema.types, strict=True) if not _is_plain(kind)]
    if other:
        raise RefusedError("types", columns=other[:_NAMED], count=len(other))


def _is_plain(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (
        pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_string, pa.types.is_large_string,
        pa.types.is_string_view, pa.types.is_temporal, pa.types.is_decimal, pa.types.is_null,
    )  # fmt: skip
    return any(test(kind) for test in tests) and not pa.types.is_interval(kind)


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece, categories as what they stand for, text as large text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_string_view(kind):
        column = column.cast(pa.large_string())
    if pa.types.is_float16(kind):
        column = column.cast(pa.float32())
    whole = column.combine_chunks()
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
