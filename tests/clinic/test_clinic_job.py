"""The job as data, and how a review shows itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.axes import Axes

import ipt_outcomes as ipt
from ipt_outcomes.clinic import ClinicJob, review
from ipt_outcomes.errors import OptionError


def extract(folder: Path) -> Path:
    rows = []
    for person in range(40):
        for week, score in ((0, 18), (12, 18 - person % 19)):
            site = "north" if person % 2 else "south"
            rows.append({"Pat": f"{person:03d}", "Site": site, "Week": week, "PHQ": score})
    pd.DataFrame(rows).to_csv(folder / "extract.csv", index=False)
    return folder / "extract.csv"


MAPPING = {
    "table": "cohort",
    "columns": {"patient_id": "Pat", "site": "Site", "week": "Week", "phq9": "PHQ"},
}


def test_a_job_survives_json_and_runs_the_same(tmp_path: Path) -> None:
    path = extract(tmp_path)
    job = ClinicJob(mapping=MAPPING, options={"by": "site", "level": 0.9}, title="North and south")
    again = ClinicJob.from_dict(json.loads(json.dumps(job.to_dict())))
    assert again == job
    one, two = job.run(job.load([path])), again.run(again.load([path]))
    assert one.results.to_json() == two.results.to_json()
    assert one.courses.levels == ("north", "south")
    assert one.options.level == 0.9


def test_where_keeps_some_courses(tmp_path: Path) -> None:
    job = ClinicJob(mapping=MAPPING, where={"site_id": ["north"]})
    assert len(job.run(job.load([extract(tmp_path)])).courses) == 20


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"job": "meta"}, "kind 'clinic'"),
        ({"job": "clinic", "wher": {}}, "no entry 'wher'"),
        ({"job": "clinic", "options": {"lvel": 0.9}}, "no option 'lvel'"),
        ({"job": "clinic", "options": {"level": "high"}}, "level must be a number"),
        ({"job": "clinic", "options": {"cutoffs": 5, "by": 3}}, "cutoffs must be a table of tables; by must be text"),
        ({"job": "clinic", "where": {"site": "north"}, "title": 4}, "title must be text; where must be a table"),
        ({"job": "clinic", "mapping": 4}, "mapping must be"),
    ],
)
def test_jobs_that_are_none_are_refused(raw: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        ClinicJob.from_dict(raw)


def test_one_extract_at_a_time(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="one file"):
        ClinicJob().load([tmp_path / "a.csv", tmp_path / "b.csv"])


def test_a_review_shows_itself() -> None:
    found = review(ipt.simulate.clinic(n=60, seed=2))
    assert found.simulated
    assert found.summary().startswith("Simulated data. Clinic review of 60 courses of treatment.")
    assert isinstance(found.plot(), Axes)
    assert json.dumps(found.to_dict(), allow_nan=False)
    assert found._repr_html_().startswith("<table><caption>")
    assert list(found.to_frame().columns[:9]) == [
        "measure", "rate", "rule", "problem_area", "numerator", "denominator", "percent", "ci_low", "ci_high",
    ]  # fmt: skip
