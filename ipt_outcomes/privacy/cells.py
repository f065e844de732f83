"""Which counts of people to hide so that no small one can be worked out (cell suppression).

Readers it defends against
--------------------------
Every reader knows all numbers shown, every sum between counts, and that counts are whole and not negative.

- The *plain* reader knows no more. He must not be able to show that a small count lies in the hidden range:
  0 or a count large enough to be shown must stay possible. The same holds for the sum of the hidden parts of
  a shown total, which he gets by subtraction.
- The *informed* reader also knows, of every small count, that it is one (he knows the rule, and which counts
  were hidden for themselves and which to protect others). The largest and the smallest value left to him
  must be at least `narrowest` apart. Where that cannot be had by hiding everything (a small total of several
  small parts) two values must be left, and where not even that can be had the plain reader's rule alone holds.

A count is called protected only when other tables have been found that agree with all that is shown: whole
numbers, checked in integer arithmetic, so that the tolerance of a solver cannot make a leak look safe. Not defended
against: a reader who re-runs this choice on every table he thinks possible, and one who knows persons in it.

References
----------
Fischetti and Salazar (2001), Management Science 47(7):1008-1027, doi:10.1287/mnsc.47.7.1008.9805: the hidden set
of least cost that leaves every sensitive cell a given range.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ipt_outcomes.errors import IptError
from ipt_outcomes.privacy.search import Search, Target

# Of hiding a total rather than a part: it says more.
_TOTAL_COSTS_MORE = 0.5
# A count is shown again only where no more targets than this need another proof that they are protected; in
# small tables more are allowed, by this number over their counts.
_MOST_LOST, _MANY = 4, 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class CountTable:
    """Counts of people and the sums between them.

    Parameters
    ----------
    counts : mapping of str to int
        Every count a reader can see or work out, by id.
    sums : tuple of (str, tuple of str)
        Total and parts.
    implied : frozenset of str
        Counts nobody prints: they cannot be hidden, only made impossible to work out.
    seen_as : mapping of str to (int, int)
        What a reader learns of a count when it is shown: least and greatest value; itself where not given.
    extra_cost : mapping of str to float
        Cost of hiding a count besides 1, for what would be hidden with it.
    """

    counts: Mapping[str, int]
    sums: tuple[tuple[str, tuple[str, ...]], ...] = ()
    implied: frozenset[str] = frozenset()
    seen_as: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    extra_cost: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, count in self.counts.items():
            if count < 0:
                raise IptError(f"{name}: a count of people cannot be negative")
            low, high = self.seen_as.get(name, (count, count))
            if not low <= count <= high:
                raise IptError(f"{name}: the count is not one of those a reader may think of")
        for total, parts in self.sums:
            unknown = [name for name in (total, *parts) if name not in self.counts]
            if unknown:
                raise IptError(f"a sum names counts that there are not: {', '.join(unknown)}")
            if self.counts[total] != sum(self.counts[part] for part in parts):
                raise IptError(f"the parts of {total} do not add up to it: {', '.join(parts)}")


def counts_to_hide(
    table: CountTable, *, smallest_shown: int, narrowest: int, zero_shown: bool = True
) -> frozenset[str]:
    """Choose the counts to hide: the small ones, and as few and as small others as protect them.

    Parameters
    ----------
    table : CountTable
    smallest_shown : int
        Counts from 1 to one below this are small.
    narrowest : int
        Least distance of the largest and smallest value an informed reader cannot rule out; at most
        ``smallest_shown - 2``.
    zero_shown : bool
        Whether 0 is shown; where it is not it is hidden, but need not be kept from being worked out.

    Returns
    -------
    frozenset of str
        Same table, same set. At 1 `smallest_shown` hides nothing.

    Raises
    ------
    IptError
        `narrowest` is out of range.
    """
    if smallest_shown <= 1:
        return frozenset()
    if not 1 <= narrowest <= max(smallest_shown - 2, 1):
        raise IptError(f"narrowest must be 1 to {smallest_shown - 2} where counts from {smallest_shown} are shown")
    hidden: list[str] = []
    for part in _apart(table):
        search = _search(part, smallest_shown, zero_shown)
        if search.small.any():
            _protect(search, narrowest)
            _show_again(search, narrowest)
        hidden += [name for name, is_hidden in zip(part.counts, search.hidden, strict=True) if is_hidden]
    return frozenset(hidden) - table.implied


def _apart(table: CountTable) -> Iterator[CountTable]:
    """Split a table into parts that no sum connects: hiding in one does nothing for another."""
    names = {name: i for i, name in enumerate(table.counts)}
    pairs = [(names[total], names[part]) for total, parts in table.sums for part in parts]
    first, second = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(pairs)), (first, second)), shape=(len(names), len(names)))
    _, labels = connected_components(graph, directed=False)
    members: dict[int, dict[str, int]] = {}
    for (name, count), label in zip(table.counts.items(), labels, strict=True):
        members.setdefault(int(label), {})[name] = count
    sums: dict[int, list[tuple[str, tuple[str, ...]]]] = {}
    for total, parts in table.sums:
        sums.setdefault(int(labels[names[total]]), []).append((total, parts))
    for label, counts in members.items():
        yield replace(table, counts=counts, sums=tuple(sums.get(label, ())))


def _search(table: CountTable, smallest_shown: int, zero_shown: bool) -> Search:
    names = {name: i for i, name in enumerate(table.counts)}
    values = np.array(list(table.counts.values()), dtype=np.int64).reshape(-1)
    matrix = np.zeros((len(table.sums), len(names)), dtype=np.int64)
    for row, (total, parts) in enumerate(table.sums):
        matrix[row, names[total]] += 1
        for part in parts:
            matrix[row, names[part]] -= 1
    seen = np.array([table.seen_as.get(name, (count, count)) for name, count in table.counts.items()], dtype=np.int64)
    implied = np.array([name in table.implied for name in names], dtype=bool)
    small = (values > 0) & (values < smallest_shown)
    # How many are hidden comes first; the share of a count decides between sets of equal number.
    cost = 1.0 + _TOTAL_COSTS_MORE * (matrix > 0).any(axis=0) + values / (1.0 + values.sum())
    cost += np.array([table.extra_cost.get(name, 0.0) for name in names])
    return Search(
        values=values,
        matrix=matrix,
        seen=seen.reshape(-1, 2),
        small=small,
        hidden=implied | small | ((values == 0) & (not zero_shown)),
        implied=implied,
        cost=cost,
        smallest_shown=smallest_shown,
        least=1 if zero_shown else 0,
    )


def _order(search: Search) -> list[int]:
    """Small counts, largest first: its path most often protects smaller ones beside it."""
    found = np.flatnonzero(search.small)
    return sorted((int(i) for i in found), key=lambda i: (-int(search.values[i]), i))


def _protect(search: Search, narrowest: int) -> None:
    """Hide more until each small count, and each small sum of hidden parts, is protected."""
    order = _order(search)
    for every in (1, 2, 3):
        search.explore(np.array(order[::every]))
    for i in order:
        target = Target.of_cell(search, i)
        for width in sorted({narrowest, 1}, reverse=True):
            if search.is_wide(target, width) or search.extend(target, width):
                break
        if not search.is_open(target):
            search.extend(target, 0)
    # Hiding a part makes new sums of hidden parts; every round hides at least one more count.
    while (hidden_sum := _small_sum(search)) is not None:
        if not search.extend(hidden_sum, 0):
            search.hidden[:] = True


def _small_sum(search: Search) -> Target | None:
    return next((target for target in search.hidden_sums() if not search.is_open(target)), None)


def _show_again(search: Search, narrowest: int) -> None:
    """Show again each count that is not needed after all, the costliest first."""
    complementary = np.flatnonzero(search.hidden & ~search.small & ~search.implied & (search.values > 0))
    widths = {i: _width(search, i, narrowest) for i in _order(search)}
    for i in sorted((int(i) for i in complementary), key=lambda i: (-search.cost[i], i)):
        before = search.shown_again(i)
        if not _is_safe(search, widths):
            search.restore(before)


def _width(search: Search, i: int, narrowest: int) -> int:
    target = Target.of_cell(search, i)
    return next((width for width in (narrowest, 1) if search.is_wide(target, width)), 0)


def _is_safe(search: Search, widths: Mapping[int, int]) -> bool:
    targets = {i: Target.of_cell(search, i) for i in widths}
    lost = [i for i in widths if not search.is_known(targets[i], widths[i])]
    # A count that many lean on is seldom one too many, and each of them costs a programme to find out.
    if len(lost) > max(_MOST_LOST, _MANY // len(search.values)):
        return False
    return (
        all(search.is_open(targets[i]) and search.is_wide(targets[i], widths[i]) for i in lost)
        and _small_sum(search) is None
    )
