"""Sentences with numbers in them: a template of ours, filled with results, never with numbers as text."""

from __future__ import annotations

from string import Formatter

from ipt_outcomes.errors import IptError
from ipt_outcomes.tables import Content, Inline

NO_BREAK = "\N{NO-BREAK SPACE}"


def say(template: str, **parts: Inline | Content) -> Content:
    """Fill a sentence.

    Parameters
    ----------
    template : str
        A sentence of ours with places such as ``{estimate}``; what a user typed is only ever a part.
    **parts : Inline or Content
        What stands in each place: text, a `Value`, or a sequence of those.

    Returns
    -------
    Content

    Raises
    ------
    IptError
        A place has no part.

    Examples
    --------
    >>> say("The table has {n} rows.", n="12")
    ('The table has ', '12', ' rows.')
    """
    content: list[Inline] = []
    for text, name, _, _ in Formatter().parse(template):
        if text:
            content.append(text)
        if name is None:
            continue
        if name not in parts:
            raise IptError(f"no part for {{{name}}} in: {template}")
        part = parts[name]
        content.extend(part if isinstance(part, tuple) else (part,))
    return tuple(content)


def capital(text: str) -> str:
    """Return text with a capital first letter."""
    return text[:1].upper() + text[1:]
