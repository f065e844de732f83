"""How the numbers and names of one trial are shown."""

from __future__ import annotations

from dataclasses import dataclass

from ipt_outcomes.instruments import Instrument, instrument
from ipt_outcomes.privacy import Audience
from ipt_outcomes.report.numbers import Numbers
from ipt_outcomes.results import Results, Style
from ipt_outcomes.tables import Content, Value
from ipt_outcomes.trial import TrialAnalysis
from ipt_outcomes.vocabulary import label

PRIVATE = "hidden: a small number, or one that would give a small number back"


@dataclass(frozen=True, slots=True)
class Shown(Numbers):
    """The numbers of one trial as an audience may see them, ready to be placed in text.

    Parameters
    ----------
    analysis : TrialAnalysis
    results : Results
        What the audience may see.
    audience : {"internal", "board", "public", "publication"}
    """

    analysis: TrialAnalysis
    results: Results
    audience: Audience

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

    def effect(self, analysis: str, style: Style = "decimal2", /, **levels: str) -> Content:
        """Return "0.51 (0.20 to 0.81)"; one word where all three are hidden, an en dash where there are none."""
        row = self.row(analysis, "estimate", **levels)
        if row is None:
            return ("–",)
        if row.suppressed:
            return (Value(row.id, style),)
        low, high = (self.value(analysis, name, style, **levels) for name in ("ci_low", "ci_high"))
        return (Value(row.id, style), " (", low, " to ", high, ")")

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
