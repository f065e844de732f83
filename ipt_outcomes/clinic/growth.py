"""Reliable change from all scores of a person: is the person's own slope other than no change?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ipt_outcomes.clinic.change import DETERIORATED, IMPROVED, UNCHANGED, Better, counted
from ipt_outcomes.clinic.service.timed import timed_scores
from ipt_outcomes.effects.proportions import check_level
from ipt_outcomes.errors import DesignError, require_choice
from ipt_outcomes.mixed import lmm
from ipt_outcomes.results import Provenance, ResultObject

_FEWEST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthChange(ResultObject):
    """Slope of each person from a growth model.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row per person: id, ``n`` (scores), ``slope`` (points per unit of time: the mean slope with the person's
        own deviation), ``se`` (of that sum, as a prediction), ``index`` (slope over se), ``category``.
    mean_slope, sd_slope : float
        Of all people, and between them.
    limit : float
        An index strictly beyond this, either way, is a reliable change.
    provenance : Provenance
    """

    rows: pd.DataFrame
    mean_slope: float
    sd_slope: float
    limit: float
    provenance: Provenance

    def to_frame(self) -> pd.DataFrame:
        """Return `rows`."""
        return self.rows.copy()

    def summary(self, digits: int = 2) -> str:
        """Return the mean slope and how many people are in each category."""
        spread = f"mean slope {self.mean_slope:.{digits}f}, SD between people {self.sd_slope:.{digits}f}"
        return f"Growth model, {spread}; index beyond {self.limit:.2f}: {counted(self.rows['category'].to_numpy())}."


def growth_change(
    data: pd.DataFrame,
    *,
    better: Better,
    id: str = "patient_id",
    week: str = "week",
    value: str = "value",
    level: float = 0.95,
) -> GrowthChange:
    """Judge each person by the slope of all their scores.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per person and score; rows without a score are left out.
    better : {"lower", "higher"}
        Which end of the scale is the good one.
    id, week, value : str
        Columns of the person, the time and the score.
    level : float
        Confidence level of the limit.

    Returns
    -------
    GrowthChange

    Raises
    ------
    DesignError
        A column is missing, scores cannot be used, or fewer than 3 people have 3 scores.
    ConvergenceError
        The model has no answer.

    Notes
    -----
    Model: ``value ~ week + (week | person)`` by REML. The index tests the person's own slope, mean and deviation
    together, against 0, with its standard error of prediction; a test of the deviation alone, as some packages give it,
    calls people deteriorated who improved by less than the average. People with one score have the mean slope, pulled
    towards it wholly, and a wide error.

    References
    ----------
    Speer & Greenbaum (1995), J Consult Clin Psychol 63:1044-1048, doi:10.1037/0022-006X.63.6.1044.
    Henderson (1975), Biometrics 31:423-447, doi:10.2307/2529430 (error of prediction).

    Examples
    --------
    >>> from ipt_outcomes.simulate import trial
    >>> frame = trial(60, seed=1).outcome("phq9", include_baseline=True)
    >>> growth_change(frame, better="lower").rows["category"].isin(["improved", "unchanged", "deteriorated"]).all()
    np.True_
    """
    require_choice("better", better, ("lower", "higher"))
    check_level(level)
    scores = timed_scores(data, id=id, day=week, value=value).rename(columns={"day": "time"})
    if (scores["id"].value_counts() >= _FEWEST).sum() < _FEWEST:
        raise DesignError(f"expected at least {_FEWEST} people with {_FEWEST} scores: fewer give no slopes")
    scores["person"] = pd.factorize(scores["id"])[0]
    fit = lmm("value ~ time + (time | person)", scores, df="normal")
    covariance = fit.sigma**2 * fit.relative_factors()[0] @ fit.relative_factors()[0].T
    slopes = _slopes(scores, fit.fixed["estimate"].to_numpy(dtype=float), np.asarray(fit.vcov), covariance, fit.sigma)
    limit = float(ndtri((1 + level) / 2))
    index = slopes["slope"] / slopes["se"]
    gain = index if better == "higher" else -index
    category = np.select([gain > limit, gain < -limit], [IMPROVED, DETERIORATED], default=UNCHANGED)
    people = scores.drop_duplicates("person")["id"].to_numpy()
    rows = pd.DataFrame({id: people, **slopes, "index": index, "category": category})
    return GrowthChange(
        rows=rows,
        mean_slope=float(fit.fixed["estimate"].iloc[1]),
        sd_slope=float(np.sqrt(covariance[1, 1])),
        limit=limit,
        provenance=Provenance(function="clinic.growth_change", options={"better": better, "level": level}),
    )


def _slopes(
    scores: pd.DataFrame, beta: np.ndarray, of_beta: np.ndarray, covariance: np.ndarray, sigma: float
) -> dict[str, np.ndarray]:
    """Each person's slope and its error of prediction: design of the fixed and of the random part is the same."""
    starts = np.flatnonzero(np.diff(scores["person"].to_numpy(), prepend=-1))
    times = np.split(scores["time"].to_numpy(dtype=float), starts[1:])
    values = np.split(scores["value"].to_numpy(dtype=float), starts[1:])
    slope, se = np.empty(len(times)), np.empty(len(times))
    for place, (time, value) in enumerate(zip(times, values, strict=True)):
        z = np.column_stack([np.ones(time.size), time])
        v = z @ covariance @ z.T + sigma**2 * np.eye(time.size)
        gain = covariance @ z.T @ np.linalg.inv(v)
        deviation = gain @ (value - z @ beta)
        # What the mean explains of a person is lost to the deviation: the rest of the mean stays.
        rest = np.eye(2) - gain @ z
        error = rest @ of_beta @ rest.T + covariance - gain @ z @ covariance
        slope[place], se[place] = beta[1] + deviation[1], np.sqrt(max(error[1, 1], 0.0))
    return {"n": np.array([time.size for time in times]), "slope": slope, "se": se}
