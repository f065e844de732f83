"""The model of change: the fullest mixed model the visits allow, and what was tried before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ipt_outcomes.errors import ConvergenceError, DesignError, IptError
from ipt_outcomes.mixed import MixedFit, lmm
from ipt_outcomes.trial.ancova import Ancova, ancova
from ipt_outcomes.trial.data import TrialData
from ipt_outcomes.trial.visits import Visit
from ipt_outcomes.vocabulary import label

SLOPES = "value ~ week*arm + baseline + (week | patient_id)"
INTERCEPTS = "value ~ week*arm + baseline + (1 | patient_id)"
"""Models of a trial without strata."""

# Intercept, slope, their covariance and the residual need three visits to be told apart.
VISITS_FOR_SLOPES = 3
FEWEST = 5
"""People with a score that an arm needs; below it nothing is estimated for the arm."""

_LINE = ("estimate", "se", "df", "statistic", "p_value", "ci_low", "ci_high")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeModel:
    """The model of change that was fitted.

    Parameters
    ----------
    fit : MixedFit or Ancova
    formula : str
    end : Visit
    arms : tuple of str
        Arms in the model, the reference first.
    people : dict of str to int
        People per arm in the model.
    left_out : dict of str to str
        Arms that are not in it, and why.
    attempts : tuple of str
        Models not used, and why, in the order tried.
    n_dropped : int
        Rows (people, for an analysis of covariance) without a score, a baseline or a week.
    covariates : tuple of str
        ``"baseline"``, ``"stratum"``: those in the model.
    notes : tuple of str
        What is not in the model that a reader would look for in it.
    """

    fit: MixedFit | Ancova
    formula: str
    end: Visit
    arms: tuple[str, ...]
    people: dict[str, int]
    left_out: dict[str, str]
    attempts: tuple[str, ...]
    n_dropped: int
    covariates: tuple[str, ...] = ("baseline",)
    notes: tuple[str, ...] = ()

    @property
    def is_mixed(self) -> bool:
        """Whether the model is a mixed model."""
        return not isinstance(self.fit, Ancova)

    def contrast(self, arm1: str, arm2: str) -> dict[str, float]:
        """Return arm 1 minus arm 2 at the end point: ``estimate se df statistic p_value ci_low ci_high``."""
        if isinstance(self.fit, Ancova):
            return self.fit.contrast(arm1, arm2)
        table = self.fit.contrasts("arm", at={"week": [self.end.week]}, against="pairwise")
        return picked(table, arm1, arm2)

    def means(self, weeks: Sequence[float]) -> pd.DataFrame:
        """Return model means: ``arm week estimate se df ci_low ci_high``; an analysis of covariance has one week."""
        if isinstance(self.fit, Ancova):
            table = self.fit.means().assign(week=self.end.week)
        else:
            # Strata weigh as the people in them, like every covariate.
            table = self.fit.means("arm", at={"week": list(weeks)}, weights="proportional")
        columns = ["arm", "week", "estimate", "se", "df", "ci_low", "ci_high"]
        return table[columns].astype({"arm": str}).reset_index(drop=True)


def picked(table: pd.DataFrame, arm1: str, arm2: str, **levels: Any) -> dict[str, float]:
    """Return one contrast of a table of pairwise contrasts, turned so that it is arm 1 minus arm 2.

    Parameters
    ----------
    table : pandas.DataFrame
        ``contrast`` ("ipt - usual_care") and ``estimate se df statistic p_value ci_low ci_high``.
    arm1, arm2 : str
    **levels
        Values of further columns.

    Returns
    -------
    dict of str to float
    """
    for column, level in levels.items():
        table = table[table[column].astype(str).eq(str(level))]
    straight = table[table["contrast"].eq(f"{arm1} - {arm2}")]
    if len(straight) == 1:
        return {name: float(straight.iloc[0][name]) for name in _LINE}
    turned = table[table["contrast"].eq(f"{arm2} - {arm1}")]
    if len(turned) != 1:
        raise IptError(f"the model gives no contrast of {arm1} and {arm2}")
    line = {name: float(turned.iloc[0][name]) for name in _LINE}
    return line | {
        "estimate": -line["estimate"],
        "statistic": -line["statistic"],
        "ci_low": -line["ci_high"],
        "ci_high": -line["ci_low"],
    }


def fit_change(data: TrialData, end: Visit, *, level: float) -> ChangeModel | str:
    """Fit the fullest model of change the visits allow.

    Parameters
    ----------
    data : TrialData
        Visits up to and including `end`.
    end : Visit
    level : float
        Confidence level.

    Returns
    -------
    ChangeModel or str
        The reason, in words, where fewer than two arms have enough people or no model can be fitted; then with what
        was tried.

    Notes
    -----
    In this order: random intercepts and slopes (three visits or more), random intercepts, analysis of covariance
    at the end point (one visit). A fit on the boundary is kept and named; only one that did not converge is passed
    over. Every model holds the baseline and the strata of the randomisation.
    """
    frame, arms, people, left_out = _arms_with_people(data)
    if len(arms) < 2:
        return "; ".join(left_out.values()) or "fewer than two arms have enough scores after baseline"
    frame, covariates, notes = data.covariates(frame)
    visits = frame.loc[frame["value"].notna() & frame["baseline"].notna(), "visit"].nunique()
    attempts: list[str] = []
    common = {"end": end, "arms": arms, "people": people, "left_out": left_out, "covariates": covariates}
    used = frame if "baseline" in covariates else frame[frame["baseline"].notna()]
    for random, needed in (("week", VISITS_FOR_SLOPES), ("1", 2)):
        formula = f"value ~ {' + '.join(('week*arm', *covariates))} + ({random} | patient_id)"
        if visits < needed:
            attempts.append(f"{formula}: needs {needed} visits after baseline, there are {visits}")
            continue
        try:
            fit = lmm(formula, used, reml=True, df="satterthwaite", level=level)
        except (ConvergenceError, DesignError) as error:
            attempts.append(f"{formula}: {tried(error)}")
            continue
        dropped = int(fit.n_dropped) + len(frame) - len(used)
        if fit.dropped_terms:
            notes += (f"Not in the model, since the others give it: {', '.join(fit.dropped_terms)}.",)
        return ChangeModel(
            fit=fit,
            formula=formula,
            attempts=tuple(attempts),
            n_dropped=dropped,
            notes=notes,
            **common,  # type: ignore[arg-type]
        )
    fitted = ancova_with_strata(frame[frame["visit"].eq(end.key)], covariates, level=level)
    if isinstance(fitted, str):
        return f"no model could be fitted; tried: {'; '.join([*attempts, fitted])}"
    return ChangeModel(
        fit=fitted,
        formula=fitted.formula,
        attempts=tuple(attempts),
        n_dropped=fitted.n_dropped,
        notes=notes,
        **common,  # type: ignore[arg-type]
    )


def tried(error: IptError) -> str:
    """Return why a fit failed, with its attempts."""
    attempts = error.attempts if isinstance(error, ConvergenceError) else ()
    return "; ".join([error.message, *(str(attempt) for attempt in attempts)])


def ancova_with_strata(one: pd.DataFrame, covariates: Sequence[str], *, level: float) -> Ancova | str:
    """Fit an analysis of covariance, without what cannot be estimated at this visit; the reason where none can be.

    Parameters
    ----------
    one : pandas.DataFrame
        One row per person: ``arm value`` and the covariates.
    covariates : sequence of str
    level : float

    Returns
    -------
    Ancova or str
        Its formula says which covariates it holds.
    """
    one = one[one["baseline"].notna()]
    known = one[one["value"].notna()]
    differing = [name for name in covariates if known[name].nunique() > 1]
    # At one visit a few people may leave strata that nothing tells from the arms.
    choices = [differing, [name for name in differing if name != "stratum"]]
    reasons = []
    for names in choices if "stratum" in differing else choices[:1]:
        try:
            return ancova(one, level=level, covariates=names)
        except DesignError as error:
            reasons.append(error.message)
    return "; ".join(reasons)


def _arms_with_people(data: TrialData) -> tuple[pd.DataFrame, tuple[str, ...], dict[str, int], dict[str, str]]:
    """The model's rows, of the arms that have enough people with a score and a baseline."""
    usable = data.scores[data.scores["value"].notna() & data.scores["baseline"].notna() & data.scores["week"].notna()]
    counts = {arm: int(usable.loc[usable["arm"].eq(arm), "patient_id"].nunique()) for arm in data.arms}
    kept = tuple(arm for arm, count in counts.items() if count >= FEWEST)
    left_out = {
        arm: f"too few people of the arm {label(arm)} have a baseline and a score after it"
        for arm, count in counts.items()
        if count < FEWEST
    }
    frame = data.scores[data.scores["arm"].isin(kept)].copy()
    frame["arm"] = pd.Categorical(frame["arm"].astype(str), categories=list(kept))
    frame = frame[["patient_id", "arm", "baseline", "visit", "week", "value"]].reset_index(drop=True)
    return frame, kept, {arm: counts[arm] for arm in kept}, left_out
