"""Forest-like figures of pooled results: analyses side by side, and each study left out in turn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.axes import Axes

from ipt_outcomes.errors import DesignError, OptionError, require_choice
from ipt_outcomes.figures.canvas import open_slot
from ipt_outcomes.figures.checks import check_level, check_stated_level, is_known, percent, prediction
from ipt_outcomes.figures.checks import stated_measure as own_measure
from ipt_outcomes.figures.forest import BEYOND, NOT_COMPUTED, pooled_rows
from ipt_outcomes.figures.marks import Reference, any_beyond
from ipt_outcomes.figures.page import Page, draw_page
from ipt_outcomes.figures.rows import PooledLike, Row
from ipt_outcomes.figures.scale import (
    RATIO_NAMES,
    SHORT_NAMES,
    axis_name,
    effect_text,
    interval_text,
    robust_scale,
    sides,
)
from ipt_outcomes.figures.style import styled
from ipt_outcomes.figures.words import literal
from ipt_outcomes.results import format_number, visible

if TYPE_CHECKING:
    import pandas as pd


@styled
def analyses(
    rows: Sequence[tuple[str, PooledLike]],
    *,
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
    """Draw pooled results side by side: one row per analysis.

    Parameters
    ----------
    rows : sequence of (str, PooledLike)
        Label and result; thick line the confidence interval, thin line the prediction interval.
    measure : str, optional
        A key of `MEASURE_NAMES`; what the results name themselves if None. Where neither is known the
        axis is plain and no side is called favourable.
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
    listed = [(literal(label) or "–", visible(label), result) for label, result in rows]
    if not listed:
        raise DesignError("expected at least one analysis to draw; got none")
    for label, _, result in listed:
        check_stated_level(result, level, repr(label))
    known = _common_measure(measure, [result for _, _, result in listed])
    slot = open_slot(ax, width)
    words = sides(known, _common_event(event, [result for _, _, result in listed]), better, favours)
    ratio = known in RATIO_NAMES
    drawn = [_analysis(*item, ratio=ratio, narrow=slot.narrow) for item in listed]
    results = [result for _, _, result in listed if is_known(result)]
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
    notes = [f"Thick line: {thick}. Thin line: {thin}."] if predicted else []
    notes += [BEYOND] if any_beyond(drawn, scale) else []
    page = Page(
        rows=drawn,
        label_header="Analysis",
        headers=headers,
        scale=scale,
        axis=xlabel or axis_name(known),
        sides=words,
        title=title,
        references=(Reference(value=0.0),),
        notes=tuple(notes),
    )
    return draw_page(slot, page)


def _common_measure(measure: str | None, results: Sequence[object]) -> str | None:
    if measure is not None:
        require_choice("measure", measure, SHORT_NAMES)
    stated = {own for own in map(own_measure, results) if own is not None}
    found = stated | ({measure} if measure is not None else set())
    if len({name in RATIO_NAMES for name in found}) > 1:
        raise OptionError(f"results on different scales cannot share an axis: {', '.join(sorted(found))}")
    return measure or (stated.pop() if len(stated) == 1 else None)


def _common_event(event: Literal["good", "bad"] | None, results: Sequence[object]) -> Literal["good", "bad"] | None:
    """Return the event's direction given or stated by the results; a contradiction is refused."""
    found = {own for own in (event, *(getattr(result, "event", None) for result in results)) if own}
    if len(found) > 1:
        raise OptionError("event is 'good' for some of the results and 'bad' for others: which is meant?")
    return found.pop() if found else None


def _analysis(label: str, full: str, result: PooledLike, *, ratio: bool, narrow: bool) -> Row:
    count = format_number(result.k, "integer")
    shown = f"{label} (k = {count})" if narrow else label
    if not is_known(result):
        cells = (NOT_COMPUTED,) if narrow else (count, NOT_COMPUTED, "")
        return Row(label=shown, name=full, cells=cells, muted=True)
    text = effect_text(result.estimate, result.ci_low, result.ci_high, ratio=ratio)
    limits = prediction(result)
    outer = interval_text(*limits, ratio=ratio) if limits else ""
    tip = f"{full}: {text}, k = {count}"
    return Row(
        label=shown,
        name=full,
        cells=(text,) if narrow else (count, text, outer),
        mark="summary",
        estimate=float(result.estimate),
        low=float(result.ci_low),
        high=float(result.ci_high),
        outer_low=limits[0] if limits else math.nan,
        outer_high=limits[1] if limits else math.nan,
        tip=f"{tip}, prediction interval {outer}" if limits else tip,
    )


@styled
def leave_one_out(
    frame: pd.DataFrame,
    *,
    pooled: PooledLike,
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
    wanted = ("left_out", "estimate", "ci_low", "ci_high")
    absent = [name for name in wanted if name not in frame.columns]
    if absent or frame.empty:
        found = f"no column {', '.join(absent)}" if absent else "no rows"
        raise DesignError(f"expected a frame with {', '.join(wanted)} and at least one row; found {found}")
    check_stated_level(pooled, level, "pooled")
    known = _common_measure(measure, [pooled])
    ratio = known in RATIO_NAMES
    words = sides(known, _common_event(event, [pooled]), better, favours)
    slot = open_slot(ax, width)
    estimate, low, high = (frame[name].to_numpy(dtype=float) for name in wanted[1:])
    rows = [
        _left_out(name, *values, ratio=ratio)
        for name, *values in zip(frame["left_out"], estimate, low, high, strict=True)
    ]
    whole = [pooled.estimate, pooled.ci_low, pooled.ci_high] if is_known(pooled) else []
    drawn = [*rows, *pooled_rows(pooled, "All studies", level, ratio=ratio)[:1]]
    scale = robust_scale(estimate, low, high, ratio=ratio, also=whole)
    references = [Reference(value=0.0)]
    if whole:
        references.append(Reference(value=whole[0], low=whole[1], high=whole[2], style="pooled"))
    page = Page(
        rows=drawn,
        label_header="Study left out",
        headers=(f"{SHORT_NAMES.get(known or '', 'Effect')} ({percent(level)} CI)",),
        scale=scale,
        axis=xlabel or axis_name(known),
        sides=words,
        title=title,
        references=tuple(references),
        notes=(BEYOND,) if any_beyond(drawn, scale) else (),
    )
    return draw_page(slot, page)


def _left_out(name: Any, estimate: float, low: float, high: float, *, ratio: bool) -> Row:
    label, full = literal(name) or "–", visible(name)
    if not np.isfinite([estimate, low, high]).all():
        return Row(label=label, name=full, cells=(NOT_COMPUTED,), muted=True)
    text = effect_text(estimate, low, high, ratio=ratio)
    return Row(
        label=label,
        name=full,
        cells=(text,),
        mark="summary",
        estimate=estimate,
        low=low,
        high=high,
        tip=f"Without {full}: {text}",
    )
