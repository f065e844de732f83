"""Several tables at once: references, ranges per instrument, counts; frictionless as second opinion on a package."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from frictionless import Package

from ipt_outcomes.errors import OptionError
from ipt_outcomes.resources import shipped
from ipt_outcomes.schemas import check_tables, load_schema, schema_names, summarise

TEXTS = {
    "patients": "patient_id,sex,age\np1,female,40\np2,male,200\np2,female,30\n",
    "episodes": "episode_id,patient_id,arm,planned_sessions\ne1,p1,ipt,16\ne2,p9,iptt,0\n",
    "sessions": "episode_id,session_no,phase\ne1,1,initial\ne1,1,middle\ne9,2,ending\n",
    "assessments": (
        "assessment_id,episode_id,instrument,item,value\n1,e1,phq9,0,27\n2,e1,phq9,0,28\n3,e1,phq9,3,4\n"
        "4,e2,gad7,0,x\n4,e2,hrsd17,0,60\n5,e2,mood,0,3\n"
    ),
    "goals": "episode_id,goal,set_day,due_day,met\ne1,grief_reengagement,0,70,yes\ne1,happiness,9,8,soon\n",
    "arms": "study,arm,condition,n_randomised\nA,1,ipt,40\nA,1,tau,0\n",
}


def frame_of(text):
    lines = [line.split(",") for line in text.strip().splitlines()]
    frame = pd.DataFrame(lines[1:], columns=lines[0], dtype="string")
    return frame.mask(frame == "")


@pytest.fixture(scope="module")
def failures():
    return check_tables({name: frame_of(text) for name, text in TEXTS.items()})[1]


def test_every_fault_of_every_table(failures):
    found = list(failures[["table", "row", "column", "rule"]].itertuples(index=False, name=None))
    assert len(found) == len(EXPECTED)
    assert set(found) == set(EXPECTED)
    assert list(dict.fromkeys(failures["table"])) == list(TEXTS)


EXPECTED = [
    ("patients", 3, "age", "maximum"), ("patients", 4, "patient_id", "primaryKey"), ("episodes", 3, "arm", "enum"),
    ("episodes", 3, "planned_sessions", "minimum"), ("episodes", 3, "patient_id", "foreignKey"),
    ("sessions", 3, "session_no", "primaryKey"), ("sessions", 4, "phase", "enum"),
    ("sessions", 4, "episode_id", "foreignKey"), ("assessments", 3, "value", "range"),
    ("assessments", 4, "value", "range"), ("assessments", 5, "value", "type"),
    ("assessments", 6, "assessment_id", "primaryKey"), ("assessments", 6, "value", "range"),
    ("assessments", 7, "instrument", "instrument"), ("goals", 3, "set_day", "set before due"),
    ("goals", 3, "goal", "enum"), ("goals", 3, "met", "enum"), ("arms", 3, "arm", "primaryKey"),
    ("arms", 3, "condition", "enum"), ("arms", 3, "n_randomised", "minimum"),
]  # fmt: skip


def test_ranges_are_those_of_the_instrument_and_of_its_items(failures):
    told = failures.loc[failures["rule"].eq("range"), ["expected", "found"]].values.tolist()
    assert told == [["PHQ-9: 0 to 27", "28"], ["item of PHQ-9: 0 to 3", "4"], ["HRSD-17: 0 to 52", "60"]]


def test_faults_of_one_kind_are_counted(failures):
    kinds = summarise(failures)
    assert list(kinds.columns) == ["table", "column", "rule", "expected", "count", "rows"]
    assert int(kinds["count"].sum()) == len(failures)
    many = pd.DataFrame({"row": range(2, 40), "column": "a", "rule": "type", "expected": "a number", "found": ""})
    (line,) = summarise(many).to_dict("records")
    assert (line["count"], line["rows"]) == (38, "2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 28 more")


def test_frictionless_finds_the_same_cells_of_the_package(tmp_path, failures):
    """Its findings, but for ranges per instrument, names of instruments and rules between columns, which it has not."""
    resources = []
    for name, text in TEXTS.items():
        # Codes are compared in small letters by both; its own types need whole files of known columns.
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        schema = json.loads(shipped("data_schemas", f"{name}.json").read_text(encoding="utf-8"))
        order = text.splitlines()[0].split(",")
        schema["fields"] = sorted(
            (f for f in schema["fields"] if f["name"] in order), key=lambda f: order.index(f["name"])
        )
        names = set(order)
        schema["foreignKeys"] = [k for k in schema.get("foreignKeys", []) if set(k["fields"]) <= names]
        resources.append({"name": name, "type": "table", "path": f"{name}.csv", "schema": schema})
    report = Package.from_descriptor({"name": "x", "resources": resources}, basepath=str(tmp_path)).validate()
    theirs = {
        (task.name, row, field or kind)
        for task in report.tasks
        for row, field, kind in task.flatten(["rowNumber", "fieldName", "type"])
    }
    ours = {
        (f.table, f.row, {"primaryKey": "primary-key", "foreignKey": "foreign-key"}.get(f.rule, f.column))
        for f in failures.itertuples()
        if f.rule not in ("range", "instrument", "set before due")
    }
    assert ours == theirs


def test_every_schema_is_valid_for_frictionless():
    package = Package.from_descriptor(str(shipped("data_schemas", "datapackage.json")))
    assert {resource.name for resource in package.resources} == set(schema_names())
    for resource in package.resources:
        assert list(resource.schema.field_names) == list(load_schema(resource.name).names)


def test_goals_are_the_seven_objectives():
    assert load_schema("goals")["goal"].enum == (
        "symptoms_role_transition", "dispute_communication", "grief_reengagement", "isolation_contact",
        "postpartum_support", "relapse_prevention", "interpersonal_functioning", "other",
    )  # fmt: skip


def test_no_fault_and_no_such_table():
    typed, failures = check_tables({"patients": pd.DataFrame({"patient_id": ["a"]})})
    assert failures.empty
    assert list(failures.columns) == ["table", "row", "column", "rule", "expected", "found"]
    assert typed["patients"]["patient_id"].tolist() == ["a"]
    with pytest.raises(OptionError, match="Near: patients"):
        check_tables({"patient": pd.DataFrame({"patient_id": ["a"]})})
