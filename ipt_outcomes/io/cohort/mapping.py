"""A mapping from the columns of a patient file to the data dictionary, kept in a TOML file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from ipt_outcomes.errors import OptionError
from ipt_outcomes.io.cohort.dictionary import Target, target_of
from ipt_outcomes.io.cohort.mapping_faults import KEYS, absent_columns, faults_of, refuse
from ipt_outcomes.io.toml_text import key, quoted, shipped_mappings
from ipt_outcomes.resources import shipped

DuplicateRule = Literal["refuse", "exact", "first", "last", "mean", "lowest", "highest"]
Sources = str | tuple[str, ...]

_TEXT_TABLES = ("columns", "constants", "baseline", "visits", "covariates")
_NESTED = ("codes", "wide", "missing", "exclude")


def _empty() -> AbstractMapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortMapping:
    """Which column of a patient file is which name of the dictionary, and how its codes are to be read.

    Parameters
    ----------
    columns : mapping of str to str or tuple of str
        Name to source column; several columns together make one id. Names are fields of the dictionary
        (``patient_id``, ``arm``, ``week``; short: ``problem_area``, ``site``, ``therapist``), instruments
        (``phq9``: its total) and items (``phq9_1``).
    constants : mapping of str to str or number
        Name to the one value every row has.
    baseline : mapping of str to str
        Instrument to the column that holds its score at week 0 in every row of a person.
    codes : mapping of str to mapping of str to str
        Name to what the file writes and the code it stands for.
    visits : mapping of str to float
        Visit to its week.
    wide : mapping of str to mapping of str to str
        Instrument to visit and the column of its total at that visit, for files with one row per person.
    missing : mapping of str to mapping of str to str
        Source column (``"*"``: every column but ids) to code and the reason it stands for.
    duplicates : {"refuse", "exact", "first", "last", "mean", "lowest", "highest"}
        What becomes of two rows of one person, visit and instrument.
    areas : {"before", "after"} or None
        When every arm's problem area was set, where the data do not say.
    covariates : mapping of str to str
        Further columns about the person: name to source column.
    exclude : mapping of str to mapping of str to str
        Name (or source column) to code and the reason for setting those people or rows aside.
    left_out : tuple of str
        Source columns left out on purpose.
    varies : tuple of str
        ``site``: people may change it (a therapist always may); each score keeps the one of its row.
    """

    columns: AbstractMapping[str, Sources] = field(default_factory=_empty)
    constants: AbstractMapping[str, str | int | float] = field(default_factory=_empty)
    baseline: AbstractMapping[str, str] = field(default_factory=_empty)
    codes: AbstractMapping[str, AbstractMapping[str, str]] = field(default_factory=_empty)
    visits: AbstractMapping[str, float] = field(default_factory=_empty)
    wide: AbstractMapping[str, AbstractMapping[str, str]] = field(default_factory=_empty)
    missing: AbstractMapping[str, AbstractMapping[str, str]] = field(default_factory=_empty)
    duplicates: DuplicateRule = "refuse"
    areas: Literal["before", "after"] | None = None
    covariates: AbstractMapping[str, str] = field(default_factory=_empty)
    exclude: AbstractMapping[str, AbstractMapping[str, str]] = field(default_factory=_empty)
    left_out: tuple[str, ...] = ()
    varies: tuple[str, ...] = ()

    def targets(self) -> Iterator[tuple[Target, tuple[str, ...]]]:
        """Yield what each mapped source column becomes, in the order of the mapping."""
        for name, sources in self.columns.items():
            target = target_of(name)
            if target is not None:
                yield target, (sources,) if isinstance(sources, str) else tuple(sources)
        for name, source in self.baseline.items():
            yield Target("baseline", _instrument(name)), (source,)
        for name, visits in self.wide.items():
            for visit, source in visits.items():
                yield Target("wide", _instrument(name), visit), (source,)
        for name, source in self.covariates.items():
            yield Target("covariate", name), (source,)

    def codes_of(self, name: str) -> dict[str, str]:
        """Return the codes declared for a field or covariate: as written (small letters) and the code."""
        return _lowered(self.codes, name)

    def exclusions_of(self, name: str) -> dict[str, str]:
        """Return the codes of a field, covariate or source column that set rows aside, and the reasons."""
        return _lowered(self.exclude, name)

    def check(self, columns: Sequence[str], name: str) -> None:
        """Raise `OptionError`, naming all of them, for source columns the file does not have."""
        refuse(absent_columns(self.to_dict(), columns), f"the mapping for {name}")

    def to_dict(self) -> dict[str, Any]:
        """Return the mapping as JSON values in the form of the TOML file; empty parts are left out."""
        record: dict[str, Any] = {"table": "cohort"}
        for part in ("left_out", "varies"):
            if getattr(self, part):
                record[part] = list(getattr(self, part))
        for part in _TEXT_TABLES:
            entries = getattr(self, part)
            if entries:
                record[part] = {k: list(v) if isinstance(v, tuple) else v for k, v in entries.items()}
        for part in _NESTED:
            entries = getattr(self, part)
            if entries:
                record[part] = {name: dict(inner) for name, inner in entries.items()}
        if self.duplicates != "refuse":
            record["duplicates"] = {"rule": self.duplicates}
        if self.areas is not None:
            record["areas"] = {"set": self.areas}
        return record

    def to_toml(self) -> str:
        """Return the mapping as TOML text that reads back as the same mapping."""
        record = self.to_dict()
        lines = [f"{key} = {_toml(value)}" for key, value in record.items() if not isinstance(value, dict)]
        for part, entries in record.items():
            if not isinstance(entries, dict):
                continue
            tables = {f"{part}.{key(n)}": e for n, e in entries.items()} if part in _NESTED else {part: entries}
            for title, inner in tables.items():
                lines += ["", f"[{title}]", *(f"{key(name)} = {_toml(value)}" for name, value in inner.items())]
        return "\n".join(lines) + "\n"


def _instrument(name: str) -> str:
    target = target_of(name)
    return name if target is None else target.name


def _lowered(table: AbstractMapping[str, AbstractMapping[str, str]], name: str) -> dict[str, str]:
    """Entries under a name or any other form of it ("site" and "site_id")."""
    found: dict[str, str] = {}
    for form, entries in table.items():
        target = target_of(form)
        if name == form or (target is not None and target.name == name):
            found |= {written.strip().casefold(): code for written, code in entries.items()}
    return found


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    return f"[{', '.join(quoted(one) for one in value)}]" if isinstance(value, list) else repr(value)


def read_cohort_mapping(
    source: str | os.PathLike[str] | AbstractMapping[str, Any] | CohortMapping | None,
) -> CohortMapping:
    """Read a mapping of a patient file.

    Parameters
    ----------
    source : path, name, dict, CohortMapping or None
        A TOML file; the name of a mapping that comes with the package, for example ``"ipt-trial"``; a dict
        {dictionary name: source column, or [columns that make one id]}, which may also hold the tables of the
        TOML form (``codes``, ``visits``, ``left_out`` ...). None is the empty mapping.

    Returns
    -------
    CohortMapping

    Raises
    ------
    OptionError
        No such file or name; no TOML; names the dictionary does not have, codes that are none. All faults are
        listed.

    Examples
    --------
    >>> read_cohort_mapping({"patient_id": "id", "phq9": "score"}).columns["phq9"]
    'score'
    """
    if source is None:
        return CohortMapping()
    if isinstance(source, CohortMapping):
        refuse(faults_of(source.to_dict()), "the mapping")
        return source
    if isinstance(source, AbstractMapping):
        raw = {str(key): value for key, value in source.items() if key in KEYS}
        plain = {str(key): value for key, value in source.items() if key not in KEYS}
        # In a dict, names may stand beside the tables; in a file every name belongs into a table.
        is_plain = bool(plain) and all(isinstance(value, str | list | tuple) for value in plain.values())
        if is_plain and isinstance(raw.get("columns", {}), AbstractMapping):
            raw["columns"] = {**raw.get("columns", {}), **plain}
            return _from_dict(raw, "the mapping")
        return _from_dict({**raw, **plain}, "the mapping")
    text, name = _mapping_text(os.fspath(source))
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"the mapping {name} is not valid TOML: {error}") from None
    return _from_dict(parsed, f"the mapping {name}")


def _mapping_text(given: str) -> tuple[str, str]:
    path = Path(given).expanduser()
    known = shipped_mappings(cohort=True)
    if not path.is_file() and path.name == given and given in known:
        path = shipped("data_schemas", "mappings", f"{given}.toml")
    if not path.is_file():
        raise OptionError(
            f"there is no mapping file {path.name}", hint=f"Mappings that come with the package: {', '.join(known)}."
        )
    try:
        return path.read_text(encoding="utf-8-sig"), path.name
    except (OSError, UnicodeDecodeError):
        raise OptionError(f"the mapping {path.name} cannot be read as UTF-8 text") from None


def _from_dict(raw: dict[str, Any], what: str) -> CohortMapping:
    refuse(faults_of(raw), what)
    parts: dict[str, Any] = {name: MappingProxyType(dict(raw.get(name, {}))) for name in _TEXT_TABLES}
    columns = {key: value if isinstance(value, str) else tuple(value) for key, value in parts["columns"].items()}
    parts["columns"] = MappingProxyType(columns)
    parts["visits"] = MappingProxyType({visit: float(week) for visit, week in parts["visits"].items()})
    for name in _NESTED:
        nested = {key: MappingProxyType(dict(inner)) for key, inner in raw.get(name, {}).items()}
        parts[name] = MappingProxyType(nested)
    return CohortMapping(
        **parts,
        duplicates=raw.get("duplicates", {}).get("rule", "refuse"),
        areas=raw.get("areas", {}).get("set"),
        left_out=tuple(raw.get("left_out", ())),
        varies=tuple(raw.get("varies", ())),
    )
