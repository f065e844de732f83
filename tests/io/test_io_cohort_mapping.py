"""Mappings of patient files: every fault said at once, TOML that reads back, the shipped ones sound."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.errors import OptionError
from ipt_outcomes.io import CohortMapping, read_cohort_mapping, read_mapping
from ipt_outcomes.io.toml_text import shipped_mappings

FULL = """
table = "cohort"
left_out = ["phealth", "odd \\"name\\""]
varies = ["site"]

[columns]
patient_id = ["site", "id"]
arm = "group"
problem_area = "area"
site = "site"

[constants]
indication = "mdd"

[baseline]
gad7 = "gad0"

[codes.arm]
1 = "medication"
"2 " = "TAU"

[visits]
baseline = 0
month_6 = 26

[wide.madrs]
baseline = "m1"
month_6 = "m2"

[missing]
"*" = { "999" = "not answered" }
m2 = { "-9" = "not done" }

[duplicates]
rule = "mean"

[areas]
set = "before"

[covariates]
endogenous = "endog"

[exclude.arm]
9 = "withdrew before allocation"
"""


def test_a_full_mapping_reads_back_as_it_was(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text(FULL, encoding="utf-8")
    plan = read_cohort_mapping(path)
    assert plan.columns["patient_id"] == ("site", "id")
    assert plan.visits["month_6"] == 26.0
    assert plan.codes_of("arm") == {"1": "medication", "2": "TAU"}
    assert plan.exclusions_of("arm") == {"9": "withdrew before allocation"}
    assert plan.left_out == ("phealth", 'odd "name"')
    assert (plan.duplicates, plan.areas, plan.varies) == ("mean", "before", ("site",))
    again = tomllib.loads(plan.to_toml())
    assert read_cohort_mapping(again) == plan
    assert read_cohort_mapping(plan.to_dict()) == plan
    assert read_cohort_mapping(plan) is plan


def test_a_plain_dict_names_columns_and_may_hold_tables():
    plan = read_cohort_mapping({"patient_id": ["a", "b"], "hamd17": "h", "left_out": ["x"], "visits": {"v": 1}})
    assert plan.columns == {"patient_id": ("a", "b"), "hamd17": "h"}
    assert plan.left_out == ("x",)
    assert [(t.kind, t.name) for t, _ in plan.targets()] == [("field", "patient_id"), ("total", "hrsd17")]


def test_none_is_the_empty_mapping():
    assert read_cohort_mapping(None) == CohortMapping()
    assert CohortMapping().to_toml() == 'table = "cohort"\n'


def test_all_faults_are_listed_at_once():
    with pytest.raises(OptionError) as caught:
        read_cohort_mapping(
            {
                "columns": {"patientid": "x", "phq": "y", "week": ["a", "b"], "bdi2": "q", "BDI-II": "z"},
                "constants": {"arm": "iptt", "patient_id": "1"},
                "baseline": {"phq": "b"},
                "codes": {"arm": {"1": "iptt", "": "ipt"}, "nothing here": {"1": "a"}},
                "visits": {"baseline": "zero"},
                "wide": {"madrs": {"post": "m"}},
                "missing": {"*": {" ": "blank"}},
                "duplicates": {"rule": "guess", "how": "x"},
                "areas": {"set": "yes"},
                "covariates": {"Bad Name": "c", "arm": "d"},
                "exclude": {"arm": {}},
                "colums": {},
            }
        )
    text = str(caught.value)
    for part in (
        "[colums] is no part of a mapping; near: columns",
        "[columns] patientid: neither a name of the dictionary nor an instrument; near: patient_id",
        "[columns] phq:",
        "[columns] week: only an id can be made of several columns",
        "[columns] BDI-II and bdi2 are the same name",
        "[constants] arm: 'iptt' is no code; near: ipt",
        "[constants] patient_id: must be a field",
        "[baseline] phq: no instrument has that name",
        "[codes.arm]: 'iptt' is no code",
        '[codes.arm]: "" stands for an empty cell',
        "[codes.nothing here]",
        "[visits] baseline must be a week",
        "[columns] week: a file with [wide] columns has no column of the time",
        "[visits] does not say the week of: post",
        '[missing] *: "" need not be declared',
        "[duplicates] rule 'guess' must be one of refuse, exact",
        "[duplicates] how: only rule",
        "[areas] set 'yes' must be",
        "[covariates] Bad Name: a name of small letters",
        "[covariates] arm: that is a name of the dictionary",
        "[exclude.arm] names no code",
    ):
        assert part in text, part


@pytest.mark.parametrize(
    ("raw", "part"),
    [
        ({"columns": "x"}, "[columns] must be a table"),
        ({"columns": {"arm": 3}}, "[columns] arm must be a column name"),
        ({"columns": {"arm": []}}, "[columns] arm must be a column name"),
        ({"left_out": "x"}, "left_out must be a list"),
        ({"left_out": [1]}, "left_out must be a list"),
        ({"varies": ["arm"]}, "varies must be a list of names"),
        ({"codes": {"arm": "x"}}, "[codes] arm: must be a table of lines"),
        ({"codes": {"arm": {"1": 2}}}, "[codes.arm] must hold texts"),
        ({"missing": {"*": {"999": ""}}}, "[missing.*] must hold texts"),
        ({"covariates": {"a": 1}}, "[covariates] a: a column name"),
        ({"table": "comparisons"}, 'table = "comparisons" is no mapping of a patient file'),
        ({"columns": {"arm": "x", "week": "x"}}, "source column 'x' is used for [columns] arm and [columns] week"),
        ({"patient_id": 5}, "patient_id stands outside a table"),
    ],
)
def test_wrong_shapes(raw, part):
    with pytest.raises(OptionError) as caught:
        read_cohort_mapping(raw)
    assert part in str(caught.value)


def test_an_id_may_share_its_column_with_the_site():
    plan = read_cohort_mapping({"patient_id": ["site", "id"], "site": "site"})
    assert plan.columns["site"] == "site"


def test_source_columns_that_are_not_there_are_named_with_near_ones():
    plan = read_cohort_mapping(
        {
            "patient_id": "ident",
            "left_out": ["aeg"],
            "missing": {"scor": {"9": "x"}},
            "exclude": {"nothing": {"1": "y"}},
        }
    )
    with pytest.raises(OptionError) as caught:
        plan.check(("id", "age", "score"), "file.csv")
    text = str(caught.value)
    assert "[columns] patient_id: the file has no column 'ident'" in text
    assert "left_out: the file has no column 'aeg'; near: age" in text
    assert "[missing] scor: the file has no column 'scor'; near: score" in text
    assert "[exclude.nothing]: neither a mapped name nor a column of the file" in text


@pytest.mark.parametrize("name", shipped_mappings(cohort=True))
def test_shipped_mappings_are_sound(name):
    plan = read_cohort_mapping(name)
    assert plan.columns
    assert read_cohort_mapping(tomllib.loads(plan.to_toml())) == plan
    with pytest.raises(OptionError, match="study table"):
        read_mapping({"table": "cohort", "columns": {}})


def test_a_missing_file_is_named_without_its_folder_and_mappings_of_patients_are_listed(tmp_path):
    with pytest.raises(OptionError) as caught:
        read_cohort_mapping(tmp_path / "smith" / "none.toml")
    text = str(caught.value)
    assert "there is no mapping file none.toml" in text
    assert "smith" not in text
    assert "ipt-trial" in text
    assert "metapsy" not in text


def test_study_mappings_list_only_their_own_kind():
    with pytest.raises(OptionError) as caught:
        read_mapping("no-such-mapping")
    assert "metapsy-total-response" in str(caught.value)
    assert "ipt-trial" not in str(caught.value)


def test_not_toml(tmp_path):
    path = tmp_path / "m.toml"
    path.write_text("columns = [", encoding="utf-8")
    with pytest.raises(OptionError, match="not valid TOML"):
        read_cohort_mapping(path)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip)


@given(st.lists(TEXT, unique=True, max_size=4), st.dictionaries(TEXT.map(str.strip), TEXT, max_size=3))
def test_any_text_survives_toml(left_out, missing):
    plan = read_cohort_mapping({"left_out": left_out, "missing": {"*": missing} if missing else {}})
    assert read_cohort_mapping(tomllib.loads(plan.to_toml())) == plan
