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


def lines_of(output: str) -> list[str]:
    # The command to run next is never wrapped: it is there to be copied.
    return [line for line in output.splitlines() if not line.startswith("Next: ")]


def test_questions_come_first_and_nothing_is_wider_than_a_screen(files):
    output = run("map", files / "odd.csv").output
    assert output.index("To decide") < output.index("\nColumns")
    assert output.index("  1. ") < output.index("\nColumns")
    assert max(len(line) for line in lines_of(output)) <= 80
    assert "1. " in output
    assert "[codes.arm]: what do '1', '2', '3', '4' stand for?" in " ".join(output.split())


def test_how_sure_and_why_is_told_for_each_column_once(files):
    output = run("map", files / "odd.csv").output
    table = output[output.index("\nColumns") :]
    for column in pd.read_csv(files / "odd.csv", nrows=0):
        assert sum(line.split()[:1] == [column] for line in table.splitlines()) == 1, column
    for state in ("sure", "likely", "guess", "to decide"):
        assert state in table


def test_wide_files_tell_a_repeated_reason_once(tmp_path):
    table = pd.DataFrame(
        {"id": ["a", "b"], **{f"Montgomery-Asberg Depression Rating Scale total week {n}": [9, 12] for n in range(6)}}
    )
    table.to_csv(tmp_path / "wide.csv", index=False)
    output = run("map", tmp_path / "wide.csv").output
    assert output.count("named MADRS") == 1
    assert max(len(line) for line in lines_of(output)) <= 80


def test_a_folder_goes_from_map_to_check(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    trial = trial_table()
    trial[["patient_id", "age", "sex"]].drop_duplicates().to_csv(folder / "people.csv", index=False)
    trial[["patient_id", "arm", "problem_area", "area_set_day"]].drop_duplicates().to_csv(
        folder / "episodes.csv", index=False
    )
    trial[["patient_id", "week", "phq9", "hrsd17"]].to_csv(folder / "scores.csv", index=False)
    for name in ("map.toml", "map.xlsx"):
        done = run("map", folder, "-o", tmp_path / name)
        assert done.exit_code == 0, done.output
        assert "a folder of 3 tables" in " ".join(done.output.split())
        assert "Columns of people.csv (table patients):" in done.output
        checked = run("check", folder, "--mapping", tmp_path / name)
        assert checked.exit_code == 0, checked.output
        assert "240 people" in checked.output


def test_a_folder_of_the_dictionary_needs_no_mapping(tmp_path):
    import ipt_outcomes as ipt

    ipt.load_cohort(trial_table()).save(tmp_path / "saved", rows_for="own_team")
    done = run("map", tmp_path / "saved", "-o", tmp_path / "map.toml")
    assert done.exit_code == 0, done.output
    assert "without a mapping" in " ".join(done.output.split())
    assert not (tmp_path / "map.toml").exists()
    assert run("check", tmp_path / "saved").exit_code == 0


def test_json_holds_what_is_printed(files, tmp_path):
    import json

    done = run("map", files / "odd.csv", "--json", "-o", tmp_path / "map.toml")
    record = json.loads(done.output)
    assert {row["column"] for row in record["columns"]} == set(pd.read_csv(files / "odd.csv", nrows=0))
    assert record["undecided"] == tomllib.loads((tmp_path / "map.toml").read_text())["undecided"]
    assert record["decisions"]


def test_a_sheet_is_chosen_and_written_down(tmp_path):
    with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
        trial_table().to_excel(book, sheet_name="Daten", index=False)
        pd.DataFrame({"a": [1]}).to_excel(book, sheet_name="Notes", index=False)
    done = run("map", tmp_path / "book.xlsx", "--sheet", "Daten", "-o", tmp_path / "map.toml")
    assert done.exit_code == 0, done.output
    assert tomllib.loads((tmp_path / "map.toml").read_text())["sheet"] == "Daten"
    checked = run("check", tmp_path / "book.xlsx", "--mapping", tmp_path / "map.toml")
    assert checked.exit_code == 0, checked.output


def test_sheets_of_a_workbook_are_tables(tmp_path):
    trial = trial_table()
    with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
        trial[["patient_id", "age", "sex", "arm"]].drop_duplicates().to_excel(book, sheet_name="People", index=False)
        trial[["patient_id", "week", "phq9"]].to_excel(book, sheet_name="PHQ", index=False)
        pd.DataFrame({"remark": ["checked"]}).to_excel(book, sheet_name="Notes", index=False)
    done = run("map", tmp_path / "book.xlsx", "-o", tmp_path / "map.toml")
    assert done.exit_code == 0, done.output
    assert "a workbook of 2 tables" in " ".join(done.output.split())
    checked = run("check", tmp_path / "book.xlsx", "--mapping", tmp_path / "map.toml")
    assert checked.exit_code == 0, checked.output
