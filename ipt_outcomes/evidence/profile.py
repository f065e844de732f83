"""The choices of another package beside ours: profile "metapsytools" (metapsyTools 1.0.14, on meta and metafor).

What it does otherwise: effects of events with a treatment-arm continuity correction, I2 from Q, prediction
intervals with k - 2 degrees of freedom, rows taken as independent in most of its models, sampling variances averaged
within each study before the covariances of the CHE model are made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from ipt_outcomes import effects as es
from ipt_outcomes import meta
from ipt_outcomes.effects import EffectSizes
from ipt_outcomes.evidence.effects import StudyEffects
from ipt_outcomes.evidence.levels import low_risk_rows
from ipt_outcomes.evidence.options import Options
from ipt_outcomes.evidence.pooling import as_effects, attempt, combine, pool_table
from ipt_outcomes.evidence.removal import outliers
from ipt_outcomes.meta import MultilevelEffect, PooledEffect
from ipt_outcomes.results import ResultObject

# Its model, in words, and our analysis that answers the same question.
MODELS: Mapping[str, tuple[str, str]] = {
    "overall": ("Overall", "all_rows"),
    "lowest": ("One effect per study, lowest", "lowest"),
    "highest": ("One effect per study, highest", "highest"),
    "outliers": ("Outliers removed", "outliers_removed_rows"),
    "influence": ("Influential cases removed", "influence_removed"),
    "rob": ("Low risk of bias only", "low_risk_rows"),
    "combined": ("Combined per study", "combined"),
    "threelevel": ("Three-level model", "three_level"),
    "threelevel_che": ("Three-level model, CHE", "che"),
    "trim_and_fill": ("Trim and fill", "trim_and_fill_rows"),
    "limit": ("Limit meta-analysis", "limit_rows"),
    "selection": ("Selection model", "selection_rows"),
}
# One-sided p at which its selection model cuts by default.
SELECTION_STEP = 0.05
_COLUMNS = (
    "k", "estimate", "se", "ci_low", "ci_high", "p_value", "i2", "prediction_low", "prediction_high", "nnt",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileResult(ResultObject):
    """The models of another package on the same rows.

    Parameters
    ----------
    name : str
        Of the profile.
    frame : pandas.DataFrame
        ``model label ours k estimate se ci_low ci_high p_value i2 prediction_low prediction_high nnt``: its model,
        in words, our analysis of the same question, its numbers. Ratios are on the log scale; missing where the
        model has no such number. The NNT is that of Furukawa and Leucht at the assumed control rate, for g only.
    not_run : mapping of str to str
        Models that were not possible, and why.
    notes : tuple of str
        Where its choices differ from ours.
    """

    name: str
    frame: pd.DataFrame
    not_run: Mapping[str, str]
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return `frame`."""
        return self.frame.copy()

    def summary(self, digits: int = 2) -> str:
        """Return the models and the notes."""
        return "\n".join([f"{self.name}: {len(self.frame)} models", *self.frame["label"], *self.notes])


def metapsytools(effects: StudyEffects, options: Options) -> ProfileResult:
    """Run the models as metapsyTools runs them.

    Parameters
    ----------
    effects : StudyEffects
        Made with its correction for empty cells.
    options : Options
        ``tau2``, ``test``, ``level``, ``rho``, ``low_risk_above`` and ``control_rate`` are used as its arguments.

    Returns
    -------
    ProfileResult
    """
    not_run: dict[str, str] = {}
    records: list[dict[str, Any]] = []
    for model, work in _models(effects, options).items():
        found = attempt(model, not_run, work)
        if found is not None:
            label, ours = MODELS[model]
            numbers = _numbers(found, effects.effects.measure, options)
            records.append({"model": model, "label": label, "ours": ours, **numbers})
    return ProfileResult(
        name="metapsytools",
        frame=pd.DataFrame(records, columns=["model", "label", "ours", *_COLUMNS]),
        not_run=not_run,
        notes=(
            "I² is 100 (Q − df) / Q here; elsewhere in this report it is the share of the variance.",
            "Prediction intervals have k − 2 degrees of freedom here, k − 1 elsewhere in this report.",
            "Apart from 'combined' and the three-level models, rows of one study are taken as independent.",
            "The CHE model has sampling variances averaged within each study.",
            "Empty cells of event tables have the treatment-arm continuity correction.",
            "The selection model looks for selection of results that favour arm 1. The package's own default takes "
            "negative effects for the favourable ones, and answers another question where positive ones are.",
        ),
    )


def _models(effects: StudyEffects, options: Options) -> dict[str, Callable[[], Any]]:
    rows, like = effects.rows, effects.effects
    study = rows["study"].astype(str)
    ordered = rows.sort_values("yi", kind="stable")

    def pooled(table: pd.DataFrame) -> PooledEffect:
        return pool_table(table, like, options)

    def one_row(keep: Literal["first", "last"]) -> PooledEffect:
        chosen = ordered[~ordered["study"].astype(str).duplicated(keep=keep)]
        return pooled(chosen.sort_index())

    def without(flag: Callable[[], np.ndarray]) -> PooledEffect:
        return pooled(rows[~flag()])

    def influential() -> np.ndarray:
        frame = meta.influence(as_effects(rows, like), tau2=options.tau2, test=options.test)
        return np.asarray(frame["influential"].fillna(False), dtype=bool)

    low = low_risk_rows(rows, options.low_risk_above)
    smoothed = rows["vi"].groupby(study).transform("mean").to_numpy(float)
    benefit: Literal["greater", "less"] = "less" if like.event == "bad" else "greater"
    found: dict[str, Callable[[], Any]] = {
        "overall": lambda: pooled(rows),
        "lowest": lambda: one_row("first"),
        "highest": lambda: one_row("last"),
        "outliers": lambda: without(lambda: outliers(rows, pooled(rows))),
        "influence": lambda: without(influential),
    }
    if low is not None and low.any():
        found["rob"] = lambda: pooled(rows[low])
    found["combined"] = lambda: pooled(combine(rows, options.rho))
    if study.duplicated().any():
        found["threelevel"] = lambda: meta.multilevel(rows["yi"], rows["vi"], study=study, level=options.level)
        found["threelevel_che"] = lambda: meta.multilevel(
            rows["yi"],
            meta.che_covariance(smoothed, study=study, rho=options.rho),
            study=study,
            level=options.level,
        )
    sizes: EffectSizes = as_effects(rows, like)
    found["trim_and_fill"] = lambda: meta.trim_and_fill(
        sizes, tau2=options.tau2, test=options.test, level=options.level
    )
    found["limit"] = lambda: meta.limit_meta_analysis(sizes, tau2=options.tau2, level=options.level)
    found["selection"] = lambda: meta.selection_model(
        sizes, steps=(SELECTION_STEP,), alternative=benefit, level=options.level
    )
    return found


def _numbers(found: Any, measure: str, options: Options) -> dict[str, Any]:
    """The numbers of one model, with I2 and the prediction interval as that package has them."""
    numbers: dict[str, Any] = {name: getattr(found, name, None) for name in _COLUMNS}
    if isinstance(found, PooledEffect):
        numbers["i2"] = max(0.0, 100 * (found.q - found.q_df) / found.q) if found.q > 0 and found.q_df > 0 else None
        low, high = _prediction(found)
        numbers |= {"prediction_low": low, "prediction_high": high}
    elif isinstance(found, MultilevelEffect) and found.i2_study is not None and found.i2_effect is not None:
        numbers["i2"] = found.i2_study + found.i2_effect
    if measure == "SMD":
        numbers["nnt"] = float(es.nnt_from_smd(numbers["estimate"], control_rate=options.control_rate).nnt[0])
    return numbers


def _prediction(pooled: PooledEffect) -> tuple[float | None, float | None]:
    """Prediction interval with k - 2 degrees of freedom (Higgins, Thompson and Spiegelhalter 2009)."""
    if pooled.tau2_method == "common" or pooled.k < 3:
        return None, None
    half = float(stdtrit(pooled.k - 2, 0.5 + pooled.level / 2)) * math.sqrt(pooled.tau2 + pooled.se**2)
    return pooled.estimate - half, pooled.estimate + half
