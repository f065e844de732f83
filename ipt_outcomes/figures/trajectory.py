"""Trajectories: a model's means with their intervals and the observed means, by arm over the weeks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from ipt_outcomes.errors import require_choice
from ipt_outcomes.figures.canvas import MARGIN, Slot, open_slot
from ipt_outcomes.figures.checks import check_level, percent
from ipt_outcomes.figures.style import FAINT, INK, MUTED, TITLE, font, styled
from ipt_outcomes.figures.tips import tag
from ipt_outcomes.figures.trajectory_layout import (
    ROW_GAP,
    TICKS,
    ArmPath,
    Layout,
    arm_paths,
    count_text,
    lay_out,
    tick_texts,
    ticks_of,
    weeks_with_n,
)
from ipt_outcomes.figures.words import LINE, fit, write
from ipt_outcomes.results import format_number

if TYPE_CHECKING:
    import pandas as pd


@styled
def trajectory(
    means: pd.DataFrame,
    observed: pd.DataFrame,
    *,
    names: Mapping[str, str] | None = None,
    better: Literal["lower", "higher"] | None = None,
    level: float = 0.95,
    ylabel: str = "Mean",
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw how the mean of each arm moves over the weeks.

    Parameters
    ----------
    means : pandas.DataFrame
        The model's: ``arm week estimate ci_low ci_high``; lines with bands. Missing values leave a gap; one week
        alone is drawn as an interval. May have no rows.
    observed : pandas.DataFrame
        ``arm week n mean``: points, and the table of n below. A missing ``n`` was hidden (a week at which all
        are missing is left blank); a missing mean is not drawn. Arms are drawn in the order in which they stand here.
    names : mapping of str to str, optional
        An arm in words.
    better : {"lower", "higher"}, optional
        Which end of the scale is the good one: an arrow says so.
    level : float
        Confidence level of the bands, for the words below.
    ylabel : str
        What the means are of.
    title : str, optional
    width : float
        Width of a new figure in inches; below 5 the names stand above the plot (phone layout).
    ax : matplotlib.axes.Axes, optional
        Axes whose place is used; a new figure of the right height if None.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DesignError
        A frame lacks a column, or there is nothing to draw.
    OptionError
        An option is none of its choices.
    """
    check_level(level)
    if better is not None:
        require_choice("better", better, ("lower", "higher"))
    arms = arm_paths(means, observed, names or {})
    slot = open_slot(ax, width)
    weeks = sorted({float(week) for arm in arms for week in arm.seen_weeks})
    plan = lay_out(slot, arms, weeks, title, ylabel, better, level)
    axes, slot = slot.axes(plan.height)
    assert slot.height is not None  # noqa: S101 - `axes` has set it
    plot_height = max(slot.height - plan.head - plan.foot, 0.5)
    slot.place(plan.across.left, plan.head, plan.across.plot_width, plot_height)
    _frame(axes, arms, plan)
    for number, arm in enumerate(arms):
        _draw(axes, arm, level, aside=(number - (len(arms) - 1) / 2) * plan.across.apart)
    _words(axes, slot, arms, plan, plot_height)
    return axes


def _frame(ax: Axes, arms: Sequence[ArmPath], plan: Layout) -> None:
    ax.set_xlim(plan.across.low, plan.across.high)
    ax.set_ylim(plan.y_low, plan.y_high)
    ticks = ticks_of(plan.y_low, plan.y_high)
    ax.yaxis.set_major_locator(FixedLocator(ticks))
    ax.set_yticks(ticks, tick_texts(ticks))
    ax.xaxis.set_major_locator(FixedLocator(list(plan.weeks)))
    ax.set_xticks(list(plan.weeks), [f"{week:g}" for week in plan.weeks])
    for text in [*ax.get_xticklabels(), *ax.get_yticklabels()]:
        text.set_fontproperties(font())
    ax.hlines(ticks, plan.across.low, plan.across.high, colors=FAINT, linewidth=0.7, zorder=0.2)
    for side, spine in ax.spines.items():
        spine.set_visible(side == "bottom")
    ax.tick_params(axis="x", length=3, pad=2.5, colors=INK)
    ax.tick_params(axis="y", length=0, pad=4, colors=INK)
    ax.patch.set_visible(False)


def _draw(ax: Axes, arm: ArmPath, level: float, *, aside: float) -> None:
    common: dict[str, Any] = {"color": arm.colour, "scalex": False, "scaley": False}
    if np.isfinite(arm.means).sum() > 1:
        ax.fill_between(arm.weeks, arm.lows, arm.highs, color=arm.colour, alpha=0.13, linewidth=0, zorder=1)
        ax.plot(arm.weeks, arm.means, linestyle=arm.dash, linewidth=1.9, zorder=3, **common)
    for week, mean, low, high in zip(arm.weeks, arm.means, arm.lows, arm.highs, strict=True):
        if not math.isfinite(mean):
            continue
        limits = f"{format_number(low)} to {format_number(high)}"
        tip = f"{arm.full}, week {week:g}: model mean {format_number(mean)} ({percent(level)} CI {limits})"
        if np.isfinite(arm.means).sum() == 1:
            (bar,) = ax.plot([week + aside] * 2, [low, high], linewidth=2.4, zorder=2, **common)
            tag(bar, tip)
            (point,) = ax.plot([week + aside], [mean], marker="_", markersize=12, markeredgewidth=2, zorder=3, **common)
            tag(point, tip)
        else:
            # An invisible disc is easier to point at than the line itself.
            (spot,) = ax.plot([week], [mean], marker="o", markersize=9, alpha=0.0, linestyle="none", zorder=5, **common)
            tag(spot, tip)
    for week, mean, n in zip(arm.seen_weeks, arm.seen, arm.n, strict=True):
        if not math.isfinite(mean):
            continue
        (point,) = ax.plot(
            [week + aside],
            [mean],
            marker=arm.marker,
            markersize=4.6,
            markerfacecolor="white",
            markeredgecolor=arm.colour,
            markeredgewidth=1.1,
            linestyle="none",
            zorder=6,
            **common,
        )
        count = "" if math.isnan(n) else f", n = {count_text(n)}"
        tag(point, f"{arm.full}, week {week:g}: observed mean {format_number(mean)}{count}")


def _words(ax: Axes, slot: Slot, arms: Sequence[ArmPath], plan: Layout, plot_height: float) -> None:
    assert slot.height is not None  # noqa: S101
    inches = ax.figure.dpi_scale_trans
    top, left = slot.bottom + slot.height, slot.left
    y = 0.06
    for text in plan.title:
        write(ax, left + MARGIN, top - y - 0.095, text, inches, size=TITLE, bold=True)
        y += 0.19
    y += 0.06 if plan.title else 0.0
    named = False
    for text, arm in plan.above:
        at = top - y - LINE * 0.55
        named = named or arm is not None
        if arm is not None:
            _sample(ax, left + MARGIN, at, arm)
        indent = 0.4 if named else 0.0
        write(ax, left + MARGIN + indent, at, text, inches, colour=INK if named else MUTED)
        y += LINE * 1.15
    if not plan.narrow:
        _direct_labels(ax, slot, arms, plan, plot_height)
    _below(ax, slot, arms, plan, top - plan.head - plot_height)


def _sample(ax: Axes, x: float, y: float, arm: ArmPath) -> None:
    """A piece of an arm's line with its marker."""
    ax.plot(
        [x, x + 0.16, x + 0.32],
        [y, y, y],
        color=arm.colour,
        linestyle=arm.dash,
        linewidth=1.9,
        marker=arm.marker,
        markevery=[1],
        markersize=4.6,
        markerfacecolor="white",
        markeredgecolor=arm.colour,
        transform=ax.figure.dpi_scale_trans,
        clip_on=False,
        scalex=False,
        scaley=False,
    )


def _direct_labels(ax: Axes, slot: Slot, arms: Sequence[ArmPath], plan: Layout, plot_height: float) -> None:
    """Write each arm's name at the end of its line; names that would overlap move apart."""
    assert slot.height is not None  # noqa: S101
    inches = ax.figure.dpi_scale_trans
    bottom = slot.bottom + slot.height - plan.head - plot_height
    x = slot.left + plan.across.left + plan.across.plot_width + 0.08
    named = [(arm, fit(arm.name, plan.across.label_width, lines=3)) for arm in arms if math.isfinite(arm.last)]
    placed: list[tuple[list[str], float, float, ArmPath]] = []
    for arm, lines in sorted(named, key=lambda item: item[0].last):
        want = bottom + (arm.last - plan.y_low) / (plan.y_high - plan.y_low) * plot_height
        half = len(lines) * LINE / 2
        lowest = placed[-1][1] + placed[-1][2] + half + 0.03 if placed else bottom + half
        placed.append((lines, max(want, lowest), half, arm))
    over = (placed[-1][1] + placed[-1][2]) - (bottom + plot_height + 0.1) if placed else 0.0
    for lines, centre, _, arm in placed:
        y = centre - max(over, 0.0)
        for number, text in enumerate(lines):
            at = y + ((len(lines) - 1) / 2 - number) * LINE
            write(ax, x, at, text, inches, colour=arm.colour, bold=True)


def _below(ax: Axes, slot: Slot, arms: Sequence[ArmPath], plan: Layout, base: float) -> None:
    """The axis' name, the table of n, the notes; `base` is the lower edge of the plot in inches."""
    inches = ax.figure.dpi_scale_trans
    left = slot.left
    middle = left + plan.across.left + plan.across.plot_width / 2
    y = base - TICKS - LINE / 2
    write(ax, middle, y, "Week", inches, align="center")
    y -= LINE + 0.1
    write(ax, left + MARGIN, y, "Observed (n)", inches, colour=MUTED)
    y -= LINE / 2
    told = weeks_with_n(arms)
    for arm, lines in zip(arms, plan.rows, strict=True):
        height = LINE * (len(lines) + plan.narrow) + ROW_GAP
        for number, name in enumerate(lines):
            text = write(ax, left + MARGIN, y - (number + 0.5) * LINE, name, inches, colour=arm.colour)
            if number == 0 and "".join(lines).replace(" ", "") != arm.name.replace(" ", ""):
                tag(text, arm.full)
        at_y = y - height + ROW_GAP + LINE / 2 if plan.narrow else y - len(lines) * LINE / 2
        for week, n in zip(arm.seen_weeks, arm.n, strict=True):
            if float(week) in plan.weeks and float(week) in told:
                at = left + plan.across.left + plan.across.at(float(week))
                write(ax, at, at_y, count_text(n), inches, align="center")
        y -= height
    y += LINE / 2
    y -= 0.06
    for note in plan.notes:
        y -= LINE
        write(ax, left + MARGIN, y, note, inches, colour=MUTED)
