"""Estimates with their intervals, one per row: comparisons of arms, change in groups of people."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes

from ipt_outcomes.errors import DesignError, require_choice
from ipt_outcomes.figures.canvas import open_slot
from ipt_outcomes.figures.checks import check_level, percent
from ipt_outcomes.figures.forest import BEYOND, GROUP_GAP, NOT_COMPUTED
from ipt_outcomes.figures.marks import Reference, any_beyond
from ipt_outcomes.figures.page import Page, draw_page
from ipt_outcomes.figures.rows import Row
from ipt_outcomes.figures.scale import RATIO_NAMES, SHORT_NAMES, axis_name, effect_text, robust_scale, sides
from ipt_outcomes.figures.style import styled
from ipt_outcomes.figures.words import literal
from ipt_outcomes.results import visible


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
    event, better, level, favours, xlabel, title, width, ax
        As in `ipt_outcomes.figures.forest`.

    Returns
    -------
    matplotlib.axes.Axes

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
    ratio = measure in RATIO_NAMES
    slot = open_slot(ax, width)
    drawn: list[Row] = []
    last = ""
    for item in listed:
        if item.group and item.group != last:
            drawn.append(Row(label=literal(item.group), bold=True, gap=GROUP_GAP))
        last = item.group
        drawn.append(_row(item, ratio=ratio, indent=bool(item.group) and not slot.narrow))
    values = np.array([[item.estimate, item.low, item.high] for item in listed], dtype=float).T
    scale = robust_scale(*values, ratio=ratio)
    page = Page(
        rows=drawn,
        label_header=header,
        headers=(f"{SHORT_NAMES.get(measure or '', 'Estimate')} ({percent(level)} CI)",),
        scale=scale,
        axis=xlabel or axis_name(measure),
        sides=words,
        title=title,
        references=(Reference(value=0.0),),
        notes=(BEYOND,) if any_beyond(drawn, scale) else (),
    )
    return draw_page(slot, page)


def _row(item: Contrast, *, ratio: bool, indent: bool) -> Row:
    label, full = literal(item.label) or "–", visible(item.label)
    if not all(math.isfinite(number) for number in (item.estimate, item.low, item.high)):
        return Row(label=label, name=full, cells=(item.without,), muted=True, indent=indent)
    text = effect_text(item.estimate, item.low, item.high, ratio=ratio)
    return Row(
        label=label,
        name=full,
        cells=(text,),
        mark="summary",
        estimate=item.estimate,
        low=item.low,
        high=item.high,
        tip=f"{full}: {text}",
        indent=indent,
    )
