"""The tables of a folder under one another: each record has what its own table says, and is missing in all else."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from ipt_outcomes.io.cohort.cells import BoolArray, FloatArray, Texts, nothing
from ipt_outcomes.io.cohort.columns import Columns
from ipt_outcomes.io.cohort.parts import Typed
from ipt_outcomes.io.cohort.scores import Scores
from ipt_outcomes.io.cohort.totals import Totals
from ipt_outcomes.io.cohort.typed import Values

Key = TypeVar("Key", bound=Hashable)


@dataclass(slots=True)
class Stacked:
    """All records of a source.

    Parameters
    ----------
    values : Values
    scores : Scores
    columns : Columns
    tables : tuple of str
        Table of the dictionary of each part; ("",) for one file.
    table : numpy.ndarray of int, shape (n,)
        Which part each record is of.
    has : dict of str to set of str
        Fields each table has.
    """

    values: Values
    scores: Scores
    columns: Columns
    tables: tuple[str, ...]
    table: np.ndarray
    has: dict[str, set[str]] = field(default_factory=dict)

    def of_table(self, name: str) -> BoolArray:
        """Which records are of a table."""
        return np.isin(self.table, [place for place, own in enumerate(self.tables) if own == name])

    def with_field(self, name: str) -> BoolArray:
        """Which records are of a table that has a field."""
        return np.isin(self.table, [place for place, own in enumerate(self.tables) if name in self.has[own]])


def stack(typed: list[Typed]) -> Stacked:
    """Put tables under one another.

    Parameters
    ----------
    typed : list of Typed

    Returns
    -------
    Stacked
    """
    tables = tuple(one.part.table for one in typed)
    has = {one.part.table: {*one.values.texts, *one.values.numbers} for one in typed}
    table = np.repeat(np.arange(len(typed)), [one.size for one in typed])
    if len(typed) == 1:
        only = typed[0]
        return Stacked(only.values, only.scores, only.part.columns, tables, table, has)
    columns = Columns()
    for one in typed:
        for target, sources in one.part.columns.sources.items():
            columns.sources.setdefault(target, sources)
        columns.notes += [f"{one.part.raw.source.name}: {note}" for note in one.part.columns.notes]
        columns.gate += one.part.columns.gate
    return Stacked(_values(typed), _scores(typed), columns, tables, table, has)


def _texts(found: list[Texts | None], sizes: list[int]) -> Texts:
    position: dict[str, int] = {}
    parts = []
    for texts, size in zip(found, sizes, strict=True):
        own = texts if texts is not None else nothing(size)
        new = np.array([*(position.setdefault(text, len(position)) for text in own.values), -1], dtype=np.int64)
        parts.append(new[own.codes])
    return Texts(np.concatenate(parts), tuple(position))


def _numbers(found: list[FloatArray | None], sizes: list[int]) -> FloatArray:
    return np.concatenate(
        [np.full(size, np.nan) if own is None else own for own, size in zip(found, sizes, strict=True)]
    )


def _masks(found: list[np.ndarray | None], sizes: list[int]) -> np.ndarray:
    return np.concatenate(
        [np.zeros(size, dtype=bool) if own is None else own for own, size in zip(found, sizes, strict=True)]
    )


def _values(typed: list[Typed]) -> Values:
    sizes = [one.size for one in typed]
    all_values = [one.values for one in typed]
    whole = Values(people=_texts([own.people for own in all_values], sizes))
    for name in dict.fromkeys(name for own in all_values for name in own.texts):
        whole.texts[name] = _texts([own.texts.get(name) for own in all_values], sizes)
    for name in dict.fromkeys(name for own in all_values for name in own.numbers):
        whole.numbers[name] = _numbers([own.numbers.get(name) for own in all_values], sizes)
    for name in dict.fromkeys(name for own in all_values for name in own.dated):
        whole.dated[name] = _masks([own.dated.get(name) for own in all_values], sizes)
    if any(own.is_top_age is not None for own in all_values):
        whole.is_top_age = _masks([own.is_top_age for own in all_values], sizes)
    for one in typed:
        whole.labelled = {**one.values.labelled, **whole.labelled}
        whole.notes += [f"{one.part.raw.source.name}: {note}" for note in one.values.notes]
        whole.gate += one.values.gate
    return whole


def _scores(typed: list[Typed]) -> Scores:
    own = np.repeat(np.arange(len(typed)), [one.size for one in typed])
    whole = Scores(
        totals=_by_key([one.scores.totals for one in typed], typed, own),
        baseline=_by_key([one.scores.baseline for one in typed], typed, own),
        wide=_by_key([one.scores.wide for one in typed], typed, own),
    )
    if any(one.scores.rows is not None for one in typed):
        whole.rows = _totals([one.scores.rows for one in typed], typed, own)
    whole.notes = [f"{one.part.raw.source.name}: {note}" for one in typed for note in one.scores.notes]
    return whole


def _by_key(dicts: list[dict[Key, Totals]], typed: list[Typed], table: np.ndarray) -> dict[Key, Totals]:
    keys = dict.fromkeys(key for one in dicts for key in one)
    return {key: _totals([one.get(key) for one in dicts], typed, table) for key in keys}


def _totals(found: list[Totals | None], typed: list[Typed], table: np.ndarray) -> Totals:
    sizes = [one.size for one in typed]
    width = max((one.items.shape[1] for one in found if one is not None and one.items is not None), default=0)
    items = [
        np.full((size, width), np.nan) if one is None or one.items is None else one.items
        for one, size in zip(found, sizes, strict=True)
    ]
    return Totals(
        instrument=next(one.instrument for one in found if one is not None),
        values=_numbers([None if one is None else one.values for one in found], sizes),
        status=_texts([None if one is None else one.status for one in found], sizes),
        reasons=_texts([None if one is None else one.reasons for one in found], sizes),
        items=np.concatenate(items) if width else None,
        own=np.isin(table, [place for place, one in enumerate(found) if one is not None]),
    )
