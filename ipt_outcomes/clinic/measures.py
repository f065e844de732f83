"""What an instrument can say: its cut-offs with their sources, and the rates they allow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ipt_outcomes.clinic.change import Better
from ipt_outcomes.effects.proportions import is_number
from ipt_outcomes.errors import OptionError, require_known
from ipt_outcomes.instruments import Instrument, instrument, instrument_name

CUT_NAMES = ("caseness", "reliable_change", "remission")
GIVEN = "given by the user"
BY_MAPPING = "set by the user: "
"""How the source of a cut-off begins that the mapping of the data sets; the user's own words follow."""

PAIR = "nhs_talking_therapies"
"""Name of the PHQ-9 and GAD-7 pair in results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """One instrument's direction, range and cut-offs.

    Parameters
    ----------
    name : str
        As in the registry.
    label : str
        Name as a report writes it: "PHQ-9".
    better : {"lower", "higher"} or None
        Which end is the good one; None where it is not known.
    minimum, maximum : float
        Range of the total; infinite where it is not known.
    caseness, reliable_change, remission : float or None
        All inclusive. Caseness: from this score on (towards the bad end) a person is a case. Reliable change: points.
        Remission: up to this score (from the good end).
    sources : mapping of str to str
        Where each cut-off comes from.
    unverified : frozenset of str
        Cut-offs that were not confirmed: defaults, not established.
    """

    name: str
    label: str
    better: Better | None
    minimum: float
    maximum: float
    caseness: float | None = None
    reliable_change: float | None = None
    remission: float | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    unverified: frozenset[str] = frozenset()

    def is_own(self, name: str) -> bool:
        """Whether a cut-off is the user's, not the registry's."""
        source = self.sources.get(name, "")
        return source == GIVEN or source.startswith(BY_MAPPING)

    def to_dict(self) -> dict[str, Any]:
        """Return direction, range and cut-offs as JSON values."""
        return {
            "better": self.better,
            **{name: getattr(self, name) for name in CUT_NAMES},
            "sources": dict(self.sources),
            "unverified": sorted(self.unverified),
        }


def cuts_of(name: str, given: Mapping[str, float | None] | None = None, known: Instrument | None = None) -> Cuts:
    """Return what is known of an instrument.

    Parameters
    ----------
    name : str
        Name or alias; an unknown one has no direction and no cut-offs.
    given : mapping of str to float or None, optional
        Cut-offs of the user's, under the names of `CUT_NAMES`; they take the place of the registry's, None takes
        one away.
    known : Instrument, optional
        The instrument with the facts that the mapping of the data sets; the registry's by default.

    Returns
    -------
    Cuts

    Raises
    ------
    OptionError
        `given` names something else, or a value is no number, is outside the scale, or cannot be with another one.
        All faults are named.
    """
    found = instrument_name(name)
    cuts = Cuts(name=name, label=name, better=None, minimum=float("-inf"), maximum=float("inf"))
    if found is not None:
        cuts = _from_registry(known or instrument(found))
    if not given:
        return cuts
    require_known("an instrument has no cut-off named", given, CUT_NAMES)
    if faults := cut_faults(cuts, given):
        raise OptionError(f"cut-offs of {name}: " + "; ".join(faults))
    own = {cut: None if value is None else float(value) for cut, value in given.items()}
    return replace(
        cuts,
        **own,  # type: ignore[arg-type]
        sources={**cuts.sources, **dict.fromkeys(own, GIVEN)},
        unverified=cuts.unverified - own.keys(),
    )


def cut_faults(cuts: Cuts, given: Mapping[str, float | None]) -> list[str]:
    """Say what is wrong with cut-offs of the user's for an instrument.

    Parameters
    ----------
    cuts : Cuts
        What is known of the instrument.
    given : mapping of str to float or None
        Under the names of `CUT_NAMES`.

    Returns
    -------
    list of str
        Empty where they can be used.
    """
    faults, numbers = [], {}
    for cut, value in given.items():
        if value is None:
            continue
        if not is_number(value) or not math.isfinite(value):
            faults.append(f"{cut} must be a number")
        elif cut == "reliable_change" and not 0 < value <= cuts.maximum - cuts.minimum:
            faults.append(f"reliable_change must be above 0 and at most the length of the scale; got {value:g}")
        elif cut != "reliable_change" and not cuts.minimum <= value <= cuts.maximum:
            faults.append(f"{cut} must lie on the scale, {cuts.minimum:g} to {cuts.maximum:g}; got {value:g}")
        else:
            numbers[cut] = float(value)
    both = {"caseness": cuts.caseness, "remission": cuts.remission, **dict.fromkeys(given), **numbers}
    caseness, remission = both["caseness"], both["remission"]
    if caseness is not None and remission is not None:
        sign = -1.0 if cuts.better == "higher" else 1.0
        if sign * remission >= sign * caseness:
            faults.append(
                f"a person in remission ({remission:g}) would still be a case ({caseness:g}): give both, or take one "
                "away with None"
            )
    return faults


def _from_registry(known: Instrument) -> Cuts:
    fields = {
        "caseness": "caseness_max" if known.better == "higher" else "caseness_min",
        "reliable_change": "reliable_change",
        "remission": "remission_max",
    }
    found = {cut: getattr(known, entry) for cut, entry in fields.items() if getattr(known, entry) is not None}
    source = "; ".join(known.sources) or "the registry of instruments, without a source"
    sources = {
        cut: source if (own := known.override(fields[cut])) is None else f"{BY_MAPPING}{own.source}" for cut in found
    }
    return Cuts(
        name=known.name,
        label=known.short,
        better=known.better if known.kind == "outcome" else None,
        minimum=float("-inf") if known.minimum is None else known.minimum,
        maximum=float("inf") if known.maximum is None else known.maximum,
        **found,
        sources=sources,
        unverified=frozenset(cut for cut in found if known.doubts(fields[cut])),
    )
