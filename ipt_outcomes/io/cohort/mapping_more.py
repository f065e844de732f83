"""What can be wrong with the parts of a mapping about ids, dates, windows, baselines and the files of a folder."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as AbstractMapping
from typing import Any

from ipt_outcomes.errors import near_names
from ipt_outcomes.io.cohort.dictionary import TABLES, target_of
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
        if not is_name(own.get("file")):
            found.append(f'{where} must name its file: file = "{name}.csv"')
        inner = {part: value for part, value in own.items() if part in TABLE_PARTS and part != "file"}
        visits = {visit: 0 for visits in _wide(inner) for visit in visits}
        found += [f"{where} {fault}" for fault in faults_of({**inner, "visits": visits})]
    return found


def _wide(inner: AbstractMapping[str, Any]) -> list[AbstractMapping[str, Any]]:
    wide = inner.get("wide", {})
    return [visits for visits in wide.values() if isinstance(visits, AbstractMapping)] if wide else []


MORE_CHECKS: dict[str, Callable[[AbstractMapping[str, Any]], list[str]]] = {
    "ids": _ids,
    "baseline": _baseline,
    "dates": _dates,
    "windows": window_faults,
    "tables": _tables,
}
