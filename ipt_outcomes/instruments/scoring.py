"""Totals from items: unanswered items, reversed items, flags; never a total nobody could have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.instruments.instrument import Instrument
from ipt_outcomes.instruments.items import EXTRA_ITEMS, FloatArray, answers, as_frame, item_columns, why_not_scored
from ipt_outcomes.instruments.order import turned_items
from ipt_outcomes.instruments.registry import instrument, instruments
from ipt_outcomes.instruments.subscales import clusters_present, subscale_frame
from ipt_outcomes.instruments.words import mark, missing_in_words, total_in_words
from ipt_outcomes.results import ResultObject, Style, format_number

STATUSES = ("observed", "prorated", "incomplete", "not_done")

_USUAL_MAX = 2
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
        Items as counted, columns 1 to m: reversed items turned; an item that never counts is missing.
    subscales : pandas.DataFrame, shape (n, s)
        One column per subscale of which the items are known.
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
    subscales: pd.DataFrame
    max_missing: int
    raw_order: bool | None
    notes: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row per form: ``total status``, the flags and the subscales."""
        return pd.concat([self.total.rename("total"), self.status.rename("status"), self.flags, self.subscales], axis=1)

    def summary(self, digits: int = 2) -> str:
        """Return how many forms have a total, and the rule."""
        counts = {name: int((self.status == name).sum()) for name in STATUSES}
        told = ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in STATUSES)
        mean = format_number(float(self.total.mean()), _STYLES.get(digits, "decimal2"))
        head = f"{instrument(self.instrument).short}: {len(self.total)} forms ({told}); mean total {mean}"
        return "\n".join([head, *self.notes])


def score(
    name: str | Instrument,
    items: Any,
    *,
    max_missing: int | None = None,
    raw_order: bool | None = None,
    rows: Sequence[int] | None = None,
) -> Scores:
    """Compute totals from items.

    Parameters
    ----------
    name : str or Instrument
        Name or alias of the instrument, or one with a user's own facts (`Instrument.with_`).
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
        otherwise (20 forms or more). Has to be given for instruments whose files hold them either way (HADS,
        CORE-10, CORE-OM, OQ-45, CDI).
    rows : sequence of int, shape (n,), optional
        Row numbers in the file, for messages. Default: positions from 0.

    Returns
    -------
    Scores

    Raises
    ------
    OptionError
        No such instrument, no rule for its total, `max_missing` is none of 0 ... m - 1, or `raw_order` is needed.
    DataError
        The columns are no full set of items; an answer is out of range (``.failures`` has row and value).

    Examples
    --------
    >>> score("phq9", [[1, 2, None, 3, 0, 1, 2, 0, 0], [None] * 9]).total.tolist()
    [10.125, nan]
    """
    known = name if isinstance(name, Instrument) else instrument(name)
    reason = why_not_scored(known)
    if reason is not None:
        able = ", ".join(one for one in instruments() if why_not_scored(instrument(one)) is None)
        raise OptionError(
            f"{known.short} is not scored from items: {reason}",
            hint=f"Give its total as a column of its own. Scored from items: {able}.",
        )
    frame = as_frame(items)
    read = answers(known, frame, item_columns(known, frame), rows)
    limit = _limit(known, max_missing)
    counted, turned = turned_items(known, read, raw_order)
    parts = subscale_frame(known, counted)
    total, status, missing = _totals(known, counted, parts, limit)
    _check_totals(known, total, rows)
    index = frame.index
    shown = pd.DataFrame(counted, index=index, columns=list(known.numbers_scored()))
    return Scores(
        instrument=known.name,
        total=pd.Series(total, index=index, name=known.name),
        status=pd.Series(status, index=index, dtype="string", name="status"),
        flags=_flags(known, counted, missing).set_axis(index),
        items=shown.reindex(columns=range(1, (known.n_items or 0) + 1)),
        subscales=parts.set_axis(index),
        max_missing=limit,
        raw_order=turned,
        notes=_notes(known, limit, turned, max_missing is None),
    )


def _limit(known: Instrument, max_missing: int | None) -> int:
    if max_missing is None:
        return known.max_missing or 0
    whole = isinstance(max_missing, int | np.integer) and not isinstance(max_missing, bool)
    most = len(known.numbers_scored()) - 1
    if not whole or not 0 <= max_missing <= most:
        raise OptionError(f"max_missing must be a whole number of 0 to {most}; got {max_missing!r}")
    if (known.domains or known.total_rule == "mean_of_subscales") and max_missing:
        parts = "domains" if known.domains else "subscales with a rule of their own"
        raise OptionError(f"{known.short} sums {parts}: max_missing must be 0")
    return int(max_missing)


def _totals(
    known: Instrument, counted: FloatArray, parts: pd.DataFrame, limit: int
) -> tuple[FloatArray, np.ndarray, np.ndarray]:
    """Totals, their status, and how many items are missing, one per form."""
    n_items = counted.shape[1]
    unanswered = np.isnan(counted)
    none_answered = unanswered.all(axis=1)
    missing = unanswered.sum(axis=1)
    for pair in known.either_or:
        places = [number - 1 for number in pair]
        missing = missing - (unanswered[:, places].sum(axis=1) == 1)
    usable = (missing <= limit) & ~none_answered
    if known.domains:
        # Where a domain's highest item is sought, an item not asked counts as none.
        filled = np.where(unanswered, -np.inf, counted)
        raw = np.asarray(sum(filled[:, [number - 1 for number in domain]].max(axis=1) for domain in known.domains))
    elif known.total_rule == "mean_of_subscales":
        raw = parts.to_numpy(dtype=float).mean(axis=1)
        usable = ~np.isnan(raw)
    else:
        answered = np.maximum(n_items - missing, 1)
        plain = np.nansum(counted, axis=1)
        per = 1 if known.total_rule == "mean" else n_items
        raw = np.where((missing == 0) & (per == n_items), plain, plain * per / answered)
    total = np.where(usable, raw * known.total_multiplier, np.nan)
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
            answer = pd.Series(counted[:, known.numbers_scored().index(entry.item)])
            risk = risk | (answer >= entry.flag_min).astype("boolean").mask(answer.isna())
        flags["risk"] = risk
    if known.usually_to_2:
        places = [item - 1 for item in known.usually_to_2]
        flags["items_above_2"] = np.asarray((counted[:, places] > _USUAL_MAX).any(axis=1))
    provisional = clusters_present(known, counted)
    if provisional is not None:
        flags["provisional"] = provisional
    return flags


def _notes(known: Instrument, limit: int, turned: bool | None, is_default: bool) -> tuple[str, ...]:
    n_items = len(known.numbers_scored())
    if known.total_rule == "mean_of_subscales":
        notes = [f"total = {total_in_words(known)}; {missing_in_words(known)}"]
    elif limit:
        whose = f"the instrument's rule{mark(known, 'max_missing')}" if is_default else "as asked"
        rule = f"up to {limit} unanswered items of {n_items}: mean of the answered items times {n_items}"
        notes = [f"{rule} ({whose}); more: no total"]
    else:
        why = " (no rule for them was confirmed)" if is_default and known.max_missing is None else ""
        notes = [f"a form with an unanswered item has no total{why}"]
    if known.items_reversed:
        numbers = ", ".join(str(number) for number in known.items_reversed)
        how = "taken as on the form and turned" if turned else "taken as scored already"
        notes.append(f"items {numbers} run the other way on the form{mark(known, 'items_reversed')}: {how}")
    if known.scored_items:
        notes.append(f"{total_in_words(known)}; the other items are never counted")
    if known.name in EXTRA_ITEMS:
        notes.append(f"item {(known.n_items or 0) + 1} is never counted")
    if known.usually_to_2:
        notes.append("items are checked for 0 to 4; one of those that usually end at 2 above 2 is flagged")
    if known.scoring_source:
        notes.append(f"scored as in: {known.scoring_source}")
    return tuple(notes)
