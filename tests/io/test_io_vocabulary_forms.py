"""Forms of IPT in the names of arms, letters in doubt, and areas that are asked with the codes offered."""

from __future__ import annotations

import pandas as pd
import pytest

import ipt_outcomes as ipt
import ipt_outcomes.vocabulary as v
from ipt_outcomes.io import propose_mapping

FORMS = {
    "IPT-A": "ipt_a",
    "FB-IPT": "fb_ipt",
    "IPT-AST": "ipt_ast",
    "IPSRT": "ipsrt",
    "IPT-G": "ipt_g",
    "IPC": "ipc",
    "IPT-B": "ipt_b",
    "IPT-M": "ipt_m",
    "Interpersonal Psychotherapy for Depressed Adolescents (IPT-A)": "ipt_a",
    "Interpersonal counselling (IPC)": "ipc",
    "Family-based IPT": "fb_ipt",
    "IPT (group)": "ipt_g",
    "group IPT": "ipt_g",
}


@pytest.mark.parametrize(("text", "form"), list(FORMS.items()))
def test_a_form_of_ipt_is_the_arm_ipt_with_its_form(text, form):
    assert v.arm_of(text) is v.Arm.IPT
    assert v.adaptation_of(text) == form


@pytest.mark.parametrize(
    ("text", "arm", "form"),
    [
        ("IPSRT + lithium", v.Arm.IPT_MEDICATION, "ipsrt"),
        ("IPT-A + medication", v.Arm.IPT_MEDICATION, "ipt_a"),
        ("IPT-B + TAU", v.Arm.IPT, "ipt_b"),
    ],
)
def test_what_is_added_to_a_form_counts_for_the_arm(text, arm, form):
    assert v.arm_of(text) is arm
    assert v.adaptation_of(text) == form


@pytest.mark.parametrize(
    "text",
    ["IPT", "interpersonal psychotherapy", "MIT", "MIT-G", "metacognitive interpersonal therapy (MIT)",
     "metacognitive IPT", "TAU", "group CBT", "IPT-A/IPT-G", "", None, 3],
)  # fmt: skip
def test_no_form_is_guessed(text):
    assert v.adaptation_of(text) is None


def test_metacognitive_interpersonal_therapy_is_never_ipt():
    for text in ("metacognitive interpersonal therapy", "Metacognitive Interpersonal Psychotherapy", "MIT",
                 "metacognitive IPT", "metacognitive interpersonal therapy + sertraline"):  # fmt: skip
        arm = v.arm_of(text)
        assert arm is not None
        assert not arm.holds_ipt


@pytest.mark.parametrize(
    ("texts", "doubtful"),
    [
        (["H", "M"], {"h": "male", "m": "female"}),
        (["V", "M"], {"v": "female", "m": "male"}),
        (["M"], {"m": "male"}),
        (["F", "M"], {}),
        (["m", "w"], {}),
        (["Mujer", "H"], {"h": "male"}),
        (["male", "female"], {}),
    ],
)
def test_letters_in_doubt(texts, doubtful):
    assert v.doubtful_letters(texts) == doubtful


@pytest.mark.parametrize("letters", [("H", "M"), ("M", "M")])
def test_a_letter_in_doubt_is_asked(letters):
    table = pd.DataFrame({"id": ["a", "b"], "sexo": letters, "phq9_pre": [9, 18], "phq9_w8": [3, 9]})
    proposal = propose_mapping(table)
    assert "[codes.sex]" in proposal.undecided
    assert any("means different things in different languages" in told for told in proposal.decisions())


def test_the_form_is_kept_as_the_adaptation_of_the_episode():
    names = ["IPT-A", "FB-IPT", "IPT-AST", "IPSRT", "IPT-G", "IPC", "IPT", "TAU", "MIT"]
    people = [f"p{n:02d}" for n in range(4 * len(names))]
    table = pd.DataFrame({"id": people, "arm": names * 4, "phq9_pre": 12, "phq9_w8": 8})
    proposal = propose_mapping(table)
    assert proposal.undecided == ()
    codes = {code.written: code for code in proposal.codes}
    assert codes["IPSRT"].code == "ipt"
    assert "ipsrt, is kept as the adaptation" in codes["IPSRT"].why
    episodes = ipt.load_cohort(table, proposal.mapping).episodes.head(len(names))
    assert episodes["arm"].tolist() == ["ipt"] * 7 + ["usual_care", "other_psychotherapy"]
    forms = [None if pd.isna(form) else form for form in episodes["adaptation"]]
    assert forms == ["ipt_a", "fb_ipt", "ipt_ast", "ipsrt", "ipt_g", "ipc", None, None, None]


def test_a_column_of_the_form_goes_before_the_name_of_the_arm():
    table = pd.DataFrame({"id": ["a", "b"], "arm": ["IPT-A", "IPT-A"], "adaptation": ["ipt_b", "ipt_g"], "week": 0,
                          "phq9": [9, 8]})  # fmt: skip
    episodes = ipt.load_cohort(table, {"patient_id": "id"}).episodes
    assert episodes["adaptation"].tolist() == ["ipt_b", "ipt_g"]


def test_adjustment_difficulties_are_asked_with_the_areas_offered():
    areas = ["grief", "adjustment difficulties", "role dispute", "adjustment difficulties"]
    table = pd.DataFrame({"id": list("abcd"), "problem_area": areas, "phq9_pre": 12, "phq9_w8": 8})
    proposal = propose_mapping(table)
    assert "[codes.problem_area_primary]" in proposal.undecided
    told = next(one for one in proposal.decisions() if "adjustment difficulties" in one)
    for code in ("role_transition", "grief", "role_dispute", "interpersonal_deficits"):
        assert code in told
    with pytest.raises(ipt.IptError) as caught:
        ipt.load_cohort(table, {"columns": {"patient_id": "id"}, "wide": {"phq9": {"a": "phq9_pre", "b": "phq9_w8"}},
                                "visits": {"a": 0, "b": 8}})  # fmt: skip
    assert "role_transition, grief, role_dispute, interpersonal_deficits" in str(caught.value)


def test_unknown_codes_are_asked_with_the_nearest_known_ones():
    table = pd.DataFrame(
        {"id": list("abcd"), "arm": ["ipt", "waitlst", "ipt", "waitlst"], "phq9_pre": 12, "phq9_w8": 8}
    )
    told = " ".join(propose_mapping(table).decisions())
    assert "'waitlst'" in told
    assert "near: waitlist" in told
