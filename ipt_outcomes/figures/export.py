"""Figures as bytes: the same figure gives the same SVG and PNG every time."""

from __future__ import annotations

import io
import re
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ipt_outcomes.errors import OptionError
from ipt_outcomes.figures.style import RC

# matplotlib seeds the ids of clip paths and markers with this; a random one would change the bytes.
_SALT = "ipt-outcomes"
# A user's own settings (tight boxes, transparent pages) must not change a report's figures.
_SAVING: Any = {
    **RC,
    "savefig.bbox": None,
    "savefig.facecolor": "auto",
    "savefig.edgecolor": "auto",
    "savefig.transparent": False,
    "savefig.orientation": "portrait",
    "svg.hashsalt": _SALT,
    "svg.fonttype": "path",
    "svg.image_inline": True,
    "path.simplify": True,
    "path.snap": True,
}
_NO_METADATA: Any = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_COMMENT = re.compile(r"<!--.*?-->\s*", re.DOTALL)
# A drawing of hundreds of rows has letters enough for megabytes: what says nothing is left out.
_BLANK = re.compile(r">\s+<")
_MOVED = re.compile(r'(<use [^>]*)transform="translate\(([-\d.]+) 0\)"')
_DATA = re.compile(r'(?<= (?:d|x|y)=")[^"]*')
_FINE = re.compile(r"-?\d+\.\d{3,}")
_COMMAND = re.compile(r"\s*([A-Za-z])\s*")
_TALLEST = 12_000
"""Pixels: taller images are slow to write, and word processors refuse them."""


def to_svg(ax: Axes) -> str:
    """Return the figure of an Axes as an SVG element with its letters drawn as outlines.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        What a function of this package returned.

    Returns
    -------
    str
        Without XML prolog, date and comments (matplotlib repeats each text in a comment, which would put what
        users typed into the page unescaped by its writer).
    """
    target = io.StringIO()
    with mpl.rc_context(_SAVING):
        _figure(ax).savefig(target, format="svg", metadata=_NO_METADATA)
    text = _COMMENT.sub("", target.getvalue())
    return _compact(text[text.index("<svg") :])


def _compact(svg: str) -> str:
    """Write the same drawing in fewer letters: no indentation, hundredths of a point."""
    svg = _BLANK.sub("><", svg).replace("<defs></defs>", "")
    svg = _MOVED.sub(r'\1x="\2"', svg).replace("DejaVuSans-", "f-")
    return _DATA.sub(lambda found: _COMMAND.sub(r"\1", _FINE.sub(_hundredths, found[0])), svg)


def _hundredths(found: re.Match[str]) -> str:
    return f"{float(found[0]):.2f}".rstrip("0").rstrip(".")


def to_png(ax: Axes, *, dpi: float = 200) -> bytes:
    """Return the figure of an Axes as a PNG image.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        What a function of this package returned.
    dpi : float
        Pixels per inch; fewer where the image would be more than 12 000 pixels high.

    Returns
    -------
    bytes
        Without software name and date.
    """
    target = io.BytesIO()
    figure = _figure(ax)
    dpi = min(dpi, _TALLEST / figure.get_figheight())
    with mpl.rc_context(_SAVING):
        figure.savefig(target, format="png", dpi=dpi, metadata={"Software": None})
    return target.getvalue()


def _figure(ax: Axes) -> Figure:
    figure = ax.get_figure(root=True)
    if figure is None:
        raise OptionError("ax must be part of a figure; got one that is in none")
    return figure
