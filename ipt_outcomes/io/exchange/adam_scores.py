"""ADQS: every total and item, with baseline, change, visit and flags."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ipt_outcomes.instruments import Instrument, instrument, instrument_name, risk_flags
from ipt_outcomes.io.cohort.cohort import Cohort, baselines
from ipt_outcomes.io.cohort.mapping import BaselineRule
from ipt_outcomes.io.exchange.adam_spec import parameter_code
from ipt_outcomes.io.exchange.adam_subjects import analysis_day

_OF_PERIOD = ("STUDYID", "USUBJID", "SITEID", "APERIOD", "TRTP", "TRTPN")
_DERIVED = {"prorated": "PRORATED", "imputed": "IMPUTED"}


def questionnaires(cohort: Cohort, people: pd.DataFrame, own: Mapping[str, Instrument]) -> pd.DataFrame:
    """Return ADQS.

    Parameters
    ----------
    cohort : Cohort
    people : pandas.DataFrame
        As `adam_subjects.periods` made it.
    own : mapping of str to Instrument

    Returns
    -------
    pandas.DataFrame
        With ``episode_id``, ``instrument``, ``item`` and ``week`` beside the variables.
    """
    scores = cohort.assessments.reset_index(drop=True)
    place = pd.Index(people["episode_id"]).get_indexer(scores["episode_id"])
    made = people[[name for name in _OF_PERIOD if name in people]].take(place).reset_index(drop=True)
    made[["episode_id", "item", "week", "session_no"]] = scores[["episode_id", "item", "week", "session_no"]]
    made["instrument"] = scores["instrument"].astype(object)
    made["AVAL"] = scores["value"].astype(float)
    days = scores["day"].astype(float)
    made["ADY"] = analysis_day(days.fillna(scores["week"].astype(float) * 7))
    _name_parameters(made, own)
    _name_visits(made, scores)
    _against_baseline(made, scores["visit"], cohort.baseline_rule, own)
    status = scores["value_status"].astype(object)
    made["DTYPE"] = status.map(_DERIVED)
    made["QSSTAT"] = np.where(made["AVAL"].isna(), "NOT DONE", "")
    if "missing_reason" in scores:
        made["QSREASND"] = scores["missing_reason"].astype(object)
    flags = risk_flags(scores, own)
    made["RISKFL"] = flags.map({True: "Y", False: "N"}).astype(object)
    return made


def known_instrument(name: str, own: Mapping[str, Instrument]) -> Instrument | None:
    """Return what is known of an instrument of the cohort; None of one the registry does not have.

    Parameters
    ----------
    name : str
    own : mapping of str to Instrument

    Returns
    -------
    Instrument or None
    """
    if name in own:
        return own[name]
    found = instrument_name(name)
    return None if found is None else instrument(found)


def _name_parameters(made: pd.DataFrame, own: Mapping[str, Instrument]) -> None:
    pairs = made[["instrument", "item"]].drop_duplicates()
    names = {}
    for name, item in pairs.itertuples(index=False):
        known = known_instrument(str(name), own)
        short = known.short if known is not None else str(name)
        what = "Total Score" if item == 0 else f"Item {int(item)}"
        names[name, item] = parameter_code(str(name), int(item)), f"{short}, {what}", short
    keys = list(zip(made["instrument"], made["item"], strict=True))
    made["PARAMCD"] = [names[key][0] for key in keys]
    made["PARAM"] = [names[key][1] for key in keys]
    made["PARCAT1"] = [names[key][2] for key in keys]
    order = {code: number for number, code in enumerate(sorted({entry[0] for entry in names.values()}), start=1)}
    made["PARAMN"] = made["PARAMCD"].map(order)


def _name_visits(made: pd.DataFrame, scores: pd.DataFrame) -> None:
    """AVISIT by the visit's name, else the session, else the week; AVISITN one to one with it."""
    visit = scores["visit"].astype(object)
    session = scores["session_no"].astype(float)
    week = scores["week"].astype(float)
    is_session = visit.isna() | visit.eq("session")
    by_session = is_session & session.notna()
    names = visit.where(visit.notna(), None)
    names = names.where(~by_session, [f"Session {number:g}" for number in session])
    names = names.where(~(is_session & ~by_session & week.notna()), [f"Week {number:g}" for number in week.round(2)])
    names = names.where(names.notna(), "Unscheduled")
    # Names of visits are shown with a capital, as tables of trials write them.
    made["AVISIT"] = [text[:1].upper() + text[1:] for text in names.astype(str)]
    weeks = week.round(2).groupby(made["AVISIT"]).agg(["min", "max", "median"])
    own_week = weeks["min"].eq(weeks["max"]).all() and weeks["min"].is_unique
    order = weeks.reset_index().sort_values(["median", "AVISIT"], kind="stable", na_position="last")["AVISIT"]
    number = weeks["min"].to_dict() if own_week else {name: n for n, name in enumerate(order, start=1)}
    made["AVISITN"] = made["AVISIT"].map(number).astype(float)


def _against_baseline(made: pd.DataFrame, visit: pd.Series, rule: BaselineRule, own: Mapping[str, Instrument]) -> None:
    """BASE is the baseline by the cohort's rule, of the same episode and parameter; what lies after it is compared."""
    scores = made[["episode_id", "week", "session_no"]].assign(value=made["AVAL"], visit=visit)
    found = [baselines(scores.loc[part], rule) for part in made.groupby("PARAMCD", sort=False).groups.values()]
    base = pd.concat(found) if found else baselines(scores, rule)
    made["ABLFL"] = np.where(made.index.isin(base.index), "Y", "")
    keys = pd.MultiIndex.from_frame(made[["episode_id", "PARAMCD"]])
    own_base = pd.DataFrame({"base": base["baseline"], "begin": base["week"].clip(lower=0).fillna(0.0)})
    own_base.index = keys[base.index]
    own_base = own_base.reindex(keys)
    made["BASE"] = own_base["base"].to_numpy()
    begin = own_base["begin"].fillna(0.0).to_numpy()
    after = (made["week"] > begin) & made["AVAL"].notna()
    made["CHG"] = (made["AVAL"] - made["BASE"]).where(after)
    begins_at_0 = {}
    for name in made["instrument"].unique():
        known = known_instrument(str(name), own)
        begins_at_0[name] = known is not None and known.minimum == 0
    usable = made["instrument"].map(begins_at_0).astype(bool) & made["BASE"].gt(0)
    made["PCHG"] = (100 * made["CHG"] / made["BASE"].where(usable)).where(usable)
    made["ANL01FL"] = np.where(after | made["ABLFL"].eq("Y"), "Y", "")
