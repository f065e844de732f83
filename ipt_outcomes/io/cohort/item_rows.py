"""Totals of instruments whose items stand in rows of their own (one answer per row)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.instruments import instrument, score
from ipt_outcomes.instruments.items import why_not_scored
from ipt_outcomes.io.cohort.assess import Assessments
from ipt_outcomes.io.cohort.cells import Texts
from ipt_outcomes.io.cohort.dictionary import item_count, items_on_form
from ipt_outcomes.io.cohort.faults import Faults

_FORM = ["episode", "instrument", "visit", "session_no", "day", "week"]


def score_item_rows(table: pd.DataFrame, collected: Assessments, faults: Faults) -> pd.DataFrame:
    """Add the totals of forms whose items are rows, for instruments without any row of a total.

    Parameters
    ----------
    table : pandas.DataFrame
        Working table, without duplicates.
    collected : Assessments
    faults : Faults
        Takes answers that no form has.

    Returns
    -------
    pandas.DataFrame
    """
    items = table[table["item"] > 0]
    with_total = set(table.loc[table["item"] == 0, "instrument"])
    parts = [table]
    for number in items["instrument"].unique():
        name = collected.instruments[int(number)]
        if number in with_total:
            collected.notes.append(f"{instrument(name).short}: totals as given, items beside them not scored again")
            continue
        reason = why_not_scored(instrument(name))
        if reason is not None:
            collected.notes.append(f"{instrument(name).short}: items without totals, not scored: {reason}")
            continue
        parts.append(_totals(name, items[items["instrument"] == number], collected, faults))
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if len(parts) > 1 else table


def _totals(name: str, items: pd.DataFrame, collected: Assessments, faults: Faults) -> pd.DataFrame:
    """One row per form."""
    beyond = items["item"] > items_on_form(name)
    if beyond.any():
        count = int(beyond.sum())
        rows = "1 row has" if count == 1 else f"{count} rows have"
        faults.add(
            f"{instrument(name).short} has {item_count(name)} items; {rows} a higher number",
            rule="items", column="item", expected=f"1 to {item_count(name)}",
            records=items.loc[beyond, "record"].to_numpy(dtype=np.int64),
        )  # fmt: skip
        return items.head(0)
    group = items.groupby(_FORM, dropna=False, sort=False).ngroup()
    first = items[~group.duplicated()]
    answers = np.full((len(first), item_count(name)), np.nan)
    scored = (items["item"] <= item_count(name)).to_numpy()
    place = items["item"].to_numpy(dtype=np.int64)[scored] - 1
    answers[group.to_numpy()[scored], place] = items["value"].to_numpy(dtype=float)[scored]
    columns = [f"{name}_{number}" for number in range(1, item_count(name) + 1)]
    record = first["record"].to_numpy(dtype=np.int64)
    try:
        made = score(name, pd.DataFrame(answers, columns=columns), rows=faults.rows[record].tolist())
    except (DataError, OptionError) as error:
        faults.add(error.message, rule="items", column="value", expected="answers of the form", hint=error.hint)
        return items.head(0)
    short = instrument(name).short
    collected.notes.append(f"{short} scored from items in rows: {'; '.join(made.notes)}")
    status = made.status.where(made.status != "not_done", None)
    numbers = collected.statuses.numbers(Texts.of(status.astype(object)))
    return first.assign(item=0.0, value=made.total.to_numpy(dtype=float), status=numbers, reason=-1)
