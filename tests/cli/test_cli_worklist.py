"""The worklist of a clinic: written only where the user says, never into the report."""

from __future__ import annotations

import pandas as pd
from click.testing import CliRunner

from ipt_outcomes.cli import main
from ipt_outcomes.simulate.clinic_data import clinic_table


def test_the_worklist_is_a_file_of_its_own(tmp_path):
    source = tmp_path / "clinic.csv"
    clinic_table(120, seed=3).to_csv(source, index=False)
    target = tmp_path / "list.csv"
    arguments = [
        "clinic",
        str(source),
        "--out",
        str(tmp_path / "report"),
        "--format",
        "html",
        "--worklist",
        str(target),
    ]
    result = CliRunner().invoke(main, [*arguments, "--audience", "internal"])
    assert result.exit_code == 0, result.output
    rows = pd.read_csv(target)
    assert len(rows)
    # With the row of the file, its holder finds the person again.
    lines = pd.read_csv(source)
    first = lines.drop_duplicates("patient_id").index + 2
    assert set(rows["row"]) <= set(first)
    assert "Worklist (one row per person" in result.output
    for folder in (tmp_path / "report").rglob("*"):
        if folder.is_file():
            text = folder.read_bytes()
            assert not any(key.encode() in text for key in rows["patient_id"])


def test_another_ending_is_refused_and_nothing_is_written(tmp_path):
    source = tmp_path / "clinic.csv"
    clinic_table(60, seed=3).to_csv(source, index=False)
    result = CliRunner().invoke(
        main, ["clinic", str(source), "--out", str(tmp_path / "report"), "--worklist", str(tmp_path / "list.txt")]
    )
    assert result.exit_code != 0
    assert ".csv or .xlsx" in result.output
    assert not (tmp_path / "list.txt").exists()
