"""All counts of people that a table of results gives away, and the sums between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ipt_outcomes.errors import IptError
from ipt_outcomes.privacy.links import Count, Derived, Implied, Kinds, Link, Modelled, Sum
from ipt_outcomes.results import ResultRow, Results

PEOPLE = "people"
PERCENT = "percent"

Family = tuple[str, frozenset[tuple[str, str]]]
_Sums = dict[tuple[str, frozenset[str]], None]

# The share of a limit is no count of people, even where it happens to be a whole number.
_LIMITS = ("ci_", "_low", "_high", "low_", "high_", "lower", "upper")
# A percentage is a number of people out of its denominator up to rounding of the division.
_WHOLE = 1e-7


@dataclass(slots=True)
class Ledger:
    """Counts, sums, and which rows give which counts back.

    Parameters
    ----------
    counts : dict of str to int
        By row id, or by a name no row id can be (it holds a colon).
    implied : set of str
        Counts nobody prints.
    sums : dict
        Keys are (total, parts), in the order found.
    families : dict
        Ids of the rows that share their analysis and groups.
    rests_on : dict of str to set of str
        Counts that each row of another unit gives back.
    shares : set of str
        Rows that are a percentage of people.
    modelled : dict of str to tuple of str
        Sizes of the groups that rows of a model describe.
    declared : set of str
        Rows whose counts the job stated.
    means : dict of str to dict of int to list of str
        What the numbers in ``n`` and ``denominator`` of each row count, as far as that is among the counts.
    by_number : dict of int to list of ResultRow
        Rows of people.
    kinds : list of Kinds
        What some of the counts count; their sums follow from it.
    """

    counts: dict[str, int] = field(default_factory=dict)
    implied: set[str] = field(default_factory=set)
    sums: _Sums = field(default_factory=dict)
    families: dict[Family, list[ResultRow]] = field(default_factory=dict)
    rests_on: dict[str, set[str]] = field(default_factory=dict)
    shares: set[str] = field(default_factory=set)
    modelled: dict[str, tuple[str, ...]] = field(default_factory=dict)
    declared: set[str] = field(default_factory=set)
    means: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    by_number: dict[int, list[ResultRow]] = field(default_factory=dict)
    kinds: list[Kinds] = field(default_factory=list)

    def add_sum(self, total: str, parts: Iterable[str]) -> None:
        """Add a sum once."""
        self.sums.setdefault((total, frozenset(parts)))

    def add_implied(self, name: str, count: int) -> str:
        """Add a count nobody prints and return its name here."""
        key = f"implied: {name}"
        if self.counts.setdefault(key, count) != count:
            raise IptError(f"the implied count {name!r} has two values")
        self.implied.add(key)
        return key

    def same_number(self, row: ResultRow, number: int) -> list[str]:
        """Counts of the row's own family with this number, the row itself aside."""
        return [
            other.id
            for other in self.families[family(row)]
            if other.id != row.id and self.counts.get(other.id) == number
        ]

    def related(self, row: ResultRow, number: int) -> list[ResultRow]:
        """Counts with this number whose groups hold those of the row or are held by them, whatever the analysis."""
        levels = row.groups.items()
        return [
            other
            for other in self.by_number.get(number, ())
            if other.id != row.id and (other.groups.items() <= levels or levels <= other.groups.items())
        ]


def family(row: ResultRow) -> Family:
    """Return the analysis and the group levels of a row: what is computed together.

    Parameters
    ----------
    row : ResultRow

    Returns
    -------
    tuple
    """
    return row.analysis, frozenset(row.groups.items())


def ledger_of(results: Results, links: Sequence[Link]) -> Ledger:
    """Collect the counts of people and everything that ties them together.

    Parameters
    ----------
    results : Results
        Complete.
    links : sequence of Link

    Returns
    -------
    Ledger

    Raises
    ------
    IptError
        Results that are protected already, a count that is no whole number, a link to a row that there is not,
        sums that contradict the counts. All faults of a kind are named.
    """
    ledger = Ledger()
    _add_counts(ledger, results)
    _check_links(results, ledger, links)
    _add_sums(ledger, [link for link in links if isinstance(link, Sum)])
    _add_stated(ledger, links)
    _add_kinds(ledger, [link for link in links if isinstance(link, Kinds)])
    _add_levels(ledger, results)
    for row in results:
        _add_share(ledger, row)
    for row in results:
        ledger.means.setdefault(row.id, _meanings(ledger, row))
    return ledger


def _add_counts(ledger: Ledger, results: Results) -> None:
    done = [row.id for row in results if row.suppressed]
    if done:
        raise IptError(
            f"these results are protected already: {len(done)} numbers are hidden",
            hint="Protect the complete results, once for each audience.",
        )
    wrong = []
    for row in results:
        ledger.families.setdefault(family(row), []).append(row)
        if row.unit == PEOPLE and row.value is not None:
            if row.value < 0 or int(row.value) != row.value:
                wrong.append(row.id)
            else:
                ledger.counts[row.id] = int(row.value)
                ledger.by_number.setdefault(int(row.value), []).append(row)
    if wrong:
        raise IptError(f"a number of people must be whole and not negative: {', '.join(wrong)}")


def _check_links(results: Results, ledger: Ledger, links: Sequence[Link]) -> None:
    known = {row.id for row in results}
    used: list[str] = []
    rows: list[str] = []
    for link in links:
        match link:
            case Sum(total=total, parts=parts):
                used += [cell for cell in (total, *parts) if isinstance(cell, str)]
            case Derived(rows=derived, counts=counts):
                used += [cell for cell in counts if isinstance(cell, str)]
                rows += derived
            case Modelled(rows=modelled, people=people):
                used += [cell for cell in people if isinstance(cell, str)]
                rows += modelled
            case Kinds(counts=counts):
                used += counts
    if no_count := sorted({name for name in used if name not in ledger.counts}):
        raise IptError(f"a link names what is no count of people: {', '.join(no_count)}")
    if no_row := sorted({name for name in rows if name not in known or name in ledger.counts}):
        raise IptError(f"a link names what is no row, or a count: {', '.join(no_row)}")


def _add_sums(ledger: Ledger, sums: Sequence[Sum]) -> None:
    """Solve the implied counts, then add the sums."""
    values: dict[str, int] = {}
    for cell in (cell for link in sums for cell in (link.total, *link.parts) if isinstance(cell, Implied)):
        if cell.count is not None:
            values[cell.name] = cell.count
    open_sums = list(sums)
    while open_sums:
        left = [link for link in open_sums if not _solved(link, ledger.counts, values)]
        if len(left) == len(open_sums):
            names = sorted({name for link in left for name in _unknown(link, values)})
            raise IptError(f"implied counts that no sum gives: {', '.join(names)}", hint="Give Implied(name, count).")
        open_sums = left
    for link in sums:
        total, *parts = (_cell(ledger, cell, values) for cell in (link.total, *link.parts))
        if ledger.counts[total] != sum(ledger.counts[part] for part in parts):
            raise IptError(f"the parts of {total} do not add up to it: {', '.join(parts)}")
        ledger.add_sum(total, parts)


def _unknown(link: Sum, values: Mapping[str, int]) -> list[str]:
    return [c.name for c in (link.total, *link.parts) if isinstance(c, Implied) and c.name not in values]


def _solved(link: Sum, counts: Mapping[str, int], values: dict[str, int]) -> bool:
    """Whether all counts of a sum are known, the one unknown now worked out."""
    unknown = _unknown(link, values)
    if len(unknown) > 1:
        return False
    if unknown:
        known = [counts[c] if isinstance(c, str) else values.get(c.name, 0) for c in (link.total, *link.parts)]
        is_total = isinstance(link.total, Implied) and link.total.name == unknown[0]
        value = sum(known[1:]) if is_total else known[0] - sum(known[1:])
        if value < 0:
            raise IptError(f"the parts of {link.total} are more than it")
        values[unknown[0]] = value
    return True


def _cell(ledger: Ledger, cell: Count, values: Mapping[str, int]) -> str:
    return cell if isinstance(cell, str) else ledger.add_implied(cell.name, values[cell.name])


def _add_stated(ledger: Ledger, links: Sequence[Link]) -> None:
    """What the job states about rows that are no counts."""
    for link in links:
        if not isinstance(link, Derived | Modelled):
            continue
        cells = link.counts if isinstance(link, Derived) else link.people
        names = [_named(ledger, cell) for cell in cells]
        for row in link.rows:
            ledger.declared.add(row)
            if isinstance(link, Derived):
                ledger.rests_on.setdefault(row, set()).update(names)
            else:
                ledger.modelled[row] = (*ledger.modelled.get(row, ()), *names)


def _named(ledger: Ledger, cell: Count) -> str:
    if isinstance(cell, str):
        return cell
    name = f"implied: {cell.name}"
    if name in ledger.counts:
        return name
    if cell.count is None:
        raise IptError(f"the implied count {cell.name!r} is in no sum", hint="Give Implied(name, count).")
    return ledger.add_implied(cell.name, cell.count)


def _add_kinds(ledger: Ledger, tables: Sequence[Kinds]) -> None:
    """What counts count: all sums of them are known from it, and none is stated besides."""
    for table in tables:
        for name, count in zip(table.counts, table.people @ table.inside.astype(int), strict=True):
            if ledger.counts[name] != count:
                raise IptError(f"the kinds of people in {name} do not add up to it")
    named = {name for table in tables for name in table.counts}
    if mixed := sorted({total for total, parts in ledger.sums if named & {total, *parts}}):
        raise IptError(f"what is stated by kinds of people cannot be in a sum, too: {', '.join(mixed)}")
    ledger.kinds += tables


def _add_levels(ledger: Ledger, results: Results) -> None:
    """A total leaves a variable out of its groups: its levels are its parts, what they lack is a count, too."""
    stated: dict[str, list[frozenset[str]]] = {}
    for total, parts in ledger.sums:
        stated.setdefault(total, []).append(parts)
    named = {name for table in ledger.kinds for name in table.counts}
    for total, variable, parts in _levels([row for row in results if row.id in ledger.counts.keys() - named]):
        if any(parts <= given for given in stated.get(total, ())):
            continue
        rest = ledger.counts[total] - sum(ledger.counts[part] for part in parts)
        # More than the total: levels that overlap, or times at which the same people were counted again.
        if rest >= 0:
            others = [ledger.add_implied(f"{total}: no {variable} shown", rest)] if rest else []
            ledger.add_sum(total, (*sorted(parts), *others))


def _levels(rows: Sequence[ResultRow]) -> Iterator[tuple[str, str, frozenset[str]]]:
    found: dict[tuple[str, str, frozenset[tuple[str, str]]], str] = {}
    parts: dict[tuple[str, str, frozenset[tuple[str, str]]], dict[str, list[str]]] = {}
    for row in rows:
        levels = frozenset(row.groups.items())
        found[row.analysis, row.statistic, levels] = row.id
        for variable, level in row.groups.items():
            key = (row.analysis, row.statistic, levels - {(variable, level)})
            parts.setdefault(key, {}).setdefault(variable, []).append(row.id)
    for key, total in found.items():
        for variable, ids in parts.get(key, {}).items():
            yield total, variable, frozenset(ids)


def _add_share(ledger: Ledger, row: ResultRow) -> None:
    """A number out of a denominator: the others of the denominator are a count as well."""
    whole = row.denominator if row.denominator is not None or row.unit != PERCENT else row.n
    if whole is None or row.value is None or row.id in ledger.declared:
        return
    part = _people_of(row, whole) if row.unit == PERCENT else ledger.counts.get(row.id)
    if part is None or not 0 <= part <= whole:
        return
    wholes = ledger.same_number(row, whole) or [_own_whole(ledger, row, whole)]
    ledger.means[row.id] = {whole: wholes}
    numerators = [row.id]
    if row.unit == PERCENT:
        ledger.shares.add(row.id)
        numerators = [name for name in ledger.same_number(row, part) if name != wholes[-1]]
        numerators = numerators or [_own(ledger, row, row.statistic, part)]
        ledger.rests_on.setdefault(row.id, set()).update(wholes, numerators)
    rest = ledger.add_implied(f"{wholes[-1]} without {numerators[0]}", whole - part)
    ledger.add_sum(wholes[-1], (numerators[0], rest))


def _meanings(ledger: Ledger, row: ResultRow) -> dict[int, list[str]]:
    """What the fields of a row count: what it was computed from, else its family's counts, else related ones."""
    stated = ledger.rests_on.get(row.id, ())
    found: dict[int, list[str]] = {}
    for number in (number for number in (row.n, row.denominator) if number is not None):
        found[number] = [name for name in stated if ledger.counts[name] == number]
        found[number] = found[number] or ledger.same_number(row, number)
        found[number] = found[number] or [other.id for other in ledger.related(row, number)]
    return found


def _people_of(row: ResultRow, whole: int) -> int | None:
    """The number of people that a percentage is of its denominator, if it is one."""
    if row.value is None or any(mark in row.statistic for mark in _LIMITS):
        return None
    exact = row.value * whole / 100
    return round(exact) if abs(exact - round(exact)) <= _WHOLE * max(1.0, exact) else None


def _own_whole(ledger: Ledger, row: ResultRow, whole: int) -> str:
    """A denominator without a row in its family; a row with fewer groups and this number counts the same people."""
    own = _own(ledger, row, f"out of {whole}", whole)
    wider = [other for other in ledger.related(row, whole) if other.groups.items() < row.groups.items()]
    if wider:
        ledger.add_sum(own, [max(wider, key=lambda other: len(other.groups)).id])
    return own


def _own(ledger: Ledger, row: ResultRow, what: str, count: int) -> str:
    """A count that no row of people shows, only a field of this family: it goes when the field goes."""
    levels = ", ".join(f"{name}={level}" for name, level in sorted(row.groups.items()))
    name = f"field: {row.analysis}, {levels}, {what}"
    ledger.counts.setdefault(name, count)
    return name
