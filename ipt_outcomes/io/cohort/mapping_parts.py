"""Parts of a mapping that are records of their own: dates, windows of visits, the files of a folder."""

from __future__ import annotations

import math
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Literal

Sources = str | tuple[str, ...]
WindowRule = Literal["nearest", "first", "last"]
WINDOW_RULES = ("nearest", "first", "last")


def nothing_mapped() -> AbstractMapping[str, Any]:
    """Return a mapping without entries."""
    return MappingProxyType({})


def two_levels(raw: AbstractMapping[str, Any]) -> AbstractMapping[str, AbstractMapping[str, Any]]:
    """Return tables inside a table, as they may not be changed."""
    return MappingProxyType({name: MappingProxyType(dict(inner)) for name, inner in raw.items()})


def item_lists(raw: AbstractMapping[str, Any]) -> AbstractMapping[str, AbstractMapping[str, tuple[str, ...]]]:
    """Return ``[wide_items]``: instrument to visit to the columns of its items."""
    return two_levels(
        {name: {visit: tuple(columns) for visit, columns in forms.items()} for name, forms in raw.items()}
    )


def item_record(wide_items: AbstractMapping[str, AbstractMapping[str, tuple[str, ...]]]) -> dict[str, Any]:
    """Return ``[wide_items]`` as it stands in a TOML file."""
    return {name: {visit: list(columns) for visit, columns in forms.items()} for name, forms in wide_items.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """Dates of a file and what becomes of them: whole days from the person's own start; no date is kept.

    Parameters
    ----------
    start : str
        Source column of the person's own start.
    order : str or None
        How dates are written, as `ipt_outcomes.io.to_days` takes it; None where the file's format says it.
    days : mapping of str to str
        Field of days to the source column of dates.
    start_year : bool
        Whether the calendar year of the start is kept.
    own : frozenset of str
        Columns of dates that must be in this very file of a folder; the others may be in another.
    """

    start: str
    order: str | None = None
    days: AbstractMapping[str, str] = field(default_factory=nothing_mapped)
    start_year: bool = False
    own: frozenset[str] = frozenset()

    def to_dict(self) -> dict[str, Any]:
        """Return the part as it stands in a TOML file."""
        record: dict[str, Any] = {"start": self.start}
        if self.order is not None:
            record["order"] = self.order
        if self.start_year:
            record["start_year"] = True
        return record | dict(self.days)

    @classmethod
    def from_dict(cls, raw: AbstractMapping[str, Any]) -> Dates:
        """Read the part; it was checked before."""
        days = {name: source for name, source in raw.items() if name not in ("start", "order", "start_year")}
        return cls(
            start=raw["start"], order=raw.get("order"), days=MappingProxyType(days),
            start_year=bool(raw.get("start_year", False)),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Stretches of time in which a score counts to a visit.

    Parameters
    ----------
    visits : mapping of str to tuple of float
        Visit to its first and its last week or day, both inside.
    unit : {"weeks", "days"}
    take : {"nearest", "first", "last"}
        Which of several scores in one window counts: the one nearest to its middle, the first or the last.
    """

    visits: AbstractMapping[str, tuple[float, float]]
    unit: Literal["weeks", "days"] = "weeks"
    take: WindowRule = "nearest"

    def to_dict(self) -> dict[str, Any]:
        """Return the part as it stands in a TOML file."""
        record: dict[str, Any] = {} if self.unit == "weeks" else {"unit": self.unit}
        if self.take != "nearest":
            record["take"] = self.take
        return record | {name: list(limits) for name, limits in self.visits.items()}

    @classmethod
    def from_dict(cls, raw: AbstractMapping[str, Any]) -> Windows:
        """Read the part; it was checked before."""
        visits = {name: (float(v[0]), float(v[1])) for name, v in raw.items() if name not in ("unit", "take")}
        return cls(visits=MappingProxyType(visits), unit=raw.get("unit", "weeks"), take=raw.get("take", "nearest"))

    @property
    def in_weeks(self) -> dict[str, tuple[float, float]]:
        """Visits with their limits in weeks."""
        per = 7.0 if self.unit == "days" else 1.0
        return {name: (low / per, high / per) for name, (low, high) in self.visits.items()}


def window_faults(raw: AbstractMapping[str, Any]) -> list[str]:
    """Say what is wrong with ``[windows]``."""
    found = []
    if raw.get("unit", "weeks") not in ("weeks", "days"):
        found.append('[windows] unit must be "weeks" or "days"')
    if raw.get("take", "nearest") not in WINDOW_RULES:
        found.append(f"[windows] take must be one of {', '.join(WINDOW_RULES)}")
    known: list[tuple[float, float, str]] = []
    for name, limits in raw.items():
        if name in ("unit", "take"):
            continue
        if not _is_window(limits):
            found.append(f"[windows] {name} must be two numbers, the first and the last: {name} = [7, 9]")
        else:
            known.append((float(limits[0]), float(limits[1]), name))
    known.sort()
    for (_, end, one), (begin, _, other) in pairwise(known):
        if begin <= end:
            found.append(f"[windows] {one} and {other} overlap")
    return found


def _is_window(limits: object) -> bool:
    if not isinstance(limits, list | tuple) or len(limits) != 2:
        return False
    plain = all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in limits)
    return plain and bool(limits[0] <= limits[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMapping:
    """One file of a folder: its columns, as in `CohortMapping`.

    Parameters
    ----------
    file : str
        Name of the file inside the folder; "" for the workbook that is loaded, of which `sheet` is a sheet.
    columns, baseline, wide, wide_items, missing, covariates, left_out, unseen, forms, sheet
        As in `CohortMapping`.
    dates : mapping of str to str
        Field of days to the file's own column of dates; they go before those of `Dates`.
    """

    file: str = ""
    columns: AbstractMapping[str, Sources] = field(default_factory=nothing_mapped)
    baseline: AbstractMapping[str, str] = field(default_factory=nothing_mapped)
    wide: AbstractMapping[str, AbstractMapping[str, str]] = field(default_factory=nothing_mapped)
    missing: AbstractMapping[str, AbstractMapping[str, str]] = field(default_factory=nothing_mapped)
    covariates: AbstractMapping[str, str] = field(default_factory=nothing_mapped)
    left_out: tuple[str, ...] = ()
    wide_items: AbstractMapping[str, AbstractMapping[str, tuple[str, ...]]] = field(default_factory=nothing_mapped)
    sheet: str | int | None = None
    dates: AbstractMapping[str, str] = field(default_factory=nothing_mapped)
    unseen: AbstractMapping[str, str] = field(default_factory=nothing_mapped)
    forms: AbstractMapping[str, str] = field(default_factory=nothing_mapped)

    def to_dict(self) -> dict[str, Any]:
        """Return the part as it stands in a TOML file."""
        record: dict[str, Any] = {"file": self.file} if self.file else {}
        if self.sheet is not None:
            record["sheet"] = self.sheet
        if self.left_out:
            record["left_out"] = list(self.left_out)
        if self.columns:
            record["columns"] = {k: list(v) if isinstance(v, tuple) else v for k, v in self.columns.items()}
        for part in _TEXTS:
            if getattr(self, part):
                record[part] = dict(getattr(self, part))
        for part in ("wide", "missing"):
            if getattr(self, part):
                record[part] = {name: dict(inner) for name, inner in getattr(self, part).items()}
        if self.wide_items:
            record["wide_items"] = item_record(self.wide_items)
        return record

    @classmethod
    def from_dict(cls, raw: AbstractMapping[str, Any]) -> TableMapping:
        """Read the part; it was checked before."""
        columns = {name: v if isinstance(v, str) else tuple(v) for name, v in raw.get("columns", {}).items()}
        return cls(
            file=raw.get("file", ""),
            columns=MappingProxyType(columns),
            **{part: MappingProxyType(dict(raw.get(part, {}))) for part in _TEXTS},
            left_out=tuple(raw.get("left_out", ())),
            wide=two_levels(raw.get("wide", {})),
            missing=two_levels(raw.get("missing", {})),
            wide_items=item_lists(raw.get("wide_items", {})),
            sheet=raw.get("sheet"),
        )


_TEXTS = ("baseline", "covariates", "dates", "unseen", "forms")
TABLE_PARTS = (
    "file", "sheet", "columns", "baseline", "wide", "wide_items", "missing", "covariates", "left_out", "dates",
    "unseen", "forms",
)  # fmt: skip
