"""How the numbers and names of a review are shown: always those its audience may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from ipt_outcomes.clinic import ALL, COMPLETERS, UNKNOWN, ClinicReview, Measure
from ipt_outcomes.clinic.ledger import RateIds, own_key
from ipt_outcomes.clinic.outcomes import ABOVE, ALL_BASE, CASES, DEFINED
from ipt_outcomes.privacy import Audience, AudienceRule, audience_rule
from ipt_outcomes.report.writing import capital
from ipt_outcomes.results import ResultRow, Results
from ipt_outcomes.tables import Content, Value
from ipt_outcomes.vocabulary import label

NOBODY = "nobody to count"


@dataclass(frozen=True, slots=True)
class Shown:
    """A review as one audience sees it.

    Parameters
    ----------
    review : ClinicReview
    results : Results
        From `ClinicReview.protected`.
    rows : mapping of str to ResultRow
        The same by id.
    rule : AudienceRule
        What this audience may see.
    """

    review: ClinicReview
    results: Results
    rows: Mapping[str, ResultRow]
    rule: AudienceRule

    @property
    def hides(self) -> bool:
        """Whether small numbers are hidden from this audience."""
        return self.rule.hides

    @property
    def anything_hidden(self) -> bool:
        """Whether some number that the report would show is hidden."""
        return any(row.suppressed and row.analysis != "flow" for row in self.results)

    @property
    def level(self) -> str:
        """Confidence level, as "95%"."""
        return f"{100 * self.review.options.level:.10g}%"

    @property
    def levels(self) -> tuple[str, ...]:
        """Groups compared."""
        return self.review.courses.levels

    @property
    def by_words(self) -> str:
        """Name of the column compared by."""
        return (self.review.courses.by or "problem_area").replace("_", " ")

    def ids(self, measure: str, rate: str, rule: str, group: str = ALL) -> RateIds:
        """Return the ids of the rows that make a rate."""
        return self.review.numbers.rates[measure, rate, rule, group]

    def is_hidden(self, *ids: str) -> bool:
        """Whether any of the rows is hidden from this audience."""
        return any(self.rows[each].suppressed for each in ids)

    def nobody(self, ids: RateIds) -> bool:
        """Whether a rate has an empty denominator."""
        return self.rows[ids.percent].value is None and not self.is_hidden(ids.percent)

    def count(self, analysis: str, statistic: str, **groups: str) -> Value:
        """Return a count of people."""
        return Value(self.results.find(analysis, statistic, groups).id, "integer")

    def at(self, group: str) -> dict[str, str]:
        """Return the groups of a row of one group; everyone leaves the column out."""
        return {} if group == ALL else {own_key(self.review.courses.by or ""): group}

    def counts(self, ids: RateIds) -> Content:
        """Return "30 of 188"; hidden as a whole where one of the two is."""
        for each in (ids.numerator, ids.denominator):
            if self.is_hidden(each):
                return (Value(each, "integer"),)
        return (Value(ids.numerator, "integer"), " of ", Value(ids.denominator, "integer"))

    def share(self, ids: RateIds) -> Content:
        """Return "16.0% (11.4% to 21.9%)", or why there is none."""
        if self.nobody(ids):
            return (NOBODY,)
        if self.is_hidden(ids.percent):
            return (Value(ids.percent, "decimal1"),)
        # One decimal: one person of many is not 0%.
        low, high = (Value(each, "decimal1") for each in (ids.ci_low, ids.ci_high))
        return (Value(ids.percent, "decimal1"), "% (", low, "% to ", high, "%)")

    def group_name(self, group: str) -> str:
        """Return a group in words, with a capital."""
        if group == ALL:
            return "Everyone"
        words = f"{self.by_words} not recorded" if group == UNKNOWN else label(group)
        return capital(words)

    def drawn(self, measure: str, rate: str, rule: str, group: str) -> dict[str, object]:
        """Return a rate as a row of `ipt_outcomes.figures.rates`, from what this audience may see."""
        ids = self.ids(measure, rate, rule, group)
        names = ("numerator", "denominator", "percent", "ci_low", "ci_high")
        rows = {name: self.rows[getattr(ids, name)] for name in names}
        hidden = any(row.suppressed for row in rows.values())
        drawn: dict[str, object] = {name: None if hidden else row.value for name, row in rows.items()}
        return drawn | {"hidden": hidden}


def shown_to(review: ClinicReview, audience: Audience) -> Shown:
    """Return a review as an audience sees it.

    Parameters
    ----------
    review : ClinicReview
    audience : {"internal", "board", "public", "publication"}

    Returns
    -------
    Shown
    """
    results = review.protected(audience)
    return Shown(review, results, results.by_id(), audience_rule(audience))


def whom(shown: Shown, measure: Measure, rate: str, rule: str) -> str:
    """Return who counts in a rate, in words that follow a number: "people who were cases at the start ..."."""
    base = {
        ALL_BASE: "",
        CASES: "were cases at the start",
        ABOVE: "were not in remission at the start",
        DEFINED: "had symptoms at the start",
    }[measure.bases[rate]]
    if rule == COMPLETERS:
        end = "finished a course" if shown.review.courses.knows_sessions else "have a first and a last score"
    else:
        end = "started, have ended, and have a first score"
    return f"people who {base} and {end}" if base else f"people who {end}"


def frame_of(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Return rows of `Shown.drawn` as a frame."""
    return pd.DataFrame(rows)
