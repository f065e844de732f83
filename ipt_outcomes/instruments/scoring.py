"""Totals from items: unanswered items, reversed items, flags; never a total nobody could have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.instruments.instrument import Instrument
from ipt_outcomes.instruments.items import EXTRA_ITEMS, FloatArray, answers, item_columns, why_not_scored
from ipt_outcomes.instruments.registry import instrument, instruments
from ipt_outcomes.results import ResultObject, Style, format_number

STATUSES = ("observed", "prorated", "incomplete", "not_done")

# Only one of the two questions is asked: appetite less or more, weight less or more (Rush et al. 2003).
_EITHER_OR = {"qids_sr16": ((6, 7), (8, 9))}
# Items usually rated 0 to 2 (8 x 2 + 9 x 4 = 52, the total's range); not confirmed, so flagged and never refused.
_USUALLY_TO_2 = {"hrsd17": (4, 5, 6, 12, 13, 14, 16, 17)}
_USUAL_MAX = 2
# PCL-5, provisional diagnosis: so many symptoms rated 2 or more in each cluster (items from, to, how many).
_CLUSTERS = {"pcl5": ((1, 5, 1), (6, 7, 1), (8, 14, 2), (15, 20, 2))}
# A check of the order in which reversed items are stored needs people enough for a correlation, and a clear one.
_PEOPLE_TO_CHECK = 20
_CLEARLY = 0.3
_STYLES: dict[int, Style] = {0: "integer", 1: "decimal1", 2: "decimal2", 3: "decimal3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores(ResultObject):
    """Totals of one instrument, one per row of the items.

    Parameters
    ----------
    instrument : str
        Name in the registry.
    total : pandas.Series of float, shape (n,)
        In points; NaN where the rule gives none. The items' index.
    status : pandas.Series of str, shape (n,)
        ``"observed"`` (all items answered), ``"prorated"``, ``"incomplete"`` (too many unanswered), or
        ``"not_done"`` (none answered).
    flags : pandas.DataFrame, shape (n, ...)
        ``answered`` and ``missing`` (numbers of items); ``risk`` where the instrument has an item on harm to
        oneself (missing where it was not answered); ``provisional`` (PCL-5: symptoms in every cluster);
        ``items_above_2`` (HRSD-17: one of the items usually rated 0 to 2 is rated above).
    items : pandas.DataFrame, shape (n, m)
        Items as counted, columns 1 to m: reversed items turned.
    max_missing : int
        Unanswered items up to which a total was prorated.
    raw_order : bool or None
        Whether reversed items were taken as they stand on the form and turned; None without reversed items.
    notes : tuple of str
        The rule, in words.
    """

    instrument: str
    total: pd.Series
    status: pd.Series
    flags: pd.DataFrame
    items: pd.DataFrame
    max_missing: int
    raw_order: bool | None
    notes: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per form: ``total status`` and the flags."""
        return pd.concat([self.total.rename("total"), self.status.rename("status"), self.flags], axis=1)

    def summary(self, digits: int = 2) -> str:
        """Return how many forms have a total, and the rule."""
        counts = {name: int((self.status == name).sum()) for name in STATUSES}
        told = ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in STATUSES)
        mean = format_number(float(self.total.mean()), _STYLES.get(digits, "decimal2"))
        head = f"{instrument(self.instrument).short}: {len(self.total)} forms ({told}); mean total {mean}"
        return "\n".join([head, *self.notes])


def score(
    name: str,
    items: Any,
    *,
    max_missing: int | None = None,
    raw_order: bool | None = None,
    rows: Sequence[int] | None = None,
) -> Scores:
    """Compute totals from items.

    Parameters
    ----------
    name : str
        Name or alias of the instrument.
    items : pandas.DataFrame or array_like, shape (n, m)
        One row per form, one column per item, in the order of the form; a frame's columns are recognised by
        their running number, and what else the frame holds is left alone. PHQ-9's item 10 (difficulty) is
        never counted. Missing where not answered.
    max_missing : int, optional
        Unanswered items up to which the total is the mean of the answered items times the number of items,
        unrounded. Default: the instrument's rule (two of nine for PHQ-9), and none where no rule was confirmed.
    raw_order : bool, optional
        Whether items that run the other way are stored as on the form (position of the option, from 0) and
        have to be turned. Default: they are, as the registry says; refused where the data clearly tell
        otherwise (20 forms or more).
    rows : sequence of int, shape (n,), optional
        Row numbers in the file, for messages. Default: positions from 0.

    Returns
    -------
    Scores

    Raises
    ------
    OptionError
        No such instrument, no rule for its total, or `max_missing` is none of 0 ... m - 1.
    DataError
        The columns are no full set of items; an answer is out of range (``.failures`` has row and value).

    Examples
    --------
    >>> score("phq9", [[1, 2, None, 3, 0, 1, 2, 0, 0], [None] * 9]).total.tolist()
    [10.125, nan]
    """
    known = instrument(name)
    reason = why_not_scored(known)
    if reason is not None:
        able = ", ".join(one for one in instruments() if why_not_scored(instrument(one)) is None)
        raise OptionError(
            f"{known.short} is not scored from items: {reason}",
            hint=f"Give its total as a column of its own. Scored from items: {able}.",
        )
    frame = _as_frame(items)
    read = answers(known, frame, item_columns(known, frame), rows)
    limit = _limit(known, max_missing)
    turned = _turns(known, read, raw_order)
    counted = read.copy()
    if turned:
        reversed_ = [number - 1 for number in known.items_reversed]
        counted[:, reversed_] = float(known.item_min or 0) + float(known.item_max or 0) - read[:, reversed_]
    total, status, missing = _totals(known, counted, limit)
    _check_totals(known, total, rows)
    index = frame.index
    return Scores(
        instrument=known.name,
        total=pd.Series(total, index=index, name=known.name),
        status=pd.Series(status, index=index, dtype="string", name="status"),
        flags=_flags(known, counted, missing).set_axis(index),
        items=pd.DataFrame(counted, index=index, columns=range(1, counted.shape[1] + 1)),
        max_missing=limit,
        raw_order=turned if known.items_reversed else None,
        notes=_notes(known, limit, turned, max_missing is None),
    )


def _as_frame(items: Any) -> pd.DataFrame:
    if isinstance(items, pd.DataFrame):
        return items
    if isinstance(items, dict):
        return pd.DataFrame(items)
    table = np.asarray(items, dtype=object)
    if table.ndim == 1 and not (table.size and isinstance(table[0], list | tuple)):
        table = table.reshape(1, -1)
    if table.ndim != 2:
        raise DataError(f"items must be a table of forms by items; got an array of {table.ndim} dimensions")
    # Numbers of columns are no names: arrays are taken in their order.
    return pd.DataFrame(table, columns=[f"item {number}" for number in range(1, table.shape[1] + 1)])


def _limit(known: Instrument, max_missing: int | None) -> int:
    if max_missing is None:
        return known.max_missing or 0
    whole = isinstance(max_missing, int | np.integer) and not isinstance(max_missing, bool)
    if not whole or not 0 <= max_missing < (known.n_items or 0):
        raise OptionError(f"max_missing must be a whole number of 0 to {(known.n_items or 1) - 1}; got {max_missing!r}")
    if known.domains and max_missing:
        raise OptionError(
            f"{known.short} sums domains, and no rule for unanswered items is known: max_missing must be 0"
        )
    return int(max_missing)


def _turns(known: Instrument, read: FloatArray, raw_order: bool | None) -> bool:
    """Whether reversed items are to be turned; refused where the data say that they were turned before."""
    if not known.items_reversed:
        return False
    if raw_order is not None:
        return raw_order
    is_reversed = np.isin(np.arange(1, read.shape[1] + 1), known.items_reversed)
    full = read[~np.isnan(read).any(axis=1)]
    if len(full) >= _PEOPLE_TO_CHECK:
        one, other = full[:, is_reversed].sum(axis=1), full[:, ~is_reversed].sum(axis=1)
        if one.std() > 0 and other.std() > 0 and np.corrcoef(one, other)[0, 1] > _CLEARLY:
            numbers = ", ".join(str(number) for number in known.items_reversed)
            raise DataError(
                f"{known.short}: items {numbers} run the other way on the form, but here they rise with the "
                "other items, as if they had been turned already",
                hint="Say which: raw_order=False (they are scored, higher is worse) or raw_order=True (they are as on "
                "the form).",
            )
    return True


def _totals(known: Instrument, counted: FloatArray, limit: int) -> tuple[FloatArray, np.ndarray, np.ndarray]:
    """Totals, their status, and how many items are missing, one per form."""
    n_items = counted.shape[1]
    unanswered = np.isnan(counted)
    none_answered = unanswered.all(axis=1)
    missing = unanswered.sum(axis=1)
    for pair in _EITHER_OR.get(known.name, ()):
        places = [number - 1 for number in pair]
        missing = missing - (unanswered[:, places].sum(axis=1) == 1)
    if known.domains:
        # Where a domain's highest item is sought, an item not asked counts as none.
        filled = np.where(unanswered, -np.inf, counted)
        sums = sum(filled[:, [number - 1 for number in domain]].max(axis=1) for domain in known.domains)
    else:
        answered = np.maximum(n_items - missing, 1)
        plain = np.nansum(counted, axis=1)
        sums = np.where(missing == 0, plain, plain * n_items / answered)
    usable = (missing <= limit) & ~none_answered
    total = np.where(usable, np.asarray(sums, dtype=float) * known.total_multiplier, np.nan)
    status = np.select(
        [none_answered, ~usable, missing > 0], ["not_done", "incomplete", "prorated"], default="observed"
    ).astype(object)
    return total, status, missing


def _check_totals(known: Instrument, total: FloatArray, rows: Sequence[int] | None) -> None:
    """Items of mixed range can each be possible and their sum not."""
    bad = np.flatnonzero((total > (known.maximum or np.inf)) | (total < (known.minimum or 0)))
    if bad.size:
        places = [int(rows[int(i)]) if rows is not None else int(i) for i in bad]
        unit = "row" if rows is not None else "position"
        raise DataError(
            f"{known.short}: the items sum to more than {known.maximum:g} in {bad.size} forms "
            f"({unit} {', '.join(str(place) for place in places[:10])})",
            rows=places,
            hint="Check the order of the items and their codes.",
        )


def _flags(known: Instrument, counted: FloatArray, missing: np.ndarray) -> pd.DataFrame:
    unanswered = np.isnan(counted).sum(axis=1)
    flags = pd.DataFrame({"answered": counted.shape[1] - unanswered, "missing": missing.astype(int)})
    if known.risk_items:
        risk = pd.Series(False, index=flags.index, dtype="boolean")
        for entry in known.risk_items:
            answer = pd.Series(counted[:, entry.item - 1])
            risk = risk | (answer >= entry.flag_min).astype("boolean").mask(answer.isna())
        flags["risk"] = risk
    if known.name in _USUALLY_TO_2:
        places = [item - 1 for item in _USUALLY_TO_2[known.name]]
        flags["items_above_2"] = np.asarray((counted[:, places] > _USUAL_MAX).any(axis=1))
    if known.name in _CLUSTERS:
        met = np.ones(len(counted), dtype=bool)
        for first, last, least in _CLUSTERS[known.name]:
            met &= (counted[:, first - 1 : last] >= 2).sum(axis=1) >= least
        flags["provisional"] = pd.Series(met, dtype="boolean").mask(~met & (unanswered > 0))
    return flags


def _notes(known: Instrument, limit: int, turned: bool, is_default: bool) -> tuple[str, ...]:
    if limit:
        whose = "the instrument's rule" if is_default else "as asked"
        rule = f"up to {limit} unanswered items of {known.n_items}: mean of the answered items times {known.n_items}"
        notes = [f"{rule} ({whose}); more: no total"]
    else:
        why = " (no rule for them was confirmed)" if is_default and known.max_missing is None else ""
        notes = [f"a form with an unanswered item has no total{why}"]
    if known.items_reversed:
        numbers = ", ".join(str(number) for number in known.items_reversed)
        how = "taken as on the form and turned" if turned else "taken as scored already"
        notes.append(f"items {numbers} run the other way on the form: {how}")
    if known.name in EXTRA_ITEMS:
        notes.append(f"item {(known.n_items or 0) + 1} is never counted")
    if known.name in _USUALLY_TO_2:
        notes.append("items are checked for 0 to 4; which of them end at 2 was not confirmed in a source")
    return tuple(notes)
