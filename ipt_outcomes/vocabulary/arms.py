"""What an arm of a trial gets, by the names found in practice."""

from __future__ import annotations

import re

from ipt_outcomes.vocabulary.codes import Arm
from ipt_outcomes.vocabulary.languages import names_in_other_languages
from ipt_outcomes.vocabulary.spelling import bare

# Each list is separated by |; names are in small letters, hyphens as blanks (see spelling.plain).
_ARM_ALIASES = {
    Arm.WAITLIST: "wl|wlc|wlc a|wlc b|wait list|waiting list|waitlist|waitlist control|wait list control|"
    "waiting list control|delayed treatment",
    Arm.USUAL_CARE: "cau|tau|tau+|care as usual|treatment as usual|usual care|uc|eau|enhanced usual care|"
    "enhanced care as usual|enhanced treatment as usual|routine care|standard care",
    Arm.PLACEBO: "pla|pill placebo|placebo|pbo|pill pla",
    Arm.ATTENTION_CONTROL: "attention control|attention placebo|attention placebo control|contact control",
    Arm.OTHER_CONTROL: "other ctr|other ctl|other control|ctr|control|"
    "psychological placebo|minimal contact|clinical monitoring|no treatment|nt",
    Arm.MEDICATION: "pha|pharmacotherapy|medication|antidepressant|antidepressants|antidepressant medication|"
    "adm|ssri|ssris|snri|tca|maoi|other pha|mixed pha|imipramine|nortriptyline|amitriptyline|sertraline|"
    "fluoxetine|paroxetine|citalopram|escitalopram|venlafaxine|nefazodone|desipramine|drug|drugs|lithium|"
    "mood stabiliser|mood stabilizer|mood stabilisers|mood stabilizers|bupropion|mirtazapine|duloxetine|agomelatine|"
    "trazodone|clomipramine|fluvoxamine|quetiapine|lamotrigine|antidepressant drug|antidepressant drugs",
    Arm.SUPPORTIVE: "sup|supportive|supportive therapy|supportive psychotherapy|supportive counselling|"
    "supportive counseling|nondirective supportive therapy|nst",
    Arm.CBT: "cbt|cognitive behavior therapy|cognitive behaviour therapy|cognitive behavioral therapy|"
    "cognitive behavioural therapy|cognitive therapy|ct|cbt g",
    Arm.IPT: "ipt|interpersonal therapy|interpersonal psychotherapy|ipt a|ipt b|ipt g|ipt m|ipt pp|ipt ppd|"
    "ipt ast|interpersonal psychotherapy for adolescents|interpersonal counselling|"
    "interpersonal counseling|ipc|ipt psychotherapy|fb ipt|family based ipt|family based interpersonal psychotherapy|"
    "ipsrt|interpersonal and social rhythm therapy|interpersonal social rhythm therapy|ipt ast prevention|ipt brief|"
    "brief ipt|ipt late life|ipt older adults|ipt perinatal|ipt p|ipt bn|ipt bed|ipt ptsd|ipt eating disorders|"
    "interpersonal psychotherapy adolescent skills training|klerman weissman ipt|interpersonal psychotherapy group|"
    "group interpersonal psychotherapy|interpersonal psychotherapy for depressed adolescents|ipt for adolescents|"
    "ipt for depressed adolescents|ipt adolescents|adolescent ipt|ipt fb|ipt group|ipt maintenance|ipt srt|"
    "family based interpersonal psychotherapy for preadolescents|family based ipt for preadolescents|"
    "interpersonal psychotherapy for preadolescents|brief interpersonal psychotherapy|"
    "maintenance interpersonal psychotherapy|interpersonal psychotherapy adolescents|ipt for groups",
    Arm.OTHER_PSYCHOTHERAPY: "other psy|psy|psychotherapy|dyn|psychodynamic therapy|"
    "psychodynamic psychotherapy|short term psychodynamic psychotherapy|stpp|bat|"
    "behavioral activation|behavioural activation|"
    "behavorial activation|behavioral activation therapy|3rd|3rd wave cbt|third wave cbt|act|mbct|"
    "mindfulness based cognitive therapy|lrt|life review therapy|pst|problem solving therapy|exposure|"
    "prolonged exposure|narrative exposure therapy|net|exposure & response prevention|emdr|"
    "eye movement desensitization|eye movement desensitisation and reprocessing|dialectical behavior therapy|"
    "dialectical behaviour therapy|dbt|relaxation|applied relaxation|metacognitive therapy|mct|"
    "metacognitive interpersonal therapy|metacognitive interpersonal psychotherapy|metacognitive ipt|"
    "cbasp|other psychological treatment|counselling|counseling|mit|mit g|"
    "metacognitive interpersonal therapy group|psychodynamic interpersonal therapy|psychodynamic interpersonal|"
    "interpersonal psychodynamic therapy|dynamic interpersonal therapy|dit|cognitive interpersonal therapy|"
    "interpersonal reconstructive therapy|brief relational therapy|interpersonal process therapy",
}
ARM_NAMES = {name: arm for arm, names in _ARM_ALIASES.items() for name in names.split("|")}
# An English name goes before the same letters in another language.
ARM_NAMES = {name: Arm(code) for name, code in names_in_other_languages("Arm").items()} | ARM_NAMES
ARM_NAMES |= {arm.value.replace("_", " "): arm for arm in Arm} | {"ipt placebo": Arm.PLACEBO_IPT}

_DELIVERY = re.compile(
    r"\b(group|individual|telephone|phone|online|internet|web based|guided|video|digital|brief|manualised|"
    r"manualized|maintenance|face to face|delivered by)\b"
)
_OPENED = re.compile(
    r"\((?=\s*(?:\+|plus|with|and|no|without)\b|\s*\+|\s*(?:mit|met|con|com|sin|sem|ohne|zonder)\s+\w)([^)]*)\)"
)
_AND = re.compile(r"\+|\b(?:plus|with|mit|met|con|com|mas|mais)\b")
_PSYCHOTHERAPIES = {Arm.SUPPORTIVE, Arm.CBT, Arm.OTHER_PSYCHOTHERAPY, Arm.IPT}
_STUDY_CLASS = {Arm.IPT_MEDICATION: Arm.COMBINATION, Arm.ATTENTION_CONTROL: Arm.OTHER_CONTROL}


def arm_of(text: object) -> Arm | None:
    """Recognise what an arm gets from what a table writes.

    Parts joined by "+" or "plus" are recognised one by one: IPT with medication is `IPT_MEDICATION`, another
    psychotherapy with medication is `COMBINATION`, IPT with pill placebo is `PLACEBO_IPT`, a psychotherapy on
    top of usual care is that psychotherapy, two psychotherapies are `OTHER_PSYCHOTHERAPY`. Words in brackets
    do not count unless they add a treatment ("ipt (plus sertraline)").

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
    (<Arm.IPT: 'ipt'>, <Arm.IPT_MEDICATION: 'ipt_medication'>)
    >>> arm_of("metacognitive interpersonal therapy")
    <Arm.OTHER_PSYCHOTHERAPY: 'other_psychotherapy'>
    """
    if not isinstance(text, str):
        return None
    whole = bare(text)
    if whole in ARM_NAMES:
        return ARM_NAMES[whole]
    # In brackets a treatment may be added ("ipt (plus sertraline)"); "(MIT)" is a name, no German "with".
    opened = _OPENED.sub(r" \1", whole)
    outside = re.sub(r"\([^)]*\)", " ", opened)
    parts = [part.strip() for part in _AND.split(outside)]
    arms = [_one_arm(part) for part in parts]
    if not arms or None in arms:
        return None
    return _together({arm for arm in arms if arm is not None})


def study_arm_of(text: object) -> Arm | None:
    """Recognise what an arm gets, in the coarser classes of study tables.

    Meta-analyses ask for combined treatment as one class, whichever psychotherapy is in it, and hold an
    attention control for one of the other controls: IPT with medication is `COMBINATION` here (never IPT).

    Parameters
    ----------
    text : object
        As for `arm_of`.

    Returns
    -------
    Arm or None

    Examples
    --------
    >>> study_arm_of("ipt + ssri"), study_arm_of("attention control")
    (<Arm.COMBINATION: 'combination'>, <Arm.OTHER_CONTROL: 'other_control'>)
    """
    arm = arm_of(text)
    return None if arm is None else _STUDY_CLASS.get(arm, arm)


def _together(arms: set[Arm]) -> Arm | None:
    if len(arms) == 1:
        return next(iter(arms))
    therapies, others = arms & _PSYCHOTHERAPIES, arms - _PSYCHOTHERAPIES
    if len(therapies) > 1 and not others - {Arm.USUAL_CARE}:
        return Arm.OTHER_PSYCHOTHERAPY
    if therapies and Arm.MEDICATION in others and others <= {Arm.MEDICATION, Arm.USUAL_CARE}:
        return Arm.IPT_MEDICATION if therapies == {Arm.IPT} else Arm.COMBINATION
    if len(therapies) == 1 and others == {Arm.USUAL_CARE}:
        return next(iter(therapies))
    if therapies == {Arm.IPT} and others == {Arm.PLACEBO}:
        return Arm.PLACEBO_IPT
    return None


def _one_arm(text: str) -> Arm | None:
    name = re.sub(r"\s+", " ", text).strip()
    if name in ARM_NAMES:
        return ARM_NAMES[name]
    return ARM_NAMES.get(re.sub(r"\s+", " ", _DELIVERY.sub(" ", name)).strip())
