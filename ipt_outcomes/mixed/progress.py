"""A bar for what takes long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def counted(items: Sequence[T] | range, what: str, *, show: bool) -> Iterator[T]:
    """Yield the items; on a terminal or in a notebook with a bar, where `show` is true.

    Parameters
    ----------
    items : sequence
    what : str
        Stands in front of the bar.
    show : bool

    Yields
    ------
    object
    """
    if not show:
        yield from items  # type: ignore[misc]
        return
    from rich.progress import track

    yield from track(items, description=what)  # type: ignore[arg-type]
