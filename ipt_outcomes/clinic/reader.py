"""What a reader can work out by adding and subtracting the counts shown, with every sum of a review."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from ipt_outcomes.privacy import Count, Implied, Link, Sum

# Sums have whole factors: what the algebra leaves of a count that follows is rounding.
_NOTHING = 1e-7


@dataclass(frozen=True, slots=True)
class WorkedOut:
    """A small count that follows from what is shown, and the counts shown that it follows from."""

    name: str
    shown: tuple[str, ...]


class Reader:
    """Knows every sum of a review, and that counts are what they are; works out what is not shown.

    Parameters
    ----------
    links : sequence of Link
        Only the sums count.
    counts : dict of str to int
        Complete counts by row id.
    """

    def __init__(self, links: Sequence[Link], counts: dict[str, int]) -> None:
        self.names: dict[str, int] = {}
        self.given: dict[str, int] = dict(counts)
        sums = [link for link in links if isinstance(link, Sum)]
        places = [[self._place(cell) for cell in (link.total, *link.parts)] for link in sums]
        self.matrix = np.zeros((len(sums), len(self.names)))
        for row, (total, *parts) in enumerate(places):
            self.matrix[row, total] += 1
            for part in parts:
                self.matrix[row, part] -= 1
        self.values = self._values()

    def worked_out(self, shown: Collection[str], is_small: Collection[int]) -> list[WorkedOut]:
        """Return the small counts that follow from the counts shown.

        Parameters
        ----------
        shown : collection of str
            Ids of counts known exactly.
        is_small : collection of int
            Numbers that must not be known.

        Returns
        -------
        list of WorkedOut
        """
        names = list(self.names)
        known = np.array([name in shown for name in names])
        unknown = np.flatnonzero(~known)
        left, singular, right = np.linalg.svd(self.matrix[:, unknown], full_matrices=True)
        rank = int((singular > _NOTHING * max(1.0, singular.max(initial=0.0))).sum())
        free = np.abs(right[rank:]).max(axis=0, initial=0.0)
        found = []
        for place in np.flatnonzero(free < _NOTHING):
            column = int(unknown[place])
            if int(self.values[column]) in is_small:
                # Weights of the sums that together leave nothing unknown but this count.
                weights = left[:, :rank] @ (right[:rank, place] / singular[:rank])
                used = np.abs(weights @ self.matrix) > _NOTHING
                found.append(WorkedOut(names[column], tuple(names[i] for i in np.flatnonzero(used & known))))
        return found

    def _place(self, cell: Count) -> int:
        name = f"implied: {cell.name}" if isinstance(cell, Implied) else cell
        if isinstance(cell, Implied) and cell.count is not None:
            self.given[name] = cell.count
        return self.names.setdefault(name, len(self.names))

    def _values(self) -> np.ndarray:
        """Every count, implied ones from the sums they stand in."""
        names = list(self.names)
        given = np.array([float(self.given.get(name, np.nan)) for name in names])
        unknown = np.flatnonzero(np.isnan(given))
        known = np.where(np.isnan(given), 0.0, given)
        solution = np.linalg.lstsq(self.matrix[:, unknown], -self.matrix @ known, rcond=None)[0]
        given[unknown] = solution
        return np.asarray(np.rint(given))
