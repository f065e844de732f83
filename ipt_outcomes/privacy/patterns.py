"""Values that look like identifiers or free text (rules L3 and L4): found and counted, never shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

LONGEST_CODE = 40
"""Characters; a longer cell is free text."""

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mai|okt|dez)[a-z]*\.?"
# Dates first: an ISO date looks like part of a telephone number.
_PATTERNS = (
    (
        "a full date",
        rf"(?i)(?<![\d.])(?:(?:18|19|20)\d\d([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])"
        rf"|(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\2(?:(?:18|19|20)\d\d|\d\d)"
        rf"|(?:0?[1-9]|[12]\d|3[01])[\s.-]*{_MONTH}[\s,-]*(?:18|19|20)?\d\d"
        rf"|{_MONTH}\s*(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?,?\s*(?:18|19|20)\d\d)(?!\d|\.\d)",
    ),
    ("an e-mail address", r"[^\s@]+@[^\s@]+\.[A-Za-z]{2,}"),
    ("a web address", r"(?i)https?://|\bwww\."),
    ("an IP address", r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"),
    ("a social security number", r"(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)"),
    ("a postcode", r"(?<!\w)(?:[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}|[a-z]{1,2}\d[a-z\d]? \d[a-z]{2})(?!\w)"),
    ("a ZIP code", r"(?<!\d)\d{5}-\d{4}(?!\d)"),
    (
        "a telephone number",
        r"(?<![\w.])(?:\+\d[\d\s()/.-]{7,}\d|\(?0\d{2,4}\)?[\s/-]?\d{3,4}[\s-]?\d{3,4}(?![\d.])"
        r"|\(?\d{3}\)?[\s.-]\d{3}[\s.-]\d{4}(?!\d))",
    ),
)
_KNOWN = tuple((kind, re.compile(pattern)) for kind, pattern in _PATTERNS)
_NHS = re.compile(r"(?<!\d)\d{3}[ -]?\d{3}[ -]?\d{4}(?!\d)")


@dataclass(frozen=True, slots=True)
class Finding:
    """Values of one kind in a column.

    Parameters
    ----------
    rule : {"L3", "L4"}
    kind : str
        What they look like, in words.
    count : int
        Cells.
    values : frozenset of str
        The values, to find their cells; never to be shown. Empty where it is the column as a whole.
    """

    rule: str
    kind: str
    count: int
    values: frozenset[str] = field(default=frozenset(), repr=False, compare=False)


def looks_like(value: str) -> str | None:
    """Say which identifier a value looks like.

    Parameters
    ----------
    value : str

    Returns
    -------
    str or None

    Examples
    --------
    >>> looks_like("a.b@example.org"), looks_like("2019-03-04"), looks_like("12.5 (3.1-18.2)")
    ('an e-mail address', 'a full date', None)
    """
    if len(value) < 5:
        return None
    if _is_nhs_number(value):
        return "an NHS number"
    return next((kind for kind, pattern in _KNOWN if pattern.search(value)), None)


def _is_nhs_number(value: str) -> bool:
    """Ten digits whose last one is the check digit (modulus 11, weights 10 to 2)."""
    for match in _NHS.finditer(value):
        digits = [int(c) for c in match.group() if c.isdigit()]
        check = 11 - sum(d * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11
        if check % 11 == digits[9] and check != 10:
            return True
    return False


def scan(
    values: Sequence[str],
    counts: np.ndarray,
    *,
    units: int | None = None,
    most_levels: int | None = None,
    variety: bool = True,
) -> list[Finding]:
    """Look through the different values of a text column.

    Parameters
    ----------
    values : sequence of str, shape (m,)
        The different values.
    counts : numpy.ndarray of int, shape (m,)
        In how many cells each stands.
    units : int, optional
        How many persons tell a value, for a column about persons: each person's words stand in all rows of the
        person. Default: the number of cells.
    most_levels : int, optional
        More different values than this are free text.
    variety : bool
        Whether more than half of the values being different makes free text of them.

    Returns
    -------
    list of Finding
        Empty where nothing was found.
    """
    found: dict[tuple[str, str], int] = {}
    texts: dict[tuple[str, str], set[str]] = {}
    for value, count in zip(values, counts, strict=True):
        kind = looks_like(value)
        key = ("L3", kind) if kind is not None else ("L4", f"text longer than {LONGEST_CODE} characters")
        if kind is not None or len(value) > LONGEST_CODE:
            found[key] = found.get(key, 0) + int(count)
            texts.setdefault(key, set()).add(value)
    total, different = int(counts.sum()), len(values)
    # A handful of different values may well be codes, however few the rows.
    many = variety and different > 5 and different * 2 > (total if units is None else units)
    if not found and (many or (most_levels is not None and different > most_levels)):
        found["L4", f"{different} different values, as free text has"] = total
    return [Finding(rule, kind, count, frozenset(texts.get((rule, kind), ()))) for (rule, kind), count in found.items()]
