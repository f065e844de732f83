"""What an audience would see nothing in: tables and groups of rows in which every number is hidden are left out.

A wall of "hidden" tells a reader no more than one sentence does, and buries the numbers that are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ipt_outcomes.report.document import Block, Figure, Paragraph, Table
from ipt_outcomes.report.runs import plain, row_groups
from ipt_outcomes.results import ResultRow, Results
from ipt_outcomes.tables import Content, TableRow, TableSpec, Value

WHY = "for this audience every number in it is hidden (small numbers of people, or numbers that would give one back)"


def without_hidden(blocks: Iterable[Block], results: Results) -> tuple[Block, ...]:
    """Leave out what shows nothing, and say so.

    Parameters
    ----------
    blocks : iterable of Block
    results : Results
        What the audience may see.

    Returns
    -------
    tuple of Block
        A table in which every number is hidden is a sentence; a group of rows in which every number is hidden is
        named below its table. The table of a figure without a number is dropped.
    """
    known = results.by_id()
    made: list[Block] = []
    for block in blocks:
        if isinstance(block, Table):
            spec = seen(block.spec, known)
            made.append(Paragraph((sentence(block.spec.caption),)) if spec is None else replace(block, spec=spec))
        elif isinstance(block, Figure) and block.data is not None:
            made.append(replace(block, data=seen(block.data, known)))
        else:
            made.append(block)
    return tuple(made)


def sentence(caption: str) -> str:
    """Say that a table was left out, and why.

    Parameters
    ----------
    caption : str
        Of the table.

    Returns
    -------
    str
    """
    return f"Left out: the table \N{LEFT DOUBLE QUOTATION MARK}{caption}\N{RIGHT DOUBLE QUOTATION MARK}; {WHY}."


def seen(spec: TableSpec, known: Mapping[str, ResultRow]) -> TableSpec | None:
    """Return a table without the groups of rows in which every number is hidden; None where nothing is left.

    Parameters
    ----------
    spec : TableSpec
    known : mapping of str to ResultRow

    Returns
    -------
    TableSpec or None
    """
    if _nothing(spec.rows, known):
        return None
    rows: list[TableRow] = []
    gone: list[str] = []
    for group in row_groups(spec):
        if group[0].kind == "group" and _nothing(group, known):
            gone.append(plain(group[0].cells[0], known))
        else:
            rows += group
    if not gone:
        return spec
    note: Content = (f"Left out, since every number of it is hidden for this audience: {'; '.join(gone)}.",)
    return replace(spec, rows=tuple(rows), notes=(*spec.notes, note))


def _nothing(rows: Iterable[TableRow], known: Mapping[str, ResultRow]) -> bool:
    """Whether the rows hold numbers, and every one of them is hidden."""
    values = [part for row in rows for cell in row.cells for part in cell if isinstance(part, Value)]
    return bool(values) and all(known[value.result_id].suppressed for value in values)
