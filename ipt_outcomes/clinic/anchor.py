"""Change held against a minimal important difference: of each person, and of a group by its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import t as student

from ipt_outcomes.clinic.change import DETERIORATED, IMPROVED, UNCHANGED, Better, counted, paired
from ipt_outcomes.effects.proportions import check_level, is_number
from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.results import Provenance, ResultObject

NOT_SIGNIFICANT = "not statistically significant"
IRRELEVANT = "statistically significant, clinically irrelevant"
NOT_LESS = "not significantly less than the minimal important difference"
PROBABLE = "probably clinically important"
LARGE = "clinically important"
GROUP_CATEGORIES = (NOT_SIGNIFICANT, IRRELEVANT, NOT_LESS, PROBABLE, LARGE)
"""How an interval can lie to no change and to the minimal important difference, from least to most; a change the wrong
way is judged by the same words with "(worse)" after them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorChange(ResultObject):
    """Change of each person against a minimal important difference.

    Parameters
    ----------
    change : numpy.ndarray, shape (k,)
        Points, after minus before; NaN where a score is missing.
    category : numpy.ndarray of str, shape (k,)
        ``"improved"``, ``"unchanged"``, ``"deteriorated"``; "" where a score is missing.
    mid : float
        Points, or with `unit` ``"percent"`` percent of the distance from the scale's minimum before; inclusive.
    unit : str
        ``"points"`` or ``"percent"``.
    provenance : Provenance
    """

    change: np.ndarray
    category: np.ndarray
    mid: float
    unit: str
    provenance: Provenance

    def to_frame(self) -> pd.DataFrame:
        """Return one row per person: ``change category``."""
        return pd.DataFrame({"change": self.change, "category": self.category})

    def summary(self, digits: int = 2) -> str:
        """Return the difference and how many people are in each category."""
        unit = "%" if self.unit == "percent" else " points"
        return f"Minimal important difference of {self.mid:g}{unit} (inclusive): {counted(self.category)}."


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorGroup(ResultObject):
    """Mean change, or difference of two groups, and its interval against a minimal important difference.

    Parameters
    ----------
    difference, ci_low, ci_high : float
        Points as the scale runs: after minus before, or group minus reference.
    df : float
        Degrees of freedom of the t interval.
    category : str
        One of `GROUP_CATEGORIES`.
    n : int
        People with both scores, or in both groups.
    mid, level : float
    provenance : Provenance
    """

    difference: float
    ci_low: float
    ci_high: float
    df: float
    category: str
    n: int
    mid: float
    level: float
    provenance: Provenance

    def to_frame(self) -> pd.DataFrame:
        """Return one row: ``difference ci_low ci_high df n category``."""
        names = ("difference", "ci_low", "ci_high", "df", "n", "category")
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def summary(self, digits: int = 2) -> str:
        """Return the difference with its interval and what it means."""
        return (
            f"Difference {self.difference:.{digits}f} ({100 * self.level:g}% CI {self.ci_low:.{digits}f} to "
            f"{self.ci_high:.{digits}f}, n = {self.n}), against {self.mid:g} points: {self.category}."
        )


def anchor_change(
    pre: ArrayLike,
    post: ArrayLike,
    *,
    better: Better,
    mid: float | None = None,
    mid_percent: float | None = None,
    minimum: float = 0.0,
) -> AnchorChange:
    """Judge each person by a minimal important difference.

    Parameters
    ----------
    pre, post : array_like, shape (k,)
        Scores before and after; NaN where missing.
    better : {"lower", "higher"}
        Which end of the scale is the good one.
    mid : float, optional
        Minimal important difference in points, above 0.
    mid_percent : float, optional
        The same in percent of the score before (of its distance from `minimum`), in place of `mid`.
    minimum : float
        Lowest score the scale can give.

    Returns
    -------
    AnchorChange

    Raises
    ------
    DesignError
        Scores are not paired numbers; with `mid_percent`, a score is below `minimum`.
    OptionError
        Not exactly one of `mid` and `mid_percent`, or one that is not above 0.

    Notes
    -----
    A change of exactly the difference counts. In percent, a person who begins at the minimum and stays there is
    unchanged; any other change from there counts, however small.

    Examples
    --------
    >>> anchor_change([20, 20, 20], [15, 16, 25], better="lower", mid=5).category.tolist()
    ['improved', 'unchanged', 'deteriorated']
    """
    require_choice("better", better, ("lower", "higher"))
    if (mid is None) == (mid_percent is None):
        raise OptionError("give the minimal important difference as mid (points) or as mid_percent, one of the two")
    size = mid if mid is not None else mid_percent
    if not is_number(size) or not 0 < float(size or 0) < np.inf:
        raise OptionError(f"a minimal important difference must be a number above 0; got {size!r}")
    before, after = paired(pre, post)
    change = after - before
    needed = np.full(change.shape, float(size or 0))
    if mid_percent is not None:
        low = np.flatnonzero((before < minimum) | (after < minimum))
        if low.size:
            raise DesignError(f"expected scores of at least {minimum:g}; {low.size} people have a lower one", rows=low)
        # From the minimum itself the smallest change away from it is beyond every percentage.
        needed = np.maximum((before - minimum) * mid_percent / 100, np.finfo(float).tiny)
    gain = change if better == "higher" else -change
    # Percentages of whole points are not exact in binary: a change of exactly 17.5% of 40 must count.
    slack = 1e-12 * np.maximum(np.abs(needed), 1e-300)
    category = np.select(
        [np.isnan(change), gain >= needed - slack, gain <= -(needed - slack)], ["", IMPROVED, DETERIORATED], UNCHANGED
    )
    options = {"better": better, "mid": mid, "mid_percent": mid_percent, "minimum": minimum}
    return AnchorChange(
        change=change,
        category=category,
        mid=float(size or 0),
        unit="points" if mid is not None else "percent",
        provenance=Provenance(function="clinic.anchor_change", options=options),
    )


def anchor_group(pre: ArrayLike, post: ArrayLike, *, better: Better, mid: float, level: float = 0.95) -> AnchorGroup:
    """Hold the mean change of a group against a minimal important difference.

    Parameters
    ----------
    pre, post : array_like, shape (k,)
        Scores before and after; people with a missing one are left out.
    better : {"lower", "higher"}
        Which end of the scale is the good one.
    mid : float
        Minimal important difference in points, above 0.
    level : float
        Confidence level of the paired t interval.

    Returns
    -------
    AnchorGroup

    Raises
    ------
    DesignError
        Scores are not paired numbers; fewer than 2 pairs.
    OptionError
        `mid` or `level` is out of its range.

    References
    ----------
    Jaeschke, Singer & Guyatt (1989), Control Clin Trials 10:407-415, doi:10.1016/0197-2456(89)90005-6.

    Examples
    --------
    >>> anchor_group([20, 22, 25, 19], [10, 11, 12, 9], better="lower", mid=5).category
    'clinically important'
    """
    before, after = paired(pre, post)
    change = (after - before)[~np.isnan(after - before)]
    if change.size < 2:
        raise DesignError(f"expected both scores of at least 2 people; found {change.size}")
    se = float(change.std(ddof=1)) / np.sqrt(change.size)
    return _judged("clinic.anchor_group", float(change.mean()), se, change.size - 1.0, change.size, better, mid, level)


def anchor_between(
    scores: ArrayLike, reference: ArrayLike, *, better: Better, mid: float, level: float = 0.95
) -> AnchorGroup:
    """Hold the difference of two groups' means against a minimal important difference.

    Parameters
    ----------
    scores, reference : array_like, shapes (k,) and (m,)
        Scores after treatment of the group and of the group it is compared with; missing ones are left out.
    better, mid, level
        As in `anchor_group`.

    Returns
    -------
    AnchorGroup
        Group minus reference, with Welch's t interval.

    Raises
    ------
    DesignError
        Scores are no numbers, or a group has fewer than 2.
    OptionError
        `mid` or `level` is out of its range.

    References
    ----------
    Welch (1947), Biometrika 34:28-35, doi:10.1093/biomet/34.1-2.28.
    """
    group, other = (paired(values, values)[0] for values in (scores, reference))
    group, other = group[~np.isnan(group)], other[~np.isnan(other)]
    if min(group.size, other.size) < 2:
        raise DesignError(f"expected scores of at least 2 people in each group; found {group.size} and {other.size}")
    parts = np.array([group.var(ddof=1) / group.size, other.var(ddof=1) / other.size])
    shares = parts**2 / np.array([group.size - 1, other.size - 1])
    df = float(parts.sum() ** 2 / shares.sum()) if shares.sum() > 0 else float(group.size + other.size - 2)
    difference = float(group.mean() - other.mean())
    n = int(group.size + other.size)
    return _judged("clinic.anchor_between", difference, float(np.sqrt(parts.sum())), df, n, better, mid, level)


def _judged(
    function: str, difference: float, se: float, df: float, n: int, better: Better, mid: float, level: float
) -> AnchorGroup:
    require_choice("better", better, ("lower", "higher"))
    check_level(level)
    if not is_number(mid) or not 0 < mid < np.inf:
        raise OptionError(f"mid must be a number of points above 0; got {mid!r}")
    half = float(student.ppf((1 + level) / 2, df)) * se
    return AnchorGroup(
        difference=difference,
        ci_low=difference - half,
        ci_high=difference + half,
        df=df,
        category=_category(difference if better == "higher" else -difference, half, float(mid)),
        n=n,
        mid=float(mid),
        level=level,
        provenance=Provenance(function=function, options={"better": better, "mid": mid, "level": level}),
    )


def _category(gain: float, half: float, mid: float) -> str:
    if abs(gain) <= half:
        return NOT_SIGNIFICANT
    low, high = abs(gain) - half, abs(gain) + half
    if low >= mid:
        name = LARGE
    elif high < mid:
        name = IRRELEVANT
    else:
        name = PROBABLE if abs(gain) >= mid else NOT_LESS
    return name if gain > 0 else f"{name} (worse)"
