"""An analysis as data: which file, read how, analysed how. What a report keeps to run again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

from ipt_outcomes.errors import OptionError, require_known


@dataclass(frozen=True, slots=True, kw_only=True)
class FileJob:
    """A job on files; how they are loaded and what it runs is the subclass's.

    Parameters
    ----------
    mapping : mapping or None
        From the file's columns to ours, in the form its reader takes.
    where : mapping of str to list of str
        Rows or people to keep: a column, and the values allowed.
    encoding, decimal : str or None
        Encoding and decimal mark ("." or ",") of the files, where they are not to be detected.
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
        if faults := [*_entry_faults(self), *self.entry_faults()]:
            raise OptionError("the job is not valid: " + "; ".join(faults))
        require_known(f"a {self.kind} job has no option", self.options, self.option_names)
        if found := self.option_faults():
            raise OptionError("the job is not valid: " + "; ".join(found))

    def entry_faults(self) -> list[str]:
        """Return what is of the wrong kind in the entries of the subclass: specs are written by hand."""
        return []

    def option_faults(self) -> list[str]:
        """Return what in the options is of the wrong kind."""
        return []

    def to_dict(self) -> dict[str, Any]:
        """Return the job as JSON values, with its name."""
        return {"job": self.kind, **{entry.name: _plain(getattr(self, entry.name)) for entry in fields(self)}}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """Read a job.

        Parameters
        ----------
        raw : mapping of str to JSON values
            As `to_dict` gives it.

        Returns
        -------
        FileJob

        Raises
        ------
        OptionError
            It is another job, or names something a job does not have.
        """
        if raw.get("job") != cls.kind:
            raise OptionError(f"expected a job of kind {cls.kind!r}; got {raw.get('job')!r}")
        # JSON and TOML have lists; an entry of a frozen job that holds several values is a tuple.
        rest: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in raw.items() if name != "job"
        }
        require_known(f"a {cls.kind} job has no entry", rest, [entry.name for entry in fields(cls)])
        return cls(**rest)


def is_list(value: object) -> bool:
    """Return whether a value of a spec is a list of texts or numbers."""
    return isinstance(value, list | tuple) and all(isinstance(item, str | int | float) for item in value)


def is_number(value: object) -> bool:
    """Return whether a value of a spec is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _entry_faults(job: FileJob) -> list[str]:
    # Types hold what they promise only where a checker reads the caller; specs are read at run time.
    given: dict[str, Any] = {entry.name: getattr(job, entry.name) for entry in fields(FileJob)}
    texts = ("encoding", "decimal", "title")
    found = [f"{name} must be text" for name in texts if not isinstance(given[name], str | None)]
    if not isinstance(given["mapping"], Mapping | None):
        found.append("mapping must be a name, a file or a table")
    if not isinstance(given["where"], Mapping) or not all(is_list(values) for values in given["where"].values()):
        found.append('where must be a table of lists: column = ["value"]')
    return found if isinstance(given["options"], Mapping) else [*found, "options must be a table"]


def _plain(value: Any) -> Any:
    """A value of an entry as JSON has it: mappings and tuples as plain ones, no infinite numbers."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
