"""Everything that can be wrong with the mapping of a patient file, said at once."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Sequence
from collections.abc import Mapping as AbstractMapping
from typing import Any

from ipt_outcomes.io.cohort.dictionary import CODED, IDS, Target, fields, near_names, target_of
from ipt_outcomes.io.cohort.mapping_more import (
    MORE_CHECKS,
    between_parts,
    is_name,
    item_shapes,
    more_shapes,
    more_sources,
    sheet_faults,
)
from ipt_outcomes.io.toml_text import no_column, refuse_mapping
from ipt_outcomes.vocabulary import code_of, nearest

KEYS = (
    "table", "left_out", "varies", "undecided", "columns", "constants", "baseline", "codes", "visits", "wide",
    "wide_items", "missing", "duplicates", "areas", "covariates", "exclude", "unseen", "forms", "ids", "dates", "days",
    "windows", "sessions", "instruments", "sheet", "exclude_rows", "tables",
)  # fmt: skip
# These stand at the top of the file, outside any table.
_PLAIN = ("table", "left_out", "varies", "undecided", "sheet", "exclude_rows")
RULES = ("refuse", "exact", "first", "last", "mean", "lowest", "highest")
_COVARIATE = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED = frozenset(
    ("patient_id", "episode_id", "visit", "session_no", "day", "week", "value", "value_status", "missing_reason",
     "baseline", "arm", "problem_area", "site", "therapist", "age_90_plus")
)  # fmt: skip
_TIMES = ("week", "day", "visit", "session_no")


def refuse(found: list[str], what: str) -> None:
    """Raise `OptionError` listing all faults, if there are any."""
    refuse_mapping(
        found, what,
        "Names of the dictionary: ipt-outcomes schema patients (episodes, sessions, assessments); "
        "ipt-outcomes instruments.",
    )  # fmt: skip


def faults_of(raw: AbstractMapping[str, Any]) -> list[str]:
    """Say everything that is wrong with a mapping in the form of its TOML file.

    Parameters
    ----------
    raw : mapping
        As read from TOML.

    Returns
    -------
    list of str
        Empty where nothing is wrong.
    """
    found = [_unknown_key(key) for key in raw if key not in KEYS]
    table = raw.get("table", "cohort")
    if table != "cohort":
        found.append(f'table = "{table}" is no mapping of a patient file; it must be table = "cohort"')
    shapes = _wrong_shapes(raw)
    if shapes:
        # What a table holds can only be looked at where it is a table.
        return found + shapes
    for part, check in (*_CHECKS.items(), *MORE_CHECKS.items()):
        found += check(raw.get(part, {}))
    found += [f"[forms] {name}: only column = ... stands there" for name in raw.get("forms", {}) if name != "column"]
    return found + _undecided(raw) + _wide_against_long(raw) + _read_twice(raw) + between_parts(raw)


def _undecided(raw: AbstractMapping[str, Any]) -> list[str]:
    """What a proposal left to a person: a guess is never taken for a decision."""
    waiting = raw.get("undecided", ())
    if not waiting:
        return []
    return [
        f"{len(waiting)} {'thing is' if len(waiting) == 1 else 'things are'} not decided yet: {', '.join(waiting)}. "
        "Map each column or put it under left_out, look at each table named in [brackets], then take it out of "
        "undecided"
    ]


def absent_columns(raw: AbstractMapping[str, Any], columns: Sequence[str]) -> list[str]:
    """Say which source columns of a mapping a file does not have, with near names."""
    wanted = [(where, source) for where, source in _sources(raw) if source != "*"]
    own = {source for _, source in wanted}
    wanted += [(f"[missing] {name}", name) for name in raw.get("missing", {}) if name != "*"]
    for name, status in raw.get("unseen", {}).items():
        wanted += [(f"[unseen] {name}", name), (f"[unseen] {name}", status)]
    wanted += [("[forms] column", source) for source in raw.get("forms", {}).values()]
    found = []
    for where, source in wanted:
        if source not in columns:
            found.append(no_column(where, source, [c for c in columns if c not in own]))
    for name in raw.get("exclude", {}):
        target = target_of(name)
        known = target is not None and (target.name in _names(raw) or any(target_of(c) == target for c in columns))
        if not known and name not in columns and name not in raw.get("covariates", {}):
            found.append(f"[exclude.{name}]: neither a mapped name nor a column of the file")
    return list(dict.fromkeys(found))


def _names(raw: AbstractMapping[str, Any]) -> set[str]:
    return {target.name for name in raw.get("columns", {}) if (target := target_of(name)) is not None}


def _sources(raw: AbstractMapping[str, Any]) -> list[tuple[str, str]]:
    """Every place of a mapping that names a source column."""
    wanted: list[tuple[str, str]] = []
    for name, given in raw.get("columns", {}).items():
        wanted += [(f"[columns] {name}", one) for one in ([given] if isinstance(given, str) else given)]
    for part in ("baseline", "covariates"):
        entries = raw.get(part, {}).items()
        wanted += [(f"[{part}] {name}", source) for name, source in entries if (part, name) != ("baseline", "rule")]
    for name, visits in raw.get("wide", {}).items():
        wanted += [(f"[wide.{name}] {visit}", source) for visit, source in visits.items()]
    for name, forms in raw.get("wide_items", {}).items():
        wanted += [(f"[wide_items.{name}] {visit}", one) for visit, columns in forms.items() for one in columns]
    wanted += more_sources(raw)
    return wanted + [("left_out", source) for source in raw.get("left_out", ())]


def _unknown_key(key: str) -> str:
    near = difflib.get_close_matches(key, KEYS, n=1)
    if near:
        return f"[{key}] is no part of a mapping; near: {near[0]}"
    if target_of(key) is not None:
        return f"{key} stands outside a table: names belong under [columns]"
    return f"[{key}] is no part of a mapping: {', '.join(KEYS)}"


def _wrong_shapes(raw: AbstractMapping[str, Any]) -> list[str]:
    found = []
    left_out = raw.get("left_out", [])
    if not isinstance(left_out, list | tuple) or not all(isinstance(name, str) for name in left_out):
        found.append('left_out must be a list of column names: left_out = ["a", "b"]')
    undecided = raw.get("undecided", [])
    if not isinstance(undecided, list | tuple) or not all(isinstance(name, str) for name in undecided):
        found.append("undecided must be a list of what is still to be decided; empty it: undecided = []")
    varies = raw.get("varies", [])
    if not isinstance(varies, list | tuple) or not set(varies) <= {"site", "therapist"}:
        found.append('varies must be a list of names that may differ between rows of a person: varies = ["site"]')
    found += [*sheet_faults(raw), *more_shapes(raw)]
    for part in (key for key in KEYS if key not in _PLAIN):
        value = raw.get(part, {})
        if not isinstance(value, AbstractMapping):
            found.append(f"[{part}] must be a table")
            continue
        if part in ("codes", "wide", "missing", "exclude"):
            for name, inner in value.items():
                if not isinstance(inner, AbstractMapping):
                    form = {"wide": 'visit = "column"', "codes": '"as written" = "code"'}.get(part, '"code" = "reason"')
                    found.append(f"[{part}] {name}: must be a table of lines {form}")
                elif not all(isinstance(text, str) and text.strip() for text in inner.values()):
                    found.append(f"[{part}.{name}] must hold texts in quotation marks")
        if part == "wide_items":
            found += item_shapes(value)
        if part in ("baseline", "covariates", "unseen", "forms"):
            found += [f"[{part}] {n}: a column name in quotation marks" for n, s in value.items() if not is_name(s)]
    for name, given in _table(raw, "columns").items():
        several = isinstance(given, list | tuple) and given and all(is_name(one) for one in given)
        if not is_name(given) and not several:
            found.append(f"[columns] {name} must be a column name in quotation marks, or a list of such")
    return found


def _table(raw: AbstractMapping[str, Any], part: str) -> AbstractMapping[str, Any]:
    value = raw.get(part, {})
    return value if isinstance(value, AbstractMapping) else {}


def _no_such_name(where: str, name: str) -> str:
    near = near_names(name)
    return f"{where}: neither a name of the dictionary nor an instrument" + (
        f"; near: {', '.join(near)}" if near else ""
    )


def _columns(entries: AbstractMapping[str, Any]) -> list[str]:
    found, seen = [], dict[Target, str]()
    for name, given in entries.items():
        target = target_of(name)
        if target is None:
            found.append(_no_such_name(f"[columns] {name}", name))
            continue
        if target in seen:
            found.append(f"[columns] {name} and {seen[target]} are the same name")
        seen[target] = name
        if not isinstance(given, str) and len(given) > 1 and target.name not in IDS:
            found.append(f"[columns] {name}: only an id can be made of several columns")
    return found


def _constants(entries: AbstractMapping[str, Any]) -> list[str]:
    found = []
    for name, value in entries.items():
        target = target_of(name)
        if target is None or target.kind != "field" or target.name in IDS:
            found.append(f"[constants] {name}: must be a field of the dictionary that is no id")
        elif isinstance(value, bool) or not isinstance(value, str | int | float):
            found.append(f"[constants] {name} must be text or a number")
        elif target.name in CODED and code_of(value, CODED[target.name]) is None:
            found.append(f"[constants] {name}: {_no_code(str(value), target.name)}")
    return found


def _no_code(code: str, name: str) -> str:
    near = nearest(code, CODED[name])
    known = ", ".join(member.value for member in CODED[name])
    return f"{code!r} is no code; " + (f"near: {', '.join(near)}" if near else f"codes: {known}")


def _codes(entries: AbstractMapping[str, Any]) -> list[str]:
    found = []
    for name, codes in entries.items():
        target = target_of(name)
        if target is None or target.kind != "field":
            if not _COVARIATE.fullmatch(name):
                found.append(_no_such_name(f"[codes.{name}]", name))
            continue
        found += [f'[codes.{name}]: "" stands for an empty cell, which is missing' for key in codes if not key.strip()]
        for code in codes.values():
            enum = fields()[target.name].enum
            if target.name in CODED and code_of(code, CODED[target.name]) is None:
                found.append(f"[codes.{name}]: {_no_code(code, target.name)}")
            elif target.name not in CODED and enum and code not in enum:
                found.append(f"[codes.{name}]: {code!r} is no code; codes: {', '.join(enum)}")
    return found


def _visits(entries: AbstractMapping[str, Any]) -> list[str]:
    return [
        f"[visits] {visit} must be a week, in numbers"
        for visit, week in entries.items()
        if isinstance(week, bool) or not isinstance(week, int | float) or not math.isfinite(week)
    ]


def _instruments(part: str) -> Callable[[AbstractMapping[str, Any]], list[str]]:
    def check(entries: AbstractMapping[str, Any]) -> list[str]:
        known = {name: target_of(name) for name in entries if not (part == "baseline" and name == "rule")}
        wrong = [name for name, target in known.items() if target is None or target.kind != "total"]
        return [f"[{part}] {name}: no instrument has that name{_near(name)}" for name in wrong]

    return check


def _near(name: str) -> str:
    near = near_names(name)
    return f"; near: {', '.join(near)}" if near else ""


def _missing(entries: AbstractMapping[str, Any]) -> list[str]:
    return [
        f'[missing] {name}: "" need not be declared: an empty cell is missing'
        for name, codes in entries.items()
        for code in codes
        if not code.strip()
    ]


def _duplicates(entries: AbstractMapping[str, Any]) -> list[str]:
    found = [f"[duplicates] {key}: only rule = ... stands there" for key in entries if key != "rule"]
    rule = entries.get("rule", "refuse")
    return found if rule in RULES else [*found, f"[duplicates] rule {rule!r} must be one of {', '.join(RULES)}"]


def _areas(entries: AbstractMapping[str, Any]) -> list[str]:
    found = [f"[areas] {key}: only set = ... stands there" for key in entries if key != "set"]
    told = entries.get("set")
    if told is not None and told not in ("before", "after"):
        found.append(f'[areas] set {told!r} must be "before" or "after" (randomisation)')
    return found


def _covariates(entries: AbstractMapping[str, Any]) -> list[str]:
    found = []
    for name in entries:
        if not _COVARIATE.fullmatch(name):
            found.append(f"[covariates] {name}: a name of small letters, digits and _ was expected")
        elif name in _RESERVED or target_of(name) is not None:
            found.append(f"[covariates] {name}: that is a name of the dictionary or an instrument; use [columns]")
    return found


def _exclude(entries: AbstractMapping[str, Any]) -> list[str]:
    return [f"[exclude.{name}] names no code" for name, codes in entries.items() if not codes]


def _wide_against_long(raw: AbstractMapping[str, Any]) -> list[str]:
    wide = [*raw.get("wide", {}).values(), *raw.get("wide_items", {}).values()]
    if not wide:
        return []
    names = {name: target_of(name) for name in raw.get("columns", {})}
    times = [name for name, target in names.items() if target is not None and target.name in _TIMES]
    found = [f"[columns] {name}: a file with [wide] columns has no column of the time" for name in times]
    used = dict.fromkeys(visit for visits in wide for visit in visits)
    unknown = [visit for visit in used if visit not in raw.get("visits", {})]
    if unknown:
        lines = ", ".join(f"{visit} = ..." for visit in unknown)
        found.append(f"[visits] does not say the week of: {', '.join(unknown)}. Write: {lines}")
    return found


def _read_twice(raw: AbstractMapping[str, Any]) -> list[str]:
    """A column may be part of an id and stand for itself, too; otherwise it is read once."""
    users: dict[str, list[str]] = {}
    for where, source in _sources(raw):
        name = where.removeprefix("[columns] ")
        target = target_of(name) if where.startswith("[columns]") else None
        if target is None or target.name not in IDS:
            users.setdefault(source, []).append(where)
    return [
        f"source column {source!r} is used for {' and '.join(places)}"
        for source, places in users.items()
        if len(places) > 1
    ]


_CHECKS: dict[str, Callable[[AbstractMapping[str, Any]], list[str]]] = {
    "columns": _columns,
    "constants": _constants,
    "baseline": _instruments("baseline"),
    "codes": _codes,
    "visits": _visits,
    "wide": _instruments("wide"),
    "wide_items": _instruments("wide_items"),
    "missing": _missing,
    "duplicates": _duplicates,
    "areas": _areas,
    "covariates": _covariates,
    "exclude": _exclude,
}
