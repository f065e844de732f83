"""Result rows of a trial, with what ties its counts of people together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ipt_outcomes.privacy import Audience, Derived, Implied, Link, Modelled, Sum, audience_rule, protect
from ipt_outcomes.results import ResultRow, Results, ResultsBuilder

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
        """Return the finished rows and links."""
        return Recorded(results=self._builder.build(), links=tuple(self._links), shown_visits=shown_visits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Every number of a trial and what ties the counts together.

    Parameters
    ----------
    results : Results
        Complete: nothing hidden.
    links : tuple of Sum, Derived or Modelled
    shown_visits : tuple of str
        Visits at which everyone may see how many people of each arm were observed: baseline and the end point.
    """

    results: Results
    links: tuple[Link, ...]
    shown_visits: tuple[str, ...]

    def protected(self, audience: Audience) -> Results:
        """Return the results as an audience may see them.

        Parameters
        ----------
        audience : {"internal", "board", "public", "publication"}

        Returns
        -------
        Results
            For an audience from whom small counts are hidden, the finest rows (who left after which visit,
            medians and quartiles) are not there at all: their place is taken by coarser ones.

        Raises
        ------
        OptionError
            There is no such audience.
        """
        if not audience_rule(audience).hides:
            return protect(self.results, self.links, audience=audience)
        # The mean of whole scores is a fraction whose denominator, the number of people, can be worked out from
        # enough digits; two SDs and the one pooled from them give the numbers in both arms.
        kept = [row for row in self.results if not self._is_fine(row)]
        names = {row.id for row in kept}
        known = self.results.by_id()
        links = [narrowed for link in self.links if (narrowed := _narrowed(link, names, known)) is not None]
        seen = protect(Results(tuple(kept)), links, audience=audience)
        return Results(tuple(_coarse(row) for row in seen))

    def _is_fine(self, row: ResultRow) -> bool:
        if (row.analysis, row.statistic) in _FINE:
            return True
        visit = row.groups.get("visit")
        return row.analysis == "flow_visit" and "arm" in row.groups and visit not in self.shown_visits


def _coarse(row: ResultRow) -> ResultRow:
    """A row with no more digits than the page prints, where further ones would give a number of people back."""
    if row.value is None or row.statistic in _NOT_ROUNDED:
        return row
    if (row.analysis, row.statistic) in _GIVE_NUMBERS_BACK:
        digits = 1
    elif row.analysis in _ESTIMATES:
        digits = 3 if row.unit == "p" else 2
    else:
        return row
    return replace(row, value=round(float(row.value), digits))


def _narrowed(link: Link, names: set[str], known: Mapping[str, object]) -> Link | None:
    """The same link among the rows that are left; a count without a row can still be worked out."""

    def held(count: str | Implied) -> str | Implied:
        return count if isinstance(count, Implied) or count in names else Implied(count, _count(known[count]))

    match link:
        case Sum(total=total, parts=parts):
            counts = (total, *parts)
            gone = sum(isinstance(count, str) and count not in names for count in counts)
            implied = sum(isinstance(count, Implied) for count in counts)
            # Two counts that nobody sees cannot be told apart by the one sum they stand in.
            if gone and gone + implied > 1:
                return None
            return Sum(held(total), tuple(held(part) for part in parts))
        case Derived(rows=rows, counts=counts):
            left = tuple(row for row in rows if row in names)
            return Derived(left, tuple(held(count) for count in counts)) if left else None
        case Modelled(rows=rows, people=people):
            left = tuple(row for row in rows if row in names)
            return Modelled(left, tuple(held(count) for count in people)) if left else None


def _count(row: object) -> int:
    return int(getattr(row, "value", 0) or 0)
