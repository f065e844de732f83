"""Reversed items: whether a file holds them as on the form, and turning them."""

from __future__ import annotations

import numpy as np

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.instruments.instrument import Instrument
from ipt_outcomes.instruments.items import FloatArray

# A check of the order in which reversed items are stored needs people enough for a correlation, and a clear one.
_PEOPLE_TO_CHECK = 20
_CLEARLY = 0.3


def turned_items(known: Instrument, read: FloatArray, raw_order: bool | None) -> tuple[FloatArray, bool | None]:
    """Turn reversed items that stand as on the form.

    Parameters
    ----------
    known : Instrument
    read : numpy.ndarray of float, shape (n, m)
        Items that count, as answered.
    raw_order : bool, optional
        Whether they stand as on the form; the instrument's rule by default.

    Returns
    -------
    counted : numpy.ndarray of float, shape (n, m)
    turned : bool or None
        None without reversed items.

    Raises
    ------
    OptionError
        The instrument's files hold them either way, and nobody said which.
    DataError
        The data clearly tell that they were turned before.
    """
    if not known.items_reversed:
        return read, None
    is_reversed = np.isin(known.numbers_scored(), known.items_reversed)
    turns = _turns(known, read, is_reversed, raw_order)
    if not turns:
        return read, False
    counted = read.copy()
    counted[:, is_reversed] = float(known.item_min or 0) + float(known.item_max or 0) - read[:, is_reversed]
    return counted, True


def _turns(known: Instrument, read: FloatArray, is_reversed: np.ndarray, raw_order: bool | None) -> bool:
    if raw_order is not None:
        return raw_order
    numbers = ", ".join(str(number) for number in known.items_reversed)
    which = "raw_order=False (they are scored, higher is worse) or raw_order=True (they are as on the form)"
    if known.raw_order is None:
        raise OptionError(
            f"{known.short}: items {numbers} run the other way, and files hold them as on the form or turned already",
            hint=f"Say which: {which}; in a mapping, [instruments.{known.name}] raw_order = false.",
        )
    full = read[~np.isnan(read).any(axis=1)]
    if known.raw_order and len(full) >= _PEOPLE_TO_CHECK:
        one, other = full[:, is_reversed].sum(axis=1), full[:, ~is_reversed].sum(axis=1)
        if one.std() > 0 and other.std() > 0 and np.corrcoef(one, other)[0, 1] > _CLEARLY:
            raise DataError(
                f"{known.short}: items {numbers} run the other way on the form, but here they rise with the "
                "other items, as if they had been turned already",
                hint=f"Say which: {which}.",
            )
    return known.raw_order
