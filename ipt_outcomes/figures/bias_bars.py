"""Risk of bias in one picture: how many studies have each judgement in each domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from ipt_outcomes.errors import require_choice
from ipt_outcomes.figures.bias_risk import KEY_STEP, LIGHTS, draw_judgements, judgement_lines
from ipt_outcomes.figures.board import Board, open_board
from ipt_outcomes.figures.canvas import MARGIN, open_slot
from ipt_outcomes.figures.scatter import need
from ipt_outcomes.figures.style import INK, styled
from ipt_outcomes.figures.tips import tag
from ipt_outcomes.figures.words import LINE, fit, literal, text_width, widest
from ipt_outcomes.results import format_number, plural

if TYPE_CHECKING:
    import pandas as pd

GAP = 0.16


@styled
def risk_of_bias_summary(
    frame: pd.DataFrame,
    *,
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw for each domain how many studies have each judgement.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``domain judgement studies``; judgements are keys of `LIGHTS`.
    title, width, ax
        As in `forest`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    DesignError
        The frame has no rows or lacks a column.
    OptionError
        A judgement is none of the choices.
    """
    need(frame, ("domain", "judgement", "studies"))
    for judgement in frame["judgement"]:
        require_choice("judgement", judgement, tuple(LIGHTS))
    domains = list(dict.fromkeys(frame["domain"]))
    slot = open_slot(ax, width)
    inner = slot.width - 2 * MARGIN
    label = inner if slot.narrow else min(widest(map(literal, domains)) + 0.02, 0.42 * slot.width)
    lines = [fit(literal(domain), label) for domain in domains]
    bar = 0.22
    heights = [len(each) * LINE + bar + 0.1 if slot.narrow else max(len(each) * LINE, bar) + 0.1 for each in lines]
    used = [one for one in LIGHTS if one in set(frame["judgement"])]
    keys = judgement_lines(used, slot.width)
    board = open_board(slot, sum(heights) + 0.3 + len(keys) * KEY_STEP, title=title)
    left = MARGIN if slot.narrow else MARGIN + label + GAP
    y = board.top
    for domain, each, height in zip(domains, lines, heights, strict=True):
        first = y + LINE / 2 + 0.03 if slot.narrow else y + height / 2 - (len(each) - 1) / 2 * LINE
        for n, text in enumerate(each):
            board.words(MARGIN, first + n * LINE, text)
        middle = y + len(each) * LINE + 0.05 + bar / 2 if slot.narrow else y + height / 2
        own = frame[frame["domain"] == domain]
        _bar(board, (left, board.width - MARGIN - left), middle, bar, own, literal(domain))
        y += height
    _percent_axis(board, left, board.width - MARGIN - left, y)
    draw_judgements(board, keys, y + 0.3)
    return board.ax


def _bar(board: Board, across: tuple[float, float], y: float, height: float, own: pd.DataFrame, domain: str) -> None:
    left, width = across
    counts = dict(zip(own["judgement"].tolist(), own["studies"].astype(int).tolist(), strict=True))
    total = sum(counts.values()) or 1
    x = left
    for judgement, look in LIGHTS.items():
        count = counts.get(judgement, 0)
        if not count:
            continue
        share = count / total * width
        patch = Rectangle(
            (x, y - height / 2), share, height, facecolor=look.fill, edgecolor="white", linewidth=0.8, zorder=2
        )
        board.ax.add_patch(patch)
        number = format_number(count, "integer")
        tag(patch, f"{domain}: {look.words} in {number} {plural(count, 'study', 'studies')}")
        text = f"{look.sign} {number}"
        if text_width(text, bold=True) + 0.06 <= share:
            board.words(x + share / 2, y, text, align="center", bold=True, colour=look.ink).set_zorder(3)
        x += share


def _percent_axis(board: Board, left: float, width: float, y: float) -> None:
    line: dict[str, Any] = {"color": INK, "linewidth": 0.8, "scalex": False, "scaley": False, "clip_on": False}
    board.ax.plot([left, left + width], [y] * 2, **line)
    for share in (0.0, 0.5, 1.0):
        x = left + share * width
        board.ax.plot([x, x], [y, y + 0.04], **line)
        align = {0.0: "left", 1.0: "right"}.get(share, "center")
        board.words(x, y + 0.13, f"{100 * share:.0f}%", align=align)
