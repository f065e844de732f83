"""Sources of ranges and cut-offs as citations: what the registry's keys stand for, and what each work is cited for."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from ipt_outcomes.report.document import Reference
from ipt_outcomes.resources import shipped


@dataclass(frozen=True, slots=True)
class Work:
    """A source: as a table names it, and as the list of references does."""

    short: str
    reference: Reference


@cache
def _citations() -> tuple[dict[str, Work], dict[str, dict[str, list[str]]]]:
    raw = tomllib.loads(shipped("reports", "citations.toml").read_text(encoding="utf-8"))
    works = {
        key: Work(entry["short"], Reference(entry["text"], entry.get("doi"))) for key, entry in raw["works"].items()
    }
    return works, raw["defines"]


def works_on(instrument: str, what: str) -> tuple[Work, ...]:
    """Return the works that define something of an instrument.

    Parameters
    ----------
    instrument : str
        Name in the registry.
    what : {"range", "caseness", "reliable_change", "remission"}

    Returns
    -------
    tuple of Work
        Empty where no source is known.
    """
    works, defines = _citations()
    return tuple(works[key] for key in defines.get(instrument, {}).get(what, ()))


def named(works: Iterable[Work]) -> str:
    """Name works in a sentence or a cell.

    Parameters
    ----------
    works : iterable of Work

    Returns
    -------
    str

    Examples
    --------
    >>> named(works_on("phq9", "range"))
    'Kroenke et al., 2001'
    """
    return "; ".join(work.short for work in works)
