"""A thing that looks wrong in a study table, and what all checks share."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import pandas as pd

from ipt_outcomes.io.delimited import rows_in_words
from ipt_outcomes.results import format_number

_MOST_STUDIES = 8
_STUDIES_NAMED = 5
_LONGEST = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """Something a person should look at.

    Parameters
    ----------
    kind : str
        ``"reading"``, ``"se_as_sd"``, ``"sign"``, ``"shared_control"``, ``"names"``, ``"duplicate"``,
        ``"words"``, ``"invisible_characters"``, ``"no_effect"``, ``"missing_code"``, ``"large_effect"``,
        ``"effect_differs"``, ``"total_row"``, ``"fractional_events"``, ``"large_n"`` or ``"cluster"``; from
        `Studies.check` also
        ``"required_column"``, ``"unique_id"``, ``"conflicting_data"`` and ``"impossible_count"``.
    message : str
        What was seen and where; also ``str()`` of the object.
    studies : tuple of str
        Studies concerned, as written.
    rows : tuple of int
        Row numbers of the file.
    columns : tuple of str
        Columns concerned.
    stem : str
        What is said of the studies, where there are too many to name in `message`.
    """

    kind: str
    message: str
    studies: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    stem: str = ""

    def __str__(self) -> str:
        return self.message

    def in_full(self) -> str:
        """Return the message with every study named and its rows, where there are few."""
        if self.stem:
            return f"{self.stem}: {'; '.join(self.studies)}"
        told = not self.rows or "row" in self.message
        return self.message if told else f"{self.message} ({rows_in_words(self.rows)})"


Check = Callable[[pd.DataFrame], list[Suspicion]]
"""A check takes comparisons as loaded (typed, with ``row`` and ``study``) and returns what looks wrong in them."""


def key(text: object) -> str:
    """Return a name without case, accents, blanks and punctuation, for comparing."""
    if not isinstance(text, str):
        return ""
    letters = "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if c.isalnum())
    return letters or text.strip()


def bounded(kind: str, found: list[Suspicion], what: str, *, most: int = _MOST_STUDIES) -> list[Suspicion]:
    """More than `most` studies alike become one, so that a rare warning of another kind is not buried."""
    studies = tuple(dict.fromkeys(chain.from_iterable(one.studies for one in found)))
    if len(studies) <= most:
        return found
    rows = tuple(sorted(chain.from_iterable(one.rows for one in found)))
    named, more = "; ".join(studies[:_STUDIES_NAMED]), len(studies) - _STUDIES_NAMED
    stem = f"{len(studies)} studies {what}"
    message = f"{stem}: {named}" + (f" and {more} more" if more > 0 else "")
    return [Suspicion(kind=kind, message=message, studies=studies, rows=rows, columns=found[0].columns, stem=stem)]


def sized(value: float) -> str:
    """Write an effect or mean; beyond a million only on which side it lies, not its hundred digits.

    Examples
    --------
    >>> sized(0.456), sized(1e200)
    ('0.46', 'above 1,000,000')
    """
    if abs(value) <= _LONGEST:
        return format_number(value)
    return f"{'above' if value > 0 else 'below'} {format_number(_LONGEST if value > 0 else -_LONGEST, 'integer')}"


def name_of(row: pd.Series) -> str:
    """Return the study of a row, without blanks around it."""
    return str(row["study"]).strip()


def names_of(rows: pd.DataFrame) -> tuple[str, ...]:
    """Return the studies of some rows, each once, as written."""
    return tuple(dict.fromkeys(str(name) for name in rows["study"]))


def rows_of(rows: pd.DataFrame) -> tuple[int, ...]:
    """Return the row numbers of some rows."""
    return tuple(int(row) for row in rows["row"])
