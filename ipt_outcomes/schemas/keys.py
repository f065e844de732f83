"""Keys of tables: none empty, none twice, none that points nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.schemas.model import ForeignKey, Schema, load_schema

# Keys may name people: a message about a key gives rows and never the key.
HIDDEN = "not shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFault:
    """Rows of a table whose key is at fault.

    Parameters
    ----------
    column, rule, expected : str
        As in the failure table.
    bad : numpy.ndarray of bool, shape (n,)
    found : pandas.Series of str, shape (n,)
        What to say of each row; never the key.
    """

    column: str
    rule: str
    expected: str
    bad: np.ndarray
    found: pd.Series


def key_faults(typed: Mapping[str, pd.Series], schema: Schema, rows: np.ndarray) -> Iterator[KeyFault]:
    """Find empty and repeated primary keys.

    Parameters
    ----------
    typed : mapping of str to pandas.Series, shape (n,)
        Columns of a table.
    schema : Schema
    rows : numpy.ndarray of int, shape (n,)
        Row numbers in the file.

    Yields
    ------
    KeyFault
        A column of the key that is absent is no fault here: it is one of ``required``.
    """
    key = schema.primary_key
    if not key or any(name not in typed for name in key):
        return
    frame = pd.DataFrame({name: typed[name] for name in key})
    empty = frame.isna()
    for name in key:
        # A required column was found empty before.
        if not schema[name].required:
            bad = empty[name].to_numpy(dtype=bool)
            yield KeyFault(column=name, rule="primaryKey", expected="a value", bad=bad, found=_same("", len(frame)))
    whole = ~empty.any(axis=1)
    repeated = whole & frame.duplicated(keep="first")
    if repeated.any():
        first = (
            pd.Series(rows, index=frame.index).where(whole).groupby([frame[name] for name in key]).transform("first")
        )
        found = "the same as in row " + first.fillna(0).astype(int).astype(str)
        yield KeyFault(
            column=key[-1],
            rule="primaryKey",
            expected=f"{' and '.join(key)} once" if len(key) == 1 else f"{' and '.join(key)} together once",
            bad=repeated.to_numpy(dtype=bool),
            found=found.astype(object),
        )


def check_references(
    tables: Mapping[str, pd.DataFrame], *, rows: Mapping[str, np.ndarray] | None = None
) -> pd.DataFrame:
    """Find keys of tables of the dictionary that point to no row of another.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        Typed tables by name; a reference to a table that is not there is not checked.
    rows : mapping of str to numpy.ndarray of int, optional
        Row numbers in the files, by table. Default: 2, 3, ...

    Returns
    -------
    pandas.DataFrame
        ``table row column rule expected found``, one row per fault. Empty references are no fault here.
    """
    faults = []
    for name, frame in tables.items():
        places = np.asarray((rows or {}).get(name, np.arange(len(frame)) + 2), dtype=int)
        for reference in load_schema(name).foreign_keys:
            bad = _points_nowhere(frame, reference, tables)
            faults += [
                (name, int(place), reference.fields[-1], "foreignKey", f"a row of {reference.resource}", HIDDEN)
                for place in places[bad]
            ]
    return pd.DataFrame(faults, columns=["table", "row", "column", "rule", "expected", "found"])


def _points_nowhere(frame: pd.DataFrame, reference: ForeignKey, tables: Mapping[str, pd.DataFrame]) -> np.ndarray:
    target = tables.get(reference.resource)
    missing = target is None or not {*reference.reference_fields} <= {*target.columns}
    if target is None or missing or not {*reference.fields} <= {*frame.columns}:
        return np.zeros(len(frame), dtype=bool)
    given = frame[list(reference.fields)].astype(object)
    known = pd.MultiIndex.from_frame(target[list(reference.reference_fields)].astype(object).drop_duplicates())
    wanted = pd.MultiIndex.from_frame(given)
    return np.asarray(~wanted.isin(known) & given.notna().all(axis=1).to_numpy(), dtype=bool)


def _same(text: str, size: int) -> pd.Series:
    return pd.Series([text] * size, dtype=object)
