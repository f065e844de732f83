"""Checks and unpacking shared by every function of this package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ipt_outcomes.effects.effect_sizes import EffectSizes
from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.results import plural

Tau2Method = Literal["REML", "ML", "DL", "PM", "EB", "SJ", "HS", "HE", "common"]
Test = Literal["z", "knapp-hartung", "knapp-hartung-adhoc"]
Effects = EffectSizes | ArrayLike

TAU2_METHODS: tuple[Tau2Method, ...] = ("REML", "ML", "DL", "PM", "EB", "SJ", "HS", "HE", "common")
# Beyond this, double precision loses the difference between "one study decides" and "one study is alone".
LARGEST_RATIO = 1e10
# Beyond this, double precision keeps fewer than eight digits of a difference counted in standard errors.
LARGEST_STATISTIC = 1e8
# Beyond this, squares and products of effects leave the range of double precision.
LARGEST_EFFECT = 1e110
TESTS: tuple[Test, ...] = ("z", "knapp-hartung", "knapp-hartung-adhoc")


@dataclass(frozen=True, slots=True)
class Rows:
    """Effects as given, and which rows can be used.

    Parameters
    ----------
    yi, vi : numpy.ndarray, shape (n,)
        As given, NaN where missing; read-only.
    used : numpy.ndarray of int, shape (k,)
        Positions of the rows with both an effect and a variance.
    effects : EffectSizes or None
        What was given, when it was an `EffectSizes`.
    """

    yi: np.ndarray
    vi: np.ndarray
    used: np.ndarray
    effects: EffectSizes | None

    @property
    def y(self) -> np.ndarray:
        """Effects of the rows used, shape (k,)."""
        return np.asarray(self.yi[self.used])

    @property
    def v(self) -> np.ndarray:
        """Sampling variances of the rows used, shape (k,)."""
        return np.asarray(self.vi[self.used])


def unpack(yi: Effects, vi: ArrayLike | None) -> Rows:
    """Read effects and variances and refuse what no method can use.

    Parameters
    ----------
    yi : EffectSizes or array_like, shape (n,)
        Effects; with an `EffectSizes`, `vi` stays None.
    vi : array_like, shape (n,), or None
        Sampling variances.

    Returns
    -------
    Rows

    Raises
    ------
    OptionError
        `vi` is missing, or given beside an `EffectSizes`.
    DesignError
        Shapes differ, a value is no number, a variance is not above 0, a value is infinite,
        variances differ by a factor above 1e10, or an effect is above 1e8 times its standard error; all rows
        concerned are named.
    """
    if isinstance(yi, EffectSizes):
        if vi is not None:
            raise OptionError("the effect sizes bring their own variances: leave vi out")
        return _checked(yi.yi, yi.vi, yi)
    if vi is None:
        raise OptionError("vi is needed: the sampling variance of each effect (its standard error squared)")
    return _checked(as_floats("yi", yi), as_floats("vi", vi), None)


def _checked(yi: np.ndarray, vi: np.ndarray, effects: EffectSizes | None) -> Rows:
    if yi.ndim != 1 or yi.shape != vi.shape:
        raise DesignError(f"yi and vi must have one shape (k,); got {yi.shape} and {vi.shape}")
    with np.errstate(invalid="ignore"):
        infinite = np.isinf(yi) | np.isinf(vi)
        negative = vi <= 0
    if infinite.any() or negative.any():
        raise _impossible(infinite, negative)
    used = np.flatnonzero(~(np.isnan(yi) | np.isnan(vi)))
    if used.size and vi[used].max() / LARGEST_RATIO > vi[used].min():
        raise _incomparable(vi, used)
    beyond = used[np.abs(yi[used]) > LARGEST_STATISTIC * np.sqrt(vi[used])]
    if beyond.size:
        raise _beyond_standard_error(beyond)
    huge = used[(np.abs(yi[used]) > LARGEST_EFFECT) | (vi[used] > LARGEST_EFFECT**2)]
    if huge.size:
        raise DesignError(
            f"the effect is above {LARGEST_EFFECT:.0e}, or its variance above {LARGEST_EFFECT**2:.0e}, in "
            f"{name_rows(huge)}",
            rows=huge,
            hint="No study finds that: check the units and decimal marks of yi and vi.",
        )
    return Rows(yi, vi, used, effects)


def _incomparable(vi: np.ndarray, used: np.ndarray) -> DesignError:
    precise = used[vi[used] < vi[used].max() / LARGEST_RATIO]
    return DesignError(
        f"the largest sampling variance is more than {LARGEST_RATIO:.0e} times that of {name_rows(precise)}",
        rows=precise,
        hint="No study is that much more precise than another: check the units and decimal marks of vi.",
    )


def _beyond_standard_error(rows: np.ndarray) -> DesignError:
    return DesignError(
        f"the effect is more than {LARGEST_STATISTIC:.0e} times its standard error in {name_rows(rows)}",
        rows=rows,
        hint="No study finds that: check the units and decimal marks of yi and vi.",
    )


def _impossible(infinite: np.ndarray, negative: np.ndarray) -> DesignError:
    faults = []
    for mask, fault in (
        (negative, "sampling variance not above 0"),
        (infinite, "effect or variance infinite"),
    ):
        if mask.any():
            faults.append(f"{fault} in {name_rows(np.flatnonzero(mask))}")
    return DesignError(
        "; ".join(faults),
        rows=np.flatnonzero(infinite | negative),
        hint="Rows count from 0. Put NaN where a value is not known: such a row is left out and counted.",
    )


def name_rows(rows: Sequence[int] | np.ndarray) -> str:
    """Return "row 3" or "rows 3, 5, 9", the first twenty of them; `.rows` of the error has all."""
    listed = ", ".join(str(int(row)) for row in rows[:20])
    more = f" and {len(rows) - 20} more" if len(rows) > 20 else ""
    return f"row{'s' if len(rows) > 1 else ''} {listed}{more}"


def there_are(count: int) -> str:
    """Return "there is 1" or "there are 5", for the end of a message."""
    return f"there {plural(count, 'is', 'are')} {count}"


def studies_in_words(count: int) -> str:
    """Return "1 study" or "5 studies"."""
    return f"{count} {plural(count, 'study', 'studies')}"


def left_out(yi: np.ndarray, vi: np.ndarray) -> str:
    """Say how many rows had no effect or variance, and which: "2 of 9 rows ... were left out: rows 3, 5"."""
    gone = np.flatnonzero(np.isnan(yi) | np.isnan(vi))
    return (
        f"{gone.size} of {yi.size} {plural(int(yi.size), 'row', 'rows')} had no effect or variance and "
        f"{plural(int(gone.size), 'was', 'were')} left out: {name_rows(gone)} (from 0)"
    )


def as_floats(name: str, values: Any) -> np.ndarray:
    """Return a new read-only float array; None, NA and masked values become NaN.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    values : array_like
        Numbers.

    Returns
    -------
    numpy.ndarray

    Raises
    ------
    DesignError
        A value is not a number; the rows are named.
    """
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(float), np.nan)
    try:
        array = np.array(values, dtype=float) if _plainly_numeric(values) else _from_objects(name, values)
    except (TypeError, ValueError):
        array = _from_objects(name, values)
    array.setflags(write=False)
    return array


def _plainly_numeric(values: Any) -> bool:
    dtype = getattr(values, "dtype", None)
    return isinstance(dtype, np.dtype) and dtype.kind in {"f", "i", "u"}


def _from_objects(name: str, values: Any) -> np.ndarray:
    """Convert one by one, so that text that looks like a number is refused and NA is understood."""
    items = np.atleast_1d(np.asarray(values, dtype=object))
    if items.ndim != 1:
        raise DesignError(f"{name} must have one dimension; got shape {items.shape}")
    out = np.full(items.size, np.nan)
    bad = []
    for row, item in enumerate(items):
        if item is None or item is pd.NA:
            continue
        if isinstance(item, str | bytes | complex | np.complexfloating):
            bad.append(row)
            continue
        try:
            out[row] = float(item)
        except (TypeError, ValueError):
            bad.append(row)
    if bad:
        raise DesignError(f"{name} must hold numbers; {name_rows(bad)} does not", rows=bad)
    return out


def require_level(level: float) -> None:
    """Raise `OptionError` unless `level` lies between 0 and 1."""
    if not isinstance(level, int | float | np.number) or not 0 < float(level) < 1:
        raise OptionError(f"level must lie between 0 and 1 (0.95 for 95%); got {level!r}")


def read_labels(name: str, labels: Any, n: int) -> pd.Series:
    """Return labels as a series with index 0 to n - 1; a categorical keeps its order.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    labels : array_like, shape (n,)
        Study names or levels.
    n : int
        Number of effects.

    Returns
    -------
    pandas.Series

    Raises
    ------
    DesignError
        There is not one label per effect.
    """
    series = pd.Series(labels).reset_index(drop=True)
    if len(series) != n:
        raise DesignError(f"{name} must have one entry per effect, {n}; got {len(series)}")
    return series


def require_labels(name: str, labels: pd.Series) -> None:
    """Raise `DesignError` naming the rows without a label."""
    missing = np.flatnonzero(labels.isna().to_numpy())
    if missing.size:
        raise DesignError(
            f"{name} is missing in {name_rows(missing)}",
            rows=missing,
            column=name,
            hint="Every effect needs its study: effects of one study are dependent.",
        )
