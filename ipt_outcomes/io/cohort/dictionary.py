"""Where the data dictionary keeps what a patient file holds: names, other headings, closed sets."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Literal

from ipt_outcomes.instruments import instrument, instrument_name, instruments
from ipt_outcomes.instruments.items import EXTRA_ITEMS
from ipt_outcomes.schemas import Field, load_schema
from ipt_outcomes.vocabulary import (
    Adaptation,
    Arm,
    Attendance,
    DisputeStage,
    EndReason,
    Format,
    Indication,
    Phase,
    Population,
    ProblemArea,
    Sex,
)
from ipt_outcomes.vocabulary.spelling import plain

TABLES = ("patients", "episodes", "sessions", "assessments")

IDS = ("patient_id", "episode_id", "therapist_id", "therapy_group_id", "cluster_id", "assessment_id")
"""Fields whose values are replaced by random keys or dropped; nothing of them is in a cohort."""

DERIVED = ("risk",)
"""Fields that are computed when data are loaded; a column of a source never gives them."""

CODED: dict[str, type[StrEnum]] = {
    "arm": Arm,
    "problem_area_primary": ProblemArea,
    "problem_area_secondary": ProblemArea,
    "phase": Phase,
    "format": Format,
    "attended": Attendance,
    "end_reason": EndReason,
    "censor_reason": EndReason,
    "dispute_stage": DisputeStage,
    "sex": Sex,
    "population": Population,
    "indication": Indication,
    "adaptation": Adaptation,
}
"""Fields of a closed set that has a vocabulary of its own."""

_SHORT = {
    "problem_area": "problem_area_primary",
    "site": "site_id",
    "therapist": "therapist_id",
    "therapy_group": "therapy_group_id",
    "patient": "patient_id",
    "episode": "episode_id",
}
_ITEM = re.compile(r"(.+?)[_\s.-]+(?:item|i|q)?[_\s.-]*0*(\d{1,2})", re.IGNORECASE)

Kind = Literal["field", "covariate", "total", "item", "baseline", "wide", "wide_items"]


@dataclass(frozen=True, slots=True)
class Target:
    """What a column of a file becomes.

    Parameters
    ----------
    kind : {"field", "covariate", "total", "item", "baseline", "wide", "wide_items"}
    name : str
        Field, covariate or instrument.
    part : str
        Number of an item, name of a wide visit.
    """

    kind: Kind
    name: str
    part: str = ""

    @property
    def words(self) -> str:
        """As messages name it."""
        if self.kind == "item":
            return f"{self.name} item {self.part}"
        if self.kind == "wide":
            return f"{self.name} at {self.part}"
        if self.kind == "wide_items":
            return f"items of {self.name} at {self.part}"
        return f"{self.name} at baseline" if self.kind == "baseline" else self.name


@cache
def fields() -> dict[str, Field]:
    """Return every field of the four tables by its name."""
    found: dict[str, Field] = {}
    for table in TABLES:
        for entry in load_schema(table).fields:
            found.setdefault(entry.name, entry)
    return {name: entry for name, entry in found.items() if name not in DERIVED}


@cache
def in_table(table: str) -> tuple[str, ...]:
    """Return the names of a table's fields, in the order of the dictionary."""
    return tuple(entry.name for entry in load_schema(table).fields)


@cache
def _headings() -> dict[str, str]:
    found = {plain(alias.name): name for name, entry in fields().items() for alias in entry.aliases}
    return found | {plain(short): name for short, name in _SHORT.items()} | {plain(name): name for name in fields()}


def field_name(heading: str) -> str | None:
    """Return the field a heading names: by its own name, a short form, or a known other heading."""
    return _headings().get(plain(heading))


def target_of(name: str) -> Target | None:
    """Return what a name stands for: a field, an instrument's total (``phq9``), or an item (``phq9_3``)."""
    field = field_name(name)
    if field is not None:
        return Target("field", field)
    known = instrument_name(name)
    if known is not None:
        return Target("total", known)
    match = _ITEM.fullmatch(name.strip())
    if match is not None:
        known = instrument_name(match.group(1))
        number = int(match.group(2))
        if known is not None and 1 <= number <= items_on_form(known):
            return Target("item", known, str(number))
        return _forms().get((plain(match.group(1)), number))
    return None


@cache
def _forms() -> dict[tuple[str, int], Target]:
    """Items of forms that hold several scales (HADS): name of the form and number on it to the scale's own item."""
    found = {}
    for name in instruments():
        for number, place in enumerate(instrument(name).form_items, start=1):
            found[plain(name.rpartition("_")[0]), place] = Target("item", name, str(number))
    return found


def items_on_form(name: str) -> int:
    """Return how many items stand on the form, with those that are never counted."""
    return int(instrument(name).n_items or 0) + EXTRA_ITEMS.get(name, 0)


def item_count(name: str) -> int:
    """Return how many items of an instrument are scored; 0 where that is not known."""
    return int(instrument(name).n_items or 0)


def near_names(name: str) -> tuple[str, ...]:
    """Return names of the dictionary and of instruments that look like a name, for messages."""
    known = {**_headings(), **{plain(one): one for one in instruments()}}
    found = difflib.get_close_matches(plain(name), list(known), n=4, cutoff=0.75)
    return tuple(dict.fromkeys(known[one] for one in found))[:3]
