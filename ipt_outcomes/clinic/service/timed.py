"""Scores of one instrument in order of time, checked."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DesignError


def timed_scores(
    data: pd.DataFrame, *, id: str, day: str, value: str, lowest: float = -np.inf, highest: float = np.inf
) -> pd.DataFrame:
    """Return scores in order of person and day.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per person and score.
    id, day, value : str
        Columns.
    lowest, highest : float
        Ends of the scale.

    Returns
    -------
    pandas.DataFrame
        ``id day value``: people in the order they first appear, days ascending, rows without a score left out.

    Raises
    ------
    DesignError
        A column is missing; a score is no number or off the scale; a score has no day or person; two of one day.
    """
    lacking = [name for name in (id, day, value) if name not in data.columns]
    if lacking:
        raise DesignError(f"expected the columns {id}, {day} and {value}; not there: {', '.join(lacking)}")
    score = pd.to_numeric(data[value], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    time = pd.to_numeric(data[day], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    there = data[value].notna().to_numpy()
    person = data[id]
    off = (score < lowest) | (score > highest) | (there & ~np.isfinite(score))
    twice = pd.DataFrame({"id": person.to_numpy(), "day": time}).duplicated(keep=False).to_numpy()
    faults = {
        "have a score that is no number of the scale": off,
        "have a score without a day or a person": there & (np.isnan(time) | person.isna().to_numpy()),
        "share their person and day with another": there & twice & ~np.isnan(time),
    }
    found = {what: np.flatnonzero(bad) for what, bad in faults.items() if bad.any()}
    if found:
        words = "; ".join(f"{rows.size} of {len(data)} rows {what}" for what, rows in found.items())
        raise DesignError(words, rows=sorted({int(row) for rows in found.values() for row in rows}))
    frame = pd.DataFrame({"id": person.to_numpy(), "day": time, "value": score})[there]
    order = pd.factorize(frame["id"])[0]
    return frame.iloc[np.lexsort((frame["day"].to_numpy(), order))].reset_index(drop=True)
