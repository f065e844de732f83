"""``ipt-outcomes instruments``: the registry with its marks; ``--sheet`` of the commands that read data."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner

from ipt_outcomes.cli import main
from ipt_outcomes.instruments import instrument, instruments
from ipt_outcomes.instruments.listing import as_record, registry_table


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def test_every_instrument_stands_in_the_list_with_its_marks():
    result = run("instruments")
    assert result.exit_code == 0
    lines = {line.split()[0]: line for line in result.stdout.splitlines() if line.strip()}
    assert set(instruments()) <= set(lines)
    assert ">= 10 " in lines["phq9"]
    assert "<= 7*" in lines["hrsd17"]
    assert "higher" in lines["who5"]
    assert "* a default, not confirmed in a source" in result.stdout


def test_the_list_as_json_holds_what_the_registry_holds():
    record = json.loads(run("instruments", "--json").stdout)
    assert [entry["name"] for entry in record] == list(instruments())
    one = next(entry for entry in record if entry["name"] == "core10")
    assert one == json.loads(json.dumps(as_record(instrument("core10"))))
    assert one["confirmed"]["caseness_min"] == "default"
    assert next(entry for entry in record if entry["name"] == "phq9")["confirmed"]["caseness_min"] == "confirmed"


@pytest.mark.parametrize("name", instruments())
def test_marks_are_those_of_the_instrument(name):
    known, row = instrument(name), registry_table().set_index("name").loc[name]
    for field, column in (("remission_max", "remission"), ("reliable_change", "reliable_change")):
        assert row[column].endswith("*") == bool(getattr(known, field) is not None and known.doubts(field))
        assert (row[column] == "-") == (getattr(known, field) is None)


def test_one_instrument_in_full_and_as_json():
    assert run("instruments", "PHQ-9").stdout.strip() == instrument("phq9").describe()
    assert json.loads(run("instruments", "PHQ-9", "--json").stdout)["sources"] == list(instrument("phq9").sources)
    wrong = run("instruments", "phq-99")
    assert wrong.exit_code == 2
    assert "Near: phq2, phq9" in wrong.stderr


def test_what_a_mapping_sets_is_marked(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text(
        'table = "cohort"\n[columns]\npatient_id = "id"\n[instruments.phq9]\ncutoff = 12\nsource = "our study"\n',
        encoding="utf-8",
    )
    line = next(line for line in run("instruments", "--mapping", path).stdout.splitlines() if line.startswith("phq9"))
    assert ">= 12+" in line
    one = run("instruments", "phq9", "--mapping", path)
    assert "a total of 12 or more (set by the user: our study)" in one.stdout
    record = json.loads(run("instruments", "phq9", "--mapping", path, "--json").stdout)
    assert record["confirmed"]["caseness_min"] == "user"
    assert record["overrides"] == [{"field": "caseness_min", "before": 10.0, "source": "our study"}]


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "two.xlsx"
    with pd.ExcelWriter(path) as writer:
        pd.DataFrame({"patient_id": ["a", "a", "b"], "week": [0, 8, 0], "phq9": [18, 9, 20]}).to_excel(
            writer, sheet_name="scores", index=False
        )
        pd.DataFrame({"study": ["A", "B"], "g": [0.5, 0.2], "v": [0.04, 0.09]}).to_excel(
            writer, sheet_name="studies", index=False
        )
    return path


def test_check_asks_which_sheet_and_takes_it(book):
    asked = run("check", book)
    assert asked.exit_code == 1
    assert "sheet 1: 4 rows, 3 columns; sheet 2: 3 rows, 3 columns" in asked.stderr.replace("\n", " ")
    patients = run("check", book, "--sheet", "scores")
    assert patients.exit_code == 0, patients.output
    assert "people: 2" in patients.stdout
    studies = run("check", book, "--sheet", 2)
    assert studies.exit_code == 0, studies.output
    assert "2 rows of 2 studies" in studies.stdout


def test_a_report_remembers_the_sheet(book, tmp_path):
    out = tmp_path / "report"
    made = run("clinic", book, "--sheet", "scores", "--out", out, "--format", "html", "--audience", "internal")
    assert made.exit_code == 0, made.output
    assert '"sheet": "scores"' in (out / "manifest.json").read_text(encoding="utf-8")
    again = run("verify", out, "--data", book)
    assert again.exit_code == 0, again.output


def test_check_of_studies_lists_what_the_standard_asks_and_what_looks_wrong(tmp_path):
    path = tmp_path / "s.csv"
    pd.DataFrame({"study": ["A", "A"], "instrument": ["BDI", "bdi "], "g": [0.5, 0.2], "v": [0.1, 0.1]}).to_csv(
        path, index=False
    )
    plain = run("check", path)
    assert plain.exit_code == 0
    assert "Columns of the Metapsy standard that are not there: condition_arm1, " in plain.stdout
    assert plain.stdout.count('instrument is spelled in more than one way: "BDI" and "bdi "') == 1
    record = json.loads(run("check", path, "--json").stdout)
    assert [line["row"] for line in record["check"] if line["check"] == "names"] == [2, 3]
    pd.DataFrame({"study": ["A"], "g": [0.5], "v": [-1]}).to_csv(path, index=False)
    refused = run("check", path, "--json")
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["refused"] is True
