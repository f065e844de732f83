"""Change of people: before against after with the bands of reliable change, and a waterfall of changes."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import ArrayLike

from ipt_outcomes.errors import DesignError, require_choice
from ipt_outcomes.figures.clinic_axes import Extent, plot_on, thinned
from ipt_outcomes.figures.framed import dot
from ipt_outcomes.figures.style import ACCENT, BAND, INK, MUTED, POOLED, PREDICTION, RULE, styled

COLOURS = {
    "recovered": ACCENT,
    "improved": POOLED,
    "unchanged": RULE,
    "undefined": RULE,
    "deteriorated": PREDICTION,
    "harmed": "#5c1f0a",
}
MARKS = {"recovered": "o", "improved": "^", "unchanged": "s", "undefined": "s", "deteriorated": "v", "harmed": "X"}
_DASHED = (0, (4, 2.5))


@styled
def change_scatter(
    pre: ArrayLike,
    post: ArrayLike,
    category: ArrayLike,
    *,
    band: float | None = None,
    cutoff: float | None = None,
    xlabel: str = "Score before",
    ylabel: str = "Score after",
    title: str | None = None,
    width: float = 6.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw each person's score before and after.

    Parameters
    ----------
    pre, post : array_like, shape (k,)
        Scores; people with a missing one are not drawn.
    category : array_like of str, shape (k,)
        "recovered", "improved", "unchanged", "deteriorated", "harmed"; each has a colour and a shape.
    band : float, optional
        Points on both sides of no change within which a change is not reliable.
    cutoff : float, optional
        Line between patients and everyone else, drawn for both scores.
    xlabel, ylabel : str
    title : str, optional
    width : float
        Of a new figure, in inches.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DesignError
        The columns have different lengths, or nobody has both scores.

    Notes
    -----
    Row-level: every point is a person. Not for reports that leave the service.
    """
    before, after = (np.ravel(np.asarray(values, dtype=float)) for values in (pre, post))
    names = np.ravel(np.asarray(category, dtype=object)).astype(str)
    if not before.size == after.size == names.size:
        raise DesignError("expected one score before, one after and one category per person")
    whole = ~(np.isnan(before) | np.isnan(after))
    lines = np.array([value for value in (cutoff,) if value is not None])
    extent = Extent.of(before[whole], after[whole], lines)
    there = [name for name in COLOURS if (names[whole] == name).any()]
    keys: list[Any] = [(_sign(name), f"{name} ({int((names[whole] == name).sum())})") for name in there]
    if band is not None:
        keys.append((Patch(facecolor=BAND), "no reliable change"))
    if cutoff is not None:
        keys.append((Line2D([], [], color=INK, linestyle=_DASHED, linewidth=1), "cut-off"))
    missing = int((~whole).sum())
    notes = [f"Without both scores, not drawn: {missing}."] if missing else []
    plot = plot_on(
        ax, width, extent, extent, below=xlabel, beside=ylabel, keys=keys, notes=notes, title=title, shape=0.8
    )
    ends = np.array([extent.low, extent.high])
    if band is not None:
        plot.ax.fill_between(ends, ends - band, ends + band, color=BAND, linewidth=0, zorder=0)
    plot.ax.plot(ends, ends, color=MUTED, linewidth=0.8, zorder=1)
    if cutoff is not None:
        plot.ax.axhline(cutoff, color=INK, linestyle=_DASHED, linewidth=1, zorder=1)
        plot.ax.axvline(cutoff, color=INK, linestyle=_DASHED, linewidth=1, zorder=1)
    for name in there:
        mine = np.flatnonzero(whole & (names == name))
        mine = mine[thinned(mine.size)]
        plot.ax.scatter(
            before[mine],
            after[mine],
            s=26,
            marker=MARKS[name],
            color=COLOURS[name],
            edgecolors="white",
            linewidths=0.6,
            zorder=3,
            label=name,
        )
    return plot.ax


@styled
def waterfall(
    change: ArrayLike,
    category: ArrayLike,
    *,
    better: Literal["lower", "higher"],
    limit: float | None = None,
    ylabel: str = "Change in points",
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw a bar per person, from the largest worsening to the largest improvement.

    Parameters
    ----------
    change : array_like, shape (k,)
        After minus before; people with a missing one are not drawn.
    category : array_like of str, shape (k,)
        As in `change_scatter`.
    better : {"lower", "higher"}
        Which way is the good one.
    limit : float, optional
        Points from which on a change is reliable, drawn on both sides.
    ylabel : str
    title : str, optional
    width : float
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DesignError
        The columns have different lengths, or nobody has a change.
    OptionError
        `better` is not one of its choices.

    Notes
    -----
    Row-level, as `change_scatter`. Of more than 4,000 people every so many-th is drawn.
    """
    require_choice("better", better, ("lower", "higher"))
    points = np.ravel(np.asarray(change, dtype=float))
    names = np.ravel(np.asarray(category, dtype=object)).astype(str)
    if points.size != names.size:
        raise DesignError("expected one change and one category per person")
    whole = np.flatnonzero(~np.isnan(points))
    gain = points[whole] if better == "higher" else -points[whole]
    order = whole[np.argsort(gain, kind="stable")]
    order = order[thinned(order.size)]
    limits = np.array([0.0] if limit is None else [0.0, limit, -limit])
    up = Extent.of(points[order], limits)
    there = [name for name in COLOURS if (names[order] == name).any()]
    keys: list[Any] = [(Patch(facecolor=COLOURS[name]), name) for name in there]
    if limit is not None:
        keys.append((Line2D([], [], color=INK, linestyle=_DASHED, linewidth=1), "reliable change"))
    across = Extent(low=-0.5, high=order.size - 0.5)
    plot = plot_on(
        ax,
        width,
        across,
        up,
        below=f"{order.size} people, from worst to best",
        beside=ylabel,
        keys=keys,
        title=title,
        shape=0.45,
    )
    plot.ax.bar(
        np.arange(order.size), points[order], width=0.85, color=[COLOURS.get(name, RULE) for name in names[order]]
    )
    plot.ax.axhline(0, color=INK, linewidth=0.8)
    plot.ax.set_xticks([])
    for value in limits[1:]:
        plot.ax.axhline(value, color=INK, linestyle=_DASHED, linewidth=1)
    return plot.ax


def _sign(name: str) -> Line2D:
    sign = dot(COLOURS[name])
    sign.set_marker(MARKS[name])
    return sign
