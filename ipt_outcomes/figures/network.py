"""A network of treatments: which were compared with which, and by how many studies and people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from matplotlib.axes import Axes

from ipt_outcomes.errors import OptionError
from ipt_outcomes.figures.board import Board, open_board
from ipt_outcomes.figures.canvas import MARGIN, open_slot
from ipt_outcomes.figures.style import ACCENT, POOLED, RULE, styled
from ipt_outcomes.figures.tips import tag
from ipt_outcomes.figures.words import LINE, fit, literal, text_width
from ipt_outcomes.results import format_number, plural, visible

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 24.0
SMALLEST = 7.0
WIDEST = 8.0
AWAY = 0.1


class ArmsLike(Protocol):
    """The arms of the studies of a network."""

    @property
    def study(self) -> np.ndarray:
        """Study of each arm, by number."""

    @property
    def treatment(self) -> np.ndarray:
        """Treatment of each arm, by number."""

    @property
    def pairs(self) -> pd.DataFrame:
        """``study treatment1 treatment2``: the contrasts used, by number."""


class NetworkLike(Protocol):
    """What the figures read of a network meta-analysis."""

    @property
    def treatments(self) -> tuple[Any, ...]:
        """Names of the treatments."""

    @property
    def reference(self) -> Any:
        """Treatment that summaries compare with."""

    @property
    def arms(self) -> ArmsLike:
        """The arms of the studies."""


@dataclass(frozen=True, slots=True)
class _Node:
    """A treatment: where its disc stands, how large it is, its name."""

    x: float
    y: float
    angle: float
    points: float
    lines: tuple[str, ...]


@styled
def network(
    result: NetworkLike,
    *,
    people: Mapping[Any, float] | None = None,
    title: str | None = None,
    width: float = 7.2,
    ax: Axes | None = None,
) -> Axes:
    """Draw the treatments on a circle, joined where studies compared them.

    Parameters
    ----------
    result : NetworkLike
        As `ipt_outcomes.meta.network` gives it.
    people : mapping of treatment to float, optional
        People who got each treatment: the discs' areas. Without it the area is the number of studies.
    title, width, ax
        As in `forest`.

    Returns
    -------
    matplotlib.axes.Axes
        Lines are as wide as the number of studies that compared the two directly.

    Raises
    ------
    OptionError
        `people` lacks a treatment or holds an impossible number.
    """
    names = list(result.treatments)
    studies = _studies_per_treatment(result)
    sizes = studies if people is None else _people(people, names)
    edges = _studies_per_pair(result)
    slot = open_slot(ax, width)
    lines = [tuple(fit(literal(name) or "–", 0.24 * slot.width, lines=3)) for name in names]
    radius, height = _circle(slot.width, lines)
    nodes = _place(slot.width, radius, height, sizes, lines)
    listed: list[list[str]] = []
    if _touching(nodes, slot.width):
        # Names that would touch give way to numbers, with the names below the drawing.
        listed = [fit(f"{i + 1} {literal(name)}", slot.width - 2 * MARGIN) for i, name in enumerate(names)]
        lines = [(str(i + 1),) for i in range(len(names))]
        radius, height = _circle(slot.width, lines)
        nodes = _place(slot.width, radius, height, sizes, lines)
    what = "number of studies" if people is None else "number of people"
    notes = [f"Disc: area by {what}. Line: width by number of studies that compared the two."]
    rows, step = _columns(listed, slot.width)
    board = open_board(slot, height + rows * LINE, title=title, notes=notes)
    _edges(board, nodes, edges, names)
    for i, (node, name) in enumerate(zip(nodes, names, strict=True)):
        words = f"{visible(name)}: {format_number(int(studies[i]), 'integer')} "
        words += plural(int(studies[i]), "study", "studies")
        if people is not None:
            words += f", {format_number(float(sizes[i]), 'integer')} people"
        _disc(board, node, words, strong=name == result.reference)
    _list(board, listed, board.top + height, rows, step)
    return board.ax


def _columns(listed: Sequence[Sequence[str]], width: float) -> tuple[int, float]:
    """How many lines the list of names takes when set in columns, and how far apart these stand."""
    if not listed:
        return 0, 0.0
    longest = max(text_width(line) for each in listed for line in each) + 0.2
    columns = max(1, int((width - 2 * MARGIN + 0.2) / longest)) if all(len(each) == 1 for each in listed) else 1
    return (-(-len(listed) // columns) if columns > 1 else sum(map(len, listed))), longest


def _list(board: Board, listed: Sequence[Sequence[str]], top: float, rows: int, step: float) -> None:
    lines = [line for each in listed for line in each]
    for i, text in enumerate(lines):
        board.words(MARGIN + (i // rows) * step, top + (i % rows + 0.5) * LINE, text)


def _box(node: _Node) -> tuple[float, float, float, float]:
    """The rectangle of a node's name, relative to the middle of the circle."""
    x, y, align = _anchor(node)
    wide, high = max(text_width(line, bold=True) for line in node.lines), len(node.lines) * LINE
    left = {"left": x, "right": x - wide, "center": x - wide / 2}[align]
    return left, y - high / 2, left + wide, y + high / 2


def _touching(nodes: Sequence[_Node], width: float) -> bool:
    """Whether two names touch, or one leaves the page."""
    boxes = [_box(node) for node in nodes]
    if any(box[0] < MARGIN / 2 or box[2] > width - MARGIN / 2 for box in boxes):
        return True
    return any(
        one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]
        for i, one in enumerate(boxes)
        for two in boxes[i + 1 :]
    )


def _studies_per_treatment(result: NetworkLike) -> np.ndarray:
    return np.array([len(set(result.arms.study[result.arms.treatment == i])) for i in range(len(result.treatments))])


def _studies_per_pair(result: NetworkLike) -> dict[tuple[int, int], int]:
    pairs = result.arms.pairs
    found: dict[tuple[int, int], set[int]] = {}
    for study, one, two in zip(
        pairs["study"].tolist(), pairs["treatment1"].tolist(), pairs["treatment2"].tolist(), strict=True
    ):
        found.setdefault((min(one, two), max(one, two)), set()).add(study)
    return {pair: len(found[pair]) for pair in sorted(found)}


def _people(people: Mapping[Any, float], names: Sequence[Any]) -> np.ndarray:
    absent = [str(name) for name in names if name not in people]
    if absent:
        raise OptionError(f"people lacks {', '.join(absent)}: give a number for every treatment")
    numbers = np.array([float(people[name]) for name in names])
    if not (np.isfinite(numbers) & (numbers >= 0)).all():
        raise OptionError("people must be numbers of at least 0")
    return numbers


def _circle(width: float, lines: Sequence[tuple[str, ...]]) -> tuple[float, float]:
    """Radius of the circle and height of the drawing: names stand outside the circle and need room there."""
    longest = max(text_width(line) for each in lines for line in each)
    disc = LARGEST / 144
    across = width / 2 - MARGIN - longest - AWAY - disc
    # Names left and right of the circle are a line apart at least.
    needed = len(lines) * (max(map(len, lines)) * LINE + 0.02) / (2 * math.pi)
    radius = max(min(across, 2.4), 0.7)
    tall = max(radius, needed)
    most = max(map(len, lines)) * LINE
    return radius, 2 * (tall + disc + AWAY + most) + 0.06


def _place(
    width: float, radius: float, height: float, sizes: np.ndarray, lines: Sequence[tuple[str, ...]]
) -> list[_Node]:
    """Place the treatments on the circle; heights are counted from the top of the drawing."""
    most = max(len(each) for each in lines) * LINE
    tall = (height - 0.06) / 2 - LARGEST / 144 - AWAY - most
    largest = float(sizes.max()) or 1.0
    nodes = []
    for i, (size, each) in enumerate(zip(sizes, lines, strict=True)):
        # The first stands on top, the others follow clockwise.
        angle = 2 * math.pi * i / len(lines) - math.pi / 2
        points = max(LARGEST * math.sqrt(float(size) / largest), SMALLEST)
        x, y = width / 2 + radius * math.cos(angle), height / 2 + tall * math.sin(angle)
        nodes.append(_Node(x, y, angle, points, each))
    return nodes


def _edges(board: Board, nodes: Sequence[_Node], edges: Mapping[tuple[int, int], int], names: Sequence[Any]) -> None:
    most = max(edges.values(), default=1)
    for (one, two), count in edges.items():
        (line,) = board.ax.plot(
            [nodes[one].x, nodes[two].x],
            [board.top + nodes[one].y, board.top + nodes[two].y],
            color=RULE,
            linewidth=max(WIDEST * count / most, 0.8),
            solid_capstyle="butt",
            zorder=1,
            scalex=False,
            scaley=False,
        )
        number = f"{format_number(count, 'integer')} {plural(count, 'study', 'studies')}"
        tag(line, f"{visible(names[one])} and {visible(names[two])}: {number}")


def _disc(board: Board, node: _Node, words: str, *, strong: bool) -> None:
    (disc,) = board.ax.plot(
        [node.x],
        [board.top + node.y],
        linestyle="none",
        marker="o",
        markersize=node.points,
        color=POOLED if strong else ACCENT,
        markeredgecolor="white",
        markeredgewidth=0.8,
        zorder=2,
        scalex=False,
        scaley=False,
    )
    tag(disc, words)
    x, y, align = _anchor(node)
    for n, text in enumerate(node.lines):
        top = board.top + y + (n - (len(node.lines) - 1) / 2) * LINE
        board.words(x, top, text, align=align, bold=strong)


def _anchor(node: _Node) -> tuple[float, float, str]:
    """Where a node's name stands: outside the circle, its middle at `y`."""
    away = node.points / 144 + AWAY
    right, down = math.cos(node.angle), math.sin(node.angle)
    align = "center" if abs(right) < 0.2 else "left" if right > 0 else "right"
    half = len(node.lines) * LINE / 2
    if align == "center":
        # Above and below the circle the whole name clears the disc.
        return node.x, node.y + math.copysign(away + half, down), align
    return node.x + math.copysign(away * max(abs(right), 0.5), right), node.y + (away + 0.5 * half) * down, align
