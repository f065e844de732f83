"""The tables a reader cannot rule out, found by linear programming and kept as witnesses."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import block_array, csr_array, eye_array, kron
from scipy.sparse.csgraph import connected_components

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
State = tuple[Flags, Integers, Integers, "NDArray[np.int32] | None"]

# How many linear programmes the search for a solution in whole numbers may take.
_MOST_BRANCHES = 60
# What a solver calls 0.
_TINY = 1e-7


@dataclass(frozen=True, slots=True)
class Target:
    """What must not be worked out: one count, or the sum of the hidden parts of a total.

    Parameters
    ----------
    cells : numpy.ndarray of int
        Positions that are added up.
    value : int
        Their true sum.
    """

    cells: Integers
    value: int

    @classmethod
    def of_cell(cls, search: Search, i: int) -> Target:
        """Return the target that is one count."""
        return cls(np.array([i], dtype=np.int64), int(search.values[i]))


@dataclass(slots=True, kw_only=True)
class Search:
    """The state of a search: what is hidden, and which other tables are known to agree with what is shown.

    Parameters
    ----------
    values : numpy.ndarray of int, shape (n,)
    matrix : numpy.ndarray of int, shape (m, n)
        One row per sum: +1 for the total, -1 for each part.
    seen : numpy.ndarray of int, shape (n, 2)
        Least and greatest value a reader thinks possible of a count that is shown.
    small, hidden, implied : numpy.ndarray of bool, shape (n,)
        Hidden for itself; not shown (implied counts are never shown); printed nowhere.
    cost : numpy.ndarray of float, shape (n,)
        Of hiding each count.
    smallest_shown : int
    least : int
        Least value of a small count, as the informed reader knows.
    """

    values: Integers
    matrix: Integers
    seen: Integers
    small: Flags
    hidden: Flags
    implied: Flags
    cost: NDArray[np.float64]
    smallest_shown: int
    least: int
    _plain: Integers = field(init=False)
    _informed: Integers = field(init=False)
    _parts: NDArray[np.int32] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        # Witnesses: differences from the true table that the reader cannot rule out; the truth is one of them.
        self._plain = np.zeros((1, len(self.values)), dtype=np.int64)
        self._informed = self._plain

    def is_open(self, target: Target) -> bool:
        """Whether the plain reader can show nothing of the target: 0 or a large value is possible."""
        if self._is_known_open(target):
            return True
        for sign in (-1, 1):
            witness = self._extreme(target, sign, informed=False)
            value = target.value + int(witness[target.cells].sum())
            if value <= 0 or value >= self.smallest_shown:
                return True
        return False

    def is_wide(self, target: Target, width: int) -> bool:
        """Whether values at least `width` apart are possible for the informed reader."""
        if self._spread(target) >= width:
            return True
        for sign in (1, -1):
            self._extreme(target, sign, informed=True)
            if self._spread(target) >= width:
                return True
        return False

    def hidden_sums(self) -> list[Target]:
        """Return the sum of the parts not shown of each total that is shown, where that sum is small."""
        parts = (self.matrix < 0) & self.hidden
        sums = parts @ self.values
        totals = (self.matrix > 0) & ~self.hidden
        wanted = (parts.sum(axis=1) > 1) & totals.any(axis=1) & (sums > 0) & (sums < self.smallest_shown)
        return [Target(np.flatnonzero(parts[row]), int(sums[row])) for row in np.flatnonzero(wanted)]

    def explore(self, cells: Integers) -> None:
        """Look for tables in which many counts are as large, and as small, as a reader may think."""
        together = Target(cells, int(self.values[cells].sum()))
        for informed in (True, False):
            for sign in (1, -1):
                self._extreme(together, sign, informed=informed)

    def is_known(self, target: Target, width: int) -> bool:
        """Whether the tables found so far show that a target is open, and wide enough."""
        return self._is_known_open(target) and self._spread(target) >= width

    def extend(self, target: Target, width: int) -> bool:
        """Hide the cheapest further counts that protect a target.

        Parameters
        ----------
        target : Target
        width : int
            What the informed reader is to be left with; 0 protects against the plain reader.

        Returns
        -------
        bool
            Whether it was possible.
        """
        if width:
            choices = [self._cheapest(target, width, (1, -1))]
        else:
            up, down = self.smallest_shown - target.value, target.value
            choices = [self._cheapest(target, down, (-1,)), self._cheapest(target, up, (1,))]
        possible = [choice for choice in choices if choice is not None]
        if not possible:
            return False
        _, chosen = min(possible, key=lambda choice: (choice[0], choice[1].tolist()))
        self._hide(chosen)
        if self.is_wide(target, width) if width else self.is_open(target):
            return True
        # Fractions can promise what whole numbers do not keep.
        self._hide(np.arange(len(self.values)))
        return self.is_wide(target, width) if width else self.is_open(target)

    def shown_again(self, i: int) -> State:
        """Show a count, forget the witnesses that needed it hidden, and return the state before."""
        before = (self.hidden, self._plain, self._informed, self._parts)
        self.hidden = self.hidden.copy()
        self.hidden[i] = False
        self._parts = None
        low, high = self.seen[i] - self.values[i]
        self._plain, self._informed = (
            witnesses[(low <= witnesses[:, i]) & (witnesses[:, i] <= high)]
            for witnesses in (self._plain, self._informed)
        )
        return before

    def restore(self, state: State) -> None:
        """Go back to a state that `shown_again` returned."""
        self.hidden, self._plain, self._informed, self._parts = state

    def _is_known_open(self, target: Target) -> bool:
        values = np.concatenate([w[:, target.cells].sum(axis=1) for w in (self._informed, self._plain)]) + target.value
        return bool(((values <= 0) | (values >= self.smallest_shown)).any())

    def _hide(self, cells: Integers) -> None:
        self.hidden = self.hidden.copy()
        self.hidden[cells] = True
        self._parts = None

    def _spread(self, target: Target) -> int:
        return int(np.ptp(self._informed[:, target.cells].sum(axis=1)))

    def _bounds(self, hidden: Flags, *, informed: bool) -> tuple[Integers, Integers]:
        """How far below and above the truth each count can be, for a reader who sees all but `hidden`."""
        low = np.where(hidden, -self.values, self.seen[:, 0] - self.values)
        # Far enough for every other count to be 0 or large; a bound keeps the programmes bounded.
        far = int(self.values.sum()) + 4 * self.smallest_shown
        high = np.where(hidden, far, self.seen[:, 1] - self.values)
        if informed:
            low = np.where(hidden & self.small, self.least - self.values, low)
            high = np.where(hidden & self.small, self.smallest_shown - 1 - self.values, high)
        return low, high

    def _moving(self, target: Target) -> Integers:
        """The counts that can move together with a target as things are: those its sums hold, and so on."""
        if self._parts is None:
            self._parts = self._split()
        parts = self._parts[target.cells]
        return np.flatnonzero(np.isin(self._parts, parts[parts >= 0]))

    def _split(self) -> NDArray[np.int32]:
        """Number the sets of counts that can move together; -1 for a count that cannot move."""
        low, high = self._bounds(self.hidden, informed=False)
        used = csr_array((self.matrix != 0).astype(np.int32))
        free = low < high
        while True:
            # The only count of a sum that could move cannot move.
            alone = (used @ free.astype(np.int32)) == 1
            fixed = (used.T @ alone.astype(np.int32) > 0) & free
            if not fixed.any():
                break
            free &= ~fixed
        touched = used[:, free]
        graph = block_array([[None, touched], [touched.T, None]])
        _, labels = connected_components(graph, directed=False)
        parts = np.full(len(free), -1, dtype=np.int32)
        parts[free] = labels[used.shape[0] :]
        return parts

    def _extreme(self, target: Target, sign: int, *, informed: bool) -> Integers:
        """Largest or smallest value a reader cannot rule out, as a witness that is checked and kept."""
        low, high = self._bounds(self.hidden, informed=informed)
        witness = np.zeros_like(self.values)
        cells = self._moving(target)
        if not len(cells):
            return witness
        rows = self.matrix[:, cells]
        goal = np.where(np.isin(cells, target.cells), -float(sign), 0.0)
        found = in_whole_numbers(goal, csr_array(rows[rows.any(axis=1)]), low[cells], high[cells])
        if found is None:
            return witness
        witness[cells] = found.astype(np.int64)
        if (self.matrix @ witness).any() or (low > witness).any() or (witness > high).any():
            return np.zeros_like(witness)
        if informed:
            self._informed = np.vstack([self._informed, witness])
        else:
            self._plain = np.vstack([self._plain, witness])
        return witness

    def _cheapest(self, target: Target, by: int, signs: tuple[int, ...]) -> tuple[float, Integers] | None:
        """The cheapest counts to hide so that the target can move.

        With two signs, one table moves it up and one down, together by the distance given, within what the
        informed reader thinks possible; with one sign, one table moves it by the distance.
        """
        informed = len(signs) > 1
        programme = _Programme(
            matrix=self.matrix,
            shown=~self.hidden,
            hidden_bounds=self._bounds(np.ones_like(self.hidden), informed=informed),
            now_bounds=self._bounds(self.hidden, informed=informed),
            far=4 * self.smallest_shown,
        )
        place = np.zeros(len(self.values))
        place[target.cells] = 1.0
        cost, chosen = programme.solve(self.cost[~self.hidden], [sign * place for sign in signs], by)
        return None if chosen is None else (cost, np.flatnonzero(~self.hidden)[chosen])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Programme:
    """Choose shown counts to hide so that tables with wanted differences become possible.

    Each table has a difference ``y`` per count, within what would be possible were the count hidden. A count
    that stays shown moves at most as far as it does now: ``y - x * far`` is within those bounds, ``x`` being 1
    for the counts to hide.
    """

    matrix: Integers
    shown: Flags
    hidden_bounds: tuple[Integers, Integers]
    now_bounds: tuple[Integers, Integers]
    far: int

    def solve(
        self, cost: NDArray[np.float64], wanted: list[NDArray[np.float64]], least: int
    ) -> tuple[float, Integers | None]:
        """Return the cost and the positions, among the shown counts, to hide.

        Parameters
        ----------
        cost : numpy.ndarray of float
            Of each shown count.
        wanted : list of numpy.ndarray of float
            One table for each: what its differences are multiplied with, summed over all tables.
        least : int
            The least value of that sum.
        """
        n, tables, k = len(self.shown), len(wanted), int(self.shown.sum())
        now_low, now_high = self.now_bounds
        select = eye_array(n, format="csr")[self.shown]
        reach = eye_array(k, format="csr") * self.far
        sums = csr_array(self.matrix.astype(float))
        apart = eye_array(tables, format="csr")
        together = csr_array(np.ones((tables, 1)))
        limits = kron(apart, select)
        zero = csr_array((sums.shape[0] * tables, k))
        rows = block_array(
            [
                [kron(apart, sums), zero],
                [limits, -kron(together, reach)],
                [limits, kron(together, reach)],
                [csr_array(np.concatenate(wanted)[None, :]), csr_array((1, k))],
            ],
            format="csr",
        )
        free = np.full(k * tables, np.inf)
        none = np.zeros(sums.shape[0] * tables)
        low = [none, -free, np.tile(now_low[self.shown], tables), np.array([float(least)])]
        high = [none, np.tile(now_high[self.shown], tables), free, np.array([np.inf])]
        # No count of a path need move much further than the target does.
        lower = np.maximum(self.hidden_bounds[0], np.minimum(-self.far, now_low))
        upper = np.minimum(self.hidden_bounds[1], np.maximum(self.far, now_high))
        found = milp(
            np.concatenate([np.zeros(tables * n), cost]),
            constraints=LinearConstraint(rows, np.concatenate(low), np.concatenate(high)),
            bounds=Bounds(
                np.concatenate([np.tile(lower, tables), np.zeros(k)]),
                np.concatenate([np.tile(upper, tables), np.ones(k)]),
            ),
        )
        if found.x is None:
            return np.inf, None
        chosen = np.flatnonzero(found.x[tables * n :] > _TINY)
        return float(cost[chosen].sum()), chosen


def in_whole_numbers(
    goal: NDArray[np.float64],
    sums: csr_array,
    low: Integers,
    high: Integers,
    within: tuple[NDArray[np.float64], NDArray[np.float64]] | tuple[float, float] = (0.0, 0.0),
    *,
    simplify: bool = True,
    most_branches: int = _MOST_BRANCHES,
) -> NDArray[np.float64] | None:
    """Solve a programme in whole numbers by branching on its linear relaxation, which mostly is whole already.

    SciPy's own integer solver writes to the standard output of the process now and then.

    Parameters
    ----------
    goal : numpy.ndarray of float, shape (n,)
        To be made least.
    sums : scipy.sparse.csr_array, shape (m, n)
    low, high : numpy.ndarray of int, shape (n,)
        Between which the n numbers lie.
    within : tuple
        Between which each of the m sums lies.
    simplify : bool
        Whether the solver looks for simplifications first; of programmes with few sums that costs more than it saves.
    most_branches : int
        How many programmes may be solved.

    Returns
    -------
    numpy.ndarray of float or None
        None where there is no solution, or none was found soon enough.
    """
    constraints = [LinearConstraint(sums, *within)] if sums.shape[0] else []
    open_ranges = [(low.astype(float), high.astype(float))]
    for _ in range(most_branches):
        if not open_ranges:
            return None
        least, most = open_ranges.pop()
        x = milp(goal, constraints=constraints, bounds=Bounds(least, most), options={"presolve": simplify}).x
        if x is None:
            continue
        off = np.abs(x - np.rint(x))
        if off.max() <= _TINY:
            whole: NDArray[np.float64] = np.rint(x)
            return whole
        i = int(off.argmax())
        below, above = most.copy(), least.copy()
        below[i], above[i] = np.floor(x[i]), np.ceil(x[i])
        branches = [(least, below), (above, most)]
        # The last one is tried first: the one nearer to the relaxation.
        open_ranges += branches if x[i] - below[i] > 0.5 else branches[::-1]
    return None
