"""A column of people or episodes as levels to compare by."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ipt_outcomes.errors import OptionError
from ipt_outcomes.vocabulary import ProblemArea

MOST_LEVELS = 12
"""More levels than these group nobody."""


def levels_of(values: pd.Series, by: str, *, none_set: bool = False, most: int = MOST_LEVELS) -> pd.Series:
    """Return a column as levels.

    Parameters
    ----------
    values : pandas.Series
    by : str
        Name of the column, for the message.
    none_set : bool
        Whether the problem area "none set" is a level; otherwise it is missing.
    most : int
        Levels there may be.

    Returns
    -------
    pandas.Series
        Categorical of text with the levels that occur: a categorical's in its own order, problem areas as in the
        vocabulary, numbers by size, other text sorted. Blank text is missing.

    Raises
    ------
    OptionError
        The column has more than `most` levels.

    Examples
    --------
    >>> levels_of(pd.Series([10.0, 9.0, None]), "site").cat.categories.tolist()
    ['9', '10']
    """
    texts = values.astype(object).map(_text, na_action="ignore")
    unset = values.isna() | texts.eq("")
    if not none_set:
        unset |= texts.eq(ProblemArea.NONE_SET.value)
    texts = texts.mask(unset.astype(bool))
    occurring = set(texts.dropna())
    used = [level for level in _order(values, occurring) if level in occurring]
    if len(used) > most:
        raise OptionError(
            f"{by} has more than {most} levels: they group nobody",
            column=by,
            hint="Name a column that groups people, such as problem_area or sex.",
        )
    return pd.Series(pd.Categorical(texts, categories=used), index=values.index)


def _order(values: pd.Series, occurring: set[str]) -> list[str]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return list(dict.fromkeys(_text(level) for level in values.cat.categories))
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return list(dict.fromkeys(_text(level) for level in sorted(values.dropna().unique(), key=float)))
    areas = [area.value for area in ProblemArea]
    return [*areas, *sorted(occurring - set(areas))] if occurring & set(areas) else sorted(occurring)


def _text(level: Any) -> str:
    return f"{level:g}" if isinstance(level, float) else str(level).strip()
