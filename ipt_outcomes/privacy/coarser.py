"""What an audience that may not see small counts sees instead: fewer rows, and fewer digits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ipt_outcomes.errors import IptError
from ipt_outcomes.privacy.links import Count, Derived, Fine, Implied, Kinds, Link, Modelled, Printed, Sum
from ipt_outcomes.results import ResultRow, Results


def without_fine(results: Results, links: Sequence[Link]) -> tuple[Results, list[Link]]:
    """Return the rows that are not too fine, and the links among them.

    Parameters
    ----------
    results : Results
    links : sequence of Link

    Returns
    -------
    tuple of Results and list of Link
        A count whose row is left out can still be worked out: it stays in its links as an implied one.
    """
    fine = {row for link in links if isinstance(link, Fine) for row in link.rows}
    if not fine:
        return results, list(links)
    known = results.by_id()
    if strange := sorted(fine - known.keys()):
        raise IptError(f"a link names what is no row: {', '.join(strange)}")
    kept = Results(tuple(row for row in results if row.id not in fine))
    names = known.keys() - fine
    return kept, [narrowed for link in links if (narrowed := _narrowed(link, names, known)) is not None]


def with_printed_digits(results: Results, links: Sequence[Link]) -> Results:
    """Return the rows with no more digits than are printed, where further ones give numbers of people back.

    Parameters
    ----------
    results : Results
    links : sequence of Link

    Returns
    -------
    Results
    """
    decimals = {row: link.decimals for link in links if isinstance(link, Printed) for row in link.rows}
    if not decimals:
        return results
    return Results(tuple(_rounded(row, decimals.get(row.id)) for row in results))


def _rounded(row: ResultRow, decimals: int | None) -> ResultRow:
    if decimals is None or row.value is None:
        return row
    return replace(row, value=round(float(row.value), decimals))


def _narrowed(link: Link, names: set[str], known: Mapping[str, ResultRow]) -> Link | None:
    """The same link among the rows that are left; None where it says nothing any more."""

    def held(count: Count) -> Count:
        return count if isinstance(count, Implied) or count in names else Implied(count, int(known[count].value or 0))

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
        case Kinds(counts=counts, inside=inside, people=people, order=order, about=about):
            there = [place for place, count in enumerate(counts) if count in names]
            return Kinds(
                counts=tuple(counts[place] for place in there),
                inside=inside[:, there],
                people=people,
                order=tuple(order[place] for place in there),
                about=tuple(about[place] for place in there),
            )
        case Printed(rows=rows, decimals=decimals):
            return Printed(tuple(row for row in rows if row in names), decimals)
        case Fine():
            return None
