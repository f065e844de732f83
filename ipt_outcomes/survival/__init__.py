"""Time to an event: the Kaplan-Meier curve and the log-rank test."""

from ipt_outcomes.survival.curves import KaplanMeier, kaplan_meier

__all__ = ["KaplanMeier", "kaplan_meier"]
