"""ADTTE: days to the first response, to remission and to dropout, by named rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.instruments import Instrument, good_end, responded
from ipt_outcomes.io.cohort.cohort import Cohort
from ipt_outcomes.io.exchange.adam_scores import known_instrument
from ipt_outcomes.io.exchange.adam_spec import parameter_code
from ipt_outcomes.io.exchange.adam_subjects import analysis_day
from ipt_outcomes.vocabulary import EndReason

_OF_PERIOD = ("STUDYID", "USUBJID", "SITEID", "APERIOD", "TRTP", "TRTPN", "episode_id")
_START = 1.0
_DROPOUTS = frozenset(reason.value for reason in EndReason if reason.is_dropout)


@dataclass(frozen=True, slots=True)
class TimeRule:
    """The rule of one event.

    Parameters
    ----------
    code, words : str
        PARAMCD and PARAM.
    rule : str
        In words, with its boundary; a cut-off that was not confirmed says so.
    sources : tuple of str
    confirmed : bool
        Whether every cut-off of the rule was confirmed in a source (or given by the user).
    """

    code: str
    words: str
    rule: str
    sources: tuple[str, ...] = ()
    confirmed: bool = True


def times_to_events(
    cohort: Cohort, people: pd.DataFrame, adqs: pd.DataFrame, own: Mapping[str, Instrument]
) -> tuple[pd.DataFrame, tuple[TimeRule, ...], tuple[str, ...]]:
    """Return ADTTE, its rules, and what was left out.

    Parameters
    ----------
    cohort : Cohort
    people : pandas.DataFrame
        As `adam_subjects.periods` made it.
    adqs : pandas.DataFrame
        As `adam_scores.questionnaires` made it.
    own : mapping of str to Instrument

    Returns
    -------
    adtte : pandas.DataFrame
    rules : tuple of TimeRule
    notes : tuple of str
    """
    parts: list[pd.DataFrame] = []
    rules: list[TimeRule] = []
    notes: list[str] = []
    for name in cohort.instruments:
        known = known_instrument(name, own)
        if known is None or known.kind == "process" or known.better is None:
            continue
        mine = adqs[adqs["instrument"].eq(name) & adqs["item"].eq(0)]
        for kind in ("response", "remission"):
            rule = _rule(known, kind)
            if rule is None:
                notes.append(f"{known.short}: no time to {kind}, for no cut-off is known")
                continue
            part, left_out = _first_time(known, kind, mine, people)
            notes += [f"{rule.code}: {left_out}"] if left_out else []
            parts.append(part.assign(PARAMCD=rule.code, PARAM=rule.words))
            rules.append(rule)
    dropout = _dropout(cohort, people)
    if dropout is None:
        notes.append("no time to dropout, for the cohort does not say why treatment ended (end_reason, end_day)")
    else:
        words = "Time to Dropout from Treatment (days)"
        parts.append(dropout.assign(PARAMCD="DROPOUT", PARAM=words))
        told = ", ".join(sorted(_DROPOUTS))
        rules.append(TimeRule("DROPOUT", words, f"treatment ended ({told}); other ends are censored on their day"))
    columns = [*(c for c in _OF_PERIOD if c in people), "PARAMCD", "PARAM", "AVAL", "CNSR", "EVNTDESC", "CNSDTDSC"]
    made = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    order = {code: number for number, code in enumerate(sorted(made["PARAMCD"].unique()), start=1)}
    made["PARAMN"] = made["PARAMCD"].map(order)
    made["ADY"], made["STARTDY"], made["AVALU"] = made["AVAL"], _START, "DAYS"
    return made, tuple(rules), tuple(notes)


def _rule(known: Instrument, kind: str) -> TimeRule | None:
    field = "response_pct" if kind == "response" else "remission_max"
    end = good_end(known.better, known.minimum, known.maximum)
    words = known.rule(field)
    if words is None or end is None or (kind == "remission" and known.better == "higher"):
        return None
    code = f"{'RS' if kind == 'response' else 'RM'}{parameter_code(known.name)}"
    told = words.removeprefix(f"{known.short}: ")
    if kind == "response" and end:
        told += f", of the baseline's distance from {end:g}"
    if kind == "response" and known.response_base_min is not None:
        told += f"; baseline of {known.response_base_min:g} or more"
    own = known.override(field)
    sources = (own.source,) if own is not None else known.sources
    return TimeRule(
        code, f"Time to {kind.title()}, {known.short} (days)", told, sources, confirmed=not known.doubts(field)
    )


def _first_time(known: Instrument, kind: str, scores: pd.DataFrame, people: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Day of the first visit after baseline at which the rule is met; else of the last visit with a value."""
    base = scores.dropna(subset=["BASE"]).drop_duplicates("episode_id").set_index("episode_id")["BASE"]
    at_risk = base[_at_risk(known, kind, base)]
    after = scores[scores["CHG"].notna() & scores["episode_id"].isin(at_risk.index)]
    after = after.sort_values("ADY", kind="stable")
    met = after[_meets(known, kind, after)].drop_duplicates("episode_id").set_index("episode_id")["ADY"]
    last = after.drop_duplicates("episode_id", keep="last").set_index("episode_id")["ADY"]
    made = people.loc[people["episode_id"].isin(at_risk.index), [c for c in _OF_PERIOD if c in people]].copy()
    event, seen = made["episode_id"].map(met), made["episode_id"].map(last)
    is_event, is_seen = event.notna(), seen.notna()
    made["AVAL"] = event.fillna(seen).fillna(_START)
    made["CNSR"] = np.select([is_event, is_seen], [0.0, 1.0], default=2.0)
    made["EVNTDESC"] = np.where(is_event, kind.upper(), f"NO {kind.upper()} OBSERVED")
    made["CNSDTDSC"] = np.select(
        [is_event, is_seen], ["", "LAST ASSESSMENT WITH A VALUE"], default="START, NO VALUE AFTER BASELINE"
    )
    without = len(people) - len(base)
    not_at_risk = len(base) - len(at_risk)
    told = [f"{without} episodes without a baseline"] if without else []
    told += [f"{not_at_risk} whose baseline does not allow the event"] if not_at_risk else []
    return made, f"left out: {', '.join(told)}" if told else ""


def _at_risk(known: Instrument, kind: str, base: pd.Series) -> pd.Series:
    if kind == "remission":
        return base > float(known.remission_max or 0)
    far = base != good_end(known.better, known.minimum, known.maximum)
    return far if known.response_base_min is None else far & (base >= known.response_base_min)


def _meets(known: Instrument, kind: str, scores: pd.DataFrame) -> pd.Series:
    if kind == "remission":
        return scores["AVAL"] <= float(known.remission_max or 0)
    met = responded(
        scores["BASE"],
        scores["AVAL"],
        better=known.better or "lower",
        minimum=known.minimum,
        maximum=known.maximum,
        share=float(known.response_pct or 0) / 100,
    )
    return pd.Series(met, index=scores.index)


def _dropout(cohort: Cohort, people: pd.DataFrame) -> pd.DataFrame | None:
    if not {"end_reason", "end_day"} <= set(people):
        return None
    made = people[[c for c in _OF_PERIOD if c in people]].copy()
    reason = people["end_reason"].astype(object)
    end = analysis_day(people["end_day"])
    parts = [cohort.sessions, cohort.assessments[cohort.assessments["value"].notna()]]
    days = [part[["episode_id", "day"]].dropna() for part in parts if len(part) and "day" in part]
    seen = pd.concat(days).groupby("episode_id")["day"].max() if days else pd.Series(dtype=float)
    last = analysis_day(people["episode_id"].map(seen).astype(float))
    ended = reason.notna() & end.notna()
    is_event = ended & reason.isin(_DROPOUTS)
    made["AVAL"] = end.where(ended, last).fillna(_START).clip(lower=_START)
    made["CNSR"] = np.select([is_event, ended, last.notna()], [0.0, 3.0, 1.0], default=2.0)
    made["EVNTDESC"] = np.select(
        [is_event, ended], ["DROPOUT", reason.fillna("").str.upper()], default="NO END RECORDED"
    )
    made["CNSDTDSC"] = np.select(
        [is_event, ended, last.notna()], ["", "END OF TREATMENT", "LAST DAY SEEN"], default="START, NOT SEEN AFTER IT"
    )
    return made
