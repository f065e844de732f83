"""The four tables of patient data: fields, codes, keys, references; frictionless as second opinion."""

import json

import numpy as np
import pandas as pd
import pytest
from frictionless import Package, Resource

from ipt_outcomes import vocabulary as v
from ipt_outcomes.resources import shipped
from ipt_outcomes.schemas import check_references, load_schema, schema_names, validate

TABLES = ("patients", "episodes", "sessions", "assessments", "goals", "arms")

# The data dictionary, as decided.
FIELDS = {
    "patients": "patient_id study_id site_id sex age_band age age_90_plus population education employment "
    "ethnicity_group imd_decile start_year",
    "episodes": "episode_id patient_id therapist_id site_id arm randomised indication diagnosis_code "
    "problem_area_primary problem_area_secondary dispute_stage format adaptation planned_sessions referral_day "
    "first_session_day end_day end_reason censor_reason medication_concurrent therapy_group_id cluster_id stratum "
    "area_set_day therapist_training caution_mania caution_psychosis caution_substance_dependence",
    "sessions": "episode_id session_no day week phase attended format minutes techniques adherence_scale "
    "adherence_score competence_score rater alliance_score patient_id",
    "assessments": "assessment_id episode_id instrument item visit session_no day week value value_status "
    "missing_reason mode blinded patient_id risk",
    "goals": "episode_id goal set_day due_day met met_day",
    "arms": "study arm condition n_randomised sessions format adaptation population indication country year "
    "rob_randomisation rob_deviations rob_missing rob_measurement rob_selection rob_overall",
}
ENUMS = {
    ("patients", "sex"): v.Sex,
    ("patients", "population"): v.Population,
    ("episodes", "arm"): v.Arm,
    ("episodes", "indication"): v.Indication,
    ("episodes", "problem_area_primary"): v.ProblemArea,
    ("episodes", "problem_area_secondary"): v.ProblemArea,
    ("episodes", "dispute_stage"): v.DisputeStage,
    ("episodes", "format"): v.Format,
    ("episodes", "adaptation"): v.Adaptation,
    ("episodes", "end_reason"): v.EndReason,
    ("episodes", "censor_reason"): v.EndReason,
    ("sessions", "phase"): v.Phase,
    ("sessions", "attended"): v.Attendance,
    ("sessions", "format"): v.Format,
    ("assessments", "value_status"): v.ValueStatus,
    ("arms", "condition"): v.Arm,
    ("arms", "format"): v.Format,
    ("arms", "adaptation"): v.Adaptation,
    ("arms", "population"): v.Population,
    ("arms", "indication"): v.Indication,
}


@pytest.mark.parametrize("name", TABLES)
def test_fields_are_those_decided(name):
    assert set(load_schema(name).names) == set(FIELDS[name].split())


@pytest.mark.parametrize(("place", "kind"), ENUMS.items(), ids=lambda entry: "-".join(entry) if entry in ENUMS else "")
def test_codes_are_those_of_the_vocabulary(place, kind):
    table, field = place
    assert load_schema(table)[field].enum == tuple(code.value for code in kind)


def test_techniques_are_listed():
    told = load_schema("sessions")["techniques"].description
    assert all(code.value in told for code in v.Technique)


@pytest.mark.parametrize(
    ("name", "key", "references"),
    [
        ("patients", ("patient_id",), set()),
        ("episodes", ("episode_id",), {"patients"}),
        ("sessions", ("episode_id", "session_no"), {"episodes", "patients"}),
        ("assessments", ("assessment_id",), {"episodes", "patients"}),
        ("goals", ("episode_id", "goal"), {"episodes"}),
        ("arms", ("study", "arm"), set()),
    ],
)
def test_keys(name, key, references):
    schema = load_schema(name)
    assert schema.primary_key == key
    assert all(schema[field].required for field in key)
    assert {entry.resource for entry in schema.foreign_keys} == references


@pytest.mark.parametrize("name", TABLES)
def test_aliases_are_no_dictionary_names_and_not_shared(name):
    schema = load_schema(name)
    seen = [alias.name for field in schema.fields for alias in field.aliases]
    assert len(seen) == len(set(seen))
    assert not set(seen) & set(schema.names)


def test_the_package_lists_every_table_and_is_no_table_itself():
    path = shipped("data_schemas", "datapackage.json")
    raw = json.loads(path.read_text(encoding="utf-8"))
    assert sorted(entry["name"] for entry in raw["resources"]) == list(schema_names())
    assert "datapackage" not in schema_names()
    package = Package.from_descriptor(str(path))
    assert [resource.schema.fields[0].name for resource in package.resources] == [
        load_schema(resource.name).names[0] for resource in package.resources
    ]


SESSIONS = """episode_id,session_no,day,week,attended,phase,minutes
E1,1,0,0,attended,initial,50
E1,2,7.5,1,attended,initial,0
E1,1,14,2,DNA,middle,50
,3,21,3,attended,middle,50
E2,,28,4,came,middle,50
E2,-1,x,4,attended,end,50
"""


def frame_of(text):
    lines = [line.split(",") for line in text.strip().splitlines()]
    frame = pd.DataFrame(lines[1:], columns=lines[0], dtype="string")
    return frame.mask(frame == "")


def test_finds_all_faults_with_file_rows():
    _, failures = validate(frame_of(SESSIONS), load_schema("sessions"))
    assert list(failures[["row", "column", "rule"]].itertuples(index=False, name=None)) == [
        (3, "day", "type"),
        (3, "minutes", "exclusiveMinimum"),
        (4, "session_no", "primaryKey"),
        (5, "episode_id", "required"),
        (6, "session_no", "required"),
        (6, "attended", "enum"),
        (7, "session_no", "minimum"),
        (7, "day", "type"),
        (7, "phase", "enum"),
    ]
    twice = failures[failures["rule"] == "primaryKey"].iloc[0]
    assert twice["found"] == "the same as in row 2"


def test_frictionless_finds_no_other_cells(tmp_path):
    text = SESSIONS.replace("DNA", "dna")
    (tmp_path / "sessions.csv").write_text(text, encoding="utf-8")
    raw = json.loads(shipped("data_schemas", "sessions.json").read_text(encoding="utf-8"))
    raw["fields"] = [field for field in raw["fields"] if field["name"] in text.splitlines()[0].split(",")]
    raw.pop("foreignKeys")
    profile = "https://datapackage.org/profiles/2.0/dataresource.json"
    resource = {"$schema": profile, "name": "sessions", "path": "sessions.csv", "schema": raw}
    order = text.splitlines()[0].split(",")
    raw["fields"].sort(key=lambda field: order.index(field["name"]))
    report = Resource.from_descriptor(resource, basepath=str(tmp_path)).validate()
    theirs = {(row, name) for row, name in report.flatten(["rowNumber", "fieldName"]) if name}
    keys = [row for row, kind in report.flatten(["rowNumber", "type"]) if kind == "primary-key"]
    _, failures = validate(frame_of(text), load_schema("sessions"))
    ours = {(row, name) for row, name, rule in failures[["row", "column", "rule"]].values if rule != "primaryKey"}
    assert ours == theirs
    # Its own check of keys: a repeated key is found by both.
    assert 4 in keys


def test_a_key_is_never_shown():
    frame = pd.DataFrame(
        {"patient_id": ["NHS 943 476 5919", "NHS 943 476 5919", None, " "], "age": ["200", "30", "x", "5"]}
    )
    _, failures = validate(frame, load_schema("patients"))
    assert failures[["row", "column", "rule", "found"]].values.tolist() == [
        [2, "age", "maximum", "not shown"],
        [3, "patient_id", "primaryKey", "the same as in row 2"],
        [4, "patient_id", "required", ""],
        [4, "age", "type", "not shown"],
        [5, "patient_id", "required", ""],
    ]
    assert "943" not in failures.to_csv()


def test_rules_between_days():
    frame = pd.DataFrame(
        {
            "episode_id": ["a", "b"],
            "patient_id": ["p", "p"],
            "referral_day": ["-20", "3"],
            "first_session_day": ["0", "0"],
        }
    )
    _, failures = validate(frame, load_schema("episodes"))
    assert failures[["row", "column"]].values.tolist() == [[3, "referral_day"]]


def test_references_that_point_nowhere():
    patients = pd.DataFrame({"patient_id": ["p", "q"]})
    episodes = pd.DataFrame({"episode_id": ["a", "b", "c"], "patient_id": ["p", "r", None]})
    sessions = pd.DataFrame({"episode_id": ["a", "z"], "session_no": [1.0, 1.0]})
    found = check_references({"patients": patients, "episodes": episodes, "sessions": sessions})
    assert found[["table", "row", "column", "rule"]].values.tolist() == [
        ["episodes", 3, "patient_id", "foreignKey"],
        ["sessions", 3, "episode_id", "foreignKey"],
    ]
    assert set(found["found"]) == {"not shown"}
    rows = {"episodes": np.array([10, 11, 12])}
    assert check_references({"patients": patients, "episodes": episodes}, rows=rows)["row"].tolist() == [11]
    assert check_references({"episodes": episodes}).empty


@pytest.mark.parametrize("day", ["-14", "0", "7"])
def test_whole_days_may_be_negative(day):
    frame = pd.DataFrame({"episode_id": ["a"], "session_no": ["1"], "day": [day]})
    typed, failures = validate(frame, load_schema("sessions"))
    assert failures.empty
    assert typed["day"].tolist() == [float(day)]


def test_days_given_as_numbers_must_be_whole_and_finite():
    frame = pd.DataFrame({"episode_id": list("abc"), "session_no": [1, 1, 1], "day": [1.0, 1.5, np.inf]})
    _, failures = validate(frame, load_schema("sessions"))
    assert failures[["row", "column", "rule"]].values.tolist() == [[3, "day", "type"], [4, "day", "type"]]


def test_personal_columns_are_told():
    assert [f.name for f in load_schema("patients").fields if f.privacy == "identifier"] == ["patient_id"]
    assert load_schema("episodes")["therapist_id"].privacy == "identifier"
    assert {"age", "sex", "site_id"} <= {
        f.name for f in load_schema("patients").fields if f.privacy == "quasi_identifier"
    }
