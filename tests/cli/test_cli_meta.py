"""Options of ``ipt-outcomes meta`` beyond the models: rows, profile, search, judgements, published numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import ipt_outcomes as ipt
from ipt_outcomes.cli import main
from ipt_outcomes.report.document import Picture


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes most of the time, and these tests do not look at a figure."""
    from ipt_outcomes.report.evidence import context, diagnostics, drawings

    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1" viewBox="0 0 1 1"/>'
    drawn = Picture(svg_wide=svg, svg_narrow=svg, png=b"", width_inches=7.2)
    for module in (context, diagnostics, drawings):
        monkeypatch.setattr(module, "picture", lambda draw, id: drawn)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    frame = ipt.simulate.studies().comparisons.drop(columns=["row"], errors="ignore")
    frame.to_csv(tmp_path / "studies.csv", index=False)
    frame.iloc[:-1].to_csv(tmp_path / "old.csv", index=False)
    return tmp_path / "studies.csv"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["meta", *map(str, arguments)])


def test_every_option_reaches_the_job_and_the_report(table: Path, tmp_path: Path) -> None:
    (tmp_path / "flow.toml").write_text('identified = 12\n[reasons]\n"no control" = 2\n', encoding="utf-8")
    (tmp_path / "grade.json").write_text('{"certainty": "low"}', encoding="utf-8")
    out = tmp_path / "out"
    result = run(
        table, "--out", out, "--format", "html", "--no-grid", "--profile", "metapsytools", "--control-rate", "0.3",
        "--years", "1950:", "--flow", tmp_path / "flow.toml", "--judgements", tmp_path / "grade.json",
        "--subgroups", "format,time", "--published", "--compare", tmp_path / "old.csv",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    analysis = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["analysis"]
    assert analysis["options"]["years"] == [1950.0, None]
    assert analysis["options"]["subgroups"] == ["format", "time"]
    assert analysis["options"]["profile"] == "metapsytools"
    assert analysis["options"]["grid"] is False
    assert analysis["flow"] == {"identified": 12, "excluded_full_text": 2, "reasons": {"no control": 2}}
    assert analysis["judgements"] == {"certainty": "low"}
    assert (analysis["published"], analysis["older"]) == (True, True)
    names = {row["analysis"] for row in json.loads((out / "results.json").read_text(encoding="utf-8"))}
    assert {"metapsytools", "search_flow", "regeneration", "version_numbers", "nnt"} <= names
    assert "specifications" not in names
    page = (out / "report.html").read_text(encoding="utf-8")
    for anchor in ("search-section", "published-section", "versions-section", "findings-section", "profile-table"):
        assert f'id="{anchor}"' in page


def test_priority_and_window_choose_rows(table: Path, tmp_path: Path) -> None:
    frame = ipt.simulate.studies().comparisons
    first = frame["instrument"].dropna().iloc[0]
    out = tmp_path / "out"
    result = run(table, "--out", out, "--format", "html", "--no-grid", "--priority", first)
    assert result.exit_code == 0, result.output
    rows = json.loads((out / "results.json").read_text(encoding="utf-8"))
    (kept,) = [row["value"] for row in rows if (row["analysis"], row["statistic"]) == ("row_choice", "kept")]
    assert kept == frame["study"].nunique()
    assert 'id="rows-left-out"' in (out / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--window", "abc"), "expected FROM:TO"),
        (("--window", "24:0"), "expected FROM:TO"),
        (("--years", ":"), "expected FROM:TO"),
        (("--priority", ","), "at least one name"),
        (("--control-rate", "1"), "control-rate"),
        (("--profile", "revman"), "metapsytools"),
        (("--flow", "nothing.toml"), "search figures in nothing.toml cannot be found"),
        (("--judgements", "nothing.toml"), "judgements in nothing.toml cannot be found"),
        (("--compare", "nothing.csv"), "nothing.csv"),
    ],
)
def test_wrong_options_are_refused_in_words(
    table: Path, tmp_path: Path, arguments: tuple[str, str], words: str
) -> None:
    result = run(table, "--out", tmp_path / "out", *arguments)
    assert result.exit_code != 0
    assert words in result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()


def test_a_judgement_that_is_none_is_refused(table: Path, tmp_path: Path) -> None:
    (tmp_path / "grade.toml").write_text('certainty = "rock solid"\n', encoding="utf-8")
    result = run(table, "--out", tmp_path / "out", "--judgements", tmp_path / "grade.toml", "--no-grid")
    assert result.exit_code != 0
    assert "certainty" in result.output
    assert not (tmp_path / "out").exists()
