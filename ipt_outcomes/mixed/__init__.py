"""Mixed models of change: formulas as in lme4, linear and generalized models, repeated measures, change by group."""

from ipt_outcomes.mixed.change import change_by
from ipt_outcomes.mixed.change_result import ChangeBy
from ipt_outcomes.mixed.fit import MixedFit
from ipt_outcomes.mixed.fitting import lmm
from ipt_outcomes.mixed.generalized import GeneralizedMixedFit, glmm
from ipt_outcomes.mixed.linear_fit import DfMethod, LinearMixedFit
from ipt_outcomes.mixed.repeated import RepeatedFit, mmrm

__all__ = [
    "ChangeBy",
    "DfMethod",
    "GeneralizedMixedFit",
    "LinearMixedFit",
    "MixedFit",
    "RepeatedFit",
    "change_by",
    "glmm",
    "lmm",
    "mmrm",
]
