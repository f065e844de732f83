"""The contour-enhanced funnel plot."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullLocator
from scipy.special import ndtri

from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.errors import OptionError
from ipt_outcomes.figures.canvas import MARGIN, Slot, open_slot
from ipt_outcomes.figures.checks import check_level, check_pooled, is_known, percent, study_names
from ipt_outcomes.figures.page import TITLE_LINE, TOP
from ipt_outcomes.figures.rows import PooledLike
from ipt_outcomes.figures.scale import Scale, axis_name, effect_text, robust_scale, sides
from ipt_outcomes.figures.style import ACCENT, FUNNEL_SHADES, INK, MUTED, POOLED, TITLE, font, styled
from ipt_outcomes.figures.tips import tag
from ipt_outcomes.figures.words import LINE, fit, literal, widest, write
from ipt_outcomes.results import format_number, visible

BESIDE = 0.31
"""Room for the name of the axis of standard errors and its tick marks, in inches."""
TICKS = 0.27
KEY = 0.32
KEY_LINE = 0.19
STEPS = 200


@styled
def funnel(
    effects: EffectSizes,
    *,
    pooled: PooledLike | None = None,
    labels: Iterable[Any] | None = None,
    contours: Sequence[float] = (0.9, 0.95, 0.99),
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
        `contours` is not one to three increasing levels; other options as in `forest`.

    References
    ----------
    Peters et al. (2008), J Clin Epidemiol 61:991-996, doi:10.1016/j.jclinepi.2007.11.010.
    Sterne and Egger (2001), J Clin Epidemiol 54:1046-1055, doi:10.1016/S0895-4356(01)00377-8.
    """
    check_level(level)
    levels = _check_contours(contours)
    if pooled is not None:
        check_pooled(pooled, effects, level, "pooled")
    words = sides(effects.measure, effects.event, better, favours)
    names = study_names(labels, len(effects))
    full = names if labels is None else [visible(label) for label in labels]
    slot = open_slot(ax, width)
    shown = pooled if pooled is not None and is_known(pooled) else None
    scale = _scale(effects, shown)
    deepest = _deepest(effects.se)
    keys = _keys(levels, level, pooled=shown is not None)
    notes = _notes(effects, scale, deepest)
    ax, plot_width = _lay(slot, scale, deepest, title, xlabel or axis_name(effects.measure), words, keys, notes)
    scale.apply(ax, plot_width)
    _shade(ax, scale, deepest, levels)
    if shown is not None:
        _pooled_lines(ax, scale, deepest, shown.estimate, level)
    _points(ax, scale, deepest, effects, full, level)
    return ax


def _check_contours(contours: Sequence[float]) -> tuple[float, ...]:
    levels = tuple(float(value) for value in contours)
    rising = all(one < two for one, two in itertools.pairwise(levels))
    if not 1 <= len(levels) <= 3 or not rising or not all(0 < value < 1 for value in levels):
        raise OptionError(f"contours must be one to three increasing levels between 0 and 1; got {levels}")
    return levels


def _scale(effects: EffectSizes, pooled: PooledLike | None) -> Scale:
    """Return limits for the points themselves; their intervals are not drawn."""
    also = [pooled.estimate] if pooled is not None else []
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


def _keys(levels: tuple[float, ...], level: float, *, pooled: bool) -> list[tuple[Artist, str]]:
    bounds = [_p(value) for value in levels]
    texts = [f"p > {bounds[0]}"]
    texts += [f"{low} < p < {high}" for high, low in itertools.pairwise(bounds)]
    texts.append(f"p < {bounds[-1]}")
    keys: list[tuple[Artist, str]] = [
        (Patch(facecolor=colour, edgecolor=MUTED, linewidth=0.5), text)
        for colour, text in zip(FUNNEL_SHADES, texts, strict=False)
    ]
    keys.append((_dot(), "Study"))
    if pooled:
        keys.append((Line2D([], [], color=POOLED, linewidth=1.2), "Pooled estimate"))
        name = f"Pseudo {percent(level)} limits"
        keys.append((Line2D([], [], color=POOLED, linewidth=1.0, linestyle=(0, (4, 2.5))), name))
    return keys


def _dot() -> Line2D:
    return Line2D([], [], linestyle="none", marker="o", markersize=5.5, color=ACCENT, markeredgecolor="white")


def _notes(effects: EffectSizes, scale: Scale, deepest: float) -> list[str]:
    known = np.isfinite(effects.yi) & np.isfinite(effects.se)
    notes = []
    if not known.all():
        notes.append(f"Not computed, and not drawn: {format_number(int((~known).sum()), 'integer')}.")
    outside = (effects.yi[known] < scale.low) | (effects.yi[known] > scale.high) | (effects.se[known] > deepest)
    if outside.any():
        notes.append("Triangle: the study lies beyond the axis.")
    return notes


def _lay(
    slot: Slot,
    scale: Scale,
    deepest: float,
    title: str | None,
    axis: str,
    words: tuple[str, str] | None,
    keys: list[tuple[Artist, str]],
    notes: list[str],
) -> tuple[Axes, float]:
    """Make the Axes and write everything around the plot; return it with its width in inches."""
    inner = slot.width - 2 * MARGIN
    titles = fit(literal(title), inner, size=TITLE, bold=True, lines=3) if title else []
    head = TOP + 0.06 + len(titles) * TITLE_LINE
    natural = max(0.56 * slot.width, 2.4)
    ticks = Scale(low=0.0, high=deepest, ratio=False).ticks(min(natural, slot.height or natural))
    side = BESIDE + widest(ticks[1])
    plot_width = slot.width - side - 0.22
    foot, foot_height = _foot(slot.width, side, axis, words, notes)
    columns = max(1, int(inner / (KEY + widest(text for _, text in keys) + 0.18)))
    key_rows = -(-len(keys) // columns)
    total = head + natural + foot_height + key_rows * KEY_LINE + 0.08
    ax, slot = slot.axes(total)
    assert slot.height is not None  # noqa: S101  `axes` has set it
    shown = max(slot.height - head - foot_height - key_rows * KEY_LINE - 0.08, 0.3)
    slot.place(side, head, plot_width, shown)
    _frame(ax, deepest, ticks)
    inches = ax.figure.dpi_scale_trans
    left, top = slot.left, slot.bottom + slot.height
    for i, text in enumerate(titles):
        write(ax, left + MARGIN, top - TOP - (i + 0.5) * TITLE_LINE, text, inches, size=TITLE, bold=True)
    below = top - head - shown
    for x, y, text, align in foot:
        write(ax, left + x, below - y, text, inches, align=align, colour=MUTED if x == MARGIN else INK)
    ax.text(
        left + MARGIN + 0.07,
        below + shown / 2,
        "Standard error",
        transform=inches,
        rotation=90,
        ha="center",
        va="center",
        fontproperties=font(),
        clip_on=False,
    )
    _draw_keys(ax, keys, columns, inner / columns, left + MARGIN, below - foot_height)
    return ax, plot_width


def _frame(ax: Axes, deepest: float, ticks: tuple[list[float], list[str]]) -> None:
    ax.set_ylim(deepest, 0.0)
    ax.yaxis.set_major_locator(FixedLocator(ticks[0]))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_yticks(*ticks)
    for label in ax.get_yticklabels():
        label.set_fontproperties(font())
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(length=3, pad=2.5, colors=INK)


def _foot(
    width: float, side: float, axis: str, words: tuple[str, str] | None, notes: list[str]
) -> tuple[list[tuple[float, float, str, str]], float]:
    lines: list[tuple[float, float, str, str]] = []
    plot_width = width - side - 0.22
    y = TICKS
    if words:
        room = plot_width / 2 - 0.06
        left, right = fit(f"← {words[0]}", room, lines=3), fit(f"{words[1]} →", room, lines=3)
        lines += [(side, y + (i + 0.5) * LINE, text, "left") for i, text in enumerate(left)]
        lines += [(side + plot_width, y + (i + 0.5) * LINE, text, "right") for i, text in enumerate(right)]
        y += max(len(left), len(right)) * LINE + 0.05
    for text in fit(literal(axis), plot_width, lines=3):
        lines.append((side + plot_width / 2, y + LINE / 2, text, "center"))
        y += LINE
    for note in notes:
        y += 0.04
        for text in fit(note, width - 2 * MARGIN, lines=3):
            lines.append((MARGIN, y + LINE / 2, text, "left"))
            y += LINE
    return lines, y + 0.08


def _draw_keys(ax: Axes, keys: list[tuple[Artist, str]], columns: int, step: float, left: float, top: float) -> None:
    """Draw the key below the plot, row by row."""
    inches = ax.figure.dpi_scale_trans
    for i, (sign, text) in enumerate(keys):
        x, y = left + (i % columns) * step, top - (i // columns + 0.5) * KEY_LINE
        if isinstance(sign, Patch):
            box = ax.fill([x, x + 0.24, x + 0.24, x], [y - 0.055, y - 0.055, y + 0.055, y + 0.055], transform=inches)[0]
            box.update_from(sign)
            box.set_transform(inches)
            box.set_clip_on(False)
        elif isinstance(sign, Line2D):
            xs = [x + 0.12] if sign.get_linestyle() == "None" else [x, x + 0.24]
            line = Line2D(xs, [y] * len(xs))
            line.update_from(sign)
            line.set_transform(inches)
            line.set_clip_on(False)
            ax.add_artist(line)
        write(ax, x + KEY, y, text, inches)


def _shade(ax: Axes, scale: Scale, deepest: float, levels: tuple[float, ...]) -> None:
    """Shade from the outermost region inwards, each region over the one before."""
    limits = [scale.x(scale.low), scale.x(scale.high)]
    ax.fill_between(limits, 0.0, deepest, color=FUNNEL_SHADES[len(levels)], linewidth=0, zorder=0)
    se = np.linspace(0.0, deepest, STEPS)
    for i in reversed(range(len(levels))):
        half = ndtri(0.5 + levels[i] / 2) * se
        left = [scale.x(scale.clip(-value)) for value in half]
        right = [scale.x(scale.clip(value)) for value in half]
        ax.fill_betweenx(se, left, right, color=FUNNEL_SHADES[i], linewidth=0, zorder=0.1 + (3 - i) / 10)
    ax.vlines(scale.x(0.0), 0.0, deepest, colors=INK, linewidth=0.8, zorder=1)


def _pooled_lines(ax: Axes, scale: Scale, deepest: float, estimate: float, level: float) -> None:
    ax.vlines(scale.x(scale.clip(estimate)), 0.0, deepest, colors=POOLED, linewidth=1.2, zorder=1.5)
    se = np.linspace(0.0, deepest, STEPS)
    half = ndtri(0.5 + level / 2) * se
    for sign in (-1, 1):
        xs = [scale.x(estimate + sign * value) for value in half]
        ax.plot(
            xs,
            se,
            color=POOLED,
            linewidth=1.0,
            linestyle=(0, (4, 2.5)),
            zorder=1.5,
            scalex=False,
            scaley=False,
        )


def _points(ax: Axes, scale: Scale, deepest: float, effects: EffectSizes, names: Sequence[str], level: float) -> None:
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
            color=ACCENT,
            markeredgecolor="white",
            markeredgewidth=0.6,
            zorder=3,
            clip_on=marker == "o",
            scalex=False,
            scaley=False,
        )
        effect = effect_text(y, low[i], high[i], ratio=effects.is_ratio)
        tag(point, f"{names[i]}: {effect}, standard error {format_number(se)}")
