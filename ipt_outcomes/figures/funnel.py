"""The contour-enhanced funnel plot, with the studies filled in and Egger's line where they are given."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, Literal, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.special import ndtri

from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.errors import OptionError
from ipt_outcomes.figures.canvas import open_slot
from ipt_outcomes.figures.checks import check_level, check_pooled, is_known, percent, study_names
from ipt_outcomes.figures.framed import Framed, Key, dot, draw_frame
from ipt_outcomes.figures.rows import PooledLike
from ipt_outcomes.figures.scale import Scale, axis_name, effect_text, robust_scale, sides
from ipt_outcomes.figures.style import ACCENT, FUNNEL_SHADES, INK, MUTED, POOLED, PREDICTION, styled
from ipt_outcomes.figures.tips import tag
from ipt_outcomes.results import format_number, visible

STEPS = 200
DASHED = (0, (4, 2.5))
DOTTED = (0, (1.2, 1.6))


class EggerLike(Protocol):
    """What a funnel reads of a regression test for asymmetry; on the scale of the effects."""

    @property
    def limit_estimate(self) -> float:
        """The effect where the predictor is 0."""

    @property
    def slope(self) -> float:
        """Change of the effect per unit of the predictor."""

    @property
    def predictor(self) -> str:
        """What the effects are regressed on: "se" or "variance"."""


@styled
def funnel(
    effects: EffectSizes,
    *,
    pooled: PooledLike | None = None,
    labels: Iterable[Any] | None = None,
    contours: Sequence[float] = (0.9, 0.95, 0.99),
    filled: EffectSizes | None = None,
    egger: EggerLike | None = None,
    level: float = 0.95,
    favours: tuple[str, str] | None = None,
    better: Literal["lower", "higher"] | None = None,
    xlabel: str | None = None,
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw effects against their standard errors, with regions of significance around no effect.

    Parameters
    ----------
    effects : EffectSizes
        One point per study; rows with a missing effect are counted at the foot.
    pooled : PooledLike, optional
        Its estimate is a line with the pseudo limits estimate ± z SE.
    labels : iterable of str, shape (k,), optional
        Names of the studies, for the tips.
    contours : sequence of float
        Levels at which a two-sided z test changes its verdict; one to three, increasing.
    filled : EffectSizes, optional
        Studies that trim-and-fill adds: hollow points.
    egger : EggerLike, optional
        A regression test (`ipt_outcomes.meta.egger`): its line.
    level : float
        Level of the pseudo limits and of the intervals in the tips.
    favours, better, xlabel, title, width, ax
        As in `forest`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DesignError
        `labels` has not one value per study.
    OptionError
        `contours` is not one to three increasing levels; `filled` is of another measure; other options as in
        `forest`.

    References
    ----------
    Peters et al. (2008), J Clin Epidemiol 61:991-996, doi:10.1016/j.jclinepi.2007.11.010.
    Sterne and Egger (2001), J Clin Epidemiol 54:1046-1055, doi:10.1016/S0895-4356(01)00377-8.
    """
    check_level(level)
    levels = _check_contours(contours)
    if pooled is not None:
        check_pooled(pooled, effects, level, "pooled")
    if filled is not None and filled.measure != effects.measure:
        raise OptionError(f"filled is on the scale of {filled.measure}; the effects are {effects.measure}")
    words = sides(effects.measure, effects.event, better, favours)
    names = study_names(labels, len(effects))
    full = names if labels is None else [visible(label) for label in labels]
    slot = open_slot(ax, width)
    shown = pooled if pooled is not None and is_known(pooled) else None
    added = filled if filled is not None and len(filled) else None
    scale = _scale(effects, shown, added)
    deepest = _deepest(effects.se)
    frame = Framed(
        below=xlabel or axis_name(effects.measure),
        beside="Standard error",
        limits=(deepest, 0.0),
        ticks=Scale(low=0.0, high=deepest, ratio=False).ticks(min(_height(slot.width), slot.height or 99.0)),
        keys=_keys(levels, level, pooled=shown is not None, filled=added is not None, egger=egger is not None),
        notes=_notes(effects, added, scale, deepest),
        sides=words,
        title=title,
        height=_height(slot.width),
    )
    plot = draw_frame(slot, frame)
    scale.apply(plot.ax, plot.width)
    _shade(plot.ax, scale, deepest, levels)
    if shown is not None:
        _pooled_lines(plot.ax, scale, deepest, shown.estimate, level)
    if egger is not None:
        _egger_line(plot.ax, scale, deepest, egger)
    _points(plot.ax, scale, deepest, effects, full, level)
    if added is not None:
        _points(plot.ax, scale, deepest, added, ["Filled in"] * len(added), level, hollow=True)
    return plot.ax


def _height(width: float) -> float:
    return max(0.56 * width, 2.4)


def _check_contours(contours: Sequence[float]) -> tuple[float, ...]:
    levels = tuple(float(value) for value in contours)
    rising = all(one < two for one, two in itertools.pairwise(levels))
    if not 1 <= len(levels) <= 3 or not rising or not all(0 < value < 1 for value in levels):
        raise OptionError(f"contours must be one to three increasing levels between 0 and 1; got {levels}")
    return levels


def _scale(effects: EffectSizes, pooled: PooledLike | None, filled: EffectSizes | None) -> Scale:
    """Return limits for the points themselves; their intervals are not drawn."""
    also = [pooled.estimate] if pooled is not None else []
    if filled is not None:
        also += [float(value) for value in filled.yi]
    drawn = robust_scale(effects.yi, effects.yi - effects.se, effects.yi + effects.se, ratio=False, also=also)
    # No effect stays well inside, so that both sides of the funnel are seen.
    reach = 0.25 * (drawn.high - drawn.low)
    return Scale(low=min(drawn.low, -reach), high=max(drawn.high, reach), ratio=effects.is_ratio)


def _deepest(se: np.ndarray) -> float:
    known = se[np.isfinite(se) & (se > 0)]
    if not known.size:
        return 1.0
    return 1.06 * min(float(known.max()), 5 * float(np.median(known)))


def _p(level: float) -> str:
    text = f"{1 - level:.4g}"
    return f"{1 - level:.2f}".removeprefix("0") if len(text) < 4 else text.removeprefix("0")


def _keys(levels: tuple[float, ...], level: float, *, pooled: bool, filled: bool, egger: bool) -> list[Key]:
    bounds = [_p(value) for value in levels]
    texts = [f"p > {bounds[0]}"]
    texts += [f"{low} < p < {high}" for high, low in itertools.pairwise(bounds)]
    texts.append(f"p < {bounds[-1]}")
    keys: list[Key] = [
        (Patch(facecolor=colour, edgecolor=MUTED, linewidth=0.5), text)
        for colour, text in zip(FUNNEL_SHADES, texts, strict=False)
    ]
    keys.append((dot(), "Study"))
    if filled:
        keys.append((dot(hollow=True), "Filled in by trim-and-fill"))
    if pooled:
        keys.append((Line2D([], [], color=POOLED, linewidth=1.2), "Pooled estimate"))
        name = f"Pseudo {percent(level)} limits"
        keys.append((Line2D([], [], color=POOLED, linewidth=1.0, linestyle=DASHED), name))
    if egger:
        keys.append((Line2D([], [], color=PREDICTION, linewidth=1.6, linestyle=DOTTED), "Egger's regression line"))
    return keys


def _notes(effects: EffectSizes, filled: EffectSizes | None, scale: Scale, deepest: float) -> list[str]:
    known = np.isfinite(effects.yi) & np.isfinite(effects.se)
    notes = []
    if not known.all():
        notes.append(f"Not computed, and not drawn: {format_number(int((~known).sum()), 'integer')}.")
    yi, se = effects.yi[known], effects.se[known]
    if filled is not None:
        yi, se = np.concatenate([yi, filled.yi]), np.concatenate([se, filled.se])
    if ((yi < scale.low) | (yi > scale.high) | (se > deepest)).any():
        notes.append("Triangle: the study lies beyond the axis.")
    return notes


def _shade(ax: Axes, scale: Scale, deepest: float, levels: tuple[float, ...]) -> None:
    """Shade from the outermost region inwards, each region over the one before."""
    limits = [scale.x(scale.low), scale.x(scale.high)]
    ax.fill_between(limits, 0.0, deepest, color=FUNNEL_SHADES[len(levels)], linewidth=0, zorder=0)
    se = _depths(scale, deepest)
    for i in reversed(range(len(levels))):
        half = ndtri(0.5 + levels[i] / 2) * se
        left = [scale.x(-value) for value in half]
        right = [scale.x(value) for value in half]
        ax.fill_betweenx(se, left, right, color=FUNNEL_SHADES[i], linewidth=0, zorder=0.1 + (3 - i) / 10)
    ax.vlines(scale.x(0.0), 0.0, deepest, colors=INK, linewidth=0.8, zorder=1)


def _depths(scale: Scale, deepest: float) -> np.ndarray:
    """Standard errors at which lines are drawn: they are straight, unless the axis is logarithmic."""
    return np.linspace(0.0, deepest, STEPS if scale.ratio else 2)


def _line(ax: Axes, xs: list[float], ys: np.ndarray, **look: Any) -> None:
    ax.plot(xs, ys, zorder=1.5, scalex=False, scaley=False, **look)


def _pooled_lines(ax: Axes, scale: Scale, deepest: float, estimate: float, level: float) -> None:
    ax.vlines(scale.x(scale.clip(estimate)), 0.0, deepest, colors=POOLED, linewidth=1.2, zorder=1.5)
    se = _depths(scale, deepest)
    half = ndtri(0.5 + level / 2) * se
    for sign in (-1, 1):
        xs = [scale.x(estimate + sign * value) for value in half]
        _line(ax, xs, se, color=POOLED, linewidth=1.0, linestyle=DASHED)


def _egger_line(ax: Axes, scale: Scale, deepest: float, egger: EggerLike) -> None:
    """Draw the regression line where it lies on the plot (a curve where the predictor is the variance)."""
    straight = egger.predictor == "se"
    se = _depths(scale, deepest) if straight else np.linspace(0.0, deepest, STEPS)
    effect = egger.limit_estimate + egger.slope * (se if straight else se**2)
    xs = [scale.x(value) for value in effect]
    _line(ax, xs, se, color=PREDICTION, linewidth=1.6, linestyle=DOTTED)


def _points(
    ax: Axes,
    scale: Scale,
    deepest: float,
    effects: EffectSizes,
    names: Sequence[str],
    level: float,
    *,
    hollow: bool = False,
) -> None:
    low, high = effects.ci(level)
    for i, (y, se) in enumerate(zip(effects.yi, effects.se, strict=True)):
        if not (np.isfinite(y) and np.isfinite(se)):
            continue
        marker = "<" if y < scale.low else ">" if y > scale.high else "v" if se > deepest else "o"
        (point,) = ax.plot(
            [scale.x(scale.clip(y))],
            [min(se, deepest)],
            linestyle="none",
            marker=marker,
            markersize=5.5 if marker == "o" else 6.5,
            color="white" if hollow else ACCENT,
            markeredgecolor=ACCENT if hollow else "white",
            markeredgewidth=1.1 if hollow else 0.6,
            zorder=2.9 if hollow else 3,
            clip_on=marker == "o",
            scalex=False,
            scaley=False,
        )
        effect = effect_text(y, low[i], high[i], ratio=effects.is_ratio)
        tag(point, f"{names[i]}: {effect}, standard error {format_number(se)}")
