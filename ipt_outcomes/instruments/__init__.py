"""Instruments: what is known of the scales that studies and clinics use, and totals from their items."""

from ipt_outcomes.instruments.direction import Better, direction_of
from ipt_outcomes.instruments.instrument import Band, Instrument, RiskItem
from ipt_outcomes.instruments.registry import instrument, instrument_name, instruments
from ipt_outcomes.instruments.scoring import Scores, score

__all__ = [
    "Band",
    "Better",
    "Instrument",
    "RiskItem",
    "Scores",
    "direction_of",
    "instrument",
    "instrument_name",
    "instruments",
    "score",
]
