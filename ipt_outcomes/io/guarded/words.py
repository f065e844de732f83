"""Names in sentences."""

from __future__ import annotations

_LONGEST_NAME = 64


def shown(column: str) -> str:
    """Return a column's name for a sentence, cut where it is very long."""
    return column if len(column) <= _LONGEST_NAME else column[: _LONGEST_NAME - 3] + "..."
