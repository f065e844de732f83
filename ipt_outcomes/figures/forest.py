"""The forest plot: one row per study, pooled effects as diamonds, the prediction interval as a bar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes

from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.figures.canvas import open_slot
from ipt_outcomes.figures.checks import (
    NO_GROUP,
    check_level,
    check_pooled,
    clean_levels,
    is_known,
    one_each,
    order,
    ordered_levels,
    percent,
    prediction,
    study_names,
)
from ipt_outcomes.figures.marks import Reference, any_beyond
from ipt_outcomes.figures.page import Page, draw_page
from ipt_outcomes.figures.rows import PooledLike, Row
from ipt_outcomes.figures.scale import (
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

NOT_COMPUTED = "not computed"
BEYOND = "Arrowhead: the effect or its interval goes beyond the axis."
GROUP_GAP = 0.08
POOLED_GAP = 0.09


@styled
def forest(
    effects: EffectSizes,
    *,
    labels: Iterable[Any] | None = None,
    groups: Any = None,
    pooled: PooledLike | None = None,
    subtotals: Mapping[Any, PooledLike] | None = None,
    weights: Iterable[float] | None = None,
    level: float = 0.95,
    favours: tuple[str, str] | None = None,
    better: Literal["lower", "higher"] | None = None,
    xlabel: str | None = None,
    title: str | None = None,
    sort: Literal["effect", "label"] | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw a forest plot.

    Parameters
    ----------
    effects : EffectSizes
        One row per study; a row with a missing effect is listed as "not computed". Ratios are drawn on a
        logarithmic axis and printed as ratios.
    labels : iterable of str, shape (k,), optional
        Names of the studies, drawn literally.
    groups : array_like, shape (k,), optional
        One level per study: a block each, in the order of a categorical, else sorted.
    pooled : PooledLike, optional
        The pooled effect, on the scale of `effects`: a diamond, with its prediction interval below it.
    subtotals : mapping, optional
        A pooled effect per level of `groups`: a diamond at the end of each block.
    weights : iterable of float, shape (k,), optional
        Weight of each study in percent: printed in a column of its own (not in the phone layout), and the
        squares' areas follow it; NaN for a study that was not pooled.
    level : float
        Confidence level of the studies' intervals; pooled effects must have been computed at it.
    favours : tuple of str, optional
        Names of arm 1 and arm 2, in this order; the sides follow from the measure and its event.
    better : {"lower", "higher"}, optional
        For mean differences in raw points: which end of the instrument is the good one.
    xlabel : str, optional
        Words under the axis instead of the name of the measure.
    title : str, optional
    sort : {"effect", "label"}, optional
        Order within each block; the order given if None.
    width : float
        Width of a new figure in inches; below 5 each study stands above its interval (phone layout).
    ax : matplotlib.axes.Axes, optional
        Axes whose place is used; a new figure of the right height if None.

    Returns
    -------
    matplotlib.axes.Axes
        ``axes.figure`` is the figure.

    Raises
    ------
    DesignError
        `labels`, `groups` or `weights` has not one value per study.
    OptionError
        An option is none of its choices; `subtotals` names a level that no study has, or comes without
        `groups`; a pooled effect says it is of another measure or level.

    Notes
    -----
    Without `weights` squares have an area proportional to 1 / (vi + tau2) with the tau2 of `pooled`, 0 without
    it. Every number printed is formatted from the same value that is drawn.

    References
    ----------
    Lewis and Clarke (2001), BMJ 322:1479-1480, doi:10.1136/bmj.322.7300.1479.
    IntHout et al. (2016), BMJ Open 6:e010247, doi:10.1136/bmjopen-2015-010247.
    """
    check_level(level)
    if sort is not None:
        require_choice("sort", sort, ("effect", "label"))
    words = sides(effects.measure, effects.event, better, favours)
    slot = open_slot(ax, width)
    blocks = _blocks(effects, groups, subtotals)
    _check_all_pooled(effects, level, pooled, subtotals)
    names = study_names(labels, len(effects))
    given = None if weights is None else np.asarray(one_each("weights", weights, len(effects)), dtype=float)
    rows = study_rows(effects, names, labels, level, weight_shares(effects, pooled, given), given)
    page_rows: list[Row] = []
    for heading, indices, subtotal in blocks:
        block = [rows[i] for i in order(indices, sort, effects.yi, names)]
        page_rows += _block_rows(heading, block, subtotal, effects.is_ratio, narrow=slot.narrow)
    if pooled is not None:
        page_rows += pooled_rows(pooled, "Pooled estimate", level, ratio=effects.is_ratio)
    scale = forest_scale(effects, level, pooled, subtotals)
    references = [Reference(value=0.0)]
    if pooled is not None and is_known(pooled):
        references.append(Reference(value=pooled.estimate, style="pooled"))
    page = Page(
        rows=page_rows,
        label_header="Study",
        headers=headers(effects, level, weighted=given is not None and not slot.narrow),
        scale=scale,
        axis=xlabel or axis_name(effects.measure),
        sides=words,
        title=title,
        references=tuple(references),
        notes=(BEYOND,) if any_beyond(page_rows, scale) else (),
    )
    return draw_page(slot, page)


def _blocks(
    effects: EffectSizes, groups: Any, subtotals: Mapping[Any, PooledLike] | None
) -> list[tuple[str | None, list[int], PooledLike | None]]:
    """Return heading, rows and pooled effect of each block."""
    listed = one_each("groups", groups, len(effects))
    if listed is None:
        if subtotals:
            raise OptionError("subtotals need groups: one level per study")
        return [(None, list(range(len(effects))), None)]
    levels = ordered_levels(groups, listed)
    strange = [key for key in subtotals or () if key not in levels]
    if strange:
        names = ", ".join(repr(key) for key in strange)
        raise OptionError(f"subtotals name levels that no study has: {names}")
    listed = clean_levels(listed)
    return [
        (
            NO_GROUP if level is None else literal(level),
            [i for i, own in enumerate(listed) if own == level],
            (subtotals or {}).get(level),
        )
        for level in levels
    ]


def _check_all_pooled(
    effects: EffectSizes,
    level: float,
    pooled: PooledLike | None,
    subtotals: Mapping[Any, PooledLike] | None,
) -> None:
    if pooled is not None:
        check_pooled(pooled, effects, level, "pooled")
    for key, subtotal in (subtotals or {}).items():
        check_pooled(subtotal, effects, level, f"the subtotal of {key!r}")


def headers(effects: EffectSizes, level: float, *, weighted: bool) -> tuple[str, ...]:
    """Return the headings of the columns of numbers."""
    first = f"{SHORT_NAMES[effects.measure]} ({percent(level)} CI)"
    return (first, "Weight") if weighted else (first,)


def study_rows(
    effects: EffectSizes,
    names: Sequence[str],
    labels: Iterable[Any] | None,
    level: float,
    shares: np.ndarray,
    weights: np.ndarray | None = None,
) -> list[Row]:
    """Return a row per effect: its words, its interval, a square as large as its share of the largest weight."""
    full = names if labels is None else [visible(label) for label in labels]
    low, high = effects.ci(level)
    rows = []
    for i, name in enumerate(names):
        if not np.isfinite([effects.yi[i], low[i], high[i]]).all():
            rows.append(Row(label=name, name=full[i], cells=(NOT_COMPUTED,), muted=True))
            continue
        text = effect_text(effects.yi[i], low[i], high[i], ratio=effects.is_ratio)
        weight = "" if weights is None or not np.isfinite(weights[i]) else f"{format_number(weights[i], 'decimal1')}%"
        rows.append(
            Row(
                label=name,
                name=full[i],
                cells=(text,) if weights is None else (text, weight),
                mark="square",
                estimate=float(effects.yi[i]),
                low=float(low[i]),
                high=float(high[i]),
                size=float(shares[i]),
                tip=f"{full[i]}: {text}" + (f", weight {weight}" if weight else ""),
            )
        )
    return rows


def weight_shares(effects: EffectSizes, pooled: PooledLike | None, weights: np.ndarray | None = None) -> np.ndarray:
    """Return each study's weight as a share of the largest; the squares' areas."""
    if weights is not None:
        largest = np.nanmax(weights, initial=0.0)
        return np.asarray(np.clip(np.nan_to_num(weights), 0.0, None) / (largest if largest > 0 else 1.0))
    tau2 = pooled.tau2 if pooled is not None else 0.0
    extra = float(tau2) if tau2 is not None and np.isfinite(tau2) and tau2 > 0 else 0.0
    total = effects.vi + extra
    usable = np.isfinite(total) & (total > 0) & np.isfinite(effects.yi)
    smallest = float(total[usable].min()) if usable.any() else 1.0
    # A variance of exactly 0 (a study without spread) is drawn as large as the largest.
    return np.asarray(np.where(usable, smallest / np.where(usable, total, 1.0), 1.0))


def _block_rows(
    heading: str | None, block: list[Row], subtotal: PooledLike | None, ratio: bool, *, narrow: bool
) -> list[Row]:
    if heading is None:
        return block
    rows = [Row(label=heading, bold=True, gap=GROUP_GAP)]
    # A phone has no width to spare for indents.
    rows += [row if narrow else _indented(row) for row in block]
    if subtotal is not None:
        rows.append(_diamond_row(subtotal, "Subtotal", ratio, about=heading, indent=not narrow))
    return rows


def _indented(row: Row) -> Row:
    return replace(row, indent=True)


def pooled_rows(pooled: PooledLike, label: str, level: float, *, ratio: bool) -> list[Row]:
    """Return the rows of a pooled effect: diamond, prediction interval, heterogeneity."""
    rows = [replace(_diamond_row(pooled, label, ratio), gap=POOLED_GAP)]
    limits = prediction(pooled)
    if limits is not None and is_known(pooled):
        name, text = f"{percent(level)} prediction interval", interval_text(*limits, ratio=ratio)
        rows.append(
            Row(
                label=name,
                name=name,
                cells=(text,),
                mark="bar",
                low=limits[0],
                high=limits[1],
                tip=f"{name}: {text}",
            )
        )
    # One study says nothing about how effects vary: its 0 would read as agreement.
    if is_known(pooled) and pooled.k > 1:
        spread = f"τ² = {format_number(pooled.tau2, 'decimal3')}, I² = {format_number(pooled.i2, 'percent')}"
        rows.append(Row(label=spread, muted=True))
    return rows


def _diamond_row(pooled: PooledLike, label: str, ratio: bool, *, about: str = "", indent: bool = False) -> Row:
    name = f"{label} (k = {format_number(pooled.k, 'integer')})"
    if not is_known(pooled):
        return Row(label=name, name=name, cells=(NOT_COMPUTED,), bold=True, muted=True, indent=indent)
    text = effect_text(pooled.estimate, pooled.ci_low, pooled.ci_high, ratio=ratio)
    return Row(
        label=name,
        name=name,
        cells=(text,),
        mark="diamond",
        estimate=float(pooled.estimate),
        low=float(pooled.ci_low),
        high=float(pooled.ci_high),
        tip=f"{about + ': ' if about else ''}{name}: {text}",
        bold=True,
        indent=indent,
    )


def forest_scale(
    effects: EffectSizes,
    level: float,
    pooled: PooledLike | None,
    subtotals: Mapping[Any, PooledLike] | None,
) -> Scale:
    """Return limits that hold the effects, the pooled ones and their prediction limits."""
    low, high = effects.ci(level)
    also: list[float | None] = []
    for item in [pooled, *(subtotals or {}).values()]:
        if item is not None:
            also += [item.ci_low, item.ci_high]
    if pooled is not None:
        also += [pooled.prediction_low, pooled.prediction_high]
    return robust_scale(effects.yi, low, high, ratio=effects.is_ratio, also=also)
