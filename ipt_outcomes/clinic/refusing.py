"""Rows of a frame that cannot be used, refused by their number."""

from __future__ import annotations

import numpy as np

from ipt_outcomes.errors import DesignError


def refuse_rows(bad: np.ndarray, what: str, column: str) -> None:
    """Refuse the rows marked.

    Parameters
    ----------
    bad : numpy.ndarray of bool, shape (n,)
    what : str
        What is wrong with them, after "3 of 10 rows".
    column : str
        Where.

    Raises
    ------
    DesignError
        Some row is marked.
    """
    if bad.any():
        rows = np.flatnonzero(bad)
        raise DesignError(f"{rows.size} of {bad.size} rows {what} (column {column})", rows=rows, column=column)
