"""Response: a fall of half or more from baseline, counted three ways, compared as OR, RR and RD."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from ipt_outcomes.effects import EffectSizes, odds_ratio, risk_difference, risk_ratio
from ipt_outcomes.effects.proportions import newcombe, wilson
from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.instruments import Better, good_end, responded
from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.results import ResultObject, format_interval, format_number
from ipt_outcomes.trial.arms import comparisons_of
from ipt_outcomes.trial.data import TrialData, trial_data
from ipt_outcomes.trial.model import FEWEST
from ipt_outcomes.trial.visits import Visit
from ipt_outcomes.vocabulary import label

RULES: dict[str, str] = {
    "non_responder": "everyone with a baseline; a missing score counts as no response",
    "completer": "only those observed at the end point",
    "locf": "everyone with a baseline; a missing score is replaced by the last one observed after baseline",
}
"""Who is counted, the main rule first."""

MEASURES = {"OR": "odds ratio", "RR": "risk ratio", "RD": "risk difference"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(ResultObject):
    """Responders per arm and the comparisons of arms, under each rule.

    Parameters
    ----------
    rates : pandas.DataFrame
        One row per arm and rule: ``arm rule responders denominator rate ci_low ci_high missing``; rates and their
        Wilson limits as proportions; ``missing``: people with a baseline who were not observed at the end point.
    comparisons : pandas.DataFrame
        One row per pair of arms, rule and measure: ``arm1 arm2 rule measure estimate se ci_low ci_high p_value
        wald_low wald_high flag``. ``estimate`` and the limits of OR and RR are ratios, ``se`` is of their
        logarithm. ``ci_low`` and ``ci_high`` of RD are Newcombe's, ``wald_low`` and ``wald_high`` the normal ones.
    threshold : float
        Share of the baseline's distance from the good end of the scale.
    better : {"lower", "higher"}
    level : float
    good_end : float or None
        The best score the scale can give; None where it is not known, and then there are no rates.
    zero_baselines : int
        People whose baseline lies at the good end already, so that no share can be taken: counted as no response.
    """

    rates: pd.DataFrame
    comparisons: pd.DataFrame
    threshold: float
    better: Better
    level: float
    good_end: float | None
    zero_baselines: int

    @property
    def short_rule(self) -> str:
        """The rule of response in words."""
        if self.gap:
            return f"not counted: {self.gap}"
        way = "fall" if self.better == "lower" else "rise"
        if self.good_end == 0 and self.better == "lower":
            return f"a {way} of {100 * self.threshold:g}% or more from baseline"
        end = f"the {'lowest' if self.better == 'lower' else 'highest'} score of the scale"
        number = "" if self.good_end is None else f", {self.good_end:g}"
        return f"a {way} by {100 * self.threshold:g}% or more of the distance between baseline and {end}{number}"

    @property
    def rule(self) -> str:
        """The rule of response in words, with its boundary."""
        return self.short_rule if self.gap else f"{self.short_rule} (exactly {100 * self.threshold:g}% counts)"

    @property
    def gap(self) -> str:
        """Why there are no rates; empty where there are."""
        if self.good_end is not None:
            return ""
        return f"the {'lowest' if self.better == 'lower' else 'highest'} score that the scale can give is not known"

    def to_frame(self) -> pd.DataFrame:
        """Return the comparisons."""
        return self.comparisons.copy()

    def summary(self, digits: int = 2) -> str:
        """Return the rule, then one line per arm and per comparison under the main rule."""
        if self.good_end is None:
            return f"Response: {self.rule}"
        lines = [f"Response: {self.rule}; {RULES['non_responder']}"]
        for row in self.rates[self.rates["rule"].eq("non_responder")].to_dict(orient="records"):
            share = format_number(100 * row["rate"], "percent")
            count = f"{row['responders']}/{row['denominator']} ({share})"
            lines.append(f"{label(row['arm'])}: {count}, {row['missing']} missing")
        main = self.comparisons[self.comparisons["rule"].eq("non_responder") & self.comparisons["measure"].eq("OR")]
        for row in main.to_dict(orient="records"):
            limits = format_interval(row["ci_low"], row["ci_high"])
            names = f"{label(row['arm1'])} against {label(row['arm2'])}"
            lines.append(f"{names}: OR {format_number(row['estimate'])} ({limits})")
        return "\n".join(lines)


def response(
    cohort: Cohort,
    outcome: str,
    *,
    at: float | str | None = None,
    window: float | None = None,
    threshold: float = 0.5,
    better: Better | None = None,
    level: float = 0.95,
) -> Response:
    """Count responders by arm and compare each arm that holds IPT with each that does not.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
        Name or alias of an instrument.
    at : float or str, optional
        The end point: a week or the name of a visit; as in `ipt_outcomes.trial.analyse` if None.
    window : float, optional
        Weeks either side of the end point, where visits are on real days.
    threshold : float
        Share of the baseline's distance from the good end of the scale by which the score has to come nearer to it,
        inclusive; above 0, at most 1. On a scale from 0 where lower is better: share of the baseline.
    better : {"lower", "higher"}, optional
        The registry's direction if None.
    level : float
        Confidence level.

    Returns
    -------
    Response

    Raises
    ------
    DesignError, DataError, OptionError
        As in `ipt_outcomes.trial.analyse`.

    Notes
    -----
    Odds and risk ratios with log-Wald limits (0.5 is added to all cells of a table with an empty one, and said);
    risk differences with Newcombe's limits.

    References
    ----------
    Newcombe (1998), Stat Med 17(8):873-890,
    doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I.
    """
    data = trial_data(cohort, outcome, at=at, window=window)
    direction = better or data.instrument.better
    return response_of(data, data.end, threshold=threshold, better=direction, level=level)


def response_of(data: TrialData, end: Visit, *, threshold: float, better: Better | None, level: float) -> Response:
    """Count responders of trial data at a visit."""
    until = data.until(end)
    observed = until.scores[until.scores["value"].notna()].sort_values("week", kind="stable")
    last = observed.groupby("patient_id")["value"].last()
    frame = pd.DataFrame(
        {
            "arm": data.people["arm"].astype(str),
            "baseline": data.people["baseline"],
            "value": data.at(end),
            "last": data.people["patient_id"].map(last).astype(float),
        }
    )
    pairs = comparisons_of(data.arms)
    known = data.instrument
    return count_responses(
        frame,
        arms=data.arms,
        pairs=pairs,
        threshold=threshold,
        better=better,
        level=level,
        minimum=known.minimum,
        maximum=known.maximum,
    )


def count_responses(
    frame: pd.DataFrame,
    *,
    arms: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    threshold: float = 0.5,
    better: Better | None,
    level: float = 0.95,
    minimum: float | None = 0.0,
    maximum: float | None = None,
) -> Response:
    """Count responders in a frame of one row per person.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``arm baseline value last``: the score at the end point, and the last one observed up to it.
    arms : sequence of str
    pairs : sequence of (arm1, arm2)
    threshold, better, level
        As in `response`.
    minimum, maximum : float or None
        Range of the scale; None where it is not known.

    Returns
    -------
    Response

    Raises
    ------
    OptionError
        `threshold` or `better` is none of its choices.
    """
    require_choice("better", better, ("lower", "higher"))
    assert better is not None  # noqa: S101 - just checked
    if isinstance(threshold, bool) or not 0 < threshold <= 1:
        raise OptionError(f"response must be a share above 0 and at most 1, for example 0.5; got {threshold!r}")
    end = good_end(better, minimum, maximum)
    known = frame[frame["baseline"].notna()]
    if end is None:
        return _no_rates(threshold, better, level)
    scale: dict[str, Any] = {"better": better, "minimum": minimum, "maximum": maximum, "share": threshold}
    falls = {name: responded(known["baseline"], known[name], **scale) for name in ("value", "last")}
    counted = {
        "non_responder": (falls["value"], pd.Series(True, index=known.index)),
        "completer": (falls["value"], known["value"].notna()),
        "locf": (falls["last"], pd.Series(True, index=known.index)),
    }
    rates = []
    for arm in arms:
        mine = known["arm"].eq(arm)
        for rule, (fell, counts) in counted.items():
            events, total = int((fell & counts & mine).sum()), int((counts & mine).sum())
            low, high = (float(limit) for limit in wilson(events, total, level))
            rate = events / total if total else math.nan
            missing = int((mine & known["value"].isna()).sum())
            rates.append((arm, rule, events, total, rate, low, high, missing))
    table = pd.DataFrame(rates, columns=_RATES)
    compared = [row for arm1, arm2 in pairs for rule in RULES for row in _compare(table, arm1, arm2, rule, level)]
    return Response(
        rates=table,
        comparisons=pd.DataFrame(compared, columns=_COMPARED),
        threshold=threshold,
        better=better,
        level=level,
        good_end=end,
        zero_baselines=int((known["baseline"] <= end if better == "lower" else known["baseline"] >= end).sum()),
    )


def _no_rates(threshold: float, better: Better, level: float) -> Response:
    return Response(
        rates=pd.DataFrame(columns=_RATES),
        comparisons=pd.DataFrame(columns=_COMPARED),
        threshold=threshold,
        better=better,
        level=level,
        good_end=None,
        zero_baselines=0,
    )


_RATES = ["arm", "rule", "responders", "denominator", "rate", "ci_low", "ci_high", "missing"]
_COMPARED = [
    "arm1",
    "arm2",
    "rule",
    "measure",
    "estimate",
    "se",
    "ci_low",
    "ci_high",
    "p_value",
    "wald_low",
    "wald_high",
    "flag",
]


def _compare(table: pd.DataFrame, arm1: str, arm2: str, rule: str, level: float) -> list[tuple[object, ...]]:
    mine = table[table["rule"].eq(rule)].to_dict(orient="records")
    counts = {row["arm"]: (int(row["responders"]), int(row["denominator"])) for row in mine}
    (a, n1), (c, n2) = counts[arm1], counts[arm2]
    seen = {row["arm"]: int(row["denominator"]) for row in table[table["rule"].eq("completer")].to_dict("records")}
    # With hardly anybody seen, what a comparison shows is the rule for missing scores.
    if min(n1, n2) == 0 or min(seen[arm1], seen[arm2]) < FEWEST:
        return []
    rows: list[tuple[object, ...]] = []
    for measure, function in {"OR": odds_ratio, "RR": risk_ratio, "RD": risk_difference}.items():
        effect: EffectSizes = function([a], [n1], [c], [n2], event="good")
        estimate, se = float(effect.yi[0]), float(effect.se[0])
        low, high = (float(limit[0]) for limit in effect.ci(level))
        p_value = 2 * float(ndtr(-abs(estimate / se))) if se > 0 else math.nan
        wald = (low, high) if measure == "RD" else (math.nan, math.nan)
        if measure == "RD":
            low, high = (float(limit) for limit in newcombe(a, n1, c, n2, level))
        else:
            estimate, low, high = (float(np.exp(number)) for number in (estimate, low, high))
        rows.append((arm1, arm2, rule, measure, estimate, se, low, high, p_value, *wald, effect.flags[0]))
    return rows
