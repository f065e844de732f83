"""One tidy table of analysis results (after the CDISC Analysis Results Standard)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ipt_outcomes.errors import IptError

if TYPE_CHECKING:
    import pandas as pd

Number = int | float

_FIELDS = ("id", "analysis", "groups", "statistic", "value", "unit", "method", "n", "denominator", "suppressed")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """One number of an analysis.

    Parameters
    ----------
    id : str
        Unique in its table; every place that shows the number carries it.
    analysis : str
        Which analysis, for example ``"pooled"``.
    groups : mapping of str to str
        Level of each grouping variable; a total leaves the variable out.
    statistic : str
        Name of the statistic, for example ``"estimate"``, ``"tau2"``.
    value : int, float or None
        Unrounded; None where it is not defined, or hidden.
    unit : str
        Unit of `value`: ``"g"``, ``"log OR"``, ``"OR"``, ``"percent"``, ``"people"``, ``"studies"``, ``"p"`` ...
    method : str
        How it was computed, in words a methods section could use.
    n : int or None
        Observations behind it (rows, studies or people, as `method` and `unit` say).
    denominator : int or None
        Base of a percentage or rate.
    suppressed : bool
        True where a small number was hidden; `value` is then None.
    """

    id: str
    analysis: str
    statistic: str
    value: Number | None
    unit: str
    method: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)
    n: int | None = None
    denominator: int | None = None
    suppressed: bool = False

    def __post_init__(self) -> None:
        if self.suppressed and self.value is not None:
            raise IptError(f"row {self.id} is hidden but holds its number")

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON values, in the order the format names its fields."""
        row = {name: getattr(self, name) for name in _FIELDS}
        row["groups"] = dict(self.groups)
        return row


_Key = tuple[str, str, frozenset[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Results:
    """An ordered, immutable table of `ResultRow` with unique ids and unique keys.

    The key of a row is its analysis, its statistic and its group levels.
    """

    rows: tuple[ResultRow, ...]
    _index: dict[_Key, ResultRow] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        if len({row.id for row in self.rows}) != len(self.rows):
            raise IptError("two result rows have the same id")
        for row in self.rows:
            key = _key(row.analysis, row.statistic, row.groups)
            if key in self._index:
                raise IptError(f"two result rows hold {row.analysis}, {row.statistic}, {dict(row.groups)}")
            self._index[key] = row

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[ResultRow]:
        return iter(self.rows)

    def by_id(self) -> dict[str, ResultRow]:
        """Return the rows under their ids."""
        return {row.id: row for row in self.rows}

    def find(self, analysis: str, statistic: str, groups: Mapping[str, str] | None = None) -> ResultRow:
        """Return the one row with this analysis, statistic and exactly these group levels.

        Parameters
        ----------
        analysis, statistic : str
            As stored.
        groups : mapping of str to str, optional
            Level of each grouping variable.

        Returns
        -------
        ResultRow

        Raises
        ------
        IptError
            There is no such row.
        """
        key = _key(analysis, statistic, groups or {})
        if key not in self._index:
            raise IptError(f"no result row {analysis!r}, {statistic!r}, {groups!r}")
        return self._index[key]

    def to_frame(self) -> pd.DataFrame:
        """Return the rows as a frame, one column per field."""
        import pandas as pd

        return pd.DataFrame([row.to_dict() for row in self.rows], columns=list(_FIELDS))

    def to_json(self) -> str:
        """Return the table as JSON text; the same table always gives the same text."""
        rows = [row.to_dict() for row in self.rows]
        return json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


class ResultsBuilder:
    """Collects result rows and gives each a readable, unique id."""

    def __init__(self) -> None:
        self._rows: list[ResultRow] = []
        self._ids: set[str] = set()

    def add(
        self,
        analysis: str,
        statistic: str,
        value: Number | None,
        *,
        unit: str,
        method: str = "",
        groups: Mapping[str, str] | None = None,
        n: int | None = None,
        denominator: int | None = None,
    ) -> str:
        """Append a row and return its id.

        Parameters
        ----------
        analysis, statistic, value, unit, method, groups, n, denominator
            As in `ResultRow`. NumPy numbers are accepted; a value that is not finite is stored as None.

        Returns
        -------
        str
        """
        levels = dict(groups or {})
        row = ResultRow(
            id=self._unique_id(analysis, levels, statistic),
            analysis=analysis,
            groups=levels,
            statistic=statistic,
            value=_plain(value),
            unit=unit,
            method=method,
            n=None if n is None else int(n),
            denominator=None if denominator is None else int(denominator),
        )
        self._rows.append(row)
        return row.id

    def build(self) -> Results:
        """Return the finished table."""
        return Results(tuple(self._rows))

    def _unique_id(self, analysis: str, levels: Mapping[str, str], statistic: str) -> str:
        parts = [analysis, *levels.values(), statistic]
        stem = ".".join(_slug(part) for part in parts)
        candidate, number = stem, 2
        while candidate in self._ids:
            candidate, number = f"{stem}-{number}", number + 1
        self._ids.add(candidate)
        return candidate


def _key(analysis: str, statistic: str, groups: Mapping[str, str]) -> _Key:
    return analysis, statistic, frozenset(groups.items())


def _slug(text: str) -> str:
    """Letters, digits and hyphens: an id may hold nothing that a file, a page or a formula would read."""
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-") or "x"


def _plain(value: Number | None) -> Number | None:
    """Python's own int or float (NumPy scalars do not go into JSON), None for what is not finite."""
    if value is None:
        return None
    number = value.item() if hasattr(value, "item") else value
    if isinstance(number, bool | int):
        return int(number)
    return float(number) if math.isfinite(number) else None
