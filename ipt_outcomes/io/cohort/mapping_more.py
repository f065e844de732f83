"""What can be wrong with the parts of a mapping about ids, times, items, instruments and the files of a folder."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as AbstractMapping
from typing import Any

from ipt_outcomes.errors import OptionError, near_names
from ipt_outcomes.instruments import instruments_with
from ipt_outcomes.io.cohort.dictionary import TABLES, item_count, items_on_form, target_of
from ipt_outcomes.io.cohort.mapping_parts import TABLE_PARTS, window_faults
from ipt_outcomes.io.days import ORIGINS

BASELINE_RULES = ("last_before_start", "screening", "first")
DAY_FIELDS = ("day", "area_set_day", "referral_day", "first_session_day", "end_day")
_DATE_PARTS = ("start", "order", "start_year")


def is_name(value: object) -> bool:
    """Return whether a value can be the name of a column."""
    return isinstance(value, str) and bool(value.strip())


def more_sources(raw: AbstractMapping[str, Any]) -> list[tuple[str, str]]:
    """Return the source columns of dates, with the place that names them."""
    dates = raw.get("dates", {})
    return [(f"[dates] {name}", source) for name, source in dates.items() if name not in ("order", "start_year")]


def sheet_faults(raw: AbstractMapping[str, Any]) -> list[str]:
    """Say whether ``sheet`` is neither a name nor a number."""
    sheet = raw.get("sheet")
    if sheet is None or is_name(sheet) or (isinstance(sheet, int) and not isinstance(sheet, bool) and sheet >= 1):
        return []
    return ["sheet must be the name of a sheet in quotation marks, or its number from 1"]


def between_parts(raw: AbstractMapping[str, Any]) -> list[str]:
    """Say which parts of a mapping do not go together."""
    found = []
    tables = raw.get("tables", {})
    if tables:
        found += [
            f"[{part}] of several files stands under [tables.NAME.{part}]"
            for part in ("unseen", "forms")
            if raw.get(part)
        ]
        if any(isinstance(own, AbstractMapping) and own.get("dates") for own in tables.values()) and not raw.get(
            "dates"
        ):
            found.append('[tables.NAME.dates] needs the start of each person: [dates] start = "column"')
    lost = [name for name in raw.get("exclude_rows", ()) if name not in raw.get("exclude", {})]
    found += [f"exclude_rows: there is no [exclude.{name}]" for name in lost]
    parts = [raw, *(own for own in tables.values() if isinstance(own, AbstractMapping))]
    numbered = any(
        (target := target_of(name)) is not None and target.name == "session_no"
        for part in parts if isinstance(part.get("columns", {}), AbstractMapping) for name in part.get("columns", {})
    )  # fmt: skip
    if numbered and raw.get("sessions", {}).get("number") == "by_day":
        found.append('[sessions] number = "by_day": but a column has the numbers of the sessions (session_no)')
    return found


def more_shapes(raw: AbstractMapping[str, Any]) -> list[str]:
    """Say which parts hold something else than the texts, numbers and lists that stand there."""
    rows, dates = raw.get("exclude_rows", ()), raw.get("dates", {})
    found = []
    if not isinstance(rows, list | tuple) or not all(isinstance(name, str) for name in rows):
        found.append('exclude_rows must be a list of names of [exclude]: exclude_rows = ["AppType"]')
    if isinstance(dates, AbstractMapping):
        found += [
            f"[dates] {name} must be a column name in quotation marks"
            for name, value in dates.items()
            if name != "start_year" and not isinstance(value, str)
        ]
    for part, name in (("ids", "alike"), ("duplicates", "rule"), ("areas", "set"), ("sessions", "number")):
        inner = raw.get(part, {})
        if isinstance(inner, AbstractMapping) and not isinstance(inner.get(name, ""), str):
            found.append(f"[{part}] {name} must be text in quotation marks")
    return found


def item_shapes(entries: AbstractMapping[str, Any]) -> list[str]:
    """Say which entries of ``[wide_items]`` are no lists of columns."""
    found = []
    for name, forms in entries.items():
        if not isinstance(forms, AbstractMapping):
            found.append(f'[wide_items] {name}: must be a table of lines visit = ["item 1", "item 2", ...]')
            continue
        for visit, columns in forms.items():
            if not isinstance(columns, list | tuple) or not columns or not all(is_name(one) for one in columns):
                found.append(f"[wide_items.{name}] {visit} must be a list of column names in quotation marks")
    return found


def _item_numbers(entries: AbstractMapping[str, Any]) -> list[str]:
    """Every item stands in the list, also one nobody answered: which one is missing, no list can tell."""
    found = []
    for name, forms in entries.items():
        target = target_of(name)
        if target is None or target.kind != "total":
            continue
        least, most = item_count(target.name), items_on_form(target.name)
        for visit, columns in forms.items():
            if not least <= len(columns) <= most or not least:
                told = f"{least} columns" if least == most else f"{least} or {most} columns"
                want = (
                    f"{told}, one per item in the order of the form"
                    if least
                    else "no items (their number is not known)"
                )
                found.append(f"[wide_items.{name}] {visit}: {want} expected; {len(columns)} given")
    return found


def _own_facts(entries: AbstractMapping[str, Any]) -> list[str]:
    found = []
    for name, own in entries.items():
        try:
            instruments_with({name: own})
        except OptionError as error:
            found.append(f"[instruments.{name}] {error.message}")
    named = [target_of(name) for name in entries]
    found += [
        f"[instruments.{name}] is named twice"
        for name, one in zip(entries, named, strict=True)
        if one and named.count(one) > 1
    ]
    return found


def _days(entries: AbstractMapping[str, Any]) -> list[str]:
    found = [f"[days] {name}: only first = ... stands there" for name in entries if name != "first"]
    first = entries.get("first", 0)
    if isinstance(first, bool) or first not in (0, 1):
        found.append("[days] first must be 0 (the day of the start is day 0) or 1 (it is day 1, and no day is 0)")
    return found


def _sessions(entries: AbstractMapping[str, Any]) -> list[str]:
    found = [f"[sessions] {name}: only number = ... stands there" for name in entries if name != "number"]
    if entries.get("number", "given") not in ("given", "by_day"):
        found.append('[sessions] number must be "given" (a column has them) or "by_day" (in the order of their days)')
    return found


def _ids(entries: AbstractMapping[str, Any]) -> list[str]:
    found = [f"[ids] {name}: only alike = ... stands there" for name in entries if name != "alike"]
    if entries.get("alike", "same") not in ("same", "different"):
        found.append('[ids] alike must be "same" (one person) or "different" (each its own)')
    return found


def _baseline(entries: AbstractMapping[str, Any]) -> list[str]:
    rule = entries.get("rule", BASELINE_RULES[0])
    if rule in BASELINE_RULES:
        return []
    return [f"[baseline] rule {rule!r} must be one of {', '.join(BASELINE_RULES)}"]


def _dates(entries: AbstractMapping[str, Any]) -> list[str]:
    if not entries:
        return []
    found = []
    if not is_name(entries.get("start")):
        found.append('[dates] start must name the column of the person\'s own start: start = "randomised_on"')
    order = entries.get("order")
    if order is not None and order not in ORIGINS:
        found.append(f"[dates] order {order!r} must be one of {', '.join(ORIGINS)}")
    if not isinstance(entries.get("start_year", False), bool):
        found.append("[dates] start_year must be true or false")
    for name, source in entries.items():
        if name in _DATE_PARTS:
            continue
        target = target_of(name)
        if target is None or target.name not in DAY_FIELDS:
            found.append(f"[dates] {name}: a field of days was expected: {', '.join(DAY_FIELDS)}")
        elif not is_name(source):
            found.append(f"[dates] {name} must be a column name in quotation marks")
    return found


def _tables(entries: AbstractMapping[str, Any]) -> list[str]:
    from ipt_outcomes.io.cohort.mapping_faults import faults_of

    found = []
    for name, own in entries.items():
        where = f"[tables.{name}]"
        if name not in TABLES:
            near = near_names(name, TABLES)
            found.append(f"{where}: a table of patient data was expected: {', '.join(near or TABLES)}")
        if not isinstance(own, AbstractMapping):
            found.append(f"{where} must be a table")
            continue
        found += [f"{where} {part}: {', '.join(TABLE_PARTS)} stand there" for part in own if part not in TABLE_PARTS]
        found += [f"{where} {fault}" for fault in sheet_faults(own)]
        if not is_name(own.get("file")) and (own.get("file") is not None or own.get("sheet") is None):
            found.append(f'{where} must name its file: file = "{name}.csv" (or, of a workbook, its sheet)')
        inner = {
            part: value for part, value in own.items() if part in TABLE_PARTS and part not in ("file", "sheet", "dates")
        }
        found += [f"{where} {fault}" for fault in _own_dates(own.get("dates", {}))]
        visits = {visit: 0 for visits in _wide(inner) for visit in visits}
        found += [f"{where} {fault}" for fault in faults_of({**inner, "visits": visits})]
    return found


def _own_dates(entries: object) -> list[str]:
    """Only columns of dates: where people start and how dates are written is said once, in [dates]."""
    if not isinstance(entries, AbstractMapping):
        return ["dates must be a table"]
    plain = {name: source for name, source in entries.items() if name not in _DATE_PARTS}
    found = [f"[dates] {name}: it stands in [dates] of the whole mapping" for name in entries if name not in plain]
    return found + _dates({"start": "start", **plain})


def _wide(inner: AbstractMapping[str, Any]) -> list[AbstractMapping[str, Any]]:
    parts = [part for name in ("wide", "wide_items") if isinstance(part := inner.get(name, {}), AbstractMapping)]
    return [visits for part in parts for visits in part.values() if isinstance(visits, AbstractMapping)]


MORE_CHECKS: dict[str, Callable[[AbstractMapping[str, Any]], list[str]]] = {
    "ids": _ids,
    "baseline": _baseline,
    "dates": _dates,
    "windows": window_faults,
    "tables": _tables,
    "wide_items": _item_numbers,
    "instruments": _own_facts,
    "days": _days,
    "sessions": _sessions,
}
