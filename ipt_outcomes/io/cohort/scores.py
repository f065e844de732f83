"""Score columns: totals in range, items to totals, the reasons for missing ones."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.instruments import instrument, score
from ipt_outcomes.io.cohort.cells import BoolArray, FloatArray, Texts
from ipt_outcomes.io.cohort.columns import Columns
from ipt_outcomes.io.cohort.dictionary import Target
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.reader import Reader, refuse_bad_numbers, shown_label
from ipt_outcomes.io.cohort.score_rows import read_score_rows
from ipt_outcomes.io.cohort.totals import Totals, observed, out_of_range, range_words
from ipt_outcomes.io.cohort.typed import Values
from ipt_outcomes.io.delimited import rows_in_words
from ipt_outcomes.io.toml_text import key, quoted

MISSING_WORDS = re.compile(
    r"(?i)\b(missing|refus\w*|not (asked|answered|done|applicable|known|available|determined|recorded|assessed)|"
    r"unknown|no (answer|response|data)|n/?a|don'?t know|declined|skipped|invalid)\b"
)
_SCORE_HINT = (
    "Values stand in the failure table only (.failures). A code for a missing score is declared in the mapping: "
    '[missing] "column" = { "999" = "not answered" }.'
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
    scores = Scores()
    for target, source in columns.of_kind("total").items():
        scores.totals[target.name] = _total(target.name, source, reader, faults)
    for target, source in columns.of_kind("baseline").items():
        scores.baseline[target.name] = _total(target.name, source, reader, faults)
    for target, source in columns.of_kind("wide").items():
        scores.wide[target.name, target.part] = _total(target.name, source, reader, faults)
    items: dict[str, dict[int, str]] = {}
    for target, source in columns.of_kind("item").items():
        items.setdefault(target.name, {})[int(target.part)] = source
    for name, sources in items.items():
        made = _from_items(name, sources, reader, faults, scores)
        if made is not None:
            given = scores.totals.get(name)
            if given is not None:
                _compare(given, made, columns.of_kind("total")[Target("total", name)], faults)
            scores.totals[name] = made
    scores.rows = read_score_rows(reader, columns, values, faults)
    return scores


def _total(name: str, source: str, reader: Reader, faults: Faults) -> Totals:
    read, bad = reader.numbers(source)
    series = reader.raw.frame[source]
    refuse_bad_numbers(faults, bad, series, source, is_score=True)
    read = np.where(_labelled_codes(name, source, read, reader, faults), np.nan, read)
    outside = out_of_range(name, read)
    limits = range_words(name)
    faults.cells(
        outside, column=source, rule="range", expected=limits, what=f"outside {limits}", found=series, hint=_SCORE_HINT
    )
    read = np.where(outside, np.nan, read)
    return Totals(name, read, observed(read), reader.reasons(source))


def _labelled_codes(name: str, source: str, read: FloatArray, reader: Reader, faults: Faults) -> BoolArray:
    """Codes with a label that are no score: the file labels them, and nobody declared them as missing."""
    found = np.zeros(len(read), dtype=bool)
    told, lines = [], []
    for code, label in reader.labels(source).items():
        if not re.fullmatch(r"[+-]?\d+(\.\d+)?", code):
            continue
        mine = read == float(code)
        impossible = bool(out_of_range(name, np.array([float(code)]))[0])
        if mine.any() and (impossible or MISSING_WORDS.search(label)):
            found |= mine
            count = int(mine.sum())
            told.append(f"{code} ({shown_label(label)}) in {count} {'cell' if count == 1 else 'cells'}")
            lines.append(f"{quoted(code)} = {quoted(shown_label(label))}")
    if told:
        where = np.flatnonzero(found)
        faults.add(
            f"{source}: codes that the file labels, but does not declare as missing (L11): {', '.join(told)}; "
            f"scores of {instrument(name).short} are {range_words(name)}",
            rule="L11", column=source, expected=range_words(name), records=where,
            found=reader.raw.frame[source].iloc[where].to_numpy(dtype=object),
            hint=f"If they are missing, say so in the mapping:\n[missing.{key(source)}]\n" + "\n".join(lines),
        )  # fmt: skip
    return found


def _from_items(name: str, sources: dict[int, str], reader: Reader, faults: Faults, scores: Scores) -> Totals | None:
    cells: dict[str, FloatArray] = {}
    usable = True
    for number in sorted(sources):
        read, bad = reader.numbers(sources[number])
        refuse_bad_numbers(faults, bad, reader.raw.frame[sources[number]], sources[number], is_score=True)
        usable &= not bad.any()
        cells[f"{name}_{number}"] = read
    if not usable:
        return None
    try:
        made = score(name, pd.DataFrame(cells), rows=reader.raw.rows.tolist())
    except (DataError, OptionError) as error:
        _item_faults(name, error, sources, reader, faults)
        return None
    scores.notes.append(
        f"{instrument(name).short} scored from {len(made.items.columns)} items: {'; '.join(made.notes)}"
    )
    none_answered = made.status.eq("not_done").to_numpy(dtype=bool)
    status = made.status.to_numpy(dtype=object)
    status[none_answered] = None
    return Totals(
        name,
        made.total.to_numpy(dtype=float),
        Texts.of(pd.Series(status, dtype=object)),
        reader.reasons(sources[min(sources)]),
        items=made.items.to_numpy(dtype=float),
    )


def _item_faults(
    name: str, error: DataError | OptionError, sources: dict[int, str], reader: Reader, faults: Faults
) -> None:
    """Take over the faults of scoring, with the columns of the source in place of the standard names."""
    failures = getattr(error, "failures", None)
    short = instrument(name).short
    if failures is None:
        faults.add(
            error.message, rule="items", column=sources[min(sources)], expected=f"items of {short}", hint=error.hint
        )
        return
    own = {f"{name}_{number}": source for number, source in sources.items()}
    record = pd.Series(np.arange(reader.size), index=reader.raw.rows)
    for (column, rule, expected), part in failures.groupby(["column", "rule", "expected"], sort=False):
        source = own.get(str(column), str(column))
        where = record[part["row"].to_numpy()].to_numpy()
        what = {"type": "no number", "whole": "no whole number"}.get(
            str(rule), f"outside {str(expected).replace(' to ', '-')}"
        )
        told = rows_in_words([int(row) for row in part["row"]])
        faults.add(
            f"{short}: item {source} is {what} in {len(part)} {'row' if len(part) == 1 else 'rows'} ({told})",
            rule=str(rule), column=source, expected=str(expected), hint=_SCORE_HINT,
            records=where, found=part["found"].to_numpy(dtype=object),
        )  # fmt: skip


def _compare(given: Totals, made: Totals, source: str, faults: Faults) -> None:
    """A total beside its items must be theirs, where all items were answered."""
    whole = np.isin(made.status.codes, [place for place, one in enumerate(made.status.values) if one == "observed"])
    differ = whole & ~np.isnan(given.values) & (np.abs(given.values - made.values) > 1e-9)
    faults.cells(
        differ, column=source, rule="total", expected="the sum of the items",
        what="a total that is not that of its items",
        hint=f"Leave out the total ({source}) or the items, whichever is wrong.",
    )  # fmt: skip
