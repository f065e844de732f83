"""The review: rates, rules, groups, who was left out, and what each audience may see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from ipt_outcomes.clinic import PAIR, ClinicReview, review
from ipt_outcomes.clinic.tally import LEFT_OUT
from ipt_outcomes.errors import DataError, DesignError, OptionError
from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.privacy import Derived, Implied, Kinds, Sum
from ipt_outcomes.results import ResultRow, Results

MakeCohort = Callable[..., Cohort]
HIDING = ("public", "board")


def rate(found: ClinicReview, measure: str, name: str, rule: str = "completers", group: str = "all") -> pd.Series:
    frame = found.to_frame()
    mine = frame[(frame["measure"] == measure) & (frame["rate"] == name) & (frame["rule"] == rule)]
    return mine[mine.iloc[:, 3] == group].iloc[0]


def counts(found: ClinicReview, measure: str, name: str, rule: str = "completers") -> tuple[int, int]:
    row = rate(found, measure, name, rule)
    return int(row["numerator"]), int(row["denominator"])


@pytest.fixture(scope="module")
def whole(clinic_cohort: Cohort) -> ClinicReview:
    return review(clinic_cohort)


def test_the_pair_has_the_counts_of_the_programme(reference: Any, make_cohort: MakeCohort) -> None:
    case = reference("clinic/nhs_boundary_1")
    rows = [
        {"phq9": [row["phq0"], row["phq1"]], "gad7": [row["gad0"], row["gad1"]], "sessions": 4, "area": "grief"}
        for row in case["rows"]
    ]
    found = review(make_cohort(rows))
    expected = case["summary"]
    for name in ("recovery", "reliable_recovery", "reliable_improvement", "reliable_deterioration"):
        row = rate(found, PAIR, name)
        assert row["numerator"] == expected[f"{name}_n"]
        assert row["percent"] == pytest.approx(expected[f"{name}_pct"], rel=1e-10)
    assert counts(found, PAIR, "recovery")[1] == expected["n_caseness"]


def test_response_and_remission_have_the_boundaries_of_the_reference(reference: Any, make_cohort: MakeCohort) -> None:
    rows = reference("clinic/phq9_response_remission")["rows"]
    found = review(make_cohort([{"phq9": [row["base"], row["end"]]} for row in rows]))
    cases = [row for row in rows if row["denominator"]]
    for name, flag, base in (
        ("response", "response", cases),
        ("remission", "remission", cases),
        ("reliable_improvement", "rc6_improved", rows),
        ("reliable_deterioration", "rc6_deteriorated", rows),
    ):
        assert counts(found, "phq9", name) == (sum(row[flag] for row in base), len(base)), name


def test_the_three_rules_side_by_side(make_cohort: MakeCohort) -> None:
    found = review(
        make_cohort(
            [
                {"phq9": [20, 5], "sessions": 8},  # recovered
                {"phq9": [20, 12], "sessions": 8},  # improved, a case still
                {"phq9": [20, 5], "sessions": 1},  # recovered after one session: no finished course
                {"phq9": [20], "sessions": 8},  # no last score
                {"phq9": [], "sessions": 8},  # no score
                {"phq9": [5, 4], "sessions": 8},  # no case
                {"phq9": [20, 2], "sessions": 8, "ended": False},  # still in treatment
                {"phq9": [20, 2], "sessions": 0},  # never came
                {"phq9": [12, 20], "sessions": 3},  # worse
            ]
        )
    )
    assert counts(found, "phq9", "recovery") == (1, 3)
    assert counts(found, "phq9", "recovery", "starters") == (1, 5)
    assert counts(found, "phq9", "recovery", "last_observation") == (2, 5)
    assert counts(found, "phq9", "reliable_improvement") == (2, 4)
    assert counts(found, "phq9", "reliable_deterioration") == (1, 4)
    assert counts(found, "phq9", "reliable_deterioration", "starters") == (1, 6)
    row = rate(found, "phq9", "recovery")
    out = {name: row[f"left_out_{name}"] for name in LEFT_OUT if row.get(f"left_out_{name}")}
    assert out == {
        "not_started": 1,
        "still_in_treatment": 1,
        "no_first_score": 1,
        "too_few_sessions": 1,
        "no_last_score": 1,
        "not_a_case": 1,
    }


def test_every_course_is_counted_or_left_out_once(whole: ClinicReview) -> None:
    frame = whole.to_frame()
    out = frame[[name for name in frame.columns if name.startswith("left_out_")]].sum(axis=1)
    everyone = frame[frame["problem_area"] == "all"]
    assert (everyone["denominator"] + out[everyone.index] == len(whole.courses)).all()
    by = ["measure", "rate", "rule"]
    parts = frame[frame["problem_area"] != "all"].groupby(by)[["numerator", "denominator"]].sum()
    pd.testing.assert_frame_equal(
        parts.sort_index(), everyone.set_index(by)[["numerator", "denominator"]].sort_index(), check_dtype=False
    )
    assert (frame["numerator"] <= frame["denominator"]).all()


def test_the_rows_of_the_results_are_those_of_the_table(whole: ClinicReview) -> None:
    rows = whole.results.by_id()
    for row in whole.to_frame().to_dict(orient="records"):
        ids = whole.numbers.rates[row["measure"], row["rate"], row["rule"], row["problem_area"]]
        for name in ("numerator", "denominator", "percent", "ci_low", "ci_high"):
            stored, value = rows[getattr(ids, name)].value, row[name]
            assert (stored is None and np.isnan(value)) or stored == pytest.approx(value, rel=1e-12)
    for link in whole.numbers.links:
        if isinstance(link, Sum) and not any(isinstance(cell, Implied) for cell in (link.total, *link.parts)):
            assert rows[str(link.total)].value == sum(rows[str(part)].value or 0 for part in link.parts)


def test_areas_come_in_order_and_the_unknown_last(whole: ClinicReview) -> None:
    assert whole.courses.levels == (
        "grief", "role_dispute", "role_transition", "interpersonal_deficits", "none_set", "unknown",
    )  # fmt: skip


def test_the_order_of_rows_decides_nothing(clinic_cohort: Cohort, whole: ClinicReview) -> None:
    mixed = replace(
        clinic_cohort,
        episodes=clinic_cohort.episodes.sample(frac=1, random_state=1),
        sessions=clinic_cohort.sessions.sample(frac=1, random_state=2),
        assessments=clinic_cohort.assessments.sample(frac=1, random_state=3),
    )
    assert review(mixed).results.to_json() == whole.results.to_json()


@settings(max_examples=20, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.integers(0, 27), st.integers(0, 27)), min_size=1, max_size=12), extra=st.integers(0, 9)
)
def test_who_was_no_case_changes_no_rate_of_recovery(
    make_cohort: MakeCohort, pairs: list[tuple[int, int]], extra: int
) -> None:
    courses = [{"phq9": list(pair)} for pair in pairs]
    before, after = review(make_cohort(courses)), review(make_cohort([*courses, {"phq9": [extra, 0]}]))
    for name in ("recovery", "reliable_recovery", "response", "remission"):
        for rule in ("completers", "starters", "last_observation"):
            assert counts(before, "phq9", name, rule) == counts(after, "phq9", name, rule)


@settings(max_examples=20, deadline=None)
@given(pairs=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=12))
def test_a_scale_turned_round_gives_the_same_rates(make_cohort: MakeCohort, pairs: list[tuple[int, int]]) -> None:
    lower = {"caseness": 20, "reliable_change": 7, "remission": 5}
    higher = {"caseness": 80, "reliable_change": 7, "remission": 95}
    one = review(make_cohort([{"bdi1": list(pair)} for pair in pairs]), cutoffs={"bdi1": lower})
    other = review(make_cohort([{"who5": [100 - score for score in pair]} for pair in pairs]), cutoffs={"who5": higher})
    rates = ("recovery", "reliable_improvement", "reliable_recovery", "reliable_deterioration", "response", "remission")
    for name in rates:
        assert counts(one, "bdi1", name) == counts(other, "who5", name)


def test_a_denominator_of_nobody_is_a_stated_gap(make_cohort: MakeCohort) -> None:
    found = review(make_cohort([{"phq9": [5, 4], "area": "grief"}]))
    row = rate(found, "phq9", "recovery")
    assert row["denominator"] == 0
    assert np.isnan(row["percent"])
    ids = found.numbers.rates["phq9", "recovery", "completers", "all"]
    assert found.results.by_id()[ids.percent].value is None
    assert "nobody to count" in found.summary()


def test_everyone_still_in_treatment_is_a_stated_gap(make_cohort: MakeCohort) -> None:
    courses = [{"phq9": [20, 5], "sessions": 4, "ended": False}, {"phq9": [20, 5], "sessions": 4, "ended": False}]
    found = review(make_cohort(courses))
    assert found.results.find("courses", "ended").value == 0
    assert rate(found, "phq9", "recovery")["denominator"] == 0
    for audience in HIDING:
        assert len(found.protected(audience)) == len(found.results)  # type: ignore[arg-type]


def test_an_instrument_without_cut_offs_says_what_it_cannot_give(make_cohort: MakeCohort) -> None:
    found = review(make_cohort([{"bdi1": [30, 10]}, {"bdi1": [30, 16]}, {"bdi1": [0, 3]}], areas=False))
    assert found.measures[0].rates == ("response",)
    assert counts(found, "bdi1", "response") == (1, 2)
    words = " ".join(found.notes)
    for gap in ("no cut-off for being a case", "no reliable change", "remission", "no problem areas", "sessions"):
        assert gap in words
    assert found.courses.levels == ()


def test_cut_offs_of_the_users_are_used_and_named(make_cohort: MakeCohort) -> None:
    own = {"caseness": 14, "reliable_change": 9, "remission": 9}
    found = review(make_cohort([{"bdi2": [30, 10]}, {"bdi2": [30, 25]}]), cutoffs={"BDI-II": own})
    assert counts(found, "bdi2", "recovery") == (1, 2)
    assert set(found.measures[0].cuts[0].sources.values()) == {"given by the user"}
    assert found.options.to_dict()["cutoffs"] == {"bdi2": own}
    none = review(make_cohort([{"phq9": [20, 5]}]), cutoffs={"phq9": {"caseness": None}})
    assert "recovery" not in none.measures[0].rates


def test_a_default_nobody_confirmed_is_known_as_one(make_cohort: MakeCohort) -> None:
    found = review(make_cohort([{"core10": [20, 5]}]))
    assert found.measures[0].cuts[0].unverified == {"caseness", "reliable_change"}


def test_remission_without_caseness_is_out_of_those_not_in_remission(make_cohort: MakeCohort) -> None:
    found = review(make_cohort([{"hrsd17": [20, 7]}, {"hrsd17": [20, 8]}, {"hrsd17": [7, 3]}]))
    assert counts(found, "hrsd17", "remission") == (1, 2)
    assert rate(found, "hrsd17", "remission")["left_out_in_remission_at_start"] == 1


def test_follow_up_scores_are_not_the_last_score(make_cohort: MakeCohort) -> None:
    cohort = make_cohort([{"phq9": [20, 5, 25]}])
    late = cohort.assessments["week"].eq(24)
    visits = cohort.assessments["visit"].astype(object).mask(late, "followup")
    found = review(replace(cohort, assessments=cohort.assessments.assign(visit=visits)))
    assert counts(found, "phq9", "recovery") == (1, 1)
    assert any("follow-up" in note for note in found.notes)


def test_scores_without_a_time_are_not_put_in_order(make_cohort: MakeCohort) -> None:
    found = review(make_cohort([{"phq9": [(0, 20), (12, 5)]}, {"phq9": [(0, 20), (np.nan, 5)]}]))
    assert counts(found, "phq9", "recovery") == (1, 1)
    assert any("have no time" in note for note in found.notes)


def test_another_column_can_be_compared(clinic_cohort: Cohort) -> None:
    found = review(clinic_cohort, by="site")
    assert found.courses.levels == ("north", "south")
    assert "site" in found.to_frame()
    with pytest.raises(OptionError, match="no column 'clinic'"):
        review(clinic_cohort, by="clinic")
    with pytest.raises(OptionError, match="single out people"):
        review(clinic_cohort, by="patient_id")
    assert review(clinic_cohort, by=None).courses.levels == ()


def test_no_scores_and_no_known_direction_are_refused(make_cohort: MakeCohort) -> None:
    with pytest.raises(DataError, match="no scores of any instrument"):
        review(make_cohort([{"sessions": 3}]))
    with pytest.raises(DesignError, match="good one"):
        review(make_cohort([{"mood_thermometer": [3, 5]}]))
    with pytest.raises(DesignError, match="no cut-off is known"):
        review(make_cohort([{"iip32": [40, 20]}]))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"level": 95}, "level"),
        ({"response": 50}, "response must be a share"),
        ({"min_sessions": 0}, "min_sessions"),
        ({"instruments": []}, "at least one"),
        ({"instruments": ["bdi2"]}, "no scores of bdi2"),
        ({"cutoffs": {"phq9": {"casenes": 10}}}, "caseness"),
        ({"cutoffs": {"phq9": 10}}, "table per instrument"),
        ({"cutoffs": {"phq9": {"caseness": "ten"}}}, "caseness must be a number"),
        ({"cutoffs": {"phq9": {"caseness": float("nan")}}}, "caseness must be a number"),
        ({"cutoffs": {"phq9": {"reliable_change": -6}}}, "above 0"),
        ({"cutoffs": {"phq9": {"reliable_change": 0}}}, "above 0"),
        ({"cutoffs": {"phq9": {"reliable_change": 28}}}, "length of the scale"),
        ({"cutoffs": {"phq9": {"caseness": 28}}}, "0 to 27"),
        ({"cutoffs": {"phq9": {"remission": -1}}}, "0 to 27"),
        ({"cutoffs": {"phq9": {"remission": 10}}}, "still be a case"),
        ({"cutoffs": {"phq9": {"caseness": 4}}}, "still be a case"),
        ({"cutoffs": {"phq9": {"caseness": 10}, "PHQ-9": {"caseness": 9}}}, "twice"),
        ({"cutoffs": {"bdi2": {"caseness": 14}}}, "cut-offs are given for bdi2"),
        ({"cutoffs": [("phq9", 10)]}, "table per instrument"),
        ({"level": True}, "level"),
        ({"response": 0}, "response must be a share"),
        ({"min_sessions": 2.5}, "min_sessions"),
        ({"by": 3}, "by must be the name"),
    ],
)
def test_options_that_are_none_are_refused(make_cohort: MakeCohort, options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words) as caught:
        review(make_cohort([{"phq9": [20, 5]}]), **options)
    assert words in str(caught.value)


def test_all_faults_of_options_are_named_at_once(make_cohort: MakeCohort) -> None:
    wrong = {"phq9": {"caseness": 99, "reliable_change": -1}, "gad7": {"remissions": 3}}
    with pytest.raises(OptionError) as caught:
        review(make_cohort([{"phq9": [20, 5]}]), level=95, response=-1, min_sessions=0, instruments=[], cutoffs=wrong)
    for words in ("level", "response", "min_sessions", "instruments", "caseness", "reliable_change", "remissions"):
        assert words in str(caught.value), words


def test_the_same_cohort_gives_the_same_results(clinic_cohort: Cohort, whole: ClinicReview) -> None:
    assert review(clinic_cohort).results.to_json() == whole.results.to_json()
    assert whole.protected("public").to_json() == whole.protected("public").to_json()


# What an audience sees.


def known_of(found: ClinicReview, audience: str, kinds: Kinds) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which counts of a table the audience knows, and between which values: exactly, or as rounded for the board."""
    complete, seen = found.results.by_id(), found.protected(audience).by_id()  # type: ignore[arg-type]
    exact = {
        str(cell)
        for link in found.numbers.links
        if isinstance(link, Derived) and link.rows[0] in seen and not seen[link.rows[0]].suppressed
        for cell in link.counts
    }
    low, high, known = np.zeros(len(kinds.counts)), np.zeros(len(kinds.counts)), np.zeros(len(kinds.counts), dtype=bool)
    for place, name in enumerate(kinds.counts):
        shown = name in seen and not seen[name].suppressed
        value = float(complete[name].value or 0)
        loose = 0.0 if audience == "public" or name in exact or value == 0 else 2.0
        known[place] = shown or name in exact
        low[place], high[place] = max(float(seen[name].value) - loose, 0) if shown and loose else value, value
        if shown and loose:
            low[place], high[place] = min(low[place], value), max(float(seen[name].value) + loose, value)
    return known, low, high


def reader_knows(found: ClinicReview, audience: str, most: int = 16) -> list[str]:
    """Small groups of people that a reader can show to be small, by linear programmes over all kinds of people.

    The groups: everyone in one count and not in another, in both, and in neither, for any two counts known.
    """
    least = 11 if audience == "public" else 5
    found_small = []
    for kinds in (link for link in found.numbers.links if isinstance(link, Kinds)):
        known, low, high = known_of(found, audience, kinds)
        sets = kinds.inside.T[known]
        rows, bounds_of = sets.astype(float), (low[known], high[known])
        groups = {}
        for i, one in enumerate(sets):
            for j, other in enumerate(sets):
                for name, group in (("and", one & other), ("but", one & ~other)):
                    if 0 < kinds.people[group].sum() < least:
                        groups.setdefault(group.tobytes(), (f"{i} {name} {j}", group))
        chosen = list(groups.values())
        step = max(1, len(chosen) // most)
        for name, group in chosen[::step]:
            limits = [
                linprog(
                    sign * group.astype(float), A_ub=np.vstack([rows, -rows]),
                    b_ub=np.concatenate([bounds_of[1], -bounds_of[0]]), bounds=(0, 2000),
                ).fun
                for sign in (1.0, -1.0)
            ]  # fmt: skip
            if limits[0] > 1e-5 and -limits[1] < least - 1e-5:
                found_small.append(name)
    return found_small


def test_the_reader_of_these_tests_finds_what_an_open_report_gives_away(whole: ClinicReview) -> None:
    """Were every count shown that is not small itself, small groups would follow: a test that cannot fail is none."""
    complete = whole.results

    class Open:
        results, numbers = complete, whole.numbers

        def protected(self, audience: str) -> Results:
            rows = (row if (row.value or 0) >= 11 or row.unit != "people" else hidden(row) for row in complete)
            return Results(tuple(rows))

    assert reader_knows(Open(), "public")  # type: ignore[arg-type]


def hidden(row: ResultRow) -> ResultRow:
    return replace(row, value=None, n=None, denominator=None, suppressed=True)


@pytest.mark.parametrize("audience", HIDING)
def test_no_small_number_is_shown_or_follows_from_what_is(whole: ClinicReview, audience: str) -> None:
    seen = whole.protected(audience)  # type: ignore[arg-type]
    least = 11 if audience == "public" else 5
    complete = whole.results.by_id()
    for row in seen:
        for number in (row.n, row.denominator, row.value if row.unit == "people" else None):
            assert number is None or number == 0 or number >= least
        if row.suppressed:
            assert (row.value, row.n, row.denominator) == (None, None, None)
    for ids in whole.numbers.rates.values():
        rows = seen.by_id()
        if rows[ids.numerator].suppressed or rows[ids.denominator].suppressed:
            assert all(rows[each].suppressed for each in (ids.percent, ids.ci_low, ids.ci_high))
        elif not rows[ids.percent].suppressed:
            # A small complement would follow by subtraction.
            rest = (complete[ids.denominator].value or 0) - (complete[ids.numerator].value or 0)
            assert rest == 0 or rest >= least
    assert [row.id for row in seen] == [row.id for row in whole.results]
    assert reader_knows(whole, audience) == []


@pytest.mark.parametrize("audience", ["internal", "publication"])
def test_the_services_own_staff_see_everything(whole: ClinicReview, audience: str) -> None:
    assert whole.protected(audience).to_json() == whole.results.to_json()  # type: ignore[arg-type]


def test_the_main_rates_are_not_hidden_to_save_details(whole: ClinicReview) -> None:
    """8 of 196 completers were no cases: one of the two denominators goes, and recovery, which is asked for, stays."""
    seen = whole.protected("public").by_id()
    ids = whole.numbers.rates[PAIR, "recovery", "completers", "all"]
    assert not seen[ids.percent].suppressed
    shown = [row for row in seen.values() if row.unit == "people" and not row.suppressed]
    assert len(shown) > 40


@settings(max_examples=5, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_no_small_number_follows_whatever_the_clinic(make_cohort: MakeCohort, seed: int) -> None:
    rng = np.random.default_rng(seed)
    courses = [
        {
            "phq9": [int(rng.integers(5, 25)), int(rng.integers(0, 22))][: int(rng.choice([1, 2], p=[0.15, 0.85]))],
            "area": str(rng.choice(["grief", "role_dispute", "none_set"], p=[0.45, 0.45, 0.1])),
            "sessions": int(rng.choice([0, 1, 6, 12], p=[0.05, 0.1, 0.25, 0.6])),
        }
        for _ in range(int(rng.integers(30, 140)))
    ]
    assert reader_knows(review(make_cohort(courses)), "public") == []


def test_no_hidden_number_can_be_bounded_to_a_small_one(make_cohort: MakeCohort) -> None:
    # Everyone has a first score, so that those with one session are known to have one, too.
    courses = [
        {"phq9": [20, 5] if number % 3 else [20, 18], "sessions": 8, "area": ("grief", "role_dispute")[number % 2]}
        for number in range(60)
    ]
    courses += [{"phq9": [20], "sessions": 1} for _ in range(12)] + [{"phq9": [20], "sessions": 8}]
    found = review(make_cohort(courses))
    hidden = [row for row in found.protected("public") if row.suppressed and row.unit == "people"]
    small = [row.id for row in hidden if 0 < (found.results.by_id()[row.id].value or 0) < 11 and row.analysis != "flow"]
    assert "scores.phq9.no-last-score" in small
    assert reader_knows(found, "public") == []
