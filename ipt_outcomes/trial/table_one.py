"""The baseline table: who was in each arm, and how far the arms differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DataError, OptionError
from ipt_outcomes.results import ResultObject, format_number, visible

EVERYONE = "all"
MISSING = "missing"

_CONTINUOUS = ["variable", "arm", "n", "missing", "mean", "sd", "median", "q1", "q3"]
_CATEGORICAL = ["variable", "level", "arm", "n", "denominator", "percent", "percent_of_all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOne(ResultObject):
    """Characteristics of the arms.

    Parameters
    ----------
    continuous : pandas.DataFrame
        One row per variable and arm: ``variable arm n missing mean sd median q1 q3``; ``n`` are known values.
    categorical : pandas.DataFrame
        One row per variable, level and arm: ``variable level arm n denominator percent percent_of_all``; percent of
        the known values, which ``denominator`` counts. The level ``"missing"`` counts blank and missing values
        together and has no denominator.
    differences : pandas.DataFrame
        One row per variable and pair of arms: ``variable arm1 arm2 smd``, absolute standardised differences.
    arms : tuple of str
        In their order; the arm ``"all"`` in the frames holds everyone.
    sizes : dict of str to int
        People per arm.
    without_arm : int
        Rows without an arm; they are in no count.
    """

    continuous: pd.DataFrame
    categorical: pd.DataFrame
    differences: pd.DataFrame
    arms: tuple[str, ...]
    sizes: dict[str, int]
    without_arm: int

    def to_frame(self) -> pd.DataFrame:
        """Return continuous and categorical variables in one frame, level missing for the continuous."""
        return pd.concat([self.continuous, self.categorical], ignore_index=True)

    def cell(self, variable: str, arm: str, level: Any = None) -> str:
        """Return a cell as a paper prints it: "2/4 (50.0%)" for a level, "15.8 (4.1)" for a mean and SD.

        Parameters
        ----------
        variable : str
        arm : str
        level : object, optional
            Level of a categorical variable; ``"missing"`` gives the plain count.

        Returns
        -------
        str

        Raises
        ------
        OptionError
            There is no such cell.
        """
        if level is None:
            rows = self.continuous[self.continuous["variable"].eq(variable) & self.continuous["arm"].eq(arm)]
        else:
            mine = self.categorical[self.categorical["variable"].eq(variable) & self.categorical["arm"].eq(arm)]
            rows = mine[mine["level"].eq(_label(level))]
        if rows.empty:
            raise OptionError(f"the table has no cell {variable!r}, {arm!r}, {level!r}")
        row = rows.iloc[0]
        if level is None:
            return f"{format_number(row['mean'], 'decimal1')} ({format_number(row['sd'], 'decimal1')})"
        if _label(level) == MISSING:
            return str(int(row["n"]))
        share = f"{format_number(row['percent'], 'decimal1')}%" if row["denominator"] else "–"
        return f"{int(row['n'])}/{int(row['denominator'])} ({share})"

    def summary(self, digits: int = 2) -> str:
        """Return the table as plain text, one line per variable or level."""
        columns = [*self.arms, EVERYONE]
        lines = ["Baseline: " + ", ".join(f"{arm} (n = {self.sizes[arm]})" for arm in columns)]
        for variable in self.continuous["variable"].drop_duplicates():
            cells = "; ".join(f"{arm} {self.cell(variable, arm)}" for arm in columns)
            lines.append(f"{visible(variable)}, mean (SD): {cells}")
        for variable, level in self.categorical[["variable", "level"]].drop_duplicates().itertuples(index=False):
            cells = "; ".join(f"{arm} {self.cell(variable, arm, level)}" for arm in columns)
            lines.append(f"{visible(variable)}, {visible(level)}: {cells}")
        return "\n".join(lines)


def table_one(
    data: pd.DataFrame,
    *,
    arm: str,
    continuous: Sequence[str] = (),
    categorical: Sequence[str] = (),
) -> TableOne:
    """Describe the arms of a trial at baseline.

    Parameters
    ----------
    data : pandas.DataFrame
        One row per person; it is not changed.
    arm : str
        Column of the arm; a categorical's order counts, other values are sorted.
    continuous, categorical : sequence of str
        Columns to describe.

    Returns
    -------
    TableOne

    Raises
    ------
    OptionError
        A column does not exist.
    DataError
        A column described as continuous holds text that is no number, an arm is named "all" or a level "missing",
        or no row has an arm.

    Notes
    -----
    Blank text and missing values are one and the same. Quartiles interpolate linearly (R's type 7). Standardised
    differences are absolute: (m1 − m2) / sqrt((s1² + s2²) / 2) for means; for levels the Mahalanobis distance of
    the proportions of known values, levels that occur in neither arm left out. There are no tests: in a randomised
    trial differences at baseline are due to chance.

    References
    ----------
    Austin (2009), Stat Med 28(25):3083-3107, doi:10.1002/sim.3697.

    Examples
    --------
    >>> people = pd.DataFrame({"arm": ["ipt", "ipt", "tau", "tau"], "sex": ["f", "", "f", "m"]})
    >>> table_one(people, arm="arm", categorical=["sex"]).cell("sex", "tau", "f")
    '1/2 (50.0%)'
    """
    _check_columns(data, [arm, *continuous, *categorical])
    arm_of = _blank_to_missing(data[arm])
    levels = _levels(arm_of)
    if not levels or EVERYONE in map(_label, levels):
        raise DataError(f"expected arms in the column, none of them named {EVERYONE!r}", column=arm)
    names = tuple(_label(level) for level in levels)
    masks = {name: arm_of.eq(level).fillna(False).astype(bool) for name, level in zip(names, levels, strict=True)}
    masks[EVERYONE] = arm_of.notna()
    pairs = [(names[i], names[j]) for i in range(1, len(names)) for j in range(i)]
    numbers, shares, differences = [], [], []
    for name in continuous:
        values = _numbers(data[name])
        numbers += [(name, group, *_described(values[mask])) for group, mask in masks.items()]
        for arm1, arm2 in pairs:
            differences.append((name, arm1, arm2, smd_of_means(values[masks[arm1]], values[masks[arm2]])))
    for name in categorical:
        values = _blank_to_missing(data[name])
        own = _levels(values[masks[EVERYONE]])
        if MISSING in map(_label, own):
            raise DataError(f"a level of {name} is named {MISSING!r}: leave such cells empty", column=name)
        shares += _counted(name, values, own, masks)
        for arm1, arm2 in pairs:
            counts = [[int(values[masks[a]].eq(v).sum()) for v in own] for a in (arm1, arm2)]
            differences.append((name, arm1, arm2, smd_of_levels(*counts)))
    return TableOne(
        continuous=pd.DataFrame(numbers, columns=_CONTINUOUS),
        categorical=pd.DataFrame(shares, columns=_CATEGORICAL),
        differences=pd.DataFrame(differences, columns=["variable", "arm1", "arm2", "smd"]),
        arms=names,
        sizes={name: int(mask.sum()) for name, mask in masks.items()},
        without_arm=int(arm_of.isna().sum()),
    )


def smd_of_means(values1: pd.Series, values2: pd.Series) -> float:
    """Return the absolute standardised difference of two means; NaN where an arm has fewer than two values."""
    one, two = values1.dropna().sort_values(), values2.dropna().sort_values()
    if min(len(one), len(two)) < 2:
        return math.nan
    spread = math.sqrt((float(one.var()) + float(two.var())) / 2)
    difference = abs(float(one.mean()) - float(two.mean()))
    return difference / spread if spread > 0 else (0.0 if difference == 0 else math.nan)


def smd_of_levels(counts1: Sequence[int], counts2: Sequence[int]) -> float:
    """Return the absolute standardised difference of two distributions over levels.

    Parameters
    ----------
    counts1, counts2 : sequence of int
        People per level, in the same order.

    Returns
    -------
    float
        NaN where an arm has nobody with a known level.
    """
    one, two = np.asarray(counts1, dtype=float), np.asarray(counts2, dtype=float)
    if one.sum() == 0 or two.sum() == 0:
        return math.nan
    kept = (one + two) > 0
    p, q = one[kept] / one.sum(), two[kept] / two.sum()
    # One level follows from the others; without it the covariance has full rank.
    delta = (p - q)[1:]
    if delta.size == 0 or not delta.any():
        return 0.0
    covariance = sum(np.diag(share[1:]) - np.outer(share[1:], share[1:]) for share in (p, q)) / 2
    return float(math.sqrt(delta @ np.linalg.pinv(covariance, hermitian=True) @ delta))


def _described(values: pd.Series) -> tuple[float, ...]:
    known = values.dropna().sort_values()
    n, missing = len(known), len(values) - len(known)
    if n == 0:
        return (n, missing, *[math.nan] * 5)
    q1, median, q3 = (float(known.quantile(q)) for q in (0.25, 0.5, 0.75))
    return (n, missing, float(known.mean()), float(known.std()), median, q1, q3)


def _counted(name: str, values: pd.Series, levels: list[Any], masks: dict[str, pd.Series]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for level in levels:
        for group, mask in masks.items():
            mine = values[mask]
            n, known, everyone = int(mine.eq(level).sum()), int(mine.notna().sum()), len(mine)
            percent = 100 * n / known if known else math.nan
            of_all = 100 * n / everyone if everyone else math.nan
            rows.append((name, _label(level), group, n, known, percent, of_all))
    for group, mask in masks.items():
        mine = values[mask]
        n = int(mine.isna().sum())
        of_all = 100 * n / len(mine) if len(mine) else math.nan
        rows.append((name, MISSING, group, n, 0, math.nan, of_all))
    return rows


def _check_columns(data: pd.DataFrame, wanted: Sequence[str]) -> None:
    absent = [name for name in wanted if name not in data.columns]
    if absent:
        raise OptionError(
            f"there is no column {', '.join(map(repr, absent))}",
            column=absent[0],
            hint=f"The columns are: {', '.join(map(str, data.columns))}.",
        )


def _blank_to_missing(values: pd.Series) -> pd.Series:
    """The same values, with blank text as missing; a categorical keeps the order of its levels."""
    blank = values.map(lambda value: isinstance(value, str) and not value.strip(), na_action="ignore")
    return values.mask(blank.astype(object).eq(True).astype(bool))


def _levels(values: pd.Series) -> list[Any]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        present = set(values.dropna())
        return [level for level in values.cat.categories if level in present]
    present = set(values.dropna())
    return sorted(present, key=lambda level: (isinstance(level, str), level))


def _label(level: Any) -> str:
    if isinstance(level, float | np.floating) and float(level).is_integer():
        return str(int(level))
    return str(level)


def _numbers(values: pd.Series) -> pd.Series:
    plain = _blank_to_missing(values)
    numbers = pd.to_numeric(plain.astype(object), errors="coerce")
    odd = int((numbers.isna() & plain.notna()).sum() + np.isinf(numbers.astype(float)).sum())
    if odd:
        raise DataError(
            f"expected numbers in {values.name}; {odd} of {len(values)} cells hold none", column=str(values.name)
        )
    return numbers.astype(float)
