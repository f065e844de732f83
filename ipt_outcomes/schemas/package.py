"""Several tables of the dictionary at once: each against its schema, and their keys against one another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ipt_outcomes.schemas.keys import check_references
from ipt_outcomes.schemas.model import load_schema
from ipt_outcomes.schemas.numbers import Decimal
from ipt_outcomes.schemas.validate import FAILURE_COLUMNS, validate

_ROWS_NAMED = 10
SUMMARY_COLUMNS = ("column", "rule", "expected", "count", "rows")


def check_tables(
    tables: Mapping[str, pd.DataFrame],
    *,
    decimal: Decimal = ".",
    rows: Mapping[str, np.ndarray] | None = None,
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Check tables of the dictionary: types, codes, ranges, empty and repeated keys, keys that point nowhere.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        By the names of the dictionary, as text or typed.
    decimal : {".", ","}
        Decimal mark of text.
    rows : mapping of str to numpy.ndarray of int, optional
        Row numbers in the files, by table. Default: 2, 3, ...

    Returns
    -------
    typed : dict of str to pandas.DataFrame
        As `validate` gives them.
    failures : pandas.DataFrame
        ``table row column rule expected found``: every fault, tables in the order given.

    Raises
    ------
    OptionError
        A table the dictionary does not have.

    Examples
    --------
    >>> people = pd.DataFrame({"patient_id": ["a", "b"]})
    >>> episodes = pd.DataFrame({"episode_id": ["1", ""], "patient_id": ["a", "c"]})
    >>> check_tables({"patients": people, "episodes": episodes})[1][["table", "row", "rule"]].values.tolist()
    [['episodes', 3, 'required'], ['episodes', 3, 'foreignKey']]
    """
    typed: dict[str, pd.DataFrame] = {}
    parts = []
    for name, frame in tables.items():
        own = None if rows is None else rows.get(name)
        typed[name], failures = validate(frame, load_schema(name), decimal=decimal, rows=own)
        parts.append(failures.assign(table=name))
    parts.append(check_references(typed, rows=rows))
    known = [part for part in parts if len(part)]
    columns = ["table", *FAILURE_COLUMNS]
    if not known:
        return typed, pd.DataFrame({name: pd.Series(dtype=object) for name in columns}).astype({"row": int})
    place = {name: number for number, name in enumerate(tables)}
    failures = pd.concat(known, ignore_index=True)
    order = failures.assign(place=failures["table"].map(place)).sort_values(["place", "row"], kind="stable")
    return typed, order[columns].reset_index(drop=True)


def summarise(failures: pd.DataFrame) -> pd.DataFrame:
    """Count faults of one kind: one line per column and rule.

    Parameters
    ----------
    failures : pandas.DataFrame
        A failure table; columns ``table`` and ``file`` are kept apart.

    Returns
    -------
    pandas.DataFrame
        ``column rule expected count rows`` (before them ``table``, ``file`` where given), in the order of the first
        fault of each kind; ``rows`` names the first ten.

    Examples
    --------
    >>> table = pd.DataFrame({"row": [2, 5], "column": "sex", "rule": "enum", "expected": "female or male"})
    >>> summarise(table)[["column", "count", "rows"]].values.tolist()
    [['sex', 2, '2, 5']]
    """
    keys = [name for name in ("table", "file") if name in failures] + ["column", "rule", "expected"]
    groups = failures.groupby(keys, sort=False, dropna=False)["row"]
    told = groups.agg(count="size", rows=_rows).reset_index()
    return told.astype({"count": int})


def _rows(rows: pd.Series) -> str:
    different = list(dict.fromkeys(int(row) for row in rows))
    more = f" and {len(different) - _ROWS_NAMED} more" if len(different) > _ROWS_NAMED else ""
    return ", ".join(str(row) for row in different[:_ROWS_NAMED]) + more
