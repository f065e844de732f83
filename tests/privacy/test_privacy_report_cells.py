"""Cell suppression: the property is judged by a reader written here, not by the search itself."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from ipt_outcomes.errors import IptError
from ipt_outcomes.privacy.cells import CountTable, counts_to_hide

TABLES = ("remission_by_arm", "problem_area_by_arm", "all_large", "two_by_two_one_small", "with_zero")
NARROWEST = {11: 5, 5: 2}


def cross_table(counts: Any, rows: Iterable[str], columns: Iterable[str], **options: Any) -> CountTable:
    """A two-way table with its margins."""
    values = np.asarray(counts)
    rows, columns = list(rows), list(columns)
    cells = {f"{r} / {c}": int(values[i, j]) for i, r in enumerate(rows) for j, c in enumerate(columns)}
    cells |= {r: int(values[i].sum()) for i, r in enumerate(rows)}
    cells |= {c: int(values[:, j].sum()) for j, c in enumerate(columns)}
    cells["all"] = int(values.sum())
    sums = [(r, tuple(f"{r} / {c}" for c in columns)) for r in rows]
    sums += [(c, tuple(f"{r} / {c}" for r in rows)) for c in columns]
    sums += [("all", tuple(rows)), ("all", tuple(columns))]
    return CountTable(counts=cells, sums=tuple(sums), **options)


def derived(
    table: CountTable, hidden: Iterable[str], wanted: Iterable[str], known: Mapping[str, tuple[int, int]] | None = None
) -> tuple[float, float]:
    """Smallest and largest value of a sum of counts that agrees with all a reader sees (linear programming)."""
    names = list(table.counts)
    hidden = set(hidden) | table.implied
    bounds = [(0, None) if n in hidden else table.seen_as.get(n, (table.counts[n], table.counts[n])) for n in names]
    bounds = [(known or {}).get(name, bound) for name, bound in zip(names, bounds, strict=True)]
    sums = np.zeros((len(table.sums), len(names)))
    for row, (total, parts) in enumerate(table.sums):
        sums[row, names.index(total)] = 1
        for part in parts:
            sums[row, names.index(part)] = -1
    goal = np.array([float(name in set(wanted)) for name in names])
    ends = []
    for sign in (1, -1):
        found = linprog(
            sign * goal,
            A_eq=sums if len(sums) else None,
            b_eq=np.zeros(len(sums)) if len(sums) else None,
            bounds=bounds,
        )
        ends.append(sign * found.fun if found.status == 0 else sign * -np.inf)
    return ends[0], ends[1]


def assert_protected(table: CountTable, hidden: frozenset[str], smallest_shown: int, narrowest: int) -> None:
    small = {name for name, count in table.counts.items() if 0 < count < smallest_shown}
    assert small <= hidden | table.implied
    for name in small:
        low, high = derived(table, hidden, [name])
        assert low < 1 or high > smallest_shown - 1, f"{name} lies in the hidden range"
    for total, parts in table.sums:
        unseen = [part for part in parts if part in hidden | table.implied]
        if total not in hidden | table.implied and 0 < sum(table.counts[part] for part in unseen) < smallest_shown:
            low, high = derived(table, hidden, unseen)
            assert low < 1 or high > smallest_shown - 1, f"what {total} leaves is in the hidden range"
    known = dict.fromkeys(small, (1, smallest_shown - 1))
    everything = frozenset(table.counts)
    for name in small:
        low, high = derived(table, hidden, [name], known)
        best_low, best_high = derived(table, everything, [name], known)
        needed = next((width for width in (narrowest, 1) if best_high - best_low >= width), 0)
        assert high - low >= needed - 1e-6, f"{name}: an informed reader is left with {low} to {high}"


@pytest.mark.parametrize("smallest_shown", [11, 5])
@pytest.mark.parametrize("name", TABLES)
def test_reference_tables_are_protected_with_no_more_cells_than_needed(
    reference: Any, name: str, smallest_shown: int
) -> None:
    case = reference("io/small_cells")["tables"][name]
    expected = case[f"threshold_{smallest_shown}"]
    table = cross_table(case["counts"], case["rows"], case["columns"])
    assert [table.counts[r] for r in case["rows"]] == case["row_totals"]
    hidden = counts_to_hide(table, smallest_shown=smallest_shown, narrowest=NARROWEST[smallest_shown])
    assert set(expected["primary"]) <= hidden
    assert len(hidden) <= len(expected["primary"]) + len(expected["complementary_min_count"])
    assert_protected(table, hidden, smallest_shown, NARROWEST[smallest_shown])


def test_the_reader_written_here_finds_what_the_reference_says(reference: Any) -> None:
    case = reference("io/small_cells")["tables"]["remission_by_arm"]
    table = cross_table(case["counts"], case["rows"], case["columns"])
    expected = case["threshold_11"]
    for name, (low, high) in expected["intervals_left"].items():
        hidden = expected["primary"] + expected["complementary_min_count"]
        assert derived(table, hidden, [name]) == pytest.approx((low, high))
    assert derived(table, expected["primary"], expected["primary"]) == pytest.approx((4, 4))


def test_a_small_total_goes_too(reference: Any) -> None:
    case = reference("io/small_cells")["tables"]["with_zero"]
    table = cross_table(case["counts"], case["rows"], case["columns"])
    hidden = counts_to_hide(table, smallest_shown=11, narrowest=5)
    assert "suicide attempt" in hidden
    assert "IPT / suicide attempt" not in hidden


def test_nothing_is_hidden_where_nothing_is_small_or_nothing_must_be() -> None:
    table = cross_table([[3, 30], [20, 40]], ["a", "b"], ["x", "y"])
    assert counts_to_hide(table, smallest_shown=1, narrowest=0) == frozenset()
    assert counts_to_hide(table, smallest_shown=3, narrowest=1) == frozenset()


def test_a_complement_nobody_prints_is_protected() -> None:
    """33 of 40 recovered: 7 did not, although no row says so."""
    table = CountTable(
        counts={"starters": 40, "recovered": 33, "not": 7},
        sums=(("starters", ("recovered", "not")),),
        implied=frozenset({"not"}),
    )
    assert counts_to_hide(table, smallest_shown=11, narrowest=5) == {"recovered"}


def test_two_counts_of_the_same_people_go_together() -> None:
    table = CountTable(
        counts={"flow": 14, "table": 14, "all": 20, "lost": 6}, sums=(("flow", ("table",)), ("all", ("flow", "lost")))
    )
    hidden = counts_to_hide(table, smallest_shown=11, narrowest=5)
    assert hidden in ({"lost", "flow", "table"}, {"lost", "all"})


def test_two_small_parts_that_an_informed_reader_could_solve() -> None:
    """1 + 1 = 2: whoever knows that neither is 0 knows both, so a third part has to go."""
    parts = {"a": 1, "b": 1, "c": 20, "d": 50}
    table = CountTable(counts={**parts, "all": 72}, sums=(("all", tuple(parts)),))
    assert counts_to_hide(table, smallest_shown=11, narrowest=5) == {"a", "b", "c"}


def test_zero_can_be_hidden_without_being_protected() -> None:
    table = CountTable(counts={"all": 20, "a": 20, "b": 0}, sums=(("all", ("a", "b")),))
    assert counts_to_hide(table, smallest_shown=5, narrowest=2, zero_shown=False) == {"b"}
    assert counts_to_hide(table, smallest_shown=5, narrowest=2) == frozenset()


def test_rounding_protects_as_far_as_it_goes() -> None:
    """All rounded: 3 of 63 is lost in it. The parts known exactly: one of them has to go."""
    counts = {"all": 63, "a": 60, "b": 3}
    sums = (("all", ("a", "b")),)
    rounded = {"all": (63, 67), "a": (58, 62)}
    assert counts_to_hide(CountTable(counts=counts, sums=sums, seen_as=rounded), smallest_shown=5, narrowest=2) == {"b"}
    exact = CountTable(counts=counts, sums=sums)
    assert len(counts_to_hide(exact, smallest_shown=5, narrowest=2)) == 2


@pytest.mark.parametrize(
    ("counts", "sums", "words"),
    [
        ({"a": -1}, (), "negative"),
        ({"a": 1}, (("a", ("b",)),), "that there are not: b"),
        ({"a": 3, "b": 1}, (("a", ("b",)),), "do not add up"),
    ],
)
def test_impossible_tables_are_refused(counts: dict[str, int], sums: Any, words: str) -> None:
    with pytest.raises(IptError, match=words):
        CountTable(counts=counts, sums=sums)


def test_narrowest_out_of_range_is_refused() -> None:
    with pytest.raises(IptError, match="narrowest must be 1 to 3"):
        counts_to_hide(CountTable(counts={"a": 1}), smallest_shown=5, narrowest=4)


cell_counts = st.one_of(st.integers(0, 14), st.integers(11, 60))
shapes = st.tuples(st.integers(2, 3), st.integers(2, 4))


@st.composite
def two_way(draw: st.DrawFn) -> CountTable:
    height, width = draw(shapes)
    values = draw(st.lists(st.lists(cell_counts, min_size=width, max_size=width), min_size=height, max_size=height))
    return cross_table(values, [f"r{i}" for i in range(height)], [f"c{j}" for j in range(width)])


@st.composite
def nested(draw: st.DrawFn) -> CountTable:
    """Starters in groups; in each of them completers, and responders among these; complements nobody prints."""
    counts: dict[str, int] = {}
    sums: list[tuple[str, tuple[str, ...]]] = []
    groups = [f"g{i}" for i in range(draw(st.integers(1, 3)))]
    for group in groups:
        chain = [draw(cell_counts) for _ in range(3)]
        starters, completers, responders = sum(chain), sum(chain[1:]), chain[2]
        counts |= {f"{group} starters": starters, f"{group} completers": completers, f"{group} responders": responders}
        counts |= {f"{group} lost": chain[0], f"{group} no response": chain[1]}
        sums.append((f"{group} starters", (f"{group} completers", f"{group} lost")))
        sums.append((f"{group} completers", (f"{group} responders", f"{group} no response")))
    for what in ("starters", "completers", "responders"):
        counts[what] = sum(counts[f"{group} {what}"] for group in groups)
        sums.append((what, tuple(f"{group} {what}" for group in groups)))
    implied = frozenset(name for name in counts if name.endswith(("lost", "no response")))
    return CountTable(counts=counts, sums=tuple(sums), implied=implied)


@settings(max_examples=60, deadline=None)
@given(table=st.one_of(two_way(), nested()), smallest_shown=st.sampled_from([11, 5]))
def test_no_small_count_can_be_worked_out(table: CountTable, smallest_shown: int) -> None:
    hidden = counts_to_hide(table, smallest_shown=smallest_shown, narrowest=NARROWEST[smallest_shown])
    assert not hidden & table.implied
    assert_protected(table, hidden, smallest_shown, NARROWEST[smallest_shown])
    again = counts_to_hide(table, smallest_shown=smallest_shown, narrowest=NARROWEST[smallest_shown])
    assert hidden == again


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.integers(0, 6), min_size=4, max_size=4))
def test_every_table_of_whole_numbers_tried(values: list[int]) -> None:
    """Two by two, 1 to 3 hidden: all tables of 0 to 12 are tried, so no solver has a say."""
    table = cross_table(np.reshape(values, (2, 2)), ["r0", "r1"], ["c0", "c1"])
    hidden = counts_to_hide(table, smallest_shown=4, narrowest=2)
    inner = np.array(list(itertools.product(range(13), repeat=4))).reshape(-1, 2, 2)
    columns = {f"r{i} / c{j}": inner[:, i, j] for i in (0, 1) for j in (0, 1)}
    columns |= {"r0": inner[:, 0].sum(1), "r1": inner[:, 1].sum(1), "all": inner.sum((1, 2))}
    columns |= {"c0": inner[:, :, 0].sum(1), "c1": inner[:, :, 1].sum(1)}
    possible = np.ones(len(inner), dtype=bool)
    for name, count in table.counts.items():
        if name not in hidden:
            possible &= columns[name] == count
    assert possible.any()
    for name, count in table.counts.items():
        if 0 < count < 4:
            left = columns[name][possible]
            assert ((left < 1) | (left > 3)).any()


@settings(max_examples=40, deadline=None)
@given(table=two_way(), draw=st.data())
def test_rounded_counts_protect_as_well(table: CountTable, draw: st.DataObject) -> None:
    """Some counts known exactly, the others to the nearest 5, as a board sees them."""
    exact = draw.draw(st.sets(st.sampled_from(sorted(table.counts))))
    seen = {
        n: (max(5 * ((c + 2) // 5) - 2, 5), 5 * ((c + 2) // 5) + 2)
        for n, c in table.counts.items()
        if c >= 5 and n not in exact
    }
    table = CountTable(counts=table.counts, sums=table.sums, seen_as=seen)
    hidden = counts_to_hide(table, smallest_shown=5, narrowest=2)
    assert_protected(table, hidden, 5, 2)


def test_two_hundred_counts_take_less_than_two_seconds() -> None:
    rng = np.random.default_rng(1)
    table = cross_table(
        rng.negative_binomial(1, 1 / 41, size=(12, 15)), [f"r{i}" for i in range(12)], [f"c{j}" for j in range(15)]
    )
    assert len(table.counts) == 208
    start = time.process_time()
    hidden = counts_to_hide(table, smallest_shown=11, narrowest=5)
    assert time.process_time() - start < 2
    assert_protected(table, hidden, 11, 5)
