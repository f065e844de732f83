"""What a file must say about the items of an instrument: whether its reversed items stand as on the form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ipt_outcomes.instruments import Instrument, instrument
from ipt_outcomes.io.cohort.cells import FloatArray
from ipt_outcomes.io.cohort.dictionary import item_count, target_of
from ipt_outcomes.io.propose.draft import Draft, is_total
from ipt_outcomes.io.propose.profiles import Profile
from ipt_outcomes.io.propose.words import GUESS, LIKELY, Sure, folded

_SHARE = 0.95
_FEWEST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FactLine:
    """Whether the reversed items of an instrument stand as on the form.

    Parameters
    ----------
    name : str
        Instrument.
    raw_order : bool or None
        True: as on the form; False: turned already; None where it has to be said.
    sure : {"sure", "likely", "guess"}
    why : str
    """

    name: str
    raw_order: bool | None
    sure: Sure
    why: str

    @property
    def waits_as(self) -> str:
        """What it is called under ``undecided``."""
        return f"[instruments.{self.name}]"


def fact_lines(draft: Draft) -> list[FactLine]:
    """Return what has to be said about reversed items, for every instrument whose items were found.

    Parameters
    ----------
    draft : Draft

    Returns
    -------
    list of FactLine
        None for an instrument without reversed items, and for one whose files always hold them as on the form,
        unless the file tells otherwise.
    """
    found = []
    for name in _with_items(draft):
        known = instrument(name)
        if not known.items_reversed or not item_count(name):
            continue
        told = _by_answers(known, draft)
        if told is None:
            told = _by_totals(known, draft)
        numbers = ", ".join(str(number) for number in known.items_reversed)
        if told is not None:
            raw_order, why, sure = told
            found.append(FactLine(name=name, raw_order=raw_order, sure=sure, why=why))
        elif known.raw_order is None or _in_rows(name, draft):
            why = f"items {numbers} of {known.short} run the other way: true if the file holds them as on the form, "
            found.append(FactLine(name=name, raw_order=None, sure=GUESS, why=f"{why}false if they were turned already"))
    return found


def _with_items(draft: Draft) -> list[str]:
    names = [line.name for line in draft.lines.values() if line.part == "wide_items"]
    targets = [target_of(line.name) for line in draft.lines.values() if line.part == "columns"]
    targets += [target_of(code.code or "") for code in draft.codes if (code.part, code.name) == ("codes", "instrument")]
    names += [target.name for target in targets if target is not None and target.kind == "item"]
    return list(dict.fromkeys(names))


def _in_rows(name: str, draft: Draft) -> bool:
    """Whether the items stand in rows of their own, where either order is usual."""
    targets = [target_of(code.code or "") for code in draft.codes if code.name == "instrument"]
    return any(target is not None and target.kind == "item" and target.name == name for target in targets)


def _by_answers(known: Instrument, draft: Draft) -> tuple[bool, str, Sure] | None:
    """By the words of the answers beside their numbers (CDISC: QSORRES and QSSTRESN)."""
    columns = {folded(column): column for column in draft.profiles}
    if not {"qstestcd", "qsorres", "qsstresn"} <= set(columns):
        return None
    codes = draft.profiles[columns["qstestcd"]].texts.to_array()
    words = draft.profiles[columns["qsorres"]].texts.to_array()
    numbers = draft.profiles[columns["qsstresn"]].numbers
    targets = {code.written: target_of(code.code or "") for code in draft.codes}
    items = {w: int(t.part) for w, t in targets.items() if t is not None and (t.kind, t.name) == ("item", known.name)}
    plain: dict[str, Counter[float]] = {}
    turned: list[tuple[str, float]] = []
    for code, word, number in zip(codes, words, numbers, strict=True):
        if code not in items or not isinstance(word, str) or np.isnan(number):
            continue
        if items[code] in known.items_reversed:
            turned.append((word.strip().casefold(), float(number)))
        else:
            plain.setdefault(word.strip().casefold(), Counter())[float(number)] += 1
    meant = {word: seen.most_common(1)[0] for word, seen in plain.items()}
    means = {word: number for word, (number, n) in meant.items() if n >= _SHARE * plain[word].total()}
    seen = [(number, means[word]) for word, number in turned if word in means]
    if len(seen) < _FEWEST:
        return None
    top = float(known.item_min or 0) + float(known.item_max or 0)
    same = sum(number == mean for number, mean in seen) / len(seen)
    other = sum(top - number == mean for number, mean in seen) / len(seen)
    if max(same, other) < _SHARE or min(same, other) > 1 - _SHARE:
        return None
    said = "the same number" if same > other else "opposite numbers"
    why = f"the same words have {said} in reversed items and in the others of {known.short}"
    return same > other, why, LIKELY


def _by_totals(known: Instrument, draft: Draft) -> tuple[bool, str, Sure] | None:
    """By totals beside the items: which order gives them?"""
    raw, counted = _agreeing(known, draft)
    if raw is None or counted is None or max(raw, counted) < _SHARE or min(raw, counted) >= _SHARE:
        return None
    as_on_form = counted > raw
    how = "once reversed items are turned" if as_on_form else "as they stand"
    return as_on_form, f"the items of {known.short} give the totals beside them {how}", LIKELY


def _agreeing(known: Instrument, draft: Draft) -> tuple[float | None, float | None]:
    """Share of forms whose total is the sum of the items as they stand, and of the items turned."""
    top = float(known.item_min or 0) + float(known.item_max or 0)
    hits: list[np.ndarray] = []
    for total, items in _forms(known, draft.profiles, draft):
        full = ~np.isnan(items).any(axis=1) & ~np.isnan(total)
        turned = items.copy()
        place = [number - 1 for number in known.items_reversed]
        turned[:, place] = top - turned[:, place]
        sums = np.column_stack([items.sum(axis=1), turned.sum(axis=1)])
        hits.append(sums[full] == total[full, None])
    if not hits or sum(len(part) for part in hits) < _FEWEST:
        return None, None
    raw, counted = np.concatenate(hits).mean(axis=0)
    return float(raw), float(counted)


def _forms(known: Instrument, profiles: Mapping[str, Profile], draft: Draft) -> list[tuple[FloatArray, FloatArray]]:
    """Total and items of each form that has both."""
    totals: dict[str, str] = {}
    items: dict[str, dict[int, str]] = {}
    for line in draft.lines.values():
        target = target_of(line.name) if line.part == "columns" else None
        if line.part == "wide" and line.name == known.name:
            totals[line.visit] = line.column
        elif line.part == "wide_items" and line.name == known.name:
            items.setdefault(line.visit, {})[line.item] = line.column
        elif target is not None and target.name == known.name and target.kind == "item":
            items.setdefault("", {})[int(target.part)] = line.column
        elif target is not None and target.name == known.name and is_total(line):
            totals[""] = line.column
    wanted = range(1, item_count(known.name) + 1)
    return [
        (profiles[totals[visit]].numbers, np.column_stack([profiles[form[n]].numbers for n in wanted]))
        for visit, form in items.items()
        if visit in totals and set(wanted) <= set(form)
    ]
