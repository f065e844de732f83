"""The search behind a study table: how many records were found, screened, read and included, and why not (PRISMA)."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from ipt_outcomes.errors import DataError, require_known
from ipt_outcomes.results import ResultObject, format_number, visible

# Stages in the order of the diagram, and their words.
STAGES: Mapping[str, str] = {
    "identified": "Records identified",
    "removed_before_screening": "Records removed before screening",
    "screened": "Records screened",
    "excluded_at_screening": "Records excluded at screening",
    "sought": "Reports sought",
    "not_retrieved": "Reports not retrieved",
    "assessed": "Reports assessed in full text",
    "excluded_full_text": "Reports excluded after full text",
    "included_reports": "Reports included",
    "included_studies": "Studies included",
}
# The second and the third make the first: each box is what the one before it leaves.
_SUMS = (
    ("screened", "identified", "removed_before_screening"),
    ("sought", "screened", "excluded_at_screening"),
    ("assessed", "sought", "not_retrieved"),
    ("included_reports", "assessed", "excluded_full_text"),
)
_LISTS = {"sources": "identified", "reasons": "excluded_full_text"}
_TEXTS = ("last_search", "citation")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchFlow(ResultObject):
    """Numbers of a literature search.

    Parameters
    ----------
    counts : mapping of str to int
        Keys among `STAGES`; what is not told is not in it.
    sources : mapping of str to int
        Records per database or register.
    reasons : mapping of str to int
        Full texts excluded per reason.
    last_search, citation : str
        When the search was last run, and where the figures are printed; empty text where not told.
    warnings : tuple of str
        Figures that do not add up. Nothing is corrected.
    """

    counts: Mapping[str, int]
    sources: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    last_search: str = ""
    citation: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def boxes(self) -> pd.DataFrame:
        """Return ``stage count words``, in the order of the diagram."""
        lines = [(stage, self.counts[stage], words) for stage, words in STAGES.items() if stage in self.counts]
        return pd.DataFrame(lines, columns=["stage", "count", "words"])

    @property
    def reasons_frame(self) -> pd.DataFrame:
        """Return ``reason count``, in the order given."""
        return pd.DataFrame(list(self.reasons.items()), columns=["reason", "count"])

    @property
    def sources_frame(self) -> pd.DataFrame:
        """Return ``source count``, in the order given."""
        return pd.DataFrame(list(self.sources.items()), columns=["source", "count"])

    def to_frame(self) -> pd.DataFrame:
        """Return ``part name count``: stages, sources, reasons."""
        lines = [("stage", name, count) for name, count in self.counts.items()]
        lines += [("source", name, count) for name, count in self.sources.items()]
        lines += [("reason", name, count) for name, count in self.reasons.items()]
        return pd.DataFrame(lines, columns=["part", "name", "count"])

    def summary(self, digits: int = 2) -> str:
        """Return a line per stage and per reason, and what does not add up."""
        lines = [f"{row.words}: {format_number(row.count_, 'integer')}" for row in self._lines()]
        lines += [f"  {visible(reason)}: {format_number(n, 'integer')}" for reason, n in self.reasons.items()]
        return "\n".join([*lines, *self.warnings])

    def _lines(self) -> list[Any]:
        return list(self.boxes.rename(columns={"count": "count_"}).itertuples())

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as they are given to `read_flow`."""
        found: dict[str, Any] = {**self.counts}
        found |= {"sources": dict(self.sources)} if self.sources else {}
        found |= {"reasons": dict(self.reasons)} if self.reasons else {}
        found |= {name: getattr(self, name) for name in _TEXTS if getattr(self, name)}
        return found


def read_flow(given: SearchFlow | Mapping[str, Any] | str | Path) -> SearchFlow:
    """Read the figures of a search.

    Parameters
    ----------
    given : SearchFlow, mapping or path
        A table (TOML or JSON file, or mapping) of stages of `STAGES` with their numbers, ``sources`` and
        ``reasons`` (tables of names with numbers), ``last_search`` and ``citation``. A stage that follows from the
        others is filled in: all sources make those identified, all reasons those excluded after full text.

    Returns
    -------
    SearchFlow

    Raises
    ------
    OptionError
        An entry is not known.
    DataError
        A number is not a whole number of at least 0, or the file is no table; every fault is named.

    Notes
    -----
    The boxes are those of Page et al (2021), BMJ 372:n71, doi:10.1136/bmj.n71.

    Examples
    --------
    >>> read_flow({"screened": 100, "excluded_at_screening": 80, "sought": 21}).warnings
    ('screened (100) less excluded_at_screening (80) is 20, but sought is 21',)
    """
    if isinstance(given, SearchFlow):
        return given
    raw = given if isinstance(given, Mapping) else read_table_file(Path(given), "search figures")
    require_known("search figures have no entry", raw, [*STAGES, *_LISTS, *_TEXTS])
    faults: list[str] = []
    counts = {name: _count(name, raw[name], faults) for name in STAGES if name in raw}
    lists: dict[str, dict[str, int]] = {}
    for name in _LISTS:
        part = raw.get(name, {})
        if not isinstance(part, Mapping):
            faults.append(f"{name} must be a table of names with numbers")
            continue
        lists[name] = {str(key): _count(f"{name}.{key}", value, faults) for key, value in part.items()}
    faults += [f"{name} must be text" for name in _TEXTS if not isinstance(raw.get(name, ""), str)]
    if faults:
        raise DataError("the search figures are not valid: " + "; ".join(faults))
    warnings = _filled_in(counts, lists)
    return SearchFlow(
        counts={name: counts[name] for name in STAGES if name in counts},
        sources=lists["sources"],
        reasons=lists["reasons"],
        last_search=raw.get("last_search", ""),
        citation=raw.get("citation", ""),
        warnings=tuple(warnings),
    )


def read_table_file(path: Path, what: str) -> Mapping[str, Any]:
    """Read a TOML or JSON file that holds a table.

    Parameters
    ----------
    path : Path
    what : str
        What it is, for the message.

    Returns
    -------
    mapping

    Raises
    ------
    DataError
        It cannot be read, or is no table.
    """
    try:
        text = path.read_text(encoding="utf-8")
        raw = json.loads(text) if path.suffix.casefold() == ".json" else tomllib.loads(text)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        kind = "found" if isinstance(error, FileNotFoundError) else "read as TOML or JSON"
        raise DataError(
            f"the {what} in {path.name} cannot be {kind}",
            hint="It must be a text file (UTF-8) of entries as name = number; see the user guide of the meta report.",
        ) from None
    if not isinstance(raw, Mapping):
        raise DataError(f"the {what} in {path.name} must be a table of names and values")
    return raw


def _count(name: str, value: Any, faults: list[str]) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        faults.append(f"{name} must be a whole number of at least 0; got {visible(str(value))}")
        return 0
    return value


def _filled_in(counts: dict[str, int], lists: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Add the stages that the lists make, and say which figures do not add up."""
    warnings: list[str] = []
    for name, stage in _LISTS.items():
        if not lists[name]:
            continue
        total = sum(lists[name].values())
        if counts.setdefault(stage, total) != total:
            warnings.append(f"the {name} add up to {total}, but {stage} is {counts[stage]}")
    for result, before, less in _SUMS:
        if {result, before, less} <= set(counts):
            left = counts[before] - counts[less]
            if left != counts[result]:
                warnings.append(
                    f"{before} ({counts[before]}) less {less} ({counts[less]}) is {left}, "
                    f"but {result} is {counts[result]}"
                )
    return warnings
