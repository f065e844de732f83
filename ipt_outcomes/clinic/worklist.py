"""Whom to look at: open courses in which something happened that should not wait for the next report.

One row is a person. It is never part of a report: the user asks for it, and writes it to a file of his own with
`ipt_outcomes.report.write_table`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.clinic.courses import courses_of
from ipt_outcomes.clinic.measures import Cuts, cuts_of
from ipt_outcomes.clinic.service.spells import remission_and_relapse
from ipt_outcomes.clinic.sudden_gains import sudden_losses
from ipt_outcomes.clinic.trajectory import expected_scores
from ipt_outcomes.effects.proportions import is_number
from ipt_outcomes.errors import DesignError, IptError, OptionError
from ipt_outcomes.instruments import instrument_name
from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.results import Provenance, ResultObject, plural

REASONS = {
    "risk_answer": "answer about harm to oneself at the last assessment",
    "deteriorated": "reliably worse than at the start",
    "sudden_loss": "sudden loss",
    "relapse_signs": "a case again after remission",
    "no_change": "no reliable change by session {sessions}",
    "off_track": "worse than expected for this area and severity",
    "overdue": "{sessions} sessions or more since the last score",
    "never_measured": "no score yet",
}
"""Why a course is on the list, the most pressing first."""

_NO_CHANGE_BY = (4, 8)
_OVERDUE_AFTER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Worklist(ResultObject):
    """Open courses to look at.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row per course with a reason, the most pressing first: ``row`` (the first row of the file about it, with
        which who holds the file finds the person; empty where not known), ``patient_id episode_id`` (study keys),
        ``session_no`` (attended so far), ``first last`` (scores), ``expected expected_low expected_high`` (at the last
        score; empty where no model could be fitted), and a column of booleans per reason of `REASONS`, then
        ``reasons`` in words.
    instrument : str
    n_open : int
        Courses that were looked at: started, not ended.
    notes : tuple of str
        What could not be looked at.
    provenance : Provenance
    """

    rows: pd.DataFrame
    instrument: str
    n_open: int
    notes: tuple[str, ...]
    provenance: Provenance

    def to_frame(self) -> pd.DataFrame:
        """Return `rows`."""
        return self.rows.copy()

    def summary(self, digits: int = 0) -> str:
        """Return how many courses are on the list, by reason; nobody is named."""
        counts = [f"{int(self.rows[name].sum())} {name.replace('_', ' ')}" for name in REASONS if self.rows[name].any()]
        listed = f": {', '.join(counts)}" if counts else ""
        on = f"{len(self.rows)} of {self.n_open} open {plural(self.n_open, 'course', 'courses')}"
        return "\n".join([f"{on} on the list ({self.instrument}){listed}.", *self.notes])

    def _repr_html_(self) -> str:
        # A notebook is shared more easily than a file somebody named: counts only.
        from ipt_outcomes.results import frame_to_html

        counts = pd.DataFrame(
            [(words.split(" {")[0], int(self.rows[name].sum())) for name, words in REASONS.items()],
            columns=["reason", "courses"],
        )
        return frame_to_html(counts, caption=self.summary().splitlines()[0])


def worklist(
    cohort: Cohort,
    *,
    instrument: str = "phq9",
    no_change_by: Sequence[int] = _NO_CHANGE_BY,
    overdue_after: int = _OVERDUE_AFTER,
    expected: bool = True,
) -> Worklist:
    """List open courses that should be looked at, with the reason.

    Parameters
    ----------
    cohort : Cohort
    instrument : str
        Whose scores are followed.
    no_change_by : sequence of int
        Attended sessions at which a course without reliable improvement is listed.
    overdue_after : int
        Attended sessions without a score from which on a measure is overdue.
    expected : bool
        Whether to fit the expected trajectory and list who is above its 80% interval.

    Returns
    -------
    Worklist

    Raises
    ------
    OptionError
        The cohort has no scores of the instrument, or an option is out of its range.
    DesignError
        It is not known which end of the scale is the good one.

    Notes
    -----
    Deterioration and change: the reliable change of the instrument. Sudden loss: the three criteria with the reliable
    change as the cut. Relapse: a case after remission. Expected: mean of people of the same area with the same first
    score at that week, from a linear mixed model of all courses (random intercept and slope).

    References
    ----------
    Lambert et al. (2018), Psychotherapy 55:520-537, doi:10.1037/pst0000167 (feedback on people not on track).
    """
    name = instrument_name(instrument) or instrument
    if name not in cohort.instruments:
        raise OptionError(f"the cohort has no scores of {name}; it has {', '.join(cohort.instruments)}")
    if not all(is_number(each) and each >= 1 for each in (*no_change_by, overdue_after)):
        raise OptionError("no_change_by and overdue_after are numbers of sessions of at least 1")
    cuts = cuts_of(name, None, cohort.instrument(name))
    if cuts.better is None:
        raise DesignError(f"it is not known which end of {cuts.label} is the good one")
    notes: list[str] = []
    courses = courses_of(cohort, by=None, by_default=False)
    frame = pd.DataFrame({"episode_id": courses.episode_id, "attended": courses.attended, "open": ~courses.ended})
    frame = frame.merge(cohort.episodes[["episode_id", "patient_id"]], on="episode_id", how="left")
    if not frame["open"].any():
        notes.append("Every course has ended, or the data do not say which have: nothing is open.")
    scores = _scores(cohort, name)
    frame = frame[frame["open"] & ~(frame["attended"] == 0)].set_index("episode_id", drop=False)
    edges = scores.groupby("episode_id")["value"]
    frame["first"], frame["last"] = edges.first().reindex(frame.index), edges.last().reindex(frame.index)
    if edges.ngroups:
        frame.loc[(edges.size() < 2).reindex(frame.index, fill_value=True), "last"] = np.nan
    flags = _flags(cohort, cuts, frame, scores, tuple(no_change_by), overdue_after, notes)
    track = expected_scores(cohort, name, frame, scores, cuts.better, notes) if expected else None
    for column in ("expected", "expected_low", "expected_high"):
        frame[column] = np.nan if track is None else track[column]
    flags["off_track"] = _beyond(frame, cuts.better)
    frame["row"] = pd.array([cohort.first_rows.get(str(each)) for each in frame.index], dtype="Int64")
    rows = _listed(frame, flags, no_change_by, overdue_after)
    return Worklist(
        rows=rows,
        instrument=name,
        n_open=len(frame),
        notes=tuple(notes),
        provenance=Provenance(
            function="clinic.worklist",
            options={
                "instrument": name,
                "no_change_by": list(no_change_by),
                "overdue_after": overdue_after,
                "expected": expected,
            },
        ),
    )


def _scores(cohort: Cohort, name: str) -> pd.DataFrame:
    table = cohort.assessments
    mine = table[table["instrument"].astype(str).eq(name) & table["item"].eq(0) & table["value"].notna()]
    time = next((each for each in ("week", "day", "session_no") if each in mine and mine[each].notna().any()), None)
    if time is None:
        return mine.assign(time=np.arange(len(mine), dtype=float), value=mine["value"].astype(float))
    mine = mine[mine[time].notna()]
    mine = mine.assign(time=mine[time].astype(float), value=mine["value"].astype(float))
    return mine.sort_values(["episode_id", "time"], kind="stable")


def _flags(
    cohort: Cohort,
    cuts: Cuts,
    frame: pd.DataFrame,
    scores: pd.DataFrame,
    no_change_by: tuple[int, ...],
    overdue_after: int,
    notes: list[str],
) -> dict[str, np.ndarray]:
    sign = 1.0 if cuts.better == "lower" else -1.0
    worse = sign * (frame["last"] - frame["first"]).to_numpy()
    attended = frame["attended"].to_numpy()
    nobody = np.zeros(len(frame), dtype=bool)
    flags = {name: nobody.copy() for name in REASONS}
    flags["risk_answer"] = _risk(cohort, frame)
    flags["never_measured"] = frame["first"].isna().to_numpy()
    if cuts.reliable_change is None:
        notes.append(f"{cuts.label}: no reliable change is known, so change and sudden losses are not looked at.")
    else:
        flags["deteriorated"] = worse >= cuts.reliable_change
        still = ~(worse <= -cuts.reliable_change) & frame["last"].notna().to_numpy()
        flags["no_change"] = still & (attended >= min(no_change_by)) & ~flags["deteriorated"]
        flags["sudden_loss"] = _sudden(frame, scores, cuts, notes)
    flags["relapse_signs"] = _relapsed(frame, scores, cuts)
    if "session_no" in scores and scores["session_no"].notna().any():
        latest = scores.groupby("episode_id")["session_no"].max().reindex(frame.index).to_numpy(dtype=float)
        flags["overdue"] = (attended - latest >= overdue_after) & ~flags["never_measured"]
    return flags


def _risk(cohort: Cohort, frame: pd.DataFrame) -> np.ndarray:
    """Who gave an answer about harm at their last assessment with such a question."""
    table = cohort.assessments
    if "risk" not in table:
        return np.zeros(len(frame), dtype=bool)
    asked = table[table["risk"].notna()]
    time = next((each for each in ("week", "day", "session_no") if each in asked and asked[each].notna().any()), None)
    ordered = asked.sort_values(time, kind="stable") if time else asked
    last = ordered.groupby("episode_id", observed=True)["risk"].last()
    return last.reindex(frame.index).fillna(False).to_numpy(dtype=bool)


def _sudden(frame: pd.DataFrame, scores: pd.DataFrame, cuts: Cuts, notes: list[str]) -> np.ndarray:
    nobody = np.zeros(len(frame), dtype=bool)
    if "session_no" not in scores or scores["session_no"].isna().all() or cuts.better is None:
        return nobody
    mine = scores[scores["episode_id"].isin(frame.index) & scores["session_no"].notna()]
    mine = mine.drop_duplicates(["episode_id", "session_no"], keep="last")
    try:
        found = sudden_losses(
            mine.assign(session_no=mine["session_no"].astype(float)),
            id="episode_id",
            better=cuts.better,
            cut=float(cuts.reliable_change or 0),
        )
    except DesignError:
        notes.append(f"{cuts.label}: too few sessions with scores to look for sudden losses.")
        return nobody
    return np.isin(frame.index, found.gains["episode_id"])


def _relapsed(frame: pd.DataFrame, scores: pd.DataFrame, cuts: Cuts) -> np.ndarray:
    nobody = np.zeros(len(frame), dtype=bool)
    mine = scores[scores["episode_id"].isin(frame.index)].drop_duplicates(["episode_id", "time"], keep="last")
    if mine.empty or cuts.remission is None or cuts.caseness is None or cuts.better is None:
        return nobody
    try:
        spells = remission_and_relapse(
            mine, remission=cuts.remission, relapse=cuts.caseness, better=cuts.better, id="episode_id", day="time"
        ).rows.set_index("episode_id")
    except IptError:
        return nobody
    again = spells["relapse_day"].notna() | spells["recurrence_day"].notna()
    return again.reindex(frame.index).fillna(False).to_numpy(dtype=bool)


def _beyond(frame: pd.DataFrame, better: str) -> np.ndarray:
    latest = frame["last"].to_numpy(dtype=float)
    if better == "lower":
        return latest > frame["expected_high"].to_numpy(dtype=float)
    return latest < frame["expected_low"].to_numpy(dtype=float)


def _listed(
    frame: pd.DataFrame, flags: dict[str, np.ndarray], no_change_by: Sequence[int], overdue_after: int
) -> pd.DataFrame:
    rows = frame[["row", "patient_id", "episode_id"]].assign(session_no=frame["attended"])
    columns = ["first", "last", "expected", "expected_low", "expected_high"]
    rows = pd.concat([rows, frame[columns]], axis=1).assign(**{name: flags[name] for name in REASONS})
    reached = [max((n for n in no_change_by if n <= done), default=0) for done in frame["attended"].fillna(0)]
    words = []
    for place in range(len(rows)):
        own = []
        for name, text in REASONS.items():
            if flags[name][place]:
                sessions = reached[place] if name == "no_change" else overdue_after
                own.append(text.format(sessions=sessions))
        words.append("; ".join(own))
    rows["reasons"] = words
    rows = rows[rows["reasons"] != ""]
    # The most pressing reason decides; within it, more reasons first.
    first = np.argmax(rows[list(REASONS)].to_numpy(dtype=bool), axis=1) if len(rows) else np.array([])
    many = rows[list(REASONS)].sum(axis=1).to_numpy()
    return rows.iloc[np.lexsort((rows["episode_id"].astype(str), -many, first))].reset_index(drop=True)
