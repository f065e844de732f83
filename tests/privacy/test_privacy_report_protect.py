"""What a reader sees of a table of results: counts, what is computed from them, and the fields beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from ipt_outcomes.errors import IptError, OptionError
from ipt_outcomes.privacy import (
    Derived,
    Implied,
    Link,
    Modelled,
    Sum,
    audience_rule,
    describe,
    hidden_counts,
    part_of,
    protect,
)
from ipt_outcomes.results import ResultRow, Results, ResultsBuilder


class Made:
    """A table of results in the making, and what is seen of it."""

    def __init__(self) -> None:
        self.builder = ResultsBuilder()
        self.links: list[Link] = []

    def people(self, name: str, count: int, analysis: str = "a", **groups: str) -> str:
        return self.builder.add(analysis, name, count, unit="people", groups=groups)

    def other(self, name: str, value: float, unit: str, analysis: str = "a", groups: Any = None, **fields: Any) -> str:
        return self.builder.add(analysis, name, value, unit=unit, groups=groups, **fields)

    def seen(self, audience: Any) -> dict[str, ResultRow]:
        return protect(self.builder.build(), self.links, audience=audience).by_id()


@pytest.fixture
def made() -> Made:
    return Made()


# Audiences


def test_rules_of_the_audiences() -> None:
    assert [audience_rule(a).hides for a in ("internal", "board", "public", "publication")] == [
        False,
        True,
        True,
        False,
    ]
    public, board = audience_rule("public"), audience_rule("board")
    assert [n for n in range(30) if public.is_small(n)] == list(range(1, 11))
    assert [n for n in range(30) if board.is_small(n)] == [1, 2, 3, 4]
    assert public.rounded(17) == 17
    with pytest.raises(OptionError, match="audience must be one of"):
        describe("everyone")  # type: ignore[arg-type]


@pytest.mark.parametrize("audience", ["internal", "board", "public", "publication"])
def test_every_audience_is_described_in_a_sentence(audience: Any) -> None:
    assert describe(audience).endswith(".")
    assert ("hidden" in describe(audience)) == audience_rule(audience).hides


@given(st.integers(0, 10_000))
def test_rounding_is_to_the_nearest_and_stays(count: int) -> None:
    rounded = audience_rule("board").rounded(count)
    assert rounded % 5 == 0
    assert abs(rounded - count) <= 2
    assert audience_rule("board").rounded(rounded) == rounded


def test_board_counts_are_those_of_the_nhs_rule(reference: Any) -> None:
    """Rates: shown ones agree; one is hidden besides, as 5 of 9 leaves 4 who did not recover."""
    for row in reference("clinic/suppression_nhs")["rows"]:
        made = Made()
        numerator, denominator = made.people("numerator", row["num"]), made.people("denominator", row["den"])
        percent = made.other("percent", 100 * row["num"] / row["den"], "percent", denominator=row["den"])
        seen = made.seen("board")
        rest = row["den"] - row["num"]
        if row["rate_shown"] != "*" and not 0 < rest < 5:
            assert f"{seen[percent].value:.1f}" == row["rate_shown"]
        else:
            assert seen[percent].suppressed
        for name, shown in ((numerator, row["num_shown"]), (denominator, row["den_shown"])):
            if shown == "*" or not seen[name].suppressed:
                assert ("*" if seen[name].suppressed else str(seen[name].value)) == shown


# Who sees what


def test_internal_and_publication_see_everything(made: Made) -> None:
    made.people("n", 3)
    made.other("mean", 2.0, "points", n=3)
    results = made.builder.build()
    assert protect(results, audience="internal") == protect(results, audience="publication") == results


def test_small_counts_are_hidden_zero_and_large_ones_shown(made: Made) -> None:
    ids = {count: made.people(f"n{count}", count) for count in (0, 1, 4, 5, 10, 11, 17)}
    public, board = made.seen("public"), made.seen("board")
    assert {count: public[name].value for count, name in ids.items()} == {
        0: 0,
        1: None,
        4: None,
        5: None,
        10: None,
        11: 11,
        17: 17,
    }
    assert {count: board[name].value for count, name in ids.items()} == {
        0: None,
        1: None,
        4: None,
        5: 5,
        10: 10,
        11: 10,
        17: 15,
    }
    assert hidden_counts(protect(made.builder.build(), audience="public")) == 4


def test_only_people_are_counted(made: Made) -> None:
    studies = made.other("studies", 3, "studies")
    sessions = made.other("sessions", 12.5, "sessions", n=40)
    for audience in ("public", "board"):
        seen = made.seen(audience)
        assert (seen[studies].value, seen[sessions].value) == (3, 12.5)


def test_hidden_rows_keep_their_place_and_lose_every_number(made: Made) -> None:
    made.people("n", 3)
    name = made.other("mean", 7.25, "points", n=3, denominator=3)
    results = made.builder.build()
    seen = protect(results, audience="public")
    assert [row.id for row in seen] == [row.id for row in results]
    row = seen.by_id()[name]
    assert (row.value, row.n, row.denominator, row.suppressed) == (None, None, None, True)


# What goes with a count


def test_a_percentage_goes_with_its_numerator_and_its_limits(made: Made) -> None:
    made.people("numerator", 7)
    made.people("denominator", 40)
    rate = [
        made.other(name, value, "percent", n=40, denominator=40)
        for name, value in (("percent", 17.5), ("ci_low", 8.75), ("ci_high", 31.9))
    ]
    seen = made.seen("public")
    assert all(seen[name].suppressed for name in rate)
    assert seen["a.denominator"].value == 40


def test_a_percentage_goes_with_a_small_complement(made: Made) -> None:
    """33 of 40: 7 did not."""
    numerator = made.people("numerator", 33)
    made.people("denominator", 40)
    percent = made.other("percent", 82.5, "percent", denominator=40)
    seen = made.seen("public")
    assert seen[numerator].suppressed
    assert seen[percent].suppressed


def test_a_percentage_alone_gives_its_count_back(made: Made) -> None:
    small = made.other("percent", 17.5, "percent", denominator=40, groups={"rate": "recovery"})
    rest = made.other("percent", 82.5, "percent", denominator=40, groups={"rate": "response"})
    fine = made.other("percent", 50.0, "percent", denominator=40, groups={"rate": "remission"})
    none = made.other("percent", 0.0, "percent", denominator=40, groups={"rate": "relapse"})
    seen = made.seen("public")
    assert [seen[name].suppressed for name in (small, rest, fine, none)] == [True, True, False, False]


def test_a_count_with_its_denominator_gives_the_complement(made: Made) -> None:
    count = made.builder.add("a", "recovered", 33, unit="people", denominator=40)
    row = made.seen("public")[count]
    assert row.suppressed or row.denominator is None


def test_whole_limits_are_not_taken_for_counts(made: Made) -> None:
    """A limit of 10% of 40 is not 4 people."""
    made.people("numerator", 20)
    made.people("denominator", 40)
    rate = [
        made.other(name, value, "percent", denominator=40)
        for name, value in (("percent", 50.0), ("ci_low", 10.0), ("ci_high", 90.0))
    ]
    assert not any(made.seen("public")[name].suppressed for name in rate)


@pytest.mark.parametrize("statistic", ["mean", "sd", "median"])
def test_means_of_too_few_go(made: Made, statistic: str) -> None:
    few = made.other(statistic, 12.0, "points", n=10, groups={"area": "grief"})
    enough = made.other(statistic, 12.0, "points", n=11, groups={"area": "role_dispute"})
    seen = made.seen("public")
    assert seen[few].suppressed
    assert seen[enough].value == 12.0


def test_a_mean_goes_with_the_count_its_n_is(made: Made) -> None:
    """17 is hidden to protect 4, and the mean and its SD would give 17 back."""
    made.people("observed", 17, area="grief")
    made.people("lost", 4, area="grief")
    made.people("starters", 21, area="grief")
    made.links.append(Sum("a.grief.starters", ("a.grief.observed", "a.grief.lost")))
    mean = made.other("mean", 12.5, "points", analysis="scores", groups={"area": "grief", "week": "12"}, n=17)
    elsewhere = made.other(
        "mean", 12.5, "points", analysis="scores", groups={"area": "role_dispute", "week": "12"}, n=17
    )
    seen = made.seen("public")
    assert seen["a.grief.observed"].suppressed
    assert seen[mean].suppressed
    assert seen[elsewhere].n == 17


def test_numbers_without_n_go_with_the_counts_beside_them(made: Made) -> None:
    made.people("n", 3, area="grief")
    beside = made.other("mean", 12.5, "points", groups={"area": "grief"})
    apart = made.other("mean", 12.5, "points", groups={"area": "role_dispute"})
    seen = made.seen("public")
    assert seen[beside].suppressed
    assert not seen[apart].suppressed


def test_ratios_of_counts_go_with_any_count_of_their_analysis(made: Made) -> None:
    for arm, events in (("ipt", 7), ("usual_care", 18)):
        made.people("events", events, analysis="response", arm=arm)
        made.people("n", 40, analysis="response", arm=arm)
    groups = {"comparator": "usual_care"}
    odds = made.other("ratio", 0.26, "OR", analysis="response", groups=groups, n=80)
    test = made.other("p_value", 0.0146, "p", analysis="response", groups=groups, n=80)
    other = made.other("ratio", 0.9, "OR", analysis="adherence", groups=groups, n=80)
    seen = made.seen("public")
    assert seen[odds].suppressed
    assert seen[test].suppressed
    assert seen[other].value == 0.9


def test_declared_rows_go_only_with_their_counts(made: Made) -> None:
    made.people("lost", 3, arm="ipt")
    first, second = made.people("events", 30, arm="ipt"), made.people("n", 60, arm="ipt")
    declared = made.other("ratio", 1.5, "OR", groups={"arm": "ipt"})
    made.links.append(Derived((declared,), (first, second)))
    assert not made.seen("public")[declared].suppressed
    made.links.append(Derived((declared,), ("a.ipt.lost",)))
    assert made.seen("public")[declared].suppressed


def test_a_model_stays_while_its_groups_are_large_enough(made: Made) -> None:
    """17 of 21 are hidden to protect 4, but an estimate from 17 and 40 people gives neither back (P5)."""
    made.people("starters", 21)
    observed = made.people("observed", 17)
    made.links.append(part_of("a.starters", "a.observed"))
    large = made.people("other arm", 40)
    estimate = made.other("estimate", -2.5, "points", analysis="model", n=17)
    made.links.append(Modelled((estimate,), (observed, large)))
    seen = made.seen("public")
    assert seen[observed].suppressed
    assert seen[estimate].value == -2.5
    assert seen[estimate].n is None


@pytest.mark.parametrize("count", [0, 4, 10])
def test_a_model_goes_with_a_group_too_small(made: Made, count: int) -> None:
    small, large = made.people("n1", count), made.people("n2", 60)
    estimate = made.other("estimate", -2.5, "points", analysis="model", n=60 + count)
    made.links.append(Modelled((estimate,), (small, large)))
    assert made.seen("public")[estimate].suppressed


def test_fields_obey_the_rule(made: Made) -> None:
    name = made.other("estimate", -2.5, "points", n=60)
    made.links.append(Modelled((name,), ()))
    assert made.seen("public")[name].n == 60
    assert made.seen("board")[name].n == 60
    other = made.other("mean", 2.5, "points", n=63)
    assert made.seen("board")[other].n == 65


# What protects a count


def test_a_level_left_out_is_a_count(made: Made) -> None:
    """100 in all, 60 and 37 in two areas: 3 have none, though nobody says so."""
    total = made.people("n", 100)
    areas = [made.people("n", count, area=area) for area, count in (("grief", 60), ("dispute", 37))]
    seen = made.seen("public")
    assert sum(seen[name].suppressed for name in (total, *areas)) >= 1


def test_levels_that_overlap_are_no_parts(made: Made) -> None:
    made.people("n", 50, arm="ipt")
    for week, count in (("4", 48), ("8", 45)):
        made.people("n", count, arm="ipt", week=week)
    assert not any(row.suppressed for row in made.seen("public").values())


def test_two_tables_of_the_same_people_are_read_together(made: Made) -> None:
    flow = [made.people("randomised", 60, "flow"), made.people("completed", 56, "flow")]
    assert not any(row.suppressed for row in made.seen("public").values())
    made.links.append(part_of(*flow))
    seen = made.seen("public")
    assert seen[flow[1]].suppressed
    assert not seen[flow[0]].suppressed


def test_implied_parts_are_solved_over_several_sums(made: Made) -> None:
    """60 is 40, x and y; y is 53 without 40, so x is 7."""
    total, part, both = made.people("total", 60), made.people("part", 40), made.people("both", 53)
    made.links += [Sum(total, (part, Implied("x"), Implied("y"))), Sum(both, (part, Implied("y")))]
    seen = made.seen("public")
    assert seen[both].suppressed or seen[total].suppressed


def test_parts_nobody_can_tell_apart_hide_nothing(made: Made) -> None:
    total, part = made.people("total", 60), made.people("part", 40)
    made.links.append(Sum(total, (part, Implied("x"), Implied("y", 13))))
    assert not any(row.suppressed for row in made.seen("public").values())


def test_the_counts_costing_least_are_hidden(made: Made) -> None:
    """Not the total, and not the part that percentages hang on."""
    parts = [made.people("n", count, area=area) for area, count in (("grief", 4), ("dispute", 31), ("transition", 30))]
    total = made.people("n", 65)
    for rate, events in (("recovery", 15), ("response", 12)):
        groups = {"area": "transition", "rate": rate}
        percent = made.other("percent", 100 * events / 30, "percent", groups=groups)
        made.links.append(Derived((percent,), (parts[2],)))
    seen = made.seen("public")
    assert [seen[name].suppressed for name in (*parts, total)] == [True, True, False, False]


# Bad input


def test_protected_results_are_refused(made: Made) -> None:
    made.people("n", 3)
    once = protect(made.builder.build(), audience="public")
    with pytest.raises(IptError, match="protected already: 1 numbers"):
        protect(once, audience="board")


@pytest.mark.parametrize("value", [2.5, -1])
def test_what_is_no_count_of_people_is_refused(made: Made, value: float) -> None:
    made.other("n", value, "people")
    with pytest.raises(IptError, match=r"whole and not negative: a\.n"):
        made.seen("public")


@pytest.mark.parametrize(
    ("link", "words"),
    [
        (Sum("a.total", ("a.nowhere",)), "no count of people: a.nowhere"),
        (Sum("a.total", ("a.mean",)), "no count of people: a.mean"),
        (Sum("a.total", ("a.part",)), "do not add up"),
        (Sum("a.part", ("a.total", Implied("x"))), "are more than it"),
        (Sum("a.total", (Implied("x"), Implied("y"))), "no sum gives: x, y"),
        (Derived(("a.nowhere",), ("a.total",)), "no row, or a count: a.nowhere"),
        (Derived(("a.part",), ("a.total",)), "no row, or a count: a.part"),
        (Modelled(("a.mean",), (Implied("x"),)), "'x' is in no sum"),
    ],
)
@pytest.mark.parametrize("audience", ["public", "internal"])
def test_wrong_links_are_refused_whoever_reads(made: Made, link: Link, words: str, audience: str) -> None:
    made.people("total", 60)
    made.people("part", 40)
    made.other("mean", 2.0, "points")
    made.links.append(link)
    with pytest.raises(IptError, match=words):
        made.seen(audience)


def test_a_sum_needs_parts_and_none_twice() -> None:
    for parts in ((), ("a", "a")):
        with pytest.raises(IptError, match="at least one part"):
            Sum("total", parts)


# All together


@st.composite
def rates(draw: st.DrawFn) -> tuple[Results, tuple[Link, ...]]:
    """A clinic table: starters by area; who recovered; percentages with limits; means."""
    made = Made()
    numbers = st.one_of(st.integers(0, 14), st.integers(5, 60))
    areas = ["grief", "dispute", "transition"][: draw(st.integers(2, 3))]
    table = {area: (draw(numbers), draw(numbers)) for area in areas}
    table[""] = tuple(sum(values) for values in zip(*table.values(), strict=True))  # type: ignore[assignment]
    for area, (recovered, not_recovered) in table.items():
        groups = {"area": area} if area else {}
        whole = recovered + not_recovered
        fields = {"groups": groups, "n": whole, "denominator": whole}
        made.people("numerator", recovered, "rate", **groups)
        made.people("denominator", whole, "rate", **groups)
        if whole:
            share = recovered / whole
            for name, value in (("percent", share), ("ci_low", share * 0.8), ("ci_high", min(1, share * 1.1))):
                made.other(name, 100 * value, "percent", "rate", **fields)
            made.other("mean", 12.3, "points", "score", **fields)
    return made.builder.build(), tuple(made.links)


def possible_counts(seen: Results, complete: Results, step: int) -> dict[str, tuple[float, float | None]]:
    """Least and greatest value of each count by what stands in its own row, or follows from a percentage."""
    found: dict[str, tuple[float, float | None]] = {}
    visible = {row.id: row for row in seen if not row.suppressed}
    for row in (row for row in complete if row.unit == "people"):
        exact = float(row.value or 0)
        if any((other.statistic, other.groups) == ("percent", row.groups) for other in visible.values()):
            found[row.id] = (exact, exact)
        elif row.id not in visible:
            found[row.id] = (0, None)
        else:
            value = float(visible[row.id].value or 0)
            # 5 stands for 5 to 7 where counts below 5 are hidden, and 0 only for 0.
            found[row.id] = (
                (max(value - step // 2, min(value, step)), value + step // 2) if step > 1 else (value, value)
            )
    return found


@settings(max_examples=60, deadline=None)
@given(case=rates(), audience=st.sampled_from(["public", "board"]))
def test_no_number_of_a_clinic_table_gives_a_small_count_back(
    case: tuple[Results, Sequence[Link]], audience: Any
) -> None:
    complete, links = case
    rule = audience_rule(audience)
    seen = protect(complete, links, audience=audience)
    counts = possible_counts(seen, complete, rule.rounded_to)
    unit = dict(zip(counts, np.eye(len(counts)), strict=True))
    value = {row.id: int(row.value or 0) for row in complete}
    areas = sorted({f"{row.groups['area']}." for row in complete if "area" in row.groups})
    sums = [unit[f"rate.{what}"] - sum(unit[f"rate.{a}{what}"] for a in areas) for what in ("numerator", "denominator")]
    rest = {a: unit[f"rate.{a}denominator"] - unit[f"rate.{a}numerator"] for a in ("", *areas)}
    targets = [(name, unit[name], value[name]) for name in counts]
    targets += [(f"rest of {a}", rest[a], value[f"rate.{a}denominator"] - value[f"rate.{a}numerator"]) for a in rest]
    reader = {"A_ub": -np.array(list(rest.values())), "b_ub": np.zeros(len(rest)), "A_eq": np.array(sums)}
    for name, goal, count in targets:
        if rule.is_small(count):
            least, most = (linprog(s * goal, **reader, b_eq=[0, 0], bounds=list(counts.values())) for s in (1, -1))
            assert least.fun < 1 or most.status != 0 or -most.fun >= rule.smallest_shown, name
    for row in seen:
        if row.suppressed:
            assert (row.value, row.n, row.denominator) == (None, None, None)
        assert not any(number is not None and rule.is_small(number) for number in (row.n, row.denominator))
