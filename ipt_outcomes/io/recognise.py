"""Put the columns of a file under the names of the dictionary."""

from __future__ import annotations

from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field

import pandas as pd

from ipt_outcomes.errors import DataError
from ipt_outcomes.io.mapping import Mapping, check_against
from ipt_outcomes.schemas import Alias, Decimal, Field, Schema

RESERVED = ("row", "file", "turned", "control_split")
"""Columns the loader makes itself; a file's own column of that name gets " (source)" behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """A file's columns under the names of the dictionary.

    Parameters
    ----------
    frame : pandas.DataFrame
        Text; dictionary columns and, under their own headings, all others.
    headings : dict of str to str
        Dictionary name to the heading in the file, where they differ.
    codes : dict of str to dict of str to str
        Dictionary name to what the file writes (small letters) and its code.
    square_roots : tuple of str
        Dictionary names whose column holds the square of what is wanted.
    extra : tuple of str
        Columns the dictionary does not have.
    notes : tuple of str
        What was recognised under another heading; codes the file does not use.
    """

    frame: pd.DataFrame
    headings: dict[str, str] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    square_roots: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def recognise(
    frame: pd.DataFrame, mapping: Mapping, schema: Schema, name: str, *, decimal: Decimal = "."
) -> Recognised:
    """Find the dictionary's columns in a file: by the mapping, then by name, then by a known other heading.

    Parameters
    ----------
    frame : pandas.DataFrame
        The file as read.
    mapping : Mapping
        What the user said; it goes before everything else.
    schema : Schema
        The dictionary.
    name : str
        Name of the file, for messages.
    decimal : {".", ","}
        Decimal mark of the file, in which constants are written too.

    Returns
    -------
    Recognised

    Raises
    ------
    OptionError
        The mapping does not fit the file; all faults are listed.
    DataError
        Two columns of the file could be the same column of the dictionary.
    """
    columns = tuple(str(column) for column in frame.columns)
    check_against(mapping, columns, name)
    taken = set(mapping.columns.values()) | set(mapping.left_out)
    free = [column for column in columns if column not in taken]
    # A column the mapping makes constant is not taken from the file too.
    claimed = set(mapping.columns) | set(mapping.constants)
    found = {target: (source, _codes_known(schema[target], source)) for target, source in mapping.columns.items()}
    found |= _by_heading(free, schema, claimed, columns, name)
    collected = _collect(frame, mapping, found, claimed)
    collected.columns.update(_constants(mapping, len(frame), decimal))
    named = [(target, source, alias) for target, (source, alias) in found.items() if alias is not None]
    other = [f"{target} from {'the square root of ' if a.transform else ''}{source}" for target, source, a in named]
    notes = [f"columns known under another heading: {', '.join(other)}"] if other else []
    notes += _said_by(mapping, set(found) | set(mapping.constants))
    return Recognised(
        frame=pd.DataFrame(collected.columns, index=pd.RangeIndex(len(frame))),
        headings={target: source for target, (source, _) in found.items() if target != source},
        codes=collected.codes,
        square_roots=tuple(target for target, _, alias in named if alias.transform == "sqrt"),
        extra=tuple(collected.extra),
        notes=(*notes, *collected.notes),
    )


def _said_by(mapping: Mapping, present: set[str]) -> list[str]:
    """What the mapping did, and which of its codes had nothing to work on."""
    said = [f"{target} from {source}" for target, source in mapping.columns.items()]
    said += [f"{target} = {value}" for target, value in mapping.constants.items()]
    notes = [f"by the mapping: {', '.join(said)}"] if said else []
    idle = [target for target in mapping.codes if target not in present]
    if idle:
        notes.append(f"codes of the mapping that nothing uses, as no column gives {', '.join(idle)}")
    return notes


@dataclass(frozen=True, slots=True)
class _Collected:
    """The columns of a file on their way to the dictionary's names."""

    columns: dict[str, pd.Series] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _collect(
    frame: pd.DataFrame, mapping: Mapping, found: dict[str, tuple[str, Alias | None]], claimed: set[str]
) -> _Collected:
    """Take each column of the file under its new name, with its codes."""
    columns = tuple(str(column) for column in frame.columns)
    heading_of = {source: (target, alias) for target, (source, alias) in found.items()}
    collected = _Collected()
    for column in columns:
        series = frame[column].reset_index(drop=True)
        if column in mapping.left_out:
            continue
        if column not in heading_of:
            title = _free_title(column, claimed, columns)
            collected.extra.append(title)
            collected.columns[title] = series
            continue
        target, alias = heading_of[column]
        codes = {written.strip().casefold(): code for written, code in mapping.codes.get(target, {}).items()}
        codes = codes or (dict(alias.codes) if alias else {})
        if codes:
            collected.codes[target] = codes
            series, unmet = _coded(series, codes)
            never = [repr(key) for key in mapping.codes.get(target, {}) if key.strip().casefold() in unmet]
            if never:
                collected.notes.append(f"codes of the mapping that {column} never has: {', '.join(never)}")
        collected.columns[target] = series
    return collected


def _codes_known(entry: Field, source: str) -> Alias | None:
    """A heading the dictionary knows brings its codes along also where a mapping names it (but no arithmetic)."""
    for alias in entry.aliases:
        if alias.codes and alias.name.casefold() == source.strip().casefold():
            return Alias(name=alias.name, codes=alias.codes)
    return None


def _free_title(column: str, claimed: set[str], columns: tuple[str, ...]) -> str:
    title = column
    while title in claimed or title in RESERVED or (title != column and title in columns):
        title = f"{title} (source)"
    return title


def _constants(mapping: Mapping, size: int, decimal: Decimal) -> dict[str, pd.Series]:
    """Make columns of one value, written with the decimal mark of the file they join."""
    texts = {
        target: value if isinstance(value, str) else repr(value).replace(".", decimal)
        for target, value in mapping.constants.items()
    }
    return {target: pd.Series([text] * size, dtype="string") for target, text in texts.items()}


def _by_heading(
    free: list[str], schema: Schema, claimed: set[str], columns: tuple[str, ...], name: str
) -> dict[str, tuple[str, Alias | None]]:
    """Map dictionary names to source column and alias; the dictionary's own name goes first."""
    lower = [column.strip().casefold() for column in columns]
    found: dict[str, tuple[str, Alias | None]] = {}
    doubtful = []
    for entry in schema.fields:
        if entry.name in claimed:
            continue
        exact = [column for column in free if column == entry.name]
        same = exact or [column for column in free if column.strip().casefold() == entry.name.casefold()]
        options: list[tuple[str, Alias | None]] = [(column, None) for column in same]
        if not options:
            options = _under_other_headings(entry, free, lower)
        if len(options) > 1:
            doubtful.append(f"{entry.name}: {' or '.join(repr(column) for column, _ in options)}")
        elif options:
            found[entry.name] = options[0]
    if doubtful:
        raise DataError(
            f"{name}: more than one column could be the dictionary's: {'; '.join(doubtful)}",
            hint="Say which in a mapping, under [columns], or leave the others out with left_out.",
        )
    return found


def _under_other_headings(entry: Field, free: list[str], lower: list[str]) -> list[tuple[str, Alias | None]]:
    usable = [alias for alias in entry.aliases if alias.beside is None or alias.beside in lower]
    return [
        (column, alias) for alias in usable for column in free if column.strip().casefold() == alias.name.casefold()
    ]


def _coded(series: pd.Series, codes: AbstractMapping[str, str]) -> tuple[pd.Series, set[str]]:
    keys = series.map(lambda cell: cell.strip().casefold() if isinstance(cell, str) else None)
    coded = keys.map(codes)
    unmet = set(codes) - set(keys.dropna())
    return series.astype(object).where(coded.isna(), coded), unmet
