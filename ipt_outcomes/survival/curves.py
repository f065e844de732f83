"""Kaplan-Meier curves with intervals and medians, and the log-rank test between groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtri

from ipt_outcomes.effects.proportions import check_level
from ipt_outcomes.errors import DesignError, require_choice
from ipt_outcomes.results import Provenance, ResultObject, format_p, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CurveInterval = Literal["log-log", "log", "plain"]

_ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class KaplanMeier(ResultObject):
    """Kaplan-Meier curves by group.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per group and time at which an event happened: ``group time n_risk n_event survival se ci_low
        ci_high``; survival is the share without the event after that time, se is Greenwood's.
    medians : pandas.DataFrame
        One row per group: ``group n events median ci_low ci_high``; NaN where the curve does not come down to one half.
    logrank : pandas.DataFrame
        One row: ``chi2 df p_value``; no row for one group.
    counts : pandas.DataFrame
        One row per group: ``group observed expected`` events of the log-rank test; no row for one group.
    n_missing : int
        People left out for a missing time, event or group.
    ci : str
    level : float
    provenance : Provenance
    """

    table: pd.DataFrame
    medians: pd.DataFrame
    logrank: pd.DataFrame
    counts: pd.DataFrame
    n_missing: int
    ci: str
    level: float
    provenance: Provenance

    def to_frame(self) -> pd.DataFrame:
        """Return `table`."""
        return self.table.copy()

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the curves; options as in `ipt_outcomes.figures.survival`."""
        from ipt_outcomes.figures.service import survival

        return survival(self, ax=ax, **options)

    def at(self, time: float) -> pd.DataFrame:
        """Return each group's share without the event at a time: ``group survival ci_low ci_high``.

        Parameters
        ----------
        time : float
            At or after 0.

        Returns
        -------
        pandas.DataFrame
            One row per group, in the order of `medians`.
        """
        rows = []
        for group in self.medians["group"]:
            before = self.table[(self.table["group"] == group) & (self.table["time"] <= time)]
            last: Any = before.iloc[-1] if len(before) else {"survival": 1.0, "ci_low": 1.0, "ci_high": 1.0}
            rows.append({"group": group, **{name: float(last[name]) for name in ("survival", "ci_low", "ci_high")}})
        return pd.DataFrame(rows)

    def summary(self, digits: int = 1) -> str:
        """Return the medians, and the log-rank test where there are groups."""
        parts = []
        for row in self.medians.to_dict("records"):
            known = not np.isnan(row["median"])
            median = f"median {row['median']:.{digits}f}" if known else "median not reached"
            events = plural(row["events"], "event", "events")
            parts.append(f"{row['group']}: {row['events']} {events} of {row['n']}, {median}")
        text = "; ".join(parts) + "."
        if len(self.logrank):
            test = self.logrank.iloc[0]
            text += f" Log-rank chi-square({int(test['df'])}) = {test['chi2']:.2f}, {format_p(float(test['p_value']))}."
        return text


def kaplan_meier(
    time: ArrayLike,
    event: ArrayLike,
    *,
    group: ArrayLike | None = None,
    ci: CurveInterval = "log-log",
    level: float = 0.95,
) -> KaplanMeier:
    """Kaplan-Meier curve of each group, and the log-rank test between them.

    Parameters
    ----------
    time : array_like, shape (k,)
        Time to the event, or to the end of observation, at or above 0; any unit.
    event : array_like, shape (k,)
        True (or 1) where the event happened, False (or 0) where observation ended without it.
    group : array_like, shape (k,), optional
        Groups to compare; one curve for all people if None.
    ci : {"log-log", "log", "plain"}
        Scale on which the interval is symmetric. ``"log-log"`` stays within 0 and 1.
    level : float
        Confidence level, pointwise.

    Returns
    -------
    KaplanMeier

    Raises
    ------
    DesignError
        The columns have different lengths; a time is negative or no number; an event is neither 0 nor 1; nobody is
        left. Rows listed.
    OptionError
        `ci` or `level` is not one of its values.

    Notes
    -----
    People with a missing time, event or group are left out and counted. At tied times events come before ends of
    observation. The median is the first time at which the curve is at or below one half, the middle of the step where
    it is exactly one half; its interval reads the limits of the curve the same way.

    References
    ----------
    Kaplan & Meier (1958), J Am Stat Assoc 53:457-481, doi:10.1080/01621459.1958.10501452.
    Brookmeyer & Crowley (1982), Biometrics 38:29-41, doi:10.2307/2530286.
    Mantel (1966), Cancer Chemother Rep 50:163-170 (log-rank test).

    Examples
    --------
    >>> curve = kaplan_meier([1, 2, 3, 4], [1, 0, 1, 1])
    >>> curve.table["survival"].round(3).tolist()
    [0.75, 0.375, 0.0]
    """
    require_choice("ci", ci, ("log-log", "log", "plain"))
    check_level(level)
    times, events, groups, n_missing = _checked(time, event, group)
    tables, medians = [], []
    names = list(dict.fromkeys(groups.tolist()))
    try:
        names = sorted(names)
    except TypeError:
        names = sorted(names, key=str)
    for name in names:
        here = groups == name
        table = _curve(times[here], events[here], ci, float(ndtri((1 + level) / 2)))
        table.insert(0, "group", [name] * len(table))
        tables.append(table)
        medians.append({"group": name, "n": int(here.sum()), "events": int(events[here].sum()), **_median(table)})
    logrank, counts = _logrank(times, events, groups, names)
    return KaplanMeier(
        table=pd.concat(tables, ignore_index=True),
        medians=pd.DataFrame(medians),
        logrank=logrank,
        counts=counts,
        n_missing=n_missing,
        ci=ci,
        level=level,
        provenance=Provenance(function="survival.kaplan_meier", options={"ci": ci, "level": level}),
    )


def _curve(time: np.ndarray, event: np.ndarray, ci: str, z: float) -> pd.DataFrame:
    moments = np.unique(time[event])
    n_risk = (time[None, :] >= moments[:, None]).sum(axis=1)
    n_event = ((time[None, :] == moments[:, None]) & event[None, :]).sum(axis=1)
    survival = np.cumprod(1 - n_event / n_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Greenwood's sum; endless at the last step of a curve that ends at 0, where the standard error is 0.
        greenwood = np.cumsum(n_event / (n_risk * (n_risk - n_event)))
        root = np.sqrt(greenwood)
        se = np.where(survival > 0, survival * root, 0.0)
        if ci == "plain":
            low, high = np.maximum(survival - z * se, 0.0), np.minimum(survival + z * se, 1.0)
        elif ci == "log":
            low, high = survival * np.exp(-z * root), np.minimum(survival * np.exp(z * root), 1.0)
        else:
            spread = z * root / np.log(survival)
            low, high = survival ** np.exp(-spread), survival ** np.exp(spread)
    # No interval where everyone has had the event.
    low, high = (np.where(survival > 0, limit, np.nan) for limit in (low, high))
    return pd.DataFrame(
        {
            "time": moments,
            "n_risk": n_risk,
            "n_event": n_event,
            "survival": survival,
            "se": se,
            "ci_low": low,
            "ci_high": high,
        }
    )


def _median(table: pd.DataFrame) -> dict[str, float]:
    time = table["time"].to_numpy(dtype=float)
    names = {"median": "survival", "ci_low": "ci_low", "ci_high": "ci_high"}
    return {name: _halfway(time, table[column].to_numpy(dtype=float)) for name, column in names.items()}


def _halfway(time: np.ndarray, curve: np.ndarray) -> float:
    # Sums of floating steps: a curve at one half to the last digits is at one half.
    below = np.flatnonzero(curve <= 0.5 + 1e-12)
    if not below.size:
        return np.nan
    first = int(below[0])
    if abs(curve[first] - 0.5) <= 1e-12 and first + 1 < time.size:
        return float((time[first] + time[first + 1]) / 2)
    return float(time[first])


def _logrank(
    time: np.ndarray, event: np.ndarray, group: np.ndarray, names: list[Any]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    columns = ["chi2", "df", "p_value"]
    if len(names) < 2 or not event.any():
        return pd.DataFrame(columns=columns, dtype=float), pd.DataFrame(columns=["group", "observed", "expected"])
    from scipy.stats import chi2 as chi_squared

    member = np.array([group == name for name in names])
    observed, expected, spread = np.zeros(len(names)), np.zeros(len(names)), np.zeros((len(names), len(names)))
    for moment in np.unique(time[event]):
        at_risk = (member & (time >= moment)).sum(axis=1).astype(float)
        events = (member & (time == moment) & event).sum(axis=1).astype(float)
        n, d = at_risk.sum(), events.sum()
        share = at_risk / n
        observed += events
        expected += d * share
        if n > 1:
            spread += d * (n - d) / (n - 1) * (np.diag(share) - np.outer(share, share))
    gap = (observed - expected)[:-1]
    statistic = float(gap @ np.linalg.pinv(spread[:-1, :-1]) @ gap)
    df = int(np.linalg.matrix_rank(spread))
    test = pd.DataFrame([[statistic, df, float(chi_squared.sf(statistic, df))]], columns=columns)
    return test, pd.DataFrame({"group": names, "observed": observed.astype(int), "expected": expected})


def _checked(
    time: ArrayLike, event: ArrayLike, group: ArrayLike | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    times = _numbers(time, "times")
    events = _numbers(event, "events (1 where it happened, 0 where not)")
    groups = np.full(times.size, _ALL, dtype=object) if group is None else np.asarray(pd.Series(group).to_numpy(object))
    if not times.size == events.size == groups.size:
        raise DesignError(
            f"expected one time, event and group per person; got {times.size}, {events.size} and {groups.size}"
        )
    bad = np.flatnonzero((times < 0) | np.isinf(times))
    if bad.size:
        raise DesignError(f"expected times at or above 0; {bad.size} people have another", rows=bad)
    bad = np.flatnonzero(~(np.isnan(events) | (events == 0) | (events == 1)))
    if bad.size:
        raise DesignError(f"expected events as 0 or 1; {bad.size} people have another value", rows=bad)
    there = ~(np.isnan(times) | np.isnan(events) | pd.isna(groups))
    if not there.any():
        raise DesignError("nobody has a time, an event and a group")
    return times[there], events[there] == 1, groups[there], int((~there).sum())


def _numbers(values: ArrayLike, what: str) -> np.ndarray:
    try:
        column = pd.array(np.ravel(np.asarray(values)), dtype="Float64")
    except (TypeError, ValueError):
        raise DesignError(f"expected {what} as numbers, missing ones as NaN; found something else") from None
    return np.asarray(column.to_numpy(np.float64, na_value=np.nan))
