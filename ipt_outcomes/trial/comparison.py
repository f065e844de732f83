"""One arm that holds IPT against one that does not: points, g, and what else can be said of the pair."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DesignError
from ipt_outcomes.instruments import Better
from ipt_outcomes.mixed.adjust import holm
from ipt_outcomes.results import ResultObject, format_interval, format_number, p_in_words
from ipt_outcomes.trial.ancova import Ancova
from ipt_outcomes.trial.data import TrialData
from ipt_outcomes.trial.effect_size import ModelEffect, Standardiser, effect_size, pooled_sd
from ipt_outcomes.trial.model import FEWEST, ChangeModel, ancova_with_strata
from ipt_outcomes.trial.visits import Visit
from ipt_outcomes.vocabulary import label

MODEL, ANCOVA = "model", "ancova"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(ResultObject):
    """Arm 1 (IPT, alone or with something else) against arm 2 at the end point.

    Parameters
    ----------
    arm1, arm2 : str
    difference : dict of str to float
        The model's arm 1 minus arm 2 in points: ``estimate se df statistic p_value ci_low ci_high``; empty where
        there is none.
    p_holm : float or None
        p adjusted over all comparisons of the trial (Holm).
    effects : dict of (str, str) to ModelEffect
        By source of the difference (``"model"``, ``"ancova"``) and standardiser; the main one is
        ``("model", "endpoint")``.
    observed : dict of str to int
        People per arm with a score at the end point.
    gap : str
        Why there is no g or no difference; empty where there is.
    better : {"lower", "higher"}
    level : float
    """

    arm1: str
    arm2: str
    difference: dict[str, float]
    p_holm: float | None
    effects: dict[tuple[str, str], ModelEffect]
    observed: dict[str, int]
    gap: str
    better: Better
    level: float

    @property
    def effect(self) -> ModelEffect | None:
        """The main effect size: the model's difference over the pooled end-point SD."""
        return self.effects.get((MODEL, "endpoint"))

    @property
    def favours(self) -> str | None:
        """The arm that the interval of the difference favours, and that of g with it; None for neither."""
        if not self.difference or self.difference["ci_low"] <= 0 <= self.difference["ci_high"]:
            return None
        if self.effect is not None and self.effect.ci_low <= 0 <= self.effect.ci_high:
            return None
        lower = self.difference["estimate"] < 0
        return self.arm1 if lower == (self.better == "lower") else self.arm2

    def to_frame(self) -> pd.DataFrame:
        """Return every effect size: ``arm1 arm2 source standardiser g se ci_low ci_high p_value sd df_sd``."""
        rows = [
            {
                "arm1": self.arm1,
                "arm2": self.arm2,
                "source": source,
                "standardiser": standardiser,
                **{name: getattr(effect, name) for name in ("g", "se", "ci_low", "ci_high", "p_value", "sd", "df_sd")},
            }
            for (source, standardiser), effect in self.effects.items()
        ]
        return pd.DataFrame(rows)

    def summary(self, digits: int = 2) -> str:
        """Return the comparison in one line."""
        names = f"{label(self.arm1)} against {label(self.arm2)}"
        if not self.difference:
            return f"{names}: not computed: {self.gap}"
        points = format_interval(self.difference["ci_low"], self.difference["ci_high"])
        text = f"difference {format_number(self.difference['estimate'])} points ({points}), "
        text += p_in_words(self.difference["p_value"])
        if self.effect is None:
            return f"{names}: {text}; no g: {self.gap}"
        whom = f"favours {label(self.favours)}" if self.favours else "favours neither"
        limits = format_interval(self.effect.ci_low, self.effect.ci_high)
        return f"{names}: g = {format_number(self.effect.g)} ({100 * self.level:g}% CI {limits}), {whom}; {text}"


def compare(
    data: TrialData,
    end: Visit,
    model: ChangeModel | str,
    pairs: tuple[tuple[str, str], ...],
    *,
    better: Better,
    level: float,
) -> tuple[Comparison, ...]:
    """Compare the pairs of arms at the end point.

    Parameters
    ----------
    data : TrialData
    end : Visit
    model : ChangeModel or str
        The reason, where there is no model.
    pairs : tuple of (arm1, arm2)
    better : {"lower", "higher"}
    level : float

    Returns
    -------
    tuple of Comparison
        A pair without enough people holds the reason in place of numbers.
    """
    adjusted = _ancova_at(data, end, level)
    made = [_one(data, end, model, adjusted, pair, better=better, level=level) for pair in pairs]
    with_p = [position for position, item in enumerate(made) if item.difference]
    held = dict(zip(with_p, holm(np.array([made[i].difference["p_value"] for i in with_p])), strict=True))
    return tuple(replace(item, p_holm=held.get(position)) for position, item in enumerate(made))


def _one(
    data: TrialData,
    end: Visit,
    model: ChangeModel | str,
    adjusted: Ancova | None,
    pair: tuple[str, str],
    *,
    better: Better,
    level: float,
) -> Comparison:
    values = data.at(end)
    at_end = {arm: values[data.people["arm"].eq(arm)].dropna() for arm in pair}
    at_start = {arm: data.people.loc[data.people["arm"].eq(arm), "baseline"].dropna() for arm in pair}
    observed = {arm: len(found) for arm, found in at_end.items()}
    gaps = [model] if isinstance(model, str) else [model.left_out[arm] for arm in pair if arm in model.left_out]
    few = [arm for arm in pair if observed[arm] < FEWEST]
    # A model's mean at a time at which nobody of the arm was seen is its line drawn on, and no finding.
    difference = {} if gaps or few or isinstance(model, str) else model.contrast(*pair)
    gaps += [f"too few people of the arm {label(arm)} were observed at the end point" for arm in few]
    spreads: dict[Standardiser, tuple[float, int]] = {"endpoint": pooled_sd(*at_end.values())}
    if (at_baseline := pooled_sd(*at_start.values()))[0] > 0:
        spreads["baseline"] = at_baseline
    sources: dict[str, dict[str, float]] = {MODEL: difference}
    if adjusted is not None and set(pair) <= set(adjusted.arms):
        sources[ANCOVA] = adjusted.contrast(*pair)
        spreads["residual"] = (adjusted.sigma, adjusted.df)
    effects: dict[tuple[str, str], ModelEffect] = {}
    for source, line in sources.items():
        for standardiser, (sd, df_sd) in spreads.items():
            usable = bool(line) and not few and not (source == MODEL and standardiser == "residual")
            if not usable:
                continue
            try:
                effects[source, standardiser] = effect_size(
                    line["estimate"],
                    line["se"],
                    sd=sd,
                    df_sd=df_sd,
                    better=better,
                    standardiser=standardiser,
                    level=level,
                )
            except DesignError as error:
                gaps.append(error.message)
    return Comparison(
        arm1=pair[0],
        arm2=pair[1],
        difference=difference,
        p_holm=None,
        effects=effects,
        observed=observed,
        gap="; ".join(dict.fromkeys(gaps)),
        better=better,
        level=level,
    )


def _ancova_at(data: TrialData, end: Visit, level: float) -> Ancova | None:
    """The analysis of covariance at the end point of the arms with enough people; None where it is not defined."""
    frame = data.people[["patient_id", "arm", "baseline"]].assign(value=data.at(end)).dropna()
    counts = frame["arm"].astype(str).value_counts()
    kept = [arm for arm in data.arms if counts.get(arm, 0) >= FEWEST]
    frame = frame[frame["arm"].isin(kept)]
    if len(kept) < 2:
        return None
    frame = frame.assign(arm=pd.Categorical(frame["arm"].astype(str), categories=kept))
    frame, covariates, _ = data.covariates(frame)
    made = ancova_with_strata(frame, covariates, level=level)
    return None if isinstance(made, str) else made
