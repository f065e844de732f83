"""What the load gate did: each column or group of cells it refused, changed, left out or warned of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from ipt_outcomes.results import ResultObject

Action = Literal["refused", "left out", "changed", "warned"]
GATE_COLUMNS = ("rule", "action", "column", "count", "detail")


@dataclass(frozen=True, slots=True, kw_only=True)
class GateEntry:
    """One thing the gate did.

    Parameters
    ----------
    rule : str
        Id of the rule, ``"L1"`` to ``"L14"``.
    action : {"refused", "left out", "changed", "warned"}
    column : str
        Column of the source concerned, or "" where it is not one column.
    detail : str
        What was done, in words. Never a value, an id or a name of a person.
    count : int or None
        Cells, rows or people concerned, as `detail` says.
    """

    rule: str
    action: Action
    column: str
    detail: str
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate(ResultObject):
    """Everything the load gate did with one source, in the order of its rules.

    Parameters
    ----------
    entries : tuple of GateEntry
    """

    entries: tuple[GateEntry, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return one row per entry: ``rule action column count detail``."""
        rows = [[getattr(entry, name) for name in GATE_COLUMNS] for entry in self.entries]
        frame = pd.DataFrame(rows, columns=list(GATE_COLUMNS))
        return frame.astype({"count": "Int64"})

    def summary(self, digits: int = 2) -> str:
        """Return one line per entry."""
        if not self.entries:
            return "The gate changed nothing."
        lines = [f"{entry.rule} {entry.action}: {entry.detail}" for entry in self.entries]
        return "\n".join([f"The gate: {len(lines)} entries.", *lines])
