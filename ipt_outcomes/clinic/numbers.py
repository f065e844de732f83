"""Every number of a review as a result row, and which counts give which away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.clinic.courses import Courses
from ipt_outcomes.clinic.judging import Judged
from ipt_outcomes.clinic.ledger import PEOPLE, Ledger, Order, RateIds
from ipt_outcomes.clinic.measure_rows import Rows
from ipt_outcomes.clinic.measures import PAIR
from ipt_outcomes.clinic.options import ReviewOptions
from ipt_outcomes.clinic.outcomes import CASES, COMPLETERS, STARTERS, closed, started
from ipt_outcomes.privacy import Implied, Link, Modelled
from ipt_outcomes.results import Results

SESSION_EDGES = (2, 6, 12, 17)
"""Where a new band of attended sessions begins, beside `min_sessions`."""

FLOW_STEPS = ("in the file", "set aside", "loaded", "kept")
"""Steps of a cohort's flow that a review reports; the others it counts itself."""


# Ids of the counts of each measure and level; the level of everyone is "".
Ids = dict[tuple[str, str], dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The result rows of a review and the links between its counts.

    Parameters
    ----------
    results : Results
        Complete: nothing is hidden.
    links : tuple of Link
        For `ipt_outcomes.privacy.protect`.
    rates : mapping
        The rows of each rate by (measure, rate, rule, group); the group of everyone is "all".
    order : mapping of str to int
        When each count is published where small ones are hidden: lower comes first, with all of the same number.
        Counts that are not in it are not published then.
    """

    results: Results
    links: tuple[Link, ...]
    rates: Mapping[tuple[str, str, str, str], RateIds]
    order: Mapping[str, int]


def review_numbers(judged: Judged, courses: Courses, options: ReviewOptions, flow: pd.DataFrame) -> Numbers:
    """Return every number of a review.

    Parameters
    ----------
    judged : Judged
    courses : Courses
    options : ReviewOptions
    flow : pandas.DataFrame
        ``step reason people``, as a cohort's.

    Returns
    -------
    Numbers
        Analyses: ``flow courses sessions end_reason completeness scores base rate``. In all of them everyone comes
        without, each group with a level of the column compared by.
    """
    ledger = Ledger(courses=courses, level=options.level)
    _flow_rows(ledger, flow)
    ended = _course_rows(ledger)
    few = _session_rows(ledger, options, ended[""])
    ids: Ids = {}
    for place, (measure, sets) in enumerate(zip(judged.measures, judged.sets, strict=True)):
        for groups, inside in ledger.groups():
            level = groups.get(ledger.key, "")
            rows = Rows(ledger, measure, sets, {"measure": measure.name, **groups}, inside, place)
            ids[measure.name, level] = rows.add(ended[level])
    _completeness(ledger, judged, ended[""], ids)
    if few is not None:
        _few_sessions(ledger, judged, ids, few)
    _across(ledger, judged, ids)
    _over_levels(ledger)
    return Numbers(results=ledger.builder.build(), links=tuple(ledger.links), rates=ledger.rates, order=ledger.order)


def _flow_rows(ledger: Ledger, flow: pd.DataFrame) -> None:
    """Add who came in and who was set aside. Never published where small numbers are hidden: people may overlap."""
    for line in flow[flow["step"].isin(FLOW_STEPS)].drop_duplicates(["step", "reason"]).itertuples():
        groups = {"step": str(line.step), "reason": str(line.reason)}
        ledger.builder.add("flow", "people", int(line.people), unit=PEOPLE, groups=groups)  # type: ignore[arg-type]


def _course_rows(ledger: Ledger) -> dict[str, str]:
    """Add who started and who ended; return the id of the ended courses of each level."""
    courses, ended = ledger.courses, {}
    for groups, inside in ledger.groups():
        first = Order.GROUPS if groups else Order.MAIN
        total = ledger.count("courses", "courses", inside, groups, order=first)
        parts = {
            "not_started": (~started(courses), None if groups else Order.DETAILS),
            "still_in_treatment": (started(courses) & ~courses.ended, None if groups else Order.DETAILS),
            "ended": (closed(courses), first),
        }
        added = {
            name: ledger.count("courses", name, mask & inside, groups, order=order)
            for name, (mask, order) in parts.items()
        }
        ledger.adds(total, *added.values())
        ended[groups.get(ledger.key, "")] = added["ended"]
    return ended


def _session_rows(ledger: Ledger, options: ReviewOptions, ended: str) -> str | None:
    """Add how many sessions were attended, and why courses ended; return the id of those with too few sessions."""
    few = None
    courses = ledger.courses
    over = closed(courses)
    if courses.knows_sessions:
        bands = []
        for label, mask in session_bands(courses, options.min_sessions):
            bands.append(ledger.count("sessions", "people", mask, {"sessions": label}, order=Order.SESSIONS))
            if (courses.attended[mask] < options.min_sessions).all():
                few = bands[-1]
        ledger.adds(ended, *bands)
        mean = float(courses.attended[over].mean()) if over.any() else None
        row = ledger.builder.add(
            "sessions", "mean", mean, unit="sessions", method="of ended courses", n=int(over.sum())
        )
        ledger.links.append(Modelled((row,), (ended,)))
    if courses.knows_reason:
        masks = {str(reason): over & (courses.end_reason == reason) for reason in sorted(set(courses.end_reason[over]))}
        reasons = [
            ledger.count("end_reason", "people", mask, {"reason": reason}, order=Order.REASONS)
            for reason, mask in masks.items()
        ]
        ledger.adds(ended, *reasons)
    return few


def session_bands(courses: Courses, min_sessions: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the bands of attended sessions that occur among ended courses, in words, with their masks.

    Parameters
    ----------
    courses : Courses
    min_sessions : int
        A band begins here, too.

    Yields
    ------
    tuple of str and numpy.ndarray of bool
    """
    edges = sorted({1, min_sessions, *(edge for edge in SESSION_EDGES if edge > min_sessions)})
    over = closed(courses)
    for low, above in zip(edges, [*edges[1:], None], strict=True):
        mask = over & (courses.attended >= low)
        label = f"{low} or more"
        if above is not None:
            mask &= courses.attended < above
            label = str(low) if above == low + 1 else f"{low} to {above - 1}"
        if mask.any():
            yield label, mask


def _completeness(ledger: Ledger, judged: Judged, ended: str, ids: Ids) -> None:
    """Add how many ended courses have a first score, and a first and a last score."""
    over = closed(ledger.courses)
    for measure, sets in zip(judged.measures, judged.sets, strict=True):
        if measure.name == PAIR:
            continue
        both = over & judged.both[measure.name]
        own, added = ids[measure.name, ""], {}
        for kind, mask in {"first": sets.with_first, "first_and_last": both}.items():
            groups = {"measure": measure.name, "kind": kind}
            added[kind] = ledger.count("completeness", "people", mask, groups, order=Order.COMPLETENESS)
            ledger.inside(ended, added[kind])
            ledger.share("completeness", (added[kind], ended), (int(mask.sum()), int(over.sum())), groups)
        # The same people as in the flow of the measure; with both scores are completers and some with few sessions.
        ledger.adds(added["first"], own["with_first_score"])
        few_both = Implied(f"{measure.name}: few sessions, both scores", int((sets.few_sessions & both).sum()))
        few_one = Implied(f"{measure.name}: few sessions, no last score", int((sets.few_sessions & ~both).sum()))
        ledger.adds(added["first_and_last"], own["completers"], few_both)
        ledger.adds(own["too_few_sessions"], few_both, few_one)
        ledger.adds(added["first"], added["first_and_last"], own["no_last_score"], few_one)


def _few_sessions(ledger: Ledger, judged: Judged, ids: Ids, few: str) -> None:
    """Say how those with too few sessions hang together with those without a first score."""
    over, scarce = closed(ledger.courses), ledger.courses.attended < judged.min_sessions
    for measure, sets in zip(judged.measures, judged.sets, strict=True):
        own = ids[measure.name, ""]
        neither = Implied(f"{measure.name}: few sessions, no first score", int((over & scarce & sets.no_first).sum()))
        rest = Implied(f"{measure.name}: enough sessions, no first score", int((sets.no_first & ~scarce).sum()))
        ledger.adds(few, own["too_few_sessions"], neither)
        ledger.adds(own["no_first_score"], neither, rest)


def _across(ledger: Ledger, judged: Judged, ids: Ids) -> None:
    """Say how the pair hangs together with its two instruments: it needs both scores, and either makes a case."""
    by_name = {measure.name: sets for measure, sets in zip(judged.measures, judged.sets, strict=True)}
    if PAIR not in by_name:
        return
    for name in ("phq9", "gad7"):
        if name not in by_name:
            continue
        for groups, _ in ledger.groups():
            level = groups.get(ledger.key, "")
            pair, single = ids[PAIR, level], ids[name, level]
            for count in ("with_first_score", "too_few_sessions", "completers"):
                ledger.inside(single[count], pair[count])
            for rule, masks in ((STARTERS, "with_first"), (COMPLETERS, "pairs")):
                if np.array_equal(getattr(by_name[PAIR], masks), getattr(by_name[name], masks)):
                    ledger.inside(pair[f"{CASES} {rule}"], single[f"{CASES} {rule}"])


def _over_levels(ledger: Ledger) -> None:
    """Say that the levels of each count add up to everyone."""
    levels = ledger.courses.levels
    if not levels:
        return
    rows = ledger.builder.build()
    for row in rows:
        if (
            row.unit != PEOPLE
            or ledger.key in row.groups
            or row.analysis in {"flow", "sessions", "end_reason", "completeness"}
        ):
            continue
        parts = [rows.find(row.analysis, row.statistic, {**row.groups, ledger.key: level}).id for level in levels]
        ledger.adds(row.id, *parts)
