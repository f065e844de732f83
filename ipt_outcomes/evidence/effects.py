"""One effect per row of a study table: which data of the row give it, by which rule, or why none does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from ipt_outcomes import effects
from ipt_outcomes.effects import EffectSizes, Measure
from ipt_outcomes.effects.zero_cells import ZeroCells
from ipt_outcomes.errors import DataError, DesignError, require_choice
from ipt_outcomes.evidence.direction import row_directions, row_events
from ipt_outcomes.evidence.sides import rows_set_aside
from ipt_outcomes.results import Provenance, ResultObject

if TYPE_CHECKING:
    from ipt_outcomes.io import Studies

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
_MEANS = ("mean_arm1", "sd_arm1", "n_arm1", "mean_arm2", "sd_arm2", "n_arm2")
_CHANGE = tuple(f"{part}_change_arm{arm}" for arm in (1, 2) for part in ("mean", "sd", "n"))
_EVENTS = ("event_arm1", "totaln_arm1", "event_arm2", "totaln_arm2")
_PRECALC = ("precalc_g", "precalc_g_se")
_GIVEN = (".g", ".g_se")
# An effect nearer to 0 than this may change its sign by rounding.
_NEAR_ZERO = 0.01
# The columns this module adds, before anything is computed.
_COMPUTED: dict[str, str | float] = {"kind": "", "yi": np.nan, "vi": np.nan, "flag": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyEffects(ResultObject):
    """The effects of a study table.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row per effect, in file order: ``row study kind yi vi flag`` and every column of the study table.
        ``kind`` is a key of `KINDS`.
    not_computed : pandas.DataFrame
        ``row study reason``: the rows that gave no effect.
    effects : EffectSizes
        The effects of `rows`.
    directions : mapping of str to int
        How the direction of the scales was settled: rows per source.
    notes : tuple of str
        What a reader must know of how the effects were computed.
    """

    rows: pd.DataFrame
    not_computed: pd.DataFrame
    effects: EffectSizes
    directions: Mapping[str, int]
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return ``row study kind yi vi flag``, one row per effect."""
        return self.rows[["row", "study", "kind", "yi", "vi", "flag"]]

    def summary(self, digits: int = 2) -> str:
        """Return how many rows gave which kind of effect."""
        counts = self.rows["kind"].value_counts()
        kinds = ", ".join(f"{counts[kind]} from {label}" for kind, label in KINDS.items() if kind in counts)
        return f"{len(self.rows)} effects ({kinds}); {len(self.not_computed)} rows gave none"


def study_effects(
    studies: Studies,
    *,
    measure: MeasureName = "g",
    convention: Convention = "metapsy",
    better: Literal["lower", "higher"] | None = None,
    event: Literal["good", "bad"] | None = None,
    zero_cells: ZeroCells = "add-half",
    towards: str | None = None,
) -> StudyEffects:
    """Compute one effect per row of a study table.

    For g, a row gives its effect from the first of these it holds complete: means with SDs, change scores,
    events (through the log odds ratio), a printed effect (``precalc_g``), the databank's own (``.g``). Printed
    and given effects are taken as they are and marked. For OR, RR and RD only rows with events count.

    Parameters
    ----------
    studies : Studies
        A study table.
    measure : {"g", "OR", "RR", "RD"}
        The effect wanted.
    convention : {"metapsy", "metafor"}
        Formulas of g, as in `ipt_outcomes.effects.smd`.
    better : {"lower", "higher"}, optional
        Direction of the scales the table and the registry of instruments say nothing of.
    event : {"good", "bad"}, optional
        Meaning of the events the table says nothing of.
    zero_cells : str
        As in `ipt_outcomes.effects.odds_ratio`.
    towards : str, optional
        The treatment positive is to favour. With it, rows that point another way than the others give no
        effect here, so that they cannot be pooled by mistake (`ipt_outcomes.evidence.sides`).

    Returns
    -------
    StudyEffects

    Raises
    ------
    OptionError
        An option is not one of its choices.
    DataError
        No row gives an effect, or the direction of a scale or the meaning of an event is not known.
    """
    require_choice("measure", measure, MEASURES)
    require_choice("convention", convention, ("metapsy", "metafor"))
    require_choice("zero_cells", zero_cells, get_args(ZeroCells))
    for name, value, choices in (("better", better, ("lower", "higher")), ("event", event, ("good", "bad"))):
        if value is not None:
            require_choice(name, value, choices)
    table, set_aside = _apart_from_ours(studies.comparisons)
    if measure == "g":
        computed, directions, notes = _standardised(table, convention, better, event, zero_cells)
        kind_of_measure: Measure = "SMD"
        meaning = None
    else:
        computed, meaning, notes = _binary(table, measure, event, zero_cells)
        directions = {}
        kind_of_measure = measure
    if towards is not None:
        aside = rows_set_aside(table, towards)
        computed.loc[aside != "", "yi"] = np.nan
        computed["flag"] = aside.where(aside != "", computed["flag"])
        if (aside != "").any():
            notes = (
                *notes,
                "Some rows point another way than the others and are in no analysis: see the rows without effect.",
            )
    usable = np.isfinite(computed["yi"]) & np.isfinite(computed["vi"]) & (computed["vi"] > 0)
    rows = pd.concat([table, computed], axis=1)[usable].reset_index(drop=True)
    left = table.loc[~usable, ["row", "study"]].assign(reason=_reasons(table, computed, measure)[~usable])
    if rows.empty:
        raise DataError(
            f"{_of_rows(len(table))} ({measure}): {_most_common(left['reason'])}",
            rows=left["row"],
            hint=_HINTS["g" if measure == "g" else "events"],
        )
    if set_aside:
        notes = (
            *notes,
            f"The table's own columns {', '.join(set_aside)} are not used: effects are computed from the data.",
        )
    return StudyEffects(
        rows=rows,
        not_computed=left.reset_index(drop=True),
        effects=EffectSizes(
            yi=rows["yi"].to_numpy(float).copy(),
            vi=rows["vi"].to_numpy(float).copy(),
            measure=kind_of_measure,
            convention=convention if measure == "g" else zero_cells,
            event=meaning,
            flags=tuple(rows["flag"]),
            provenance=Provenance(
                function="evidence.study_effects",
                options={"measure": measure, "convention": convention, "zero_cells": zero_cells},
            ),
        ),
        directions=directions,
        notes=notes,
    )


def _apart_from_ours(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The table with columns that bear the names of ours renamed, and those names."""
    same = [name for name in _COMPUTED if name in table]
    return table.rename(columns={name: own_column(name) for name in same}), same


def own_column(name: str) -> str:
    """Return the name under which `StudyEffects.rows` keeps a table's own column that is called like one of ours.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
    """
    return f"{name} (column)"


_HINTS = {
    "g": "An effect needs means with SDs and n of both arms, change scores with theirs, events with the "
    "numbers of people, or a printed g with its standard error (precalc_g, precalc_g_se). If the table has "
    "them under other names, give a mapping.",
    "events": "OR, RR and RD need event_arm1, totaln_arm1, event_arm2 and totaln_arm2. If the table has them "
    "under other names, give a mapping.",
}


def _standardised(
    table: pd.DataFrame, convention: Convention, better: str | None, event: str | None, zero_cells: ZeroCells
) -> tuple[pd.DataFrame, dict[str, int], tuple[str, ...]]:
    """Effects as g, with the kind of data each came from."""
    kinds = _first_complete(table)
    direction, directions, notes = row_directions(table, kinds.isin(["means", "change"]), better)
    meaning = row_events(table, kinds == "events", event)

    def means(part: pd.DataFrame) -> EffectSizes:
        values = (part[name].to_numpy(float) for name in _MEANS)
        return effects.smd(*values, better=direction[part.index].to_numpy(str), convention=convention)

    def change(part: pd.DataFrame) -> EffectSizes:
        values = (part[name].to_numpy(float) for name in _CHANGE)
        return effects.smd_change(*values, better=direction[part.index].to_numpy(str), convention=convention)

    def events(part: pd.DataFrame) -> EffectSizes:
        return effects.smd_from_events(
            *(part[name].to_numpy(float) for name in _EVENTS),
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
    for kind, (value, error) in {"precalc": _PRECALC, "given": _GIVEN}.items():
        part = kinds == kind
        if part.any():
            computed.loc[part, "yi"] = table.loc[part, value].astype(float)
            computed.loc[part, "vi"] = table.loc[part, error].astype(float) ** 2
            computed.loc[part, "flag"] = KINDS[kind]
    return computed, directions, notes


_REVERSED = "only the databank's own effect, and in this table those run against the numbers of the rows"


def _databank_reversed(table: pd.DataFrame, computed: pd.DataFrame) -> bool:
    """Whether the given effects contradict the computed ones in most rows that hold both (at least four)."""
    if ".g" not in table:
        return False
    product = (computed["yi"] * table[".g"])[(computed["yi"].abs() >= _NEAR_ZERO) & (table[".g"].abs() >= _NEAR_ZERO)]
    return len(product) >= 4 and bool((product < 0).mean() >= 0.8)


def _binary(
    table: pd.DataFrame, measure: MeasureName, event: str | None, zero_cells: ZeroCells
) -> tuple[pd.DataFrame, Literal["good", "bad"], tuple[str, ...]]:
    """Effects as OR, RR or RD from the events of a row; all events pooled must mean the same."""
    complete = _complete(table, _EVENTS)
    meaning = row_events(table, complete, event)
    bad, good = int((meaning[complete] == "bad").sum()), int((meaning[complete] == "good").sum())
    kept: Literal["good", "bad"] = "bad" if bad > good else "good"
    same = complete & (meaning == kept)
    function = {"OR": effects.odds_ratio, "RR": effects.risk_ratio, "RD": effects.risk_difference}[measure]

    def compute(part: pd.DataFrame) -> EffectSizes:
        return function(
            *(part[name].to_numpy(float) for name in _EVENTS),
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
    return computed, kept, notes


def _empty(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(_COMPUTED, index=table.index)


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
    groups = {"means": _MEANS, "change": _CHANGE, "events": _EVENTS, "precalc": _PRECALC, "given": _GIVEN}
    for kind, columns in groups.items():
        kinds[(kinds == "") & _complete(table, columns)] = kind
    return kinds


def _reasons(table: pd.DataFrame, computed: pd.DataFrame, measure: MeasureName) -> pd.Series:
    """Why a row gave no effect, in words; only meaningful for rows that gave none."""
    # A printed effect is flagged as such, which is no reason: then its standard error is not possible.
    taken = computed["flag"].isin(KINDS.values())
    reasons = computed["flag"].mask(taken, "its printed effect or standard error is not a possible one")
    groups = (_EVENTS,) if measure != "g" else (_MEANS, _CHANGE, _EVENTS, _PRECALC)
    for position in table.index[reasons == ""]:
        reasons[position] = _missing(table.loc[position], groups)
    return reasons


def _missing(row: pd.Series, groups: tuple[tuple[str, ...], ...]) -> str:
    """Name what is missing in the group of columns that is most nearly complete."""
    best: list[str] = []
    most = 0
    for columns in groups:
        there = [name for name in columns if name in row.index and pd.notna(row[name])]
        if len(there) > most:
            most, best = len(there), [name for name in columns if name not in there]
    if not most:
        return "the row holds no means, change scores, events or printed effect" if len(groups) > 1 else "no events"
    return f"{', '.join(best)} missing" if best else "the numbers give no finite effect"


def _of_rows(count: int) -> str:
    return "the only row gives no effect" if count == 1 else f"none of the {count} rows gives an effect"


def _most_common(reasons: pd.Series) -> str:
    counts = reasons.value_counts()
    shown = [f"{reason} ({count} {'row' if count == 1 else 'rows'})" for reason, count in counts.head(3).items()]
    return "; ".join(shown)
