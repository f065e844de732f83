"""From a study table to the effects an analysis pools: which way rows point, and which of them are used."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ipt_outcomes.evidence.compute import MeasureName
from ipt_outcomes.evidence.effects import StudyEffects, study_effects
from ipt_outcomes.evidence.options import Options
from ipt_outcomes.evidence.rows import RowChoice, choose_rows
from ipt_outcomes.evidence.sides import rows_set_aside

if TYPE_CHECKING:
    from ipt_outcomes.io import Studies


def oriented(table: Studies, towards: str | None) -> Studies:
    """Turn the rows round; a table that does not say what its arms are stays as it is, and says so.

    Parameters
    ----------
    table : Studies
    towards : str or None
        The treatment positive is to favour; None leaves rows as they are.

    Returns
    -------
    Studies
    """
    if towards is None:
        return table
    if {"condition_arm1", "condition_arm2"} <= set(table.comparisons.columns):
        return table.orient(towards=towards)
    return replace(table, notes=(*table.notes, "the table does not say what the arms are: positive favours arm 1"))


def prepared(table: Studies, measure: MeasureName, options: Options) -> tuple[StudyEffects, RowChoice]:
    """Compute the effects of an oriented table and keep the rows that the options ask for.

    Parameters
    ----------
    table : Studies
        As `oriented` gives it.
    measure : {"g", "OR", "RR", "RD"}
    options : Options

    Returns
    -------
    tuple of StudyEffects, RowChoice
    """
    if options.towards is None:
        # Nothing settles which side is which: rows that point both ways are refused.
        rows_set_aside(table.comparisons, None)
    effects = study_effects(
        table,
        measure=measure,
        convention=options.convention,
        better=options.better,
        event=options.event,
        zero_cells=options.zero_cells,
        towards=options.towards,
    )
    return choose_rows(effects, options)
