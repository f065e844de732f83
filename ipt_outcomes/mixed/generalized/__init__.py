"""Generalized linear mixed models: response and remission, counts; Laplace and adaptive quadrature."""

from ipt_outcomes.mixed.generalized.fit import GeneralizedMixedFit
from ipt_outcomes.mixed.generalized.fitting import glmm

__all__ = ["GeneralizedMixedFit", "glmm"]
