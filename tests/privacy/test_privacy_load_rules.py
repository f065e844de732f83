"""Each rule of the load gate by its id: what it refuses, changes or warns of, and that sound data pass it."""

import numpy as np
import pandas as pd
import pytest

from ipt_outcomes.errors import DataError, IptError
from ipt_outcomes.io import load_cohort
from ipt_outcomes.privacy.gate import RULES
from ipt_outcomes.privacy.keys import read_as_missing

GOOD = pd.DataFrame(
    {
        "patient_id": np.repeat([f"Wilhelmina-{n}" for n in range(12)], 2),
        "week": [0, 8] * 12,
        "arm": np.repeat(["IPT", "TAU"], 12),
        "phq9": [18, 9, 21, 20] * 6,
    }
)


def with_first(column, value, frame=GOOD, rest="ipt"):
    cells = list(frame[column]) if column in frame else [rest] * len(frame)
    return frame.assign(**{column: [value, *cells[1:]]})


def whole_column(**columns):
    return GOOD.assign(**columns)


TWICE = pd.concat([GOOD, GOOD.head(1).assign(phq9=1)], ignore_index=True)
# Rule, what it is about, the data, the mapping, a part of what is said.
REFUSED = [
    ("L1", "unknown column", whole_column(shoe_size=41), None, "not in the data dictionary (L1): shoe_size"),
    ("L2", "date of birth", whole_column(dob=1), None, "dob: the heading promises a date of birth (L2)"),
    ("L2", "another language", whole_column(Nachname="x"), None, "Nachname: the heading promises a name (L2)"),
    ("L3", "e-mail", with_first("stratum", "w@example.org"), None, "an e-mail address in 1 cell (L3)"),
    ("L3", "telephone", with_first("stratum", "+44 20 7946 0958"), None, "a telephone number in 1 cell (L3)"),
    ("L3", "date in text", with_first("stratum", "4 March 1931"), None, "a full date in 1 cell (L3)"),
    ("L4", "long text", with_first("education", "x" * 41), None, "text longer than 40 characters in 1 cell (L4)"),
    ("L4", "variety", whole_column(education=np.repeat([f"word {c}" for c in "abcdefghijkl"], 2)), None, "free text"),
    ("L5", "dates as text", whole_column(seen="2020-01-31"), None, "dates are not read (L5)"),
    ("L5", "dates by type", whole_column(seen=pd.Timestamp("2020-01-31")), None, "dates are not read (L5)"),
    ("L7", "no US code", whole_column(zip="D-10115"), {"covariates": {"zip3": "zip"}}, "no US ZIP code (L7)"),
    ("L11", "score out of range", with_first("phq9", 28), None, "phq9: outside 0-27 in 1 of 24 rows"),
    ("L11", "code nobody knows", with_first("arm", "yoga and tea"), None, "arm"),
    ("L12", "two scores at one time", TWICE, None, "1 person has different values at the same time"),
    ("L12", "no id", with_first("patient_id", None), None, "patient_id: no person's id in 1 of 24 rows"),
    ("L12", "blank id", with_first("patient_id", "  "), None, "patient_id: no person's id in 1 of 24 rows"),
    ("L12", "word for no id", with_first("patient_id", "NA"), None, "a word for a missing id (such as NA or null)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "frame", "mapping", "part"),
    [(rule, frame, mapping, part) for rule, _, frame, mapping, part in REFUSED],
    ids=[f"{rule}-{what}" for rule, what, *_ in REFUSED],
)
def test_what_each_rule_refuses(rule, frame, mapping, part):
    with pytest.raises(DataError) as caught:
        load_cohort(frame, mapping)
    text = str(caught.value)
    assert part in text
    assert caught.value.hint
    for secret in ("Wilhelmina", "example.org", "7946", "1931", "10115", "word a"):
        assert secret not in text
    assert rule in RULES


DONE = [
    ("L1", "left out", whole_column(shoe_size=41), {"left_out": ["shoe_size"]}, "shoe_size"),
    ("L2", "left out", whole_column(dob=1), {"left_out": ["dob"]}, "dob"),
    ("L5", "changed", GOOD.drop(columns="week").assign(
        begun="31.01.2020", seen=["31.01.2020", "27.03.2020"] * 12),
     {"dates": {"start": "begun", "order": "dmy", "day": "seen"}}, "seen"),
    ("L6", "changed", whole_column(age=[93, 93] + [40] * 22), None, "age"),
    ("L7", "changed", whole_column(zip="10025"), {"covariates": {"zip3": "zip"}}, "zip"),
    ("L8", "changed", GOOD, None, "patient_id"),
    ("L9", "warned", whole_column(sex=["f", "f"] + ["m"] * 22), None, "sex"),
    ("L11", "changed", whole_column(phq9=[-9, 9, 21, 20] * 6), {"missing": {"phq9": {"-9": "not answered"}}}, "phq9"),
    ("L12", "changed", TWICE, {"duplicates": {"rule": "first"}}, "phq9"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "action", "frame", "mapping", "column"), DONE, ids=[f"{rule}-{action}" for rule, action, *_ in DONE]
)
def test_what_each_rule_changes_or_warns_of(rule, action, frame, mapping, column):
    gate = load_cohort(frame, mapping).gate
    mine = [entry for entry in gate.entries if entry.rule == rule]
    assert mine
    assert action in {entry.action for entry in mine}
    assert any(column in entry.column for entry in mine)
    assert gate.checks().set_index("rule").loc[rule, "outcome"] != "passed"
    for entry in mine:
        assert entry.detail
        assert "Wilhelmina" not in entry.detail


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "trial.csv"
    GOOD.to_csv(path, index=False)
    return path


def test_l10_the_name_of_the_file(tmp_path):
    path = tmp_path / "w@example.org.csv"
    GOOD.to_csv(path, index=False)
    (entry,) = [entry for entry in load_cohort(path).gate.entries if entry.rule == "L10"]
    assert entry.action == "warned"
    assert "example" not in entry.detail


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"expect_rows": 25}, "trial.csv has 24 rows of data, 25 were expected"),
        ({"sha256": "ab" * 32}, "trial.csv is not the file expected"),
    ],
)
def test_l13_another_file_than_expected(file, options, part):
    with pytest.raises(IptError) as caught:
        load_cohort(file, **options)
    assert part in caught.value.message


def test_l13_letters_that_had_to_be_guessed(tmp_path):
    path = tmp_path / "trial.csv"
    path.write_bytes(GOOD.assign(stratum="männlich").to_csv(index=False).encode("windows-1252"))
    (entry,) = [entry for entry in load_cohort(path).gate.entries if entry.rule == "L13"]
    assert entry.action == "warned"
    assert "windows-1252" in entry.detail


def test_l14_a_file_that_breaks_its_reader(tmp_path):
    path = tmp_path / "trial.sav"
    path.write_bytes(b"$FL2" + bytes(300))
    with pytest.raises(DataError, match="could not be read safely"):
        load_cohort(path)


def test_sound_data_pass_every_rule_that_has_something_to_look_at(tmp_path):
    path = tmp_path / "trial.csv"
    GOOD.assign(age=40, sex="f").to_csv(path, index=False)
    gate = load_cohort(path).gate
    outcome = gate.checks().set_index("rule")["outcome"].to_dict()
    assert outcome.pop("L8") == "changed"
    assert outcome.pop("L7") == "nothing to check"
    assert set(outcome.values()) == {"passed"}
    assert list(RULES) == [f"L{number}" for number in range(1, 15)]


def test_every_rule_has_a_test_here():
    named = {rule for rule, *_ in (*REFUSED, *DONE)} | {"L10", "L13", "L14"}
    assert named == set(RULES)


@pytest.mark.parametrize("word", ["NA", "n/a", "null", "NULL", "nan", "None", "#N/A", "<NA>", "?", "-", " na "])
def test_words_that_stand_where_an_id_is_missing(word):
    assert read_as_missing([word, "P1"]).tolist() == [True, False]
    with pytest.raises(DataError, match="a word for a missing id"):
        load_cohort(with_first("patient_id", word))


def test_ids_of_other_words_are_ids():
    assert not read_as_missing(["NA1", "Nan-7", "0", "nobody", "x"]).any()


def test_ids_are_said_in_words():
    gate = load_cohort(GOOD.assign(therapist=np.repeat(["a", "b"], 12))).gate
    assert [entry.detail for entry in gate.entries if entry.rule == "L8"] == [
        "patient_id: the ids of 12 people were replaced by random keys; no list of them is kept",
        "therapist: the ids of 2 therapists were replaced by random keys; no list of them is kept",
    ]
    one = load_cohort(GOOD.head(2)).gate
    assert [entry.detail for entry in one.entries if entry.rule == "L8"] == [
        "patient_id: the id of 1 person was replaced by random keys; no list of them is kept"
    ]


def test_people_who_stand_out_are_counted_in_words():
    frame = GOOD.assign(sex=["f", "f"] + ["m"] * 22)
    (entry,) = [entry for entry in load_cohort(frame).gate.entries if entry.rule == "L9"]
    told = "1 person shares sex with fewer than 4 others, 1 with nobody (k = 1): rows of persons must not be passed on"
    assert entry.detail == told
    (entry,) = [e for e in load_cohort(frame.assign(sex=["f"] * 6 + ["m"] * 18)).gate.entries if e.rule == "L9"]
    assert entry.detail.startswith("3 people share sex with fewer than 4 others, 0 with nobody (k = 3)")
