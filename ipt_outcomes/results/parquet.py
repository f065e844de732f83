"""The table of results as a Parquet file: the rows of ``results.json`` with typed columns."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from ipt_outcomes.results.rows import ResultRow, Results

if TYPE_CHECKING:
    import pyarrow as pa


def _schema() -> pa.Schema:
    import pyarrow as pa

    # Group levels are JSON text: programs without maps (a spreadsheet, R's smaller readers) can read it, too.
    text = [pa.field(name, pa.string(), nullable=False) for name in ("id", "analysis", "groups", "statistic")]
    numbers = [pa.field("n", pa.int64()), pa.field("denominator", pa.int64())]
    words = [pa.field(name, pa.string(), nullable=False) for name in ("unit", "method")]
    hidden = pa.field("suppressed", pa.bool_(), nullable=False)
    return pa.schema([*text, pa.field("value", pa.float64()), *words, *numbers, hidden])


def to_parquet(results: Results) -> bytes:
    """Write results as a Parquet file; equal results give equal bytes with the same version of pyarrow.

    Parameters
    ----------
    results : Results

    Returns
    -------
    bytes
        One row per result in the order of the table, columns as the fields of `ResultRow`: texts, ``groups`` as
        JSON text, ``value`` a 64-bit float, ``n`` and ``denominator`` 64-bit integers. What is hidden or not
        defined is null. The file holds no date and no path.

    Examples
    --------
    >>> to_parquet(Results(()))[:4]
    b'PAR1'
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema()
    table = pa.Table.from_pylist([_cells(row) for row in results], schema=schema)
    target = io.BytesIO()
    # Sums in every page: a changed byte of a single file is found without the manifest, too.
    pq.write_table(table, target, compression="zstd", store_schema=False, write_page_checksum=True)
    return target.getvalue()


def _cells(row: ResultRow) -> dict[str, Any]:
    value = None if row.value is None else float(row.value)
    groups = json.dumps(dict(row.groups), ensure_ascii=False)
    return {**row.to_dict(), "groups": groups, "value": value}
