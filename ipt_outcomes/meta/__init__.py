"""Meta-analysis: pooling, heterogeneity, dependent effects, subgroups, sensitivity, small-study effects."""

from ipt_outcomes.meta.bias import EggerTest, egger
from ipt_outcomes.meta.dependent import aggregate, che_covariance
from ipt_outcomes.meta.heterogeneity import HeterogeneityInterval
from ipt_outcomes.meta.moderators import Subgroups, subgroups
from ipt_outcomes.meta.pool import pool
from ipt_outcomes.meta.pooled import PooledEffect
from ipt_outcomes.meta.sensitivity import leave_one_out

__all__ = [
    "EggerTest",
    "HeterogeneityInterval",
    "PooledEffect",
    "Subgroups",
    "aggregate",
    "che_covariance",
    "egger",
    "leave_one_out",
    "pool",
    "subgroups",
]
