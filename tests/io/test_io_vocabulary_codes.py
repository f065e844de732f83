"""Problem areas and the other closed sets by the names found in practice; what is not known is never guessed."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipt_outcomes import vocabulary as v

KINDS = [
    v.Arm,
    v.ProblemArea,
    v.DisputeStage,
    v.Phase,
    v.Format,
    v.Adaptation,
    v.Population,
    v.Indication,
    v.Attendance,
    v.EndReason,
    v.Sex,
    v.Technique,
    v.ValueStatus,
]


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("grief", v.ProblemArea.GRIEF),
        ("complicated bereavement", v.ProblemArea.GRIEF),
        ("Grief and loss", v.ProblemArea.GRIEF),
        ("loss and grief", v.ProblemArea.GRIEF),
        ("grief/loss", v.ProblemArea.GRIEF),
        ("Grief (complicated bereavement)", v.ProblemArea.GRIEF),
        ("role_disputes", v.ProblemArea.ROLE_DISPUTE),
        ("Interpersonal Disputes", v.ProblemArea.ROLE_DISPUTE),
        ("relational conflict", v.ProblemArea.ROLE_DISPUTE),
        ("role-transitions", v.ProblemArea.ROLE_TRANSITION),
        ("life change", v.ProblemArea.ROLE_TRANSITION),
        ("Role transition (job loss)", v.ProblemArea.ROLE_TRANSITION),
        ("interpersonal deficit", v.ProblemArea.INTERPERSONAL_DEFICITS),
        ("interpersonal sensitivity", v.ProblemArea.INTERPERSONAL_DEFICITS),
        ("loneliness", v.ProblemArea.INTERPERSONAL_DEFICITS),
        ("social isolation", v.ProblemArea.INTERPERSONAL_DEFICITS),
        ("loneliness / social isolation", v.ProblemArea.INTERPERSONAL_DEFICITS),
        ("none", v.ProblemArea.NONE_SET),
        ("not set", v.ProblemArea.NONE_SET),
    ],
)
def test_areas(text, area):
    assert v.area_of(text) is area
    assert v.ambiguous_area(text) is None


@pytest.mark.parametrize("text", ["adjustment difficulties", "Adjustment", "adjustment problems", "life event"])
def test_an_ambiguous_area_is_asked_for(text):
    assert v.area_of(text) is None
    assert "say which code" in v.ambiguous_area(text)


@pytest.mark.parametrize("text", ["grief / role dispute", "role transition (grief)", "grief and isolation"])
def test_two_areas_are_not_one(text):
    assert v.area_of(text) is None
    assert "problem_area_secondary" in v.ambiguous_area(text)


@pytest.mark.parametrize("text", ["", "depression", "rd", "grief or depression", "NA", "1", None, math.nan, 3, True])
def test_what_is_no_area_is_not_guessed(text):
    assert v.area_of(text) is None
    assert v.ambiguous_area(text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Initial phase", v.Phase.INITIAL),
        ("ending", v.Phase.TERMINATION),
        ("No-show", v.Attendance.DNA),
        ("did not attend", v.Attendance.DNA),
        ("Cancelled by client", v.Attendance.CANCELLED_PATIENT),
        ("therapist cancelled", v.Attendance.CANCELLED_SERVICE),
        ("grp", v.Format.GROUP),
        ("Couple", v.Format.CONJOINT),
        ("older adults", v.Population.OLDER_ADULT),
        ("IPT-A", v.Adaptation.IPT_A),
        ("Major Depressive Disorder", v.Indication.MDD),
        ("lost to follow-up", v.EndReason.DROPOUT_UNREACHABLE),
        ("V", None),
        ("weiblich", v.Sex.FEMALE),
        ("woman", v.Sex.FEMALE),
    ],
)
def test_other_codes(text, code):
    kind = v.Sex if code is None else type(code)
    assert v.code_of(text, kind) is code


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("cancelled", v.Attendance),
        ("no", v.Attendance),
        ("dropout", v.EndReason),
        ("depression", v.Indication),
        ("2", v.Sex),
        (2, v.Sex),
        (None, v.Phase),
        ("phase 1", v.Phase),
    ],
)
def test_what_could_be_two_codes_is_left_to_the_user(text, kind):
    assert v.code_of(text, kind) is None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_code_recognises_itself_and_has_words(kind):
    for code in kind:
        assert v.code_of(code.value, kind) is code
        assert v.code_of(code.value.upper().replace("_", "-"), kind) is code
        assert "_" not in v.label(code)
        assert v.label(code.value)
    assert len({v.label(code) for code in kind}) == len(list(kind))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_name_stands_for_two_codes(kind):
    for name, code in v.names_of(kind).items():
        assert v.code_of(name, kind) == code


def test_a_code_of_two_sets_has_the_words_of_its_own():
    assert v.label(v.Arm.IPT) == v.label("ipt") == "interpersonal psychotherapy"
    assert v.label(v.Adaptation.IPT) == "standard IPT"


def test_who_dropped_out():
    assert {reason.value for reason in v.EndReason if reason.is_dropout} == {"dropout_choice", "dropout_unreachable"}


def test_near_names_are_for_messages_only():
    assert v.nearest("role dispte", v.ProblemArea) == ("role_dispute",)
    assert v.area_of("role dispte") is None
    assert v.nearest("medicaton", v.Arm)[0] == "medication"
    assert v.nearest(None, v.Arm) == ()


@settings(deadline=None)
@given(st.one_of(st.text(), st.none(), st.integers(), st.floats(), st.binary()), st.sampled_from(KINDS))
def test_nothing_is_raised_and_only_codes_come_out(text, kind):
    code = v.code_of(text, kind)
    assert code is None or isinstance(code, kind)
    assert all(near in list(kind) for near in v.nearest(text, kind))
    v.ambiguous_area(text)
