"""Rates with their intervals: a dot and a line per row, counts beside them, hidden ones named as hidden."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.figures.canvas import open_slot
from ipt_outcomes.figures.checks import check_level, percent
from ipt_outcomes.figures.page import Page, draw_page
from ipt_outcomes.figures.rows import Row
from ipt_outcomes.figures.scale import Scale
from ipt_outcomes.figures.style import styled
from ipt_outcomes.figures.words import literal
from ipt_outcomes.results import format_interval, format_number, visible

if TYPE_CHECKING:
    import pandas as pd

HIDDEN = "hidden"
HIDDEN_NOTE = "Hidden: small numbers, and numbers that would give one away."
NOBODY = "nobody to count"
GROUP_GAP = 0.1
# A dot at 0 or 100 percent stays whole.
_SCALE = Scale(low=-2.0, high=102.0, ratio=False)
_DOT = 0.5
_COLUMNS = ("label", "numerator", "denominator", "percent", "ci_low", "ci_high")


@dataclass(frozen=True, slots=True)
class _Rate:
    """One row of the frame: words, counts, percentages."""

    label: str
    numerator: float | None
    denominator: float | None
    percent: float | None
    low: float | None
    high: float | None
    hidden: bool
    bold: bool


@styled
def rates(
    frame: pd.DataFrame,
    *,
    label_header: str = "",
    level: float = 0.95,
    xlabel: str = "Percent of people",
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw rates with their confidence intervals.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per rate: ``label numerator denominator percent ci_low ci_high`` (percentages 0-100), and optionally
        ``group`` (rows of one group stand under its heading, groups in the order in which they come), ``hidden``
        (True: listed as "hidden", whatever else the row holds is not used) and ``bold`` (rows of
        everyone). A row without a percentage is listed as "nobody to count".
    label_header : str
        Heading over the labels.
    level : float
        Confidence level of the intervals.
    xlabel : str
        Words under the axis.
    title : str, optional
    width : float
        Width of a new figure in inches; below 5 each row's words stand above its mark (phone layout).
    ax : matplotlib.axes.Axes, optional
        Axes whose place is used; a new figure of the right height if None.

    Returns
    -------
    matplotlib.axes.Axes
        ``axes.figure`` is the figure.

    Raises
    ------
    DesignError
        The frame has no rows or lacks a column.
    OptionError
        A percentage is not between 0 and 100, or an option is not valid.

    Notes
    -----
    The axis runs from 0 to 100 percent whatever the rates, so that small rates look small.
    """
    check_level(level)
    absent = [name for name in _COLUMNS if name not in frame.columns]
    if absent or frame.empty:
        found = f"no column {', '.join(absent)}" if absent else "no rows"
        raise DesignError(f"expected a frame with {', '.join(_COLUMNS)} and at least one row; found {found}")
    slot = open_slot(ax, width)
    rows: list[Row] = []
    for heading, block in _blocks(frame):
        if heading is not None:
            rows.append(Row(label=literal(heading), bold=True, gap=GROUP_GAP))
        for each in block:
            row = _row(each, heading, level, narrow=slot.narrow)
            rows.append(row if slot.narrow or heading is None else replace(row, indent=True))
    interval = f"% ({percent(level)} CI)"
    page = Page(
        rows=rows,
        label_header=label_header,
        headers=(f"n/N: {interval}",) if slot.narrow else ("n/N", interval),
        scale=_SCALE,
        axis=xlabel,
        title=title,
        notes=(HIDDEN_NOTE,) if any(row.cells[-1:] == (HIDDEN,) for row in rows) else (),
    )
    return draw_page(slot, page)


def _blocks(frame: pd.DataFrame) -> list[tuple[Any, list[_Rate]]]:
    """Return the groups in order of appearance, each with its rates."""
    headings = frame["group"].tolist() if "group" in frame else [None] * len(frame)
    order = list(dict.fromkeys(headings))
    rates_of = [_rate(record) for record in frame.to_dict(orient="records")]
    return [(h, [rate for own, rate in zip(headings, rates_of, strict=True) if own == h]) for h in order]


def _rate(record: dict[Any, Any]) -> _Rate:
    numbers = [_number(record[name]) for name in _COLUMNS[1:]]
    hidden = bool(record.get("hidden", False))
    shares = [share for share in numbers[2:] if share is not None]
    if not hidden and any(not 0 <= share <= 100 for share in shares):
        raise OptionError(f"expected percentages from 0 to 100 in the row {visible(record['label'])!r}")
    numerator, denominator, share, low, high = numbers
    bold = bool(record.get("bold", False))
    return _Rate(str(record["label"]), numerator, denominator, share, low, high, hidden, bold)


def _number(value: Any) -> float | None:
    if value is None or type(value).__name__ == "NAType":
        return None
    number = float(value)
    return None if math.isnan(number) else number


def _row(rate: _Rate, heading: Any, level: float, *, narrow: bool) -> Row:
    label, full = literal(rate.label) or "–", visible(rate.label)
    if rate.hidden or rate.percent is None or rate.low is None or rate.high is None:
        # Nothing of the row is used: not its place on the axis, not a tip.
        words = HIDDEN if rate.hidden else NOBODY
        return Row(label=label, name=full, cells=(words,) if narrow else ("", words), muted=True, bold=rate.bold)
    counts = f"{format_number(rate.numerator, 'integer')}/{format_number(rate.denominator, 'integer')}"
    # One decimal: one person of many is not 0%.
    share = f"{format_number(rate.percent, 'decimal1')}% ({format_interval(rate.low, rate.high, 'decimal1')})"
    about = f"{visible(heading)}, " if heading is not None else ""
    return Row(
        label=label,
        name=full,
        cells=(f"{counts}: {share}",) if narrow else (counts, share),
        mark="square",
        estimate=rate.percent,
        low=rate.low,
        high=rate.high,
        size=_DOT,
        tip=f"{about}{full}: {counts}, {share}, {percent(level)} interval",
        bold=rate.bold,
    )
