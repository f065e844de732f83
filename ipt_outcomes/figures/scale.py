"""The effect axis: limits that one huge study cannot stretch, ticks that fit, and which side favours whom."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator, NullFormatter, NullLocator

from ipt_outcomes.effects.effect_sizes import MEASURE_NAMES, Measure
from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.figures.style import font
from ipt_outcomes.figures.words import literal, text_width
from ipt_outcomes.results import Style, format_interval, format_number
from ipt_outcomes.results.format import MINUS

SHORT_NAMES: dict[str, str] = {"SMD": "g", "SMDC": "g", "MD": "MD", "OR": "OR", "RR": "RR", "RD": "RD"}
# ROM to EFFECT are the measures whose sides only `event` or the reader knows
SHORT_NAMES |= {
    "SMDPC": "g",
    "ROM": "RoM",
    "SMC": "SMC",
    "MC": "MC",
    "IRR": "IRR",
    "IRD": "IRD",
    "RATIO": "Ratio",
    "EFFECT": "Effect",
}
SHORT_NAMES |= {"VR": "VR", "CVR": "CVR", "ROMC": "RoM", "ASD": "ASD", "IRSD": "IRSD", "YUQ": "Q", "PHI": "phi"}
RATIO_NAMES: dict[str, str] = {"OR": "odds ratio", "RR": "risk ratio", "ROM": "ratio of means"}
RATIO_NAMES |= {"IRR": "incidence rate ratio", "RATIO": "ratio, as given", "VR": "ratio of standard deviations"}
RATIO_NAMES |= {"CVR": "ratio of coefficients of variation", "ROMC": "ratio of means, post to pre"}
# Beyond this the exponential leaves the range of a float; no axis reaches it, only far ends of intervals.
_FAR = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The effect axis of one figure, in the units of the analysis (logarithms for ratios).

    Parameters
    ----------
    low, high : float
        Limits.
    ratio : bool
        Whether values are logarithms of ratios, drawn on a logarithmic axis.
    falling : bool
        Whether the axis runs from the highest value on the left to the lowest on the right.
    """

    low: float
    high: float
    ratio: bool
    falling: bool = False

    def x(self, value: float) -> float:
        """Return where a value stands on the axis drawn."""
        return math.exp(min(max(value, -_FAR), _FAR)) if self.ratio else value

    def clip(self, value: float) -> float:
        """Return the value, or the limit it lies beyond."""
        return min(max(value, self.low), self.high)

    def holds(self, value: float) -> bool:
        """Whether a value lies within the limits."""
        return self.low <= value <= self.high

    def apply(self, ax: Axes, width: float) -> None:
        """Set scale, limits and ticks of an Axes whose plot is `width` inches wide."""
        if self.ratio:
            ax.set_xscale("log")
        ends = (self.x(self.low), self.x(self.high))
        ax.set_xlim(*(ends[::-1] if self.falling else ends))
        values, labels = self.ticks(width)
        ax.xaxis.set_major_locator(FixedLocator(values))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.set_xticks(values, labels)
        for label in ax.get_xticklabels():
            label.set_fontproperties(font())

    def ticks(self, width: float) -> tuple[list[float], list[str]]:
        """Return positions (as drawn) and labels of the most ticks that do not crowd `width` inches."""
        candidates = _ratio_ticks(self.low, self.high) if self.ratio else _plain_ticks(self.low, self.high)
        values: list[float] = []
        for values in candidates:
            labels = _tick_labels(values, each=self.ratio)
            at = [math.log(value) if self.ratio else value for value in values]
            if len(values) > 1 and self._room(at, labels, width):
                return values, labels
        # Nothing fits with two ticks: no effect alone.
        null = [1.0 if self.ratio else 0.0]
        return null, _tick_labels(null, each=True)

    def _room(self, at: list[float], labels: list[str], width: float) -> bool:
        inches = [(value - self.low) / (self.high - self.low) * width for value in at]
        widths = [text_width(label) for label in labels]
        return all(
            right - left >= (one + two) / 2 + 0.1
            for left, right, one, two in zip(inches, inches[1:], widths, widths[1:], strict=False)
        )


def _plain_ticks(low: float, high: float) -> Iterator[list[float]]:
    for count in (7, 6, 5, 4, 3, 2):
        values = MaxNLocator(nbins=count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        yield [0.0 if abs(v) < 1e-12 else float(v) for v in values if low <= v <= high]


def _ratio_ticks(low: float, high: float) -> Iterator[list[float]]:
    bottom, top = math.exp(low), math.exp(high)
    if high - low < 1.2:
        yield from _plain_ticks(bottom, top)
    first, last = math.floor(low / math.log(10)) - 1, math.ceil(high / math.log(10)) + 1
    for steps in ((1.0, 1.5, 2.0, 3.0, 5.0, 7.0), (1.0, 2.0, 5.0), (1.0, 3.0)):
        values = [step * 10.0**power for power in range(first, last + 1) for step in steps]
        kept = [value for value in values if bottom <= value <= top]
        if len(kept) <= 9:
            yield kept
    for stride in (1, 2, 3, 4, 6, 10, 20, 50):
        values = [10.0**power for power in range(first, last + 1) if power % stride == 0]
        yield [value for value in values if bottom <= value <= top]


def _tick_labels(values: list[float], *, each: bool) -> list[str]:
    digits = [_digits_needed(value) for value in values]
    most = max(digits)
    return [_tick_label(value, own if each else most) for value, own in zip(values, digits, strict=True)]


def _digits_needed(value: float) -> int:
    return next((d for d in range(4) if abs(round(value, d) - value) <= 1e-9 * max(1.0, abs(value))), 4)


def _tick_label(value: float, digits: int) -> str:
    if digits > 3 or abs(value) >= 1e6:
        return f"{value:.3g}".replace("-", MINUS)
    styles: tuple[Style, ...] = ("integer", "decimal1", "decimal2", "decimal3")
    return format_number(value, styles[digits])


def robust_scale(
    estimates: np.ndarray,
    lows: np.ndarray,
    highs: np.ndarray,
    *,
    ratio: bool,
    also: Iterable[float | None] = (),
) -> Scale:
    """Choose limits that show no effect and nearly all intervals, but are not stretched by a huge one.

    Parameters
    ----------
    estimates, lows, highs : numpy.ndarray, shape (k,)
        Effects and their intervals; NaN rows are left out.
    ratio : bool
        Whether the values are logarithms of ratios.
    also : iterable of float or None
        Further values to show (pooled estimates, prediction limits).

    Returns
    -------
    Scale

    Notes
    -----
    An interval may reach five times the spread from the median effect, the spread being the larger of the
    median half-width and the scaled median absolute deviation; what lies beyond is clipped.
    """
    known = np.isfinite(estimates) & np.isfinite(lows) & np.isfinite(highs)
    further = [value for value in also if value is not None and math.isfinite(value)]
    if not known.any() and not further:
        return Scale(low=-1.0, high=1.0, ratio=ratio)
    mid = estimates[known] if known.any() else np.asarray(further)
    centre = float(np.median(mid))
    half = float(np.median(highs[known] - lows[known])) / 2 if known.any() else 0.0
    deviation = 1.4826 * float(np.median(np.abs(mid - centre)))
    spread = max(half, deviation) or max(abs(centre), 1.0) / 5
    ends = np.concatenate([lows[known], highs[known], further])
    low = min(max(float(ends.min()), centre - 5 * spread), 0.0)
    high = max(min(float(ends.max()), centre + 5 * spread), 0.0)
    pad = 0.05 * (high - low) or 0.5
    limit = _FAR if ratio else math.inf
    return Scale(low=max(low - pad, -limit), high=min(high + pad, limit), ratio=ratio)


def effect_text(estimate: float, low: float, high: float, *, ratio: bool) -> str:
    """Write an effect as "0.49 (0.36 to 0.62)"; ratios are written as ratios.

    Parameters
    ----------
    estimate, low, high : float
        On the scale of the analysis.
    ratio : bool
        Whether they are logarithms of ratios.

    Returns
    -------
    str
    """
    value = format_number(natural(estimate, ratio=ratio))
    return f"{value} ({interval_text(low, high, ratio=ratio)})"


def interval_text(low: float, high: float, *, ratio: bool) -> str:
    """Write an interval as "0.36 to 0.62"; ratios are written as ratios."""
    return format_interval(natural(low, ratio=ratio), natural(high, ratio=ratio))


def natural(value: float, *, ratio: bool) -> float:
    """Return the value as printed: the exponential of a log ratio, anything else unchanged."""
    if not ratio:
        return float(value)
    with np.errstate(over="ignore"):
        return float(np.exp(value))


def axis_name(measure: str | None) -> str:
    """Return the words under the axis: what the effect is, as drawn."""
    if measure in RATIO_NAMES:
        name = f"{RATIO_NAMES[measure]} (log scale)"
    else:
        name = MEASURE_NAMES.get(cast("Measure", measure), "effect")
    return name[0].upper() + name[1:]


def sides(
    measure: str | None,
    event: Literal["good", "bad"] | None,
    better: Literal["lower", "higher"] | None,
    favours: tuple[str, str] | None,
) -> tuple[str, str] | None:
    """Return the words left and right of no effect.

    Parameters
    ----------
    measure : str or None
        A key of `MEASURE_NAMES`; None where it is not known, and then there are no words.
    event : {"good", "bad"} or None
        For OR, RR and RD: whether more events are good news.
    better : {"lower", "higher"} or None
        For MD: which end of the instrument is the good one.
    favours : tuple of str or None
        Names of arm 1 and arm 2, in this order.

    Returns
    -------
    tuple of str or None

    Raises
    ------
    OptionError
        `favours` is not two names, or `better` is given for a measure that has its direction already.
    """
    if better is not None:
        require_choice("better", better, ("lower", "higher"))
        if measure != "MD":
            raise OptionError(f"better is only for mean differences in raw points; the effects are {measure}")
    if favours is not None and (isinstance(favours, str) or len(favours) != 2):
        raise OptionError("favours must be two names, arm 1 and arm 2, such as ('IPT', 'usual care')")
    if measure not in SHORT_NAMES:
        return None
    arm1, arm2 = (literal(name) for name in favours or ("arm 1", "arm 2"))
    toward1, toward2 = f"Favours {arm1}", f"Favours {arm2}"
    if event is None and measure in {"ROM", "SMC", "MC", "RATIO", "EFFECT", "VR", "CVR", "ROMC"}:
        return None
    if measure in {"SMD", "SMDC", "SMDPC"} or event == "good" or better == "higher":
        return toward2, toward1
    if event == "bad" or better == "lower":
        return toward1, toward2
    if measure == "MD":
        return f"Lower in {arm1}", f"Higher in {arm1}"
    return f"Fewer events in {arm1}", f"More events in {arm1}"
