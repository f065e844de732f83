"""The registry of instruments, read from the data dictionary's ``instruments.yaml``."""

from __future__ import annotations

import difflib
import re
import tomllib
from functools import cache
from typing import Any

import yaml

from ipt_outcomes.errors import OptionError
from ipt_outcomes.instruments.instrument import Band, Instrument, RiskItem
from ipt_outcomes.resources import shipped

# "phq9_total" is the total of phq9; any other word after the name makes it another column.
_TOTAL_WORDS = re.compile(r"(total|score|sum|tot)+$")
# Remarks of whoever read the sources: they belong into the registry, not into a report.
_READING_NOTE = re.compile(r"\s*\([^()]*\bread\b[^()]*\)")


def instrument(name: str) -> Instrument:
    """Return what is known of an instrument.

    Parameters
    ----------
    name : str
        Name in the registry or another name of it: ``"phq9"``, ``"PHQ-9"``, ``"hamd17"``, ``"BDI-II"``.

    Returns
    -------
    Instrument

    Raises
    ------
    OptionError
        No instrument has that name; near names are offered.

    Examples
    --------
    >>> instrument("hamd17").name, instrument("BDI-II").maximum
    ('hrsd17', 63.0)
    """
    known = instrument_name(name)
    if known is None:
        near = difflib.get_close_matches(spelled(str(name)), _names(), n=3, cutoff=0.6)
        close = sorted({_names()[found] for found in near})
        hint = f"Near: {', '.join(close)}." if close else f"Known: {', '.join(instruments())}."
        raise OptionError(f"no instrument is named {name!r}", hint=hint)
    return _registry()[known]


def instrument_name(text: object) -> str | None:
    """Return the registry's name of an instrument.

    Parameters
    ----------
    text : object
        As files and study tables write it; anything that is not text is unknown.

    Returns
    -------
    str or None
        None where the text names no instrument, or several versions of one ("HDRS", "BDI"): never guessed.

    Examples
    --------
    >>> instrument_name("HAM-D17"), instrument_name("phq9_total"), instrument_name("hdrs")
    ('hrsd17', 'phq9', None)
    """
    if not isinstance(text, str):
        return None
    name = spelled(text)
    if name == "bdii" and "bdii" in text.casefold():
        # "BDI-I" is the first edition; "BDII" may be either.
        return None
    return _names().get(name) or _names().get(_TOTAL_WORDS.sub("", name))


def instruments() -> tuple[str, ...]:
    """Return the names of all instruments, in the order of the registry.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> instruments()[:3]
    ('phq9', 'phq2', 'gad7')
    """
    return tuple(_registry())


def spelled(text: str) -> str:
    """Return a name as it is compared: small letters and digits only.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    return re.sub(r"[^a-z0-9]", "", text.casefold())


@cache
def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for name, entry in _registry().items():
        for alias in (name, entry.short, entry.title, *entry.aliases):
            key = spelled(alias)
            if names.setdefault(key, name) != name:
                raise AssertionError(f"{alias} names two instruments: {names[key]} and {name}")
    return names


@cache
def _registry() -> dict[str, Instrument]:
    raw = yaml.safe_load(shipped("data_schemas", "instruments.yaml").read_text(encoding="utf-8"))
    spellings = tomllib.loads(shipped("data_schemas", "instrument_names.toml").read_text(encoding="utf-8"))
    sources = {key: _READING_NOTE.sub("", text).strip() for key, text in raw["source_list"].items()}
    registry = {name: _instrument(name, entry, sources, spellings) for name, entry in raw["instruments"].items()}
    for name, entry in spellings["process"].items():
        registry[name] = _process_measure(name, entry)
    return registry


def _instrument(name: str, raw: dict[str, Any], sources: dict[str, str], spellings: dict[str, Any]) -> Instrument:
    domains = raw.get("scoring", {}).get("domains", ())
    return Instrument(
        name=name,
        short=spellings["short"][name],
        title=raw["name"],
        construct=raw["construct"],
        rater=raw["rater"],
        better="lower" if raw["direction"] == "higher_worse" else "higher",
        minimum=_number(raw.get("total_min")),
        maximum=_number(raw.get("total_max")),
        n_items=raw.get("n_items"),
        item_min=_number(raw.get("item_min")),
        item_max=_number(raw.get("item_max")),
        items_reversed=tuple(raw["items_reversed"]),
        bands=tuple(Band(label=b["label"], minimum=b["min"], maximum=b["max"]) for b in raw.get("bands", ())),
        caseness_min=_number(raw.get("caseness_min")),
        caseness_max=_number(raw.get("caseness_max")),
        caseness_alternatives=tuple(float(cut) for cut in raw.get("caseness_alternatives", ())),
        remission_max=_number(raw.get("remission_max")),
        remission_alternatives=tuple(raw.get("remission_alternatives", ())),
        response_pct=_number(raw.get("response_pct")),
        response_base_min=_number(raw.get("response_base_min")),
        reliable_change=_number(raw.get("reliable_change")),
        reliable_change_system=raw.get("reliable_change_system"),
        objective_drop=_number(raw.get("objective_drop")),
        max_missing=raw.get("missing", {}).get("max_missing"),
        risk_items=tuple(RiskItem(item=r["item"], flag_min=r["flag_min"]) for r in raw.get("risk_items", ())),
        alpha=_number(raw.get("alpha")),
        retest=_number(raw.get("retest")),
        window_days=raw.get("window_days"),
        total_multiplier=float(raw.get("total_multiplier", 1)),
        domains=tuple(tuple(part["max_of"]) if "max_of" in part else (part["item"],) for part in domains),
        licence=raw.get("licence"),
        note=raw.get("scoring_note") or raw.get("note") or raw.get("item_note"),
        sources=tuple(sources[key] for key in raw["sources"]),
        unverified=tuple(_statement(entry) for entry in raw.get("unverified", ())),
        conflicts=tuple(_statement(entry) for entry in raw.get("conflicts", ())),
        aliases=(*raw.get("aliases", ()), *spellings["aliases"].get(name, ())),
    )


def _process_measure(name: str, raw: dict[str, Any]) -> Instrument:
    return Instrument(
        name=name,
        short=raw["name"],
        title=raw["name"],
        construct=raw["construct"],
        rater=raw["rater"],
        better=None,
        kind="process",
        minimum=_number(raw.get("minimum")),
        unverified=("range", "which end is the good one"),
        aliases=tuple(raw["aliases"]),
    )


def _statement(entry: Any) -> str:
    """A statement of the registry; YAML reads "a: b" without quotes as a mapping of one entry."""
    return "; ".join(f"{key}: {text}" for key, text in entry.items()) if isinstance(entry, dict) else str(entry)


def _number(value: Any) -> float | None:
    """One number; a list of values found in several samples is no single value."""
    return None if value is None or isinstance(value, list) else float(value)
