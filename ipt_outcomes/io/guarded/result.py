"""What guarded reading hands on, whatever the format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ipt_outcomes.io.guarded.labels import no_missing
from ipt_outcomes.schemas import Decimal

_WHOLE = 2.0**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A file as read; the fields are those of `ipt_outcomes.io.Table`."""

    frame: pd.DataFrame
    rows: npt.NDArray[np.int64]
    name: str
    sha256: str
    encoding: str | None = None
    decimal: Decimal | None = None
    sheet: str | None = None
    value_labels: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)
    column_labels: Mapping[str, str] = field(default_factory=dict)
    missing: pd.DataFrame = field(default_factory=no_missing)
    formats: Mapping[str, str] = field(default_factory=dict)
    file_label: str = ""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def numbers(values: npt.NDArray[np.float64]) -> pd.Series:
    """Return numbers as ``Int64`` where all are whole, else as ``float64``; NaN is missing."""
    present = values[~np.isnan(values)]
    if len(present) and bool((np.abs(present) < _WHOLE).all()) and bool((present == np.floor(present)).all()):
        missing = np.isnan(values)
        return pd.Series(pd.arrays.IntegerArray(np.where(missing, 0, values).astype(np.int64), missing))
    return pd.Series(values)
