"""Rows and people that the mapping sets aside ([exclude]), in every table of a source."""

from __future__ import annotations

import dataclasses
from functools import partial

import numpy as np
import pandas as pd

from ipt_outcomes.errors import OptionError
from ipt_outcomes.io.cohort.cells import BoolArray, IntArray, Texts, same_code
from ipt_outcomes.io.cohort.dictionary import IDS, Target, target_of
from ipt_outcomes.io.cohort.parts import Opened, Part
from ipt_outcomes.io.cohort.source import Raw

Excluded = list[tuple[str, int, int]]

_ROW_FIELDS = (
    "visit session_no day week phase attended minutes techniques instrument item value value_status mode blinded"
)
_OF_A_ROW = frozenset(_ROW_FIELDS.split())


def set_aside(opened: Opened) -> Excluded:
    """Set aside the rows and people that the mapping excludes; a person goes from every table.

    Parameters
    ----------
    opened : Opened
        Changed in place.

    Returns
    -------
    list of (reason, people, rows)

    Raises
    ------
    OptionError
        No table has a column of that name.
    """
    parts = opened.parts
    if not parts[0].plan.exclude:
        return []
    columns = _columns(parts)
    numbering = _Numbering(parts)
    people = [numbering.of(part) for part in parts]
    kept = [np.ones(len(one), dtype=bool) for one in people]
    excluded: Excluded = []
    for name, places in columns.items():
        reasons = {place: _reasons(parts[place], name, column) for place, (column, _) in places.items()}
        whole_person = any(whole for _, whole in places.values())
        for reason in dict.fromkeys(text for texts in reasons.values() for text in texts.values):
            mine = [_holds(reasons.get(place), reason, kept[place]) for place in range(len(parts))]
            if whole_person:
                gone = np.unique(np.concatenate([own[one] for own, one in zip(people, mine, strict=True)]))
                mine = [
                    one | (np.isin(own, gone[gone >= 0]) & left)
                    for one, own, left in zip(mine, people, kept, strict=True)
                ]
            kept = [left & ~one for left, one in zip(kept, mine, strict=True)]
            excluded.append((reason, _people_gone(people, mine, kept), int(sum(one.sum() for one in mine))))
    for part, left in zip(parts, kept, strict=True):
        part.raw = _without(part.raw, left)
        part.faults.rows = part.raw.rows
    _beside(opened, numbering, people, kept)
    return excluded


def _columns(parts: list[Part]) -> dict[str, dict[int, tuple[str, bool]]]:
    """Per name the tables that have it, with the column and whether it sets whole people aside."""
    found: dict[str, dict[int, tuple[str, bool]]] = {}
    for name in parts[0].plan.exclude:
        own = {place: _excluding(name, part) for place, part in enumerate(parts)}
        found[name] = {place: one for place, one in own.items() if one is not None}
    absent = [f"[exclude.{name}]" for name, own in found.items() if not own]
    if absent:
        raise OptionError(f"{', '.join(absent)}: neither a mapped name nor a column of one of the tables")
    return found


def _excluding(name: str, part: Part) -> tuple[str, bool] | None:
    target = target_of(name)
    for known in (target, Target("covariate", name)):
        if known is not None and known in part.columns.sources and known.name not in IDS:
            whole = not (known.kind == "field" and known.name in _OF_A_ROW) and name not in part.plan.exclude_rows
            return part.columns.sources[known][0], whole
    return (name, name not in part.plan.exclude_rows) if name in part.raw.columns else None


def _reasons(part: Part, name: str, column: str) -> Texts:
    """Why each record is set aside; missing where it is not."""
    codes = {same_code(code): reason for code, reason in part.plan.exclusions_of(name).items()}
    cells = part.raw.texts(column).to_array()
    by_file = part.raw.declared[part.raw.declared["column"] == column]
    cells[by_file["record"].to_numpy(dtype=int)] = by_file["code"].to_numpy(dtype=object)
    return Texts.of(pd.Series(cells, dtype=object)).mapped(partial(_reason, codes))


def _reason(codes: dict[str, str], text: str) -> str | None:
    return codes.get(same_code(text))


def _holds(reasons: Texts | None, reason: str, kept: BoolArray) -> BoolArray:
    if reasons is None or reason not in reasons.values:
        return np.zeros(len(kept), dtype=bool)
    return np.asarray((reasons.codes == reasons.values.index(reason)) & kept)


def _people_gone(people: list[IntArray], mine: list[BoolArray], kept: list[BoolArray]) -> int:
    """How many people have a row among those set aside, and none left."""
    out = np.unique(np.concatenate([own[one] for own, one in zip(people, mine, strict=True)]))
    left = np.concatenate([own[one] for own, one in zip(people, kept, strict=True)])
    return int((~np.isin(out[out >= 0], left)).sum())


class _Numbering:
    """Numbers people across tables, also where a table names their episodes only."""

    def __init__(self, parts: list[Part]) -> None:
        self._person: dict[str, int] = {}
        self._episode: dict[str, int] = {}
        for part in parts:
            persons, episodes = self._numbers(part.people), part.ids("episode_id")
            both = (persons >= 0) & ~episodes.missing
            where, first = np.unique(episodes.codes[both], return_index=True)
            for code, person in zip(where, persons[both][first], strict=True):
                self._episode.setdefault(episodes.values[code], int(person))

    def _numbers(self, texts: Texts) -> IntArray:
        known = [self._person.setdefault(text, len(self._person)) for text in texts.values]
        return np.asarray(np.array([*known, -1], dtype=np.int64)[texts.codes], dtype=np.int64)

    def of(self, part: Part) -> IntArray:
        """Return the number of the person of each record, -1 where not known."""
        return self.by(part.people, part.ids("episode_id"))

    def by(self, people: Texts, episodes: Texts) -> IntArray:
        """Return the same of ids."""
        by_episode = np.array([*(self._episode.get(text, -1) for text in episodes.values), -1], dtype=np.int64)
        numbers = self._numbers(people)
        return np.asarray(np.where(numbers < 0, by_episode[episodes.codes], numbers), dtype=np.int64)


def _without(raw: Raw, kept: BoolArray) -> Raw:
    if kept.all():
        return raw
    new = np.cumsum(kept) - 1
    declared = raw.declared[kept[raw.declared["record"].to_numpy(dtype=int)]]
    declared = declared.assign(record=new[declared["record"].to_numpy(dtype=int)])
    frame = raw.frame[kept].reset_index(drop=True)
    return dataclasses.replace(raw, frame=frame, rows=raw.rows[kept], declared=declared, read={})


def _beside(opened: Opened, numbering: _Numbering, people: list[IntArray], kept: list[BoolArray]) -> None:
    """Goals of people who are set aside go, too."""
    everybody = np.unique(np.concatenate(people))
    gone = np.setdiff1d(everybody, np.concatenate([own[left] for own, left in zip(people, kept, strict=True)]))
    for part in opened.beside.values():
        if "episode_id" in part.raw.columns:
            episodes = part.raw.texts("episode_id")
            nobody = Texts(np.full(len(episodes.codes), -1, dtype=np.int64), ())
            part.raw = _without(part.raw, ~np.isin(numbering.by(nobody, episodes), gone[gone >= 0]))
