"""The answers to the questions about each course as result rows, and who is in which of their counts."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np

from ipt_outcomes.clinic.courses import UNKNOWN, Courses
from ipt_outcomes.clinic.ledger import Ledger, Order
from ipt_outcomes.clinic.outcomes import closed, started
from ipt_outcomes.clinic.possible import Possible, with_more
from ipt_outcomes.clinic.service.questions import ENDED, EVERYONE, FINISHED, STARTED, Question
from ipt_outcomes.clinic.sessions import few_sessions

ANALYSIS = "service"
"""Name of the analysis: ``counted`` and ``not_recorded`` of each question, ``numerator percent ci_low ci_high`` of each
rate."""


def add_question(
    ledger: Ledger, question: Question, courses: Courses, edges: tuple[int, ...], min_sessions: int, place: int
) -> None:
    """Add the counts and rates of a question.

    Parameters
    ----------
    ledger : Ledger
        Turned to the possible courses of this question.
    question : Question
    courses : Courses
        The real ones.
    edges : tuple of int
        Where a band of sessions begins.
    min_sessions : int
    place : int
        Of the question: earlier ones are published first where small numbers are hidden.
    """
    possible, answers = possible_answers(question, courses, min_sessions)
    ledger.turn_to(possible)
    # What other tables say of the stages of courses, a reader knows here, too.
    begun, over = started(possible.courses), closed(possible.courses)
    stages = {"courses": begun | True, "not_started": ~begun, "still_in_treatment": begun & ~over, "ended": over}
    for name, mask in stages.items():
        ledger.count("courses", name, mask, {}, order=Order.MAIN)
    few_sessions(ledger, edges, min_sessions)
    base = asked(question.base, possible.courses, min_sessions)
    orders = [Order.SERVICE + 3 * place + step if question.apart else None for step in range(3)]
    masks = {name: base & np.isin(answers, sorted(inside)) for name, inside in question.counted.items()}
    wholes = {}
    for rate, (whom, inside) in question.rates.items():
        numerator = masks[whom] & np.isin(answers, sorted(inside))
        top = ledger.count(ANALYSIS, "numerator", numerator, {"rate": rate}, order=orders[1])
        if whom not in wholes:
            wholes[whom] = ledger.count(ANALYSIS, "counted", masks[whom], {"question": whom}, order=orders[0])
        ledger.share(ANALYSIS, (top, wholes[whom]), (numerator, masks[whom]), {"rate": rate})
    known = masks[question.name]
    ledger.count(ANALYSIS, "not_recorded", base & ~known, {"question": question.name}, order=orders[2])


def asked(base: str, courses: Courses, min_sessions: int) -> np.ndarray:
    """Return whom a question is asked of.

    Parameters
    ----------
    base : str
        One of `ipt_outcomes.clinic.service.questions.BASES`.
    courses : Courses
    min_sessions : int
        Sessions from which on a course that has ended is finished.

    Returns
    -------
    numpy.ndarray of bool, shape (k,)
    """
    over = closed(courses)
    masks = {
        EVERYONE: np.ones(len(courses.attended), dtype=bool),
        STARTED: started(courses),
        ENDED: over,
        FINISHED: over & ~(courses.attended < min_sessions),
    }
    return masks[base]


def possible_answers(question: Question, courses: Courses, min_sessions: int) -> tuple[Possible, np.ndarray]:
    """Return the courses with one of each possible kind after them, and the answers of all.

    Parameters
    ----------
    question : Question
    courses : Courses
    min_sessions : int

    Returns
    -------
    Possible
        Without measures.
    numpy.ndarray of int
        Answers of the real courses, then of the others: every answer at every stage a course can be in.
    """
    stages = [(0.0, False), (float(min_sessions), False), (float(min_sessions), True), (0.0, True)]
    if min_sessions > 1:
        stages.append((1.0, True))
    if not courses.knows_sessions:
        stages = [(np.nan, False), (np.nan, True)]
    made = list(product(stages, range(question.n_answers)))
    more = with_more(
        replace(courses, end_reason=np.full(len(courses), UNKNOWN, dtype=object)),
        attended=np.array([stage[0] for stage, _ in made]),
        ended=np.array([stage[1] for stage, _ in made], dtype=bool),
        end_reason=np.full(len(made), UNKNOWN, dtype=object),
        level=np.full(len(made), UNKNOWN, dtype=object),
    )
    answers = np.concatenate([question.answers, np.array([answer for _, answer in made], dtype=int)])
    return Possible(courses=more, real=len(courses), both={}), answers
