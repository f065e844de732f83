"""Text on figures: what users typed is drawn literally, measured, wrapped and cut to its column."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import findfont, get_font
from matplotlib.text import Text
from matplotlib.transforms import Transform

from ipt_outcomes.figures.style import BODY, INK, font
from ipt_outcomes.results import visible
from ipt_outcomes.results.display import REPLACEMENT
from ipt_outcomes.results.format import MISSING

ELLIPSIS = "…"
LINE = 0.155
"""Height of a line of body text, in inches."""

# Measured at a fine resolution: at 100 pixels per inch the rounding of each glyph adds up over a long name.
_DPI = 360.0


@functools.lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    plain, bold = (get_font(findfont(font(bold=weight))).get_charmap().keys() for weight in (False, True))
    return frozenset(plain) & frozenset(bold)


@functools.lru_cache(maxsize=1)
def _renderer() -> RendererAgg:
    return RendererAgg(1, 1, _DPI)  # type: ignore[no-untyped-call]


def literal(value: object) -> str:
    """Return user text ready to draw: no control characters, and only glyphs the font has.

    Parameters
    ----------
    value : object
        What a user typed; None and NaN become an en dash.

    Returns
    -------
    str
        A character without a glyph becomes the replacement character; marks that join or vary such a
        character are left out.
    """
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return MISSING
    glyphs = _glyphs()
    return "".join(
        char if ord(char) in glyphs else "" if unicodedata.category(char) in {"Cf", "Mn"} else REPLACEMENT
        for char in visible(value)
    )


@functools.lru_cache(maxsize=8192)
def text_width(text: str, size: float = BODY, bold: bool = False) -> float:
    """Return the width of one line of text, in inches."""
    if not text:
        return 0.0
    measure: Any = _renderer()  # matplotlib leaves this class untyped
    width, _, _ = measure.get_text_width_height_descent(text, font(size, bold=bold), False)
    return float(width) / _DPI


def widest(texts: Iterable[str], *, bold: bool = False) -> float:
    """Return the width of the widest text, in inches; 0 for none."""
    return max((text_width(text, BODY, bold) for text in texts), default=0.0)


def fit(text: str, width: float, *, lines: int = 2, size: float = BODY, bold: bool = False) -> list[str]:
    """Break text into at most `lines` lines of at most `width` inches, cut with an ellipsis if need be.

    Parameters
    ----------
    text : str
        One paragraph.
    width : float
        In inches.
    lines : int
        The most lines allowed.
    size : float
        Type size in points.
    bold : bool
        Whether it is set in bold.

    Returns
    -------
    list of str
        At least one line.
    """
    if text_width(text, size, bold) <= width:
        return [text]
    done: list[str] = []
    rest = text
    while rest and len(done) < lines - 1:
        cut = _longest(rest, width, size, bold)
        if cut >= len(rest):
            break
        blank = rest.rfind(" ", 0, cut + 1)
        cut = blank if blank > 0 else cut
        done.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    if text_width(rest, size, bold) > width:
        room = width - text_width(ELLIPSIS, size, bold)
        rest = rest[: _longest(rest, room, size, bold)].rstrip() + ELLIPSIS
    return [*done, rest]


def _longest(text: str, width: float, size: float, bold: bool) -> int:
    """Return how many leading characters fit, at least one so that wrapping always ends."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if text_width(text[:middle], size, bold) <= width:
            low = middle
        else:
            high = middle - 1
    return low


def write(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    transform: Transform,
    *,
    align: str = "left",
    size: float = BODY,
    bold: bool = False,
    colour: str = INK,
) -> Text:
    """Draw one line of literal text whose capitals are centred on `y`."""
    artist = ax.text(
        x,
        y,
        text,
        transform=transform,
        ha=align,
        va="center_baseline",
        fontproperties=font(size, bold=bold),
        color=colour,
        clip_on=False,
        parse_math=False,
        usetex=False,
    )
    artist.set_in_layout(False)
    return artist
