"""A cohort as ADaM data sets: subjects, questionnaires, times to events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.errors import OptionError
from ipt_outcomes.instruments import Instrument, instruments_with
from ipt_outcomes.io.cohort.cohort import Cohort
from ipt_outcomes.io.exchange.adam_events import TimeRule, times_to_events
from ipt_outcomes.io.exchange.adam_scores import questionnaires
from ipt_outcomes.io.exchange.adam_spec import DATASETS, dataset
from ipt_outcomes.io.exchange.adam_subjects import periods, subjects

_STUDY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,19}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdamTables:
    """ADaM data sets of a cohort.

    Parameters
    ----------
    adsl, adqs, adtte : pandas.DataFrame
        In the variables and the order of ``data_schemas/adam.toml``; variables the cohort knows nothing of are left
        out. Missing texts are empty.
    rules : tuple of TimeRule
        What the events of ADTTE are, with the source of each cut-off and whether it was confirmed.
    notes : tuple of str
        What was left out, and why.
    """

    adsl: pd.DataFrame
    adqs: pd.DataFrame
    adtte: pd.DataFrame
    rules: tuple[TimeRule, ...]
    notes: tuple[str, ...]


def adam_tables(cohort: Cohort, *, study_id: str = "STUDY", own: Mapping[str, Instrument] | None = None) -> AdamTables:
    """Map a cohort to ADSL, ADQS and ADTTE.

    Parameters
    ----------
    cohort : Cohort
    study_id : str
        STUDYID: letters, digits, ``_ . -``, at most 20.
    own : mapping of str to Instrument, optional
        Instruments with a user's own cut-offs (`instruments.instruments_with`), beside those that the mapping of the
        data set.

    Returns
    -------
    AdamTables

    Raises
    ------
    OptionError
        `study_id` is no such text.

    Notes
    -----
    Days count from the person's own start (day 0), which is ADY 1; the day before is -1. Dates are never known.
    Response: the first value after baseline that has changed by ``response_pct`` or more of the baseline's distance
    from the good end of the scale. Remission: the first value at or below ``remission_max``, of people above it at
    baseline. Dropout: treatment ended by the patient's choice or unreachable. All inclusive.

    References
    ----------
    CDISC ADaM Implementation Guide 1.3; ADaM Basic Data Structure for Time-to-Event Analyses 1.0.
    """
    if not isinstance(study_id, str) or not _STUDY.fullmatch(study_id):
        raise OptionError(f"study_id must be 1 to 20 letters, digits, '_', '.' or '-'; got {study_id!r}")
    people = periods(cohort, study_id)
    known = instruments_with(cohort.own_facts) | dict(own or {})
    adqs = questionnaires(cohort, people, known)
    adtte, rules, notes = times_to_events(cohort, people, adqs, known)
    tables = {"ADSL": subjects(cohort, people), "ADQS": adqs, "ADTTE": adtte}
    adsl, adqs, adtte = (_arranged(name, tables[name]) for name in DATASETS)
    return AdamTables(adsl=adsl, adqs=adqs, adtte=adtte, rules=rules, notes=notes)


def _arranged(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Variables in the order of the specification; those of which nothing is known are left out."""
    columns: dict[str, pd.Series] = {}
    spec = dataset(name)
    for variable in spec.variables:
        if variable.name not in frame:
            continue
        cells = frame[variable.name].reset_index(drop=True)
        if variable.is_number:
            columns[variable.name] = cells.astype(np.float64)
        else:
            columns[variable.name] = cells.astype(object).where(cells.notna(), "").astype(str)
    made = pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))
    known = [c for c in made if c in spec.keys or made[c].replace("", np.nan).notna().any()]
    keys = [key for key in spec.keys if key in made]
    return made[known].sort_values(keys, kind="stable", ignore_index=True)
