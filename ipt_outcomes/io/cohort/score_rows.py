"""Scores that stand in rows of their own, one per row, with the name of the instrument beside each."""

from __future__ import annotations

import numpy as np

from ipt_outcomes.instruments import instrument
from ipt_outcomes.io.cohort.columns import Columns
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.reader import Reader, refuse_bad_numbers
from ipt_outcomes.io.cohort.totals import Totals, observed, out_of_range, range_words
from ipt_outcomes.io.cohort.typed import Values


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
    names = values.texts["instrument"]
    item = np.nan_to_num(values.numbers.get("item", np.zeros(len(read))))
    for place, name in enumerate(names.values):
        mine = (names.codes == place) & (item == 0)
        outside = mine & out_of_range(name, read)
        limits = range_words(name)
        faults.cells(
            outside, column=source, rule="range", expected=limits,
            what=f"scores of {instrument(name).short} outside {limits}", found=reader.raw.frame[source],
        )  # fmt: skip
        read = np.where(outside, np.nan, read)
    status = values.texts.get("value_status")
    reasons = values.texts.get("missing_reason")
    return Totals("", read, observed(read, status), reader.reasons(source) if reasons is None else reasons)


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
