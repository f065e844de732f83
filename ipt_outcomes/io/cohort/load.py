"""Load patient data: read, recognise, gate, validate, score, and put into the four tables of the dictionary."""

from __future__ import annotations

import os
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DataError, require_choice
from ipt_outcomes.io.cohort.assess import Assessments, add_scores
from ipt_outcomes.io.cohort.cells import Texts, joined, nothing
from ipt_outcomes.io.cohort.cohort import Cohort
from ipt_outcomes.io.cohort.columns import Columns, recognise_columns
from ipt_outcomes.io.cohort.dictionary import IDS, Target, target_of
from ipt_outcomes.io.cohort.duplicates import add_baselines, refuse_unclear_baselines, settle_duplicates
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.flow import areas_set, flow_table
from ipt_outcomes.io.cohort.item_rows import score_item_rows
from ipt_outcomes.io.cohort.mapping import CohortMapping, read_cohort_mapping
from ipt_outcomes.io.cohort.people import Tables, find_people, make_tables
from ipt_outcomes.io.cohort.reader import Reader, without_excluded
from ipt_outcomes.io.cohort.scores import read_scores
from ipt_outcomes.io.cohort.source import CohortSource, Raw, read_source
from ipt_outcomes.io.cohort.times import read_times
from ipt_outcomes.io.cohort.values import read_values
from ipt_outcomes.privacy.gate import Gate, GateEntry
from ipt_outcomes.privacy.quasi import SMALLEST_GROUP, small_groups
from ipt_outcomes.schemas import Decimal

_QUASI = ("sex", "age", "age_band", "site_id", "ethnicity_group", "education", "employment", "imd_decile", "zip3")


def load_cohort(
    source: CohortSource,
    mapping: str | os.PathLike[str] | AbstractMapping[str, Any] | CohortMapping | None = None,
    *,
    expect_rows: int | None = None,
    sha256: str | None = None,
    simulated: bool = False,
    encoding: str | None = None,
    decimal: Decimal | None = None,
) -> Cohort:
    """Load patient data: one trial or one clinic, long (one row per person and visit) or wide (one row per person).

    Parameters
    ----------
    source : path or DataFrame
        Delimited text (.csv, .tsv, .txt), SPSS (.sav, .zsav), Stata (.dta), or a frame.
    mapping : path, name, dict or CohortMapping, optional
        Which column is which and how codes are to be read; see `read_cohort_mapping`. Columns whose heading is
        a name of the dictionary or an instrument need none. All others are refused unless mapped, declared as
        covariates, or left out.
    expect_rows : int, optional
        Rows the source must have.
    sha256 : str, optional
        Digest the source must have.
    simulated : bool
        Whether the data are made up.
    encoding : str, optional
        Coding of the letters of a text file; detected otherwise.
    decimal : {".", ","}, optional
        Decimal mark of a text file; detected otherwise.

    Returns
    -------
    Cohort
        De-identified: ids are replaced by random keys. ``.gate`` says what was changed or left out, ``.flow``
        who is in and who is not, ``.notes`` how the source was read.

    Raises
    ------
    DataError
        The data were refused: unknown columns, identifiers, codes nobody mapped, impossible scores, two rows of
        one person and visit ... All reasons are given at once; ``.failures`` is the table of them.
    IptError
        The file cannot be read, or the mapping does not fit it.

    Notes
    -----
    The baseline is the last score at or before week 0.

    Examples
    --------
    >>> table = pd.DataFrame({"id": ["a", "a", "b"], "week": [0, 8, 0], "phq9": [18, 9, 21]})
    >>> cohort = load_cohort(table, {"patient_id": "id"})
    >>> cohort.outcome("phq9")[["week", "phq9", "baseline"]].values.tolist()
    [[8.0, 9.0, 18.0]]
    """
    if decimal is not None:
        require_choice("decimal", decimal, (".", ","))
    plan = read_cohort_mapping(mapping)
    raw = read_source(source, expect_rows=expect_rows, sha256=sha256, encoding=encoding, decimal=decimal)
    plan.check(raw.columns, raw.source.name)
    faults = Faults(raw.source.name, raw.rows)
    columns = recognise_columns(raw, plan, faults)
    people = _ids(raw, columns)
    left, excluded, _ = without_excluded(raw, plan, columns.sources, people)
    if not len(left.frame):
        raise DataError(f"{raw.source.name}: no rows are left after setting aside what [exclude] names")
    faults.rows = left.rows
    read = _read(left, plan, columns, faults)
    faults.refuse()
    return _cohort(raw, read, excluded, _n_people(people), plan, simulated)


def _ids(raw: Raw, columns: Columns) -> Texts:
    """Persons as the source writes them, for counts before anything is set aside."""
    sources = columns.sources.get(Target("field", "patient_id"))
    if sources is None:
        return nothing(len(raw.frame))
    return joined([raw.texts(source) for source in sources])


def _n_people(ids: Texts) -> int:
    return len(np.unique(ids.codes[ids.codes >= 0]))


@dataclass(slots=True)
class _Read:
    """What was made of the columns."""

    tables: Tables
    assessments: pd.DataFrame
    gate: list[GateEntry]
    notes: list[str]
    known: set[str]
    people: int
    rows: int


def _read(raw: Raw, plan: CohortMapping, columns: Columns, faults: Faults) -> _Read:
    ids = {source for target, sources in columns.sources.items() if _is_id(target) for source in sources}
    reader = Reader(raw, plan, ids)
    values = read_values(reader, columns, _ids(raw, columns), faults)
    scores = read_scores(reader, columns, faults)
    times = read_times(values, plan, columns.source_of("visit"), faults)
    people = find_people(values, columns, raw.source.sha256, faults)
    collected = Assessments(people, times)
    add_scores(collected, scores, dict(plan.visits), reader, columns, values, faults)
    table, settled = settle_duplicates(collected.table(), plan.duplicates, collected, faults)
    table = score_item_rows(table, collected, faults)
    table = add_baselines(table, scores, collected, faults)
    refuse_unclear_baselines(table, collected, faults)
    if times.known and not np.isnan(times.week).all():
        values.numbers["week"] = times.week
    tables = make_tables(people, values, columns, plan, raw.source.sha256, faults)
    return _Read(
        tables=tables,
        assessments=collected.finished(table, values, tables.by_row),
        gate=[*columns.gate, *values.gate, *reader.gate, *people.gate, *settled],
        notes=[
            *raw.notes, *columns.notes, *values.notes, *scores.notes, *reader.notes, *times.notes, *people.notes,
            *collected.notes, *(entry.detail for entry in settled),
        ],
        known={target.name for target in columns.sources} | {"instrument"},
        people=people.n_people,
        rows=len(raw.frame),
    )  # fmt: skip


def _is_id(target: Target) -> bool:
    return target.kind == "field" and target.name in IDS


def _cohort(
    raw: Raw,
    read: _Read,
    excluded: list[tuple[str, int, int]],
    people_in_file: int,
    plan: CohortMapping,
    simulated: bool,
) -> Cohort:
    tables = read.tables
    area_set, area_notes = areas_set(tables.episodes, plan.areas, raw.source.name)
    gate = [*read.gate, *_small_groups(tables), *_reading(raw)]
    gate += [
        GateEntry(rule="L11", action="left out", column="", detail=f"set aside: {reason}", count=people)
        for reason, people, _ in excluded
    ]
    return Cohort(
        patients=tables.patients,
        episodes=tables.episodes,
        sessions=tables.sessions,
        assessments=read.assessments,
        gate=Gate(entries=tuple(sorted(gate, key=lambda entry: int(entry.rule[1:])))),
        flow=flow_table(
            people_in_file=people_in_file,
            rows_in_file=len(raw.frame),
            excluded=excluded,
            people=read.people,
            rows=read.rows,
            assessments=read.assessments,
            episodes=tables.episodes,
        ),
        source=raw.source,
        area_set=area_set,
        notes=tuple(dict.fromkeys([*_by_mapping(plan, read.known), *read.notes, *area_notes])),
        simulated=simulated,
    )


def _by_mapping(plan: CohortMapping, known: set[str]) -> list[str]:
    said = [f"{target.words} from {' with '.join(sources)}" for target, sources in plan.targets()]
    notes = [f"by the mapping: {', '.join(said)}"] if said else []
    idle = [name for name in plan.codes if not (known & {name, getattr(target_of(name), "name", name)})]
    if idle:
        notes.append(f"codes of the mapping that nothing uses, as no column gives {', '.join(idle)}")
    return notes


def _small_groups(tables: Tables) -> list[GateEntry]:
    found = small_groups(tables.patients, _QUASI)
    if found is None or found.k >= SMALLEST_GROUP:
        return []
    detail = (
        f"{found.people} people share {', '.join(found.columns)} with fewer than {SMALLEST_GROUP - 1} others, "
        f"{found.unique} with nobody (k = {found.k}): rows of persons must not be passed on"
    )
    column = ", ".join(found.columns)
    return [GateEntry(rule="L9", action="warned", column=column, detail=detail, count=found.people)]


def _reading(raw: Raw) -> list[GateEntry]:
    """What the reader had to guess about the bytes of the file."""
    odd = [note for note in raw.notes if note.startswith(("encoding: not", "rows without"))]
    return [GateEntry(rule="L13", action="warned", column="", detail=note) for note in odd]
