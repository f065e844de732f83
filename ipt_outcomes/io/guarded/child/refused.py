"""The one exception with which the child refuses a file: a kind and plain facts, never a cell."""

from __future__ import annotations

from typing import Any


class RefusedError(Exception):
    """A file that is not read.

    Parameters
    ----------
    kind : str
        Key of the sentence the parent writes (`ipt_outcomes.io.guarded.sentences`).
    **facts
        Plain counts and names the sentence needs; never the text of another library's exception.

    Attributes
    ----------
    sound : bool
        Whether no library written in C has touched the content yet, so that the process can read on.
    """

    def __init__(self, kind: str, **facts: Any) -> None:
        super().__init__(kind)
        self.kind = kind
        self.facts = facts
        self.sound = False
