"""Rows of a forest-like figure: what each row says and marks, and where it goes on the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from ipt_outcomes.figures.canvas import MARGIN
from ipt_outcomes.figures.style import NARROW_BELOW
from ipt_outcomes.figures.words import LINE, fit, text_width, widest

Mark = Literal["none", "square", "diamond", "bar", "summary"]

PAD = 0.05
LANE = 0.17
GAP = 0.16
INDENT = 0.1


class PooledLike(Protocol):
    """What a figure reads of a pooled effect; ratios on the log scale."""

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
        """Effects pooled."""

    @property
    def tau2(self) -> float:
        """Variance of the true effects."""

    @property
    def i2(self) -> float | None:
        """I squared in percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: its words, and the interval it draws.

    Parameters
    ----------
    label : str
        Literal text, unbroken.
    cells : tuple of str
        Texts of the right-hand columns.
    mark : {"none", "square", "diamond", "bar", "summary"}
        What is drawn; "summary" is a point with a confidence and a prediction interval.
    estimate, low, high : float
        On the scale of the analysis; NaN where there is none.
    outer_low, outer_high : float
        Prediction interval of a "summary".
    size : float
        Share of the largest weight, which sets the area of a square.
    tip : str
        Text shown when pointing at the mark.
    name : str
        Full label, for the tip of a label that had to be cut.
    bold, muted, indent : bool
    gap : float
        Space above, in inches.
    """

    label: str
    cells: tuple[str, ...] = ()
    mark: Mark = "none"
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    outer_low: float = math.nan
    outer_high: float = math.nan
    size: float = 1.0
    tip: str = ""
    name: str = ""
    bold: bool = False
    muted: bool = False
    indent: bool = False
    gap: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Horizontal places in inches from the slot's left edge."""

    narrow: bool
    left: float
    label_width: float
    plot_left: float
    plot_width: float
    cell_rights: tuple[float, ...]
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A row with its lines of text and its heights in inches from the top of the body."""

    row: Row
    lines: tuple[str, ...]
    text_y: tuple[float, ...]
    cell_y: float
    lane_y: float
    bottom: float


def lay_columns(rows: Sequence[Row], headers: tuple[str, ...], label_header: str, width: float) -> Columns:
    """Divide the width: labels, plot, numbers; on a phone the plot takes the whole width."""
    inner = width - 2 * MARGIN
    widths = [
        max(
            widest(row.cells[i] for row in rows if len(row.cells) > i),
            widest((row.cells[i] for row in rows if len(row.cells) > i and row.bold), bold=True),
            widest([header], bold=True),
        )
        for i, header in enumerate(headers)
    ]
    rights = [width - MARGIN - sum(widths[i + 1 :]) - GAP * (len(widths) - 1 - i) for i in range(len(widths))]
    if width < NARROW_BELOW:
        inset = 0.22
        return Columns(
            narrow=True,
            left=MARGIN,
            label_width=inner,
            plot_left=inset,
            plot_width=width - 2 * inset,
            cell_rights=tuple(rights),
            width=width,
        )
    numbers = sum(widths) + GAP * len(widths)
    wanted = max(
        widest([label_header], bold=True),
        max((text_width(r.label, bold=r.bold) + INDENT * r.indent for r in rows), default=0.0),
    )
    # The plot keeps at least 36% of the page: long names wrap before they squeeze it.
    label = min(max(wanted + 0.02, 0.8), max(inner - numbers - GAP - 0.36 * width, 0.16 * width))
    left = MARGIN + label + GAP
    return Columns(
        narrow=False,
        left=MARGIN,
        label_width=label,
        plot_left=left,
        plot_width=width - MARGIN - numbers - left,
        cell_rights=tuple(rights),
        width=width,
    )


def lay_rows(rows: Sequence[Row], columns: Columns) -> list[Placed]:
    """Stack the rows from the top; heights in inches, growing downwards."""
    placed: list[Placed] = []
    top = 0.0
    for row in rows:
        top += row.gap
        item = _lay_narrow(row, columns, top) if columns.narrow else _lay_wide(row, columns, top)
        placed.append(item)
        top = item.bottom
    return placed


def _lay_wide(row: Row, columns: Columns, top: float) -> Placed:
    room = columns.label_width - INDENT * row.indent
    lines = fit(row.label, room, bold=row.bold)
    height = len(lines) * LINE + PAD
    centre = top + height / 2
    return Placed(
        row=row,
        lines=tuple(lines),
        text_y=tuple(centre + (i - (len(lines) - 1) / 2) * LINE for i in range(len(lines))),
        cell_y=centre,
        lane_y=centre,
        bottom=top + height,
    )


def _lay_narrow(row: Row, columns: Columns, top: float) -> Placed:
    numbers = max((text_width(cell, bold=row.bold) for cell in row.cells), default=0.0)
    room = columns.label_width - INDENT * row.indent - (numbers + GAP if numbers else 0.0)
    lines = fit(row.label, room, bold=row.bold)
    first = top + PAD / 2 + LINE / 2
    end = top + PAD / 2 + len(lines) * LINE
    lane = LANE if row.mark != "none" else 0.0
    return Placed(
        row=row,
        lines=tuple(lines),
        text_y=tuple(first + i * LINE for i in range(len(lines))),
        cell_y=first,
        lane_y=end + lane / 2,
        bottom=end + lane + PAD / 2,
    )
