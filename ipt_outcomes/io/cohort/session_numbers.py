"""Numbers of sessions by the order of their days, where no column has them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ipt_outcomes.io.cohort.cells import BoolArray
from ipt_outcomes.io.cohort.columns import Columns
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.identity import People
from ipt_outcomes.io.cohort.typed import Values

_NOTE = "sessions are numbered 1, 2, ... in the order of their days within the episode (same day: order of the file)"


def number_sessions(
    values: Values, people: People, sessions_in: BoolArray | None, columns: Columns, faults: Faults
) -> None:
    """Number the sessions of each episode by their days.

    Parameters
    ----------
    values : Values
        Takes ``session_no``, unless it has one.
    people : People
    sessions_in : numpy.ndarray of bool, shape (n,), or None
        Records of a table of sessions; None where each record of the one table may be a session.
    columns : Columns
    faults : Faults
        Takes sessions without a day, whose place nobody can tell.
    """
    if "session_no" in values.numbers:
        return
    day = values.numbers.get("day", np.full(len(people.episode), np.nan))
    mine = (people.episode >= 0) if sessions_in is None else (people.episode >= 0) & sessions_in
    faults.cells(
        mine & np.isnan(day), column=columns.source_of("day") or "day", rule="sessions", expected="a day",
        what='a session without a day, which [sessions] number = "by_day" cannot place,',
        hint="Give the days of all sessions, or a column with their numbers (session_no).",
    )  # fmt: skip
    known = np.flatnonzero(mine & ~np.isnan(day))
    order = known[np.lexsort((day[known], people.episode[known]))]
    number = np.full(len(day), np.nan)
    number[order] = pd.Series(people.episode[order]).groupby(people.episode[order]).cumcount().to_numpy() + 1.0
    values.numbers["session_no"] = number
    values.notes.append(_NOTE)
