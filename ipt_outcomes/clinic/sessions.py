"""Bands of attended sessions, and who is in them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ipt_outcomes.clinic.courses import Courses
from ipt_outcomes.clinic.ledger import Ledger
from ipt_outcomes.clinic.outcomes import closed

SESSION_EDGES = (2, 6, 12, 17)
"""Where a new band of attended sessions begins, beside `min_sessions`."""


def session_edges(min_sessions: int) -> tuple[int, ...]:
    """Return where bands of attended sessions begin.

    Parameters
    ----------
    min_sessions : int
        A band begins here, too.

    Returns
    -------
    tuple of int
    """
    return tuple(sorted({1, min_sessions, *(edge for edge in SESSION_EDGES if edge > min_sessions)}))


def session_bands(courses: Courses, edges: tuple[int, ...]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the bands of attended sessions among ended courses, in words, with their masks.

    Parameters
    ----------
    courses : Courses
    edges : tuple of int
        Where a band begins.

    Yields
    ------
    tuple of str and numpy.ndarray of bool
    """
    over = closed(courses)
    for low, above in zip(edges, [*edges[1:], None], strict=True):
        mask = over & (courses.attended >= low)
        label = f"{low} or more"
        if above is not None:
            mask &= courses.attended < above
            label = str(low) if above == low + 1 else f"{low} to {above - 1}"
        yield label, mask


def few_sessions(ledger: Ledger, edges: tuple[int, ...], min_sessions: int) -> None:
    """Say who has too few sessions, where that is a band, in another table of what there can be.

    Parameters
    ----------
    ledger : Ledger
    edges : tuple of int
    min_sessions : int
    """
    if not ledger.courses.knows_sessions or min_sessions == 1:
        return
    label, mask = next(session_bands(ledger.courses, edges))
    if mask[: ledger.possible.real].any():
        ledger.count("sessions", "people", mask, {"sessions": label})
