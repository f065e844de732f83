"""Running the battery: every analysis of the effects of one comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from ipt_outcomes import meta
from ipt_outcomes.effects import EffectSizes
from ipt_outcomes.errors import IptError
from ipt_outcomes.evidence.battery import Battery
from ipt_outcomes.evidence.benefit import control_rate, numbers_needed
from ipt_outcomes.evidence.bias import bias_analyses
from ipt_outcomes.evidence.effects import StudyEffects, own_column
from ipt_outcomes.evidence.grid import Specifications, grid_of_effects
from ipt_outcomes.evidence.levels import in_order, level_texts, low_risk_rows
from ipt_outcomes.evidence.options import Options
from ipt_outcomes.evidence.pooling import attempt, combine, pool_table
from ipt_outcomes.evidence.profile import ProfileResult
from ipt_outcomes.evidence.reading import notes_of
from ipt_outcomes.evidence.removal import removals
from ipt_outcomes.evidence.risk_of_bias import risk_of_bias
from ipt_outcomes.evidence.rows import RowChoice
from ipt_outcomes.evidence.subgroup import all_subgroups, by_level
from ipt_outcomes.meta import EggerTest, MultilevelEffect, PooledEffect

RHO_GRID = (0.3, 0.5, 0.6, 0.8)


def run_battery(
    name: str,
    effects: StudyEffects,
    options: Options,
    groups: Mapping[str, str],
    *,
    choice: RowChoice,
    profile: ProfileResult | None = None,
) -> Battery:
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
    choice : RowChoice
        Which rows these are.
    profile : ProfileResult, optional
        The choices of another package.

    Returns
    -------
    Battery
    """
    rows, like = effects.rows, effects.effects
    slim = rows[["row", "study", "yi", "vi"]]
    not_run: dict[str, str] = {}
    studies = combine(slim, options.rho)
    dependent = len(studies) < len(rows)
    all_rows, combined = pool_table(slim, like, options), pool_table(studies, like, options)
    by = None if options.by is None else own_column(options.by)
    by = by if by in rows else options.by if options.by in rows else None
    compared, by_notes = (None, ()) if by is None else by_level(rows, by, like, options)
    low_risk = _low_risk(rows, like, options)
    removed, influence = removals(slim, studies, (all_rows, combined), like, options, not_run)
    rates = control_rate(rows, options)
    return Battery(
        name=name,
        groups=groups,
        options=options,
        study_effects=effects,
        rows_chosen=choice,
        all_rows=all_rows,
        studies=studies,
        combined=combined,
        by=by,
        by_level=compared,
        subgroups=all_subgroups(rows, like, options, not_run),
        multilevel=_multilevel(slim, options, not_run) if dependent else {},
        low_risk=low_risk,
        sensitivity=_sensitivity(slim, studies, like, options),
        removal=removed,
        bias=bias_analyses(slim, studies, like, options, not_run),
        rho_used=options.rho,
        rho=_rho_grid(rows, by, like, options) if dependent else {},
        leave_one_out=_leave_one_out(studies, options),
        cumulative=_cumulative(rows, studies, options, not_run),
        influence=influence,
        baujat=_baujat(studies),
        egger=_egger(studies),
        egger_rows=_egger(slim) if dependent else None,
        control_rate=rates,
        nnt=numbers_needed(combined, rates, options),
        risk_of_bias=risk_of_bias(rows),
        specifications=_grid(effects, options, not_run) if options.grid else None,
        profile=profile,
        not_run=not_run,
        notes=notes_of(effects, studies, combined, options, has_low_risk=bool(low_risk)) + by_notes,
    )


def _low_risk(rows: pd.DataFrame, like: EffectSizes, options: Options) -> dict[str, PooledEffect]:
    low = low_risk_rows(rows, options.low_risk_above)
    if low is None or not low.any():
        return {}
    part = rows.loc[low, ["study", "yi", "vi"]]
    return {
        "low_risk_rows": pool_table(part, like, options),
        "low_risk": pool_table(combine(part, options.rho), like, options),
    }


def _multilevel(rows: pd.DataFrame, options: Options, not_run: dict[str, str]) -> dict[str, MultilevelEffect]:
    """The models for several effects per study, with standard errors robust to what they assume."""
    study = rows["study"].astype(str)
    covariances = {
        "three_level": lambda: rows["vi"],
        "che": lambda: meta.che_covariance(rows["vi"], study=study, rho=options.rho),
    }
    method: Literal["REML", "ML"] = "ML" if options.tau2 == "ML" else "REML"
    found = {
        name: attempt(
            name,
            not_run,
            lambda made=made: meta.multilevel(  # type: ignore[misc]
                rows["yi"], made(), study=study, method=method, level=options.level
            ),
        )
        for name, made in covariances.items()
    }
    return {name: model for name, model in found.items() if model is not None}


def _sensitivity(
    rows: pd.DataFrame, studies: pd.DataFrame, like: EffectSizes, options: Options
) -> dict[str, PooledEffect]:
    choices = {
        "reml_z": ("REML", "z"),
        "dl_z": ("DL", "z"),
        "pm_knapp_hartung": ("PM", "knapp-hartung"),
        "knapp_hartung_adhoc": ("REML", "knapp-hartung-adhoc"),
        "common": ("common", "z"),
    }
    pooled = {name: pool_table(studies, like, options, tau2=tau2, test=test) for name, (tau2, test) in choices.items()}
    if len(studies) < len(rows):
        ordered = rows.sort_values("yi", kind="stable")
        takes: tuple[tuple[str, Literal["first", "last"]], ...] = (("lowest", "first"), ("highest", "last"))
        for name, take in takes:
            repeated = ordered["study"].astype(str).duplicated(keep=take)
            pooled[name] = pool_table(ordered[~repeated].sort_index(), like, options)
    return pooled


def _rho_grid(
    rows: pd.DataFrame, by: str | None, like: EffectSizes, options: Options
) -> dict[tuple[float, str], PooledEffect]:
    """The main analysis, over all studies and in each level, under other assumed correlations."""
    slim = rows[["study", "yi", "vi"]]
    parts = {"": slim}
    if by is not None:
        levels = level_texts(rows[by]).dropna()
        parts |= {level: slim.loc[levels.index[levels == level]] for level in in_order(levels)}
    grid = {}
    others = [rho for rho in RHO_GRID if not math.isclose(rho, options.rho, abs_tol=1e-4)]
    for rho in sorted([*others, options.rho]):
        for level, part in parts.items():
            grid[rho, level] = pool_table(combine(part, rho), like, options)
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


def _cumulative(rows: pd.DataFrame, studies: pd.DataFrame, options: Options, not_run: dict[str, str]) -> pd.DataFrame:
    """Pool study by study in the order of the year; studies without one cannot be placed."""
    empty = pd.DataFrame(columns=["added", "year"])
    if "year" not in rows or rows["year"].isna().all():
        not_run["cumulative"] = "the table does not tell the year of publication"
        return empty
    years = pd.to_numeric(rows["year"], errors="coerce").groupby(rows["study"].astype(str)).min()
    table = studies.assign(year=studies["study"].astype(str).map(years)).dropna(subset=["year"])
    if len(table) < 3:
        not_run["cumulative"] = "pooling year by year needs at least 3 studies with a year"
        return empty
    table = table.sort_values("year", kind="stable")
    frame = meta.cumulative(table["yi"], table["vi"], tau2=options.tau2, test=options.test, level=options.level)
    named = frame.drop(columns="added").assign(
        added=table["study"].astype(str).to_numpy(), year=table["year"].to_numpy(int)
    )
    return named[["added", "year", *(name for name in named.columns if name not in {"added", "year"})]]


def _baujat(studies: pd.DataFrame) -> pd.DataFrame:
    if len(studies) < 3:
        return pd.DataFrame(columns=["study", "x", "y"])
    frame = meta.baujat(studies["yi"], studies["vi"])
    return pd.DataFrame({"study": studies["study"].astype(str).to_numpy(), "x": frame["x"], "y": frame["y"]})


def _egger(table: pd.DataFrame) -> EggerTest | None:
    """Egger's test, or None where it is not defined (few studies, or all of one precision)."""
    if len(table) < 3 or np.ptp(table["vi"].to_numpy(float)) == 0:
        return None
    try:
        return meta.egger(table["yi"], table["vi"])
    except IptError:
        return None


def _grid(effects: StudyEffects, options: Options, not_run: dict[str, str]) -> Specifications | None:
    if effects.rows["study"].nunique() < 2:
        not_run["specifications"] = "a grid of specifications needs at least 2 studies"
        return None
    return attempt("specifications", not_run, lambda: grid_of_effects(effects, options))
