"""A plot with two axes: its title, the names of its axes, the words below it, its key and its notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullLocator

from ipt_outcomes.figures.canvas import MARGIN, Slot
from ipt_outcomes.figures.page import TITLE_LINE, TOP
from ipt_outcomes.figures.style import ACCENT, INK, MUTED, TITLE, font
from ipt_outcomes.figures.words import LINE, fit, literal, widest, write

BESIDE = 0.36
"""Room for the name of the vertical axis and its tick marks, in inches."""
RIGHT = 0.22
TICKS = 0.27
KEY = 0.32
KEY_LINE = 0.19
Ticks = tuple[list[float], list[str]]
Key = tuple[Artist, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Framed:
    """What stands around a plot.

    Parameters
    ----------
    below : str
        Name of the horizontal axis.
    beside : str
        Name of the vertical axis.
    limits : tuple of float
        Bottom and top of the vertical axis.
    ticks : tuple of list
        Positions and labels on the vertical axis.
    keys : sequence of (Artist, str)
        What each mark is.
    notes : sequence of str
        Lines at the foot.
    sides : tuple of str or None
        Words left and right below the plot.
    title : str or None
    height : float
        Of the plot, in inches, in a figure of its own.
    extra : float
        Room kept free between the tick labels and the words below the plot, in inches.
    """

    below: str
    beside: str
    limits: tuple[float, float]
    ticks: Ticks
    keys: Sequence[Key] = ()
    notes: Sequence[str] = ()
    sides: tuple[str, str] | None = None
    title: str | None = None
    height: float
    extra: float = 0.0


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot ready to be drawn on.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    width, height : float
        Of the plot itself, in inches.
    left, bottom : float
        Of the plot, in inches from the lower left corner of the root figure.
    """

    ax: Axes
    width: float
    height: float
    left: float
    bottom: float


def draw_frame(slot: Slot, frame: Framed, *, beside: float | None = None) -> Plot:
    """Make the Axes and write everything around the plot.

    Parameters
    ----------
    slot : Slot
    frame : Framed
    beside : float, optional
        Room left of the plot in inches; what the tick labels need if None.

    Returns
    -------
    Plot
        The vertical axis is set; the horizontal one is the caller's.
    """
    inner = slot.width - 2 * MARGIN
    titles = fit(literal(frame.title), inner, size=TITLE, bold=True, lines=3) if frame.title else []
    head = TOP + 0.06 + len(titles) * TITLE_LINE
    side = BESIDE + widest(frame.ticks[1]) if beside is None else beside
    width = slot.width - side - RIGHT
    foot, foot_height = _foot(slot.width, side, frame)
    step = KEY + widest(text for _, text in frame.keys) + 0.18
    columns = max(1, int(inner / step))
    key_rows = -(-len(frame.keys) // columns)
    rest = foot_height + key_rows * KEY_LINE + 0.08
    ax, slot = slot.axes(head + frame.height + rest)
    assert slot.height is not None  # noqa: S101  `axes` has set it
    shown = max(slot.height - head - rest, 0.3)
    slot.place(side, head, width, shown)
    _axes(ax, frame)
    inches = ax.figure.dpi_scale_trans
    left, top = slot.left, slot.bottom + slot.height
    for i, text in enumerate(titles):
        write(ax, left + MARGIN, top - TOP - (i + 0.5) * TITLE_LINE, text, inches, size=TITLE, bold=True)
    bottom = top - head - shown
    for x, y, text, align in foot:
        write(ax, left + x, bottom - y, text, inches, align=align, colour=MUTED if x == MARGIN else INK)
    _name_beside(
        ax, left + side - widest(frame.ticks[1]) - BESIDE + MARGIN + 0.07, bottom + shown / 2, frame.beside, shown
    )
    _draw_keys(ax, frame.keys, columns, inner / columns, left + MARGIN, bottom - foot_height)
    return Plot(ax, width, shown, left + side, bottom)


def _name_beside(ax: Axes, x: float, y: float, name: str, room: float) -> None:
    """Write the name of the vertical axis upwards; one that is longer than the plot is cut."""
    ax.text(
        x,
        y,
        fit(literal(name), room, lines=1)[0],
        transform=ax.figure.dpi_scale_trans,
        rotation=90,
        ha="center",
        va="center",
        fontproperties=font(),
        clip_on=False,
        parse_math=False,
    )


def _axes(ax: Axes, frame: Framed) -> None:
    ax.set_ylim(*frame.limits)
    ax.yaxis.set_major_locator(FixedLocator(frame.ticks[0]))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_yticks(*frame.ticks)
    for label in ax.get_yticklabels():
        label.set_fontproperties(font())
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(length=3, pad=2.5, colors=INK)


def _foot(width: float, side: float, frame: Framed) -> tuple[list[tuple[float, float, str, str]], float]:
    lines: list[tuple[float, float, str, str]] = []
    plot_width = width - side - RIGHT
    y = TICKS + frame.extra
    if frame.sides:
        room = plot_width / 2 - 0.06
        left, right = fit(f"← {frame.sides[0]}", room, lines=3), fit(f"{frame.sides[1]} →", room, lines=3)
        lines += [(side, y + (i + 0.5) * LINE, text, "left") for i, text in enumerate(left)]
        lines += [(side + plot_width, y + (i + 0.5) * LINE, text, "right") for i, text in enumerate(right)]
        y += max(len(left), len(right)) * LINE + 0.05
    for text in fit(literal(frame.below), plot_width, lines=3) if frame.below else ():
        lines.append((side + plot_width / 2, y + LINE / 2, text, "center"))
        y += LINE
    for note in frame.notes:
        y += 0.04
        for text in fit(note, width - 2 * MARGIN, lines=4):
            lines.append((MARGIN, y + LINE / 2, text, "left"))
            y += LINE
    return lines, y + 0.08


def _draw_keys(ax: Axes, keys: Sequence[Key], columns: int, step: float, left: float, top: float) -> None:
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


def dot(colour: str = ACCENT, *, hollow: bool = False) -> Line2D:
    """Return the sign of a point for a key."""
    return Line2D(
        [],
        [],
        linestyle="none",
        marker="o",
        markersize=5.5,
        color="white" if hollow else colour,
        markeredgecolor=colour if hollow else "white",
    )
