"""Dates to whole days from the person's own start (L5); no date leaves this module."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ipt_outcomes.errors import OptionError
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.identity import People
from ipt_outcomes.io.cohort.mapping_parts import Dates
from ipt_outcomes.io.cohort.reader import Reader
from ipt_outcomes.io.cohort.typed import Values
from ipt_outcomes.io.days import read_days
from ipt_outcomes.privacy.gate import GateEntry
from ipt_outcomes.results import plural

START = "start date"
"""Name of the person's own start among the numbers; no field of the dictionary."""

START_YEAR = "start_year"
_HINT = (
    'Say how the dates are written, or what they count from: [dates] order = "iso", "dmy", "mdy", "spss", "excel", '
    '"excel1904", "sas", "sas_datetime", "stata" or "stata_datetime". Years have four digits.'
)


def read_dates(name: str, source: str, reader: Reader, values: Values, faults: Faults) -> None:
    """Read a column of dates as days from 1970, to be counted from the person's start once that is known.

    Parameters
    ----------
    name : str
        Field of days, or `START`.
    source : str
        Source column.
    reader : Reader
        With ``[dates]`` in its plan.
    values : Values
        Takes the days.
    faults : Faults
        Takes cells that are no dates, and a way of writing that nobody stated.
    """
    plan = reader.plan.dates
    order = None if plan is None else plan.order
    column = reader.raw.frame[source]
    if not pd.api.types.is_datetime64_any_dtype(column):
        # Codes for missing cells are taken out as everywhere.
        texts = reader.texts(source).to_array()
        dated = column.where(~pd.isna(texts)) if column.dtype == object else pd.Series(texts, dtype=object)
        column = dated
    try:
        days, bad = read_days(column, origin=order)
    except OptionError:
        faults.add(
            f"{source}: dates, and the mapping does not say how they are written (L5)",
            rule="L5", column=source, expected="[dates] order", hint=_HINT,
        )  # fmt: skip
        days, bad = np.full(reader.size, np.nan), np.zeros(reader.size, dtype=bool)
    faults.cells(bad, column=source, rule="L5", expected=f"dates as {order}", what="no date", hint=_HINT)
    values.numbers[name] = days
    values.dated[name] = ~np.isnan(days)


def read_start(reader: Reader, values: Values, faults: Faults) -> None:
    """Read the person's own start, where the source has its column."""
    plan = reader.plan.dates
    if plan is not None and plan.start in reader.raw.columns:
        read_dates(START, plan.start, reader, values, faults)


def count_from_start(values: Values, people: People, plan: Dates | None, faults: Faults) -> None:
    """Make days from each person's (episode's) own start of the dates read.

    Parameters
    ----------
    values : Values
        Changed in place.
    people : People
    plan : Dates or None
    faults : Faults
        Takes people with dates and without a start, or with two.
    """
    if plan is None:
        return
    group, size, sources = people.episode, len(people.episode_keys), {START: plan.start, **plan.days}
    start = values.numbers.pop(START, None)
    values.dated.pop(START, None)
    if start is None:
        if values.dated:
            values.numbers = {name: v for name, v in values.numbers.items() if name not in values.dated}
        return
    known = (group >= 0) & ~np.isnan(start)
    first = np.full(size, np.nan)
    where, position = np.unique(group[known], return_index=True)
    first[where] = start[known][position]
    differ = len(np.unique(group[known][start[known] != first[group[known]]]))
    source = sources.get(START, "start")
    if differ:
        faults.add(
            f"{source}: the start differs between rows of one person for {differ} {plural(differ, 'person', 'people')}",
            rule="L5", column=source, expected="one start per person",
            hint="If people have several treatments, map episode_id: each has its own start.",
        )  # fmt: skip
    own = np.where(group >= 0, np.append(first, np.nan)[group], np.nan)
    for name, dated in values.dated.items():
        lost = dated & np.isnan(own) & (group >= 0)
        if lost.any():
            count = len(np.unique(group[lost]))
            faults.add(
                f"{sources.get(name, name)}: {count} {plural(count, 'person has', 'people have')} dates but no start",
                rule="L5", column=sources.get(name, name), expected=f"a date in {source}", records=np.flatnonzero(lost),
            )  # fmt: skip
        values.numbers[name] = np.where(dated, values.numbers[name] - own, values.numbers[name])
        detail = f"{sources.get(name, name)}: dates were made whole days from the person's own start ({source})"
        values.gate.append(
            GateEntry(
                rule="L5", action="changed", column=sources.get(name, name), detail=detail, count=int(dated.sum())
            )
        )
    if plan.start_year:
        known = ~np.isnan(own)
        years = own[known].astype("datetime64[D]").astype("datetime64[Y]").astype(np.float64) + 1970
        values.numbers[START_YEAR] = own.copy()
        values.numbers[START_YEAR][known] = years
        values.gate.append(
            GateEntry(
                rule="L5", action="changed", column=source,
                detail=f"{source}: the calendar year of the start is kept ({START_YEAR}), as the mapping asks",
            )
        )  # fmt: skip
