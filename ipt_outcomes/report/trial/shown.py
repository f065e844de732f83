"""How the numbers and names of one trial are shown."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ipt_outcomes.errors import IptError
from ipt_outcomes.instruments import Instrument, instrument
from ipt_outcomes.privacy import audience_rule
from ipt_outcomes.report.writing import NO_BREAK
from ipt_outcomes.results import ResultRow, Results, Style
from ipt_outcomes.tables import Content, Value
from ipt_outcomes.trial import TrialAnalysis
from ipt_outcomes.vocabulary import label

PRIVATE = "hidden: a small number, or one that would give a small number back"


@dataclass(frozen=True, slots=True)
class Shown:
    """The numbers of one trial as an audience may see them, ready to be placed in text.

    Parameters
    ----------
    analysis : TrialAnalysis
    results : Results
        What the audience may see.
    audience : str
    """

    analysis: TrialAnalysis
    results: Results
    audience: str

    @property
    def instrument(self) -> Instrument:
        """The outcome."""
        return instrument(self.analysis.options.outcome)

    @property
    def outcome(self) -> str:
        """Short name of the outcome."""
        return self.instrument.short

    @property
    def level(self) -> str:
        """Confidence level, as "95%"."""
        return f"{100 * self.analysis.options.level:g}%"

    @property
    def better(self) -> str:
        """Which end is the good one, in words."""
        return f"{self.analysis.options.better} is better"

    @property
    def end(self) -> str:
        """The end point in words, with its week."""
        return visit_words(self.analysis.end.name, self.analysis.end.week)

    def may_count(self, text: str) -> bool:
        """Whether a sentence of another part, which may count people, can be shown as it is."""
        return not audience_rule(self.audience).hides or re.search(r"\d", text) is None  # type: ignore[arg-type]

    def row(self, analysis: str, statistic: str, **levels: str) -> ResultRow | None:
        """Return a row, or None where the audience's results have none."""
        try:
            return self.results.find(analysis, statistic, levels)
        except IptError:
            return None

    def value(self, analysis: str, statistic: str, style: Style = "decimal2", /, **levels: str) -> Value:
        """Return a number of the results."""
        return Value(self.results.find(analysis, statistic, levels).id, style)

    def number(self, analysis: str, statistic: str, **levels: str) -> float | None:
        """Return the unrounded number to decide on words; None where it is missing or hidden."""
        row = self.row(analysis, statistic, **levels)
        return None if row is None else row.value

    def has(self, analysis: str, statistic: str, **levels: str) -> bool:
        """Whether there is such a row with a value to be seen."""
        return self.number(analysis, statistic, **levels) is not None

    def hidden(self, analysis: str, statistic: str, **levels: str) -> bool:
        """Whether there is such a row and its value is hidden."""
        row = self.row(analysis, statistic, **levels)
        return row is not None and row.suppressed

    def cell(self, analysis: str, statistic: str, style: Style = "decimal2", /, **levels: str) -> Content:
        """Return a number for a table, an en dash where there is none."""
        return (
            ("–",)
            if self.row(analysis, statistic, **levels) is None
            else (self.value(analysis, statistic, style, **levels),)
        )

    def effect(self, analysis: str, style: Style = "decimal2", /, **levels: str) -> Content:
        """Return "0.51 (0.20 to 0.81)"; one word where all three are hidden, an en dash where there are none."""
        row = self.row(analysis, "estimate", **levels)
        if row is None:
            return ("–",)
        if row.suppressed:
            return (Value(row.id, style),)
        low, high = (self.value(analysis, name, style, **levels) for name in ("ci_low", "ci_high"))
        return (Value(row.id, style), " (", low, " to ", high, ")")

    def p(self, analysis: str, statistic: str = "p_value", /, **levels: str) -> Content:
        """Return "p = .023" or "p < .001"."""
        number = self.number(analysis, statistic, **levels)
        signed = number is not None and (number < 0.001 or number > 0.9994999)
        lead = f"p{NO_BREAK}" if signed else f"p{NO_BREAK}={NO_BREAK}"
        return (lead, self.value(analysis, statistic, "p", **levels))

    def share(self, count: tuple[str, str], total: tuple[str, str], percent: tuple[str, str], **levels: str) -> Content:
        """Return "20 of 61 (33%)"; one word where the count is hidden."""
        if not self.has(*count, **levels) or not self.has(*total, **levels):
            return (self.value(*count, "integer", **levels),)
        parts: Content = (
            self.value(*count, "integer", **levels),
            "/",
            self.value(*total, "integer", **levels),
        )
        if not self.has(*percent, **levels):
            return parts
        return (*parts, " (", self.value(*percent, "percent", **levels), ")")


def visit_words(name: str, week: float) -> str:
    """Return a visit with its week: "month 6 (week 26)", "week 12"."""
    return name if name == f"week {week:g}" else f"{name} (week {week:g})"


def arm_name(arm: str) -> str:
    """Return an arm in words."""
    return label(arm)


def capital(text: str) -> str:
    """Return text with a capital first letter."""
    return text[:1].upper() + text[1:]
