"""A proposed mapping: what each column may be, how sure that is and why, and what a person has to decide."""

from __future__ import annotations

import os
from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd

from ipt_outcomes.errors import OptionError
from ipt_outcomes.io.cohort.mapping import CohortMapping, read_cohort_mapping
from ipt_outcomes.io.cohort.mapping_parts import Dates
from ipt_outcomes.io.mapping import Mapping
from ipt_outcomes.io.propose.lines import CodeLine, Line
from ipt_outcomes.io.propose.visits import Visit
from ipt_outcomes.io.propose.words import GUESS, LIKELY, SURE
from ipt_outcomes.results import ResultObject, plural

_MOST_NAMED = 16
COLUMNS = ("column", "becomes", "confidence", "why", "examples")


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

    @property
    def undecided(self) -> tuple[str, ...]:
        """What a person has to look at: columns, and tables of the mapping in brackets."""
        waiting: dict[str, None] = {}
        for line in self.lines:
            if line.part == "undecided" or (line.sure == GUESS and line.part in ("columns", "baseline", "covariates")):
                waiting.setdefault(line.column)
            elif line.sure == GUESS and line.part == "wide":
                waiting.setdefault(f"[wide.{line.name}]")
            elif line.sure == GUESS and line.part == "dates":
                waiting.setdefault("[dates]")
        for code in self.codes:
            if code.sure == GUESS:
                waiting.setdefault(f"[{code.part}.{code.name}]")
        if any(visit.sure == GUESS for visit in self.visits):
            waiting.setdefault("[visits]")
        return tuple(waiting)

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
        dates = {line.name: line.column for line in self.lines if line.part == "dates"}
        days = MappingProxyType({name: column for name, column in dates.items() if name != "start"})
        return CohortMapping(
            columns=self._named("columns"),
            baseline=self._named("baseline"),
            covariates=self._named("covariates"),
            wide=self._wide(),
            codes=self._coded("codes"),
            missing=self._coded("missing"),
            visits=MappingProxyType({v.name: v.week for v in self.visits if v.week is not None}),
            unseen=MappingProxyType({line.column: line.form for line in self.lines if line.form}),
            forms=MappingProxyType(dict([("column", x.column) for x in self.lines if x.part == "forms"][:1])),
            dates=Dates(start=dates["start"], order=self.order, days=days) if "start" in dates else None,
            left_out=tuple(line.column for line in self.lines if line.part == "left_out"),
            undecided=self.undecided,
        )

    def _named(self, part: str) -> AbstractMapping[str, str]:
        return MappingProxyType({line.name: line.column for line in self.lines if line.part == part})

    def _wide(self) -> AbstractMapping[str, AbstractMapping[str, str]]:
        found: dict[str, dict[str, str]] = {}
        order = {visit.name: place for place, visit in enumerate(self.visits)}
        for line in sorted((one for one in self.lines if one.part == "wide"), key=lambda one: order.get(one.visit, 0)):
            found.setdefault(line.name, {})[line.visit] = line.column
        return MappingProxyType({name: MappingProxyType(visits) for name, visits in found.items()})

    def _coded(self, part: str) -> AbstractMapping[str, AbstractMapping[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for line in self.codes:
            if line.part == part and line.code is not None:
                found.setdefault(line.name, {})[line.written] = line.code
        return MappingProxyType({name: MappingProxyType(codes) for name, codes in found.items()})

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
            Columns to leave out.
        **parts
            Tables of the mapping to add: ``codes={"arm": {"1": "ipt"}}``, ``visits={"visit_2": 12}``,
            ``columns={"arm": "group"}``, ``wide``, ``constants``, ``covariates``, ``duplicates`` ...

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
        unknown = {line.column for line in self.lines if line.part == "undecided"}
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
        record["left_out"] = [*record.get("left_out", ()), *left_out]
        done = {*accepted, *left_out, *settled}
        record["undecided"] = [name for name in record.get("undecided", ()) if name not in done]
        return read_cohort_mapping(record)

    def _without(self, columns: set[str], parts: AbstractMapping[str, Any]) -> ProposedMapping:
        """The proposal without columns that were decided upon, and without what only they needed."""
        lines = tuple(line for line in self.lines if line.column not in columns)
        names = {line.name for line in lines} | set(parts.get("columns", ()))
        codes = tuple(
            code for code in self.codes if (code.name in names if code.part == "codes" else code.name not in columns)
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
        """Return one row per column: ``column becomes confidence why examples``; no values of personal columns."""
        rows = [(x.column, x.words, "" if x.part == "undecided" else x.sure, x.why, x.examples) for x in self.lines]
        return pd.DataFrame(rows, columns=list(COLUMNS))

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
            f"- {line.column}: {line.words} ({line.sure}: {line.why})"
            for line in self.lines
            if line.part != "undecided"
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
        unknown: dict[str, list[str]] = {}
        for line in self.lines:
            if line.part == "undecided":
                unknown.setdefault(line.why, []).append(line.column)
        found = [
            f"{_some(columns)}: map {'it' if len(columns) == 1 else 'them'} or leave "
            f"{'it' if len(columns) == 1 else 'them'} out ({why})"
            for why, columns in unknown.items()
        ]
        for line in self.lines:
            if line.sure == GUESS and line.part in ("columns", "baseline", "covariates", "dates"):
                found.append(f"{line.column}: is it {line.words}? ({line.why})")
        wide: dict[str, str] = {}
        for line in self.lines:
            if line.sure == GUESS and line.part == "wide":
                wide.setdefault(line.name, line.why)
        found += [f"[wide.{name}]: {why}" for name, why in wide.items()]
        for code in self.codes:
            if code.sure == GUESS:
                told = f"{code.written!r} = {code.code!r}?" if code.code else f"what does {code.written!r} stand for?"
                found.append(f"[{code.part}.{code.name}]: {told} ({code.why})")
        guessed = [visit for visit in self.visits if visit.sure == GUESS and visit.week is not None]
        if guessed:
            said = ", ".join(f"{visit.name} = {visit.week:g}" for visit in guessed)
            found.append(f"[visits]: the weeks of {said} ({guessed[0].why})")
        asked = [visit.name for visit in self.visits if visit.week is None]
        if asked:
            found.append(f"[visits]: in which {plural(len(asked), 'week is', 'weeks are')} {', '.join(asked)}?")
        return [*found, *self.questions]


def _some(columns: Sequence[str]) -> str:
    """Names of columns, no more than can be read."""
    more = len(columns) - _MOST_NAMED
    return ", ".join(columns) if more <= 0 else f"{', '.join(columns[:_MOST_NAMED])} and {more} more"


def _merged(known: Any, more: Any) -> Any:
    """Tables of a mapping laid over one another."""
    if not isinstance(more, AbstractMapping):
        return more
    nested = {name: _merged(known.get(name, {}), value) for name, value in more.items()}
    return {**known, **nested}


def _named_in(parts: AbstractMapping[str, Any]) -> set[str]:
    """What decisions settle: the tables they give, and the columns they map."""
    found = {f"[{part}]" for part in parts}
    for part, entries in parts.items():
        if isinstance(entries, AbstractMapping):
            found |= {f"[{part}.{name}]" for name in entries}
            columns = [value for value in entries.values() if isinstance(value, str)]
            inner = [v for value in entries.values() if isinstance(value, AbstractMapping) for v in value.values()]
            if part in ("columns", "baseline", "covariates", "wide"):
                found |= {*columns, *(one for one in inner if isinstance(one, str))}
    return found
