"""The analysis of a trial as data: which file, read how, analysed how. What a report keeps to run again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ipt_outcomes.errors import OptionError, require_known
from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.trial.analysis import Options, TrialAnalysis, analyse

# Arguments of `analyse` that a job may set.
_OPTIONS = tuple(entry.name for entry in fields(Options))
_NUMBERS = ("level", "response")
_TEXTS = ("outcome", "by", "better")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialJob:
    """The analysis of a trial, ready to run on a file.

    Parameters
    ----------
    where : mapping of str to list of str
        Rows to keep: column and the values allowed.
    mapping : mapping or None
        A mapping in the form of `ipt_outcomes.io.cohort.read_cohort_mapping`.
    encoding, decimal : str or None
        Encoding and decimal mark of the file, where they are not to be detected.
    options : mapping of str to JSON values
        Arguments of `ipt_outcomes.trial.analyse`; what is not named keeps its default.
    title : str or None
        Title of the report.
    """

    where: Mapping[str, list[str]] = field(default_factory=dict)
    mapping: Mapping[str, Any] | None = None
    encoding: str | None = None
    decimal: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    title: str | None = None

    def __post_init__(self) -> None:
        if faults := _faults({entry.name: getattr(self, entry.name) for entry in fields(self)}):
            raise OptionError("the job is not valid: " + "; ".join(faults))
        require_known("a trial job has no option", self.options, _OPTIONS)

    def to_dict(self) -> dict[str, Any]:
        """Return the job as JSON values, with its name."""
        return {
            "job": "trial",
            "where": {column: list(values) for column, values in self.where.items()},
            "mapping": None if self.mapping is None else dict(self.mapping),
            "encoding": self.encoding,
            "decimal": self.decimal,
            "options": dict(self.options),
            "title": self.title,
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> TrialJob:
        """Read a job.

        Parameters
        ----------
        raw : mapping of str to JSON values
            As `to_dict` gives it.

        Returns
        -------
        TrialJob

        Raises
        ------
        OptionError
            It is another job, or names something a job does not have.
        """
        if raw.get("job") != "trial":
            raise OptionError(f"expected a job of kind 'trial'; got {raw.get('job')!r}")
        rest = {name: value for name, value in raw.items() if name != "job"}
        require_known("a trial job has no entry", rest, [entry.name for entry in fields(cls)])
        return cls(**rest)

    def load(self, sources: Sequence[str | Path]) -> Cohort:
        """Read the file.

        Parameters
        ----------
        sources : sequence of path
            One file.

        Returns
        -------
        Cohort

        Raises
        ------
        OptionError
            Not one file, or a condition that no row meets.
        DataError
            As `ipt_outcomes.load_cohort`.
        """
        from ipt_outcomes.io import load_cohort

        if len(sources) != 1:
            raise OptionError(f"a trial is one file; got {len(sources)}")
        cohort: Cohort = load_cohort(
            sources[0],
            mapping=self.mapping,
            encoding=self.encoding,
            decimal=self.decimal,  # type: ignore[arg-type]
        )
        return cohort.where(self.where) if self.where else cohort

    def run(self, cohort: Cohort) -> TrialAnalysis:
        """Analyse a cohort as `load` gives it.

        Parameters
        ----------
        cohort : Cohort

        Returns
        -------
        TrialAnalysis
        """
        return analyse(cohort, **self.options)


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
        elif name == "at" and not (number or isinstance(value, str)):
            found.append("at must be a week or the name of a visit")
        elif name in _TEXTS and not isinstance(value, str):
            found.append(f"{name} must be text")
    return found


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str | int | float) for item in value)
