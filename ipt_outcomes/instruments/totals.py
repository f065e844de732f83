"""Totals that a file gives, held against those of the items beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DataError
from ipt_outcomes.instruments.instrument import Instrument
from ipt_outcomes.instruments.registry import instrument
from ipt_outcomes.instruments.scoring import Scores, score
from ipt_outcomes.results import ResultObject

_SAME = 1e-6
_ROUNDED = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsCheck(ResultObject):
    """Totals of a file beside those of its items.

    Parameters
    ----------
    instrument : str
    differences : pandas.DataFrame
        ``row given computed difference status kind``, one row per form that differs. ``kind`` says what it looks
        like: "differs"; "rounded" (a prorated total as a whole number); "prorated otherwise" (the file has a
        total where items are missing, another than the rule gives); "total of a form without one" (the rule
        gives none).
    compared, agree : int
        Forms with a total and at least one item; those of them that agree.
    """

    instrument: str
    differences: pd.DataFrame
    compared: int
    agree: int

    def to_frame(self) -> pd.DataFrame:
        """Return the forms that differ."""
        return self.differences

    def summary(self, digits: int = 2) -> str:
        """Return how many totals agree and, by kind, how many do not, with their rows."""
        short = instrument(self.instrument).short
        lines = [f"{short}: {self.agree} of {self.compared} totals are those of their items"]
        for kind, part in self.differences.groupby("kind", sort=True):
            rows = part["row"].tolist()
            more = f" and {len(rows) - 10} more" if len(rows) > 10 else ""
            lines.append(f"{kind}: {len(rows)} (rows {', '.join(str(row) for row in rows[:10])}{more})")
        return "\n".join(lines)


def check_totals(
    name: str | Instrument,
    items: Any,
    totals: Any,
    *,
    max_missing: int | None = None,
    raw_order: bool | None = None,
    rows: Sequence[int] | None = None,
) -> TotalsCheck:
    """Hold the totals of a file against its items.

    Parameters
    ----------
    name : str or Instrument
    items : pandas.DataFrame or array_like, shape (n, m)
        As `score` takes them.
    totals : array_like of float, shape (n,)
        As the file gives them; missing where it gives none.
    max_missing, raw_order, rows
        As in `score`.

    Returns
    -------
    TotalsCheck

    Raises
    ------
    DataError
        As `score`; or `totals` are not one per form.

    Examples
    --------
    >>> check_totals("phq2", [[1, 2], [3, 3]], [3, 5]).differences[["row", "given", "computed"]].values.tolist()
    [[1.0, 5.0, 6.0]]
    """
    return compare_totals(
        score(name, items, max_missing=max_missing, raw_order=raw_order, rows=rows), totals, rows=rows
    )


def compare_totals(made: Scores, totals: Any, *, rows: Sequence[int] | None = None) -> TotalsCheck:
    """Hold the totals of a file against scores that were made of its items.

    Parameters
    ----------
    made : Scores
    totals : array_like of float, shape (n,)
        As the file gives them; missing where it gives none.
    rows : sequence of int, shape (n,), optional
        Row numbers in the file. Default: positions from 0.

    Returns
    -------
    TotalsCheck

    Raises
    ------
    DataError
        `totals` are not one per form.
    """
    given = pd.to_numeric(pd.Series(totals).reset_index(drop=True), errors="coerce").to_numpy(dtype=float)
    if len(given) != len(made.total):
        raise DataError(f"{len(made.total)} forms were given, but {len(given)} totals")
    computed, status = made.total.to_numpy(dtype=float), made.status.to_numpy(dtype=object)
    compared = ~np.isnan(given) & (status != "not_done")
    off = given - computed
    differs = compared & ~(np.abs(off) <= _SAME)
    kind = np.select(
        [
            status == "incomplete",
            (status == "prorated") & (given % 1 == 0) & (np.abs(off) <= _ROUNDED),
            status == "prorated",
        ],
        ["total of a form without one", "rounded", "prorated otherwise"],
        default="differs",
    )
    place = np.arange(len(given)) if rows is None else np.asarray(rows, dtype=int)
    table = pd.DataFrame(
        {"row": place, "given": given, "computed": computed, "difference": off, "status": status, "kind": kind}
    )
    return TotalsCheck(
        instrument=made.instrument,
        differences=table[differs].reset_index(drop=True),
        compared=int(compared.sum()),
        agree=int((compared & ~differs).sum()),
    )
