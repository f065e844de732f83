"""Which rows have every value a model needs, and what the others lack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ipt_outcomes.mixed.columns import Factor


@dataclass(frozen=True, slots=True)
class Missing:
    """Rows left out, counted.

    Parameters
    ----------
    by_column : dict of str to int
        How many rows each column is the first to lack, the outcome's first; they add up to the rows left out.
    by_level : dict of str to dict of str to int
        For each column of levels in the formula (the arm), how many of the rows left out have each level; rows that
        lack the level itself are not among them.
    """

    by_column: dict[str, int] = field(default_factory=dict)
    by_level: dict[str, dict[str, int]] = field(default_factory=dict)


def complete_rows(
    raw: Mapping[str, np.ndarray | Factor], frame: pd.DataFrame, needed: Sequence[str]
) -> tuple[np.ndarray | None, Missing]:
    """Find the rows that have everything.

    Parameters
    ----------
    raw : mapping of str to numpy.ndarray or Factor
        Columns of the formula, the outcome's first.
    frame : pandas.DataFrame
    needed : sequence of str
        Further columns without which a row is left out.

    Returns
    -------
    numpy.ndarray of int, shape (n,), or None
        Positions of the rows; None where these are all.
    Missing
    """
    complete = np.ones(len(frame), dtype=bool)
    by_column: dict[str, int] = {}
    for name in (*raw, *(name for name in needed if name not in raw)):
        own = _present(raw[name]) if name in raw else frame[name].notna().to_numpy()
        lost = int((complete & ~own).sum())
        if lost:
            by_column[name] = lost
            complete &= own
    if complete.all():
        return None, Missing()
    by_level = {}
    for name, values in raw.items():
        if isinstance(values, Factor):
            counts = np.bincount(values.codes[~complete] + 1, minlength=len(values.levels) + 1)[1:]
            by_level[name] = {
                str(level): int(count) for level, count in zip(values.levels, counts, strict=True) if count
            }  # fmt: skip
    return np.flatnonzero(complete), Missing(by_column, by_level)


def _present(values: np.ndarray | Factor) -> np.ndarray:
    return np.asarray(values.codes >= 0 if isinstance(values, Factor) else ~np.isnan(values))
