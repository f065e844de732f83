"""An attacker who knows all definitions of a review and sees what an audience sees: whom can he count?

He bounds every group that two counts shown tell apart, and looks for any sum and difference of counts, however long,
that is one small group of people.

Nothing here is taken from what the package says about its own counts: who is in which count follows from the
definitions as this file writes them down, applied to every course there could be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array

from ipt_outcomes.clinic import ClinicReview, review
from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.results import ResultRow, Results

MakeCohort = Callable[..., Cohort]
Flags = NDArray[np.bool_]
# Caseness, reliable change, remission: inclusive.
CUTS = {"phq9": (10, 6, 4), "gad7": (8, 4, None)}
TOP = {"phq9": 27, "gad7": 21}
BANDS = {"1": (1, 1), "2 to 5": (2, 5), "6 to 11": (6, 11), "12 to 16": (12, 16), "17 or more": (17, 99)}
LEAST = {"public": 11, "board": 5}
# Not published where small numbers are hidden; questions about waits and the like have an attacker of their own.
APART = ("flow", "service", "view", "unit")


class Possible:
    """Every course there could be, an array per attribute."""

    def __init__(self, areas: tuple[str, ...], reasons: tuple[str, ...], names: tuple[str, ...]) -> None:
        states = [kinds_of(name) for name in names]
        ways = [*product(areas, (1, 2, 6, 12, 17), (True,), reasons), *product(areas, (0, 2), (False,), reasons[:1])]
        ways += list(product(areas, (0,), (True,), reasons[:1]))
        scores = [sum(pairs, ()) for pairs in product(*states)]
        made = [(*way, *pairs) for way in ways for pairs in (scores if way[1] and way[2] else scores[:1])]
        columns = list(zip(*made, strict=True))
        self.area, self.sessions = np.array(columns[0], dtype=object), np.array(columns[1])
        self.over, self.reason = np.array(columns[2]), np.array(columns[3], dtype=object)
        self.first = {name: np.array(columns[4 + 2 * i], dtype=float) for i, name in enumerate(names)}
        self.last = {name: np.array(columns[5 + 2 * i], dtype=float) for i, name in enumerate(names)}

    def inside(self, row: ResultRow) -> Flags:
        """Who is counted in a row of people."""
        groups = dict(row.groups)
        area = groups.pop("problem_area", None)
        mask = np.ones(len(self.area), dtype=bool) if area is None else self.area == area
        return mask & self._inside(row.analysis, row.statistic, groups)

    def _inside(self, analysis: str, statistic: str, groups: Mapping[str, str]) -> Flags:
        started = self.sessions > 0
        ended = started & self.over
        if analysis == "courses":
            return {
                "courses": np.ones(len(started), dtype=bool),
                "not_started": ~started,
                "still_in_treatment": started & ~self.over,
                "ended": ended,
            }[statistic]
        if analysis == "sessions":
            low, high = BANDS[groups["sessions"]]
            return ended & (self.sessions >= low) & (self.sessions <= high)
        if analysis == "end_reason":
            return ended & (self.reason == groups["reason"])
        first, last, case, flags = self._judged(groups["measure"])
        starters = ended & first
        few = starters & (self.sessions < 2)
        completers = starters & ~few & last
        if analysis == "scores":
            return {
                "with_first_score": starters,
                "no_first_score": ended & ~first,
                "too_few_sessions": few,
                "no_last_score": starters & ~few & ~last,
                "completers": completers,
            }[statistic]
        if analysis == "completeness":
            return starters if groups["kind"] == "first" else ended & first & last
        if analysis == "base":
            whole = completers if groups["rule"] == "completers" else starters
            return whole & (case if statistic == "counted" else ~case)
        assert (analysis, statistic) == ("rate", "numerator")
        finished, observed = flags[groups["rate"]]
        base = starters if groups["rate"] in ("reliable_improvement", "reliable_deterioration") else starters & case
        return base & completers & finished if groups["rule"] == "completers" else base & observed

    def _judged(self, measure: str) -> tuple[Flags, Flags, Flags, dict[str, tuple[Flags, Flags]]]:
        """First and last score known, caseness, and the flags of each rate by last and by observed score."""
        names = [measure] if measure in CUTS else list(CUTS)
        first = np.logical_and.reduce([~np.isnan(self.first[name]) for name in names])
        last = np.logical_and.reduce([~np.isnan(self.last[name]) for name in names])
        case = first & np.logical_or.reduce([self.first[name] >= CUTS[name][0] for name in names])
        by_end = []
        for observed in (False, True):
            below, better, worse, half, low = [], [], [], [], []
            for name in names:
                start, end = self.first[name], self.last[name]
                if observed:
                    end = np.where(np.isnan(end), start, end)
                cut, change, remission = CUTS[name]
                below.append(end < cut)
                better.append(start - end >= change)
                worse.append(end - start >= change)
                half.append((start > 0) & (2 * (start - end) >= start))
                low.append(end <= (-1 if remission is None else remission))
            recovered = np.logical_and.reduce(below)
            improved = np.logical_or.reduce(better) & ~np.logical_or.reduce(worse)
            by_end.append(
                {
                    "recovery": recovered,
                    "reliable_improvement": improved,
                    "reliable_recovery": recovered & improved,
                    "reliable_deterioration": np.logical_or.reduce(worse) & ~np.logical_or.reduce(better),
                    "response": half[0],
                    "remission": low[0],
                }
            )
        return first, last, case, {rate: (by_end[0][rate], by_end[1][rate]) for rate in by_end[0]}


def kinds_of(name: str) -> list[tuple[float, float]]:
    """A first and a last score of each kind that the definitions tell apart."""
    cut, change, remission = CUTS[name]
    found: dict[tuple[Any, ...], tuple[float, float]] = {("none",): (np.nan, np.nan)}
    for first in range(TOP[name] + 1):
        found.setdefault((first >= cut, "no last"), (first, np.nan))
        for last in range(TOP[name] + 1):
            case = first >= cut
            marks = (case, last < cut, first - last >= change, last - first >= change)
            more = (2 * (first - last) >= first, remission is not None and last <= remission) if case else ()
            found.setdefault((*marks, *more), (first, last))
    return list(found.values())


class Attacker:
    """Knows the definitions and what is seen; bounds the size of groups of people."""

    def __init__(self, complete: Results, seen: Results, possible: Possible, audience: str) -> None:
        self.least = LEAST[audience]
        known: dict[bytes, tuple[Flags, float, float]] = {}
        exact = exactly_known(complete, seen)
        for row, shown in zip(complete, seen, strict=True):
            if row.unit != "people" or row.analysis in APART or row.value is None:
                continue
            if row.id not in exact and shown.suppressed:
                continue
            low = high = float(row.value)
            if audience == "board" and row.id not in exact:
                low, high = max(float(shown.value or 0) - 2, 0), float(shown.value or 0) + 2
            group = possible.inside(row)
            before = known.get(group.tobytes(), (group, low, high))
            known[group.tobytes()] = (group, max(low, before[1]), min(high, before[2]))
        sets = np.array([each[0] for each in known.values()])
        self.low, self.high = (np.array([each[i] for each in known.values()]) for i in (1, 2))
        # Kinds of courses that are in the same counts known are one to him.
        self.sets = np.unique(sets, axis=1)
        self.rows = csr_array(self.sets.astype(float))
        self.tables: list[NDArray[np.float64]] = []

    def small_groups(self) -> list[Flags]:
        """Groups, by two counts known, that he shows to hold 1 to so many people."""
        found = []
        groups = {row.tobytes(): row for row in self._crossed()}
        # Every table opens many groups: those it does not are looked at by themselves.
        for goal in np.random.default_rng(5).normal(size=(30, self.sets.shape[1])):
            self._extreme(goal)
        for group in groups.values():
            sizes = [table[group].sum() for table in self.tables]
            if min(sizes) <= 1e-6 or max(sizes) >= self.least - 1e-6:
                continue
            low, high = (self._extreme(sign * group.astype(float)) for sign in (1.0, -1.0))
            if low > 1e-6 and -high < self.least - 1e-6:
                found.append(group)
        return found

    def chain(self) -> NDArray[np.float64] | None:
        """Counts known exactly that, added and subtracted, leave one group of 1 to so many people."""
        exact = self.low == self.high
        sets, values = self.sets[exact].astype(float), self.low[exact]
        found = milp(
            np.zeros(len(sets)),
            constraints=[
                LinearConstraint(csr_array(sets.T), 0, 1),
                LinearConstraint(values[None, :], 1, self.least - 1),
            ],
            integrality=np.ones(len(sets)),
            bounds=Bounds(-1, 1),
        )
        assert found.status in (0, 2), found.message
        return None if found.x is None else found.x

    def _crossed(self) -> NDArray[np.bool_]:
        """Everyone in one, in both, and in neither of two counts known; and each kind by itself."""
        one, other = np.triu_indices(len(self.sets))
        both = self.sets[one] & self.sets[other]
        parts = [both, self.sets[one] & ~self.sets[other], ~self.sets[one] & self.sets[other]]
        return np.vstack([*parts, np.eye(self.sets.shape[1], dtype=bool)])

    def _extreme(self, goal: NDArray[np.float64]) -> float:
        exact = self.low == self.high
        loose = self.rows[~exact].toarray()
        found = linprog(
            goal,
            A_eq=self.rows[exact],
            b_eq=self.low[exact],
            A_ub=np.vstack([loose, -loose]),
            b_ub=np.concatenate([self.high[~exact], -self.low[~exact]]),
            bounds=(0, 5000),
        )
        assert found.status == 0, found.message
        self.tables.append(found.x)
        return float(found.fun)


def exactly_known(complete: Results, seen: Results) -> set[str]:
    """Counts that a percentage shown gives back, whatever is printed of them: its numerator and denominator."""
    by_id = complete.by_id()
    found = set()
    for row in seen:
        if row.unit != "percent" or row.suppressed or row.value is None or row.analysis in APART:
            continue
        whole = by_id[row.id].denominator
        assert whole is not None
        percent = complete.find(row.analysis, "percent", dict(row.groups)).value
        groups = {name: level for name, level in row.groups.items() if name != "rule"}
        rule = row.groups.get("rule", "")
        if row.analysis == "completeness":
            found |= {
                complete.find("completeness", "people", dict(row.groups)).id,
                complete.find("courses", "ended").id,
            }
            continue
        counted = "last_observation" if rule == "last_observation" else "completers"
        part = complete.find("rate", "numerator", {**groups, "rule": counted})
        assert part.value == round(float(percent or 0) * whole / 100)
        found.add(part.id)
        kept = {name: level for name, level in groups.items() if name != "rate"}
        base = "completers" if rule == "completers" else "starters"
        named = groups["rate"] in ("reliable_improvement", "reliable_deterioration")
        total = (
            complete.find("scores", "completers" if rule == "completers" else "with_first_score", kept)
            if named
            else complete.find("base", "counted", {**kept, "base": "cases", "rule": base})
        )
        assert total.value == whole
        found.add(total.id)
    return found


def clinic(seed: int, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Courses of a clinic in three areas; in each clinic other parts are rare."""
    rng = np.random.default_rng(seed)
    rare = float(rng.uniform(0.02, 0.12))
    courses = []
    for _ in range(int(rng.integers(110, 260))):
        course: dict[str, Any] = {
            "area": str(rng.choice(["grief", "role_dispute", "role_transition"], p=[0.5, 0.42, 0.08])),
            "sessions": int(rng.choice([0, 1, 3, 8, 14, 18], p=[rare, rare, 0.2, 0.3, 0.2, 0.3 - 2 * rare])),
            "ended": bool(rng.random() > rare),
            "reason": str(rng.choice(["completed", "dropout_choice"], p=[0.8, 0.2])),
        }
        for name in names:
            first = int(np.clip(rng.normal(15, 4.5), 2, TOP[name]))
            last = int(np.clip(first - rng.normal(6, 5), 0, TOP[name]))
            course[name] = [first, last][: int(rng.choice([0, 1, 2], p=[rare, 0.15, 0.85 - rare]))]
        courses.append(course)
    return courses


def attacked(found: ClinicReview, audience: str, seen: Results | None = None) -> Attacker:
    areas = found.courses.levels or ("any",)
    names = tuple(name for name in CUTS if any(measure.name == name for measure in found.measures))
    reasons = ("completed", "dropout_choice")
    shown = found.protected(audience) if seen is None else seen  # type: ignore[arg-type]
    return Attacker(found.results, shown, Possible(areas, reasons, names), audience)


def test_the_definitions_here_give_the_counts_of_the_report(make_cohort: MakeCohort) -> None:
    """Each course of a clinic, looked at by the definitions above, is counted where the report counts it."""
    names = ("phq9", "gad7")
    courses = clinic(3, names)
    found = review(make_cohort(courses))
    possible = Possible(("grief",), ("completed",), names)
    possible.area = np.array([course["area"] for course in courses], dtype=object)
    possible.sessions = np.array([course["sessions"] for course in courses])
    possible.over = np.array([course["ended"] for course in courses])
    possible.reason = np.array([course["reason"] for course in courses], dtype=object)
    for name in names:
        scores = [[*course[name], np.nan, np.nan][:2] for course in courses]
        possible.first[name], possible.last[name] = np.array(scores, dtype=float).T
    rows = [row for row in found.results if row.unit == "people" and row.analysis not in APART]
    assert len(rows) > 150
    for row in rows:
        assert possible.inside(row).sum() == row.value, row.id


def chained(make_cohort: MakeCohort) -> ClinicReview:
    """120 started, 91 completed; of 93 cases 74: of those who did not complete 10 were no cases."""
    courses = [{"phq9": [20, 8 if number % 2 else 17], "sessions": 8} for number in range(74)]
    courses += [{"phq9": [8, 7], "sessions": 8} for _ in range(17)]
    courses += [{"phq9": [20], "sessions": 8} for _ in range(19)] + [{"phq9": [8], "sessions": 8} for _ in range(10)]
    return review(make_cohort(courses, areas=False))


def naive(found: ClinicReview, audience: str) -> Results:
    """What a report would show that hides small counts alone."""
    least = LEAST[audience]
    hidden = {row.id for row in found.results if row.unit == "people" and 0 < (row.value or 0) < least}
    gone = {
        row.id
        for row in found.results
        if row.id in hidden or row.unit == "percent" or (row.unit != "people" and row.denominator is None)
    }
    return Results(tuple(replace(row, value=None, suppressed=True) if row.id in gone else row for row in found.results))


def test_the_attacker_finds_a_chain_over_two_bases_and_two_rules(make_cohort: MakeCohort) -> None:
    found = chained(make_cohort)
    values = {row.id: row.value for row in found.results}
    chain = ("scores.phq9.with-first-score", "scores.phq9.completers", "base.phq9.cases.starters.counted")
    assert [values[name] for name in chain] == [120, 91, 93]
    attacker = attacked(found, "public", naive(found, "public"))
    assert attacker.chain() is not None
    assert attacker.small_groups()
    protected = attacked(found, "public")
    assert protected.chain() is None
    assert protected.small_groups() == []


@pytest.mark.parametrize("audience", ["public", "board"])
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5, 6, 14])
def test_no_group_of_a_clinic_can_be_shown_to_be_small(make_cohort: MakeCohort, seed: int, audience: str) -> None:
    found = review(make_cohort(clinic(seed, ("phq9",))))
    if audience == "public":
        # Rounding alone hides a lot from a board.
        assert attacked(found, audience, naive(found, audience)).small_groups()
    attacker = attacked(found, audience)
    assert len(attacker.sets) > 20
    assert attacker.small_groups() == []
    assert attacker.chain() is None


@pytest.mark.parametrize("seed", [7, 9, 10])
def test_nor_by_two_instruments_and_the_pair(make_cohort: MakeCohort, seed: int) -> None:
    """Cases on either less cases on one, and the like."""
    found = review(make_cohort(clinic(seed, ("phq9", "gad7"))), by=None)
    assert attacked(found, "public", naive(found, "public")).small_groups()
    attacker = attacked(found, "public")
    assert attacker.small_groups() == []
    assert attacker.chain() is None
