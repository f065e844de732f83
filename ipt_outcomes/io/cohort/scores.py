"""Score columns: totals in range, items to totals, the reasons for missing ones."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from ipt_outcomes.instruments import Instrument
from ipt_outcomes.io.cohort.cells import BoolArray, FloatArray
from ipt_outcomes.io.cohort.columns import Columns
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.item_columns import SCORE_HINT, ItemColumns, score_columns
from ipt_outcomes.io.cohort.reader import Reader, refuse_bad_numbers, shown_label
from ipt_outcomes.io.cohort.score_rows import read_score_rows
from ipt_outcomes.io.cohort.totals import Totals, observed, out_of_range, range_words
from ipt_outcomes.io.cohort.typed import Values
from ipt_outcomes.io.toml_text import key, quoted

MISSING_WORDS = re.compile(
    r"(?i)\b(missing|refus\w*|not (asked|answered|done|applicable|known|available|determined|recorded|assessed)|"
    r"unknown|no (answer|response|data)|n/?a|don'?t know|declined|skipped|invalid)\b"
)


@dataclass(slots=True)
class Scores:
    """Every score column of a source.

    Parameters
    ----------
    totals : dict of str to Totals
        By instrument, of columns that stand for the row's own time.
    baseline : dict of str to Totals
    wide : dict of tuple of str to Totals
        By instrument and visit.
    rows : Totals or None
        Of a source with one score per row and its instrument beside it; those are among the texts of the values.
    notes : list of str
    """

    totals: dict[str, Totals] = field(default_factory=dict)
    baseline: dict[str, Totals] = field(default_factory=dict)
    wide: dict[tuple[str, str], Totals] = field(default_factory=dict)
    rows: Totals | None = None
    notes: list[str] = field(default_factory=list)


def read_scores(reader: Reader, columns: Columns, values: Values, faults: Faults) -> Scores:
    """Read totals, baselines, wide columns, items, and scores that stand in rows of their own.

    Parameters
    ----------
    reader : Reader
    columns : Columns
    values : Values
        With the instrument and the item of each row, where rows have one score each.
    faults : Faults
        Takes scores no form can have, and labelled codes nobody declared as missing.

    Returns
    -------
    Scores
    """
    scores, plan = Scores(), reader.plan
    for target, source in columns.of_kind("total").items():
        scores.totals[target.name] = _total(plan.instrument(target.name), source, reader, faults)
    for target, source in columns.of_kind("baseline").items():
        scores.baseline[target.name] = _total(plan.instrument(target.name), source, reader, faults)
    for target, source in columns.of_kind("wide").items():
        scores.wide[target.name, target.part] = _total(plan.instrument(target.name), source, reader, faults)
    _read_items(scores, reader, columns, faults)
    scores.rows = read_score_rows(reader, columns, values, faults)
    return scores


def _read_items(scores: Scores, reader: Reader, columns: Columns, faults: Faults) -> None:
    """Make totals of items, at the row's own time and at the visits of a wide file."""
    plan = reader.plan
    items: dict[str, dict[int, str]] = {}
    for target, source in columns.of_kind("item").items():
        items.setdefault(target.name, {})[int(target.part)] = source
    beside = {target.name: source for target, source in columns.of_kind("total").items()}
    for name, sources in items.items():
        form = ItemColumns(known=plan.instrument(name), sources=sources)
        made = score_columns(form, scores.totals.get(name), beside.get(name, ""), reader, faults, scores.notes)
        if made is not None:
            scores.totals[name] = made
    wide = {(target.name, target.part): source for target, source in columns.of_kind("wide").items()}
    for target, listed in columns.sources.items():
        if target.kind != "wide_items":
            continue
        at = (target.name, target.part)
        form = ItemColumns(
            known=plan.instrument(target.name), sources=dict(enumerate(listed, start=1)), when=f" at {target.part}"
        )
        made = score_columns(form, scores.wide.get(at), wide.get(at, ""), reader, faults, scores.notes)
        if made is not None:
            scores.wide[at] = made


def _total(known: Instrument, source: str, reader: Reader, faults: Faults) -> Totals:
    read, bad = reader.numbers(source)
    series = reader.raw.frame[source]
    refuse_bad_numbers(faults, bad, series, source, is_score=True)
    read = np.where(_labelled_codes(known, source, read, reader, faults), np.nan, read)
    outside = out_of_range(known, read)
    limits = range_words(known)
    faults.cells(
        outside, column=source, rule="range", expected=limits, what=f"outside {limits}", found=series, hint=SCORE_HINT
    )
    read = np.where(outside, np.nan, read)
    return Totals(known.name, read, observed(read), reader.reasons(source))


def _labelled_codes(known: Instrument, source: str, read: FloatArray, reader: Reader, faults: Faults) -> BoolArray:
    """Codes with a label that are no score: the file labels them, and nobody declared them as missing."""
    found = np.zeros(len(read), dtype=bool)
    told, lines = [], []
    for code, label in reader.labels(source).items():
        if not re.fullmatch(r"[+-]?\d+(\.\d+)?", code):
            continue
        mine = read == float(code)
        impossible = bool(out_of_range(known, np.array([float(code)]))[0])
        if mine.any() and (impossible or MISSING_WORDS.search(label)):
            found |= mine
            count = int(mine.sum())
            told.append(f"{code} ({shown_label(label)}) in {count} {'cell' if count == 1 else 'cells'}")
            lines.append(f"{quoted(code)} = {quoted(shown_label(label))}")
    if told:
        where = np.flatnonzero(found)
        faults.add(
            f"{source}: codes that the file labels, but does not declare as missing (L11): {', '.join(told)}; "
            f"scores of {known.short} are {range_words(known)}",
            rule="L11", column=source, expected=range_words(known), records=where,
            found=reader.raw.frame[source].iloc[where].to_numpy(dtype=object),
            hint=f"If they are missing, say so in the mapping:\n[missing.{key(source)}]\n" + "\n".join(lines),
        )  # fmt: skip
    return found
