"""A mapping from the columns of a user's file to the data dictionary, kept in a TOML file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ipt_outcomes.errors import OptionError
from ipt_outcomes.io.toml_text import quoted, shipped_mappings
from ipt_outcomes.resources import shipped
from ipt_outcomes.schemas import Schema, load_schema

Constant = str | int | float
# The one table of the dictionary that holds published aggregate data.
_STUDY_TABLE = "comparisons"
_TABLES = ("columns", "constants", "codes")
_KEYS = ("table", "left_out", *_TABLES)


def _empty() -> AbstractMapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Which column of a file is which column of the dictionary.

    Parameters
    ----------
    columns : mapping of str to str
        Dictionary name to source column. What is not named here is recognised by its own heading.
    constants : mapping of str to str or number
        Dictionary name to the one value every row has.
    codes : mapping of str to mapping of str to str
        For a dictionary name: what the file writes and the code it stands for. Blanks around and case do not
        matter; what has no code stays as written.
    left_out : tuple of str
        Source columns left out on purpose.
    table : str
        Table of the dictionary.
    """

    columns: AbstractMapping[str, str] = field(default_factory=_empty)
    constants: AbstractMapping[str, Constant] = field(default_factory=_empty)
    codes: AbstractMapping[str, AbstractMapping[str, str]] = field(default_factory=_empty)
    left_out: tuple[str, ...] = ()
    table: str = "comparisons"

    def faults(self, source_columns: tuple[str, ...] | None = None) -> list[str]:
        """Say everything that is wrong with the mapping.

        Parameters
        ----------
        source_columns : tuple of str, optional
            Columns of the file it is meant for; without them only the mapping itself is looked at.

        Returns
        -------
        list of str
            Empty where nothing is wrong.
        """
        if self.table != _STUDY_TABLE:
            return [f"table {self.table!r} is no study table: a mapping of one is for {_STUDY_TABLE!r}"]
        schema = load_schema(self.table)
        found = []
        for part, names in (("columns", self.columns), ("constants", self.constants), ("codes", self.codes)):
            found += [_unknown(f"[{part}] {name}", name, schema) for name in names if name not in schema]
        found += [f"{name} is in [columns] and in [constants]" for name in self.columns if name in self.constants]
        found += _read_twice(self.columns)
        if source_columns is not None:
            wanted = [(f"[columns] {name}", source) for name, source in self.columns.items()]
            wanted += [("left_out", source) for source in self.left_out]
            found += [
                _absent(where, source, source_columns) for where, source in wanted if source not in source_columns
            ]
        return found

    def to_toml(self) -> str:
        """Return the mapping as TOML text that reads back as the same mapping."""
        lines = [f"table = {quoted(self.table)}"]
        if self.left_out:
            lines.append(f"left_out = [{', '.join(quoted(name) for name in self.left_out)}]")
        parts: list[tuple[str, AbstractMapping[str, Constant]]] = [("columns", self.columns)]
        parts += [("constants", self.constants)]
        parts += [(f"codes.{quoted(name)}", codes) for name, codes in self.codes.items()]
        for title, entries in parts:
            if entries:
                lines += ["", f"[{title}]"]
                lines += [f"{quoted(name)} = {_toml_value(value)}" for name, value in entries.items()]
        return "\n".join(lines) + "\n"


def _toml_value(value: Constant) -> str:
    return quoted(value) if isinstance(value, str) else repr(value)


def _unknown(where: str, name: str, schema: Schema) -> str:
    near = schema.near(name)
    return f"{where}: the dictionary has no such name" + (f"; near: {', '.join(near)}" if near else "")


def _absent(where: str, source: str, columns: tuple[str, ...]) -> str:
    import difflib

    near = difflib.get_close_matches(source, columns, n=3, cutoff=0.6)
    return f"{where}: the file has no column {source!r}" + (f"; near: {', '.join(near)}" if near else "")


def _read_twice(columns: AbstractMapping[str, str]) -> list[str]:
    users: dict[str, list[str]] = {}
    for name, source in columns.items():
        users.setdefault(source, []).append(name)
    return [f"source column {s!r} is used for {' and '.join(names)}" for s, names in users.items() if len(names) > 1]


def read_mapping(source: str | os.PathLike[str] | AbstractMapping[str, Any] | Mapping | None) -> Mapping:
    """Read a mapping.

    Parameters
    ----------
    source : path, name, dict, Mapping or None
        A TOML file; the name of a mapping that comes with the package, for example
        ``"metapsy-total-response"``; a dict {dictionary name: source column}, or one with the tables
        ``columns``, ``constants``, ``codes`` of the TOML form. None is the empty mapping.

    Returns
    -------
    Mapping

    Raises
    ------
    OptionError
        No such file or name; no TOML; names the dictionary does not have. All faults are listed.

    Examples
    --------
    >>> read_mapping("metapsy-total-response").columns["event_arm1"]
    'improved.ig'
    """
    if source is None:
        return Mapping()
    if isinstance(source, Mapping):
        _refuse(source.faults(), "the mapping")
        return source
    if isinstance(source, AbstractMapping):
        tables = any(key in source and not isinstance(source[key], str) for key in _TABLES)
        return _from_dict(dict(source) if tables else {"columns": dict(source)}, "the mapping")
    text, name = _mapping_text(os.fspath(source))
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"the mapping {name} is not valid TOML: {error}") from None
    return _from_dict(raw, f"the mapping {name}")


def _mapping_text(given: str) -> tuple[str, str]:
    path = Path(given).expanduser()
    known = shipped_mappings(cohort=False)
    if not path.is_file() and path.name == given and given in known:
        path = shipped("data_schemas", "mappings", f"{given}.toml")
    if not path.is_file():
        listed = f"Mappings of study tables that come with the package: {', '.join(known)}."
        raise OptionError(f"there is no mapping file {given}", hint=listed)
    try:
        return path.read_text(encoding="utf-8-sig"), path.name
    except (OSError, UnicodeDecodeError):
        raise OptionError(f"the mapping {path.name} cannot be read as UTF-8 text") from None


def _from_dict(raw: dict[str, Any], what: str) -> Mapping:
    found = [f"{key!r} is no part of a mapping: {', '.join(_KEYS)}" for key in raw if key not in _KEYS]
    parts: dict[str, dict[str, Any]] = {}
    for part in _TABLES:
        value = raw.get(part, {})
        if not isinstance(value, AbstractMapping):
            found.append(f"[{part}] must be a table")
            value = {}
        parts[part] = dict(value)
    found += _wrong_values(parts)
    left_out = raw.get("left_out", [])
    if isinstance(left_out, str) or not all(isinstance(name, str) for name in left_out):
        found.append("left_out must be a list of column names")
        left_out = []
    table = raw.get("table", "comparisons")
    if not isinstance(table, str):
        found.append("table must be a name")
    _refuse(found, what)
    mapping = Mapping(
        columns=MappingProxyType(parts["columns"]),
        constants=MappingProxyType(parts["constants"]),
        codes=MappingProxyType({name: MappingProxyType(dict(codes)) for name, codes in parts["codes"].items()}),
        left_out=tuple(left_out),
        table=table,
    )
    _refuse(mapping.faults(), what)
    return mapping


def _wrong_values(parts: dict[str, dict[str, Any]]) -> list[str]:
    found = [
        f"[columns] {name} must be a column name in quotation marks"
        for name, value in parts["columns"].items()
        if not isinstance(value, str)
    ]
    found += [
        f"[constants] {name} must be text or a number"
        for name, value in parts["constants"].items()
        if isinstance(value, bool) or not isinstance(value, str | int | float)
    ]
    for name, codes in parts["codes"].items():
        if not isinstance(codes, AbstractMapping) or not all(isinstance(code, str) for code in codes.values()):
            found.append(f'[codes.{name}] must hold lines "as written" = "code"')
            parts["codes"][name] = {}
    return found


def _refuse(found: list[str], what: str) -> None:
    if found:
        listed = "\n".join(f"- {fault}" for fault in found)
        raise OptionError(
            f"{what} has {len(found)} {'fault' if len(found) == 1 else 'faults'}:\n{listed}",
            hint="ipt-outcomes schema comparisons lists the names of the dictionary.",
        )


def check_against(mapping: Mapping, columns: tuple[str, ...], name: str) -> None:
    """Raise `OptionError`, listing all faults, unless the mapping fits a file with these columns."""
    _refuse(mapping.faults(columns), f"the mapping for {name}")
