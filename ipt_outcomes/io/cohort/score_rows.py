"""Scores that stand in rows of their own, one per row, with the name of the instrument beside each."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ipt_outcomes.instruments import Instrument
from ipt_outcomes.instruments.items import item_maximum
from ipt_outcomes.io.cohort.cells import BoolArray, FloatArray
from ipt_outcomes.io.cohort.columns import Columns
from ipt_outcomes.io.cohort.dictionary import item_count, items_on_form
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.reader import Reader, refuse_bad_numbers
from ipt_outcomes.io.cohort.totals import Totals, observed, out_of_range, range_words
from ipt_outcomes.io.cohort.typed import Values
from ipt_outcomes.results import plural


def read_score_rows(reader: Reader, columns: Columns, values: Values, faults: Faults) -> Totals | None:
    """Read the column of scores of a source with one score per row; None where it has none.

    Parameters
    ----------
    reader : Reader
    columns : Columns
    values : Values
    faults : Faults
        Takes scores no form can have, and scores without their instrument.

    Returns
    -------
    Totals or None
    """
    source = columns.source_of("value")
    if source is None or "instrument" not in values.texts:
        _refuse_half(columns, source, faults)
        return None
    read, bad = reader.numbers(source)
    refuse_bad_numbers(faults, bad, reader.raw.frame[source], source, is_score=True)
    named = columns.source_of("instrument")
    if named is not None and not reader.is_checked:
        faults.cells(
            reader.texts(named).missing & ~np.isnan(read), column=named, rule="required",
            expected="a name of an instrument", what="a score without its instrument",
            hint="Fill in the name of the instrument, or take the score out.",
        )  # fmt: skip
    names = values.texts["instrument"]
    item = np.nan_to_num(values.numbers.get("item", np.zeros(len(read))))
    cells = reader.raw.frame[source]
    for place, name in enumerate(names.values):
        known = reader.plan.instrument(name)
        mine = names.codes == place
        outside = mine & (item == 0) & out_of_range(known, read)
        limits = range_words(known)
        faults.cells(
            outside, column=source, rule="range", expected=limits,
            what=f"scores of {known.short} outside {limits}", found=cells,
        )  # fmt: skip
        wrong = outside | _no_answers(known, mine & (item > 0), read, item, source, cells, faults)
        read = np.where(wrong, np.nan, read)
    status = values.texts.get("value_status")
    reasons = values.texts.get("missing_reason")
    return Totals("", read, observed(read, status), reader.reasons(source) if reasons is None else reasons)


def _no_answers(
    known: Instrument,
    mine: BoolArray,
    read: FloatArray,
    item: FloatArray,
    source: str,
    cells: pd.Series,
    faults: Faults,
) -> BoolArray:
    """Answers that no item of the form has, and items that the form does not have."""
    none = np.zeros(len(read), dtype=bool)
    if not mine.any():
        return none
    beyond = mine & (item > items_on_form(known.name)) if item_count(known.name) else none
    if beyond.any():
        count = int(beyond.sum())
        faults.add(
            f"{known.short} has {item_count(known.name)} items; {count} {plural(count, 'row has', 'rows have')} "
            "a higher number",
            rule="items", column=source, expected=f"1 to {item_count(known.name)}", records=np.flatnonzero(beyond),
        )  # fmt: skip
    low, high = known.item_min, item_maximum(known)
    if low is None or high is None:
        return beyond
    limits = f"{low:g}-{high:g}"
    outside = mine & ~beyond & ((read < low) | (read > high))
    # Half an answer is none; PHQ-9's item on difficulty runs like the others.
    halves = mine & ~beyond & ~outside & (read % 1 != 0) & ~np.isnan(read)
    what = f"answers to items of {known.short}"
    faults.cells(outside, column=source, rule="range", expected=limits, what=f"{what} outside {limits}", found=cells)
    faults.cells(
        halves, column=source, rule="whole", expected="a whole number", what=f"{what} that are not whole", found=cells
    )
    return np.asarray(beyond | outside | halves)


def _refuse_half(columns: Columns, source: str | None, faults: Faults) -> None:
    """A score needs the name of its instrument and the other way round."""
    named = columns.source_of("instrument")
    if source is not None:
        faults.add(
            f"{source}: scores (value) without a column that names their instrument",
            rule="required", column=source, expected="a column 'instrument'",
            hint=f'If {source} holds one instrument throughout, map it by name: [columns] phq9 = "{source}".',
        )  # fmt: skip
    elif named is not None:
        faults.add(
            f"{named}: instruments are named, but no column holds their scores (value)",
            rule="required", column=named, expected="a column 'value'",
            hint='Map the column of the scores: [columns] value = "...".',
        )  # fmt: skip
