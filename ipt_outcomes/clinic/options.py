"""The choices of a review, and their checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ipt_outcomes.clinic.measures import cuts_of
from ipt_outcomes.effects.proportions import is_number
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
        Some of them are not valid; all faults are named.
    """
    checks = (
        (is_number(level) and 0 < level < 1, f"level must be a number between 0 and 1; got {level!r}"),
        (
            is_number(response) and 0 < response <= 1,
            f"response must be a share above 0 and at most 1 (0.5: half); got {response!r}",
        ),
        (
            isinstance(min_sessions, int) and not isinstance(min_sessions, bool) and min_sessions >= 1,
            f"min_sessions must be a whole number of at least 1; got {min_sessions!r}",
        ),
        (isinstance(by, str | None), f"by must be the name of a column; got {by!r}"),
    )
    faults = [fault for is_fine, fault in checks if not is_fine]
    chosen = _instruments(instruments, faults)
    own = _cutoffs(cutoffs, faults)
    if faults:
        raise OptionError("; ".join(faults))
    return ReviewOptions(
        instruments=chosen,
        by=by,
        level=float(level),
        response=float(response),
        min_sessions=min_sessions,
        cutoffs=own,
    )


def _instruments(named: Sequence[str] | str | None, faults: list[str]) -> tuple[str, ...] | None:
    if named is None:
        return None
    listed = [named] if isinstance(named, str) else list(named)
    if not listed or not all(isinstance(name, str) for name in listed):
        faults.append("instruments must be names of instruments, at least one")
        return None
    return tuple(dict.fromkeys(instrument_name(name) or name for name in listed))


def _cutoffs(given: object, faults: list[str]) -> dict[str, dict[str, float | None]]:
    own: dict[str, dict[str, float | None]] = {}
    if given is None:
        return own
    if not isinstance(given, Mapping) or not all(isinstance(cuts, Mapping) for cuts in given.values()):
        faults.append('cutoffs must be a table per instrument: {"bdi2": {"caseness": 14}}')
        return own
    for name, cuts in given.items():
        known = instrument_name(name) or name
        if known in own:
            faults.append(f"cutoffs names {known} twice")
        try:
            cuts_of(known, cuts)
        except OptionError as fault:
            faults.append(str(fault).replace("\n", " "))
        own[known] = dict(cuts)
    return own
