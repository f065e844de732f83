"""A table of the data dictionary: fields, constraints, other headings, rules between columns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ipt_outcomes.errors import near_names, require_known
from ipt_outcomes.resources import shipped, shipped_names

_FOLDER = "data_schemas"
# The file that lists the tables is no table.
_PACKAGE = "datapackage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """Another heading under which files hold a column.

    Parameters
    ----------
    name : str
        The heading.
    codes : mapping of str to str
        What the file writes, in small letters, and the code it stands for.
    transform : {"sqrt"} or None
        What makes the dictionary's value of the file's.
    beside : str or None
        The heading counts only in a file that also has this heading (``v`` is a variance only beside ``g``).
    """

    name: str
    codes: Mapping[str, str] = field(default_factory=dict)
    transform: str | None = None
    beside: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of a table.

    Parameters
    ----------
    name, title, description : str
        Heading, short name in words, and what the column holds.
    type : {"string", "number", "integer"}
        Type of the Table Schema; an integer is a whole number.
    required : bool
        Whether the column must be there and have no empty cell.
    minimum, exclusive_minimum, maximum : float or None
        Limits of a number, in the unit of the field.
    enum : tuple of str
        The only values allowed, in small letters; empty where anything goes.
    aliases : tuple of Alias
        Other headings.
    unit : str or None
        Unit of a number.
    number_or_words : bool
        Numbers are wanted, but words are no fault: they count as missing.
    privacy : {"identifier", "quasi_identifier"} or None
        Whether the column identifies a person, or may together with others. What such a column holds is in no
        message and no failure table.
    is_instrument : bool
        Whether the column names an instrument of the registry.
    range_of : str or None
        Column with the instrument whose range the numbers must keep to.
    """

    name: str
    title: str
    description: str
    type: str = "string"
    required: bool = False
    minimum: float | None = None
    exclusive_minimum: float | None = None
    maximum: float | None = None
    enum: tuple[str, ...] = ()
    aliases: tuple[Alias, ...] = ()
    unit: str | None = None
    number_or_words: bool = False
    privacy: str | None = None
    is_instrument: bool = False
    range_of: str | None = None

    @property
    def is_number(self) -> bool:
        """Whether the typed column holds numbers."""
        return self.type in {"number", "integer"} or self.number_or_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule between two number columns of a row: ``left <= right`` where both are known."""

    name: str
    left: str
    right: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """Columns whose values must be a key of another table: `reference_fields` of `resource`."""

    fields: tuple[str, ...]
    resource: str
    reference_fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A table of the data dictionary.

    Parameters
    ----------
    name, title, description : str
        What the table is.
    fields : tuple of Field
        The columns, in the order of the dictionary.
    rules : tuple of Rule
        Rules between columns.
    missing_values : tuple of str
        Cells that count as missing, in every column of the dictionary, also in text columns; blanks around
        them do not matter.
    primary_key : tuple of str
        Columns that together are the key of a row: none is empty, and no key stands twice.
    foreign_keys : tuple of ForeignKey
        Columns that point to rows of other tables.
    """

    name: str
    title: str
    description: str
    fields: tuple[Field, ...]
    rules: tuple[Rule, ...] = ()
    missing_values: tuple[str, ...] = ("",)
    primary_key: tuple[str, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in the order of the dictionary."""
        return tuple(entry.name for entry in self.fields)

    def __getitem__(self, name: str) -> Field:
        for entry in self.fields:
            if entry.name == name:
                return entry
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(entry.name == name for entry in self.fields)

    def describe(self) -> str:
        """Return the table in plain text: a line per column with type, unit, limits and other headings."""
        lines = [f"{self.title}: {self.description}", ""]
        if self.primary_key:
            lines += [f"key: {', '.join(self.primary_key)} (never empty, each once)"]
            lines += [f"{', '.join(key.fields)} is a key of {key.resource}" for key in self.foreign_keys]
            lines.append("")
        for entry in self.fields:
            lines.append(f"{entry.name}  ({', '.join(_facts(entry))})")
            lines.append(f"    {entry.description}")
            if entry.aliases:
                lines.append(f"    also known as: {', '.join(alias.name for alias in entry.aliases)}")
        return "\n".join(lines)

    def near(self, name: str) -> tuple[str, ...]:
        """Return up to three column names that look like `name`."""
        return tuple(near_names(name, self.names))


def _facts(entry: Field) -> list[str]:
    """Type, unit and limits of a column, in words."""
    facts = ["required"] if entry.required else []
    kind = "whole number" if entry.type == "integer" else "number" if entry.is_number else "text"
    facts.append("one of: " + ", ".join(entry.enum) if entry.enum else kind)
    if entry.unit:
        facts.append(f"in {entry.unit}")
    limits = {"at least": entry.minimum, "above": entry.exclusive_minimum, "at most": entry.maximum}
    return facts + [f"{words} {limit:g}" for words, limit in limits.items() if limit is not None]


def schema_names() -> tuple[str, ...]:
    """Names of the tables of the data dictionary, sorted.

    Examples
    --------
    >>> "comparisons" in schema_names()
    True
    """
    return tuple(name for name in shipped_names(_FOLDER, suffix=".json") if name != _PACKAGE)


@cache
def load_schema(name: str) -> Schema:
    """Read a table of the data dictionary.

    Parameters
    ----------
    name : str
        Name of the table, for example ``"comparisons"``.

    Returns
    -------
    Schema

    Raises
    ------
    OptionError
        There is no such table; the message lists those there are.

    Examples
    --------
    >>> load_schema("comparisons")["sd_arm1"].exclusive_minimum
    0.0
    """
    require_known("the data dictionary has no table", [name], schema_names())
    raw = json.loads(shipped(_FOLDER, f"{name}.json").read_text(encoding="utf-8"))
    return Schema(
        name=raw["name"],
        title=raw["title"],
        description=raw["description"],
        fields=tuple(_field(entry) for entry in raw["fields"]),
        rules=tuple(
            Rule(name=rule["name"], left=rule["left"], right=rule["right"]) for rule in raw.get("ipt:rules", [])
        ),
        missing_values=tuple(raw.get("missingValues", [""])),
        primary_key=tuple(raw.get("primaryKey", ())),
        foreign_keys=tuple(_foreign_key(entry) for entry in raw.get("foreignKeys", ())),
    )


def _foreign_key(raw: dict[str, Any]) -> ForeignKey:
    target = raw["reference"]
    return ForeignKey(
        fields=tuple(raw["fields"]), resource=target["resource"], reference_fields=tuple(target["fields"])
    )


def _field(raw: dict[str, Any]) -> Field:
    limits = raw.get("constraints", {})
    return Field(
        name=raw["name"],
        title=raw["title"],
        description=raw["description"],
        type=raw["type"],
        required=bool(limits.get("required", False)),
        minimum=_number(limits.get("minimum")),
        exclusive_minimum=_number(limits.get("exclusiveMinimum")),
        maximum=_number(limits.get("maximum")),
        enum=tuple(limits.get("enum", ())),
        aliases=tuple(Alias(**alias) for alias in raw.get("ipt:aliases", ())),
        unit=raw.get("ipt:unit"),
        number_or_words=bool(raw.get("ipt:number_or_words", False)),
        privacy=raw.get("ipt:privacy"),
        is_instrument=bool(raw.get("ipt:instrument", False)),
        range_of=raw.get("ipt:range_of"),
    )


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)
