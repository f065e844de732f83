"""Scores of one instrument, one per record, and which of them nobody can have."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ipt_outcomes.instruments import Instrument, instrument
from ipt_outcomes.io.cohort.cells import BoolArray, FloatArray, Texts


@dataclass(slots=True)
class Totals:
    """Scores of one column, or made of one instrument's items, one per record.

    Parameters
    ----------
    instrument : str
    values : numpy.ndarray of float, shape (n,)
    status : Texts
        Missing where there is no score for no known reason.
    reasons : Texts
    items : numpy.ndarray of float, shape (n, m), or None
    own : numpy.ndarray of bool, shape (n,), or None
        Records of the table the column is in; None where there is one table.
    """

    instrument: str
    values: FloatArray
    status: Texts
    reasons: Texts
    items: FloatArray | None = None
    own: BoolArray | None = None


def observed(values: FloatArray, told: Texts | None = None) -> Texts:
    """Return the status of scores: what was told of them, else observed where there is one."""
    if told is None:
        return Texts(np.where(np.isnan(values), -1, 0), ("observed",))
    return with_status(told, told.missing & ~np.isnan(values), "observed")


def with_status(status: Texts, where: BoolArray, name: str) -> Texts:
    """Return a status with some records changed to a name."""
    names = status.values if name in status.values else (*status.values, name)
    return Texts(np.where(where, names.index(name), status.codes), names)


def out_of_range(known: Instrument, values: FloatArray) -> BoolArray:
    """Return which totals of an instrument nobody can have."""
    low = -np.inf if known.minimum is None else known.minimum
    high = np.inf if known.maximum is None else known.maximum
    return (values < low) | (values > high)


def range_words(name: str | Instrument) -> str:
    """Return an instrument's range as messages write it: ``"0-27"``."""
    known = name if isinstance(name, Instrument) else instrument(name)
    if known.maximum is None:
        return "any number" if known.minimum is None else f"{known.minimum:g} or more"
    return f"{0 if known.minimum is None else known.minimum:g}-{known.maximum:g}"
