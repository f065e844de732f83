"""Sudden gains and sudden losses: large, stable shifts of the score from one session to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import t as student

from ipt_outcomes.clinic.change import Better
from ipt_outcomes.clinic.session_scores import SessionScores, session_scores
from ipt_outcomes.effects.proportions import is_number
from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.results import Provenance, ResultObject, plural

CriticalValue = Literal["adjusted", "fixed"]

# Two of three sessions on each side are what the third criterion needs at least.
_NEEDED = 2
# Critical value of t with 3 + 3 - 2 degrees of freedom, as Tang and DeRubeis printed it.
_FIXED = 2.776


@dataclass(frozen=True, slots=True, kw_only=True)
class SuddenGains(ResultObject):
    """Intervals judged, and the sudden gains (or losses) among them.

    Parameters
    ----------
    intervals : pandas.DataFrame
        One row per person and interval from session n to the next: id and session columns (n), ``criterion_1``,
        ``criterion_2``, ``criterion_3``, ``gain`` (nullable booleans; missing where a score it needs is missing).
    gains : pandas.DataFrame
        One row per gain: id and session columns (n), ``magnitude`` (points towards the good end; for losses away from
        it), ``total_change`` (from the first session of the data to the person's last score), ``proportion``
        (magnitude over total change), ``reversal_value`` (the score at which half of the shift is lost again),
        ``reversal`` (whether a later score is strictly beyond it).
    n_people : int
        People with at least one interval on which all three criteria could be judged.
    cut : float
        Points of the first criterion.
    kind : str
        ``"gain"`` or ``"loss"``.
    provenance : Provenance
    """

    intervals: pd.DataFrame
    gains: pd.DataFrame
    n_people: int
    cut: float
    kind: str
    provenance: Provenance

    def to_frame(self) -> pd.DataFrame:
        """Return `gains`."""
        return self.gains.copy()

    def summary(self, digits: int = 2) -> str:
        """Return how many there are, of how many people, by which cut."""
        people = self.gains.iloc[:, 0].nunique()
        reversed_ = int(self.gains["reversal"].sum())
        size = f", mean magnitude {self.gains['magnitude'].mean():.{digits}f} points" if len(self.gains) else ""
        names = ("gain", "gains") if self.kind == "gain" else ("loss", "losses")
        return (
            f"{len(self.gains)} sudden {plural(len(self.gains), *names)} in {people} of {self.n_people} "
            f"{plural(self.n_people, 'person', 'people')} who could be judged (at least {self.cut:g} points){size}; "
            f"{reversed_} reversed."
        )


def sudden_gains(
    data: pd.DataFrame,
    *,
    id: str = "patient_id",
    session: str = "session_no",
    value: str = "value",
    better: Better,
    cut: float,
    percent: float = 0.25,
    critical_value: CriticalValue | None = "adjusted",
    week: str | None = None,
    max_weeks: float | None = None,
) -> SuddenGains:
    """Sudden gains by the three criteria of Tang and DeRubeis.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per person and session; a session without a row, or with a missing score, is a missing session.
    id, session, value : str
        Columns of the person, the whole number of the session, and the score.
    better : {"lower", "higher"}
        Which end of the scale is the good one.
    cut : float
        Points the score must move at least (criterion 1): `gain_cut` works one out of the scale's reliability.
    percent : float
        Share of the score before that the shift must reach at least (criterion 2), above 0 and below 1.
    critical_value : {"adjusted", "fixed"} or None
        Criterion 3: the mean of up to three scores up to the shift and the mean of up to three after it differ by more
        than this many pooled SDs. ``"adjusted"``: the t quantile for the scores there are; ``"fixed"``: 2.776 however
        many; None leaves the criterion out.
    week : str, optional
        Column of the week (or day / 7) of each session, for `max_weeks`.
    max_weeks : float, optional
        An interval longer than this is not judged: what happened within it is no sudden shift.

    Returns
    -------
    SuddenGains

    Raises
    ------
    DesignError
        A column is missing; sessions are no whole numbers; a person has two rows for one session; a score is no
        number; fewer than four sessions.
    OptionError
        An option is out of its range.

    Notes
    -----
    The interval from session n to n + 1 is judged by the sessions n-2 to n and n+1 to n+3, at least two scores on each
    side; so the first interval is the one after the second session, the last ends two sessions before the end. An
    interval of which a criterion cannot be judged is missing, never "no gain". The pooled SD carries no factor for the
    number of scores, as in the original. A reversal is a later score strictly beyond the value at which half of the
    gain is lost. A change from the first session is missing for a person without a score there.

    References
    ----------
    Tang & DeRubeis (1999), J Consult Clin Psychol 67:894-904, doi:10.1037/0022-006X.67.6.894.
    Wiedemann et al. (2020), PLoS ONE 15:e0230276, doi:10.1371/journal.pone.0230276.

    Examples
    --------
    >>> import pandas as pd
    >>> scores = pd.DataFrame({"patient_id": "a", "session_no": range(1, 8), "value": [20, 21, 20, 11, 10, 11, 10]})
    >>> sudden_gains(scores, better="lower", cut=7).gains[["session_no", "magnitude"]].to_dict("records")
    [{'session_no': 3, 'magnitude': 9.0}]
    """
    options = _options(better, cut, percent, critical_value, week, max_weeks)
    scores = session_scores(data, id=id, session=session, value=value, week=week)
    return _shifts(scores, "gain", options, max_weeks)


def sudden_losses(
    data: pd.DataFrame,
    *,
    id: str = "patient_id",
    session: str = "session_no",
    value: str = "value",
    better: Better,
    cut: float,
    percent: float = 0.25,
    critical_value: CriticalValue | None = "adjusted",
    week: str | None = None,
    max_weeks: float | None = None,
) -> SuddenGains:
    """Sudden losses: the mirror of `sudden_gains`, with a second criterion that is one.

    Parameters
    ----------
    data, id, session, value, better, cut, percent, critical_value, week, max_weeks
        As in `sudden_gains`; the score must move `cut` points and the share `percent` away from the good end.

    Returns
    -------
    SuddenGains
        With ``kind`` ``"loss"``; `gains` lists the losses.

    Raises
    ------
    DesignError, OptionError
        As in `sudden_gains`.

    Notes
    -----
    The second criterion asks for a worsening of at least `percent` of the score before. The R package suddengains
    (0.7.2) asks at its defaults for a change of at most +25%, which nearly every interval has; its value -0.25 gives
    what is computed here.

    References
    ----------
    Lutz et al. (2013), Psychother Res 23:14-24, doi:10.1080/10503307.2012.693837.
    """
    options = _options(better, cut, percent, critical_value, week, max_weeks)
    scores = session_scores(data, id=id, session=session, value=value, week=week)
    return _shifts(scores, "loss", options, max_weeks)


def sudden_gains_by_cut(
    data: pd.DataFrame,
    cuts: Sequence[float],
    *,
    id: str = "patient_id",
    session: str = "session_no",
    value: str = "value",
    better: Better,
    percent: float = 0.25,
    critical_value: CriticalValue | None = "adjusted",
) -> pd.DataFrame:
    """How the number of sudden gains depends on the cut of the first criterion.

    Parameters
    ----------
    data, id, session, value, better, percent, critical_value
        As in `sudden_gains`.
    cuts : sequence of float
        Points to try.

    Returns
    -------
    pandas.DataFrame
        One row per cut: ``cut n_gains n_people n_reversals``.

    Raises
    ------
    DesignError, OptionError
        As in `sudden_gains`.
    """
    scores = session_scores(data, id=id, session=session, value=value)
    rows = []
    for cut in cuts:
        options = _options(better, cut, percent, critical_value, None, None)
        gains = _shifts(scores, "gain", options, None).gains
        rows.append(
            {
                "cut": float(cut),
                "n_gains": len(gains),
                "n_people": int(gains[id].nunique()),
                "n_reversals": int(gains["reversal"].sum()),
            }
        )
    return pd.DataFrame(rows, columns=["cut", "n_gains", "n_people", "n_reversals"])


def gain_cut(sd: float, reliability: float) -> float:
    """Points of the first criterion as the reliable change of the scale: 1.96 standard errors of a difference.

    Parameters
    ----------
    sd : float
        Standard deviation of the scores, in points, above 0.
    reliability : float
        Reliability of the scale, from 0 to below 1.

    Returns
    -------
    float
        ``1.96 sd sqrt(2 (1 - reliability))``.

    Raises
    ------
    DesignError
        A number is out of its range.

    References
    ----------
    Stiles et al. (2003), J Consult Clin Psychol 71:14-21, doi:10.1037/0022-006X.71.1.14.

    Examples
    --------
    >>> round(gain_cut(10.5, 0.931), 3)
    7.645
    """
    if not is_number(sd) or not 0 < sd < np.inf:
        raise DesignError(f"sd must be a number above 0; got {sd!r}")
    if not is_number(reliability) or not 0 <= reliability < 1:
        raise DesignError(f"reliability must be from 0 to below 1; got {reliability!r}")
    return float(1.96 * np.sqrt(2) * sd * np.sqrt(1 - reliability))


def _options(
    better: str, cut: float, percent: float, critical_value: str | None, week: str | None, max_weeks: float | None
) -> dict[str, object]:
    require_choice("better", better, ("lower", "higher"))
    if critical_value is not None:
        require_choice("critical_value", critical_value, ("adjusted", "fixed"))
    if not is_number(cut) or not 0 < cut < np.inf:
        raise OptionError(f"cut must be a number of points above 0; got {cut!r}")
    if not is_number(percent) or not 0 < percent < 1:
        raise OptionError(f"percent must be a share above 0 and below 1 (0.25 for a quarter); got {percent!r}")
    if max_weeks is not None and (week is None or not is_number(max_weeks) or not max_weeks > 0):
        raise OptionError("max_weeks must be a number above 0, and needs week, the column of each session's week")
    return {"better": better, "cut": float(cut), "percent": float(percent), "critical_value": critical_value}


def _shifts(scores: SessionScores, kind: str, options: dict[str, object], max_weeks: float | None) -> SuddenGains:
    # One sign for all scales and both kinds: in `shift` a large positive value is what is looked for.
    sign = (1.0 if options["better"] == "lower" else -1.0) * (1.0 if kind == "gain" else -1.0)
    values = scores.values
    before, after = values[:, 1:-2], values[:, 2:-1]
    shift = sign * (before - after)
    cut, percent = float(str(options["cut"])), float(str(options["percent"]))
    judged = ~np.isnan(shift)
    if max_weeks is not None and scores.weeks is not None:
        judged &= scores.weeks[:, 2:-1] - scores.weeks[:, 1:-2] <= max_weeks
    steady, known = _stable(values, sign, options["critical_value"])
    criteria = [
        _nullable(shift >= cut, judged),
        _nullable(shift >= percent * np.abs(before), judged),
        _nullable(steady, known),
    ]
    if options["critical_value"] is None:
        criteria[2] = pd.array(np.full(shift.size, pd.NA), dtype="boolean")
    whole = judged if options["critical_value"] is None else judged & known
    hit = whole & (shift >= cut) & (shift >= percent * np.abs(before)) & steady
    people, sessions = scores.people, scores.sessions[1:-2]
    intervals = pd.DataFrame(
        {
            scores.id: np.repeat(people, len(sessions)),
            scores.session: np.tile(sessions, len(people)),
            **{f"criterion_{number}": column for number, column in enumerate(criteria, 1)},
            "gain": _nullable(hit, whole),
        }
    )
    return SuddenGains(
        intervals=intervals,
        gains=_gains(scores, hit, shift, sign),
        n_people=int(whole.any(axis=1).sum()),
        cut=cut,
        kind=kind,
        provenance=Provenance(
            function=f"clinic.sudden_{'gains' if kind == 'gain' else 'losses'}",
            options={**options, "max_weeks": max_weeks},
        ),
    )


def _stable(values: np.ndarray, sign: float, critical_value: object) -> tuple[np.ndarray, np.ndarray]:
    """Judge the third criterion for every interval: its answers, and where it can be judged."""
    n_people, n_sessions = values.shape
    steady = np.zeros((n_people, n_sessions - 3), dtype=bool)
    known = np.zeros_like(steady)
    for column, end in enumerate(range(2, n_sessions - 1)):
        n_pre, mean_pre, squares_pre = _moments(values[:, max(end - 3, 0) : end])
        n_post, mean_post, squares_post = _moments(values[:, end : end + 3])
        df = n_pre + n_post - 2
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.sqrt((squares_pre + squares_post) / df)
            critical = _FIXED if critical_value == "fixed" else student.ppf(0.975, np.where(df > 0, df, np.nan))
            steady[:, column] = sign * (mean_pre - mean_post) > critical * spread
        known[:, column] = (n_pre >= _NEEDED) & (n_post >= _NEEDED)
    if critical_value is None:
        steady[:] = True
    return steady, known


def _moments(block: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return count, mean and sum of squares about the mean of each row, missing scores left out."""
    there = ~np.isnan(block)
    count = there.sum(axis=1)
    with np.errstate(invalid="ignore"):
        mean = np.where(there, block, 0.0).sum(axis=1) / np.where(count > 0, count, np.nan)
    return count, mean, (np.where(there, block - mean[:, None], 0.0) ** 2).sum(axis=1)


def _gains(scores: SessionScores, hit: np.ndarray, shift: np.ndarray, sign: float) -> pd.DataFrame:
    person, column = np.nonzero(hit)
    values = scores.values
    magnitude = shift[person, column]
    value_after = values[person, column + 2]
    last = np.array([row[~np.isnan(row)][-1] for row in values[person]], dtype=float)
    total = sign * (values[person, 0] - last)
    half = value_after + sign * magnitude / 2
    later = [sign * values[row, start:] for row, start in zip(person, column + 3, strict=True)]
    back = [bool(np.any(rest[~np.isnan(rest)] > sign * limit)) for rest, limit in zip(later, half, strict=True)]
    with np.errstate(divide="ignore", invalid="ignore"):
        proportion = np.where(total == 0, np.nan, magnitude / total)
    return pd.DataFrame(
        {
            scores.id: scores.people[person],
            scores.session: scores.sessions[column + 1],
            "magnitude": magnitude,
            "total_change": total,
            "proportion": proportion,
            "reversal_value": half,
            "reversal": np.array(back, dtype=bool),
        }
    )


def _nullable(answers: np.ndarray, known: np.ndarray) -> pd.arrays.BooleanArray:
    return pd.arrays.BooleanArray(answers.ravel() & known.ravel(), ~known.ravel())
