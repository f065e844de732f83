"""What a Parquet file keeps of each column (empty cells, least and greatest value) against the cells there are.

Pages need no checksum, and few programs write any; nearly all write these.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def wrong_summaries(table: pa.Table, meta: Any) -> list[str]:
    """Return the columns whose cells are not those that the file's footer sums up.

    Parameters
    ----------
    table : pyarrow.Table
        All rows, in the order of the row groups.
    meta : pyarrow.parquet.FileMetaData

    Returns
    -------
    list of str
    """
    wrong: dict[str, None] = {}
    begins = 0
    for place in range(meta.num_row_groups):
        group = meta.row_group(place)
        rows = table.slice(begins, group.num_rows)
        begins += group.num_rows
        for number in range(min(group.num_columns, table.num_columns)):
            told = group.column(number).statistics
            if told is not None and not _agrees(rows.column(number), told):
                wrong[table.column_names[number]] = None
    return list(wrong)


def _agrees(cells: pa.ChunkedArray, told: Any) -> bool:
    if told.has_null_count and told.null_count != cells.null_count:
        return False
    kind = cells.type.value_type if pa.types.is_dictionary(cells.type) else cells.type
    if not told.has_min_max or not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        # Of texts a program may keep the beginning only, and in an order of its own.
        return True
    found = pc.min_max(cells.cast(kind))
    least, greatest = found["min"].as_py(), found["max"].as_py()
    if least is None or least != least:
        return True
    # Bounds: the format allows them to be wider than what is there.
    return bool(told.min <= least and greatest <= told.max)
