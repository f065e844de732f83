"""Totals of instruments whose items stand in rows of their own (one answer per row)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.instruments import Instrument, Scores, compare_totals, score
from ipt_outcomes.instruments.items import why_not_scored
from ipt_outcomes.io.cohort.assess import Assessments
from ipt_outcomes.io.cohort.cells import FloatArray, IntArray, Texts
from ipt_outcomes.io.cohort.dictionary import item_count
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.item_columns import take_differences
from ipt_outcomes.privacy.gate import GateEntry
from ipt_outcomes.results import plural

_FORM = ["episode", "instrument", "visit", "session_no", "day", "week"]


def score_item_rows(
    table: pd.DataFrame, collected: Assessments, column: str, faults: Faults
) -> tuple[pd.DataFrame, list[GateEntry]]:
    """Make the totals of forms whose items are rows, and hold them against the totals that are rows, too.

    Parameters
    ----------
    table : pandas.DataFrame
        Working table, without duplicates; answers are possible ones.
    collected : Assessments
    column : str
        Column of the source that holds the scores.
    faults : Faults
        Takes totals that are not those of their items.

    Returns
    -------
    table : pandas.DataFrame
        With a total for every form; items that run the other way are turned, as they count.
    gate : list of GateEntry
        Totals that another rule than ours made.
    """
    gate: list[GateEntry] = []
    for number in table.loc[table["item"] > 0, "instrument"].unique():
        known = collected.plan.instrument(collected.instruments[int(number)])
        reason = why_not_scored(known)
        if reason is not None:
            collected.notes.append(f"{known.short}: items in rows, not scored: {reason}")
            continue
        mine = (table["instrument"] == number).to_numpy()
        scored = _scored(known, table[mine], collected, column, faults, gate)
        table = pd.concat([table[~mine], scored]).sort_index(kind="stable").reset_index(drop=True)
    return table, gate


def _scored(
    known: Instrument, mine: pd.DataFrame, collected: Assessments, column: str, faults: Faults, gate: list[GateEntry]
) -> pd.DataFrame:
    """The rows of one instrument, with the totals of its forms."""
    counted = ((mine["item"] > 0) & (mine["item"] <= item_count(known.name))).to_numpy()
    if not counted.any():
        return mine
    group = mine.groupby(_FORM, dropna=False, sort=False).ngroup().to_numpy()
    forms, first, of_item = np.unique(group[counted], return_index=True, return_inverse=True)
    heads = mine[counted].iloc[first]
    place = mine["item"].to_numpy(dtype=np.int64)[counted] - 1
    value = mine["value"].to_numpy(dtype=float).copy()
    answers = np.full((len(forms), item_count(known.name)), np.nan)
    answers[of_item, place] = value[counted]
    frame = pd.DataFrame(answers, columns=[f"{known.name}_{n}" for n in range(1, answers.shape[1] + 1)])
    try:
        made = score(known, frame, rows=faults.rows[heads["record"].to_numpy(dtype=np.int64)].tolist())
    except (DataError, OptionError) as error:
        faults.add(error.message, rule="items", column=column, expected="answers of the form", hint=error.hint)
        return mine
    collected.notes.append(f"{known.short} scored from items in rows: {'; '.join(made.notes)}")
    turned = made.items.to_numpy(dtype=float)[of_item, place]
    value[counted] = np.where(np.isnan(turned), value[counted], turned)
    mine = mine.assign(value=value)
    is_total = (mine["item"] == 0).to_numpy()
    totals = mine[is_total]
    form = pd.Index(forms).get_indexer(pd.Index(group[is_total]))
    given = _of_forms(form, totals["value"].to_numpy(dtype=float), len(forms))
    _compare(
        known, made, given, _of_forms(form, totals["record"].to_numpy(dtype=float), len(forms)), column, faults, gate
    )
    none_answered = (made.status == "not_done").to_numpy(dtype=bool)
    # A total stands for itself where no item of its form is there, or none was answered.
    alone = none_answered & ~np.isnan(given)
    stays = (form < 0) | np.append(alone, False)[form]
    if stays.any():
        count = int(stays.sum())
        collected.notes.append(f"{known.short}: {count} {plural(count, 'total', 'totals')} as given, without items")
    parts = [mine[~is_total], totals[stays], _rows(heads, made, collected)[~alone]]
    joined: pd.DataFrame = pd.concat([part for part in parts if len(part)])
    return joined


def _of_forms(form: IntArray, values: FloatArray, size: int) -> FloatArray:
    """One value per form, NaN where there is none."""
    found = np.full(size, np.nan)
    found[form[form >= 0]] = values[form >= 0]
    return found


def _rows(heads: pd.DataFrame, made: Scores, collected: Assessments) -> pd.DataFrame:
    """One total per form, at the place of its first item."""
    status = made.status.where(made.status != "not_done", None)
    numbers = collected.statuses.numbers(Texts.of(status.astype(object)))
    rows: pd.DataFrame = heads.assign(item=0.0, value=made.total.to_numpy(dtype=float), status=numbers, reason=-1)
    return rows


def _compare(
    known: Instrument, made: Scores, given: FloatArray, record: FloatArray, column: str, faults: Faults,
    gate: list[GateEntry],
) -> None:  # fmt: skip
    differences = compare_totals(made, given).differences
    if len(differences):
        places = record[differences["row"].to_numpy(dtype=np.int64)].astype(np.int64)
        take_differences(differences, known.short, column, places, faults, gate)
