"""The result of `change_by`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.mixed.adjust import Adjust
from ipt_outcomes.mixed.change_tables import MEAN, Asked, path_table
from ipt_outcomes.mixed.fit import MixedFit
from ipt_outcomes.mixed.grid import factor_values
from ipt_outcomes.mixed.words import df_in_words, method_in_words
from ipt_outcomes.results import ResultObject, format_number, p_in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PlotKind = Literal["trajectories", "change"]
_POINTS = 41


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
        ``quantity`` ("slope" per unit of time, or "change" where the course is no straight line; "mean" at `at`), the
        level, the arm where arms are compared, ``estimate se df ci_low ci_high statistic p_value``.
    changes : pandas.DataFrame
        The level, the arm where arms are compared, and the same numbers: change from `since` to `at`, in points.
    contrasts : pandas.DataFrame
        ``quantity contrast``, the level, and the same columns with ``p_adjusted``: arm 1 minus arm 2 in each level. No
        rows where it is no randomised comparison.
    between : pandas.DataFrame
        ``quantity contrast``, the same numbers and ``p_adjusted``: differences between levels, of slopes or changes or,
        where arms are compared (column ``arms``), of the arms' differences.
    test : pandas.DataFrame
        ``hypothesis num_df den_df statistic p_value``: equal slopes or changes (or differences of them between arms) in
        all levels.
    shrunken : pandas.DataFrame
        ``contrast``, the level, ``estimate se ci_low ci_high`` of slopes (or their differences) shrunken to their mean,
        with ``mean`` and ``tau``, the standard deviation between levels they were shrunken by. A tau of 0 gives
        every level the mean; it does not show that levels are equal.
    standardised : pandas.DataFrame
        ``quantity`` ("change", "difference of changes"), of whom, the numbers in SDs, ``sd`` and ``sd_of``, which
        names it. The SD is taken as known. The sign is that of the score.
    people : pandas.DataFrame
        ``arm``, people in the data and people without a level: they are not in the model.
    fit : MixedFit
    time : str
        The course.
    since, at : float
        Times between which change is taken; means are at the second.
    adjust : str
    """

    by: str
    randomised: bool
    label: str
    reason: str
    levels: pd.DataFrame
    changes: pd.DataFrame
    contrasts: pd.DataFrame
    between: pd.DataFrame
    test: pd.DataFrame
    shrunken: pd.DataFrame
    standardised: pd.DataFrame
    people: pd.DataFrame
    fit: MixedFit
    time: str
    since: float
    at: float
    adjust: Adjust
    _asked: Asked = field(repr=False, compare=False)

    def to_frame(self) -> pd.DataFrame:
        """Return the contrasts, or the levels where there are none."""
        return (self.contrasts if len(self.contrasts) else self.levels).copy()

    def trajectories(self, points: int = _POINTS) -> pd.DataFrame:
        """Return the means over time of every level, and arm where arms are compared.

        Parameters
        ----------
        points : int
            Times from the first to the last in the data; by visit, every visit.

        Returns
        -------
        pandas.DataFrame
            The level, the arm, the time, ``estimate se df ci_low ci_high``.
        """
        if isinstance(points, bool) or not isinstance(points, int) or points < 2:
            raise OptionError(f"points must be a whole number of at least 2; got {points!r}")
        held = factor_values(self.fit.design, self._asked.week)
        if self.time == "visit":
            return path_table(self._asked, np.unique(held))
        return path_table(self._asked, np.linspace(float(held.min()), float(held.max()), points))

    def sentence(self, level: str | None = None) -> str:
        """Return what was found in words that claim no more than it shows, with degrees of freedom and method.

        Parameters
        ----------
        level : str, optional
            A level: the sentence is on its change (or on the arms' difference in it) in place of the test of equality.

        Returns
        -------
        str
        """
        return self._equality() if level is None else self._of_level(level)

    def summary(self, digits: int = 2) -> str:
        """Return the result in plain text."""
        lines = [f"Change by {self.by}: {self.label}.", *([self.reason + "."] if self.reason else [])]
        for row in self.to_frame().to_dict("records"):
            names = [str(row[name]) for name in ("contrast", self.by) if name in row]
            numbers = ", ".join(f"{row[name]:.{digits}f}" for name in ("estimate", "ci_low", "ci_high"))
            lines.append(f"  {row['quantity']}, {', '.join(names)}: {numbers}")
        return "\n".join([*lines, self.sentence(), *(f"Note: {one}" for one in self.fit.warnings)])

    def plot(self, ax: Axes | None = None, *, kind: PlotKind = "trajectories") -> Axes:
        """Draw the trajectories of all levels, or their changes with intervals.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
        kind : {"trajectories", "change"}
            Means over time, a panel per level where arms are compared (their first Axes is returned); or slopes (or
            changes, or the arms' differences of them) with their intervals.

        Returns
        -------
        matplotlib.axes.Axes
        """
        from ipt_outcomes.figures.diagnostics import change_intervals, change_paths

        require_choice("kind", kind, ("trajectories", "change"))
        if kind == "change":
            shown = self.to_frame()
            return change_intervals(shown[shown["quantity"].ne(MEAN)], self.by, level=self.fit.level, ax=ax)
        asked = self._asked
        return change_paths(self.trajectories(), asked.by, asked.week, arm=asked.arm, level=self.fit.level, ax=ax)

    def _equality(self) -> str:
        test = self.test.iloc[0]
        label = f"{self.label[0].upper()}{self.label[1:]}"
        if not test["num_df"] > 0:
            return f"{label}: the rows do not tell whether levels of {self.by} differ."
        span = "" if self.time == "linear" else f" in change from {self._asked.week} {self.since:g} to {self.at:g}"
        what = f"differences between the arms{span}" if self.randomised else ("changes" if span else "slopes")
        alpha = 1 - self.fit.level
        verdict = f"differ between levels of {self.by}" if test["p_value"] < alpha else "are not shown to differ"
        other = "" if test["p_value"] < alpha else f" between levels of {self.by}; this does not show them equal"
        df = f"{int(test['num_df'])}, {df_in_words(test['den_df'])}"
        found = f"F({df}) = {format_number(test['statistic'])}, {p_in_words(test['p_value'])}"
        return f"{label}: {what} {verdict}{other} ({found}; {method_in_words(self.fit)})."

    def _of_level(self, level: str) -> str:
        table = self.to_frame()
        table = table[table["quantity"].ne(MEAN) & table[self.by].astype(str).eq(str(level))]
        if not len(table):
            known = ", ".join(dict.fromkeys(self.levels[self.by].astype(str)))
            raise OptionError(f"{self.by} has no level {level!r}; its levels: {known}")
        parts = []
        for row in table.to_dict("records"):
            unit = f"per {self._asked.week}" if self.time == "linear" else f"from {self.since:g} to {self.at:g}"
            what = f"{row['quantity']} {unit}" + (f", {row['contrast']}" if "contrast" in row else "")
            if not np.isfinite(row["estimate"]):
                parts.append(f"{what}: not told by the rows")
                continue
            limits = f"{100 * self.fit.level:g}% CI {format_number(row['ci_low'])} to {format_number(row['ci_high'])}"
            statistic = f"t({df_in_words(row['df'])}) = {format_number(row['statistic'])}"
            adjusted = f", {p_in_words(row['p_adjusted'])} ({self.adjust} adjusted)" if "p_adjusted" in row else ""
            numbers = f"{format_number(row['estimate'])} ({limits}), {statistic}, {p_in_words(row['p_value'])}"
            parts.append(f"{what}: {numbers}{adjusted}")
        return f"In {level}: {'; '.join(parts)} ({method_in_words(self.fit)})."
