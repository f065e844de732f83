"""Change of a score from before to after: in percent, and whether it is beyond measurement error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.results import Provenance, ResultObject

Better = Literal["lower", "higher"]
IMPROVED, UNCHANGED, DETERIORATED, UNDEFINED = "improved", "unchanged", "deteriorated", "undefined"


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentChange(ResultObject):
    """Percentage change of each person.

    Parameters
    ----------
    change : numpy.ndarray, shape (k,)
        Change as a share of the distance from the scale's minimum before: -0.5 is half the distance less. NaN where
        a score is missing or the share is not defined.
    category : numpy.ndarray of str, shape (k,)
        ``"improved"``, ``"unchanged"``, ``"deteriorated"``; ``"undefined"`` for a change from the scale's minimum;
        "" where a score is missing.
    points : numpy.ndarray, shape (k,)
        Change in points, after minus before.
    threshold : float
        Share from which on (inclusive) a change counts.
    provenance : Provenance
    """

    change: np.ndarray
    category: np.ndarray
    points: np.ndarray
    threshold: float
    provenance: Provenance

    def to_frame(self) -> pd.DataFrame:
        """Return one row per person: ``points change category``."""
        return pd.DataFrame({"points": self.points, "change": self.change, "category": self.category})

    def summary(self, digits: int = 2) -> str:
        """Return how many people are in each category."""
        return f"Percentage change, threshold {100 * self.threshold:g}% (inclusive): {counted(self.category)}."


def percent_change(
    pre: ArrayLike, post: ArrayLike, *, better: Better, threshold: float = 0.5, minimum: float = 0.0
) -> PercentChange:
    """Judge change by percentage: a person has improved whose score moved at least this share the right way.

    Parameters
    ----------
    pre, post : array_like, shape (k,)
        Scores before and after; NaN where missing.
    better : {"lower", "higher"}
        Which end of the scale is the good one.
    threshold : float
        Share that counts, inclusive: 0.5 is a change of half.
    minimum : float
        Lowest score the scale can give. Percentages are of the distance from it: on a scale from 17 a fall from 37
        to 27 is half.

    Returns
    -------
    PercentChange

    Raises
    ------
    DesignError
        `pre` and `post` are not one row of numbers each, of one length; or a score is below `minimum`.
    OptionError
        `threshold` is not above 0, `better` is not one of the choices.

    Notes
    -----
    From a first score at the minimum no percentage is defined: no change is "unchanged", any other "undefined",
    never improved. Where higher is better a percentage is of the distance from the minimum, too; the rate of response
    that reports give is measured from the good end of the scale instead (`ipt_outcomes.instruments.responded`).

    Examples
    --------
    >>> percent_change([10, 10, 0], [5, 15, 5], better="lower").category.tolist()
    ['improved', 'deteriorated', 'undefined']
    """
    require_choice("better", better, ("lower", "higher"))
    if not threshold > 0:
        raise OptionError(f"threshold must be above 0; got {threshold!r}")
    before, after = paired(pre, post)
    low = np.flatnonzero((before < minimum) | (after < minimum))
    if low.size:
        raise DesignError(
            f"expected scores of at least {minimum:g}, the scale's minimum; {low.size} of {before.size} people have a "
            "lower one",
            rows=low,
            hint="Give the lowest score the scale can have as minimum.",
        )
    points, room = after - before, before - minimum
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.where(room > 0, points / room, np.nan)
    gain = change if better == "higher" else -change
    category = np.select(
        [np.isnan(points), room == 0, gain >= threshold, gain <= -threshold],
        ["", np.where(points == 0, UNCHANGED, UNDEFINED), IMPROVED, DETERIORATED],
        default=UNCHANGED,
    )
    options = {"better": better, "threshold": threshold, "minimum": minimum}
    return PercentChange(
        change=change,
        category=category,
        points=points,
        threshold=float(threshold),
        provenance=Provenance(function="clinic.percent_change", options=options),
    )


def paired(pre: ArrayLike, post: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return scores before and after as float arrays of one length.

    Raises
    ------
    DesignError
        They are not rows of numbers of one length, or one is endless.
    """
    before, after = _numbers(pre), _numbers(post)
    if before.shape != after.shape:
        raise DesignError(f"expected one score before and one after per person; got {before.size} and {after.size}")
    endless = np.flatnonzero(np.isinf(before) | np.isinf(after))
    if endless.size:
        raise DesignError(f"expected finite scores; {endless.size} people have an endless one", rows=endless)
    return before, after


def _numbers(scores: ArrayLike) -> np.ndarray:
    try:
        values = pd.array(np.ravel(np.asarray(scores)), dtype="Float64")
    except (TypeError, ValueError):
        raise DesignError("expected scores as numbers, missing ones as NaN; found something else") from None
    return np.asarray(values.to_numpy(np.float64, na_value=np.nan))


def counted(category: np.ndarray) -> str:
    """Say how many people are in each category that occurs."""
    names = [name for name in (IMPROVED, UNCHANGED, DETERIORATED, UNDEFINED) if (category == name).any()]
    words = [f"{int((category == name).sum())} {name}" for name in names]
    missing = int((category == "").sum())
    if missing:
        words.append(f"{missing} with a missing score")
    return ", ".join(words) or "nobody"
