"""Subscales: sums or means of some of an instrument's items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ipt_outcomes.errors import OptionError
from ipt_outcomes.instruments.instrument import Instrument
from ipt_outcomes.instruments.items import FloatArray, answers, as_frame, item_columns
from ipt_outcomes.instruments.order import turned_items
from ipt_outcomes.instruments.registry import instrument, instruments

_PRESENT = 2


def subscale_scores(
    name: str | Instrument, items: Any, *, raw_order: bool | None = None, rows: Sequence[int] | None = None
) -> pd.DataFrame:
    """Compute the subscales of an instrument, also of one that has no total.

    Parameters
    ----------
    name : str or Instrument
    items : pandas.DataFrame or array_like, shape (n, m)
        As `score` takes them.
    raw_order, rows
        As in `score`.

    Returns
    -------
    pandas.DataFrame, shape (n, subscales)
        In points (a sum) or points per item (a mean); NaN where more items are unanswered than the rule allows.

    Raises
    ------
    OptionError
        The instrument has no subscale of which the items are known.
    DataError
        As `score`.

    Examples
    --------
    >>> subscale_scores("pcl5", [[1] * 20]).iloc[0].to_dict()
    {'B': 5.0, 'C': 2.0, 'D': 7.0, 'E': 6.0}
    """
    known = name if isinstance(name, Instrument) else instrument(name)
    if not known.subscales:
        able = ", ".join(one for one in instruments() if instrument(one).subscales)
        raise OptionError(
            f"{known.short} has no subscale of which the items were confirmed", hint=f"There are subscales of: {able}."
        )
    frame = as_frame(items)
    read = answers(known, frame, item_columns(known, frame), rows)
    counted, _ = turned_items(known, read, raw_order)
    return subscale_frame(known, counted).set_axis(frame.index)


def subscale_frame(known: Instrument, counted: FloatArray) -> pd.DataFrame:
    """Return the subscales of items as counted.

    Parameters
    ----------
    known : Instrument
    counted : numpy.ndarray of float, shape (n, m)
        Items that count, reversed ones turned.

    Returns
    -------
    pandas.DataFrame, shape (n, subscales)
    """
    place = {number: position for position, number in enumerate(known.numbers_scored())}
    columns = {}
    for part in known.subscales:
        mine = counted[:, [place[item] for item in part.items]]
        answered = (~np.isnan(mine)).sum(axis=1)
        usable = (len(part.items) - answered <= part.max_missing) & (answered > 0)
        mean = np.nansum(mine, axis=1) / np.maximum(answered, 1)
        columns[part.name] = np.where(usable, mean * (len(part.items) if part.method == "sum" else 1), np.nan)
    return pd.DataFrame(columns, index=range(len(counted)))


def clusters_present(known: Instrument, counted: FloatArray) -> pd.Series | None:
    """Return whether every cluster has its least number of symptoms, missing where that cannot be told.

    Parameters
    ----------
    known : Instrument
    counted : numpy.ndarray of float, shape (n, m)

    Returns
    -------
    pandas.Series of boolean or None
        None where the instrument has no such rule.
    """
    parts = [part for part in known.subscales if part.least is not None]
    if not parts:
        return None
    met = np.ones(len(counted), dtype=bool)
    for part in parts:
        met &= (counted[:, [item - 1 for item in part.items]] >= _PRESENT).sum(axis=1) >= int(part.least or 0)
    return pd.Series(met, dtype="boolean").mask(~met & np.isnan(counted).any(axis=1))
