"""Answers about harm to oneself, flagged in tables that hold items."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from ipt_outcomes.errors import DataError
from ipt_outcomes.instruments.instrument import Instrument
from ipt_outcomes.instruments.registry import instrument, instruments

_NEEDED = ("instrument", "item", "value")


def risk_flags(assessments: pd.DataFrame, own: Mapping[str, Instrument] | None = None) -> pd.Series:
    """Return, for every row of a long table of scores, whether it is an answer about harm that has to be looked at.

    Parameters
    ----------
    assessments : pandas.DataFrame, shape (n, p)
        ``instrument item value`` in the names of the data dictionary; totals are item 0.
    own : mapping of str to Instrument, optional
        Instruments with a user's own facts, in place of the registry's.

    Returns
    -------
    pandas.Series of boolean, shape (n,)
        True or False in rows of an item on harm with an answer; missing in all others, for nothing is known
        there: a total never says that there is no risk.

    Raises
    ------
    DataError
        A column is not there.

    Examples
    --------
    >>> table = pd.DataFrame({"instrument": ["phq9"] * 3, "item": [0, 9, 9], "value": [12, 2, 0]})
    >>> risk_flags(table).tolist()
    [<NA>, True, False]
    """
    absent = [name for name in _NEEDED if name not in assessments]
    if absent:
        raise DataError(f"columns {', '.join(absent)} are needed to flag answers about harm", column=absent[0])
    flags = pd.Series(pd.NA, index=assessments.index, dtype="boolean", name="risk")
    there = set(assessments["instrument"].dropna().astype(str).unique())
    for name in instruments():
        known = (own or {}).get(name, instrument(name))
        if name not in there:
            continue
        for entry in known.risk_items:
            mine = assessments["instrument"].eq(name) & assessments["item"].eq(entry.item)
            mine &= assessments["value"].notna()
            mine = mine.fillna(value=False).astype(bool)
            flags[mine] = (assessments.loc[mine, "value"] >= entry.flag_min).astype("boolean")
    return flags


def risk_answers(assessments: pd.DataFrame, own: Mapping[str, Instrument] | None = None) -> pd.DataFrame:
    """Return the flagged answers about harm, for a worklist: .

    Parameters
    ----------
    assessments, own
        As in `risk_flags`.

    Returns
    -------
    pandas.DataFrame
        The rows of `assessments` that are flagged, in their order, with what the flag means: ``risk_rule``
        ("item 9 answered 1 or more"), marked where the threshold was not confirmed.
    """
    found = assessments[risk_flags(assessments, own).fillna(value=False).astype(bool)].copy()
    rules = {}
    for name in found["instrument"].astype(str).unique():
        known = (own or {}).get(name, instrument(name))
        for entry in known.risk_items:
            doubt = " (a default, not confirmed in a source)" if known.doubts("risk_items") else ""
            rules[name, entry.item] = f"item {entry.item} answered {entry.flag_min:g} or more{doubt}"
    found["risk_rule"] = [rules[str(n), int(i)] for n, i in zip(found["instrument"], found["item"], strict=True)]
    return found.reset_index(drop=True)
