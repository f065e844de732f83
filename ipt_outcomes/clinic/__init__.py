"""Quality review of a clinic: who recovered, improved or got worse, out of whom, and how sure that is."""

from ipt_outcomes.clinic.change import PercentChange, percent_change
from ipt_outcomes.clinic.courses import ALL, UNKNOWN, Courses
from ipt_outcomes.clinic.job import ClinicJob
from ipt_outcomes.clinic.judging import Measure
from ipt_outcomes.clinic.measures import CUT_NAMES, GIVEN, PAIR, Cuts
from ipt_outcomes.clinic.options import ReviewOptions
from ipt_outcomes.clinic.outcomes import COMPLETERS, LAST, RATES, RULES, STARTERS
from ipt_outcomes.clinic.reliable import ReliableChange, reliable_change
from ipt_outcomes.clinic.review import ClinicReview, review
from ipt_outcomes.clinic.significance import ClinicalSignificance, clinical_significance, cutoff
from ipt_outcomes.clinic.talking_therapies import TalkingTherapies, talking_therapies

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
    "ClinicJob",
    "ClinicReview",
    "ClinicalSignificance",
    "Courses",
    "Cuts",
    "Measure",
    "PercentChange",
    "ReliableChange",
    "ReviewOptions",
    "TalkingTherapies",
    "clinical_significance",
    "cutoff",
    "percent_change",
    "reliable_change",
    "review",
    "talking_therapies",
]
