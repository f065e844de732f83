"""A proposal in the making, and the two shapes a file may have."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ipt_outcomes.io.cohort.cells import Texts
from ipt_outcomes.io.cohort.dictionary import target_of
from ipt_outcomes.io.cohort.source import Raw
from ipt_outcomes.io.propose.lines import CodeLine, Line
from ipt_outcomes.io.propose.profiles import Profile
from ipt_outcomes.io.propose.visits import Visit


@dataclass(slots=True)
class Draft:
    """A proposal in the making.

    Parameters
    ----------
    raw : Raw
    profiles : dict of str to Profile
    lines : dict of str to Line
        By column.
    codes : list of CodeLine
    visits : list of Visit
    form : str
        What kind of export was recognised, in words; "" for none.
    people : Texts or None
        Person of each record.
    order : str or None
        How dates are written.
    asks_order : bool
        Whether that has to be asked.
    weeks_told : bool
        Whether the week of each row is known.
    counts_from_one : bool
        Whether the start is day 1 in the column of days.
    numbers_sessions : bool
        Whether sessions have days but no number: they are numbered in the order of their days.
    """

    raw: Raw
    profiles: dict[str, Profile]
    lines: dict[str, Line] = field(default_factory=dict)
    codes: list[CodeLine] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    form: str = ""
    people: Texts | None = None
    order: str | None = None
    asks_order: bool = False
    weeks_told: bool = True
    counts_from_one: bool = False
    numbers_sessions: bool = False

    def add(self, line: Line) -> None:
        """Take a line for a column that has none yet."""
        self.lines.setdefault(line.column, line)

    @property
    def taken(self) -> set[str]:
        """Columns that have a line."""
        return set(self.lines)

    @property
    def n_people(self) -> int:
        """Number of persons; 0 where no column names them."""
        return 0 if self.people is None else len(np.unique(self.people.codes[self.people.codes >= 0]))

    @property
    def units(self) -> Texts | None:
        """The episode of each record where a column names it, else the person."""
        episode = next((line.column for line in self.lines.values() if line.name == "episode_id"), None)
        return self.people if episode is None else self.raw.texts(episode)

    @property
    def is_wide(self) -> bool:
        """Whether there is one row per person (or episode); taken for so where no column names the person."""
        units = self.units
        return units is None or len(np.unique(units.codes[units.codes >= 0])) == len(self.raw.frame)


def is_total(line: Line) -> bool:
    """Whether a column becomes the total of an instrument."""
    target = target_of(line.name)
    return target is not None and target.kind == "total"
