"""The dictionary's files are Table Schema, and ours reads them as frictionless does."""

import pytest
from frictionless import Schema as Frictionless

from ipt_outcomes.errors import OptionError
from ipt_outcomes.resources import shipped
from ipt_outcomes.schemas import load_schema, schema_names


@pytest.mark.parametrize("name", schema_names())
def test_schema_file_is_valid_table_schema(name):
    path = shipped("data_schemas", f"{name}.json")
    assert Frictionless.validate_descriptor(str(path)).valid


@pytest.mark.parametrize("name", schema_names())
def test_schema_agrees_with_frictionless(name):
    theirs = Frictionless.from_descriptor(str(shipped("data_schemas", f"{name}.json")))
    ours = load_schema(name)
    assert list(ours.names) == [field.name for field in theirs.fields]
    assert len(set(ours.names)) == len(ours.names)
    for mine, other in zip(ours.fields, theirs.fields, strict=True):
        assert mine.type == other.type
        assert mine.required == other.required
        assert mine.exclusive_minimum == other.constraints.get("exclusiveMinimum")
        assert mine.title
        assert mine.description.endswith(".")


def test_rules_name_columns_of_the_table():
    schema = load_schema("comparisons")
    for rule in schema.rules:
        assert rule.left in schema
        assert rule.right in schema


def test_aliases_are_no_dictionary_names_and_not_shared():
    schema = load_schema("comparisons")
    seen = [alias.name for field in schema.fields for alias in field.aliases]
    assert len(seen) == len(set(seen))
    assert not set(seen) & set(schema.names)


def test_only_study_is_required():
    assert [field.name for field in load_schema("comparisons").fields if field.required] == ["study"]


def test_unknown_table_lists_those_there_are():
    with pytest.raises(OptionError, match="comparisons"):
        load_schema("comparison")


def test_near_names():
    assert "condition_arm1" in load_schema("comparisons").near("condition_arm_1")
