"""Rates and rules of counting in words: the same on every page and in the terminal."""

from __future__ import annotations

from ipt_outcomes.clinic.outcomes import COMPLETERS, LAST, STARTERS

RATE_WORDS = {
    "recovery": "Recovered",
    "reliable_improvement": "Improved reliably",
    "reliable_recovery": "Recovered, and improved reliably",
    "reliable_deterioration": "Got reliably worse",
    "response": "Responded",
    "remission": "In remission",
}
"""What a rate counts, after the people who count."""

RULE_WORDS = {
    COMPLETERS: "Completers",
    STARTERS: "All starters, no last score = not improved",
    LAST: "All starters, last observation",
}
"""Who is counted."""
