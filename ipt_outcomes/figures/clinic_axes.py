"""What the plots of a clinic share: an axis of plain numbers, and the frame around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from ipt_outcomes.errors import DesignError
from ipt_outcomes.figures.canvas import open_slot
from ipt_outcomes.figures.framed import Framed, Key, Plot, draw_frame
from ipt_outcomes.figures.style import font
from ipt_outcomes.figures.trajectory_layout import tick_texts, ticks_of

MOST_POINTS = 4000
"""Points drawn at most, at even steps: more say no more, and the figure of a large service would not open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Ends of an axis and its tick marks.

    Parameters
    ----------
    low, high : float
    percent : bool
        Whether values are proportions, labelled in percent.
    """

    low: float
    high: float
    percent: bool = False

    @classmethod
    def of(cls, *values: np.ndarray, percent: bool = False, within: tuple[float, float] | None = None) -> Extent:
        """Return an axis that holds the finite values, with some room at its ends.

        Raises
        ------
        DesignError
            There is none.
        """
        finite = np.concatenate([np.ravel(each)[np.isfinite(np.ravel(each))] for each in values])
        if not finite.size:
            raise DesignError("there is nothing to draw: no value is known")
        low, high = float(finite.min()), float(finite.max())
        room = 0.06 * (high - low) or 0.5
        low, high = low - room, high + room
        if within is not None:
            low, high = max(low, within[0]), min(high, within[1])
        return cls(low=low, high=high, percent=percent)

    def ticks(self) -> tuple[list[float], list[str]]:
        """Return positions and labels."""
        scale = 100.0 if self.percent else 1.0
        marks = ticks_of(self.low * scale, self.high * scale)
        inside = [mark for mark in marks if self.low * scale <= mark <= self.high * scale]
        texts = tick_texts(inside)
        return [mark / scale for mark in inside], [f"{text}%" if self.percent else text for text in texts]


def plot_on(
    ax: Axes | None,
    width: float,
    across: Extent,
    up: Extent,
    *,
    below: str,
    beside: str,
    keys: Sequence[Key],
    notes: Sequence[str] = (),
    title: str | None = None,
    shape: float = 0.62,
) -> Plot:
    """Open a plot with two axes of plain numbers.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
    width : float
        Of a new figure, in inches.
    across, up : Extent
    below, beside : str
        Names of the axes.
    keys : sequence of (Artist, str)
    notes : sequence of str
    title : str or None
    shape : float
        Height over width.

    Returns
    -------
    Plot
    """
    slot = open_slot(ax, width)
    plot = draw_frame(
        slot,
        Framed(
            below=below,
            beside=beside,
            limits=(up.low, up.high),
            ticks=up.ticks(),
            keys=keys,
            notes=notes,
            title=title,
            height=max(shape * slot.width, 2.2),
        ),
    )
    marks, texts = across.ticks()
    plot.ax.set_xlim(across.low, across.high)
    plot.ax.xaxis.set_major_locator(FixedLocator(marks))
    plot.ax.set_xticks(marks, texts)
    for label in plot.ax.get_xticklabels():
        label.set_fontproperties(font())
    return plot


def thinned(count: int) -> np.ndarray:
    """Return the positions of the points to draw out of so many."""
    if count <= MOST_POINTS:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, MOST_POINTS).astype(int))
