"""Every choice of a synthesis that can change a number, checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from ipt_outcomes.effects.zero_cells import ZeroCells
from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.evidence.compute import MEASURES, Convention, MeasureName
from ipt_outcomes.meta.inputs import Tau2Method, Test

Profile = Literal["ours", "metapsytools"]
Span = tuple[float | None, float | None]

PROFILES: tuple[Profile, ...] = get_args(Profile)
DEFAULT_BY = "condition_arm2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Every choice that can change a number, as `synthesise` takes them."""

    by: str | None = DEFAULT_BY
    measures: tuple[MeasureName, ...] = ("g",)
    convention: Convention = "metapsy"
    better: Literal["lower", "higher"] | None = None
    event: Literal["good", "bad"] | None = None
    zero_cells: ZeroCells = "add-half"
    tau2: Tau2Method = "REML"
    test: Test = "knapp-hartung"
    level: float = 0.95
    rho: float = 0.6
    low_risk_above: float = 2
    towards: str | None = "ipt"
    priority: tuple[str, ...] = ()
    window: Span | None = None
    times: tuple[str, ...] = ()
    years: Span | None = None
    subgroups: tuple[str, ...] | None = None
    control_rate: float = 0.2
    profile: Profile = "ours"
    grid: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return the options as JSON values."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def checked_options(measures: Sequence[str] | str, **given: Any) -> Options:
    """Return the options of a synthesis, or say what is wrong with them.

    Parameters
    ----------
    measures : sequence of str or str
    **given
        The other fields of `Options`.

    Returns
    -------
    Options

    Raises
    ------
    OptionError
    """
    chosen = (measures,) if isinstance(measures, str) else tuple(measures)
    if not chosen:
        raise OptionError(f"measures is empty: choose among {', '.join(MEASURES)}")
    if len(set(chosen)) != len(chosen):
        raise OptionError("measures names one measure twice")
    for measure in chosen:
        require_choice("measure", measure, MEASURES)
    require_choice("profile", given["profile"], PROFILES)
    rho, rate = given["rho"], given["control_rate"]
    if not 0 <= rho < 1:
        raise OptionError(f"rho must be at least 0 and below 1; got {rho}")
    if not 0 < rate < 1:
        raise OptionError(f"control_rate must be above 0 and below 1; got {rate}")
    subgroups = given["subgroups"]
    texts = {
        "priority": _texts("priority", given["priority"]),
        "times": _texts("times", given["times"]),
        "subgroups": None if subgroups is None else _texts("subgroups", subgroups),
    }
    spans = {name: _span(name, given[name]) for name in ("window", "years")}
    return Options(measures=chosen, **{**given, **texts, **spans})  # type: ignore[arg-type]


def _texts(name: str, given: Sequence[str] | str) -> tuple[str, ...]:
    found = (given,) if isinstance(given, str) else tuple(given)
    if not all(isinstance(text, str) and text.strip() for text in found):
        raise OptionError(f"{name} must be a list of names; an empty one is none")
    return found


def _span(name: str, given: Any) -> Span | None:
    """Two limits, of which one may be open; a spec has no empty value, so there an infinite one is open."""
    if given is None:
        return None
    hint = f"Give two limits, as {name} = (0, 24); None leaves a side open."
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise OptionError(f"{name} must be two limits, the lower and the upper one", hint=hint)
    for limit in given:
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int | float) or math.isnan(limit)):
            raise OptionError(f"{name} must be two numbers; got {limit!r}", hint=hint)
    low, high = (None if limit is None or math.isinf(limit) else limit for limit in given)
    if low is not None and high is not None and low > high:
        raise OptionError(f"{name}: the lower limit, {low:g}, is above the upper one, {high:g}", hint=hint)
    return low, high
