"""Read back the workbook in which a person corrected a proposed mapping."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ipt_outcomes.errors import OptionError
from ipt_outcomes.io.cohort.dictionary import IDS, target_of
from ipt_outcomes.io.cohort.mapping import CohortMapping, read_cohort_mapping
from ipt_outcomes.io.propose.workbook_faults import check_cells
from ipt_outcomes.io.propose.workbook_sheets import Row, Sheets, read_sheets
from ipt_outcomes.io.propose.workbook_words import (
    ASIDE,
    ASKED,
    BASELINE,
    COVARIATE,
    DATE,
    FORM,
    GUESS,
    LEAVE_OUT,
    ON_FORM,
    PEOPLE_ASIDE,
    STATE,
    TABLE,
    TO_DECIDE,
)
from ipt_outcomes.results import plural

_PLACES = {
    "duplicates": ("duplicates", "rule"),
    "areas": ("areas", "set"),
    "same ids": ("ids", "alike"),
    "baseline rule": ("baseline", "rule"),
    "session numbers": ("sessions", "number"),
}
_HINT = (
    "Correct the cells named; where a cell says guess, choose decided once you have looked at its row; where it says "
    "? or to decide, put the answer."
)


def read_map_workbook(path: str | os.PathLike[str]) -> CohortMapping:
    """Read the workbook of `write_map_workbook`.

    Parameters
    ----------
    path : path

    Returns
    -------
    CohortMapping

    Raises
    ------
    IptError
        The file cannot be read or is no such workbook.
    OptionError
        Something is wrong in it or not decided yet; all faults are listed, each with its sheet and cell.
    """
    return read_cohort_mapping(path)


def workbook_record(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what a workbook says, in the form of the TOML file.

    Parameters
    ----------
    path : path

    Returns
    -------
    dict

    Raises
    ------
    OptionError
        No such file, too large, or no such workbook; cells that are wrong or not decided yet, all of them.
    """
    file = Path(path).expanduser()
    sheets = read_sheets(file)
    check_cells(sheets)
    if sheets.faults:
        n = len(sheets.faults)
        told = "\n".join(f"- {fault}" for fault in sheets.faults)
        raise OptionError(f"{file.name}: {n} {plural(n, 'cell is', 'cells are')} wrong or not decided yet:\n{told}",
                          hint=_HINT)  # fmt: skip
    return record_of(sheets)


def record_of(sheets: Sheets) -> dict[str, Any]:
    """Return what the sheets say; nothing is judged here, what is left to a person is under ``undecided``.

    Parameters
    ----------
    sheets : Sheets

    Returns
    -------
    dict
    """
    record: dict[str, Any] = {"table": "cohort"}
    for row in sheets.rows["settings"]:
        _setting(row, record)
    for row in sheets.rows["columns"]:
        _column(row, record)
    for row in sheets.rows["codes"]:
        _code(row, record)
    for row in sheets.rows["visits"]:
        _visit(row, record)
    for place in (record, *record.get("tables", {}).values()):
        _item_lists(place)
    if record.get("undecided"):
        record["undecided"] = list(dict.fromkeys(record["undecided"]))
    return record


def _place(row: Row, record: dict[str, Any]) -> dict[str, Any]:
    """The mapping, or the part of it about the table a row is of."""
    if not row[TABLE]:
        return record
    own: dict[str, Any] = record.setdefault("tables", {}).setdefault(row[TABLE], {})
    return own


def _before(row: Row) -> str:
    return f"tables.{row[TABLE]}." if row[TABLE] else ""


def _column(row: Row, record: dict[str, Any]) -> None:
    column, becomes = row["column"], row["becomes"]
    place = _place(row, record)
    key = f"{row[TABLE]}: {column}" if row[TABLE] else column
    if becomes in ("", TO_DECIDE):
        record.setdefault("undecided", []).append(key)
    elif becomes == LEAVE_OUT:
        place.setdefault("left_out", []).append(column)
    elif becomes == FORM:
        place["forms"] = {"column": column}
    elif becomes == ASIDE:
        record.setdefault("exclude_rows", []).append(column)
    elif becomes not in (STATE, PEOPLE_ASIDE):
        waits = _named(row, place, record, key)
        if row["form"]:
            place.setdefault("unseen", {})[column] = row["form"]
        if row["confidence"] == GUESS:
            record.setdefault("undecided", []).append(waits)


def _named(row: Row, place: dict[str, Any], record: dict[str, Any], key: str) -> str:
    """Put a column into its part of the mapping; return what a guess about it is called."""
    column, becomes = row["column"], row["becomes"]
    for prefix, part in ((COVARIATE, "covariates"), (BASELINE, "baseline"), (DATE, "dates")):
        if not becomes.startswith(prefix.strip()):
            continue
        name = becomes.removeprefix(prefix.strip()).strip()
        if part == "dates" and name == "start":
            record.setdefault("dates", {})["start"] = column
            return "[dates]"
        place.setdefault(part, {})[name] = column
        return f"[{_before(row)}dates]" if part == "dates" else key
    target = target_of(becomes)
    if row["visit"] and target is not None and target.kind == "item":
        forms = place.setdefault("wide_items", {}).setdefault(target.name, {})
        forms.setdefault(row["visit"], {})[int(target.part)] = column
        return f"[{_before(row)}wide_items.{target.name}]"
    if row["visit"]:
        place.setdefault("wide", {}).setdefault(becomes, {})[row["visit"]] = column
        return f"[{_before(row)}wide.{becomes}]"
    known = place.setdefault("columns", {})
    if becomes in known and target is not None and target.name in IDS:
        known[becomes] = [*([known[becomes]] if isinstance(known[becomes], str) else known[becomes]), column]
    else:
        known.setdefault(becomes, column)
    return key


def _item_lists(place: dict[str, Any]) -> None:
    """Items by number become lists in the order of the form."""
    for forms in place.get("wide_items", {}).values():
        for visit, items in forms.items():
            forms[visit] = [items[number] for number in sorted(items)]


def _code(row: Row, record: dict[str, Any]) -> None:
    part, name, code = row["part"], row["name"], row["code"] or ASKED
    place = _place(row, record) if part == "missing" else record
    place.setdefault(part, {}).setdefault(name, {})[row["written"]] = code
    if row["confidence"] == GUESS or code == ASKED:
        before = _before(row) if part == "missing" else ""
        record.setdefault("undecided", []).append(f"[{before}{part}.{name}]")


def _visit(row: Row, record: dict[str, Any]) -> None:
    week = number(row["week"])
    record.setdefault("visits", {})[row["visit"]] = (row["week"] or ASKED) if week is None else week
    if row["confidence"] == GUESS or week is None:
        record.setdefault("undecided", []).append("[visits]")


def number(text: str) -> float | None:
    """Return a number as people type it, with either mark; None for what is none."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def _setting(row: Row, record: dict[str, Any]) -> None:
    setting, name, value = row["setting"], row["name"], row["value"]
    if not value or (setting == "reversed items" and value == ASKED):
        if value:
            record.setdefault("undecided", []).append(f"[instruments.{name}]")
        return
    if setting == "constants":
        typed = number(value)
        record.setdefault("constants", {})[name] = value if typed is None else typed
    elif setting == "varies":
        record.setdefault("varies", []).append(value)
    elif setting == "date order":
        record.setdefault("dates", {})["order"] = value
    elif setting == "first day":
        record["days"] = {"first": int(value)}
    elif setting == "reversed items":
        record.setdefault("instruments", {})[name] = {"raw_order": value == ON_FORM}
    elif setting == "sheet":
        place = record.setdefault("tables", {}).setdefault(name, {}) if name else record
        place["sheet"] = int(value) if value.isdigit() else value
    elif setting == "file":
        record.setdefault("tables", {}).setdefault(name, {})["file"] = value
    else:
        part, key = _PLACES[setting]
        record.setdefault(part, {})[key] = value
