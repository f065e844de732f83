"""``ipt-outcomes check``: the whole table, counted by kind, and as JSON."""

from __future__ import annotations

import json

import pandas as pd
from click.testing import CliRunner

from ipt_outcomes.cli.data import check

TABLE = pd.DataFrame({"patient_id": ["a", "a", "b", "b"], "week": [0, 8, 0, 8], "phq9": [18, 31, 40, 20], "sex": "f"})


def run(path, *options):
    return CliRunner().invoke(check, [str(path), *options])


def test_a_refused_file_as_json(tmp_path):
    path = tmp_path / "t.csv"
    TABLE.to_csv(path, index=False)
    result = run(path, "--json")
    assert result.exit_code == 1
    record = json.loads(result.stdout)
    assert record["refused"] is True
    assert [(line["column"], line["rule"], line["count"]) for line in record["summary"]] == [("phq9", "range", 2)]
    assert [(line["row"], line["found"]) for line in record["failures"]] == [(3, "31"), (4, "40")]
    plain = run(path)
    assert plain.exit_code == 1
    assert "2 faults of 1 kind" in plain.stderr
    assert plain.stdout == ""


def test_an_accepted_file_as_json(tmp_path):
    path = tmp_path / "t.csv"
    TABLE.assign(phq9=[18, 9, 21, 20]).to_csv(path, index=False)
    result = run(path, "--json")
    assert result.exit_code == 0
    record = json.loads(result.stdout)
    assert record["refused"] is False
    assert {"L13": "passed", "L8": "changed"}.items() <= {
        line["rule"]: line["outcome"] for line in record["checks"]
    }.items()
    assert record["flow"][0]["people"] == 2
    assert "patient_id" not in json.dumps(record["contents"])
