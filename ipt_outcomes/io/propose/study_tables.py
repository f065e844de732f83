"""Tables of studies: recognised by their headings, mapped to the columns of the dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ipt_outcomes.io.cohort.source import Raw
from ipt_outcomes.io.propose.fields import find_person
from ipt_outcomes.io.propose.known_files import shipped_hints
from ipt_outcomes.io.propose.lines import Line
from ipt_outcomes.io.propose.profiles import Profile
from ipt_outcomes.io.propose.proposal import ProposedMapping
from ipt_outcomes.io.propose.words import GUESS, SURE
from ipt_outcomes.results import plural
from ipt_outcomes.schemas import Schema, load_schema

_FEWEST_COLUMNS = 4


def is_study_table(profiles: Mapping[str, Profile]) -> bool:
    """Whether the columns are those of a table of studies.

    Parameters
    ----------
    profiles : mapping of str to Profile

    Returns
    -------
    bool
    """
    schema = load_schema("comparisons")
    names = {entry.name: {entry.name, *(alias.name for alias in entry.aliases)} for entry in schema.fields}
    headings = {column.strip().casefold() for column in profiles}
    met = {name for name, known in names.items() if {one.casefold() for one in known} & headings}
    numbers = {name for name in met if name.startswith((".", "mean_", "sd_", "event_", "totaln_", "precalc_", "n_arm"))}
    if {"condition_arm1", "condition_arm2"} <= met or ("study" in met and find_person(profiles) is None):
        return True
    return ("study" in met and len(met) >= _FEWEST_COLUMNS) or len(numbers) >= _FEWEST_COLUMNS


def proposed_studies(raw: Raw) -> ProposedMapping:
    """Propose which column of a table of studies is which column of the dictionary, by its heading.

    Parameters
    ----------
    raw : Raw

    Returns
    -------
    ProposedMapping
    """
    schema = load_schema("comparisons")
    lines = {column: _study_line(column, schema) for column in raw.columns}
    taken: set[str] = set()
    for column, line in lines.items():
        if line.part == "columns" and line.name in taken:
            lines[column] = replace(line, part="undecided", name="", sure=GUESS, why=f"may be {line.name}, too")
        taken.add(line.name)
    return ProposedMapping(
        source=raw.source.name,
        kind="comparisons",
        layout=f"a table of studies, {len(raw.frame)} {plural(len(raw.frame), 'row', 'rows')}",
        lines=tuple(lines.values()),
        hints=shipped_hints(raw.columns, cohort=False),
    )


def _study_line(column: str, schema: Schema) -> Line:
    heading = column.strip().casefold()
    for entry in schema.fields:
        if heading == entry.name.casefold():
            return Line(column=column, part="columns", name=entry.name, sure=SURE, why="the dictionary's own name")
    for entry in schema.fields:
        if any(alias.name.casefold() == heading and not alias.transform for alias in entry.aliases):
            return Line(column=column, part="columns", name=entry.name, sure=SURE, why="a name of the dictionary")
    return Line(column=column, part="undecided", sure=GUESS, why="not recognised; it stays as it is")
