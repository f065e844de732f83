"""A mapping for the files of a folder: which file is which table, and which column is what."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ipt_outcomes.errors import IptError
from ipt_outcomes.io.cohort.dictionary import TABLES
from ipt_outcomes.io.cohort.folder import BESIDE
from ipt_outcomes.io.cohort.source import Raw, read_file
from ipt_outcomes.io.descriptor import NAME as DESCRIPTOR
from ipt_outcomes.io.guarded import format_of, reading_session
from ipt_outcomes.io.propose.build import drafted
from ipt_outcomes.io.propose.draft import Draft
from ipt_outcomes.io.propose.facts import fact_lines
from ipt_outcomes.io.propose.lines import CodeLine, Line
from ipt_outcomes.io.propose.proposal import ProposedMapping
from ipt_outcomes.io.propose.questions import questions_of
from ipt_outcomes.io.propose.visits import Visit
from ipt_outcomes.io.propose.which_table import Fit, fits_of
from ipt_outcomes.io.propose.words import GUESS, folded
from ipt_outcomes.results import plural
from ipt_outcomes.schemas import Decimal, load_schema

_TEXT = (".csv", ".tsv", ".txt")
_MOST_FILES = 40
_START_FROM = ("episodes", "patients", "sessions", "assessments")
_SHARED = 0.9


@dataclass(slots=True)
class _File:
    """One readable file of the folder."""

    path: str
    stem: str
    raw: Raw
    draft: Draft
    fits: list[Fit]
    table: str = ""


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
    if _is_described(folder):
        return ProposedMapping(
            source=folder.name, kind="cohort", lines=(), needs_none=True,
            layout="a folder in the form of the data dictionary, which is loaded without a mapping",
        )  # fmt: skip
    files, hints = _read(folder, encoding, decimal)
    if not files:
        told = "; ".join(hints) or "no file whose ending is known"
        raise IptError(f"the folder {folder.name} holds no patient data: {told}",
                       hint="One file (csv, tsv, xlsx, sav, dta, ...) per table was expected.")  # fmt: skip
    _one_person_column(files)
    files, unused = _about_persons(files)
    chosen, asked = _chosen(files)
    hints += unused
    _one_start(chosen)
    return _proposal(folder.name, chosen, asked, hints)


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


def _read(folder: Path, encoding: str | None, decimal: Decimal | None) -> tuple[list[_File], list[str]]:
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
            draft = drafted(raw)
            if folded(stem) in BESIDE:
                hints.append(f"{name} is not mapped: goals and arms are read in the form of the dictionary, from a "
                             f"folder with a {DESCRIPTOR}")  # fmt: skip
                continue
            files.append(_File(name, stem, raw, draft, fits_of(draft, stem)))
    return files, hints


def _about_persons(files: list[_File]) -> tuple[list[_File], list[str]]:
    """Files with a column that names the person or the episode; what stands in the others is not used."""
    kept = [file for file in files if _id(file, "patient_id") or _id(file, "episode_id")]
    unused = [
        f"{file.path} is not used: no column names the person" for file in files if all(file is not one for one in kept)
    ]
    return (kept, unused) if kept else (files, [])


def _chosen(files: list[_File]) -> tuple[list[_File], list[str]]:
    """One file for each table; a file that fits no table that is left is asked about."""
    asked = []
    taken: dict[str, _File] = {}
    for file in sorted(files, key=lambda one: (-max((fit.points for fit in one.fits), default=0), one.path)):
        free = next((fit for fit in file.fits if fit.table not in taken), None)
        if free is not None and free.points >= 0.5 * file.fits[0].points and _may_be(free, file):
            file.table = free.table
            taken[free.table] = file
        elif not file.fits:
            asked.append(f"{file.path}: nothing of it was recognised. [tables.NAME] file = {file.path!r}, or leave it")
        else:
            other = taken[file.fits[0].table].path
            asked.append(f"{file.path} holds {file.fits[0].table}, as {other} does: put both into one file")
    return [taken[table] for table in TABLES if table in taken], asked


def _may_be(fit: Fit, file: _File) -> bool:
    """Scores are never taken for sessions only because another file holds scores already."""
    return fit is file.fits[0] or {fit.table, file.fits[0].table} <= {"patients", "episodes"}


def _one_person_column(files: list[_File]) -> None:
    """A column that is the person in one file is so in the others; else ids that are the same tell."""
    named = {_id(file, "patient_id"): file for file in files if _id(file, "patient_id")}
    known = {folded(column) for column in named}
    ids = {text for column, file in named.items() for text in file.raw.texts(column).values}
    for file in files:
        if _id(file, "patient_id") or _id(file, "episode_id"):
            continue
        same = [column for column in file.raw.columns if folded(column) in known]
        column = same[0] if same else _with_ids(file, ids)
        if column is not None:
            file.draft = drafted(file.raw, person=column)
            file.fits = fits_of(file.draft, file.stem)


def _id(file: _File, name: str) -> str:
    return next((x.column for x in file.draft.lines.values() if (x.part, x.name) == ("columns", name)), "")


def _with_ids(file: _File, ids: set[str]) -> str | None:
    """The column most of whose cells are ids of another file."""
    for column in file.raw.columns:
        values = file.raw.texts(column).values
        if len(values) > 1 and np.mean([text in ids for text in values]) >= _SHARED:
            return column
    return None


def _one_start(files: list[_File]) -> None:
    """The person's own start stands in one file; the dates of the others are counted from it."""
    order = {table: place for place, table in enumerate(_START_FROM)}
    starts = {
        file.table: line.column
        for file in sorted(files, key=lambda one: order[one.table])
        for line in file.draft.lines.values()
        if (line.part, line.name) == ("dates", "start")
    }
    if not starts:
        return
    first = next(iter(starts.values()))
    for file in files:
        if file.table not in starts:
            person = _id(file, "patient_id") or None
            file.draft = drafted(file.raw, person=person, starts_elsewhere=True)
        for column, line in list(file.draft.lines.items()):
            if (line.part, line.name) == ("dates", "start") and column != first:
                why = f"may be the start, as {first} is"
                file.draft.lines[column] = replace(line, part="undecided", name="", sure=GUESS, why=why)


def _proposal(name: str, files: list[_File], asked: list[str], hints: list[str]) -> ProposedMapping:
    drafts = [file.draft for file in files]
    orders = {draft.order for draft in drafts if draft.order is not None}
    rows = [(file, len(file.raw.frame)) for file in files]
    told = ", ".join(f"{file.path} ({file.table}, {n} {plural(n, 'row', 'rows')})" for file, n in rows)
    kinds = dict.fromkeys(draft.form for draft in drafts if draft.form)
    known = f"{', '.join(kinds)}, " if kinds else ""
    return ProposedMapping(
        source=name,
        kind="cohort",
        layout=f"{known}a folder of {len(files)} {plural(len(files), 'table', 'tables')}: {told}",
        lines=tuple(_line(file, column) for file in files for column in file.raw.columns),
        codes=tuple(_codes(files)),
        visits=tuple(_visits(drafts)),
        order=next(iter(orders)) if len(orders) == 1 else None,
        questions=(*asked, *questions_of(drafts)),
        hints=tuple(hints),
        facts=tuple({fact.name: fact for draft in drafts for fact in fact_lines(draft)}.values()),
        counts_from_one=any(draft.counts_from_one for draft in drafts),
        files={file.table: file.path for file in files},
    )


def _line(file: _File, column: str) -> Line:
    return replace(file.draft.lines[column], table=file.table)


def _codes(files: Sequence[_File]) -> list[CodeLine]:
    """Codes of all files; a code that stands for two things in two files is asked."""
    found: dict[tuple[str, str, str, str], CodeLine] = {}
    for file in files:
        for code in file.draft.codes:
            own = replace(code, table=file.table if code.part == "missing" else "")
            key = (own.table, own.part, own.name, own.written)
            known = found.setdefault(key, own)
            if known.code != own.code:
                why = f"it stands for {known.code or '?'} in one file and for {own.code or '?'} in another"
                found[key] = replace(known, code=None, sure=GUESS, why=why)
    return list(found.values())


def _visits(drafts: Sequence[Draft]) -> list[Visit]:
    found: dict[str, Visit] = {}
    for draft in drafts:
        for visit in draft.visits:
            known = found.get(visit.name)
            if known is None or (known.week is None and visit.week is not None):
                found[visit.name] = visit
    return sorted(found.values(), key=lambda visit: float("inf") if visit.week is None else visit.week)
