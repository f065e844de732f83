"""When so many people of a group lack a value that the value cannot have been set for all of them before."""

from __future__ import annotations

from typing import TypeVar

import pandas as pd

Counts = TypeVar("Counts", int, pd.Series)

MOST_LACKING = "a tenth"
"""The share of a group that may lack a value, in words."""


def too_many_lack(lacking: Counts, people: Counts) -> Counts:
    """Return whether more than a tenth of a group lacks a value.

    Parameters
    ----------
    lacking, people : int or pandas.Series of int
        People without the value, and all, of a group or of each group.

    Returns
    -------
    bool or pandas.Series of bool

    Examples
    --------
    >>> too_many_lack(3, 30), too_many_lack(4, 30)
    (False, True)
    """
    # Whole numbers: a tenth is not exact in binary.
    return 10 * lacking > people
