"""Whom a report is for, and what such a reader may see of small numbers of people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ipt_outcomes.errors import require_choice

Audience = Literal["internal", "board", "public", "publication"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceRule:
    """What one audience may see.

    Parameters
    ----------
    audience : {"internal", "board", "public", "publication"}
    smallest_shown : int
        Counts of people from 1 to one below this are hidden. 1 hides nothing.
    zero_shown : bool
        Whether a count of 0 is shown. Where it is not (the rule of NHS tables), 0 is hidden like a small count.
    rounded_to : int
        Counts shown are rounded to the nearest multiple of this; 1 rounds nothing.
    narrowest : int
        How far apart the largest and the smallest value of a hidden small count must be that a reader cannot
        rule out (see `ipt_outcomes.privacy.cells`).
    sentence : str
        To be printed on the page.
    """

    audience: Audience
    smallest_shown: int = 1
    zero_shown: bool = True
    rounded_to: int = 1
    narrowest: int = 0
    sentence: str

    @property
    def hides(self) -> bool:
        """Whether this audience sees less than all counts."""
        return self.smallest_shown > 1

    def is_small(self, count: int) -> bool:
        """Whether a count of people has to be kept from this audience, also from being worked out.

        Parameters
        ----------
        count : int

        Returns
        -------
        bool
        """
        return 0 < count < self.smallest_shown

    def rounded(self, count: int) -> int:
        """Return a count as this audience sees it; a rounded count stays what it is.

        Parameters
        ----------
        count : int
            Not negative. Half-way between two multiples goes up.

        Returns
        -------
        int
        """
        step = self.rounded_to
        return (2 * count + step) // (2 * step) * step


_RULES: dict[str, AudienceRule] = {
    "internal": AudienceRule(
        audience="internal",
        sentence="For the service's own staff: all counts are shown. Do not pass this report on as it is.",
    ),
    "board": AudienceRule(
        audience="board",
        smallest_shown=5,
        zero_shown=False,
        rounded_to=5,
        narrowest=2,
        sentence=(
            "For a board: counts below 5 people are hidden, with every number that would give one back; other "
            "counts are rounded to the nearest 5. Percentages are those of the exact counts, to one decimal, so "
            "they differ a little from those of the rounded counts."
        ),
    ),
    "public": AudienceRule(
        audience="public",
        smallest_shown=11,
        narrowest=5,
        sentence=(
            "For the public: counts of 1 to 10 people are hidden, with every number that would give one back "
            "(larger counts, percentages, means). 0 is shown."
        ),
    ),
    "publication": AudienceRule(
        audience="publication",
        sentence="For the trial's own publication: all counts are shown, no person is.",
    ),
}
assert tuple(_RULES) == get_args(Audience)  # noqa: S101 - one rule for each audience


def audience_rule(audience: Audience) -> AudienceRule:
    """Return what an audience may see.

    Parameters
    ----------
    audience : {"internal", "board", "public", "publication"}

    Returns
    -------
    AudienceRule

    Raises
    ------
    OptionError
        There is no such audience.
    """
    require_choice("audience", audience, _RULES)
    return _RULES[audience]


def describe(audience: Audience) -> str:
    """Return the sentence a page prints: whom it is for and what is hidden.

    Parameters
    ----------
    audience : {"internal", "board", "public", "publication"}

    Returns
    -------
    str

    Raises
    ------
    OptionError
        There is no such audience.

    Examples
    --------
    >>> describe("internal")
    "For the service's own staff: all counts are shown. Do not pass this report on as it is."
    """
    return audience_rule(audience).sentence
