"""Small facts an instrument is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

TotalRule = Literal["sum", "mean", "mean_of_subscales", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A severity band of totals, both ends inclusive."""

    label: str
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskItem:
    """An item about harm to oneself; an answer of `flag_min` or more is flagged."""

    item: int
    flag_min: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscale:
    """Items that are scored together.

    Parameters
    ----------
    name : str
    items : tuple of int
        Numbers on the form, from 1.
    method : {"sum", "mean"}
    max_missing : int
        Unanswered items up to which it is scored (a sum is prorated).
    least : int or None
        So many items must be rated 2 or more for the cluster to count as present (PCL-5).
    """

    name: str
    items: tuple[int, ...]
    method: Literal["sum", "mean"]
    max_missing: int = 0
    least: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A value that a user put in the place of the registry's, with the source the user gave.

    Parameters
    ----------
    field : str
        Field of `Instrument`.
    before : object
        The registry's value.
    source : str
    """

    field: str
    before: Any
    source: str
