"""Arms and events by the names found in practice."""

import math

import pytest

from ipt_outcomes.vocabulary import Arm, ProblemArea, arm_of, event_of, label, study_arm_of


@pytest.mark.parametrize(
    ("text", "arm"),
    [
        ("ipt", Arm.IPT),
        ("IPT ", Arm.IPT),
        ("ipt (ipt)", Arm.IPT),
        ("Interpersonal Psychotherapy (IPT)", Arm.IPT),
        ("Interpersonal  Therapy", Arm.IPT),
        ("group IPT", Arm.IPT),
        ("IPT-G", Arm.IPT),
        ("ipt + cau", Arm.IPT),
        ("ipt + ssri", Arm.IPT_MEDICATION),
        ("ipt + other pha", Arm.IPT_MEDICATION),
        ("IPT (plus sertraline)", Arm.IPT_MEDICATION),
        ("sertraline + IPT", Arm.IPT_MEDICATION),
        ("cbt + ssri", Arm.COMBINATION),
        ("sup + tca", Arm.COMBINATION),
        ("ipt + pla", Arm.PLACEBO_IPT),
        ("Narrative Exposure Therapy (NET) + Interpersonal Psychotherapy (IPT)", Arm.OTHER_PSYCHOTHERAPY),
        ("Metacognitive interpersonal therapy", Arm.OTHER_PSYCHOTHERAPY),
        ("cbt (cognitive bibliotherapy)", Arm.CBT),
        ("Cognitive Behavior Therapy", Arm.CBT),
        ("wl", Arm.WAITLIST),
        ("wlc", Arm.WAITLIST),
        ("cau", Arm.USUAL_CARE),
        ("TAU", Arm.USUAL_CARE),
        ("other ctr", Arm.OTHER_CONTROL),
        ("Control", Arm.OTHER_CONTROL),
        ("pla", Arm.PLACEBO),
        ("pill placebo", Arm.PLACEBO),
        ("ssri", Arm.MEDICATION),
        ("mixed pha", Arm.MEDICATION),
        ("sup", Arm.SUPPORTIVE),
        ("dyn", Arm.OTHER_PSYCHOTHERAPY),
        ("usual_care", Arm.USUAL_CARE),
        ("TAU+", Arm.USUAL_CARE),
        ("adm", Arm.MEDICATION),
        ("attention control", Arm.ATTENTION_CONTROL),
        ("ipt_placebo", Arm.PLACEBO_IPT),
    ],
)
def test_arms(text, arm):
    assert arm_of(text) is arm


@pytest.mark.parametrize("text", ["", "script", "imipramine (no ipt)", "ipt + yoga", "not ipt", None, math.nan, 3])
def test_what_is_not_known_is_not_guessed(text):
    assert arm_of(text) is None


def test_every_code_recognises_itself_and_has_a_label():
    for arm in Arm:
        assert arm_of(arm.value) is arm
    for code in [*Arm, *ProblemArea]:
        assert "_" not in label(code)
    assert label("something else") == "something else"


@pytest.mark.parametrize("text", ["ipt + ssri", "IPT (plus sertraline)", "sup + tca", "ipt_medication", "combination"])
def test_study_tables_class_all_combined_treatment_as_one(text):
    assert study_arm_of(text) is Arm.COMBINATION


def test_study_tables_have_one_class_of_other_controls():
    assert study_arm_of("attention control") is study_arm_of("other ctr") is Arm.OTHER_CONTROL
    assert study_arm_of("ipt") is Arm.IPT
    assert study_arm_of("yoga") is None


def test_which_arms_hold_ipt():
    assert [arm.value for arm in Arm if arm.holds_ipt] == ["placebo_ipt", "ipt_medication", "ipt"]


def test_codes_are_those_decided():
    assert [area.value for area in ProblemArea] == [
        "grief",
        "role_dispute",
        "role_transition",
        "interpersonal_deficits",
        "none_set",
    ]
    order = "waitlist usual_care placebo attention_control other_control medication supportive cbt other_psychotherapy"
    assert [arm.value for arm in Arm] == [*order.split(), "combination", "placebo_ipt", "ipt_medication", "ipt"]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("response (50%)", "good"),
        ("Remission (cut-off, full)", "good"),
        ("recovered (ITT, end of treatment)", "good"),
        ("improvement", "good"),
        ("other dich (reduc score)", "good"),
        ("other dich (1 sd)", "good"),
        ("other dich (sign. change)", "good"),
        ("relapse", "bad"),
        ("recurrence", "bad"),
        ("reliable deterioration", "bad"),
        ("dropout", "bad"),
        ("non-responders", "bad"),
        ("nonresponse", "bad"),
        ("no remission", "bad"),
        ("relapse after remission", "bad"),
        ("no relapse", None),
        ("relapse-free", None),
        ("msd", None),
        ("change", None),
        ("other statistic", None),
        ("correspondence", None),
        (None, None),
        (math.nan, None),
    ],
)
def test_events(text, meaning):
    assert event_of(text) == meaning
