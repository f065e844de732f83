"""The words headings are made of, in several languages, and how headings are compared."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

from ipt_outcomes.instruments import instruments
from ipt_outcomes.instruments.registry import instrument as known_instrument
from ipt_outcomes.resources import shipped

Sure = Literal["sure", "likely", "guess"]
SURE: Sure = "sure"
LIKELY: Sure = "likely"
GUESS: Sure = "guess"
ORDER: Mapping[str, int] = MappingProxyType({SURE: 0, LIKELY: 1, GUESS: 2, "unknown": 3})


def weakest(*levels: Sure) -> Sure:
    """Return the least sure of several."""
    return max(levels, key=lambda level: ORDER[level])


def folded(text: str) -> str:
    """Return a heading as it is compared: small letters and digits, no accents.

    Examples
    --------
    >>> folded("Línea base"), folded("Größe_2")
    ('lineabase', 'grosse2')
    """
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).casefold()
    return re.sub(r"[^a-z0-9]", "", plain)


@cache
def lexicon() -> Mapping[str, Any]:
    """Return the table of words that ships with the package."""
    return tomllib.loads(shipped("data_schemas", "column_names.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Named:
    """What a name of an instrument may stand for.

    Parameters
    ----------
    options : tuple of str
        Instruments of the registry, the likeliest first.
    family : str
        Name of the family, "" where the name is one instrument's own.
    versions : mapping of int to str
        Which number beside the name means which instrument.
    """

    options: tuple[str, ...]
    family: str = ""
    versions: Mapping[int, str] = field(default_factory=dict, hash=False)


@cache
def instrument_words() -> Mapping[str, Named]:
    """Return every name of an instrument, folded, and what it may stand for."""
    found: dict[str, Named] = {}
    for family, entry in lexicon()["families"].items():
        versions = {int(number): name for number, name in entry.get("versions", {}).items()}
        for name in entry["names"]:
            found[name] = Named(tuple(entry["instruments"]), family, versions)
    for name, others in lexicon()["instruments"].items():
        found |= {other: Named((name,)) for other in others}
    for name in instruments():
        entry = known_instrument(name)
        for word in (name, entry.short, entry.title, *entry.aliases):
            found.setdefault(folded(word), Named((name,)))
    return found


@cache
def pieces() -> Mapping[str, Mapping[str, str]]:
    """Return the other words of headings by kind: ``visit``, ``unit``, ``number``, ``total``, ``item``, ``filler``."""
    words = lexicon()
    visits = {word: kind for kind, names in words["visits"].items() for word in names}
    units = {word: kind for kind, names in words["units"].items() for word in names}
    numbers = {word: number for number, names in words["numbers"].items() for word in names}
    others = {kind: dict.fromkeys(words["words"][kind], kind) for kind in ("total", "item", "filler")}
    return {"visit": visits, "unit": units, "number": numbers, **others}


@cache
def field_words() -> Mapping[str, tuple[str, Sure]]:
    """Return every heading of a field of the dictionary, folded, with how sure it is."""
    found: dict[str, tuple[str, Sure]] = {}
    for target, levels in lexicon()["fields"].items():
        for level, names in levels.items():
            found |= {folded(name): (target, level) for name in names}
    return found
