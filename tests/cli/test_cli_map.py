"""The command `map`: a table with reasons, a file that waits for decisions, and the commands that then read it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner

from ipt_outcomes.cli import main
from ipt_outcomes.simulate import clinic_table, trial_table


def run(*args: object):
    return CliRunner().invoke(main, [str(arg) for arg in args])


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    trial_table().to_csv(folder / "trial.csv", index=False)
    clinic_table().to_csv(folder / "clinic.csv", index=False)
    table = trial_table().rename(
        columns={"patient_id": "pid", "arm": "gruppe", "problem_area": "fokus", "phq9": "phq", "hrsd17": "HAMD17_total"}
    )
    table["gruppe"] = table["gruppe"].map({"ipt": 1, "cbt": 2, "usual_care": 3, "medication": 4})
    table["shoe_size"] = 40
    table.to_csv(folder / "odd.csv", index=False)
    return folder


def test_it_prints_a_table_with_reasons_and_the_next_command(files):
    done = run("map", files / "odd.csv")
    assert done.exit_code == 0, done.output
    for text in ("how sure", "gruppe", "arm", "guess", "to decide", "shoe_size", "To decide", "Next: ipt-outcomes map"):
        assert text in done.output
    assert "\x1b[" not in done.output


def test_simulated_data_go_from_map_to_check_and_report(files, tmp_path):
    for name in ("trial", "clinic"):
        mapping = tmp_path / f"{name}.toml"
        done = run("map", files / f"{name}.csv", "-o", mapping)
        assert done.exit_code == 0, done.output
        assert f"check {files / f'{name}.csv'} --mapping {mapping}" in done.output
        assert tomllib.loads(mapping.read_text())["undecided"] == []
        assert run("check", files / f"{name}.csv", "--mapping", mapping).exit_code == 0
    report = run(
        "trial",
        files / "trial.csv",
        "--mapping",
        tmp_path / "trial.toml",
        "--out",
        tmp_path / "out",
        "--format",
        "html",
    )
    assert report.exit_code == 0, report.output


def test_nothing_is_loaded_before_the_decisions(files, tmp_path):
    mapping = tmp_path / "odd.toml"
    assert run("map", files / "odd.csv", "-o", mapping).exit_code == 0
    refused = run("check", files / "odd.csv", "--mapping", mapping)
    assert refused.exit_code == 2
    for text in ("not decided yet", "shoe_size", "phq", "[codes.arm]"):
        assert text in refused.output
    text = mapping.read_text()
    for written, code in (("1", "ipt"), ("2", "cbt"), ("3", "usual_care"), ("4", "medication")):
        text = text.replace(f'"{written}" = "?"', f'"{written}" = "{code}"')
    lines = text.splitlines(keepends=True)
    start, end = lines.index("undecided = [\n"), lines.index("]\n")
    text = "".join([*lines[:start], "undecided = []\n", *lines[end + 1 :]])
    mapping.write_text(text.replace("left_out = []", 'left_out = ["shoe_size"]'))
    done = run("check", files / "odd.csv", "--mapping", mapping)
    assert done.exit_code == 0, done.output
    report = run("trial", files / "odd.csv", "--mapping", mapping, "--out", tmp_path / "report", "--format", "html")
    assert report.exit_code == 0, report.output


def test_the_workbook_is_read_by_check_and_trial(files, tmp_path):
    mapping = tmp_path / "odd.xlsx"
    done = run("map", files / "odd.csv", "--leave-out-unknown", "-o", mapping)
    assert done.exit_code == 0, done.output
    assert run("check", files / "odd.csv", "--mapping", mapping).exit_code == 2
    book = openpyxl.load_workbook(mapping)
    arms = {"1": "ipt", "2": "cbt", "3": "usual_care", "4": "medication"}
    for sheet, place in (("columns", 4), ("codes", 4)):
        for row in book[sheet].iter_rows(min_row=2):
            if row[place].value == "guess":
                row[place].value = "decided"
            if sheet == "codes" and row[1].value == "arm":
                row[3].value = arms[row[2].value]
    decided = tmp_path / "decided.xlsx"
    book.save(decided)
    checked = run("check", files / "odd.csv", "--mapping", decided)
    assert checked.exit_code == 0, checked.output
    report = run("trial", files / "odd.csv", "--mapping", decided, "--out", tmp_path / "report", "--format", "html")
    assert report.exit_code == 0, report.output


def test_nothing_is_written_over(files, tmp_path):
    mapping = tmp_path / "map.toml"
    mapping.write_text("mine")
    refused = run("map", files / "trial.csv", "-o", mapping)
    assert refused.exit_code == 2
    assert mapping.read_text() == "mine"
    assert run("map", files / "trial.csv", "-o", tmp_path / "map.csv").exit_code == 2
    assert run("map", files / "trial.csv", "-o", tmp_path / "none" / "map.toml").exit_code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.toml"]


def test_a_file_that_cannot_be_read_is_one_message(tmp_path):
    (tmp_path / "bad.sav").write_bytes(b"$FL2 nothing")
    for name in ("bad.sav", "none.csv"):
        refused = run("map", tmp_path / name)
        assert refused.exit_code == 1
        assert "Traceback" not in refused.output


def test_a_table_of_studies_goes_to_check(tmp_path):
    table = pd.DataFrame({"studlab": ["A", "B"], "arm1": ["ipt"] * 2, "arm2": ["cau"] * 2, "m1": [9, 8], "sd1": [5, 5],
                          "n1": [30, 30], "m2": [12, 12], "sd2": [5, 5], "n2": [30, 30]})  # fmt: skip
    table.to_csv(tmp_path / "studies.csv", index=False)
    done = run("map", tmp_path / "studies.csv", "-o", tmp_path / "map.toml")
    assert done.exit_code == 0
    assert "a table of studies" in done.output
    checked = run("check", tmp_path / "studies.csv", "--mapping", tmp_path / "map.toml", "--better", "lower")
    assert checked.exit_code == 0, checked.output


def test_no_value_of_a_personal_column_is_printed(tmp_path):
    table = pd.DataFrame(
        {"id": [1, 2], "Surname": ["Weatherby", "Oyelaran"], "phq9": [4, 9], "dob": ["1980-02-03"] * 2}
    )
    table.to_csv(tmp_path / "people.csv", index=False)
    output = run("map", tmp_path / "people.csv").output
    assert "Surname" in output
    assert "Weatherby" not in output and "1980" not in output  # noqa: PT018
