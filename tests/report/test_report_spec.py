"""Report specs: which job, which files, and nothing outside the spec's own folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipt_outcomes.errors import OptionError
from ipt_outcomes.report.spec import JOBS, job_of, read_spec


def test_a_spec_stays_in_its_folder(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.csv").write_text("study\nA\n")
    (inside / "spec.toml").write_text('job = "meta"\nfiles = ["../secret.csv"]\n')
    with pytest.raises(OptionError, match="outside its own folder"):
        read_spec(inside / "spec.toml")


@pytest.mark.parametrize("name", JOBS)
def test_every_job_is_read_back_as_it_was_kept(name: str) -> None:
    job = job_of({"job": name})
    assert job.to_dict()["job"] == name
    assert job_of(job.to_dict()) == job


@pytest.mark.parametrize("name", JOBS)
def test_a_job_names_every_entry_it_does_not_have(name: str) -> None:
    with pytest.raises(OptionError, match="wheree"):
        job_of({"job": name, "wheree": {}})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("job = ", "not valid TOML"),
        ('job = "meta"\n', "names no data"),
        ('job = "meta"\nfiles = "studies.csv"\n', "names no data"),
        ('job = "study"\nfiles = ["studies.csv"]\n', "'meta', 'trial', 'clinic'"),
    ],
)
def test_a_spec_that_is_none_is_refused_with_what_was_expected(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.toml"
    path.write_text(text)
    with pytest.raises(OptionError, match=words):
        read_spec(path)
    with pytest.raises(OptionError, match="cannot be read"):
        read_spec(tmp_path / "none.toml")
