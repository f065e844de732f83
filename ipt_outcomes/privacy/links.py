"""What gives a count of people away: sums, and numbers computed from counts.

A job states these beside its result rows. `protect` finds some of them itself (see there), but only the job
knows that two tables count the same people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kinds:
    """Every kind of person there can be by the definitions, and which counts each kind is in.

    From this all that counts say about each other follows: which is part of which, which overlap, and what is left
    of one without another. Counts in several tables of kinds tie them together.

    Parameters
    ----------
    counts : tuple of str
        Ids of rows of people.
    inside : numpy.ndarray of bool, shape (k, n)
        Whether each of the k kinds is in each of the n counts. A kind that is left out is one a reader knows to be
        impossible.
    people : numpy.ndarray of int, shape (k,)
        How many there are of each kind.
    order : tuple of int or None
        When each count is published where small ones are hidden: lower comes first, and is not hidden to save a
        later one. None: it is not published then.
    about : tuple of str
        What each count is about, such as a measure; empty where it is about no one thing. Chains of counts are looked
        for to the end among those about one thing, and as far as time allows among all. Without it, all are one.
    """

    counts: tuple[str, ...]
    inside: NDArray[np.bool_]
    people: NDArray[np.int64]
    order: tuple[int | None, ...]
    about: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.about:
            object.__setattr__(self, "about", ("",) * len(self.counts))
        if len(self.about) != len(self.counts):
            raise IptError("a table of kinds says of each count what it is about, or of none")
        if self.inside.shape != (len(self.people), len(self.counts)) or len(self.order) != len(self.counts):
            raise IptError("a table of kinds needs a row for each kind and a column and a place for each count")


@dataclass(frozen=True, slots=True)
class Fine:
    """Rows that whoever may not see small counts does not get at all: coarser ones stand in their place.

    Parameters
    ----------
    rows : tuple of str
    """

    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Printed:
    """Rows whose further digits give numbers of people back: where small ones are hidden, they are rounded.

    The mean of whole scores is a fraction whose denominator, the number of people, can be worked out from enough
    digits; two SDs and the one pooled from them give the numbers in both arms.

    Parameters
    ----------
    rows : tuple of str
    decimals : int
    """

    rows: tuple[str, ...]
    decimals: int


Link = Sum | Derived | Modelled | Kinds | Fine | Printed


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
