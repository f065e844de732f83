"""Which end of a scale is the good one."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from typing import Literal

import yaml

from ipt_outcomes.resources import shipped

Better = Literal["lower", "higher"]


def direction_of(name: object) -> Better | None:
    """Return which scores of an instrument are better, or None if the instrument is not known.

    Parameters
    ----------
    name : object
        As a study table writes it: ``"HDRS-17"``, ``"bdi-2"``, ``"WHO-5"``. Anything that is not text
        is unknown.

    Returns
    -------
    {"lower", "higher"} or None

    Examples
    --------
    >>> direction_of("HDRS-17"), direction_of("WHO-5"), direction_of("a scale of ours")
    ('lower', 'higher', None)
    """
    if not isinstance(name, str):
        return None
    spelled = re.sub(r"[^a-z0-9]", "", name.casefold())
    known = _directions()
    return known.get(spelled) or known.get(spelled.rstrip("0123456789"))


@cache
def _directions() -> dict[str, Better]:
    spellings = tomllib.loads(shipped("data_schemas", "instrument_spellings.toml").read_text(encoding="utf-8"))
    known: dict[str, Better] = {}
    ends: tuple[Better, ...] = ("lower", "higher")
    for better in ends:
        for names in spellings[better].values():
            known |= dict.fromkeys(names, better)
    text = shipped("data_schemas", "instruments.yaml").read_text(encoding="utf-8")
    for key, entry in yaml.safe_load(text)["instruments"].items():
        better = "lower" if entry["direction"] == "higher_worse" else "higher"
        for name in (key, *entry.get("aliases", ())):
            known[re.sub(r"[^a-z0-9]", "", name.casefold())] = better
    return known
