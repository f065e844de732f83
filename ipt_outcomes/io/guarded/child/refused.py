"""The one exception with which the child refuses a file: a kind and plain facts, never a cell."""

from __future__ import annotations


class RefusedError(Exception):
    """A file that is not read.

    Parameters
    ----------
    kind : str
        Key of the sentence the parent writes (`ipt_outcomes.io.guarded.sentences`).
    **facts : int, str or None
        Counts and names the sentence needs; never the text of another library's exception.
    """

    def __init__(self, kind: str, **facts: int | str | None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.facts = facts
