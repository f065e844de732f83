"""Words that depend on counts: the one home of lists and plurals."""

from __future__ import annotations

from collections.abc import Sequence


def plural(count: int, one: str, many: str) -> str:
    """Return the word for a count.

    Parameters
    ----------
    count : int
    one, many : str

    Returns
    -------
    str

    Examples
    --------
    >>> plural(1, "study", "studies"), plural(0, "study", "studies")
    ('study', 'studies')
    """
    return one if count == 1 else many


def listed(words: Sequence[str], last: str = "and") -> str:
    """Join words as a sentence does.

    Parameters
    ----------
    words : sequence of str
        At least one.
    last : str
        Word before the last.

    Returns
    -------
    str

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
