"""Which characteristics of the people randomised stand in the baseline table."""

from __future__ import annotations

import pandas as pd

from ipt_outcomes.instruments import instrument
from ipt_outcomes.io.cohort import Cohort, baselines
from ipt_outcomes.io.cohort.levels import MOST_LEVELS
from ipt_outcomes.trial.data import TrialData
from ipt_outcomes.trial.table_one import TableOne, table_one

# A number with fewer different values than these is a code.
_FEWEST_VALUES = 11

_NEVER = {
    "patient_id",
    "episode_id",
    "study_id",
    "arm",
    "baseline",
    "therapist",
    "therapy_group_id",
    "cluster_id",
    "problem_area",
    "problem_area_secondary",
    "dispute_stage",
    "area_set_day",
    "diagnosis_code",
    "end_reason",
    "censor_reason",
    "end_day",
    "first_session_day",
    "referral_day",
    "planned_sessions",
    "format",
    "adaptation",
    "randomised",
    "therapist_training",
}


def baseline_table(data: TrialData, cohort: Cohort) -> TableOne:
    """Return the baseline table: scores, then what is known of people before treatment.

    Parameters
    ----------
    data : TrialData
    cohort : Cohort

    Returns
    -------
    TableOne
        The problem area is in it only where every arm's area was set before randomisation.
    """
    people = data.people.copy()
    continuous = ["baseline"]
    for other in cohort.instruments:
        if other != data.outcome and instrument(other).kind == "outcome":
            rows = cohort.assessments[cohort.assessments["instrument"].eq(other) & cohort.assessments["item"].eq(0)]
            start = baselines(rows, cohort.baseline_rule).set_index("episode_id")["baseline"]
            column = f"{other}_baseline"
            if column not in people and people["episode_id"].isin(start.index).any():
                people[column] = people["episode_id"].map(start).astype(float)
                continuous.append(column)
    categorical: list[str] = []
    if cohort.area_set == "before" and "problem_area" in people and people["problem_area"].notna().any():
        categorical.append("problem_area")
    for column in people.columns:
        if column in _NEVER or column in continuous or not people[column].notna().any():
            continue
        values = people[column].dropna()
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            kind = continuous if values.nunique() >= _FEWEST_VALUES else categorical
            kind.append(column)
        elif values.nunique() <= MOST_LEVELS:
            categorical.append(column)
    return table_one(people, arm="arm", continuous=continuous, categorical=categorical)
