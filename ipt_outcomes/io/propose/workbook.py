"""A proposed mapping as a workbook with drop-downs, for people who do not write TOML."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipt_outcomes.errors import OptionError
from ipt_outcomes.instruments import instruments
from ipt_outcomes.io.propose.codes import choices
from ipt_outcomes.io.propose.lines import Line
from ipt_outcomes.io.propose.workbook_words import (
    ASIDE,
    ASKED,
    BASELINE,
    COLOURS,
    CONFIDENCE,
    COVARIATE,
    DATE,
    DECIDED,
    FORM,
    GUESS,
    HEADERS,
    LEAVE_OUT,
    NOTES,
    ON_FORM,
    PARTS,
    SETTINGS,
    START,
    STATE,
    STEPS,
    TABLE,
    TO_DECIDE,
    TURNED,
    WIDTHS,
    WITH_TABLE,
    targets,
)
from ipt_outcomes.results import visible
from ipt_outcomes.results.packing import repack
from ipt_outcomes.results.spreadsheet import RUNS, replace_file

if TYPE_CHECKING:
    from ipt_outcomes.io.propose.proposal import ProposedMapping

_RED, _ORANGE, _YELLOW, _GREEN = COLOURS
_HEAD_FILL, _HEAD_FONT = "1F4E79", "FFFFFF"
# Rows for what people add below.
_ROOM = 40
_HELP_WIDTH = 104
_NOTE_SIZE = (300, 110)
_FONT, _LINE = "Calibri", 15.0
_WRAPPED = ("why", "column", "written", "examples")


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
    replace_file(target, _workbook(proposal, target.name))
    return target


def _workbook(proposal: ProposedMapping, name: str) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    has_tables = bool(proposal.files)
    tables: dict[str, list[tuple[object, ...]]] = {
        "columns": [(line.table, *_column_row(line)) for line in proposal.lines],
        "codes": [
            (c.table, c.part, c.name, c.written, c.code or ASKED, _sure(c.code, c.sure), c.why) for c in proposal.codes
        ],
        "visits": [
            (v.name, ASKED if v.week is None else v.week, _sure(v.week, v.sure), v.why) for v in proposal.visits
        ],
        "settings": list(_settings(proposal)),
    }
    _start(book, proposal, name)
    lists = _Lists(book)
    for sheet, rows in tables.items():
        header: tuple[str, ...] = HEADERS[sheet]
        if sheet in WITH_TABLE:
            header = (TABLE, *header) if has_tables else header
            rows = rows if has_tables else [row[1:] for row in rows]
        _sheet(book, sheet, header, rows)
        _drop_downs(book[sheet], header, rows, lists)
    book.move_sheet("lists", offset=len(tables))
    target = io.BytesIO()
    book.save(target)
    return repack(target.getvalue())


def _sure(answer: object, sure: str) -> str:
    """A question says by its "?" that it waits; once it is answered, no guess is left to look at."""
    return "" if answer is None else sure


def _column_row(line: Line) -> tuple[str, ...]:
    becomes = {
        "undecided": TO_DECIDE,
        "left_out": LEAVE_OUT,
        "status": STATE,
        "forms": FORM,
        "aside": ASIDE,
        "wide_items": f"{line.name}_{line.item}",
        "covariates": f"{COVARIATE}{line.name}",
        "baseline": f"{BASELINE}{line.name}",
        "dates": f"{DATE}{line.name}",
    }.get(line.part, line.name)
    sure = "" if line.part == "undecided" else line.sure
    return (line.column, becomes, line.visit, line.form, sure, line.why, line.examples)


def _settings(proposal: ProposedMapping) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = [("duplicates", "", "refuse", "two rows of one person, visit and instrument")]
    names = {line.name for line in proposal.lines if line.part == "columns"}
    if "arm" not in names:
        rows.append(("constants", "arm", "", "if all had one treatment: its code, for example ipt"))
    if "problem_area_primary" in names and "area_set_day" not in names:
        rows.append(("areas", "", "", "whether every arm's problem area was set before or after randomisation"))
    if any(line.part == "dates" for line in proposal.lines):
        rows.append(("date order", "", proposal.order or ASKED, "how the dates are written: iso, dmy, mdy"))
    if proposal.counts_from_one:
        rows.append(("first day", "", "1", "CDISC counts the start as day 1, and knows no day 0"))
    if proposal.numbers_sessions:
        rows.append(("session numbers", "", "by_day", "no column numbers the sessions: in the order of their days"))
    if proposal.sheet is not None:
        rows.append(("sheet", "", str(proposal.sheet), "the sheet of the workbook that is read"))
    for fact in proposal.facts:
        said = {True: ON_FORM, False: TURNED, None: ASKED}[fact.raw_order]
        rows.append(("reversed items", fact.name, said, fact.why))
    if proposal.sheets:
        return rows + [("sheet", table, sheet, f"the sheet of {table}") for table, sheet in proposal.sheets.items()]
    return rows + [("file", table, file, f"the file of {table}") for table, file in proposal.files.items()]


def _sheet(book: Any, name: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(name)
    last = get_column_letter(len(header))
    sheet.freeze_panes = sheet.cell(2, 2 + (header[0] == TABLE))
    sheet.auto_filter.ref = f"A1:{last}{max(2, len(rows) + 1)}"
    for place, label in enumerate(header, start=1):
        cell = sheet.cell(1, place, label)
        cell.font = Font(name=_FONT, bold=True, color=_HEAD_FONT)
        cell.fill = PatternFill("solid", start_color=_HEAD_FILL)
        note = NOTES.get((name, label))
        if note:
            cell.comment = Comment(note, "ipt-outcomes", width=_NOTE_SIZE[0], height=_NOTE_SIZE[1])
        sheet.column_dimensions[get_column_letter(place)].width = WIDTHS[label]
    for number, row in enumerate(rows, start=2):
        for place, value in enumerate(row, start=1):
            cell = sheet.cell(number, place)
            _put(cell, value)
            cell.alignment = Alignment(vertical="top", wrap_text=header[place - 1] in _WRAPPED)
            if header[place - 1] in ("why", "examples"):
                cell.font = Font(name=_FONT, size=10, color="595959")
        sheet.row_dimensions[number].height = _height(header, row)
    _colours(sheet, header, len(rows))
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"


def _height(header: Sequence[str], row: Sequence[object]) -> float:
    """Room for wrapped text: a spreadsheet makes no row taller for what a program wrote."""
    lines = [
        -(-len(str(value)) // (WIDTHS[label] + 4))
        for label, value in zip(header, row, strict=True)
        if label in _WRAPPED
    ]
    return _LINE * max([1, *lines])


def _colours(sheet: Any, header: Sequence[str], size: int) -> None:
    """Colours that follow what a person chooses: red, orange and yellow turn green once it says decided."""
    from openpyxl.formatting.rule import FormulaRule
    from openpyxl.styles import PatternFill
    from openpyxl.utils import get_column_letter

    letters = {label: get_column_letter(place) for place, label in enumerate(header, start=1)}
    area = f"A2:{get_column_letter(len(header))}{size + 1 + _ROOM}"
    rules = []
    for label, text, colour in (
        ("becomes", TO_DECIDE, _RED), ("code", ASKED, _RED), ("week", ASKED, _RED), ("value", ASKED, _RED),
        ("confidence", GUESS, _ORANGE), ("confidence", "likely", _YELLOW), ("confidence", DECIDED, _GREEN),
    ):  # fmt: skip
        if label in letters:
            rules.append((f'${letters[label]}2="{text}"', colour))
    for formula, colour in rules:
        fill = PatternFill("solid", start_color=colour, end_color=colour)
        sheet.conditional_formatting.add(area, FormulaRule(formula=[formula], fill=fill, stopIfTrue=True))


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


def _start(book: Any, proposal: ProposedMapping, name: str) -> None:
    """The first sheet: what to do, and what is still to decide."""
    from openpyxl.styles import Alignment, Font, PatternFill

    sheet = book.create_sheet(START)
    sheet.sheet_view.showGridLines = False
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 5, _HELP_WIDTH
    command = f"ipt-outcomes check {proposal.source} --mapping {name}"
    decisions = proposal.decisions()
    lines = [("A", "", "Which column is which?"), ("", "", ""), ("text", "", f"{proposal.source}: {proposal.layout}.")]
    lines += [("", "", ""), ("head", "", "What to do")]
    lines += [("text", f"{number}.", step) for number, step in enumerate(STEPS, start=1)]
    lines += [("code", "", command), ("", "", ""), ("head", "", "Colours")]
    lines += [(colour, "", f"{word}: {told}") for colour, (word, told) in COLOURS.items()]
    lines += [("", "", ""), ("head", "", f"To decide ({len(decisions)})" if decisions else "Nothing is left to decide")]
    lines += [("text", f"{number}.", decision) for number, decision in enumerate(decisions, start=1)]
    lines += [("text", "", f"Note: {hint}") for hint in proposal.hints]
    for row, (style, number, text) in enumerate(lines, start=1):
        _put(sheet.cell(row, 1), number)
        cell = sheet.cell(row, 2)
        _put(cell, text)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.cell(row, 1).alignment = Alignment(vertical="top", horizontal="right")
        sheet.row_dimensions[row].height = _LINE * max(1, -(-len(text) // _HELP_WIDTH)) + (8 if style == "A" else 1)
        if style in ("A", "head"):
            cell.font = Font(name=_FONT, bold=True, size=16 if style == "A" else 12, color=_HEAD_FILL)
        elif style == "code":
            cell.font = Font(name="Courier New")
        elif style in COLOURS:
            sheet.cell(row, 1).fill = PatternFill("solid", start_color=style)
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


class _Lists:
    """Choices on a hidden sheet: a list inside the rule itself may hold 255 characters only."""

    def __init__(self, book: Any) -> None:
        self.sheet = book.create_sheet("lists")
        self.sheet.sheet_state = "hidden"
        self.known: dict[tuple[str, ...], str] = {}

    def area(self, options: tuple[str, ...]) -> str:
        """Return where a list of choices stands, and put it there if it is new."""
        from openpyxl.utils import get_column_letter

        if options not in self.known:
            place = len(self.known) + 1
            for number, option in enumerate(options, start=1):
                _put(self.sheet.cell(number, place), option)
            letter = get_column_letter(place)
            self.known[options] = f"lists!${letter}$1:${letter}${len(options)}"
        return self.known[options]


def _drop_downs(sheet: Any, header: Sequence[str], rows: Sequence[Sequence[object]], lists: _Lists) -> None:
    size, name = len(rows), sheet.title
    whole = (2, size + 1 + _ROOM)
    plain: dict[str, tuple[tuple[str, ...], bool]] = {
        "becomes": (targets(), False), "confidence": (CONFIDENCE, True), "part": (PARTS, True),
        "setting": (tuple(SETTINGS), True),
    }  # fmt: skip
    for place, label in enumerate(header, start=1):
        if label in plain:
            options, is_strict = plain[label]
            _drop_down(sheet, place, whole, lists.area(options), NOTES.get((name, label), ""), is_strict)
    where = {label: place for place, label in enumerate(header)}
    if name == "codes":
        blocks = groupby(range(size), key=lambda row: (rows[row][where["part"]], rows[row][where["name"]]))
        for (part, field), block in blocks:
            numbers = list(block)
            options = _codes(str(field)) if part == "codes" else ()
            if options:
                span = (numbers[0] + 2, numbers[-1] + 2)
                _drop_down(sheet, where["code"] + 1, span, lists.area(options), NOTES["codes", "code"], False)
    elif name == "settings":
        for row, cells in enumerate(rows, start=2):
            options = SETTINGS[str(cells[0])]
            if options:
                _drop_down(sheet, 3, (row, row), lists.area(options), NOTES["settings", "value"], True)


def _codes(field: str) -> tuple[str, ...]:
    if field == "instrument":
        return (ASKED, *instruments())
    return (ASKED, *choices(field)) if choices(field) else ()


def _drop_down(sheet: Any, place: int, rows: tuple[int, int], area: str, note: str, is_strict: bool) -> None:
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    rule = DataValidation(type="list", formula1=area, allow_blank=True)
    # What is not in the list may be typed (an item, a code's reason) where the sheet cannot know it.
    rule.showErrorMessage = is_strict
    rule.errorTitle, rule.error = "Choose from the list", "This cell takes only what is in its list."
    if note:
        rule.showInputMessage, rule.promptTitle = True, sheet.cell(1, place).value
        rule.prompt = note[:250]
    sheet.add_data_validation(rule)
    letter = get_column_letter(place)
    rule.add(f"{letter}{rows[0]}:{letter}{rows[1]}")
