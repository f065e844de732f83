"""The quality review of a clinic: every rate under three rules, by problem area, with who was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from ipt_outcomes.clinic.courses import Courses, courses_of
from ipt_outcomes.clinic.judging import Measure, judge_cohort
from ipt_outcomes.clinic.numbers import Numbers, review_numbers
from ipt_outcomes.clinic.options import DEFAULT_BY, CutOffs, ReviewOptions, checked_options
from ipt_outcomes.clinic.service.questions import Question, questions_of
from ipt_outcomes.clinic.service.units import Units, units_of
from ipt_outcomes.clinic.service.views import View, views_of
from ipt_outcomes.clinic.sessions import session_edges
from ipt_outcomes.clinic.tally import rate_table
from ipt_outcomes.clinic.words import RATE_WORDS, RULE_WORDS
from ipt_outcomes.io import Source
from ipt_outcomes.io.cohort import Cohort
from ipt_outcomes.privacy import Gate, ProtectedAnalysis
from ipt_outcomes.results import Provenance, format_interval, format_number, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicReview(ProtectedAnalysis):
    """The quality review of a clinic.

    Parameters
    ----------
    measures : tuple of Measure
        What was judged, the PHQ-9 and GAD-7 pair first where both are there.
    rates : pandas.DataFrame
        One row per measure, rate, rule and group: see `ClinicReview.to_frame`.
    courses : Courses
    questions : tuple of Question
        What was asked of each course beside its scores: waits, plans, follow-up, relapse, cautions, goals.
    views : tuple of View
        What the main rates are given by, for the service itself.
    units : tuple of Units
        Sites and therapists against their case mix, for the service itself.
    numbers : Numbers
        Every number as a result row, and who is in which count. Of the groups compared, a board and the public see
        the completers only.
    options : ReviewOptions
    source : Source
    gate : Gate
    flow : pandas.DataFrame
        From the cohort: who came in and who did not.
    notes : tuple of str
        What the data cannot say.
    source_notes : tuple of str
        How the source was read; may hold numbers of people, so not for every audience.
    simulated : bool
    provenance : Provenance
    """

    measures: tuple[Measure, ...]
    rates: pd.DataFrame
    courses: Courses
    questions: tuple[Question, ...]
    views: tuple[View, ...]
    units: tuple[Units, ...]
    numbers: Numbers
    options: ReviewOptions
    source: Source
    gate: Gate
    flow: pd.DataFrame
    notes: tuple[str, ...]
    source_notes: tuple[str, ...]
    simulated: bool
    provenance: Provenance

    @property
    def recorded(self) -> Numbers:  # type: ignore[override]  # a field elsewhere, derived here
        """Every number, and what ties the counts together."""
        return self.numbers

    def to_frame(self) -> pd.DataFrame:
        """Return one row per measure, rate, rule and group.

        Returns
        -------
        pandas.DataFrame
            ``measure rate rule``, the column compared by (``"all"``: everyone), ``numerator denominator percent
            ci_low ci_high``, and ``left_out_...`` per reason. Complete: nothing is hidden.
        """
        return self.rates.copy()

    def summary(self, digits: int = 1) -> str:
        """Return the rates of everyone under each rule, one line per rate. Complete: nothing is hidden."""
        count = len(self.courses)
        simulated = "Simulated data. " if self.simulated else ""
        lines = [f"{simulated}Clinic review of {count} {plural(count, 'course', 'courses')} of treatment."]
        everyone = self.rates[self.rates.iloc[:, 3] == "all"]
        for measure in self.measures:
            lines.append(f"{measure.label}:")
            mine = everyone[everyone["measure"] == measure.name]
            for row in mine.itertuples():
                share = "no rate (nobody to count)"
                if row.denominator:
                    limits = format_interval(float(row.ci_low), float(row.ci_high), "decimal1")  # type: ignore[arg-type]
                    share = f"{format_number(float(row.percent), 'decimal1')}% ({limits})"  # type: ignore[arg-type]
                who = f"{RATE_WORDS[str(row.rate)]} ({RULE_WORDS[str(row.rule)].lower()})"
                lines.append(f"  {who}: {row.numerator} of {row.denominator}, {share}")
        return "\n".join([*lines, *self.notes])

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the rates of the first measure under the completers rule; options as in `ipt_outcomes.figures.rates`."""
        from ipt_outcomes.figures import rates

        first = self.measures[0]
        everyone = self.rates[self.rates["measure"].eq(first.name) & self.rates["rule"].eq("completers")]
        return rates(everyone[everyone.iloc[:, 3] == "all"].assign(label=everyone["rate"]), ax=ax, **options)


def review(
    cohort: Cohort,
    *,
    instruments: Sequence[str] | str | None = None,
    by: str | None = DEFAULT_BY,
    level: float = 0.95,
    response: float = 0.5,
    min_sessions: int = 2,
    cutoffs: CutOffs | None = None,
) -> ClinicReview:
    """Review the outcomes of a clinic: who recovered, improved or got worse, out of whom.

    Every rate is given under three rules: completers (finished courses with both scores), all starters (no last
    score, or too few sessions, counts as not improved) and the last observation; for everyone and by group.

    Parameters
    ----------
    cohort : Cohort
    instruments : sequence of str, optional
        Instruments to judge; all with a known direction if None. PHQ-9 and GAD-7 together also give the rates of
        NHS Talking Therapies.
    by : str or None
        Column to compare by: the problem area; any other of the person or the course with few levels.
    level : float
        Confidence level of the Wilson intervals.
    response : float
        Share by which a score must fall to be a response, inclusive.
    min_sessions : int
        Attended sessions from which on a course counts as finished.
    cutoffs : mapping, optional
        Cut-offs of the user's, per instrument: ``{"bdi2": {"caseness": 14, "reliable_change": 9, "remission": 9}}``;
        all inclusive; None takes one of the registry's away.

    Returns
    -------
    ClinicReview

    Raises
    ------
    DataError
        The cohort has no scores at all.
    DesignError
        No instrument has a known direction and a rate it can give.
    OptionError
        An option is not valid, or an instrument has no scores in the cohort.

    Notes
    -----
    First score: the earliest of the course; last score: the latest, at another time, follow-up visits left out.
    Cut-offs are those of the registry with their sources; recovery, reliable improvement and reliable recovery follow
    NHS Talking Therapies. Intervals: Wilson (1927), J Am Stat Assoc 22:209-212, doi:10.1080/01621459.1927.10502953.
    """
    options = checked_options(
        instruments=instruments,
        by=by,
        level=level,
        response=response,
        min_sessions=min_sessions,
        cutoffs=cutoffs,
    )
    courses = courses_of(cohort, by=options.by, by_default=options.by == DEFAULT_BY)
    judged = judge_cohort(cohort, courses, options)
    depression = next((cuts for measure in judged.measures for cuts in measure.cuts if cuts.name == "phq9"), None)
    questions = questions_of(cohort, courses, depression)
    views = views_of(cohort, courses, session_edges(options.min_sessions))
    unit_notes: list[str] = []
    units = units_of(cohort, courses, judged, unit_notes)
    return ClinicReview(
        measures=judged.measures,
        rates=rate_table(judged.sets, courses, options.level),
        courses=courses,
        questions=questions,
        views=views,
        units=units,
        numbers=review_numbers(judged, courses, options, cohort.flow, questions, views, units),
        options=options,
        source=cohort.source,
        gate=cohort.gate,
        flow=cohort.flow,
        notes=(*courses.notes, *judged.notes, *unit_notes),
        source_notes=cohort.notes,
        simulated=cohort.simulated,
        provenance=Provenance(function="clinic.review", options=options.to_dict()),
    )
