"""Effect sizes of arm 1 against arm 2 and their variances, one per study, every formula named."""

from ipt_outcomes.effects.association import arcsine_difference, phi_coefficient, probit_difference, yules_q
from ipt_outcomes.effects.binary import odds_ratio, peto, risk_difference, risk_ratio
from ipt_outcomes.effects.combine import DesignEffect, adjust_for_clusters, combine_groups, design_effect, split_control
from ipt_outcomes.effects.convert import (
    Converted,
    log_odds_to_smd,
    sd_from_se,
    smd_from_events,
    smd_to_log_odds,
)
from ipt_outcomes.effects.correction import small_sample_correction
from ipt_outcomes.effects.effect_sizes import MEASURE_NAMES, EffectSizes, Measure
from ipt_outcomes.effects.from_interval import from_interval
from ipt_outcomes.effects.from_tests import (
    smd_from_chi_square,
    smd_from_ci,
    smd_from_d,
    smd_from_f,
    smd_from_p,
    smd_from_r,
    smd_from_t,
)
from ipt_outcomes.effects.imputed import ImputedResponse, response_from_cutoff, response_from_reliable_change
from ipt_outcomes.effects.means import mean_difference, ratio_of_means
from ipt_outcomes.effects.nnt import NumbersNeeded, nnt, nnt_from_smd
from ipt_outcomes.effects.paired import mean_change, ratio_of_means_change, smd_paired, smd_pre_post_control
from ipt_outcomes.effects.proportions import Limits, newcombe, wilson
from ipt_outcomes.effects.quantiles import MeanSd, mean_sd_from_quantiles
from ipt_outcomes.effects.rates import incidence_rate_difference, incidence_rate_ratio
from ipt_outcomes.effects.risk_interval import risk_difference_interval
from ipt_outcomes.effects.smd import smd, smd_change
from ipt_outcomes.effects.variability import cv_ratio, variability_ratio

__all__ = [
    "MEASURE_NAMES",
    "Converted",
    "DesignEffect",
    "EffectSizes",
    "ImputedResponse",
    "Limits",
    "MeanSd",
    "Measure",
    "NumbersNeeded",
    "adjust_for_clusters",
    "arcsine_difference",
    "combine_groups",
    "cv_ratio",
    "design_effect",
    "from_interval",
    "incidence_rate_difference",
    "incidence_rate_ratio",
    "log_odds_to_smd",
    "mean_change",
    "mean_difference",
    "mean_sd_from_quantiles",
    "newcombe",
    "nnt",
    "nnt_from_smd",
    "odds_ratio",
    "peto",
    "phi_coefficient",
    "probit_difference",
    "ratio_of_means",
    "ratio_of_means_change",
    "response_from_cutoff",
    "response_from_reliable_change",
    "risk_difference",
    "risk_difference_interval",
    "risk_ratio",
    "sd_from_se",
    "small_sample_correction",
    "smd",
    "smd_change",
    "smd_from_chi_square",
    "smd_from_ci",
    "smd_from_d",
    "smd_from_events",
    "smd_from_f",
    "smd_from_p",
    "smd_from_r",
    "smd_from_t",
    "smd_paired",
    "smd_pre_post_control",
    "smd_to_log_odds",
    "split_control",
    "variability_ratio",
    "wilson",
    "yules_q",
]
