"""Facts of a user's own in the place of the registry's, each with its source."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from ipt_outcomes.errors import OptionError
from ipt_outcomes.instruments.facts import Override, RiskItem
from ipt_outcomes.instruments.instrument import Instrument
from ipt_outcomes.instruments.registry import instrument

_TOTALS = ("caseness_min", "caseness_max", "remission_max", "response_base_min", "functional_mean")
_AMOUNTS = ("reliable_change", "objective_drop", "minimal_difference", "functional_sd")
_SHARES = ("response_pct", "minimal_difference_pct")
_RELIABILITIES = ("alpha", "retest")
_RANGES = ("minimum", "maximum", "item_min", "item_max")
_COUNTS = ("n_items", "max_missing", "window_days")
_OTHERS = ("items_reversed", "raw_order", "risk_items", "better")

_BY_FILE = "how the file holds the items"

SETTABLE = (*_TOTALS, *_AMOUNTS, *_SHARES, *_RELIABILITIES, *_RANGES, *_COUNTS, *_OTHERS)
"""Fields of an instrument that a user may set; ``cutoff`` and ``remission`` are short names."""


def overridden(known: Instrument, values: Mapping[str, Any], source: object) -> Instrument:
    """Return an instrument with some facts set by the user.

    Parameters
    ----------
    known : Instrument
    values : mapping of str to value
        Field, or ``cutoff`` or ``remission``; None takes a value away.
    source : str

    Returns
    -------
    Instrument

    Raises
    ------
    OptionError
        As `Instrument.with_`.
    """
    short = {"cutoff": "caseness_max" if known.better == "higher" else "caseness_min", "remission": "remission_max"}
    named = {short.get(name, name): value for name, value in values.items()}
    faults = []
    if not isinstance(source, str) or not source.strip():
        faults.append('a source is needed: source = "where it comes from"')
    if not named:
        faults.append("nothing to set")
    if len(named) < len(values):
        faults.append("a cut-off is given twice, by its short and by its full name")
    unknown = [name for name in named if name not in SETTABLE]
    if unknown:
        can = ", ".join(("cutoff", "remission", *SETTABLE))
        faults.append(f"no field to set is named {', '.join(map(repr, unknown))}; there are {can}")
    own: dict[str, Any] = {}
    ranged = {name: value for name, value in named.items() if name in _RANGES or name == "n_items"}
    # Other facts are judged by the range the user gave, not by the registry's.
    for name in (*ranged, *(name for name in named if name in SETTABLE and name not in ranged)):
        judged = dataclasses.replace(known, **{key: own[key] for key in ranged if key in own})
        value, fault = _checked(judged, name, named[name])
        own[name] = value
        faults += [f"{name} must be {fault}; got {named[name]!r}"] if fault else []
    cut, low = own.get("caseness_min", known.caseness_min), own.get("remission_max", known.remission_max)
    if not faults and {"caseness_min", "remission_max"} & own.keys() and cut is not None and low is not None:
        faults += [f"a person in remission ({low:g}) would still be a case ({cut:g}): set both"] if low >= cut else []
    if faults:
        raise OptionError(f"{known.short}: {'; '.join(faults)}")
    told = tuple(Override(field=name, before=getattr(known, name), source=str(source).strip()) for name in own)
    kept = tuple(entry for entry in known.overrides if entry.field not in own)
    return dataclasses.replace(known, **own, overrides=(*kept, *told))


def instruments_with(tables: Mapping[str, Any] | None) -> dict[str, Instrument]:
    """Read tables of overrides, as ``[instruments.phq9]`` of a mapping holds them.

    Parameters
    ----------
    tables : mapping of str to mapping
        Name or alias of an instrument, and its fields with ``source``; ``raw_order`` alone needs none.

    Returns
    -------
    dict of str to Instrument
        By the registry's name; only those that were named.

    Raises
    ------
    OptionError
        An unknown instrument or field, a value it cannot have, no source, or one instrument twice; all at once.

    Examples
    --------
    >>> own = instruments_with({"PHQ-9": {"cutoff": 12, "source": "our validation study"}})
    >>> own["phq9"].rule("caseness_min")
    'PHQ-9: a total of 12 or more (set by the user: our validation study)'
    """
    found: dict[str, Instrument] = {}
    faults: list[str] = []
    for name, table in (tables or {}).items():
        if not isinstance(table, Mapping):
            faults.append(f'[instruments.{name}] must be a table: cutoff = 12, source = "..."')
            continue
        try:
            known = instrument(str(name))
            values = {key: value for key, value in table.items() if key != "source"}
            own = overridden(known, values, _source_of(table))
        except OptionError as error:
            faults.append(error.message + (f" ({error.hint})" if error.hint else ""))
            continue
        if known.name in found:
            faults.append(f"{known.short} is named twice")
        found[known.name] = own
    if faults:
        raise OptionError("; ".join(faults))
    return found


def _source_of(table: Mapping[str, Any]) -> object:
    """The source given; how a file holds its items is a fact about the file, and needs none."""
    if set(table) == {"raw_order"}:
        return _BY_FILE
    return table.get("source")


def _checked(known: Instrument, name: str, value: Any) -> tuple[Any, str]:
    """The value as the field holds it, and what it should have been where it cannot be."""
    if value is None:
        return (() if name in {"items_reversed", "risk_items"} else None), ""
    if name in _OTHERS:
        return _checked_other(known, name, value)
    whole = name in _COUNTS
    number = _number(value, whole=whole)
    if number is None:
        return value, "a whole number" if whole else "a number"
    low, high = _limits(known, name)
    if not low <= number <= high:
        return value, f"within {low:g} to {high:g}"
    if name in {*_AMOUNTS, *_SHARES} and number == 0:
        return value, "above 0"
    return (int(number) if whole else number), ""


def _limits(known: Instrument, name: str) -> tuple[float, float]:
    low = -np.inf if known.minimum is None else known.minimum
    high = np.inf if known.maximum is None else known.maximum
    if name in _TOTALS:
        return low, high
    if name in _AMOUNTS:
        return 0.0, high - low
    if name in _SHARES:
        return 0.0, 100.0
    if name in _RELIABILITIES:
        return 0.0, 1.0
    if name == "max_missing":
        return 0.0, float(len(known.numbers_scored()) - 1 if known.n_items else 0)
    return (1.0, np.inf) if name in _COUNTS else (-np.inf, np.inf)


def _checked_other(known: Instrument, name: str, value: Any) -> tuple[Any, str]:
    if name == "raw_order":
        return value, "" if isinstance(value, bool) else "true or false"
    if name == "better":
        return value, "" if value in ("lower", "higher") else "'lower' or 'higher'"
    numbers = known.numbers_scored()
    if name == "items_reversed":
        items = tuple(value) if isinstance(value, list | tuple) else ()
        good = bool(items) and len(set(items)) == len(items) and all(_number(i, whole=True) in numbers for i in items)
        return tuple(int(i) for i in items) if good else value, "" if good else f"items of 1 to {known.n_items}"
    try:
        risky = tuple(RiskItem(item=int(one["item"]), flag_min=float(one["flag_min"])) for one in value)
    except (TypeError, KeyError, ValueError):
        risky = ()
    good = bool(risky) and all(one.item in numbers for one in risky)
    return (risky if good else value), "" if good else "a list of { item = ..., flag_min = ... }"


def _number(value: Any, *, whole: bool) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return None
    number = float(value)
    return None if not np.isfinite(number) or (whole and number % 1) else number
