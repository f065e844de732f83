"""What the load gate left out, changed or warned of, as a table: the same in every report on patients."""

from __future__ import annotations

import re

from ipt_outcomes.privacy import AudienceRule, Gate, GateEntry
from ipt_outcomes.tables import Column, TableRow, TableSpec

# What a rule did, without the numbers of people its own words may hold.
_IN_WORDS = {
    "L1": "columns outside the data dictionary",
    "L2": "columns named like an identifier",
    "L3": "values that look like an identifier",
    "L4": "free text",
    "L5": "dates are kept as days from the person's own start",
    "L6": "ages of 90 and over are kept as 90",
    "L7": "places are kept as regions",
    "L8": "ids were replaced by random keys; no list of them is kept",
    "L9": "people who can be told apart by a few characteristics: rows of persons must not be passed on",
    "L10": "labels and notes of the file",
    "L11": "scores outside the instrument's range, or codes that are no scores",
    "L12": "visits or ids that stand twice, or people whose site or therapist changes",
    "L13": "number of rows",
    "L14": "the file could not be read safely",
}
# A number as such, not the digits of a name such as phq9.
_NUMBER = re.compile(r"(?<![\w.])\d+(?!\w)")
_SETTLED = re.compile(r"(?P<how>settled by the rule '\w+': [^;\d]+); (?P<rows>\d+) rows? fewer")


def may_show(text: str, rule: AudienceRule) -> bool:
    """Whether a sentence of another part, which may count people, can be shown to an audience as it is.

    Parameters
    ----------
    text : str
    rule : AudienceRule

    Returns
    -------
    bool
    """
    return not rule.hides or _NUMBER.search(text) is None


def gate_table(gate: Gate, rule: AudienceRule) -> TableSpec | None:
    """Return what the gate did, in words an audience may see.

    Parameters
    ----------
    gate : Gate
    rule : AudienceRule

    Returns
    -------
    TableSpec or None
        None where it did nothing.
    """
    if not gate.entries:
        return None
    rows = dict.fromkeys((e.column or "all", e.action, _detail(e, rule), e.rule) for e in gate.entries)
    return TableSpec(
        id="gate-table",
        caption="What was left out, changed or warned of when the data were read",
        columns=(Column("Column"), Column("What was done"), Column("Detail"), Column("Rule")),
        rows=tuple(TableRow(tuple((cell,) for cell in row)) for row in rows),
    )


def _detail(entry: GateEntry, rule: AudienceRule) -> str:
    if may_show(entry.detail, rule):
        return entry.detail
    return f"{_IN_WORDS.get(entry.rule, 'changed as the mapping says')}{_settled(entry, rule)}"


def _settled(entry: GateEntry, rule: AudienceRule) -> str:
    """How repeats were settled, with the rows that cost, where they are too many to tell of a few people."""
    found = _SETTLED.search(entry.detail)
    if found is None:
        return ""
    rows = int(found["rows"])
    fewer = f"; {rows} rows fewer" if not rule.is_small(rows) else ""
    return f"; {found['how']}{fewer}"
