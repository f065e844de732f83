"""The profiled likelihood of a linear mixed model with one grouping factor, from per-group sums alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ipt_outcomes.errors import DesignError
from ipt_outcomes.mixed.design import Design, Split, split_columns
from ipt_outcomes.sums import Groups, GroupSums, packed_index, steady_sum, sums_of_products

# Residual sum of squares, as a share of that of the outcome, which is rounding and nothing else.
_EXACT = 1e-10


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums of products of the random columns Z, the fixed columns X and the outcome y.

    Parameters
    ----------
    zz, zx, zy : numpy.ndarray, shape (g, q, q), (g, q, p), (g, q)
        Of each group.
    xx, xy : numpy.ndarray, shape (p, p), (p,)
        Over all rows.
    yy : float
    n : int
        Rows.
    """

    zz: np.ndarray
    zx: np.ndarray
    zy: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: float
    n: int


@dataclass(frozen=True, slots=True)
class Scaling:
    """How outcome and columns were centred and scaled before their sums were taken.

    Raw moments of numbers far from 0 cancel: with 1e6 added to every outcome the log-likelihood would be off by 0.3.

    Parameters
    ----------
    center : float
        Of the outcome; 0 where the fixed part has no intercept that could take it up.
    scale : float
    fixed_back : numpy.ndarray, shape (p, p)
        From coefficients of the centred columns to those of the columns as they are.
    random_back : numpy.ndarray, shape (q, q)
        The same for random effects.
    places : numpy.ndarray of int, shape (g,)
        Where each group stands in the sums.
    """

    center: float
    scale: float
    fixed_back: np.ndarray
    random_back: np.ndarray
    places: np.ndarray


def moments_of(design: Design) -> tuple[Moments, Scaling]:
    """Take the sums of a design.

    Parameters
    ----------
    design : Design

    Returns
    -------
    Moments
        Of the outcome centred and scaled, and of centred columns.
    Scaling
        The way back.

    Notes
    -----
    A column is centred only where the model is the same without that: where every fixed and random column it stands
    in has, beside it, the one with 1 in its place.
    """
    split = split_columns(design)
    constant = constant_columns(design)
    groups = split.groups
    center = groups.total(groups.gather(design.y)) / groups.n_rows if constant else 0.0
    scale = _spread(groups, design.y - center)
    blocks = [random.block for random in design.random]
    shifts, levels = lossless_shifts(split, blocks)
    basis = [
        column if column is None or not shift else column - shift
        for column, shift in zip(split.basis, shifts, strict=True)
    ]
    constants = [
        values if values is None or not level else values - level
        for values, level in zip(split.constants, levels, strict=True)
    ]
    centred = replace(split, constants=tuple(constants))
    sums = sums_of_products(groups, basis, (design.y - center) / scale)
    order = _by_content(sums, centred)
    sums = replace(sums, cross=sums.cross[:, order], with_y=sums.with_y[:, order])
    centred = replace(
        centred, constants=tuple(values if values is None else values[order] for values in centred.constants)
    )
    places = np.empty_like(order)
    places[order] = np.arange(order.size)
    back = (way_back(split.fixed, shifts, levels), way_back(split.random, shifts, levels))
    return _expanded(centred, sums), Scaling(center, scale, *back, places)


def _spread(groups: Groups, centred: np.ndarray) -> float:
    """Standard deviation of the outcome, whatever the order of the rows; 1 where it is 0."""
    gathered = groups.gather(centred)
    middle = groups.total(gathered) / groups.n_rows
    return float(np.sqrt(groups.total((gathered - middle) ** 2) / groups.n_rows)) or 1.0


def _by_content(sums: GroupSums, split: Split) -> np.ndarray:
    """Order of the groups by what they hold: neither their names nor the order of rows decides the last bits."""
    parts = [*sums.with_y, *sums.cross, *(values for values in split.constants if values is not None)]
    mixed = np.zeros(split.groups.n_groups)
    for number, values in enumerate(parts, start=2):
        mixed += np.sqrt(number) * values
    return np.argsort(mixed, kind="stable")


def constant_columns(design: Design) -> list[int]:
    """Return the fixed columns that add up to 1 in every row: the intercept, or all levels of a factor; or none."""
    for place, column in enumerate(design.fixed):
        if column.parts == ():
            return [place]
    for name, variable in design.variables.items():
        places = [i for i, column in enumerate(design.fixed) if len(column.parts) == 1 and column.parts[0][0] == name]
        if variable.is_factor and len(places) == len(variable.levels):
            return places
    return []


def lossless_shifts(split: Split, blocks: list[int]) -> tuple[list[float], list[float]]:
    """Return what to take off each basis column and each constant: 0 where the model would be another one then.

    Parameters
    ----------
    split : Split
    blocks : list of int
        Block of each random column.

    Returns
    -------
    tuple of list of float
    """
    columns = [(-1, column) for column in split.fixed]
    columns += list(zip(blocks, split.random, strict=True))
    known = set(columns)

    def lossless(part: int, place: int) -> bool:
        others = [
            (of, tuple(0 if i == part else c for i, c in enumerate(column)))
            for of, column in columns
            if column[part] == place
        ]
        return all(other in known for other in others)

    groups = split.groups
    means: list[list[float]] = []
    for part, values in enumerate((split.basis, split.constants)):
        totals = [
            0.0 if own is None or not lossless(part, place) else _total(groups, own) / own.size
            for place, own in enumerate(values)
        ]
        means.append(totals)
    return means[0], means[1]


def _total(groups: Groups, values: np.ndarray) -> float:
    """Sum of values of rows, or of one value per group."""
    return groups.total(groups.gather(values)) if values.size == groups.n_rows else steady_sum(values)


def way_back(columns: tuple[tuple[int, int], ...], shifts: list[float], levels: list[float]) -> np.ndarray:
    """Return the matrix from coefficients of the centred columns to those of the columns as they are."""
    there = np.eye(len(columns))
    for j, (basis, constant) in enumerate(columns):
        shift, level = shifts[basis], levels[constant]
        for share, part in ((shift, (0, constant)), (level, (basis, 0)), (shift * level, (0, 0))):
            if share:
                there[columns.index(part), j] += share
    return np.linalg.inv(there)


def _expanded(split: Split, sums: GroupSums) -> Moments:
    """Sums of the model's columns from those of their parts."""
    index = packed_index(len(split.basis))
    ones = np.ones(split.groups.n_groups)
    constants = [ones if values is None else values for values in split.constants]

    def product(one: tuple[int, int], other: tuple[int, int]) -> np.ndarray:
        return np.asarray(sums.cross[index[one[0], other[0]]] * constants[one[1]] * constants[other[1]])

    def with_outcome(one: tuple[int, int]) -> np.ndarray:
        return np.asarray(sums.with_y[one[0]] * constants[one[1]])

    random, fixed = split.random, split.fixed
    xx = np.empty((len(fixed), len(fixed)))
    for i, one in enumerate(fixed):
        for j in range(i, len(fixed)):
            xx[i, j] = xx[j, i] = product(one, fixed[j]).sum()
    return Moments(
        zz=np.stack([np.stack([product(one, other) for other in random], axis=-1) for one in random], axis=1),
        zx=np.stack([np.stack([product(one, other) for other in fixed], axis=-1) for one in random], axis=1),
        zy=np.stack([with_outcome(one) for one in random], axis=-1),
        xx=xx,
        xy=np.array([with_outcome(one).sum() for one in fixed]),
        yy=sums.y_squared,
        n=sums.n_rows,
    )


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The likelihood and its parts at one relative covariance factor.

    Parameters
    ----------
    deviance : float
        Minus twice the profiled log-likelihood (REML or ML).
    beta : numpy.ndarray, shape (p,)
    a_inv : numpy.ndarray, shape (p, p)
        Covariance of `beta` relative to the residual variance.
    rss : float
        Generalised residual sum of squares.
    score : numpy.ndarray, shape (q, q)
        Derivative of `deviance` by the relative covariance.
    k_x : numpy.ndarray, shape (g, q, p)
        ``Z'V^-1 X`` of each group.
    k_r : numpy.ndarray, shape (g, q)
        ``Z'V^-1 (y - X beta)`` of each group.
    inverse : numpy.ndarray, shape (g, q, q)
        Of ``I + factor' Z'Z factor`` of each group.
    """

    deviance: float
    beta: np.ndarray
    a_inv: np.ndarray
    rss: float
    score: np.ndarray
    k_x: np.ndarray
    k_r: np.ndarray
    inverse: np.ndarray


def evaluate(moments: Moments, factor: np.ndarray, *, reml: bool, sigma: float | None = None) -> Evaluation:
    """Evaluate the likelihood.

    Parameters
    ----------
    moments : Moments
    factor : numpy.ndarray, shape (q, q)
        Lower triangular; the covariance of the random effects is ``sigma**2 * factor @ factor.T``.
    reml : bool
    sigma : float, optional
        Residual standard deviation; profiled out where not given.

    Returns
    -------
    Evaluation

    Raises
    ------
    DesignError
        Nothing is left to vary.

    Notes
    -----
    With ``M = I + factor' Z'Z factor`` of a group, ``log|V| = log|M|`` and ``V^-1 = I - Z factor M^-1 factor' Z'``
    (Bates et al. 2015, doi:10.18637/jss.v067.i01).
    """
    p = moments.xx.shape[0]
    df = moments.n - p if reml else moments.n
    inner = np.eye(factor.shape[0]) + factor.T @ (moments.zz @ factor)
    inverse, log_determinant = _inverse(inner)
    # With W = factor M^-1 factor', V^-1 = I - Z W Z'; V is relative to the residual variance.
    w = factor @ inverse @ factor.T
    w_zx, w_zy = _times(w, moments.zx), (w * moments.zy[:, None, :]).sum(axis=2)
    flat_x, flat_wx = moments.zx.reshape(-1, p), w_zx.reshape(-1, p)
    a = moments.xx - flat_x.T @ flat_wx
    b = moments.xy - flat_wx.T @ moments.zy.ravel()
    a = (a + a.T) / 2
    a_root = np.linalg.cholesky(a)
    beta = np.linalg.solve(a, b)
    rss = float(moments.yy - (w_zy * moments.zy).sum() - b @ beta)
    if rss <= _EXACT * moments.yy:
        raise DesignError(
            "the model gives every outcome exactly: there is no residual variation to estimate",
            hint="Data as regular as this are made up or copied; a mixed model describes nothing in them.",
        )
    variance = rss / df if sigma is None else sigma**2
    deviance = log_determinant + df * np.log(2 * np.pi * variance)
    deviance += rss / variance + (2 * np.log(np.diag(a_root)).sum() if reml else 0.0)
    a_inv = np.linalg.inv(a)
    k = moments.zz - _times(moments.zz, _times(w, moments.zz))
    k_x = moments.zx - _times(moments.zz, w_zx)
    k_r = moments.zy - (moments.zz * w_zy[:, None, :]).sum(axis=2) - k_x @ beta
    score = k.sum(axis=0) - k_r.T @ k_r / variance
    if reml:
        score -= np.tensordot(k_x @ a_inv, k_x, axes=([0, 2], [0, 2]))
    return Evaluation(float(deviance), beta, a_inv, rss, score, k_x, k_r, inverse)


def _times(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Multiply the small matrices of all groups; a loop over their few columns is faster than BLAS, group by group."""
    found: np.ndarray = left[:, :, :1] * right[:, :1, :]
    for place in range(1, left.shape[2]):
        found += left[:, :, place : place + 1] * right[:, place : place + 1, :]
    return found


def _inverse(matrices: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the inverses of positive definite matrices, and the sum of the logarithms of their determinants."""
    if matrices.shape[1] > 2:
        return np.linalg.inv(matrices), float(np.linalg.slogdet(matrices)[1].sum())
    if matrices.shape[1] == 1:
        return np.asarray(1 / matrices), float(np.log(matrices).sum())
    first, second, both = matrices[:, 0, 0], matrices[:, 1, 1], matrices[:, 0, 1]
    determinant = first * second - both**2
    inverse = np.empty_like(matrices)
    inverse[:, 0, 0], inverse[:, 1, 1] = second / determinant, first / determinant
    inverse[:, 0, 1] = inverse[:, 1, 0] = -both / determinant
    return inverse, float(np.log(determinant).sum())
