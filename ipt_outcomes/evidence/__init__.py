"""The meta-analytic summary of IPT: effects of study tables, the battery of analyses, checks of given values."""

from ipt_outcomes.evidence.battery import SENSITIVITY, Battery
from ipt_outcomes.evidence.compute import KINDS, MEASURES
from ipt_outcomes.evidence.effects import StudyEffects, study_effects
from ipt_outcomes.evidence.given import check_given
from ipt_outcomes.evidence.job import MetaJob
from ipt_outcomes.evidence.levels import column_in_words, in_order, level_key, low_risk_rows
from ipt_outcomes.evidence.numbers import favours, participants, row_groups
from ipt_outcomes.evidence.synthesis import EvidenceSynthesis, Options, synthesise

__all__ = [
    "KINDS",
    "MEASURES",
    "SENSITIVITY",
    "Battery",
    "EvidenceSynthesis",
    "MetaJob",
    "Options",
    "StudyEffects",
    "check_given",
    "column_in_words",
    "favours",
    "in_order",
    "level_key",
    "low_risk_rows",
    "participants",
    "row_groups",
    "study_effects",
    "synthesise",
]
