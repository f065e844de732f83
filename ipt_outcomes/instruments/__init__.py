"""Instruments: what is known of the scales that studies and clinics use."""

from ipt_outcomes.instruments.direction import direction_of

__all__ = ["direction_of"]
