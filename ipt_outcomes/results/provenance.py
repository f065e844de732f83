"""What was run to get a result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ipt_outcomes import __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The call behind a result: function, options as used (defaults filled in), package version.

    Parameters
    ----------
    function : str
        Public name, for example ``"meta.pool"``.
    options : mapping of str to JSON values
        Every option that can change the numbers.
    version : str
        Version of ipt_outcomes.
    """

    function: str
    options: Mapping[str, Any] = field(default_factory=dict)
    version: str = __version__

    def to_dict(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        return {"function": self.function, "options": dict(self.options), "version": self.version}
