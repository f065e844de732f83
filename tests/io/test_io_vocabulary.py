"""Arms, problem areas and events by the names found in practice."""

import math

import pytest

from ipt_outcomes.vocabulary import Arm, ProblemArea, arm_of, event_of, label


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
        ("ipt + ssri", Arm.COMBINATION),
        ("ipt + other pha", Arm.COMBINATION),
        ("IPT (plus sertraline)", Arm.COMBINATION),
        ("sup + tca", Arm.COMBINATION),
        ("ipt + pla", Arm.IPT_PLACEBO),
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


def test_codes_are_those_decided():
    assert [area.value for area in ProblemArea] == [
        "grief",
        "role_dispute",
        "role_transition",
        "interpersonal_deficits",
        "none_set",
    ]
    assert next(iter(Arm)) == "waitlist"
    assert list(Arm)[-1] == "ipt"


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
