"""Mixed models of change: formulas as in lme4, linear mixed models, means, contrasts and slopes, change by group."""

from ipt_outcomes.mixed.change import ChangeBy, change_by
from ipt_outcomes.mixed.fit import MixedFit
from ipt_outcomes.mixed.fitting import lmm
from ipt_outcomes.mixed.linear_fit import DfMethod, LinearMixedFit
from ipt_outcomes.mixed.repeated import RepeatedFit, mmrm

__all__ = ["ChangeBy", "DfMethod", "LinearMixedFit", "MixedFit", "RepeatedFit", "change_by", "lmm", "mmrm"]
