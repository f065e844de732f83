"""Which rows of a study table an analysis uses: years, time of assessment, one instrument per study by priority."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pandas as pd

from ipt_outcomes.errors import DataError
from ipt_outcomes.evidence.effects import StudyEffects
from ipt_outcomes.evidence.options import Options, Span
from ipt_outcomes.evidence.pooling import as_effects
from ipt_outcomes.instruments import instrument_name
from ipt_outcomes.results import ResultObject, listed, plural


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChoice(ResultObject):
    """Which rows with an effect were used, and why the others were not.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``row study instrument used reason`` (``file`` before them where the table comes from several), in the
        order of the table; the reason says what decided.
    rules : tuple of str
        The rules applied, in words, in their order; empty where every row is used.
    """

    frame: pd.DataFrame
    rules: tuple[str, ...] = ()

    @property
    def left_out(self) -> pd.DataFrame:
        """The rows that were not used."""
        return self.frame[~self.frame["used"]].reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """Return `frame`."""
        return self.frame.copy()

    def summary(self, digits: int = 2) -> str:
        """Return the rules and how many rows they left."""
        used = int(self.frame["used"].sum())
        total = f"{used} of {len(self.frame)} {plural(len(self.frame), 'row', 'rows')} with an effect used"
        return "\n".join([total, *self.rules])


def choose_rows(effects: StudyEffects, options: Options) -> tuple[StudyEffects, RowChoice]:
    """Keep the rows that the options ask for.

    Parameters
    ----------
    effects : StudyEffects
    options : Options
        ``years``, ``window`` (weeks after the start), ``times`` (values of the column ``time``) and ``priority``
        (instruments, the most wanted first), applied in this order.

    Returns
    -------
    tuple of StudyEffects, RowChoice

    Raises
    ------
    DataError
        A rule needs a column the table does not have, or no row is left.
    """
    rows = effects.rows
    reasons = pd.Series("", index=rows.index, dtype=object)
    rules: list[str] = []
    if options.years is not None:
        _within(rows, "year", options.years, "published", "year of publication", reasons, rules)
    if options.window is not None:
        _within(rows, "time_weeks", options.window, "assessed in weeks", "week of assessment", reasons, rules)
    if options.times:
        _at_times(rows, options.times, reasons, rules)
    why = pd.Series("every row is used", index=rows.index, dtype=object)
    if options.priority:
        why = _by_priority(rows, options.priority, reasons, rules)
    elif rules:
        why = pd.Series("within the rules", index=rows.index, dtype=object)
    used = reasons == ""
    names = [name for name in ("file", "row", "study", "instrument") if name in rows]
    frame = rows[names].assign(used=used, reason=why.where(used, reasons)).reset_index(drop=True)
    choice = RowChoice(frame=frame, rules=tuple(rules))
    if used.all():
        return effects, choice
    if not used.any():
        raise DataError(
            f"no row is left: {'; '.join(rules)}",
            rows=rows["row"],
            hint="Look at the columns year, time_weeks and time of the table, or widen the limits.",
        )
    kept = rows[used].reset_index(drop=True)
    sizes = replace(as_effects(kept, effects.effects), flags=tuple(kept["flag"]))
    return replace(effects, rows=kept, effects=sizes), choice


def _require(rows: pd.DataFrame, column: str, rule: str) -> None:
    if column not in rows or rows[column].isna().all():
        raise DataError(
            f"the table does not tell the {rule}", column=column, hint=f"It needs a column {column}, or no such rule."
        )


def _within(
    rows: pd.DataFrame, column: str, span: Span, verb: str, words: str, reasons: pd.Series, rules: list[str]
) -> None:
    _require(rows, column, words)
    values = pd.to_numeric(rows[column], errors="coerce")
    low, high = span
    parts = [f"from {low:g}"] if low is not None else []
    parts += [f"to {high:g}"] if high is not None else []
    if not parts:
        return
    rules.append(f"rows {verb} {' '.join(parts)}")
    outside = pd.Series(False, index=rows.index)
    outside |= False if low is None else values < low
    outside |= False if high is None else values > high
    _mark(reasons, values.isna(), f"{words} not told")
    _mark(reasons, outside, f"{words} outside the limits")


def _at_times(rows: pd.DataFrame, times: tuple[str, ...], reasons: pd.Series, rules: list[str]) -> None:
    _require(rows, "time", "time of assessment")
    wanted = {time.strip().casefold() for time in times}
    rules.append(f"rows assessed at {listed(list(times), 'or')}")
    values = rows["time"].astype(object).where(rows["time"].notna(), "").map(lambda text: str(text).strip().casefold())
    _mark(reasons, values == "", "time of assessment not told")
    _mark(reasons, ~values.isin(wanted), "assessed at another time")


def _mark(reasons: pd.Series, where: pd.Series, words: str) -> None:
    reasons[where & (reasons == "")] = words


def _by_priority(rows: pd.DataFrame, priority: tuple[str, ...], reasons: pd.Series, rules: list[str]) -> pd.Series:
    """One row per study: the first of the instrument that stands highest; studies with none keep their first row."""
    _require(rows, "instrument", "instrument")
    rules.append(f"one row per study: {', then '.join(priority)}, then what comes first in the table")
    rank = rows["instrument"].map(lambda name: instrument_rank(name, priority))
    free = reasons == ""
    order = pd.DataFrame({"study": rows["study"].astype(str), "rank": rank})[free].sort_values("rank", kind="stable")
    chosen = order.drop_duplicates("study").index
    best = rank[chosen]
    by_study = pd.Series(rows.loc[chosen, "instrument"].to_numpy(), index=rows.loc[chosen, "study"].astype(str))
    taken = rows["study"].astype(str).map(by_study)
    for place in rows.index[free & ~rows.index.isin(chosen)]:
        same = rank[place] == rank[chosen[order.loc[chosen, "study"] == str(rows.at[place, "study"])]].iloc[0]
        first = "the same instrument stands first" if same else f"{taken[place]} was taken"
        reasons[place] = f"one row per study: {first}"
    words = best.map(
        lambda place: (
            f"priority {place + 1}: {priority[place]}"
            if place < len(priority)
            else "no instrument of the priority: first row of the study"
        )
    )
    return words.reindex(rows.index, fill_value="")


def instrument_rank(name: object, priority: tuple[str, ...]) -> int:
    """Return the place of an instrument in a list of priority, counted from 0; its length where it is not in it.

    Parameters
    ----------
    name : object
        As the table writes it.
    priority : tuple of str
        Names, or the beginning of a family's: "hdrs" stands for every version of it.

    Returns
    -------
    int

    Examples
    --------
    >>> instrument_rank("HDRS-17", ("bdi", "hdrs")), instrument_rank("phq-9", ("bdi", "hdrs"))
    (1, 2)
    """
    if not isinstance(name, str):
        return len(priority)
    own, known = _spelled(name), instrument_name(name)
    for place, wanted in enumerate(priority):
        spelled = _spelled(wanted)
        family = own.startswith(spelled) and not (spelled[-1:].isdigit() and own[len(spelled) :][:1].isdigit())
        if family or (known is not None and known == instrument_name(wanted)):
            return place
    return len(priority)


def _spelled(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.casefold())
