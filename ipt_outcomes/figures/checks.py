"""Checks of what a caller gives, and the order of studies and groups, common to all figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.figures.rows import PooledLike
from ipt_outcomes.figures.scale import RATIO_NAMES, SHORT_NAMES
from ipt_outcomes.figures.words import literal

NO_GROUP = "not reported"


def check_level(level: float) -> float:
    """Return a confidence level, or raise `OptionError` unless it lies between 0 and 1."""
    if not 0 < level < 1:
        raise OptionError(f"level must be between 0 and 1; got {level!r}")
    return level


def percent(level: float) -> str:
    """Write a level as "95%"."""
    return f"{100 * level:.10g}%"


def one_each(name: str, values: Iterable[Any] | None, k: int) -> list[Any] | None:
    """Return one value per study.

    Raises
    ------
    DesignError
        The number of values is not the number of studies.
    """
    if values is None:
        return None
    if isinstance(values, str):
        raise DesignError(f"{name} must hold one value per study; got one text")
    listed = list(values)
    if len(listed) != k:
        raise DesignError(f"{name} must hold one value per study: expected {k}, got {len(listed)}")
    return listed


def study_names(labels: Iterable[Any] | None, k: int) -> list[str]:
    """Return the studies' names ready to draw; "Study 1" and so on where none are given."""
    listed = one_each("labels", labels, k)
    if listed is None:
        return [f"Study {number}" for number in range(1, k + 1)]
    return [literal(label) or "–" for label in listed]


def check_pooled(pooled: object, effects: EffectSizes, level: float, name: str) -> None:
    """Refuse a pooled effect that says itself that it is on another scale or at another level.

    Raises
    ------
    OptionError
        The figure would print numbers under a heading that is not theirs.
    """
    check_stated_level(pooled, level, name)
    measure = stated_measure(pooled)
    if measure is not None and (measure in RATIO_NAMES) != effects.is_ratio:
        raise OptionError(f"{name} is on the scale of {measure}; the effects are {effects.measure}")


def check_stated_level(pooled: object, level: float, name: str) -> None:
    """Refuse a pooled effect whose own level differs from the one the figure prints."""
    own = getattr(pooled, "level", None)
    if isinstance(own, float | int) and not math.isclose(own, level):
        raise OptionError(f"{name} has intervals at level {own!r}; the figure is asked for {level!r}")


def stated_measure(pooled: object) -> str | None:
    """Return the measure a pooled effect names itself, or None."""
    measure = getattr(pooled, "measure", None)
    text = str(getattr(measure, "value", measure))
    return text if text in SHORT_NAMES else None


def is_known(pooled: PooledLike) -> bool:
    """Whether a pooled effect holds an estimate and an interval."""
    return not any(value is None or math.isnan(value) for value in (pooled.estimate, pooled.ci_low, pooled.ci_high))


def prediction(pooled: PooledLike) -> tuple[float, float] | None:
    """Return the prediction limits, or None where there are none."""
    low, high = pooled.prediction_low, pooled.prediction_high
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return None
    return float(low), float(high)


def ordered_levels(groups: Any, listed: Sequence[Any]) -> list[Any]:
    """Return the levels that occur: a categorical's own order, anything else sorted, missing last.

    Parameters
    ----------
    groups : array_like
        As given by the caller.
    listed : sequence
        The same as a list.

    Returns
    -------
    list
        Missing levels are one level, None.
    """
    present = {level for level in listed if not _missing(level)}
    dtype = getattr(groups, "dtype", None)
    own = getattr(dtype, "categories", None)
    if own is not None:
        levels = [level for level in own if level in present]
    else:
        levels = sorted(present, key=lambda level: (isinstance(level, str), level))
    return [*levels, None] if any(_missing(level) for level in listed) else levels


def clean_levels(listed: Sequence[Any]) -> list[Any]:
    """Return the levels with every kind of missing value as None."""
    return [None if _missing(level) else level for level in listed]


def _missing(level: Any) -> bool:
    return level is None or level != level or type(level).__name__ in {"NAType", "NaTType"}


def order(indices: Sequence[int], sort: str | None, yi: np.ndarray, names: Sequence[str]) -> list[int]:
    """Return the rows of one block in the order asked for; effects that are missing come last."""
    if sort == "effect":
        return sorted(indices, key=lambda i: (not math.isfinite(yi[i]), yi[i] if math.isfinite(yi[i]) else 0))
    if sort == "label":
        return sorted(indices, key=lambda i: names[i].casefold())
    return list(indices)
