"""Reading the arguments of an effect-size function: one row per study, all faults reported at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ipt_outcomes.errors import DesignError, OptionError, require_choice

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

HINT = "Rows are counted from 0. A number that is not known is given as NaN: its row then has no effect."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Numeric columns of one length, with the faults found so far.

    Parameters
    ----------
    columns : dict of str to numpy.ndarray, shape (k,)
        Argument name to float values, NaN where missing.
    faults : list of (column, rule, rows)
        Filled by `require`, raised by `check`.
    """

    columns: dict[str, FloatArray]
    faults: list[tuple[str, str, tuple[int, ...]]] = field(default_factory=list)

    def __getitem__(self, name: str) -> FloatArray:
        return self.columns[name]

    @property
    def k(self) -> int:
        """Number of rows."""
        return int(next(iter(self.columns.values())).size)

    def require(self, name: str, rule: str, holds: BoolArray) -> None:
        """Note a fault of column `name` in each row where `holds` is false and the value is not missing."""
        self._note(name, rule, np.flatnonzero(~holds & ~np.isnan(self.columns[name])))

    def require_at_least(self, name: str, low: float, *, strict: bool = False) -> None:
        """Require finite values at or above `low` (above it if `strict`)."""
        values = self.columns[name]
        holds = values > low if strict else values >= low
        rule = f"must be above {low:g}" if strict else f"must be {low:g} or more"
        self.require(name, f"{rule} and finite", holds & np.isfinite(values))

    def require_finite(self, name: str) -> None:
        """Require finite values."""
        self.require(name, "must be finite", np.isfinite(self.columns[name]))

    def check(self) -> None:
        """Raise one `DesignError` with every fault noted, or do nothing."""
        if not self.faults:
            return
        listed = "; ".join(f"{name}, {_row_list(rows)}: {rule}" for name, rule, rows in self.faults)
        rows = sorted({row for _, _, found in self.faults for row in found})
        names = {name for name, _, _ in self.faults}
        count = f"{len(rows)} of {self.k} rows cannot be used" if self.k > 1 else "The input cannot be used"
        raise DesignError(f"{count}: {listed}.", rows=rows, column=names.pop() if len(names) == 1 else None, hint=HINT)

    def missing_flags(self) -> list[str]:
        """Return one text per row: which columns are missing, or an empty string."""
        names = list(self.columns)
        gaps = np.array([np.isnan(self.columns[name]) for name in names])
        flags = [""] * self.k
        for row in np.flatnonzero(gaps.any(axis=0)):
            lacking = ", ".join(name for name, gap in zip(names, gaps[:, row], strict=True) if gap)
            flags[row] = f"no effect: {lacking} missing"
        return flags

    def _note(self, name: str, rule: str, rows: Iterable[int]) -> None:
        found = tuple(int(row) for row in rows)
        if found:
            self.faults.append((name, rule, found))


def read_rows(columns: Mapping[str, npt.ArrayLike], *, lengths: Mapping[str, int] | None = None) -> Rows:
    """Read numeric arguments and bring them to one length.

    Parameters
    ----------
    columns : mapping of str to array_like
        Argument name to a number or a sequence of k numbers; a single number is repeated.
    lengths : mapping of str to int, optional
        Other arguments of this call that have rows, and how many.

    Returns
    -------
    Rows
        Cells that are no number are NaN and noted as faults, so that range checks can be added
        before `Rows.check` raises.

    Raises
    ------
    DesignError
        Lengths differ, or an argument has more than one dimension.
    """
    read = {name: _read_column(name, value) for name, value in columns.items()}
    sizes = {name: values.size for name, (values, _) in read.items() if values.ndim == 1}
    sizes |= lengths or {}
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{name} has {size}" for name, size in sizes.items())
        raise DesignError(f"Every column must have the same number of rows; {found}.")
    k = next(iter(sizes.values()), 1)
    rows = Rows(columns={name: np.broadcast_to(values, (k,)).copy() for name, (values, _) in read.items()})
    for name, (values, bad) in read.items():
        rule = "must be a number, found text or another kind of value"
        rows._note(name, rule, range(k) if values.ndim == 0 and bad else bad)
    return rows


class Signs(NamedTuple):
    """A sign per row, read from words.

    Parameters
    ----------
    values : numpy.ndarray, shape () or (k,)
        +1 or -1.
    words : str or list of str
        The words as given, for the record of the call.
    lengths : dict of str to int
        The argument and its number of rows; empty if one word stands for all.
    """

    values: FloatArray
    words: str | list[str]
    lengths: dict[str, int]


def read_signs(name: str, value: object, signs: Mapping[str, float]) -> Signs:
    """Read a choice that decides a sign: one word, or one word per row.

    Parameters
    ----------
    name : str
        Name of the argument.
    value : str or sequence of str
        What was given.
    signs : mapping of str to float
        Each word allowed and its sign.

    Returns
    -------
    Signs

    Raises
    ------
    OptionError
        A word is not one of the choices or is missing; `rows` lists all such rows.
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, str) or not isinstance(value, Iterable):
        require_choice(name, value, signs)
        return Signs(np.asarray(signs[str(value)]), str(value), {})
    words = list(value)
    bad = [row for row, word in enumerate(words) if not (isinstance(word, str) and word in signs)]
    if bad:
        listed = " or ".join(repr(word) for word in signs)
        raise OptionError(
            f"{name}, {_row_list(bad)}: must be {listed}; nothing is assumed, a guess could flip the sign.",
            rows=bad,
            column=name,
            hint="Rows are counted from 0.",
        )
    plain = [str(word) for word in words]
    return Signs(np.array([signs[word] for word in plain], dtype=float), plain, {name: len(plain)})


def _read_column(name: str, value: npt.ArrayLike) -> tuple[FloatArray, list[int]]:
    """Return the values, shape () or (k,), and the positions that hold no number."""
    if isinstance(value, np.ma.MaskedArray):
        # np.asarray would bring the masked numbers back to life; tolist gives None for them
        value = value.tolist()
    try:
        raw = np.asarray(value)
    except ValueError:
        raw = np.asarray(value, dtype=object)
    if raw.ndim > 1:
        raise DesignError(f"{name} must be a number or one column of numbers; got shape {raw.shape}", column=name)
    given: Sequence[object] | None = value if isinstance(value, list | tuple) else None
    if raw.dtype.kind in "iuf" and not any(isinstance(cell, bool) for cell in given or ()):
        return raw.astype(float), []
    # in an array, numbers beside a text become text, beside a truth value hide it: look at the cells as given
    numbers = np.full(raw.shape, np.nan)
    bad = []
    for position, cell in enumerate(raw.flat if given is None else given):
        number = _number(cell)
        if number is None:
            bad.append(position)
        else:
            numbers.flat[position] = number
    return numbers, bad


def _number(cell: object) -> float | None:
    """Return a cell as a float, NaN if it is missing, None if it is no number."""
    import pandas as pd

    if cell is None or cell is pd.NA:
        return np.nan
    if isinstance(cell, str | bytes | bool | np.bool_ | complex | np.complexfloating | np.datetime64 | np.timedelta64):
        return None
    try:
        return float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None


def _row_list(rows: Iterable[int]) -> str:
    listed = [str(row) for row in rows]
    return f"row{'s' if len(listed) > 1 else ''} {', '.join(listed)}"
