"""A mapping from the columns of a patient file to the data dictionary, kept in a TOML file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from ipt_outcomes.instruments import Instrument, instrument, instruments_with
from ipt_outcomes.io.cohort.dictionary import Target, target_of
from ipt_outcomes.io.cohort.mapping_faults import KEYS, absent_columns, faults_of, refuse
from ipt_outcomes.io.cohort.mapping_parts import (
    Dates,
    Sources,
    TableMapping,
    Windows,
    item_lists,
    item_record,
    nothing_mapped,
    two_levels,
)
from ipt_outcomes.io.toml_text import read_toml, toml_text

DuplicateRule = Literal["refuse", "exact", "first", "last", "mean", "lowest", "highest"]

BaselineRule = Literal["last_before_start", "screening", "first"]

_TEXT_TABLES = ("columns", "constants", "baseline", "visits", "covariates", "unseen", "forms")
_NESTED = ("codes", "wide", "missing", "exclude", "instruments")


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortMapping:
    """Which column of a patient file is which name of the dictionary, and how its codes are to be read.

    Parameters
    ----------
    columns : mapping of str to str or tuple of str
        Name to source column; several columns together make one id. Names are fields of the dictionary
        (``patient_id``, ``arm``, ``week``; short: ``problem_area``, ``site``, ``therapist``), instruments
        (``phq9``: its total) and items (``phq9_1``).
    constants : mapping of str to str or number
        Name to the one value every row has.
    baseline : mapping of str to str
        Instrument to the column that holds its score at week 0 in every row of a person.
    codes : mapping of str to mapping of str to str
        Name to what the file writes and the code it stands for.
    visits : mapping of str to float
        Visit to its week.
    wide : mapping of str to mapping of str to str
        Instrument to visit and the column of its total at that visit, for files with one row per person.
    wide_items : mapping of str to mapping of str to tuple of str
        Instrument to visit and the columns of its items at that visit, in the order of the form.
    missing : mapping of str to mapping of str to str
        Source column (``"*"``: every column but ids) to code and the reason it stands for.
    duplicates : {"refuse", "exact", "first", "last", "mean", "lowest", "highest"}
        What becomes of two rows of one person, visit and instrument.
    areas : {"before", "after"} or None
        When every arm's problem area was set, where the data do not say.
    covariates : mapping of str to str
        Further columns about the person: name to source column.
    exclude : mapping of str to mapping of str to str
        Name (or source column) to code and the reason for setting those people or rows aside.
    exclude_rows : tuple of str
        Names of `exclude` whose codes set the rows aside that hold them, never the whole person.
    left_out : tuple of str
        Source columns left out on purpose.
    varies : tuple of str
        ``site``: people may change it (a therapist always may); each score keeps the one of its row.
    alike : {"same", "different"} or None
        What ids are that differ only by leading zeros, case or blanks: one person, or several. None: ids that are
        seen at the same time are several, others are refused.
    baseline_rule : {"last_before_start", "screening", "first"}
        Which score is the baseline: the last at or before week 0, that of the visit named screening, or the first
        of all.
    dates : Dates or None
        How dates are written and what becomes of them.
    windows : Windows or None
        When scores count to a visit.
    first_day : {0, 1}
        The day of the start in fields of days: 1 in files of CDISC, where the day before it is -1 and no day is 0.
    instruments : mapping of str to mapping
        Instrument to facts of the user's own with their ``source`` (``cutoff``, ``remission``, ``max_missing`` ...),
        and ``raw_order``: whether reversed items stand as on the form; see `ipt_outcomes.instruments.instruments_with`.
    session_numbers : {"given", "by_day"}
        Where the numbers of sessions come from: a column, or the order of their days within the episode.
    sheet : str, int or None
        Sheet of a workbook, by its name or its number from 1.
    tables : mapping of str to TableMapping
        For a folder: table of the dictionary to its file and its own columns.
    unseen : mapping of str to str
        Source column to the column that says whether its form was filled in (REDCap: ``..._complete``): a 0 in a
        row whose form was not (0 or empty) was never seen by anybody, and is missing.
    forms : mapping of str to str
        ``column``: the source column that says which form a row is of, in a file with rows of several forms
        (REDCap: ``redcap_repeat_instrument``). A score is not missing in rows of forms it is not on.
    undecided : tuple of str
        What a proposed mapping left to a person: columns, and tables in brackets. As long as anything stands
        here, nothing is loaded.
    """

    columns: AbstractMapping[str, Sources] = field(default_factory=nothing_mapped)
    constants: AbstractMapping[str, str | int | float] = field(default_factory=nothing_mapped)
    baseline: AbstractMapping[str, str] = field(default_factory=nothing_mapped)
    codes: AbstractMapping[str, AbstractMapping[str, str]] = field(default_factory=nothing_mapped)
    visits: AbstractMapping[str, float] = field(default_factory=nothing_mapped)
    wide: AbstractMapping[str, AbstractMapping[str, str]] = field(default_factory=nothing_mapped)
    wide_items: AbstractMapping[str, AbstractMapping[str, tuple[str, ...]]] = field(default_factory=nothing_mapped)
    missing: AbstractMapping[str, AbstractMapping[str, str]] = field(default_factory=nothing_mapped)
    duplicates: DuplicateRule = "refuse"
    areas: Literal["before", "after"] | None = None
    covariates: AbstractMapping[str, str] = field(default_factory=nothing_mapped)
    exclude: AbstractMapping[str, AbstractMapping[str, str]] = field(default_factory=nothing_mapped)
    exclude_rows: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    varies: tuple[str, ...] = ()
    alike: Literal["same", "different"] | None = None
    baseline_rule: BaselineRule = "last_before_start"
    dates: Dates | None = None
    windows: Windows | None = None
    first_day: Literal[0, 1] = 0
    instruments: AbstractMapping[str, AbstractMapping[str, Any]] = field(default_factory=nothing_mapped)
    session_numbers: Literal["given", "by_day"] = "given"
    sheet: str | int | None = None
    tables: AbstractMapping[str, TableMapping] = field(default_factory=nothing_mapped)
    unseen: AbstractMapping[str, str] = field(default_factory=nothing_mapped)
    forms: AbstractMapping[str, str] = field(default_factory=nothing_mapped)
    undecided: tuple[str, ...] = ()

    def targets(self) -> Iterator[tuple[Target, tuple[str, ...]]]:
        """Yield what each mapped source column becomes, in the order of the mapping."""
        for name, sources in self.columns.items():
            target = target_of(name)
            if target is not None:
                yield target, (sources,) if isinstance(sources, str) else tuple(sources)
        for name, source in self.baseline.items():
            yield Target("baseline", _plain_name(name)), (source,)
        for name, visits in self.wide.items():
            for visit, source in visits.items():
                yield Target("wide", _plain_name(name), visit), (source,)
        for name, forms in self.wide_items.items():
            for visit, columns in forms.items():
                yield Target("wide_items", _plain_name(name), visit), columns
        for name, source in self.covariates.items():
            yield Target("covariate", name), (source,)
        if self.dates is not None:
            for name, source in self.dates.days.items():
                yield Target("field", _plain_name(name)), (source,)

    def part(self, table: str) -> CohortMapping:
        """Return the mapping of one file of a folder: its own columns, read by the rules of the whole."""
        own = self.tables[table]
        return replace(
            self, tables=nothing_mapped(), columns=own.columns, baseline=own.baseline, wide=own.wide,
            wide_items=own.wide_items, covariates=own.covariates, left_out=own.left_out, sheet=own.sheet,
            unseen=own.unseen, forms=own.forms, dates=self._dates_of(own), constants=nothing_mapped(),
            missing={name: codes for name, codes in self.missing.items() if name == "*"} | dict(own.missing),
        )  # fmt: skip

    def _dates_of(self, own: TableMapping) -> Dates | None:
        if self.dates is None or not own.dates:
            return self.dates
        plain = {_plain_name(name): source for name, source in own.dates.items()}
        rest = {name: source for name, source in self.dates.days.items() if _plain_name(name) not in plain}
        return replace(self.dates, days=MappingProxyType(rest | plain), own=frozenset(plain.values()))

    def codes_of(self, name: str) -> dict[str, str]:
        """Return the codes declared for a field or covariate: as written (small letters) and the code."""
        return _lowered(self.codes, name)

    def exclusions_of(self, name: str) -> dict[str, str]:
        """Return the codes of a field, covariate or source column that set rows aside, and the reasons."""
        return _lowered(self.exclude, name)

    def instrument(self, name: str) -> Instrument:
        """Return an instrument with the facts that the mapping sets."""
        own = instruments_with(self.instruments) if self.instruments else {}
        return own.get(name) or instrument(name)

    def check(self, columns: Sequence[str], name: str) -> None:
        """Raise `OptionError`, naming all of them, for source columns the file does not have."""
        refuse(absent_columns(self.to_dict(), columns), f"the mapping for {name}")

    def to_dict(self) -> dict[str, Any]:
        """Return the mapping as JSON values in the form of the TOML file; empty parts are left out."""
        record: dict[str, Any] = {"table": "cohort"}
        for part in ("undecided", "left_out", "varies", "exclude_rows"):
            if getattr(self, part):
                record[part] = list(getattr(self, part))
        for part in _TEXT_TABLES:
            entries = getattr(self, part)
            if entries:
                record[part] = {k: list(v) if isinstance(v, tuple) else v for k, v in entries.items()}
        for part in _NESTED:
            entries = getattr(self, part)
            if entries:
                record[part] = {name: dict(inner) for name, inner in entries.items()}
        if self.wide_items:
            record["wide_items"] = item_record(self.wide_items)
        if self.sheet is not None:
            record["sheet"] = self.sheet
        if self.session_numbers != "given":
            record["sessions"] = {"number": self.session_numbers}
        if self.first_day:
            record["days"] = {"first": self.first_day}
        if self.baseline_rule != "last_before_start":
            record["baseline"] = {"rule": self.baseline_rule, **record.get("baseline", {})}
        for part in ("dates", "windows"):
            if getattr(self, part) is not None:
                record[part] = getattr(self, part).to_dict()
        if self.tables:
            record["tables"] = {name: entry.to_dict() for name, entry in self.tables.items()}
        if self.alike is not None:
            record["ids"] = {"alike": self.alike}
        if self.duplicates != "refuse":
            record["duplicates"] = {"rule": self.duplicates}
        if self.areas is not None:
            record["areas"] = {"set": self.areas}
        return record

    def to_toml(self) -> str:
        """Return the mapping as TOML text that reads back as the same mapping."""
        return toml_text(self.to_dict())


def _plain_name(name: str) -> str:
    target = target_of(name)
    return name if target is None else target.name


def _lowered(table: AbstractMapping[str, AbstractMapping[str, str]], name: str) -> dict[str, str]:
    """Entries under a name or any other form of it ("site" and "site_id")."""
    found: dict[str, str] = {}
    for form, entries in table.items():
        target = target_of(form)
        if name == form or (target is not None and target.name == name):
            found |= {written.strip().casefold(): code for written, code in entries.items()}
    return found


def read_cohort_mapping(
    source: str | os.PathLike[str] | AbstractMapping[str, Any] | CohortMapping | None,
) -> CohortMapping:
    """Read a mapping of a patient file.

    Parameters
    ----------
    source : path, name, dict, CohortMapping or None
        A TOML file, or the workbook of `write_map_workbook` (.xlsx); the name of a mapping that comes with the
        package, for example ``"ipt-trial"``; a dict
        {dictionary name: source column, or [columns that make one id]}, which may also hold the tables of the
        TOML form (``codes``, ``visits``, ``left_out`` ...). None is the empty mapping.

    Returns
    -------
    CohortMapping

    Raises
    ------
    OptionError
        No such file or name; no TOML; names the dictionary does not have, codes that are none. All faults are
        listed.

    Examples
    --------
    >>> read_cohort_mapping({"patient_id": "id", "phq9": "score"}).columns["phq9"]
    'score'
    """
    if source is None:
        return CohortMapping()
    if isinstance(source, CohortMapping):
        refuse(faults_of(source.to_dict()), "the mapping")
        return source
    if isinstance(source, AbstractMapping):
        raw = {str(key): value for key, value in source.items() if key in KEYS}
        plain = {str(key): value for key, value in source.items() if key not in KEYS}
        # In a dict, names may stand beside the tables; in a file every name belongs into a table.
        is_plain = bool(plain) and all(isinstance(value, str | list | tuple) for value in plain.values())
        if is_plain and isinstance(raw.get("columns", {}), AbstractMapping):
            raw["columns"] = {**raw.get("columns", {}), **plain}
            return _from_dict(raw, "the mapping")
        return _from_dict({**raw, **plain}, "the mapping")
    if os.fspath(source).lower().endswith(".xlsx"):
        from ipt_outcomes.io.propose.workbook_reading import workbook_record

        return _from_dict(workbook_record(source), f"the mapping {Path(source).name}")
    raw, name = read_toml(source, cohort=True)
    return _from_dict(raw, f"the mapping {name}")


def _from_dict(raw: dict[str, Any], what: str) -> CohortMapping:
    refuse(faults_of(raw), what)
    parts: dict[str, Any] = {name: MappingProxyType(dict(raw.get(name, {}))) for name in _TEXT_TABLES}
    columns = {key: value if isinstance(value, str) else tuple(value) for key, value in parts["columns"].items()}
    parts["columns"] = MappingProxyType(columns)
    parts["visits"] = MappingProxyType({visit: float(week) for visit, week in parts["visits"].items()})
    parts |= {name: two_levels(raw.get(name, {})) for name in _NESTED}
    rule = parts["baseline"].get("rule", "last_before_start")
    parts["baseline"] = MappingProxyType({name: one for name, one in parts["baseline"].items() if name != "rule"})
    return CohortMapping(
        **parts,
        duplicates=raw.get("duplicates", {}).get("rule", "refuse"),
        areas=raw.get("areas", {}).get("set"),
        baseline_rule=rule,
        alike=raw.get("ids", {}).get("alike"),
        dates=Dates.from_dict(raw["dates"]) if raw.get("dates") else None,
        windows=Windows.from_dict(raw["windows"]) if raw.get("windows") else None,
        wide_items=item_lists(raw.get("wide_items", {})),
        first_day=raw.get("days", {}).get("first", 0),
        session_numbers=raw.get("sessions", {}).get("number", "given"),
        sheet=raw.get("sheet"),
        tables=MappingProxyType({name: TableMapping.from_dict(own) for name, own in raw.get("tables", {}).items()}),
        left_out=tuple(raw.get("left_out", ())),
        varies=tuple(raw.get("varies", ())),
        exclude_rows=tuple(raw.get("exclude_rows", ())),
        undecided=tuple(raw.get("undecided", ())),
    )
