"""Outcome rates of the NHS Talking Therapies programme: PHQ-9 with GAD-7 or another measure of anxiety."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ipt_outcomes.clinic.measures import CUT_NAMES, Cuts, cut_faults, cuts_of
from ipt_outcomes.effects.proportions import check_level, wilson
from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.results import Provenance, ResultObject, format_interval, format_number

RATES = ("recovery", "reliable_improvement", "reliable_deterioration", "reliable_recovery", "no_reliable_change")
"""The rates of the pair, in the order of its rules."""

CASES_ONLY = frozenset(("recovery", "reliable_recovery"))
"""Rates whose denominator is the people who were cases at the first score."""

_NEEDED = ("patient_id", "phq9_first", "gad7_first", "phq9_last", "gad7_last")
_OTHER = ("anxiety_measure", "anxiety_first", "anxiety_last")


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkingTherapies(ResultObject):
    """Outcomes of finished courses by the rules of NHS Talking Therapies.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row per person, in the order given: ``patient_id caseness recovery reliable_improvement
        reliable_deterioration reliable_recovery no_reliable_change``; missing where a score that decides is missing.
    rates : pandas.DataFrame
        ``rate numerator denominator percent ci_low ci_high``; percentages 0-100, Wilson intervals.
    n_left_out : int
        People with a score missing; in no rate.
    level : float
        Confidence level of the intervals.
    provenance : Provenance
    """

    rows: pd.DataFrame
    rates: pd.DataFrame
    n_left_out: int
    level: float
    provenance: Provenance

    def to_frame(self) -> pd.DataFrame:
        """Return the rates, one row each."""
        return self.rates

    def summary(self, digits: int = 2) -> str:
        """Return one line per rate."""
        lines = [f"NHS Talking Therapies outcomes of {len(self.rows)} finished courses, {self.n_left_out} left out."]
        for row in self.rates.itertuples():
            percent = format_number(float(row.percent), "decimal1")  # type: ignore[arg-type]
            limits = format_interval(float(row.ci_low), float(row.ci_high), "decimal1")  # type: ignore[arg-type]
            lines.append(f"{row.rate}: {row.numerator} of {row.denominator}, {percent}% ({limits})")
        return "\n".join(lines)


def talking_therapies(
    data: pd.DataFrame,
    *,
    level: float = 0.95,
    anxiety_cuts: Mapping[str, tuple[float, float]] | None = None,
) -> TalkingTherapies:
    """Judge finished courses by the rules of NHS Talking Therapies.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per finished course: ``patient_id phq9_first gad7_first phq9_last gad7_last``, and optionally
        ``anxiety_measure anxiety_first anxiety_last``, which take the place of GAD-7 where present.
    level : float
        Confidence level of the Wilson intervals.
    anxiety_cuts : mapping of str to (float, float), optional
        Caseness (inclusive) and reliable change (inclusive) of measures of anxiety, by the name that
        ``anxiety_measure`` gives; the registry's are used for what is not named here.

    Returns
    -------
    TalkingTherapies

    Raises
    ------
    DataError
        A column is missing, a score is no number or outside its range, or a measure of anxiety has no known
        caseness or reliable change; all faults at once, values never shown.
    OptionError
        `level` is not between 0 and 1, or `anxiety_cuts` holds what can be no cut-off.

    Notes
    -----
    Caseness: PHQ-9 of 10 or more, or GAD-7 of 8 or more (or the other measure at its cut), at the first score.
    Recovery: caseness at first and below both cuts at last. Reliable improvement: at least one of the two improves by
    its reliable change (PHQ-9 6, GAD-7 4, inclusive) and neither gets worse by it; deterioration is the mirror.
    Recovery and reliable recovery are out of those at caseness, the others out of all finished courses.

    References
    ----------
    Clark (2018), Annu Rev Clin Psychol 14:159-183, doi:10.1146/annurev-clinpsy-050817-084833.
    """
    check_level(level)
    own = dict(anxiety_cuts or {})
    _check_cuts(own)
    scores, cut, change = _anxiety(data, own)
    phq9 = cuts_of("phq9")
    rows = judge(
        (scores["phq9_first"], scores["phq9_last"], phq9.caseness, phq9.reliable_change),
        (scores["first"], scores["last"], cut, change),
    )
    rows.insert(0, "patient_id", data["patient_id"].to_numpy())
    return TalkingTherapies(
        rows=rows,
        rates=_rates(rows, level),
        n_left_out=int(rows["reliable_improvement"].isna().sum()),
        level=level,
        provenance=Provenance(function="clinic.talking_therapies", options={"level": level}),
    )


def _check_cuts(given: Mapping[str, Any]) -> None:
    """Refuse cut-offs that are no two numbers on the scale, the change above 0."""
    faults = []
    for name, cuts in given.items():
        if not isinstance(cuts, Sequence) or isinstance(cuts, str) or len(cuts) != 2:
            faults.append(f"{name}: expected two numbers, caseness and reliable change")
        else:
            faults += [
                f"{name}: {fault}" for fault in cut_faults(_scale_of(name), dict(zip(CUT_NAMES, cuts, strict=False)))
            ]
    if faults:
        raise OptionError("anxiety_cuts: " + "; ".join(faults))


def _scale_of(name: str) -> Cuts:
    """Direction and range of a measure of anxiety, without cut-offs that would have to agree with those given."""
    return replace(cuts_of(name), remission=None)


Scored = tuple[np.ndarray, np.ndarray, "np.ndarray | float | None", "np.ndarray | float | None"]


def judge(depression: Scored, anxiety: Scored) -> pd.DataFrame:
    """Return the flags of each person from two measures on which lower is better.

    Parameters
    ----------
    depression, anxiety : tuple
        First scores, last scores, caseness cut, reliable change.

    Returns
    -------
    pandas.DataFrame
        ``caseness`` and the five of `RATES`, nullable; all but ``caseness`` missing where one of the four scores
        is missing, ``caseness`` where a first score is.
    """
    started = _known(depression[0], anxiety[0])
    whole = started & _known(depression[1], anxiety[1])
    caseness = (depression[0] >= depression[2]) | (anxiety[0] >= anxiety[2])
    below = (depression[1] < depression[2]) & (anxiety[1] < anxiety[2])
    falls = [first - last for first, last, _, _ in (depression, anxiety)]
    better = [fall >= each[3] for fall, each in zip(falls, (depression, anxiety), strict=True)]
    worse = [-fall >= each[3] for fall, each in zip(falls, (depression, anxiety), strict=True)]
    improved = (better[0] | better[1]) & ~(worse[0] | worse[1])
    deteriorated = (worse[0] | worse[1]) & ~(better[0] | better[1])
    flags = {
        "recovery": caseness & below,
        "reliable_improvement": improved,
        "reliable_deterioration": deteriorated,
        "reliable_recovery": caseness & below & improved,
        "no_reliable_change": ~improved & ~deteriorated,
    }
    frame = pd.DataFrame({"caseness": pd.array(caseness, dtype="boolean")})
    frame.loc[~started, "caseness"] = pd.NA
    for name, flag in flags.items():
        frame[name] = pd.array(flag, dtype="boolean")
        frame.loc[~whole, name] = pd.NA
    return frame


def _known(*scores: np.ndarray) -> np.ndarray:
    return np.asarray(~np.logical_or.reduce([np.isnan(each) for each in scores]))


def _rates(rows: pd.DataFrame, level: float) -> pd.DataFrame:
    whole = rows["reliable_improvement"].notna()
    table = []
    for rate in RATES:
        base = whole & rows["caseness"].fillna(False) if rate in CASES_ONLY else whole
        table.append([rate, int(rows.loc[base, rate].sum()), int(base.sum())])
    frame = pd.DataFrame(table, columns=["rate", "numerator", "denominator"])
    limits = wilson(frame["numerator"], frame["denominator"], level)
    frame["percent"] = 100 * frame["numerator"] / frame["denominator"].where(frame["denominator"] > 0)
    return frame.assign(ci_low=100 * limits.low, ci_high=100 * limits.high)


def _anxiety(
    data: pd.DataFrame, given: dict[str, tuple[float, float]]
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Return checked scores, the anxiety ones merged, and the cut and reliable change of each person's measure."""
    lacking = [name for name in _NEEDED if name not in data]
    other = [name for name in _OTHER if name in data]
    if other and len(other) < len(_OTHER):
        lacking += [name for name in _OTHER if name not in data]
    if lacking:
        raise DataError(f"expected the columns {', '.join(_NEEDED)}; missing: {', '.join(lacking)}")
    faults: list[str] = []
    scores = {name: _numbers(data, name, faults) for name in _NEEDED[1:]}
    gad7 = cuts_of("gad7")
    cut = np.full(len(data), float(gad7.caseness or np.nan))
    change = np.full(len(data), float(gad7.reliable_change or np.nan))
    for name, scale in (("phq9", cuts_of("phq9")), ("gad7", gad7)):
        for when in ("first", "last"):
            _check_range(scores[f"{name}_{when}"], scale, f"{name}_{when}", faults)
    scores["first"], scores["last"] = scores["gad7_first"].copy(), scores["gad7_last"].copy()
    if other:
        taken = data["anxiety_measure"].notna().to_numpy()
        names = data["anxiety_measure"].astype("string").fillna("")
        for name in sorted(names[taken].unique()):
            mine = (names == name).to_numpy() & taken
            cut[mine], change[mine] = _cuts_of_anxiety(name, given, faults)
        for when in ("first", "last"):
            scores[when][taken] = _numbers(data, f"anxiety_{when}", faults)[taken]
    if faults:
        raise DataError("the scores cannot be judged: " + "; ".join(dict.fromkeys(faults)))
    return scores, cut, change


def _cuts_of_anxiety(name: str, given: dict[str, tuple[float, float]], faults: list[str]) -> tuple[float, float]:
    if name in given:
        cut, change = given[name]
        return float(cut), float(change)
    cuts = cuts_of(name)
    if cuts.caseness is None or cuts.reliable_change is None or cuts.better != "lower":
        faults.append("anxiety_measure: a measure has no known caseness and reliable change: give them in anxiety_cuts")
        return np.nan, np.nan
    return cuts.caseness, cuts.reliable_change


def _numbers(data: pd.DataFrame, column: str, faults: list[str]) -> np.ndarray:
    numbers = pd.to_numeric(data[column], errors="coerce")
    odd = int((numbers.isna() & data[column].notna()).sum())
    if odd:
        faults.append(f"{column}: {odd} cells are no numbers")
    return np.asarray(numbers.to_numpy(dtype=float, na_value=np.nan))


def _check_range(scores: np.ndarray, scale: Cuts, column: str, faults: list[str]) -> None:
    outside = int(((scores < scale.minimum) | (scores > scale.maximum)).sum())
    if outside:
        faults.append(f"{column}: {outside} scores outside {scale.minimum:g}-{scale.maximum:g}")
