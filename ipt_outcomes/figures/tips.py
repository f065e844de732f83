"""Tooltips: a mark carries its text in its gid, and the page writer turns it into an SVG ``<title>``.

An SVG id must be unique and free of blanks and quotes, so the text travels as hexadecimal UTF-8 behind a
running number.
"""

from __future__ import annotations

import re

from matplotlib.artist import Artist

from ipt_outcomes.errors import IptError

_COUNT = "_ipt_tip_count"
_GID = re.compile(r"tip-\d{4,}-((?:[0-9a-f]{2})*)")


def tag(artist: Artist, text: str) -> None:
    """Give an artist the text a reader sees when pointing at it.

    Parameters
    ----------
    artist : matplotlib.artist.Artist
        Already part of a figure.
    text : str
        Any text; it is encoded, never interpreted.

    Raises
    ------
    IptError
        The artist belongs to no figure, so that no running number can be given.
    """
    figure = artist.get_figure(root=True)
    if figure is None:
        raise IptError("expected an artist that is part of a figure; got one that is in none")
    # The count lives on the figure: searching all artists for tags would be quadratic in the rows.
    number = int(getattr(figure, _COUNT, 0)) + 1
    setattr(figure, _COUNT, number)
    artist.set_gid(f"tip-{number:04d}-{text.encode('utf-8', 'replace').hex()}")


def tip_text(gid: str | None) -> str | None:
    """Return the text `tag` put into a gid, or None for any other gid.

    Parameters
    ----------
    gid : str or None
        What ``artist.get_gid()`` or an SVG ``id`` holds.

    Returns
    -------
    str or None

    Examples
    --------
    >>> tip_text("tip-0001-4b6c65696e"), tip_text("axes_1")
    ('Klein', None)
    """
    match = _GID.fullmatch(gid or "")
    return bytes.fromhex(match.group(1)).decode("utf-8") if match else None
