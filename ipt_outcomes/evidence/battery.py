"""The analyses of one comparison: every model a meta-analyst is asked for, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from ipt_outcomes.effects import EffectSizes, NumbersNeeded
from ipt_outcomes.evidence.analyses import ANALYSES
from ipt_outcomes.evidence.benefit import ControlRate
from ipt_outcomes.evidence.bias import BiasAnalyses
from ipt_outcomes.evidence.certainty import FindingsRow
from ipt_outcomes.evidence.effects import StudyEffects
from ipt_outcomes.evidence.grid import Specifications
from ipt_outcomes.evidence.levels import level_key
from ipt_outcomes.evidence.options import Options
from ipt_outcomes.evidence.pooling import as_effects
from ipt_outcomes.evidence.profile import ProfileResult
from ipt_outcomes.evidence.removal import Removal
from ipt_outcomes.evidence.risk_of_bias import RiskOfBias
from ipt_outcomes.evidence.rows import RowChoice
from ipt_outcomes.evidence.subgroup import SubgroupAnalysis
from ipt_outcomes.meta import EggerTest, MultilevelEffect, PooledEffect, Subgroups
from ipt_outcomes.results import ResultObject

_NO_LEVELS = ("level", "study", "yi", "vi", "n_effects")


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery(ResultObject):
    """All analyses of one comparison and one measure.

    Parameters
    ----------
    name : str
        The comparison, as reports title it.
    groups : mapping of str to str
        What sets its result rows apart from those of the other batteries: ``comparison``, ``measure``.
    options : Options
        The choices used.
    study_effects : StudyEffects
        One effect per row used, and the rows that gave none.
    rows_chosen : RowChoice
        Which rows with an effect were used, and why the others were not.
    all_rows : PooledEffect
        Every row as if independent: naive where studies give several rows.
    studies : pandas.DataFrame
        ``study yi vi n_effects``: effects combined in each study, with `rho_used`.
    combined : PooledEffect
        The main analysis: one combined effect per study.
    by : str or None
        Column of `comparators`.
    by_level : SubgroupAnalysis or None
        Combined effects pooled in each level of `by`.
    subgroups : mapping of str to SubgroupAnalysis
        The same for other columns.
    multilevel : mapping of str to MultilevelEffect
        ``"three_level"``, ``"che"`` (with `rho_used`), where studies give several effects.
    low_risk : mapping of str to PooledEffect
        ``"low_risk_rows"``, ``"low_risk"`` (combined per study) where the table tells the risk of bias.
    sensitivity : mapping of str to PooledEffect
        The main analysis under other estimators and choices; keys are `SENSITIVITY` keys.
    removal : mapping of str to Removal
        ``"outliers_removed"``, ``"outliers_removed_rows"``, ``"influence_removed"``.
    bias : BiasAnalyses
        Adjusted for small-study effects.
    rho_used : float
        Correlation assumed between effects of one study.
    rho : mapping of tuple of (float, str) to PooledEffect
        Per assumed correlation and level (empty text: all studies).
    leave_one_out : pandas.DataFrame
        Pooled columns without each study, ``left_out`` names it; empty below three studies.
    cumulative : pandas.DataFrame
        Pooled columns of the studies up to each year, ``added year``; empty where years are not told.
    influence, baujat : pandas.DataFrame
        ``study`` and the columns of `ipt_outcomes.meta.influence`; ``study x y``. Empty below three studies.
    egger : EggerTest or None
        On the combined effects; None below three studies.
    egger_rows : EggerTest or None
        The same on all rows, naive, where studies give several.
    control_rate : ControlRate or None
        Pooled rates of the good outcome, where rows have events.
    nnt : mapping of str to NumbersNeeded
        Of the main analysis: ``"pooled"``, the assumed control rate as text, ``"kraemer-kupfer"``.
    risk_of_bias : RiskOfBias or None
        Per study and domain.
    specifications : Specifications or None
        A grid of other choices; None where it was not asked for, or is not possible.
    profile : ProfileResult or None
        The choices of another package, where asked for.
    findings : FindingsRow or None
        The row of a summary of findings.
    not_run : mapping of str to str
        Analyses that were not possible, and why.
    notes : tuple of str
        What a reader must know before using the numbers.
    """

    name: str
    groups: Mapping[str, str]
    options: Options
    study_effects: StudyEffects
    rows_chosen: RowChoice
    all_rows: PooledEffect
    studies: pd.DataFrame
    combined: PooledEffect
    by: str | None
    by_level: SubgroupAnalysis | None
    subgroups: Mapping[str, SubgroupAnalysis]
    multilevel: Mapping[str, MultilevelEffect]
    low_risk: Mapping[str, PooledEffect]
    sensitivity: Mapping[str, PooledEffect]
    removal: Mapping[str, Removal]
    bias: BiasAnalyses
    rho_used: float
    rho: Mapping[tuple[float, str], PooledEffect]
    leave_one_out: pd.DataFrame
    cumulative: pd.DataFrame
    influence: pd.DataFrame
    baujat: pd.DataFrame
    egger: EggerTest | None
    egger_rows: EggerTest | None
    control_rate: ControlRate | None
    nnt: Mapping[str, NumbersNeeded]
    risk_of_bias: RiskOfBias | None
    specifications: Specifications | None
    profile: ProfileResult | None
    findings: FindingsRow | None = None
    not_run: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def effects(self) -> EffectSizes:
        """The combined effects, one per study."""
        return as_effects(self.studies, self.study_effects.effects)

    @property
    def by_key(self) -> str:
        """Name of the column compared by in the groups of result rows."""
        return level_key(self.by or "")

    @property
    def comparators(self) -> Subgroups | None:
        """Combined effects pooled in each level of `by`."""
        return None if self.by_level is None else self.by_level.groups

    @property
    def comparators_normal(self) -> Subgroups | None:
        """The same with normal standard errors, for the test between levels."""
        return None if self.by_level is None else self.by_level.normal

    @property
    def comparator_studies(self) -> pd.DataFrame:
        """``level study yi vi n_effects``."""
        return pd.DataFrame(columns=list(_NO_LEVELS)) if self.by_level is None else self.by_level.studies

    @property
    def comparator_levels(self) -> tuple[str, ...]:
        """Levels of the column compared by, in order."""
        return () if self.by_level is None else self.by_level.levels

    @property
    def has_dependence(self) -> bool:
        """Whether a study gives more than one effect."""
        return len(self.studies) < len(self.study_effects.rows)

    def comparator_effects(self) -> EffectSizes:
        """Return the effects combined per study and level, in the order of `comparator_studies`."""
        return as_effects(self.comparator_studies, self.study_effects.effects)

    def pooled(self) -> dict[str, PooledEffect]:
        """Return every pooled effect that is of the kind of the main analysis, by analysis.

        Returns
        -------
        dict of str to PooledEffect
            Keys of `ANALYSES`, in its order.
        """
        found = {"combined": self.combined, "all_rows": self.all_rows, **self.low_risk, **self.sensitivity}
        found |= {name: removal.pooled for name, removal in self.removal.items()}
        return {name: found[name] for name in ANALYSES if name in found}

    def to_frame(self) -> pd.DataFrame:
        """Return the one table: a row per analysis, ``analysis label variable level`` and the pooled columns.

        Levels of a column have the analysis "by_comparator" (the column compared by) or "subgroup". Numbers that
        an analysis does not have are missing.
        """
        lines = [(name, "", "", pooled.row()) for name, pooled in self.pooled().items()]
        for name, model in self.multilevel.items():
            lines.append(
                (name, "", "", _numbers(model) | {"tau2": model.tau2_study + model.tau2_effect, "i2": total_i2(model)})
            )
        lines += [(name, "", "", _numbers(one)) for name, (_, one) in self.bias.adjusted().items()]
        places = {name: place for place, name in enumerate(ANALYSES)}
        lines.sort(key=lambda line: places[line[0]])
        for analysis, groups in self._grouped():
            lines += [(analysis, groups.by, level, pooled.row()) for level, pooled in groups.groups.pooled.items()]
        records = [
            {"analysis": name, "label": ANALYSES.get(name, level), "variable": variable, "level": level, **numbers}
            for name, variable, level, numbers in lines
        ]
        # Numbers that are missing in every row of an analysis stay missing, whatever the type of the others.
        return pd.DataFrame(records)

    def _grouped(self) -> list[tuple[str, SubgroupAnalysis]]:
        compared = [] if self.by_level is None else [("by_comparator", self.by_level)]
        return [*compared, *(("subgroup", groups) for groups in self.subgroups.values())]

    def summary(self, digits: int = 2) -> str:
        """Return the name and the main result."""
        return f"{self.name}: {self.combined.summary(digits)}"


def total_i2(model: MultilevelEffect) -> float | None:
    """Return the I2 of both levels together, in percent.

    Parameters
    ----------
    model : MultilevelEffect

    Returns
    -------
    float or None
        None where it is not defined.
    """
    if model.i2_study is None or model.i2_effect is None:
        return None
    return model.i2_study + model.i2_effect


_SHARED = (
    "k", "estimate", "se", "ci_low", "ci_high", "df", "statistic", "p_value", "tau2", "i2", "q", "q_df", "q_p_value",
    "prediction_low", "prediction_high", "n_dropped",
)  # fmt: skip


def _numbers(result: object) -> dict[str, object]:
    return {name: getattr(result, name) for name in _SHARED if hasattr(result, name)}
