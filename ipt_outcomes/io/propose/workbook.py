"""A proposed mapping as a workbook with drop-downs, for people who do not write TOML."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipt_outcomes.errors import OptionError
from ipt_outcomes.instruments import instruments
from ipt_outcomes.io.cohort.dictionary import CODED, fields
from ipt_outcomes.io.cohort.mapping_faults import RULES
from ipt_outcomes.io.days import ORIGINS
from ipt_outcomes.io.propose.codes import choices
from ipt_outcomes.io.propose.lines import Line
from ipt_outcomes.results import visible
from ipt_outcomes.results.packing import repack
from ipt_outcomes.results.spreadsheet import RUNS, replace_file

if TYPE_CHECKING:
    from ipt_outcomes.io.propose.proposal import ProposedMapping

TO_DECIDE, LEAVE_OUT, STATE, FORM = "to decide", "leave out", "state of a form", "form of the row"
COVARIATE = "covariate: "
BASELINE, DATE = "baseline: ", "date: "
CONFIDENCE = ("sure", "likely", "guess", "decided")
HEADERS = {
    "columns": ("column", "becomes", "visit", "form", "confidence", "why", "examples"),
    "codes": ("part", "name", "written", "code", "confidence", "why"),
    "visits": ("visit", "week", "confidence", "why"),
    "settings": ("setting", "name", "value", "why"),
}
SETTINGS = ("constants", "duplicates", "areas", "varies", "date order", "same ids", "baseline rule")
_WIDTHS = {
    "column": 24, "becomes": 24, "visit": 16, "form": 22, "confidence": 12, "why": 70, "examples": 26, "name": 24,
    "written": 22, "code": 24, "part": 12, "week": 10, "setting": 16, "value": 24,
}  # fmt: skip
_FILL = {"guess": "FCE4D6", "likely": "FFF2CC", TO_DECIDE: "F8CBAD"}
_HELP = (
    "How to use this workbook",
    "1. Sheet columns: one row per column of your file. 'becomes' has a drop-down: a name of the dictionary, an "
    "instrument (its total), 'leave out', or 'to decide'. An item is typed: phq9_3. In a file with one row per person "
    "'visit' says when the score was taken.",
    "'covariate: education' keeps a column that describes the person under that name; 'baseline: phq9' is a score at "
    "week 0 that stands in every row; 'date: start' is the day of the person's own start, 'date: day' that of a visit.",
    "2. Sheet codes: what the file writes and the code of the dictionary. Put a code where it says '?'. Rows with part "
    "'missing' are codes that stand for a missing value (name: the column; code: the reason); rows with part 'exclude' "
    "set people aside (name: the field; code: the reason).",
    "3. Sheet visits: the week of each visit, counted from the person's own start (baseline = 0). Replace every '?'.",
    "4. Where 'confidence' says guess: look at it, correct it, then choose 'decided'. Nothing is loaded as long as a "
    "guess, a '?' or 'to decide' is left.",
    "5. Save, and use the workbook wherever a mapping is asked for: ipt-outcomes check FILE --mapping MAP.xlsx",
)


def write_map_workbook(proposal: ProposedMapping, path: str | os.PathLike[str]) -> Path:
    """Write a proposed mapping of patient data as a workbook.

    Parameters
    ----------
    proposal : ProposedMapping
    path : path
        A new file that ends in .xlsx.

    Returns
    -------
    Path

    Raises
    ------
    OptionError
        A table of studies; another ending; no such folder; a file of that name is there already.
    """
    target = Path(path).expanduser()
    if proposal.kind != "cohort":
        raise OptionError("a table of studies is mapped in TOML: use .to_toml()")
    if target.suffix.lower() != ".xlsx":
        raise OptionError(f"a workbook ends in .xlsx; got {target.name}")
    if not target.parent.is_dir():
        raise OptionError(f"the folder for {target.name} does not exist", hint="Make it first.")
    if target.exists():
        raise OptionError(f"{target.name} is there already", hint="Nothing is written over: choose another name.")
    replace_file(target, _workbook(proposal))
    return target


def _workbook(proposal: ProposedMapping) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    tables: dict[str, Sequence[Sequence[object]]] = {
        "columns": [_column_row(line) for line in proposal.lines],
        "codes": [(c.part, c.name, c.written, c.code or "?", c.sure, c.why) for c in proposal.codes],
        "visits": [(v.name, "?" if v.week is None else v.week, v.sure, v.why) for v in proposal.visits],
        "settings": _settings(proposal),
    }
    for name, rows in tables.items():
        _sheet(book, name, HEADERS[name], rows)
    _help(book, proposal.questions)
    _drop_downs(book, {name: len(rows) for name, rows in tables.items()})
    target = io.BytesIO()
    book.save(target)
    return repack(target.getvalue())


def _column_row(line: Line) -> tuple[str, ...]:
    becomes = {
        "undecided": TO_DECIDE,
        "left_out": LEAVE_OUT,
        "status": STATE,
        "forms": FORM,
        "covariates": f"{COVARIATE}{line.name}",
        "baseline": f"{BASELINE}{line.name}",
        "dates": f"{DATE}{line.name}",
    }.get(line.part, line.name)
    sure = "" if line.part == "undecided" else line.sure
    return (line.column, becomes, line.visit, line.form, sure, line.why, line.examples)


def _settings(proposal: ProposedMapping) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [("duplicates", "", "refuse", "two rows of one person and visit")]
    if any(line.part == "dates" for line in proposal.lines):
        rows.append(("date order", "", proposal.order or "?", "how the dates are written: iso, dmy, mdy"))
    return rows


@cache
def targets() -> tuple[str, ...]:
    """Return what a column can become, for the drop-down."""
    totals = instruments()
    return (
        TO_DECIDE, LEAVE_OUT, *fields(), *totals, *(f"{BASELINE}{name}" for name in totals),
        *(f"{DATE}{name}" for name in ("start", "day", "referral_day", "end_day")), f"{COVARIATE}name", STATE, FORM,
    )  # fmt: skip


def _all_codes() -> tuple[str, ...]:
    found = {code: None for name in fields() if name in CODED or fields()[name].enum for code in choices(name)}
    return ("?", *found, *instruments())


def _sheet(book: Any, name: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(name)
    sheet.freeze_panes = "B2"
    for place, label in enumerate(header, start=1):
        sheet.cell(1, place, label).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(place)].width = _WIDTHS[label]
    for number, row in enumerate(rows, start=2):
        colour = next((_FILL[value] for value in row if isinstance(value, str) and value in _FILL), None)
        for place, value in enumerate(row, start=1):
            cell = sheet.cell(number, place)
            _put(cell, value)
            cell.alignment = Alignment(vertical="top", wrap_text=header[place - 1] == "why")
            if colour is not None:
                cell.fill = PatternFill("solid", start_color=colour)


def _put(cell: Any, value: object) -> None:
    """Numbers as numbers; all else as text that no spreadsheet runs or turns into a number."""
    if isinstance(value, int | float):
        cell.value = value
        return
    text = visible(str(value))
    if not text:
        return
    # Set after the value: openpyxl reads "=1+1" as a formula as soon as it sees it.
    cell.value = text
    cell.data_type = "s"
    cell.number_format = "@"
    cell.quotePrefix = text.startswith(RUNS)


def _help(book: Any, questions: Sequence[str]) -> None:
    from openpyxl.styles import Alignment, Font

    sheet = book.create_sheet("help")
    sheet.column_dimensions["A"].width = 110
    lines = [*_HELP, *(["Also to decide:", *questions] if questions else [])]
    for number, line in enumerate(lines, start=1):
        _put(sheet.cell(number, 1), line)
        sheet.cell(number, 1).alignment = Alignment(wrap_text=True, vertical="top")
    sheet.cell(1, 1).font = Font(bold=True)


def _drop_downs(book: Any, sizes: dict[str, int]) -> None:
    """Choices from a hidden sheet: a list inside the rule itself may hold 255 characters only."""
    lists = book.create_sheet("lists")
    lists.sheet_state = "hidden"
    wanted: list[tuple[str, str, Sequence[str], bool]] = [
        ("columns", "B", targets(), False),
        ("columns", "E", CONFIDENCE, True),
        ("codes", "A", ("codes", "missing", "exclude"), True),
        ("codes", "D", _all_codes(), False),
        ("codes", "E", CONFIDENCE, True),
        ("visits", "C", CONFIDENCE, True),
        ("settings", "A", SETTINGS, True),
        ("settings", "C", (*RULES, "before", "after", *ORIGINS), False),
    ]
    for place, (name, column, options, is_strict) in enumerate(wanted, start=1):
        _drop_down(book[name], column, sizes[name], lists, place, options, is_strict)


def _drop_down(
    sheet: Any, column: str, size: int, lists: Any, place: int, options: Sequence[str], is_strict: bool
) -> None:
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    for number, option in enumerate(options, start=1):
        _put(lists.cell(number, place), option)
    letter = get_column_letter(place)
    rule = DataValidation(type="list", formula1=f"lists!${letter}$1:${letter}${len(options)}", allow_blank=True)
    # What is not in the list may be typed (an item, a code's reason) where the sheet cannot know it.
    rule.showErrorMessage = is_strict
    sheet.add_data_validation(rule)
    # Room for rows that people add.
    rule.add(f"{column}2:{column}{size + 40}")
