"""A grid of specifications: the pooled effect under every combination of reasonable choices."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from ipt_outcomes.effects import EffectSizes
from ipt_outcomes.errors import DataError, IptError, OptionError, require_choice
from ipt_outcomes.evidence.effects import StudyEffects
from ipt_outcomes.evidence.levels import in_order, low_risk_rows
from ipt_outcomes.evidence.options import Options
from ipt_outcomes.evidence.pooling import as_effects, combine
from ipt_outcomes.evidence.subgroup import values_of
from ipt_outcomes.meta import pool
from ipt_outcomes.meta.inputs import TAU2_METHODS, TESTS, Tau2Method, Test
from ipt_outcomes.results import Provenance, ResultObject, format_interval, format_number, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RowRule = Literal["combined", "lowest", "highest", "first", "all"]
Risk = Literal["all", "low"]

ROW_RULES: dict[RowRule, str] = {
    "combined": "effects of a study combined",
    "lowest": "lowest effect of each study",
    "highest": "highest effect of each study",
    "first": "first effect of each study",
    "all": "all rows as if independent",
}
ALL = "all"
DEFAULT_TAU2: tuple[Tau2Method, ...] = ("REML", "DL", "PM", "common")
DEFAULT_RHO = (0.3, 0.6, 0.8)
DEFAULT_RULES: tuple[RowRule, ...] = ("combined", "lowest", "highest", "all")
_CHOICES = ("tau2", "rho", "comparator", "risk_of_bias", "rows")
_NUMBERS = ("k", "estimate", "se", "ci_low", "ci_high", "p_value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Specifications(ResultObject):
    """Pooled effects under every combination of choices.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per cell: ``cell`` (counted from 1), the choices ``tau2 rho comparator risk_of_bias rows``, then
        ``k estimate se ci_low ci_high p_value``. Ratios are on the log scale. ``rho`` is missing where the effects
        of a study are not combined.
    measure : str or None
    event : {"good", "bad"} or None
    level : float
    test : str
    by : str or None
        Column behind ``comparator``.
    left_out : pandas.DataFrame
        Cells that could not be fitted: the choices and ``reason``.
    provenance : Provenance
    """

    frame: pd.DataFrame
    measure: str | None
    event: Literal["good", "bad"] | None = None
    level: float
    test: Test
    by: str | None
    left_out: pd.DataFrame
    provenance: Provenance = field(default_factory=lambda: Provenance(function="evidence.specification_grid"))

    @property
    def range(self) -> dict[str, float]:
        """Return ``cells lowest median highest share_above_zero share_significant`` (shares in percent).

        A cell is significant when its interval does not hold 0.
        """
        estimate = self.frame["estimate"].to_numpy(float)
        clear = (self.frame["ci_low"] > 0) | (self.frame["ci_high"] < 0)
        return {
            "cells": len(self.frame),
            "lowest": float(estimate.min()),
            "median": float(np.median(estimate)),
            "highest": float(estimate.max()),
            "share_above_zero": float(100 * np.mean(estimate > 0)),
            "share_significant": float(100 * clear.mean()),
        }

    def to_frame(self) -> pd.DataFrame:
        """Return `frame`."""
        return self.frame.copy()

    def summary(self, digits: int = 2) -> str:
        """Return how many cells there are and how far the pooled effect moves."""
        found = self.range
        cells = f"{len(self.frame)} {plural(len(self.frame), 'specification', 'specifications')}"
        limits = format_interval(found["lowest"], found["highest"])
        lines = [f"{cells}: pooled effect from {limits}, median {format_number(found['median'])}"]
        share = format_number(found["share_significant"], "percent")
        lines.append(f"The interval holds no 0 in {share} of them")
        if len(self.left_out):
            lines.append(f"{len(self.left_out)} combinations could not be fitted: see left_out")
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the specification curve; options as in `ipt_outcomes.figures.specification_curve`."""
        from ipt_outcomes import figures

        return figures.specification_curve(self, ax=ax, **options)


class _Set(NamedTuple):
    """Effects of one way to choose rows."""

    rho: float
    comparator: str
    risk_of_bias: Risk
    rows: RowRule
    table: pd.DataFrame


def grid_of_effects(
    effects: StudyEffects,
    options: Options,
    *,
    tau2: Sequence[Tau2Method] = DEFAULT_TAU2,
    rho: Sequence[float] = DEFAULT_RHO,
    comparators: Sequence[str] | None = None,
    risk_of_bias: Sequence[Risk] = ("all", "low"),
    rows: Sequence[RowRule] = DEFAULT_RULES,
    test: Test | None = None,
) -> Specifications:
    """Pool the effects of a study table under every combination of choices.

    Parameters
    ----------
    effects : StudyEffects
    options : Options
        ``by`` is the column behind `comparators`; level and test are its own.
    tau2 : sequence of str
        Estimators of the between-study variance.
    rho : sequence of float
        Correlations assumed between effects of one study; they matter where effects are combined.
    comparators : sequence of str, optional
        Levels of ``by``, and "all" for all rows; by default "all" and every level.
    risk_of_bias : sequence of {"all", "low"}
    rows : sequence of {"combined", "lowest", "highest", "first", "all"}
        How several effects of one study are dealt with; only "combined" where each study gives one.
    test : str, optional
        By default that of the options.

    Returns
    -------
    Specifications
        Cells in the order of the choices given; a cell needs at least two effects.

    Raises
    ------
    OptionError
        A choice is not one of its values, or empty.
    DataError
        No combination leaves two effects.
    """
    chosen_test = options.test if test is None else test
    _check(tau2, rho, risk_of_bias, rows, chosen_test)
    sets, gone = _sets(effects, options, rho, comparators, risk_of_bias, rows)
    records: list[dict[str, Any]] = []
    for one, method in itertools.product(sets, tau2):
        choices = {
            "tau2": method,
            "rho": one.rho,
            "comparator": one.comparator,
            "risk_of_bias": one.risk_of_bias,
            "rows": one.rows,
        }
        try:
            numbers = _numbers(one.table, effects.effects, method, chosen_test, options.level)
        except IptError as error:
            gone.append({**choices, "reason": error.message})
            continue
        records.append({**choices, **numbers})
    if not records:
        raise DataError("no combination of choices leaves at least two effects to pool")
    frame = pd.DataFrame(records, columns=[*_CHOICES, *_NUMBERS])
    frame.insert(0, "cell", np.arange(1, len(frame) + 1))
    return Specifications(
        frame=frame,
        measure=effects.effects.measure,
        event=effects.effects.event,
        level=options.level,
        test=chosen_test,
        by=options.by,
        left_out=pd.DataFrame(gone, columns=[*_CHOICES, "reason"]),
        provenance=Provenance(
            function="evidence.specification_grid",
            options={"tau2": list(tau2), "rho": list(rho), "risk_of_bias": list(risk_of_bias), "rows": list(rows)},
        ),
    )


def _numbers(
    table: pd.DataFrame, like: EffectSizes, tau2: Tau2Method, test: Test, level: float
) -> dict[str, float | int]:
    pooled = pool(as_effects(table, like), tau2=tau2, test=test, level=level)
    return {name: getattr(pooled, name) for name in _NUMBERS}


def _check(
    tau2: Sequence[str], rho: Sequence[float], risk_of_bias: Sequence[str], rows: Sequence[str], test: str
) -> None:
    for name, given, choices in (
        ("tau2", tau2, TAU2_METHODS),
        ("risk_of_bias", risk_of_bias, get_args(Risk)),
        ("rows", rows, tuple(ROW_RULES)),
    ):
        if isinstance(given, str) or not given:
            raise OptionError(f"{name} must be a list of choices that is not empty", hint=f"Choices: {choices}")
        for value in given:
            require_choice(name, value, choices)
    require_choice("test", test, TESTS)
    if not len(rho) or not all(0 <= value < 1 for value in rho):
        raise OptionError(f"rho must be numbers of at least 0 and below 1; got {list(rho)}")


def _sets(
    effects: StudyEffects,
    options: Options,
    rho: Sequence[float],
    comparators: Sequence[str] | None,
    risk_of_bias: Sequence[Risk],
    rules: Sequence[RowRule],
) -> tuple[list[_Set], list[dict[str, Any]]]:
    """The effects of every way to choose rows, and the ways that leave fewer than two."""
    rows = effects.rows
    levels = None if options.by is None else values_of(rows, options.by, options.low_risk_above)
    low = low_risk_rows(rows, options.low_risk_above)
    risks: Sequence[Risk] = risk_of_bias if low is not None else tuple(r for r in risk_of_bias if r == "all")
    if not rows["study"].astype(str).duplicated().any():
        rules, rho = ("combined",), (np.nan,)
    # Of wide tables only what pooling needs is copied again and again.
    slim = rows[["study", "yi", "vi"]].astype({"study": str})
    found: list[_Set] = []
    gone: list[dict[str, Any]] = []
    for comparator, risk in itertools.product(_comparators(levels, comparators), risks):
        kept = pd.Series(True, index=rows.index)
        if comparator != ALL and levels is not None:
            kept &= levels == comparator
        if risk == "low" and low is not None:
            kept &= low
        part = slim[kept]
        for rule in rules:
            for value in rho if rule == "combined" else (np.nan,):
                # One row per study makes nothing to combine, but the rows still are what the rule says.
                table = _by_rule(part, rule, 0.0 if np.isnan(value) else value)
                if len(table) >= 2:
                    found.append(_Set(value, comparator, risk, rule, table))
                    continue
                choices = {"rho": value, "comparator": comparator, "risk_of_bias": risk, "rows": rule}
                gone.append({"tau2": ALL, **choices, "reason": "fewer than two effects"})
    return found, gone


def _comparators(levels: pd.Series | None, asked: Sequence[str] | None) -> list[str]:
    known = [] if levels is None else in_order(levels.dropna())
    if asked is None:
        return [ALL, *(known if len(known) > 1 else [])]
    for level in asked:
        require_choice("comparators", level, [ALL, *known])
    return list(asked)


def _by_rule(rows: pd.DataFrame, rule: RowRule, rho: float) -> pd.DataFrame:
    if rule == "all" or rows.empty:
        return rows
    if rule == "combined":
        return combine(rows, rho)
    ordered = rows if rule == "first" else rows.sort_values("yi", kind="stable", ascending=rule == "lowest")
    return ordered[~ordered["study"].duplicated()].sort_index()
