"""The meta-analyst's job as data: which rows of which tables, compared how. What a report keeps to run again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ipt_outcomes.errors import OptionError, require_known
from ipt_outcomes.evidence.synthesis import EvidenceSynthesis, Options, synthesise
from ipt_outcomes.io import Studies, load_studies

# Arguments of `synthesise` that a job may set.
_OPTIONS = tuple(entry.name for entry in fields(Options))
_NUMBERS = ("level", "rho", "low_risk_above")
_ABBREVIATIONS = frozenset(("ipt", "cbt", "cau", "tau", "wl", "ssri", "tca", "snri", "bdi", "hdrs", "phq"))


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaJob:
    """A meta-analytic summary, ready to run on files.

    Parameters
    ----------
    comparisons : tuple of str
        A title per file; empty: one table takes its own title, several the names of their files.
    where : mapping of str to list of str
        Rows to keep: column and the values allowed.
    mapping : mapping or None
        A mapping in the form of `ipt_outcomes.io.read_mapping`, for every file.
    invalid : {"refuse", "exclude"}
        What to do with rows whose cells are not valid.
    encoding, decimal : str or None
        Encoding and decimal mark ("." or ",") of the files, where they are not to be detected.
    options : mapping of str to JSON values
        Arguments of `ipt_outcomes.evidence.synthesise`; what is not named keeps its default.
    title : str or None
        Title of the report.
    """

    comparisons: tuple[str, ...] = ()
    where: Mapping[str, list[str]] = field(default_factory=dict)
    mapping: Mapping[str, Any] | None = None
    invalid: str = "refuse"
    encoding: str | None = None
    decimal: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    title: str | None = None

    def __post_init__(self) -> None:
        if faults := _faults({entry.name: getattr(self, entry.name) for entry in fields(self)}):
            raise OptionError("the job is not valid: " + "; ".join(faults))
        require_known("a meta job has no option", self.options, _OPTIONS)

    def to_dict(self) -> dict[str, Any]:
        """Return the job as JSON values, with its name."""
        return {
            "job": "meta",
            "comparisons": list(self.comparisons),
            "where": {column: list(values) for column, values in self.where.items()},
            "mapping": None if self.mapping is None else dict(self.mapping),
            "invalid": self.invalid,
            "encoding": self.encoding,
            "decimal": self.decimal,
            "options": {name: list(v) if isinstance(v, tuple) else v for name, v in self.options.items()},
            "title": self.title,
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> MetaJob:
        """Read a job.

        Parameters
        ----------
        raw : mapping of str to JSON values
            As `to_dict` gives it.

        Returns
        -------
        MetaJob

        Raises
        ------
        OptionError
            It is another job, or names something a job does not have.
        """
        if raw.get("job") != "meta":
            raise OptionError(f"expected a job of kind 'meta'; got {raw.get('job')!r}")
        names = [entry.name for entry in fields(cls)]
        rest = {name: value for name, value in raw.items() if name != "job"}
        require_known("a meta job has no entry", rest, names)
        if not _is_list(rest.get("comparisons", ())):
            raise OptionError("the job is not valid: comparisons must be a list of names")
        rest["comparisons"] = tuple(rest.get("comparisons", ()))
        return cls(**rest)

    def load(self, sources: Sequence[str | Path]) -> dict[str, Studies]:
        """Read the study tables.

        Parameters
        ----------
        sources : sequence of path
            One file per comparison.

        Returns
        -------
        dict of str to Studies
            In the order given, rows chosen by `where`.

        Raises
        ------
        DataError, OptionError
            As `ipt_outcomes.load_studies`.
        """
        names = self._names(sources)
        tables = {}
        for name, source in zip(names, sources, strict=True):
            table = load_studies(
                source,
                mapping=self.mapping,
                invalid=self.invalid,  # type: ignore[arg-type]
                encoding=self.encoding,
                decimal=self.decimal,  # type: ignore[arg-type]
            )
            tables[name] = table.where(**self.where) if self.where else table
        return tables

    def run(self, tables: Mapping[str, Studies]) -> EvidenceSynthesis:
        """Run the battery on tables as `load` gives them.

        Parameters
        ----------
        tables : mapping of str to Studies

        Returns
        -------
        EvidenceSynthesis
        """
        only = next(iter(tables.values())) if len(tables) == 1 and not self.comparisons else None
        return synthesise(only if only is not None else tables, **self.options)

    def _names(self, sources: Sequence[str | Path]) -> list[str]:
        names = list(self.comparisons) or [_title_of(Path(source).stem) for source in sources]
        if len(names) != len(sources):
            raise OptionError(f"{len(names)} names for {len(sources)} files: give one name per file, or none")
        if len(set(names)) != len(names):
            raise OptionError("two comparisons have the same name: give each file a name of its own (--name)")
        return names


def _title_of(stem: str) -> str:
    """A file's name as a title: abbreviations of treatments in capitals."""
    words = [word.upper() if word in _ABBREVIATIONS else word for word in stem.replace("_", " ").split()]
    return " ".join(words) or stem


def _faults(given: Mapping[str, Any]) -> list[str]:
    """What in a job is of the wrong kind: specs are written by hand."""
    texts = ("encoding", "decimal", "title")
    found = [f"{name} must be text" for name in texts if not isinstance(given[name], str | None)]
    if not all(isinstance(name, str) for name in given["comparisons"]):
        found.append("comparisons must be a list of names")
    if given["mapping"] is not None and not isinstance(given["mapping"], Mapping):
        found.append("mapping must be a name, a file or a table")
    if given["invalid"] not in ("refuse", "exclude"):
        found.append("invalid must be 'refuse' or 'exclude'")
    if not isinstance(given["where"], Mapping) or not all(_is_list(values) for values in given["where"].values()):
        found.append('where must be a table of lists: column = ["value"]')
    if not isinstance(given["options"], Mapping):
        return [*found, "options must be a table"]
    for name, value in given["options"].items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if name in _NUMBERS and not number:
            found.append(f"{name} must be a number")
        elif name == "measures" and not _is_list(value) and not isinstance(value, str):
            found.append("measures must be a list of measures")
        elif name in _OPTIONS and name not in {*_NUMBERS, "measures"} and not isinstance(value, str | None):
            found.append(f"{name} must be text")
    return found


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(item, str | int | float) for item in value)
