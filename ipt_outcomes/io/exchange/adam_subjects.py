"""ADSL: one record per person; and the periods (episodes) the other data sets refer to."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ipt_outcomes.io.cohort.cohort import Cohort
from ipt_outcomes.vocabulary import Arm, EndReason, label

_SEX = {"female": "F", "male": "M", "unknown": "U"}
_PERIODS = 2


def analysis_day(days: pd.Series) -> pd.Series:
    """Return ADY: day 0 is 1, the day before it -1; there is no 0.

    Parameters
    ----------
    days : pandas.Series of float
        Whole days from the person's own start.

    Returns
    -------
    pandas.Series of float
    """
    whole = np.floor(days.to_numpy(dtype=float, na_value=np.nan) + 0.5)
    return pd.Series(np.where(whole < 0, whole, whole + 1), index=days.index)


def periods(cohort: Cohort, study_id: str) -> pd.DataFrame:
    """Return one row per episode with what every data set says of it.

    Parameters
    ----------
    cohort : Cohort
    study_id : str

    Returns
    -------
    pandas.DataFrame
        ``episode_id STUDYID USUBJID SUBJID SITEID APERIOD TRTP TRTPN`` and the episode's columns.
    """
    made = cohort.episodes.copy()
    patients = cohort.patients.set_index("patient_id")
    made["STUDYID"] = study_id
    made["SUBJID"] = made["patient_id"].astype(object)
    made["USUBJID"] = study_id + "-" + made["patient_id"].astype(object)
    site = made["site_id"] if "site_id" in made else pd.Series(pd.NA, index=made.index, dtype=object)
    if "site_id" in patients:
        site = site.astype(object).fillna(made["patient_id"].map(patients["site_id"]))
    made["SITEID"] = site.astype(object)
    made["APERIOD"] = made.groupby("patient_id", sort=False).cumcount() + 1
    if "arm" in made:
        arms = made["arm"].astype("category")
        made["TRTP"] = arms.astype(object).map(lambda arm: _arm(str(arm)), na_action="ignore")
        made["TRTPN"] = arms.cat.codes.where(arms.notna(), np.nan).astype(float) + 1
    return made


def _arm(code: str) -> str:
    try:
        return label(Arm(code))
    except ValueError:
        return code


def subjects(cohort: Cohort, people: pd.DataFrame) -> pd.DataFrame:
    """Return ADSL.

    Parameters
    ----------
    cohort : Cohort
    people : pandas.DataFrame
        As `periods` made it.

    Returns
    -------
    pandas.DataFrame
        One row per person; what changes is of the first episode.
    """
    first = people[people["APERIOD"].eq(1)].merge(
        cohort.patients.drop(columns=[c for c in cohort.patients if c in people and c != "patient_id"]),
        on="patient_id", how="left", validate="one_to_one",
    )  # fmt: skip
    made = first[["STUDYID", "USUBJID", "SUBJID", "SITEID"]].copy()
    for variable, column in {
        "AGE": "age", "AGEGR1": "age_band", "POPULTN": "population", "PROBAREA": "problem_area_primary",
        "PROBARE2": "problem_area_secondary", "INDICTN": "indication",
    }.items():  # fmt: skip
        if column in first:
            made[variable] = first[column].astype(object)
    if "AGE" in made:
        made["AGEU"] = np.where(made["AGE"].notna(), "YEARS", "")
    if "sex" in first:
        sex = first["sex"].astype(object)
        made["SEX"] = [None if pd.isna(one) else _SEX.get(str(one), "UNDIFFERENTIATED") for one in sex]
    for number in range(1, _PERIODS + 1):
        if "TRTP" in people:
            mine = people[people["APERIOD"].eq(number)].set_index("patient_id")
            made[f"TRT{number:02d}P"] = first["patient_id"].map(mine["TRTP"])
            made[f"TRT{number:02d}PN"] = first["patient_id"].map(mine["TRTPN"])
    if "TRT01P" in made:
        made["ITTFL"] = np.where(made["TRT01P"].notna(), "Y", "N")
    if "area_set_day" in first:
        made["AREASDY"] = analysis_day(first["area_set_day"])
    return _ends(made, first, cohort)


def _ends(made: pd.DataFrame, first: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """How treatment went on and ended."""
    if len(cohort.sessions) and "attended" in cohort.sessions:
        seen = cohort.sessions[cohort.sessions["attended"].astype(object).eq("attended")]
        made["SESSN"] = first["episode_id"].map(seen.groupby("episode_id").size()).fillna(0)
    if "end_reason" in first:
        reason = first["end_reason"].astype(object)
        is_completed = reason.eq(EndReason.COMPLETED.value)
        made["EOTSTT"] = np.select([reason.isna(), is_completed], ["ONGOING", "COMPLETED"], default="DISCONTINUED")
        made["DCTREAS"] = reason.where(~is_completed)
    if "end_day" in first:
        made["TRTEDY"] = analysis_day(first["end_day"])
    return made
