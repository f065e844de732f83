"""A column of estimates with their intervals: analyses side by side, comparisons of arms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from matplotlib.axes import Axes

from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.figures.canvas import Slot, open_slot
from ipt_outcomes.figures.checks import check_level, check_stated_level, is_known, percent, prediction
from ipt_outcomes.figures.checks import stated_measure as own_measure
from ipt_outcomes.figures.forest import BEYOND, GROUP_GAP, NOT_COMPUTED
from ipt_outcomes.figures.marks import Reference, any_beyond
from ipt_outcomes.figures.page import Page, draw_page
from ipt_outcomes.figures.rows import PooledLike, Row
from ipt_outcomes.figures.scale import (
    RATIO_NAMES,
    SHORT_NAMES,
    Scale,
    axis_name,
    effect_text,
    interval_text,
    robust_scale,
    sides,
)
from ipt_outcomes.figures.style import styled
from ipt_outcomes.figures.words import literal
from ipt_outcomes.results import format_number, visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """One row: an estimate and its interval; ratios on the log scale.

    Parameters
    ----------
    label : str
        Drawn literally.
    estimate, low, high : float
        NaN where there is none, or where it is hidden.
    group : str
        Heading over the rows that share it; empty for none.
    without : str
        What to say in place of missing numbers.
    """

    label: str
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    group: str = ""
    without: str = NOT_COMPUTED


@styled
def contrasts(
    rows: Iterable[Contrast],
    *,
    measure: str | None = None,
    header: str = "Comparison",
    name: str | None = None,
    event: Literal["good", "bad"] | None = None,
    better: Literal["lower", "higher"] | None = None,
    level: float = 0.95,
    favours: tuple[str, str] | None = None,
    xlabel: str | None = None,
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw estimates with their intervals.

    Parameters
    ----------
    rows : iterable of Contrast
    measure : str, optional
        A key of `ipt_outcomes.effects.MEASURE_NAMES`; None for numbers that are no comparison of two arms.
    header : str
        Heading of the labels.
    name : str, optional
        Heading of the numbers; the short name of the measure if None.
    event, better, level, favours, xlabel, title, width, ax
        As in `ipt_outcomes.figures.forest`.

    Returns
    -------
    matplotlib.axes.Axes
        What favours arm 1 stands on the right, whatever the measure: where less is better the axis falls.

    Raises
    ------
    DesignError
        There are no rows.
    OptionError
        An option is none of its choices.
    """
    check_level(level)
    if measure is not None:
        require_choice("measure", measure, SHORT_NAMES)
    listed = list(rows)
    if not listed:
        raise DesignError("expected at least one row to draw; got none")
    words = sides(measure, event, better, favours)
    falling = words is not None and (better == "lower" or event == "bad")
    ratio = measure in RATIO_NAMES
    slot = open_slot(ax, width)
    drawn: list[Row] = []
    last = ""
    for item in listed:
        if item.group and item.group != last:
            drawn.append(Row(label=literal(item.group), bold=True, gap=GROUP_GAP))
        last = item.group
        row = summary_row(item.label, item.estimate, item.low, item.high, ratio=ratio, without=item.without)
        drawn.append(replace(row, indent=bool(item.group) and not slot.narrow))
    scale = robust_scale(*np.array([[i.estimate, i.low, i.high] for i in listed], dtype=float).T, ratio=ratio)
    return draw_rows(
        slot,
        drawn,
        replace(scale, falling=falling),
        label_header=header,
        headers=(f"{name or SHORT_NAMES.get(measure or '', 'Estimate')} ({percent(level)} CI)",),
        axis=xlabel or axis_name(measure),
        sides=words[::-1] if words is not None and falling else words,
        title=title,
    )


def summary_row(
    name: object, estimate: float, low: float, high: float, *, ratio: bool, without: str = NOT_COMPUTED
) -> Row:
    """A row of an estimate with its interval; words where one of them is missing."""
    label, full = literal(name) or "–", visible(name)
    if not all(math.isfinite(number) for number in (estimate, low, high)):
        return Row(label=label, name=full, cells=(without,), muted=True)
    text = effect_text(estimate, low, high, ratio=ratio)
    return Row(
        label=label,
        name=full,
        cells=(text,),
        mark="summary",
        estimate=float(estimate),
        low=float(low),
        high=float(high),
        tip=f"{full}: {text}",
    )


def draw_rows(
    slot: Slot,
    rows: list[Row],
    scale: Scale,
    *,
    label_header: str,
    headers: tuple[str, ...],
    axis: str,
    sides: tuple[str, str] | None,
    title: str | None,
    references: tuple[Reference, ...] = (),
    notes: tuple[str, ...] = (),
) -> Axes:
    """Draw the rows with the line of no effect, and say what an arrowhead means where there is one."""
    page = Page(
        rows=rows,
        label_header=label_header,
        headers=headers,
        scale=scale,
        axis=axis,
        sides=sides,
        title=title,
        references=(Reference(value=0.0), *references),
        notes=(*notes, BEYOND) if any_beyond(rows, scale) else notes,
    )
    return draw_page(slot, page)


@styled
def analyses(
    rows: Sequence[tuple[str, PooledLike]],
    *,
    measure: str | None = None,
    event: Literal["good", "bad"] | None = None,
    better: Literal["lower", "higher"] | None = None,
    level: float = 0.95,
    favours: tuple[str, str] | None = None,
    header: str = "Analysis",
    xlabel: str | None = None,
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw pooled results side by side: one row per analysis.

    Parameters
    ----------
    rows : sequence of (str, PooledLike)
        Label and result; thick line the confidence interval, thin line the prediction interval.
    measure : str, optional
        A key of `MEASURE_NAMES`; what the results name themselves if None. Where neither is known the
        axis is plain and no side is called favourable.
    header : str
        Heading of the labels.
    event, better, level, favours, xlabel, title, width, ax
        As in `forest`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DesignError
        There are no rows.
    OptionError
        An option is none of its choices; results of different scales are mixed.
    """
    check_level(level)
    listed = list(rows)
    if not listed:
        raise DesignError("expected at least one analysis to draw; got none")
    for label, result in listed:
        check_stated_level(result, level, repr(literal(label)))
    known = common_measure(measure, [result for _, result in listed])
    slot = open_slot(ax, width)
    words = sides(known, common_event(event, [result for _, result in listed]), better, favours)
    ratio = known in RATIO_NAMES
    drawn = [_analysis(*item, ratio=ratio, narrow=slot.narrow) for item in listed]
    results = [result for _, result in listed if is_known(result)]
    scale = robust_scale(
        np.array([result.estimate for result in results]),
        np.array([result.ci_low for result in results]),
        np.array([result.ci_high for result in results]),
        ratio=ratio,
        also=[limit for result in results for limit in prediction(result) or ()],
    )
    headers: tuple[str, ...] = (f"{SHORT_NAMES.get(known or '', 'Effect')} ({percent(level)} CI)",)
    predicted = any(prediction(result) for result in results)
    if not slot.narrow:
        headers = ("k", *headers, f"{percent(level)} PI") if predicted else ("k", *headers)
    thick, thin = f"{percent(level)} CI", f"{percent(level)} prediction interval (PI)"
    return draw_rows(
        slot,
        drawn,
        scale,
        label_header=header,
        headers=headers,
        axis=xlabel or axis_name(known),
        sides=words,
        title=title,
        notes=(f"Thick line: {thick}. Thin line: {thin}.",) if predicted else (),
    )


def common_measure(measure: str | None, results: Sequence[object]) -> str | None:
    """Return the measure given or stated by the results; different scales are refused."""
    if measure is not None:
        require_choice("measure", measure, SHORT_NAMES)
    stated = {own for own in map(own_measure, results) if own is not None}
    found = stated | ({measure} if measure is not None else set())
    if len({name in RATIO_NAMES for name in found}) > 1:
        raise OptionError(f"results on different scales cannot share an axis: {', '.join(sorted(found))}")
    return measure or (stated.pop() if len(stated) == 1 else None)


def common_event(event: Literal["good", "bad"] | None, results: Sequence[object]) -> Literal["good", "bad"] | None:
    """Return the event's direction given or stated by the results; a contradiction is refused."""
    found = {own for own in (event, *(getattr(result, "event", None) for result in results)) if own}
    if len(found) > 1:
        raise OptionError("event is 'good' for some of the results and 'bad' for others: which is meant?")
    return found.pop() if found else None


def _analysis(label: object, result: PooledLike, *, ratio: bool, narrow: bool) -> Row:
    """The row of a pooled result, with the number of effects and the prediction interval."""
    count = format_number(result.k, "integer")
    known = is_known(result)
    numbers = (result.estimate, result.ci_low, result.ci_high) if known else (math.nan,) * 3
    row = summary_row(label, *numbers, ratio=ratio)
    limits = prediction(result) if known else None
    outer = interval_text(*limits, ratio=ratio) if limits else ""
    tip = f"{row.tip}, k = {count}" if known else ""
    return replace(
        row,
        label=f"{row.label} (k = {count})" if narrow else row.label,
        cells=row.cells if narrow else (count, *row.cells, outer),
        outer_low=limits[0] if limits else math.nan,
        outer_high=limits[1] if limits else math.nan,
        tip=f"{tip}, prediction interval {outer}" if limits else tip,
    )
