"""Load patient data: read, recognise, gate, validate, score, and put into the tables of the dictionary."""

from __future__ import annotations

import os
from collections.abc import Mapping
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DataError, OptionError, require_choice
from ipt_outcomes.instruments import RiskItem, instruments_with
from ipt_outcomes.instruments.words import CUTS
from ipt_outcomes.io.cohort.alike import refuse_unproven
from ipt_outcomes.io.cohort.aside import Excluded, set_aside
from ipt_outcomes.io.cohort.assess import Assessments, add_scores
from ipt_outcomes.io.cohort.beside import tables_beside
from ipt_outcomes.io.cohort.cells import Texts, nothing
from ipt_outcomes.io.cohort.checks import rules_checked, warned_at_the_end
from ipt_outcomes.io.cohort.cohort import Cohort
from ipt_outcomes.io.cohort.columns import Columns
from ipt_outcomes.io.cohort.dates import count_from_start
from ipt_outcomes.io.cohort.dictionary import target_of
from ipt_outcomes.io.cohort.duplicates import add_baselines, refuse_unclear_baselines, settle_duplicates
from ipt_outcomes.io.cohort.faults import Faults
from ipt_outcomes.io.cohort.flow import areas_set, flow_table
from ipt_outcomes.io.cohort.identity import People, find_people
from ipt_outcomes.io.cohort.identity import Tables as FolderTables
from ipt_outcomes.io.cohort.item_rows import score_item_rows
from ipt_outcomes.io.cohort.mapping import CohortMapping, read_cohort_mapping
from ipt_outcomes.io.cohort.parts import Opened, Part, Typed, open_source, read_parts, refuse_lost
from ipt_outcomes.io.cohort.people import Tables, make_tables
from ipt_outcomes.io.cohort.session_numbers import number_sessions
from ipt_outcomes.io.cohort.source import FRAME, CohortSource
from ipt_outcomes.io.cohort.stack import Stacked, stack
from ipt_outcomes.io.cohort.times import read_times, scores_without_a_time
from ipt_outcomes.io.cohort.windows import in_windows
from ipt_outcomes.privacy.diversity import diversities
from ipt_outcomes.privacy.gate import Gate, GateEntry
from ipt_outcomes.privacy.quasi import QUASI_IDENTIFIERS
from ipt_outcomes.schemas import Decimal


def load_cohort(
    source: CohortSource,
    mapping: str | os.PathLike[str] | AbstractMapping[str, Any] | CohortMapping | None = None,
    *,
    expect_rows: int | AbstractMapping[str, int] | None = None,
    sha256: str | None = None,
    simulated: bool = False,
    encoding: str | None = None,
    decimal: Decimal | None = None,
    sheet: str | int | None = None,
) -> Cohort:
    """Load patient data: one trial or one clinic, long (one row per person and visit) or wide (one row per person).

    Parameters
    ----------
    source : path or DataFrame
        Delimited text (.csv, .tsv, .txt), a statistical file or a spreadsheet, as `ipt_outcomes.io.read_table`
        takes them; a frame; or a folder of tables: with a ``datapackage.json`` whose resources are named for the
        tables of the dictionary, or with a mapping that names its files (``[tables]``); or a folder that
        `Cohort.save` wrote, which comes back as it was.
    mapping : path, name, dict or CohortMapping, optional
        Which column is which and how codes are to be read; see `read_cohort_mapping`. Columns whose heading is
        a name of the dictionary or an instrument need none. All others are refused unless mapped, declared as
        covariates, or left out.
    expect_rows : int or mapping of str to int, optional
        Rows the source must have; of a folder all its tables together, or each by its name.
    sha256 : str, optional
        Digest the source must have.
    simulated : bool
        Whether the data are made up.
    encoding : str, optional
        Coding of the letters of a text file; detected otherwise.
    decimal : {".", ","}, optional
        Decimal mark of a text file; detected otherwise.
    sheet : str or int, optional
        Sheet of a workbook, by its name or its number from 1. Must be given (here or in the mapping) where several
        hold something. A workbook whose sheets are several tables is loaded by a mapping with ``[tables]``.

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
    The baseline is the last score at or before week 0, unless the mapping names another rule.

    Examples
    --------
    >>> table = pd.DataFrame({"id": ["a", "a", "b"], "week": [0, 8, 0], "phq9": [18, 9, 21]})
    >>> cohort = load_cohort(table, {"patient_id": "id"})
    >>> cohort.outcome("phq9")[["week", "phq9", "baseline"]].values.tolist()
    [[8.0, 9.0, 18.0]]
    """
    from ipt_outcomes.io.exchange.saved import is_saved, read_saved

    if is_saved(source):
        if any(option is not None for option in (mapping, expect_rows, sha256, encoding, decimal, sheet)):
            raise OptionError("a saved cohort is loaded as it was saved: it takes no mapping and no other option")
        return read_saved(source)
    if decimal is not None:
        require_choice("decimal", decimal, (".", ","))
    plan = read_cohort_mapping(mapping)
    opening = Faults("", np.array([], dtype=int))
    opened = open_source(
        source, plan, opening, expect_rows=expect_rows, sha256=sha256, encoding=encoding, decimal=decimal, sheet=sheet
    )
    name, parts = opened.source.name, opened.parts
    before = _Before(people=_n_people(parts), rows=sum(len(part.raw.frame) for part in parts))
    excluded = set_aside(opened)
    if not sum(len(part.raw.frame) for part in parts):
        raise DataError(f"{name}: no rows are left after setting aside what [exclude] names")
    typed = read_parts(parts, are_checked=opened.checked)
    faults = _joint_faults(name, parts)
    faults.take_over(opening)
    if parts[0].table and not opened.checked:
        refuse_lost(typed, faults)
    read = _read(typed, plan, opened, faults)
    beside = tables_beside(opened, read, faults)
    faults.refuse()
    return _cohort(opened, read, beside, excluded, before, plan, simulated)


@dataclass(frozen=True, slots=True)
class _Before:
    """People and rows of the source before any were set aside."""

    people: int
    rows: int


def _n_people(parts: list[Part]) -> int:
    if len(parts) == 1:
        return int((parts[0].people.counts > 0).sum())
    texts = [part.people for part in parts]
    return len({one.values[code] for one in texts for code in np.unique(one.codes[one.codes >= 0])})


def _joint_faults(name: str, parts: list[Part]) -> Faults:
    """One collection for all tables; what was found in each comes first."""
    if len(parts) == 1 and not parts[0].table:
        return parts[0].faults
    files = np.repeat([part.raw.source.name for part in parts], [len(part.raw.frame) for part in parts])
    faults = Faults(name, np.concatenate([part.raw.rows for part in parts]), files=files)
    for part in parts:
        faults.take_over(part.faults)
    return faults


@dataclass(slots=True)
class Read:
    """What was made of the columns."""

    tables: Tables
    assessments: pd.DataFrame
    people: People
    episode_ids: Texts
    gate: list[GateEntry]
    notes: list[str]
    known: set[str]
    rows: int
    first_rows: dict[str, int]


def _read(typed: list[Typed], plan: CohortMapping, opened: Opened, faults: Faults) -> Read:
    whole, sha256 = stack(typed), opened.source.sha256
    values, scores, columns = whole.values, whole.scores, whole.columns
    folder = _folder(whole, opened)
    people = find_people(values, columns, sha256, faults, folder)
    count_from_start(values, people, plan.dates, faults)
    times = read_times(values, plan, columns.source_of("visit"), faults)
    if plan.alike is None and "patient_id" in values.texts and not _time_columns(columns, plan) & set(faults.columns):
        refuse_unproven(values.texts["patient_id"], times, columns.source_of("patient_id") or "patient_id", faults)
    collected = Assessments(people, times, plan)
    add_scores(collected, scores, dict(plan.visits), values)
    # Where times are at fault, rows of one time prove nothing: what follows from them is not told.
    is_timed = not _time_columns(columns, plan) & set(faults.columns)
    rule = plan.duplicates if is_timed else "first"
    table, settled = settle_duplicates(collected.table(), rule, collected, faults)
    table, compared = score_item_rows(table, collected, columns.source_of("value") or "value", faults)
    table = add_baselines(table, scores, collected, faults)
    if is_timed:
        refuse_unclear_baselines(table, plan.baseline_rule, collected, faults)
    table, outside = in_windows(table, plan.windows, collected)
    if times.known and not np.isnan(times.week).all():
        values.numbers["week"] = times.week
    timeless = scores_without_a_time(table["week"].to_numpy(dtype=float), table["value"].to_numpy(dtype=float))
    if plan.session_numbers == "by_day":
        number_sessions(values, people, _sessions_in(whole), columns, faults)
    covariates = dict.fromkeys(name for one in typed for name in one.part.plan.covariates)
    tables = make_tables(
        people, values, columns, sha256, faults,
        covariates=tuple(covariates), varies=plan.varies, sessions_in=_sessions_in(whole),
    )  # fmt: skip
    readers = [one.reader for one in typed]
    return Read(
        tables=tables,
        assessments=collected.finished(table, values, tables.by_row),
        people=people,
        episode_ids=values.texts.get("episode_id", values.texts.get("patient_id", nothing(len(faults.rows)))),
        gate=[
            *columns.gate, *values.gate, *(entry for reader in readers for entry in reader.gate), *people.gate,
            *settled, *compared, *outside, *timeless,
        ],
        notes=[
            *(note for reader in readers for note in reader.raw.notes), *columns.notes, *values.notes, *scores.notes,
            *(note for reader in readers for note in reader.notes), *times.notes, *people.notes,
            *collected.notes, *(entry.detail for entry in settled),
        ],
        known={target.name for target in columns.sources} | {"instrument"},
        rows=len(faults.rows),
        first_rows=_first_rows(people, faults.rows),
    )  # fmt: skip


def _first_rows(people: People, rows: np.ndarray) -> dict[str, int]:
    """Return the first row of the file about each episode, by its key."""
    number, first = np.unique(people.episode, return_index=True)
    known = number >= 0
    keys = people.episode_keys[number[known]]
    return dict(zip(keys.tolist(), rows[first[known]].astype(int).tolist(), strict=True))


def _time_columns(columns: Columns, plan: CohortMapping) -> set[str]:
    named = {columns.source_of(name) for name in ("week", "day", "visit", "session_no")} - {None}
    dated = set() if plan.dates is None else {plan.dates.start, *plan.dates.days.values()}
    return {str(name) for name in named} | dated


def _folder(whole: Stacked, opened: Opened) -> FolderTables | None:
    if not whole.tables[0]:
        return None
    of_one_time = whole.of_table("sessions") | whole.of_table("assessments")
    return FolderTables(whole.with_field("episode_id"), of_one_time, opened.checked)


def _sessions_in(whole: Stacked) -> np.ndarray | None:
    return None if not whole.tables[0] else whole.of_table("sessions")


def _cohort(
    opened: Opened, read: Read, beside: Mapping[str, pd.DataFrame], excluded: Excluded, before: _Before,
    plan: CohortMapping, simulated: bool,
) -> Cohort:  # fmt: skip
    tables, source = read.tables, opened.source
    area_set, area_notes = areas_set(tables.episodes, plan.areas, source.name)
    gate = [*read.gate, *warned_at_the_end(opened.parts, tables)]
    gate += [
        GateEntry(rule="L11", action="left out", column="", detail=f"set aside: {reason}", count=people)
        for reason, people, _ in excluded
    ]
    flow = flow_table(
        people_in_file=before.people, rows_in_file=before.rows, excluded=excluded, people=read.people.n_people,
        rows=read.rows, assessments=read.assessments, episodes=tables.episodes, rule=plan.baseline_rule,
    )  # fmt: skip
    return Cohort(
        patients=tables.patients,
        episodes=tables.episodes,
        sessions=tables.sessions,
        assessments=read.assessments,
        goals=beside.get("goals", pd.DataFrame()),
        arms=beside.get("arms", pd.DataFrame()),
        gate=Gate(
            entries=tuple(sorted(gate, key=lambda entry: int(entry.rule[1:]))),
            checked=rules_checked(tables, from_file=source.name != FRAME),
            measured=diversities(tables.patients, tables.episodes, read.assessments, QUASI_IDENTIFIERS),
        ),
        flow=flow,
        source=source,
        area_set=area_set,
        baseline_rule=plan.baseline_rule,
        notes=tuple(
            dict.fromkeys(
                [*_by_mapping(plan, read.known), *read.notes, *area_notes, *_rules(plan, read), *_own_facts(plan)]
            )
        ),
        simulated=simulated,
        own_facts={name: dict(facts) for name, facts in plan.instruments.items()},
        first_rows=read.first_rows,
    )


_BASELINES = {
    "last_before_start": "the last score at or before week 0",
    "screening": "the score at the visit named screening",
    "first": "the first score of all",
}


def _rules(plan: CohortMapping, read: Read) -> list[str]:
    if read.assessments.empty or read.assessments["week"].isna().all():
        return []
    return [f"baseline: {_BASELINES[plan.baseline_rule]}"]


def _own_facts(plan: CohortMapping) -> list[str]:
    """What the mapping sets of instruments, in words."""
    return [
        known.rule(one.field) or f"{known.short}: no {one.field.replace('_', ' ')} (set by the user: {one.source})"
        if one.field in CUTS
        else f"{known.short}: {one.field.replace('_', ' ')} {_fact(getattr(known, one.field))} "
        f"(set by the user: {one.source})"
        for known in instruments_with(plan.instruments).values()
        for one in known.overrides
    ]


def _fact(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, RiskItem):
        return f"item {value.item} from {value.flag_min:g}"
    if isinstance(value, tuple):
        return ", ".join(_fact(one) for one in value) or "none"
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _by_mapping(plan: CohortMapping, known: set[str]) -> list[str]:
    said = [f"{target.words} from {' with '.join(sources)}" for target, sources in plan.targets()]
    notes = [f"by the mapping: {', '.join(said)}"] if said else []
    idle = [name for name in plan.codes if not (known & {name, getattr(target_of(name), "name", name)})]
    if idle:
        notes.append(f"codes of the mapping that nothing uses, as no column gives {', '.join(idle)}")
    return notes
