"""The tables a cohort is made of: one file, or the files of a folder, each read by its own columns."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.io.cohort.alike import same_person
from ipt_outcomes.io.cohort.cells import Texts, joined, nothing
from ipt_outcomes.io.cohort.columns import Columns, recognise_columns
from ipt_outcomes.io.cohort.dictionary import IDS, Target
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.folder import BESIDE, FolderTable, read_folder
from ipt_outcomes.io.cohort.forms import only_in_own_forms, without_unseen
from ipt_outcomes.io.cohort.mapping import CohortMapping
from ipt_outcomes.io.cohort.mapping_faults import refuse
from ipt_outcomes.io.cohort.reader import Reader, without_excluded
from ipt_outcomes.io.cohort.scores import Scores, read_scores
from ipt_outcomes.io.cohort.source import CohortSource, Raw, read_source
from ipt_outcomes.io.cohort.typed import Values
from ipt_outcomes.io.cohort.values import read_values
from ipt_outcomes.io.studies import Source
from ipt_outcomes.io.toml_text import no_column
from ipt_outcomes.results import plural
from ipt_outcomes.schemas import Decimal, check_references, check_tables, summarise

Excluded = list[tuple[str, int, int]]


@dataclass(slots=True)
class Part:
    """One table of a source.

    Parameters
    ----------
    table : str
        Table of the dictionary; "" where the source is one file with everything.
    raw : Raw
    plan : CohortMapping
    faults : Faults
    columns : Columns
    """

    table: str
    raw: Raw
    plan: CohortMapping
    faults: Faults
    columns: Columns = field(default_factory=Columns)

    @property
    def people(self) -> Texts:
        """Person of each record, as the source writes it."""
        return self.ids("patient_id")

    def ids(self, name: str) -> Texts:
        """Return an id of each record, as the source writes it."""
        sources = self.columns.sources.get(Target("field", name))
        if sources is None:
            return nothing(len(self.raw.frame))
        texts = joined([self.raw.texts(source) for source in sources])
        return same_person(texts) if name == "patient_id" and self.plan.alike == "same" else texts


@dataclass(slots=True)
class Opened:
    """A source whose columns are known.

    Parameters
    ----------
    parts : list of Part
        Tables of patient data.
    beside : dict of str to Part
        Goals and arms.
    source : Source
    checked : bool
        Whether the tables were checked against the dictionary's schemas.
    """

    parts: list[Part]
    beside: dict[str, Part]
    source: Source
    checked: bool = False


def open_source(
    source: CohortSource, plan: CohortMapping, faults: Faults, *, expect_rows: int | None, sha256: str | None,
    encoding: str | None, decimal: Decimal | None,
) -> Opened:  # fmt: skip
    """Read a file, a frame or a folder, and find out which column is which.

    Parameters
    ----------
    source, plan, expect_rows, sha256, encoding, decimal
        As in `ipt_outcomes.io.load_cohort`.
    faults : Faults
        Takes what is wrong with tables of a folder that are in the form of the dictionary.

    Returns
    -------
    Opened
    """
    if isinstance(source, str | os.PathLike) and Path(os.fspath(source)).expanduser().is_dir():
        if expect_rows is not None:
            raise OptionError("expect_rows is the number of rows of one file; a folder was given")
        folder = Path(os.fspath(source)).expanduser()
        tables, whole = read_folder(folder, plan, encoding=encoding, decimal=decimal, sha256=sha256)
        return _opened(tables, whole, faults)
    if plan.tables:
        raise OptionError("the mapping names files of a folder ([tables]), but the source is no folder")
    raw = read_source(source, expect_rows=expect_rows, sha256=sha256, encoding=encoding, decimal=decimal)
    plan.check(raw.columns, raw.source.name)
    part = Part("", without_unseen(raw, plan), plan, Faults(raw.source.name, raw.rows))
    part.columns = recognise_columns(part.raw, plan, part.faults)
    return Opened([part], {}, raw.source)


def _opened(tables: list[FolderTable], source: Source, faults: Faults) -> Opened:
    described = tables[0].is_described
    if described:
        tables = _checked(tables, faults)
    _require_dates(tables)
    parts: list[Part] = []
    beside: dict[str, Part] = {}
    for table in tables:
        raw, plan = table.raw, table.plan
        own = Faults(raw.source.name, raw.rows, file=raw.source.name)
        part = Part(table.table, raw, _own_dates(plan, raw), own)
        if table.table in BESIDE:
            beside[table.table] = part
            continue
        if not described:
            dataclasses.replace(part.plan, dates=None).check(raw.columns, raw.source.name)
        else:
            part.plan = _own_covariates(part.plan, raw)
        part.raw = without_unseen(raw, part.plan)
        keys = ("patient_id",) if table.table == "patients" else ("patient_id", "episode_id")
        part.columns = recognise_columns(part.raw, part.plan, own, keys=keys)
        parts.append(part)
    return Opened(parts, beside, source, checked=described)


def _require_dates(tables: list[FolderTable]) -> None:
    """Every column of dates that the mapping names must be in one of the files."""
    dates = tables[0].plan.dates
    if dates is None:
        return
    columns = list(dict.fromkeys(column for table in tables for column in table.raw.columns))
    wanted = {"start": dates.start, **dates.days}
    refuse(
        [no_column(f"[dates] {n}", source, columns) for n, source in wanted.items() if source not in columns],
        "the mapping of the folder",
    )


def _own_dates(plan: CohortMapping, raw: Raw) -> CohortMapping:
    """Dates of other files of the folder are no concern of this one."""
    if plan.dates is None:
        return plan
    days = {name: source for name, source in plan.dates.days.items() if source in raw.columns}
    if not days and plan.dates.start not in raw.columns:
        return dataclasses.replace(plan, dates=None)
    return dataclasses.replace(plan, dates=dataclasses.replace(plan.dates, days=days))


def _own_covariates(plan: CohortMapping, raw: Raw) -> CohortMapping:
    return dataclasses.replace(plan, covariates={n: s for n, s in plan.covariates.items() if s in raw.columns})


def _checked(tables: list[FolderTable], faults: Faults) -> list[FolderTable]:
    """Check tables in the form of the dictionary against it; cells at fault are missing from there on."""
    files = {table.table: table.raw.source.name for table in tables}
    decimals = {table.raw.decimal for table in tables}
    if len(decimals) > 1:
        raise DataError("the files of the folder have different decimal marks", hint="Write all of them with a point.")
    typed, failures = check_tables(
        {table.table: table.raw.frame for table in tables},
        decimal=decimals.pop(),
        rows={table.table: table.raw.rows for table in tables},
    )
    if len(failures):
        told = failures.assign(file=failures["table"].map(files)).drop(columns="table")
        faults.failures(_hidden(told), _said(told))
    return [
        dataclasses.replace(table, raw=dataclasses.replace(table.raw, frame=typed[table.table], decimal=".", read={}))
        for table in tables
    ]


def _hidden(failures: pd.DataFrame) -> pd.DataFrame:
    """Cells of scores stay; any other text that is no code may be about a person."""
    shown = failures["column"].isin(["value", "item"]) | failures["rule"].isin(["primaryKey", "required", "foreignKey"])
    return failures.assign(found=failures["found"].where(shown, "not shown"))


def _said(failures: pd.DataFrame) -> Iterable[str]:
    for line in summarise(failures).to_dict("records"):
        rows = plural(int(line["count"]), "row", "rows")
        yield (
            f"{line['file']}, {line['column']}: {line['rule']}, {line['expected']} expected; not so in "
            f"{line['count']} {rows} ({rows} {line['rows']})"
        )


def set_aside(parts: list[Part]) -> tuple[list[Part], Excluded]:
    """Set aside the rows and people that the mapping excludes, in every table.

    Parameters
    ----------
    parts : list of Part

    Returns
    -------
    parts : list of Part
    excluded : list of (reason, people, rows)
    """
    if not parts[0].plan.exclude:
        return parts, []
    if len(parts) == 1:
        part = parts[0]
        left, excluded, _ = without_excluded(part.raw, part.plan, part.columns.sources, part.people)
        part.raw, part.faults.rows = left, left.rows
        return parts, excluded
    raise OptionError(
        "[exclude] does not go with the files of a folder",
        hint="Take the people out of every file, or load one file that holds everything.",
    )


def refuse_lost(typed: list[Typed], faults: Faults) -> None:
    """Refuse rows about people (episodes) whom the folder's own table of people (episodes) does not have.

    Parameters
    ----------
    typed : list of Typed
    faults : Faults
    """
    frames, places = {}, {}
    for one in typed:
        ids = {
            name: one.values.texts[name].to_array() for name in ("patient_id", "episode_id") if name in one.values.texts
        }
        frames[one.part.table] = pd.DataFrame(ids, dtype=object)
        places[one.part.table] = one.part.raw.rows
    lost = check_references(frames, rows=places)
    files = {one.part.table: one.part.raw.source.name for one in typed}
    for (table, column, expected), part in lost.groupby(["table", "column", "expected"], sort=False):
        other = str(expected).removeprefix("a row of ")
        own = next(one.part for one in typed if one.part.table == table)
        source = own.columns.source_of(str(column)) or str(column)
        told = part.drop(columns="table").assign(file=files[str(table)], column=source, found="")
        are = plural(len(part), "row is", "rows are")
        faults.failures(told, [f"{files[str(table)]}, {source}: {len(part)} {are} about nobody in {files[other]}"])


@dataclass(slots=True)
class Typed:
    """A table read as its types."""

    part: Part
    reader: Reader
    values: Values
    scores: Scores

    @property
    def size(self) -> int:
        """Number of records."""
        return self.reader.size


def read_parts(parts: list[Part]) -> list[Typed]:
    """Read every column of every table; faults go to the tables' own.

    Parameters
    ----------
    parts : list of Part

    Returns
    -------
    list of Typed
    """
    found = []
    for part in parts:
        ids = {s for t, sources in part.columns.sources.items() if t.kind == "field" and t.name in IDS for s in sources}
        reader = Reader(part.raw, part.plan, ids)
        values = read_values(reader, part.columns, part.people, part.faults)
        scores = read_scores(reader, part.columns, values, part.faults)
        only_in_own_forms(scores, part.raw, part.plan)
        found.append(Typed(part, reader, values, scores))
    return found
