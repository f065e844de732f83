"""The pooled effect step by step: without each study, and as studies were added."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from matplotlib.axes import Axes

from ipt_outcomes.errors import DesignError
from ipt_outcomes.figures.canvas import open_slot
from ipt_outcomes.figures.checks import check_level, check_stated_level, is_known, percent
from ipt_outcomes.figures.forest import pooled_rows
from ipt_outcomes.figures.marks import Reference
from ipt_outcomes.figures.rows import PooledLike, Row
from ipt_outcomes.figures.scale import RATIO_NAMES, SHORT_NAMES, axis_name, robust_scale, sides
from ipt_outcomes.figures.scatter import need
from ipt_outcomes.figures.style import styled
from ipt_outcomes.figures.summaries import common_event, common_measure, draw_rows, summary_row
from ipt_outcomes.results import format_number, visible

if TYPE_CHECKING:
    import pandas as pd

NUMBERS = ("estimate", "ci_low", "ci_high")


@styled
def leave_one_out(
    frame: pd.DataFrame,
    *,
    pooled: PooledLike,
    labels: Iterable[Any] | None = None,
    measure: str | None = None,
    event: Literal["good", "bad"] | None = None,
    better: Literal["lower", "higher"] | None = None,
    level: float = 0.95,
    favours: tuple[str, str] | None = None,
    xlabel: str | None = None,
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw the pooled effect with each study left out, against the effect of all studies.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``left_out estimate ci_low ci_high``, one row per study left out.
    pooled : PooledLike
        All studies together: a diamond, and its confidence interval as a band behind the rows.
    labels : iterable of str, optional
        Names of the studies pooled, where ``left_out`` holds their positions.
    measure : str, optional
        As in `analyses`.
    event, better, level, favours, xlabel, title, width, ax
        As in `forest`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DesignError
        The frame has no rows or lacks a column.
    OptionError
        An option is none of its choices.
    """
    check_level(level)
    need(frame, ("left_out", *NUMBERS))
    check_stated_level(pooled, level, "pooled")
    known = common_measure(measure, [pooled])
    ratio = known in RATIO_NAMES
    words = sides(known, common_event(event, [pooled]), better, favours)
    slot = open_slot(ax, width)
    estimate, low, high = (frame[name].to_numpy(dtype=float) for name in NUMBERS)
    rows = []
    for left_out, *numbers in zip(_names(frame["left_out"], labels), estimate, low, high, strict=True):
        row = summary_row(left_out, *numbers, ratio=ratio)
        rows.append(replace(row, tip=f"Without {row.tip}" if row.tip else ""))
    whole = [pooled.estimate, pooled.ci_low, pooled.ci_high] if is_known(pooled) else []
    return draw_rows(
        slot,
        [*rows, *pooled_rows(pooled, "All studies", level, ratio=ratio)[:1]],
        robust_scale(estimate, low, high, ratio=ratio, also=whole),
        label_header="Study left out",
        headers=(f"{SHORT_NAMES.get(known or '', 'Effect')} ({percent(level)} CI)",),
        axis=xlabel or axis_name(known),
        sides=words,
        title=title,
        references=(Reference(value=whole[0], low=whole[1], high=whole[2], style="pooled"),) if whole else (),
    )


@styled
def cumulative(
    frame: pd.DataFrame,
    *,
    labels: Iterable[Any] | None = None,
    measure: str | None = None,
    event: Literal["good", "bad"] | None = None,
    better: Literal["lower", "higher"] | None = None,
    level: float = 0.95,
    favours: tuple[str, str] | None = None,
    xlabel: str | None = None,
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw the pooled effect as it stood after each study was added.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``added estimate ci_low ci_high k`` and optionally ``order`` (or ``year``), one row per step, as
        `ipt_outcomes.meta.cumulative` gives it.
    labels : iterable of str, optional
        Names of the studies pooled, where ``added`` holds their positions.
    measure : str, optional
        As in `analyses`.
    event, better, level, favours, xlabel, title, width, ax
        As in `forest`.

    Returns
    -------
    matplotlib.axes.Axes
        The last estimate is marked through all rows.

    Raises
    ------
    DesignError
        The frame has no rows or lacks a column; a position has no label.
    OptionError
        An option is none of its choices.

    Notes
    -----
    The intervals are not corrected for having been looked at after every study.
    """
    check_level(level)
    need(frame, ("added", *NUMBERS, "k"))
    known = common_measure(measure, [])
    ratio = known in RATIO_NAMES
    words = sides(known, common_event(event, []), better, favours)
    slot = open_slot(ax, width)
    estimate, low, high = (frame[name].to_numpy(dtype=float) for name in NUMBERS)
    rows = [
        _step(name, when, count, numbers, ratio=ratio, narrow=slot.narrow)
        for name, when, count, *numbers in zip(
            _names(frame["added"], labels), _when(frame), frame["k"].tolist(), estimate, low, high, strict=True
        )
    ]
    header = f"{SHORT_NAMES.get(known or '', 'Effect')} ({percent(level)} CI)"
    return draw_rows(
        slot,
        rows,
        robust_scale(estimate, low, high, ratio=ratio),
        label_header="Study added",
        headers=(header,) if slot.narrow else ("k", header),
        axis=xlabel or axis_name(known),
        sides=words,
        title=title,
        references=(Reference(value=float(estimate[-1]), style="pooled"),),
    )


def _step(name: object, when: str, count: float, numbers: Sequence[float], *, ratio: bool, narrow: bool) -> Row:
    row = summary_row(name, *numbers, ratio=ratio)
    k = format_number(count, "integer")
    # Names of trials often end with their year.
    when = "" if when in row.label else when
    extra = f"{when}; k = {k}" if when else f"k = {k}"
    label = f"{row.label} ({extra})" if narrow else f"{row.label} ({when})" if when else row.label
    tip = f"After {row.tip}, {extra}" if row.tip else ""
    return replace(row, label=label, cells=row.cells if narrow else (k, *row.cells), tip=tip)


def _when(frame: pd.DataFrame) -> list[str]:
    """What the studies were sorted by, as words; years without a separator."""
    column = next((name for name in ("order", "year") if name in frame.columns), None)
    if column is None:
        return [""] * len(frame)
    values = frame[column].tolist()
    whole = [isinstance(value, int | float) and value == value and float(value).is_integer() for value in values]
    return [f"{value:.0f}" if plain else visible(value) for value, plain in zip(values, whole, strict=True)]


def _names(values: pd.Series, labels: Iterable[Any] | None) -> list[Any]:
    """Return names: those given for positions, or what the frame holds."""
    listed = values.tolist()
    if labels is None:
        return [f"Study {value + 1}" if isinstance(value, int) else value for value in listed]
    given = list(labels)
    beyond = [str(value) for value in listed if not isinstance(value, int) or not 0 <= value < len(given)]
    if beyond:
        raise DesignError(f"labels name {len(given)} studies; the frame has {', '.join(beyond[:5])} as well")
    return [given[value] for value in listed]
