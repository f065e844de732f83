"""Absolute benefit: rates in the arms, numbers needed to treat at a control rate, people per thousand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from ipt_outcomes import effects, meta
from ipt_outcomes.effects import NumbersNeeded
from ipt_outcomes.errors import IptError
from ipt_outcomes.evidence.compute import COLUMNS
from ipt_outcomes.evidence.direction import row_events
from ipt_outcomes.evidence.options import Options
from ipt_outcomes.meta import PooledEffect
from ipt_outcomes.results import ResultObject, format_interval, format_number, plural

POOLED = "pooled"
KRAEMER = "kraemer-kupfer"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRate(ResultObject):
    """Pooled rates of the good outcome in both arms.

    Parameters
    ----------
    rate, ci_low, ci_high : float
        Proportion of people in arm 2 with the good outcome.
    treated, treated_ci_low, treated_ci_high : float
        The same in arm 1.
    k : int
        Studies behind it, one row each (the first with events).
    source : str
        How it was pooled.
    """

    rate: float
    ci_low: float
    ci_high: float
    treated: float
    treated_ci_low: float
    treated_ci_high: float
    k: int
    source: str

    def to_frame(self) -> pd.DataFrame:
        """Return ``arm rate ci_low ci_high k``, one row per arm."""
        lines = [
            (1, self.treated, self.treated_ci_low, self.treated_ci_high, self.k),
            (2, self.rate, self.ci_low, self.ci_high, self.k),
        ]
        return pd.DataFrame(lines, columns=["arm", "rate", "ci_low", "ci_high", "k"])

    def summary(self, digits: int = 2) -> str:
        """Return the rate of arm 2 in words."""
        limits = format_interval(100 * self.ci_low, 100 * self.ci_high, "decimal1")
        studies = f"{self.k} {plural(self.k, 'study', 'studies')}"
        return f"Good outcome in arm 2: {format_number(100 * self.rate, 'decimal1')}% ({limits}), {studies}"


def control_rate(rows: pd.DataFrame, options: Options) -> ControlRate | None:
    """Pool the rates of the good outcome in both arms, one row per study.

    Parameters
    ----------
    rows : pandas.DataFrame
        As `StudyEffects.rows`.
    options : Options

    Returns
    -------
    ControlRate or None
        None where no row has events whose meaning is known.

    Notes
    -----
    Logits of the rates are pooled (0.5 is added to events and to the others where one of them is 0), and the
    result turned back: the rate of a typical study, not of all people.
    """
    found = _events(rows, options)
    if found is None:
        return None
    pooled = {}
    for arm in (1, 2):
        event, total = found[f"event_arm{arm}"].to_numpy(float), found[f"totaln_arm{arm}"].to_numpy(float)
        empty = np.where((event == 0) | (event == total), 0.5, 0.0)
        yes, no = event + empty, total - event + empty
        try:
            pooled[arm] = meta.pool(
                np.log(yes / no), 1 / yes + 1 / no, tau2=options.tau2, test=options.test, level=options.level
            )
        except IptError:
            return None
    treated, control = (
        [float(expit(value)) for value in (pooled[arm].estimate, pooled[arm].ci_low, pooled[arm].ci_high)]
        for arm in (1, 2)
    )
    return ControlRate(
        rate=control[0],
        ci_low=control[1],
        ci_high=control[2],
        treated=treated[0],
        treated_ci_low=treated[1],
        treated_ci_high=treated[2],
        k=len(found),
        source="logits of the rates of the good outcome, one row per study, pooled and turned back",
    )


def _events(rows: pd.DataFrame, options: Options) -> pd.DataFrame | None:
    """Rows with possible events of known meaning, the first of each study, counted as good outcomes."""
    columns = list(COLUMNS["events"])
    if not set(columns) <= set(rows.columns):
        return None
    complete = rows[columns].notna().all(axis=1)
    try:
        meaning = row_events(rows, complete, options.event)
    except IptError:
        return None
    table = rows.loc[complete, ["study", *columns]].astype(dict.fromkeys(columns, float))
    for arm in (1, 2):
        event, total = table[f"event_arm{arm}"], table[f"totaln_arm{arm}"]
        table[f"event_arm{arm}"] = event.where(meaning[complete] == "good", total - event)
    possible = (table[columns] >= 0).all(axis=1)
    for arm in (1, 2):
        total = table[f"totaln_arm{arm}"]
        possible &= (table[f"event_arm{arm}"] <= total) & (total > 0)
    table = table[possible]
    table = table[~table["study"].astype(str).duplicated()]
    return table if len(table) else None


def numbers_needed(pooled: PooledEffect, rate: ControlRate | None, options: Options) -> dict[str, NumbersNeeded]:
    """Return the numbers needed to treat that go with a pooled effect.

    Parameters
    ----------
    pooled : PooledEffect
        Of g, OR, RR or RD.
    rate : ControlRate or None
    options : Options
        ``control_rate`` is the rate assumed beside the pooled one.

    Returns
    -------
    dict of str to NumbersNeeded
        Keys: "pooled" (at the pooled control rate), the assumed rate as text ("0.2"), and for g
        "kraemer-kupfer", which needs no control rate.

    References
    ----------
    Furukawa, Leucht (2011), PLoS ONE 6(4):e19070, doi:10.1371/journal.pone.0019070.
    """
    rates = {} if rate is None else {POOLED: rate.rate}
    rates[f"{options.control_rate:g}"] = options.control_rate
    found = {name: at_control_rate(pooled, value) for name, value in rates.items()}
    if pooled.measure == "SMD":
        found[KRAEMER] = effects.nnt_from_smd(
            pooled.estimate, ci_low=pooled.ci_low, ci_high=pooled.ci_high, method="kraemer-kupfer"
        )
    return found


def at_control_rate(pooled: PooledEffect, rate: float) -> NumbersNeeded:
    """Return the number needed to treat at a rate of good outcomes in arm 2.

    Parameters
    ----------
    pooled : PooledEffect
        Of g, OR, RR or RD.
    rate : float
        Between 0 and 1.

    Returns
    -------
    NumbersNeeded
    """
    values = (pooled.estimate, pooled.ci_low, pooled.ci_high)
    if pooled.measure == "SMD":
        return effects.nnt_from_smd(values[0], ci_low=values[1], ci_high=values[2], control_rate=rate)
    bad = pooled.event == "bad"
    base = 1 - rate if bad else rate
    gains = [_gain(str(pooled.measure), value, base) * (-1 if bad else 1) for value in values]
    event = "bad" if bad else "good"
    words = format_number(rate, "decimal2")
    return NumbersNeeded(
        benefit=np.array([gains[0]]),
        benefit_low=np.array([min(gains[1:])]),
        benefit_high=np.array([max(gains[1:])]),
        method=f"From the pooled {pooled.measure} (event: {event} news); rate of good outcomes in arm 2: {words}.",
    )


def _gain(measure: str, value: float, base: float) -> float:
    """Rate of the event in arm 1 minus that in arm 2."""
    if measure == "RD":
        return float(np.clip(value, -base, 1 - base))
    ratio = float(np.exp(min(value, 700.0)))
    treated = base * ratio / (1 - base + base * ratio) if measure == "OR" else min(1.0, base * ratio)
    return treated - base
