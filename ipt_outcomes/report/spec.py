"""Report specs: a job in TOML with the files it runs on, and the jobs there are."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

from ipt_outcomes.clinic import ClinicJob
from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.evidence import MetaJob
from ipt_outcomes.io import read_mapping
from ipt_outcomes.io.cohort import read_cohort_mapping
from ipt_outcomes.trial import TrialJob


class Job(Protocol):
    """What every job can do: be kept as JSON values, read its files, run."""

    @property
    def title(self) -> str | None:
        """Title of the report."""

    def to_dict(self) -> dict[str, Any]:
        """Return the job as JSON values, its name under ``job``."""

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gives; raise OptionError, naming all faults, for anything else."""

    def load(self, sources: Sequence[str | Path]) -> Any:
        """Read the files."""

    def run(self, loaded: Any) -> Any:
        """Run the analysis on what `load` gives."""


JOBS: dict[str, type[Job]] = {"meta": MetaJob, "trial": TrialJob, "clinic": ClinicJob}
"""The jobs under their names."""


def job_of(record: Mapping[str, Any]) -> Job:
    """Read a job, whichever it is.

    Parameters
    ----------
    record : mapping of str to JSON values
        As a job's ``to_dict`` gives it.

    Returns
    -------
    Job

    Raises
    ------
    OptionError
        No such job, or names something it does not have.
    """
    name = record.get("job")
    require_choice("job", name, JOBS)
    return JOBS[str(name)].from_dict(record)


def mapping_record(source: str | Path | None, job: str) -> dict[str, Any] | None:
    """Return a mapping as JSON values, so that a report can keep it.

    Parameters
    ----------
    source : path, name or None
        As the job's loader takes it.
    job : {"meta", "trial", "clinic"}
        Study tables and patient data are mapped to different tables of the dictionary.

    Returns
    -------
    dict or None
    """
    if source is None:
        return None
    if job == "meta":
        return tomllib.loads(read_mapping(source).to_toml())
    return read_cohort_mapping(source).to_dict()


def read_spec(path: Path) -> tuple[Job, tuple[Path, ...]]:
    """Read a report spec.

    Parameters
    ----------
    path : pathlib.Path
        TOML with ``job``, ``files`` (relative to the spec's folder), and the entries of that job;
        ``mapping`` is a path, a name, or a table.

    Returns
    -------
    tuple of Job and tuple of pathlib.Path

    Raises
    ------
    OptionError
        No TOML, unknown entries, or no files.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        raise OptionError(f"the spec {path.name} cannot be read as UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"the spec {path.name} is not valid TOML: {error}") from None
    files = raw.pop("files", [])
    if not isinstance(files, list) or not files or not all(isinstance(name, str) for name in files):
        raise OptionError(f'the spec {path.name} names no data: expected files = ["data.csv", ...]')
    require_choice("job", raw.get("job"), JOBS)
    if isinstance(mapping := raw.get("mapping"), str):
        beside = _inside(path.parent, mapping)
        raw["mapping"] = mapping_record(beside if beside.is_file() else mapping, raw["job"])
    return job_of(raw), tuple(_inside(path.parent, name) for name in files)


def _inside(folder: Path, name: str) -> Path:
    """A file of the spec's own folder: a spec from elsewhere must not reach into the rest of the machine."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise OptionError(
            f"the spec names a file outside its own folder: {name}",
            hint="Put the spec into the folder that holds the data, and name the files from there.",
        )
    return path
