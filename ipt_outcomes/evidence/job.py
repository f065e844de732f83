"""The meta-analyst's job as data: which rows of which tables, compared how. What a report keeps to run again."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ipt_outcomes.errors import OptionError
from ipt_outcomes.evidence.synthesis import EvidenceSynthesis, Options, synthesise
from ipt_outcomes.io import Studies, load_studies, read_mapping

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
        _require_known("option", self.options, _OPTIONS)

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
        _require_known("entry", rest, names)
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


def read_job(path: Path) -> tuple[MetaJob, tuple[Path, ...]]:
    """Read a report spec: a job in TOML, with the files it runs on.

    Parameters
    ----------
    path : pathlib.Path
        TOML with ``job = "meta"``, ``files`` (relative to the spec's folder), and the entries of `MetaJob`;
        ``mapping`` is a path, a name, or a table.

    Returns
    -------
    tuple of MetaJob and tuple of pathlib.Path

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
        raise OptionError(f'the spec {path.name} names no data: expected files = ["studies.csv", ...]')
    if isinstance(mapping := raw.get("mapping"), str):
        beside = _inside(path.parent, mapping)
        raw["mapping"] = mapping_dict(beside if beside.is_file() else mapping)
    return MetaJob.from_dict(raw), tuple(_inside(path.parent, name) for name in files)


def _inside(folder: Path, name: str) -> Path:
    """A file of the spec's own folder: a spec from elsewhere must not reach into the rest of the machine."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise OptionError(
            f"the spec names a file outside its own folder: {name}",
            hint="Put the spec into the folder that holds the data, and name the files from there.",
        )
    return path


def mapping_dict(source: str | Path | None) -> dict[str, Any] | None:
    """Return a mapping as JSON values, so that a report can keep it.

    Parameters
    ----------
    source : path, name or None

    Returns
    -------
    dict or None
    """
    return None if source is None else tomllib.loads(read_mapping(source).to_toml())


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


def _require_known(what: str, given: Mapping[str, Any], known: Sequence[str]) -> None:
    unknown = [name for name in given if name not in known]
    if not unknown:
        return
    near = [match for name in unknown for match in difflib.get_close_matches(name, known, n=2)]
    hint = f"Near: {', '.join(near)}." if near else f"Known: {', '.join(known)}."
    raise OptionError(f"a meta job has no {what} {', '.join(repr(name) for name in unknown)}", hint=hint)
