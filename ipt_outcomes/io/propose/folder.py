"""A mapping for the files of a folder: which file is which table, and which column is what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ipt_outcomes.errors import IptError
from ipt_outcomes.io.cohort.dictionary import TABLES
from ipt_outcomes.io.cohort.folder import BESIDE
from ipt_outcomes.io.cohort.source import raw_of, read_file
from ipt_outcomes.io.descriptor import NAME as DESCRIPTOR
from ipt_outcomes.io.guarded import format_of, reading_session
from ipt_outcomes.io.propose.proposal import ProposedMapping
from ipt_outcomes.io.propose.tables import TableFile, proposed_tables
from ipt_outcomes.io.propose.words import folded
from ipt_outcomes.io.table import read_table
from ipt_outcomes.schemas import Decimal, load_schema

_TEXT = (".csv", ".tsv", ".txt")
_MOST_FILES = 40
_MOST_SHEETS = 30
_NO_SHEET = "no such sheet"
_SEVERAL_SHEETS = "sheets that hold something"


def proposed_folder(folder: Path, *, encoding: str | None, decimal: Decimal | None) -> ProposedMapping:
    """Propose a mapping for the files of a folder.

    Parameters
    ----------
    folder : Path
        With or without a ``datapackage.json``; its subfolders are not looked into.
    encoding, decimal : str, optional
        Of its text files, where they are not to be detected.

    Returns
    -------
    ProposedMapping
        Without any line, and with ``needs_none``, where the folder is in the form of the dictionary.

    Raises
    ------
    IptError
        No file of the folder holds patient data.
    """
    from ipt_outcomes.io.exchange.saved import is_saved

    if is_saved(folder) or _is_described(folder):
        return ProposedMapping(
            source=folder.name, kind="cohort", lines=(), needs_none=True,
            layout="a folder in the form of the data dictionary, which is loaded without a mapping",
        )  # fmt: skip
    files, hints = _read(folder, encoding, decimal)
    if not files:
        told = "; ".join(hints) or "no file whose ending is known"
        raise IptError(f"the folder {folder.name} holds no patient data: {told}",
                       hint="One file (csv, tsv, xlsx, sav, dta, ...) per table was expected.")  # fmt: skip
    return proposed_tables(folder.name, files, hints, are_sheets=False)


def _is_described(folder: Path) -> bool:
    """Whether every resource is a table of the dictionary with the dictionary's own columns."""
    try:
        raw = json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8-sig"))
        resources = [(entry["name"], folder / entry["path"], entry.get("schema")) for entry in raw["resources"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
    known = (*TABLES, *BESIDE)
    for name, path, schema in resources:
        if name not in known or not path.is_file():
            return False
        fields = schema.get("fields", []) if isinstance(schema, Mapping) else []
        declared = {str(field.get("name")) for field in fields if isinstance(field, Mapping)}
        columns = declared or set(_columns(path))
        own = {str(f.get("name")) for f in fields if isinstance(f, Mapping) and f.get("ipt:covariate") is True}
        if not columns or any(column not in load_schema(name) for column in columns - own):
            return False
    return bool(resources)


def _columns(path: Path) -> tuple[str, ...]:
    try:
        return read_file(path).columns
    except IptError:
        return ()


def _paths(folder: Path) -> dict[str, Path]:
    """Names and files: the resources of a descriptor, else every file whose ending is known."""
    inside = [one for one in sorted(folder.iterdir()) if one.is_file() and not one.name.startswith((".", "~"))]
    try:
        raw = json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8-sig"))
        told = {str(one["path"]): str(one["name"]) for one in raw["resources"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        told = {}
    base = folder.resolve()
    found = {one.name: one for one in inside if one.suffix.lower() in _TEXT or format_of(one) is not None}
    described = {name: folder / path for path, name in told.items()}
    kept = {name: path for name, path in described.items() if path.is_file() and path.resolve().is_relative_to(base)}
    return kept or {Path(name).stem: path for name, path in found.items()}


def _read(folder: Path, encoding: str | None, decimal: Decimal | None) -> tuple[list[TableFile], list[str]]:
    """Files that hold rows about persons or episodes, and what was not read and why."""
    files, hints = [], []
    paths = _paths(folder)
    if len(paths) > _MOST_FILES:
        raise IptError(f"the folder {folder.name} holds {len(paths)} files: more than {_MOST_FILES} are no tables of "
                       "one study", hint="Put the tables into a folder of their own.")  # fmt: skip
    with reading_session():
        for stem, path in paths.items():
            name = path.relative_to(folder).as_posix()
            try:
                raw = read_file(path, encoding=encoding, decimal=decimal)
            except IptError as error:
                hints.append(f"{name} was not read: {error.message}")
                continue
            if folded(stem) in BESIDE:
                hints.append(f"{name} is not mapped: goals and arms are read in the form of the dictionary, from a "
                             f"folder with a {DESCRIPTOR}")  # fmt: skip
                continue
            files.append(TableFile.of(name, stem, raw))
    return files, hints


def has_several_sheets(error: IptError) -> bool:
    """Whether a workbook was refused because several of its sheets hold something."""
    return _SEVERAL_SHEETS in error.message


def proposed_workbook(file: Path, *, decimal: Decimal | None) -> ProposedMapping:
    """Propose a mapping for a workbook whose sheets are several tables.

    Parameters
    ----------
    file : Path
    decimal : str, optional
        Decimal mark of numbers that stand as text.

    Returns
    -------
    ProposedMapping

    Raises
    ------
    IptError
        No sheet holds patient data.
    """
    files, hints = [], []
    with reading_session():
        for number in range(1, _MOST_SHEETS + 1):
            try:
                table = read_table(file, sheet=number, decimal=decimal)
            except IptError as error:
                if _NO_SHEET in error.message:
                    break
                hints.append(f"sheet {number} was not read: {error.message}")
                continue
            files.append(TableFile.of(table.sheet or "", table.sheet or "", raw_of(table)))
    if not files:
        raise IptError(f"{file.name} holds no patient data: {'; '.join(hints)}")
    return proposed_tables(file.name, files, hints, are_sheets=True)
