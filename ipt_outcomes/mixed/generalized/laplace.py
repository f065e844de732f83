"""The likelihood of a generalized linear mixed model by Laplace's approximation, with its exact gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ipt_outcomes.mixed.generalized.problem import Problem

_MOST_STEPS = 100
_SMALL = 1e-17
_SHORTEST = 1e-8
# Rows whose dense parts are in memory at once.
_CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Modes:
    """Spherical random effects, those of the first factor by group.

    Parameters
    ----------
    first : numpy.ndarray, shape (g, q)
    others : numpy.ndarray, shape (m,)
    """

    first: np.ndarray
    others: np.ndarray


@dataclass(frozen=True, slots=True)
class Penalised:
    """The negative Hessian of the penalised log-likelihood at some effects, factored.

    Parameters
    ----------
    a_inv : numpy.ndarray, shape (g, q, q)
    across : tuple of sparse arrays, each of shape (g, m)
        ``A^-1 B``, one per column of the first factor; empty without other factors.
    between : tuple of sparse arrays
        ``B``, the same way.
    rest : numpy.ndarray, shape (m, m)
        Inverse of the Schur complement.
    log_determinant : float
    """

    a_inv: np.ndarray
    across: tuple[sparse.csr_array, ...]
    between: tuple[sparse.csr_array, ...]
    rest: np.ndarray
    log_determinant: float

    def solve(self, first: np.ndarray, others: np.ndarray) -> Modes:
        """Multiply by the inverse."""
        turned = np.einsum("gab,gb->ga", self.a_inv, first)
        if not others.size:
            return Modes(turned, others)
        left = others - sum(b.T @ turned[:, place] for place, b in enumerate(self.between))
        second = self.rest @ left
        down = np.column_stack([one @ second for one in self.across])
        return Modes(turned - down, second)


@dataclass(frozen=True, slots=True)
class Point:
    """Where the effects are most likely, for one set of parameters.

    Parameters
    ----------
    log_likelihood : float
        Laplace's approximation, without the constant.
    modes : Modes
    eta, mean : numpy.ndarray, shape (n,)
    first : numpy.ndarray, shape (n, q)
        Columns of the first factor times its covariance factor.
    others : sparse array, shape (n, m)
    inner : Penalised
    """

    log_likelihood: float
    modes: Modes
    eta: np.ndarray
    mean: np.ndarray
    first: np.ndarray
    others: sparse.csr_array
    inner: Penalised


def start_modes(problem: Problem) -> Modes:
    """Return effects of 0."""
    return Modes(np.zeros((problem.starts.size, problem.first.width)), np.zeros(problem.n_other))


def point(problem: Problem, beta: np.ndarray, factors: Sequence[np.ndarray], start: Modes) -> Point:
    """Find the modes of the random effects by penalised iteratively reweighted least squares.

    Parameters
    ----------
    problem : Problem
    beta : numpy.ndarray, shape (p,)
    factors : sequence of numpy.ndarray, shape (q, q)
        Of the covariance of each factor of `problem.randoms`, lower triangular.
    start : Modes

    Returns
    -------
    Point
        Its log-likelihood is not finite where no modes were found.

    References
    ----------
    Breslow and Clayton (1993), J Am Stat Assoc 88(421):9-25, doi:10.1080/01621459.1993.10594284; Bates et al.
    (2015), J Stat Softw 67(1), doi:10.18637/jss.v067.i01.
    """
    family = problem.family
    first = problem.first.values @ factors[0]
    others = problem.others_matrix(factors[1:]) if problem.others else sparse.csr_array((problem.y.size, 0))
    fixed = problem.offset + problem.x @ beta

    def at(modes: Modes) -> tuple[np.ndarray, float]:
        eta = fixed + (first * modes.first[problem.place]).sum(axis=1)
        if modes.others.size:
            eta = eta + others @ modes.others
        penalty = float((modes.first**2).sum() + modes.others @ modes.others) / 2
        return eta, float(family.terms(problem.y, problem.size, eta).sum()) - penalty

    modes = start
    eta, value = at(modes)
    for _ in range(_MOST_STEPS):
        mean = family.mean(eta)
        variance, _ = family.spread(mean)
        inner = _penalised(problem, first, others, problem.size * variance)
        residual = problem.y - problem.size * mean
        gradient = Modes(
            problem.group_sums(first * residual[:, None]) - modes.first, others.T @ residual - modes.others
        )
        step = inner.solve(gradient.first, gradient.others)
        gain = float((gradient.first * step.first).sum() + gradient.others @ step.others)
        if not np.isfinite(gain):
            return Point(-np.inf, modes, eta, mean, first, others, inner)
        if gain < _SMALL:
            found = value - inner.log_determinant / 2
            return Point(found, modes, eta, mean, first, others, inner)
        length = 1.0
        while length > _SHORTEST:
            trial = Modes(modes.first + length * step.first, modes.others + length * step.others)
            new_eta, new_value = at(trial)
            if new_value >= value - 1e-12 * abs(value):
                break
            length /= 2
        modes, eta, value = trial, new_eta, new_value
    return Point(-np.inf, modes, eta, mean, first, others, inner)


def _penalised(problem: Problem, first: np.ndarray, others: sparse.csr_array, weights: np.ndarray) -> Penalised:
    q = first.shape[1]
    weighted = first * weights[:, None]
    a = problem.group_sums(np.einsum("na,nb->nab", weighted, first)) + np.eye(q)
    a_inv = np.asarray(1 / a) if q == 1 else np.linalg.inv(a)
    log_determinant = float(np.log(a).sum()) if q == 1 else float(np.linalg.slogdet(a)[1].sum())
    if not problem.n_other:
        return Penalised(a_inv, (), (), np.empty((0, 0)), log_determinant)
    g, n = problem.starts.size, problem.y.size
    rows = np.arange(n)
    between = tuple(
        sparse.csr_array((weighted[:, place], (problem.place, rows)), shape=(g, n)) @ others for place in range(q)
    )
    across = tuple(
        sparse.csr_array(sum(sparse.diags_array(a_inv[:, row, column]) @ between[column] for column in range(q)))
        for row in range(q)
    )
    schur = (others.T @ (sparse.diags_array(weights) @ others)).toarray() + np.eye(problem.n_other)
    for b, turned in zip(between, across, strict=True):
        schur -= (b.T @ turned).toarray()
    schur = (schur + schur.T) / 2
    log_determinant += float(np.linalg.slogdet(schur)[1])
    return Penalised(a_inv, across, between, np.linalg.inv(schur), log_determinant)


def gradient(problem: Problem, at: Point) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the derivatives of the log-likelihood.

    Parameters
    ----------
    problem : Problem
    at : Point

    Returns
    -------
    numpy.ndarray, shape (p,)
        By the coefficients.
    list of numpy.ndarray, shape (q, q)
        By the entries of the covariance factors.

    Notes
    -----
    The modes move with the parameters; what that adds to the logarithm of the determinant is found by one solve with
    the penalised Hessian (implicit differentiation), so a gradient costs about one step of the inner iteration.
    """
    variance, change = problem.family.spread(at.mean)
    weights = problem.size * variance
    residual = problem.y - problem.size * at.mean
    leverage, solved = _solved_rows(problem, at)
    shift = leverage * problem.size * change
    moved = at.inner.solve(problem.group_sums(at.first * shift[:, None]), at.others.T @ shift)
    back = (at.first * moved.first[problem.place]).sum(axis=1)
    if moved.others.size:
        back = back + at.others @ moved.others
    half = (shift - weights * back) / 2
    by_beta = problem.x.T @ (residual - half)
    by_factor = []
    for random, mode, own, moves in zip(
        problem.randoms, _by_row(problem, at.modes), solved, _by_row(problem, moved), strict=True
    ):
        inside = (residual - half)[:, None] * mode - weights[:, None] * own - residual[:, None] * moves / 2
        by_factor.append(random.values.T @ inside)
    return by_beta, by_factor


def _solved_rows(problem: Problem, at: Point) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return each row's leverage b' M^-1 b, and the part of M^-1 b that belongs to the row's own groups."""
    inner, n = at.inner, problem.y.size
    own = np.einsum("nab,nb->na", inner.a_inv[problem.place], at.first)
    if not problem.n_other:
        return (own * at.first).sum(axis=1), [own]
    solved = [own, *(np.zeros((n, random.width)) for random in problem.others)]
    leverage = np.empty(n)
    for begin in range(0, n, _CHUNK):
        rows = slice(begin, begin + _CHUNK)
        place = problem.place[rows]
        down = [one[place] for one in inner.across]
        reduced = at.others[rows].toarray()
        for column, part in enumerate(down):
            reduced -= at.first[rows, column, None] * part.toarray()
        second = reduced @ inner.rest
        for column, part in enumerate(down):
            own[rows, column] -= np.asarray(part.multiply(second).sum(axis=1)).ravel()
        leverage[rows] = (own[rows] * at.first[rows]).sum(axis=1)
        leverage[rows] += np.asarray(at.others[rows].multiply(second).sum(axis=1)).ravel()
        shift = 0
        for number, random in enumerate(problem.others, start=1):
            places = shift + np.maximum(random.codes[rows], 0)[:, None] * random.width + np.arange(random.width)
            solved[number][rows] = np.take_along_axis(second, places, axis=1)
            shift += len(random.levels) * random.width
    return leverage, solved


def _by_row(problem: Problem, modes: Modes) -> list[np.ndarray]:
    """Effects of each row's own groups, one array of shape (n, q) per factor."""
    found = [modes.first[problem.place]]
    shift = 0
    for random in problem.others:
        places = shift + np.maximum(random.codes, 0)[:, None] * random.width + np.arange(random.width)
        found.append(modes.others[places])
        shift += len(random.levels) * random.width
    return found
