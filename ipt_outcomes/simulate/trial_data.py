"""A four-arm trial: IPT, CBT, medication and usual care, with weekly PHQ-9 and monthly HRSD-17."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from ipt_outcomes.errors import require_choice
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
from ipt_outcomes.vocabulary import Arm, ProblemArea

if TYPE_CHECKING:
    from ipt_outcomes.io.cohort import Cohort

Areas = Literal["baseline", "after"]

WEEKS = 16
_MONTHLY = 4
_SITES = 6
_BLOCK = (Arm.USUAL_CARE, Arm.MEDICATION, Arm.CBT, Arm.IPT)
# Mean change of PHQ-9 from week 0 to 16, in points, and clinicians per site: plausible, of no real trial.
_CHANGE = {Arm.USUAL_CARE: -4.6, Arm.MEDICATION: -7.2, Arm.CBT: -7.6, Arm.IPT: -8.2}
_CLINICIANS = {Arm.USUAL_CARE: 0, Arm.MEDICATION: 1, Arm.CBT: 2, Arm.IPT: 2}
_BASELINE, _BASELINE_SD, _ENTRY = 16.0, 3.6, 10.0
_CHANGE_SD, _THERAPIST_SD, _SITE_SD, _NOISE_SD = 4.2, 0.8, 0.4, 1.9
# Deficits profit a little less from IPT than from the other arms.
_IPT_BY_AREA = np.array([-0.4, -0.3, -0.2, 0.9])
# Improvement slows down: the share of the change that is there at week w is (w / 16) to this power.
_CURVE = 0.8
_HRSD_INTERCEPT, _HRSD_SLOPE, _HRSD_SD = 3.5, 0.95, 2.4
# Logit of leaving before the next visit, at a last score of 12, and per point above it.
_LEAVING, _LEAVING_PER_POINT, _MIDDLE_SCORE = -4.0, 0.09, 12.0
_SKIPPED = 0.03
_LEAST = 40


def trial(n: int = 240, seed: int = 1, *, areas: Areas = "baseline") -> Cohort:
    """Simulate a trial of IPT, CBT, medication and usual care, loaded as a cohort.

    Parameters
    ----------
    n : int
        People randomised, at least 40.
    seed : int
        Seed of the generator; the same seed gives the same trial.
    areas : {"baseline", "after"}
        As in `trial_table`.

    Returns
    -------
    Cohort
        With ``.simulated`` true.

    Raises
    ------
    OptionError
        `n` is below 40, or `areas` is neither choice.
    """
    from ipt_outcomes.io import load_cohort

    return load_cohort(trial_table(n, seed, areas=areas), simulated=True)


def trial_table(n: int = 240, seed: int = 1, *, areas: Areas = "baseline") -> pd.DataFrame:
    """Simulate the file such a trial would have: one row per person and visit.

    Arms are allocated in blocks within sites. People leave at random given their last score (the worse it is,
    the likelier), and now and then a visit passes without a PHQ-9. HRSD-17 is rated every four weeks.

    Parameters
    ----------
    n : int
        People randomised, at least 40.
    seed : int
        Seed of the generator; the same seed gives the same table.
    areas : {"baseline", "after"}
        ``"baseline"``: everybody's problem area was set before randomisation. ``"after"``: it was set in
        session 2 or 3 and in the IPT arm only; who left before has none set.

    Returns
    -------
    pandas.DataFrame
        ``patient_id site_id therapist_id arm problem_area area_set_day age sex week phq9 hrsd17``; ``week``
        0 to 16, scores in points. Nobody has rows after leaving.

    Raises
    ------
    OptionError
        `n` is below 40, or `areas` is neither choice.

    Examples
    --------
    >>> table = trial_table(n=80, seed=1)
    >>> sorted(table["arm"].unique()), int(table["week"].max())
    (['cbt', 'ipt', 'medication', 'usual_care'], 16)
    """
    require_people(n, _LEAST)
    require_choice("areas", areas, ("baseline", "after"))
    rng = np.random.default_rng(seed)
    sites = rng.integers(0, _SITES, size=n)
    arms = _allocated(rng, sites)
    area = rng.choice(len(AREAS), size=n, p=AREA_SHARES)
    therapists, therapist_effect = _therapists(rng, sites, arms)
    severity = _severity(rng, arms, area, therapist_effect, sites)
    phq9 = whole_scores(severity + rng.normal(0, _NOISE_SD, size=severity.shape), "phq9")
    # People are let in at a PHQ-9 of 10 or more.
    phq9[:, 0] = np.maximum(phq9[:, 0], _ENTRY)
    last_week = _last_weeks(rng, phq9)
    skipped = rng.random(phq9.shape) < _SKIPPED
    skipped[:, 0] = False
    phq9[skipped] = np.nan
    monthly = np.where(np.arange(WEEKS + 1) % _MONTHLY == 0, 1.0, np.nan)
    rated = _HRSD_INTERCEPT + _HRSD_SLOPE * severity + rng.normal(0, _HRSD_SD, size=severity.shape)
    hrsd17 = whole_scores(rated, "hrsd17") * monthly
    people = pd.DataFrame(
        {
            "patient_id": keys("P", n),
            "site_id": np.array([f"S{site + 1}" for site in sites], dtype=object),
            "therapist_id": therapists,
            "arm": np.array([arm.value for arm in arms], dtype=object),
            **_area_columns(rng, areas, area, arms, last_week),
            "age": ages(rng, n),
            "sex": np.where(rng.random(n) < 0.66, "female", "male"),
        }
    )
    return _one_row_per_visit(people, last_week, {"phq9": phq9, "hrsd17": hrsd17})


def _allocated(rng: np.random.Generator, sites: IntArray) -> list[Arm]:
    """Arms in permuted blocks of four within sites."""
    arms: list[Arm] = [Arm.USUAL_CARE] * len(sites)
    for site in range(_SITES):
        here = np.flatnonzero(sites == site)
        blocks = [rng.permutation(len(_BLOCK)) for _ in range(-(-len(here) // len(_BLOCK)))]
        order = np.concatenate(blocks) if blocks else np.array([], dtype=int)
        for person, place in zip(here, order, strict=False):
            arms[int(person)] = _BLOCK[int(place)]
    return arms


def _therapists(rng: np.random.Generator, sites: IntArray, arms: list[Arm]) -> tuple[np.ndarray, FloatArray]:
    """Clinicians, each of one site and one arm, and their effects; usual care has none."""
    names: dict[tuple[int, Arm, int], str] = {}
    for site in range(_SITES):
        for arm in _BLOCK:
            for number in range(_CLINICIANS[arm]):
                names[site, arm, number] = f"T{len(names) + 1:02d}"
    effects = dict(zip(names.values(), rng.normal(0, _THERAPIST_SD, size=len(names)), strict=True))
    chosen = [
        names[int(site), arm, int(rng.integers(_CLINICIANS[arm]))] if _CLINICIANS[arm] else None
        for site, arm in zip(sites, arms, strict=True)
    ]
    effect = np.array([0.0 if name is None else effects[name] for name in chosen])
    return np.array(chosen, dtype=object), effect


def _severity(
    rng: np.random.Generator, arms: list[Arm], area: IntArray, therapist: FloatArray, sites: IntArray
) -> FloatArray:
    """Severity on the scale of PHQ-9 without error of measurement, shape (n, weeks)."""
    n = len(arms)
    start = rng.normal(_BASELINE, _BASELINE_SD, size=n) + rng.normal(0, _SITE_SD, size=_SITES)[sites]
    change = np.array([_CHANGE[arm] for arm in arms]) + AREA_CHANGE[area] + therapist
    is_ipt = np.array([arm is Arm.IPT for arm in arms])
    change = change + np.where(is_ipt, _IPT_BY_AREA[area], 0.0) + rng.normal(0, _CHANGE_SD, size=n)
    # The worse somebody is, the more there is to gain.
    change = change - 0.25 * (start - _BASELINE)
    share = (np.arange(WEEKS + 1) / WEEKS) ** _CURVE
    return np.asarray(start[:, None] + change[:, None] * share)


def _last_weeks(rng: np.random.Generator, phq9: FloatArray) -> IntArray:
    """Week of each person's last visit: leaving depends on the last score that was seen, and on nothing else."""
    last = np.full(len(phq9), WEEKS)
    here = np.ones(len(phq9), dtype=bool)
    for week in range(WEEKS):
        leaves = here & (
            rng.random(len(phq9)) < chance(_LEAVING + _LEAVING_PER_POINT * (phq9[:, week] - _MIDDLE_SCORE))
        )
        last[leaves] = week
        here &= ~leaves
    return last


def _area_columns(
    rng: np.random.Generator, areas: Areas, area: IntArray, arms: list[Arm], last_week: IntArray
) -> dict[str, object]:
    names = np.array([AREAS[place].value for place in area], dtype=object)
    before = -rng.integers(0, 15, size=len(area)).astype(float)
    # Session 2 is held a week after session 1, session 3 two weeks after it, give or take two days.
    session = rng.integers(2, 4, size=len(area))
    after = 7.0 * (session - 1) + rng.integers(0, 3, size=len(area))
    if areas == "baseline":
        return {"problem_area": names, "area_set_day": whole_column(before).array}
    is_ipt = np.array([arm is Arm.IPT for arm in arms])
    stayed = is_ipt & (7 * last_week >= after)
    chosen = np.where(stayed, names, ProblemArea.NONE_SET.value)
    chosen[~is_ipt] = None
    return {"problem_area": chosen, "area_set_day": whole_column(np.where(stayed, after, np.nan)).array}


def _one_row_per_visit(people: pd.DataFrame, last_week: IntArray, scores: dict[str, FloatArray]) -> pd.DataFrame:
    person = np.repeat(np.arange(len(people)), last_week + 1)
    week = np.concatenate([np.arange(last + 1) for last in last_week])
    table = people.iloc[person].reset_index(drop=True)
    table["week"] = week
    for name, values in scores.items():
        table[name] = whole_column(values[person, week])
    return table
