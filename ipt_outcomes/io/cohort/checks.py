"""What the gate says at the end: rare combinations, guesses of the reader."""

from __future__ import annotations

from ipt_outcomes.io.cohort.parts import Part
from ipt_outcomes.io.cohort.people import Tables
from ipt_outcomes.privacy.gate import GateEntry
from ipt_outcomes.privacy.quasi import QUASI_IDENTIFIERS, SMALLEST_GROUP, small_groups

_ALWAYS = ("L1", "L2", "L3", "L4", "L5", "L8", "L10", "L11", "L12")


def warned_at_the_end(parts: list[Part], tables: Tables) -> list[GateEntry]:
    """Say how many people stand out by their quasi-identifiers (L9), and what the reader had to guess (L13)."""
    found = [entry for part in parts for entry in _reading(part)]
    return [*_small_groups(tables), *found]


def rules_checked(tables: Tables, *, from_file: bool) -> tuple[str, ...]:
    """Return the rules that had something to be looked at.

    Parameters
    ----------
    tables : Tables
    from_file : bool
        Whether a file was read; a frame cannot be cut short.
    """
    found = [*_ALWAYS, *(("L13", "L14") if from_file else ())]
    known = set(tables.patients.columns)
    if known & {"age", "age_band"}:
        found.append("L6")
    if "zip3" in known:
        found.append("L7")
    if known & set(QUASI_IDENTIFIERS):
        found.append("L9")
    return tuple(found)


def _small_groups(tables: Tables) -> list[GateEntry]:
    found = small_groups(tables.patients, QUASI_IDENTIFIERS)
    if found is None or found.k >= SMALLEST_GROUP:
        return []
    detail = f"{found.sentence}: rows of persons must not be passed on"
    best = min(found.without, key=lambda name: found.without[name], default=None)
    if best is not None and found.without[best] < found.people:
        detail += f"; without {best} it would be {found.without[best]}"
    column = ", ".join(found.columns)
    return [GateEntry(rule="L9", action="warned", column=column, detail=detail, count=found.people)]


def _reading(part: Part) -> list[GateEntry]:
    """What the reader had to guess about the bytes of the file."""
    odd = [note for note in part.raw.notes if note.startswith(("encoding: not", "rows without"))]
    return [GateEntry(rule="L13", action="warned", column="", detail=note) for note in odd]
