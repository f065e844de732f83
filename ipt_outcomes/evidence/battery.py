"""The analyses of one comparison: every model a meta-analyst is asked for, side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ipt_outcomes import meta
from ipt_outcomes.effects import EffectSizes
from ipt_outcomes.errors import IptError
from ipt_outcomes.evidence.effects import StudyEffects, own_column
from ipt_outcomes.evidence.levels import column_in_words, in_order, level_key, level_texts, low_risk_rows
from ipt_outcomes.meta import EggerTest, PooledEffect, Subgroups
from ipt_outcomes.results import ResultObject, listed

if TYPE_CHECKING:
    from ipt_outcomes.evidence.synthesis import Options

RHO_GRID = (0.3, 0.5, 0.6, 0.8)
_FEW_FOR_EGGER = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery(ResultObject):
    """All analyses of one comparison and one measure.

    Parameters
    ----------
    name : str
        The comparison, as reports title it.
    groups : mapping of str to str
        What sets its result rows apart from those of the other batteries: ``comparison``, ``measure``.
    study_effects : StudyEffects
        One effect per row, and the rows that gave none.
    all_rows : PooledEffect
        Every row as if independent: naive where studies give several rows.
    studies : pandas.DataFrame
        ``study yi vi n_effects``: effects combined in each study, with `rho_used`.
    combined : PooledEffect
        The main analysis: one combined effect per study.
    by : str or None
        Column of `comparators`.
    comparators : Subgroups or None
        Combined effects pooled in each level of `by`.
    comparators_normal : Subgroups or None
        The same with normal standard errors, for the test between levels.
    comparator_studies : pandas.DataFrame
        ``level study yi vi n_effects``.
    low_risk : mapping of str to PooledEffect
        ``"low_risk_rows"``, ``"low_risk"`` (combined per study) where the table tells the risk of bias.
    sensitivity : mapping of str to PooledEffect
        The main analysis under other estimators and choices; keys are `SENSITIVITY` keys.
    rho_used : float
        Correlation assumed between effects of one study.
    rho : mapping of tuple of (float, str) to PooledEffect
        Per assumed correlation and level (empty text: all studies).
    leave_one_out : pandas.DataFrame
        Pooled columns without each study, ``left_out`` names it; empty below three studies.
    egger : EggerTest or None
        On the combined effects; None below three studies.
    egger_rows : EggerTest or None
        The same on all rows, naive, where studies give several.
    notes : tuple of str
        What a reader must know before using the numbers.
    """

    name: str
    groups: Mapping[str, str]
    study_effects: StudyEffects
    all_rows: PooledEffect
    studies: pd.DataFrame
    combined: PooledEffect
    by: str | None
    comparators: Subgroups | None
    comparators_normal: Subgroups | None
    comparator_studies: pd.DataFrame
    low_risk: Mapping[str, PooledEffect]
    sensitivity: Mapping[str, PooledEffect]
    rho_used: float
    rho: Mapping[tuple[float, str], PooledEffect]
    leave_one_out: pd.DataFrame
    egger: EggerTest | None
    egger_rows: EggerTest | None
    notes: tuple[str, ...] = ()

    @property
    def effects(self) -> EffectSizes:
        """The combined effects, one per study."""
        return _as_effects(self.studies, self.study_effects)

    @property
    def by_key(self) -> str:
        """Name of the column compared by in the groups of result rows."""
        return level_key(self.by or "")

    @property
    def comparator_levels(self) -> tuple[str, ...]:
        """Levels of the column compared by, in order."""
        return () if self.comparators is None else tuple(str(level) for level in self.comparators.pooled)

    @property
    def has_dependence(self) -> bool:
        """Whether a study gives more than one effect."""
        return len(self.studies) < len(self.study_effects.rows)

    def comparator_effects(self) -> EffectSizes:
        """Return the effects combined per study and level, in the order of `comparator_studies`."""
        return _as_effects(self.comparator_studies, self.study_effects)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per analysis: ``analysis level`` and the pooled columns."""
        named: list[tuple[str, str, PooledEffect]] = [
            ("all_rows", "", self.all_rows),
            ("combined", "", self.combined),
        ]
        if self.comparators is not None:
            named += [("by_comparator", level, pooled) for level, pooled in self.comparators.pooled.items()]
        named += [(name, "", pooled) for name, pooled in {**self.low_risk, **self.sensitivity}.items()]
        frames = [pooled.to_frame().assign(analysis=name, level=level) for name, level, pooled in named]
        table = pd.concat(frames, ignore_index=True)
        return table[["analysis", "level", *(c for c in table.columns if c not in {"analysis", "level"})]]

    def summary(self, digits: int = 2) -> str:
        """Return the name and the main result."""
        return f"{self.name}: {self.combined.summary(digits)}"


SENSITIVITY: dict[str, str] = {
    "reml_z": "REML, normal intervals",
    "dl_z": "DerSimonian-Laird, normal intervals",
    "pm_knapp_hartung": "Paule-Mandel, Knapp-Hartung",
    "knapp_hartung_adhoc": "REML, Knapp-Hartung with factor at least 1 (ad hoc)",
    "common": "One common effect (no between-study variance)",
    "lowest": "Lowest effect of each study",
    "highest": "Highest effect of each study",
}


def run_battery(name: str, effects: StudyEffects, options: Options, groups: Mapping[str, str]) -> Battery:
    """Run every analysis on the effects of one comparison.

    Parameters
    ----------
    name : str
        Title of the comparison.
    effects : StudyEffects
        Its effects.
    options : Options
        How to pool.
    groups : mapping of str to str
        As in `Battery`.

    Returns
    -------
    Battery
    """
    rows = effects.rows
    study = rows["study"].astype(str)
    studies = meta.aggregate(rows["yi"], rows["vi"], study=study, rho=options.rho)
    combined = _pool(studies, effects, options)
    by = None if options.by is None else own_column(options.by)
    by = by if by in rows else options.by if options.by in rows else None
    comparators, comparators_normal, comparator_studies, by_notes = _by_level(rows, by, effects, options)
    low_risk = _low_risk(rows, effects, options)
    dependence = len(studies) < len(rows)
    return Battery(
        name=name,
        groups=groups,
        study_effects=effects,
        all_rows=_pool(rows, effects, options),
        studies=studies,
        combined=combined,
        by=by,
        comparators=comparators,
        comparators_normal=comparators_normal,
        comparator_studies=comparator_studies,
        low_risk=low_risk,
        sensitivity=_sensitivity(rows, studies, effects, options),
        rho_used=options.rho,
        rho=_rho_grid(rows, by, effects, options) if dependence else {},
        leave_one_out=_leave_one_out(studies, options),
        egger=_egger(studies),
        egger_rows=_egger(rows) if dependence else None,
        notes=_notes(rows, studies, combined, low_risk, options) + _outside_notes(rows, studies) + by_notes,
    )


def _pool(table: pd.DataFrame, effects: StudyEffects, options: Options, **other: str) -> PooledEffect:
    settings = {"tau2": options.tau2, "test": options.test} | other
    return meta.pool(_as_effects(table, effects), level=options.level, **settings)  # type: ignore[arg-type]


def _as_effects(table: pd.DataFrame, effects: StudyEffects) -> EffectSizes:
    """Columns ``yi`` and ``vi`` as effects of the same measure."""
    return replace(
        effects.effects,
        yi=table["yi"].to_numpy(float).copy(),
        vi=table["vi"].to_numpy(float).copy(),
        flags=("",) * len(table),
    )


def _by_level(
    rows: pd.DataFrame, by: str | None, effects: StudyEffects, options: Options
) -> tuple[Subgroups | None, Subgroups | None, pd.DataFrame, tuple[str, ...]]:
    """Pool the effects, combined per study, in each level of a column: as asked, and with normal intervals."""
    empty = pd.DataFrame(columns=["level", "study", "yi", "vi", "n_effects"])
    if by is None:
        return None, None, empty, ()
    levels_of_rows = level_texts(rows[by])
    known = rows[levels_of_rows.notna()]
    if known.empty:
        return None, None, empty, (f"No row has a value in {by}: nothing to compare.",)
    parts = []
    levels = in_order(levels_of_rows.dropna())
    for level in levels:
        part = known[levels_of_rows[known.index] == level]
        combined = meta.aggregate(part["yi"], part["vi"], study=part["study"].astype(str), rho=options.rho)
        parts.append(combined.assign(level=level))
    table = pd.concat(parts, ignore_index=True)
    sizes, by_level = _as_effects(table, effects), pd.Categorical(table["level"], categories=levels)
    groups = meta.subgroups(sizes, by=by_level, tau2=options.tau2, test=options.test, level=options.level)
    normal = meta.subgroups(sizes, by=by_level, tau2=options.tau2, test="z", level=options.level)
    words = column_in_words(by)
    notes: tuple[str, ...] = ()
    if len(parts) == 1:
        notes += (f"All rows have the same {words} ({table['level'][0]}): there is nothing to compare it with.",)
    in_several = table["study"].value_counts()
    in_several = in_several[in_several > 1]
    if len(in_several):
        notes += (
            f"Studies with rows for more than one {words} count for each of them; the test between levels treats them "
            "as independent.",
        )
    if len(known) < len(rows):
        notes += (f"Rows without a {words} are left out of the results by {words}.",)
    return groups, normal, table, notes


def _low_risk(rows: pd.DataFrame, effects: StudyEffects, options: Options) -> dict[str, PooledEffect]:
    low = low_risk_rows(rows, options.low_risk_above)
    if low is None or not low.any():
        return {}
    part = rows[low]
    combined = meta.aggregate(part["yi"], part["vi"], study=part["study"].astype(str), rho=options.rho)
    return {"low_risk_rows": _pool(part, effects, options), "low_risk": _pool(combined, effects, options)}


def _sensitivity(
    rows: pd.DataFrame, studies: pd.DataFrame, effects: StudyEffects, options: Options
) -> dict[str, PooledEffect]:
    pooled = {
        "reml_z": _pool(studies, effects, options, tau2="REML", test="z"),
        "dl_z": _pool(studies, effects, options, tau2="DL", test="z"),
        "pm_knapp_hartung": _pool(studies, effects, options, tau2="PM", test="knapp-hartung"),
        "knapp_hartung_adhoc": _pool(studies, effects, options, tau2="REML", test="knapp-hartung-adhoc"),
        "common": _pool(studies, effects, options, tau2="common", test="z"),
    }
    if len(studies) < len(rows):
        ordered = rows.sort_values("yi", kind="stable")
        for name, take in (("lowest", "first"), ("highest", "last")):
            repeated = ordered["study"].astype(str).duplicated(keep=take)  # type: ignore[arg-type]
            chosen = ordered[~repeated].sort_index()
            pooled[name] = _pool(chosen, effects, options)
    return pooled


def _rho_grid(
    rows: pd.DataFrame, by: str | None, effects: StudyEffects, options: Options
) -> dict[tuple[float, str], PooledEffect]:
    """The main analysis, over all studies and in each level, under other assumed correlations."""
    parts = {"": rows}
    if by is not None:
        levels = level_texts(rows[by]).dropna()
        parts |= {level: rows.loc[levels.index[levels == level]] for level in in_order(levels)}
    grid = {}
    others = [rho for rho in RHO_GRID if not math.isclose(rho, options.rho, abs_tol=1e-4)]
    for rho in sorted([*others, options.rho]):
        for level, part in parts.items():
            combined = meta.aggregate(part["yi"], part["vi"], study=part["study"].astype(str), rho=rho)
            grid[rho, level] = _pool(combined, effects, options)
    return grid


def _leave_one_out(studies: pd.DataFrame, options: Options) -> pd.DataFrame:
    if len(studies) < 3:
        return pd.DataFrame(columns=["left_out"])
    frame = meta.leave_one_out(
        studies["yi"],
        studies["vi"],
        tau2=options.tau2,
        test=options.test,
        level=options.level,
        study=studies["study"],
    )
    return frame.assign(left_out=frame["left_out"].astype(str))


def _egger(table: pd.DataFrame) -> EggerTest | None:
    """Egger's test, or None where it is not defined (few studies, or all of one precision)."""
    if len(table) < 3 or np.ptp(table["vi"].to_numpy(float)) == 0:
        return None
    try:
        return meta.egger(table["yi"], table["vi"])
    except IptError:
        return None


def outside_studies(rows: pd.DataFrame, studies: pd.DataFrame) -> list[str]:
    """Return the studies whose combined effect lies outside all of its own effects.

    With unequal precision and a high correlation the best linear combination gives an imprecise effect a
    negative weight.

    Parameters
    ----------
    rows, studies : pandas.DataFrame
        Effects per row, and combined per study.

    Returns
    -------
    list of str
    """
    own = studies["yi"].to_numpy(float)
    span = rows.groupby(rows["study"].astype(str))["yi"].agg(["min", "max"]).loc[list(studies["study"].astype(str))]
    low, high = span["min"].to_numpy(), span["max"].to_numpy()
    slack = 1e-9 * np.maximum(np.abs(low), np.abs(high))
    outside = (own < low - slack) | (own > high + slack)
    return [str(name) for name in studies["study"][outside]]


def _outside_notes(rows: pd.DataFrame, studies: pd.DataFrame) -> tuple[str, ...]:
    names = outside_studies(rows, studies)
    if not names:
        return ()
    return (
        f"The combined effect of {listed(names)} lies outside all effects of the study: with the assumed correlation "
        "an imprecise effect gets a negative weight. Look at the results under lower correlations.",
    )


def _notes(
    rows: pd.DataFrame,
    studies: pd.DataFrame,
    combined: PooledEffect,
    low_risk: Mapping[str, PooledEffect],
    options: Options,
) -> tuple[str, ...]:
    notes: list[str] = []
    if len(studies) == 1:
        notes.append("One study: nothing is pooled, its own effect is shown, and heterogeneity is not defined.")
    elif len(studies) < 5:
        notes.append(
            "Very few studies: the between-study variance can hardly be estimated; read the intervals with caution."
        )
    if combined.narrower_than_z:
        notes.append(
            "The Knapp-Hartung interval of the main analysis is narrower than the normal one. Both are shown; the "
            "verdict goes by the wider. The prediction interval rests on the narrower standard error and may be too "
            "narrow."
        )
    elif combined.k > 1:
        # Why another test than the one asked for was used.
        notes += combined.notes
    if len(studies) < len(rows):
        notes.append(
            f"Several rows of one study are not independent: they are combined with an assumed correlation of "
            f"{options.rho:g}. The analysis of all rows ignores this and is shown for comparison only."
        )
    if len(studies) < _FEW_FOR_EGGER:
        notes.append("Fewer than ten studies: tests of funnel asymmetry have little power.")
    if low_risk_rows(rows, options.low_risk_above) is None:
        notes.append("The table does not tell the risk of bias: there is no analysis of low-risk studies.")
    elif not low_risk:
        notes.append("No row is rated as having a low risk of bias: there is no such analysis.")
    return tuple(notes)
