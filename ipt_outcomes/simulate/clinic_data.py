"""A clinic's extract: episodes of IPT with their sessions, PHQ-9 and GAD-7 at each session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ipt_outcomes.simulate.people import (
    AREA_CHANGE,
    AREA_SHARES,
    AREAS,
    FloatArray,
    IntArray,
    ages,
    chance,
    keys,
    require_people,
    whole_column,
    whole_scores,
)
from ipt_outcomes.vocabulary import Attendance, EndReason, Format, Phase, Population, ProblemArea

if TYPE_CHECKING:
    from ipt_outcomes.io.cohort import Cohort

_LEAST = 20
_SITES, _THERAPISTS_PER_SITE = 3, 5
_PLANNED, _PLANNED_SHARES = (12, 16, 20), (0.45, 0.45, 0.10)
_INITIAL, _TERMINATION = 3, 3
_ATTENDANCE = {
    Attendance.ATTENDED: 0.84,
    Attendance.DNA: 0.06,
    Attendance.CANCELLED_PATIENT: 0.06,
    Attendance.CANCELLED_SERVICE: 0.03,
    Attendance.LATE_NOT_SEEN: 0.01,
}
_FORMATS = {Format.INDIVIDUAL: 0.68, Format.GROUP: 0.14, Format.TELEPHONE: 0.08, Format.VIDEO: 0.10}
# Why people stop before the end, by share.
_LEAVING_REASONS = {
    EndReason.DROPOUT_CHOICE: 0.45,
    EndReason.DROPOUT_UNREACHABLE: 0.27,
    EndReason.NOT_SUITABLE: 0.10,
    EndReason.REFERRED_ON: 0.12,
    EndReason.MOVED: 0.06,
}
# Mean, SD and full change of the two scales, in points: plausible, of no real clinic.
_PHQ9, _PHQ9_SD, _PHQ9_CHANGE, _PHQ9_CHANGE_SD, _PHQ9_NOISE = 15.5, 4.6, -8.0, 4.6, 1.9
_GAD7, _GAD7_SD, _GAD7_CHANGE, _GAD7_CHANGE_SD, _GAD7_NOISE = 12.2, 4.0, -5.4, 3.6, 1.7
_SHARED = 0.6
_THERAPIST_SD = 0.9
_FULL_CHANGE_AT = 14
_COMES_FIRST, _SKIPS_FIRST = 0.85, 0.3
_FILLED_IN = 0.94
_LEAVING, _LEAVING_PER_POINT, _MIDDLE_SCORE, _AFTER_ABSENCE = -4.1, 0.08, 12.0, 0.9
_STILL_IN_TREATMENT = 0.07
_MAINTENANCE, _MAINTENANCE_SESSIONS = 0.25, 6
_WAIT_DAYS, _WAIT_SPREAD = 34.0, 0.55


def clinic(n: int = 400, seed: int = 1) -> Cohort:
    """Simulate a clinic's extract, loaded as a cohort.

    Parameters
    ----------
    n : int
        Episodes, one per person; at least 20.
    seed : int
        Seed of the generator; the same seed gives the same extract.

    Returns
    -------
    Cohort
        With ``.simulated`` true.

    Raises
    ------
    OptionError
        `n` is below 20.
    """
    from ipt_outcomes.io import load_cohort

    return load_cohort(clinic_table(n, seed), simulated=True)


def clinic_table(n: int = 400, seed: int = 1) -> pd.DataFrame:
    """Simulate the file a clinic would export: one row per session offered.

    The problem area is set in session 2 or 3; who left before has none set. People who did well may go on to
    monthly maintenance sessions. Some leave early, some are still in treatment when the extract is made.
    Questionnaires are filled in at sessions that were attended, most of the time.

    Parameters
    ----------
    n : int
        Episodes, one per person; at least 20.
    seed : int
        Seed of the generator; the same seed gives the same table.

    Returns
    -------
    pandas.DataFrame
        ``patient_id site_id therapist_id problem_area area_set_day format population age sex
        planned_sessions referral_day end_day end_reason session_no day phase attended phq9 gad7``. Days count
        from the first session; ``end_day`` and ``end_reason`` are missing for people still in treatment.

    Raises
    ------
    OptionError
        `n` is below 20.

    Examples
    --------
    >>> table = clinic_table(n=50, seed=1)
    >>> table["patient_id"].nunique(), sorted(table["phase"].unique())
    (50, ['initial', 'maintenance', 'middle', 'termination'])
    """
    require_people(n, _LEAST)
    rng = np.random.default_rng(seed)
    people, area, therapist_effect = _people(rng, n)
    planned = people["planned_sessions"].to_numpy()
    most = max(_PLANNED) + _MAINTENANCE_SESSIONS
    attended = rng.choice(len(_ATTENDANCE), size=(n, most), p=list(_ATTENDANCE.values()))
    # Most people come to their first session: their own start is its day.
    attended[rng.random(n) < _COMES_FIRST, 0] = 0
    phq9, gad7 = _scores(rng, area, therapist_effect, attended == 0)
    last, left = _last_sessions(rng, phq9, attended == 0, planned)
    ongoing = ~left & (rng.random(n) < _STILL_IN_TREATMENT)
    last = np.where(ongoing, rng.integers(2, np.maximum(planned - 1, 3)), last)
    finished = ~left & ~ongoing
    goes_on = finished & (rng.random(n) < _MAINTENANCE)
    last = np.where(goes_on, planned + rng.integers(2, _MAINTENANCE_SESSIONS + 1, size=n), last)
    days = _days(rng, planned, most)
    end_day = days[np.arange(n), last - 1]
    set_in = rng.integers(2, 4, size=n)
    has_area = last >= set_in
    people["problem_area"] = np.where(has_area, people["problem_area"], ProblemArea.NONE_SET.value)
    people["area_set_day"] = whole_column(np.where(has_area, days[np.arange(n), set_in - 1], np.nan)).array
    people["end_day"] = whole_column(np.where(ongoing, np.nan, end_day)).array
    people["end_reason"] = _end_reasons(rng, left, ongoing)
    unfilled = rng.random(attended.shape) >= _FILLED_IN
    unfilled[:, 0] &= rng.random(n) < _SKIPS_FIRST
    blank = (attended != 0) | unfilled
    phq9[blank], gad7[blank] = np.nan, np.nan
    return _one_row_per_session(people, last, planned, days, attended, {"phq9": phq9, "gad7": gad7})


def _people(rng: np.random.Generator, n: int) -> tuple[pd.DataFrame, IntArray, FloatArray]:
    """What is known of each person before treatment, the area's number and the therapist's effect."""
    sites = rng.choice(_SITES, size=n, p=(0.45, 0.35, 0.20))
    therapist = sites * _THERAPISTS_PER_SITE + rng.integers(0, _THERAPISTS_PER_SITE, size=n)
    effects = rng.normal(0, _THERAPIST_SD, size=_SITES * _THERAPISTS_PER_SITE)
    area = rng.choice(len(AREAS), size=n, p=AREA_SHARES)
    age = ages(rng, n)
    sex = np.where(rng.random(n) < 0.64, "female", "male")
    perinatal = (sex == "female") & (age < 43) & (rng.random(n) < 0.25)
    population = np.select(
        [perinatal, age >= 60], [Population.PERINATAL.value, Population.OLDER_ADULT.value], Population.ADULT.value
    )
    wait = np.rint(_WAIT_DAYS * np.exp(rng.normal(0, _WAIT_SPREAD, size=n)))
    people = pd.DataFrame(
        {
            "patient_id": keys("C", n),
            "site_id": np.array([f"S{site + 1}" for site in sites], dtype=object),
            "therapist_id": np.array([f"T{number + 1:02d}" for number in therapist], dtype=object),
            "problem_area": np.array([AREAS[place].value for place in area], dtype=object),
            "area_set_day": whole_column(np.full(n, np.nan)).array,
            "format": np.array([f.value for f in _FORMATS], dtype=object)[
                rng.choice(len(_FORMATS), size=n, p=list(_FORMATS.values()))
            ],
            "population": population.astype(object),
            "age": age,
            "sex": sex,
            "planned_sessions": rng.choice(_PLANNED, size=n, p=_PLANNED_SHARES),
            "referral_day": -wait.astype(np.int64),
        }
    )
    return people, area, effects[therapist]


def _scores(
    rng: np.random.Generator, area: IntArray, therapist: FloatArray, came: np.ndarray
) -> tuple[FloatArray, FloatArray]:
    """PHQ-9 and GAD-7 at every session that might be; change follows the sessions that were attended."""
    n, most = came.shape
    dose = np.cumsum(came, axis=1) - came
    share = np.minimum(dose / _FULL_CHANGE_AT, 1.0) ** 0.8
    together, apart = np.sqrt(_SHARED), np.sqrt(1 - _SHARED)
    both_start, both_change = rng.normal(size=n), rng.normal(size=n)
    found = []
    for name, mean, sd, change, change_sd, noise in (
        ("phq9", _PHQ9, _PHQ9_SD, _PHQ9_CHANGE, _PHQ9_CHANGE_SD, _PHQ9_NOISE),
        ("gad7", _GAD7, _GAD7_SD, _GAD7_CHANGE, _GAD7_CHANGE_SD, _GAD7_NOISE),
    ):
        start = mean + sd * (together * both_start + apart * rng.normal(size=n))
        full = change + (AREA_CHANGE[area] + therapist) * (change / _PHQ9_CHANGE) - 0.25 * (start - mean)
        full = full + change_sd * (together * both_change + apart * rng.normal(size=n))
        latent = start[:, None] + full[:, None] * share + rng.normal(0, noise, size=(n, most))
        found.append(whole_scores(latent, name))
    return found[0], found[1]


def _last_sessions(
    rng: np.random.Generator, phq9: FloatArray, came: np.ndarray, planned: IntArray
) -> tuple[IntArray, np.ndarray]:
    """Number of each person's last session offered, and who left before the planned end."""
    last = planned.copy()
    here = np.ones(len(planned), dtype=bool)
    for session in range(1, max(_PLANNED)):
        logit = _LEAVING + _LEAVING_PER_POINT * (phq9[:, session - 1] - _MIDDLE_SCORE)
        logit = logit + _AFTER_ABSENCE * ~came[:, session - 1]
        leaves = here & (session < planned) & (rng.random(len(planned)) < chance(logit))
        last[leaves] = session
        here &= ~leaves
    return last, ~here


def _days(rng: np.random.Generator, planned: IntArray, most: int) -> IntArray:
    """Day of each session: weekly, now and then a week off; monthly after the planned end."""
    gaps = np.where(rng.random((len(planned), most)) < 0.12, 14, 7) + rng.integers(-1, 2, size=(len(planned), most))
    monthly = np.arange(most)[None, :] >= planned[:, None]
    gaps = np.where(monthly, 28 + rng.integers(-3, 4, size=gaps.shape), gaps)
    gaps[:, 0] = 0
    return np.cumsum(gaps, axis=1)


def _end_reasons(rng: np.random.Generator, left: np.ndarray, ongoing: np.ndarray) -> np.ndarray:
    reasons = np.array([reason.value for reason in _LEAVING_REASONS], dtype=object)
    drawn = reasons[rng.choice(len(reasons), size=len(left), p=list(_LEAVING_REASONS.values()))]
    drawn[~left] = EndReason.COMPLETED.value
    drawn[ongoing] = None
    return drawn


def _one_row_per_session(
    people: pd.DataFrame,
    last: IntArray,
    planned: IntArray,
    days: IntArray,
    attended: IntArray,
    scores: dict[str, FloatArray],
) -> pd.DataFrame:
    person = np.repeat(np.arange(len(people)), last)
    place = np.concatenate([np.arange(count) for count in last])
    table = people.iloc[person].reset_index(drop=True)
    to_go = planned[person] - place
    table["session_no"] = place + 1
    table["day"] = days[person, place]
    table["phase"] = np.select(
        [place < _INITIAL, to_go <= 0, to_go <= _TERMINATION],
        [Phase.INITIAL.value, Phase.MAINTENANCE.value, Phase.TERMINATION.value],
        Phase.MIDDLE.value,
    )
    table["attended"] = np.array([code.value for code in _ATTENDANCE], dtype=object)[attended[person, place]]
    for name, values in scores.items():
        table[name] = whole_column(values[person, place])
    return table
