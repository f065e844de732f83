"""Quality review of a clinic: who recovered, improved or got worse, out of whom, and how sure that is."""

from ipt_outcomes.clinic.anchor import AnchorChange, AnchorGroup, anchor_between, anchor_change, anchor_group
from ipt_outcomes.clinic.attrition import attrition
from ipt_outcomes.clinic.by_method import change_by_method
from ipt_outcomes.clinic.case_mix import CaseMix, case_mix
from ipt_outcomes.clinic.change import PercentChange, percent_change
from ipt_outcomes.clinic.control_charts import ControlChart, p_chart, u_chart, xmr
from ipt_outcomes.clinic.courses import ALL, UNKNOWN, Courses
from ipt_outcomes.clinic.funnel_limits import Funnel, funnel, ratio_limits
from ipt_outcomes.clinic.growth import GrowthChange, growth_change
from ipt_outcomes.clinic.job import ClinicJob
from ipt_outcomes.clinic.judging import Measure
from ipt_outcomes.clinic.measures import CUT_NAMES, GIVEN, PAIR, Cuts
from ipt_outcomes.clinic.options import ReviewOptions
from ipt_outcomes.clinic.outcomes import COMPLETERS, LAST, RATES, RULES, STARTERS
from ipt_outcomes.clinic.reliable import ReliableChange, reliable_change
from ipt_outcomes.clinic.review import ClinicReview, review
from ipt_outcomes.clinic.service import (
    FollowUp,
    Spells,
    WaitingTimes,
    depression_remission_or_response,
    remission_and_relapse,
    waiting_times,
)
from ipt_outcomes.clinic.significance import ClinicalSignificance, clinical_significance, cutoff
from ipt_outcomes.clinic.sudden_gains import SuddenGains, gain_cut, sudden_gains, sudden_gains_by_cut, sudden_losses
from ipt_outcomes.clinic.talking_therapies import TalkingTherapies, talking_therapies
from ipt_outcomes.clinic.unit_effects import UnitEffects, unit_effects
from ipt_outcomes.clinic.worklist import Worklist, worklist
from ipt_outcomes.survival import KaplanMeier, kaplan_meier

__all__ = [
    "ALL",
    "COMPLETERS",
    "CUT_NAMES",
    "GIVEN",
    "LAST",
    "PAIR",
    "RATES",
    "RULES",
    "STARTERS",
    "UNKNOWN",
    "AnchorChange",
    "AnchorGroup",
    "CaseMix",
    "ClinicJob",
    "ClinicReview",
    "ClinicalSignificance",
    "ControlChart",
    "Courses",
    "Cuts",
    "FollowUp",
    "Funnel",
    "GrowthChange",
    "KaplanMeier",
    "Measure",
    "PercentChange",
    "ReliableChange",
    "ReviewOptions",
    "Spells",
    "SuddenGains",
    "TalkingTherapies",
    "UnitEffects",
    "WaitingTimes",
    "Worklist",
    "anchor_between",
    "anchor_change",
    "anchor_group",
    "attrition",
    "case_mix",
    "change_by_method",
    "clinical_significance",
    "cutoff",
    "depression_remission_or_response",
    "funnel",
    "gain_cut",
    "growth_change",
    "kaplan_meier",
    "p_chart",
    "percent_change",
    "ratio_limits",
    "reliable_change",
    "remission_and_relapse",
    "review",
    "sudden_gains",
    "sudden_gains_by_cut",
    "sudden_losses",
    "talking_therapies",
    "u_chart",
    "unit_effects",
    "waiting_times",
    "worklist",
    "xmr",
]
