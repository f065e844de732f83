"""Several tables: a folder by its ``datapackage.json``, or the files or sheets that a mapping names."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipt_outcomes.errors import DataError, IptError, OptionError, near_names, require_known
from ipt_outcomes.io.cohort.dictionary import TABLES
from ipt_outcomes.io.cohort.mapping import CohortMapping
from ipt_outcomes.io.cohort.source import Raw, raw_of, read_file
from ipt_outcomes.io.delimited import require_rows
from ipt_outcomes.io.descriptor import NAME as DESCRIPTOR
from ipt_outcomes.io.descriptor import read_descriptor
from ipt_outcomes.io.folder import is_table_folder, read_folder
from ipt_outcomes.io.guarded import reading_session
from ipt_outcomes.io.studies import Source
from ipt_outcomes.schemas import Decimal, schema_names

# Tables beside the four of patient data: goals are of an episode, arms of a study.
BESIDE = ("goals", "arms")
_HOW = (
    f"A folder needs a {DESCRIPTOR} whose resources are named for the tables of the dictionary, or a mapping with "
    '[tables.patients] file = "..." and so on.'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderTable:
    """One table of a folder.

    Parameters
    ----------
    table : str
        Table of the dictionary.
    raw : Raw
    plan : CohortMapping
        Its own mapping.
    is_described : bool
        Whether the file is in the form of the dictionary, as its descriptor says.
    """

    table: str
    raw: Raw
    plan: CohortMapping
    is_described: bool


def read_tables(
    folder: Path, plan: CohortMapping, *, encoding: str | None, decimal: Decimal | None, sha256: str | None
) -> tuple[list[FolderTable], Source]:
    """Read the tables of a folder, or the sheets of a workbook.

    Parameters
    ----------
    folder : Path
        A folder; or a workbook whose sheets are the tables that ``[tables]`` names.
    plan : CohortMapping
        With ``[tables]``, or without where the folder describes itself.
    encoding, decimal : str, optional
        Of its text files, where they are not to be detected.
    sha256 : str, optional
        Digest of the whole, as ``.source.sha256`` of an earlier load gives it.

    Returns
    -------
    tables : list of FolderTable
    source : Source
        With the files as parts; its digest is that of the names and digests of the files.

    Raises
    ------
    IptError
        No descriptor, paths that lead out of the folder, files that are not there or not those described.
    """
    if plan.tables:
        tables = _mapped(folder, plan, encoding=encoding, decimal=decimal)
    else:
        tables = _described(folder, plan, encoding=encoding, decimal=decimal)
    source = _whole(folder, [table.raw.source for table in tables])
    if sha256 is not None and sha256.strip().lower() != source.sha256:
        kind = "folder" if folder.is_dir() else "workbook"
        raise IptError(f"{folder.name} is not the {kind} expected: its SHA-256 is {source.sha256}, not {sha256}")
    return tables, source


def _mapped(folder: Path, plan: CohortMapping, *, encoding: str | None, decimal: Decimal | None) -> list[FolderTable]:
    """The files, or sheets, that a mapping names."""
    paths = {table: own.file or folder.name for table, own in plan.tables.items()}
    files = _inside(folder if folder.is_dir() else folder.parent, paths, folder)
    tables = []
    with reading_session():
        for table, own in plan.tables.items():
            raw = read_file(files[table], encoding=encoding, decimal=decimal, sheet=own.sheet)
            if list(paths.values()).count(paths[table]) > 1:
                # Of one file, which sheet a row is on has to be said.
                raw = dataclasses.replace(
                    raw, source=dataclasses.replace(raw.source, name=f"{raw.source.name} ({table})")
                )
            tables.append(FolderTable(table=table, raw=raw, plan=plan.part(table), is_described=False))
    return tables


def _whole(folder: Path, parts: list[Source]) -> Source:
    lines = sorted(f"{part.name}\x1f{part.sha256}\n" for part in parts)
    # The sheets of a workbook are one file, and have its digest.
    digest = parts[0].sha256 if folder.is_file() else hashlib.sha256("".join(lines).encode("utf-8")).hexdigest()
    return Source(name=folder.name, sha256=digest, rows=sum(part.rows for part in parts), parts=tuple(parts))


def require_rows_of(tables: list[FolderTable], expected: int | Mapping[str, int] | None, name: str) -> None:
    """Refuse tables of another number of rows than expected (L13).

    Parameters
    ----------
    tables : list of FolderTable
    expected : int or mapping of str to int, optional
        Rows of all tables together, or of each table by its name in the dictionary.
    name : str
        Of the folder, for messages.

    Raises
    ------
    DataError
        Naming every table whose number of rows is another.
    OptionError
        A table that was not read.
    """
    rows = {table.table: len(table.raw.frame) for table in tables}
    if expected is None:
        return
    if not isinstance(expected, Mapping):
        require_rows(sum(rows.values()), expected, name)
        return
    require_known("expect_rows names a table that is not there:", expected, list(rows))
    wrong = [f"{table}: {rows[table]} instead of {count}" for table, count in expected.items() if rows[table] != count]
    if wrong:
        raise DataError(
            f"{name} does not have the rows expected: {'; '.join(wrong)}",
            hint="Tables may be cut short, or hold rows twice: compare them with where they come from.",
        )


def _inside(folder: Path, paths: Mapping[str, str], given: Path) -> dict[str, Path]:
    """The files, each inside the folder (of a workbook: that file); all that are not are named."""
    base, found, faults = folder.resolve(), dict[str, Path](), []
    for table, path in paths.items():
        file = (base / path).resolve() if "\0" not in path else base
        if Path(path).is_absolute() or "\\" in path or "://" in path or not file.is_relative_to(base) or file == base:
            faults.append(f"{table}: its path leads out of the folder; paths are relative and stay inside")
        elif not given.is_dir() and path != given.name:
            faults.append(f"{table}: another file than {given.name} is named; give the folder to read several files")
        elif not file.is_file():
            near = near_names(file.name, sorted(one.name for one in base.iterdir() if one.is_file()))
            faults.append(f"{table}: there is no file {file.name}" + (f"; near: {', '.join(near)}" if near else ""))
        else:
            found[table] = file
    _refuse(given, faults)
    return found


def _refuse(folder: Path, faults: list[str]) -> None:
    if faults:
        listed = "\n".join(f"- {fault}" for fault in faults)
        raise DataError(f"{folder.name} cannot be read:\n{listed}", hint=_HOW)


def _described(
    folder: Path, plan: CohortMapping, *, encoding: str | None, decimal: Decimal | None
) -> list[FolderTable]:
    """The tables of a folder in the form of the dictionary, as its descriptor says."""
    if plan.columns or plan.wide or plan.wide_items or plan.left_out or plan.baseline:
        raise OptionError("a mapping of a folder names columns under [tables.patients.columns] and so on")
    if not is_table_folder(folder):
        raise DataError(f"the folder {folder.name} has no {DESCRIPTOR}", hint=_HOW)
    names = [resource.name for resource in read_descriptor(folder)]
    faults = [_no_table(name) for name in names if name not in (*TABLES, *BESIDE)]
    if not faults and not set(TABLES) & set(names):
        faults.append(f"no resource is one of {', '.join(TABLES)}")
    _refuse(folder, faults)
    found = read_folder(folder, encoding=encoding, decimal=decimal)
    return [
        FolderTable(
            table=name, raw=raw_of(found[name]), plan=_with_covariates(plan, found.schemas[name]), is_described=True
        )
        for name in (*TABLES, *BESIDE)
        if name in found
    ]


def _no_table(name: str) -> str:
    near = near_names(name, schema_names())
    return f"{name} is no table of patient data; near: {', '.join(near or TABLES)}"


def _with_covariates(plan: CohortMapping, schema: Mapping[str, Any]) -> CohortMapping:
    """The mapping of a described table: its own names, and the columns it declares as covariates."""
    declared = [field["name"] for field in schema.get("fields", []) if field.get("ipt:covariate") is True]
    return dataclasses.replace(plan, covariates={**plan.covariates, **{name: name for name in declared}})
