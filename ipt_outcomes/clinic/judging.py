"""Which measures of a cohort can be judged, and how each course came out on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ipt_outcomes.clinic.courses import Courses
from ipt_outcomes.clinic.measures import PAIR, Cuts, cuts_of
from ipt_outcomes.clinic.options import ReviewOptions
from ipt_outcomes.clinic.outcomes import Sets, pair_sets, single_sets
from ipt_outcomes.clinic.scores import Scores, scores_of
from ipt_outcomes.errors import DataError, DesignError, OptionError
from ipt_outcomes.io.cohort import Cohort

# Harm is never left for later pages.
_FIRST = ("recovery", "reliable_improvement", "reliable_deterioration", "response", "remission")
_GIVEN_HINT = 'Give cut-offs of your own: cutoffs={"bdi2": {"caseness": 14, "reliable_change": 9}}.'


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One instrument of a review, or the PHQ-9 and GAD-7 pair.

    Parameters
    ----------
    name : str
        As in the results.
    label : str
        As a report writes it.
    cuts : tuple of Cuts
        One, or the two of the pair.
    bases : mapping of str to str
        Who can count in each rate it gives: ``"all"``, ``"cases"``, ``"not_in_remission"``, ``"percentage_defined"``.
    cannot : tuple of str
        What it cannot give and why, in words.
    """

    name: str
    label: str
    cuts: tuple[Cuts, ...]
    bases: Mapping[str, str]
    cannot: tuple[str, ...] = ()

    @property
    def rates(self) -> tuple[str, ...]:
        """Rates it gives, in the order of a report."""
        return tuple(self.bases)

    @property
    def headline(self) -> tuple[str, ...]:
        """Rates to name first: at most three, deterioration among them where it is known."""
        return tuple(rate for rate in _FIRST if rate in self.bases)[:3]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Every measure with its sets of courses.

    Parameters
    ----------
    measures : tuple of Measure
        The pair first, where it is there.
    sets : tuple of Sets
        One per measure.
    scores : mapping of str to Scores
        Per instrument.
    notes : tuple of str
    """

    measures: tuple[Measure, ...]
    sets: tuple[Sets, ...]
    scores: Mapping[str, Scores]
    notes: tuple[str, ...]


def judge_cohort(cohort: Cohort, courses: Courses, options: ReviewOptions) -> Judged:
    """Judge every course on every measure.

    Parameters
    ----------
    cohort : Cohort
    courses : Courses
    options : ReviewOptions

    Returns
    -------
    Judged

    Raises
    ------
    DataError, DesignError, OptionError
        As `ipt_outcomes.clinic.review`.
    """
    notes: list[str] = []
    chosen = _chosen(cohort, options, notes)
    scores = {cuts.name: scores_of(cohort, cuts.name, courses) for cuts in chosen}
    found = [pair for pair in [_pair(chosen, scores, courses, options)] if pair is not None]
    for cuts in chosen:
        sets = _judge((cuts,), scores, courses, options)
        cannot = _cannot(cuts, sets)
        notes += [f"{cuts.label}: {words}." for words in cannot]
        notes += _score_notes(cuts, scores[cuts.name])
        if sets.rates:
            found.append((_measure(cuts.name, cuts.label, (cuts,), sets, cannot), sets))
    if not found:
        names = ", ".join(cuts.label for cuts in chosen)
        raise DesignError(f"no rate can be given: no cut-off is known for {names}", hint=_GIVEN_HINT)
    return Judged(
        measures=tuple(measure for measure, _ in found),
        sets=tuple(sets for _, sets in found),
        scores=scores,
        notes=tuple(dict.fromkeys(notes)),
    )


def sets_of(measure: Measure, scores: Mapping[str, Scores], courses: Courses, options: ReviewOptions) -> Sets:
    """Judge courses on a measure.

    Parameters
    ----------
    measure : Measure
    scores : mapping of str to Scores
        Per instrument, a place per course.
    courses : Courses
    options : ReviewOptions

    Returns
    -------
    Sets
    """
    return _judge(measure.cuts, scores, courses, options)


def _judge(cuts: tuple[Cuts, ...], scores: Mapping[str, Scores], courses: Courses, options: ReviewOptions) -> Sets:
    """Judge courses on one instrument, or on the two of the pair."""
    if len(cuts) == 1:
        own = scores[cuts[0].name]
        return single_sets(cuts[0], own, courses, response=options.response, min_sessions=options.min_sessions)
    depression, anxiety = ((each, scores[each.name]) for each in cuts)
    return pair_sets(depression, anxiety, courses, measure=PAIR, min_sessions=options.min_sessions)


def _measure(name: str, label: str, cuts: tuple[Cuts, ...], sets: Sets, cannot: tuple[str, ...] = ()) -> Measure:
    bases = {rate: base for rate, (base, _, _) in sets.rates.items()}
    return Measure(name=name, label=label, cuts=cuts, bases=bases, cannot=cannot)


def _chosen(cohort: Cohort, options: ReviewOptions, notes: list[str]) -> list[Cuts]:
    """The instruments to judge: PHQ-9 first, then GAD-7, then as the registry names them."""
    there = cohort.instruments
    table = cohort.assessments
    scored = table.loc[table["item"].eq(0) & table["value"].notna(), "instrument"].astype(str).unique()
    if not len(scored):
        raise DataError(
            "the data hold no scores of any instrument, so nothing can be reviewed",
            hint="Map the columns that hold totals or items to instruments such as phq9 (ipt-outcomes instruments).",
        )
    if options.instruments is not None:
        absent = [name for name in options.instruments if name not in there]
        if absent:
            raise OptionError(f"the cohort has no scores of {', '.join(absent)}; it has {', '.join(there)}")
    if unused := [name for name in options.cutoffs if name not in there]:
        raise OptionError(
            f"cut-offs are given for {', '.join(unused)}, of which the cohort has no scores; it has {', '.join(there)}"
        )
    names = [name for name in options.instruments or there if name in scored]
    known = [cuts_of(name, options.cutoffs.get(name), cohort.instrument(name)) for name in names]
    mute = [cuts.label for cuts in known if cuts.better is None]
    if mute:
        notes.append(f"Not judged, since it is not known which end of the scale is the good one: {', '.join(mute)}.")
    chosen = [cuts for cuts in known if cuts.better is not None]
    if not chosen:
        raise DesignError(
            "no instrument can be judged: it is not known of any which end of the scale is the good one",
            hint="Map the scores to instruments of the registry (ipt-outcomes instruments lists them).",
        )
    first = ["phq9", "gad7"]
    return sorted(chosen, key=lambda cuts: (first.index(cuts.name) if cuts.name in first else len(first), cuts.name))


def _pair(
    chosen: list[Cuts], scores: Mapping[str, Scores], courses: Courses, options: ReviewOptions
) -> tuple[Measure, Sets] | None:
    """PHQ-9 with GAD-7, where both are there with the cut-offs the rules need."""
    named = {cuts.name: cuts for cuts in chosen}
    each = [named.get("phq9"), named.get("gad7")]
    usable = [
        cuts for cuts in each if cuts is not None and cuts.caseness is not None and cuts.reliable_change is not None
    ]
    if len(usable) < 2:
        return None
    sets = _judge(tuple(usable), scores, courses, options)
    return _measure(PAIR, "PHQ-9 and GAD-7 together", tuple(usable), sets), sets


def _cannot(cuts: Cuts, sets: Sets) -> tuple[str, ...]:
    words = []
    if cuts.caseness is None:
        words.append("no cut-off for being a case is known, so there is no rate of recovery")
    if cuts.reliable_change is None:
        words.append("no reliable change is known, so there is no rate of reliable improvement or deterioration")
    if cuts.remission is None:
        words.append("no cut-off for remission is known, so there is no rate of remission")
    if "response" not in sets.rates:
        which = "highest" if cuts.better == "higher" else "lowest"
        words.append(f"no rate of response: the {which} score of the scale is not known, so no share can be taken")
    return tuple(words)


def _score_notes(cuts: Cuts, scores: Scores) -> list[str]:
    # No counts: they would be numbers of the report that no result row holds.
    notes = []
    if scores.n_untimed:
        notes.append(f"{cuts.label}: some scores have no time and cannot be put in order; they are not used.")
    if scores.n_follow_up:
        notes.append(f"{cuts.label}: scores at follow-up visits say how people kept; they are not the last score.")
    return notes
