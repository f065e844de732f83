"""The score expected of a person of this area and severity at this week, from a mixed model of all courses."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ipt_outcomes.errors import IptError
from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.mixed import lmm

# Central interval within which most people are: above it is one in ten.
_SHARE = 0.8
_FEWEST_COURSES = 30


def expected_scores(
    cohort: Cohort, name: str, frame: pd.DataFrame, scores: pd.DataFrame, better: str, notes: list[str]
) -> pd.DataFrame | None:
    """Return what is expected at each course's last score.

    Parameters
    ----------
    cohort : Cohort
    name : str
        Of the instrument.
    frame : pandas.DataFrame
        Courses, by ``episode_id``.
    scores : pandas.DataFrame
        ``episode_id time value`` in order of time, all courses.
    better : str
    notes : list of str
        Gets why no model could be fitted.

    Returns
    -------
    pandas.DataFrame or None
        By ``episode_id``: ``expected expected_low expected_high``, the mean and the 80% interval of people.

    Notes
    -----
    ``value ~ first + time * area + (1 + time | episode)``, later scores only; intervals hold the variances of people
    and of single scores, not the error of the coefficients. For whole points the ends are not rounded.
    """
    later = _later(cohort, scores)
    if later["episode_id"].nunique() < _FEWEST_COURSES or later["time"].nunique() < 3:
        notes.append("Too few courses with scores over time to say what is expected.")
        return None
    formula = "value ~ first + time" + (" * area" if later["area"].nunique() > 1 else "") + " + (1 + time | episode_id)"
    try:
        fit = lmm(formula, later, df="normal")
    except IptError:
        notes.append("The model of the expected course could not be fitted.")
        return None
    rows = later.iloc[fit.design.rows].assign(expected=fit.predict(random=False))
    spread = _spread(fit.random, rows["time"].to_numpy(dtype=float), fit.sigma)
    half = float(ndtri((1 + _SHARE) / 2)) * spread
    rows = rows.assign(expected_low=rows["expected"] - half, expected_high=rows["expected"] + half)
    last = rows.groupby("episode_id")[["expected", "expected_low", "expected_high"]].last()
    return last.reindex(frame.index)


def _later(cohort: Cohort, scores: pd.DataFrame) -> pd.DataFrame:
    area = cohort.episodes.set_index("episode_id").get("problem_area_primary")
    first = scores.groupby("episode_id")["value"].transform("first")
    rank = scores.groupby("episode_id").cumcount()
    later = scores.assign(first=first)[rank > 0][["episode_id", "time", "value", "first"]]
    known = None if area is None else area.astype("string").fillna("unknown").reindex(later["episode_id"]).to_numpy()
    return later.assign(area="all" if known is None else known).reset_index(drop=True)


def _spread(random: pd.DataFrame, time: np.ndarray, sigma: float) -> np.ndarray:
    """SD of a score of a person not yet known, at each time."""
    variances = {(row["term1"], row["term2"]): row["variance_or_cov"] for row in random.to_dict("records")}
    level = next((v for (one, two), v in variances.items() if one == "(Intercept)" and not two), 0.0)
    slope = next((v for (one, two), v in variances.items() if one == "time" and not two), 0.0)
    both = next((v for (_, two), v in variances.items() if two), 0.0)
    return np.asarray(np.sqrt(np.maximum(level + 2 * time * both + time**2 * slope, 0.0) + sigma**2))
