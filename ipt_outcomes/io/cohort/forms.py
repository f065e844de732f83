"""Files that hold several forms (REDCap): rows of other forms, and boxes of forms nobody filled in."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ipt_outcomes.io.cohort.cells import same_code
from ipt_outcomes.io.cohort.mapping import CohortMapping
from ipt_outcomes.io.cohort.source import Raw
from ipt_outcomes.privacy.gate import GateEntry

if TYPE_CHECKING:
    from ipt_outcomes.io.cohort.scores import Scores

REASON = "form not filled in"


def structure_columns(plan: CohortMapping) -> set[str]:
    """Return the columns that only say which form a row is of, or whether a form was filled in.

    Parameters
    ----------
    plan : CohortMapping

    Returns
    -------
    set of str
    """
    return {*plan.unseen.values(), *plan.forms.values()}


def structure_gate(plan: CohortMapping, used: set[str]) -> list[GateEntry]:
    """Say that these columns were used and left out.

    Parameters
    ----------
    plan : CohortMapping
    used : set of str
        Columns that are read as something else, too.

    Returns
    -------
    list of GateEntry
    """
    told = dict.fromkeys(plan.unseen.values(), "tell a form not filled in from a no")
    told |= dict.fromkeys(plan.forms.values(), "tell which form a row is of")
    return [
        GateEntry(
            rule="L1", action="left out", column=column, detail=f"column {column} was used to {why}, and left out"
        )
        for column, why in told.items()
        if column not in used
    ]


def without_unseen(raw: Raw, plan: CohortMapping) -> Raw:
    """Make a 0 missing where the form it stands on was not filled in, with the reason beside it.

    Parameters
    ----------
    raw : Raw
    plan : CohortMapping
        ``plan.unseen``: column and the column with the state of its form.

    Returns
    -------
    Raw
        A tick (1) counts whatever the state of the form says: somebody made it.
    """
    here = {column: status for column, status in plan.unseen.items() if {column, status} <= set(raw.columns)}
    if not here:
        return raw
    frame, parts = raw.frame.copy(deep=False), [raw.declared]
    for column, status in here.items():
        opened = raw.texts(status).mapped(lambda text: None if same_code(text) == "0" else text)
        zero = raw.texts(column).mapped(lambda text: text if same_code(text) == "0" else None)
        never_seen = opened.missing & ~zero.missing
        if never_seen.any():
            frame[column] = frame[column].mask(never_seen)
            entry = {"record": never_seen.nonzero()[0], "column": column, "code": "0", "reason": REASON}
            parts.append(pd.DataFrame(entry))
    return dataclasses.replace(raw, frame=frame, declared=pd.concat(parts, ignore_index=True), read={})


def only_in_own_forms(scores: Scores, raw: Raw, plan: CohortMapping) -> None:
    """Keep to the rows of a score's own forms: in a row of another form it is not missing, it is not asked.

    Parameters
    ----------
    scores : Scores
        Changed in place.
    raw : Raw
    plan : CohortMapping
        ``plan.forms``: the column that says which form a row is of; empty for the forms that are not repeated.
    """
    column = plan.forms.get("column")
    if column is None or column not in raw.columns:
        return
    forms = raw.texts(column).codes
    for totals in scores.totals.values():
        with_value = np.unique(forms[~np.isnan(totals.values)])
        mine = np.isin(forms, with_value)
        totals.own = mine if totals.own is None else totals.own & mine
