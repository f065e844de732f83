"""Questions about each course: boundaries, who counts, and what the report gate leaves of their counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from ipt_outcomes.clinic import review
from ipt_outcomes.clinic.courses import courses_of
from ipt_outcomes.clinic.service.questions import questions_of
from ipt_outcomes.simulate import clinic as simulated


def with_columns(cohort, *, sessions=None, **columns):
    episodes = cohort.episodes.assign(**columns)
    return replace(cohort, episodes=episodes, **({} if sessions is None else {"sessions": sessions}))


def rate(result, name, statistic="numerator"):
    return result.results.find("service", statistic, {"rate": name}).value


def counted(result, name, statistic="counted"):
    return result.results.find("service", statistic, {"question": name}).value


@pytest.fixture
def waiting(make_cohort):
    """Six finished courses, one with a single session, one still in treatment; waits at the boundaries."""
    waits = [0, 42, 43, 126, 127, None, 10, 10]
    courses = [{"phq9": [15, 5], "sessions": 3} for _ in waits]
    courses[6]["sessions"] = 1
    courses[7]["ended"] = False
    cohort = make_cohort(courses)
    days = cohort.sessions["session_no"].map({1: 0.0, 2: 29.0, 3: 40.0})
    return with_columns(
        cohort,
        sessions=cohort.sessions.assign(day=days),
        referral_day=[np.nan if wait is None else -wait for wait in waits],
        planned_sessions=[3, 4, 6, 7, 3, 3, 4, 3],
    )


def test_waits_are_inclusive_and_of_finished_courses(waiting):
    result = review(waiting)
    assert rate(result, "within_6_weeks") == 2
    assert rate(result, "within_18_weeks") == 4
    assert counted(result, "wait") == 5
    assert counted(result, "wait", "not_recorded") == 1
    assert rate(result, "gap_over_28") == 6
    assert rate(result, "gap_over_90") == 0


def test_sessions_out_of_those_planned_are_of_ended_courses(waiting):
    result = review(waiting)
    assert counted(result, "plan") == 7
    assert rate(result, "planned_sessions_attended") == 3
    assert rate(result, "half_of_planned_attended") == 5


def test_a_session_before_the_referral_is_no_short_wait(waiting):
    late = with_columns(waiting, referral_day=[5.0] * 8)
    assert "wait" not in [question.name for question in review(late).questions]


def test_cautions_goals_and_severe_depression_on_ipt_alone(make_cohort):
    cohort = make_cohort([{"phq9": [score, 5], "sessions": 3} for score in (20, 24, 19, 22)])
    cohort = with_columns(
        cohort,
        caution_mania=["yes", "no", None, "no"],
        medication_concurrent=["no", "yes", "no", None],
    )
    goals = pd.DataFrame(
        {"episode_id": ["e0", "e1", "e2"], "goal": "grief_reengagement", "met": pd.array(["yes", "no", None], "string")}
    )
    result = review(replace(cohort, goals=goals))
    assert (rate(result, "caution_mania"), counted(result, "caution_mania")) == (1, 3)
    assert (rate(result, "severe_on_ipt_alone"), counted(result, "severe_on_ipt_alone")) == (1, 2)
    assert (rate(result, "goal_grief_reengagement"), counted(result, "goal_grief_reengagement")) == (1, 2)


def test_follow_up_remission_and_relapse(make_cohort):
    def course(*scores):
        return {"phq9": [(day / 7, value) for day, value in scores], "sessions": 3}

    cohort = make_cohort(
        [
            course((0, 15), (40, 4), (130, 4)),  # in remission, lasting, followed up
            course((0, 15), (40, 4), (70, 12)),  # relapse, no follow-up
            course((0, 15), (119, 3)),  # in remission a day too early for the window
            course((0, 15), (120, 7)),  # responded
            course((0, 8), (130, 3)),  # never elevated
        ]
    )
    result = review(cohort)
    assert counted(result, "follow_up") == 4
    assert rate(result, "followed_up") == 2
    assert (rate(result, "remission_at_follow_up"), rate(result, "response_at_follow_up")) == (1, 2)
    assert counted(result, "remission") == 4
    assert (rate(result, "remission_at_any_time"), rate(result, "sustained_remission")) == (3, 1)
    assert (rate(result, "relapse"), counted(result, "relapse")) == (1, 3)


def test_data_without_the_columns_have_no_questions(make_cohort):
    cohort = make_cohort([{"who5": [30, 60]} for _ in range(3)])
    courses = courses_of(cohort, by=None, by_default=False)
    assert questions_of(cohort, courses, None) == ()


def test_every_answer_is_one_of_those_a_question_can_have():
    cohort = simulated(200, seed=5)
    result = review(cohort)
    assert {question.name for question in result.questions} >= {"wait", "gap", "plan", "follow_up", "remission"}
    for question in result.questions:
        assert question.answers.min() >= 0
        assert question.answers.max() < question.n_answers
        for whom, inside in question.rates.values():
            assert inside <= question.counted[whom] <= question.counted[question.name]


def waiting_clinic(make_cohort, seed):
    """A clinic of some hundred courses with waits, gaps, plans, a caution and a goal."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(60, 300))
    courses = [
        {
            "phq9": [15, 5],
            "sessions": int(rng.choice([0, 1, 2, 8], p=[0.03, 0.07, 0.1, 0.8])),
            "ended": rng.random() < 0.92,
        }
        for _ in range(n)
    ]
    cohort = make_cohort(courses)
    days = (cohort.sessions["session_no"] - 1) * rng.choice(
        [7.0, 30.0, 95.0], len(cohort.sessions), p=[0.9, 0.06, 0.04]
    )
    return with_columns(
        cohort,
        sessions=cohort.sessions.assign(day=days),
        referral_day=np.where(rng.random(n) < 0.05, np.nan, -rng.integers(0, 150, n)),
        caution_mania=rng.choice(["yes", "no", None], n, p=[0.05, 0.9, 0.05]),
    )


def known_to_readers(shown, question):
    """What a report says of the counts of a question, and of those it stands beside: (low, high) by name."""
    rows = {
        "courses": shown.find("courses", "courses", {}),
        "ended": shown.find("courses", "ended", {}),
        "not_started": shown.find("courses", "not_started", {}),
        "open": shown.find("courses", "still_in_treatment", {}),
        "few": shown.find("sessions", "people", {"sessions": "1"}),
        "not_recorded": shown.find("service", "not_recorded", {"question": question.name}),
        **{f"counted {whom}": shown.find("service", "counted", {"question": whom}) for whom in question.counted},
        **{f"rate {rate}": shown.find("service", "numerator", {"rate": rate}) for rate in question.rates},
    }
    return {name: row.value for name, row in rows.items() if not row.suppressed}


def cells_of(question, name):
    """Which cells (stage, answer) a count is made of; stages: 0 not started, 1 open, 2 too few sessions, 3 finished."""
    stages = {"everyone": {0, 1, 2, 3}, "started": {1, 2, 3}, "ended": {2, 3}, "finished": {3}}[question.base]
    known = set(question.counted[question.name])
    answers = set(range(question.n_answers))
    kind, _, which = name.partition(" ")
    inside = {
        "courses": lambda: ({0, 1, 2, 3}, answers),
        "ended": lambda: ({2, 3}, answers),
        "not_started": lambda: ({0}, answers),
        "open": lambda: ({1}, answers),
        "few": lambda: ({2}, answers),
        "not_recorded": lambda: (stages, answers - known),
        "counted": lambda: (stages, set(question.counted[which])),
        "rate": lambda: (stages, set(question.rates[which][1])),
    }[kind]()
    return np.array(
        [[stage in inside[0] and answer in inside[1] for answer in range(question.n_answers)] for stage in range(4)]
    )


def bounds_of(group, known, question, slack):
    """Fewest and most people a reader can tell to be in a group of cells."""
    size = 4 * question.n_answers
    rows = np.array([cells_of(question, name).ravel() for name in known], dtype=float)
    values = np.array(list(known.values()), dtype=float)
    found = []
    for sign in (1, -1):
        answer = milp(
            sign * group.ravel().astype(float),
            constraints=LinearConstraint(rows, values - slack, values + slack),
            integrality=np.ones(size),
            bounds=Bounds(0, 10_000),
        )
        found.append(round(sign * answer.fun))
    return tuple(found)


def small_groups(result, audience, naive=False):
    """Groups that are differences or unions of the counts shown and that a reader can tell to be small."""
    shown = result.results if naive else result.protected(audience)
    least, slack = {"public": (11, 0), "board": (5, 0 if naive else 2)}[audience]
    found = []
    for question in result.questions:
        if not question.apart:
            continue
        known = known_to_readers(shown, question)
        sets = [cells_of(question, name) for name in known_to_readers(result.results, question)]
        groups = [one & ~two for one in sets for two in [np.zeros_like(one), *sets]]
        groups += [one & ~two & ~three for one in sets for two in sets for three in sets]
        for group in {mask.tobytes(): mask for mask in groups if mask.any()}.values():
            low, high = bounds_of(group, known, question, slack)
            if low > 0 and high < least:
                found.append((question.name, low, high))
    return found


@pytest.mark.parametrize("audience", ["board", "public"])
@pytest.mark.parametrize("seed", range(2))
def test_no_reader_can_tell_a_group_of_the_service_to_be_small(make_cohort, audience, seed):
    result = review(waiting_clinic(make_cohort, seed), by=None)
    assert {question.name for question in result.questions if question.apart} >= {"wait", "gap", "caution_mania"}
    assert small_groups(result, audience, naive=True)
    assert small_groups(result, audience) == []
    shown = [row for row in result.protected(audience) if row.analysis == "service" and row.statistic == "numerator"]
    assert any(not row.suppressed for row in shown)


@pytest.mark.parametrize("audience", ["board", "public"])
def test_what_overlaps_with_scores_and_sessions_stays_inside(audience):
    result = review(simulated(200, seed=1))
    shown = result.protected(audience)
    for question in result.questions:
        rows = [shown.find("service", "numerator", {"rate": name}) for name in question.rates]
        if not question.apart:
            assert all(row.suppressed for row in rows), question.name
    assert any(not question.apart for question in result.questions)
