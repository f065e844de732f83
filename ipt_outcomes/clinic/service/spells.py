"""Remission, and what follows it: how long it lasts, recovery, relapse and recurrence, and the time to each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.clinic.change import Better
from ipt_outcomes.clinic.service.timed import timed_scores
from ipt_outcomes.effects.proportions import is_number
from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.results import Provenance, ResultObject
from ipt_outcomes.survival import KaplanMeier, kaplan_meier

EVENTS = ("remission", "sustained_remission", "relapse", "recurrence")
"""Events whose time can be asked for with `Spells.time_to`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spells(ResultObject):
    """Remission of each person and what followed.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row per person: id, ``first_day last_day`` (of scores), ``ill_at_start``, ``remission_day``,
        ``sustained_day`` (on which the remission had lasted long enough), ``recovery_day``, ``relapse_day`` (the
        first score at or beyond the limit after remission and before recovery), ``recurrence_day`` (after recovery);
        missing where it did not happen.
    remission, relapse : float
        Limits as used, in points.
    sustained_days, recovery_days : int
    better : str
    provenance : Provenance
    """

    rows: pd.DataFrame
    remission: float
    relapse: float
    sustained_days: int
    recovery_days: int
    better: str
    provenance: Provenance

    def to_frame(self) -> pd.DataFrame:
        """Return `rows`."""
        return self.rows.copy()

    def time_to(self, event: str, *, group: pd.Series | None = None, level: float = 0.95) -> KaplanMeier:
        """Return the Kaplan-Meier curve of the time to an event.

        Parameters
        ----------
        event : {"remission", "sustained_remission", "relapse", "recurrence"}
            Remissions count from the first score of people ill at the start; relapse from remission; recurrence from
            recovery.
        group : pandas.Series, optional
            Group of each person, by id.
        level : float

        Returns
        -------
        KaplanMeier
            An event is known to have happened by the day of the score that showed it; whoever had none is followed up
            to the last score.

        Raises
        ------
        OptionError
            `event` is not one of them.
        DesignError
            Nobody is at risk of it.
        """
        require_choice("event", event, EVENTS)
        start, end, at_risk = {
            "remission": ("first_day", "remission_day", self.rows["ill_at_start"]),
            "sustained_remission": ("first_day", "sustained_day", self.rows["ill_at_start"]),
            "relapse": ("remission_day", "relapse_day", self.rows["remission_day"].notna()),
            "recurrence": ("recovery_day", "recurrence_day", self.rows["recovery_day"].notna()),
        }[event]
        people = self.rows[at_risk]
        # Relapse is over as a risk once somebody has recovered.
        stop = people["last_day"]
        if event == "relapse":
            stop = people["recovery_day"].fillna(stop)
        time = (people[end].fillna(stop) - people[start]).clip(lower=0)
        groups = None if group is None else group.reindex(people.iloc[:, 0]).to_numpy()
        return kaplan_meier(time, people[end].notna().to_numpy(), group=groups, level=level)

    def summary(self, digits: int = 1) -> str:
        """Return how many people reached what."""
        ill = self.rows["ill_at_start"]
        counted = [
            ("ill at the start", int(ill.sum())),
            ("in remission", int(self.rows["remission_day"].notna().sum())),
            (f"for at least {self.sustained_days} days", int(self.rows["sustained_day"].notna().sum())),
            ("relapsed", int(self.rows["relapse_day"].notna().sum())),
            ("recurred", int(self.rows["recurrence_day"].notna().sum())),
        ]
        return f"{len(self.rows)} people: " + ", ".join(f"{count} {what}" for what, count in counted) + "."


def remission_and_relapse(
    data: pd.DataFrame,
    *,
    remission: float,
    relapse: float,
    better: Better,
    id: str = "patient_id",
    day: str = "day",
    value: str = "value",
    sustained_days: int = 56,
    recovery_days: int = 120,
) -> Spells:
    """Find remission, sustained remission, recovery, relapse and recurrence in scores over time.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per person and score, treatment and maintenance together.
    remission : float
        A score at or on the good side of it is in remission (PHQ-9: 4).
    relapse : float
        A score at or on the bad side of it is an episode (PHQ-9: 10).
    better : {"lower", "higher"}
    id, day, value : str
        Columns of the person, the day and the score.
    sustained_days : int
        Days from the first to some later score, all in remission, that make a remission sustained (8 weeks).
    recovery_days : int
        Days without an episode from the start of a remission that make a recovery (4 months).

    Returns
    -------
    Spells

    Raises
    ------
    DesignError
        As `timed_scores`: columns, scores or days that cannot be used.
    OptionError
        The limit of relapse is not on the bad side of that of remission; days are not above 0.

    Notes
    -----
    Ill at the start: the first score at or beyond the limit of relapse. A score between the two limits ends no
    remission, but does not prolong a sustained one. A relapse is the first episode after the first remission and
    before recovery, a recurrence the first one after it. What happens between two scores is not known: days are those
    of the scores.

    References
    ----------
    Rush et al. (2006), Neuropsychopharmacology 31:1841-1853, doi:10.1038/sj.npp.1301131.
    Frank et al. (1991), Arch Gen Psychiatry 48:851-855, doi:10.1001/archpsyc.1991.01810330075011.

    Examples
    --------
    >>> import pandas as pd
    >>> scores = pd.DataFrame({"patient_id": 1, "day": [0, 60, 90, 150], "value": [18, 4, 3, 12]})
    >>> remission_and_relapse(scores, remission=4, relapse=10, better="lower").rows["relapse_day"].tolist()
    [150.0]
    """
    require_choice("better", better, ("lower", "higher"))
    sign = 1.0 if better == "lower" else -1.0
    if not (is_number(remission) and is_number(relapse)) or not sign * relapse > sign * remission:
        raise OptionError("the limit of relapse must be a score on the bad side of that of remission")
    for name, days in (("sustained_days", sustained_days), ("recovery_days", recovery_days)):
        if not is_number(days) or not 0 < days < np.inf:
            raise OptionError(f"{name} must be a number of days above 0; got {days!r}")
    scores = timed_scores(data, id=id, day=day, value=value)
    rows = []
    for person, mine in scores.groupby("id", sort=False):
        times, values = mine["day"].to_numpy(), sign * mine["value"].to_numpy()
        found = _spell(times, values, sign * remission, sign * relapse, sustained_days, recovery_days)
        rows.append({id: person, "first_day": times[0], "last_day": times[-1], **found})
    columns = ["ill_at_start", "remission_day", "sustained_day", "recovery_day", "relapse_day", "recurrence_day"]
    options = {"remission": remission, "relapse": relapse, "better": better}
    return Spells(
        rows=pd.DataFrame(rows, columns=[id, "first_day", "last_day", *columns]),
        remission=float(remission),
        relapse=float(relapse),
        sustained_days=int(sustained_days),
        recovery_days=int(recovery_days),
        better=better,
        provenance=Provenance(
            function="clinic.remission_and_relapse",
            options={**options, "sustained_days": sustained_days, "recovery_days": recovery_days},
        ),
    )


def _spell(
    day: np.ndarray, score: np.ndarray, remission: float, relapse: float, sustained: float, recovery: float
) -> dict[str, object]:
    """Return what happened to one person; lower scores are better here."""
    well, episode = score <= remission, score >= relapse
    found: dict[str, object] = {"ill_at_start": bool(episode[0])}
    names = ("remission_day", "sustained_day", "recovery_day", "relapse_day", "recurrence_day")
    found |= dict.fromkeys(names, np.nan)
    if not well.any():
        return found
    start = int(np.argmax(well))
    found["remission_day"] = float(day[start])
    found["sustained_day"] = _lasting(day, well, sustained)
    later = np.flatnonzero(episode & (np.arange(day.size) > start))
    first_episode = float(day[later[0]]) if later.size else np.inf
    recovered = day[(day >= day[start] + recovery) & (day < first_episode)]
    if not recovered.size:
        found["relapse_day"] = first_episode if later.size else np.nan
        return found
    found["recovery_day"] = float(recovered[0])
    found["recurrence_day"] = first_episode if later.size else np.nan
    return found


def _lasting(day: np.ndarray, well: np.ndarray, sustained: float) -> float:
    """Return the first day on which scores in a row had been in remission for so long."""
    began = np.nan
    for time, is_well in zip(day, well, strict=True):
        if not is_well:
            began = np.nan
        elif np.isnan(began):
            began = float(time)
        elif time - began >= sustained:
            return float(time)
    return np.nan
