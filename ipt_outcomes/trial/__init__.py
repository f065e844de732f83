"""One trial from patient data: flow, baseline, mixed model of change, g and response of IPT, change by area."""

from ipt_outcomes.trial.analysis import BOUNDARY, Options, TrialAnalysis, analyse
from ipt_outcomes.trial.ancova import Ancova, ancova
from ipt_outcomes.trial.areas import AreaChange, AreaPart
from ipt_outcomes.trial.comparison import Comparison
from ipt_outcomes.trial.effect_size import STANDARDISERS, ModelEffect, effect_size, pooled_sd
from ipt_outcomes.trial.flow import COUNTS, Flow, flow
from ipt_outcomes.trial.job import TrialJob
from ipt_outcomes.trial.model import FEWEST, ChangeModel
from ipt_outcomes.trial.response import MEASURES, RULES, Response, response
from ipt_outcomes.trial.table_one import TableOne, table_one
from ipt_outcomes.trial.trajectory import Trajectory
from ipt_outcomes.trial.visits import Visit

__all__ = [
    "BOUNDARY",
    "COUNTS",
    "FEWEST",
    "MEASURES",
    "RULES",
    "STANDARDISERS",
    "Ancova",
    "AreaChange",
    "AreaPart",
    "ChangeModel",
    "Comparison",
    "Flow",
    "ModelEffect",
    "Options",
    "Response",
    "TableOne",
    "Trajectory",
    "TrialAnalysis",
    "TrialJob",
    "Visit",
    "analyse",
    "ancova",
    "effect_size",
    "flow",
    "pooled_sd",
    "response",
    "table_one",
]
