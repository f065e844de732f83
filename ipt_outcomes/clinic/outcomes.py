"""What became of each course on one measure: sets of courses, from which every count of a review is taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ipt_outcomes.clinic.courses import Courses
from ipt_outcomes.clinic.measures import Cuts
from ipt_outcomes.clinic.scores import Scores
from ipt_outcomes.clinic.talking_therapies import CASES_ONLY, judge
from ipt_outcomes.clinic.talking_therapies import RATES as PAIR_RATES
from ipt_outcomes.instruments import good_end, responded

COMPLETERS, STARTERS, LAST = "completers", "starters", "last_observation"
RULES = (COMPLETERS, STARTERS, LAST)
"""Completers: finished with both scores. Starters: everyone who started, no last score counts as not improved.
Last observation: everyone who started, the last score there is."""

RATES = ("recovery", "reliable_improvement", "reliable_recovery", "reliable_deterioration", "response", "remission")
"""Rates of a single instrument, in the order of a report."""

ALL_BASE, CASES, ABOVE, DEFINED = "all", "cases", "not_in_remission", "percentage_defined"

BASE_REASON = {CASES: "not_a_case", ABOVE: "in_remission_at_start", DEFINED: "no_symptoms_at_start"}
"""Why a course with its scores is in no denominator of a rate that is not about everyone."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sets:
    """Who is in and who is not, as masks over the courses.

    Parameters
    ----------
    measure : str
    with_first, no_first : numpy.ndarray of bool
        Of the courses that started and ended.
    few_sessions, no_last, pairs : numpy.ndarray of bool
        Of those with a first score: too few sessions, else no last score, else both scores (the completers).
    bases : mapping of str to numpy.ndarray of bool
        Who can count in a rate, among those with a first score: everyone, cases, ...
    rates : mapping of str to tuple
        Base, flag by the observed last score, flag by the last observation.
    """

    measure: str
    with_first: Mask
    no_first: Mask
    few_sessions: Mask
    no_last: Mask
    pairs: Mask
    bases: dict[str, Mask]
    rates: dict[str, tuple[str, Mask, Mask]] = field(default_factory=dict)

    def denominator(self, rate: str, rule: str) -> Mask:
        """Return who is in the denominator of a rate under a rule."""
        base = self.bases[self.rates[rate][0]]
        return base & self.pairs if rule == COMPLETERS else base

    def numerator(self, rate: str, rule: str) -> Mask:
        """Return who is in the numerator of a rate under a rule."""
        base, finished, observed = self.rates[rate]
        if rule == LAST:
            return self.bases[base] & observed
        # Whoever is no completer counts as not improved: the numerator is that of the completers.
        return self.bases[base] & self.pairs & finished

    def left_out(self, rate: str, rule: str) -> Iterator[tuple[str, Mask]]:
        """Yield who of the ended courses is not in the denominator, by the first reason that applies."""
        yield "no_first_score", self.no_first
        inside = self.with_first
        if rule == COMPLETERS:
            yield "too_few_sessions", self.few_sessions
            yield "no_last_score", self.no_last
            inside = self.pairs
        base = self.rates[rate][0]
        if base != ALL_BASE:
            yield BASE_REASON[base], inside & ~self.bases[base]


def single_sets(cuts: Cuts, scores: Scores, courses: Courses, *, response: float, min_sessions: int) -> Sets:
    """Return the sets of one instrument.

    Parameters
    ----------
    cuts : Cuts
        With a direction.
    scores : Scores
    courses : Courses
    response : float
        Share of the first score's distance from the good end of the scale that counts as response, inclusive.
    min_sessions : int

    Returns
    -------
    Sets
        With the rates that the instrument's cut-offs allow.
    """
    flow = _flow(cuts.name, ~np.isnan(scores.first), ~np.isnan(scores.last), courses, min_sessions)
    sign = 1.0 if cuts.better == "lower" else -1.0
    # Turned so that lower is better; every cut-off below is inclusive.
    first, finished, observed = (sign * each for each in (scores.first, scores.last, scores.observed))
    bases: dict[str, Mask] = {ALL_BASE: flow.with_first}
    rates: dict[str, tuple[str, Mask, Mask]] = {}
    if cuts.caseness is not None:
        cut = sign * cuts.caseness
        bases[CASES] = flow.with_first & (first >= cut)
        rates["recovery"] = (CASES, finished < cut, observed < cut)
    if cuts.reliable_change is not None:
        change = cuts.reliable_change
        better = [first - end >= change for end in (finished, observed)]
        rates["reliable_improvement"] = (ALL_BASE, better[0], better[1])
        if "recovery" in rates:
            _, below, below_observed = rates["recovery"]
            rates["reliable_recovery"] = (CASES, better[0] & below, better[1] & below_observed)
        rates["reliable_deterioration"] = (ALL_BASE, finished - first >= change, observed - first >= change)
    good = good_end(cuts.better, cuts.minimum, cuts.maximum)
    if good is not None:
        share = [_responded(cuts, scores.first, end, response) for end in (scores.last, scores.observed)]
        if CASES not in bases:
            bases[DEFINED] = flow.with_first & (first > sign * good)
        rates["response"] = (CASES if CASES in bases else DEFINED, share[0], share[1])
    if cuts.remission is not None:
        limit = sign * cuts.remission
        if CASES not in bases:
            bases[ABOVE] = flow.with_first & (first > limit)
        rates["remission"] = (CASES if CASES in bases else ABOVE, finished <= limit, observed <= limit)
    return _with_rates(flow, bases, {name: rates[name] for name in RATES if name in rates})


def pair_sets(
    depression: tuple[Cuts, Scores],
    anxiety: tuple[Cuts, Scores],
    courses: Courses,
    *,
    measure: str,
    min_sessions: int,
) -> Sets:
    """Return the sets of PHQ-9 with GAD-7 by the rules of NHS Talking Therapies.

    Parameters
    ----------
    depression, anxiety : tuple of Cuts and Scores
    courses : Courses
    measure : str
        Name of the pair in results.
    min_sessions : int

    Returns
    -------
    Sets
        A course has a first score when it has both first scores, a last score when it has both last ones.
    """
    each = (depression, anxiety)
    first = np.logical_and.reduce([~np.isnan(scores.first) for _, scores in each])
    last = np.logical_and.reduce([~np.isnan(scores.last) for _, scores in each])
    flow = _flow(measure, first, last, courses, min_sessions)
    finished = judge(*((s.first, s.last, c.caseness, c.reliable_change) for c, s in each))
    observed = judge(*((s.first, s.observed, c.caseness, c.reliable_change) for c, s in each))
    case = finished["caseness"].fillna(False).to_numpy(dtype=bool)
    bases = {ALL_BASE: flow.with_first, CASES: flow.with_first & case}
    rates: dict[str, tuple[str, Mask, Mask]] = {
        name: (
            CASES if name in CASES_ONLY else ALL_BASE,
            finished[name].fillna(False).to_numpy(dtype=bool),
            observed[name].fillna(False).to_numpy(dtype=bool),
        )
        for name in ("recovery", "reliable_improvement", "reliable_recovery", "reliable_deterioration")
        if name in PAIR_RATES
    }
    return _with_rates(flow, bases, rates)


def started(courses: Courses) -> Mask:
    """Return which courses started: at least one session attended, or sessions not recorded."""
    return np.asarray(~(courses.attended == 0))


def closed(courses: Courses) -> Mask:
    """Return which courses started and have ended."""
    return np.asarray(started(courses) & courses.ended)


def _flow(measure: str, first: Mask, last: Mask, courses: Courses, min_sessions: int) -> Sets:
    ended = closed(courses)
    inside = ended & first
    few = inside & (courses.attended < min_sessions)
    return Sets(
        measure=measure,
        with_first=inside,
        no_first=ended & ~first,
        few_sessions=few,
        no_last=inside & ~few & ~last,
        pairs=inside & ~few & last,
        bases={},
    )


def _with_rates(flow: Sets, bases: dict[str, Mask], rates: dict[str, tuple[str, Mask, Mask]]) -> Sets:
    return Sets(
        measure=flow.measure,
        with_first=flow.with_first,
        no_first=flow.no_first,
        few_sessions=flow.few_sessions,
        no_last=flow.no_last,
        pairs=flow.pairs,
        bases=bases,
        rates=rates,
    )


def _responded(cuts: Cuts, first: np.ndarray, end: np.ndarray, response: float) -> Mask:
    """Whether the score's distance from the good end of the scale shrank by the share."""
    assert cuts.better is not None  # noqa: S101  its good end is known
    return responded(first, end, better=cuts.better, minimum=cuts.minimum, maximum=cuts.maximum, share=response)
