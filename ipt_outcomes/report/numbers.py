"""Numbers of the results, found by analysis, statistic and group levels, ready to be placed in text."""

from __future__ import annotations

from collections.abc import Mapping

from ipt_outcomes.errors import IptError
from ipt_outcomes.report.writing import NO_BREAK
from ipt_outcomes.results import ResultRow, Results, Style
from ipt_outcomes.tables import Content, Value


class Numbers:
    """What the reports of all jobs ask their results; a subclass holds `results`."""

    __slots__ = ()

    results: Results

    @property
    def own(self) -> Mapping[str, str]:
        """Group levels that every number of this part has."""
        return {}

    def row(self, analysis: str, statistic: str, /, **levels: str) -> ResultRow | None:
        """Return a row, or None where the audience's results have none."""
        try:
            return self.results.find(analysis, statistic, {**self.own, **levels})
        except IptError:
            return None

    def value(self, analysis: str, statistic: str, style: Style = "decimal2", /, **levels: str) -> Value:
        """Return a number of the results, which must be there."""
        return Value(self.results.find(analysis, statistic, {**self.own, **levels}).id, style)

    def number(self, analysis: str, statistic: str, /, **levels: str) -> float | None:
        """Return the unrounded number to decide on words; None where it is missing or hidden."""
        row = self.row(analysis, statistic, **levels)
        return None if row is None else row.value

    def has(self, analysis: str, statistic: str, /, **levels: str) -> bool:
        """Whether there is such a row with a value to be seen."""
        return self.number(analysis, statistic, **levels) is not None

    def hidden(self, analysis: str, statistic: str, /, **levels: str) -> bool:
        """Whether there is such a row and its value is hidden."""
        row = self.row(analysis, statistic, **levels)
        return row is not None and row.suppressed

    def cell(self, analysis: str, statistic: str, style: Style = "decimal2", /, **levels: str) -> Content:
        """Return a number for a table, an en dash where there is none."""
        if self.row(analysis, statistic, **levels) is None:
            return ("–",)
        return (self.value(analysis, statistic, style, **levels),)

    def p(self, analysis: str, statistic: str = "p_value", /, **levels: str) -> Content:
        """Return "p = .023" or "p < .001"."""
        number = self.number(analysis, statistic, **levels)
        signed = number is not None and (number < 0.001 or number > 0.9994999)
        lead = f"p{NO_BREAK}" if signed else f"p{NO_BREAK}={NO_BREAK}"
        return (lead, self.value(analysis, statistic, "p", **levels))
