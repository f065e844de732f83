"""Where a figure is drawn: a new Figure of the right height, or the place of an Axes the user gave.

No pyplot: a Figure made here is known to nobody but its owner and is freed with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ipt_outcomes.errors import OptionError
from ipt_outcomes.figures.style import NARROW_BELOW

MARGIN = 0.08
SMALLEST_WIDTH = 2.4


@dataclass(frozen=True, slots=True)
class Slot:
    """The rectangle a figure may use, in inches from the lower left corner of the root figure."""

    ax: Axes | None
    left: float
    bottom: float
    width: float
    height: float | None

    @property
    def narrow(self) -> bool:
        """Whether the phone layout is used."""
        return self.width < NARROW_BELOW

    def axes(self, height: float) -> tuple[Axes, Slot]:
        """Return the Axes to draw on and the slot with its final height.

        Parameters
        ----------
        height : float
            What the drawing needs, in inches; a given Axes keeps its own height.

        Returns
        -------
        tuple of Axes and Slot
        """
        if self.ax is not None:
            return self.ax, self
        figure = Figure(figsize=(self.width, height), dpi=100, facecolor="white")
        FigureCanvasAgg(figure)
        ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        return ax, Slot(ax, 0.0, 0.0, self.width, height)

    def place(self, left: float, top: float, width: float, height: float) -> None:
        """Move the Axes to a rectangle given in inches from the slot's upper left corner."""
        if self.ax is None or self.height is None:
            return
        root = self.ax.get_figure(root=True)
        parent = self.ax.figure
        if root is None or parent is None:
            return
        x, y = self.left + left, self.bottom + self.height - top - height
        corners = [(x * root.dpi, y * root.dpi), ((x + width) * root.dpi, (y + height) * root.dpi)]
        (x0, y0), (x1, y1) = parent.transSubfigure.inverted().transform(corners)
        self.ax.set_position((x0, y0, x1 - x0, y1 - y0))


def open_slot(ax: Axes | None, width: float) -> Slot:
    """Return where to draw.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
        An Axes whose place is used whole; None for a new figure.
    width : float
        Width of a new figure, in inches.

    Returns
    -------
    Slot

    Raises
    ------
    OptionError
        `width` is no number of inches that can hold a figure.
    """
    if ax is None:
        if not math.isfinite(width) or not SMALLEST_WIDTH <= width <= 40:
            raise OptionError(f"width must be {SMALLEST_WIDTH} to 40 inches; got {width!r}")
        return Slot(None, 0.0, 0.0, float(width), None)
    root = ax.get_figure(root=True)
    if root is None:
        raise OptionError("ax must be part of a figure; got one that is in none")
    box = ax.get_position()
    parent = ax.figure
    assert parent is not None  # noqa: S101  an Axes with a root figure has a parent
    (x0, y0), (x1, y1) = parent.transSubfigure.transform([(box.x0, box.y0), (box.x1, box.y1)]) / root.dpi
    return Slot(ax, float(x0), float(y0), float(x1 - x0), float(y1 - y0))
