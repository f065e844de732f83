"""Models for repeated measures: covariance structures over visits, honest standard errors."""

from ipt_outcomes.mixed.repeated.fit import RepeatedDf, RepeatedFit
from ipt_outcomes.mixed.repeated.fitting import mmrm
from ipt_outcomes.mixed.repeated.structures import Covariance

__all__ = ["Covariance", "RepeatedDf", "RepeatedFit", "mmrm"]
