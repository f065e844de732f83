"""The drapery plot: the p value of each study, and of all together, for every true effect one might suppose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.special import ndtr
from scipy.stats import t as student

from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.errors import DesignError
from ipt_outcomes.figures.canvas import open_slot
from ipt_outcomes.figures.checks import check_level, check_pooled, is_known, one_each, prediction
from ipt_outcomes.figures.forest import forest_scale
from ipt_outcomes.figures.framed import Framed, Key, draw_frame
from ipt_outcomes.figures.scale import axis_name, sides
from ipt_outcomes.figures.style import BAND, INK, MUTED, POOLED, RULE, styled
from ipt_outcomes.figures.tips import tag
from ipt_outcomes.results import format_number, plural, visible

_STEPS = 241
_MARKS = (0.01, 0.05, 0.1, 0.5, 1.0)
_DOTTED = (0, (1, 2))


@styled
def drapery(
    effects: EffectSizes,
    *,
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
    """Draw the p value functions of studies and of their pooled effect.

    Parameters
    ----------
    effects : EffectSizes
        One curve each, normal; rows with a missing effect are counted at the foot.
    labels : iterable, shape (k,), optional
        Names of the effects, for the tips.
    pooled : PooledLike, optional
        A bold curve, by its own degrees of freedom where it has some; its prediction limits as a band.
    level, favours, better, xlabel, title, width, ax
        As in `forest`; at 1 - `level` stands a line, at which a curve is as wide as its confidence interval.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DesignError
        `labels` has not one value per effect, or no effect is known.
    OptionError
        As in `forest`.

    Notes
    -----
    The height is 1 - 2 |1/2 - F|: the two-sided p value of the hypothesis that the true effect is the value below.

    References
    ----------
    Rücker & Schwarzer (2021), Res Synth Methods 12:13-19, doi:10.1002/jrsm.1410.
    """
    check_level(level)
    if pooled is not None:
        check_pooled(pooled, effects, level, "pooled")
    names = one_each("labels", labels, len(effects))
    se = np.sqrt(effects.vi)
    known = np.flatnonzero(np.isfinite(effects.yi) & np.isfinite(se))
    if not known.size:
        raise DesignError("there is nothing to draw: no effect is known")
    slot = open_slot(ax, width)
    scale = forest_scale(effects, level, pooled, None)
    missing = len(effects) - known.size
    notes = [f"Not computed, and not drawn: {format_number(missing, 'integer')}."] if missing else []
    frame = Framed(
        below=xlabel or axis_name(effects.measure),
        beside="Two-sided p value",
        limits=(0.0, 1.03),
        ticks=(list(_MARKS), [f"{mark:g}" for mark in _MARKS]),
        keys=_keys(pooled, known.size, level),
        notes=notes,
        sides=sides(effects.measure, effects.event, better, favours),
        title=title,
        height=0.5 * slot.width,
    )
    plot = draw_frame(slot, frame)
    scale.apply(plot.ax, plot.width)
    at = np.linspace(scale.low, scale.high, _STEPS)
    where = np.array([scale.x(value) for value in at])
    _behind(plot.ax, pooled, scale, 1 - level)
    for i in known:
        (line,) = plot.ax.plot(where, p_values(at, effects.yi[i], se[i], None), color=RULE, linewidth=0.8, zorder=2)
        name = visible(names[i]) if names is not None else f"Effect {i + 1}"
        tag(line, f"{name}: {format_number(float(effects.yi[i]))}")
    if pooled is not None and is_known(pooled):
        curve = p_values(at, pooled.estimate, pooled.se, getattr(pooled, "df", None))
        plot.ax.plot(where, curve, color=POOLED, linewidth=2.2, zorder=3, label="pooled")
    return plot.ax


def p_values(at: np.ndarray, estimate: float, se: float, df: float | None) -> np.ndarray:
    """Return the two-sided p value of each supposed effect.

    Parameters
    ----------
    at : numpy.ndarray, shape (m,)
    estimate, se : float
    df : float or None
        Degrees of freedom; normal if None.

    Returns
    -------
    numpy.ndarray, shape (m,)
    """
    z = -np.abs(at - estimate) / se
    return np.asarray(2 * (ndtr(z) if df is None else student.cdf(z, df)))


def _behind(ax: Axes, pooled: Any, scale: Any, alpha: float) -> None:
    ax.axhline(alpha, color=MUTED, linewidth=0.8, linestyle=_DOTTED, zorder=1)
    ax.axvline(scale.x(0.0), color=INK, linewidth=0.8, zorder=1)
    limits = prediction(pooled) if pooled is not None and is_known(pooled) else None
    if limits is not None:
        left, right = (scale.x(scale.clip(limit)) for limit in limits)
        ax.axvspan(left, right, color=BAND, linewidth=0, zorder=0)


def _keys(pooled: Any, count: int, level: float) -> list[Key]:
    keys: list[Key] = [(Line2D([], [], color=RULE, linewidth=0.8), plural(count, "the study", f"{count} studies"))]
    if pooled is not None and is_known(pooled):
        keys.append((Line2D([], [], color=POOLED, linewidth=2.2), "Pooled estimate"))
        if prediction(pooled) is not None:
            keys.append((Patch(facecolor=BAND, edgecolor="none"), "prediction interval"))
    keys.append((Line2D([], [], color=MUTED, linewidth=0.8, linestyle=_DOTTED), f"p = {1 - level:.2g}"))
    return keys
