"""Instruments: what is known of the scales that studies and clinics use, and totals from their items."""

from ipt_outcomes.instruments.direction import Better, direction_of
from ipt_outcomes.instruments.facts import Band, Override, RiskItem, Subscale
from ipt_outcomes.instruments.instrument import Instrument
from ipt_outcomes.instruments.overrides import SETTABLE, instruments_with
from ipt_outcomes.instruments.registry import instrument, instrument_name, instruments
from ipt_outcomes.instruments.response import good_end, responded
from ipt_outcomes.instruments.safety import risk_answers, risk_flags
from ipt_outcomes.instruments.scoring import Scores, score
from ipt_outcomes.instruments.subscales import subscale_scores
from ipt_outcomes.instruments.totals import TotalsCheck, check_totals, compare_totals

__all__ = [
    "SETTABLE",
    "Band",
    "Better",
    "Instrument",
    "Override",
    "RiskItem",
    "Scores",
    "Subscale",
    "TotalsCheck",
    "check_totals",
    "compare_totals",
    "direction_of",
    "good_end",
    "instrument",
    "instrument_name",
    "instruments",
    "instruments_with",
    "responded",
    "risk_answers",
    "risk_flags",
    "score",
    "subscale_scores",
]
