"""Visit windows: which score counts to which visit, and how many count to none."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ipt_outcomes.io.cohort.assess import Assessments
from ipt_outcomes.io.cohort.mapping_parts import Windows
from ipt_outcomes.privacy.gate import GateEntry
from ipt_outcomes.results import plural

_TAKEN = {"nearest": "nearest to its middle", "first": "first in it", "last": "last in it"}
_KEY = ["episode", "instrument", "item", "visit"]


def in_windows(
    table: pd.DataFrame, windows: Windows | None, collected: Assessments
) -> tuple[pd.DataFrame, list[GateEntry]]:
    """Name the visit of each score by the window its week lies in, and keep one score per window.

    Parameters
    ----------
    table : pandas.DataFrame
        Working table of scores.
    windows : Windows or None
        None leaves everything as it is.
    collected : Assessments

    Returns
    -------
    table : pandas.DataFrame
        Scores at or before week 0 stay, whatever the windows; later ones outside of every window, or without a
        week, are left out.
    gate : list of GateEntry
        How many scores were left out, and why.
    """
    if windows is None or table.empty:
        return table, []
    week = table["week"].to_numpy(dtype=float)
    visit = np.full(len(table), -1, dtype=np.int64)
    middle = np.full(len(table), np.nan)
    for name, (low, high) in windows.in_weeks.items():
        # Limits in days are sevenths of a week: a whole day on the limit is inside.
        mine = (week >= low - 1e-9) & (week <= high + 1e-9)
        visit[mine] = collected.visits.number(name)
        middle[mine] = (low + high) / 2
    inside = visit >= 0
    early = ~inside & (week <= 0)
    chosen = table[inside].assign(visit=visit[inside], off=np.abs(week - middle)[inside])
    chosen = chosen.assign(empty=chosen["value"].isna())
    by = {"nearest": ["empty", "off", "week"], "first": ["empty", "week"], "last": ["empty", "week"]}[windows.take]
    rising = [name != "week" or windows.take != "last" for name in by]
    kept = chosen.sort_values([*by, "record"], ascending=[*rising, True], kind="stable").drop_duplicates(_KEY)
    outside = int((~inside & ~early & table["value"].notna()).sum())
    entries = [
        _entry(int(chosen["value"].notna().sum() - kept["value"].notna().sum()), f"not the {_TAKEN[windows.take]}"),
        _entry(outside, "outside of every window"),
    ]
    said = ", ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in windows.visits.items())
    collected.notes.append(
        f"visits by windows in {windows.unit}: {said}; of several scores in one the {_TAKEN[windows.take]} counts"
    )
    parts = [part for part in (table[early], kept.drop(columns=["off", "empty"])) if len(part)]
    left = pd.concat(parts).sort_index(kind="stable").reset_index(drop=True) if parts else table.head(0)
    return left, [entry for entry in entries if entry is not None]


def _entry(count: int, why: str) -> GateEntry | None:
    if not count:
        return None
    detail = f"{count} {plural(count, 'score was', 'scores were')} left out by the windows of the visits: {why}"
    return GateEntry(rule="L12", action="left out", column="", detail=detail, count=count)
