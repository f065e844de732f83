"""Design matrix of moderators: numbers, categories, interactions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DesignError, OptionError, require_known
from ipt_outcomes.meta.inputs import name_rows

INTERCEPT = "(Intercept)"


@dataclass(frozen=True, slots=True)
class Design:
    """Columns of a regression and how they were made.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (n, p)
        NaN in rows with a missing moderator.
    terms : tuple of str
        Name of each column.
    groups : tuple of (str, tuple of int)
        Each moderator or interaction and its columns; the intercept is in none.
    levels : dict of str to tuple
        Levels of each category, the reference first.
    names : tuple of str
        Moderators in their order.
    interactions : tuple of tuple of str
    """

    matrix: np.ndarray
    terms: tuple[str, ...]
    groups: tuple[tuple[str, tuple[int, ...]], ...]
    levels: dict[str, tuple[Any, ...]]
    names: tuple[str, ...]
    interactions: tuple[tuple[str, ...], ...]


def read_moderators(moderators: Any, n: int) -> pd.DataFrame:
    """Return the moderators as a frame with one row per effect.

    Parameters
    ----------
    moderators : DataFrame, mapping, Series, or array_like of shape (n,) or (n, q)
    n : int
        Number of effects.

    Returns
    -------
    pandas.DataFrame
        Columns named as given; ``x``, or ``x1 x2 ...`` for plain arrays.

    Raises
    ------
    DesignError
        There is not one value per effect.
    OptionError
        There is no moderator, or two have one name.
    """
    if isinstance(moderators, pd.DataFrame):
        frame = moderators.reset_index(drop=True)
    elif isinstance(moderators, pd.Series):
        name = "x" if moderators.name is None else str(moderators.name)
        frame = moderators.reset_index(drop=True).to_frame(name)
    elif isinstance(moderators, dict):
        columns = {name: pd.Series(values).reset_index(drop=True) for name, values in moderators.items()}
        frame = pd.DataFrame(columns)
        if any(len(column) != n for column in columns.values()):
            lengths = ", ".join(f"{name} has {len(column)}" for name, column in columns.items())
            raise DesignError(f"a moderator must have one value per effect, {n}; {lengths}")
    else:
        frame = _from_array(moderators)
    frame.columns = [str(name) for name in frame.columns]
    if frame.shape[1] == 0 or len(set(frame.columns)) < frame.shape[1]:
        raise OptionError("moderators must be one or more columns with different names")
    if len(frame) != n:
        raise DesignError(f"a moderator must have one value per effect, {n}; got {len(frame)}")
    return frame


def _from_array(values: Any) -> pd.DataFrame:
    array = np.asarray(values)
    if array.ndim == 1:
        return pd.DataFrame({"x": pd.Series(list(values))})
    if array.ndim != 2:
        raise DesignError(f"moderators must be a column or a table; got {array.ndim} dimensions")
    return pd.DataFrame(array, columns=[f"x{i + 1}" for i in range(array.shape[1])]).infer_objects()


def make_design(
    frame: pd.DataFrame,
    interactions: Sequence[Sequence[str]] = (),
    levels: dict[str, tuple[Any, ...]] | None = None,
) -> Design:
    """Code the moderators: numbers as they are, categories against their first level, products.

    Parameters
    ----------
    frame : pandas.DataFrame
        One column per moderator; text, truth values and categoricals are categories (a categorical keeps its
        order, other values are sorted).
    interactions : sequence of sequences of str
        Moderators whose product enters, beside themselves.
    levels : dict, optional
        Levels of an earlier design, for predictions.

    Returns
    -------
    Design

    Raises
    ------
    OptionError
        An interaction names no moderator.
    DesignError
        A category has one level only, or a value that the earlier design did not have.
    """
    known = [str(name) for name in frame.columns]
    for pair in interactions:
        require_known("interactions name no moderator", pair, known)
        if len(set(pair)) < 2:
            raise OptionError(f"an interaction needs two or more different moderators; got {tuple(pair)!r}")
    pieces: dict[str, tuple[np.ndarray, list[str]]] = {}
    found: dict[str, tuple[Any, ...]] = {}
    for name in known:
        column = frame[name]
        if _is_number(column):
            pieces[name] = (column.to_numpy(dtype=float, na_value=np.nan)[:, None], [name])
        else:
            found[name] = (levels or {}).get(name) or _levels(name, column)
            pieces[name] = _coded(name, column, found[name])
    columns, terms, groups = [np.ones((len(frame), 1))], [INTERCEPT], []
    wanted = [(name, pieces[name]) for name in known]
    wanted += [(":".join(pair), _product([pieces[name] for name in pair])) for pair in interactions]
    for name, (values, labels) in wanted:
        groups.append((name, tuple(range(len(terms), len(terms) + len(labels)))))
        columns.append(values)
        terms.extend(labels)
    pairs = tuple(tuple(pair) for pair in interactions)
    return Design(np.concatenate(columns, axis=1), tuple(terms), tuple(groups), found, tuple(known), pairs)


def _is_number(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype)) and not pd.api.types.is_bool_dtype(column.dtype)


def _levels(name: str, column: pd.Series) -> tuple[Any, ...]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        present = set(column.dropna())
        levels = [level for level in column.cat.categories if level in present]
    else:
        values = column.dropna().unique().tolist()
        try:
            levels = sorted(values)
        except TypeError:
            levels = sorted(values, key=str)
    if len(levels) < 2:
        raise DesignError(f"moderator {name!r} has {len(levels)} level: nothing to compare", column=name)
    return tuple(levels)


def _coded(name: str, column: pd.Series, levels: tuple[Any, ...]) -> tuple[np.ndarray, list[str]]:
    values = column.astype(object)
    unknown = np.flatnonzero((~values.isin(list(levels)) & values.notna()).to_numpy())
    if unknown.size:
        raise DesignError(f"moderator {name!r} has a level that the fit did not have in {name_rows(unknown)}",
                          rows=unknown, column=name)  # fmt: skip
    coded = np.column_stack([(values == level).to_numpy(dtype=float) for level in levels[1:]])
    coded[values.isna().to_numpy()] = np.nan
    return coded, [f"{name}[{level}]" for level in levels[1:]]


def _product(pieces: list[tuple[np.ndarray, list[str]]]) -> tuple[np.ndarray, list[str]]:
    values, labels = pieces[0]
    for other, names in pieces[1:]:
        values = np.concatenate([values[:, [i]] * other for i in range(values.shape[1])], axis=1)
        labels = [f"{left}:{right}" for left in labels for right in names]
    return values, labels
