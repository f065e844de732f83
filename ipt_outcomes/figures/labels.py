"""Names beside the points of a scatter plot: as many as fit without touching one another, a point or the frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipt_outcomes.figures.words import fit, text_width

HEIGHT = 0.15
AWAY = 0.07
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Label:
    """A name and where it stands, in inches from the lower left corner of the plot."""

    point: int
    text: str
    x: float
    y: float
    align: str


def place_labels(
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    first: Sequence[int],
    size: tuple[float, float],
    *,
    radius: float = 0.045,
    longest: float = 1.9,
) -> list[Label]:
    """Choose places for names beside their points.

    Parameters
    ----------
    points : sequence of (float, float)
        In inches from the lower left corner of the plot.
    names : sequence of str
        Ready to draw.
    first : sequence of int
        The points to name, the most important first; one without room goes without a name.
    size : tuple of float
        Width and height of the plot in inches.
    radius : float
        Of a point.
    longest : float
        Width at which a name is cut.

    Returns
    -------
    list of Label
    """
    taken: list[Box] = [(x - radius, y - radius, x + radius, y + radius) for x, y in points]
    placed: list[Label] = []
    for i in first:
        text = fit(names[i], min(longest, size[0] / 2), lines=1)[0]
        for label, box in _places(i, text, points[i]):
            inside = box[0] >= 0 and box[1] >= 0 and box[2] <= size[0] and box[3] <= size[1]
            if inside and not any(_touch(box, other) for n, other in enumerate(taken) if n != i):
                taken.append(box)
                placed.append(label)
                break
    return placed


def _places(i: int, text: str, point: tuple[float, float]) -> list[tuple[Label, Box]]:
    """Right, left, above and below the point, and between."""
    x, y = point
    wide, half = text_width(text), HEIGHT / 2
    spots = []
    for dy in (0.0, 0.1, -0.1):
        spots.append((Label(i, text, x + AWAY, y + dy, "left"), x + AWAY))
        spots.append((Label(i, text, x - AWAY, y + dy, "right"), x - AWAY - wide))
    for dy in (0.13, -0.13):
        spots.append((Label(i, text, x, y + dy, "center"), x - wide / 2))
    return [(label, (left, label.y - half, left + wide, label.y + half)) for label, left in spots]


def _touch(one: Box, two: Box) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]
