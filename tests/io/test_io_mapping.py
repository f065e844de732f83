"""Mappings: TOML and dict, all faults at once."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_outcomes.errors import OptionError
from ipt_outcomes.io import Mapping, read_mapping
from ipt_outcomes.io.toml_text import shipped_mappings

FULL = """
table = "comparisons"
left_out = ["notes"]
[columns]
study = "Trial"
condition_arm1 = "Therapy name"
".g" = "effect"
[constants]
better = "lower"
year = 2003
[codes.condition_arm1]
"Interpersonal Therapy" = "ipt"
"""


@pytest.mark.parametrize("name", shipped_mappings(cohort=False))
def test_shipped_mappings_are_sound(name):
    mapping = read_mapping(name)
    assert mapping.faults() == []
    assert tomllib.loads(mapping.to_toml())


def test_toml_and_dict_are_the_same(tmp_path):
    path = tmp_path / "m.toml"
    path.write_text(FULL, encoding="utf-8")
    from_file = read_mapping(path)
    assert from_file == read_mapping(str(path)) == read_mapping(tomllib.loads(FULL))
    assert from_file.columns[".g"] == "effect"
    assert from_file.constants == {"better": "lower", "year": 2003}
    assert from_file.left_out == ("notes",)
    assert read_mapping(from_file) is from_file


def test_short_form():
    assert read_mapping({"study": "Trial"}) == Mapping(columns={"study": "Trial"})
    assert read_mapping(None) == Mapping()


def test_round_trip():
    mapping = read_mapping(tomllib.loads(FULL))
    assert read_mapping(tomllib.loads(mapping.to_toml())) == mapping


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_any_source_name_survives_toml(name):
    mapping = Mapping(columns={"study": name})
    assert read_mapping(tomllib.loads(mapping.to_toml())).columns["study"] == name


def test_all_faults_at_once():
    wrong = {
        "columns": {"study": "s", "conditon_arm1": "a", "n_arm1": 3},
        "constants": {"study": "x", "sd_arm1": True},
        "codes": {"rating": {"a": 1}},
        "colums": {},
        "left_out": "note",
    }
    with pytest.raises(OptionError) as caught:
        read_mapping(wrong)
    message = str(caught.value)
    for part in (
        "'colums' is no part",
        "n_arm1 must be",
        "sd_arm1 must be",
        "codes.rating",
        "left_out must be",
    ):
        assert part in message
    with pytest.raises(OptionError) as caught:
        read_mapping({"columns": {"conditon_arm1": "a", "xyzzy": "b", "study": "c"}, "constants": {"study": "d"}})
    message = str(caught.value)
    assert "near: condition_arm1" in message
    assert "xyzzy" in message
    assert "study is in [columns] and in [constants]" in message


def test_against_a_file():
    mapping = Mapping(columns={"study": "Trail", "n_arm1": "n1", "n_arm2": "n1"}, left_out=("gone",))
    found = "\n".join(mapping.faults(("Trial", "n1")))
    assert "no column 'Trail'; near: Trial" in found
    assert "no column 'gone'" in found
    assert "'n1' is used for n_arm1 and n_arm2" in found


@pytest.mark.parametrize("source", ["no-such-mapping", "/no/such/file.toml", {"table": "cohort", "columns": {}}])
def test_what_is_not_there(source):
    with pytest.raises(OptionError):
        read_mapping(source)


def test_not_toml(tmp_path):
    path = tmp_path / "m.toml"
    path.write_text("study = Trial", encoding="utf-8")
    with pytest.raises(OptionError, match="not valid TOML"):
        read_mapping(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(OptionError, match="UTF-8"):
        read_mapping(path)
