"""Any table of patient data: the cells at fault are those that frictionless finds; null keys are found besides."""

import json

import pandas as pd
import pytest
from frictionless import Resource
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipt_outcomes.resources import shipped
from ipt_outcomes.schemas import load_schema, validate

TABLES = ("patients", "episodes", "sessions", "assessments", "goals", "arms")
PROFILE = "https://datapackage.org/profiles/2.0/dataresource.json"


def cells_of(entry):
    """Cells of a field: good ones, empty ones, and those of another kind."""
    if entry.enum:
        good = st.sampled_from(entry.enum)
    elif entry.type in ("number", "integer"):
        good = st.integers(-3, 130).map(str)
    else:
        good = st.sampled_from(["k1", "k2", "k3", "k4"])
    return st.one_of(good, good, good, st.sampled_from(["", "xx", "1.5", "-7", "9999"]))


@st.composite
def tables(draw, name):
    schema = load_schema(name)
    # Ranges of instruments and rules between columns are ours alone: frictionless knows neither.
    fields = [entry for entry in schema.fields if not entry.is_instrument and entry.range_of is None]
    chosen = [entry for entry in fields if entry.required] + draw(
        st.lists(st.sampled_from(fields), max_size=6, unique_by=lambda entry: entry.name)
    )
    chosen = list({entry.name: entry for entry in chosen}.values())
    size = draw(st.integers(1, 5))
    return pd.DataFrame({entry.name: [draw(cells_of(entry)) for _ in range(size)] for entry in chosen}, dtype="string")


def theirs(frame, name, folder):
    text = frame.to_csv(index=False)
    (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    raw = json.loads(shipped("data_schemas", f"{name}.json").read_text(encoding="utf-8"))
    by_name = {field["name"]: field for field in raw["fields"]}
    raw["fields"] = [by_name[column] for column in frame]
    raw.pop("foreignKeys", None)
    key = [column for column in raw.pop("primaryKey", []) if column in frame]
    if key and len(key) == len(load_schema(name).primary_key):
        raw["primaryKey"] = key
    resource = {"$schema": PROFILE, "name": name, "path": f"{name}.csv", "schema": raw}
    report = Resource.from_descriptor(resource, basepath=str(folder)).validate()
    cells = {(row, column) for row, column in report.flatten(["rowNumber", "fieldName"]) if column}
    twice = {row for row, kind in report.flatten(["rowNumber", "type"]) if kind == "primary-key"}
    return cells, twice


@pytest.mark.parametrize("name", TABLES)
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_frictionless_finds_the_same_cells(tmp_path, name, data):
    frame = data.draw(tables(name))
    # A line without any cell is no row to frictionless.
    frame = frame[frame.ne("").any(axis=1)].reset_index(drop=True)
    if frame.empty:
        return
    schema = load_schema(name)
    absent = [entry.name for entry in schema.fields if entry.required and entry.name not in frame]
    found = validate(frame.mask(frame == ""), schema)[1]
    rules = {rule.name for rule in schema.rules}
    found = found[~found["rule"].isin(rules) & ~found["column"].isin(absent)]
    cells, twice = theirs(frame, name, tmp_path)
    keys = found["rule"].eq("primaryKey")
    assert {(row, column) for row, column in found.loc[~keys, ["row", "column"]].values} == cells
    whole = set(found.loc[keys, "row"])
    # Of a key that is not there at all frictionless says "twice", we say "required".
    nulls = set(found.loc[found["rule"].isin(["required", "type"]), "row"])
    assert whole <= twice
    assert twice <= whole | nulls | set(found.loc[~keys & found["column"].isin(schema.primary_key), "row"])
