"""Codes of the other closed sets by the names found in practice, and near names for messages."""

from __future__ import annotations

import difflib
from enum import StrEnum
from typing import TypeVar

from ipt_outcomes.vocabulary import areas, arms
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
from ipt_outcomes.vocabulary.languages import names_in_other_languages
from ipt_outcomes.vocabulary.spelling import bare, plain

Code = TypeVar("Code", bound=StrEnum)

# Each list is separated by |; names are in small letters, hyphens as blanks. A name that could be two codes
# ("cancelled" by whom, "dropout" for which reason) is left out: the user has to say.
_ALIASES: dict[type[StrEnum], dict[StrEnum, str]] = {
    Phase: {
        Phase.INITIAL: "initial phase|initial sessions|beginning|beginning phase|opening|opening phase|early|"
        "early phase",
        Phase.MIDDLE: "middle phase|middle sessions|intermediate|intermediate phase|mid|mid phase|work phase|"
        "working phase",
        Phase.TERMINATION: "termination phase|final|final phase|ending|ending phase|end phase|closing|closing phase|"
        "conclusion|concluding phase|late phase",
        Phase.MAINTENANCE: "maintenance phase|maintenance sessions|maintenance ipt|continuation|continuation phase",
    },
    Format: {
        Format.INDIVIDUAL: "ind|individual therapy|individual sessions|one to one|1:1",
        Format.GROUP: "grp|groups|group therapy|group sessions",
        Format.TELEPHONE: "tel|phone|by phone|by telephone|telephone sessions",
        Format.VIDEO: "video call|videoconference|video conference|videoconferencing|by video|online video",
        Format.DIGITAL: "internet|internet based|web|web based|computer|computer assisted|computerised|"
        "computerized|app",
        Format.CONJOINT: "couple|couples|cpl|conjoint marital|couple therapy|with partner",
    },
    Attendance: {
        Attendance.ATTENDED: "attend|att|seen|came|yes|present|show|showed|arrived late but seen|late seen",
        Attendance.DNA: "did not attend|no show|noshow|not attended|absent|missed without notice|failed to attend",
        Attendance.CANCELLED_PATIENT: "cancelled by patient|canceled by patient|patient cancelled|patient canceled|"
        "cancelled by client|canceled by client|client cancelled|canceled patient",
        Attendance.CANCELLED_SERVICE: "cancelled by service|canceled by service|service cancelled|service canceled|"
        "cancelled by provider|canceled by provider|cancelled by therapist|canceled by therapist|"
        "therapist cancelled|therapist canceled|canceled service",
        Attendance.LATE_NOT_SEEN: "arrived late not seen|arrived late and not seen|too late|too late to be seen|"
        "late, not seen",
    },
    EndReason: {
        EndReason.COMPLETED: "complete|completer|finished|treatment completed|completed treatment|planned ending|"
        "planned end",
        EndReason.DROPOUT_CHOICE: "patient choice|patient's choice|declined|declined treatment|withdrew|"
        "withdrew consent|patient withdrew|withdrawn by patient",
        EndReason.DROPOUT_UNREACHABLE: "unreachable|lost to follow up|lost contact|not reachable|could not be reached",
        EndReason.NOT_SUITABLE: "unsuitable|not suitable for service",
        EndReason.REFERRED_ON: "referred|referred elsewhere|referral|stepped up|stepped care",
        EndReason.DECEASED: "died|death|dead",
        EndReason.STUDY_END: "end of study|study ended|censored at end of study|administrative",
        EndReason.PROTOCOL_WITHDRAWAL: "withdrawn by investigator|withdrawn per protocol|protocol violation",
        EndReason.MOVED: "moved away|relocated|moved out of area",
        EndReason.UNKNOWN: "not known|not recorded|no reason recorded|unspecified",
    },
    DisputeStage: {
        DisputeStage.RENEGOTIATION: "re negotiation|negotiation",
        DisputeStage.IMPASSE: "stalemate",
        DisputeStage.DISSOLUTION: "dissolved",
    },
    Sex: {
        Sex.FEMALE: "f|woman|women|girl|females",
        Sex.MALE: "m|man|men|boy|males",
        Sex.OTHER: "non binary|nonbinary|diverse|intersex",
        Sex.UNKNOWN: "not known|not stated|not recorded|not specified|u",
    },
    Population: {
        Population.ADULT: "adults|adul",
        Population.ADOLESCENT: "adolescents|teenager|teenagers|adol",
        Population.PERINATAL: "postpartum|postnatal|antenatal|pregnant|pregnancy|ppd|perinatal women",
        Population.OLDER_ADULT: "older adults|elderly|late life|old age|olda",
        Population.CHILD: "children|preadolescent|preadolescents|childhood",
    },
    Indication: {
        Indication.MDD: "major depression|major depressive disorder|major depressive episode|mde",
        Indication.DYSTHYMIA: "dysthymic disorder|persistent depressive disorder",
        Indication.BIPOLAR: "bipolar disorder|bipolar depression",
        Indication.POSTPARTUM_DEPRESSION: "postnatal depression|ppd|pnd",
        Indication.ANXIETY: "anxiety disorder|generalised anxiety disorder|generalized anxiety disorder",
        Indication.SOCIAL_ANXIETY: "social phobia|social anxiety disorder",
        Indication.PTSD: "post traumatic stress disorder|posttraumatic stress disorder",
        Indication.BULIMIA: "bulimia nervosa",
        Indication.BINGE_EATING: "binge eating disorder",
        Indication.GRIEF: "prolonged grief disorder|complicated grief|pgd",
    },
    Adaptation: {
        Adaptation.IPT: "standard ipt|standard|interpersonal psychotherapy",
        Adaptation.IPT_A: "ipt for adolescents|adolescent ipt|interpersonal psychotherapy for adolescents|"
        "ipt adolescents|interpersonal psychotherapy for depressed adolescents|ipt for depressed adolescents|"
        "interpersonal psychotherapy adolescents",
        Adaptation.IPT_AST: "ast|adolescent skills training|interpersonal psychotherapy adolescent skills training|"
        "ipt prevention adolescents",
        Adaptation.FB_IPT: "family based ipt|family based interpersonal psychotherapy|ipt fb|"
        "family based ipt for preadolescents|interpersonal psychotherapy for preadolescents|"
        "family based interpersonal psychotherapy for preadolescents",
        Adaptation.IPT_B: "brief ipt|brief interpersonal psychotherapy|ipt brief",
        Adaptation.IPSRT: "interpersonal and social rhythm therapy|interpersonal social rhythm therapy|"
        "social rhythm therapy|ipt srt",
        Adaptation.IPT_G: "group ipt|ipt group|interpersonal psychotherapy group|group interpersonal psychotherapy|"
        "ipt for groups|ipt g group",
        Adaptation.IPT_M: "maintenance ipt|ipt maintenance|maintenance interpersonal psychotherapy",
        Adaptation.IPC: "interpersonal counselling|interpersonal counseling",
    },
    Technique: {},
    ValueStatus: {},
}
_KNOWN: dict[type[StrEnum], dict[str, StrEnum]] = {
    kind: {plain(code.value): code for code in kind}
    | {name: code for code, names in by_code.items() for name in names.split("|")}
    for kind, by_code in _ALIASES.items()
}
for _kind, _names in _KNOWN.items():
    # An English name goes before the same letters in another language ("man": men).
    _KNOWN[_kind] = {name: _kind(code) for name, code in names_in_other_languages(_kind.__name__).items()} | _names


def code_of(text: object, kind: type[Code]) -> Code | None:
    """Recognise a code of a closed set.

    Parameters
    ----------
    text : object
        As a file writes it; anything that is not text gives None.
    kind : type
        The set: `Arm`, `ProblemArea`, `Phase`, `Format`, `Attendance`, `EndReason`, `Sex` ...

    Returns
    -------
    member of `kind` or None
        None where the text is not recognised: it is never guessed.

    Examples
    --------
    >>> code_of("F", Sex), code_of("lost to follow-up", EndReason), code_of("cancelled", Attendance)
    (<Sex.FEMALE: 'female'>, <EndReason.DROPOUT_UNREACHABLE: 'dropout_unreachable'>, None)
    """
    if not isinstance(text, str):
        return None
    found: StrEnum | None
    if kind is Arm:
        found = arms.arm_of(text)
    elif kind is ProblemArea:
        found = areas.area_of(text)
    else:
        found = _KNOWN[kind].get(bare(text))
    return None if found is None else kind(found)


def phase_of(text: object) -> Phase | None:
    """Recognise a phase of treatment.

    Parameters
    ----------
    text : object

    Returns
    -------
    Phase or None

    Examples
    --------
    >>> phase_of("Middle phase")
    <Phase.MIDDLE: 'middle'>
    """
    return code_of(text, Phase)


def attendance_of(text: object) -> Attendance | None:
    """Recognise what became of a session.

    Parameters
    ----------
    text : object
        "no" gives None: it does not say whether the patient stayed away or somebody cancelled.

    Returns
    -------
    Attendance or None

    Examples
    --------
    >>> attendance_of("Did not attend"), attendance_of("no")
    (<Attendance.DNA: 'dna'>, None)
    """
    return code_of(text, Attendance)


def nearest(text: object, kind: type[StrEnum]) -> tuple[str, ...]:
    """Return the codes whose names look like a text, for messages; nothing is ever recognised by likeness.

    Parameters
    ----------
    text : object
    kind : type
        The set of codes.

    Returns
    -------
    tuple of str
        Up to three codes, the nearest first; empty where none is near.

    Examples
    --------
    >>> nearest("role dsipute", ProblemArea), nearest("xyz", Phase)
    (('role_dispute',), ())
    """
    if not isinstance(text, str):
        return ()
    known = names_of(kind)
    found = difflib.get_close_matches(bare(text), list(known), n=6, cutoff=0.7)
    return tuple(dict.fromkeys(known[name] for name in found))[:3]


def names_of(kind: type[StrEnum]) -> dict[str, str]:
    """Return every name that is recognised, as it is compared, and its code.

    Parameters
    ----------
    kind : type
        The set of codes.

    Returns
    -------
    dict of str to str
    """
    if kind is Arm:
        return {name: arm.value for name, arm in arms.ARM_NAMES.items()}
    if kind is ProblemArea:
        return {name: area.value for name, area in areas.AREA_NAMES.items()}
    return {name: code.value for name, code in _KNOWN[kind].items()}
