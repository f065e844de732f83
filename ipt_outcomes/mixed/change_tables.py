"""Tables of change by the levels of a column: levels, arms within levels, between levels, standardised, shrunken."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DesignError
from ipt_outcomes.mixed.adjust import Adjust
from ipt_outcomes.mixed.fit import MixedFit
from ipt_outcomes.mixed.grid import Combinations, Weights, means, trends
from ipt_outcomes.mixed.shrinkage import Shrunken, shrink

SLOPE, MEAN, CHANGE = "slope", "mean", "change"
NUMBERS = ["estimate", "se", "df", "ci_low", "ci_high", "statistic", "p_value"]
_WEIGHTS: Weights = "proportional"
_SHRUNKEN = ("estimate", "se", "ci_low", "ci_high", "mean", "tau")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a fit.

    Parameters
    ----------
    fit : MixedFit
    by, week : str
    arm : str or None
        None where arms are not compared.
    arms : tuple of str
        Arm 1, then the arms it is compared with.
    since, at : float
        Times between which change is taken.
    linear : bool
        Whether change is a slope at all times.
    """

    fit: MixedFit
    by: str
    week: str
    arm: str | None
    arms: tuple[str, ...]
    since: float
    at: float
    linear: bool

    @property
    def names(self) -> list[str]:
        """Columns that say of whom a number is."""
        return [self.by, *([self.arm] if self.arm is not None else [])]

    def means(self, time: float) -> Combinations:
        """Return the mean of every level (and arm) at one time."""
        design = self.fit.design
        if self.arm is None:
            return means(design, self.by, at={self.week: time}, weights=_WEIGHTS)
        return means(design, self.arm, by=self.by, at={self.week: time}, weights=_WEIGHTS)

    def slopes(self) -> Combinations:
        """Return the slope of every level (and arm)."""
        if self.arm is None:
            return trends(self.fit.design, self.week, by=self.by)
        points: dict[str, Any] = {self.by: list(factor_levels(self.fit, self.by))}
        return trends(self.fit.design, self.week, by=self.arm, at=points)

    def changes(self) -> Combinations:
        """Return the change of every level (and arm) from `since` to `at`."""
        first, last = self.means(self.since), self.means(self.at)
        labels = last.labels.drop(columns=self.week)
        return Combinations(labels, last.weights - first.weights, last.family)

    def main(self) -> Combinations:
        """Return the slopes of a straight line, the changes of another course."""
        return self.slopes() if self.linear else self.changes()

    def main_name(self) -> str:
        """Return what `main` is."""
        return SLOPE if self.linear else CHANGE


def factor_levels(fit: MixedFit, name: str) -> tuple[Any, ...]:
    """Return the levels of a factor of the model."""
    return next(variable.levels for variable in fit.design.variables.values() if variable.column == name)


def level_table(asked: Asked) -> pd.DataFrame:
    """Return slopes (or changes) and the means at the end: ``quantity``, the level, the arm, the numbers."""
    parts = ((asked.main(), asked.main_name()), (asked.means(asked.at), MEAN))
    table = pd.concat([asked.fit.table(one).assign(quantity=name) for one, name in parts], ignore_index=True)
    return table[["quantity", *asked.names, *NUMBERS]]


def change_table(asked: Asked) -> pd.DataFrame:
    """Return the change of every level (and arm): the level, the arm, the numbers."""
    return asked.fit.table(asked.changes())[[*asked.names, *NUMBERS]]


def arm_table(asked: Asked, adjust: Adjust) -> pd.DataFrame:
    """Return arm 1 minus each other arm in every level: ``quantity contrast``, the level, numbers, ``p_adjusted``."""
    tables = []
    for one, name in ((asked.main(), asked.main_name()), (asked.means(asked.at), MEAN)):
        differences = arm_differences(one, asked)
        adjusted = asked.fit.table(differences, adjust=adjust)["p_value"]
        tables.append(asked.fit.table(differences).assign(quantity=name, p_adjusted=adjusted))
    table = pd.concat(tables, ignore_index=True)
    return table[["quantity", "contrast", asked.by, *NUMBERS, "p_adjusted"]]


def arm_differences(of: Combinations, asked: Asked) -> Combinations:
    """Return arm 1 minus each other arm in every level."""
    labels, weights, family = [], [], []
    assert asked.arm is not None  # noqa: S101  the caller compares arms
    names, levels, arms = of.labels[asked.arm].astype(str), of.labels[asked.by], asked.arms
    for number, other in enumerate(arms[1:]):
        for level in dict.fromkeys(levels):
            first, second = (np.flatnonzero((names == name) & (levels == level))[0] for name in (arms[0], other))
            labels.append({"contrast": f"{arms[0]} - {other}", asked.by: level})
            weights.append(of.weights[first] - of.weights[second])
            family.append(number)
    return Combinations(pd.DataFrame(labels), np.array(weights), np.array(family))


def compared(asked: Asked) -> Combinations:
    """Return what levels are compared by: differences of arms where arms are compared, else slopes or changes."""
    return asked.main() if asked.arm is None else arm_differences(asked.main(), asked)


def between_table(asked: Asked, adjust: Adjust) -> pd.DataFrame:
    """Return all later levels minus all earlier ones: ``quantity contrast``, the arms compared, the numbers."""
    of = compared(asked)
    labels, weights, family = [], [], []
    for number in np.unique(of.family):
        rows = np.flatnonzero(of.family == number)
        for first, second in itertools.combinations(rows, 2):
            levels = of.labels[asked.by]
            arms = {"arms": of.labels["contrast"].iloc[first]} if "contrast" in of.labels else {}
            labels.append({"contrast": f"{levels.iloc[second]} - {levels.iloc[first]}", **arms})
            weights.append(of.weights[second] - of.weights[first])
            family.append(number)
    differences = Combinations(pd.DataFrame(labels), np.array(weights), np.array(family))
    table = asked.fit.table(differences).assign(quantity=asked.main_name())
    table["p_adjusted"] = asked.fit.table(differences, adjust=adjust)["p_value"]
    names = ["quantity", "contrast", *(["arms"] if "arms" in table else [])]
    return table[[*names, *NUMBERS, "p_adjusted"]]


def equality_table(asked: Asked) -> pd.DataFrame:
    """Return the test of equality over the levels, for each pair of arms."""
    of, rows = compared(asked), []
    what = "slopes" if asked.linear else "changes"
    for number in np.unique(of.family):
        weights = of.weights[of.family == number]
        if len(weights) < 2:
            raise DesignError(f"{asked.by} has one level only in the rows used: nothing can be compared")
        told = asked.fit.design.estimable.tells(weights)
        pair = of.labels.loc[of.family == number]
        name = f"{pair['contrast'].iloc[0]}: equal differences of {what}" if "contrast" in pair else f"equal {what}"
        if not told.all():
            name += f" in the {int(told.sum())} of {len(told)} levels that the rows tell"
        # A level that no row tells is compared with none.
        weights = weights[told]
        found = asked.fit.f_test(weights[1:] - weights[0]) if len(weights) > 1 else (0, np.nan, np.nan, np.nan)
        rows.append((name, *found))
    return pd.DataFrame(rows, columns=["hypothesis", "num_df", "den_df", "statistic", "p_value"])


def shrunken_table(asked: Asked, level: float) -> pd.DataFrame:
    """Return slopes or changes (or their differences) drawn towards their mean."""
    of = compared(asked)
    table = asked.fit.table(of)
    tables: list[pd.DataFrame] = []
    for number in np.unique(of.family):
        own = table[(of.family == number) & table["estimate"].notna()]
        if len(own) < 2:
            continue
        found: Shrunken = shrink(own["estimate"].to_numpy(), own["se"].to_numpy(), level=level)
        names = [name for name in ("contrast", asked.by) if name in own]
        tables.append(pd.concat([own[names].reset_index(drop=True), found.to_frame()], axis=1))
    if not tables:
        return pd.DataFrame(columns=[*(name for name in ("contrast", asked.by) if name in table), *_SHRUNKEN])
    return pd.concat(tables, ignore_index=True)


def standardised_table(asked: Asked, sd: float, sd_of: str) -> pd.DataFrame:
    """Return changes, and differences of changes between arms, in SDs: ``quantity``, of whom, the numbers, the SD."""
    tables = [asked.fit.table(asked.changes()).assign(quantity=CHANGE)]
    if asked.arm is not None:
        tables.append(asked.fit.table(arm_differences(asked.changes(), asked)).assign(quantity="difference of changes"))
    table = pd.concat(tables, ignore_index=True)
    for name in ("estimate", "se", "ci_low", "ci_high"):
        table[name] = table[name] / sd
    names = ["quantity", *(name for name in ("contrast", *asked.names) if name in table)]
    return table[[*names, *NUMBERS]].assign(sd=sd, sd_of=sd_of)


def path_table(asked: Asked, times: np.ndarray) -> pd.DataFrame:
    """Return the means of every level (and arm) at several times: the level, the arm, the time, the numbers."""
    design = asked.fit.design
    factor, by = (asked.by, None) if asked.arm is None else (asked.arm, asked.by)
    found = means(design, factor, by=by, at={asked.week: times.tolist()}, weights=_WEIGHTS)
    table = asked.fit.table(found)
    return table[[*asked.names, asked.week, "estimate", "se", "df", "ci_low", "ci_high"]]
