"""A folder of tables: by its ``datapackage.json``, or by the files a mapping names."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipt_outcomes.errors import DataError, IptError, near_names
from ipt_outcomes.io.cohort.dictionary import TABLES
from ipt_outcomes.io.cohort.mapping import CohortMapping
from ipt_outcomes.io.cohort.source import Raw, read_file
from ipt_outcomes.io.guarded import reading_session
from ipt_outcomes.io.studies import Source
from ipt_outcomes.schemas import Decimal, schema_names

DESCRIPTOR = "datapackage.json"
_LARGEST = 10_000_000
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


def read_folder(
    folder: Path, plan: CohortMapping, *, encoding: str | None, decimal: Decimal | None, sha256: str | None
) -> tuple[list[FolderTable], Source]:
    """Read the tables of a folder.

    Parameters
    ----------
    folder : Path
    plan : CohortMapping
        With ``[tables]``, or empty where the folder describes itself.
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
    wanted = _by_mapping(plan) if plan.tables else _by_descriptor(folder, plan)
    files = _inside(folder, {table: entry.path for table, entry in wanted.items()})
    tables = []
    with reading_session():
        for table, entry in wanted.items():
            raw = read_file(files[table], encoding=encoding, decimal=decimal, sha256=entry.sha256)
            tables.append(FolderTable(table=table, raw=raw, plan=entry.plan, is_described=not plan.tables))
    source = _whole(folder.name, [table.raw.source for table in tables])
    if sha256 is not None and sha256.strip().lower() != source.sha256:
        raise IptError(f"{folder.name} is not the folder expected: its SHA-256 is {source.sha256}, not {sha256}")
    return tables, source


def _whole(name: str, parts: list[Source]) -> Source:
    lines = sorted(f"{part.name}\x1f{part.sha256}\n" for part in parts)
    digest = hashlib.sha256("".join(lines).encode("utf-8")).hexdigest()
    return Source(name=name, sha256=digest, rows=sum(part.rows for part in parts), parts=tuple(parts))


@dataclass(frozen=True, slots=True)
class _Wanted:
    path: str
    plan: CohortMapping
    sha256: str | None = None


def _by_mapping(plan: CohortMapping) -> dict[str, _Wanted]:
    return {table: _Wanted(own.file, plan.part(table)) for table, own in plan.tables.items()}


def _inside(folder: Path, paths: Mapping[str, str]) -> dict[str, Path]:
    """The files, each inside the folder; all that are not are named."""
    base, found, faults = folder.resolve(), dict[str, Path](), []
    for table, path in paths.items():
        file = (base / path).resolve() if "\0" not in path else base
        if Path(path).is_absolute() or "\\" in path or "://" in path or not file.is_relative_to(base) or file == base:
            faults.append(f"{table}: its path leads out of the folder; paths are relative and stay inside")
        elif not file.is_file():
            near = near_names(file.name, sorted(one.name for one in base.iterdir() if one.is_file()))
            faults.append(f"{table}: there is no file {file.name}" + (f"; near: {', '.join(near)}" if near else ""))
        else:
            found[table] = file
    _refuse(folder, faults)
    return found


def _refuse(folder: Path, faults: list[str]) -> None:
    if faults:
        listed = "\n".join(f"- {fault}" for fault in faults)
        raise DataError(f"the folder {folder.name} cannot be read:\n{listed}", hint=_HOW)


def _by_descriptor(folder: Path, plan: CohortMapping) -> dict[str, _Wanted]:
    resources = _resources(folder)
    wanted: dict[str, _Wanted] = {}
    faults = []
    if plan.columns or plan.wide or plan.left_out or plan.baseline:
        faults.append("a mapping of a folder names columns under [tables.patients.columns] and so on")
    for place, entry in enumerate(resources):
        name, path = (entry.get("name"), entry.get("path")) if isinstance(entry, dict) else (None, None)
        if isinstance(path, list) and len(path) == 1:
            path = path[0]
        if not isinstance(name, str) or not isinstance(path, str) or not path.strip():
            faults.append(f"resource {place + 1} needs a name and one path")
        elif name not in (*TABLES, *BESIDE):
            near = near_names(name, schema_names())
            faults.append(f"resource {place + 1} is no table of patient data; near: {', '.join(near or TABLES)}")
        elif name in wanted:
            faults.append(f"{name}: described twice")
        else:
            digest, fault = _digest(entry.get("hash"))
            faults += [f"{name}: {fault}"] if fault else []
            wanted[name] = _Wanted(path, _described(entry, plan), digest)
    if not faults and not {"assessments", "sessions", "episodes", "patients"} & wanted.keys():
        faults.append(f"no resource is one of {', '.join(TABLES)}")
    _refuse(folder, faults)
    return {name: wanted[name] for name in (*TABLES, *BESIDE) if name in wanted}


def _resources(folder: Path) -> list[Any]:
    path = folder / DESCRIPTOR
    if not path.is_file():
        raise DataError(f"the folder {folder.name} has no {DESCRIPTOR}", hint=_HOW)
    try:
        text = path.read_text(encoding="utf-8-sig") if path.stat().st_size <= _LARGEST else ""
        raw = json.loads(text)
        resources = raw["resources"]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        raise DataError(
            f"{DESCRIPTOR} of {folder.name} is no JSON object with a list of resources, or too large", hint=_HOW
        ) from None
    if not isinstance(resources, list) or not resources:
        raise DataError(f"{DESCRIPTOR} of {folder.name} lists no resources", hint=_HOW)
    return resources


def _digest(given: object) -> tuple[str | None, str | None]:
    """The SHA-256 a descriptor promises; other digests are not trusted to say anything."""
    if given is None:
        return None, None
    plain = given.strip().lower().removeprefix("sha256:") if isinstance(given, str) else ""
    if len(plain) == 64 and all(c in "0123456789abcdef" for c in plain):
        return plain, None
    return None, 'hash must be "sha256:" and 64 hexadecimal digits'


def _described(entry: dict[str, Any], plan: CohortMapping) -> CohortMapping:
    """The mapping of a described table: its own names, and the columns it declares as covariates."""
    schema = entry.get("schema")
    fields = schema.get("fields", []) if isinstance(schema, dict) else []
    declared = [
        field["name"]
        for field in fields
        if isinstance(field, dict) and isinstance(field.get("name"), str) and field.get("ipt:covariate") is True
    ]
    return dataclasses.replace(plan, covariates={**plan.covariates, **{name: name for name in declared}})
