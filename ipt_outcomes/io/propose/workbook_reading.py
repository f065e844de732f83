"""Read back the workbook in which a person corrected a proposed mapping."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from ipt_outcomes.errors import IptError, OptionError
from ipt_outcomes.io.cohort.dictionary import IDS, target_of
from ipt_outcomes.io.cohort.mapping import CohortMapping, read_cohort_mapping
from ipt_outcomes.io.guarded import reading_session
from ipt_outcomes.io.propose.workbook import (
    BASELINE,
    COVARIATE,
    DATE,
    FORM,
    HEADERS,
    LEAVE_OUT,
    SETTINGS,
    STATE,
    TO_DECIDE,
)
from ipt_outcomes.io.table import read_table

_MOST_BYTES = 5_000_000
_GUESS = "guess"
_ASKED = "?"


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
        Something is wrong in it or not decided yet; all faults are listed.
    """
    return read_cohort_mapping(path)


def workbook_record(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what a workbook says, in the form of the TOML file; nothing is judged here.

    Parameters
    ----------
    path : path

    Returns
    -------
    dict

    Raises
    ------
    OptionError
        No such file, too large, or no such workbook.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise OptionError(f"there is no mapping file {file.name}")
    if file.stat().st_size > _MOST_BYTES:
        raise OptionError(f"{file.name} is too large for a mapping: more than {_MOST_BYTES // 1_000_000} MB")
    record: dict[str, Any] = {"table": "cohort"}
    with reading_session():
        _columns(_rows(file, "columns"), record)
        _codes(_rows(file, "codes"), record)
        _visits(_rows(file, "visits"), record)
        _settings(_rows(file, "settings"), record)
    if record.get("undecided"):
        record["undecided"] = list(dict.fromkeys(record["undecided"]))
    return record


def _rows(file: Path, sheet: str) -> Iterator[dict[str, str]]:
    """Rows of a sheet as texts; empty ones are skipped."""
    try:
        frame = read_table(file, sheet=sheet).frame
    except IptError as error:
        if sheet != "columns" and (
            "no rows" in error.message or "no data" in error.message or "empty" in error.message
        ):
            return
        raise OptionError(f"{file.name} is no mapping: its sheet {sheet!r} cannot be read ({error.message})") from None
    needed = HEADERS[sheet][:2]
    absent = [name for name in needed if name not in frame.columns]
    if absent:
        raise OptionError(f"{file.name} is no mapping: sheet {sheet!r} has no column {' and no column '.join(absent)}")
    for row in frame.to_dict("records"):
        cells = {name: _text(row.get(name)) for name in HEADERS[sheet]}
        if cells[HEADERS[sheet][0]]:
            yield cells


def _text(cell: Any) -> str:
    if cell is None or (not isinstance(cell, str) and pd.isna(cell)):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _columns(rows: Iterator[dict[str, str]], record: dict[str, Any]) -> None:
    for row in rows:
        column, becomes = row["column"], row["becomes"]
        if becomes in ("", TO_DECIDE):
            record.setdefault("undecided", []).append(column)
            continue
        if becomes == LEAVE_OUT:
            record.setdefault("left_out", []).append(column)
            continue
        if becomes == STATE:
            continue
        if becomes == FORM:
            record["forms"] = {"column": column}
            continue
        where = _place(row, record)
        if row["confidence"] == _GUESS:
            record.setdefault("undecided", []).append(where)


def _place(row: dict[str, str], record: dict[str, Any]) -> str:
    """Put a column into its part of the mapping; return what a guess about it is called."""
    column, becomes = row["column"], row["becomes"]
    for prefix, part in ((COVARIATE, "covariates"), (BASELINE, "baseline"), (DATE, "dates")):
        if becomes.startswith(prefix.strip()):
            record.setdefault(part, {})[becomes.removeprefix(prefix.strip()).strip()] = column
            if row["form"]:
                record.setdefault("unseen", {})[column] = row["form"]
            return "[dates]" if part == "dates" else column
    if row["visit"]:
        record.setdefault("wide", {}).setdefault(becomes, {})[row["visit"]] = column
        return f"[wide.{becomes}]"
    known = record.setdefault("columns", {})
    target = target_of(becomes)
    if becomes in known and target is not None and target.name in IDS:
        known[becomes] = [*([known[becomes]] if isinstance(known[becomes], str) else known[becomes]), column]
    elif becomes in known:
        # Said by the mapping's own checks, which know how to go on.
        record.setdefault("undecided", []).append(f"{column} ({becomes}, as {known[becomes]} is)")
    else:
        known[becomes] = column
    return column


def _codes(rows: Iterator[dict[str, str]], record: dict[str, Any]) -> None:
    for row in rows:
        part, name, code = row["part"], row["name"], row["code"] or _ASKED
        record.setdefault(part, {}).setdefault(name, {})[row["written"]] = code
        if row["confidence"] == _GUESS or code == _ASKED:
            record.setdefault("undecided", []).append(f"[{part}.{name}]")


def _visits(rows: Iterator[dict[str, str]], record: dict[str, Any]) -> None:
    for row in rows:
        try:
            week: float | str = float(row["week"].replace(",", "."))
        except ValueError:
            week = row["week"] or _ASKED
        record.setdefault("visits", {})[row["visit"]] = week
        if row["confidence"] == _GUESS:
            record.setdefault("undecided", []).append("[visits]")


def _settings(rows: Iterator[dict[str, str]], record: dict[str, Any]) -> None:
    for row in rows:
        setting, name, value = row["setting"], row["name"], row["value"]
        if not value:
            continue
        if setting == "constants":
            record.setdefault("constants", {})[name] = _number_or_text(value)
        elif setting == "duplicates":
            record["duplicates"] = {"rule": value}
        elif setting == "areas":
            record["areas"] = {"set": value}
        elif setting == "varies":
            record.setdefault("varies", []).append(value)
        elif setting == "date order":
            record.setdefault("dates", {})["order"] = value
        elif setting == "same ids":
            record["ids"] = {"alike": value}
        elif setting == "baseline rule":
            record.setdefault("baseline", {})["rule"] = value
        else:
            raise OptionError(f"settings: {setting!r} is none of {', '.join(SETTINGS)}")


def _number_or_text(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
