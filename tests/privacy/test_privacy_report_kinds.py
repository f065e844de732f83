"""Counts known by what they count: published in order, rows that are too fine, digits that are not printed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ipt_outcomes.errors import IptError
from ipt_outcomes.privacy import Fine, Kinds, Printed, Sum, protect
from ipt_outcomes.privacy.chains import small_chain
from ipt_outcomes.privacy.published import Seen, counts_not_published
from ipt_outcomes.results import Results, ResultsBuilder


def made(counts: dict[str, int]) -> Results:
    builder = ResultsBuilder()
    for name, count in counts.items():
        builder.add("a", name, count, unit="people")
    return builder.build()


def kinds(inside: dict[str, list[int]], people: list[int], order: list[int | None] | None = None) -> Kinds:
    """Which of the kinds are in each count."""
    table = np.array([[kind in held for held in inside.values()] for kind in range(len(people))], dtype=bool)
    names = tuple(f"a.{name}" for name in inside)
    places = tuple(range(len(names))) if order is None else tuple(order)
    return Kinds(counts=names, inside=table, people=np.array(people), order=places)


def shown(counts: dict[str, int], *links: Any, audience: Any = "public") -> set[str]:
    return {row.statistic for row in protect(made(counts), links, audience=audience) if not row.suppressed}


def test_the_last_published_of_a_chain_goes() -> None:
    """120 started, 91 completed, 93 cases, 74 of them completed: 10 did not complete and were no cases."""
    counts = {"starters": 120, "completers": 91, "cases": 93, "both": 74}
    inside = {"starters": [0, 1, 2, 3], "completers": [0, 1], "cases": [0, 2], "both": [0]}
    table = kinds(inside, [74, 17, 19, 10])
    assert shown(counts, table) == {"starters", "completers", "cases"}
    assert shown(counts, kinds(inside, [74, 17, 19, 10], [3, 2, 1, 0])) == {"completers", "cases", "both"}


def test_a_count_without_a_place_is_not_published() -> None:
    counts = {"all": 60, "some": 30}
    assert shown(counts, kinds({"all": [0, 1], "some": [0]}, [30, 30], [0, None])) == {"all"}


def test_tables_of_kinds_are_read_together() -> None:
    """The bands leave 18 with one session, 17 of whom had a score: one had none."""
    counts = {"ended": 197, "two": 90, "more": 89, "one": 18, "scored": 17}
    bands = kinds({"ended": [0, 1, 2], "two": [0], "more": [1], "one": [2]}, [90, 89, 18])
    scores = kinds({"ended": [0, 1, 2], "one": [0, 1], "scored": [0]}, [17, 1, 179], [0, 3, 4])
    assert shown(counts, bands, scores) == {"ended", "two", "more", "one"}
    wrong = kinds({"ended": [0, 1, 2], "one": [0, 1], "scored": [0]}, [17, 1, 178], [0, 3, 4])
    with pytest.raises(IptError, match="do not add up"):
        shown(counts, bands, wrong)


def test_kinds_must_be_those_of_the_counts() -> None:
    with pytest.raises(IptError, match="do not add up"):
        shown({"all": 60}, kinds({"all": [0]}, [59]))
    with pytest.raises(IptError, match="no count of people"):
        shown({"all": 60}, kinds({"some": [0]}, [60]))
    with pytest.raises(IptError, match="cannot be in a sum"):
        shown({"all": 60, "same": 60}, kinds({"all": [0]}, [60]), Sum("a.all", ("a.same",)))
    with pytest.raises(IptError, match="a row for each kind"):
        Kinds(counts=("a.all",), inside=np.ones((2, 1), dtype=bool), people=np.array([60]), order=(0,))


def test_fine_rows_are_left_out_and_their_counts_still_worked_out() -> None:
    counts = {"all": 60, "seen": 40, "lost": 20}
    results = made(counts)
    link = Sum("a.all", ("a.seen", "a.lost"))
    fine = Fine(("a.lost",))
    assert [row.id for row in protect(results, [link, fine], audience="public")] == ["a.all", "a.seen"]
    assert len(protect(results, [link, fine], audience="internal")) == 3
    few = made({"all": 60, "seen": 55, "lost": 5})
    seen = protect(few, [link, fine], audience="public").by_id()
    assert any(row.suppressed for row in seen.values())
    with pytest.raises(IptError, match="no row"):
        protect(results, [Fine(("a.nothing",))], audience="public")


def test_digits_that_are_not_printed_are_gone_where_counts_are_hidden() -> None:
    builder = ResultsBuilder()
    name = builder.add("a", "mean", 17 / 13, unit="points", n=13)
    other = builder.add("a", "gain", 17 / 13, unit="points", n=13)
    for audience, digits in (("public", 1.3), ("board", 1.3), ("internal", 17 / 13)):
        seen = protect(builder.build(), [Printed((name,), 1)], audience=audience).by_id()  # type: ignore[arg-type]
        assert seen[name].value == digits
        assert seen[other].value == 17 / 13


def test_a_chain_of_counts_that_overlap_is_found_and_broken() -> None:
    """Of a, b and c each two overlap: a + b + c - ab - ac - bc + abc is everyone in any of them, and 5 are in none."""
    inside = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)], dtype=bool)
    a, b, c = inside.T
    names = ("all", "a", "b", "c", "ab", "ac", "bc", "abc")
    sets = np.column_stack([np.ones(8, dtype=bool), a, b, c, a & b, a & c, b & c, a & b & c])
    people = np.array([5, 40, 41, 42, 43, 44, 45, 46])
    table = Kinds(counts=names, inside=sets, people=people, order=tuple(range(8)))
    known = dict(zip(names, (sets.T @ people).tolist(), strict=True))
    assert set(small_chain([table], known, 11)) == set(names)
    assert small_chain([table], {name: known[name] for name in names[:-1]}, 11) == []
    hidden = counts_not_published([table], Seen(smallest_shown=11, narrowest=3, zero_shown=True))
    left = {name: count for name, count in known.items() if name not in hidden}
    assert hidden
    assert small_chain([table], left, 11) == []


def test_chains_are_looked_for_to_the_end_within_each_thing_that_counts_are_about() -> None:
    """Two things apart: the chain over one of them is found beside any number of counts about the other."""
    inside = np.array([[x, y] for x in (0, 1) for y in (0, 1)], dtype=bool)
    sets = np.column_stack([np.ones(4, dtype=bool), inside[:, 0], inside[:, 1]])
    table = Kinds(
        counts=("all", "x", "y"),
        inside=sets,
        people=np.array([4, 3, 50, 50]),
        order=(0, 1, 2),
        about=("", "one", "two"),
    )
    assert set(small_chain([table], {"all": 107, "x": 100, "y": 53}, 11)) == {"all", "x"}
