"""What every analysis of people's data is: complete numbers, and what of them each audience may see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from ipt_outcomes.privacy.audience import Audience
from ipt_outcomes.privacy.links import Link
from ipt_outcomes.privacy.protect import protect
from ipt_outcomes.results import Provenance, ResultObject, Results


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recorded:
    """Every number of an analysis and what ties its counts of people together.

    Parameters
    ----------
    results : Results
        Complete: nothing hidden.
    links : tuple of Link
        For `ipt_outcomes.privacy.protect`.
    """

    results: Results
    links: tuple[Link, ...]
    _seen: dict[Audience, Results] = field(default_factory=dict, init=False, repr=False)

    def protected(self, audience: Audience) -> Results:
        """Return the results as an audience may see them; worked out once for each audience.

        Parameters
        ----------
        audience : {"internal", "board", "public", "publication"}

        Returns
        -------
        Results

        Raises
        ------
        OptionError
            There is no such audience.
        """
        if audience not in self._seen:
            self._seen[audience] = protect(self.results, self.links, audience=audience)
        return self._seen[audience]


class _Options(Protocol):
    def to_dict(self) -> dict[str, Any]: ...


class ProtectedAnalysis(ResultObject):
    """Base of analyses of people's data: a frozen dataclass with ``options``, ``provenance`` and ``recorded``."""

    __slots__ = ()

    options: _Options
    provenance: Provenance
    recorded: Recorded

    @property
    def results(self) -> Results:
        """Every number, complete: nothing is hidden. Show only what `protected` gives."""
        return self.recorded.results

    def protected(self, audience: Audience) -> Results:
        """Return the numbers an audience may see.

        Parameters
        ----------
        audience : {"internal", "board", "public", "publication"}

        Returns
        -------
        Results
            As `ipt_outcomes.privacy.protect` gives them: small numbers, and what gives them back, are hidden.

        Raises
        ------
        OptionError
            There is no such audience.
        """
        return self.recorded.protected(audience)

    def to_dict(self) -> dict[str, Any]:
        """Return options and results as JSON values."""
        return {
            "options": self.options.to_dict(),
            "results": [row.to_dict() for row in self.results],
            "provenance": self.provenance.to_dict(),
        }
