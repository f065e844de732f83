"""Check a whole table against its schema: every fault at once, with the rows of the file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ipt_outcomes.errors import OptionError, require_choice
from ipt_outcomes.schemas.keys import HIDDEN, key_faults
from ipt_outcomes.schemas.model import Field, Schema
from ipt_outcomes.schemas.numbers import Decimal, parse_numbers, plain_text, to_text
from ipt_outcomes.schemas.ranges import range_faults

FAILURE_COLUMNS = ("row", "column", "rule", "expected", "found")
FIRST_ROW = 2
HEADER_ROW = 1


def validate(
    frame: pd.DataFrame,
    schema: Schema,
    *,
    decimal: Decimal = ".",
    rows: Sequence[int] | np.ndarray | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the columns of a table as their types and find every fault.

    Each cell is first read as text and then as a number, so that a cell which is no number never hides
    another cell which is out of range.

    Parameters
    ----------
    frame : pandas.DataFrame, shape (n, p)
        Columns under the names of the dictionary, as text; columns of numbers are taken as they are. Columns
        the schema does not know pass through unchanged.
    schema : Schema
        The table of the dictionary.
    decimal : {".", ","}
        Decimal mark of the text.
    rows : sequence of int, shape (n,), optional
        Row number of each record in its file, where the header is row 1. Default: 2, 3, ...

    Returns
    -------
    typed : pandas.DataFrame, shape (n, p)
        Numbers as float, NaN where missing or at fault; text with NaN where missing.
    failures : pandas.DataFrame
        ``row column rule expected found``, one row per fault, in the order of rows and then columns. A
        column that is required and absent is a fault of row 1. What a column about a person holds is not shown;
        scores are.

    Raises
    ------
    OptionError
        `decimal` is none of the two marks, or `rows` is not as long as the frame.

    Examples
    --------
    >>> from ipt_outcomes.schemas import load_schema
    >>> text = pd.DataFrame({"study": ["A", "B"], "sd_arm1": ["n/a?", "-1"]})
    >>> validate(text, load_schema("comparisons"))[1][["row", "rule"]].values.tolist()
    [[2, 'type'], [3, 'exclusiveMinimum']]
    """
    require_choice("decimal", decimal, (".", ","))
    numbers = np.arange(len(frame)) + FIRST_ROW if rows is None else np.asarray(rows, dtype=int)
    if numbers.shape != (len(frame),):
        raise OptionError(f"rows must have one number per record ({len(frame)}); got {numbers.size}")
    found = _Failures(numbers, frozenset(entry.name for entry in schema.fields if entry.privacy is not None))
    typed: dict[str, pd.Series] = {}
    for position, name in enumerate(frame.columns):
        column = frame[name].reset_index(drop=True)
        if name not in schema:
            typed[name] = column
        else:
            typed[name] = _typed_column(column, schema[name], schema.missing_values, decimal, found, position)
    for entry in schema.fields:
        if entry.required and entry.name not in typed:
            found.absent(entry)
    for outside in range_faults(typed, schema):
        position = list(frame.columns).index(outside.column)
        found.add(outside.bad, position, outside.column, outside.rule, outside.expected, frame[outside.column])
        typed[outside.column] = typed[outside.column].mask(outside.bad)
    _check_rules(typed, schema, found, list(frame.columns))
    for fault in key_faults(typed, schema, numbers):
        position = list(frame.columns).index(fault.column)
        found.add(fault.bad, position, fault.column, fault.rule, fault.expected, fault.found, told=True)
    return pd.DataFrame(typed, index=pd.RangeIndex(len(frame))), found.to_frame()


class _Failures:
    """Collects faults as whole arrays and puts them in order once, at the end."""

    def __init__(self, rows: np.ndarray, hidden: frozenset[str]) -> None:
        self.rows = rows
        self.hidden = hidden
        self.parts: list[pd.DataFrame] = []

    def add(
        self,
        bad: np.ndarray,
        position: int,
        column: str,
        rule: str,
        expected: str,
        found: pd.Series,
        *,
        told: bool = False,
    ) -> None:
        """Add the rows at fault; `told` means that `found` says what is wrong and holds no cell."""
        where = np.flatnonzero(bad)
        if where.size:
            part = {"row": self.rows[where], "position": position, "record": where, "column": column}
            values = found.iloc[where].to_numpy(dtype=object)
            if column in self.hidden and not told:
                values = np.array(["" if str(value).strip() == "" else HIDDEN for value in values], dtype=object)
            self.parts.append(pd.DataFrame({**part, "rule": rule, "expected": expected, "found": values}))

    def absent(self, entry: Field) -> None:
        part = {"row": [HEADER_ROW], "position": -1, "record": -1, "column": entry.name, "rule": "required"}
        expected = f"a column {entry.name!r}"
        self.parts.append(pd.DataFrame({**part, "expected": expected, "found": "no such column"}))

    def to_frame(self) -> pd.DataFrame:
        if not self.parts:
            return pd.DataFrame({name: pd.Series(dtype=object) for name in FAILURE_COLUMNS}).astype({"row": int})
        table = pd.concat(self.parts, ignore_index=True)
        table = table.sort_values(["record", "position"], kind="stable", ignore_index=True)
        return table[list(FAILURE_COLUMNS)]


def _typed_column(
    column: pd.Series,
    entry: Field,
    missing_values: tuple[str, ...],
    decimal: Decimal,
    found: _Failures,
    position: int,
) -> pd.Series:
    is_number = pd.api.types.is_any_real_numeric_dtype(column)
    if is_number and entry.is_number:
        values = column.to_numpy(dtype=float, na_value=np.nan)
        infinite = np.isinf(values)
        found.add(infinite, position, entry.name, "type", "a finite number", column)
        return _checked_numbers(np.where(infinite, np.nan, values), column, entry, found, position)
    trimmed = trimmed_text(column, missing_values)
    if entry.required:
        cells = column.astype(object).where(column.notna(), "")
        found.add(_mask(pc.is_null(trimmed)), position, entry.name, "required", "a value", cells)
    if entry.is_number:
        values, bad = parse_numbers(trimmed, decimal)
        if not entry.number_or_words:
            mark = "point" if decimal == "." else "comma"
            found.add(bad, position, entry.name, "type", f"a number with decimal {mark}", column)
        return _checked_numbers(values, column, entry, found, position)
    if not entry.enum:
        # Blanks around a name stay: two spellings of one study are reported, never silently made one.
        return plain_text(pc.if_else(pc.is_null(trimmed), trimmed, to_text(column)))
    lower = pc.utf8_lower(trimmed)
    allowed = pc.is_in(lower, value_set=pa.array(entry.enum, type=lower.type))
    bad = _mask(pc.and_(pc.is_valid(lower), pc.invert(allowed)))
    found.add(bad, position, entry.name, "enum", " or ".join(entry.enum), column)
    return plain_text(pc.if_else(allowed, lower, pa.scalar(None, type=lower.type)))


def trimmed_text(column: pd.Series, missing_values: tuple[str, ...]) -> pa.Array:
    """Return a column as Arrow text without blanks around cells, null where the cell counts as missing.

    Parameters
    ----------
    column : pandas.Series, shape (n,)
        Text as read.
    missing_values : tuple of str
        What counts as missing.

    Returns
    -------
    pyarrow.Array of string, shape (n,)
    """
    text = pc.utf8_trim_whitespace(to_text(column))
    missing = pc.is_in(text, value_set=pa.array(missing_values, type=text.type))
    return pc.if_else(missing, pa.scalar(None, type=text.type), text)


def _mask(values: pa.Array) -> np.ndarray:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=bool)


def _checked_numbers(values: np.ndarray, column: pd.Series, entry: Field, found: _Failures, position: int) -> pd.Series:
    limits = (
        ("minimum", entry.minimum, np.less, "at least"),
        ("exclusiveMinimum", entry.exclusive_minimum, np.less_equal, "above"),
        ("maximum", entry.maximum, np.greater, "at most"),
    )
    outside = np.zeros(values.shape, dtype=bool)
    if entry.type == "integer":
        outside = np.mod(np.nan_to_num(values), 1.0) != 0
        found.add(outside, position, entry.name, "type", "a whole number", column)
    for rule, limit, breaks, words in limits:
        if limit is not None:
            bad = breaks(values, limit)
            outside |= bad
            found.add(bad, position, entry.name, rule, f"{words} {limit:g}", column)
    return pd.Series(np.where(outside, np.nan, values))


def _check_rules(typed: dict[str, pd.Series], schema: Schema, found: _Failures, columns: list[str]) -> None:
    for rule in schema.rules:
        if rule.left not in typed or rule.right not in typed:
            continue
        left, right = typed[rule.left], typed[rule.right]
        bad = (left > right).to_numpy()
        words = [f"{a:.15g} of {b:.15g}" for a, b in zip(left[bad], right[bad], strict=True)]
        cells = pd.Series(words, index=np.flatnonzero(bad), dtype=object).reindex(left.index)
        expected = f"at most {rule.right}"
        found.add(bad, columns.index(rule.left), rule.left, rule.name, expected, cells)
