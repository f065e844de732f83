"""An analysis of patient data as data: which file, read how, analysed how. What a report keeps to run again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Self

from ipt_outcomes.errors import OptionError, require_known
from ipt_outcomes.io.cohort.cohort import Cohort
from ipt_outcomes.io.cohort.load import load_cohort


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortJob:
    """A job on one file of patient data; what it runs is the subclass's.

    Parameters
    ----------
    mapping : mapping or None
        A mapping in the form of `ipt_outcomes.io.cohort.read_cohort_mapping`.
    where : mapping of str to list of str
        People to keep: column of the person or the episode, and the values allowed.
    encoding, decimal : str or None
        Encoding and decimal mark ("." or ",") of the file, where they are not to be detected.
    options : mapping of str to JSON values
        Arguments of the analysis; what is not named keeps its default.
    title : str or None
        Title of the report.
    """

    mapping: Mapping[str, Any] | None = None
    where: Mapping[str, list[str]] = field(default_factory=dict)
    encoding: str | None = None
    decimal: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    title: str | None = None

    kind: ClassVar[str]
    option_names: ClassVar[tuple[str, ...]]

    def __post_init__(self) -> None:
        if faults := self._faults():
            raise OptionError("the job is not valid: " + "; ".join(faults))
        require_known(f"a {self.kind} job has no option", self.options, self.option_names)
        if found := self.option_faults():
            raise OptionError("the job is not valid: " + "; ".join(found))

    def option_faults(self) -> list[str]:
        """Return what in the options is of the wrong kind: specs are written by hand."""
        return []

    def to_dict(self) -> dict[str, Any]:
        """Return the job as JSON values, with its name."""
        return {
            "job": self.kind,
            "mapping": None if self.mapping is None else dict(self.mapping),
            "where": {column: list(values) for column, values in self.where.items()},
            "encoding": self.encoding,
            "decimal": self.decimal,
            "options": {name: list(v) if isinstance(v, tuple) else v for name, v in self.options.items()},
            "title": self.title,
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """Read a job.

        Parameters
        ----------
        raw : mapping of str to JSON values
            As `to_dict` gives it.

        Returns
        -------
        CohortJob

        Raises
        ------
        OptionError
            It is another job, or names something a job does not have.
        """
        if raw.get("job") != cls.kind:
            raise OptionError(f"expected a job of kind {cls.kind!r}; got {raw.get('job')!r}")
        rest = {name: value for name, value in raw.items() if name != "job"}
        require_known(f"a {cls.kind} job has no entry", rest, [entry.name for entry in fields(cls)])
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
            People chosen by `where`.

        Raises
        ------
        OptionError
            Not one file, or a condition that nobody meets.
        DataError
            As `ipt_outcomes.load_cohort`.
        """
        if len(sources) != 1:
            raise OptionError(f"a {self.kind} report is of one file; got {len(sources)}")
        cohort = load_cohort(
            sources[0],
            mapping=self.mapping,
            encoding=self.encoding,
            decimal=self.decimal,  # type: ignore[arg-type]
        )
        return cohort.where(self.where) if self.where else cohort

    def _faults(self) -> list[str]:
        # Types hold what they promise only where a checker reads the caller; specs are read at run time.
        texts = ("encoding", "decimal", "title")
        given: dict[str, Any] = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        found = [f"{name} must be text" for name in texts if not isinstance(given[name], str | None)]
        if not isinstance(given["mapping"], Mapping | None):
            found.append("mapping must be a name, a file or a table")
        if not isinstance(given["where"], Mapping) or not all(is_list(values) for values in given["where"].values()):
            found.append('where must be a table of lists: column = ["value"]')
        return found if isinstance(given["options"], Mapping) else [*found, "options must be a table"]


def is_list(value: object) -> bool:
    """Return whether a value of a spec is a list of texts or numbers."""
    return isinstance(value, list | tuple) and all(isinstance(item, str | int | float) for item in value)


def is_number(value: object) -> bool:
    """Return whether a value of a spec is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)
