"""The registry of instruments, read from the data dictionary's ``instruments.yaml``."""

from __future__ import annotations

import difflib
import re
import tomllib
from functools import cache

import yaml

from ipt_outcomes.errors import OptionError
from ipt_outcomes.instruments.instrument import Instrument
from ipt_outcomes.instruments.reading import outcome_measure, process_measure
from ipt_outcomes.resources import shipped

# "phq9_total" is the total of phq9; any other word after the name makes it another column.
_TOTAL_WORDS = re.compile(r"(total|score|sum|tot)+$")
_ITEM = re.compile(r"(.*\d)_\d+")
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
    item = _ITEM.fullmatch(text.strip())
    if item is not None and spelled(item.group(1)) in _names():
        # "oq45_2" is item 2 of the OQ-45, though "OQ-45.2" is its second version.
        return None
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
    rules = tomllib.loads(shipped("data_schemas", "instrument_scoring.toml").read_text(encoding="utf-8"))
    sources = {key: _READING_NOTE.sub("", text).strip() for key, text in raw["source_list"].items()}
    registry = {
        name: outcome_measure(name, entry, rules.get(name, {}), sources, spellings)
        for name, entry in raw["instruments"].items()
    }
    for name, entry in spellings["process"].items():
        registry[name] = process_measure(name, entry)
    return registry
