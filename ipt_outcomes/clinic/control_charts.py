"""Control charts over time (XmR, p and u): which points are more than common variation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.clinic.chart_rules import rules_of
from ipt_outcomes.effects.proportions import is_number
from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.results import Provenance, ResultObject, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ChartKind = Literal["xmr", "p", "u"]
Direction = Literal["higher", "lower", "neither"]

# Factors of the individuals chart: 3/d2 and D4 for ranges of two points.
_LIMIT, _RANGE_LIMIT = 2.66, 3.267
# Mean range of two standard normal values.
_D2 = 1.128
FEWEST_POINTS = 13
"""Below this many points limits are too unsure to act on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlChart(ResultObject):
    """Points of a control chart, its limits and what stands out.

    Parameters
    ----------
    points : pandas.DataFrame
        One row per point, in the order given: ``value center lower upper special_cause outside_limits rule
        direction segment``. `rule` names what was met ("" if nothing), `direction` is "improvement", "concern" or
        ""; missing values meet no rule.
    center, lower, upper : float
        Of the last segment; for p and u charts of its last point, as their limits depend on the number of people.
    moving_range_mean, moving_range_upper : float
        Of the last segment of an XmR chart, after screening; NaN for others.
    kind : str
        ``"xmr"``, ``"p"`` or ``"u"``.
    better : str
    assurance : str
        Against the target, by the limits of the last segment: "consistently meets", "consistently misses",
        "may or may not meet", "" without a target.
    target : float or None
    warnings : tuple of str
    provenance : Provenance
    """

    points: pd.DataFrame
    center: float
    lower: float
    upper: float
    moving_range_mean: float
    moving_range_upper: float
    kind: str
    better: str
    assurance: str
    target: float | None
    warnings: tuple[str, ...]
    provenance: Provenance

    def to_frame(self) -> pd.DataFrame:
        """Return `points`."""
        return self.points.copy()

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the chart; options as in `ipt_outcomes.figures.control_chart`."""
        from ipt_outcomes.figures.service import control_chart

        return control_chart(self, ax=ax, **options)

    def summary(self, digits: int = 2) -> str:
        """Return centre, limits, what stands out and the warnings."""
        found = int(self.points["special_cause"].sum())
        text = (
            f"{self.kind} chart of {len(self.points)} {plural(len(self.points), 'point', 'points')}: centre "
            f"{self.center:.{digits}f}, limits {self.lower:.{digits}f} to {self.upper:.{digits}f}; "
            f"{found} {plural(found, 'point', 'points')} with a special cause."
        )
        if self.assurance:
            text += f" The process {self.assurance} the target of {self.target:g}."
        return "\n".join([text, *self.warnings])


def xmr(
    values: ArrayLike,
    *,
    better: Direction,
    screen: bool = True,
    rebase: Sequence[int] = (),
    target: float | None = None,
) -> ControlChart:
    """Chart single values over time: mean ± 2.66 mean moving ranges.

    Parameters
    ----------
    values : array_like, shape (k,)
        In the order of time; NaN where there is none.
    better : {"higher", "lower", "neither"}
        Which way is improvement.
    screen : bool
        Leave out, once, moving ranges of at least 3.267 times their mean: single jumps must not widen the limits.
    rebase : sequence of int
        Positions (from 0) at which a new segment with limits of its own begins, where something is known to have
        changed: a break that the user marks, never one the chart finds.
    target : float, optional
        For the statement of assurance.

    Returns
    -------
    ControlChart

    Raises
    ------
    DesignError
        Values are no numbers; a segment has fewer than 2.
    OptionError
        An option is out of its range.

    Notes
    -----
    Rules, the first that is met is named: outside the limits; 2 of 3 points in a row beyond two thirds of the way to
    one limit; 7 or more in a row on one side of the mean; 7 or more in a row rising or falling.

    References
    ----------
    Wheeler (1993), Understanding Variation, SPC Press. NHS England, Making Data Count: SPC rules. Nelson (1982), J Qual
    Technol 14:172-173, doi:10.1080/00224065.1982.11978811 (screening of moving ranges).

    Examples
    --------
    >>> chart = xmr([50, 52, 49, 51, 50, 48, 51, 50, 49, 52, 50, 51, 70], better="higher")
    >>> chart.points["rule"].tolist()[-1]
    'above the upper limit'
    """
    y = _numbers(values)
    parts, ranges = [], (np.nan, np.nan)
    for part in _segments(y.size, rebase):
        here = y[part][~np.isnan(y[part])]
        if here.size < 2:
            raise DesignError("each segment of an XmR chart needs at least 2 values")
        mean_range = _moving_range(here, screen)
        ranges = (mean_range, _RANGE_LIMIT * mean_range)
        center = float(here.mean())
        parts.append((part, center, np.full(part.size, _LIMIT * mean_range)))
    options = {"better": better, "screen": screen, "rebase": list(rebase), "target": target}
    plan = _Plan(kind="xmr", better=better, target=target, options=options, ranges=ranges)
    return _chart(plan, y, parts)


def p_chart(
    event: ArrayLike,
    totaln: ArrayLike,
    *,
    better: Direction,
    rebase: Sequence[int] = (),
    target: float | None = None,
    laney: bool = False,
) -> ControlChart:
    """Chart proportions over time: 3 standard errors around the overall proportion.

    Parameters
    ----------
    event, totaln : array_like, shape (k,)
        People with the outcome, and people, of each period.
    better, rebase, target
        As in `xmr`; the target is a proportion.
    laney : bool
        Widen (or narrow) the limits by how the periods really vary (Laney's p'): for thousands of people a period.

    Returns
    -------
    ControlChart

    Raises
    ------
    DesignError
        Counts are impossible; a segment has no people.
    OptionError
        An option is out of its range.

    References
    ----------
    Laney (2002), Qual Eng 14:531-537, doi:10.1081/QEN-120003555.
    """
    x, n = _counts(event, totaln)
    if np.any(x > n):
        raise DesignError("expected no more events than people", rows=np.flatnonzero(x > n))
    options = {"better": better, "rebase": list(rebase), "target": target, "laney": laney}
    plan = _Plan(kind="p", better=better, target=target, options=options, floor=0.0, ceiling=1.0)
    return _chart(plan, x / n, _rate_parts(x, n, lambda p: p * (1 - p), rebase, laney))


def u_chart(
    event: ArrayLike,
    exposure: ArrayLike,
    *,
    better: Direction,
    rebase: Sequence[int] = (),
    target: float | None = None,
    laney: bool = False,
) -> ControlChart:
    """Chart rates over time (events per session, per week): 3 standard errors around the overall rate.

    Parameters
    ----------
    event : array_like, shape (k,)
        Counts of events.
    exposure : array_like, shape (k,)
        What they are counted out of, above 0: sessions, weeks, people.
    better, rebase, target, laney
        As in `p_chart`.

    Returns
    -------
    ControlChart

    Raises
    ------
    DesignError, OptionError
        As in `p_chart`.
    """
    x, n = _counts(event, exposure)
    options = {"better": better, "rebase": list(rebase), "target": target, "laney": laney}
    plan = _Plan(kind="u", better=better, target=target, options=options, floor=0.0)
    return _chart(plan, x / n, _rate_parts(x, n, lambda rate: rate, rebase, laney))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What is charted: the kind, its options, and the ends of its scale."""

    kind: ChartKind
    better: Direction
    target: float | None
    options: Mapping[str, object]
    floor: float = -np.inf
    ceiling: float = np.inf
    ranges: tuple[float, float] = (np.nan, np.nan)


# A segment: its positions, its centre, and the distance of its limits at each point.
_Part = tuple[np.ndarray, float, np.ndarray]


def _rate_parts(
    x: np.ndarray, n: np.ndarray, variance: Callable[[float], float], rebase: Sequence[int], laney: bool
) -> list[_Part]:
    rate = x / n
    parts = []
    for part in _segments(rate.size, rebase):
        center = float(x[part].sum() / n[part].sum())
        se = np.sqrt(variance(center) / n[part])
        if laney and part.size > 1 and np.all(se > 0):
            z = (rate[part] - center) / se
            se = se * float(np.abs(np.diff(z)).mean()) / _D2
        parts.append((part, center, 3.0 * se))
    return parts


def _chart(plan: _Plan, y: np.ndarray, parts: Sequence[_Part]) -> ControlChart:
    require_choice("better", plan.better, ("higher", "lower", "neither"))
    if plan.target is not None and not (is_number(plan.target) and np.isfinite(plan.target)):
        raise OptionError(f"target must be a finite number; got {plan.target!r}")
    frames = []
    for number, (part, center, width) in enumerate(parts):
        frame = rules_of(y[part], center, width, plan.better)
        frame.insert(1, "center", center)
        frame.insert(2, "lower", np.maximum(center - width, plan.floor))
        frame.insert(3, "upper", np.minimum(center + width, plan.ceiling))
        frames.append(frame.assign(segment=number))
    points = pd.concat(frames, ignore_index=True)
    last = points.iloc[-1]
    name = "xmr" if plan.kind == "xmr" else f"{plan.kind}_chart"
    return ControlChart(
        points=points,
        center=float(last["center"]),
        lower=float(last["lower"]),
        upper=float(last["upper"]),
        moving_range_mean=plan.ranges[0],
        moving_range_upper=plan.ranges[1],
        kind=plan.kind,
        better=plan.better,
        assurance=_assurance(plan.target, float(last["lower"]), float(last["upper"]), plan.better),
        target=plan.target,
        warnings=_warnings(parts),
        provenance=Provenance(function=f"clinic.{name}", options=plan.options),
    )


def _assurance(target: float | None, lower: float, upper: float, better: str) -> str:
    if target is None or better == "neither":
        return ""
    if lower <= target <= upper:
        return "may or may not meet"
    good = target < lower if better == "higher" else target > upper
    return "consistently meets" if good else "consistently misses"


def _warnings(parts: Sequence[_Part]) -> tuple[str, ...]:
    short = [part.size for part, _, _ in parts if part.size < FEWEST_POINTS]
    if not short:
        return ()
    return (
        f"{len(short)} {plural(len(short), 'segment has', 'segments have')} fewer than {FEWEST_POINTS} points: limits "
        "from so few are unsure.",
    )


def _moving_range(values: np.ndarray, screen: bool) -> float:
    ranges = np.abs(np.diff(values))
    mean = float(ranges.mean())
    kept = ranges[ranges < _RANGE_LIMIT * mean]
    return float(kept.mean()) if screen and kept.size else mean


def _segments(size: int, rebase: Sequence[int]) -> list[np.ndarray]:
    starts = sorted({int(start) for start in rebase})
    if any(not 0 < start < size for start in starts):
        raise OptionError(f"rebase must hold positions from 1 to {size - 1}, where a new segment begins")
    return np.split(np.arange(size), starts)


def _numbers(values: ArrayLike) -> np.ndarray:
    try:
        y = np.ravel(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError):
        raise DesignError("expected values as numbers, missing ones as NaN") from None
    if not y.size or np.isinf(y).any():
        raise DesignError("expected at least one value, all of them finite")
    return y


def _counts(event: ArrayLike, totaln: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    x, n = _numbers(event), _numbers(totaln)
    if x.shape != n.shape:
        raise DesignError(f"expected one count and one total per period; got {x.size} and {n.size}")
    bad = np.flatnonzero(~((x >= 0) & (x == np.floor(x)) & (n > 0)))
    if bad.size:
        raise DesignError(
            f"{bad.size} of {x.size} periods have no whole count of at least 0 out of more than 0", rows=bad
        )
    return x, n
