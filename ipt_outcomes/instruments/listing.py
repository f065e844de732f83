"""The registry as a table and as JSON values; what was not confirmed is marked in both."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pandas as pd

from ipt_outcomes.instruments.instrument import Instrument
from ipt_outcomes.instruments.registry import instrument, instruments

MARKS = {"*": "a default, not confirmed in a source", "+": "set by the user"}
"""Marks behind a value of the table."""
_FACTS = (
    "minimum", "maximum", "n_items", "item_min", "item_max", "items_reversed", "bands", "caseness_min", "caseness_max",
    "remission_max", "reliable_change", "response_pct", "max_missing", "risk_items", "alpha", "retest", "window_days",
    "functional_mean", "functional_sd", "minimal_difference", "minimal_difference_pct",
)  # fmt: skip


def registry_table(own: Mapping[str, Instrument] | None = None) -> pd.DataFrame:
    """Return what is known of all instruments, one row each, as text.

    Parameters
    ----------
    own : mapping of str to Instrument, optional
        Instruments with a user's own facts, in place of the registry's.

    Returns
    -------
    pandas.DataFrame
        ``name short range better case remission reliable_change source``. A mark of `MARKS` stands behind what was
        not confirmed (``*``) and what the user set (``+``); "-" where nothing is known.

    Examples
    --------
    >>> registry_table().set_index("name").loc["core10", ["range", "better", "case"]].tolist()
    ['0-40', 'lower', '>= 11*']
    """
    rows = []
    for name in instruments():
        known = (own or {}).get(name, instrument(name))
        low, high = known.minimum, known.maximum
        limits = "-" if low is None else f"{low:g} or more" if high is None else f"{low:g}-{high:g}"
        case = "caseness_max" if known.better == "higher" else "caseness_min"
        rows.append(
            {
                "name": name,
                "short": known.short,
                "range": limits + ("" if low is None else _mark(known, "maximum")),
                "better": f"{known.better}{_mark(known, 'better')}" if known.better else "-",
                "case": _cut(known, case, ("<= {}" if case == "caseness_max" else ">= {}")),
                "remission": _cut(known, "remission_max", "<= {}"),
                "reliable_change": _cut(known, "reliable_change", "{}"),
                "source": "; ".join(known.sources) or "-",
            }
        )
    return pd.DataFrame(rows)


def _mark(known: Instrument, field: str) -> str:
    if known.override(field) is not None:
        return "+"
    return "*" if known.doubts(field) else ""


def _cut(known: Instrument, field: str, form: str) -> str:
    value = getattr(known, field)
    return "-" if value is None else form.format(f"{value:g}") + _mark(known, field)


def as_record(known: Instrument) -> dict[str, Any]:
    """Return what is known of an instrument as JSON values.

    Parameters
    ----------
    known : Instrument

    Returns
    -------
    dict
        The fields of `Instrument`, and ``confirmed``: for each fact ``"confirmed"``, ``"default"`` (not confirmed in
        a source), ``"user"`` (with the source under ``overrides``), or ``"unknown"``.
    """
    record = {entry.name: _plain(getattr(known, entry.name)) for entry in dataclasses.fields(known)}
    return record | {"confirmed": {field: _state(known, field) for field in _FACTS}}


def _state(known: Instrument, field: str) -> str:
    if known.override(field) is not None:
        return "user"
    if getattr(known, field) in (None, ()) and not known.is_verified(field):
        return "unknown"
    return "confirmed" if known.is_verified(field) else "default"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {entry.name: _plain(getattr(value, entry.name)) for entry in dataclasses.fields(value)}
    return [_plain(inner) for inner in value] if isinstance(value, tuple | list) else value
