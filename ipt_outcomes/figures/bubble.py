"""The bubble plot of a meta-regression: effects against a moderator, with the fitted line or means."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator
from scipy.special import ndtri

from ipt_outcomes.effects.effect_sizes import MEASURE_NAMES
from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.figures.canvas import open_slot
from ipt_outcomes.figures.checks import percent, study_names
from ipt_outcomes.figures.framed import Framed, Key, Plot, Ticks, dot, draw_frame
from ipt_outcomes.figures.scale import (
    RATIO_NAMES,
    SHORT_NAMES,
    Scale,
    axis_name,
    effect_text,
    robust_scale,
    sides,
)
from ipt_outcomes.figures.style import ACCENT, BAND, INK, POOLED, font, styled
from ipt_outcomes.figures.tips import tag
from ipt_outcomes.figures.words import fit, literal, text_width
from ipt_outcomes.results import format_number, visible

if TYPE_CHECKING:
    from ipt_outcomes.meta.design import Design

LARGEST = 15.0
SMALLEST = 3.5
STEPS = 60
# Whole numbers in this range are years, which are written without a separator.
FIRST_YEAR, LAST_YEAR = 1900, 2100
DASHED = (0, (4, 2.5))


class RegressionLike(Protocol):
    """What a bubble plot reads of a meta-regression."""

    @property
    def yi(self) -> np.ndarray:
        """Effects fitted."""

    @property
    def vi(self) -> np.ndarray:
        """Their sampling variances."""

    @property
    def tau2(self) -> float:
        """Variance between studies that is left."""

    @property
    def level(self) -> float:
        """Level of the intervals."""

    @property
    def moderators(self) -> pd.DataFrame:
        """Moderators of the rows fitted."""

    @property
    def positions(self) -> np.ndarray:
        """Rows of the input that were fitted."""

    @property
    def design(self) -> Design:
        """How the moderators were coded."""

    def predict(self, moderators: Any) -> pd.DataFrame:
        """Effects expected at values of the moderators."""


@dataclass(frozen=True, slots=True)
class _Fitted:
    """The curve or the means drawn: places on the horizontal axis and what is expected there."""

    at: np.ndarray
    expected: pd.DataFrame


@styled
def bubble(
    regression: RegressionLike,
    *,
    moderator: str | None = None,
    labels: Iterable[Any] | None = None,
    measure: str | None = None,
    event: Literal["good", "bad"] | None = None,
    better: Literal["lower", "higher"] | None = None,
    favours: tuple[str, str] | None = None,
    xlabel: str | None = None,
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw effects against a moderator; bubbles are as large as their weight.

    Parameters
    ----------
    regression : RegressionLike
        As `ipt_outcomes.meta.regression` gives it.
    moderator : str, optional
        Which moderator; may be left out where there is one. Numbers get a line with its confidence band and
        prediction limits, categories a mean each.
    labels : iterable of str, optional
        Names of the rows given to the regression, for the tips.
    measure : str, optional
        What the effects are, a key of `ipt_outcomes.effects.MEASURE_NAMES`; ratios get a logarithmic axis.
    event, better, favours
        As in `forest`, for the words above and below no effect.
    xlabel : str, optional
        Words under the axis instead of the moderator's name.
    title, width, ax
        As in `forest`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    OptionError
        There are several moderators and none is named, or the one named is not in the model.
    DesignError
        `labels` has not one name per row.

    Notes
    -----
    Other moderators are held at their mean, categories at their first level; the foot of the figure says so.
    Areas are proportional to 1 / (vi + tau2).

    References
    ----------
    Thompson, Higgins (2002), Stat Med 21(11):1559-1573, doi:10.1002/sim.1187.
    """
    name = _moderator(regression, moderator)
    if measure is not None:
        require_choice("measure", measure, MEASURE_NAMES)
    words = sides(measure, event, better, favours)
    ratio = measure in RATIO_NAMES
    levels = regression.design.levels.get(name)
    fitted = _fitted(regression, name, levels)
    slot = open_slot(ax, width)
    up = _effect_scale(regression, fitted, ratio)
    height = max(0.55 * slot.width, 2.4)
    notes = _held(regression, name)
    if words is not None:
        notes = [f"Upwards: {words[1][0].lower()}{words[1][1:]}.", *notes]
    outside = (regression.yi < up.low) | (regression.yi > up.high)
    if outside.any():
        notes.append("Triangle: the study lies beyond the axis.")
    plot = draw_frame(
        slot,
        Framed(
            below=xlabel or literal(name),
            beside=effect_name(measure, min(height, slot.height or height)),
            limits=(up.low, up.high),
            ticks=effect_ticks(up, min(height, slot.height or height)),
            keys=_keys(regression.level, categories=levels is not None),
            notes=notes,
            title=title,
            height=height,
        ),
    )
    at = _across(plot, regression, name, levels)
    plot.ax.axhline(0.0, color=INK, linewidth=0.8, zorder=1)
    (_means if levels is not None else _curve)(plot.ax, fitted, up)
    _bubbles(plot.ax, regression, at, up, _tips(regression, name, labels, ratio=ratio))
    return plot.ax


def _moderator(regression: RegressionLike, moderator: str | None) -> str:
    names = regression.design.names
    if moderator is None:
        if len(names) > 1:
            listed = ", ".join(names)
            raise OptionError(f"the regression has several moderators: say which to draw, moderator= one of {listed}")
        return names[0]
    require_choice("moderator", moderator, names)
    return moderator


def _fitted(regression: RegressionLike, name: str, levels: tuple[Any, ...] | None) -> _Fitted:
    own = regression.moderators[name]
    if levels is not None:
        values: Any = list(levels)
        at = np.arange(len(values), dtype=float)
    else:
        numbers = own.to_numpy(dtype=float)
        values = at = np.linspace(numbers.min(), numbers.max(), STEPS)
    columns = {other: [_typical(regression, other)] * len(at) for other in regression.design.names if other != name}
    frame = pd.DataFrame({**columns, name: values})
    return _Fitted(at, regression.predict(frame[list(regression.design.names)]))


def _typical(regression: RegressionLike, name: str) -> Any:
    levels = regression.design.levels.get(name)
    return levels[0] if levels is not None else float(regression.moderators[name].to_numpy(dtype=float).mean())


def effect_name(measure: str | None, room: float) -> str:
    """The name of the effects, or its short form where that is longer than the axis."""
    name = axis_name(measure)
    return SHORT_NAMES[measure] if measure is not None and text_width(name) > room else name


def _held(regression: RegressionLike, name: str) -> list[str]:
    parts = []
    for other in regression.design.names:
        if other != name:
            value = _typical(regression, other)
            words = format_number(value) if isinstance(value, float) else visible(value)
            parts.append(f"{visible(other)} {words}")
    return [f"Fitted with {', '.join(parts)}."] if parts else []


def _effect_scale(regression: RegressionLike, fitted: _Fitted, ratio: bool) -> Scale:
    half = np.sqrt(regression.vi)
    also = [*fitted.expected["ci_low"], *fitted.expected["ci_high"]]
    drawn = robust_scale(regression.yi, regression.yi - half, regression.yi + half, ratio=False, also=also)
    return Scale(low=drawn.low, high=drawn.high, ratio=ratio)


def effect_ticks(up: Scale, height: float) -> Ticks:
    """Ticks on a vertical axis in logarithms, written as ratios."""
    values, words = up.ticks(height)
    return ([math.log(value) for value in values], words) if up.ratio else (values, words)


def _across(plot: Plot, regression: RegressionLike, name: str, levels: tuple[Any, ...] | None) -> np.ndarray:
    """Set the horizontal axis and return where each effect stands on it."""
    own = regression.moderators[name]
    if levels is None:
        numbers = own.to_numpy(dtype=float)
        pad = 0.06 * float(np.ptp(numbers)) or 1.0
        low, high = float(numbers.min()) - pad, float(numbers.max()) + pad
        Scale(low=low, high=high, ratio=False).apply(plot.ax, plot.width)
        if ((numbers >= FIRST_YEAR) & (numbers <= LAST_YEAR) & (numbers == np.round(numbers))).all():
            years = [tick for tick in plot.ax.get_xticks().tolist() if tick == round(tick)]
            plot.ax.set_xticks(years, [f"{year:.0f}" for year in years])
        return numbers
    plot.ax.set_xlim(-0.5, len(levels) - 0.5)
    room = plot.width / len(levels) - 0.1
    places = list(range(len(levels)))
    plot.ax.xaxis.set_major_locator(FixedLocator(places))
    plot.ax.set_xticks(places, [fit(literal(level), room, lines=1)[0] for level in levels])
    for label in plot.ax.get_xticklabels():
        label.set_fontproperties(font())
        label.set_parse_math(False)
    at = np.array([levels.index(value) for value in own.tolist()], dtype=float)
    # Side by side within a category, in the order of the rows: a random shift would change the bytes.
    for place in range(len(levels)):
        rows = np.flatnonzero(at == place)
        if rows.size > 1:
            at[rows] += np.linspace(-0.28, 0.28, rows.size)
    return at


def _keys(level: float, *, categories: bool) -> list[Key]:
    interval = f"{percent(level)} confidence interval"
    if categories:
        mean = Line2D([], [], color=POOLED, linewidth=2.8)
        return [(dot(), "Study, by weight"), (mean, f"Mean with {interval}")]
    return [
        (dot(), "Study, by weight"),
        (Line2D([], [], color=POOLED, linewidth=1.4), "Regression line"),
        (Patch(facecolor=BAND, edgecolor="none"), interval),
        (Line2D([], [], color=POOLED, linewidth=0.9, linestyle=DASHED), f"{percent(level)} prediction limits"),
    ]


def _curve(ax: Axes, fitted: _Fitted, up: Scale) -> None:
    expected = fitted.expected
    low, high = (np.clip(expected[name].to_numpy(float), up.low, up.high) for name in ("ci_low", "ci_high"))
    ax.fill_between(fitted.at, low, high, color=BAND, linewidth=0, zorder=0.5)
    for name in ("prediction_low", "prediction_high"):
        limit = expected[name].to_numpy(dtype=float)
        inside = np.where((limit >= up.low) & (limit <= up.high), limit, np.nan)
        ax.plot(
            fitted.at, inside, color=POOLED, linewidth=0.9, linestyle=DASHED, zorder=1.5, scalex=False, scaley=False
        )
    ax.plot(fitted.at, expected["estimate"], color=POOLED, linewidth=1.4, zorder=2, scalex=False, scaley=False)


def _means(ax: Axes, fitted: _Fitted, up: Scale) -> None:
    rows: Iterable[Mapping[Any, Any]] = fitted.expected.to_dict(orient="records")
    for place, row in zip(fitted.at, rows, strict=True):
        ax.plot(
            [place] * 3,
            [up.clip(row[name]) for name in ("ci_low", "estimate", "ci_high")],
            color=POOLED,
            linewidth=2.8,
            marker="D",
            markevery=[1],
            markersize=7,
            markeredgewidth=0,
            solid_capstyle="butt",
            zorder=4,
            scalex=False,
            scaley=False,
        )


def _tips(regression: RegressionLike, name: str, labels: Iterable[Any] | None, *, ratio: bool) -> list[str]:
    positions = regression.positions
    size = int(positions.max()) + 1
    listed = study_names(None, size) if labels is None else [visible(value) for value in labels]
    if len(listed) < size:
        raise DesignError(f"labels must hold one name per row of the regression: at least {size}, got {len(listed)}")
    half = ndtri(0.5 + regression.level / 2) * np.sqrt(regression.vi)
    return [
        f"{listed[row]}: {visible(name)} {visible(value)}, {effect_text(y, y - h, y + h, ratio=ratio)}"
        for row, value, y, h in zip(positions, regression.moderators[name], regression.yi, half, strict=True)
    ]


def _bubbles(ax: Axes, regression: RegressionLike, at: np.ndarray, up: Scale, tips: list[str]) -> None:
    weight = 1.0 / np.maximum(regression.vi + regression.tau2, 1e-300)
    sizes = np.maximum(LARGEST * np.sqrt(weight / weight.max()), SMALLEST)
    # The largest first, so that none hides a smaller one.
    for i in np.argsort(-sizes, kind="stable"):
        y = float(regression.yi[i])
        marker = "v" if y < up.low else "^" if y > up.high else "o"
        (point,) = ax.plot(
            [at[i]],
            [up.clip(y)],
            linestyle="none",
            marker=marker,
            markersize=float(sizes[i]) if marker == "o" else 6.5,
            color=ACCENT,
            alpha=0.55,
            markeredgecolor="white",
            markeredgewidth=0.6,
            zorder=3,
            clip_on=False,
            scalex=False,
            scaley=False,
        )
        tag(point, tips[i])
