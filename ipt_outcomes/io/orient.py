"""Turn comparisons round, so that one treatment is always arm 1."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ipt_outcomes.vocabulary import Arm, label, study_arm_of

_ARMS_NAMED = 8

SIGNED = (".g", "precalc_g", ".log_rr", "precalc_log_rr")
"""Columns whose sign says which arm is favoured; ratios are on the log scale, so a sign turns them too."""


def turn(frame: pd.DataFrame, which: np.ndarray) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Swap the arms of some rows.

    Parameters
    ----------
    frame : pandas.DataFrame
        Comparisons, typed.
    which : numpy.ndarray of bool, shape (n,)
        Rows to turn.

    Returns
    -------
    turned : pandas.DataFrame
        A new frame: each ``*_arm1`` and ``*_arm2`` pair swapped, the signs of ``.g``, ``precalc_g``,
        ``.log_rr`` and ``precalc_log_rr`` flipped. The other columns of the frame are unchanged.
    lost : tuple of str
        Columns known for one arm only, which become missing in these rows.
    """
    result = frame.copy()
    if not which.any():
        return result, ()
    lost = []
    for column in frame.columns:
        name = str(column)
        if not name.endswith(("_arm1", "_arm2")):
            continue
        partner = name[:-1] + ("2" if name.endswith("1") else "1")
        if partner in frame:
            result[column] = frame[column].where(~which, frame[partner])
        else:
            result[column] = frame[column].where(~which, np.nan)
            if frame.loc[which, column].notna().any():
                lost.append(name)
    for column in SIGNED:
        if column in frame:
            # 0 - x keeps a zero effect at plain zero, where -x would make it a negative zero.
            result[column] = frame[column].where(~which, 0.0 - frame[column])
    return result, tuple(lost)


def rows_to_turn(frame: pd.DataFrame, towards: Arm) -> tuple[np.ndarray, tuple[str, ...]]:
    """Find the rows in which a treatment is arm 2 and not arm 1.

    Parameters
    ----------
    frame : pandas.DataFrame
        Comparisons with ``condition_arm1`` and ``condition_arm2``.
    towards : Arm
        The treatment that is to be arm 1.

    Returns
    -------
    which : numpy.ndarray of bool, shape (n,)
    notes : tuple of str
        How many rows were left as they are, and why.
    """
    first = (frame["condition_arm1"].map(study_arm_of) == towards).to_numpy(dtype=bool)
    second = (frame["condition_arm2"].map(study_arm_of) == towards).to_numpy(dtype=bool)
    notes = []
    words = label(towards)
    if (first & second).any():
        notes.append(f"{counted(int((first & second).sum()))} with {words} in both arms: left as it was")
    if not (first | second).any():
        notes.append(f"no row has {words} in any arm: nothing was turned (arms are: {_arms_there(frame)})")
    elif (~first & ~second).any():
        notes.append(f"{counted(int((~first & ~second).sum()))} with {words} in neither arm: left as it was")
    return second & ~first, tuple(notes)


def _arms_there(frame: pd.DataFrame) -> str:
    both = pd.concat([frame["condition_arm1"], frame["condition_arm2"]]).dropna().astype(str).str.strip()
    names = list(both.value_counts().index)
    more = f" and {len(names) - _ARMS_NAMED} more" if len(names) > _ARMS_NAMED else ""
    return f"{', '.join(names[:_ARMS_NAMED])}{more}" if names else "not given"


def counted(rows: int) -> str:
    """Write a number of rows: "1 row", "2 rows"."""
    return f"{rows} row" if rows == 1 else f"{rows} rows"
