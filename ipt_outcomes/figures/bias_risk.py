"""Risk of bias: a traffic light per study and domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.figures.board import Board, open_board
from ipt_outcomes.figures.canvas import MARGIN, open_slot
from ipt_outcomes.figures.rows import PAD
from ipt_outcomes.figures.scatter import need
from ipt_outcomes.figures.style import ACCENT, FAINT, INK, PREDICTION, RULE, styled
from ipt_outcomes.figures.tips import tag
from ipt_outcomes.figures.words import LINE, fit, literal, text_width, widest
from ipt_outcomes.results import format_number, visible

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class _Light:
    """A judgement as it is drawn: never by colour alone."""

    words: str
    fill: str
    sign: str
    ink: str


LIGHTS: Mapping[str, _Light] = {
    "low": _Light("low risk", ACCENT, "+", "white"),
    "some": _Light("some concerns", "#f0c75e", "!", INK),
    "unclear": _Light("unclear", "#f0c75e", "?", INK),
    "high or unclear": _Light("high or unclear", "#d98b5f", "?", INK),
    "high": _Light("high risk", PREDICTION, "\N{MINUS SIGN}", "white"),
    "no information": _Light("no information", FAINT, "i", INK),
}
RADIUS = 0.085
CELL = 0.24
KEY_STEP = 0.26
GAP = 0.16


@styled
def risk_of_bias(
    frame: pd.DataFrame,
    *,
    counts: pd.DataFrame | None = None,
    of: int | None = None,
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw the judgement of every study in every domain as a traffic light.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``study domain judgement``; judgements are keys of `LIGHTS`. May be empty where `counts` is given.
    counts : pandas.DataFrame, optional
        ``study low``: items at low risk, as the databank counts them; written behind the lights, or drawn as one
        light per item where there are no domains.
    of : int, optional
        Number of items counted; the largest count if None.
    title, width, ax
        As in `forest`.

    Returns
    -------
    matplotlib.axes.Axes
        Domains are columns D1, D2, ...; the foot of the figure says what they are.

    Raises
    ------
    DesignError
        There is nothing to draw, or a column is missing.
    OptionError
        A judgement is none of the choices, or a count is beyond `of`.
    """
    if counts is None or counts.empty:
        need(frame, ("study", "domain", "judgement"))
    judged = _judged(frame)
    domains = list(dict.fromkeys(frame["domain"])) if len(frame) else []
    tally = {} if counts is None else {s: int(n) for s, n in zip(counts["study"], counts["low"].tolist(), strict=True)}
    total = max(tally.values(), default=0) if of is None else of
    if any(not 0 <= count <= total for count in tally.values()):
        raise OptionError(f"counts must lie between 0 and {total}, the number of items")
    studies = list(dict.fromkeys([*(frame["study"] if len(frame) else ()), *tally]))
    slot = open_slot(ax, width)
    places = len(domains) or total
    heads = [f"D{i + 1}" for i in range(len(domains))]
    behind = f"Low of {total}" if tally else ""
    step = max(CELL + (0.03 if slot.narrow else 0.1), widest(heads, bold=True) + 0.08)
    right = places * step + (text_width(behind, bold=True) + GAP if behind else 0.0)
    room = slot.width - 2 * MARGIN - right - GAP
    lines = [fit(literal(name) or "–", max(room, 0.8)) for name in studies]
    heights = [max(len(each) * LINE + PAD, CELL) for each in lines]
    used = [one for one in LIGHTS if one in set(judged.values())] or (["low"] if tally else [])
    keys = judgement_lines(used, slot.width) if domains else [[]]
    body = 0.26 + sum(heights) + 0.1 + len(keys) * KEY_STEP
    notes = [f"{head}: {visible(domain)}" for head, domain in zip(heads, domains, strict=True)]
    board = open_board(slot, body, title=title, notes=_joined(notes, slot.width))
    left = min(MARGIN + max((widest(each) for each in lines), default=0.0) + GAP, slot.width - MARGIN - right)
    _heads(board, left, step, heads, behind, places)
    y = board.top + 0.26
    for name, each, height in zip(studies, lines, heights, strict=True):
        _study(board, y + height / 2, name, each)
        if domains:
            _lights(board, left, step, y + height / 2, name, domains, judged)
        if tally:
            x = left + places * step + (GAP + text_width(behind, bold=True)) if domains else left + right
            _count(board, (left, step, x), y + height / 2, name, tally.get(name), total, lights=not domains)
        y += height
    draw_judgements(board, keys, y + 0.1)
    return board.ax


def _judged(frame: pd.DataFrame) -> dict[tuple[object, object], str]:
    """Judgements by study and domain; a word that is none is refused."""
    if frame.empty:
        return {}
    for judgement in frame["judgement"]:
        require_choice("judgement", judgement, tuple(LIGHTS))
    keys = zip(frame["study"].tolist(), frame["domain"].tolist(), strict=True)
    return dict(zip(keys, frame["judgement"].tolist(), strict=True))


def _joined(notes: Sequence[str], width: float) -> list[str]:
    """Domains side by side where they fit on a line, so that the foot stays short."""
    lines: list[str] = []
    for note in notes:
        longer = f"{lines[-1]}; {note}" if lines else note
        if lines and text_width(longer) <= width - 2 * MARGIN:
            lines[-1] = longer
        else:
            lines.append(note)
    return lines


def _heads(board: Board, left: float, step: float, heads: Sequence[str], behind: str, places: int) -> None:
    board.words(MARGIN, board.top + 0.1, "Study", bold=True)
    for i, head in enumerate(heads):
        board.words(left + (i + 0.5) * step, board.top + 0.1, head, align="center", bold=True)
    if behind:
        x = left + places * step + GAP + text_width(behind, bold=True)
        board.words(x, board.top + 0.1, behind, align="right", bold=True)
    board.ax.plot(
        [MARGIN, board.width - MARGIN],
        [board.top + 0.22] * 2,
        color=INK,
        linewidth=0.8,
        clip_on=False,
        scalex=False,
        scaley=False,
    )


def _study(board: Board, y: float, name: object, lines: Sequence[str]) -> None:
    for n, text in enumerate(lines):
        artist = board.words(MARGIN, y + (n - (len(lines) - 1) / 2) * LINE, text)
        if "".join(lines).replace(" ", "") != literal(name).replace(" ", ""):
            tag(artist, visible(name))


def _lights(
    board: Board,
    left: float,
    step: float,
    y: float,
    name: object,
    domains: Sequence[str],
    judged: Mapping[tuple[object, object], str],
) -> None:
    for i, domain in enumerate(domains):
        judgement = judged.get((name, domain))
        if judgement is not None:
            light(board, left + (i + 0.5) * step, y, judgement, f"{visible(name)}, {visible(domain)}")


def light(board: Board, x: float, y: float, judgement: str, about: str = "") -> None:
    """Draw one judgement: a disc with its sign."""
    look = LIGHTS[judgement]
    disc = _disc(board, x, y, look.fill, INK)
    if about:
        tag(disc, f"{about}: {look.words}")
    board.words(x, y, look.sign, align="center", bold=True, colour=look.ink).set_zorder(3)


def _disc(board: Board, x: float, y: float, fill: str, edge: str) -> Line2D:
    """Draw a disc as a marker: a hundred of them are a hundred references to one outline."""
    (disc,) = board.ax.plot(
        [x],
        [y],
        linestyle="none",
        marker="o",
        markersize=2 * RADIUS * 72,
        color=fill,
        markeredgecolor=edge,
        markeredgewidth=0.6,
        zorder=2,
        clip_on=False,
        scalex=False,
        scaley=False,
    )
    return disc


def _count(
    board: Board,
    places: tuple[float, float, float],
    y: float,
    name: object,
    count: int | None,
    total: int,
    *,
    lights: bool,
) -> None:
    left, step, right = places
    text = "–" if count is None else format_number(count, "integer")
    board.words(right, y, text, align="right")
    if not lights or count is None:
        return
    for i in range(total):
        full = i < count
        colours = (ACCENT, ACCENT) if full else ("white", RULE)
        disc = _disc(board, left + (i + 0.5) * step, y, *colours)
        if i == 0:
            tag(disc, f"{visible(name)}: {text} of {total} items at low risk")


def judgement_lines(used: Sequence[str], width: float) -> list[list[str]]:
    """The judgements of the key, as many on a line as fit."""
    lines: list[list[str]] = [[]]
    x = MARGIN
    for one in used:
        step = 2 * RADIUS + 0.1 + text_width(LIGHTS[one].words) + 0.2
        if lines[-1] and x + step > width - MARGIN:
            lines.append([])
            x = MARGIN
        lines[-1].append(one)
        x += step
    return lines


def draw_judgements(board: Board, lines: Sequence[Sequence[str]], top: float) -> None:
    """Draw the key of the judgements."""
    for n, line in enumerate(lines):
        x, y = MARGIN, top + (n + 0.5) * KEY_STEP
        for one in line:
            light(board, x + RADIUS, y, one)
            board.words(x + 2 * RADIUS + 0.07, y, LIGHTS[one].words)
            x += 2 * RADIUS + 0.1 + text_width(LIGHTS[one].words) + 0.2
