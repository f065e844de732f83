"""Totals made of items that stand in columns, and held against the totals beside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.instruments import Instrument, Scores, compare_totals, score
from ipt_outcomes.instruments.items import why_not_scored
from ipt_outcomes.io.cohort.cells import FloatArray, IntArray, Texts
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.reader import Reader, refuse_bad_numbers
from ipt_outcomes.io.cohort.totals import Totals, with_status
from ipt_outcomes.io.delimited import rows_in_words
from ipt_outcomes.privacy.gate import GateEntry
from ipt_outcomes.results import plural

SCORE_HINT = (
    "Values stand in the failure table only (.failures). A code for a missing score is declared in the mapping: "
    '[missing] "column" = { "999" = "not answered" }.'
)
_BY_OUR_RULE = {
    "rounded": "prorated and rounded in the file; the unrounded one counts",
    "prorated otherwise": "prorated by another rule in the file; that of the items counts",
    "total of a form without one": "of forms with too many unanswered items; they have none",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemColumns:
    """The items of one instrument at one time.

    Parameters
    ----------
    known : Instrument
    sources : dict of int to str
        Number of the item to its column.
    when : str
        How messages go on after the name: "", or " at week_8".
    """

    known: Instrument
    sources: dict[int, str]
    when: str = ""

    @property
    def label(self) -> str:
        """As notes and messages name the form."""
        return f"{self.known.short}{self.when}"


def score_columns(
    form: ItemColumns, given: Totals | None, column: str, reader: Reader, faults: Faults, notes: list[str]
) -> Totals | None:
    """Make totals of items, and hold them against those that a column gives.

    Parameters
    ----------
    form : ItemColumns
    given : Totals or None
        Totals of the same form that the file has.
    column : str
        Their column.
    reader : Reader
        Its gate takes totals that another rule than ours made.
    faults : Faults
        Takes answers nobody can give, and totals that are not those of the items.
    notes : list of str
        Takes how the totals were made.

    Returns
    -------
    Totals or None
        None where the items cannot be used; `given` where no total can be made of them.
    """
    cells = _answers(form, reader, faults)
    if cells is None:
        return given
    reason = why_not_scored(form.known)
    if given is not None and reason is not None:
        notes.append(f"{form.label}: totals as given, their items are not scored: {reason}")
        given.items = cells.to_numpy(dtype=float)
        return given
    try:
        made = score(form.known, cells, rows=reader.raw.rows.tolist())
    except (DataError, OptionError) as error:
        _item_faults(form, error, reader, faults)
        return given
    notes.append(f"{form.label} scored from {len(made.items.columns)} items: {'; '.join(made.notes)}")
    none_answered = made.status.eq("not_done").to_numpy(dtype=bool)
    status = made.status.to_numpy(dtype=object)
    status[none_answered] = None
    totals = Totals(
        form.known.name,
        made.total.to_numpy(dtype=float),
        Texts.of(pd.Series(status, dtype=object)),
        reader.reasons(form.sources[min(form.sources)]),
        items=made.items.to_numpy(dtype=float),
    )
    if given is not None:
        _compare(form, given, made, column, reader, faults)
        _fill(totals, given, none_answered, f"{form.label}: {{}} as given, without an item answered", notes)
    return totals


def _answers(form: ItemColumns, reader: Reader, faults: Faults) -> pd.DataFrame | None:
    cells: dict[str, FloatArray] = {}
    usable = True
    for number, source in sorted(form.sources.items()):
        read, bad = reader.numbers(source)
        refuse_bad_numbers(faults, bad, reader.raw.frame[source], source, is_score=True)
        usable &= not bad.any()
        cells[f"{form.known.name}_{number}"] = read
    return pd.DataFrame(cells) if usable else None


def _fill(totals: Totals, given: Totals, none_answered: np.ndarray, words: str, notes: list[str]) -> None:
    """A total stands for itself where the file has none of its items."""
    alone = none_answered & ~np.isnan(given.values)
    if alone.any():
        count = int(alone.sum())
        totals.values = np.where(alone, given.values, totals.values)
        totals.status = with_status(totals.status, alone, "observed")
        notes.append(words.format(f"{count} {plural(count, 'total', 'totals')}"))


def _item_faults(form: ItemColumns, error: DataError | OptionError, reader: Reader, faults: Faults) -> None:
    """Take over the faults of scoring, with the columns of the source in place of the standard names."""
    failures = getattr(error, "failures", None)
    short, sources = form.label, form.sources
    if failures is None:
        faults.add(
            error.message, rule="items", column=sources[min(sources)], expected=f"items of {form.known.short}",
            hint=error.hint,
        )  # fmt: skip
        return
    own = {f"{form.known.name}_{number}": source for number, source in sources.items()}
    record = pd.Series(np.arange(reader.size), index=reader.raw.rows)
    for (column, rule, expected), part in failures.groupby(["column", "rule", "expected"], sort=False):
        source = own.get(str(column), str(column))
        where = record[part["row"].to_numpy()].to_numpy()
        what = {"type": "no number", "whole": "no whole number"}.get(
            str(rule), f"outside {str(expected).replace(' to ', '-')}"
        )
        told = rows_in_words([int(row) for row in part["row"]])
        faults.add(
            f"{short}: item {source} is {what} in {len(part)} {plural(len(part), 'row', 'rows')} ({told})",
            rule=str(rule), column=source, expected=str(expected), hint=SCORE_HINT,
            records=where, found=part["found"].to_numpy(dtype=object),
        )  # fmt: skip


def _compare(form: ItemColumns, given: Totals, made: Scores, column: str, reader: Reader, faults: Faults) -> None:
    differences = compare_totals(made, given.values).differences
    take_differences(
        differences, form.label, column, differences["row"].to_numpy(dtype=np.int64), faults, reader.gate,
        found=reader.raw.frame[column],
    )  # fmt: skip


def take_differences(
    differences: pd.DataFrame, label: str, column: str, records: IntArray, faults: Faults, gate: list[GateEntry],
    *, found: pd.Series | None = None,
) -> None:  # fmt: skip
    """Refuse totals that are not those of their items; say where the file only used another rule.

    Parameters
    ----------
    differences : pandas.DataFrame
        As `ipt_outcomes.instruments.TotalsCheck` has them.
    label : str
        Instrument, as messages name it.
    column : str
        Column of the totals.
    records : numpy.ndarray of int
        Record of each difference.
    faults : Faults
    gate : list of GateEntry
    found : pandas.Series, optional
        The column of the totals, for the failure table.
    """
    wrong = records[differences["kind"].eq("differs").to_numpy(dtype=bool)]
    if wrong.size:
        told = rows_in_words([int(row) for row in faults.rows[wrong]])
        faults.add(
            f"{column}: {label}: a total that is not that of its items in {wrong.size} of "
            f"{len(faults.rows)} {plural(len(faults.rows), 'row', 'rows')} ({told})",
            rule="total", column=column, expected="the total of the items", records=wrong,
            found=None if found is None else found.iloc[wrong].to_numpy(dtype=object),
            hint=f"Correct the file, or leave out the totals ({column}) or the items, whichever is wrong (left_out).",
        )  # fmt: skip
    for kind, words in _BY_OUR_RULE.items():
        count = int(differences["kind"].eq(kind).sum())
        if count:
            detail = f"{column}: {count} {plural(count, 'total', 'totals')} of {label} {words}"
            gate.append(GateEntry(rule="L11", action="changed", column=column, detail=detail, count=count))
