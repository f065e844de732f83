"""Pooled effects in each level of a column: by comparator, disorder, format, population, country, risk of bias."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from ipt_outcomes import meta
from ipt_outcomes.effects import EffectSizes
from ipt_outcomes.errors import IptError
from ipt_outcomes.evidence.effects import own_column
from ipt_outcomes.evidence.levels import column_in_words, in_order, level_texts, low_risk_rows
from ipt_outcomes.evidence.options import Options
from ipt_outcomes.evidence.pooling import as_effects, combine
from ipt_outcomes.meta import Subgroups
from ipt_outcomes.results import ResultObject

RISK_OF_BIAS = "risk_of_bias"
# What readers ask for, and the columns that may tell it; risk of bias is made here.
SUBGROUPS: Mapping[str, tuple[str, ...]] = {
    "comparator": ("condition_arm2",),
    "disorder": ("disorder", "diagnosis"),
    "format": ("format",),
    "population": ("population", "target_group", "age_group"),
    "country": ("country",),
    "risk of bias": (RISK_OF_BIAS,),
}
# More levels than this are no grouping but a list.
_MOST_LEVELS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgroupAnalysis(ResultObject):
    """Effects combined per study, pooled in each level of a column.

    Parameters
    ----------
    by : str
        The column.
    groups : Subgroups
        With the test and the standard errors asked for, each level with its own tau2.
    normal : Subgroups
        The same with normal standard errors, for the test between levels.
    common_tau2 : Subgroups or None
        With one tau2 for all levels; None where that model cannot be fitted.
    studies : pandas.DataFrame
        ``study yi vi n_effects level``.
    notes : tuple of str
    """

    by: str
    groups: Subgroups
    normal: Subgroups
    common_tau2: Subgroups | None
    studies: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def levels(self) -> tuple[str, ...]:
        """Levels in order."""
        return tuple(str(level) for level in self.groups.pooled)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per level: ``variable level`` and the pooled columns."""
        return self.groups.groups.assign(variable=self.by)[["variable", *self.groups.groups.columns]]

    def summary(self, digits: int = 2) -> str:
        """Return the column, then a line per level and the test of the difference."""
        return f"By {column_in_words(self.by)}: {self.groups.summary(digits)}"


def values_of(rows: pd.DataFrame, by: str, low_risk_above: float) -> pd.Series | None:
    """Return the levels of the rows as text, None where missing; None where the table cannot tell any.

    Parameters
    ----------
    rows : pandas.DataFrame
    by : str
        A column, or "risk_of_bias": low or not, by the rule of `low_risk_rows`.
    low_risk_above : float

    Returns
    -------
    pandas.Series or None
    """
    own = own_column(by)
    column = own if own in rows else by if by in rows else None
    if column is not None:
        return level_texts(rows[column])
    if by != RISK_OF_BIAS:
        return None
    low = low_risk_rows(rows, low_risk_above)
    if low is None:
        return None
    told = rows[[name for name in ("rob", "rob_rating", "rob2_overall") if name in rows]].notna().any(axis=1)
    return low.map({True: "low", False: "not low"}).astype(object).where(told, None)


def by_level(
    rows: pd.DataFrame, by: str, effects: EffectSizes, options: Options
) -> tuple[SubgroupAnalysis | None, tuple[str, ...]]:
    """Pool the effects, combined per study, in each level of a column.

    Parameters
    ----------
    rows : pandas.DataFrame
        As `StudyEffects.rows`.
    by : str
    effects : EffectSizes
    options : Options

    Returns
    -------
    tuple of SubgroupAnalysis or None, tuple of str
        None where no row has a value; what a reader must know either way.
    """
    levels_of_rows = values_of(rows, by, options.low_risk_above)
    if levels_of_rows is None or levels_of_rows.notna().sum() == 0:
        return None, (f"No row has a value in {by}: nothing to compare.",)
    known = rows.loc[levels_of_rows.notna(), ["study", "yi", "vi"]]
    levels = in_order(levels_of_rows.dropna())
    parts = []
    for level in levels:
        parts.append(combine(known[levels_of_rows[known.index] == level], options.rho).assign(level=level))
    table = pd.concat(parts, ignore_index=True)
    sizes, places = as_effects(table, effects), pd.Categorical(table["level"], categories=levels)
    groups = meta.subgroups(sizes, by=places, tau2=options.tau2, test=options.test, level=options.level)
    normal = meta.subgroups(sizes, by=places, tau2=options.tau2, test="z", level=options.level)
    notes = _notes(by, table, all_known=len(known) == len(rows))
    found = SubgroupAnalysis(
        by=by,
        groups=groups,
        normal=normal,
        common_tau2=_with_common_tau2(sizes, places, options),
        studies=table,
        notes=notes,
    )
    return found, notes


def _with_common_tau2(sizes: EffectSizes, places: pd.Categorical[str], options: Options) -> Subgroups | None:
    if len(places.categories) < 2:
        return None
    try:
        return meta.subgroups(
            sizes, by=places, tau2=options.tau2, test=options.test, level=options.level, common_tau2=True
        )
    except IptError:
        return None


def _notes(by: str, table: pd.DataFrame, *, all_known: bool) -> tuple[str, ...]:
    words = column_in_words(by)
    notes: tuple[str, ...] = ()
    if table["level"].nunique() == 1:
        notes += (f"All rows have the same {words} ({table['level'].iloc[0]}): there is nothing to compare it with.",)
    if table["study"].duplicated().any():
        notes += (
            f"Studies with rows for more than one {words} count for each of them; the test between levels treats them "
            "as independent.",
        )
    if not all_known:
        notes += (f"Rows without a {words} are left out of the results by {words}.",)
    return notes


def all_subgroups(
    rows: pd.DataFrame, effects: EffectSizes, options: Options, not_run: dict[str, str]
) -> dict[str, SubgroupAnalysis]:
    """Pool by every column asked for that has at least two levels, other than the one compared by.

    Parameters
    ----------
    rows : pandas.DataFrame
    effects : EffectSizes
    options : Options
        ``subgroups`` names the columns; None: those of `SUBGROUPS` that tell levels apart in the table.
    not_run : dict of str to str
        Takes the reasons.

    Returns
    -------
    dict of str to SubgroupAnalysis
    """
    found: dict[str, SubgroupAnalysis] = {}
    wanted = SUBGROUPS if options.subgroups is None else {column_in_words(name): (name,) for name in options.subgroups}
    for words, columns in wanted.items():
        reasons = []
        for column in (name for name in columns if name != options.by):
            values = values_of(rows, column, options.low_risk_above)
            reason = _no_grouping(values)
            analysis = None if reason or values is None else by_level(rows, column, effects, options)[0]
            if analysis is None:
                reasons.append(reason or _NOT_TOLD)
            else:
                found[column] = analysis
        if reasons and not set(columns) & set(found):
            # The most telling of several reasons: a column that is there, before one that is not.
            not_run[f"subgroups by {words}"] = min(reasons, key=lambda reason: reason == _NOT_TOLD)
    return found


_NOT_TOLD = "the table does not tell it"


def _no_grouping(values: pd.Series | None) -> str:
    """Why a column makes no groups; empty text where it does."""
    levels = [] if values is None else list(values.dropna().unique())
    if not levels:
        return _NOT_TOLD
    if len(levels) == 1:
        return f"all rows have the same ({levels[0]})"
    if len(levels) > _MOST_LEVELS:
        return f"{len(levels)} levels are too many to compare"
    return ""
