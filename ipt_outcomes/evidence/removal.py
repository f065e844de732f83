"""The main analysis without outliers, and without studies that move it most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ipt_outcomes import meta
from ipt_outcomes.effects import EffectSizes
from ipt_outcomes.evidence.options import Options
from ipt_outcomes.evidence.pooling import as_effects, attempt, pool_table
from ipt_outcomes.meta import PooledEffect
from ipt_outcomes.results import ResultObject, listed

OUTLIER_RULE = "the interval of the study lies wholly outside the interval of the pooled effect"
INFLUENCE_RULE = "a DFFITS, Cook's distance, hat value or DFBETAS beyond the limits of Viechtbauer and Cheung (2010)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal(ResultObject):
    """A pooled effect without some studies or rows.

    Parameters
    ----------
    pooled : PooledEffect
        Of what is left.
    removed : tuple of str
        The studies (with the row number where rows were taken out one by one).
    rule : str
        What made them go.
    """

    pooled: PooledEffect
    removed: tuple[str, ...]
    rule: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row: the pooled columns and ``removed``."""
        return self.pooled.to_frame().assign(removed="; ".join(self.removed))

    def summary(self, digits: int = 2) -> str:
        """Return who was taken out, and the pooled effect of the rest."""
        names = listed(list(self.removed)) if self.removed else "nobody"
        return f"Without {names}: {self.pooled.summary(digits)}"


def outliers(table: pd.DataFrame, pooled: PooledEffect) -> np.ndarray:
    """Tell which effects are outliers by the rule of the field.

    Parameters
    ----------
    table : pandas.DataFrame, shape (k, p)
        ``yi vi``.
    pooled : PooledEffect
        Of the same effects.

    Returns
    -------
    numpy.ndarray of bool, shape (k,)
        Whose confidence interval (normal, at the level of `pooled`) lies outside that of `pooled`.

    References
    ----------
    Harrer, Cuijpers, Furukawa, Ebert (2021), Doing Meta-Analysis with R, chapter 5.4, ISBN 978-0367610074.
    """
    half = ndtri(0.5 + pooled.level / 2) * np.sqrt(table["vi"].to_numpy(float))
    yi = table["yi"].to_numpy(float)
    return np.asarray((yi + half < pooled.ci_low) | (yi - half > pooled.ci_high))


def removals(
    rows: pd.DataFrame,
    studies: pd.DataFrame,
    main: tuple[PooledEffect, PooledEffect],
    effects: EffectSizes,
    options: Options,
    not_run: dict[str, str],
) -> tuple[dict[str, Removal], pd.DataFrame]:
    """Pool again without outliers (rows and studies) and without influential studies.

    Parameters
    ----------
    rows, studies : pandas.DataFrame
        Effects per row, and combined per study.
    main : tuple of PooledEffect
        Of all rows, and of the studies.
    effects : EffectSizes
    options : Options
    not_run : dict of str to str
        Takes the reasons.

    Returns
    -------
    tuple of dict of str to Removal, pandas.DataFrame
        Keys ``outliers_removed_rows`` (where studies give several rows), ``outliers_removed``,
        ``influence_removed``; and the influence of each study, ``study`` and the columns of
        `ipt_outcomes.meta.influence` (empty where it is not defined).
    """
    found: dict[str, Removal] = {}
    sources = {"outliers_removed": (studies, main[1])}
    if len(studies) < len(rows):
        sources = {"outliers_removed_rows": (rows, main[0]), **sources}
    for name, (table, pooled) in sources.items():
        if pooled.k < 3:
            not_run[name] = "outliers need at least 3 effects"
            continue
        _without(name, table, outliers(table, pooled), OUTLIER_RULE, effects, options, found, not_run)
    frame = pd.DataFrame(columns=["study"])
    if len(studies) < 3:
        not_run["influence_removed"] = "influence needs at least 3 studies"
        return found, frame
    measured = attempt(
        "influence_removed",
        not_run,
        lambda: meta.influence(as_effects(studies, effects), tau2=options.tau2, test=options.test),
    )
    if measured is not None:
        frame = measured.assign(study=studies["study"].astype(str).to_numpy())
        frame = frame[["study", *(name for name in frame.columns if name not in {"study", "position"})]]
        flagged = frame["influential"].fillna(False).to_numpy(bool)
        _without("influence_removed", studies, flagged, INFLUENCE_RULE, effects, options, found, not_run)
    return found, frame


def _without(
    name: str,
    table: pd.DataFrame,
    out: np.ndarray,
    rule: str,
    effects: EffectSizes,
    options: Options,
    found: dict[str, Removal],
    not_run: dict[str, str],
) -> None:
    if out.all():
        not_run[name] = "nothing would be left"
        return
    each = "row" in table
    names = [
        f"{study} (row {row})" if each else str(study)
        for study, row in zip(table["study"][out], table["row"][out] if each else table["study"][out], strict=True)
    ]
    pooled = attempt(name, not_run, lambda: pool_table(table[~out], effects, options))
    if pooled is not None:
        found[name] = Removal(pooled=pooled, removed=tuple(names), rule=rule)
