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

QUESTION_WORDS = {
    "wait": "Wait from referral to the first session, finished courses",
    "gap": "Time from the first to the second session, finished courses",
    "plan": "Sessions attended out of those planned, ended courses",
    "follow_up": "PHQ-9 4 to 8 months after an elevated one (above 9)",
    "remission": "Remission on the PHQ-9 of those who began as cases",
    "relapse": "After remission",
    "caution_mania": "Cautions",
    "caution_psychosis": "Cautions",
    "caution_substance_dependence": "Cautions",
    "severe_on_ipt_alone": "PHQ-9 of 20 or more at the start",
}
"""Who counts in the rates of a question; those of goals are `GOAL_HEADING`."""

GOAL_HEADING = "Goals met, of courses that have ended"

SERVICE_WORDS = {
    "within_6_weeks": "Within 6 weeks (42 days)",
    "within_18_weeks": "Within 18 weeks (126 days)",
    "gap_over_28": "More than 28 days",
    "gap_over_90": "More than 90 days",
    "planned_sessions_attended": "All planned sessions attended",
    "half_of_planned_attended": "At least half of them attended",
    "followed_up": "Has a score in the window",
    "remission_at_follow_up": "In remission (below 5)",
    "response_at_follow_up": "Responded (at least half lower)",
    "remission_at_any_time": "In remission at some time",
    "sustained_remission": "For at least 8 weeks in a row",
    "relapse": "Became a case again",
    "caution_mania": "Mania flagged",
    "caution_psychosis": "Psychosis flagged",
    "caution_substance_dependence": "Substance dependence flagged",
    "severe_on_ipt_alone": "Without medication at the same time",
    "goal_symptoms_role_transition": "Symptoms tied to a role transition",
    "goal_dispute_communication": "Communication in a role dispute",
    "goal_grief_reengagement": "Re-engagement after a loss",
    "goal_isolation_contact": "Contact instead of isolation",
    "goal_postpartum_support": "Support after birth",
    "goal_relapse_prevention": "Relapse prevention",
    "goal_interpersonal_functioning": "Interpersonal functioning",
    "goal_other": "Other goals",
}
"""What a rate of the service counts."""
