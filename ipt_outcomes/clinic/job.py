"""The clinic's job as data: which people of which extract, judged how. What a report keeps to run again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ipt_outcomes.clinic.options import ReviewOptions
from ipt_outcomes.clinic.review import ClinicReview, review
from ipt_outcomes.errors import OptionError, require_known
from ipt_outcomes.io.cohort import Cohort

# Arguments of `review` that a job may set.
_OPTIONS = tuple(entry.name for entry in fields(ReviewOptions))
_NUMBERS = ("level", "response", "min_sessions")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicJob:
    """A clinic review, ready to run on a file.

    Parameters
    ----------
    mapping : mapping or None
        A mapping in the form of `ipt_outcomes.io.cohort.read_cohort_mapping`.
    where : mapping of str to list of str
        Courses to keep: column of the person or the course, and the values allowed.
    encoding, decimal : str or None
        Encoding and decimal mark ("." or ",") of the file, where they are not to be detected.
    options : mapping of str to JSON values
        Arguments of `ipt_outcomes.clinic.review`; what is not named keeps its default.
    title : str or None
        Title of the report.
    """

    mapping: Mapping[str, Any] | None = None
    where: Mapping[str, list[str]] = field(default_factory=dict)
    encoding: str | None = None
    decimal: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    title: str | None = None

    def __post_init__(self) -> None:
        if faults := _faults({entry.name: getattr(self, entry.name) for entry in fields(self)}):
            raise OptionError("the job is not valid: " + "; ".join(faults))
        require_known("a clinic job has no option", self.options, _OPTIONS)

    def to_dict(self) -> dict[str, Any]:
        """Return the job as JSON values, with its name."""
        return {
            "job": "clinic",
            "mapping": None if self.mapping is None else dict(self.mapping),
            "where": {column: list(values) for column, values in self.where.items()},
            "encoding": self.encoding,
            "decimal": self.decimal,
            "options": {name: list(v) if isinstance(v, tuple) else v for name, v in self.options.items()},
            "title": self.title,
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> ClinicJob:
        """Read a job.

        Parameters
        ----------
        raw : mapping of str to JSON values
            As `to_dict` gives it.

        Returns
        -------
        ClinicJob

        Raises
        ------
        OptionError
            It is another job, or names something a job does not have.
        """
        if raw.get("job") != "clinic":
            raise OptionError(f"expected a job of kind 'clinic'; got {raw.get('job')!r}")
        rest = {name: value for name, value in raw.items() if name != "job"}
        require_known("a clinic job has no entry", rest, [entry.name for entry in fields(cls)])
        return cls(**rest)

    def load(self, sources: Sequence[str | Path]) -> Cohort:
        """Read the extract.

        Parameters
        ----------
        sources : sequence of path
            One file or folder.

        Returns
        -------
        Cohort
            Courses chosen by `where`.

        Raises
        ------
        DataError, OptionError
            As `ipt_outcomes.load_cohort`; or there is not one source.
        """
        from ipt_outcomes.io import load_cohort

        if len(sources) != 1:
            raise OptionError(f"a clinic review is of one extract; got {len(sources)} files")
        cohort: Cohort = load_cohort(
            sources[0],
            mapping=self.mapping,
            encoding=self.encoding,
            decimal=self.decimal,  # type: ignore[arg-type]
        )
        return cohort.where(**self.where) if self.where else cohort

    def run(self, cohort: Cohort) -> ClinicReview:
        """Review a cohort as `load` gives it.

        Parameters
        ----------
        cohort : Cohort

        Returns
        -------
        ClinicReview
        """
        return review(cohort, **self.options)


def _faults(given: Mapping[str, Any]) -> list[str]:
    """What in a job is of the wrong kind: specs are written by hand."""
    texts = ("encoding", "decimal", "title")
    found = [f"{name} must be text" for name in texts if not isinstance(given[name], str | None)]
    if given["mapping"] is not None and not isinstance(given["mapping"], Mapping):
        found.append("mapping must be a name, a file or a table")
    if not isinstance(given["where"], Mapping) or not all(_is_list(values) for values in given["where"].values()):
        found.append('where must be a table of lists: column = ["value"]')
    if not isinstance(given["options"], Mapping):
        return [*found, "options must be a table"]
    for name, value in given["options"].items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if name in _NUMBERS and not number:
            found.append(f"{name} must be a number")
        elif name == "instruments" and value is not None and not _is_list(value) and not isinstance(value, str):
            found.append("instruments must be a list of names")
        elif name == "cutoffs" and value is not None and not isinstance(value, Mapping):
            found.append("cutoffs must be a table of tables")
        elif name == "by" and not isinstance(value, str | None):
            found.append("by must be text")
    return found


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str | int | float) for item in value)
