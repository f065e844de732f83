"""What is wrong in the cells of a workbook of a mapping, or left to decide: each with its sheet and cell."""

from __future__ import annotations

import re

from ipt_outcomes.errors import near_names as near_words
from ipt_outcomes.instruments import instruments
from ipt_outcomes.io.cohort.dictionary import CODED, IDS, TABLES, fields, near_names, target_of
from ipt_outcomes.io.cohort.mapping_more import DAY_FIELDS
from ipt_outcomes.io.propose.codes import choices
from ipt_outcomes.io.propose.workbook_sheets import Row, Sheets, near
from ipt_outcomes.io.propose.workbook_words import (
    ASIDE,
    ASKED,
    BASELINE,
    CONFIDENCE,
    COVARIATE,
    DATE,
    FORM,
    GUESS,
    LEAVE_OUT,
    PARTS,
    PEOPLE_ASIDE,
    SETTINGS,
    STATE,
    TABLE,
    TO_DECIDE,
)
from ipt_outcomes.vocabulary import code_of, nearest

_COVARIATE_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PLAIN = (LEAVE_OUT, STATE, FORM, ASIDE, PEOPLE_ASIDE)


def check_cells(sheets: Sheets) -> None:
    """Collect everything that is wrong or not decided, in the order of the sheets.

    Parameters
    ----------
    sheets : Sheets
        Takes the faults.
    """
    _columns(sheets)
    _codes(sheets)
    _visits(sheets)
    _settings(sheets)


def _sure(row: Row, sheets: Sheets) -> None:
    if row["confidence"] == GUESS:
        sheets.fault(row, "confidence", "still a guess: correct the row if need be, then choose decided")
    elif row["confidence"] and row["confidence"] not in CONFIDENCE:
        sheets.one_of(row, "confidence", CONFIDENCE)


def _columns(sheets: Sheets) -> None:
    rows = sheets.rows["columns"]
    names = {(row[TABLE], row["column"]) for row in rows}
    aside = {row["name"] for row in sheets.rows["codes"] if row["part"] == "exclude"}
    used: dict[tuple[str, str, str], Row] = {}
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        if not row["column"]:
            sheets.fault(row, "column", "the column of your file has no name here")
            continue
        if row[TABLE] and row[TABLE] not in TABLES:
            sheets.one_of(row, TABLE, TABLES)
        twice = first.setdefault((row[TABLE], row["column"]), row)
        if twice is not row:
            sheets.fault(row, "column", f"{row['column']!r} stands in {twice.at('column')}, too")
        if row["becomes"] in ("", TO_DECIDE):
            sheets.fault(row, "becomes", f"to decide: what is {row['column']!r}? Choose a name, or leave out")
            continue
        told = _becomes(row)
        if told:
            sheets.fault(row, "becomes", told)
        elif row["becomes"] not in _PLAIN:
            _used_once(row, used, sheets)
        if row["becomes"] in (ASIDE, PEOPLE_ASIDE) and row["column"] not in aside:
            sheets.fault(row, "becomes", "sheet codes has no row with part exclude and this name: which codes?")
        if row["form"] and (row[TABLE], row["form"]) not in names:
            known = [column for table, column in names if table == row[TABLE]]
            sheets.fault(row, "form", f"no column is called {row['form']!r}{near(row['form'], known)}")
        if row["becomes"] not in _PLAIN:
            _sure(row, sheets)


def _used_once(row: Row, used: dict[tuple[str, str, str], Row], sheets: Sheets) -> None:
    target = target_of(row["becomes"])
    if target is not None and target.name in IDS:
        return
    other = used.setdefault((row[TABLE], row["becomes"], row["visit"]), row)
    if other is not row:
        at = f" at {row['visit']}" if row["visit"] else ""
        sheets.fault(row, "becomes", f"{row['becomes']!r}{at} is {other['column']!r} already ({other.at('becomes')})")


def _becomes(row: Row) -> str:
    """Why a column cannot become what the cell says; "" where it can."""
    becomes = row["becomes"]
    if becomes in _PLAIN:
        return ""
    for prefix, check in ((COVARIATE, _covariate), (BASELINE, _baseline), (DATE, _date)):
        if becomes.startswith(prefix.strip()):
            return check(becomes.removeprefix(prefix.strip()).strip())
    target = target_of(becomes)
    if target is None:
        found = near_names(becomes) or near_words(becomes, _PLAIN)
        told = f"; near: {', '.join(found)}" if found else "; choose from the list"
        return f"{becomes!r} is neither a name of the dictionary nor an instrument{told}"
    if row["visit"] and target.kind == "field":
        return f"{becomes!r} is no score, and has no visit: empty {row.at('visit')}"
    return ""


def _covariate(name: str) -> str:
    if not _COVARIATE_NAME.fullmatch(name):
        return f"covariate {name!r}: a name of small letters, digits and _ was expected"
    if name == "name":
        return "covariate: give it a name of your own: 'covariate: education_years'"
    return f"{name!r} is a name of the dictionary: choose it without 'covariate:'" if target_of(name) else ""


def _baseline(name: str) -> str:
    target = target_of(name)
    return "" if target is not None and target.kind == "total" else f"baseline {name!r}: no instrument has that name"


def _date(name: str) -> str:
    known = ("start", *DAY_FIELDS)
    return "" if name in known else f"date {name!r} is none of {', '.join(known)}{near(name, known)}"


def _codes(sheets: Sheets) -> None:
    columns = {(row[TABLE], row["column"]) for row in sheets.rows["columns"]} | {("", "*")}
    used: dict[tuple[str, ...], Row] = {}
    for row in sheets.rows["codes"]:
        if row["part"] not in PARTS:
            sheets.one_of(row, "part", PARTS)
            continue
        if not row["written"]:
            sheets.fault(row, "written", "what does the file write? An empty cell is missing without a row here")
        other = used.setdefault((row[TABLE], row["part"], row["name"], row["written"].casefold()), row)
        if other is not row:
            sheets.fault(row, "written", f"{row['written']!r} stands in {other.at('written')}, too")
        target = target_of(row["name"])
        is_field = target is not None and target.kind == "field"
        is_column = any(column == row["name"] for _, column in columns)
        if row["part"] == "missing" and not is_column:
            sheets.fault(
                row, "name", f"no column is called {row['name']!r}{near(row['name'], [c for _, c in columns])}"
            )
        elif row["part"] != "missing" and not is_field and not is_column and not _COVARIATE_NAME.fullmatch(row["name"]):
            sheets.fault(row, "name", f"{row['name']!r} is neither a field of the dictionary nor a column")
        _code(row, sheets)
        _sure(row, sheets)


def _code(row: Row, sheets: Sheets) -> None:
    code = row["code"]
    if code in ("", ASKED):
        what = {"codes": "what does it stand for", "missing": "why is it missing", "exclude": "why is it set aside"}
        sheets.fault(row, "code", f"to decide: {row['written']!r} of {row['name']}: {what[row['part']]}?")
        return
    target = target_of(row["name"])
    if row["part"] != "codes" or target is None or target.kind != "field":
        return
    name = target.name
    if name == "instrument":
        named = target_of(code)
        if named is None or named.kind not in ("total", "item"):
            found = near(code, instruments())
            sheets.fault(row, "code", f"{code!r} is no instrument and no item of one{found}")
    elif name in CODED and code_of(code, CODED[name]) is None:
        near_codes = nearest(code, CODED[name])
        told = f"near: {', '.join(near_codes)}" if near_codes else f"codes: {', '.join(choices(name))}"
        sheets.fault(row, "code", f"{code!r} is no code of {name}; {told}")
    elif name not in CODED and fields()[name].enum and code not in fields()[name].enum:
        sheets.fault(row, "code", f"{code!r} is no code of {name}; codes: {', '.join(fields()[name].enum)}")


def _visits(sheets: Sheets) -> None:
    from ipt_outcomes.io.propose.workbook_reading import number

    used: dict[str, Row] = {}
    for row in sheets.rows["visits"]:
        if not row["visit"]:
            sheets.fault(row, "visit", "which visit is it?")
        other = used.setdefault(row["visit"], row)
        if other is not row:
            sheets.fault(row, "visit", f"{row['visit']!r} stands in {other.at('visit')}, too")
        if row["week"] in ("", ASKED):
            sheets.fault(row, "week", f"to decide: in which week is {row['visit']}?")
        elif number(row["week"]) is None:
            sheets.fault(row, "week", f"{row['week']!r} is no number of weeks")
        _sure(row, sheets)
    told: set[str] = set()
    for row in sheets.rows["columns"]:
        if row["visit"] and row["visit"] not in used and row["visit"] not in told:
            told.add(row["visit"])
            sheets.fault(
                row, "visit", f"sheet visits does not say the week of {row['visit']!r}{near(row['visit'], used)}"
            )


def _settings(sheets: Sheets) -> None:
    for row in sheets.rows["settings"]:
        if not sheets.one_of(row, "setting", tuple(SETTINGS)):
            continue
        options = SETTINGS[row["setting"]]
        if row["value"] == ASKED:
            sheets.fault(row, "value", f"to decide: {row['setting']}{' of ' + row['name'] if row['name'] else ''}?")
        elif row["value"] and options:
            sheets.one_of(row, "value", options)
        if (row["setting"] == "file" or (row["setting"] == "sheet" and row["name"])) and row["name"] not in TABLES:
            sheets.one_of(row, "name", TABLES)
        if row["setting"] == "constants" and row["value"]:
            target = target_of(row["name"])
            if target is None or target.kind != "field" or target.name in IDS:
                told = near_names(row["name"])
                more = f"; near: {', '.join(told)}" if told else ""
                sheets.fault(row, "name", f"{row['name']!r} is no field of the dictionary that all can share{more}")
