"""SAS data sets and catalogs: the pages the header counts."""

from __future__ import annotations

from .promise import Bytes, Whole
from .refused import RefusedError


def check_sas(content: bytes, cells: int) -> Whole:
    """Check that a .sas7bdat has all the pages its header counts.

    Raises
    ------
    RefusedError
        ``cut`` or ``more``: fewer pages than the header counts, or bytes after them.
    """
    wide = content[32] == ord("3")
    shift = 4 if content[35] == ord("3") else 0
    at = Bytes(content, "<" if content[37] == 1 else ">", 196 + shift)
    head, page = at.number("i"), at.number("i")
    pages = at.number("q" if wide else "i")
    if head <= 0 or page <= 0 or pages < 0:
        raise ValueError
    if len(content) < head + page * pages:
        raise RefusedError("cut")
    if len(content) > head + page * pages:
        raise RefusedError("more")
    return Whole()
