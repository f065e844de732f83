"""Chains of counts: added and taken away, they leave one small group of people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from ipt_outcomes.errors import ConvergenceError
from ipt_outcomes.privacy.links import Kinds
from ipt_outcomes.privacy.search import Integers

# Branches of the search among all counts; among those about one thing it goes on to the end. Counted, not timed, so
# that the same data give the same report on any machine.
_MOST_BRANCHES = 200
_TO_THE_END = 1_000_000
# Status of a programme without a solution.
_NONE_THERE = 2


def small_chain(tables: Sequence[Kinds], known: Mapping[str, int], smallest_shown: int) -> list[str]:
    """Return counts that, each added or taken away once, leave 1 to `smallest_shown - 1` people.

    Parameters
    ----------
    tables : sequence of Kinds
    known : mapping of str to int
        Counts that are known exactly.
    smallest_shown : int

    Returns
    -------
    list of str
        Empty where no chain was found: then there is none among the counts about any one thing, and those about
        nothing in particular; among all a chain can be missed.

    Raises
    ------
    ConvergenceError
        The search among counts about one thing came to no end.

    Notes
    -----
    Everyone is in the group that is left once, or not at all: that holds for every kind of person, whether there are
    any or not, since the reader does not know which kinds there are.
    """
    for table in tables:
        for places, most_branches in _parts(table, known):
            values = np.array([known[table.counts[place]] for place in places], dtype=float)
            chain = _chain(table.inside[:, places], values, smallest_shown, most_branches)
            if len(chain):
                return [table.counts[place] for place in places[chain]]
    return []


def _parts(table: Kinds, known: Mapping[str, int]) -> Iterator[tuple[Integers, int]]:
    """Sets of counts to search, and how long: those about each thing, then all."""
    places = np.array([i for i, name in enumerate(table.counts) if name in known], dtype=np.int64)
    about = np.array([table.about[i] for i in places], dtype=object)
    things = sorted(set(about.tolist()) - {""})
    for thing in things or [""]:
        yield places[(about == thing) | (about == "")], _TO_THE_END
    if len(things) > 1:
        yield places, _MOST_BRANCHES


def _chain(inside: np.ndarray, values: np.ndarray, smallest_shown: int, most_branches: int) -> Integers:
    if not len(values):
        return np.empty(0, dtype=np.int64)
    kinds = np.unique(inside, axis=0).astype(float)
    found = milp(
        np.zeros(len(values)),
        constraints=[
            LinearConstraint(csr_array(kinds), 0, 1),
            LinearConstraint(values[None, :], 1, smallest_shown - 1),
        ],
        integrality=np.ones(len(values)),
        bounds=Bounds(-1, 1),
        options={"node_limit": most_branches},
    )
    if found.x is not None:
        return np.flatnonzero(np.abs(found.x) > 0.5)
    if most_branches == _TO_THE_END and found.status != _NONE_THERE:
        raise ConvergenceError(
            "it could not be settled whether the counts of this report give a small group away",
            hint="Compare fewer groups at once, or choose the audience internal.",
        )
    return np.empty(0, dtype=np.int64)
