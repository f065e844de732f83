"""What gives a count of people away: sums, and numbers computed from counts.

A job states these beside its result rows. `protect` finds some of them itself (see there), but only the job
knows that two tables count the same people.
"""

from __future__ import annotations

from dataclasses import dataclass

from ipt_outcomes.errors import IptError


@dataclass(frozen=True, slots=True)
class Implied:
    """A count that no row shows but that a reader can work out, such as "not recovered".

    Parameters
    ----------
    name : str
        The same name is the same count wherever it stands.
    count : int, optional
        Needed only where no sum gives it: a sum with one unknown part is solved.
    """

    name: str
    count: int | None = None


Count = str | Implied


@dataclass(frozen=True, slots=True)
class Sum:
    """A total of people and its parts: ``total = sum(parts)``.

    Parameters
    ----------
    total : str or Implied
        Id of a result row with the unit "people", or an implied count.
    parts : tuple of (str or Implied)
        At least one; a single part says that two rows count the same people. Parts do not overlap.

    Examples
    --------
    >>> Sum("flow.ipt.randomised", ("flow.ipt.completed", Implied("left early, ipt")))
    Sum(total='flow.ipt.randomised', parts=('flow.ipt.completed', Implied(name='left early, ipt', count=None)))
    """

    total: Count
    parts: tuple[Count, ...]

    def __post_init__(self) -> None:
        if not self.parts or len(set(self.parts)) != len(self.parts):
            raise IptError("a sum needs at least one part, and none of them twice")


@dataclass(frozen=True, slots=True)
class Derived:
    """Rows that give counts back: a percentage, its limits, an odds ratio of raw counts, its p value.

    They are hidden as soon as one of the counts is.

    Parameters
    ----------
    rows : tuple of str
        Ids of the rows; what `protect` would assume of them is replaced by this.
    counts : tuple of (str or Implied)
        The counts they are computed from.
    """

    rows: tuple[str, ...]
    counts: tuple[Count, ...]


@dataclass(frozen=True, slots=True)
class Modelled:
    """Rows estimated by a model, which give no count back (rule P5).

    They are hidden only if one of the groups of people they describe is itself too small to be shown; counts
    hidden to protect another one do not matter.

    Parameters
    ----------
    rows : tuple of str
        Ids of the rows; what `protect` would assume of them is replaced by this.
    people : tuple of (str or Implied)
        Size of each arm and level they describe.
    """

    rows: tuple[str, ...]
    people: tuple[Count, ...]


Link = Sum | Derived | Modelled


def part_of(total: str, part: str) -> Sum:
    """Return the sum of a count and a larger one that holds it: the difference is a count, too.

    Parameters
    ----------
    total, part : str
        Ids of result rows; everyone of `part` is in `total`.

    Returns
    -------
    Sum

    Examples
    --------
    >>> part_of("starters", "completers").parts[1].name
    'starters without completers'
    """
    return Sum(total, (part, Implied(f"{total} without {part}")))
