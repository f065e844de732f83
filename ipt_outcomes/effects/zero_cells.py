"""2x2 tables: reading them, and what is done when a cell is 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from ipt_outcomes.effects.inputs import BoolArray, FloatArray, read_rows
from ipt_outcomes.errors import require_choice

ZeroCells = Literal["add-half", "add-half-all", "add-half-if-any", "treatment-arm", "none"]
DoubleZero = Literal["keep", "drop"]

ZERO_CELLS = ("add-half", "add-half-all", "add-half-if-any", "treatment-arm", "none")
DOUBLE_ZERO = ("keep", "drop")

_HALF = "0.5 added to all four cells"
_TREATMENT_ARM = "n1/N added to both cells of arm 1, n2/N to both cells of arm 2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Cells of k two-by-two tables after the zero-cell rule.

    Parameters
    ----------
    a, b, c, d : numpy.ndarray, shape (k,)
        Events and non-events of arm 1, events and non-events of arm 2; NaN in rows without effect.
    n1, n2 : numpy.ndarray, shape (k,)
        Participants as given, before any correction.
    flags : list of str
        What was done to each row.
    corrected, no_events, all_events : numpy.ndarray of bool, shape (k,)
        Rows with something added; rows without an event, and with nothing but events, in both arms.
    """

    a: FloatArray
    b: FloatArray
    c: FloatArray
    d: FloatArray
    n1: FloatArray
    n2: FloatArray
    flags: list[str]
    corrected: BoolArray
    no_events: BoolArray
    all_events: BoolArray

    def note(self, rows: BoolArray, text: str) -> None:
        """Add a text to the flag of the rows given."""
        for row in np.flatnonzero(rows):
            self.flags[row] = f"{self.flags[row]}; {text}" if self.flags[row] else text


def read_tables(
    event_arm1: npt.ArrayLike,
    totaln_arm1: npt.ArrayLike,
    event_arm2: npt.ArrayLike,
    totaln_arm2: npt.ArrayLike,
    *,
    zero_cells: str,
    double_zero: str,
    lengths: Mapping[str, int] | None = None,
) -> Tables:
    """Read events and totals, check them, and apply the zero-cell rule.

    Parameters
    ----------
    event_arm1, totaln_arm1, event_arm2, totaln_arm2 : array_like, shape (k,)
        Participants with the event and all participants of each arm.
    zero_cells, double_zero : str
        As in `ipt_outcomes.effects.odds_ratio`.
    lengths : mapping of str to int, optional
        Other arguments of the call that have rows, and how many.

    Returns
    -------
    Tables

    Raises
    ------
    DesignError
        A total below 1, a negative count, more events than participants; ``.rows`` lists all rows.
    OptionError
        `zero_cells` or `double_zero` is not one of the choices.
    """
    require_choice("zero_cells", zero_cells, ZERO_CELLS)
    require_choice("double_zero", double_zero, DOUBLE_ZERO)
    rows = read_rows(
        {
            "event_arm1": event_arm1,
            "totaln_arm1": totaln_arm1,
            "event_arm2": event_arm2,
            "totaln_arm2": totaln_arm2,
        },
        lengths=lengths,
    )
    for arm in ("arm1", "arm2"):
        event, total = rows[f"event_{arm}"], rows[f"totaln_{arm}"]
        rows.require_at_least(f"totaln_{arm}", 1)
        rows.require_at_least(f"event_{arm}", 0)
        rows.require(f"event_{arm}", f"must not be above totaln_{arm}", (event <= total) | np.isnan(total))
    rows.check()
    flags = rows.missing_flags()
    # a row that lacks one number has no table: none of its other cells may count as a zero cell
    gap = np.array([text != "" for text in flags], dtype=bool)
    n1, n2 = rows["totaln_arm1"], rows["totaln_arm2"]
    a, c = np.where(gap, np.nan, rows["event_arm1"]), np.where(gap, np.nan, rows["event_arm2"])
    return _apply(a, c, n1, n2, flags, zero_cells, drop=double_zero == "drop")


def _apply(
    a: FloatArray,
    c: FloatArray,
    n1: FloatArray,
    n2: FloatArray,
    flags: list[str],
    zero_cells: str,
    *,
    drop: bool,
) -> Tables:
    b, d = n1 - a, n2 - c
    no_events, all_events = (a == 0) & (c == 0), (b == 0) & (d == 0)
    usable = ~np.isnan(a)
    if drop:
        usable &= ~(no_events | all_events)
    zero = usable & ((a == 0) | (b == 0) | (c == 0) | (d == 0))
    corrected = _rows_to_correct(zero_cells, zero, usable)
    add1 = np.where(corrected, 0.5, 0.0)
    add2 = add1
    if zero_cells == "treatment-arm":
        # each arm gets the reciprocal of the other arm's size, scaled so that the two add up to 1
        add1, add2 = np.where(corrected, n1 / (n1 + n2), 0.0), np.where(corrected, n2 / (n1 + n2), 0.0)
    cells = [np.where(usable, cell, np.nan) for cell in (a + add1, b + add1, c + add2, d + add2)]
    tables = Tables(
        a=cells[0],
        b=cells[1],
        c=cells[2],
        d=cells[3],
        n1=n1,
        n2=n2,
        flags=flags,
        corrected=corrected,
        no_events=no_events,
        all_events=all_events,
    )
    what = _TREATMENT_ARM if zero_cells == "treatment-arm" else _HALF
    why = "asked for in every row" if zero_cells == "add-half-all" else "another row has a cell of 0"
    tables.note(corrected & zero, f"{what}: a cell is 0")
    tables.note(corrected & ~zero, f"{what}: {why}")
    if drop:
        tables.note(no_events, "no events in either arm: left out")
        tables.note(all_events, "nothing but events in both arms: left out")
    return tables


def _rows_to_correct(zero_cells: str, zero: BoolArray, usable: BoolArray) -> BoolArray:
    if zero_cells == "none":
        return np.zeros_like(zero)
    if zero_cells == "add-half-all" or (zero_cells == "add-half-if-any" and bool(zero.any())):
        return usable
    return zero
