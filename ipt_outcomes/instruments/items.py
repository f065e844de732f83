"""Which columns are an instrument's items, and whether their answers are possible ones."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.instruments.instrument import Instrument
from ipt_outcomes.instruments.registry import instrument_name, spelled

FloatArray = npt.NDArray[np.float64]

# Items on the form after the scored ones: PHQ-9's question on difficulty is number 10 and never counts.
EXTRA_ITEMS = {"phq9": 1}

# What has to be known before a total can be made of items, by words of the `unverified` statements; a rule of
# instrument_scoring.toml, or a user's own, takes their place.
_UNKNOWN_RULE = re.compile(r"reversed items|keyed no|item to subscale map|scored items|mean or sum|weights|54 items")
# Widest range a Hamilton item has; which of them end at 2 was not confirmed (see scoring.py).
_HAMILTON_MAX = 4.0
_ROWS_NAMED = 10


def why_not_scored(known: Instrument) -> str | None:
    """Say why no total can be made of an instrument's items.

    Parameters
    ----------
    known : Instrument

    Returns
    -------
    str or None
        None where it can.
    """
    if known.total_rule == "none":
        return "no total of all its items was confirmed; see instruments.subscale_scores"
    unsure = [text for text in known.unverified if _UNKNOWN_RULE.search(text)]
    if unsure and known.scoring_source is None and known.override("items_reversed") is None:
        return f"how its items make a total was not confirmed ({'; '.join(unsure)})"
    if known.n_items is None or known.item_min is None or item_maximum(known) is None:
        return "the range of its items is not known"
    return None


def item_maximum(known: Instrument) -> float | None:
    """Return the highest answer any item of an instrument can have; None where it is not known."""
    return _HAMILTON_MAX if known.usually_to_2 and known.item_max is None else known.item_max


def as_frame(items: Any) -> pd.DataFrame:
    """Return items as a frame with columns ``item 1`` ...; a frame as it is.

    Parameters
    ----------
    items : pandas.DataFrame or array_like, shape (n, m)

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataError
        They are no table.
    """
    if isinstance(items, pd.DataFrame):
        return items
    if isinstance(items, dict):
        return pd.DataFrame(items)
    table = np.asarray(items, dtype=object)
    if table.ndim == 1 and not (table.size and isinstance(table[0], list | tuple)):
        table = table.reshape(1, -1)
    if table.ndim != 2:
        raise DataError(f"items must be a table of forms by items; got an array of {table.ndim} dimensions")
    # Numbers of columns are no names: arrays are taken in their order.
    return pd.DataFrame(table, columns=[f"item {number}" for number in range(1, table.shape[1] + 1)])


def item_columns(known: Instrument, frame: pd.DataFrame) -> list[Hashable]:
    """Find the items of an instrument among the columns of a frame.

    Columns are recognised by one stem and a running number (``i1`` ... ``i9``, ``phq9_1`` ... ``phq9_9``). A
    frame without such columns that is as wide as the instrument has items is taken in its order.

    Parameters
    ----------
    known : Instrument
    frame : pandas.DataFrame

    Returns
    -------
    list of column labels
        One per item that counts, in the order of the form.

    Raises
    ------
    DataError
        The columns are no full set of items, or more than one.
    """
    twice = sorted({str(name) for name in frame.columns[frame.columns.duplicated()]})
    if twice:
        raise DataError(f"{known.short}: two columns have the same name: {', '.join(twice)}", column=twice[0])
    on_form = int(known.n_items or 0)
    extra = EXTRA_ITEMS.get(known.name, 0)
    stems = _numbered(known, frame)
    complete = {stem: first for stem, numbers in stems.items() if (first := _numbering(known, numbers)) is not None}
    if len(complete) == 1:
        stem, numbering = next(iter(complete.items()))
        return [stems[stem][number] for number in numbering]
    unnumbered = not any(len(numbers) > 1 for numbers in stems.values())
    if not complete and unnumbered and on_form <= frame.shape[1] <= on_form + extra:
        return [frame.columns[number - 1] for number in known.numbers_scored()]
    found = ", ".join(f"{len(numbers)} columns {stem}<number>" for stem, numbers in stems.items() if len(numbers) > 1)
    several = f"more than one set of items ({found})" if complete else found or f"{frame.shape[1]} columns"
    also = f" (or {on_form + extra}; the last is never counted)" if extra else ""
    raise DataError(
        f"{known.short} has {on_form} items{also}; found {several}",
        hint=f"Give the items as columns numbered 1 to {on_form} after one stem ({known.name}_1, {known.name}_2, ...). "
        "An item nobody answered is a column too, with empty cells.",
    )


def _numbering(known: Instrument, numbers: dict[int, Hashable]) -> list[int] | None:
    """The numbers under which the scored items stand, or None where they do not all."""
    there, scored, on_form = set(numbers), known.numbers_scored(), int(known.n_items or 0)
    extra = EXTRA_ITEMS.get(known.name, 0)
    if there == set(range(on_form)):
        return [number - 1 for number in scored]
    if set(scored) <= there <= set(range(1, on_form + extra + 1)):
        return list(scored)
    if known.form_items and set(known.form_items) <= there <= set(range(1, 2 * on_form + 1)):
        return list(known.form_items)
    return None


def _numbered(known: Instrument, frame: pd.DataFrame) -> dict[str, dict[int, Hashable]]:
    """Columns by stem and running number; the instrument's own name may itself end in a number."""
    stems: dict[str, dict[int, Hashable]] = {}
    for column in frame.columns:
        match = re.fullmatch(r"(.*?)(\d+)", str(column).strip(), flags=re.DOTALL)
        if match is None or instrument_name(str(column)) is not None:
            continue
        stem, number = match.groups()
        if spelled(stem + number).startswith(known.name) and not spelled(stem).startswith(known.name):
            # "phq91" is item 1 of phq9, not item 91 of phq.
            stem, number = known.name, spelled(stem + number).removeprefix(known.name)
        if number:
            stems.setdefault(stem.casefold(), {})[int(number)] = column
    return stems


def answers(
    known: Instrument, frame: pd.DataFrame, columns: Sequence[Hashable], rows: Sequence[int] | None
) -> FloatArray:
    """Read the answers as numbers and refuse those that are no answer of the form.

    Parameters
    ----------
    known : Instrument
    frame : pandas.DataFrame, shape (n, p)
    columns : sequence, shape (m,)
        The items.
    rows : sequence of int, shape (n,), optional
        Row numbers in the file.

    Returns
    -------
    numpy.ndarray of float, shape (n, m)
        NaN where an item was not answered.

    Raises
    ------
    DataError
        With ``.failures``: one row per cell that is no number, no whole number, or out of range.
    OptionError
        `rows` is not as long as the frame.
    """
    if rows is not None and len(rows) != len(frame):
        raise OptionError(f"rows must have one number per record ({len(frame)}); got {len(rows)}")
    places = np.arange(len(frame)) if rows is None else np.asarray(rows, dtype=int)
    low, high = float(known.item_min or 0.0), float(item_maximum(known) or 0.0)
    read = np.empty((len(frame), len(columns)))
    faults: list[dict[str, Any]] = []
    for position, column in enumerate(columns):
        cells = frame[column].reset_index(drop=True)
        numbers = _as_numbers(cells)
        inside = (numbers >= low) & (numbers <= high)
        blank = cells.isna()
        if not pd.api.types.is_numeric_dtype(cells):
            blank |= cells.astype(str).str.strip() == ""
        checks = (
            ("type", np.isnan(numbers) & ~blank.to_numpy(), "a number"),
            ("range", (numbers < low) | (numbers > high), f"{low:g} to {high:g}"),
            ("whole", inside & (np.where(inside, numbers, 0.0) % 1 != 0), "a whole number"),
        )
        for rule, bad, expected in checks:
            faults += [
                {"row": int(places[i]), "column": str(column), "rule": rule, "expected": expected, "found": cells[i]}
                for i in np.flatnonzero(bad)
            ]
        read[:, position] = numbers
    if faults:
        raise _refusal(known, faults, low, high, from_file=rows is not None)
    return read


def _as_numbers(cells: pd.Series) -> FloatArray:
    if pd.api.types.is_numeric_dtype(cells):
        return cells.to_numpy(dtype=float, na_value=np.nan)
    return pd.to_numeric(cells.astype(object), errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def _refusal(known: Instrument, faults: list[dict[str, Any]], low: float, high: float, *, from_file: bool) -> DataError:
    """One error for all faults; the values stand only in its failure table."""
    table = pd.DataFrame(faults).sort_values(["row", "column"], kind="stable", ignore_index=True)
    words = {"type": "no number", "range": f"outside {low:g}-{high:g}", "whole": "no whole number"}
    parts = []
    for (column, rule), part in table.groupby(["column", "rule"], sort=False):
        rows = [int(row) for row in part["row"]]
        more = f" and {len(rows) - _ROWS_NAMED} more" if len(rows) > _ROWS_NAMED else ""
        listed = ", ".join(str(row) for row in rows[:_ROWS_NAMED]) + more
        unit = "row" if len(rows) == 1 else "rows"
        place = unit if from_file else "position" if len(rows) == 1 else "positions"
        parts.append(f"item {column} is {words[str(rule)]} in {len(rows)} {unit} ({place} {listed})")
    return DataError(
        f"{known.short}: {'; '.join(parts)}",
        rows=sorted(set(table["row"])),
        column=str(table.loc[0, "column"]),
        hint="The values are in the error's failure table. A code for a missing answer has to be declared as missing.",
        failures=table,
    )
