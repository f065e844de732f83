"""Delimited text to records: the delimiter, the column names, rows of one length."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, pairwise

from ipt_outcomes.errors import DataError, IptError

DELIMITERS = {";": "semicolon", ",": "comma", "\t": "tab", "|": "vertical bar"}
ABOVE_THE_NAMES = "If a title or a comment stands above the row of column names, delete it."
_SAMPLE = 200
_ROWS_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The records of a file as text.

    Parameters
    ----------
    names : tuple of str
        Column names, blanks around them taken off.
    columns : list of list of str
        Cells, column by column, as written.
    rows : list of int
        Line of the file on which each record begins; the header is on line 1 as a rule.
    delimiter : str
        The character between cells.
    warnings : tuple of str
        Choices made and records left out.
    """

    names: tuple[str, ...]
    columns: list[list[str]]
    rows: list[int]
    delimiter: str
    warnings: tuple[str, ...]


def read_records(text: str, name: str, delimiter: str | None = None) -> Records:
    """Cut text into records.

    Parameters
    ----------
    text : str
        The whole file.
    name : str
        Name of the file, for messages.
    delimiter : str, optional
        The character between cells. Default: the one of ``; , tab |`` that cuts the first records into the
        most cells of one number.

    Returns
    -------
    Records

    Raises
    ------
    IptError
        No data rows, rows of unequal length (all are named), quotation marks that do not close, column
        names that are missing or double.
    """
    text, first_line, declared = _after_sep_line(text)
    warnings: list[str] = []
    if delimiter is None:
        delimiter = declared or detect_delimiter(text)
        warnings.append(f"delimiter: {DELIMITERS.get(delimiter, repr(delimiter))}")
    records, lines = _parse(text, name, delimiter, first_line)
    while records and not any(cell.strip() for cell in records[0]):
        records, lines = records[1:], lines[1:]
    if not records:
        raise DataError(f"{name} is empty: a row of column names and rows of data were expected")
    header = [cell.strip() for cell in records[0]]
    records, lines = _without_blank_records(records[1:], lines[1:], warnings)
    if not records:
        raise DataError(f"{name} has column names but no rows of data")
    _refuse_unequal(header, records, lines, name)
    if lines[-1] - lines[0] >= len(lines) and any("\n" in c or "\r" in c for record in records for c in record):
        warnings.append("cells hold line breaks: row numbers are lines of the file, a spreadsheet shows fewer rows")
    columns = [list(column) for column in zip(*records, strict=True)]
    labels = [str(position + 1) for position in range(len(header))]
    named = named_columns(header, columns.__getitem__, name, warnings, labels)
    return Records(
        names=tuple(title for _, title in named), columns=[columns[position] for position, _ in named],
        rows=lines, delimiter=delimiter, warnings=tuple(warnings),
    )  # fmt: skip


def _after_sep_line(text: str) -> tuple[str, int, str | None]:
    """Excel's first line "sep=;" names the delimiter and is no data."""
    match = re.match(r"(?i)\ufeff?\"?sep=([;,|\t])\"?\r?\n", text)
    return (text[match.end() :], 2, match.group(1)) if match else (text.removeprefix("\ufeff"), 1, None)


def detect_delimiter(text: str) -> str:
    r"""Return the delimiter that cuts the first records into the most cells of one number.

    Parameters
    ----------
    text : str
        The file, or its beginning.

    Returns
    -------
    str
        One of ``; , tab |``; a comma where nothing cuts the header (one column).

    Examples
    --------
    >>> detect_delimiter("a;b\n1,5;2,5\n")
    ';'
    """
    best, best_score = ",", (False, 1)
    for candidate in DELIMITERS:
        try:
            sample = [r for r in islice(csv.reader(io.StringIO(text, newline=""), delimiter=candidate), _SAMPLE) if r]
        except csv.Error:
            continue
        if not sample:
            continue
        width = len(sample[0])
        score = (all(len(record) == width for record in sample), width)
        if width > 1 and score > best_score:
            best, best_score = candidate, score
    return best


def _parse(text: str, name: str, delimiter: str, first_line: int) -> tuple[list[list[str]], list[int]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records: list[list[str]] = []
    lines: list[int] = []
    line = 0
    try:
        for record in reader:
            records.append(record)
            lines.append(line + first_line)
            line = reader.line_num
    except csv.Error as error:
        where = line + first_line
        raise DataError(
            f"{name}, row {where}: cannot be cut into cells ({error})",
            rows=(where,),
            hint='A quotation mark inside a quoted cell is written twice: "so ""called"" cell".',
        ) from None
    return records, lines


def _without_blank_records(
    records: list[list[str]], lines: list[int], warnings: list[str]
) -> tuple[list[list[str]], list[int]]:
    blank = [not any(cell.strip() for cell in record) for record in records]
    if not any(blank):
        return records, lines
    dropped = [line for line, empty in zip(lines, blank, strict=True) if empty]
    if any(record for record, empty in zip(records, blank, strict=True) if empty):
        warnings.append(f"rows without any value left out: {rows_in_words(dropped)}")
    kept = [i for i, empty in enumerate(blank) if not empty]
    return [records[i] for i in kept], [lines[i] for i in kept]


def _refuse_unequal(header: list[str], records: list[list[str]], lines: list[int], name: str) -> None:
    width = len(header)
    wrong = [(line, len(record)) for line, record in zip(lines, records, strict=True) if len(record) != width]
    if not wrong:
        return
    rows = [line for line, _ in wrong]
    found = sorted({size for _, size in wrong})
    hint = "A cell that holds the delimiter must stand in quotation marks."
    if len(wrong) == len(records) and found == [width + 1]:
        hint = "Every row has one cell more than the header: the first column has no name. Give it one."
    if len(wrong) == len(records) and len(found) == 1 and (found[0] > width + 1 or found[0] > width == 1):
        hint = ABOVE_THE_NAMES
    raise DataError(
        f"{name}: {len(wrong)} of {len(records)} rows have {_either(found)} cells "
        f"where the header has {width}: {rows_in_words(rows)}",
        rows=rows,
        hint=hint,
    )


def _either(sizes: list[int]) -> str:
    return " or ".join(str(size) for size in sizes) if len(sizes) <= 3 else f"{sizes[0]} to {sizes[-1]}"


def named_columns(
    header: list[str], cells: Callable[[int], list[str]], name: str, warnings: list[str], labels: list[str]
) -> list[tuple[int, str]]:
    """Return the columns that have a name; those without one must be empty or only count the rows.

    Parameters
    ----------
    header : list of str
        Names, "" where there is none.
    cells : callable
        From the position of a column to its cells as text.
    name : str
        Name of the file, for messages.
    warnings : list of str
        Takes what was left out.
    labels : list of str
        What each column is called where it has no name.

    Returns
    -------
    list of (int, str)
        Position and name.

    Raises
    ------
    DataError
        Columns with values but without a name, names that stand twice, a first row of numbers.
    """
    keep: list[int] = []
    unnamed: list[str] = []
    for position, title in enumerate(header):
        if title:
            keep.append(position)
        elif not any(cell.strip() for cell in cells(position)):
            warnings.append(f"column {labels[position]} has no name and no values: left out")
        elif position == 0 and _counts_the_rows(cells(position)):
            warnings.append("the first column has no name and only counts the rows: left out")
        else:
            unnamed.append(labels[position])
    if unnamed:
        raise DataError(
            f"{name}: {'column' if len(unnamed) == 1 else 'columns'} {', '.join(unnamed)} "
            f"{'has' if len(unnamed) == 1 else 'have'} values but no name",
            hint="Give every column a name in the first row."
            + (f" {ABOVE_THE_NAMES}" if len(unnamed) > len(header) / 2 else ""),
        )
    names = [header[position] for position in keep]
    double = sorted(title for title, times in Counter(names).items() if times > 1)
    if double:
        raise DataError(
            f"{name}: column names that stand twice: {', '.join(double)}", column=double[0],
            hint="Rename or delete one of the columns.",
        )  # fmt: skip
    if all(re.fullmatch(r"[+-]?\d+([.,]\d+)?", title) for title in names):
        raise DataError(f"{name}: the first row holds numbers: a row of column names was expected there")
    return [(position, header[position]) for position in keep]


def _counts_the_rows(column: list[str]) -> bool:
    """R writes row names there: 1, 2, 3 ... or, after rows were left out, growing whole numbers."""
    cells = [cell.strip() for cell in column]
    if not all(cell.isascii() and cell.isdigit() and len(cell) < 12 for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    return all(a < b for a, b in pairwise(numbers))


def rows_in_words(rows: list[int] | tuple[int, ...]) -> str:
    """Write row numbers, the first ten in full.

    Examples
    --------
    >>> rows_in_words([3]), rows_in_words([3, 7])
    ('row 3', 'rows 3, 7')
    """
    shown = ", ".join(str(row) for row in rows[:_ROWS_NAMED])
    more = f" and {len(rows) - _ROWS_NAMED} more" if len(rows) > _ROWS_NAMED else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{more}"


def require_rows(found: int, expected: int | None, name: str) -> None:
    """Raise `IptError` where a file has another number of records than was promised."""
    if expected is not None and found != expected:
        raise IptError(
            f"{name} has {found} rows of data, {expected} were expected",
            hint="The file may be cut short, or it is another version.",
        )
