"""The look of every figure: colours, type sizes, line widths; applied inside a context, never globally."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
from matplotlib.font_manager import FontProperties

P = ParamSpec("P")
R = TypeVar("R")

# Teal against navy and rust stay apart under the three common colour-vision deficiencies, and each has a
# contrast above 4.5 with white. The greys of the funnel differ in lightness only.
INK = "#16232b"
MUTED = "#55656f"
RULE = "#9aa7ae"
FAINT = "#d5dce0"
ACCENT = "#0f7482"
POOLED = "#163a66"
PREDICTION = "#a34a12"
BAND = "#dbe6f1"
FUNNEL_SHADES = ("#ffffff", "#d3dbe0", "#e3e8eb", "#f1f4f5")

FAMILY = "DejaVu Sans"
# 8.5 pt is 11 CSS pixels at 96 pixels per inch, the smallest text a report may show.
BODY = 8.5
TITLE = 10.0

NARROW_BELOW = 5.0

# Any: matplotlib's own type for this is a dict of a Literal of all its settings.
RC: Any = {
    "font.family": [FAMILY],
    "font.size": BODY,
    "text.usetex": False,
    "text.color": INK,
    "axes.unicode_minus": True,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.linewidth": 0.8,
    "axes.grid": False,
    "axes.labelsize": BODY,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": BODY,
    "ytick.labelsize": BODY,
    "xtick.direction": "out",
    "ytick.direction": "out",
    "xtick.minor.visible": False,
    "ytick.minor.visible": False,
    "legend.fontsize": BODY,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "path.sketch": None,
    "path.effects": [],
}


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """Run a drawing function under the house style and leave matplotlib's settings as they were."""

    @functools.wraps(function)
    def draw(*args: P.args, **kwargs: P.kwargs) -> R:
        with mpl.rc_context(RC):
            return function(*args, **kwargs)

    return draw


def font(size: float = BODY, *, bold: bool = False) -> FontProperties:
    """Return the type of a figure: DejaVu Sans, which ships with matplotlib, so it is the same everywhere."""
    return FontProperties(family=[FAMILY], size=size, weight="bold" if bold else "normal")
