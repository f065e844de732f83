"""Points on two axes: Baujat's plot of what makes studies differ, and the bubble plot of a meta-regression."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes

from ipt_outcomes.errors import DesignError
from ipt_outcomes.figures.canvas import open_slot
from ipt_outcomes.figures.checks import one_each, study_names
from ipt_outcomes.figures.framed import Framed, Plot, draw_frame
from ipt_outcomes.figures.labels import place_labels
from ipt_outcomes.figures.scale import Scale
from ipt_outcomes.figures.style import ACCENT, styled
from ipt_outcomes.figures.tips import tag
from ipt_outcomes.figures.words import write
from ipt_outcomes.results import format_number, visible

if TYPE_CHECKING:
    import pandas as pd

NAMED = 12
"""The most points that carry their name; the others tell it when pointed at."""


@styled
def baujat(
    frame: pd.DataFrame,
    *,
    labels: Iterable[Any] | None = None,
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw how much each study adds to heterogeneity against how far it moves the pooled effect.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``x y``, as `ipt_outcomes.meta.baujat` gives them; with a column ``study`` its names are used.
    labels : iterable of str, shape (k,), optional
        Names of the rows of `frame`, drawn literally; the twelve farthest out are written where there is room.
    title, width, ax
        As in `forest`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DesignError
        The frame has no rows or lacks a column; `labels` has not one name per row.

    References
    ----------
    Baujat, Mahe, Pignon, Hill (2002), Stat Med 21(18):2641-2652, doi:10.1002/sim.1221.
    """
    need(frame, ("x", "y"))
    given = frame["study"].tolist() if labels is None and "study" in frame else labels
    names = study_names(given, len(frame))
    full = names if given is None else [visible(name) for name in one_each("labels", given, len(frame)) or ()]
    x, y = (frame[name].to_numpy(dtype=float) for name in ("x", "y"))
    slot = open_slot(ax, width)
    across, up = _from_zero(x), _from_zero(y)
    height = max(0.5 * slot.width, 2.4)
    plot = draw_frame(
        slot,
        Framed(
            below="Part of the study in heterogeneity (Q)",
            beside="Influence on the pooled effect",
            limits=(up.low, up.high),
            ticks=up.ticks(min(height, slot.height or height)),
            title=title,
            height=height,
        ),
    )
    across.apply(plot.ax, plot.width)
    for i, name in enumerate(full):
        numbers = f"part of Q {format_number(x[i])}, influence {format_number(y[i])}"
        _point(plot.ax, x[i], y[i], f"{name}: {numbers}")
    far = (x / across.high) ** 2 + (y / up.high) ** 2
    first = [int(i) for i in np.argsort(-far, kind="stable")[:NAMED]]
    write_names(plot, across, up, list(zip(x.tolist(), y.tolist(), strict=True)), names, first)
    return plot.ax


def need(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse a frame without rows or without one of some columns.

    Raises
    ------
    DesignError
        Says what is missing.
    """
    absent = [name for name in columns if name not in frame.columns]
    if absent or frame.empty:
        found = f"no column {', '.join(absent)}" if absent else "no rows"
        raise DesignError(f"expected a frame with {', '.join(columns)} and at least one row; found {found}")


def _from_zero(values: np.ndarray) -> Scale:
    """A plain axis that begins a little below zero, so that points on zero are whole."""
    known = values[np.isfinite(values)]
    high = 1.1 * float(known.max()) if known.size and known.max() > 0 else 1.0
    return Scale(low=-0.03 * high, high=high, ratio=False)


def _point(ax: Axes, x: float, y: float, tip: str, *, size: float = 5.5) -> None:
    (point,) = ax.plot(
        [x],
        [y],
        linestyle="none",
        marker="o",
        markersize=size,
        color=ACCENT,
        markeredgecolor="white",
        markeredgewidth=0.6,
        zorder=3,
        clip_on=False,
        scalex=False,
        scaley=False,
    )
    tag(point, tip)


def write_names(
    plot: Plot,
    across: Scale,
    up: Scale,
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    first: Sequence[int],
    *,
    radius: float = 0.045,
) -> None:
    """Write names beside points, where there is room.

    Parameters
    ----------
    plot : Plot
    across, up : Scale
        Axes of the plot.
    points : sequence of (float, float)
        In the units of the axes.
    names : sequence of str
    first : sequence of int
        Which points, the most important first.
    radius : float
        Of a point in inches.
    """
    if not all(math.isfinite(value) for point in points for value in point):
        return
    inches = [
        (
            (x - across.low) / (across.high - across.low) * plot.width,
            (y - up.low) / (up.high - up.low) * plot.height,
        )
        for x, y in points
    ]
    for label in place_labels(inches, names, first, (plot.width, plot.height), radius=radius):
        write(
            plot.ax,
            plot.left + label.x,
            plot.bottom + label.y,
            label.text,
            plot.ax.figure.dpi_scale_trans,
            align=label.align,
        )
