"""First and last score of each course."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.clinic.courses import Courses
from ipt_outcomes.io.cohort import Cohort

# A score after treatment says how somebody kept, not how the treatment ended.
_AFTER = "followup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """First and last score of one instrument, one place per course.

    Parameters
    ----------
    first, last : numpy.ndarray of float, shape (k,)
        NaN where there is none; a last score is never the first one.
    n_untimed : int
        Scores without a time, which cannot be put in order and are not used.
    n_follow_up : int
        Scores at follow-up visits, which are not used.
    """

    first: np.ndarray
    last: np.ndarray
    n_untimed: int
    n_follow_up: int

    @property
    def observed(self) -> np.ndarray:
        """Last score there is, the first one where there is no other."""
        return np.where(np.isnan(self.last), self.first, self.last)


def scores_of(cohort: Cohort, instrument: str, courses: Courses) -> Scores:
    """Return the first and the last score of an instrument in each course.

    Parameters
    ----------
    cohort : Cohort
    instrument : str
        As in the registry.
    courses : Courses

    Returns
    -------
    Scores
        First: the earliest score of the course. Last: the latest, at another time or session than the first,
        follow-up visits left out. Time is the week, within it the session's number; the day, or the session, where
        scores have no week.
    """
    table = cohort.assessments
    mine = table[table["instrument"].astype(str).eq(instrument) & table["item"].eq(0) & table["value"].notna()]
    after = mine["visit"].astype("string").eq(_AFTER).fillna(False).to_numpy(dtype=bool)
    mine = mine[~after]
    time = _time(mine)
    timed = time.notna().to_numpy()
    frame = pd.DataFrame(
        {
            "episode_id": mine["episode_id"].to_numpy(),
            "time": time.to_numpy(dtype=float),
            "session_no": mine["session_no"].to_numpy(dtype=float, na_value=np.nan) if "session_no" in mine else np.nan,
            "value": mine["value"].to_numpy(dtype=float),
        }
    )[timed]
    # Of two scores at one time the worse-looking order counts least in a person's favour where lower is better; what
    # matters is that the order of the file decides nothing.
    frame = frame.sort_values(["episode_id", "time", "session_no", "value"], kind="stable")
    edges = frame.groupby("episode_id", observed=True)
    ends = pd.DataFrame({"first": edges["value"].first(), "last": edges["value"].last()})
    session = edges["session_no"]
    alone = (edges["time"].first() == edges["time"].last()) & ~(session.first() < session.last())
    ends.loc[alone, "last"] = np.nan
    ends = ends.reindex(courses.episode_id)
    return Scores(
        first=ends["first"].to_numpy(dtype=float),
        last=ends["last"].to_numpy(dtype=float),
        n_untimed=int((~timed).sum()),
        n_follow_up=int(after.sum()),
    )


def _time(scores: pd.DataFrame) -> pd.Series:
    """Order of scores: by week, by day where there are no weeks, by session where there are neither."""
    for name in ("week", "day", "session_no"):
        if name in scores and scores[name].notna().any():
            return scores[name].astype("Float64")
    return pd.Series(pd.NA, index=scores.index, dtype="Float64")
