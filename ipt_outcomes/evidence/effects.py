"""One effect per row of a study table, and why a row gives none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from ipt_outcomes.effects import EffectSizes
from ipt_outcomes.effects.zero_cells import ZeroCells
from ipt_outcomes.errors import DataError, require_choice
from ipt_outcomes.evidence.compute import (
    COLUMNS,
    EMPTY,
    KINDS,
    MEASURES,
    Computed,
    Convention,
    MeasureName,
    binary,
    standardised,
)
from ipt_outcomes.evidence.sides import rows_set_aside
from ipt_outcomes.results import Provenance, ResultObject

if TYPE_CHECKING:
    from ipt_outcomes.io import Studies


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
    table, own = _apart_from_ours(studies.comparisons)
    if measure == "g":
        found = standardised(table, convention, better, event, zero_cells)
    else:
        found = binary(table, measure, event, zero_cells)
    if towards is not None:
        found = _without_opposed(found, table, towards)
    if own:
        note = f"The table's own columns {', '.join(own)} are not used: effects are computed from the data."
        found = replace(found, notes=(*found.notes, note))
    options = {"measure": measure, "convention": convention, "zero_cells": zero_cells}
    return _assembled(table, found, measure, Provenance(function="evidence.study_effects", options=options))


def _without_opposed(found: Computed, table: pd.DataFrame, towards: str) -> Computed:
    """The effects without those of rows that point another way."""
    aside = rows_set_aside(table, towards)
    opposed = aside != ""
    if not opposed.any():
        return found
    computed = found.table.assign(yi=found.table["yi"].mask(opposed), flag=found.table["flag"].mask(opposed, aside))
    note = "Some rows point another way than the others and are in no analysis: see the rows without effect."
    return replace(found, table=computed, notes=(*found.notes, note))


def _assembled(table: pd.DataFrame, found: Computed, measure: MeasureName, provenance: Provenance) -> StudyEffects:
    """The rows that gave an effect, and those that gave none with the reason."""
    computed = found.table
    usable = np.isfinite(computed["yi"]) & np.isfinite(computed["vi"]) & (computed["vi"] > 0)
    rows = pd.concat([table, computed], axis=1)[usable].reset_index(drop=True)
    without = table[~usable]
    left = without[["row", "study"]].assign(reason=_reasons(without, computed[~usable], measure))
    if rows.empty:
        raise DataError(
            f"{_of_rows(len(table))} ({measure}): {_most_common(left['reason'])}",
            rows=left["row"],
            hint=_HINTS["g" if measure == "g" else "events"],
        )
    return StudyEffects(
        rows=rows,
        not_computed=left.reset_index(drop=True),
        effects=EffectSizes(
            yi=rows["yi"].to_numpy(float).copy(),
            vi=rows["vi"].to_numpy(float).copy(),
            measure="SMD" if measure == "g" else measure,
            convention=str(provenance.options["convention" if measure == "g" else "zero_cells"]),
            event=found.event,
            flags=tuple(rows["flag"]),
            provenance=provenance,
        ),
        directions=found.directions,
        notes=found.notes,
    )


def _apart_from_ours(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The table with columns that bear the names of ours renamed, and those names."""
    same = [name for name in EMPTY if name in table]
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


def _reasons(table: pd.DataFrame, computed: pd.DataFrame, measure: MeasureName) -> pd.Series:
    """Why rows that gave no effect gave none, in words."""
    # A printed effect is flagged as such, which is no reason: then its standard error is not possible.
    taken = computed["flag"].isin(KINDS.values())
    reasons = computed["flag"].mask(taken, "its printed effect or standard error is not a possible one")
    groups = [COLUMNS[kind] for kind in (("events",) if measure != "g" else ("means", "change", "events", "precalc"))]
    for position in table.index[reasons == ""]:
        reasons[position] = _missing(table.loc[position], groups)
    return reasons


def _missing(row: pd.Series, groups: list[tuple[str, ...]]) -> str:
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
