"""Figures of mixed models: coefficients, residuals, quantiles of residuals and random effects, change by level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy import stats

from ipt_outcomes.errors import DesignError
from ipt_outcomes.figures.checks import percent
from ipt_outcomes.figures.style import ACCENT, FAINT, INK, MUTED, POOLED, PREDICTION, font, styled

if TYPE_CHECKING:
    import pandas as pd

COLOURS = (ACCENT, PREDICTION, POOLED, MUTED, "#6b4c9a", "#5b7f1f")
_DASHES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
# Points drawn at most: more say no more, and a figure of a registry would not open.
_MOST_POINTS = 4000


@styled
def coefficients(table: pd.DataFrame, *, level: float, ax: Axes | None = None) -> Axes:
    """Draw coefficients with their intervals.

    Parameters
    ----------
    table : pandas.DataFrame
        ``term estimate ci_low ci_high``.
    level : float
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    names = [str(term) for term in table["term"]]
    return _intervals(table, names, f"Estimate ({percent(level)} CI)", ax)


@styled
def change_intervals(table: pd.DataFrame, by: str, *, level: float, ax: Axes | None = None) -> Axes:
    """Draw slopes or changes, or differences of them between arms, by level.

    Parameters
    ----------
    table : pandas.DataFrame
        ``quantity``, the level, optionally ``contrast``; ``estimate ci_low ci_high``.
    by : str
        Column of levels.
    level : float
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    if not len(table):
        raise DesignError("there is no change to draw")
    first = table["contrast"] + ", " if "contrast" in table else ""
    names = (first + table[by].astype(str)).tolist()
    quantity = str(table["quantity"].iloc[0])
    what = f"Difference in {quantity}" if "contrast" in table else quantity.capitalize()
    return _intervals(table, names, f"{what} ({percent(level)} CI)", ax)


@styled
def residual_plot(fitted: np.ndarray, residual: np.ndarray, *, ax: Axes | None = None) -> Axes:
    """Draw residuals against fitted values, with the middle and the spread in ten bands of equal size.

    Parameters
    ----------
    fitted, residual : numpy.ndarray, shape (n,)
        Standardised residuals.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or _new(6.0, 4.0)
    order = np.argsort(fitted, kind="stable")
    some = _some(order)
    ax.axhline(0, color=FAINT, linewidth=1, zorder=0.5)
    ax.plot(fitted[some], residual[some], ".", markersize=3, color=MUTED, alpha=0.5, rasterized=True)
    bands = np.array_split(order, min(10, max(2, order.size // 10)))
    middles = np.array([np.median(fitted[band]) for band in bands])
    for share, dash in ((0.5, "-"), (0.16, ":"), (0.84, ":")):
        heights = [float(np.quantile(residual[band], share)) for band in bands]
        ax.plot(middles, heights, dash, color=ACCENT, linewidth=1.6)
    return _labelled(ax, "Fitted value", "Residual, in its SDs (lines: median, middle 68%)")


@styled
def quantile_plot(values: np.ndarray, label: str, *, ax: Axes | None = None) -> Axes:
    """Draw the quantiles of values against those of a normal distribution.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
    label : str
        What the values are.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes
    """
    ordered = np.sort(values[np.isfinite(values)])
    if ordered.size < 3:
        raise DesignError("quantiles need at least 3 values")
    ax = ax or _new(4.5, 4.5)
    expected = stats.norm.ppf((np.arange(ordered.size) + 0.5) / ordered.size)
    low, high = np.quantile(ordered, [0.25, 0.75])
    slope = (high - low) / (2 * stats.norm.ppf(0.75))
    ends = np.array([expected[0], expected[-1]])
    ax.plot(ends, (low + high) / 2 + slope * ends, color=ACCENT, linewidth=1.4)
    some = _some(np.arange(ordered.size))
    ax.plot(expected[some], ordered[some], ".", markersize=4, color=MUTED, rasterized=True)
    return _labelled(ax, "Normal quantile", label)


@styled
def change_paths(
    paths: pd.DataFrame, by: str, week: str, *, arm: str | None, level: float, ax: Axes | None = None
) -> Axes:
    """Draw means over time of every level; where arms are compared, in a panel of each level.

    Parameters
    ----------
    paths : pandas.DataFrame
        The level, the arm, the time, ``estimate ci_low ci_high``.
    by, week : str
        Columns.
    arm : str, optional
    level : float
    ax : matplotlib.axes.Axes, optional
        With it, everything stands in one panel.

    Returns
    -------
    matplotlib.axes.Axes
        The only panel, or the first.
    """
    levels = list(dict.fromkeys(paths[by]))
    if arm is None or ax is not None or len(levels) == 1:
        ax = ax or _new(6.4, 4.0)
        names = [by] if arm is None else [by, arm]
        lines = [
            (", ".join(map(str, _tuple(name))), own) for name, own in paths.groupby(names, sort=False, observed=True)
        ]
        _lines(ax, lines, week)
        return _labelled(ax, week, f"Mean ({percent(level)} CI)")
    figure = Figure(figsize=(max(6.4, 2.6 * len(levels)), 3.4), dpi=100, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    panels: list[Axes] = []
    for number, name in enumerate(levels):
        panel = figure.add_subplot(1, len(levels), number + 1, sharey=panels[0] if panels else None)
        own = paths[paths[by].eq(name)]
        _lines(panel, [(str(key), part) for key, part in own.groupby(arm, sort=False, observed=True)], week)
        panel.set_title(_safe(name), fontproperties=font(bold=True))
        panels.append(_labelled(panel, week, f"Mean ({percent(level)} CI)" if number == 0 else ""))
    return panels[0]


def _tuple(name: object) -> tuple[object, ...]:
    return name if isinstance(name, tuple) else (name,)


def _lines(ax: Axes, lines: Sequence[tuple[str, pd.DataFrame]], week: str) -> None:
    for number, (name, own) in enumerate(lines):
        colour, dash = COLOURS[number % len(COLOURS)], _DASHES[number % len(_DASHES)]
        times = own[week].to_numpy(dtype=float)
        low, high = own["ci_low"].to_numpy(), own["ci_high"].to_numpy()
        ax.fill_between(times, low, high, color=colour, alpha=0.13, linewidth=0)
        ax.plot(times, own["estimate"], linestyle=dash, color=colour, linewidth=1.8, label=_safe(name))
    ax.legend(prop=font(), frameon=False)


def _intervals(table: pd.DataFrame, names: Sequence[str], label: str, ax: Axes | None) -> Axes:
    ax = ax or _new(6.4, 1.0 + 0.35 * len(names))
    places = np.arange(len(names))[::-1]
    ax.axvline(0, color=FAINT, linewidth=1, zorder=0.5)
    ax.hlines(places, table["ci_low"], table["ci_high"], color=ACCENT, linewidth=1.4)
    ax.plot(table["estimate"], places, "s", color=ACCENT, markersize=5)
    ax.set_yticks(places, [_safe(name) for name in names])
    ax.set_ylim(-0.7, len(names) - 0.3)
    return _labelled(ax, label, "")


def _labelled(ax: Axes, across: str, up: str) -> Axes:
    ax.set_xlabel(_safe(across), fontproperties=font())
    ax.set_ylabel(_safe(up), fontproperties=font())
    for side, spine in ax.spines.items():
        spine.set_visible(side in {"bottom", "left"})
        spine.set_color(INK)
    return ax


def _some(order: np.ndarray) -> np.ndarray:
    """All places, or evenly spread ones where there are too many."""
    if order.size <= _MOST_POINTS:
        return order
    return np.asarray(order[np.linspace(0, order.size - 1, _MOST_POINTS).astype(int)])


def _new(width: float, height: float) -> Axes:
    figure = Figure(figsize=(width, height), dpi=100, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    return figure.add_subplot()


def _safe(text: object) -> str:
    """A dollar sign would begin a formula."""
    return str(text).replace("$", r"\$")
