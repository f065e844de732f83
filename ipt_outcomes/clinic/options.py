"""The choices of a review, and their checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ipt_outcomes.clinic.measures import cuts_of
from ipt_outcomes.effects.proportions import check_level, is_number
from ipt_outcomes.errors import OptionError
from ipt_outcomes.instruments import instrument_name

DEFAULT_BY = "problem_area"

CutOffs = Mapping[str, Mapping[str, float | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOptions:
    """Every choice that can change a number, as `ipt_outcomes.clinic.review` takes them."""

    instruments: tuple[str, ...] | None = None
    by: str | None = DEFAULT_BY
    level: float = 0.95
    response: float = 0.5
    min_sessions: int = 2
    cutoffs: CutOffs = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the options as JSON values."""
        return {
            "instruments": None if self.instruments is None else list(self.instruments),
            "by": self.by,
            "level": self.level,
            "response": self.response,
            "min_sessions": self.min_sessions,
            "cutoffs": {name: dict(cuts) for name, cuts in self.cutoffs.items()},
        }


def checked_options(
    *,
    instruments: Sequence[str] | str | None,
    by: str | None,
    level: float,
    response: float,
    min_sessions: int,
    cutoffs: CutOffs | None,
) -> ReviewOptions:
    """Return the options of a review under the registry's names.

    Parameters
    ----------
    instruments, by, level, response, min_sessions, cutoffs
        As in `ipt_outcomes.clinic.review`.

    Returns
    -------
    ReviewOptions

    Raises
    ------
    OptionError
        One of them is not valid; the first fault is named.
    """
    check_level(level)
    if not is_number(response) or not 0 < response <= 1:
        raise OptionError(f"response must be a share above 0 and at most 1 (0.5: half); got {response!r}")
    if isinstance(min_sessions, bool) or not isinstance(min_sessions, int) or min_sessions < 1:
        raise OptionError(f"min_sessions must be a whole number of at least 1; got {min_sessions!r}")
    if by is not None and not isinstance(by, str):
        raise OptionError(f"by must be the name of a column; got {by!r}")
    chosen: tuple[str, ...] | None = None
    if instruments is not None:
        listed = [instruments] if isinstance(instruments, str) else list(instruments)
        if not listed or not all(isinstance(name, str) for name in listed):
            raise OptionError("instruments must be names of instruments, at least one")
        chosen = tuple(dict.fromkeys(instrument_name(name) or name for name in listed))
    own: dict[str, dict[str, float | None]] = {}
    for name, cuts in (cutoffs or {}).items():
        if not isinstance(cuts, Mapping):
            raise OptionError('cutoffs must be a table per instrument: {"bdi2": {"caseness": 14}}')
        known = instrument_name(name) or name
        cuts_of(known, cuts)  # refuses names and values that are no cut-offs
        own[known] = dict(cuts)
    return ReviewOptions(
        instruments=chosen,
        by=by,
        level=float(level),
        response=float(response),
        min_sessions=min_sessions,
        cutoffs=own,
    )
