"""A proposed mapping: what each column may be, how sure that is and why, and what a person has to decide."""

from __future__ import annotations

import os
from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd

from ipt_outcomes.errors import OptionError
from ipt_outcomes.io.cohort.mapping import CohortMapping, read_cohort_mapping
from ipt_outcomes.io.mapping import Mapping
from ipt_outcomes.io.propose.facts import FactLine
from ipt_outcomes.io.propose.lines import CodeLine, Line
from ipt_outcomes.io.propose.visits import Visit
from ipt_outcomes.io.propose.words import GUESS, LIKELY, SURE
from ipt_outcomes.results import ResultObject, plural

COLUMNS = ("column", "becomes", "confidence", "why", "examples")
_TABLE = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedMapping(ResultObject):
    """What the columns of a file may be, for a person to look through.

    Parameters
    ----------
    source : str
        Name of the file.
    kind : {"cohort", "comparisons"}
        Patient data, or a table of studies.
    layout : str
        In words: how the file is laid out.
    lines : tuple of Line
        One per column, in the order of the file.
    codes : tuple of CodeLine
    visits : tuple of Visit
    order : str or None
        How dates are written.
    questions : tuple of str
        What has to be decided that belongs to no column.
    hints : tuple of str
        What else to know.
    facts : tuple of FactLine
        Whether reversed items stand as on the form.
    counts_from_one : bool
        Whether the start is day 1 in the column of days (CDISC).
    numbers_sessions : bool
        Whether sessions are numbered in the order of their days, as no column numbers them.
    files : mapping of str to str
        For a folder (or a workbook with several tables): table of the dictionary to its file.
    sheets : mapping of str to str
        For a workbook with several tables: table of the dictionary to its sheet.
    sheet : str, int or None
        Sheet of a workbook that was asked for.
    needs_none : bool
        Whether the source is in the form of the dictionary and loads without a mapping.
    """

    source: str
    kind: Literal["cohort", "comparisons"]
    layout: str
    lines: tuple[Line, ...]
    codes: tuple[CodeLine, ...] = ()
    visits: tuple[Visit, ...] = ()
    order: str | None = None
    questions: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    facts: tuple[FactLine, ...] = ()
    counts_from_one: bool = False
    numbers_sessions: bool = False
    files: AbstractMapping[str, str] = field(default_factory=dict)
    sheets: AbstractMapping[str, str] = field(default_factory=dict)
    sheet: str | int | None = None
    needs_none: bool = False

    @property
    def undecided(self) -> tuple[str, ...]:
        """What a person has to look at: columns, and tables of the mapping in brackets."""
        from ipt_outcomes.io.propose.decisions import undecided

        return undecided(self)

    @property
    def mapping(self) -> CohortMapping | Mapping:
        """The mapping as proposed.

        Returns
        -------
        CohortMapping or Mapping
            Of patient data: with everything to be decided under ``undecided``, so that nothing is loaded by it
            before a person has decided. Of a table of studies: the mapping of study tables.
        """
        if self.kind == "comparisons":
            columns = {line.name: line.column for line in self.lines if line.part == "columns"}
            return Mapping(columns=MappingProxyType(columns))
        from ipt_outcomes.io.propose.assemble import cohort_mapping

        return cohort_mapping(self)

    def decided(
        self, *, accept: Sequence[str] | Literal["all"] = (), left_out: Sequence[str] = (), **parts: Any
    ) -> CohortMapping:
        """Return the mapping with decisions made; what is not named stays undecided.

        Parameters
        ----------
        accept : sequence of str or "all"
            Of ``.undecided``: what was looked at and is right as proposed. ``"all"`` does not accept columns nobody
            recognised: they are mapped or left out by name.
        left_out : sequence of str
            Columns to leave out; of a folder as ``.undecided`` names them: ``"sessions: NOTES"``.
        **parts
            Tables of the mapping to add: ``codes={"arm": {"1": "ipt"}}``, ``visits={"visit_2": 12}``,
            ``columns={"arm": "group"}``, ``wide``, ``constants``, ``covariates``, ``duplicates`` ...; of a folder
            ``tables={"episodes": {"columns": {"arm": "group"}}}``.

        Returns
        -------
        CohortMapping

        Raises
        ------
        OptionError
            A table of studies; names that are not undecided; something stays undecided.

        Examples
        --------
        >>> table = pd.DataFrame({"id": ["a", "b"], "tx": [1, 2], "phq9_pre": [9, 18], "phq9_w8": [3, 9]})
        >>> from ipt_outcomes.io.propose import propose_mapping
        >>> proposal = propose_mapping(table)
        >>> proposal.undecided
        ('[codes.arm]',)
        >>> plan = proposal.decided(accept="all", codes={"arm": {"1": "ipt", "2": "waitlist"}})
        >>> plan.wide["phq9"]["week_8"]
        'phq9_w8'
        """
        if self.kind != "cohort":
            raise OptionError("a table of studies is mapped by columns only: use .mapping or .to_toml()")
        waiting = self.undecided
        unknown = {line.key for line in self.lines if line.part == "undecided"}
        accepted = [name for name in waiting if name not in unknown] if accept == "all" else list(accept)
        wrong = [name for name in accepted if name not in waiting or name in unknown]
        if wrong:
            raise OptionError(f"nothing proposed to accept: {', '.join(wrong)}", hint="See .undecided and .to_frame().")
        settled = _named_in(parts)
        plan = self._without({*left_out, *settled}, parts).mapping
        assert isinstance(plan, CohortMapping)  # noqa: S101  the kind was looked at above
        record: dict[str, Any] = plan.to_dict()
        for part, entries in parts.items():
            record[part] = _merged(record.get(part, {}), entries)
        self._leave_out(left_out, record)
        done = {*accepted, *left_out, *settled}
        record["undecided"] = [name for name in record.get("undecided", ()) if name not in done]
        return read_cohort_mapping(record)

    def _leave_out(self, left_out: Sequence[str], record: dict[str, Any]) -> None:
        """Put columns under ``left_out`` of the mapping, or of their table."""
        by_key = {line.key: line for line in self.lines}
        wrong = [name for name in left_out if name not in by_key]
        if wrong:
            raise OptionError(f"no such columns: {', '.join(wrong)}", hint="See .to_frame() and .undecided.")
        for name in left_out:
            line = by_key[name]
            place = record["tables"][line.table] if line.table else record
            place["left_out"] = [*place.get("left_out", ()), line.column]

    def _without(self, columns: set[str], parts: AbstractMapping[str, Any]) -> ProposedMapping:
        """The proposal without columns that were decided upon, and without what only they needed."""
        lines = tuple(line for line in self.lines if line.key not in columns)
        tables = [parts, *parts.get("tables", {}).values()]
        names = {line.name for line in lines} | {name for table in tables for name in table.get("columns", ())}
        codes = tuple(
            code
            for code in self.codes
            if (code.name in names if code.part == "codes" else _key(code.table, code.name) not in columns)
        )
        return replace(self, lines=lines, codes=codes)

    def leaving_out_unknown(self) -> ProposedMapping:
        """Return the proposal with every column that nobody recognised left out.

        Returns
        -------
        ProposedMapping
        """
        lines = [
            replace(line, part="left_out", sure=SURE, why=f"left out as asked ({line.why})")
            if line.part == "undecided" else line
            for line in self.lines
        ]  # fmt: skip
        return replace(self, lines=tuple(lines))

    def to_frame(self) -> pd.DataFrame:
        """Return one row per column: ``column becomes confidence why examples``; no values of personal columns.

        Of a folder with the ``table`` each column is of in front.
        """
        rows = [(x.column, x.words, "" if x.part == "undecided" else x.sure, x.why, x.examples) for x in self.lines]
        frame = pd.DataFrame(rows, columns=list(COLUMNS))
        if self.files:
            frame.insert(0, _TABLE, [line.table for line in self.lines])
        return frame

    def to_toml(self) -> str:
        """Return the proposal as TOML with a remark on each line; ``?`` and ``undecided`` wait for a person."""
        from ipt_outcomes.io.propose.commented import commented_toml

        return commented_toml(self)

    def to_excel(self, path: str | os.PathLike[str]) -> Path:
        """Write the proposal as a workbook with drop-downs; see `write_map_workbook`."""
        from ipt_outcomes.io.propose.workbook import write_map_workbook

        return write_map_workbook(self, path)

    def counts(self) -> dict[str, int]:
        """Return how many columns are sure, likely, guessed, left out and left to a person."""
        settled = [line for line in self.lines if line.part not in ("undecided", "left_out")]
        levels: tuple[str, ...] = (SURE, LIKELY, GUESS)
        found = {level: sum(line.sure == level for line in settled) for level in levels}
        found["left_out"] = sum(line.part == "left_out" for line in self.lines)
        return found | {"undecided": sum(line.part == "undecided" for line in self.lines)}

    def summary(self, digits: int = 2) -> str:
        """Return the proposal in words: how the file is laid out, what was recognised, what has to be decided."""
        counts = self.counts()
        told = f"{counts['sure']} sure, {counts['likely']} likely, {counts['guess']} guessed, "
        told += f"{counts['undecided']} to decide, {counts['left_out']} left out"
        columns = plural(len(self.lines), "column", "columns")
        lines = [f"{self.source}: {self.layout}. {len(self.lines)} {columns}: {told}."]
        lines += [
            f"- {line.key}: {line.words} ({line.sure}: {line.why})" for line in self.lines if line.part != "undecided"
        ]
        decisions = self.decisions()
        if decisions:
            lines += ["To decide:", *(f"- {decision}" for decision in decisions)]
        lines += [f"Note: {hint}" for hint in self.hints]
        return "\n".join(lines)

    def decisions(self) -> list[str]:
        """Return everything a person has to decide, in words.

        Returns
        -------
        list of str
        """
        from ipt_outcomes.io.propose.decisions import decisions

        return decisions(self) if self.kind == "cohort" else []


def _merged(known: Any, more: Any) -> Any:
    """Tables of a mapping laid over one another."""
    if not isinstance(more, AbstractMapping):
        return more
    nested = {name: _merged(known.get(name, {}), value) for name, value in more.items()}
    return {**known, **nested}


def _key(table: str, column: str) -> str:
    return f"{table}: {column}" if table else column


def _named_in(parts: AbstractMapping[str, Any], table: str = "") -> set[str]:
    """What decisions settle: the tables they give, and the columns they map."""
    before = f"tables.{table}." if table else ""
    found = {f"[{before}{part}]" for part in parts}
    for part, entries in parts.items():
        if not isinstance(entries, AbstractMapping):
            continue
        if part == "tables":
            for name, own in entries.items():
                found |= _named_in(own, name)
            continue
        found |= {f"[{before}{part}.{name}]" for name in entries}
        if part in ("columns", "baseline", "covariates", "wide", "wide_items", "dates"):
            found |= {_key(table, column) for column in _texts(entries)}
    return found


def _texts(entries: Any) -> set[str]:
    """Every text in tables and lists of a mapping."""
    if isinstance(entries, str):
        return {entries}
    if isinstance(entries, AbstractMapping):
        return {text for one in entries.values() for text in _texts(one)}
    return {text for one in entries for text in _texts(one)} if isinstance(entries, list | tuple) else set()
