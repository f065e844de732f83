"""Rates of a service that are not about one pair of scores: waits, follow-up windows, remission and what follows it."""

from ipt_outcomes.clinic.service.followup import FollowUp, depression_remission_or_response
from ipt_outcomes.clinic.service.rates import rate_rows
from ipt_outcomes.clinic.service.spells import Spells, remission_and_relapse
from ipt_outcomes.clinic.service.waits import STANDARDS, WaitingTimes, waiting_times

__all__ = [
    "STANDARDS",
    "FollowUp",
    "Spells",
    "WaitingTimes",
    "depression_remission_or_response",
    "rate_rows",
    "remission_and_relapse",
    "waiting_times",
]
