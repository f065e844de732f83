"""The closed sets of codes of the data dictionary; the value is what stands on disk."""

from __future__ import annotations

from enum import StrEnum


class Arm(StrEnum):
    """What an arm of a trial gets. Order: comparators first, IPT last (treatment coding, as in reports)."""

    WAITLIST = "waitlist"
    USUAL_CARE = "usual_care"
    PLACEBO = "placebo"
    ATTENTION_CONTROL = "attention_control"
    OTHER_CONTROL = "other_control"
    MEDICATION = "medication"
    SUPPORTIVE = "supportive"
    CBT = "cbt"
    OTHER_PSYCHOTHERAPY = "other_psychotherapy"
    COMBINATION = "combination"
    PLACEBO_IPT = "placebo_ipt"
    IPT_MEDICATION = "ipt_medication"
    IPT = "ipt"

    @property
    def holds_ipt(self) -> bool:
        """Whether the arm gets IPT, alone or with something else."""
        return self in {Arm.PLACEBO_IPT, Arm.IPT_MEDICATION, Arm.IPT}


class ProblemArea(StrEnum):
    """The interpersonal problem area IPT works on (Weissman, Markowitz and Klerman 2000)."""

    GRIEF = "grief"
    ROLE_DISPUTE = "role_dispute"
    ROLE_TRANSITION = "role_transition"
    INTERPERSONAL_DEFICITS = "interpersonal_deficits"
    NONE_SET = "none_set"


class DisputeStage(StrEnum):
    """The stage of a role dispute."""

    RENEGOTIATION = "renegotiation"
    IMPASSE = "impasse"
    DISSOLUTION = "dissolution"


class Phase(StrEnum):
    """The phase of treatment, in order."""

    INITIAL = "initial"
    MIDDLE = "middle"
    TERMINATION = "termination"
    MAINTENANCE = "maintenance"


class Format(StrEnum):
    """How treatment is delivered."""

    INDIVIDUAL = "individual"
    GROUP = "group"
    TELEPHONE = "telephone"
    VIDEO = "video"
    DIGITAL = "digital"
    CONJOINT = "conjoint"


class Adaptation(StrEnum):
    """The form of IPT: for adolescents (A, AST), family based (FB), brief (B), group (G), maintenance (M) ..."""

    IPT = "ipt"
    IPT_A = "ipt_a"
    IPT_AST = "ipt_ast"
    FB_IPT = "fb_ipt"
    IPT_B = "ipt_b"
    IPSRT = "ipsrt"
    IPT_G = "ipt_g"
    IPT_M = "ipt_m"
    IPC = "ipc"
    OTHER = "other"


class Population(StrEnum):
    """Who is treated."""

    ADULT = "adult"
    ADOLESCENT = "adolescent"
    PERINATAL = "perinatal"
    OLDER_ADULT = "older_adult"
    CHILD = "child"


class Indication(StrEnum):
    """What is treated."""

    MDD = "mdd"
    DYSTHYMIA = "dysthymia"
    BIPOLAR = "bipolar"
    POSTPARTUM_DEPRESSION = "postpartum_depression"
    ANXIETY = "anxiety"
    SOCIAL_ANXIETY = "social_anxiety"
    PTSD = "ptsd"
    BULIMIA = "bulimia"
    BINGE_EATING = "binge_eating"
    GRIEF = "grief"
    OTHER = "other"


class Attendance(StrEnum):
    """What became of a session."""

    ATTENDED = "attended"
    DNA = "dna"
    CANCELLED_PATIENT = "cancelled_patient"
    CANCELLED_SERVICE = "cancelled_service"
    LATE_NOT_SEEN = "late_not_seen"


class EndReason(StrEnum):
    """Why an episode ended, or why no more is known of it."""

    COMPLETED = "completed"
    DROPOUT_CHOICE = "dropout_choice"
    DROPOUT_UNREACHABLE = "dropout_unreachable"
    NOT_SUITABLE = "not_suitable"
    REFERRED_ON = "referred_on"
    DECEASED = "deceased"
    STUDY_END = "study_end"
    PROTOCOL_WITHDRAWAL = "protocol_withdrawal"
    MOVED = "moved"
    UNKNOWN = "unknown"

    @property
    def is_dropout(self) -> bool:
        """Whether the patient left treatment without its being ended by plan, by the service or by events."""
        return self in {EndReason.DROPOUT_CHOICE, EndReason.DROPOUT_UNREACHABLE}


class Sex(StrEnum):
    """Sex as recorded."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNKNOWN = "unknown"


class Technique(StrEnum):
    """What was done in a session."""

    INTERPERSONAL_INVENTORY = "interpersonal_inventory"
    CLARIFICATION = "clarification"
    COMMUNICATION_ANALYSIS = "communication_analysis"
    DECISION_ANALYSIS = "decision_analysis"
    ROLE_PLAY = "role_play"
    EXPLORATION_OF_AFFECT = "exploration_of_affect"
    ENCOURAGEMENT_OF_AFFECT = "encouragement_of_affect"
    LINKING_MOOD_AND_EVENT = "linking_mood_and_event"
    SICK_ROLE = "sick_role"
    PROBLEM_SOLVING = "problem_solving"
    TERMINATION_REVIEW = "termination_review"


class ValueStatus(StrEnum):
    """Where a score comes from, or why there is none."""

    OBSERVED = "observed"
    PRORATED = "prorated"
    IMPUTED = "imputed"
    INCOMPLETE = "incomplete"
    OUT_OF_RANGE = "out_of_range"
    NOT_DONE = "not_done"
