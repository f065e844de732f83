"""Codes in plain words."""

from __future__ import annotations

from enum import StrEnum

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

# Where a code's own words do; the others are the code with blanks for underscores.
_SPECIAL: dict[type[StrEnum], dict[StrEnum, str]] = {
    Arm: {
        Arm.WAITLIST: "waiting list",
        Arm.PLACEBO: "pill placebo",
        Arm.SUPPORTIVE: "supportive therapy",
        Arm.CBT: "cognitive behaviour therapy",
        Arm.COMBINATION: "psychotherapy with medication",
        Arm.PLACEBO_IPT: "interpersonal psychotherapy with pill placebo",
        Arm.IPT_MEDICATION: "interpersonal psychotherapy with medication",
        Arm.IPT: "interpersonal psychotherapy",
    },
    ProblemArea: {ProblemArea.NONE_SET: "no area set"},
    Attendance: {
        Attendance.DNA: "did not attend",
        Attendance.CANCELLED_PATIENT: "cancelled by the patient",
        Attendance.CANCELLED_SERVICE: "cancelled by the service",
        Attendance.LATE_NOT_SEEN: "came late, not seen",
    },
    EndReason: {
        EndReason.COMPLETED: "completed treatment",
        EndReason.DROPOUT_CHOICE: "left by own choice",
        EndReason.DROPOUT_UNREACHABLE: "could not be reached any more",
        EndReason.NOT_SUITABLE: "not suitable",
        EndReason.STUDY_END: "end of the study",
        EndReason.PROTOCOL_WITHDRAWAL: "withdrawn as the protocol asks",
        EndReason.MOVED: "moved away",
        EndReason.UNKNOWN: "reason not known",
    },
    Adaptation: {
        Adaptation.IPT: "standard IPT",
        Adaptation.IPT_A: "IPT for adolescents (IPT-A)",
        Adaptation.IPT_AST: "IPT adolescent skills training (IPT-AST)",
        Adaptation.FB_IPT: "family-based IPT (FB-IPT)",
        Adaptation.IPT_B: "brief IPT (IPT-B)",
        Adaptation.IPSRT: "interpersonal and social rhythm therapy (IPSRT)",
        Adaptation.IPT_G: "group IPT (IPT-G)",
        Adaptation.IPT_M: "maintenance IPT (IPT-M)",
        Adaptation.IPC: "interpersonal counselling (IPC)",
        Adaptation.OTHER: "another form",
    },
    Indication: {
        Indication.MDD: "major depression",
        Indication.BIPOLAR: "bipolar disorder",
        Indication.PTSD: "post-traumatic stress disorder",
        Indication.BULIMIA: "bulimia nervosa",
        Indication.OTHER: "another indication",
    },
    Technique: {Technique.LINKING_MOOD_AND_EVENT: "linking mood and events"},
    Phase: {},
    Format: {},
    DisputeStage: {},
    Population: {},
    Sex: {},
    ValueStatus: {},
}
_LABELS: dict[type[StrEnum], dict[str, str]] = {
    kind: {code.value: special.get(code, code.value.replace("_", " ")) for code in kind}
    for kind, special in _SPECIAL.items()
}
# A code as text may be of several sets ("grief", "other"); the first that has it names it.
_BY_TEXT: dict[str, str] = {}
for _labels in _LABELS.values():
    for _code, _words in _labels.items():
        _BY_TEXT.setdefault(_code, _words)


def label(code: StrEnum | str) -> str:
    """Write a code in plain words.

    Parameters
    ----------
    code : member of a closed set, or str
        A code; text that is none is returned as it is.

    Returns
    -------
    str

    Examples
    --------
    >>> label(Arm.USUAL_CARE), label("role_dispute"), label(Attendance.DNA)
    ('usual care', 'role dispute', 'did not attend')
    """
    known = _LABELS.get(type(code), _BY_TEXT) if isinstance(code, StrEnum) else _BY_TEXT
    return known.get(str(code), str(code))
