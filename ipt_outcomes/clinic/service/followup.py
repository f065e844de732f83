"""Remission or response of depression in a window of follow-up, as health plans report it (HEDIS DRR-E)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.clinic.service.rates import rate_rows
from ipt_outcomes.clinic.service.timed import timed_scores
from ipt_outcomes.errors import OptionError
from ipt_outcomes.results import Provenance, ResultObject

# Definitions of the measure for the PHQ-9.
ELEVATED, REMISSION, RESPONSE = 9, 5, 0.5
WINDOW = (120, 240)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp(ResultObject):
    """Remission and response in a window of follow-up.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row per person: the id, ``first`` (the first elevated score; the first score where none is),
        ``in_denominator``, ``last`` (the most recent score in the window; missing where there is none), ``followup``,
        ``remission``, ``response``.
    rates : pandas.DataFrame
        ``rate numerator denominator percent ci_low ci_high`` of everyone with an elevated score: without a score in
        the window somebody counts as not followed up, not in remission and without response.
    window : tuple of int
        Days after the first elevated score, both inclusive.
    level : float
    provenance : Provenance
    """

    rows: pd.DataFrame
    rates: pd.DataFrame
    window: tuple[int, int]
    level: float
    provenance: Provenance

    def to_frame(self) -> pd.DataFrame:
        """Return the rates."""
        return self.rates.copy()

    def summary(self, digits: int = 1) -> str:
        """Return the rates, one line each."""
        return "\n".join(
            f"{row['rate']}: {row['numerator']} of {row['denominator']}, {row['percent']:.{digits}f}%"
            for row in self.rates.to_dict("records")
        )


def depression_remission_or_response(
    data: pd.DataFrame,
    *,
    id: str = "patient_id",
    day: str = "day",
    value: str = "value",
    window: tuple[int, int] = WINDOW,
    level: float = 0.95,
) -> FollowUp:
    """Remission and response of depression 4 to 8 months after an elevated PHQ-9.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per person and score of the PHQ-9; rows without a score are left out.
    id, day, value : str
        Columns of the person, the day (from any start, the same within a person) and the score.
    window : tuple of int
        First and last day of the window, counted from the first elevated score.
    level : float
        Confidence level of the Wilson intervals.

    Returns
    -------
    FollowUp

    Raises
    ------
    DesignError
        A column is missing, a score has no day, a score is not from 0 to 27, or two scores are of one day.
    OptionError
        The window or the level is out of its range.

    Notes
    -----
    In the denominator is whoever has a score above 9, from the first such score on. Of the scores 120 to 240 days after
    it the most recent counts: remission below 5, response at least half lower than the elevated score. The full
    measure also asks for a diagnosis, an age of 12 or more and membership of a plan; the threshold of 9 was not seen in
    the published specification itself.

    References
    ----------
    National Committee for Quality Assurance, HEDIS measure Depression Remission or Response for Adolescents and Adults
    (DRR-E).

    Examples
    --------
    >>> import pandas as pd
    >>> scores = pd.DataFrame({"patient_id": [1, 1], "day": [0, 150], "value": [18, 4]})
    >>> depression_remission_or_response(scores).rates["numerator"].tolist()
    [1, 1, 1]
    """
    first_day, last_day = window
    if not 0 < first_day <= last_day:
        raise OptionError(f"window must be two days after the first score, in order; got {window!r}")
    scores = timed_scores(data, id=id, day=day, value=value, lowest=0, highest=27)
    people = pd.Index(scores["id"].unique())
    elevated = scores[scores["value"] > ELEVATED].groupby("id", sort=False).first()
    start = scores.groupby("id", sort=False).first()
    first = elevated["value"].reindex(people).fillna(start["value"].reindex(people))
    began = elevated["day"].reindex(people).fillna(start["day"].reindex(people))
    since = scores["day"].to_numpy() - began.reindex(scores["id"]).to_numpy()
    inside = scores[(since >= first_day) & (since <= last_day)]
    last = inside.groupby("id", sort=False)["value"].last().reindex(people)
    there = last.notna().to_numpy()
    remission = (last < REMISSION).to_numpy() & there
    response = (last <= RESPONSE * first).to_numpy() & there
    counts = np.isin(people, elevated.index)
    rates = rate_rows(
        (("followup", there, counts), ("remission", remission, counts), ("response", response, counts)), level
    )
    rows = pd.DataFrame({id: people, "first": first.to_numpy(), "in_denominator": counts, "last": last.to_numpy()})
    return FollowUp(
        rows=rows.assign(followup=there, remission=remission, response=response),
        rates=rates,
        window=(int(first_day), int(last_day)),
        level=level,
        provenance=Provenance(
            function="clinic.depression_remission_or_response", options={"window": list(window), "level": level}
        ),
    )
