"""Columns as numbers or as coded text, whole columns at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ipt_outcomes.schemas import Decimal, parse_numbers, to_text

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Texts:
    """A column of text: a code per cell and the different texts.

    Parameters
    ----------
    codes : numpy.ndarray of int, shape (n,)
        Position in `values`; -1 where the cell is missing.
    values : tuple of str, shape (m,)
        The different texts, in order of appearance.
    """

    codes: npt.NDArray[np.int64]
    values: tuple[str, ...]

    @classmethod
    def of(cls, column: pd.Series) -> Texts:
        """Read a column as text, exactly as written; cells that are empty or blank are missing."""
        uniques: Any
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes, uniques = column.cat.codes.to_numpy(), column.cat.categories
        else:
            try:
                codes, uniques = pd.factorize(column, use_na_sentinel=True)
            except TypeError:
                # Lists and other cells that cannot be compared count by their text.
                told = np.array([cell if _is_missing(cell) else str(cell) for cell in column], dtype=object)
                codes, uniques = pd.factorize(told, use_na_sentinel=True)
        found = to_text(_as_series(uniques))
        whole = cls(np.asarray(codes).astype(np.int64), tuple(found.to_pylist()))
        # Texts that a factorisation of text gave are different from one another; of other cells they may not be.
        if isinstance(uniques.dtype, pd.StringDtype) and _none_blank(found) and column.dtype != "category":
            return whole
        return whole.mapped(lambda text: text if text is not None and text.strip() else None)

    @classmethod
    def constant(cls, text: str, size: int) -> Texts:
        """Return a column of one value."""
        return cls(np.zeros(size, dtype=np.int64), (text,))

    @property
    def missing(self) -> BoolArray:
        """Which cells are missing."""
        return self.codes < 0

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """How often each value stands there."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.values))

    def mapped(self, change: Callable[[str], str | None]) -> Texts:
        """Return the column with every value that occurs changed; None makes cells missing."""
        position: dict[str, int] = {}
        new = np.full(len(self.values) + 1, -1, dtype=np.int64)
        for old in np.flatnonzero(self.counts):
            changed = change(self.values[old])
            if changed is not None:
                new[old] = position.setdefault(changed, len(position))
        return Texts(new[self.codes], tuple(position))

    def where(self, texts: Collection[str]) -> npt.NDArray[np.int64]:
        """Return the cells that hold one of some texts."""
        wanted = np.array([*(value in texts for value in self.values), False])
        return np.flatnonzero(wanted[self.codes])

    def without(self, mask: BoolArray) -> Texts:
        """Return the column with some cells missing; values that then occur nowhere are gone."""
        return Texts(np.where(mask, -1, self.codes), self.values).mapped(str) if mask.any() else self

    def take(self, where: npt.NDArray[np.int64]) -> Texts:
        """Return some of the cells."""
        return Texts(self.codes[where], self.values)

    def to_array(self) -> npt.NDArray[np.object_]:
        """Return one text per cell, None where missing."""
        return np.array([*self.values, None], dtype=object)[self.codes]

    def to_series(self) -> pd.Series:
        """Return a text column of pandas in which NaN is missing."""
        values = pd.array(list(self.values) or [""], dtype=pd.StringDtype(na_value=np.nan))
        return pd.Series(values.take(self.codes, allow_fill=True))

    def to_categorical_series(self) -> pd.Series:
        """Return a categorical series of all values, which `numbers` reads once per value."""
        dtype = pd.CategoricalDtype(list(self.values))
        return pd.Series(pd.Categorical.from_codes(self.codes.tolist(), dtype=dtype))

    def to_categorical(self, order: tuple[str, ...]) -> pd.Series:
        """Return a categorical series of the values that occur, in an order given."""
        present = {self.values[code] for code in np.unique(self.codes[self.codes >= 0])}
        levels = [value for value in order if value in present]
        position = {value: place for place, value in enumerate(levels)}
        codes = np.array([*(position.get(value, -1) for value in self.values), -1], dtype=np.int64)[self.codes]
        dtype = pd.CategoricalDtype(levels, ordered=False)
        return pd.Series(pd.Categorical.from_codes(codes.tolist(), dtype=dtype))


def _none_blank(texts: pa.Array) -> bool:
    """Whether no text is missing, empty or blank; told at once, as there may be a million ids."""
    if texts.null_count or pc.any(pc.equal(pc.binary_length(texts), 0)).as_py():
        return False
    return not pc.any(pc.utf8_is_space(texts)).as_py()


def _as_series(values: Any) -> pd.Series:
    """Values as a column; mixed ones stay objects (pandas would make text of them, which may not be possible)."""
    plain = isinstance(values.dtype, pd.StringDtype) or pd.api.types.is_numeric_dtype(values.dtype)
    return pd.Series(values, dtype=None if plain else object)


def _is_missing(cell: Any) -> bool:
    return bool(pd.api.types.is_scalar(cell) and pd.isna(cell))


def nothing(size: int) -> Texts:
    """Return a column of missing cells."""
    return Texts(np.full(size, -1, dtype=np.int64), ())


def joined(parts: list[Texts]) -> Texts:
    """Make one text of several columns; missing where one of them is."""
    if len(parts) == 1:
        return parts[0]
    frame = pd.DataFrame({place: part.codes for place, part in enumerate(parts)})
    missing = (frame < 0).any(axis=1).to_numpy()
    if missing.all():
        return Texts(np.full(len(frame), -1, dtype=np.int64), ())
    groups = frame.groupby(list(frame.columns), sort=False).ngroup().to_numpy()
    first = frame.drop_duplicates().to_numpy()
    values = ["\x1f".join(part.values[code] for part, code in zip(parts, row, strict=True)) for row in first]
    return Texts(np.where(missing, -1, groups), tuple(values))


def numbers(column: pd.Series, decimal: Decimal) -> tuple[FloatArray, BoolArray]:
    """Read a column as numbers.

    Parameters
    ----------
    column : pandas.Series, shape (n,)
    decimal : {".", ","}

    Returns
    -------
    values : numpy.ndarray of float, shape (n,)
        NaN where missing or no number.
    bad : numpy.ndarray of bool, shape (n,)
        Where a cell holds something that is no finite number.
    """
    if pd.api.types.is_bool_dtype(column):
        return np.full(len(column), np.nan), column.notna().to_numpy()
    if pd.api.types.is_any_real_numeric_dtype(column):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        bad = np.isinf(values)
        return np.where(bad, np.nan, values), bad
    texts = Texts.of(column)
    if not texts.values:
        return np.full(len(column), np.nan), np.zeros(len(column), dtype=bool)
    read, wrong = parse_numbers(pa.array([text.strip() for text in texts.values], type=pa.large_string()), decimal)
    missing = texts.missing
    return np.where(missing, np.nan, read[texts.codes]), np.where(missing, False, wrong[texts.codes])


def same_code(written: str) -> str:
    """Return a code as codes are compared: small letters, no blanks around, numbers by value.

    Examples
    --------
    >>> same_code(" 999.0 "), same_code("ZZ"), same_code("-9")
    ('999', 'zz', '-9')
    """
    text = written.strip().casefold()
    return f"{float(text):.15g}" if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?", text) else text
