"""Meta-analysis: pooling, heterogeneity, dependent effects, moderators, sensitivity, small-study effects, networks."""

from ipt_outcomes.meta.asymmetry import egger_events
from ipt_outcomes.meta.bias import EggerTest, egger
from ipt_outcomes.meta.counts import PooledTables, mantel_haenszel, peto
from ipt_outcomes.meta.dependent import aggregate, che_covariance, shared_control_covariance
from ipt_outcomes.meta.distribution import PCurve, ProportionBeyond, p_curve, proportion_beyond
from ipt_outcomes.meta.event_model import EventModel, event_model
from ipt_outcomes.meta.file_drawer import ExcessSignificance, FailSafeN, excess_significance, fail_safe_n
from ipt_outcomes.meta.heterogeneity import HeterogeneityInterval
from ipt_outcomes.meta.influence import baujat, influence
from ipt_outcomes.meta.moderators import Subgroups, subgroups
from ipt_outcomes.meta.multilevel import MultilevelEffect, multilevel
from ipt_outcomes.meta.multivariate import MultivariateEffect, multivariate
from ipt_outcomes.meta.network import NetworkEffect, network
from ipt_outcomes.meta.pet_peese import PetPeese, pet_peese
from ipt_outcomes.meta.pool import pool
from ipt_outcomes.meta.pooled import PooledEffect
from ipt_outcomes.meta.prediction import PredictionInterval
from ipt_outcomes.meta.rank_test import BeggTest, begg
from ipt_outcomes.meta.regression import MetaRegression, regression
from ipt_outcomes.meta.resampling import PermutationTest, gosh, permutation_test
from ipt_outcomes.meta.selection import SelectionModel, selection_model
from ipt_outcomes.meta.sensitivity import cumulative, leave_one_out
from ipt_outcomes.meta.small_study import LimitEffect, WaapEffect, limit_meta_analysis, waap_wls
from ipt_outcomes.meta.trim_and_fill import TrimAndFill, trim_and_fill

__all__ = [
    "BeggTest",
    "EggerTest",
    "EventModel",
    "ExcessSignificance",
    "FailSafeN",
    "HeterogeneityInterval",
    "LimitEffect",
    "MetaRegression",
    "MultilevelEffect",
    "MultivariateEffect",
    "NetworkEffect",
    "PCurve",
    "PermutationTest",
    "PetPeese",
    "PooledEffect",
    "PooledTables",
    "PredictionInterval",
    "ProportionBeyond",
    "SelectionModel",
    "Subgroups",
    "TrimAndFill",
    "WaapEffect",
    "aggregate",
    "baujat",
    "begg",
    "che_covariance",
    "cumulative",
    "egger",
    "egger_events",
    "event_model",
    "excess_significance",
    "fail_safe_n",
    "gosh",
    "influence",
    "leave_one_out",
    "limit_meta_analysis",
    "mantel_haenszel",
    "multilevel",
    "multivariate",
    "network",
    "p_curve",
    "permutation_test",
    "pet_peese",
    "peto",
    "pool",
    "proportion_beyond",
    "regression",
    "selection_model",
    "shared_control_covariance",
    "subgroups",
    "trim_and_fill",
    "waap_wls",
]
