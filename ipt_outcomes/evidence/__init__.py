"""The meta-analytic summary of IPT: effects of study tables, the battery of analyses, checks of given values."""

from ipt_outcomes.evidence.analyses import ANALYSES, BIAS, LOW_RISK, MULTILEVEL, REMOVAL, SENSITIVITY
from ipt_outcomes.evidence.battery import Battery
from ipt_outcomes.evidence.benefit import ControlRate
from ipt_outcomes.evidence.bias import BiasAnalyses
from ipt_outcomes.evidence.certainty import JUDGED, FindingsRow, read_judgements
from ipt_outcomes.evidence.compute import KINDS, MEASURES
from ipt_outcomes.evidence.effects import StudyEffects, study_effects
from ipt_outcomes.evidence.flow import STAGES, SearchFlow, read_flow
from ipt_outcomes.evidence.given import check_given
from ipt_outcomes.evidence.grid import ROW_RULES, Specifications
from ipt_outcomes.evidence.job import MetaJob
from ipt_outcomes.evidence.levels import column_in_words, in_order, level_key, low_risk_rows
from ipt_outcomes.evidence.numbers import favours, participants, row_groups
from ipt_outcomes.evidence.options import Options
from ipt_outcomes.evidence.profile import MODELS, ProfileResult
from ipt_outcomes.evidence.published import PublishedEstimate, published, published_estimates
from ipt_outcomes.evidence.regeneration import Regeneration, regenerate
from ipt_outcomes.evidence.removal import Removal
from ipt_outcomes.evidence.risk_of_bias import JUDGEMENTS, RiskOfBias
from ipt_outcomes.evidence.rows import RowChoice
from ipt_outcomes.evidence.subgroup import SUBGROUPS, SubgroupAnalysis
from ipt_outcomes.evidence.synthesis import EvidenceSynthesis, specification_grid, synthesise
from ipt_outcomes.evidence.versions import VersionComparison, compare_versions

__all__ = [
    "ANALYSES",
    "BIAS",
    "JUDGED",
    "JUDGEMENTS",
    "KINDS",
    "LOW_RISK",
    "MEASURES",
    "MODELS",
    "MULTILEVEL",
    "REMOVAL",
    "ROW_RULES",
    "SENSITIVITY",
    "STAGES",
    "SUBGROUPS",
    "Battery",
    "BiasAnalyses",
    "ControlRate",
    "EvidenceSynthesis",
    "FindingsRow",
    "MetaJob",
    "Options",
    "ProfileResult",
    "PublishedEstimate",
    "Regeneration",
    "Removal",
    "RiskOfBias",
    "RowChoice",
    "SearchFlow",
    "Specifications",
    "StudyEffects",
    "SubgroupAnalysis",
    "VersionComparison",
    "check_given",
    "column_in_words",
    "compare_versions",
    "favours",
    "in_order",
    "level_key",
    "low_risk_rows",
    "participants",
    "published",
    "published_estimates",
    "read_flow",
    "read_judgements",
    "regenerate",
    "row_groups",
    "specification_grid",
    "study_effects",
    "synthesise",
]
