"""The parts of a table and of running text that writers know how to draw.

A number from an analysis is never text: it is a `Value`, the id of a result row and a style. A writer looks
the number up and rounds it, so that what is shown can always be traced.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ipt_outcomes.errors import IptError
from ipt_outcomes.results import Style


@dataclass(frozen=True, slots=True)
class Value:
    """A number of the results table, shown in a style.

    Parameters
    ----------
    result_id : str
        Id of the row in `Results`.
    style : Style
        As in `ipt_outcomes.results.format_number`.
    """

    result_id: str
    style: Style = "decimal2"


@dataclass(frozen=True, slots=True)
class Strong:
    """Text that stands out."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A link: to an anchor of the document (``"#studies"``) or to a DOI address."""

    text: str
    target: str


Inline = str | Value | Strong | Link
Content = tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading and how its cells are set."""

    label: str
    align: Literal["left", "right"] = "left"


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of cells; the first cell is the row's header.

    Parameters
    ----------
    cells : tuple of Content
        One per column.
    kind : {"body", "group", "total"}
        A group row is a subheading over the rows that follow; a total row stands out.
    """

    cells: tuple[Content, ...]
    kind: Literal["body", "group", "total"] = "body"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """A table.

    Parameters
    ----------
    id : str
        Anchor, unique in the document: small letters, digits, hyphens.
    caption : str
        Says what the table shows, for a reader who sees nothing else.
    columns : tuple of Column
    rows : tuple of TableRow
    notes : tuple of Content
        Footnotes, one paragraph each.
    """

    id: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[TableRow, ...]
    notes: tuple[Content, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row.cells) != len(self.columns):
                raise IptError(f"table {self.id}: a row has {len(row.cells)} cells, not {len(self.columns)}")


def interval(low_id: str, high_id: str, style: Style = "decimal2") -> Content:
    """Content of an interval: "low to high".

    Parameters
    ----------
    low_id, high_id : str
        Ids of the limits.
    style : Style
        Style of both.

    Returns
    -------
    Content
    """
    return (Value(low_id, style), " to ", Value(high_id, style))
