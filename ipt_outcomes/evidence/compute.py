"""Effects of rows, kind by kind: which data of a row give its effect, and what is wrong where they cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ipt_outcomes import effects
from ipt_outcomes.effects import EffectSizes
from ipt_outcomes.effects.zero_cells import ZeroCells
from ipt_outcomes.errors import DesignError
from ipt_outcomes.evidence.direction import row_directions, row_events

MeasureName = Literal["g", "OR", "RR", "RD"]
Convention = Literal["metapsy", "metafor"]

MEASURES: tuple[MeasureName, ...] = ("g", "OR", "RR", "RD")
KINDS: dict[str, str] = {
    "means": "means and SDs",
    "change": "change scores",
    "events": "events",
    "precalc": "printed effects, taken as they are",
    "given": "the databank's own effects, taken as they are",
}
COLUMNS: dict[str, tuple[str, ...]] = {
    "means": ("mean_arm1", "sd_arm1", "n_arm1", "mean_arm2", "sd_arm2", "n_arm2"),
    "change": tuple(f"{part}_change_arm{arm}" for arm in (1, 2) for part in ("mean", "sd", "n")),
    "events": ("event_arm1", "totaln_arm1", "event_arm2", "totaln_arm2"),
    "precalc": ("precalc_g", "precalc_g_se"),
    "given": (".g", ".g_se"),
}
# The columns this module adds, before anything is computed.
EMPTY: dict[str, str | float] = {"kind": "", "yi": np.nan, "vi": np.nan, "flag": ""}
# An effect nearer to 0 than this may change its sign by rounding.
_NEAR_ZERO = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """Effects per row of a table, in its order.

    Parameters
    ----------
    table : pandas.DataFrame
        ``kind yi vi flag``: kind of data, effect and variance (NaN where there is none), what was done or is
        wrong.
    event : {"good", "bad"} or None
        Meaning of the events, for OR, RR and RD.
    directions : mapping of str to int
        Rows per source of the direction of the scale.
    notes : tuple of str
    """

    table: pd.DataFrame
    event: Literal["good", "bad"] | None = None
    directions: Mapping[str, int]
    notes: tuple[str, ...] = ()


def standardised(
    table: pd.DataFrame, convention: Convention, better: str | None, event: str | None, zero_cells: ZeroCells
) -> Computed:
    """Compute effects as g, each from the first kind of data its row holds complete.

    Parameters
    ----------
    table : pandas.DataFrame
        A study table.
    convention, better, event, zero_cells
        As in `ipt_outcomes.evidence.study_effects`.

    Returns
    -------
    Computed
    """
    kinds = _first_complete(table)
    direction, directions, notes = row_directions(table, kinds.isin(["means", "change"]), better)
    meaning = row_events(table, kinds == "events", event)

    def means(part: pd.DataFrame) -> EffectSizes:
        values = (part[name].to_numpy(float) for name in COLUMNS["means"])
        return effects.smd(*values, better=direction[part.index].to_numpy(str), convention=convention)

    def change(part: pd.DataFrame) -> EffectSizes:
        values = (part[name].to_numpy(float) for name in COLUMNS["change"])
        return effects.smd_change(*values, better=direction[part.index].to_numpy(str), convention=convention)

    def events(part: pd.DataFrame) -> EffectSizes:
        return effects.smd_from_events(
            *(part[name].to_numpy(float) for name in COLUMNS["events"]),
            event=meaning[part.index].to_numpy(str),
            convention=convention,
            zero_cells=zero_cells,
            double_zero="drop",
        )

    computed = _empty(table).assign(kind=kinds)
    compute: Mapping[str, Callable[[pd.DataFrame], EffectSizes]] = {
        "means": means,
        "change": change,
        "events": events,
    }
    for kind, function in compute.items():
        _fill(computed, table[kinds == kind], function)
    if _databank_reversed(table, computed):
        computed.loc[kinds == "given", "flag"] = _REVERSED
        kinds = kinds.where(kinds != "given", "")
        notes = (*notes, "The databank's own effects run against the numbers of its rows and were not taken.")
    for kind in ("precalc", "given"):
        value, error = COLUMNS[kind]
        part = kinds == kind
        if part.any():
            computed.loc[part, "yi"] = table.loc[part, value].astype(float)
            computed.loc[part, "vi"] = table.loc[part, error].astype(float) ** 2
            computed.loc[part, "flag"] = KINDS[kind]
    return Computed(table=computed, directions=directions, notes=notes)


_REVERSED = "only the databank's own effect, and in this table those run against the numbers of the rows"


def _databank_reversed(table: pd.DataFrame, computed: pd.DataFrame) -> bool:
    """Whether the given effects contradict the computed ones in most rows that hold both (at least four)."""
    if ".g" not in table:
        return False
    product = (computed["yi"] * table[".g"])[(computed["yi"].abs() >= _NEAR_ZERO) & (table[".g"].abs() >= _NEAR_ZERO)]
    return len(product) >= 4 and bool((product < 0).mean() >= 0.8)


def binary(table: pd.DataFrame, measure: MeasureName, event: str | None, zero_cells: ZeroCells) -> Computed:
    """Compute effects as OR, RR or RD from the events of a row; all events pooled must mean the same.

    Parameters
    ----------
    table : pandas.DataFrame
        A study table.
    measure : {"OR", "RR", "RD"}
    event, zero_cells
        As in `ipt_outcomes.evidence.study_effects`.

    Returns
    -------
    Computed
    """
    complete = _complete(table, COLUMNS["events"])
    meaning = row_events(table, complete, event)
    bad, good = int((meaning[complete] == "bad").sum()), int((meaning[complete] == "good").sum())
    kept: Literal["good", "bad"] = "bad" if bad > good else "good"
    same = complete & (meaning == kept)
    function = {"OR": effects.odds_ratio, "RR": effects.risk_ratio, "RD": effects.risk_difference}[measure]

    def compute(part: pd.DataFrame) -> EffectSizes:
        return function(
            *(part[name].to_numpy(float) for name in COLUMNS["events"]),
            event=kept,
            zero_cells=zero_cells,
            double_zero="keep" if measure == "RD" else "drop",
        )

    computed = _empty(table).assign(kind=np.where(complete, "events", ""))
    _fill(computed, table[same], compute)
    other = complete & ~same
    computed.loc[other, "flag"] = f"its event is {'bad' if kept == 'good' else 'good'} news, the others' {kept}"
    notes: tuple[str, ...] = ()
    if other.any():
        words = "bad news (relapse, dropout)" if kept == "good" else "good news (response, remission)"
        notes = (f"Rows whose event is {words} are not in this analysis: see the rows without effect.",)
    return Computed(table=computed, event=kept, directions={}, notes=notes)


def _empty(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(EMPTY, index=table.index)


def _fill(computed: pd.DataFrame, part: pd.DataFrame, function: Callable[[pd.DataFrame], EffectSizes]) -> None:
    if part.empty:
        return
    try:
        result = function(part)
    except DesignError as error:
        if not error.rows:
            raise
        # One impossible row must not cost the others their effects: it is named, and they are computed.
        impossible = {part.index[position]: _why_impossible(function, part, position) for position in error.rows}
        part = part.drop(index=list(impossible))
        for index, reason in impossible.items():
            computed.loc[index, "flag"] = reason
        _fill(computed, part, function)
        return
    computed.loc[part.index, "yi"] = result.yi
    computed.loc[part.index, "vi"] = result.vi
    computed.loc[part.index, "flag"] = list(result.flags)


def _why_impossible(function: Callable[[pd.DataFrame], EffectSizes], part: pd.DataFrame, position: int) -> str:
    """What is wrong with one row, in the words of the function that refused it."""
    try:
        function(part.iloc[[position]])
    except DesignError as error:
        return error.message.partition(": ")[2].rstrip(".") or error.message
    return "the numbers of the row are not possible"


def _complete(table: pd.DataFrame, columns: tuple[str, ...]) -> pd.Series:
    """Rows that hold a number in every one of the columns."""
    if not set(columns) <= set(table.columns):
        return pd.Series(False, index=table.index)
    return pd.Series(table[list(columns)].notna().all(axis=1), index=table.index)


def _first_complete(table: pd.DataFrame) -> pd.Series:
    """The kind of data each row gives its effect from: the first that is complete."""
    kinds = pd.Series("", index=table.index)
    for kind, columns in COLUMNS.items():
        kinds[(kinds == "") & _complete(table, columns)] = kind
    return kinds
