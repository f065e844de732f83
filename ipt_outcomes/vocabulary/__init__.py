"""Closed vocabularies of the data dictionary, with the names found in practice.

Codes are `StrEnum` members whose value stands on disk. What is not recognised gives None and is never guessed.
"""

from ipt_outcomes.vocabulary.adaptations import adaptation_of
from ipt_outcomes.vocabulary.areas import ambiguous_area, area_of
from ipt_outcomes.vocabulary.arms import arm_of, study_arm_of
from ipt_outcomes.vocabulary.codes import (
    Adaptation,
    Arm,
    Attendance,
    DisputeStage,
    EndReason,
    Format,
    Indication,
    Phase,
    Population,
    ProblemArea,
    Sex,
    Technique,
    ValueStatus,
)
from ipt_outcomes.vocabulary.events import event_of
from ipt_outcomes.vocabulary.labels import label
from ipt_outcomes.vocabulary.letters import doubtful_letters
from ipt_outcomes.vocabulary.names import attendance_of, code_of, names_of, nearest, phase_of

__all__ = [
    "Adaptation",
    "Arm",
    "Attendance",
    "DisputeStage",
    "EndReason",
    "Format",
    "Indication",
    "Phase",
    "Population",
    "ProblemArea",
    "Sex",
    "Technique",
    "ValueStatus",
    "adaptation_of",
    "ambiguous_area",
    "area_of",
    "arm_of",
    "attendance_of",
    "code_of",
    "doubtful_letters",
    "event_of",
    "label",
    "names_of",
    "nearest",
    "phase_of",
    "study_arm_of",
]
