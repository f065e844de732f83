"""Every effect with its interval, sorted by size: the caterpillar plot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.figures.canvas import open_slot
from ipt_outcomes.figures.checks import check_level, check_pooled, is_known, one_each, prediction, study_names
from ipt_outcomes.figures.forest import NOT_COMPUTED, forest_scale
from ipt_outcomes.figures.framed import Framed, Key, draw_frame
from ipt_outcomes.figures.scale import Scale, axis_name, effect_text, sides
from ipt_outcomes.figures.style import ACCENT, BAND, INK, POOLED, styled
from ipt_outcomes.figures.tips import tag
from ipt_outcomes.results import format_number, plural, visible

TALLEST = 7.5
"""A caterpillar stays on one page, however many effects it holds."""


@styled
def caterpillar(
    effects: EffectSizes,
    *,
    study: Iterable[Any] | None = None,
    labels: Iterable[Any] | None = None,
    pooled: Any = None,
    level: float = 0.95,
    favours: tuple[str, str] | None = None,
    better: Literal["lower", "higher"] | None = None,
    xlabel: str | None = None,
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw every effect with its interval, sorted by size and without names: for hundreds of effects.

    Parameters
    ----------
    effects : EffectSizes
        One row per effect; rows with a missing effect are counted at the foot.
    study, labels : iterable, shape (k,), optional
        Study and name of each effect, for the tips.
    pooled : PooledLike or MultilevelLike, optional
        A line with its confidence interval as a band, and its prediction limits.
    level, favours, better, xlabel, title, width, ax
        As in `forest`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DesignError
        `study` or `labels` has not one value per effect.
    OptionError
        As in `forest`.
    """
    check_level(level)
    if pooled is not None:
        check_pooled(pooled, effects, level, "pooled")
    words = sides(effects.measure, effects.event, better, favours)
    names = _tips(effects, study, labels, level)
    slot = open_slot(ax, width)
    scale = forest_scale(effects, level, pooled, None)
    low, high = effects.ci(level)
    known = np.flatnonzero(np.isfinite(effects.yi) & np.isfinite(low))
    ranked = known[np.argsort(effects.yi[known], kind="stable")]
    missing = len(effects) - known.size
    notes = [f"Not computed, and not drawn: {format_number(missing, 'integer')}."] if missing else []
    ends = [(low[i], high[i]) for i in ranked]
    if any(a < scale.low or b > scale.high for a, b in ends):
        notes.append("An interval that ends at the edge goes beyond the axis.")
    count = max(ranked.size, 1)
    frame = Framed(
        below=xlabel or axis_name(effects.measure),
        beside=f"{format_number(ranked.size, 'integer')} {plural(ranked.size, 'effect', 'effects')}, by size",
        limits=(-0.8, count - 0.2),
        ticks=([], []),
        keys=_keys(pooled),
        notes=notes,
        sides=words,
        title=title,
        height=min(max(0.07 * count + 0.3, 1.6), TALLEST),
    )
    plot = draw_frame(slot, frame)
    scale.apply(plot.ax, plot.width)
    plot.ax.spines["left"].set_visible(False)
    _band(plot.ax, pooled, scale, count)
    room = plot.height * 72 / (count + 1)
    for place, i in enumerate(ranked):
        _worm(plot.ax, scale, (low[i], effects.yi[i], high[i]), place, names[i], room)
    return plot.ax


def _tips(effects: EffectSizes, study: Any, labels: Any, level: float) -> list[str]:
    k = len(effects)
    parts = [one_each(name, given, k) for name, given in (("study", study), ("labels", labels))]
    known = [[visible(value) for value in part] for part in parts if part is not None]
    names = [", ".join(words) for words in zip(*known, strict=True)] if known else study_names(None, k)
    low, high = effects.ci(level)
    return [
        f"{name}: {effect_text(y, a, b, ratio=effects.is_ratio)}" if np.isfinite(y) else f"{name}: {NOT_COMPUTED}"
        for name, y, a, b in zip(names, effects.yi, low, high, strict=True)
    ]


def _keys(pooled: Any) -> list[Key]:
    if pooled is None or not is_known(pooled):
        return []
    keys: list[Key] = [
        (Line2D([], [], color=POOLED, linewidth=1.2), "Pooled estimate"),
        (Patch(facecolor=BAND, edgecolor="none"), "its confidence interval"),
    ]
    if prediction(pooled) is not None:
        keys.append((Line2D([], [], color=POOLED, linewidth=1.0, linestyle=(0, (4, 2.5))), "prediction limits"))
    return keys


def _band(ax: Axes, pooled: Any, scale: Scale, count: int) -> None:
    ends = (-0.8, count - 0.2)
    ax.vlines(scale.x(0.0), *ends, colors=INK, linewidth=0.8, zorder=1)
    if pooled is None or not is_known(pooled):
        return
    left, right = (scale.x(scale.clip(value)) for value in (pooled.ci_low, pooled.ci_high))
    ax.fill_betweenx(ends, left, right, color=BAND, linewidth=0, zorder=0.4)
    ax.vlines(scale.x(scale.clip(pooled.estimate)), *ends, colors=POOLED, linewidth=1.2, zorder=1.5)
    for limit in prediction(pooled) or ():
        if scale.holds(limit):
            ax.vlines(scale.x(limit), *ends, colors=POOLED, linewidth=1.0, linestyles=(0, (4, 2.5)), zorder=1.4)


def _worm(ax: Axes, scale: Scale, numbers: tuple[float, float, float], place: int, tip: str, room: float) -> None:
    """Draw one effect; line and point are as thick as the room of a row in points allows."""
    inside = scale.holds(numbers[1])
    (line,) = ax.plot(
        [scale.x(scale.clip(value)) for value in numbers],
        [place] * 3,
        color=ACCENT,
        linewidth=min(1.1, 0.5 * room),
        marker="o" if inside else None,
        markevery=[1],
        markersize=min(3.6, 0.8 * room),
        markeredgewidth=0,
        solid_capstyle="butt",
        zorder=3,
        scalex=False,
        scaley=False,
    )
    tag(line, tip)
