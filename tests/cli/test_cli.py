"""The command line: what it prints, what it writes, how it refuses."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

import ipt_outcomes as ipt
from ipt_outcomes.cli import main


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def refused(result: Result, code: int = 1) -> str:
    """The message of a refusal: one, on stderr, without a traceback."""
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    assert result.stderr.count("Error:") == 1
    return result.stderr


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A study table on disk."""
    path = tmp_path / "studies.csv"
    ipt.simulate.studies(10).comparisons.drop(columns="row").to_csv(path, index=False)
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own to work in."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_meta_makes_a_report_and_says_where(table: Path, here: Path) -> None:
    result = run("meta", table, "--where", "condition_arm1=ipt", "--by", "condition_arm2", "--format", "html")
    assert result.exit_code == 0, result.output
    folder = here / "ipt-reports" / "meta-001"
    assert str(folder.relative_to(here)) in result.output
    made = {"report.html", "results.json", "results.parquet", "manifest.json"}
    assert {path.name for path in folder.iterdir()} == made
    assert "Pooled standardised mean difference" in result.output
    assert run("meta", table, "--format", "html").exit_code == 0
    assert (here / "ipt-reports" / "meta-002").is_dir()


def test_meta_writes_every_format(table: Path, here: Path) -> None:
    assert run("meta", table, "--out", "all", "--format", "html,pdf,docx,xlsx").exit_code == 0
    assert {path.suffix for path in (here / "all").iterdir()} == {
        ".html",
        ".pdf",
        ".docx",
        ".xlsx",
        ".json",
        ".parquet",
    }


def test_meta_prints_json(table: Path, here: Path) -> None:
    result = run("meta", table, "--json", "--format", "html")
    rows = json.loads(result.stdout)["results"]
    assert any(row["analysis"] == "combined" and row["statistic"] == "estimate" for row in rows)


def test_several_files_are_several_comparisons(table: Path, here: Path) -> None:
    other = table.with_name("other.csv")
    other.write_bytes(table.read_bytes())
    result = run("meta", table, other, "--name", "First", "--name", "Second", "--out", "both", "--format", "html")
    assert result.exit_code == 0, result.output
    rows = json.loads((here / "both" / "results.json").read_text())
    assert {row["groups"].get("comparison") for row in rows} == {"First", "Second"}


def test_options_reach_the_analysis_and_the_manifest(table: Path, here: Path) -> None:
    arguments = ("--rho", "0.3", "--tau2", "dl", "--test", "z", "--audience", "board", "--out", "x", "--format", "html")
    assert run("meta", table, *arguments).exit_code == 0
    manifest = json.loads((here / "x" / "manifest.json").read_text())
    options = manifest["analysis"]["options"]
    assert manifest["audience"] == "board"
    assert (options["rho"], options["tau2"], options["test"]) == (0.3, "DL", "z")


def test_verify_sees_a_changed_byte_and_a_changed_number(table: Path, here: Path) -> None:
    assert run("meta", table, "--out", "r", "--format", "html").exit_code == 0
    assert run("verify", "r").exit_code == 0
    again = run("verify", "r", "--data", table)
    assert again.exit_code == 0
    assert "every number is the same" in again.output

    frame = pd.read_csv(table)
    rows = frame.index[frame["mean_arm1"].notna() & frame["sd_arm1"].notna()]
    frame.loc[rows[0], "mean_arm1"] += 1
    frame.to_csv(table, index=False)
    changed = run("verify", "r", "--data", table)
    assert changed.exit_code == 1
    assert "combined" in changed.output

    page = here / "r" / "report.html"
    page.write_bytes(page.read_bytes().replace(b"0.", b"1.", 1))
    assert run("verify", "r").exit_code == 1


def test_check_says_what_is_valid_what_looks_wrong_and_what_gives_no_effect(table: Path) -> None:
    result = run("check", table)
    assert result.exit_code == 0, result.output
    assert "every cell valid" in result.output
    assert "control group" in result.output
    assert "sd_arm1, sd_arm2 missing" in result.output


def test_check_prints_the_whole_failure_table_and_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("study,mean_arm1,sd_arm1,n_arm1,event_arm1,totaln_arm1\nA,1,x,0,9,5\nB,2,-1,10,1,5\n")
    result = run("check", path, "-o", tmp_path / "faults.csv")
    message = refused(result)
    for word in ("sd_arm1", "n_arm1", "event_arm1"):
        assert word in message
    faults = pd.read_csv(tmp_path / "faults.csv")
    assert len(faults) == 4
    assert set(faults["row"]) == {2, 3}


def test_schema_lists_tables_and_columns() -> None:
    assert "comparisons" in run("schema").output
    assert "mean_arm1" in run("schema", "comparisons").output
    assert "comparisons" in refused(run("schema", "nothing"), 2)


def test_render_runs_a_spec(table: Path, here: Path) -> None:
    spec = table.with_name("spec.toml")
    spec.write_text('job = "meta"\nfiles = ["studies.csv"]\ntitle = "A title of ours"\n[options]\nrho = 0.5\n')
    result = run("render", spec, "--out", "spec", "--format", "html")
    assert result.exit_code == 0, result.output
    assert "A title of ours" in (here / "spec" / "report.html").read_text()
    spec.write_text('job = "meta"\nfiles = ["studies.csv"]\n[options]\nrhoo = 0.5\n')
    assert "rho" in refused(run("render", spec, "--out", "other"), 2)


def test_the_shipped_spec_is_valid(table: Path, here: Path) -> None:
    from ipt_outcomes.resources import shipped

    spec = table.with_name("meta.toml")
    spec.write_bytes(shipped("reports", "meta.toml").read_bytes())
    assert run("render", spec, "--out", "shipped", "--format", "html").exit_code == 0


NOTHING_TO_COMPUTE = {
    "missing": (None, "no"),
    "empty": (b"", "empty"),
    "header only": (b"study,mean_arm1\n", "row"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(200), "text"),
    "binary": (bytes(range(256)) * 4, ""),
    "no study column": (b"x,y\n1,2\n", "study"),
    "without SDs": (
        b"study,instrument,mean_arm1,n_arm1,mean_arm2,n_arm2\nA,bdi-2,10,20,12,20\nB,bdi-2,9,20,12,20\n",
        "sd_arm1",
    ),
    "n of 0": (
        b"study,instrument,mean_arm1,sd_arm1,n_arm1,mean_arm2,sd_arm2,n_arm2\nA,bdi-2,10,5,0,12,5,20\n",
        "n_arm1, row 2",
    ),
    "no direction": (
        b"study,instrument,mean_arm1,sd_arm1,n_arm1,mean_arm2,sd_arm2,n_arm2\nA,ours,10,5,20,12,5,20\n",
        "--better",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NOTHING_TO_COMPUTE)
def test_bad_input_is_one_message_and_nothing_written(name: str, tmp_path: Path, here: Path) -> None:
    content, words = NOTHING_TO_COMPUTE[name]
    path = tmp_path / "input.csv"
    if content is not None:
        path.write_bytes(content)
    message = refused(run("meta", path))
    assert words in message
    assert list(here.iterdir()) == []


def test_a_folder_and_filtered_away_rows_and_wrong_columns(table: Path, here: Path) -> None:
    assert "folder" in refused(run("meta", table.parent))
    message = refused(run("meta", table, "--where", "condition_arm1=cbt"))
    assert "ipt" in message
    assert "condition_arm1" in refused(run("meta", table, "--where", "condition_arm=ipt"))
    assert "condition_arm2" in refused(run("meta", table, "--by", "comparator"), 2)
    assert list(here.iterdir()) == []


def test_one_study_and_a_moderator_with_one_level_make_a_report_that_says_it(tmp_path: Path, here: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text(
        "study,condition_arm1,condition_arm2,instrument,mean_arm1,sd_arm1,n_arm1,mean_arm2,sd_arm2,n_arm2\n"
        "A,ipt,cau,bdi-2,10,5,20,12,5,20\n"
    )
    result = run("meta", path, "--out", "one")
    assert result.exit_code == 0, result.output
    page = (here / "one" / "report.html").read_text()
    assert "nothing is pooled" in page
    assert "nothing to compare" in page


def test_wrong_usage_is_exit_2_and_says_what_is_allowed(table: Path, here: Path) -> None:
    assert "html, pdf, docx" in refused(run("meta", table, "--format", "odt"), 2)
    assert "g, OR, RR, RD" in refused(run("meta", table, "--measure", "d"), 2)
    assert "COLUMN=VALUE" in refused(run("meta", table, "--where", "ipt"), 2)
    assert "mapping" in refused(run("meta", table, "--mapping", "none.toml"), 2)
    (here / "full").mkdir()
    (here / "full" / "mine.txt").write_text("keep")
    assert "never written over" in refused(run("meta", table, "--out", "full"), 2)
    assert [path.name for path in (here / "full").iterdir()] == ["mine.txt"]


def test_no_format_is_half_written_when_a_writer_fails(
    table: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ipt_outcomes.errors import IptError
    from ipt_outcomes.report import folder

    def fail(document: object) -> bytes:
        raise IptError("the disk is on fire")

    monkeypatch.setitem(folder._WRITERS, "docx", fail)
    assert "on fire" in refused(run("meta", table, "--out", "half"))
    assert list(here.iterdir()) == []


def test_help_of_every_command_names_its_options() -> None:
    for command in ("demo", "trial", "clinic", "meta", "check", "verify", "schema", "instruments", "render"):
        result = run(command, "--help")
        assert result.exit_code == 0
        assert "Usage" in result.output


def test_the_demo_is_byte_equal_in_two_folders(tmp_path: Path) -> None:
    """Two fresh processes with different hash seeds: nothing may depend on order in memory."""
    folders = []
    for seed in ("1", "2"):
        out = tmp_path / seed / "demo"
        command = [sys.executable, "-c", "from ipt_outcomes.cli import main; main()", "demo", "--out", str(out)]
        done = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": seed}, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "Simulated" in done.stdout
        folders.append(out)
    tables = {"trial": "simulated_trial.csv", "clinic": "simulated_clinic.csv", "meta": "simulated_studies.csv"}
    assert sorted(path.name for path in folders[0].iterdir()) == sorted(tables)
    for job, table in tables.items():
        names = sorted(path.name for path in (folders[0] / job).iterdir())
        results = ["results.json", "results.parquet"]
        assert names == sorted(["manifest.json", "report.docx", "report.html", "report.pdf", *results, table])
        for name in names:
            assert (folders[0] / job / name).read_bytes() == (folders[1] / job / name).read_bytes(), name
        assert run("verify", folders[0] / job, "--data", folders[0] / job / table).exit_code == 0
        assert "imulated" in (folders[0] / job / "report.html").read_text()
        assert json.loads((folders[0] / job / "manifest.json").read_text())["simulated"]


def test_heavy_libraries_stay_out_of_import_and_help() -> None:
    code = (
        "import sys, ipt_outcomes, ipt_outcomes.cli\n"
        "heavy = {'numpy', 'pandas', 'scipy', 'matplotlib', 'statsmodels', 'typst', 'docx', 'jinja2', 'pyarrow'}\n"
        "found = heavy & set(sys.modules)\n"
        "assert not found, found"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_value_with_a_comma_stands_in_quotes(table: Path, here: Path) -> None:
    frame = pd.read_csv(table)
    frame["study"] = frame["study"].str.replace(" trial ", ", ")
    frame.to_csv(table, index=False)
    result = run("meta", table, "--where", 'study="Simulated, 01","Simulated, 03"', "--format", "html")
    assert result.exit_code == 0, result.output
    assert "2 studies" in result.output


@pytest.mark.parametrize(
    "options",
    [
        ("--level", "0.9"),
        ("--convention", "metafor"),
        ("--zero-cells", "treatment-arm"),
        ("--towards", "none"),
        ("--low-risk-above", "3"),
        ("--tau2", "common"),
        ("--test", "knapp-hartung-adhoc"),
        ("--by", "format"),
        ("--measure", "g,OR,RD"),
    ],
    ids=lambda options: options[0],
)
def test_every_option_makes_a_report_that_can_be_run_again(table: Path, here: Path, options: tuple[str, ...]) -> None:
    result = run("meta", table, *options, "--out", "x", "--format", "html")
    assert result.exit_code == 0, result.output
    assert run("verify", "x", "--data", table).exit_code == 0


def test_another_level_is_another_level_everywhere(table: Path, here: Path) -> None:
    assert run("meta", table, "--level", "0.9", "--out", "x", "--format", "html").exit_code == 0
    page = (here / "x" / "report.html").read_text()
    assert "90% CI" in page
    assert not re.search(r"95% (CI|PI|conf|pred)", page)


def test_a_file_may_have_a_name_that_other_systems_forbid(table: Path, here: Path) -> None:
    odd = table.with_name(".a:b.csv")
    odd.write_bytes(table.read_bytes())
    assert run("meta", odd, "--out", "x", "--format", "html").exit_code == 0
    assert json.loads((here / "x" / "manifest.json").read_text())["inputs"][0]["name"] == "a_b.csv"


def test_verify_names_a_file_that_is_not_the_one_of_the_report(table: Path, here: Path) -> None:
    frame = pd.DataFrame(
        {
            "study": ["A", "B"], "condition_arm1": ["ipt"] * 2, "condition_arm2": ["cau"] * 2, "event": ["good"] * 2,
            "event_arm1": [12, 13], "totaln_arm1": [30, 30], "event_arm2": [6, 7], "totaln_arm2": [30, 30],
        }
    )  # fmt: skip
    frame.to_csv(table, index=False)
    assert run("meta", table, "--measure", "OR", "--out", "x", "--format", "html").exit_code == 0
    assert "SHA-256" not in run("verify", "x", "--data", table).output
    # The same counts with the opposite meaning turn the conclusion, not the odds ratio.
    frame.assign(event="bad").to_csv(table, index=False)
    result = run("verify", "x", "--data", table)
    assert result.exit_code == 1
    assert "is not the file the report was made from" in result.output
