"""Scores against the ranges of their instruments: names of instruments beside them, one per row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.instruments import instrument, instrument_name
from ipt_outcomes.schemas.model import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeFault:
    """Cells of one column that are no name of an instrument, or no score of theirs.

    Parameters
    ----------
    column, rule, expected : str
        As in the failure table.
    bad : numpy.ndarray of bool, shape (n,)
    """

    column: str
    rule: str
    expected: str
    bad: np.ndarray


def range_faults(typed: Mapping[str, pd.Series], schema: Schema) -> Iterator[RangeFault]:
    """Find names that are no instrument, and scores that no form can have.

    Parameters
    ----------
    typed : mapping of str to pandas.Series, shape (n,)
        Columns of a table.
    schema : Schema

    Yields
    ------
    RangeFault
        Totals (item 0, or no item) against the range of the instrument, items against the range of an item.
    """
    for entry in schema.fields:
        if entry.is_instrument and entry.name in typed:
            codes, names = pd.factorize(typed[entry.name])
            known = np.array([*(instrument_name(str(name)) is not None for name in names), True])
            yield RangeFault(column=entry.name, rule="instrument", expected="a name of the registry", bad=~known[codes])
        if entry.range_of is not None and {entry.name, entry.range_of} <= typed.keys():
            yield from _outside(entry.name, typed[entry.range_of], typed)


def _outside(column: str, instruments: pd.Series, typed: Mapping[str, pd.Series]) -> Iterator[RangeFault]:
    values = typed[column].to_numpy(dtype=float)
    item = typed["item"].to_numpy(dtype=float) if "item" in typed else np.zeros(len(values))
    codes, names = pd.factorize(instruments)
    for place, written in enumerate(names):
        name = instrument_name(str(written))
        if name is None:
            continue
        known = instrument(name)
        for is_item, low, high in (
            (False, known.minimum, known.maximum),
            (True, known.item_min, known.item_max),
        ):
            mine = (codes == place) & ((item > 0) == is_item)
            bad = mine & ((values < (-np.inf if low is None else low)) | (values > (np.inf if high is None else high)))
            if bad.any():
                kind = "item of " if is_item else ""
                yield RangeFault(
                    column=column, rule="range", expected=f"{kind}{known.short}: {_words(low, high)}", bad=bad
                )


def _words(low: float | None, high: float | None) -> str:
    if high is None:
        return f"{low:g} or more"
    return f"at most {high:g}" if low is None else f"{low:g} to {high:g}"
