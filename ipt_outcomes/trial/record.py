"""Result rows of a trial, with what ties its counts of people together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ipt_outcomes.privacy import Derived, Fine, Implied, Link, Modelled, Printed, Recorded, Sum
from ipt_outcomes.results import ResultRow, ResultsBuilder

__all__ = ["Groups", "Recorded", "Recorder"]

Groups = Mapping[str, str]

# Counts that differ from others by one or two people, and single values of people: an audience that may not see
# small counts sees the coarser ones instead (arms together at visits before the end point).
_FINE = {
    ("reading", "people"),
    ("flow", "reached_last_visit"),
    ("flow", "discontinued"),
    ("flow", "reached_but_value_missing"),
    ("flow", "complete_at_all_visits"),
    ("flow", "with_any_outcome"),
    ("flow", "without_outcome"),
    ("flow_visit", "attended"),
    ("flow_visit", "last_attended"),
    ("baseline", "median"),
    ("baseline", "q1"),
    ("baseline", "q3"),
}

_GIVE_NUMBERS_BACK = {
    ("observed", "mean"),
    ("observed", "sd"),
    ("baseline", "mean"),
    ("baseline", "sd"),
    ("effect_size", "sd"),
}
# The standard error of g holds its degrees of freedom, the limits of an analysis of covariance those of its t.
_ESTIMATES = ("effect_size", "comparison", "model", "means", "area", "area_shrunken", "random")
_NOT_ROUNDED = ("df", "df_sd", "num_df", "den_df", "favours_arm")


class Recorder:
    """Collects result rows and the links between their counts."""

    def __init__(self) -> None:
        self._builder = ResultsBuilder()
        self._links: list[Link] = []

    def people(self, analysis: str, statistic: str, count: float, groups: Groups, method: str = "") -> str:
        """Add a count of people and return its id."""
        return self._builder.add(analysis, statistic, int(count), unit="people", method=method, groups=groups)

    def number(
        self,
        analysis: str,
        statistic: str,
        value: float | None,
        unit: str,
        groups: Groups,
        *,
        method: str = "",
        denominator: int | None = None,
    ) -> str:
        """Add any other number and return its id."""
        return self._builder.add(
            analysis, statistic, value, unit=unit, method=method, groups=groups, denominator=denominator
        )

    def sum(self, total: str, *parts: str | Implied) -> None:
        """State that a count is the sum of others; one part alone says that two rows count the same people."""
        self._links.append(Sum(total, parts))

    def part(self, total: str, part: str) -> None:
        """State that everyone counted in `part` is counted in `total`."""
        self.sum(total, part, Implied(f"{total} without {part}"))

    def derived(self, rows: Iterable[str], counts: Iterable[str | Implied]) -> None:
        """State that rows are computed from counts and go with any of them."""
        self._links.append(Derived(tuple(rows), tuple(counts)))

    def modelled(self, rows: Iterable[str], people: Iterable[str | Implied]) -> None:
        """State that rows come from a model of groups of people and go if a group is too small."""
        self._links.append(Modelled(tuple(rows), tuple(people)))

    def finish(self, shown_visits: tuple[str, ...]) -> Recorded:
        """Return the finished rows and links.

        Parameters
        ----------
        shown_visits : tuple of str
            Visits at which everyone may see how many people of each arm were observed: baseline and the end point.
        """
        results = self._builder.build()
        fine = tuple(row.id for row in results if _is_fine(row, shown_visits))
        printed: dict[int, list[str]] = {}
        for row in results:
            if (decimals := _decimals(row)) is not None:
                printed.setdefault(decimals, []).append(row.id)
        self._links += [Fine(fine), *(Printed(tuple(rows), decimals) for decimals, rows in sorted(printed.items()))]
        return Recorded(results=results, links=tuple(self._links))


def _is_fine(row: ResultRow, shown_visits: tuple[str, ...]) -> bool:
    if (row.analysis, row.statistic) in _FINE:
        return True
    return row.analysis == "flow_visit" and "arm" in row.groups and row.groups.get("visit") not in shown_visits


def _decimals(row: ResultRow) -> int | None:
    """Decimals to which a row is printed, where further ones would give a number of people back."""
    if row.statistic in _NOT_ROUNDED:
        return None
    if (row.analysis, row.statistic) in _GIVE_NUMBERS_BACK:
        return 1
    if row.analysis in _ESTIMATES:
        return 3 if row.unit == "p" else 2
    return None
