"""Change by the levels of a column, and of two arms in each level: a randomised comparison only if it is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.mixed.adjust import Adjust
from ipt_outcomes.mixed.columns import is_numeric, require_columns
from ipt_outcomes.mixed.comparable import (
    arms_compared,
    check_levels,
    comparison_label,
    people_with_levels,
    why_not_compared,
)
from ipt_outcomes.mixed.fit import MixedFit
from ipt_outcomes.mixed.fitting import lmm
from ipt_outcomes.mixed.grid import Combinations, Weights, means, trends
from ipt_outcomes.mixed.linear_fit import DfMethod
from ipt_outcomes.mixed.shrinkage import Shrunken, shrink
from ipt_outcomes.results import ResultObject, format_number, p_in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SLOPE, _MEAN = "slope", "mean"
_WEIGHTS: Weights = "proportional"
_SHRUNKEN = ("estimate", "se", "ci_low", "ci_high", "mean", "tau")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeBy(ResultObject):
    """Change by the levels of a column.

    Parameters
    ----------
    by : str
        The column.
    randomised : bool
        Whether arms are compared within levels that were set before randomisation.
    label : str
        What kind of comparison it is, in words.
    reason : str
        Why it is no randomised comparison; empty where it is one.
    levels : pandas.DataFrame
        ``quantity`` ("slope" per unit of time, "mean" at `at`), the level, the arm where arms are compared,
        ``estimate se df ci_low ci_high statistic p_value``.
    contrasts : pandas.DataFrame
        ``quantity contrast``, the level, and the same columns with ``p_adjusted``: arm 1 minus arm 2 in each level. No
        rows where it is no randomised comparison.
    test : pandas.DataFrame
        ``hypothesis num_df den_df statistic p_value``: equal slopes (or equal differences of slopes) in all levels.
    shrunken : pandas.DataFrame
        ``contrast``, the level, ``estimate se ci_low ci_high`` of slopes (or their differences) shrunken to their mean,
        with ``mean`` and ``tau``, the standard deviation between levels they were shrunken by. A tau of 0 gives
        every level the mean; it does not show that levels are equal.
    people : pandas.DataFrame
        ``arm``, people in the data and people without a level: they are not in the model.
    fit : MixedFit
    at : float
        Time at which means are estimated.
    adjust : str
    """

    by: str
    randomised: bool
    label: str
    reason: str
    levels: pd.DataFrame
    contrasts: pd.DataFrame
    test: pd.DataFrame
    shrunken: pd.DataFrame
    people: pd.DataFrame
    fit: MixedFit
    at: float
    adjust: Adjust

    def to_frame(self) -> pd.DataFrame:
        """Return the contrasts, or the levels where there are none."""
        return (self.contrasts if len(self.contrasts) else self.levels).copy()

    def sentence(self) -> str:
        """Return the test of equality in words that claim no more than it shows."""
        test = self.test.iloc[0]
        if not test["num_df"] > 0:
            return f"{self.label[0].upper()}{self.label[1:]}: the rows do not tell whether levels of {self.by} differ."
        what = "differences between the arms" if self.randomised else "slopes"
        found = (
            f"F({int(test['num_df'])}, {format_number(test['den_df'], 'decimal1')}) = "
            f"{format_number(test['statistic'])}, {p_in_words(test['p_value'])}"
        )
        alpha = 1 - self.fit.level
        verdict = f"differ between levels of {self.by}" if test["p_value"] < alpha else "are not shown to differ"
        other = "" if test["p_value"] < alpha else f" between levels of {self.by}; this does not show them equal"
        return f"{self.label[0].upper()}{self.label[1:]}: {what} {verdict}{other} ({found})."

    def summary(self, digits: int = 2) -> str:
        """Return the result in plain text."""
        lines = [f"Change by {self.by}: {self.label}.", *([self.reason + "."] if self.reason else [])]
        for row in self.to_frame().to_dict("records"):
            names = [str(row[name]) for name in ("contrast", self.by) if name in row]
            numbers = ", ".join(f"{row[name]:.{digits}f}" for name in ("estimate", "ci_low", "ci_high"))
            lines.append(f"  {row['quantity']}, {', '.join(names)}: {numbers}")
        return "\n".join([*lines, self.sentence()])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the slopes, or their differences, with their intervals.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional

        Returns
        -------
        matplotlib.axes.Axes
        """
        import matplotlib.pyplot as plt

        shown = self.to_frame()
        shown = shown[shown["quantity"].eq(_SLOPE)].iloc[::-1]
        if ax is None:
            _, ax = plt.subplots(figsize=(6, 1 + 0.4 * len(shown)))
        places = np.arange(len(shown))
        ax.axvline(0, color="0.7", linewidth=1)
        ax.hlines(places, shown["ci_low"], shown["ci_high"], color="#0f766e")
        ax.plot(shown["estimate"], places, "s", color="#0f766e")
        first = shown["contrast"] + ", " if "contrast" in shown else ""
        ax.set_yticks(places, [str(name).replace("$", r"\$") for name in first + shown[self.by].astype(str)])
        ax.set_xlabel("Slope" if "contrast" not in shown else "Difference of slopes (arm 1 minus arm 2)")
        return ax


def change_by(
    data: pd.DataFrame,
    *,
    outcome: str,
    by: str,
    week: str,
    subject: str,
    baseline: str | None = None,
    covariates: Sequence[str] = (),
    arm: str | None = None,
    arm1: str | None = None,
    arm2: str | None = None,
    at: float | None = None,
    adjust: Adjust = "holm",
    df: DfMethod = "satterthwaite",
    level: float = 0.95,
    set_day: str | None = None,
    set_before: bool = False,
) -> ChangeBy:
    """Estimate change by the levels of a column, and compare two arms in each level where that is a fair comparison.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per person and visit.
    outcome, by, week, subject, baseline, arm : str
        Columns: the score, the levels, the time, the person, the score before (a covariate), the arm.
    covariates : sequence of str
        Further columns of the fixed part, such as the strata of a randomisation; levels of them weigh in a mean by
        how many rows have them.
    arm1, arm2 : str, optional
        Arms compared, arm 1 minus arm 2. Default: the last level of `arm` against every other.
    at : float, optional
        Time at which means are estimated; default: the last one.
    adjust : {"holm", "none"}
        Adjustment over the levels.
    df : {"satterthwaite", "residual", "normal"}
    level : float
    set_day : str, optional
        Column with the day on which a person's level was set, randomisation being day 0.
    set_before : bool
        Declares that every arm's levels were set before or at randomisation; refused where `set_day` says otherwise.

    Returns
    -------
    ChangeBy
        Arms are compared only if levels were set before or at randomisation, for all but a tenth of each arm at most.
        Otherwise change is described
        within arm 1 and labelled: whoever stays long enough to be given a level differs from who does not.

    Raises
    ------
    OptionError
        A column or an arm that is not there.
    DesignError
        A level (or an arm in a level) without enough rows.

    Notes
    -----
    The model is ``outcome ~ week * arm * by + baseline + (week | subject)``, by restricted maximum likelihood. The
    test asks for equality of all slopes, or of all differences of slopes (Fai and Cornelius 1996).
    """
    names = [name for name in (outcome, by, week, subject, baseline, *covariates, arm, set_day) if name is not None]
    require_columns(data, names)
    if is_numeric(data[by]):
        raise OptionError(f"{by} holds numbers: change is described by levels", column=by, hint="Group them, as text.")
    arms = () if arm is None else arms_compared(data, arm, arm1, arm2)
    check_levels(data, by, subject, set_day if set_before else None)
    people = people_with_levels(data, by=by, subject=subject, arm=arm)
    reason = "" if arm is None else why_not_compared(data, by, arm, set_day, people, set_before=set_before)
    randomised = arm is not None and not reason
    used = data[data[by].notna()]
    if arm is not None and not randomised:
        used = used[used[arm].astype(str).eq(arms[0])]
    if not len(used):
        where = f" of {arms[0]}" if arms else ""
        raise DesignError(f"nobody{where} has a value of {by}: there is no change to describe by it")
    used = _with_levels_used(used, [by] if not randomised or arm is None else [by, arm])
    last = float(used.loc[used[outcome].notna(), week].max()) if at is None else float(at)
    between = "*".join(_quoted(name) for name in ([week, arm, by] if randomised and arm else [week, by]))
    added = "".join(f" + {_quoted(name)}" for name in ([] if baseline is None else [baseline]) + list(covariates))
    formula = f"{_quoted(outcome)} ~ {between}{added} + ({_quoted(week)} | {_quoted(subject)})"
    fit = lmm(formula, used, df=df, level=level)
    levels, slopes = _levels(fit, by=by, week=week, arm=arm if randomised else None, at=last)
    pairs = _pairs(fit, slopes, by=by, week=week, arm=arm, arms=arms, at=last, adjust=adjust) if randomised else None
    compared = slopes if pairs is None else pairs[1]
    return ChangeBy(
        by=by,
        randomised=randomised,
        label=comparison_label(arm, arms, randomised=randomised),
        reason=reason,
        levels=levels,
        contrasts=levels.iloc[:0] if pairs is None else pairs[0],
        test=_test(fit, compared, by),
        shrunken=_shrunken(fit, compared, by, level),
        people=people,
        fit=fit,
        at=last,
        adjust=adjust,
    )


def _with_levels_used(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    frame = frame.copy()
    for name in names:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = frame[name].cat.remove_unused_categories()
    return frame


def _quoted(name: str) -> str:
    if "`" in name:
        raise OptionError("a column whose name holds a backtick cannot stand in a formula", hint="Rename the column.")
    return f"`{name}`"


def _levels(fit: MixedFit, *, by: str, week: str, arm: str | None, at: float) -> tuple[pd.DataFrame, Combinations]:
    design = fit.design
    if arm is None:
        slopes, at_end = trends(design, week, by=by), means(design, by, at={week: at}, weights=_WEIGHTS)
    else:
        points: dict[str, Any] = {by: list(_factor_levels(fit, by))}
        slopes = trends(design, week, by=arm, at=points)
        at_end = means(design, arm, by=by, at={week: at}, weights=_WEIGHTS)
    tables = [fit.table(one).assign(quantity=name) for one, name in ((slopes, _SLOPE), (at_end, _MEAN))]
    table = pd.concat(tables, ignore_index=True)
    first = ["quantity", by, *([arm] if arm is not None else [])]
    numbers = ["estimate", "se", "df", "ci_low", "ci_high", "statistic", "p_value"]
    return table[[*first, *numbers]], slopes


def _factor_levels(fit: MixedFit, name: str) -> tuple[Any, ...]:
    return next(variable.levels for variable in fit.design.variables.values() if variable.column == name)


def _pairs(
    fit: MixedFit, slopes: Combinations, *, by: str, week: str, arm: str | None, arms: tuple[str, ...], at: float,
    adjust: Adjust,
) -> tuple[pd.DataFrame, Combinations]:  # fmt: skip
    """Arm 1 minus each other arm in every level: of slopes, and of means; and the combinations of slopes."""
    assert arm is not None  # noqa: S101  the caller compares arms
    at_end = means(fit.design, arm, by=by, at={week: at}, weights=_WEIGHTS)
    tables, of_slopes = [], None
    for one, name in ((slopes, _SLOPE), (at_end, _MEAN)):
        differences = _arm_differences(one, by, arm, arms)
        of_slopes = of_slopes or differences
        plain = fit.table(differences)
        adjusted = fit.table(differences, adjust=adjust)["p_value"]
        tables.append(plain.assign(quantity=name, p_adjusted=adjusted))
    table = pd.concat(tables, ignore_index=True)
    assert of_slopes is not None  # noqa: S101
    numbers = ["estimate", "se", "df", "ci_low", "ci_high", "statistic", "p_value", "p_adjusted"]
    return table[["quantity", "contrast", by, *numbers]], of_slopes


def _arm_differences(of: Combinations, by: str, arm: str, arms: tuple[str, ...]) -> Combinations:
    labels, weights, family = [], [], []
    names, levels = of.labels[arm].astype(str), of.labels[by]
    for number, other in enumerate(arms[1:]):
        for level in dict.fromkeys(levels):
            first, second = (np.flatnonzero((names == name) & (levels == level))[0] for name in (arms[0], other))
            labels.append({"contrast": f"{arms[0]} - {other}", by: level})
            weights.append(of.weights[first] - of.weights[second])
            family.append(number)
    return Combinations(pd.DataFrame(labels), np.array(weights), np.array(family))


def _test(fit: MixedFit, compared: Combinations, by: str) -> pd.DataFrame:
    """Equality over the levels, for each pair of arms."""
    rows = []
    for number in np.unique(compared.family):
        weights = compared.weights[compared.family == number]
        if len(weights) < 2:
            raise DesignError(f"{by} has one level only in the rows used: nothing can be compared")
        told = fit.design.estimable.tells(weights)
        pair = compared.labels.loc[compared.family == number]
        what = f"{pair['contrast'].iloc[0]}: equal differences of slopes" if "contrast" in pair else "equal slopes"
        if not told.all():
            what += f" in the {int(told.sum())} of {len(told)} levels that the rows tell"
        # A level that no row tells is compared with none.
        weights = weights[told]
        found = fit.f_test(weights[1:] - weights[0]) if len(weights) > 1 else (0, np.nan, np.nan, np.nan)
        rows.append((what, *found))
    return pd.DataFrame(rows, columns=["hypothesis", "num_df", "den_df", "statistic", "p_value"])


def _shrunken(fit: MixedFit, compared: Combinations, by: str, level: float) -> pd.DataFrame:
    table = fit.table(compared)
    tables: list[pd.DataFrame] = []
    for number in np.unique(compared.family):
        own = table[(compared.family == number) & table["estimate"].notna()]
        if len(own) < 2:
            continue
        found: Shrunken = shrink(own["estimate"].to_numpy(), own["se"].to_numpy(), level=level)
        names = [name for name in ("contrast", by) if name in own]
        tables.append(pd.concat([own[names].reset_index(drop=True), found.to_frame()], axis=1))
    if not tables:
        return pd.DataFrame(columns=[*(name for name in ("contrast", by) if name in table), *_SHRUNKEN])
    return pd.concat(tables, ignore_index=True)
