"""Every study table there is: loaded, run through the battery, and through the command; the others refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import ipt_outcomes as ipt
from ipt_outcomes.cli import main
from ipt_outcomes.errors import DataError
from ipt_outcomes.evidence import EvidenceSynthesis, synthesise

pytestmark = pytest.mark.shared

RESPONSE = "metapsy-total-response"
# File below data/, how it is read, options of the battery, studies of its main analysis.
TABLES: dict[str, tuple[dict[str, Any], dict[str, Any], int]] = {
    "metapsy-depression-psyctr/data.csv": ({"condition_arm1": "ipt"}, {}, 31),
    "metapsy-depression-inpatients/data.csv": ({"condition_arm1": "ipt"}, {}, 1),
    "metapsy-total-response/data.csv": ({"condition_arm1": "ipt"}, {"measures": "RR", "mapping": RESPONSE}, 19),
    "ipt-evidence/ipt_vs_control.csv": ({}, {}, 31),
    "ipt-evidence/ipt_vs_control_all_outcomes.csv": ({}, {}, 34),
    "ipt-evidence/ipt_vs_control_other_populations.csv": ({}, {}, 5),
    "ipt-evidence/ipt_vs_cbt_and_other_psychotherapy.csv": ({}, {}, 8),
    "ipt-evidence/ipt_vs_medication.csv": ({}, {}, 14),
    "ipt-evidence/combination_vs_medication.csv": ({}, {"towards": "combination"}, 10),
    "ipt-evidence/combination_vs_ipt.csv": ({}, {"towards": "combination"}, 7),
    "ipt-evidence/ipt_placebo_and_other_pairings.csv": ({}, {}, 2),
    "ipt-evidence/ipt_response.csv": ({}, {"measures": "RR", "mapping": RESPONSE}, 19),
}
# Not comparisons of two arms: arms, contrasts of a network, published estimates, single facts.
OTHERS = (
    "maintenance_recurrence", "linde2016_full", "linde2016_ipt", "van_hees_2013_included", "published_pooled",
    "trial_facts", "ipt_vs_control_version_drift",
)  # fmt: skip


def synthesis_of(shared: Path, file: str) -> EvidenceSynthesis:
    where, options, _ = TABLES[file]
    options = dict(options)
    studies = ipt.load_studies(shared / "data" / file, mapping=options.pop("mapping", None))
    return synthesise(studies.where(**where) if where else studies, profile="metapsytools", **options)


@pytest.mark.parametrize("file", list(TABLES))
def test_every_table_runs_through_the_battery(shared: Path, file: str) -> None:
    synthesis = synthesis_of(shared, file)
    one = synthesis.batteries[0]
    assert one.combined.k == TABLES[file][2]
    assert one.combined.ci_low < one.combined.estimate < one.combined.ci_high
    table = one.to_frame()
    assert np.isfinite(table[["estimate", "ci_low", "ci_high"]].to_numpy(float)).all()
    assert len(one.study_effects.rows) + len(one.study_effects.not_computed) == len(synthesis.sources[one.name])
    assert one.findings is not None
    for record in table[table["analysis"] != "by_comparator"].to_dict("records"):
        groups = {"variable": record["variable"], "level": record["level"]} if record["variable"] else {}
        assert synthesis.results.find(record["analysis"], "estimate", groups).value is not None


def test_every_comparison_of_the_folder_is_here(shared: Path) -> None:
    there = {path.stem for path in (shared / "data" / "ipt-evidence").glob("*.csv")}
    listed = {Path(file).stem for file in TABLES if file.startswith("ipt-evidence")}
    assert there == listed | set(OTHERS)


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_comparison_is_refused_in_words(shared: Path, name: str) -> None:
    with pytest.raises(DataError) as caught:
        synthesise(ipt.load_studies(shared / "data" / "ipt-evidence" / f"{name}.csv"))
    assert caught.value.hint


@pytest.mark.parametrize("file", list(TABLES))
def test_the_command_makes_a_report_of_every_table(shared: Path, tmp_path: Path, file: str) -> None:
    where, options, studies = TABLES[file]
    out = tmp_path / "report"
    arguments = ["meta", str(shared / "data" / file), "--out", str(out), "--format", "html"]
    for column, value in where.items():
        arguments += ["--where", f"{column}={value}"]
    names = {"measures": "--measure", "mapping": "--mapping", "towards": "--towards"}
    for option, value in options.items():
        arguments += [names[option], str(value)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    rows = json.loads((out / "results.json").read_text(encoding="utf-8"))
    rows = rows["results"] if isinstance(rows, dict) else rows
    main_k = [row["value"] for row in rows if row["analysis"] == "combined" and row["statistic"] == "k"]
    assert main_k == [studies]
    assert list(out.glob("*.html"))


@pytest.mark.parametrize("name", ["maintenance_recurrence", "linde2016_full"])
def test_the_command_refuses_other_files_without_a_traceback(shared: Path, tmp_path: Path, name: str) -> None:
    path = shared / "data" / "ipt-evidence" / f"{name}.csv"
    result = CliRunner().invoke(main, ["meta", str(path), "--out", str(tmp_path / "report")])
    assert result.exit_code != 0
    assert "Traceback" not in result.output
    assert not (tmp_path / "report").exists()
