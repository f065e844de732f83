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
    return text[text.index("<svg") :]


def to_png(ax: Axes, *, dpi: float = 200) -> bytes:
    """Return the figure of an Axes as a PNG image.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        What a function of this package returned.
    dpi : float
        Pixels per inch.

    Returns
    -------
    bytes
        Without software name and date.
    """
    target = io.BytesIO()
    with mpl.rc_context(_SAVING):
        _figure(ax).savefig(target, format="png", dpi=dpi, metadata={"Software": None})
    return target.getvalue()


def _figure(ax: Axes) -> Figure:
    figure = ax.get_figure(root=True)
    if figure is None:
        raise OptionError("ax must be part of a figure; got one that is in none")
    return figure
