"""What of a review an audience sees: the main rates first, details as far as they give no small number away.

Hiding as few numbers as possible would often hide the main result to save a detail. So the counts are published in
the order of their use (`Numbers.order`), each set as the report gate allows it beside those published before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ipt_outcomes.clinic.ledger import PEOPLE
from ipt_outcomes.clinic.numbers import Numbers
from ipt_outcomes.clinic.reader import Reader
from ipt_outcomes.privacy import Audience, Count, Derived, Implied, Link, Sum, audience_rule, protect
from ipt_outcomes.results import ResultRow, Results


def publish(numbers: Numbers, audience: Audience) -> Results:
    """Return the results of a review as an audience may see them.

    Parameters
    ----------
    numbers : Numbers
    audience : {"internal", "board", "public", "publication"}

    Returns
    -------
    Results
        All rows in their order; what is hidden has no value and is suppressed.

    Raises
    ------
    OptionError
        There is no such audience.
    """
    if not audience_rule(audience).hides:
        return protect(numbers.results, numbers.links, audience=audience)
    state = _State(numbers, audience)
    for block in sorted(set(numbers.order.values())):
        members = [each for each, own in numbers.order.items() if own == block]
        if not state.add(members):
            # Together they would cost something published before: each column of the block for itself.
            for column in _columns(members, numbers.results.by_id()):
                state.add(column)
    state.close()
    seen = state.seen().by_id()
    return Results(tuple(seen.get(row.id) or _hidden(row) for row in numbers.results))


def _hidden(row: ResultRow) -> ResultRow:
    return replace(row, value=None, n=None, denominator=None, suppressed=True)


def _columns(members: Iterable[str], rows: Mapping[str, ResultRow]) -> Iterable[list[str]]:
    """Counts of the same thing, whatever the group compared."""
    columns: dict[tuple[str, ...], list[str]] = {}
    for each in members:
        row = rows[each]
        named = ("measure", "rate", "rule", "base", "kind", "sessions", "reason")
        key = (row.analysis, row.statistic, *(row.groups.get(name, "") for name in named))
        columns.setdefault(key, []).append(each)
    return columns.values()


@dataclass(slots=True)
class _State:
    """What is published so far.

    Parameters
    ----------
    numbers : Numbers
    audience : Audience
    shown : set of str
        Counts that are published.
    kept_back : set of str
        Counts looked at and hidden: a reader may still work them out, so the gate has to know of them.
    """

    numbers: Numbers
    audience: Audience
    shown: set[str] = field(default_factory=set)
    kept_back: set[str] = field(default_factory=set)

    def add(self, members: Iterable[str]) -> bool:
        """Publish what the gate allows of some counts; return whether it cost nothing published before."""
        new = set(members)
        allowed = {row.id for row in self._gate(self.shown | new, self.kept_back) if not row.suppressed}
        if not self.shown <= allowed:
            return False
        self.shown |= new & allowed
        self.kept_back = (self.kept_back | new) - self.shown
        return True

    def close(self) -> None:
        """Take back what, with all sums of the review, gives a small count away.

        The gate looked at the counts published and those beside them; a chain of sums over counts that are not
        published at all can still lead to a small one. Of the counts in such a chain the last published goes.
        """
        rule = audience_rule(self.audience)
        counts = {
            row.id: int(row.value) for row in self.numbers.results if row.unit == PEOPLE and row.value is not None
        }
        reader = Reader(self.numbers.links, counts)
        small = range(1, rule.smallest_shown)
        while found := reader.worked_out(self._exact(rule.rounded_to), small):
            for each in found:
                chain = each.shown or tuple(self.shown)
                if self.shown.issuperset(chain):
                    self.shown.discard(max(chain, key=lambda name: (self.numbers.order[name], name)))

    def _exact(self, rounded_to: int) -> set[str]:
        """Counts that a reader knows exactly: where counts are rounded, those that a percentage gives back."""
        if rounded_to == 1:
            return self.shown
        derived = [set(map(str, link.counts)) for link in self.numbers.links if isinstance(link, Derived)]
        return set().union(*[counts for counts in derived if counts <= self.shown])

    def seen(self) -> Results:
        """Return everything published."""
        return self._gate(self.shown, self.kept_back)

    def _gate(self, shown: set[str], kept_back: set[str]) -> Results:
        """Pass some counts, and what is computed from them, through the report gate."""
        counts = self.numbers.results.by_id()
        links = [link for each in self.numbers.links if (link := _within(each, shown, kept_back - shown, counts))]
        computed = {row for link in links if not isinstance(link, Sum) for row in link.rows}
        rows = tuple(row for row in self.numbers.results if row.id in shown or row.id in computed)
        return protect(Results(rows), links, audience=self.audience)


def _within(link: Link, shown: set[str], kept_back: set[str], rows: Mapping[str, ResultRow]) -> Link | None:
    """Return a link as it stands between the counts shown and those kept back; None where it says nothing.

    Parts that are not looked at yet, or never, are one implied count.
    """
    if not isinstance(link, Sum):
        computed_from = link.counts if isinstance(link, Derived) else link.people
        return link if all(isinstance(cell, str) and cell in shown for cell in computed_from) else None
    known = [part for part in link.parts if isinstance(part, Implied) or _known(part, shown, kept_back)]
    listed: list[Count] = [part for part in known if isinstance(part, str)]
    if len(known) < len(link.parts):
        # Parts that are not looked at, and implied ones beside them, nobody sees apart.
        known = [*listed, Implied(f"{link.total} beside {', '.join(sorted(map(str, listed)))}")]
    total_known = isinstance(link.total, Implied) or _known(link.total, shown, kept_back)
    if not total_known and len(listed) < 2:
        return None
    if not listed and len(known) < len(link.parts):
        return None
    return Sum(_cell(link.total, shown, rows), tuple(_cell(part, shown, rows) for part in known))


def _known(cell: Count, shown: set[str], kept_back: set[str]) -> bool:
    return isinstance(cell, str) and (cell in shown or cell in kept_back)


def _cell(cell: Count, shown: set[str], rows: Mapping[str, ResultRow]) -> Count:
    if isinstance(cell, Implied) or cell in shown:
        return cell
    value = rows[cell].value
    assert value is not None  # noqa: S101 - a count of people always has a value
    return Implied(f"hidden {cell}", int(value))
