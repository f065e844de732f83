"""A bar for what takes long."""

from __future__ import annotations

from collections.abc import Iterator


def counted(count: int, what: str, *, show: bool) -> Iterator[int]:
    """Yield the numbers below a count; on a terminal or in a notebook with a bar, where `show` is true.

    Parameters
    ----------
    count : int
    what : str
        Stands in front of the bar.
    show : bool

    Yields
    ------
    int
    """
    if not show:
        yield from range(count)
        return
    from rich.progress import track

    yield from track(range(count), description=what)
