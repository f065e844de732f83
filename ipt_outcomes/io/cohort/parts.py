"""The tables a cohort is made of: one file, or the files of a folder, each read by its own columns."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.io.cohort.alike import same_person
from ipt_outcomes.io.cohort.cells import Texts, joined, nothing
from ipt_outcomes.io.cohort.columns import Columns, recognise_columns
from ipt_outcomes.io.cohort.dictionary import DERIVED, IDS, Target
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.folder import BESIDE, FolderTable, read_tables, require_rows_of
from ipt_outcomes.io.cohort.forms import only_in_own_forms, without_unseen
from ipt_outcomes.io.cohort.mapping import CohortMapping
from ipt_outcomes.io.cohort.mapping_faults import refuse
from ipt_outcomes.io.cohort.reader import Reader
from ipt_outcomes.io.cohort.scores import Scores, read_scores
from ipt_outcomes.io.cohort.source import CohortSource, Raw, read_source
from ipt_outcomes.io.cohort.typed import Values
from ipt_outcomes.io.cohort.values import read_values
from ipt_outcomes.io.guarded import format_of
from ipt_outcomes.io.studies import Source
from ipt_outcomes.io.toml_text import no_column
from ipt_outcomes.results import plural
from ipt_outcomes.schemas import Decimal, check_references, check_tables, summarise


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
    source: CohortSource, plan: CohortMapping, faults: Faults, *, expect_rows: int | Mapping[str, int] | None = None,
    sha256: str | None = None, encoding: str | None = None, decimal: Decimal | None = None,
    sheet: str | int | None = None,
) -> Opened:  # fmt: skip
    """Read a file, a frame, a workbook or a folder, and find out which column is which.

    Parameters
    ----------
    source, plan, expect_rows, sha256, encoding, decimal, sheet
        As in `ipt_outcomes.io.load_cohort`.
    faults : Faults
        Takes what is wrong with tables of a folder that are in the form of the dictionary.

    Returns
    -------
    Opened
    """
    sheet = plan.sheet if sheet is None else sheet
    place = Path(os.fspath(source)).expanduser() if isinstance(source, str | os.PathLike) else None
    if place is not None and (place.is_dir() or (plan.tables and _is_workbook(place))):
        if sheet is not None:
            raise OptionError(
                "sheet is of one table: for several, name each in the mapping, [tables.patients] sheet = ..."
            )
        tables, whole = read_tables(place, plan, encoding=encoding, decimal=decimal, sha256=sha256)
        require_rows_of(tables, expect_rows, whole.name)
        return _opened(tables, whole, faults)
    if plan.tables:
        raise OptionError("the mapping names files of a folder ([tables]), but the source is no folder and no workbook")
    if isinstance(expect_rows, Mapping):
        raise OptionError("expect_rows names tables, but the source is one table: give the number of its rows")
    raw = read_source(source, expect_rows=expect_rows, sha256=sha256, encoding=encoding, decimal=decimal, sheet=sheet)
    plan.check(raw.columns, raw.source.name)
    part = Part("", without_unseen(raw, plan), plan, Faults(raw.source.name, raw.rows))
    part.columns = recognise_columns(part.raw, plan, part.faults)
    return Opened([part], {}, raw.source)


def _is_workbook(place: Path) -> bool:
    known = format_of(place) if place.is_file() else None
    return known is not None and known.key == "spreadsheet"


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
            # Dates and what sets people aside may stand in another file.
            dataclasses.replace(part.plan, dates=None, exclude={}).check(raw.columns, raw.source.name)
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
    wanted = {("[dates] start", dates.start): columns}
    for table in tables:
        own = table.plan.dates or dates
        for name, source in own.days.items():
            if source in own.own:
                wanted[f"[tables.{table.table}.dates] {name}", source] = list(table.raw.columns)
            else:
                wanted[f"[dates] {name}", source] = columns
    refuse(
        [no_column(where, source, there) for (where, source), there in wanted.items() if source not in there],
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
        dataclasses.replace(
            table, raw=dataclasses.replace(table.raw, frame=_given(typed[table.table]), decimal=".", read={})
        )
        for table in tables
    ]


def _given(typed: pd.DataFrame) -> pd.DataFrame:
    """A table without what is computed anew."""
    return typed.drop(columns=[name for name in DERIVED if name in typed])


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


def read_parts(parts: list[Part], *, are_checked: bool = False) -> list[Typed]:
    """Read every column of every table; faults go to the tables' own.

    Parameters
    ----------
    parts : list of Part
    are_checked : bool
        Whether they were checked against the dictionary before.

    Returns
    -------
    list of Typed
    """
    found = []
    for part in parts:
        ids = {s for t, sources in part.columns.sources.items() if t.kind == "field" and t.name in IDS for s in sources}
        reader = Reader(part.raw, part.plan, ids, is_checked=are_checked)
        values = read_values(reader, part.columns, part.people, part.faults)
        scores = read_scores(reader, part.columns, values, part.faults)
        only_in_own_forms(scores, part.raw, part.plan)
        found.append(Typed(part, reader, values, scores))
    return found
