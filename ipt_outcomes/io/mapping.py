"""A mapping from the columns of a user's file to the data dictionary, kept in a TOML file."""

from __future__ import annotations

import os
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ipt_outcomes.io.toml_text import no_column, quoted, read_toml, refuse_mapping
from ipt_outcomes.schemas import Schema, load_schema

Constant = str | int | float
# The one table of the dictionary that holds published aggregate data.
_STUDY_TABLE = "comparisons"
_TABLES = ("columns", "constants", "codes")
_KEYS = ("table", "left_out", "sheet", *_TABLES)


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
    sheet : str, int or None
        Sheet of a workbook, by its name or its number from 1.
    """

    columns: AbstractMapping[str, str] = field(default_factory=_empty)
    constants: AbstractMapping[str, Constant] = field(default_factory=_empty)
    codes: AbstractMapping[str, AbstractMapping[str, str]] = field(default_factory=_empty)
    left_out: tuple[str, ...] = ()
    table: str = "comparisons"
    sheet: str | int | None = None

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
                no_column(where, source, source_columns) for where, source in wanted if source not in source_columns
            ]
        return found

    def to_toml(self) -> str:
        """Return the mapping as TOML text that reads back as the same mapping."""
        lines = [f"table = {quoted(self.table)}"]
        if self.sheet is not None:
            lines.append(f"sheet = {_toml_value(self.sheet)}")
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
        if tables:
            return _from_dict(dict(source), "the mapping")
        # No column of the dictionary has these names: they are what they are in a file.
        whole = {key: source[key] for key in ("table", "sheet") if key in source}
        return _from_dict({**whole, "columns": {k: v for k, v in source.items() if k not in whole}}, "the mapping")
    raw, name = read_toml(source, cohort=False)
    return _from_dict(raw, f"the mapping {name}")


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
    sheet = raw.get("sheet")
    if isinstance(sheet, bool) or not isinstance(sheet, str | int | None):
        found.append("sheet must be the name of a sheet in quotation marks, or its number from 1")
        sheet = None
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
        sheet=sheet,
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
    refuse_mapping(found, what, "ipt-outcomes schema comparisons lists the names of the dictionary.")


def check_against(mapping: Mapping, columns: tuple[str, ...], name: str) -> None:
    """Raise `OptionError`, listing all faults, unless the mapping fits a file with these columns."""
    _refuse(mapping.faults(columns), f"the mapping for {name}")
