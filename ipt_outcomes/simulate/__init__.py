"""Seeded example data, marked simulated wherever they are shown: no real person, clinic or trial is in them."""

from ipt_outcomes.simulate.clinic_data import clinic, clinic_table
from ipt_outcomes.simulate.study_table import studies
from ipt_outcomes.simulate.trial_data import trial, trial_table

__all__ = ["clinic", "clinic_table", "studies", "trial", "trial_table"]
