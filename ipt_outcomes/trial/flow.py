"""Who was randomised, who was seen at which visit, and who left when."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.results import ResultObject
from ipt_outcomes.trial.data import TrialData, trial_data
from ipt_outcomes.trial.visits import Visit
from ipt_outcomes.vocabulary import label

EVERYONE = "all"
BASELINE = "baseline"

COUNTS = {
    "randomised": "randomised",
    "with_baseline": "with a baseline",
    "with_any_outcome": "with any score after baseline",
    "without_outcome": "without any score after baseline",
    "reached_last_visit": "reached the end point (the visit took place)",
    "discontinued": "did not reach the end point",
    "observed_at_last_visit": "observed at the end point",
    "reached_but_value_missing": "reached the end point, score missing",
    "complete_at_all_visits": "observed at every visit up to the end point",
}
"""Counts of `Flow.arms`, in the order of a report, with what each counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow(ResultObject):
    """Flow of people through a trial.

    Parameters
    ----------
    arms : pandas.DataFrame
        One row per arm, then one for all: ``arm`` and the counts of `COUNTS`.
    visits : pandas.DataFrame
        One row per arm and visit: ``arm visit week attended observed last_attended``; ``last_attended`` counts
        the people who came to that visit and to none later. The visit ``"baseline"`` (week 0) stands for those
        who came to no visit after it.
    outcome : str
    last_visit : Visit
        The end point.
    without_arm : int
        People whose arm is not known; they are in no other count.
    """

    arms: pd.DataFrame
    visits: pd.DataFrame
    outcome: str
    last_visit: Visit
    without_arm: int = 0

    def to_frame(self) -> pd.DataFrame:
        """Return every count in one tidy frame: ``arm visit statistic n``; visit is missing for counts of an arm."""
        arms = self.arms.melt(id_vars="arm", var_name="statistic", value_name="n").assign(visit=None)
        visits = self.visits.drop(columns="week").melt(id_vars=["arm", "visit"], var_name="statistic", value_name="n")
        columns = ["arm", "visit", "statistic", "n"]
        return pd.concat([arms[columns].astype(object), visits[columns].astype(object)], ignore_index=True)

    def summary(self, digits: int = 2) -> str:
        """Return one line per arm."""
        lines = [f"Flow, {self.outcome}, end point {self.last_visit.name}"]
        for row in self.arms.to_dict(orient="records"):
            lines.append(
                f"{label(str(row['arm']))}: {row['randomised']} randomised, {row['with_any_outcome']} with any score "
                f"after baseline, {row['observed_at_last_visit']} observed at the end point"
            )
        if self.without_arm:
            lines.append(f"arm not known: {self.without_arm}, in no other count")
        return "\n".join(lines)


def flow(cohort: Cohort, outcome: str, *, at: float | str | None = None, window: float | None = None) -> Flow:
    """Count people by arm and visit.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
        Name or alias of an instrument.
    at : float or str, optional
        The end point: a week or the name of a visit; as in `ipt_outcomes.trial.analyse` if None.
    window : float, optional
        Weeks either side of the end point, where visits are on real days.

    Returns
    -------
    Flow

    Raises
    ------
    DesignError, DataError, OptionError
        As in `ipt_outcomes.trial.analyse`.

    Notes
    -----
    A visit took place where the data have a row for it. A row without a score is a visit at which the outcome
    was not measured.
    """
    data = trial_data(cohort, outcome, at=at, window=window)
    return flow_of(data, data.end)


def flow_of(data: TrialData, end: Visit) -> Flow:
    """Count people of trial data by arm and visit."""
    rows = data.scores[data.scores["visit"].notna()]
    position = {visit.key: number for number, visit in enumerate(data.visits, start=1)}
    person = pd.DataFrame(
        {
            "arm": data.people["arm"].astype(str),
            "baseline": data.people["baseline"].notna(),
            "last": data.people["patient_id"].map(rows["visit"].map(position).groupby(rows["patient_id"]).max()),
        }
    ).fillna({"last": 0})
    any_score = set(data.scores.loc[data.scores["value"].notna(), "patient_id"])
    person["any"] = data.people["patient_id"].isin(any_score)
    seen: dict[str, pd.Series] = {}
    came: dict[str, pd.Series] = {}
    for visit in data.visits:
        mine = rows[rows["visit"].eq(visit.key)]
        came[visit.key] = data.people["patient_id"].isin(set(mine["patient_id"]))
        seen[visit.key] = data.people["patient_id"].isin(set(mine.loc[mine["value"].notna(), "patient_id"]))
    until = data.visits[: data.visits.index(end) + 1]
    person["reached"] = person["last"] >= position[end.key]
    person["came"], person["seen"] = came[end.key], seen[end.key]
    person["complete"] = pd.concat([seen[visit.key] for visit in until], axis=1).all(axis=1)
    groups = {arm: person["arm"].eq(arm) for arm in data.arms} | {EVERYONE: person["arm"].notna()}
    arms = [_arm_counts(arm, person[mask]) for arm, mask in groups.items()]
    visits = []
    for arm, mask in groups.items():
        visits.append(_baseline_row(arm, person[mask]))
        for visit in data.plan.planned:
            counts = dict.fromkeys(("attended", "observed", "last_attended"), 0)
            if visit.key in position:
                counts["attended"] = int(came[visit.key][mask].sum())
                counts["observed"] = int(seen[visit.key][mask].sum())
                counts["last_attended"] = int(person.loc[mask, "last"].eq(position[visit.key]).sum())
            visits.append({"arm": arm, "visit": visit.key, "week": visit.week, **counts})
    return Flow(
        arms=pd.DataFrame(arms),
        visits=pd.DataFrame(visits),
        outcome=data.outcome,
        last_visit=end,
        without_arm=data.without_arm,
    )


def _arm_counts(arm: str, person: pd.DataFrame) -> dict[str, object]:
    n = len(person)
    reached = int(person["reached"].sum())
    return {
        "arm": arm,
        "randomised": n,
        "with_baseline": int(person["baseline"].sum()),
        "with_any_outcome": int(person["any"].sum()),
        "without_outcome": n - int(person["any"].sum()),
        "reached_last_visit": reached,
        "discontinued": n - reached,
        "observed_at_last_visit": int(person["seen"].sum()),
        "reached_but_value_missing": reached - int((person["seen"] & person["reached"]).sum()),
        "complete_at_all_visits": int(person["complete"].sum()),
    }


def _baseline_row(arm: str, person: pd.DataFrame) -> dict[str, object]:
    return {
        "arm": arm,
        "visit": BASELINE,
        "week": 0.0,
        "attended": len(person),
        "observed": int(person["baseline"].sum()),
        "last_attended": int(person["last"].eq(0).sum()),
    }
