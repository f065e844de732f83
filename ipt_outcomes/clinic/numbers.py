"""Every number of a review as a result row, and who is in which count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ipt_outcomes.clinic.courses import Courses
from ipt_outcomes.clinic.judging import Judged
from ipt_outcomes.clinic.ledger import Ledger, Order, RateIds
from ipt_outcomes.clinic.measure_rows import Rows
from ipt_outcomes.clinic.measures import PAIR
from ipt_outcomes.clinic.options import ReviewOptions
from ipt_outcomes.clinic.outcomes import closed, started
from ipt_outcomes.clinic.possible import possible_courses, possible_ends
from ipt_outcomes.clinic.service.questions import Question
from ipt_outcomes.clinic.service.rows import add_question
from ipt_outcomes.clinic.service.units import Units, add_units
from ipt_outcomes.clinic.service.views import View, add_views
from ipt_outcomes.clinic.sessions import few_sessions, session_bands, session_edges
from ipt_outcomes.privacy import Modelled, Recorded

FLOW_STEPS = ("in the file", "set aside", "loaded", "kept")
"""Steps of a cohort's flow that a review reports; the others it counts itself."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Numbers(Recorded):
    """The result rows of a review and who is in which of its counts.

    Parameters
    ----------
    results : Results
        Complete: nothing is hidden.
    links : tuple of Link
        For `ipt_outcomes.privacy.protect`.
    rates : mapping
        The rows of each rate by (measure, rate, rule, group); the group of everyone is "all".
    """

    rates: Mapping[tuple[str, str, str, str], RateIds]


def review_numbers(
    judged: Judged,
    courses: Courses,
    options: ReviewOptions,
    flow: pd.DataFrame,
    questions: Sequence[Question] = (),
    views: Sequence[View] = (),
    units: Sequence[Units] = (),
) -> Numbers:
    """Return every number of a review.

    Parameters
    ----------
    judged : Judged
    courses : Courses
    options : ReviewOptions
    flow : pandas.DataFrame
        ``step reason people``, as a cohort's.
    questions : sequence of Question
        What is asked of each course beside its scores.
    views : sequence of View
        Columns to give the main rates by, for the service itself.
    units : sequence of Units
        Sites and therapists, for the service itself.

    Returns
    -------
    Numbers
        Analyses: ``flow courses sessions end_reason completeness scores base rate service view unit``. In all, everyone
        comes without, each group with a level of the column compared by.
    """
    edges = session_edges(options.min_sessions)
    ledger = Ledger(possible=possible_ends(courses, edges), level=options.level)
    _flow_rows(ledger, flow)
    _course_rows(ledger)
    _session_rows(ledger, edges)
    place = 0
    everything = possible_courses(judged, courses, options)
    for possible in everything:
        ledger.turn_to(possible)
        _course_rows(ledger)
        few_sessions(ledger, edges, options.min_sessions)
        for measure, sets in zip(possible.measures, possible.sets, strict=True):
            for groups, inside in ledger.groups():
                Rows(ledger, measure, sets, {"measure": measure.name, **groups}, inside, place).add()
            place += 1
        _completeness(ledger)
    for number, question in enumerate(questions):
        add_question(ledger, question, courses, edges, options.min_sessions, number)
    add_views(ledger, views, judged, courses)
    add_units(ledger, units)
    return Numbers(results=ledger.builder.build(), links=(*ledger.links, *ledger.kinds()), rates=ledger.rates)


def _flow_rows(ledger: Ledger, flow: pd.DataFrame) -> None:
    """Add who came in and who was set aside. Never published where small numbers are hidden: people may overlap."""
    lines = flow[flow["step"].isin(FLOW_STEPS)].drop_duplicates(["step", "reason"])
    for step, reason, people in zip(lines["step"], lines["reason"], lines["people"], strict=True):
        ledger.unpublished("flow", "people", int(people), {"step": str(step), "reason": str(reason)})


def _course_rows(ledger: Ledger) -> None:
    """Add who started and who ended."""
    courses = ledger.courses
    for groups, inside in ledger.groups():
        first = Order.GROUPS if groups else Order.MAIN
        ledger.count("courses", "courses", inside, groups, order=first)
        parts = {
            "not_started": (~started(courses), None if groups else Order.DETAILS),
            "still_in_treatment": (started(courses) & ~courses.ended, None if groups else Order.DETAILS),
            "ended": (closed(courses), first),
        }
        for name, (mask, order) in parts.items():
            ledger.count("courses", name, mask & inside, groups, order=order)


def _session_rows(ledger: Ledger, edges: tuple[int, ...]) -> None:
    """Add how many sessions were attended, and why courses ended."""
    courses, real = ledger.courses, ledger.possible.real
    over = closed(courses)
    if courses.knows_sessions:
        for label, mask in session_bands(courses, edges):
            if mask[:real].any():
                ledger.count("sessions", "people", mask, {"sessions": label}, order=Order.SESSIONS)
        ended = over[:real]
        mean = float(courses.attended[:real][ended].mean()) if ended.any() else None
        row = ledger.builder.add(
            "sessions", "mean", mean, unit="sessions", method="of ended courses", n=int(ended.sum())
        )
        ledger.links.append(Modelled((row,), (ledger.id_of("courses", "ended"),)))
    if courses.knows_reason:
        for reason in sorted(set(courses.end_reason[:real][over[:real]])):
            mask = over & (courses.end_reason == reason)
            ledger.count("end_reason", "people", mask, {"reason": str(reason)}, order=Order.REASONS)


def _completeness(ledger: Ledger) -> None:
    """Add how many ended courses have a first score, and a first and a last score."""
    over = closed(ledger.courses)
    ended = ledger.id_of("courses", "ended")
    for measure, sets in zip(ledger.possible.measures, ledger.possible.sets, strict=True):
        if measure.name == PAIR:
            continue
        both = over & ledger.possible.both[measure.name]
        for kind, mask in {"first": sets.with_first, "first_and_last": both}.items():
            groups = {"measure": measure.name, "kind": kind}
            added = ledger.count("completeness", "people", mask, groups, order=Order.COMPLETENESS)
            ledger.share("completeness", (added, ended), (mask, over), groups)
