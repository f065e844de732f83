"""Several tables of one study: which is which, one person and one start in all of them, one proposal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ipt_outcomes.io.cohort.dictionary import TABLES
from ipt_outcomes.io.cohort.source import Raw
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

_START_FROM = ("episodes", "patients", "sessions", "assessments")
_SHARED = 0.9


@dataclass(slots=True)
class TableFile:
    """One file of a folder, or one sheet of a workbook.

    Parameters
    ----------
    path : str
        Path inside the folder, or name of the sheet.
    stem : str
        Name that may tell the table.
    raw : Raw
    draft : Draft
    fits : list of Fit
    table : str
        Table of the dictionary, once it is chosen.
    """

    path: str
    stem: str
    raw: Raw
    draft: Draft
    fits: list[Fit]
    table: str = ""

    @classmethod
    def of(cls, path: str, stem: str, raw: Raw) -> TableFile:
        """Draft the file."""
        draft = drafted(raw)
        return cls(path, stem, raw, draft, fits_of(draft, stem))


def proposed_tables(name: str, files: list[TableFile], hints: list[str], *, are_sheets: bool) -> ProposedMapping:
    """Propose a mapping for several tables.

    Parameters
    ----------
    name : str
        Of the folder, or of the workbook.
    files : list of TableFile
    hints : list of str
        What was not read, and why.
    are_sheets : bool
        Whether they are sheets of a workbook.

    Returns
    -------
    ProposedMapping
    """
    _one_person_column(files)
    files, unused = _about_persons(files)
    chosen, asked = _chosen(files)
    _one_start(chosen)
    return _proposal(name, chosen, asked, [*hints, *unused], are_sheets)


def _about_persons(files: list[TableFile]) -> tuple[list[TableFile], list[str]]:
    """Files with a column that names the person or the episode; what stands in the others is not used."""
    kept = [file for file in files if _id(file, "patient_id") or _id(file, "episode_id")]
    unused = [
        f"{file.path} is not used: no column names the person" for file in files if all(file is not one for one in kept)
    ]
    return (kept, unused) if kept else (files, [])


def _chosen(files: list[TableFile]) -> tuple[list[TableFile], list[str]]:
    """One file for each table; a file that fits no table that is left is asked about."""
    asked = []
    taken: dict[str, TableFile] = {}
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


def _may_be(fit: Fit, file: TableFile) -> bool:
    """Scores are never taken for sessions only because another file holds scores already."""
    return fit is file.fits[0] or {fit.table, file.fits[0].table} <= {"patients", "episodes"}


def _one_person_column(files: list[TableFile]) -> None:
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


def _id(file: TableFile, name: str) -> str:
    return next((x.column for x in file.draft.lines.values() if (x.part, x.name) == ("columns", name)), "")


def _with_ids(file: TableFile, ids: set[str]) -> str | None:
    """The column most of whose cells are ids of another file."""
    for column in file.raw.columns:
        values = file.raw.texts(column).values
        if len(values) > 1 and np.mean([text in ids for text in values]) >= _SHARED:
            return column
    return None


def _one_start(files: list[TableFile]) -> None:
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


def _proposal(
    name: str, files: list[TableFile], asked: list[str], hints: list[str], are_sheets: bool
) -> ProposedMapping:
    drafts = [file.draft for file in files]
    orders = {draft.order for draft in drafts if draft.order is not None}
    rows = [(file, len(file.raw.frame)) for file in files]
    told = ", ".join(f"{file.path} ({file.table}, {n} {plural(n, 'row', 'rows')})" for file, n in rows)
    kinds = dict.fromkeys(draft.form for draft in drafts if draft.form)
    known = f"{', '.join(kinds)}, " if kinds else ""
    kind = "workbook" if are_sheets else "folder"
    return ProposedMapping(
        source=name,
        kind="cohort",
        layout=f"{known}a {kind} of {len(files)} {plural(len(files), 'table', 'tables')}: {told}",
        lines=tuple(_line(file, column) for file in files for column in file.raw.columns),
        codes=tuple(_codes(files)),
        visits=tuple(_visits(drafts)),
        order=next(iter(orders)) if len(orders) == 1 else None,
        questions=(*asked, *questions_of(drafts)),
        hints=tuple(hints),
        facts=tuple({fact.name: fact for draft in drafts for fact in fact_lines(draft)}.values()),
        counts_from_one=any(draft.counts_from_one for draft in drafts),
        numbers_sessions=any(file.draft.numbers_sessions for file in files if file.table == "sessions"),
        files={file.table: name if are_sheets else file.path for file in files},
        sheets={file.table: file.path for file in files} if are_sheets else {},
    )


def _line(file: TableFile, column: str) -> Line:
    return replace(file.draft.lines[column], table=file.table)


def _codes(files: Sequence[TableFile]) -> list[CodeLine]:
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
