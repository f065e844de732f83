"""Codes by their names in German, Dutch, Spanish and Portuguese; look-alikes of IPT; adaptations."""

import pytest

from ipt_outcomes import vocabulary as v
from ipt_outcomes.vocabulary.languages import ambiguous_names, names_in_other_languages
from ipt_outcomes.vocabulary.spelling import bare

KINDS = [v.Arm, v.ProblemArea, v.Sex, v.Phase, v.Format, v.Attendance, v.EndReason, v.Population]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Warteliste", v.Arm.WAITLIST),
        ("Wartelisten-Kontrollgruppe", v.Arm.WAITLIST),
        ("Kontrollgruppe", v.Arm.OTHER_CONTROL),
        ("übliche Behandlung", v.Arm.USUAL_CARE),
        ("uebliche Behandlung", v.Arm.USUAL_CARE),
        ("Interpersonelle Psychotherapie", v.Arm.IPT),
        ("KVT", v.Arm.CBT),
        ("IPT mit Sertralin", v.Arm.IPT_MEDICATION),
        ("wachtlijst", v.Arm.WAITLIST),
        ("gebruikelijke zorg", v.Arm.USUAL_CARE),
        ("controlegroep", v.Arm.OTHER_CONTROL),
        ("interpersoonlijke psychotherapie", v.Arm.IPT),
        ("CGT", v.Arm.CBT),
        ("lista de espera", v.Arm.WAITLIST),
        ("Grupo control", v.Arm.OTHER_CONTROL),
        ("tratamiento habitual", v.Arm.USUAL_CARE),
        ("psicoterapia interpersonal", v.Arm.IPT),
        ("IPT + medicación", v.Arm.IPT_MEDICATION),
        ("TCC", v.Arm.CBT),
        ("tratamento usual", v.Arm.USUAL_CARE),
        ("grupo controle", v.Arm.OTHER_CONTROL),
        ("terapia interpessoal", v.Arm.IPT),
        ("medicação", v.Arm.MEDICATION),
        ("Trauer", v.ProblemArea.GRIEF),
        ("Trauer und Verlust", v.ProblemArea.GRIEF),
        ("Rollenkonflikt", v.ProblemArea.ROLE_DISPUTE),
        ("Rollenübergang", v.ProblemArea.ROLE_TRANSITION),
        ("soziale Isolation", v.ProblemArea.INTERPERSONAL_DEFICITS),
        ("Einsamkeit / soziale Isolation", v.ProblemArea.INTERPERSONAL_DEFICITS),
        ("rouw", v.ProblemArea.GRIEF),
        ("rolovergang", v.ProblemArea.ROLE_TRANSITION),
        ("interpersoonlijk conflict", v.ProblemArea.ROLE_DISPUTE),
        ("eenzaamheid", v.ProblemArea.INTERPERSONAL_DEFICITS),
        ("duelo", v.ProblemArea.GRIEF),
        ("transición de rol", v.ProblemArea.ROLE_TRANSITION),
        ("disputas interpersonales", v.ProblemArea.ROLE_DISPUTE),
        ("déficits interpersonales", v.ProblemArea.INTERPERSONAL_DEFICITS),
        ("luto", v.ProblemArea.GRIEF),
        ("transição de papéis", v.ProblemArea.ROLE_TRANSITION),
        ("conflito interpessoal", v.ProblemArea.ROLE_DISPUTE),
        ("solidão", v.ProblemArea.INTERPERSONAL_DEFICITS),
        ("weiblich", v.Sex.FEMALE),
        ("männlich", v.Sex.MALE),
        ("vrouw", v.Sex.FEMALE),
        ("mujer", v.Sex.FEMALE),
        ("hombre", v.Sex.MALE),
        ("feminino", v.Sex.FEMALE),
        ("Anfangsphase", v.Phase.INITIAL),
        ("eindfase", v.Phase.TERMINATION),
        ("fase de mantenimiento", v.Phase.MAINTENANCE),
        ("Gruppentherapie", v.Format.GROUP),
        ("em grupo", v.Format.GROUP),
        ("nicht erschienen", v.Attendance.DNA),
        ("no asistió", v.Attendance.DNA),
        ("faltou", v.Attendance.DNA),
        ("abgeschlossen", v.EndReason.COMPLETED),
        ("verhuisd", v.EndReason.MOVED),
        ("Jugendliche", v.Population.ADOLESCENT),
    ],
)
def test_names_in_other_languages(text, code):
    assert v.code_of(text, type(code)) is code
    assert v.code_of(text.upper(), type(code)) is code


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("relational conflict", v.ProblemArea.ROLE_DISPUTE),
        ("role dispute", v.ProblemArea.ROLE_DISPUTE),
        ("loneliness/sensitivity", v.ProblemArea.INTERPERSONAL_DEFICITS),
        ("Loneliness & sensitivity", v.ProblemArea.INTERPERSONAL_DEFICITS),
        ("interpersonal sensitivity", v.ProblemArea.INTERPERSONAL_DEFICITS),
        ("complicated grief", v.ProblemArea.GRIEF),
        ("prolonged grief disorder", v.ProblemArea.GRIEF),
        ("life change", v.ProblemArea.ROLE_TRANSITION),
        ("life changes / role transition", v.ProblemArea.ROLE_TRANSITION),
    ],
)
def test_areas_as_clinics_write_them(text, area):
    assert v.area_of(text) is area


@pytest.mark.parametrize(
    "text",
    ["adjustment difficulties", "Anpassungsschwierigkeiten", "aanpassingsproblemen", "dificultades de adaptación",
     "dificuldades de adaptação", "grief / role dispute", "Trauer und Rollenwechsel"],
)  # fmt: skip
def test_what_lies_between_areas_is_asked(text):
    assert v.area_of(text) is None
    assert v.ambiguous_area(text)


@pytest.mark.parametrize(
    "text",
    ["metacognitive interpersonal therapy", "MIT", "Metacognitive Interpersonal Therapy (MIT)", "MIT-G",
     "psychodynamic interpersonal therapy", "dynamic interpersonal therapy", "DIT", "cognitive interpersonal therapy",
     "interpersonal reconstructive therapy", "terapia metacognitiva interpersonal", "CBASP"],
)  # fmt: skip
def test_look_alikes_are_not_ipt(text):
    assert v.arm_of(text) is v.Arm.OTHER_PSYCHOTHERAPY


@pytest.mark.parametrize(
    ("text", "code"),
    [("IPT-A", "ipt_a"), ("IPT-AST", "ipt_ast"), ("FB-IPT", "fb_ipt"), ("IPSRT", "ipsrt"), ("IPT-G", "ipt_g"),
     ("IPC", "ipc"), ("IPT-B", "ipt_b"), ("IPT-M", "ipt_m"), ("family-based interpersonal psychotherapy", "fb_ipt"),
     ("interpersonal counselling", "ipc"), ("adolescent skills training", "ipt_ast"),
     ("interpersonal and social rhythm therapy", "ipsrt"), ("standard IPT", "ipt")],
)  # fmt: skip
def test_adaptations(text, code):
    assert v.code_of(text, v.Adaptation) == code
    assert v.label(v.Adaptation(code))


@pytest.mark.parametrize("text", ["IPT-A", "IPT-AST", "FB-IPT", "IPSRT", "IPT-G", "IPC", "IPT-B", "IPT-M", "brief IPT"])
def test_an_arm_that_gets_an_adaptation_gets_ipt(text):
    assert v.arm_of(text) is v.Arm.IPT


def test_what_is_not_known_has_near_codes_and_is_not_guessed():
    for text, kind, near in (
        ("Wartelliste", v.Arm, "waitlist"),
        ("Rollenwechsl", v.ProblemArea, "role_transition"),
        ("ipt-astt", v.Adaptation, "ipt_ast"),
    ):
        assert v.code_of(text, kind) is None
        assert near in v.nearest(text, kind)


@pytest.mark.parametrize("letter", ["V", "H"])
def test_letters_that_differ_between_languages_are_not_guessed(letter):
    assert v.code_of(letter, v.Sex) is None


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_holds_codes_in_the_form_that_is_compared(kind):
    names = names_in_other_languages(kind.__name__)
    assert names
    for name, code in names.items():
        assert bare(name) == name
        assert v.code_of(name, kind) is not None, name
        assert code in {member.value for member in kind}


def test_no_ambiguous_name_is_an_alias():
    for name in ambiguous_names():
        assert v.area_of(name) is None
