"""What every writer asks first: is the document sound, and which words stand in a piece of content.

Writers differ only in how they draw; numbers are looked up and rounded here, once for all of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ipt_outcomes.errors import IptError
from ipt_outcomes.report.document import Block, Document, Figure, Heading, Table
from ipt_outcomes.results import ResultRow, Style, format_number, visible
from ipt_outcomes.tables import Content, Inline, Link, Strong, TableRow, TableSpec, Value

HIDDEN = "hidden"
SIMULATED = "Simulated data"
DOI_ADDRESS = "https://doi.org/"

# The numbers of an interval get columns of their own in a spreadsheet.
_APART = {2: (" (low)", " (high)"), 3: (" (estimate)", " (low)", " (high)")}

# Anchors become HTML ids, Typst labels and Word bookmarks: only what is harmless in all three.
_ANCHOR = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A stretch of content in one style.

    Parameters
    ----------
    kind : {"text", "strong", "link", "value"}
    text : str
        What the reader sees, control characters made visible.
    target : str
        Of a link: ``"#anchor"`` or a DOI address.
    result_id : str
        Of a value: its result row.
    number : int, float or None
        Of a value: the unrounded number.
    """

    kind: Literal["text", "strong", "link", "value"]
    text: str
    target: str = ""
    result_id: str = ""
    number: int | float | None = None


def shown(row: ResultRow, style: Style) -> str:
    """Write the number of a result row; a suppressed number says that it is hidden.

    Parameters
    ----------
    row : ResultRow
    style : Style
        As in `ipt_outcomes.results.format_number`.

    Returns
    -------
    str
    """
    return HIDDEN if row.suppressed else format_number(row.value, style)


def runs(content: Content, known: Mapping[str, ResultRow]) -> tuple[Run, ...]:
    """Turn content into runs of text, numbers looked up and rounded.

    Parameters
    ----------
    content : Content
    known : mapping of str to ResultRow
        The rows of the document's results, by id.

    Returns
    -------
    tuple of Run
        A number with its interval, or an interval, of which all is hidden is said to be hidden once.
    """
    found: list[Run] = []
    for run in _said_once(content, known):
        # "hidden to hidden" says no more than "hidden".
        if _is_hidden(run) and len(found) > 1 and found[-1].text == " to " and _is_hidden(found[-2]):
            found.pop()
        else:
            found.append(run)
    return tuple(found)


def _said_once(content: Content, known: Mapping[str, ResultRow]) -> tuple[Run, ...]:
    drawn = tuple(_run(part, known) for part in content)
    values = [run for run in drawn if run.kind == "value"]
    if len(values) > 1 and all(_is_hidden(run) for run in values) and _numbers(content) == len(values):
        return tuple(values[:1])
    return drawn


def _is_hidden(run: Run) -> bool:
    return run.kind == "value" and run.text == HIDDEN


def _run(part: Inline, known: Mapping[str, ResultRow]) -> Run:
    match part:
        case Value(result_id=result_id, style=style):
            row = known[result_id]
            return Run(kind="value", text=shown(row, style), result_id=result_id, number=row.value)
        case Strong(text=text):
            return Run(kind="strong", text=visible(text))
        case Link(text=text, target=target):
            return Run(kind="link", text=visible(text), target=target)
        case _:
            return Run(kind="text", text=visible(part))


def plain(content: Content, known: Mapping[str, ResultRow]) -> str:
    """Text of a piece of content, as shown."""
    return "".join(run.text for run in runs(content, known))


def check(document: Document) -> None:
    """Raise `IptError` unless anchors are unique and harmless and every link leads somewhere safe.

    Parameters
    ----------
    document : Document

    Raises
    ------
    IptError
        Names all anchors and links at fault.
    """
    counts = Counter(anchors(document))
    faults = [f"anchor {name!r} is not small letters, digits, hyphens" for name in counts if not _is_anchor(name)]
    faults += [f"anchor {name!r} is used {count} times" for name, count in counts.items() if count > 1]
    for content in document.contents():
        for part in content:
            if isinstance(part, Link) and not _leads_somewhere(part.target, counts):
                faults.append(f"link to {visible(part.target)!r} is neither an anchor of the document nor a DOI")
    if faults:
        raise IptError("the document cannot be written: " + "; ".join(faults))


def anchors(document: Document) -> Iterator[str]:
    """Yield every anchor of a document, in reading order."""
    for block in document.blocks:
        yield from _anchors(block)


def _anchors(block: Block) -> Iterator[str]:
    match block:
        case Heading(anchor=anchor):
            yield anchor
        case Table(spec=spec):
            yield spec.id
        case Figure(id=name, data=data):
            yield name
            if data is not None:
                yield data.id
        case _:
            return


def _is_anchor(name: str) -> bool:
    # "ipt-" is kept for the ids a writer makes itself.
    return _ANCHOR.fullmatch(name) is not None and not name.startswith("ipt-")


def _leads_somewhere(target: str, known: Mapping[str, int]) -> bool:
    if target.startswith("#"):
        return target[1:] in known
    return target.startswith(DOI_ADDRESS) and visible(target) == target


def doi_address(doi: str) -> str:
    """Address of a DOI, percent-encoded.

    Parameters
    ----------
    doi : str
        For example ``"10.3102/10769986006002107"``.

    Returns
    -------
    str

    Examples
    --------
    >>> doi_address("10.1002/(SICI)1097-0258<1>")
    'https://doi.org/10.1002/(SICI)1097-0258%3C1%3E'
    """
    from urllib.parse import quote

    return DOI_ADDRESS + quote(visible(doi).strip().removeprefix(DOI_ADDRESS), safe="/:;()._-")


def labels(document: Document) -> dict[str, str]:
    """Give each table and figure its number: ``{"studies": "Table 1", "forest": "Figure 1"}``.

    Parameters
    ----------
    document : Document

    Returns
    -------
    dict of str to str
        Label under each id; the data table of a figure is labelled by its figure.
    """
    found: dict[str, str] = {}
    tables = figures = 0
    for block in document.blocks:
        if isinstance(block, Table):
            tables += 1
            found[block.spec.id] = f"Table {tables}"
        elif isinstance(block, Figure):
            figures += 1
            found[block.id] = f"Figure {figures}"
            if block.data is not None:
                found[block.data.id] = f"Numbers in Figure {figures}"
    return found


def is_empty(content: Content) -> bool:
    """Whether a cell shows nothing."""
    return all(isinstance(part, str) and not part.strip() for part in content)


def spans(row: TableRow) -> bool:
    """Whether a group row has nothing but its heading, which then spans the table."""
    return row.kind == "group" and all(is_empty(cell) for cell in row.cells[1:])


def row_groups(spec: TableSpec) -> list[list[TableRow]]:
    """Split the rows of a table at its group rows.

    Parameters
    ----------
    spec : TableSpec

    Returns
    -------
    list of list of TableRow
        Each begins with its group row; rows before the first group row are a list of their own.
    """
    found: list[list[TableRow]] = []
    for row in spec.rows:
        if row.kind == "group" or not found:
            found.append([])
        found[-1].append(row)
    return found


def cell_values(spec: TableSpec, known: Mapping[str, ResultRow]) -> tuple[list[str], list[list[object]]]:
    """Header and rows of a table for a spreadsheet: numbers unrounded, an interval apart.

    Parameters
    ----------
    spec : TableSpec
    known : mapping of str to ResultRow

    Returns
    -------
    header : list of str
    rows : list of list
        Text, numbers, or None where there is no value.
    """
    suffixes = [_suffixes(spec, position) for position in range(len(spec.columns))]
    header = [
        visible(column.label) + suffix for column, parts in zip(spec.columns, suffixes, strict=True) for suffix in parts
    ]
    rows = []
    for row in spec.rows:
        cells: list[object] = []
        for content, parts in zip(row.cells, suffixes, strict=True):
            cells += [_cell(content, known)] if len(parts) == 1 else _apart(content, len(parts), known)
        rows.append(cells)
    return header, rows


def _suffixes(spec: TableSpec, position: int) -> tuple[str, ...]:
    """Say into which columns of a spreadsheet a column falls: one, or one per number of an interval."""
    contents = [row.cells[position] for row in spec.rows]
    shapes = {_numbers(content) for content in contents if any(isinstance(part, Value) for part in content)}
    return _APART.get(shapes.pop(), ("",)) if len(shapes) == 1 else ("",)


def _numbers(content: Content) -> int:
    """How many numbers a cell is made of; 1 where it holds words as well."""
    words = [part for part in content if not isinstance(part, Value)]
    if all(isinstance(word, str) and word.strip(" (),;[]") in {"", "to"} for word in words):
        return len(content) - len(words)
    return 1


def _apart(content: Content, count: int, known: Mapping[str, ResultRow]) -> list[object]:
    values = [part for part in content if isinstance(part, Value)]
    if len(values) == count:
        return [_cell((value,), known) for value in values]
    return [_cell(content, known), *[None] * (count - 1)]


def _cell(content: Content, known: Mapping[str, ResultRow]) -> object:
    parts = runs(content, known)
    if len(parts) == 1 and parts[0].kind == "value":
        return HIDDEN if parts[0].text == HIDDEN else parts[0].number
    return "".join(_exact(part) for part in parts) or None


def _exact(run: Run) -> str:
    return repr(run.number) if run.kind == "value" and run.number is not None else run.text
