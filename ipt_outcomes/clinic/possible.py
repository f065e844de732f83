"""Every kind of course there can be: the definitions are applied to courses that nobody had, beside the real ones.

From which counts a possible course is in, a reader of a report works out what its numbers say about each other. Stating
it by hand, rule by rule, forgets some of it; here the definitions say it themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ipt_outcomes.clinic.courses import UNKNOWN, Courses
from ipt_outcomes.clinic.judging import Judged, Measure, sets_of
from ipt_outcomes.clinic.measures import Cuts
from ipt_outcomes.clinic.options import ReviewOptions
from ipt_outcomes.clinic.outcomes import Sets, single_sets
from ipt_outcomes.clinic.scores import Scores

# A longer scale is looked at where its cut-offs and the scores seen are.
_LONGEST = 200

Pairs = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Possible:
    """Real courses and, after them, one of each possible kind, on measures that share instruments.

    Parameters
    ----------
    courses : Courses
    real : int
        How many of them there are; the others nobody had.
    measures : tuple of Measure
    sets : tuple of Sets
        One per measure.
    both : mapping of str to numpy.ndarray of bool
        Per instrument: which courses have a first and a last score.
    """

    courses: Courses
    real: int
    measures: tuple[Measure, ...] = ()
    sets: tuple[Sets, ...] = ()
    both: Mapping[str, NDArray[np.bool_]]


def possible_courses(judged: Judged, courses: Courses, options: ReviewOptions) -> list[Possible]:
    """Return the possible courses of each set of measures that share instruments.

    Parameters
    ----------
    judged : Judged
    courses : Courses
    options : ReviewOptions

    Returns
    -------
    list of Possible
        The measures in their order.
    """
    return [_possible(group, judged, courses, options) for group in _together(judged.measures)]


def possible_ends(courses: Courses, edges: Sequence[int]) -> Possible:
    """Return courses with each number of sessions at which a band begins, and each reason of ending.

    Parameters
    ----------
    courses : Courses
    edges : sequence of int

    Returns
    -------
    Possible
        Without measures.
    """
    attended = [0.0, *map(float, edges)] if courses.knows_sessions else [np.nan]
    reasons = sorted(set(courses.end_reason)) or [UNKNOWN]
    made = list(product(attended, (True, False), reasons))
    longer = with_more(
        courses,
        attended=np.array([each[0] for each in made]),
        ended=np.array([each[1] for each in made], dtype=bool),
        end_reason=np.array([each[2] for each in made], dtype=object),
        level=np.full(len(made), UNKNOWN, dtype=object),
    )
    return Possible(courses=longer, real=len(courses), both={})


def _together(measures: Sequence[Measure]) -> Iterator[tuple[Measure, ...]]:
    """Measures that share an instrument: the pair with its two; every other alone."""
    left = list(measures)
    while left:
        names = {cuts.name for cuts in left[0].cuts}
        group = tuple(measure for measure in left if names & {cuts.name for cuts in measure.cuts})
        yield group
        left = [measure for measure in left if measure not in group]


def _possible(group: tuple[Measure, ...], judged: Judged, courses: Courses, options: ReviewOptions) -> Possible:
    cuts = {each.name: each for measure in group for each in measure.cuts}
    pairs = [_kinds_of_scores(each, judged.scores[name], courses, options) for name, each in cuts.items()]
    levels = courses.levels or tuple(dict.fromkeys(courses.level))
    enough = float(options.min_sessions) if courses.knows_sessions else np.nan
    sessions = [enough, enough - 1] if enough > 1 else [enough]
    over = [(*each, True) for each in product(levels, sessions)]
    outside = [(level, 0.0 if courses.knows_sessions else np.nan, False) for level in levels]
    outside += [(level, enough, False) for level in levels]
    states = [np.vstack(each) for each in product(*pairs)]
    made = [(*each, state) for each in over for state in states]
    made += [(*each, states[0]) for each in outside]
    longer = with_more(
        courses,
        attended=np.array([each[1] for each in made]),
        ended=np.array([each[2] for each in made], dtype=bool),
        end_reason=np.full(len(made), UNKNOWN, dtype=object),
        level=np.array([each[0] for each in made], dtype=object),
    )
    taken = np.array([each[3] for each in made])
    scores = {
        name: _joined(judged.scores[name], taken[:, place, 0], taken[:, place, 1]) for place, name in enumerate(cuts)
    }
    return Possible(
        courses=longer,
        real=len(courses),
        measures=group,
        sets=tuple(sets_of(measure, scores, longer, options) for measure in group),
        both={name: ~np.isnan(each.first) & ~np.isnan(each.last) for name, each in scores.items()},
    )


def _kinds_of_scores(cuts: Cuts, seen: Scores, courses: Courses, options: ReviewOptions) -> Pairs:
    """One first and last score of each kind that the definitions tell apart."""
    values = _values(cuts, seen)
    first, last = (each.ravel() for each in np.meshgrid(values, np.append(values, np.nan), indexing="ij"))
    first, last = np.append(first, np.nan), np.append(last, np.nan)
    scores = Scores(first=first, last=last, n_untimed=0, n_follow_up=0)
    nobody = with_more(
        courses,
        attended=np.full(len(first), options.min_sessions if courses.knows_sessions else np.nan),
        ended=np.ones(len(first), dtype=bool),
        end_reason=np.full(len(first), UNKNOWN, dtype=object),
        level=np.full(len(first), UNKNOWN, dtype=object),
        only=True,
    )
    sets = single_sets(cuts, scores, nobody, response=options.response, min_sessions=options.min_sessions)
    marks = [sets.with_first, sets.pairs, *sets.bases.values()]
    for rate, (base, finished, observed) in sets.rates.items():
        # Being below the cut-off decides for the pair whoever is no case on the one instrument, too.
        inside = sets.bases[base] | (rate == "recovery")
        marks += [inside & finished, inside & observed]
    _, kinds = np.unique(np.array(marks), axis=1, return_index=True)
    return np.column_stack([first, last])[np.sort(kinds)]


def _values(cuts: Cuts, seen: Scores) -> Pairs:
    """Scores to look at: all of the scale, or those seen and those around its cut-offs."""
    there = np.concatenate([seen.first, seen.last])
    values = np.unique(there[~np.isnan(there)])
    if np.isfinite([cuts.minimum, cuts.maximum]).all() and cuts.maximum - cuts.minimum <= _LONGEST:
        return np.union1d(values, np.arange(cuts.minimum, cuts.maximum + 1))
    around = [cut + step for cut in (cuts.caseness, cuts.remission) if cut is not None for step in (-1, 0, 1)]
    step = cuts.reliable_change or 0.0
    around += [each + sign * step for each in around for sign in (-1, 1)]
    lowest, highest = max(cuts.minimum, min(values, default=0.0)), min(cuts.maximum, max(values, default=0.0))
    kept = values[:: 1 + len(values) // _LONGEST]
    return np.union1d(kept, np.clip([lowest, *around, highest], cuts.minimum, cuts.maximum))


def _joined(seen: Scores, first: Pairs, last: Pairs) -> Scores:
    return replace(seen, first=np.concatenate([seen.first, first]), last=np.concatenate([seen.last, last]))


def with_more(
    courses: Courses,
    *,
    attended: Pairs,
    ended: NDArray[np.bool_],
    end_reason: NDArray[np.object_],
    level: NDArray[np.object_],
    only: bool = False,
) -> Courses:
    """Return the courses with others after them, or the others alone.

    Parameters
    ----------
    courses : Courses
    attended, ended, end_reason, level : numpy.ndarray, shape (m,)
        Of the others.
    only : bool
        The others alone.

    Returns
    -------
    Courses
    """

    def joined(name: str, more: np.ndarray) -> np.ndarray:
        return more if only else np.concatenate([getattr(courses, name), more])

    return replace(
        courses,
        attended=joined("attended", attended),
        ended=joined("ended", ended),
        end_reason=joined("end_reason", end_reason),
        level=joined("level", level),
    )
