"""Means over the weeks: the model's with intervals, and those observed with their n."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ipt_outcomes.results import ResultObject
from ipt_outcomes.trial.data import TrialData
from ipt_outcomes.trial.flow import BASELINE
from ipt_outcomes.trial.model import ChangeModel
from ipt_outcomes.trial.visits import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectory(ResultObject):
    """Means by arm over the weeks.

    Parameters
    ----------
    means : pandas.DataFrame
        Of the model, at the planned week of each visit: ``arm week estimate se df ci_low ci_high``; no row where
        there is no model.
    observed : pandas.DataFrame
        ``arm visit week n mean sd`` of the scores observed, baseline (week 0) first.
    """

    means: pd.DataFrame
    observed: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return the observed means."""
        return self.observed.copy()

    def summary(self, digits: int = 2) -> str:
        """Return how many visits and arms there are."""
        return f"Means of {self.observed['arm'].nunique()} arms at {self.observed['visit'].nunique()} visits"


def trajectory_of(data: TrialData, end: Visit, model: ChangeModel | str) -> Trajectory:
    """Return the means by arm over the weeks up to the end point."""
    visits = data.visits[: data.visits.index(end) + 1]
    rows = []
    for arm in data.arms:
        mine = data.people["arm"].eq(arm)
        rows.append((arm, BASELINE, 0.0, *_described(data.people.loc[mine, "baseline"])))
        rows += [(arm, visit.key, visit.week, *_described(data.at(visit)[mine])) for visit in visits]
    observed = pd.DataFrame(rows, columns=["arm", "visit", "week", "n", "mean", "sd"])
    empty = pd.DataFrame(columns=["arm", "week", "estimate", "se", "df", "ci_low", "ci_high"])
    means = empty if isinstance(model, str) else model.means(sorted({visit.week for visit in visits}))
    return Trajectory(means=means, observed=observed)


def _described(values: pd.Series) -> tuple[int, float, float]:
    known = values.dropna().sort_values()
    return len(known), float(known.mean()), float(known.std())
