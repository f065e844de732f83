"""Closed vocabularies: arms of a trial, IPT problem areas, the meaning of an event; with their aliases."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import Literal


class Arm(StrEnum):
    """What an arm of a trial gets. Order: comparators first, IPT last (treatment coding, as in reports)."""

    WAITLIST = "waitlist"
    USUAL_CARE = "usual_care"
    PLACEBO = "placebo"
    OTHER_CONTROL = "other_control"
    MEDICATION = "medication"
    SUPPORTIVE = "supportive"
    CBT = "cbt"
    OTHER_PSYCHOTHERAPY = "other_psychotherapy"
    COMBINATION = "combination"
    IPT_PLACEBO = "ipt_placebo"
    IPT = "ipt"


class ProblemArea(StrEnum):
    """The interpersonal problem area IPT works on (Weissman, Markowitz and Klerman 2000)."""

    GRIEF = "grief"
    ROLE_DISPUTE = "role_dispute"
    ROLE_TRANSITION = "role_transition"
    INTERPERSONAL_DEFICITS = "interpersonal_deficits"
    NONE_SET = "none_set"


_ARM_LABELS = {
    Arm.WAITLIST: "waiting list",
    Arm.USUAL_CARE: "usual care",
    Arm.PLACEBO: "pill placebo",
    Arm.OTHER_CONTROL: "other control",
    Arm.MEDICATION: "medication",
    Arm.SUPPORTIVE: "supportive therapy",
    Arm.CBT: "cognitive behaviour therapy",
    Arm.OTHER_PSYCHOTHERAPY: "other psychotherapy",
    Arm.COMBINATION: "psychotherapy with medication",
    Arm.IPT_PLACEBO: "interpersonal psychotherapy with pill placebo",
    Arm.IPT: "interpersonal psychotherapy",
}
_AREA_LABELS = {
    ProblemArea.GRIEF: "grief",
    ProblemArea.ROLE_DISPUTE: "role dispute",
    ProblemArea.ROLE_TRANSITION: "role transition",
    ProblemArea.INTERPERSONAL_DEFICITS: "interpersonal deficits",
    ProblemArea.NONE_SET: "no area set",
}

# Each list is separated by |; names are in small letters, hyphens as blanks (see _plain).
_ARM_ALIASES = {
    Arm.WAITLIST: "wl|wlc|wlc a|wlc b|wait list|waiting list|waitlist|waitlist control|wait list control|"
    "waiting list control|delayed treatment",
    Arm.USUAL_CARE: "cau|tau|care as usual|treatment as usual|usual care|uc|eau|enhanced usual care|"
    "enhanced care as usual|enhanced treatment as usual|routine care|standard care",
    Arm.PLACEBO: "pla|pill placebo|placebo|pbo|pill pla",
    Arm.OTHER_CONTROL: "other ctr|other ctl|other control|ctr|control|attention control|"
    "psychological placebo|minimal contact|clinical monitoring|no treatment|nt",
    Arm.MEDICATION: "pha|pharmacotherapy|medication|antidepressant|antidepressants|antidepressant medication|"
    "adm|ssri|ssris|snri|tca|maoi|other pha|mixed pha|imipramine|nortriptyline|amitriptyline|sertraline|"
    "fluoxetine|paroxetine|citalopram|escitalopram|venlafaxine|nefazodone|desipramine|drug|drugs",
    Arm.SUPPORTIVE: "sup|supportive|supportive therapy|supportive psychotherapy|supportive counselling|"
    "supportive counseling|nondirective supportive therapy|nst",
    Arm.CBT: "cbt|cognitive behavior therapy|cognitive behaviour therapy|cognitive behavioral therapy|"
    "cognitive behavioural therapy|cognitive therapy|ct|cbt g",
    Arm.IPT: "ipt|interpersonal therapy|interpersonal psychotherapy|ipt a|ipt b|ipt g|ipt m|ipt pp|ipt ppd|"
    "ipt ast|interpersonal psychotherapy for adolescents|interpersonal counselling|"
    "interpersonal counseling|ipc",
    Arm.OTHER_PSYCHOTHERAPY: "other psy|psy|psychotherapy|dyn|psychodynamic therapy|"
    "psychodynamic psychotherapy|short term psychodynamic psychotherapy|stpp|bat|"
    "behavioral activation|behavioural activation|"
    "behavorial activation|behavioral activation therapy|3rd|3rd wave cbt|third wave cbt|act|mbct|"
    "mindfulness based cognitive therapy|lrt|life review therapy|pst|problem solving therapy|exposure|"
    "prolonged exposure|narrative exposure therapy|net|exposure & response prevention|emdr|"
    "eye movement desensitization|eye movement desensitisation and reprocessing|dialectical behavior therapy|"
    "dialectical behaviour therapy|dbt|relaxation|applied relaxation|metacognitive therapy|mct|"
    "metacognitive interpersonal therapy|cbasp|other psychological treatment|counselling|counseling|"
    "interpersonal and social rhythm therapy|ipsrt",
}
_ARMS = {name: arm for arm, names in _ARM_ALIASES.items() for name in names.split("|")}
_ARMS |= {arm.value.replace("_", " "): arm for arm in Arm}

_DELIVERY = re.compile(
    r"\b(group|individual|telephone|phone|online|internet|web based|guided|video|digital|brief|manualised|"
    r"manualized|maintenance|face to face|delivered by)\b"
)
_PSYCHOTHERAPIES = {Arm.SUPPORTIVE, Arm.CBT, Arm.OTHER_PSYCHOTHERAPY, Arm.IPT}

_GOOD = re.compile(
    r"\b(respon(se|ders?|ded)|remission|remit(ted|ters?)|recover(y|ed)|improve(ment|d)|"
    r"reliable (improvement|recovery)|reduc score|sign\. change|1 sd|community norms|no diagnosis)(?!\w)"
)
_BAD = re.compile(
    r"\b(relapsed?|recurrences?|recurred|deteriorat(ion|ed)|drop[ -]?outs?|attrition|discontinuation|"
    r"worsen(ing|ed)|harm|adverse events?|deaths?|suicides?|suicide attempts?|"
    r"hospitali[sz]ation|readmission)(?!\w)"
)
_NOT = r"\b(no|not|non|without|never|lack of|loss of|free of|free from)[ -]+(a |any )?"
_NOT_GOOD = re.compile(rf"({_NOT}|\b(non|un))(respon(se|ders?|ded)|remission|remitt|recover|improve)")
_NOT_BAD = re.compile(rf"{_NOT}{_BAD.pattern}|{_BAD.pattern}[ -]+free")


def arm_of(text: object) -> Arm | None:
    """Recognise what an arm gets from what a study table writes.

    Parts joined by "+" or "plus" are recognised one by one: psychotherapy with medication is `COMBINATION`
    (never IPT), IPT with pill placebo is `IPT_PLACEBO`, a psychotherapy on top of usual care is that
    psychotherapy, two psychotherapies are `OTHER_PSYCHOTHERAPY`. Words in brackets do not count unless they
    add a treatment ("ipt (plus sertraline)").

    Parameters
    ----------
    text : object
        A code or name; missing values give None.

    Returns
    -------
    Arm or None
        None where the text is not recognised: it is never guessed.

    Examples
    --------
    >>> arm_of("Interpersonal Psychotherapy (IPT)"), arm_of("ipt + ssri")
    (<Arm.IPT: 'ipt'>, <Arm.COMBINATION: 'combination'>)
    >>> arm_of("metacognitive interpersonal therapy")
    <Arm.OTHER_PSYCHOTHERAPY: 'other_psychotherapy'>
    """
    if not isinstance(text, str):
        return None
    plain = re.sub(r"\((?=\s*(?:\+|plus|with|and|no|without)\b|\s*\+)([^)]*)\)", r" \1", _plain(text))
    plain = re.sub(r"\([^)]*\)", " ", plain)
    parts = [part.strip() for part in re.split(r"\+|\bplus\b|\bwith\b", plain)]
    arms = [_one_arm(part) for part in parts]
    if not arms or None in arms:
        return None
    return _together({arm for arm in arms if arm is not None})


def _together(arms: set[Arm]) -> Arm | None:
    if len(arms) == 1:
        return next(iter(arms))
    therapies, others = arms & _PSYCHOTHERAPIES, arms - _PSYCHOTHERAPIES
    if len(therapies) > 1 and not others - {Arm.USUAL_CARE}:
        return Arm.OTHER_PSYCHOTHERAPY
    if therapies and Arm.MEDICATION in others and others <= {Arm.MEDICATION, Arm.USUAL_CARE}:
        return Arm.COMBINATION
    if len(therapies) == 1 and others == {Arm.USUAL_CARE}:
        return next(iter(therapies))
    if therapies == {Arm.IPT} and others == {Arm.PLACEBO}:
        return Arm.IPT_PLACEBO
    return None


def _one_arm(text: str) -> Arm | None:
    name = re.sub(r"\s+", " ", text).strip()
    if name in _ARMS:
        return _ARMS[name]
    return _ARMS.get(re.sub(r"\s+", " ", _DELIVERY.sub(" ", name)).strip())


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[-_\s‐‑–]+", " ", plain).strip()


def event_of(outcome_type: object) -> Literal["good", "bad"] | None:
    """Say whether an event of this kind is good news, by its name.

    Parameters
    ----------
    outcome_type : object
        As in the Metapsy column, for example ``"response (50%)"``, ``"other dich (reduc score)"``. The words
        decide, bad before good ("no response", "relapse after remission"); "no relapse" is left to the user.

    Returns
    -------
    {"good", "bad"} or None
        None where the name says nothing ("msd", "change", missing): the user has to say.

    Examples
    --------
    >>> event_of("remission (cut-off)"), event_of("recurrence"), event_of("msd")
    ('good', 'bad', None)
    """
    if not isinstance(outcome_type, str):
        return None
    text = unicodedata.normalize("NFKC", outcome_type).casefold()
    if _NOT_BAD.search(text):
        return None
    if _NOT_GOOD.search(text) or _BAD.search(text):
        return "bad"
    return "good" if _GOOD.search(text) else None


def label(code: Arm | ProblemArea | str) -> str:
    """Write a code in plain words.

    Parameters
    ----------
    code : Arm, ProblemArea or str
        A code; text that is none is returned as it is.

    Returns
    -------
    str

    Examples
    --------
    >>> label(Arm.USUAL_CARE), label("role_dispute")
    ('usual care', 'role dispute')
    """
    arm_labels = {arm.value: words for arm, words in _ARM_LABELS.items()}
    area_labels = {area.value: words for area, words in _AREA_LABELS.items()}
    return (arm_labels | area_labels).get(str(code), str(code))
