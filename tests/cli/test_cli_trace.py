"""``ipt-outcomes trace`` and ``verify --since`` as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ipt_outcomes.cli import main
from ipt_outcomes.report import Document, Heading, Paragraph, write_report
from ipt_outcomes.results import Results, ResultsBuilder
from ipt_outcomes.tables import Value


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def results(estimate: float) -> Results:
    build = ResultsBuilder()
    build.add("pooled", "estimate", estimate, unit="g", method="REML", n=12)
    return build.build()


def report(out: Path, estimate: float = 0.4) -> Path:
    blocks = (Heading("Result", "result"), Paragraph(("g = ", Value("pooled.estimate"))))
    document = Document(title="IPT", subtitle="", blocks=blocks, results=results(estimate))
    write_report(document, out, formats=("html",), analysis={"job": "meta", "options": {}})
    return out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return report(tmp_path / "one")


def test_trace_prints_what_is_known(folder: Path) -> None:
    done = run("trace", folder, "pooled.estimate")
    assert done.exit_code == 0, done.output
    for words in ("Value: 0.4\n", "Method: REML", "n: 12", "report.html: 1 time"):
        assert words in done.output


def test_trace_as_json(folder: Path) -> None:
    done = run("trace", folder, "pooled.estimate", "--json")
    assert done.exit_code == 0
    said = json.loads(done.stdout)
    assert (said["id"], said["value"], said["n"], said["changed"]) == ("pooled.estimate", 0.4, 12, [])


def test_trace_of_an_unknown_id_is_wrong_usage(folder: Path) -> None:
    done = run("trace", folder, "pooled.estimte")
    assert done.exit_code == 2
    assert "Nearest: pooled.estimate." in done.stderr


def test_trace_of_a_changed_folder_exits_1(folder: Path) -> None:
    (folder / "more.txt").write_text("x")
    done = run("trace", folder, "pooled.estimate")
    assert done.exit_code == 1
    assert "more.txt: extra" in done.output


def test_verify_since_says_what_changed_and_exits_0(folder: Path, tmp_path: Path) -> None:
    newer = report(tmp_path / "two", 0.45)
    done = run("verify", newer, "--since", folder)
    assert done.exit_code == 0, done.output
    assert "1 changed, 0 new, 0 gone and 0 the same" in done.output
    assert "pooled.estimate: 0.4 → 0.45 g, difference 0.05" in done.output
    assert run("verify", newer, "--since", tmp_path / "none").exit_code == 2


def test_verify_since_stops_at_a_changed_report(folder: Path, tmp_path: Path) -> None:
    newer = report(tmp_path / "two")
    (newer / "results.json").write_text("[]")
    done = run("verify", newer, "--since", folder)
    assert done.exit_code == 1
    assert "Numbers since" not in done.output
    again = run("verify", folder, "--since", newer)
    assert again.exit_code == 1
    assert "results.json of the older report is not as made" in again.stderr
