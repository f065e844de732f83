"""Several effects per study: a forest plot grouped by study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np
from matplotlib.axes import Axes

from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.figures.canvas import open_slot
from ipt_outcomes.figures.checks import check_level, check_pooled, is_known, one_each, study_names
from ipt_outcomes.figures.forest import (
    BEYOND,
    POOLED_GAP,
    forest_scale,
    headers,
    pooled_rows,
    study_rows,
    weight_shares,
)
from ipt_outcomes.figures.marks import Reference, any_beyond
from ipt_outcomes.figures.page import Page, draw_page
from ipt_outcomes.figures.rows import Row
from ipt_outcomes.figures.scale import Scale, axis_name, effect_text, sides
from ipt_outcomes.figures.style import styled
from ipt_outcomes.figures.words import literal
from ipt_outcomes.results import format_number, plural, visible

STUDY_GAP = 0.05
MEAN_NOTE = "Diamond on a thick line: the effects of one study combined."


class MultilevelLike(Protocol):
    """What a figure reads of a pooled effect with variance between studies and within them."""

    @property
    def estimate(self) -> float:
        """The pooled effect."""

    @property
    def ci_low(self) -> float:
        """Lower confidence limit."""

    @property
    def ci_high(self) -> float:
        """Upper confidence limit."""

    @property
    def prediction_low(self) -> float | None:
        """Lower prediction limit; None where there is none."""

    @property
    def prediction_high(self) -> float | None:
        """Upper prediction limit; None where there is none."""

    @property
    def k(self) -> int:
        """Effects."""

    @property
    def n_studies(self) -> int:
        """Studies."""

    @property
    def tau2_study(self) -> float:
        """Variance between studies."""

    @property
    def tau2_effect(self) -> float:
        """Variance between the effects of a study."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _OneVariance:
    """A multilevel result as the page of a forest plot reads it."""

    estimate: float
    ci_low: float
    ci_high: float
    prediction_low: float | None
    prediction_high: float | None
    k: int
    tau2: float
    i2: float | None = None


def _flat(pooled: MultilevelLike | None) -> _OneVariance | None:
    if pooled is None:
        return None
    return _OneVariance(
        estimate=pooled.estimate,
        ci_low=pooled.ci_low,
        ci_high=pooled.ci_high,
        prediction_low=pooled.prediction_low,
        prediction_high=pooled.prediction_high,
        k=pooled.k,
        tau2=pooled.tau2_study + pooled.tau2_effect,
    )


@styled
def nested_forest(
    effects: EffectSizes,
    *,
    study: Iterable[Any],
    labels: Iterable[Any] | None = None,
    combined: Mapping[Any, tuple[float, float]] | None = None,
    pooled: MultilevelLike | None = None,
    weights: Iterable[float] | None = None,
    level: float = 0.95,
    favours: tuple[str, str] | None = None,
    better: Literal["lower", "higher"] | None = None,
    xlabel: str | None = None,
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw a forest plot of studies that give several effects each, grouped by study.

    Parameters
    ----------
    effects : EffectSizes
        One row per effect.
    study : iterable, shape (k,)
        Study of each effect; studies come in order of first appearance.
    labels : iterable of str, shape (k,), optional
        What each effect is (instrument, arm), drawn literally; "Effect 1" and so on where None.
    combined : mapping of study to tuple of (float, float), optional
        Effect and variance of a study as a whole (`ipt_outcomes.meta.aggregate`), drawn beside its name; used for
        studies with several effects.
    pooled : MultilevelLike, optional
        The multilevel result: a diamond with its prediction interval, and the variance of each level.
    weights : iterable of float, shape (k,), optional
        Weight of each effect in percent, as in `forest`.
    level, favours, better, xlabel, title, width, ax
        As in `forest`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DesignError
        `study`, `labels` or `weights` has not one value per effect, or a study has no name.
    OptionError
        `combined` names a study that is not there; other options as in `forest`.
    """
    check_level(level)
    own = _studies(study, len(effects))
    strange = [key for key in combined or () if key not in set(own)]
    if strange:
        raise OptionError(f"combined names studies that no effect has: {', '.join(map(repr, strange))}")
    flat = _flat(pooled)
    if flat is not None:
        check_pooled(pooled, effects, level, "pooled")
    words = sides(effects.measure, effects.event, better, favours)
    slot = open_slot(ax, width)
    given = None if weights is None else np.asarray(one_each("weights", weights, len(effects)), dtype=float)
    names = _effect_names(own, labels)
    rows = study_rows(effects, names, labels, level, weight_shares(effects, flat, given), given)
    blocks = _grouped(own, rows, labels, _means(combined, effects, level), narrow=slot.narrow)
    if pooled is not None and flat is not None:
        blocks += _pooled_rows(pooled, flat, level, ratio=effects.is_ratio)
    scale = forest_scale(effects, level, flat, None)
    page = Page(
        rows=blocks,
        label_header="Study and effect",
        headers=headers(effects, level, weighted=given is not None and not slot.narrow),
        scale=scale,
        axis=xlabel or axis_name(effects.measure),
        sides=words,
        title=title,
        references=_references(flat),
        notes=_notes(blocks, scale),
    )
    return draw_page(slot, page)


def _studies(study: Iterable[Any], k: int) -> list[Any]:
    listed = one_each("study", study, k) or []
    absent = [str(i) for i, name in enumerate(listed) if name is None or name != name]
    if absent:
        raise DesignError(f"every effect must belong to a study; rows {', '.join(absent)} (from 0) name none")
    return listed


def _effect_names(own: Sequence[Any], labels: Iterable[Any] | None) -> list[str]:
    if labels is not None:
        return study_names(labels, len(own))
    seen: dict[Any, int] = {}
    names = []
    for name in own:
        seen[name] = seen.get(name, 0) + 1
        names.append(f"Effect {seen[name]}")
    return names


def _references(flat: _OneVariance | None) -> tuple[Reference, ...]:
    lines = [Reference(value=0.0)]
    if flat is not None and is_known(flat):
        lines.append(Reference(value=flat.estimate, style="pooled"))
    return tuple(lines)


def _notes(rows: Sequence[Row], scale: Scale) -> tuple[str, ...]:
    notes = (MEAN_NOTE,) if any(row.mark == "summary" for row in rows) else ()
    return (*notes, BEYOND) if any_beyond(rows, scale) else notes


def _means(
    combined: Mapping[Any, tuple[float, float]] | None, effects: EffectSizes, level: float
) -> dict[Any, tuple[float, float, float, str]]:
    """Effect, limits and text of each study as a whole."""
    if not combined:
        return {}
    keys = list(combined)
    yi, vi = (np.array([combined[key][i] for key in keys], dtype=float) for i in (0, 1))
    sizes = EffectSizes(yi=yi, vi=vi, measure=effects.measure, convention=effects.convention, event=effects.event)
    low, high = sizes.ci(level)
    return {
        key: (y, a, b, effect_text(y, a, b, ratio=effects.is_ratio))
        for key, y, a, b in zip(keys, yi.tolist(), low.tolist(), high.tolist(), strict=True)
        if np.isfinite([y, a, b]).all()
    }


def _grouped(
    own: Sequence[Any],
    rows: Sequence[Row],
    labels: Iterable[Any] | None,
    means: Mapping[Any, tuple[float, float, float, str]],
    *,
    narrow: bool,
) -> list[Row]:
    """Return the rows study by study: one row for a study with one effect, else a heading and its effects."""
    page: list[Row] = []
    for key in dict.fromkeys(own):
        block = [row for row, name in zip(rows, own, strict=True) if name == key]
        name, full = literal(key) or "–", visible(key)
        if len(block) == 1:
            (row,) = block
            what = f", {row.label}" if labels is not None else ""
            tip = f"{full}{what}: {row.tip.partition(': ')[2]}" if row.tip else ""
            page.append(replace(row, label=f"{name}{what}", name=f"{full}{what}", tip=tip, gap=STUDY_GAP))
            continue
        page.append(_heading(name, full, len(block), means.get(key)))
        page += [replace(row, tip=f"{full}, {row.tip}" if row.tip else "", indent=not narrow) for row in block]
    return page


def _heading(name: str, full: str, count: int, mean: tuple[float, float, float, str] | None) -> Row:
    if mean is None:
        return Row(label=name, name=full, bold=True, gap=STUDY_GAP)
    estimate, low, high, text = mean
    return Row(
        label=name,
        name=full,
        cells=(text,),
        mark="summary",
        estimate=estimate,
        low=low,
        high=high,
        tip=f"{full}, {format_number(count, 'integer')} effects combined: {text}",
        bold=True,
        gap=STUDY_GAP,
    )


def _pooled_rows(pooled: MultilevelLike, flat: _OneVariance, level: float, *, ratio: bool) -> list[Row]:
    """Diamond and prediction interval, and the variance of each level in place of the one of all."""
    rows = pooled_rows(flat, "Pooled estimate", level, ratio=ratio)
    studies = format_number(pooled.n_studies, "integer")
    effects = format_number(pooled.k, "integer")
    name = f"Pooled estimate ({effects} {plural(pooled.k, 'effect', 'effects')}, {studies} "
    name += f"{plural(pooled.n_studies, 'study', 'studies')})"
    rows[0] = replace(rows[0], label=name, name=name, gap=POOLED_GAP)
    if is_known(flat) and pooled.k > 1:
        between, within = (format_number(value, "decimal3") for value in (pooled.tau2_study, pooled.tau2_effect))
        rows[-1] = Row(label=f"τ² between studies = {between}, within = {within}", muted=True)
    return rows
