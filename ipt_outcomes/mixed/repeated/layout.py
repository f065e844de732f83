"""From rows to sums: who was seen when, which columns are visit times person, and a first covariance matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipt_outcomes.errors import DesignError, OptionError
from ipt_outcomes.mixed.centring import Split, constant_columns, lossless_shifts, split_columns, way_back
from ipt_outcomes.mixed.columns import factor, is_numeric, numbers, used_levels
from ipt_outcomes.mixed.design import Design
from ipt_outcomes.mixed.repeated.patterns import Columns, Patterns, sum_patterns
from ipt_outcomes.sums import Groups

# Numbers held for all patterns at most; more would not fit into the memory of a desktop.
_MOST_NUMBERS = 2e8
_LEAST_EIGENVALUE = 0.05


@dataclass(frozen=True, slots=True)
class Visits:
    """When people were seen.

    Parameters
    ----------
    names : tuple
        Visits in order; for visits at times of one's own, first, second and so on.
    of_row : numpy.ndarray of int, shape (n,)
        Visit of each row used.
    kind : numpy.ndarray of int, shape (g,), or None
        Which times are each person's, where these differ.
    distances : numpy.ndarray, shape (kinds, t, t), or None
        Between the visits of each kind.
    """

    names: tuple[object, ...]
    of_row: np.ndarray
    kind: np.ndarray | None = None
    distances: np.ndarray | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """Sums of a model for repeated measures, the outcome centred and scaled.

    Parameters
    ----------
    split : Split
        Columns as what changes within persons times what does not.
    patterns : Patterns
    member : numpy.ndarray of int, shape (g,)
        Pattern of each person.
    kind : numpy.ndarray of int, shape (m,), or None
        Times of each pattern.
    center, scale : float
        Taken off the outcome, and what it was divided by.
    back : numpy.ndarray, shape (p, p)
        From coefficients of the centred columns to those of the columns as they are.
    xx : numpy.ndarray, shape (p, p)
        Sums of products of the centred columns.
    """

    split: Split
    patterns: Patterns
    member: np.ndarray
    kind: np.ndarray | None
    center: float
    scale: float
    back: np.ndarray
    xx: np.ndarray


def scheduled_visits(design: Design, frame: pd.DataFrame, visit: str) -> Visits:
    """Return the visits of a column of levels.

    Parameters
    ----------
    design : Design
    frame : pandas.DataFrame
    visit : str

    Returns
    -------
    Visits

    Raises
    ------
    DesignError
        Two rows of one person and visit (``.rows`` names them), one visit only, or too many.
    """
    found = used_levels(factor(frame[visit].iloc[design.rows]))
    if len(found.levels) < 2:
        raise DesignError(
            f"{visit} has one visit only in the rows used",
            column=visit,
            hint="A model for repeated measures needs two or more; one outcome per person is a linear regression.",
        )
    if len(found.levels) > 60:
        raise DesignError(
            f"{visit} has {len(found.levels)} visits; at most 60 are modelled",
            column=visit,
            hint="Round the times to planned visits, or use covariance='spatial-exponential' with the time itself.",
        )
    codes = np.asarray(found.codes, dtype=np.int64)
    _require_once(design, codes, len(found.levels), visit)
    return Visits(found.levels, codes)


def own_times(design: Design, frame: pd.DataFrame, columns: Sequence[str]) -> Visits:
    """Return visits at times of one's own.

    Parameters
    ----------
    design : Design
    frame : pandas.DataFrame
    columns : sequence of str
        Numeric columns; distances are Euclidean.

    Returns
    -------
    Visits
        In the order of the times within each person.

    Raises
    ------
    OptionError
        A column that is not numeric.
    DesignError
        Two rows of one person at one time.
    """
    for name in columns:
        if not is_numeric(frame[name]):
            raise OptionError(f"{name} must be numeric for the spatial structure", column=name)
    times = np.column_stack([numbers(frame[name].iloc[design.rows]) for name in columns])
    order = np.lexsort((*times.T[::-1], design.codes))
    person = design.codes[order]
    starts = np.concatenate(([True], person[1:] != person[:-1]))
    place = np.arange(person.size) - np.flatnonzero(starts)[np.cumsum(starts) - 1]
    slot = np.empty_like(place)
    slot[order] = place
    t, g = int(place.max()) + 1, len(design.group_levels)
    if t < 2:
        raise DesignError("nobody has two rows: a model for repeated measures needs them")
    at = np.full((g, t, len(columns)), np.nan)
    at[design.codes, slot] = times
    apart = np.diff(at, axis=1)
    if (twice := np.argwhere((apart == 0).all(axis=2))).size:
        rows = np.flatnonzero((design.codes[:, None] == twice[:, 0]).any(axis=1))
        raise DesignError(
            f"{len(twice)} times a person has two rows at the same {' and '.join(columns)}",
            rows=design.rows[rows][:1000].tolist(),
            hint="Keep one row per person and time.",
        )
    found, kind = np.unique(at.reshape(g, -1), axis=0, return_inverse=True, equal_nan=True)
    found = found.reshape(-1, t, len(columns))
    distances = np.sqrt(((found[:, :, None, :] - found[:, None, :, :]) ** 2).sum(axis=3))
    return Visits(tuple(range(1, t + 1)), slot, kind.ravel(), np.nan_to_num(distances))


def lay_out(design: Design, visits: Visits, group: np.ndarray) -> Layout:
    """Take the sums.

    Parameters
    ----------
    design : Design
    visits : Visits
    group : numpy.ndarray of int, shape (g,)
        Covariance matrix of each person.

    Returns
    -------
    Layout

    Raises
    ------
    DesignError
        Too many numbers to hold.
    """
    split = split_columns(design)
    _, levels = lossless_shifts(split, [])
    constants = np.column_stack(
        [
            np.ones(split.groups.n_groups) if own is None else own - level
            for own, level in zip(split.constants, levels, strict=True)
        ]
    )
    columns, varying = _columns(design, split, visits, constants)
    g, t = len(design.group_levels), len(visits.names)
    center = float(design.y.mean()) if constant_columns(design) else 0.0
    scale = float(np.std(design.y - center)) or 1.0
    values = np.zeros((g, len(varying) + 1, t))
    for place, own in enumerate([*varying, (design.y - center) / scale]):
        values[design.codes, place, visits.of_row] = own
    seen = np.zeros((g, t), dtype=bool)
    seen[design.codes, visits.of_row] = True
    kinds = 0 if visits.kind is None else int(visits.kind.max()) + 1
    if max(kinds, 1) * (values.shape[1] * t) ** 2 > _MOST_NUMBERS:
        raise DesignError(
            f"{kinds} sets of visit times with {values.shape[1]} columns that change with time are too many",
            hint="Round the times to planned visits, or use a structure over scheduled visits.",
        )
    patterns, member = sum_patterns(columns, constants, values, seen, group, visits.kind)
    kind = None
    if visits.kind is not None:
        kind = np.zeros(len(patterns.people), dtype=np.int64)
        kind[member] = visits.kind
    same = patterns.seen[:, :, None] * np.eye(t)
    p = len(design.fixed)
    xx = patterns.quadratic(same)[:p, :p]
    back = way_back(split.fixed, [0.0] * len(split.basis), levels)
    return Layout(split, patterns, member, kind, center, scale, back, xx)


def first_covariance(layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Return SDs and correlations of the residuals of least squares, made positive definite.

    Parameters
    ----------
    layout : Layout

    Returns
    -------
    tuple of numpy.ndarray, shape (t,) and (t, t)
        From the people seen at both visits; 1/2 where nobody was.
    """
    patterns = layout.patterns
    t = patterns.seen.shape[1]
    sums = patterns.quadratic(patterns.seen[:, :, None] * np.eye(t))
    p = len(sums) - 1
    beta = np.linalg.lstsq(sums[:p, :p], sums[:p, p], rcond=None)[0]
    residual = np.append(-beta, 1.0)
    products = patterns.products(np.multiply.outer(residual, residual)).sum(axis=0)
    both = np.einsum("m,ms,mt->st", patterns.people, patterns.seen, patterns.seen)
    covariance = products / np.maximum(both, 1)
    variance = np.diag(covariance)
    variance = np.maximum(variance, 1e-6 * max(variance.max(), 1e-300))
    sd = np.sqrt(variance)
    correlation = np.where(both > 2, covariance / np.multiply.outer(sd, sd), 0.5)
    np.fill_diagonal(correlation, 1.0)
    found, directions = np.linalg.eigh(np.clip(correlation, -1, 1))
    lifted = (directions * np.maximum(found, _LEAST_EIGENVALUE)) @ directions.T
    size = np.sqrt(np.diag(lifted))
    return sd, lifted / np.multiply.outer(size, size)


def _columns(design: Design, split: Split, visits: Visits, constants: np.ndarray) -> tuple[Columns, list[np.ndarray]]:
    """Columns by kind; the second kind with a value per row."""
    t = len(visits.names)
    by_visit = Groups.from_codes(visits.of_row, t)
    at_visit: list[np.ndarray | None] = []
    for own in split.basis:
        if own is None:
            at_visit.append(np.ones(t))
        elif visits.kind is None and by_visit.is_constant(own):
            at_visit.append(by_visit.first(own))
        else:
            at_visit.append(None)
    separate = [place for place, (basis, _) in enumerate(split.fixed) if at_visit[basis] is not None]
    rest = [place for place in range(len(split.fixed)) if place not in set(separate)]
    basis = [own for place in separate if (own := at_visit[split.fixed[place][0]]) is not None]
    varying = []
    for place in rest:
        changing, constant = split.fixed[place]
        rows = split.basis[changing]
        assert rows is not None  # noqa: S101  the column of ones is a function of the visit
        varying.append(rows * constants[design.codes, constant])
    columns = Columns(
        np.column_stack(basis) if basis else np.zeros((t, 0)),
        np.array([split.fixed[place][1] for place in separate], dtype=np.int64),
        np.array(separate, dtype=np.int64),
        np.array([*rest, len(split.fixed)], dtype=np.int64),
    )
    return columns, varying


def _require_once(design: Design, codes: np.ndarray, n_visits: int, visit: str) -> None:
    key = design.codes.astype(np.int64) * n_visits + codes
    _, place, count = np.unique(key, return_inverse=True, return_counts=True)
    twice = np.flatnonzero(count[place.ravel()] > 1)
    if twice.size:
        raise DesignError(
            f"{int((count > 1).sum())} times a person has several rows at one {visit} ({twice.size} rows)",
            rows=design.rows[twice][:1000].tolist(),
            column=visit,
            hint="Keep one row per person and visit; .rows has their positions.",
        )
