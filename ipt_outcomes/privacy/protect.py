"""The report gate: results as an audience may see them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from ipt_outcomes.privacy.audience import Audience, AudienceRule, audience_rule
from ipt_outcomes.privacy.coarser import with_printed_digits, without_fine
from ipt_outcomes.privacy.counts import PEOPLE, PERCENT, Ledger, ledger_of
from ipt_outcomes.privacy.derived import hidden_rows, tells_nothing_new
from ipt_outcomes.privacy.links import Link
from ipt_outcomes.results import ResultRow, Results

# Of each number that goes when a count is hidden.
_COST_OF_A_ROW = 0.1


def protect(results: Results, links: Sequence[Link] = (), *, audience: Audience) -> Results:
    """Return the results as an audience may see them: small counts hidden, and all that gives one back.

    Parameters
    ----------
    results : Results
        Complete. Rows with the unit "people" are counts of people.
    links : sequence of Link
        What ties the numbers together. Found without being stated: a percentage or count with its denominator
        (``value``, ``denominator``) makes its complement a count, too; counts that differ in the level of one
        variable are parts of the row that leaves the variable out (same analysis and statistic), and what they
        lack is a count. Two rows that count the same people, or nested counts of different analyses, have to be
        stated: one by one (`Sum`), or all at once by what each counts, with the order of their use (`Kinds`).
    audience : {"internal", "board", "public", "publication"}
        "internal" and "publication" see everything. See `ipt_outcomes.privacy.audience_rule`.

    Returns
    -------
    Results
        The same rows in the same order, those stated to be `Fine` left out; a hidden one has no value, ``n`` or
        ``denominator`` and is suppressed.
        Besides counts, these are hidden: rows stated as `Derived` from a hidden count; percentages and ratios
        of counts (OR, RR, risk difference, NNT) where a count beside them is hidden, with all undeclared rows of
        the same analysis and groups; rows whose ``n`` or ``denominator`` is small, or is a hidden count; rows
        without either in the family of a hidden count; `Modelled` rows with a group too small to be shown.
        On rows that stay, ``n`` and ``denominator`` obey the same rule (None where hidden). For a board, counts
        are rounded, and percentages are those of the exact counts to one decimal. Rows stated to be `Printed` lose
        the digits that are not.

    Raises
    ------
    OptionError
        There is no such audience.
    IptError
        The results are protected already; a number of people is not whole, or negative; a link names no row, or
        contradicts the counts.

    Notes
    -----
    Percentages of rounded counts would be wrong by several points (10 of 25 for 12 of 25), and percentages of
    exact counts often give the exact counts back, even when rounded (55.6% of about 10 is 5 of 9). The board
    therefore gets percentages of exact counts, and every count that goes into a number that is shown is taken
    to be known exactly when the counts to hide are chosen.

    Examples
    --------
    >>> from ipt_outcomes.results import ResultsBuilder
    >>> builder = ResultsBuilder()
    >>> for name, count in {"starters": 40, "recovered": 33, "not_recovered": 7}.items():
    ...     _ = builder.add("rate", name, count, unit="people")
    >>> from ipt_outcomes.privacy import Sum
    >>> total = Sum("rate.starters", ("rate.recovered", "rate.not-recovered"))
    >>> [row.value for row in protect(builder.build(), [total], audience="public")]
    [40, None, None]
    """
    rule = audience_rule(audience)
    if rule.hides:
        results, links = without_fine(results, links)
    ledger = ledger_of(results, links)
    if not rule.hides:
        return results
    concealed = _hide(ledger, rule, exact=_given_back(ledger, frozenset()))
    hidden = concealed
    if rule.rounded_to > 1:
        hidden = _hide_behind_rounding(results, ledger, rule, concealed)
        concealed |= hidden
    gone = hidden | hidden_rows(results, ledger, concealed, rule)
    seen = Results(tuple(_seen(row, gone, ledger, hidden, rule) for row in results))
    return with_printed_digits(seen, links)


def hidden_counts(results: Results) -> int:
    """Return how many counts of people are hidden.

    Parameters
    ----------
    results : Results
        As `protect` returns them.

    Returns
    -------
    int
    """
    return sum(row.suppressed and row.unit == PEOPLE for row in results)


def _hide(
    ledger: Ledger, rule: AudienceRule, *, exact: AbstractSet[str], rounded: Collection[str] = ()
) -> frozenset[str]:
    """Choose the counts to hide; those in `rounded` have lost what is computed from them and cost less."""
    # SciPy's solvers take a moment to import, and loading data goes through this package too.
    from ipt_outcomes.privacy.cells import CountTable, counts_to_hide
    from ipt_outcomes.privacy.published import Seen, counts_not_published

    seen = {}
    for name, count in ledger.counts.items():
        if rule.rounded_to > 1 and name not in exact and name not in ledger.implied and count:
            shown = rule.rounded(count)
            half = rule.rounded_to // 2
            seen[name] = (min(max(shown - half, rule.smallest_shown), count), shown + half)
    extra: dict[str, float] = {}
    for counts in ledger.rests_on.values():
        for name in counts.difference(rounded):
            extra[name] = extra.get(name, 0.0) + _COST_OF_A_ROW
    named = {name for table in ledger.kinds for name in table.counts}
    table = CountTable(
        counts={name: count for name, count in ledger.counts.items() if name not in named},
        sums=tuple((total, tuple(sorted(parts))) for total, parts in ledger.sums),
        implied=frozenset(ledger.implied),
        seen_as=seen,
        extra_cost=extra,
    )
    hidden = counts_to_hide(
        table, smallest_shown=rule.smallest_shown, narrowest=rule.narrowest, zero_shown=rule.zero_shown
    )
    if ledger.kinds:
        hidden |= counts_not_published(
            ledger.kinds,
            Seen(
                smallest_shown=rule.smallest_shown,
                narrowest=rule.narrowest,
                zero_shown=rule.zero_shown,
                ranges=seen,
            ),
        )
    return hidden


def _hide_behind_rounding(
    results: Results, ledger: Ledger, rule: AudienceRule, concealed: frozenset[str]
) -> frozenset[str]:
    """Choose which of the concealed counts cannot be shown even when rounded.

    The percentages of a concealed count are gone already; counts that go into numbers still shown are taken to
    be known exactly, whatever is printed of them.
    """
    gone = hidden_rows(results, ledger, concealed, rule)
    return _hide(ledger, rule, exact=_given_back(ledger, gone) - concealed, rounded=concealed)


def _given_back(ledger: Ledger, gone: AbstractSet[str]) -> set[str]:
    """Counts a careful reader gets exactly from the numbers shown: from shares, and from unrounded means."""
    found: set[str] = set()
    for row, counts in ledger.rests_on.items():
        if row not in gone:
            found |= counts
    for row, numbers in ledger.means.items():
        if row not in gone and row not in ledger.counts and row not in ledger.declared:
            found.update(name for names in numbers.values() for name in names)
    return found


def _seen(
    row: ResultRow, gone: AbstractSet[str], ledger: Ledger, hidden: AbstractSet[str], rule: AudienceRule
) -> ResultRow:
    """A row as the audience sees it."""
    if row.id in gone:
        return replace(row, value=None, n=None, denominator=None, suppressed=True)
    n, denominator = (
        None
        if number is None or rule.is_small(number) or not tells_nothing_new(row, number, ledger, hidden)
        else rule.rounded(number)
        for number in (row.n, row.denominator)
    )
    value = row.value
    if rule.rounded_to > 1 and value is not None:
        if row.unit == PEOPLE:
            value = rule.rounded(int(value))
        elif row.unit == PERCENT and row.id not in ledger.modelled:
            value = round(float(value), 1)
    return replace(row, value=value, n=n, denominator=denominator)
