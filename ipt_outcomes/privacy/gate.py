"""What the load gate did: each column or group of cells it refused, changed, left out or warned of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from ipt_outcomes.privacy.diversity import MEANING, Diversity
from ipt_outcomes.results import ResultObject, plural

Action = Literal["refused", "left out", "changed", "warned"]
RULES = {
    "L1": "every column is known, mapped or left out on purpose",
    "L2": "no heading promises an identifier",
    "L3": "no value looks like an identifier",
    "L4": "no free text",
    "L5": "no dates",
    "L6": "ages over 89 are one group",
    "L7": "no postcodes",
    "L8": "ids are random keys",
    "L9": "everybody shares sex, age, site and the like with at least four others",
    "L10": "labels, notes and the name of the file hold no identifier",
    "L11": "codes and scores are possible ones",
    "L12": "one row per person, time and instrument",
    "L13": "the file is whole and of the letters it declares",
    "L14": "the file was read safely",
}
"""The rules of the load gate, as what holds of data that passed."""

_NEVER_MORE = (
    "This is what was checked. The data still stand for single people, row by row: whether anybody could be recognised "
    "from them, no program can tell."
)
GATE_COLUMNS = ("rule", "action", "column", "count", "detail")


@dataclass(frozen=True, slots=True, kw_only=True)
class GateEntry:
    """One thing the gate did.

    Parameters
    ----------
    rule : str
        Id of the rule, ``"L1"`` to ``"L14"``.
    action : {"refused", "left out", "changed", "warned"}
    column : str
        Column of the source concerned, or "" where it is not one column.
    detail : str
        What was done, in words. Never a value, an id or a name of a person.
    count : int or None
        Cells, rows or people concerned, as `detail` says.
    """

    rule: str
    action: Action
    column: str
    detail: str
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate(ResultObject):
    """Everything the load gate did with one source, in the order of its rules.

    Parameters
    ----------
    entries : tuple of GateEntry
    checked : tuple of str
        Rules that were looked at; others had nothing to be looked at (no ages, no file).
    measured : tuple of Diversity
        What groups of people alike tell of sensitive columns (problem area, diagnosis, risk flags ...):
        information, not a rule.
    """

    entries: tuple[GateEntry, ...] = ()
    checked: tuple[str, ...] = ()
    measured: tuple[Diversity, ...] = ()

    @property
    def passed(self) -> tuple[str, ...]:
        """Rules that were looked at and neither changed nor warned of anything, in order."""
        said = {entry.rule for entry in self.entries}
        return tuple(rule for rule in RULES if rule in self.checked and rule not in said)

    def checks(self) -> pd.DataFrame:
        """Return what became of each rule: ``rule check outcome``.

        Returns
        -------
        pandas.DataFrame
            ``outcome`` is what the gate did (refused, warned, changed, left out), ``"passed"``, or
            ``"nothing to check"``.
        """
        rows = []
        for rule, check in RULES.items():
            done = {entry.action for entry in self.entries if entry.rule == rule}
            found = next((action for action in ("refused", "warned", "changed", "left out") if action in done), None)
            rows.append((rule, check, found or ("passed" if rule in self.checked else "nothing to check")))
        return pd.DataFrame(rows, columns=["rule", "check", "outcome"])

    def to_frame(self) -> pd.DataFrame:
        """Return one row per entry: ``rule action column count detail``."""
        rows = [[getattr(entry, name) for name in GATE_COLUMNS] for entry in self.entries]
        frame = pd.DataFrame(rows, columns=list(GATE_COLUMNS))
        return frame.astype({"count": "Int64"})

    def measures(self) -> pd.DataFrame:
        """Return l-diversity and t-closeness: ``column among l t exposed``, one row per sensitive column."""
        rows = [(one.column, ", ".join(one.among), one.l, one.t, one.exposed) for one in self.measured]
        return pd.DataFrame(rows, columns=["column", "among", "l", "t", "exposed"])

    def summary(self, digits: int = 2) -> str:
        """Return one line per entry, what was measured, and what passed."""
        lines = [f"{entry.rule} {entry.action}: {entry.detail}" for entry in self.entries]
        head = (
            f"The gate: {len(lines)} {plural(len(lines), 'entry', 'entries')}."
            if lines
            else "The gate changed nothing."
        )
        if self.measured:
            lines += ["Measured, for people to judge:", *(one.sentence for one in self.measured), MEANING]
        if not self.checked:
            return "\n".join([head, *lines])
        passed = [f"  {rule} {RULES[rule]}" for rule in self.passed]
        return "\n".join([head, *lines, "Passed:" if passed else "Passed: no rule.", *passed, _NEVER_MORE])
