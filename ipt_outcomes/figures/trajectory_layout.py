"""The parts of a trajectory figure: each arm's numbers and look, and where everything goes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.figures.canvas import MARGIN, Slot
from ipt_outcomes.figures.checks import percent
from ipt_outcomes.figures.style import TITLE
from ipt_outcomes.figures.words import LINE, fit, literal, text_width, widest
from ipt_outcomes.results import format_number, visible
from ipt_outcomes.results.format import MINUS

if TYPE_CHECKING:
    import pandas as pd

# Lines differ in colour, dash and marker, so that none has to be told by colour alone. The last arm (IPT stands
# last) is solid teal; each colour has a contrast above 4.5 with white.
_LOOKS: tuple[tuple[str, Any, str], ...] = (
    ("#0f7482", "solid", "o"),
    ("#163a66", (0, (5, 2)), "s"),
    ("#a34a12", (0, (1.5, 1.5)), "D"),
    ("#6b3f86", (0, (6, 1.5, 1.5, 1.5)), "^"),
    ("#5c6400", (0, (3, 1)), "v"),
    ("#55656f", (0, (8, 3)), "P"),
)
PLOT_HEIGHT = 2.7
NARROW_PLOT_HEIGHT = 2.3
TICKS = 0.27
ROW_GAP = 0.03
HIDDEN_MARK = "–"
# Between arms that have one mean each, which would hide one another.
APART = 0.13
_MODEL = ("arm", "week", "estimate", "ci_low", "ci_high")
_OBSERVED = ("arm", "week", "n", "mean")


@dataclass(frozen=True, slots=True)
class ArmPath:
    """One arm ready to be drawn."""

    key: str
    name: str
    full: str
    colour: str
    dash: Any
    marker: str
    weeks: np.ndarray
    means: np.ndarray
    lows: np.ndarray
    highs: np.ndarray
    seen_weeks: np.ndarray
    seen: np.ndarray
    n: np.ndarray

    @property
    def last(self) -> float:
        """Where the line (or the observed means) ends; NaN where nothing is drawn."""
        for values in (self.means, self.seen):
            known = values[np.isfinite(values)]
            if known.size:
                return float(known[-1])
        return math.nan


@dataclass(frozen=True, slots=True)
class Across:
    """Places from left to right, in inches, and the limits of the week axis."""

    left: float
    plot_width: float
    label_width: float
    low: float
    high: float
    apart: float

    def at(self, week: float) -> float:
        """Return where a week stands, in inches from the plot's left edge."""
        return (week - self.low) / (self.high - self.low) * self.plot_width


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything goes, in inches from the slot's upper left corner, and the words to be written.

    Parameters
    ----------
    narrow : bool
        Whether names stand above the plot (phone layout).
    across : Across
    head, foot, height : float
        Heights above and below the plot, and of all.
    title : tuple of str
    above : tuple of (str, ArmPath or None)
        Lines above the plot; with an arm a piece of its line stands in front.
    weeks : tuple of float
        Weeks that are labelled.
    y_low, y_high : float
        Limits of the scores.
    rows : tuple of tuple of str
        Each arm's name in front of its row of n, in lines.
    notes : tuple of str
    """

    narrow: bool
    across: Across
    head: float
    foot: float
    height: float
    title: tuple[str, ...]
    above: tuple[tuple[str, ArmPath | None], ...]
    weeks: tuple[float, ...]
    y_low: float
    y_high: float
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def arm_paths(means: pd.DataFrame, observed: pd.DataFrame, names: Mapping[str, str]) -> list[ArmPath]:
    """Return each arm's numbers with its look, in the order of the observed means.

    Raises
    ------
    DesignError
        A frame lacks a column, or there is nothing to draw.
    """
    for frame, wanted, what in ((means, _MODEL, "means"), (observed, _OBSERVED, "observed")):
        absent = [name for name in wanted if name not in frame.columns]
        if absent:
            raise DesignError(f"expected {what} with the columns {', '.join(wanted)}; without {', '.join(absent)}")
    keys = list(dict.fromkeys(str(arm) for arm in [*observed["arm"], *means["arm"]]))
    if not keys:
        raise DesignError("expected at least one arm to draw; got none")
    made = []
    for number, key in enumerate(keys):
        # Counted from the end: the last arm always looks the same, however many stand before it.
        colour, dash, marker = _LOOKS[(len(keys) - 1 - number) % len(_LOOKS)]
        line = means[means["arm"].astype(str).eq(key)].sort_values("week", kind="stable")
        seen = observed[observed["arm"].astype(str).eq(key)].sort_values("week", kind="stable")
        columns = [line[name].to_numpy(dtype=float) for name in _MODEL[1:]]
        points = [seen[name].to_numpy(dtype=float) for name in ("week", "mean", "n")]
        full = visible(names.get(key, key))
        made.append(ArmPath(key, literal(full), full, colour, dash, marker, *columns, *points))
    if not any(np.isfinite(arm.last) for arm in made):
        raise DesignError("expected at least one mean to draw; all are missing or hidden")
    return made


def lay_out(
    slot: Slot,
    arms: Sequence[ArmPath],
    weeks: Sequence[float],
    title: str | None,
    ylabel: str,
    better: str | None,
    level: float,
) -> Layout:
    """Return where everything goes.

    Parameters
    ----------
    slot : Slot
    arms : sequence of ArmPath
    weeks : sequence of float
        Weeks of the observed means, in order.
    title, ylabel, better, level
        As in `ipt_outcomes.figures.trajectory`.

    Returns
    -------
    Layout

    Raises
    ------
    OptionError
        There is no room for the plot.
    """
    inner = slot.width - 2 * MARGIN
    y_low, y_high = _limits(arms)
    across = _across(slot, arms, weeks, ticks=widest(tick_texts(ticks_of(y_low, y_high))))
    room = widest([*(count_text(n) for arm in arms for n in arm.n), *(f"{week:g}" for week in weeks)])
    above = _above(arms, ylabel, better, inner, narrow=slot.narrow)
    heading = tuple(fit(literal(title), inner, size=TITLE, bold=True, lines=3)) if title else ()
    head = 0.06 + 0.19 * len(heading) + (0.06 if heading else 0.0) + LINE * 1.15 * len(above) + 0.1
    notes = [text for note in _notes(arms, level) for text in fit(note, inner, lines=3)]
    rows = [fit(arm.name, inner if slot.narrow else across.left - MARGIN - 0.3, lines=2) for arm in arms]
    table = sum(len(row) + slot.narrow for row in rows) * LINE + ROW_GAP * len(arms)
    foot = TICKS + LINE + 0.1 + LINE + table + 0.06 + LINE * len(notes) + MARGIN
    return Layout(
        narrow=slot.narrow,
        across=across,
        head=head,
        foot=foot,
        height=head + (NARROW_PLOT_HEIGHT if slot.narrow else PLOT_HEIGHT) + foot,
        title=heading,
        above=tuple(above),
        weeks=tuple(_thinned(weeks, across, room + 0.08)),
        y_low=y_low,
        y_high=y_high,
        rows=tuple(tuple(row) for row in rows),
        notes=tuple(notes),
    )


def _across(slot: Slot, arms: Sequence[ArmPath], weeks: Sequence[float], *, ticks: float) -> Across:
    names = widest(arm.name for arm in arms)
    label_width = 0.0 if slot.narrow else min(names + 0.05, 0.22 * slot.width)
    side = MARGIN + ticks + 0.12
    # The table of n has the arms' names in front of it, where the page is wide enough for both.
    left = side if slot.narrow else max(side, MARGIN + min(names, 0.19 * slot.width) + 0.34)
    width = slot.width - MARGIN - left - (label_width + 0.16 if label_width else 0.05)
    if width < 0.8:
        raise OptionError(f"width must leave room for the plot; got {slot.width:g} inches")
    span = (max(weeks) - min(weeks)) or 1.0
    apart = APART if most_means(arms) <= 1 else 0.0
    beside = min(max(0.05 * width, apart * (len(arms) - 1) / 2 + 0.12), 0.4 * width)
    margin = beside / (width - 2 * beside) * span
    low, high = min(weeks) - margin, max(weeks) + margin
    return Across(left, width, label_width, low, high, apart / width * (high - low))


def _above(
    arms: Sequence[ArmPath], ylabel: str, better: str | None, inner: float, *, narrow: bool
) -> list[tuple[str, ArmPath | None]]:
    way = {"lower": "lower is better ↓", "higher": "higher is better ↑", None: ""}[better]
    lines: list[tuple[str, ArmPath | None]] = [(text, None) for text in fit(literal(ylabel), inner, lines=2)]
    if way:
        joined = f"{lines[-1][0]} ({way})"
        lines = [*lines[:-1], (joined, None)] if text_width(joined) <= inner else [*lines, (way, None)]
    if narrow:
        lines += [
            (text, arm if number == 0 else None)
            for arm in arms
            for number, text in enumerate(fit(arm.name, inner - 0.4))
        ]
    return lines


def _notes(arms: Sequence[ArmPath], level: float) -> list[str]:
    drawn = {0: "", 1: "Bars"}.get(most_means(arms), "Lines")
    model = f"{drawn}: model means with {percent(level)} intervals. " if drawn else ""
    notes = [f"{model}Points: observed means."]
    told = weeks_with_n(arms)
    if any(math.isnan(n) for arm in arms for week, n in zip(arm.seen_weeks, arm.n, strict=True) if week in told):
        notes.append(f"{HIDDEN_MARK}: hidden: a small number, or one that would give a small number back.")
    return notes


def weeks_with_n(arms: Sequence[ArmPath]) -> set[float]:
    """Return the weeks at which n of some arm is known: at the others nothing is written."""
    return {
        float(week) for arm in arms for week, n in zip(arm.seen_weeks, arm.n, strict=True) if not math.isnan(float(n))
    }


def most_means(arms: Sequence[ArmPath]) -> int:
    """Return at how many weeks the arm with the most model means has one."""
    return max(int(np.isfinite(arm.means).sum()) for arm in arms)


def _limits(arms: Sequence[ArmPath]) -> tuple[float, float]:
    values = np.concatenate([part for arm in arms for part in (arm.means, arm.lows, arm.highs, arm.seen)])
    values = values[np.isfinite(values)]
    low, high = float(values.min()), float(values.max())
    pad = 0.06 * (high - low) or 0.5
    # A scale without negative scores has no room below 0.
    return (max(low - pad, 0.0) if low >= 0 else low - pad), high + pad


def ticks_of(low: float, high: float) -> list[float]:
    """Return round values between two limits."""
    values = MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    return [float(value) + 0.0 for value in values if low <= value <= high]


def tick_texts(values: Sequence[float]) -> list[str]:
    """Return tick labels with a true minus sign."""
    return [f"{value:g}".replace("-", MINUS) for value in values]


def _thinned(weeks: Sequence[float], across: Across, room: float) -> list[float]:
    """The weeks whose labels fit beside one another, the last always among them."""
    kept: list[float] = []
    for week in reversed(weeks):
        if not kept or across.at(kept[-1]) - across.at(week) >= room:
            kept.append(week)
    return kept[::-1]


def count_text(n: float) -> str:
    """Return a number of people as the table below the plot writes it."""
    return HIDDEN_MARK if math.isnan(n) else format_number(n, "integer")
