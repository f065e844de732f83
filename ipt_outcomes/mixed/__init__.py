"""Mixed models of change: formulas as in lme4, linear mixed models, means, contrasts and slopes, change by group."""

from ipt_outcomes.mixed.change import ChangeBy, change_by
from ipt_outcomes.mixed.fit import DfMethod, MixedFit
from ipt_outcomes.mixed.fitting import lmm

__all__ = ["ChangeBy", "DfMethod", "MixedFit", "change_by", "lmm"]
