"""Effect sizes of arm 1 against arm 2 and their variances, one per study, every formula named."""

from ipt_outcomes.effects.binary import odds_ratio, risk_difference, risk_ratio
from ipt_outcomes.effects.convert import (
    Converted,
    log_odds_to_smd,
    sd_from_se,
    smd_from_events,
    smd_to_log_odds,
)
from ipt_outcomes.effects.effect_sizes import MEASURE_NAMES, EffectSizes, Measure
from ipt_outcomes.effects.proportions import Limits, newcombe, wilson
from ipt_outcomes.effects.smd import mean_difference, small_sample_correction, smd, smd_change

__all__ = [
    "MEASURE_NAMES",
    "Converted",
    "EffectSizes",
    "Limits",
    "Measure",
    "log_odds_to_smd",
    "mean_difference",
    "newcombe",
    "odds_ratio",
    "risk_difference",
    "risk_ratio",
    "sd_from_se",
    "small_sample_correction",
    "smd",
    "smd_change",
    "smd_from_events",
    "smd_to_log_odds",
    "wilson",
]
