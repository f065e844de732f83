"""Reliable change: is a person's change larger than the measurement error of the scale explains?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from ipt_outcomes.clinic.change import DETERIORATED, IMPROVED, UNCHANGED, Better, counted, paired
from ipt_outcomes.effects.proportions import check_level, is_number
from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.results import Provenance, ResultObject

ReliableMethod = Literal[
    "jacobson-truax",
    "gulliksen-lord-novick",
    "edwards-nunnally",
    "hsu-linn-lord",
    "nunnally-kotsch",
    "hageman-arrindell",
]

FloatArray = NDArray[np.float64]

# Hageman and Arrindell (1999) fix their own limit.
_HA_LIMIT = 1.65


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliableChange(ResultObject):
    """Reliable change index of each person.

    Parameters
    ----------
    index : numpy.ndarray, shape (k,)
        Change over its standard error, after minus before as the scale runs; NaN where a score is missing.
    category : numpy.ndarray of str, shape (k,)
        ``"improved"``, ``"unchanged"``, ``"deteriorated"``; "" where a score is missing.
    limit : float
        An index strictly beyond this, either way, is a reliable change.
    method : str
    provenance : Provenance
    """

    index: np.ndarray
    category: np.ndarray
    limit: float
    method: str
    provenance: Provenance

    def to_frame(self) -> pd.DataFrame:
        """Return one row per person: ``index category``."""
        return pd.DataFrame({"index": self.index, "category": self.category})

    def summary(self, digits: int = 2) -> str:
        """Return method, limit and how many people are in each category."""
        return f"Reliable change ({self.method}), index beyond {self.limit:.{digits}f}: {counted(self.category)}."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What the formulas need: scores and the scale's numbers."""

    pre: FloatArray
    post: FloatArray
    sd: float
    reliability: float
    sd_post: float | None
    reliability_post: float | None
    mean_pre: float
    mean_post: float


def reliable_change(
    pre: ArrayLike,
    post: ArrayLike,
    *,
    sd: float,
    reliability: float,
    better: Better,
    method: ReliableMethod = "jacobson-truax",
    level: float = 0.95,
    reliability_post: float | None = None,
    sd_post: float | None = None,
    mean_pre: float | None = None,
    mean_post: float | None = None,
) -> ReliableChange:
    """Reliable change index and category of each person.

    Parameters
    ----------
    pre, post : array_like, shape (k,)
        Scores before and after; NaN where missing.
    sd : float
        Standard deviation of the scores before, above 0, in points.
    reliability : float
        Reliability of the scale, from 0 to below 1.
    better : {"lower", "higher"}
        Which end of the scale is the good one.
    method : {"jacobson-truax", "gulliksen-lord-novick", "edwards-nunnally", "hsu-linn-lord", "nunnally-kotsch", \
"hageman-arrindell"}
        The same scores give quite different counts by method: name it with the number.
    level : float
        Confidence level of the limit (0.95: 1.96). Hageman-Arrindell uses 1.65 whatever the level.
    reliability_post : float, optional
        Reliability after; for Nunnally-Kotsch, which needs it.
    sd_post : float, optional
        Standard deviation after; for Hageman-Arrindell; that of `post` over complete pairs if None.
    mean_pre, mean_post : float, optional
        Means the scores are pulled towards; those of the complete pairs if None.

    Returns
    -------
    ReliableChange

    Raises
    ------
    DesignError
        Scores are not numbers or not paired; an SD is not above 0; a reliability is not from 0 to below 1; a method
        lacks what it needs.
    OptionError
        An option is not one of its choices.

    Notes
    -----
    With r the reliability and M1, M2 the means: Jacobson-Truax (post-pre)/(sd √(2(1-r))); Gulliksen-Lord-Novick
    (post-(r pre+(1-r)M1))/(sd √(1-r²)); Edwards-Nunnally (post-(r(pre-M1)+M1))/(sd √(1-r)); Hsu-Linn-Lord
    ((post-M2)-r(pre-M1))/(sd √(1-r²)); Nunnally-Kotsch (post-(r(pre-M1)+M1))/(sd √(r²(1-r)+(1-r_post)));
    Hageman-Arrindell ((post-pre) rdd+(M2-M1)(1-rdd))/√(2 rdd sem²). The limit is strict: an index equal to it is
    no reliable change.

    References
    ----------
    Jacobson & Truax (1991), J Consult Clin Psychol 59:12-19, doi:10.1037/0022-006X.59.1.12.
    Hageman & Arrindell (1999), Behav Res Ther 37:1169-1193, doi:10.1016/S0005-7967(99)00032-7.
    Lambert & Ogles (2009), Psychother Res 19:493-501, doi:10.1080/10503300902849483.

    Examples
    --------
    >>> reliable_change([20, 20], [9, 15], sd=5.7, reliability=0.84, better="lower").category.tolist()
    ['improved', 'unchanged']
    """
    require_choice("better", better, ("lower", "higher"))
    require_choice("method", method, get_args(ReliableMethod))
    check_level(level)
    before, after = paired(pre, post)
    whole = ~(np.isnan(before) | np.isnan(after))
    given = _Given(
        pre=before,
        post=after,
        sd=_positive("sd", sd),
        reliability=_reliability("reliability", reliability),
        sd_post=None if sd_post is None else _positive("sd_post", sd_post),
        reliability_post=None if reliability_post is None else _reliability("reliability_post", reliability_post),
        mean_pre=_mean(mean_pre, before[whole]),
        mean_post=_mean(mean_post, after[whole]),
    )
    index = np.where(whole, _FORMULAS[method](given), np.nan)
    limit = _HA_LIMIT if method == "hageman-arrindell" else float(ndtri((1 + level) / 2))
    gain = index if better == "higher" else -index
    category = np.select([~whole, gain > limit, gain < -limit], ["", IMPROVED, DETERIORATED], default=UNCHANGED)
    numbers = ("sd", "reliability", "sd_post", "reliability_post", "mean_pre", "mean_post")
    used = {name: getattr(given, name) for name in numbers} | {"better": better, "method": method, "level": level}
    return ReliableChange(
        index=index,
        category=category,
        limit=limit,
        method=method,
        provenance=Provenance(function="clinic.reliable_change", options=used),
    )


def _jacobson_truax(given: _Given) -> FloatArray:
    return np.asarray((given.post - given.pre) / (given.sd * np.sqrt(2 * (1 - given.reliability))))


def _gulliksen_lord_novick(given: _Given) -> FloatArray:
    r = given.reliability
    expected = r * given.pre + (1 - r) * given.mean_pre
    return np.asarray((given.post - expected) / (given.sd * np.sqrt(1 - r**2)))


def _edwards_nunnally(given: _Given) -> FloatArray:
    expected = given.reliability * (given.pre - given.mean_pre) + given.mean_pre
    return np.asarray((given.post - expected) / (given.sd * np.sqrt(1 - given.reliability)))


def _hsu_linn_lord(given: _Given) -> FloatArray:
    r = given.reliability
    return np.asarray(
        ((given.post - given.mean_post) - r * (given.pre - given.mean_pre)) / (given.sd * np.sqrt(1 - r**2))
    )


def _nunnally_kotsch(given: _Given) -> FloatArray:
    if given.reliability_post is None:
        raise DesignError("nunnally-kotsch needs reliability_post, the reliability of the scale after treatment")
    r = given.reliability
    expected = r * (given.pre - given.mean_pre) + given.mean_pre
    return np.asarray((given.post - expected) / (given.sd * np.sqrt(r**2 * (1 - r) + (1 - given.reliability_post))))


def _hageman_arrindell(given: _Given) -> FloatArray:
    whole = ~(np.isnan(given.pre) | np.isnan(given.post))
    if whole.sum() < 2:
        raise DesignError("hageman-arrindell needs the scores of at least 2 people: it uses their covariance")
    pre, post, sd, r = given.pre[whole], given.post[whole], given.sd, given.reliability
    covariance = float(np.cov(pre, post)[0, 1])
    after = given.sd_post if given.sd_post is not None else float(post.std(ddof=1))
    sem2 = sd**2 * (1 - r)
    spread = sd**2 + after**2 - 2 * covariance
    if not after > 0 or not spread > 0:
        raise DesignError("hageman-arrindell needs scores that change by different amounts; these do not")
    r_post = 1 - sem2 / after**2
    # Reliability of the difference between the two scores.
    rdd = (sd**2 * r + after**2 * r_post - 2 * covariance) / spread
    if not rdd > 0:
        raise DesignError("hageman-arrindell is not defined: the differences between the scores have no reliability")
    change = (given.post - given.pre) * rdd + (given.mean_post - given.mean_pre) * (1 - rdd)
    return np.asarray(change / np.sqrt(2 * rdd * sem2))


_FORMULAS: dict[str, Callable[[_Given], FloatArray]] = {
    "jacobson-truax": _jacobson_truax,
    "gulliksen-lord-novick": _gulliksen_lord_novick,
    "edwards-nunnally": _edwards_nunnally,
    "hsu-linn-lord": _hsu_linn_lord,
    "nunnally-kotsch": _nunnally_kotsch,
    "hageman-arrindell": _hageman_arrindell,
}


def _positive(name: str, value: float) -> float:
    if not is_number(value) or not 0 < value < np.inf:
        raise DesignError(f"{name} must be a number above 0; got {value!r}")
    return float(value)


def _reliability(name: str, value: float) -> float:
    if not is_number(value) or not 0 <= value < 1:
        raise DesignError(f"{name} must be from 0 to below 1; got {value!r}")
    return float(value)


def _mean(given: float | None, scores: np.ndarray) -> float:
    if given is not None:
        if not np.isfinite(given):
            raise OptionError("a mean must be a finite number")
        return float(given)
    return float(scores.mean()) if scores.size else np.nan
