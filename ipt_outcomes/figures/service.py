"""Plots of a service over time and between units: control charts, funnels of units, curves of time to an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.figures.clinic_axes import Extent, plot_on
from ipt_outcomes.figures.framed import dot
from ipt_outcomes.figures.style import ACCENT, BAND, INK, MUTED, POOLED, PREDICTION, RULE, styled
from ipt_outcomes.figures.tips import tag
from ipt_outcomes.figures.words import widest
from ipt_outcomes.results import format_number, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipt_outcomes.clinic import ControlChart, Funnel, UnitEffects
    from ipt_outcomes.survival import KaplanMeier

_DASHED = (0, (4, 2.5))
_CURVES: tuple[tuple[str, Any], ...] = ((ACCENT, "-"), (PREDICTION, "--"), (POOLED, "-."), (MUTED, ":"))


@styled
def control_chart(
    chart: ControlChart,
    *,
    labels: Sequence[str] | None = None,
    ylabel: str = "Value",
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw a control chart; special causes have a colour and a shape of their own.

    Parameters
    ----------
    chart : ControlChart
    labels : sequence of str, optional
        Names of the periods; some of them are written below the axis.
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
        `labels` has not one name per point.
    """
    points = chart.points
    if labels is not None and len(labels) != len(points):
        raise DesignError(f"expected one label per point; got {len(labels)} for {len(points)}")
    names = [str(i + 1) for i in range(len(points))] if labels is None else [visible(name) for name in labels]
    share = chart.kind == "p"
    target = np.array([] if chart.target is None else [chart.target])
    columns = [points[name].to_numpy(dtype=float) for name in ("value", "lower", "upper")]
    up = Extent.of(*columns, target, percent=share, within=(0.0, 1.0) if share else None)
    across = Extent(low=-0.7, high=len(points) - 0.3)
    there = [kind for kind in ("improvement", "concern") if (points["direction"] == kind).any()]
    keys: list[Any] = [(dot(RULE), "common variation")]
    keys += [(_sign(kind), f"special cause: {kind}") for kind in there]
    if chart.better == "neither" and points["special_cause"].any():
        keys.append((dot(POOLED), "special cause"))
    keys.append((Line2D([], [], color=MUTED, linestyle=_DASHED, linewidth=1), "limits"))
    if chart.target is not None:
        keys.append((Line2D([], [], color=PREDICTION, linewidth=1), "target"))
    notes = [*chart.warnings, *([f"The process {chart.assurance} the target."] if chart.assurance else [])]
    plot = plot_on(
        ax, width, across, up, below="Period", beside=ylabel, keys=keys, notes=notes, title=title, shape=0.45
    )
    _limits(plot.ax, points)
    if chart.target is not None:
        plot.ax.axhline(chart.target, color=PREDICTION, linewidth=1, zorder=1)
    place = np.arange(len(points), dtype=float)
    plot.ax.plot(place, columns[0], color=RULE, linewidth=1, zorder=2)
    for i, row in enumerate(points.to_dict("records")):
        if np.isnan(row["value"]):
            continue
        colour, mark = _look(row["special_cause"], row["direction"])
        (point,) = plot.ax.plot(
            [i], [row["value"]], linestyle="none", marker=mark, markersize=6.5, color=colour, zorder=3
        )
        point.set_markeredgecolor("white")
        value = f"{format_number(100 * row['value'], 'decimal1')}%" if share else format_number(row["value"], "number")
        tag(point, f"{names[i]}: {value}" + (f", {row['rule']}" if row["rule"] else ""))
    room = max(int(plot.width / (widest(names) + 0.12)), 1)
    step = max(1, -(-len(names) // room))
    plot.ax.set_xticks(place[::step], names[::step])
    return plot.ax


def _limits(ax: Axes, points: pd.DataFrame) -> None:
    for _, part in points.groupby("segment"):
        place = part.index.to_numpy(dtype=float)
        edges = np.append(place - 0.5, place[-1] + 0.5)
        for name, colour, style in (("center", INK, "-"), ("lower", MUTED, _DASHED), ("upper", MUTED, _DASHED)):
            values = part[name].to_numpy(dtype=float)
            ax.step(
                edges, np.append(values, values[-1]), where="post", color=colour, linestyle=style, linewidth=1, zorder=1
            )


def _look(special: bool, direction: str) -> tuple[str, str]:
    if direction == "improvement":
        return ACCENT, "^"
    if direction == "concern":
        return PREDICTION, "v"
    return (POOLED, "D") if special else (RULE, "o")


def _sign(kind: str) -> Line2D:
    colour, mark = _look(True, kind)
    sign = dot(colour)
    sign.set_marker(mark)
    return sign


@styled
def unit_funnel(
    funnel: Funnel,
    *,
    labels: Sequence[str] | None = None,
    xlabel: str = "People",
    ylabel: str = "Percent of people",
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw units by their number of people, with the limits within which chance alone explains them.

    Parameters
    ----------
    funnel : Funnel
    labels : sequence of str, optional
        Names of the units, for the tips.
    xlabel, ylabel : str
    title : str, optional
    width : float
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DesignError
        `labels` has not one name per unit.
    """
    units, limits = funnel.units, funnel.limits
    if labels is not None and len(labels) != len(units):
        raise DesignError(f"expected one label per unit; got {len(labels)} for {len(units)}")
    bounds = [np.clip(limits[name].to_numpy(dtype=float), 0.0, 1.0) for name in limits.columns[1:]]
    up = Extent.of(units["rate"].to_numpy(dtype=float), *bounds, percent=True, within=(-0.02, 1.02))
    n = units["n"].to_numpy(dtype=float)
    across = Extent(low=0.0, high=1.06 * float(n.max()))
    outside = units["outside"].to_numpy(dtype=float) > 0
    levels = [name.removeprefix("low_") for name in limits.columns[1::2]]
    shades: list[Any] = [Patch(facecolor=BAND), Line2D([], [], color=MUTED, linestyle=_DASHED, linewidth=1)]
    keys: list[Any] = [(dot(RULE), "within the limits")]
    if outside.any():
        keys.append((dot(PREDICTION), "outside the limits"))
    keys += [(shade, f"{_level(level)}% limits") for shade, level in zip(shades, levels, strict=False)]
    plot = plot_on(ax, width, across, up, below=xlabel, beside=ylabel, keys=keys, title=title)
    sizes = limits["n"].to_numpy(dtype=float)
    plot.ax.fill_between(sizes, bounds[0], bounds[1], color=BAND, linewidth=0, step=None, zorder=0)
    for low, high in zip(bounds[2::2], bounds[3::2], strict=True):
        for side in (low, high):
            plot.ax.plot(sizes, side, color=MUTED, linestyle=_DASHED, linewidth=1, zorder=1)
    plot.ax.axhline(funnel.target, color=INK, linewidth=1, zorder=1)
    for i, (x, rate, out) in enumerate(zip(n, units["rate"], outside, strict=True)):
        (point,) = plot.ax.plot(
            [x], [rate], linestyle="none", marker="o", markersize=6, color=PREDICTION if out else RULE, zorder=3
        )
        point.set_markeredgecolor("white")
        name = f"{visible(labels[i])}: " if labels is not None else ""
        tag(point, f"{name}{units['event'].iloc[i]} of {int(x)}, {format_number(100 * rate, 'decimal1')}%")
    return plot.ax


def _level(text: str) -> str:
    return text if len(text) <= 2 else f"{text[:2]}.{text[2:]}"


@styled
def unit_estimates(
    effects: UnitEffects,
    *,
    xlabel: str = "Difference from the average unit",
    title: str | None = None,
    width: float = 6.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw shrunken estimates of units in the order of their names, never of their results.

    Parameters
    ----------
    effects : UnitEffects
        Units below the smallest caseload are not drawn; the foot says how many.
    xlabel : str
    title : str, optional
    width : float
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DesignError
        No unit reaches the smallest caseload.
    """
    shown = effects.units[effects.units["reported"]].reset_index(drop=True)
    if shown.empty:
        raise DesignError(f"no unit has {effects.min_caseload} people: there is nothing to draw")
    few = len(effects.units) - len(shown)
    notes = [f"Fewer than {effects.min_caseload} people, not drawn: {few}."] if few else []
    across = Extent.of(shown["ci_low"].to_numpy(), shown["ci_high"].to_numpy(), np.array([0.0]))
    up = Extent(low=-0.6, high=len(shown) - 0.4)
    keys: list[Any] = [(dot(ACCENT), f"estimate and {100 * effects.level:g}% interval")]
    plot = plot_on(
        ax,
        width,
        across,
        up,
        below=xlabel,
        beside="",
        keys=keys,
        notes=notes,
        title=title,
        shape=max(0.3, 0.22 * len(shown) / width),
    )
    plot.ax.axvline(0, color=INK, linewidth=0.8, zorder=0)
    for place, row in enumerate(reversed(shown.to_dict("records"))):
        plot.ax.plot([row["ci_low"], row["ci_high"]], [place, place], color=ACCENT, linewidth=1.2)
        (point,) = plot.ax.plot([row["estimate"]], [place], linestyle="none", marker="o", markersize=5.5, color=ACCENT)
        tag(point, f"{visible(row['unit'])}: {format_number(row['estimate'])}, n = {row['n']}")
    plot.ax.set_yticks(range(len(shown)), [visible(unit) for unit in reversed(shown["unit"].tolist())])
    return plot.ax


@styled
def survival(
    curves: KaplanMeier,
    *,
    events: bool = False,
    xlabel: str = "Time",
    ylabel: str | None = None,
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw Kaplan-Meier curves with their pointwise intervals.

    Parameters
    ----------
    curves : KaplanMeier
    events : bool
        Draw the share with the event, rising from 0, as for remission; else the share without it, falling from 1.
    xlabel : str
    ylabel : str, optional
    title : str, optional
    width : float
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DesignError
        No event happened.
    OptionError
        There are more groups than four.
    """
    groups = curves.medians["group"].tolist()
    if curves.table.empty:
        raise DesignError("no event happened: there is no curve to draw")
    if len(groups) > len(_CURVES):
        raise OptionError(f"at most {len(_CURVES)} curves can be told apart; there are {len(groups)}")
    across = Extent(low=0.0, high=1.04 * float(curves.table["time"].max()))
    up = Extent(low=-0.02, high=1.02, percent=True)
    keys: list[Any] = [
        (Line2D([], [], color=colour, linestyle=style, linewidth=1.6), f"{visible(name)} (n = {n})")
        for (colour, style), name, n in zip(_CURVES, groups, curves.medians["n"], strict=False)
    ]
    name = ylabel or ("Share with the event" if events else "Share without the event")
    plot = plot_on(ax, width, across, up, below=xlabel, beside=name, keys=keys, title=title, shape=0.5)
    for (colour, style), group in zip(_CURVES, groups, strict=False):
        mine = curves.table[curves.table["group"] == group]
        time = np.r_[0.0, mine["time"].to_numpy(dtype=float), across.high]
        columns = [mine[column].to_numpy(dtype=float) for column in ("survival", "ci_low", "ci_high")]
        share, low, high = (np.r_[1.0, each, each[-1] if each.size else 1.0] for each in columns)
        if events:
            share, low, high = 1 - share, 1 - high, 1 - low
        plot.ax.step(time, share, where="post", color=colour, linestyle=style, linewidth=1.6, label=str(group))
        plot.ax.fill_between(time, low, high, step="post", color=colour, alpha=0.12, linewidth=0)
    return plot.ax
